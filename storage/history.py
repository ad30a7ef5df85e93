"""A conversation's history: a Redis list of ``{"role", "text"}`` objects, oldest first.

Besides, an object may say who wrote the text (``from``, ``name``), and when (``at``). The list is
read here; it changes with the replies that are kept, in `storage.inbox`.
"""

import json
from dataclasses import dataclass

import structlog
from redis.asyncio import Redis

from storage import keys
from storage.message import ChatKey, Message, Role, well_formed
from storage.server.connect import patiently
from storage.server.script import Script

log = structlog.get_logger()

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
        """Read whole turns from the newest back, as many as fit ``max_bytes`` of JSON.

        What somebody else wrote there, and nobody can read, is left out with its turn. Raises
        `StorageRefused`, and ValueError for numbers that are none.
        """
        names = [name(self._bot_id, chat) for name in (keys.history, keys.epoch, keys.state)]
        found = await patiently(lambda: self._newest(keys=names, args=[max_bytes]))
        epoch, length, asked, answer, told, revision, floor, *entries = found
        pairs = [_pair(*pair) for pair in zip(entries[::2], entries[1::2], strict=True)]
        if None in pairs:
            log.warning("history_unreadable", chat=chat.chat_id, topic=chat.topic_id)
        is_last_known = not pairs or pairs[-1] is not None
        return Past(
            tuple(message for pair in pairs for message in pair or ()),
            int(epoch),
            int(length),
            int(asked) if is_last_known else 0,
            tuple(map(int, answer.split())) if is_last_known else (),
            bool(told),
            int(revision),
            int(floor),
        )

    async def is_forgotten(self, chat: ChatKey) -> bool:
        """Tell whether there is a forgotten conversation that can come back."""
        key = keys.forgotten(self._bot_id, chat)
        return str(await patiently(lambda: self._redis.type(key))) == "list"


def encode(message: Message) -> str:
    """Write a message as it stands in the list."""
    # Readable in redis-cli, and two bytes a Cyrillic letter instead of six.
    known = {"from": message.sender, "name": message.name, "at": message.at}
    fields = {"role": message.role, "text": message.text}
    return json.dumps(fields | {key: one for key, one in known.items() if one}, ensure_ascii=False)


def decode(entry: str) -> Message:
    """Read one. Raises ValueError, LookupError, TypeError or RecursionError."""
    fields = json.loads(entry)
    if not isinstance(fields["text"], str) or not fields["text"]:
        raise ValueError(fields["text"])
    sender, at = (_number(fields.get(key)) for key in ("from", "at"))
    name = fields.get("name")
    name = well_formed(name) if isinstance(name, str) else ""
    return Message(Role(fields["role"]), well_formed(fields["text"]), sender, name, at)


def _number(value: object) -> int:
    return value if type(value) is int else 0


def _pair(question: str, answer: str) -> tuple[Message, Message] | None:
    try:
        return decode(question), decode(answer)
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
