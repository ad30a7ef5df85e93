"""What the bot says in reply to an update: kept first, then delivered."""

import contextlib

from telegram import CallbackQuery
from telegram import Message as TelegramMessage
from telegram.error import ChatMigrated, TelegramError

from handlers.outgoing.delivery import Delivery, bot_of, send
from handlers.outgoing.pacing import Effect, Kind
from handlers.rendering.markup import Chunk
from handlers.turn.turn import Reply, Turn
from handlers.turn.where import topic_of
from storage.change import Change


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


async def notify(message: TelegramMessage, text: str) -> None:
    """Tell the author of ``message`` something before its reply, if there is room at once.

    It belongs to no lane: another worker may own that. Raises TelegramError and `Shed`.
    """
    notice, effect = Chunk(text, ()), Effect(Kind.NOTICE, hold=None)
    try:
        await send(message, message.chat_id, notice, effect, topic_of(message))
    except ChatMigrated as error:
        await send(message, error.new_chat_id, notice, effect, {})
