"""``make bench``: what the inbox carries, and what an answer costs."""

import uvloop

from tests.bench.answers import answers
from tests.bench.inbox import inbox
from tests.bench.processes import processes

uvloop.run(inbox())  # as the bot does
uvloop.run(answers())
uvloop.run(processes())
