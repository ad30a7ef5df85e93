"""A reply on Telegram: messages that may still change, in spite of all that can fail there."""

import asyncio
import os
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import httpx
import structlog
from telegram import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputFile,
    LinkPreviewOptions,
    Message,
    ReplyParameters,
)
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
)
from telegram.ext import ExtBot

from handlers.addressing import chat_key, is_private
from handlers.markup import Chunk, File
from handlers.pacing import Kind
from handlers.turn import Button, Piece, Reply, Turn
from storage.inbox import Shown

# python-telegram-bot otherwise warns that RetryAfter will tell its time so one day.
os.environ["PTB_TIMEDELTA"] = "true"

log = structlog.get_logger()

T = TypeVar("T")

NO_PREVIEW = LinkPreviewOptions(is_disabled=True)
PAUSES = (0.5, 1, 2, 4, 8)
"""Seconds before each further try after Telegram failed; then it is given up."""
UNREACHABLE_PAUSES = (*PAUSES, *[15] * 40)
"""The same while Telegram cannot be reached at all: ten minutes, for nothing is sent twice."""
NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class Delivery:
    """The reply to ``message``, as it stands in the chat. Methods raise TelegramError.

    What an earlier worker has put there, or an earlier answer, is edited on (`Turn.shown`).
    """

    def __init__(self, message: Message, turn: Turn | None = None) -> None:
        self._message = message
        self._turn = turn
        self._chat_id = message.chat_id
        # In a group the first piece says whom it answers.
        self._quotes = not is_private(message.chat)
        self._seen: dict[int, tuple[Piece, Sequence[Button]]] = {}

    async def grow(self, pieces: Sequence[Chunk], buttons: Sequence[Button]) -> None:
        """Show pieces of an answer that is still being made, ``buttons`` under the last.

        Raises `Shed` when there is no room for that now.
        """
        turn = self._owned()
        for place, piece in enumerate(pieces):
            under = buttons if place + 1 == len(pieces) else ()
            if place < len(turn.shown.ids):
                await self._edit(turn.shown.ids[place], piece, under, Kind.UPDATE)
            else:
                await turn.hold()
                first = Kind.UPDATE if place else Kind.FIRST
                number = await self.send(piece, under, first, quote=not place)
                await turn.note(Shown(turn.shown.final, (*turn.shown.ids, number)))

    async def finish(self, reply: Reply) -> None:
        """Bring the whole reply there; each piece is noted when Telegram has taken it."""
        turn, count = self._owned(), len(reply.pieces)
        for place in range(turn.shown.final, count):
            await turn.hold()
            last = place + 1 == count
            number = await self._place(place, reply.pieces[place], reply.buttons if last else ())
            ids = (*turn.shown.ids[:place], number, *turn.shown.ids[place + 1 :])
            turn.shown = Shown(place + 1, ids)
            if not last:  # that one is noted by the update's being done
                await turn.note(turn.shown)
        for surplus in turn.shown.ids[count:]:
            await self._delete(surplus)
        turn.shown = Shown(count, turn.shown.ids[:count])

    async def send(
        self,
        piece: Piece,
        buttons: Sequence[Button] = (),
        kind: Kind | None = None,
        *,
        quote: bool = True,
    ) -> int:
        """Send one piece, once; its number on Telegram."""
        bot = extended(self._message)
        # The message answered may have been deleted meanwhile.
        quoted = ReplyParameters(self._message.message_id, allow_sending_without_reply=True)
        common: dict[str, Any] = {
            "message_thread_id": chat_key(self._message).topic_id or None,
            "reply_parameters": quoted if quote and self._quotes else None,
            "reply_markup": _keyboard(buttons),
            "rate_limit_args": kind,
        }
        try:
            if isinstance(piece, File):
                document = InputFile(piece.text.encode(), piece.name)
                sent = await bot.send_document(self._chat_id, document, **common)
            else:
                sent = await bot.send_message(
                    self._chat_id,
                    piece.text,
                    entities=piece.entities,
                    link_preview_options=NO_PREVIEW,
                    **common,
                )
        except ChatMigrated as error:
            # The group became a supergroup, where its messages have other numbers.
            self._chat_id, self._quotes = error.new_chat_id, False
            return await self.send(piece, buttons, kind)
        self._seen[sent.message_id] = (piece, buttons)
        return sent.message_id

    async def _place(self, place: int, piece: Piece, buttons: Sequence[Button]) -> int:
        """Bring a piece to its place for good; plain, if its formatting is refused."""
        try:
            return await self._place_as_it_is(place, piece, buttons)
        except BadRequest as error:
            formatted = isinstance(piece, Chunk) and piece.entities
            if not formatted or not _is_about_formatting(error):
                raise
            log.warning("formatting_refused", reason=error.message)
            return await self._place_as_it_is(place, Chunk(piece.text, ()), buttons)

    async def _place_as_it_is(self, place: int, piece: Piece, buttons: Sequence[Button]) -> int:
        turn = self._owned()
        ids, pieces = turn.shown.ids, turn.reply.pieces if turn.reply else ()
        # The others of a long answer can wait for their turn among all chats.
        kind = Kind.FINAL if place + 1 == len(pieces) else Kind.OTHER
        if place < len(ids) and isinstance(piece, Chunk):
            try:
                await _persistently(lambda: self._edit(ids[place], piece, buttons, kind))
            except (BadRequest, ChatMigrated, InvalidToken) as error:  # the last for any 404
                if isinstance(error, BadRequest) and _is_about_formatting(error):
                    raise
                log.info("cannot_be_edited", reason=str(error))  # deleted, say: a new one then
            else:
                return ids[place]
        return await _persistently(lambda: self.send(piece, buttons, kind, quote=not place))

    async def _edit(self, number: int, piece: Chunk, buttons: Sequence[Button], kind: Kind) -> None:
        if self._seen.get(number) == (piece, buttons):
            return
        try:
            await extended(self._message).edit_message_text(
                piece.text,
                self._chat_id,
                number,
                entities=piece.entities,
                link_preview_options=NO_PREVIEW,
                reply_markup=_keyboard(buttons),
                rate_limit_args=kind,
            )
        except BadRequest as error:
            if "not modified" not in error.message.lower():
                raise
        self._seen[number] = (piece, buttons)

    async def _delete(self, number: int) -> None:
        """Take away a message that is no part of the reply any more, if Telegram lets us."""
        try:
            await _persistently(
                lambda: extended(self._message).delete_message(self._chat_id, number)
            )
        except (BadRequest, Forbidden) as error:
            log.info("not_deleted", reason=str(error))

    def _owned(self) -> Turn:
        assert self._turn  # noqa: S101 - only `send` does without
        return self._turn


