"""A growing answer: its first words at once, then the newest, ever more slowly."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from typing import Any, Literal

import structlog
from telegram import Message
from telegram.constants import ChatAction
from telegram.error import BadRequest, ChatMigrated, Forbidden, InvalidToken, TelegramError

from handlers.outgoing.delivery import Delivery, bot_of
from handlers.outgoing.pacing import Effect, Kind, Shed
from handlers.outgoing.refusals import is_about_the_message, is_final
from handlers.rendering.markup import Chunk, render
from handlers.turn.reply import Button
from handlers.turn.turn import Turn
from handlers.turn.where import is_private, topic_of
from storage.budget import Frozen
from storage.lane import LaneLost

log = structlog.get_logger()

Streaming = Literal["edits", "drafts", "off"]


class Preview:
    """Shows an answer as it grows, through one `Delivery`."""

    def __init__(self, message: Message, turn: Turn, streaming: Streaming, stop: Button) -> None:
        """``stop`` is the button under a growing answer."""
        self.refusal: TelegramError | None = None
        """Telegram's refusal, if nothing can be written to the chat."""
        self._turn = turn
        self._timing = turn.timing
        self._message = message
        self._delivery = Delivery(message, turn)
        self._way = streaming
        if streaming == "drafts" and not is_private(message.chat):
            self._way = "edits"
        self._stop = stop
        self._news = asyncio.Event()
        self._over = asyncio.Event()

    def show(self, text: str) -> None:
        """Take in the answer so far."""
        self._turn.partial = text
        if text.strip() and self._way != "off":
            self._news.set()

    @contextlib.asynccontextmanager
    async def growing(self) -> AsyncIterator[Delivery]:
        """Show the answer so far while the block runs; yields the delivery, to finish after it."""
        task = asyncio.create_task(self._grow())
        try:
            yield self._delivery
        finally:
            self._over.set()
            self._news.set()
            await asyncio.wait([task], timeout=self._timing.last_call)
            task.cancel()

    async def _grow(self) -> None:
        """Show typing, then updates; ends early only if nothing can ever succeed."""
        try:
            await self._type()
            await self._keep_updating()
        except LaneLost:
            log.info("not_shown", chat=self._message.chat_id, reason="the lane is another's")
        except (BadRequest, Forbidden) as refusal:
            log.info("not_shown", chat=self._message.chat_id, reason=refusal.message)
            if is_final(refusal):
                self.refusal = refusal
                self._turn.interrupted.set()  # nobody is there to answer

    async def _keep_updating(self) -> None:
        gap = self._timing.gap if is_private(self._message.chat) else self._timing.group_gap
        while not self._over.is_set():
            self._news.clear()
            shown = await self._tried(self._update())
            await _wait(self._over, gap)
            gap *= self._timing.wider
            if shown:
                await _wait(self._news, self._timing.draft if self._way == "drafts" else None)

    async def _type(self) -> None:
        """Show that the bot is typing, until there are words."""
        if self._message.direct_messages_topic:
            return  # Telegram shows no typing there
        await _wait(self._news, self._timing.typing_after)
        while not self._news.is_set():
            await self._tried(
                bot_of(self._message).send_chat_action(
                    self._turn.successor or self._message.chat_id,
                    ChatAction.TYPING,
                    rate_limit_args=Effect(Kind.TYPING, self._turn.hold),
                    **topic_of(self._message),
                )
            )
            await _wait(self._news, self._timing.typing)

    async def _tried(self, call: Coroutine[Any, Any, object]) -> bool:
        """Make a call; tells whether it succeeded. Raises only what no later call can fix."""
        try:
            await call
        except LaneLost:
            raise
        except (Shed, Frozen):
            return False
        except ChatMigrated as error:
            self._turn.follow(error.new_chat_id)
            return False
        except TelegramError as error:
            if is_final(error) or is_about_the_message(error):
                raise
            log.info("not_shown", chat=self._message.chat_id, reason=str(error))
            return False
        except Exception:  # a bug of ours here must not end an answer
            log.exception("not_shown", chat=self._message.chat_id)
            return False
        return True

    async def _update(self) -> None:
        pieces = render(self._turn.partial, complete=False)
        if not pieces:
            return
        if self._turn.shown.ids or self._way == "drafts":  # else noted with the first message id
            await self._turn.note(self._turn.shown)
        if self._way == "drafts":
            try:
                await self._draft(pieces)
            except (BadRequest, InvalidToken) as refusal:  # the latter for any 404
                if is_final(refusal):
                    raise
                log.info("draft_refused", chat=self._message.chat_id, reason=refusal.message)
                self._way = "edits"
        if self._way == "edits":
            await self._delivery.grow(pieces, [self._stop])

    async def _draft(self, pieces: list[Chunk]) -> None:
        """Show the last piece as a draft; the finished reply replaces it."""
        await self._delivery.grow(pieces[:-1], [])
        await bot_of(self._message).send_message_draft(
            self._message.chat_id,
            self._turn.asked,  # by which Telegram's own Stop names what it stops
            pieces[-1].text,
            api_kwargs={"entities": pieces[-1].entities, "can_stop": True},  # Bot API 10.3
            rate_limit_args=Effect(Kind.UPDATE, self._turn.hold),
            **topic_of(self._message),
        )


async def _wait(event: asyncio.Event, seconds: float | None) -> None:
    """Wait for an event, but no longer than that."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
