"""A conversation's history: a Redis list of ``{"role", "text"}`` objects, oldest first.

An object may also say who wrote the text (``from``, ``name``), when (``at``), which messages it
quotes, by their numbers (``quoted``), and from which it is joined (``parts``); any other keys are
kept. Two in a row, counted from the newest, are an exchange. The list is only read here; it changes
together with the replies kept in `storage.inbox`.
"""

import json
from dataclasses import dataclass
from typing import Any, Self

import structlog

from storage.message import ChatKey, Exchange, Message, Part, Role, well_formed
from storage.server.connect import StorageRefused

log = structlog.get_logger()

LONGEST = 1000
"""Most messages kept in one history; older ones are dropped. 500 turns exceed any window."""
KNOWN = {"role", "text", "from", "name", "at", "quoted", "parts"}
"""Keys of an entry that the bot writes and reads."""
MOST_BYTES = 3_000_000
"""Most bytes kept in one history if the size of the model's window is not given."""


@dataclass(frozen=True, slots=True)
class Past:
    """The newest exchanges of a conversation, oldest first, and its state.

    They belong to ``epoch``; ``length`` counts all messages, not only these. ``asked`` is the
    number of the last question on Telegram (0: unknown), ``answer_ids`` are the messages
    that answer it, ``revision`` how often it was answered before. ``told``: the person knows that
    the oldest are left out. ``floor`` is the number of the newest message when something was last
    forgotten.
    """

    exchanges: tuple[Exchange, ...]
    epoch: int
    length: int = 0
    asked: int = 0
    answer_ids: tuple[int, ...] = ()
    told: bool = False
    revision: int = 0
    floor: int = 0

    @property
    def turns(self) -> int:
        """How many exchanges there are in all."""
        return self.length // 2

    def is_beyond(self, exchanges: int) -> bool:
        """True if there is more than the newest ``exchanges``, even if only half of one."""
        return self.length > 2 * exchanges

    @classmethod
    def parse(cls, found: list[Any] | str, chat: ChatKey) -> Self:
        """Parse what the script part ``past`` returns, or why it failed.

        An exchange that cannot be parsed, because somebody else wrote it, is left out. Raises
        `StorageRefused`, and ValueError if a number in the state is not one.
        """
        if isinstance(found, str):
            raise StorageRefused(found)
        epoch, length, asked, answer, told, revision, floor, *entries = found
        read = [_exchange(*pair) for pair in zip(entries[::2], entries[1::2], strict=True)]
        if None in read:
            log.warning("history_unreadable", chat=chat.chat_id, topic=chat.topic_id)
        is_last_known = not read or read[-1] is not None
        return cls(
            tuple(exchange for exchange in read if exchange),
            int(epoch),
            int(length),
            int(asked) if is_last_known else 0,
            tuple(map(int, answer.split())) if is_last_known else (),
            bool(told),
            int(revision),
            int(floor),
        )


def encode(message: Message) -> str:
    """Encode a message as an entry of the list."""
    # Not escaped: readable in redis-cli, and two bytes per Cyrillic letter instead of six.
    author = {"from": message.sender, "name": message.name, "at": message.at}
    known = author | {"quoted": message.quoted, "parts": message.parts}
    known = {key: one for key, one in known.items() if one}
    fields = {"role": message.role, "text": message.text, **known, **message.more}
    return well_formed(json.dumps(fields, ensure_ascii=False))


def decode(entry: str) -> Message:
    """Decode an entry. Raises ValueError, LookupError, TypeError or RecursionError."""
    fields = json.loads(entry)
    if not isinstance(fields["text"], str) or not fields["text"]:
        raise ValueError(fields["text"])
    sender, at = (_number(fields.get(key)) for key in ("from", "at"))
    name = fields.get("name")
    name = well_formed(name) if isinstance(name, str) else ""
    more = {key: one for key, one in fields.items() if key not in KNOWN}
    quoted = fields.get("quoted")
    numbers = tuple(map(_number, quoted)) if isinstance(quoted, list) else ()
    text = well_formed(fields["text"])
    parts = _parts(fields.get("parts"), len(text))
    return Message(Role(fields["role"]), text, sender, name, at, more, numbers, parts)


def _parts(value: object, length: int) -> tuple[Part, ...]:
    """Parse from which messages a text of this length is joined; () unless they make sense."""
    try:
        found = tuple(Part(*map(_number, one)) for one in value or ())  # type: ignore[attr-defined]
    except TypeError:
        return ()
    places = [place for part in found for place in (part.start, part.end)]
    return found if places == sorted(places) and all(0 <= p <= length for p in places) else ()


def _number(value: object) -> int:
    return value if type(value) is int else 0


def _exchange(question: str, answer: str) -> Exchange | None:
    try:
        return Exchange(decode(question), decode(answer))
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
