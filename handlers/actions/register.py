"""Which update goes to which handler: an ordered list, each place with its reason."""

from typing import Any

from telegram import Message, Update
from telegram.ext import (
    Application,
    CallbackQueryHandler,
    CommandHandler,
    MessageHandler,
    TypeHandler,
    filters,
)

from handlers.actions.answers import Control
from handlers.actions.ask import Chat
from handlers.actions.commands import Commands
from handlers.actions.failures import on_error
from handlers.incoming.access import Access
from handlers.incoming.addressing import has_words
from handlers.incoming.kinds import is_note

# New messages only: python-telegram-bot's handlers also match edited ones, channel posts and
# business messages, which would be answered twice, to nobody, or in somebody else's name.
NEW = filters.UpdateType.MESSAGE
EDITED = filters.UpdateType.EDITED_MESSAGE
# Who forwards a command shows what somebody else wrote.
OWN = NEW & ~filters.FORWARDED
COMMANDS = filters.COMMAND & ~filters.FORWARDED
COMMAND = NEW & COMMANDS


class _Readable(filters.MessageFilter):
    """What a question may be: a text, a rich message, a document."""

    def filter(self, message: Message) -> bool:
        return has_words(message)


class _Note(filters.MessageFilter):
    """Telegram's own notes."""

    def filter(self, message: Message) -> bool:
        return is_note(message)


READABLE, NOTE = _Readable(), _Note()


def register(
    application: Application[Any, Any, Any, Any, Any, Any],
    access: Access,
    commands: Commands,
    chat: Chat,
    control: Control,
) -> None:
    """Give the application its handlers."""
    # Before all others: who may not speak with the bot reaches none of them.
    application.add_handler(TypeHandler(Update, access.guard), group=-1)
    # In one group only the first that matches is called, so commands come before texts.
    application.add_handlers(
        [
            CommandHandler("start", commands.start, filters=OWN),
            CommandHandler("help", commands.help, filters=OWN),
            CommandHandler("stop", commands.stop, filters=OWN),
            CommandHandler("reset", commands.reset, filters=OWN),
            CommandHandler("retry", control.retry, filters=OWN),
            CommandHandler("undo", control.undo, filters=OWN),
            CommandHandler("context", control.context, filters=OWN),
            # A group's other commands are for other bots, unless they name this one.
            MessageHandler(COMMAND, commands.unknown),
            MessageHandler(EDITED & COMMANDS, chat.on_edited_command),
            MessageHandler(EDITED & READABLE, chat.on_edit),
            CallbackQueryHandler(control.press),
            # Whatever else a person sends, but not Telegram's own notes, such as a pinned message.
            MessageHandler(NEW & (READABLE | ~NOTE), chat.on_message),
        ]
    )
    application.add_error_handler(on_error)
