"""The menus of commands that Telegram shows: one for each place, in each language."""

import asyncio
from collections.abc import Awaitable, Collection
from typing import Any

import structlog
from telegram import (
    BotCommand,
    BotCommandScope,
    BotCommandScopeAllChatAdministrators,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
)
from telegram.error import BadRequest, Forbidden, TelegramError
from telegram.ext import ExtBot

from handlers.actions.table import Menu, menu
from handlers.outgoing.pacing import Effect, Kind
from handlers.texts import CATALOGUES, Texts
from storage.owners import OwnersMenus

log = structlog.get_logger()

SCOPES: dict[Menu, BotCommandScope] = {
    Menu.PRIVATE: BotCommandScopeAllPrivateChats(),
    Menu.GROUP: BotCommandScopeAllGroupChats(),
    Menu.ADMINS: BotCommandScopeAllChatAdministrators(),
}
EFFECT = Effect(Kind.OTHER, hold=None)
"""The bot's own, in no chat."""


async def publish(
    bot: ExtBot[Any], owners: Collection[int], noted: OwnersMenus, language: str | None = None
) -> set[int]:
    """Set all menus; remove that of the default scope, set formerly, and those of former owners.

    Telegram shows that of the narrowest scope, in the user's language, or else that of no language,
    which speaks ``language``. Failures are logged. Returns the owners who have no chat with the bot
    yet, so that Telegram has no place for theirs.
    """
    calls: list[Awaitable[object]] = [
        _set(bot, where, scope, code, texts)
        for where, scope in SCOPES.items()
        for code, texts in _spoken(language).items()
    ]
    calls += [
        bot.delete_my_commands(language_code=code, rate_limit_args=EFFECT)
        for code in _spoken(language)
    ]
    for outcome in await asyncio.gather(*calls, return_exceptions=True):
        if isinstance(outcome, TelegramError):
            log.warning("menu_not_set", reason=str(outcome))
        elif isinstance(outcome, BaseException):
            raise outcome
    former = await noted.chats() - {*owners}
    there, _ = await asyncio.gather(
        asyncio.gather(*(publish_to(bot, owner, noted, language) for owner in owners)),
        asyncio.gather(*(_withdraw_from(bot, owner, noted) for owner in former)),
    )
    return {owner for owner, is_there in zip(owners, there, strict=True) if not is_there}


async def publish_to(
    bot: ExtBot[Any], owner: int, noted: OwnersMenus, language: str | None
) -> bool:
    """Set an owner's menu; returns False if they have no chat with the bot yet."""
    await noted.add(owner)
    try:
        for code, texts in _spoken(language).items():
            await _set(bot, Menu.OWNER, BotCommandScopeChat(owner), code, texts)
    except (BadRequest, Forbidden) as refusal:
        log.info("owner_without_menu", owner=owner, reason=refusal.message)
        return False
    except TelegramError as error:
        log.warning("menu_not_set", owner=owner, reason=str(error))
    return True


async def _withdraw_from(bot: ExtBot[Any], former: int, noted: OwnersMenus) -> None:
    """Remove the menu of a former owner; what fails is tried again at the next start."""
    scope = BotCommandScopeChat(former)
    try:
        for code in _spoken(None):
            await bot.delete_my_commands(scope, code, rate_limit_args=EFFECT)
    except (BadRequest, Forbidden) as refusal:
        log.info("owner_without_menu", owner=former, reason=refusal.message)
    except TelegramError as error:
        log.warning("menu_not_removed", owner=former, reason=str(error))
        return
    await noted.remove(former)


def _spoken(language: str | None) -> dict[str, Texts]:
    return {"": CATALOGUES[language or "en"], **CATALOGUES}


async def _set(
    bot: ExtBot[Any], where: Menu, scope: BotCommandScope, code: str, texts: Texts
) -> None:
    commands = [BotCommand(name, line) for name, line in menu(texts, where).items()]
    await bot.set_my_commands(commands, scope, code, rate_limit_args=EFFECT)
