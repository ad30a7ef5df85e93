"""The update in work: what is known of its reply so far, and how to keep more."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from telegram.error import Forbidden

from handlers.texts import RUSSIAN, Texts
from handlers.turn.all_chats import AllChats
from handlers.turn.reply import Reply
from storage import hearing
from storage.access import Admission
from storage.budget import Frozen
from storage.change import Change
from storage.chat_settings import ChatSettings, Choices
from storage.chats import ChatRecord, Noted
from storage.history import Past
from storage.inbox import Inbox
from storage.lane import Claim, Entry, Opened, Shown
from storage.message import ChatKey, Message
from storage.timing import clock

MOST_JOINED = 30


class Turn:
    """One update in work. Its methods raise `LaneLost` and `StorageUnavailable`."""

    def __init__(self, inbox: Inbox, claim: Claim, opened: Opened) -> None:
        self._inbox = inbox
        self._claim = claim
        self.timing = inbox.timing
        self.lane = claim.lane.conversation
        """The conversation."""
        self._opened = opened
        self.head = opened.head
        self.flood = opened.head.flood
        self.reply = Reply.parse(opened.reply) if opened.reply else None
        self.shown = opened.shown
        self.successor = opened.shown.chat
        """The supergroup that this update's chat has become meanwhile; 0 if none."""
        self.on_move: Callable[[int], None] = lambda _supergroup: None
        """Hears of that supergroup, once a call to Telegram tells."""
        self.partial = opened.partial
        """The answer so far; noted before it is on the screen."""
        self.asked = -1
        """The number of the question in work, once asked; stop buttons name it."""
        self._stopped: set[str] = set()
        self.interrupted = asyncio.Event()
        self.update = 0
        """Its number at Telegram, once it is read."""
        self.barred = False
        """An owner has meanwhile shut out whom it answers."""
        self.departed = False
        """The bot must be quiet in this chat from now on."""
        self.chat = ChatRecord.parse(opened.chat)
        """What is known of the chat."""
        self._learned: Noted | None = None
        self.failure: Exception | None = None
        self.settings = ChatSettings.parse(opened.settings, self.lane)
        """What is chosen for the conversation, its topic's over its chat's."""
        self.texts: Texts = RUSSIAN
        """The bot's words, in the language of the person it answers."""
        self.granted: float | None = None
        """Seconds until the kept reply may be sent; None: it needs a place in the budget."""
        self.all_chats = AllChats(inbox, claim)
        """For what an owner does to all chats at once."""
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

    @property
    def is_aside(self) -> bool:
        """True for what only shows something: what came before it may not be dealt with yet."""
        return self._claim.lane != self.lane

    async def unless_interrupted(self, work: asyncio.Task[Any]) -> bool:
        """Wait for ``work``; if the turn is cut short, cancel it and return False."""
        interruption = asyncio.create_task(self.interrupted.wait())
        try:
            await asyncio.wait({interruption, work}, return_when=asyncio.FIRST_COMPLETED)
            if interruption.done():
                # Its exception is heard, or asyncio complains of it.
                work.add_done_callback(lambda over: over.cancelled() or over.exception())
                return False
            await work
            return True
        finally:
            interruption.cancel()
            work.cancel()

    def bar(self) -> None:
        """Cut it short, as a stop does: whom it answers was shut out."""
        self.barred = True
        self.interrupted.set()

    def depart(self) -> None:
        """Say nothing more in this chat: the bot was removed, blocked or muted."""
        self.departed = True
        self.interrupted.set()

    def use(self, chat: ChatRecord) -> None:
        """Note, once the update is done, that the bot was used, and what is known of the chat."""
        before, record = self._opened.chat, str(chat)
        changed = record if record != before else ""
        self._learned = Noted(self.lane.chat_id, changed, before, used=True)

    def stand(self, chat: ChatRecord) -> None:
        """Note, once the update is done, how the bot stands in the chat."""
        self._learned = Noted(self.lane.chat_id, str(chat), quiet=bool(chat.away))

    @property
    def learned(self) -> Noted | None:
        """What the registry of chats learns from this update."""
        if self._learned and self.successor:  # what is known of the group has moved there
            return Noted(self.successor, used=self._learned.used)
        return self._learned

    async def has_moved(self) -> bool:
        """Tell whether this chat is a group that has become a supergroup."""
        return bool(await self._inbox.successors({self.lane.chat_id}))

    async def replaces(self, answer: Sequence[int]) -> None:
        """Let the reply replace these messages, unless an earlier worker has begun to."""
        if not self.shown.ids:
            await self.note(Shown(0, tuple(answer)))

    def follow(self, supergroup: int) -> None:
        """Go on in the supergroup that the chat has become; messages have other ids there."""
        is_news, self.successor = supergroup != self.successor, supergroup
        if is_news:
            self.on_move(supergroup)
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

        So it is in a private chat, where little else is sent, unless Telegram had frozen it when
        the lane was opened, or that is long ago.
        """
        fresh = clock() - self._opened.asked < self.timing.unfrozen
        return fresh and self._opened.frozen == 0 and self.lane.chat_id > 0 and not self.successor

    @cached_property
    def admission(self) -> Admission:
        """Whom commands have let in or shut out, and how to change that."""
        return self._inbox.access.admission(self._claim, self._opened.access)

    @cached_property
    def past(self) -> Past:
        """The conversation before this update, as much as may fit the model's window.

        Raises `StorageRefused`, and ValueError if a number in the state is not one.
        """
        return Past.parse(self._opened.past, self.lane)

    def heard(self, before: int, without: Collection[int] = ()) -> list[Message]:
        """Return what was said around the bot ahead of message ``before``, but for ``without``."""
        if not self.settings.hears:
            return []
        found = hearing.parse(self._opened.heard, self.lane)
        return [said for number, said in found if number < before and number not in without]

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
        granted = await self._inbox.commit(self._claim, str(reply), change, at_once=at_once)
        if clock() - asked < self.timing.unfrozen:  # replicas may take their time to confirm
            self.granted = granted
        self.reply = reply

    async def told(self, version: int, *, reached: bool = True) -> None:
        """Let the bot hear what is said here: people know it, from the settings' ``version`` on.

        If they cannot be ``reached``, it hears nothing here from now on.
        """
        await self._inbox.told(self._claim, version, reached=reached)

    async def can_be_restored(self) -> bool:
        """Tell whether a forgotten conversation can come back."""
        return await self._inbox.is_forgotten(self.lane)

    async def chosen(self, chat: ChatKey) -> Choices:
        """Read what is chosen for a chat by now, or for the supergroup that it has become."""
        (there,) = await self._inbox.successors({chat.chat_id}) or {chat.chat_id}
        chat = ChatKey(there, chat.topic_id)
        above = await self._inbox.settings(ChatKey(there)) if chat.topic_id else {}
        return Choices(chat, await self._inbox.settings(chat), above)

    async def settings_of(self, person: int) -> ChatSettings:
        """Read what a person has chosen in their private chat."""
        chat = ChatKey(person)
        return ChatSettings.parse(await self._inbox.settings(chat), chat)

    async def storage_is_full(self) -> bool:
        """Tell whether forgotten conversations must make room at once."""
        return await self._inbox.is_full()

    async def hold(self) -> None:
        """Check that the lane is still ours: just before each effect on Telegram.

        Raises Forbidden, as Telegram would, once the bot has departed.
        """
        if self.departed:
            raise Forbidden("the bot must be quiet here")
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
