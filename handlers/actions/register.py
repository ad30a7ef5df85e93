"""Which update goes to which action: an ordered list, each place with its reason."""

from collections.abc import Callable, Coroutine
from typing import Any

from telegram import Message, Update
from telegram.ext import (
    CallbackQueryHandler,
    CommandHandler,
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

# New messages only: python-telegram-bot's handlers also match edited ones, channel posts and
# business messages, which would be answered twice, to nobody, or in somebody else's name.
NEW = filters.UpdateType.MESSAGE
EDITED = filters.UpdateType.EDITED_MESSAGE
# A forwarded command is somebody else's, and so is what another bot offered to send.
OWN = NEW & ~filters.FORWARDED & ~filters.VIA_BOT
COMMANDS = filters.COMMAND & ~filters.FORWARDED & ~filters.VIA_BOT
COMMAND = NEW & COMMANDS


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
