"""What a reply does to its conversation, once: the words in which it is kept with the reply."""

from collections.abc import Sequence
from dataclasses import dataclass

from storage.history import LONGEST, MOST_BYTES, encode
from storage.message import ChatKey, Message


@dataclass(frozen=True, slots=True)
class Kept:
    """An exchange is added, if ``epoch`` is still the same; ``replaces``: in place of the last one.

    ``asked`` is the number by which Telegram's side knows the exchange: its question's, as a rule.
    ``revision`` is how often the question was answered before. ``told``: the person hears with
    this reply that the model does not get the oldest any more. ``most_bytes`` is what the history
    may have; if it has more, its oldest exchanges leave.
    """

    exchange: Sequence[Message]
    epoch: int
    prompt_tokens: int = 0
    completion_tokens: int = 0
    asked: int = 0
    replaces: bool = False
    told: bool = False
    revision: int = 0
    most_bytes: int = MOST_BYTES


@dataclass(frozen=True, slots=True)
class Forgotten:
    """The conversation of ``chat`` is forgotten, and answers to it that are still under way.

    Edits of messages up to the number ``floor`` ask nothing any more. ``for_good`` makes room at
    once, and nothing can bring it back. ``with_topics`` means all conversations of a forum.
    """

    chat: ChatKey
    floor: int = 0
    for_good: bool = False
    with_topics: bool = False


@dataclass(frozen=True, slots=True)
class Left:
    """The last exchange stays as it is, though it was asked again; ``revision`` as in `Kept`."""

    revision: int


@dataclass(frozen=True, slots=True)
class Undone:
    """The last exchange is taken back; ``floor`` as in `Forgotten`."""

    floor: int = 0


@dataclass(frozen=True, slots=True)
class Restored:
    """What was forgotten comes back; ``floor`` as in `Forgotten`."""

    floor: int = 0


Change = Kept | Forgotten | Left | Undone | Restored


def arguments(change: Change | None) -> list[str | int]:
    """Write a change as the script ``commit`` reads it."""
    match change:
        case Kept():
            return [
                "replace" if change.replaces else "keep",
                change.epoch,
                LONGEST,
                change.most_bytes,
                change.prompt_tokens,
                change.completion_tokens,
                change.asked,
                int(change.told),
                change.revision,
                *map(encode, change.exchange),
            ]
        case Forgotten():
            return ["forget for good" if change.for_good else "forget", change.floor]
        case Left():
            return ["leave", change.revision]
        case Undone():
            return ["undo", change.floor]
        case Restored():
            return ["restore", change.floor]
        case None:
            return [""]
