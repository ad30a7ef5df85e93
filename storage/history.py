"""A conversation's history: a Redis list of ``{"role", "text"}`` objects, oldest first.

It is read here; it changes with the replies that are kept, in `storage.inbox`.
"""

import json
from dataclasses import dataclass

from redis.asyncio import Redis

from storage import keys
from storage.connect import patiently
from storage.message import ChatKey, Message, Role
from storage.script import Script

LONGEST = 1000
"""Messages kept in one history; older ones are cut off. 500 turns are far beyond any window."""
MOST_BYTES = 3_000_000
"""Bytes kept in one history, unless it is said how large the model's window is."""


@dataclass(frozen=True, slots=True)
class Past:
    """The newest messages of a conversation, oldest first, and what is known of it.

    ``epoch`` is the one they belong to, ``length`` how many messages there are in all, ``asked``
    the number of the last exchange's question on Telegram (0: unknown) and ``answer`` those of
    the messages that answer it; ``told`` says that the person knows the oldest are left out.
    ``revision`` is how often the last question was answered before, and ``floor`` the number of
    the newest message when something was forgotten last.
    """

    messages: tuple[Message, ...]
    epoch: int
    length: int = 0
    asked: int = 0
    answer: tuple[int, ...] = ()
    told: bool = False
    revision: int = 0
    floor: int = 0


class History:
    """The histories of one bot's conversations. While storage is down, every method waits."""

    def __init__(self, redis: Redis, bot_id: int) -> None:
        self._redis = redis
        self._bot_id = bot_id
        self._newest = Script(redis, "newest")

    async def newest(self, chat: ChatKey, max_bytes: int) -> Past:
        """Read whole turns from the newest back, as many as fit ``max_bytes`` of JSON."""
        names = [name(self._bot_id, chat) for name in (keys.history, keys.epoch, keys.state)]
        found = await patiently(lambda: self._newest(keys=names, args=[max_bytes]))
        epoch, length, asked, answer, told, revision, floor, *entries = found
        return Past(
            tuple(_decode(entry) for entry in entries),
            int(epoch),
            int(length),
            int(asked),
            tuple(map(int, answer.split())),
            bool(told),
            int(revision),
            int(floor),
        )

    async def is_forgotten(self, chat: ChatKey) -> bool:
        """Tell whether there is a forgotten conversation that can come back."""
        key = keys.forgotten(self._bot_id, chat)
        return bool(await patiently(lambda: self._redis.exists(key)))


def encode(message: Message) -> str:
    """Write a message as it stands in the list."""
    # Readable in redis-cli, and two bytes a Cyrillic letter instead of six.
    return json.dumps({"role": message.role, "text": message.text}, ensure_ascii=False)


def _decode(entry: str) -> Message:
    fields = json.loads(entry)
    return Message(Role(fields["role"]), fields["text"])
