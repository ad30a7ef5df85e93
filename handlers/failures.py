"""A handler failed: the reason into the log, one sentence to the person."""

import structlog
from telegram import Update
from telegram.error import Forbidden, TelegramError
from telegram.ext import ContextTypes

from handlers import reply
from handlers.completion import (
    CompletionMisconfigured,
    CompletionRefused,
    CompletionUnavailable,
    ContextTooLong,
)
from handlers.texts import Texts, texts_for
from storage.connect import StorageUnavailable

log = structlog.get_logger()


async def on_error(update: object, context: ContextTypes.DEFAULT_TYPE) -> None:
    """Log why an update failed and tell its person what that means for them."""
    error = context.error
    message = update.effective_message if isinstance(update, Update) else None
    chat = message.chat_id if message else None
    expected = _sentence(texts_for(message.from_user if message else None), error)
    if expected is None:
        log.error("update_failed", chat=chat, exc_info=error)
    else:
        log.warning("turn", chat=chat, outcome=type(error).__name__, reason=str(error))
    if message is None or isinstance(error, Forbidden):
        return
    try:
        await reply.say(message, expected or texts_for(message.from_user).unexpected)
    except TelegramError as second:
        log.warning("failure_not_told", chat=chat, reason=str(second))


def _sentence(texts: Texts, error: Exception | None) -> str | None:
    match error:
        case CompletionRefused():
            return texts.refused
        case ContextTooLong():
            return texts.too_long
        case CompletionUnavailable():
            return texts.unavailable
        case CompletionMisconfigured():
            return texts.misconfigured
        case StorageUnavailable():
            return texts.storage_unavailable
        case _:
            return None
