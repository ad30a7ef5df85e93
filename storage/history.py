"""A conversation's history: a Redis list of ``{"role", "text"}`` objects, oldest first.

It is read here; it changes with the replies that are kept, in `storage.inbox`.
"""

import json
from dataclasses import dataclass
from importlib.resources import files

from redis.asyncio import Redis

from storage import keys
from storage.connect import patiently
from storage.message import ChatKey, Message, Role

LONGEST = 1000
"""Messages kept in one history; older ones are cut off. 500 turns are far beyond any window."""


@dataclass(frozen=True, slots=True)
class Past:
    """The newest messages of a conversation, oldest first, and the epoch they belong to."""

    messages: tuple[Message, ...]
    epoch: int


class History:
    """The histories of one bot's conversations. While storage is down, every method waits."""

    def __init__(self, redis: Redis, bot_id: int) -> None:
        self._redis = redis
        self._bot_id = bot_id
        self._newest = redis.register_script(_script("newest"))

    async def newest(self, chat: ChatKey, max_bytes: int) -> Past:
        """Read whole turns from the newest back, as many as fit ``max_bytes`` of JSON."""
        names = [keys.history(self._bot_id, chat), keys.epoch(self._bot_id, chat)]
        found = await patiently(lambda: self._newest(keys=names, args=[max_bytes]))
        epoch, *entries = found
        return Past(tuple(_decode(entry) for entry in entries), int(epoch))


def encode(message: Message) -> str:
    """Write a message as it stands in the list."""
    # Readable in redis-cli, and two bytes a Cyrillic letter instead of six.
    return json.dumps({"role": message.role, "text": message.text}, ensure_ascii=False)


def _decode(entry: str) -> Message:
    fields = json.loads(entry)
    return Message(Role(fields["role"]), fields["text"])


def _script(name: str) -> str:
    return files("storage").joinpath(f"{name}.lua").read_text(encoding="utf-8")
