"""What a reply does to its conversation, exactly once, because it is kept together with it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Self

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


@dataclass(frozen=True, slots=True)
class Notice:
    """What the bot says in a lane by itself, because of what was done elsewhere.

    If it tells people that the bot hears them, that begins then, unless the settings that say so
    are no longer those of version ``untold``; 0 for anything else. As long as it waits behind
    something else, the next one of the same ``setting`` and ``by`` the same person replaces it.
    """

    text: str
    untold: int = 0
    setting: str = ""
    by: int = 0

    def __str__(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse the output of ``str``. Raises what is `UNREADABLE`."""
        found = json.loads(text)
        setting, by = str(found.get("setting", "")), int(found.get("by", 0))
        return cls(str(found["text"]), int(found["untold"]), setting, by)


@dataclass(frozen=True, slots=True)
class Chosen:
    """Settings of ``chat`` change, by their names; None: the default holds again.

    If they are no longer those of ``version``, nothing happens, and `Outdated` is raised.
    ``notice`` is said of it in the chat, by its own lane, "" for nothing; where more is heard from
    now on, that begins once it has been said. ``inherited`` is how much a topic hears by default:
    as its group. ``by``: the id of whoever changes them.
    """

    chat: ChatKey
    values: Mapping[str, str | None]
    version: int
    notice: str = ""
    inherited: int = 0
    by: int = 0

    @property
    def untold(self) -> int:
        """The version of the settings of which people must be told first; 0 if of none."""
        waits = self.notice and "hears" in self.values and not self.hears_nothing
        return self.version + 1 if waits else 0

    @property
    def written(self) -> Mapping[str, str | None]:
        """What changes in the chat's hash."""
        if "hears" not in self.values:
            return self.values
        return {**self.values, "untold": str(self.untold) if self.untold else None}

    @property
    def hears_nothing(self) -> bool:
        """True if nothing that is said around the bot is to be kept any more."""
        if "hears" not in self.values:
            return False
        value = self.values["hears"]
        return not self.inherited if value is None else value in ("", "0")


@dataclass(frozen=True, slots=True)
class Heard:
    """What somebody says in the lane's group is kept in its windows, or not any more.

    ``person`` is their id, or that of the chat in whose name they write.
    """

    person: int
    is_kept: bool


class Outdated(Exception):
    """Somebody else has changed these settings meanwhile; nothing is kept."""


Change = Kept | Forgotten | Left | Undone | Restored | Chosen | Heard


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
        case Undone() | Restored():
            return ["undo" if isinstance(change, Undone) else "restore", change.floor]
        case Chosen():
            # An empty value is one, too.
            pairs = ((name, "" if v is None else f"={v}") for name, v in change.written.items())
            setting = next(iter(change.values))
            notice = Notice(change.notice, change.untold, setting, change.by)
            told = str(notice) if change.notice else ""
            return ["choose", change.version, str(change.chat), told, *chain.from_iterable(pairs)]
        case _:
            return ["hear" if change.is_kept else "shun", change.person] if change else [""]
