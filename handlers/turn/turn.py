"""The update in work: what is known of its reply so far, and how to keep more."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from handlers.rendering.markup import Chunk, File
from handlers.texts import RUSSIAN, Texts
from storage.budget import Frozen
from storage.change import Change
from storage.history import Past
from storage.inbox import Inbox
from storage.lane import Claim, Entry, Opened, Shown
from storage.timing import clock

Piece = Chunk | File
MOST_JOINED = 30


@dataclass(frozen=True, slots=True)
class Button:
    """A button under a reply; ``data`` comes back when it is pressed."""

    label: str
    data: str


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply: pieces, and buttons under the last one.

    ``is_answer`` marks the answer of an exchange in the history.
    """

    pieces: Sequence[Piece]
    buttons: Sequence[Button] = ()
    is_answer: bool = False


class Turn:
    """One update in work. Its methods raise `LaneLost` and `StorageUnavailable`."""

    def __init__(self, inbox: Inbox, claim: Claim, opened: Opened) -> None:
        self._inbox = inbox
        self._claim = claim
        self.timing = inbox.timing
        self.lane = claim.lane
        """The conversation."""
        self._opened = opened
        self.flood = opened.head.flood
        self.reply = _read(opened.reply)
        self.shown = opened.shown
        self.successor = opened.shown.chat
        """The supergroup that this update's chat has become meanwhile; 0 if none."""
        self.partial = opened.partial
        """The answer so far; noted before it is on the screen."""
        self.asked = -1
        """The number of the question in work, once asked; stop buttons name it."""
        self._stopped: set[str] = set()
        self.interrupted = asyncio.Event()
        self.failure: Exception | None = None
        self.texts: Texts = RUSSIAN
        """The bot's words, in the language of the person it answers."""
        self.granted: float | None = None
        """Seconds until the kept reply may be sent; None: it needs a place in the budget."""
        self.figures: dict[str, object] = {}
        """More for the turn's line in the log; never a text."""

    def asks(self, number: int) -> None:
        """Begin with the question of this number; if it was stopped already, it is cut short."""
        self.asked = number
        if str(number) in self._stopped:
            self.interrupted.set()

    def stop(self, number: str) -> bool:
        """Stop the answer to a question, now or once asked; tells whether it is in work."""
        self._stopped.add(number)
        return number == str(self.asked)

    async def replaces(self, answer: Sequence[int]) -> None:
        """Let the reply replace these messages, unless an earlier worker has begun to."""
        if not self.shown.ids:
            await self.note(Shown(0, tuple(answer)))

    def follow(self, supergroup: int) -> None:
        """Go on in the supergroup that the chat has become; messages have other ids there."""
        self.successor = supergroup
        self.shown = Shown(self.shown.final, self.shown.ids[: self.shown.final])

    async def inherit(self, group: int) -> None:
        """Take over what is kept of a group that has become this chat.

        Raises `Frozen` while work there must be finished first.
        """
        for pause in self.timing.moved_pauses:
            if await self._inbox.inherit(self._claim, group):
                return
            await asyncio.sleep(pause)
        raise Frozen(self.timing.moved_park)

    @property
    def may_go_at_once(self) -> bool:
        """True if first words may go at once, and take their place when they are noted.

        So it is in a private chat, where nobody else sends, unless Telegram had frozen it when the
        lane was opened, or that is long ago.
        """
        fresh = clock() - self._opened.asked < self.timing.unfrozen
        return fresh and self._opened.frozen == 0 and self.lane.chat_id > 0 and not self.successor

    @cached_property
    def past(self) -> Past:
        """The conversation before this update, as much as may fit the model's window.

        Raises `StorageRefused`, and ValueError if a number in the state is not one.
        """
        return Past.parse(self._opened.past, self.lane)

    @property
    def is_followed(self) -> bool:
        """True if something waited behind this update when it was opened."""
        return self._opened.behind > 0

    async def following(self) -> list[Entry]:
        """Return what waits behind this update in its conversation."""
        return await self._inbox.following(self._claim, MOST_JOINED)

    async def join(self, number: int) -> None:
        """Take in so many of those; this reply answers them too."""
        await self._inbox.joined(self._claim, number)

    async def keep(self, reply: Reply, change: Change | None = None) -> None:
        """Keep the reply and its change to a history, before it is sent."""
        asked = clock()
        at_once = len(reply.pieces) == 1 and not self.successor
        granted = await self._inbox.commit(self._claim, _write(reply), change, at_once=at_once)
        if clock() - asked < self.timing.unfrozen:  # replicas may take their time to confirm
            self.granted = granted
        self.reply = reply

    async def can_be_restored(self) -> bool:
        """Tell whether a forgotten conversation can come back."""
        return await self._inbox.is_forgotten(self.lane)

    async def storage_is_full(self) -> bool:
        """Tell whether forgotten conversations must make room at once."""
        return await self._inbox.is_full()

    async def hold(self) -> None:
        """Check that the lane is still ours: just before each effect on Telegram."""
        await self._inbox.hold(self._claim)

    async def park(self, seconds: float) -> None:
        """Give up the conversation; nobody goes on with it for so long."""
        await self.note(self.shown)  # `done` would note the last piece, and it is not called
        await self._inbox.park(self._claim, seconds)

    async def note(self, shown: Shown, *, owing: bool = False) -> None:
        """Note which messages of the reply are on Telegram, and the answer so far.

        ``owing``: the first words have just been sent because they `may_go_at_once`.
        """
        self.shown = replace(shown, chat=self.successor)
        await self._inbox.note(self._claim, self.shown, self.partial, owing=owing)

    @property
    def answer_ids(self) -> Sequence[int]:
        """The messages on Telegram that answer an exchange, if this reply does."""
        return self.shown.ids if self.reply and self.reply.is_answer else ()


def _write(reply: Reply) -> str:
    fields = {
        "pieces": [_piece(piece) for piece in reply.pieces],
        "buttons": [[button.label, button.data] for button in reply.buttons],
        "answers": reply.is_answer,
    }
    return json.dumps(fields, ensure_ascii=False)


def _piece(piece: Piece) -> list[object]:
    if isinstance(piece, File):
        return [piece.text, piece.name]
    return [piece.text, piece.entities]


def _read(text: str) -> Reply | None:
    if not text:
        return None
    fields = json.loads(text)
    return Reply(
        [
            File(more, words) if isinstance(more, str) else Chunk(words, tuple(more))
            for words, more in fields["pieces"]
        ],
        [Button(label, data) for label, data in fields["buttons"]],
        is_answer=fields["answers"],
    )
