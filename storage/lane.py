"""A lane in a worker's hands: who has claimed it, what waits in it, what is known of its head."""

import sys
import time
from dataclasses import dataclass, field
from typing import Self

from storage.message import ChatKey


class LaneLost(Exception):
    """The lane has another owner now; whatever is in work for it here is to be dropped."""


def clock() -> float:
    """Seconds that pass on this machine also while it sleeps, where there is such a clock."""
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


@dataclass(slots=True)
class Claim:
    """A lane that this worker owns, as long as ``entry`` is pending under its name.

    ``renewed`` is the `clock` just before the claim was made or renewed last; once ``lost``, it
    is void for everybody who has it in hand.
    """

    entry: str
    lane: ChatKey
    renewed: float = field(compare=False)
    lost: bool = field(default=False, compare=False)

    def void(self) -> LaneLost:
        """Note that the lane is lost; gives the error to raise."""
        self.lost = True
        return LaneLost()


@dataclass(frozen=True, slots=True)
class Entry:
    """An update as it lies in a mailbox; ``flood`` marks the first one beyond `MOST_WAITING`."""

    update: str
    flood: bool

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what the script `put` wrote: time, a mark, perhaps the sender, the update."""
        start = max(0, text.find("{"))  # who cannot read an update says so
        return cls(text[start:], flood=text[:start].endswith("!"))


@dataclass(frozen=True, slots=True)
class Late:
    """The head of a lane's mailbox that has waited long."""

    lane: ChatKey
    head: Entry


@dataclass(frozen=True, slots=True)
class Shown:
    """Which messages on Telegram, by their ``ids``, show a reply; the first ``final`` for good.

    Those that are not final are in the lane's own chat, or in the supergroup ``chat`` that it has
    become meanwhile.
    """

    final: int = 0
    ids: tuple[int, ...] = ()
    chat: int = 0

    def __str__(self) -> str:
        chat = (self.chat,) if self.chat else ()
        return " ".join(map(str, (self.final, *self.ids, *chat)))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what ``str`` wrote, or nothing."""
        final, *ids = [int(number) for number in text.split()] or [0]
        chat = ids.pop() if ids and ids[-1] < 0 else 0  # numbers of messages are positive
        return cls(final, tuple(ids), chat)


@dataclass(frozen=True, slots=True)
class Opened:
    """The head of a lane's mailbox, and what is known of earlier work on it.

    It came in ``waited`` seconds ago. ``claims`` counts how often the lane was claimed since
    this was its head, ``begun`` how often work on it began when it was suspected already,
    ``failures`` how often the work failed by itself, the last time for the reason ``failure``.
    ``reply`` is the kept reply ("" if none) and ``shown`` what of it is on Telegram; ``partial``
    is how far an answer had grown.
    ``interrupts`` are the entries behind the head that may want to cut it short, oldest first.
    """

    head: Entry
    waited: int
    claims: int
    begun: int
    failures: int
    failure: str
    reply: str
    shown: Shown
    partial: str
    interrupts: tuple[Entry, ...]
