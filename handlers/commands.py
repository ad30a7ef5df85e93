"""The bot's commands: /start, /help and /reset."""

import re

import structlog
from telegram import BotCommand, Message, Update
from telegram.ext import ContextTypes, ExtBot

from handlers import reply
from handlers.access import Access, is_chat_admin
from handlers.addressing import chat_key
from handlers.texts import ENGLISH, RUSSIAN, Texts, texts_for
from storage.history import History
from storage.message import ChatKey

log = structlog.get_logger()


class Commands:
    """Answers commands."""

    def __init__(self, history: History, access: Access) -> None:
        self._history = history
        self._access = access

    async def start(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        """Greet."""
        if message := update.message:
            await reply.say(message, texts_for(message.from_user).start)

    async def help(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Say how to talk to the bot."""
        if message := update.message:
            text = texts_for(message.from_user).help.format(name=context.bot.username)
            await reply.say(message, text)

    async def reset(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Forget this conversation, or for an owner that of the chat whose number is given."""
        message = update.message
        if message is None:
            return
        if context.args:
            await reply.say(message, await self._reset_other(message, context.args))
        else:
            await reply.say(message, await self._reset_here(message))

    async def _reset_here(self, message: Message) -> str:
        texts = texts_for(message.from_user)
        if not self._access.owns(message) and not await is_chat_admin(message):
            return texts.reset_is_for_admins
        await self._history.clear(chat_key(message))
        return texts.forgotten

    async def _reset_other(self, message: Message, arguments: list[str]) -> str:
        texts = texts_for(message.from_user)
        if not re.fullmatch(r"-?[0-9]{1,19}", arguments[0]):
            return texts.reset_needs_a_number
        if not self._access.owns(message):
            return texts.reset_other_is_for_owners
        chat_id = int(arguments[0])
        await self._history.clear(ChatKey(chat_id))
        log.info("reset_by_owner", chat=chat_id)
        return texts.other_chat_forgotten.format(chat=chat_id)

    async def unknown(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        """Say that there is no such command."""
        if message := update.message:
            await reply.say(message, texts_for(message.from_user).unknown_command)

    async def not_text(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        """Say that the bot reads text only."""
        if message := update.message:
            await reply.say(message, texts_for(message.from_user).only_text)


async def publish_menu(bot: ExtBot[None]) -> None:
    """Set the menu of commands that Telegram shows. Raises TelegramError."""
    await bot.set_my_commands(_menu(ENGLISH))
    await bot.set_my_commands(_menu(RUSSIAN), language_code="ru")


def _menu(texts: Texts) -> list[BotCommand]:
    return [
        BotCommand("start", texts.command_start),
        BotCommand("help", texts.command_help),
        BotCommand("reset", texts.command_reset),
    ]
