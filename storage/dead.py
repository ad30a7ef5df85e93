"""Dead letters: updates that could not be dealt with, kept until somebody looks at them."""

import json
import secrets
from dataclasses import dataclass

from redis.asyncio import Redis

from storage import keys
from storage.connect import translated
from storage.message import ChatKey
from storage.script import Script

MOST = 10_000
"""Dead letters kept; the oldest go first."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An update, as text because nobody may be able to read it, and why it is here."""

    reason: str
    update: str
    letter: str
    """The letter itself, as it is stored."""


class DeadLetters:
    """One bot's dead letters, oldest first. Every method raises `StorageUnavailable`."""

    def __init__(self, redis: Redis, bot_id: int) -> None:
        self._redis = redis
        self._bot_id = bot_id
        self._key = keys.dead(bot_id)
        self._bury, self._replay = (Script(redis, name) for name in ("bury", "replay"))

    async def all(self) -> list[DeadLetter]:
        """Read them all."""
        with translated():
            letters = [str(letter) for letter in await self._redis.lrange(self._key, 0, -1)]
        fields = [json.loads(letter) for letter in letters]
        return [
            DeadLetter(found["reason"], found["update"], letter)
            for found, letter in zip(fields, letters, strict=True)
        ]

    async def add(self, update: str, reason: str) -> None:
        """Bury what cannot even be queued."""
        # Two that are alike are two; one that is added again, for a reply was lost, is one.
        fields = {"reason": reason, "update": update, "id": secrets.token_hex(8)}
        letter = json.dumps(fields, ensure_ascii=False)
        with translated():
            await self._bury.kept([self._key], [letter, MOST], keys.mark(self._bot_id))

    async def replay(self, dead: DeadLetter, lane: ChatKey) -> None:
        """Queue one again, once."""
        with translated():
            await self._replay(
                [self._key, keys.ready(self._bot_id), keys.mailbox(self._bot_id, lane)],
                [dead.letter, str(lane), dead.update],
            )

    async def drop(self, dead: DeadLetter) -> None:
        """Throw one away."""
        with translated():
            await self._redis.lrem(self._key, 1, dead.letter)
