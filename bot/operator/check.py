"""``python -m bot check``: is it my key, my proxy or Telegram? Tries each once and says."""

import contextlib
from contextlib import AsyncExitStack

from telegram.error import InvalidToken, TelegramError

from bot.bot_settings import BotSettings
from bot.clients import TOKEN_REFUSED, open_completion, open_storage, open_telegram
from bot.redaction import say
from bot.settings import Settings
from handlers.dialogue.completion import CompletionError
from storage.message import Message, Role
from storage.server.connect import StorageUnavailable


async def check(settings: Settings) -> bool:
    """Print a line for each outside service the bot needs; returns whether all of them work."""
    sound = True
    for url, proxy in settings.proxies.items():
        say(f"proxy: {url} is reached through {proxy}")
    async with AsyncExitStack() as stack:
        for name, trial in (
            ("storage", _storage(settings, stack)),
            *(("telegram", _telegram(settings, bot, stack)) for bot in settings.bots),
            ("completion", _completion(settings, stack)),
        ):
            try:
                say(f"{name}: works, {await trial}")
            except (StorageUnavailable, TelegramError, CompletionError) as error:
                # python-telegram-bot's own message about a refused token contains the token.
                say(f"{name}: {TOKEN_REFUSED if isinstance(error, InvalidToken) else error}")
                sound = False
    return sound


async def _storage(settings: Settings, stack: AsyncExitStack) -> str:
    await open_storage(settings, stack)
    return "at REDIS_URL" if settings.redis_url else f"in {settings.data_dir}"


async def _telegram(settings: Settings, bot: BotSettings, stack: AsyncExitStack) -> str:
    application = open_telegram(settings, bot, stack)
    await application.initialize()
    me = application.bot
    groups = "all messages" if me.can_read_all_group_messages else "only what privacy mode allows"
    return f"as @{me.username}, seeing {groups} in groups"


async def _completion(settings: Settings, stack: AsyncExitStack) -> str:
    completion = await open_completion(settings, stack, contextlib.nullcontext)
    profile = settings.first.profile
    answer = await completion.answer(profile, [Message(Role.USER, "Скажи «да»")])
    return f"and {profile.model} answered in {answer.completion_tokens} tokens"
