"""What the bot says, on Telegram: in pieces that Telegram takes, and in spite of its faults."""

import asyncio
import contextlib
import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import structlog
from telegram import LinkPreviewOptions, Message, ReplyParameters
from telegram.constants import ChatAction
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Forbidden,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from handlers.addressing import chat_key, is_private
from handlers.markup import Chunk, render
from handlers.turn import Turn, current
from storage.inbox import Forgotten, Kept
from storage.message import ChatKey

# python-telegram-bot otherwise warns that RetryAfter will tell its time so one day.
os.environ["PTB_TIMEDELTA"] = "true"

log = structlog.get_logger()

NO_PREVIEW = LinkPreviewOptions(is_disabled=True)
TYPING_SECONDS = 4.5
"""Telegram shows "typing" for 5 s, or until a message comes."""
PAUSES = (0.5, 1, 2, 4, 8)
"""Seconds before each further try after Telegram failed; then it is given up."""
UNREACHABLE_PAUSES = (*PAUSES, *[15] * 40)
"""The same while Telegram cannot be reached at all: ten minutes, for nothing is sent twice."""
SEND_SECONDS = 60.0
NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


async def say(message: Message, text: str, forget: ChatKey | None = None) -> None:
    """Answer ``message`` with words of the bot's own; these may be that it forgot a chat.

    Raises TelegramError.
    """
    await _keep_and_send(message, [Chunk(text, ())], Forgotten(forget) if forget else None)


async def answer(message: Message, markdown: str, note: str | None, kept: Kept) -> None:
    """Answer ``message`` with the model's Markdown, then ``note``. Raises TelegramError."""
    chunks = render(markdown)
    if note or not chunks:
        chunks.append(Chunk(note or "…", ()))
    await _keep_and_send(message, chunks, kept)


async def notify(message: Message, text: str) -> None:
    """Tell who wrote ``message`` something beside the reply to it, if Telegram takes it at once.

    Raises TelegramError.
    """
    await _sending(message, Chunk(text, ()), quote=not is_private(message.chat))()


async def resume(message: Message, turn: Turn) -> None:
    """Send what Telegram has not taken yet of a reply that is kept. Raises TelegramError."""
    chunks = turn.reply or []
    for place in range(turn.sent, len(chunks)):
        await turn.hold()
        # In a group the first piece says whom it answers.
        await _send(message, chunks[place], quote=place == 0 and not is_private(message.chat))
        if place + 1 < len(chunks):  # the last one is noted by the update's being done
            await turn.note_sent(place + 1)


async def _keep_and_send(
    message: Message, chunks: list[Chunk], change: Kept | Forgotten | None
) -> None:
    turn = current.get()
    await turn.keep(chunks, change)
    await resume(message, turn)


async def _send(message: Message, chunk: Chunk, *, quote: bool) -> None:
    try:
        await _persistently(_sending(message, chunk, quote=quote))
    except BadRequest as error:
        if not chunk.entities or not _is_about_formatting(error):
            raise
        log.warning("formatting_refused", reason=error.message)
        await _persistently(_sending(message, Chunk(chunk.text, ()), quote=quote))


def _is_about_formatting(error: BadRequest) -> bool:
    return any(word in error.message.lower() for word in ("entit", "parse"))


def _sending(message: Message, chunk: Chunk, *, quote: bool) -> Callable[[], Awaitable[None]]:
    chat_id = message.chat_id
    # The message answered may have been deleted meanwhile.
    reply = ReplyParameters(message.message_id, allow_sending_without_reply=True) if quote else None

    async def send() -> None:
        nonlocal chat_id, reply
        try:
            await message.get_bot().send_message(
                chat_id,
                chunk.text,
                entities=chunk.entities,
                message_thread_id=chat_key(message).topic_id or None,
                reply_parameters=reply,
                link_preview_options=NO_PREVIEW,
            )
        except ChatMigrated as error:
            # The group became a supergroup, where its messages have other numbers.
            chat_id, reply = error.new_chat_id, None
            await send()

    return send


async def _persistently(send: Callable[[], Awaitable[None]]) -> None:
    """Send until Telegram takes it; the third unsure time, or a refusal, is raised.

    Where Telegram may have taken the message without our hearing of it, one try more risks a
    double; none risks a person without an answer, which is worse.
    """
    unreachable, failing, unsure = iter(UNREACHABLE_PAUSES), iter(PAUSES), iter(PAUSES[:1])
    while True:
        try:
            # A broken answer can stall where no time-out of the connection's own looks.
            async with asyncio.timeout(SEND_SECONDS):
                return await send()
        except TimeoutError:
            pause = next(unsure, -1)
            if pause < 0:
                raise TimedOut from None
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


@contextlib.asynccontextmanager
async def typing(message: Message) -> AsyncIterator[None]:
    """Show that the bot is typing, while the block runs."""
    task = asyncio.create_task(_keep_typing(message))
    try:
        yield
    finally:
        task.cancel()


async def _keep_typing(message: Message) -> None:
    topic = chat_key(message).topic_id or None
    while True:
        # Of no weight: what matters is the answer.
        with contextlib.suppress(TelegramError):
            await message.get_bot().send_chat_action(
                message.chat_id, ChatAction.TYPING, message_thread_id=topic
            )
        await asyncio.sleep(TYPING_SECONDS)
