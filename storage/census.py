"""How much of one bot waits in Redis, is in work, or is dead: the same from every process."""

from dataclasses import dataclass

from redis.asyncio import Redis

from storage import keys
from storage.server.connect import translated
from storage.server.script import Script
from storage.timing import Timing

MOST_LANES = 1000
"""How many lanes are looked at; this many cost 2 ms of the server's time."""


@dataclass(frozen=True, slots=True)
class Count:
    """``oldest`` is how many seconds the oldest message that nobody works on has waited.

    Lanes are conversations with something to do: ``waiting`` for a worker, ``in_work``, or
    ``frozen`` by Telegram.
    """

    oldest: int
    waiting: int
    in_work: int
    frozen: int
    dead: int


class Census:
    """Counts what there is of one bot."""

    def __init__(self, redis: Redis, bot_id: int, timing: Timing = Timing()) -> None:
        self.bot_id = bot_id
        self._lease = timing.lease
        self._script = Script(redis, "census")

    async def count(self) -> Count:
        """Count. Raises `StorageUnavailable`."""
        names = [key(self.bot_id) for key in (keys.ready, keys.dead, keys.parked)]
        with translated():
            found = await self._script(
                names, [MOST_LANES, int(self._lease * 1000), keys.mailboxes(self.bot_id)]
            )
        oldest, queued, in_work, dead, frozen = map(int, found)
        return Count(oldest, queued - in_work, in_work, frozen, dead)
