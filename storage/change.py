"""What a reply does to its conversation, exactly once, because it is kept together with it."""

from dataclasses import dataclass

from storage.history import LONGEST, MOST_BYTES, encode
from storage.message import ChatKey, Exchange

COMPLETION = "completion"
"""The kind of call under which an answer's tokens are counted, and paid for."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An exchange is added if ``epoch`` is still the same; ``replaces``: in place of the last one.

    ``asked`` is the number of the exchange on Telegram, usually its question's. ``revision`` is how
    often the question was answered before. ``told``: this reply tells the person that the model no
    longer gets the oldest messages. If the history grows beyond ``most_bytes``, its oldest
    exchanges are dropped. ``model`` answered: its tokens are also counted on their own, because
    each model has its price.
    """

    exchange: Exchange
    epoch: int
    prompt_tokens: int = 0
    completion_tokens: int = 0
    asked: int = 0
    replaces: bool = False
    told: bool = False
    revision: int = 0
    most_bytes: int = MOST_BYTES
    model: str = ""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """The conversation of ``chat`` is forgotten, with the answers still under way in it.

    Edits of messages up to the number ``floor`` are ignored from now on. ``for_good`` frees memory
    at once, and nothing can bring the conversation back. ``with_topics`` means all of a forum.
    """

    chat: ChatKey
    floor: int = 0
    for_good: bool = False
    with_topics: bool = False


@dataclass(frozen=True, slots=True)
class Left:
    """The last exchange was asked again but stays as it is; ``revision`` as in `Kept`."""

    revision: int


@dataclass(frozen=True, slots=True)
class Undone:
    """The last exchange is taken back; ``floor`` as in `Forgotten`."""

    floor: int = 0


@dataclass(frozen=True, slots=True)
class Restored:
    """The forgotten conversation comes back; ``floor`` as in `Forgotten`."""

    floor: int = 0


Change = Kept | Forgotten | Left | Undone | Restored


def arguments(change: Change | None) -> list[str | int]:
    """Return a change as arguments of the script ``commit``."""
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
                f"{COMPLETION}:{change.model}",
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
