"""Notices for people who wait long: each is told once that it takes longer."""

import asyncio
import contextlib

from telegram.error import TelegramError

from bot.background import contained, jittered
from handlers.dispatch import Dispatch
from handlers.incoming.parsing import Unreadable
from handlers.outgoing.pacing import Shed
from storage.budget import Frozen
from storage.chat_settings import ChatSettings
from storage.inbox import Inbox
from storage.lane import Late
from storage.message import ChatKey
from storage.server.connect import StorageUnavailable

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
                await jittered(self._inbox.timing.tick)
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
                    if (await self._inbox.record(late.lane.chat_id)).away:
                        return
                    chosen = await self._chosen(late.lane)
                    update = late.head.update
                    await self._dispatch.tell_late(update, chosen, self._settings_of)
            except Shed:
                await self._inbox.untold(late)  # the next look may find room

    async def _settings_of(self, person: int) -> ChatSettings:
        return await self._chosen(ChatKey(person))

    async def _chosen(self, lane: ChatKey) -> ChatSettings:
        above = await self._inbox.settings(ChatKey(lane.chat_id))
        return ChatSettings.parse(above | await self._inbox.settings(lane), lane)
