"""The bot's commands: /start, /help, /stop and /reset."""

import asyncio
import re
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
from telegram.ext import ContextTypes, ExtBot

from handlers.incoming.access import Access
from handlers.incoming.addressing import is_addressed
from handlers.outgoing.pacing import Effect, Kind
from handlers.outgoing.say import say
from handlers.texts import ENGLISH, RUSSIAN, Texts, texts_for
from handlers.turn import current
from handlers.where import chat_key
from storage.change import Forgotten
from storage.message import ChatKey

log = structlog.get_logger()

SCOPES = (
    BotCommandScopeDefault,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllChatAdministrators,
)
LANGUAGES = ("", "en", "ru")
"""Telegram shows the menu of the narrowest circle, there that of the language, else of ""."""


class Commands:
    """Answers commands."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def start(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        """Greet."""
        if message := update.message:
            await say(message, texts_for(message.from_user).start)

    async def help(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Say how to talk to the bot."""
        if message := update.message:
            text = texts_for(message.from_user).help.format(name=context.bot.username)
            await say(message, text)

    async def stop(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        """Say that it is done: what waited before this was cut short when it came in."""
        if message := update.message:
            await say(message, texts_for(message.from_user).stopped)

    async def reset(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Forget this conversation, or for an owner that of the chat whose number is given."""
        message = update.message
        if message is None:
            return
        if context.args:
            await self._reset_other(message, context.args[0])
        else:
            await self._reset_here(message)

    async def _reset_here(self, message: Message) -> None:
        texts = texts_for(message.from_user)
        if await self._access.may_change(message):
            for_good = await current.get().storage_is_full()
            text = texts.forgotten_for_good if for_good else texts.forgotten
            change = Forgotten(chat_key(message), message.message_id, for_good=for_good)
            await say(message, text, change)
        else:
            await say(message, texts.reset_is_for_admins)

    async def _reset_other(self, message: Message, number: str) -> None:
        texts = texts_for(message.from_user)
        if not re.fullmatch(r"-?[0-9]{1,19}", number):
            await say(message, texts.reset_needs_a_number)
        elif not self._access.owns(message):
            await say(message, texts.reset_other_is_for_owners)
        else:
            chat = ChatKey(int(number))
            text = texts.other_chat_forgotten.format(chat=chat.chat_id)
            for_good = await current.get().storage_is_full()
            floor = message.message_id if chat.chat_id == message.chat_id else 0
            change = Forgotten(chat, floor, for_good=for_good, with_topics=True)
            await say(message, text, change)
            log.info("reset_by_owner", chat=chat.chat_id)

    async def unknown(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Say that there is no such command, to whom it was meant for the bot."""
        message = update.message
        if message and is_addressed(message, context.bot.bot):
            await say(message, texts_for(message.from_user).unknown_command)


async def publish_menu(bot: ExtBot[Any]) -> None:
    """Set the menu of commands that Telegram shows. Raises TelegramError.

    Menus for narrower circles or other languages, set earlier by somebody else, would hide it.
    """
    effect = Effect(Kind.OTHER, hold=None)  # of the bot's, in no chat
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
    return [
        BotCommand("start", texts.command_start),
        BotCommand("help", texts.command_help),
        BotCommand("stop", texts.command_stop),
        BotCommand("retry", texts.command_retry),
        BotCommand("undo", texts.command_undo),
        BotCommand("context", texts.command_context),
        BotCommand("reset", texts.command_reset),
    ]
