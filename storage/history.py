"""A conversation's history: a Redis list of ``{"role", "text"}`` objects, oldest first."""

import json
from dataclasses import dataclass
from importlib.resources import files

from redis.asyncio import Redis

from storage import keys
from storage.connect import translated
from storage.message import ChatKey, Message, Role

LONGEST = 1000
"""Messages kept in one history; older ones are cut off. 500 turns are far beyond any window."""


@dataclass(frozen=True, slots=True)
class Past:
    """The newest messages of a conversation, oldest first, and the epoch they belong to."""

    messages: tuple[Message, ...]
    epoch: int


class History:
    """The histories of one bot's conversations. Every method raises `StorageUnavailable`."""

    def __init__(self, redis: Redis, bot_id: int) -> None:
        self._redis = redis
        self._bot_id = bot_id
        self._newest = redis.register_script(_script("newest"))
        self._append = redis.register_script(_script("append"))
        self._clear = redis.register_script(_script("clear"))

    async def newest(self, chat: ChatKey, max_bytes: int) -> Past:
        """Read whole turns from the newest back, as many as fit ``max_bytes`` of JSON."""
        with translated():
            epoch, *entries = await self._newest(keys=self._keys(chat), args=[max_bytes])
        return Past(tuple(_decode(entry) for entry in entries), int(epoch))

    async def append(self, chat: ChatKey, turn: str, epoch: int, exchange: list[Message]) -> bool:
        """Append the messages of one turn together, once.

        ``turn`` names it: the same turn again changes nothing. Nothing is written either, and
        False returned, when the conversation was cleared since ``epoch`` was read: a late answer
        does not belong in a new history.
        """
        entries = [_encode(message) for message in exchange]
        with translated():
            return bool(await self._append(self._keys(chat), [turn, epoch, LONGEST, *entries]))

    async def clear(self, chat: ChatKey) -> None:
        """Forget the conversation."""
        with translated():
            await self._clear(keys=self._keys(chat))

    def _keys(self, chat: ChatKey) -> list[str]:
        return [keys.history(self._bot_id, chat), keys.turns(self._bot_id, chat)]


def _encode(message: Message) -> str:
    # Readable in redis-cli, and two bytes a Cyrillic letter instead of six.
    return json.dumps({"role": message.role, "text": message.text}, ensure_ascii=False)


def _decode(entry: str) -> Message:
    fields = json.loads(entry)
    return Message(Role(fields["role"]), fields["text"])


def _script(name: str) -> str:
    return files("storage").joinpath(f"{name}.lua").read_text(encoding="utf-8")
