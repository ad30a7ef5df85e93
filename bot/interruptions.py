"""Interruptions: a turn is cut short when a command that may do so comes in behind it."""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from telegram.error import TelegramError

from bot.background import contained
from handlers.dispatch import Dispatch
from handlers.incoming.parsing import Unreadable
from handlers.turn.turn import Turn
from storage.budget import Frozen
from storage.inbox import Inbox
from storage.lane import Claim, Entry, LaneLost, Opened
from storage.message import ChatKey
from storage.server.connect import StorageUnavailable
from storage.timing import clock

MOST_ANNOUNCED = 1000
"""Announcements that are remembered, for the moment in which `put` hands over a lane."""


@dataclass(slots=True, eq=False)
class Lane:
    """A lane in work here: its claim, its task, and the turn that its head is at."""

    claim: Claim
    task: asyncio.Task[None] | None = None
    turn: Turn | None = None


class Interruptions:
    """Cuts short the turns of the lanes in work; ``running`` has them by their entries."""

    def __init__(self, inbox: Inbox, dispatch: Dispatch, running: Mapping[str, Lane]) -> None:
        self._inbox = inbox
        self._dispatch = dispatch
        self._running = running
        self._announced: dict[ChatKey | None, tuple[float, Entry | None]] = {}
        """The newest announcements, the oldest first, and when each came; None: for all lanes."""
        self._looks: set[asyncio.Task[None]] = set()

    def announced(self, lane: ChatKey, since: float) -> bool:
        """Tell whether a command may have come in since then, by `clock`, that nobody looked at."""
        return any(self._newest(key)[0] > since for key in (lane, None))

    def _newest(self, key: ChatKey | None) -> tuple[float, Entry | None]:
        return self._announced.get(key, (float("-inf"), None))

    def follow(self, lane: Lane, since: float, supergroup: int) -> None:
        """Look at what came in for the ``supergroup`` before the lane was known to move there.

        Only what came ``since`` the lane's head was opened may be about it.
        """
        came, entry = self._newest(ChatKey(supergroup))
        if entry and came > since:
            look = asyncio.create_task(self._judge_there(lane, entry))
            self._looks.add(look)
            look.add_done_callback(self._looks.discard)

    async def _judge_there(self, lane: Lane, entry: Entry) -> None:
        with contained("not_interrupted"), contextlib.suppress(LaneLost):
            await self.judge(lane, [entry])

    async def run(self) -> None:
        """Hear of commands that come in behind a turn, for ever."""
        while True:
            try:
                # Side by side: Telegram may take its time to say who is an admin.
                async with asyncio.TaskGroup() as looks:
                    async for key, entry in self._inbox.interruptions():
                        looks.create_task(self._look_up(key, entry))
            except* StorageUnavailable:
                await asyncio.sleep(self._inbox.timing.storage_pauses[-1])

    async def _look_up(self, key: ChatKey | None, entry: Entry | None) -> None:
        self._announced.pop(key, None)
        self._announced[key] = clock(), entry
        if len(self._announced) > MOST_ANNOUNCED:
            self._announced.pop(next(iter(self._announced)))
        if key is None:
            self._inbox.access.forget()  # a turn that was handed over before may begin only now
        for lane in list(self._running.values()):
            # Its task hears by itself that a lane is lost.
            with contained("not_interrupted"), contextlib.suppress(LaneLost):
                if key in (None, lane.claim.lane):
                    opened = await self._inbox.open(lane.claim)
                    await self._bar(lane.turn, opened)
                    await self.judge(lane, opened.interrupts)
                elif lane.turn and entry and key == ChatKey(lane.turn.successor):
                    await self.judge(lane, [entry])
                elif lane.turn and key and key.chat_id == lane.claim.lane.chat_id:
                    await self._depart(lane.turn, key.chat_id)

    async def _depart(self, turn: Turn, chat_id: int) -> None:
        """End a turn in a forum's topic if the bot must be quiet: that is news of another lane."""
        record = await self._inbox.record(chat_id)
        if record.away and not record.is_of(turn.chat):
            turn.depart()

    async def _bar(self, turn: Turn | None, opened: Opened) -> None:
        """Cut a turn short if an owner has meanwhile shut out whom it answers."""
        if not turn or turn.head != opened.head or not turn.admission.is_news(opened.access):
            return
        if not await self._dispatch.is_allowed(opened.head.update, turn):
            turn.bar()

    async def judge(self, lane: Lane, entries: Sequence[Entry]) -> None:
        """Cut the lane's turn short if anything that waits may do so."""
        if (turn := lane.turn) is None:
            return
        # Side by side: none of them waits for what Telegram says of another.
        looks = [asyncio.create_task(self._may_interrupt(entry, turn)) for entry in entries]
        try:
            for look in asyncio.as_completed(looks):
                if await look:
                    turn.interrupted.set()
                    return
        finally:
            for task in looks:
                task.cancel()

    async def _may_interrupt(self, entry: Entry, turn: Turn) -> bool:
        with contained("not_interrupted", TelegramError, TimeoutError, Frozen, Unreadable):
            return await self._dispatch.may_interrupt(entry.update, turn)
        return False
