"""``make bench``: what the inbox carries, and what answers and a group's own talk cost."""

import resource

import uvloop

from tests.bench.inbox import inbox
from tests.bench.processes import processes
from tests.bench.table import table
from tests.bench.talk import talk

# A thousand chats at once have two connections each here, and as many there.
_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
uvloop.run(inbox())  # as the bot does
uvloop.run(table())
uvloop.run(talk())
uvloop.run(processes())
