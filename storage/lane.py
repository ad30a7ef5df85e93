"""A lane in a worker's hands: who has claimed it, what waits in it, what is known of its head."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from storage.message import ChatKey


class LaneLost(Exception):
    """The lane has another owner now; drop whatever is in work for it here."""


@dataclass(slots=True)
class Claim:
    """A lane that this worker owns, as long as ``entry`` is pending under its name.

    ``renewed`` is the `clock` just before the claim was made or last renewed. Once ``lost``, the
    claim is void for everything that holds it.
    """

    entry: str
    lane: ChatKey
    renewed: float = field(compare=False)
    lost: bool = field(default=False, compare=False)

    def void(self) -> LaneLost:
        """Mark the lane as lost; returns the error to raise."""
        self.lost = True
        return LaneLost()


@dataclass(frozen=True, slots=True)
class Entry:
    """An update as stored in a mailbox; ``flood`` marks the first one beyond `MOST_WAITING`.

    ``is_notice``: no update, but a `storage.change.Notice`. Only our own scripts make that mark.
    """

    update: str
    flood: bool
    is_notice: bool = False

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse what the scripts wrote: time, a mark, perhaps the sender, the update."""
        start = max(0, text.find("{"))  # whoever cannot read the update reports it
        before = text[:start]
        return cls(text[start:], before.endswith("!"), re.fullmatch(r"\d+#", before) is not None)


@dataclass(frozen=True, slots=True)
class Late:
    """The head of a lane's mailbox, when it has waited long."""

    lane: ChatKey
    head: Entry


@dataclass(frozen=True, slots=True)
class Shown:
    """Which messages on Telegram, by ``ids``, show a reply; the first ``final`` of them are final.

    The others are in the lane's own chat, or in the supergroup ``chat`` it has since become.
    """

    final: int = 0
    ids: tuple[int, ...] = ()
    chat: int = 0

    def __str__(self) -> str:
        chat = (self.chat,) if self.chat else ()
        return " ".join(map(str, (self.final, *self.ids, *chat)))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse the output of ``str``, or ""."""
        final, *ids = [int(number) for number in text.split()] or [0]
        chat = ids.pop() if ids and ids[-1] < 0 else 0  # numbers of messages are positive
        return cls(final, tuple(ids), chat)


@dataclass(frozen=True, slots=True)
class Opened:
    """The head of a lane's mailbox, and the state of earlier work on it.

    It came in ``waited`` seconds ago. ``claims`` counts how often the lane was claimed since this
    became its head, ``begun`` how often work on it began under suspicion, ``failures`` how often
    the work itself failed, ``failure`` the last reason. ``reply`` is the kept reply ("" if none),
    ``shown`` how much of it is on Telegram, ``partial`` how far an answer had grown.
    ``behind`` is how many entries are behind the head; ``interrupts`` are those of them that may
    want to cut it short, oldest first. Just after ``asked``, by `clock`, the chat was frozen for
    ``frozen`` seconds (None: unknown). ``past`` is for `storage.history.Past.parse`, ``settings``
    for `storage.chat_settings.ChatSettings.parse`, ``heard`` for `storage.hearing.parse`, ``chat``
    for `storage.chats.ChatRecord.parse`.
    ``access`` is the version of the list of whom commands have let in or shut out.
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
    behind: int = 0
    interrupts: tuple[Entry, ...] = ()
    asked: float = float("-inf")
    frozen: float | None = None
    past: list[Any] | str = ""
    access: str = ""
    chat: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    heard: Sequence[str] = ()

    @classmethod
    def parse(cls, found: Sequence[Any], asked: float) -> Self:
        """Parse the output of `opened.lua`. Raises ValueError if another program wrote there."""
        head, waited, claims, begun, failures, failure, reply, shown, partial, *more = found
        behind, frozen, access, chat, past, settings, heard, *interrupts = more
        return cls(
            Entry.parse(head),
            int(waited),
            int(claims),
            int(begun),
            int(failures),
            failure,
            reply,
            Shown.parse(shown),
            partial,
            int(behind),
            tuple(map(Entry.parse, interrupts)),
            asked,
            None if int(frozen) < 0 else int(frozen) / 1000,
            past,
            str(access),
            chat,
            dict(zip(settings[::2], settings[1::2], strict=True)),
            heard or (),
        )
