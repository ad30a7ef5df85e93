"""What of one bot waits in Redis, is in work, or is dead: the same from whichever process."""

from dataclasses import dataclass

from redis.asyncio import Redis

from storage import keys
from storage.connect import translated
from storage.script import Script

MOST_LANES = 10_000
"""Lanes that are looked at for the oldest; the look takes some ms of the server's time then."""


@dataclass(frozen=True, slots=True)
class Count:
    """``oldest`` is how many seconds the oldest message has waited that is not answered yet.

    Lanes are conversations with something to do: ``waiting`` for a worker, or ``in_work``.
    """

    oldest: int
    waiting: int
    in_work: int
    dead: int


class Census:
    """Counts what there is of one bot."""

    def __init__(self, redis: Redis, bot_id: int) -> None:
        self.bot_id = bot_id
        self._script = Script(redis, "census")

    async def count(self) -> Count:
        """Count. Raises `StorageUnavailable`."""
        names = [keys.ready(self.bot_id), keys.dead(self.bot_id)]
        with translated():
            found = await self._script(names, [MOST_LANES, keys.mailboxes(self.bot_id)])
        oldest, queued, in_work, dead = map(int, found)
        return Count(oldest, queued - in_work, in_work, dead)
