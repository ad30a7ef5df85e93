"""Dead letters: updates that could not be dealt with, kept until somebody looks at them."""

import hashlib
import json
import secrets
from dataclasses import dataclass

from redis.asyncio import Redis

from storage import keys
from storage.mending import Mending
from storage.message import UNREADABLE, ChatKey
from storage.server.connect import translated
from storage.server.script import Script

MOST = 10_000
"""Most dead letters kept; the oldest are dropped first."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An update and why it is here. It is plain text: it may not be possible to parse it."""

    reason: str
    update: str
    letter: str
    """The letter itself, as it is stored."""

    @property
    def number(self) -> int:
        """A number by which the letter can be found again; equal letters have the same."""
        return int.from_bytes(hashlib.sha256(self.letter.encode()).digest()[:7])


class DeadLetters:
    """One bot's dead letters, oldest first. Every method raises `StorageUnavailable`."""

    def __init__(self, redis: Redis, bot_id: int) -> None:
        self._redis = redis
        self._bot_id = bot_id
        self._key = keys.dead(bot_id)
        self._bury, self._replay = (Script(redis, name) for name in ("bury", "replay"))
        self._mending = Mending(redis)

    async def all(self) -> list[DeadLetter]:
        """Read them all."""
        with translated():
            letters = await self._redis.lrange(self._key, 0, -1)
        return [_read(str(letter)) for letter in letters]

    async def page(self, first: int, number: int) -> tuple[int, list[DeadLetter]]:
        """Return how many there are, and ``number`` of them."""
        with translated():
            total = await self._redis.llen(self._key)
            letters = await self._redis.lrange(self._key, first, first + number - 1)
        return total, [_read(str(letter)) for letter in letters]

    async def find(self, number: int) -> DeadLetter | None:
        """Find one by its number; None if it is gone."""
        return next((letter for letter in await self.all() if letter.number == number), None)

    async def add(self, update: str, reason: str) -> None:
        """Bury an update that cannot even be queued."""
        # The id tells equal updates apart; a retry after a lost reply keeps its id.
        fields = {"reason": reason, "update": update, "id": secrets.token_hex(8)}
        letter = json.dumps(fields, ensure_ascii=False)
        mark = keys.mark(self._bot_id)
        await self._mending.mended(
            lambda: self._bury.kept([self._key], [letter, MOST], mark), {self._key: "list"}
        )

    async def replay(self, dead: DeadLetter, lane: ChatKey) -> None:
        """Queue a dead letter again, exactly once."""
        mailbox = keys.mailbox(self._bot_id, lane)
        names = [self._key, keys.ready(self._bot_id), mailbox]
        await self._mending.mended(
            lambda: self._replay(names, [dead.letter, str(lane), dead.update]), {mailbox: "list"}
        )

    async def drop(self, dead: DeadLetter) -> None:
        """Delete a dead letter."""
        with translated():
            await self._redis.lrem(self._key, 1, dead.letter)


def _read(letter: str) -> DeadLetter:
    try:
        return DeadLetter(*fields(letter), letter)
    except UNREADABLE:
        return DeadLetter("none of the bot's letters", letter, letter)


def fields(letter: str) -> tuple[str, str]:
    """Parse reason and update. Raises ValueError, LookupError, TypeError, RecursionError."""
    found = json.loads(letter)
    reason, update = found["reason"], found["update"]
    if not isinstance(reason, str) or not isinstance(update, str):
        raise TypeError(letter)
    return reason, update
