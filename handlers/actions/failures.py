"""A handler failed: the reason goes to the log, one sentence to the person."""

from dataclasses import replace

import structlog
from telegram import Message
from telegram.error import TelegramError

from handlers.context import Context
from handlers.dialogue.completion import (
    CompletionMisconfigured,
    CompletionRefused,
    CompletionUnavailable,
    ContextTooLong,
)
from handlers.incoming.documents import (
    Busy,
    Encrypted,
    Gone,
    NoText,
    TooLarge,
    TooLong,
    UnsupportedKind,
)
from handlers.incoming.membership import met
from handlers.outgoing.refusals import away, is_final
from handlers.texts import Texts
from handlers.turn.turn import Turn
from storage.budget import Frozen
from storage.lane import LaneLost

log = structlog.get_logger()


async def on_error(_update: object, context: Context) -> None:
    """Turn a handler's exception into one sentence to the person, or a failure of the turn.

    A failed turn is tried again, and in the end becomes a dead letter.
    """
    turn, error = context.turn, context.error
    turn.failure = error  # until it is dealt with: python-telegram-bot swallows what is raised here
    message = context.received.effective_message
    if error is None or not isinstance(message, Message):
        return
    if told := sentence(turn.texts, error):
        turn.figures |= {"outcome": type(error).__name__, "reason": str(error)}
        try:
            await context.say(told)
        except (TelegramError, LaneLost, Frozen) as second:
            turn.failure = error = second
        else:
            turn.failure = None
            return
    if isinstance(error, TelegramError) and is_final(error):
        not_delivered(message, turn, error)
        turn.failure = None


def not_delivered(message: Message, turn: Turn, refusal: TelegramError) -> None:
    """Log, and note of the chat, that nobody can be answered: blocked, removed, a closed topic."""
    log.warning("not_delivered", chat=message.chat_id, reason=str(refusal))
    if (why := away(refusal)) and turn.learned and not turn.departed:
        # By Telegram's clock: any newer message shows that somebody is there again.
        since = int(message.date.timestamp())
        gone = replace(met(message.chat, turn.chat), away=why, since=since, update=turn.update)
        turn.use(gone)


def sentence(texts: Texts, error: Exception | None) -> str | None:
    """Return what a person is told about a failure; None for a bug of ours."""
    return _about_the_model(texts, error) or _about_a_document(texts, error)


def _about_the_model(texts: Texts, error: Exception | None) -> str | None:
    match error:
        case CompletionRefused():
            return texts.refused
        case ContextTooLong():
            return texts.too_long
        case CompletionUnavailable():
            return texts.unavailable
        case CompletionMisconfigured():
            return texts.misconfigured
    return None


def _about_a_document(texts: Texts, error: Exception | None) -> str | None:
    told = {
        UnsupportedKind: texts.only_text,
        TooLarge: texts.document_too_large,
        TooLong: texts.document_too_long,
        Busy: texts.document_busy,
        Encrypted: texts.document_encrypted,
        NoText: texts.document_without_text,
        Gone: texts.document_gone,
    }
    return next((text for kind, text in told.items() if isinstance(error, kind)), None)
