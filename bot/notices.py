"""Notices for people who wait long: each is told once that it takes longer."""

import asyncio
import contextlib
import random

from telegram.error import TelegramError

from bot.background import contained
from handlers.dispatch import Dispatch
from handlers.incoming.parsing import Unreadable
from handlers.outgoing.pacing import Shed
from storage.budget import Frozen
from storage.inbox import Inbox
from storage.lane import Late
from storage.server.connect import StorageUnavailable
from storage.timing import Timing

MOST_NOTICES = 32
"""Most people who are being told at once."""


class Notices:
    """Tells people who wait long, at most ``most`` of them at once; waits for none of them."""

    def __init__(self, inbox: Inbox, dispatch: Dispatch, most: int) -> None:
        self._inbox = inbox
        self._dispatch = dispatch
        self._most = min(MOST_NOTICES, most)

    async def run(self) -> None:
        """Look for people who wait, for ever."""
        async with asyncio.TaskGroup() as notices:
            under_way: set[asyncio.Task[None]] = set()
            while True:
                await ticked(self._inbox.timing)
                with contextlib.suppress(StorageUnavailable):
                    if room := self._most - len(under_way):
                        for late in await self._inbox.overdue(self._inbox.timing.late, room):
                            notice = notices.create_task(self._tell(late))
                            under_way.add(notice)
                            notice.add_done_callback(under_way.discard)

    async def _tell(self, late: Late) -> None:
        expected = TelegramError, TimeoutError, Frozen, Unreadable, StorageUnavailable
        with contained("not_told_late", *expected):
            try:
                async with asyncio.timeout(self._inbox.timing.notice):
                    await self._dispatch.tell_late(late.head.update)
            except Shed:
                await self._inbox.untold(late)  # the next look may find room


async def ticked(timing: Timing) -> None:
    """Wait for the next look; processes that start together look at different times."""
    await asyncio.sleep(timing.tick * random.uniform(0.8, 1.2))
