"""Which update goes to which action: an ordered list, each place with its reason; the menu."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog
from telegram import (
    BotCommand,
    BotCommandScopeAllChatAdministrators,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeDefault,
    Message,
    Update,
)
from telegram.error import TelegramError
from telegram.ext import (
    CallbackQueryHandler,
    CommandHandler,
    ExtBot,
    MessageHandler,
    TypeHandler,
    filters,
)

from handlers.actions import table
from handlers.actions.failures import on_error
from handlers.actions.obey import guard, obey, press, unknown
from handlers.actions.questions import on_edit, on_edited_command, on_message
from handlers.actions.tools import Tools
from handlers.context import Context, PtbApplication
from handlers.incoming.addressing import has_words
from handlers.incoming.kinds import is_note
from handlers.outgoing.pacing import Effect, Kind
from handlers.texts import ENGLISH, RUSSIAN, Texts

log = structlog.get_logger()

# New messages only: python-telegram-bot's handlers also match edited ones, channel posts and
# business messages, which would be answered twice, to nobody, or in somebody else's name.
NEW = filters.UpdateType.MESSAGE
EDITED = filters.UpdateType.EDITED_MESSAGE
# A forwarded command is somebody else's.
OWN = NEW & ~filters.FORWARDED
COMMANDS = filters.COMMAND & ~filters.FORWARDED
COMMAND = NEW & COMMANDS

SCOPES = (
    BotCommandScopeDefault,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllChatAdministrators,
)
LANGUAGES = ("", "en", "ru")
"""Telegram shows the menu of the narrowest scope, in the user's language or else ""."""


class _Readable(filters.MessageFilter):
    """A possible question: a text, a rich message, a document."""

    def filter(self, message: Message) -> bool:
        return has_words(message)


class _Note(filters.MessageFilter):
    """Service messages."""

    def filter(self, message: Message) -> bool:
        return is_note(message)


READABLE, NOTE = _Readable(), _Note()


def register(application: PtbApplication, tools: Tools) -> None:
    """Add the handlers to the application."""

    def doing(act: table.Act) -> Callable[[Update, Context], Coroutine[Any, Any, None]]:
        async def do(_update: Update, context: Context) -> None:
            await act(tools, context)

        return do

    # First of all: people who are not allowed reach no other handler.
    application.add_handler(TypeHandler(Update, doing(guard)), group=-1)
    # Only the first match in a group is called, so commands come before texts.
    application.add_handlers(
        [
            CommandHandler({row.name for row in table.COMMANDS}, doing(obey), filters=OWN),
            # In groups, unknown commands are for other bots unless they name this one.
            MessageHandler(COMMAND, doing(unknown)),
            MessageHandler(EDITED & COMMANDS, doing(on_edited_command)),
            MessageHandler(EDITED & READABLE, doing(on_edit)),
            CallbackQueryHandler(doing(press)),
            # Whatever else a person sends, except service messages, such as a pinned message.
            MessageHandler(NEW & (READABLE | ~NOTE), doing(on_message)),
        ]
    )
    application.add_error_handler(on_error)


async def publish_menu(bot: ExtBot[Any]) -> None:
    """Set the menu of commands that Telegram shows. Raises TelegramError.

    Menus set earlier for narrower scopes or other languages would hide it, so they are removed.
    """
    effect = Effect(Kind.OTHER, hold=None)  # the bot's own, in no chat
    await bot.set_my_commands(_menu(ENGLISH), rate_limit_args=effect)
    await bot.set_my_commands(_menu(RUSSIAN), language_code="ru", rate_limit_args=effect)
    others = [
        bot.delete_my_commands(scope=scope(), language_code=language, rate_limit_args=effect)
        for scope in SCOPES
        for language in LANGUAGES
        if scope is not BotCommandScopeDefault or language not in ("", "ru")
    ]
    for refusal in await asyncio.gather(*others, return_exceptions=True):
        if isinstance(refusal, TelegramError):
            log.warning("menu_not_cleared", reason=str(refusal))
        elif isinstance(refusal, BaseException):
            raise refusal


def _menu(texts: Texts) -> list[BotCommand]:
    return [BotCommand(name, said) for name, said in table.menu(texts).items()]
