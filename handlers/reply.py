"""What the bot says in reply to an update: kept first, then delivered."""

from telegram import Message as TelegramMessage

from handlers.delivery import Delivery
from handlers.markup import Chunk
from handlers.turn import Reply, current
from storage.change import Change


async def say(message: TelegramMessage, text: str, change: Change | None = None) -> None:
    """Answer ``message`` with words of the bot's own, and change its conversation with them.

    Raises TelegramError.
    """
    await answer(message, Reply([Chunk(text, ())]), change)


async def answer(message: TelegramMessage, reply: Reply, change: Change | None = None) -> None:
    """Keep a reply, and what it does to the conversation; then send it. Raises TelegramError."""
    turn = current.get()
    await turn.keep(reply, change)
    await Delivery(message, turn).finish(reply)


async def notify(message: TelegramMessage, text: str) -> None:
    """Tell who wrote ``message`` something beside the reply to it, if Telegram takes it at once.

    Raises TelegramError.
    """
    await Delivery(message).send(Chunk(text, ()))
