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
from storage.lane import Claim, Entry, LaneLost
from storage.message import ChatKey
from storage.server.connect import StorageUnavailable


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

    async def run(self) -> None:
        """Hear of commands that come in behind a turn, for ever."""
        while True:
            try:
                # Side by side: Telegram may take its time to say who is an admin.
                async with asyncio.TaskGroup() as looks:
                    async for key in self._inbox.interruptions():
                        looks.create_task(self._look_up(key))
            except* StorageUnavailable:
                await asyncio.sleep(self._inbox.timing.storage_pauses[-1])

    async def _look_up(self, key: ChatKey | None) -> None:
        for lane in list(self._running.values()):
            # Its task hears by itself that a lane is lost.
            with contained("not_interrupted"), contextlib.suppress(LaneLost):
                if key in (None, lane.claim.lane):
                    opened = await self._inbox.open(lane.claim)
                    await self.judge(lane, opened.interrupts)
                elif lane.turn and key == (there := ChatKey(lane.turn.successor)):
                    await self.judge(lane, await self._inbox.interrupts(there))

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
