"""``make bench``: what the inbox carries, and what an answer takes and costs."""

import resource

import uvloop

from tests.bench.inbox import inbox
from tests.bench.processes import processes
from tests.bench.table import table

# A thousand chats at once have two connections each here, and as many there.
_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
uvloop.run(inbox())  # as the bot does
uvloop.run(table())
uvloop.run(processes())
