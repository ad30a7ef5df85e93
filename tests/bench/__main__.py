"""``make bench``: what the inbox carries, and what an answer costs."""

import resource

import uvloop

from tests.bench.answers import answers
from tests.bench.inbox import inbox
from tests.bench.processes import processes

# A thousand chats at once have two connections each here, and as many there.
_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
uvloop.run(inbox())  # as the bot does
uvloop.run(answers())
uvloop.run(processes())