def extended(message: Message) -> ExtBot[Any]:
    """The bot that a message came to, whose calls keep to a pace."""
    bot = message.get_bot()
    assert isinstance(bot, ExtBot)  # noqa: S101 - python-telegram-bot's application makes no other
    return bot


def _keyboard(buttons: Sequence[Button]) -> InlineKeyboardMarkup | None:
    if not buttons:
        return None
    row = [InlineKeyboardButton(button.label, callback_data=button.data) for button in buttons]
    return InlineKeyboardMarkup([row])


def _is_about_formatting(error: BadRequest) -> bool:
    return any(word in error.message.lower() for word in ("entit", "parse"))


async def _persistently(call: Callable[[], Awaitable[T]]) -> T:
    """Call until Telegram takes it; the third unsure time, or a refusal, is raised.

    Where Telegram may have taken a message without our hearing of it, one try more risks a
    double; none risks a person without an answer, which is worse.
    """
    unreachable, failing, unsure = iter(UNREACHABLE_PAUSES), iter(PAUSES), iter(PAUSES[:1])
    while True:
        try:
            return await call()
        except RetryAfter as error:
            pause = error.retry_after.total_seconds()  # type: ignore[union-attr] # see above
        except (BadRequest, Forbidden):
            raise
        except NetworkError as error:
            if isinstance(error.__cause__, NEVER_SENT):
                pauses = unreachable
            elif error.__cause__ is None:
                pauses = failing  # Telegram itself said so
            else:
                pauses = unsure
            pause = next(pauses, -1)
            if pause < 0:
                raise
            log.info("send_retried", reason=str(error), seconds=pause)
        await asyncio.sleep(pause + random.uniform(0, 0.5))
