"""Announcements go out: one process at a time tells one chat after the other."""

import asyncio
import contextlib
import time
from collections.abc import Mapping
from typing import Any

import structlog
from telegram.error import BadRequest, TelegramError
from telegram.ext import ExtBot

from bot.background import contained, jittered
from handlers.outgoing.announcement import announced, may_be_sent, progress, tell
from handlers.outgoing.pacing import Effect, Kind, Shed
from handlers.outgoing.post import post
from handlers.outgoing.refusals import is_about_the_message, is_final, is_no_change
from handlers.texts import CATALOGUES, texts_for
from handlers.turn.press import Press
from storage.announcement import UNKNOWN, Announcement, Announcements, Telling
from storage.budget import Frozen
from storage.lane import LaneLost
from storage.lease import Lease, LeaseLost
from storage.server.connect import StorageUnavailable
from storage.timing import Timing

log = structlog.get_logger()

FIGURES = ("total", "sent", "skipped", "refused", "unsure", "cancelled")
"""What the log says of an announcement."""


class Announcer:
    """Tells what owners announce, whenever this process has the lease."""

    def __init__(
        self,
        announcements: Announcements,
        bot: ExtBot[Any],
        lease: Lease,
        language: str | None,
        timing: Timing = Timing(),
    ) -> None:
        """``language`` is for chats whose own is not known."""
        self._announcements = announcements
        self._bot = bot
        self._lease = lease
        self._language = language
        self._timing = timing

    async def run(self) -> None:
        """Look for announcements, for ever."""
        while True:
            await jittered(self._timing.tick)
            with contained("announcement_interrupted", LaneLost, LeaseLost, StorageUnavailable):
                if await self._announcements.under_way():
                    async with self._lease.leading():
                        await self._announce()

    async def _announce(self) -> None:
        """Tell all chats that are left, and the owner how far it is."""
        if not (announcement := await self._announcements.under_way()):
            return  # another process has done it
        shown, successor = float("-inf"), 0
        while True:
            if time.monotonic() - shown >= self._timing.progress:
                await self._show(over=False)
                shown = time.monotonic()
            if not (telling := await self._announcements.begin(successor)):
                break
            successor = await self._finished(telling, announcement)
            if not successor:
                await asyncio.sleep(self._timing.announced)
        await self._conclude()

    async def _finished(self, telling: Telling, announcement: Announcement) -> int:
        """Tell a chat, also while the process stops: a call cut short leaves nobody sure."""
        task = asyncio.create_task(self._tell(telling, announcement))
        try:
            return await asyncio.shield(task)
        finally:
            await asyncio.wait([task], timeout=self._timing.last_call)
            task.cancel()

    async def _tell(self, telling: Telling, announcement: Announcement) -> int:
        """Tell a chat; returns the supergroup that must be told instead, 0 if none."""
        record, words = telling.record, announcement.words
        texts = texts_for(None, record.language, default=self._language)
        text = announced(texts, words.text, record.kind, str(self._bot.username))

        async def hold() -> None:
            await self._announcements.hold(telling)

        told = await tell(self._bot, telling.chat_id, text, words.entities, hold, self._timing)
        if told.successor:
            return told.successor
        await self._announcements.settle(telling, told.outcome, told.away)
        if told.outcome in ("again", "unsure"):  # while Telegram fails, few shall be unsure
            await asyncio.sleep(self._timing.announced_again)
        return 0

    async def _conclude(self) -> None:
        """Show what became of it; if that fails again and again, the log has it."""
        for pause in self._timing.send_pauses:
            if await self._show(over=True):
                break
            await asyncio.sleep(pause)
        if ended := await self._announcements.under_way():
            figures = {name: getattr(ended, name) for name in FIGURES}
            log.info("announcement_over", **figures)
        await self._announcements.finish()

    async def _show(self, *, over: bool) -> bool:
        """Tell the owner how far it is; returns False if that may work later."""
        announcement = await self._announcements.under_way()
        if not announcement:
            return True
        try:
            await self._report(announcement, over=over)
        except BadRequest as refusal:
            return is_no_change(refusal) or is_final(refusal)
        except (Shed, Frozen, TelegramError) as error:
            log.info("progress_not_shown", reason=repr(error))
            return False
        return True

    async def _report(self, announcement: Announcement, *, over: bool) -> None:
        texts = CATALOGUES.get(announcement.language) or texts_for(None, default=self._language)
        press = str(Press("unsay", announcement.number))
        button = {"text": texts.button_cancel, "callback_data": press}
        fields: dict[str, Any] = {
            "chat_id": announcement.owner,
            "text": progress(texts, announcement, over=over),
            "reply_markup": None if over else {"inline_keyboard": [[button]]},
        }
        if announcement.message > 0:
            edited = fields | {"message_id": announcement.message}
            effect = Effect(Kind.OTHER if over else Kind.UPDATE, self._announcements.hold)
            try:
                await post(self._bot, "editMessageText", edited, effect)
            except BadRequest as refusal:
                if not is_about_the_message(refusal):
                    raise
            else:
                return
        if over or announcement.message != UNKNOWN:
            await self._send(fields)

    async def _send(self, fields: Mapping[str, Any]) -> None:
        """Send the owner how far it is; where Telegram may have taken it, it is not sent again."""
        await self._announcements.shown(UNKNOWN)
        try:
            effect = Effect(Kind.OTHER, self._announcements.hold)
            sent = await post(self._bot, "sendMessage", fields, effect)
        except (Shed, Frozen, TelegramError) as error:
            if may_be_sent(error):
                log.info("progress_unsure", reason=repr(error))
                return
            await self._announcements.shown(0)
            raise
        with contextlib.suppress(TypeError, LookupError, ValueError):
            await self._announcements.shown(int(sent["message_id"]))
