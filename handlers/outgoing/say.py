"""What the bot says in reply to an update: kept first, then delivered."""

import contextlib

import structlog
from telegram import CallbackQuery
from telegram import Message as TelegramMessage
from telegram.error import ChatMigrated, TelegramError

from handlers.outgoing.delivery import Delivery, bot_of, keyboard, persistently, send
from handlers.outgoing.pacing import Effect, Kind, Shed
from handlers.rendering.markup import Chunk
from handlers.turn.reply import Reply
from handlers.turn.turn import Turn
from handlers.turn.where import topic_of
from storage.budget import Frozen
from storage.change import Change

log = structlog.get_logger()


async def say(
    message: TelegramMessage, turn: Turn, text: str, change: Change | None = None
) -> None:
    """Answer ``message`` with the bot's own words; ``change`` is applied with them.

    Raises TelegramError.
    """
    await reply_with(message, turn, Reply([Chunk(text, ())]), change)


async def reply_with(
    message: TelegramMessage, turn: Turn, reply: Reply, change: Change | None = None
) -> None:
    """Keep a reply and its change to the conversation, then send it. Raises TelegramError."""
    await turn.keep(reply, change)
    await Delivery(message, turn).finish(reply)


async def answer_press(query: CallbackQuery, turn: Turn, text: str | None = None) -> None:
    """Answer a button's press, once; Telegram accepts that only for a short time."""
    effect = Effect(Kind.OTHER, turn.hold)
    with contextlib.suppress(TelegramError):
        await bot_of(query).answer_callback_query(query.id, text, rate_limit_args=effect)


async def tell(message: TelegramMessage, turn: Turn, chat_id: int, reply: Reply) -> int:
    """Send a piece with its buttons to another chat than that of ``message``; returns its number.

    Returns 0 where nobody can be told now.
    """
    effect, fields = Effect(Kind.OTHER, turn.hold), {"reply_markup": keyboard(reply.buttons)}
    piece = reply.pieces[0]
    try:
        return await persistently(
            lambda: send(message, chat_id, piece, effect, fields), turn.timing
        )
    except (TelegramError, Frozen) as refusal:
        log.warning("not_told", chat=chat_id, reason=str(refusal))
        return 0


async def retell(
    message: TelegramMessage, turn: Turn, chat_id: int, number: int, text: str
) -> None:
    """Change what `tell` has sent, and take its buttons away, if Telegram allows it."""
    effect, bot = Effect(Kind.OTHER, turn.hold), bot_of(message)
    try:
        await persistently(
            lambda: bot.edit_message_text(text, chat_id, number, rate_limit_args=effect),
            turn.timing,
        )
    except (TelegramError, Frozen) as refusal:
        log.info("not_retold", chat=chat_id, reason=str(refusal))


async def without_buttons(message: TelegramMessage, turn: Turn) -> None:
    """Take the buttons from a message of the bot's, if there is room at once."""
    effect = Effect(Kind.UPDATE, turn.hold)
    with contextlib.suppress(TelegramError, Shed):
        await bot_of(message).edit_message_reply_markup(
            message.chat_id, message.message_id, rate_limit_args=effect
        )


async def notify(message: TelegramMessage, text: str) -> None:
    """Tell the author of ``message`` something before its reply, if there is room at once.

    It belongs to no lane: another worker may own that. Raises TelegramError and `Shed`.
    """
    notice, effect = Chunk(text, ()), Effect(Kind.NOTICE, hold=None)
    try:
        await send(message, message.chat_id, notice, effect, topic_of(message))
    except ChatMigrated as error:
        await send(message, error.new_chat_id, notice, effect, {})
