"""A conversation's history: a Redis list of ``{"role", "text"}`` objects, oldest first.

An object may also say who wrote the text (``from``, ``name``) and when (``at``). The list is only
read here; it changes together with the replies kept in `storage.inbox`.
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
"""Most messages kept in one history; older ones are dropped. 500 turns exceed any window."""
MOST_BYTES = 3_000_000
"""Most bytes kept in one history if the size of the model's window is not given."""


@dataclass(frozen=True, slots=True)
class Past:
    """The newest messages of a conversation, oldest first, and its state.

    They belong to ``epoch``; ``length`` counts all messages, not only these. ``asked`` is the
    number of the last question on Telegram (0: unknown), ``answer`` the numbers of the messages
    that answer it, ``revision`` how often it was answered before. ``told``: the person knows that
    the oldest are left out. ``floor`` is the number of the newest message when something was last
    forgotten.
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

        A turn that cannot be parsed, because somebody else wrote it, is left out. Raises
        `StorageRefused`, and ValueError if a number in the state is not one.
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
        """True if there is a forgotten conversation that can come back."""
        key = keys.forgotten(self._bot_id, chat)
        return str(await patiently(lambda: self._redis.type(key))) == "list"


def encode(message: Message) -> str:
    """Encode a message as an entry of the list."""
    # Not escaped: readable in redis-cli, and two bytes per Cyrillic letter instead of six.
    known = {"from": message.sender, "name": message.name, "at": message.at}
    fields = {"role": message.role, "text": message.text}
    return json.dumps(fields | {key: one for key, one in known.items() if one}, ensure_ascii=False)


def decode(entry: str) -> Message:
    """Decode an entry. Raises ValueError, LookupError, TypeError or RecursionError."""
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
