"""The composition root: builds every part from the settings, runs them, closes them in reverse."""

import asyncio
import contextlib
import os
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial
from itertools import chain, repeat

import httpx
import structlog
from redis.asyncio import Redis
from telegram.error import InvalidToken, NetworkError, RetryAfter, TelegramError

from bot import web
from bot.background import beside
from bot.clients import PtbApplication, open_completion, open_storage, open_telegram
from bot.intake import Intake
from bot.polling import Polling
from bot.settings import Settings
from bot.transport import transport
from bot.webhook import Webhook, shared_secret
from bot.worker import Worker
from handlers.access import Access
from handlers.addressing import is_mere_talk
from handlers.chat import Chat
from handlers.commands import Commands, publish_menu
from handlers.control import Control
from handlers.conversation import Conversation
from handlers.dispatch import Dispatch
from handlers.register import register
from storage import keys
from storage.budget import Budget
from storage.dead import DeadLetters
from storage.embedded import locked
from storage.history import History
from storage.inbox import Inbox
from storage.lease import Lease
from storage.places import Places

log = structlog.get_logger()


class TokenRefused(Exception):
    """Telegram does not know the bot's token."""


@contextlib.asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[None]:
    """Run the bot, or the part of it that ``ROLE`` names, while the block runs.

    Leaving it finishes what is in hand, or gives it back. Waits for storage and for Telegram as
    long as it must.
    Raises `TokenRefused`, `CompletionMisconfigured` or `StorageUnavailable` when it cannot begin.
    """
    async with AsyncExitStack() as stack:
        redis = await open_storage(settings, stack, patient=True)
        application = open_telegram(settings, stack, Budget(redis, settings.bot_id))
        name = _process_name(settings, stack)
        inbox = Inbox(redis, settings.bot_id, name)
        await _introduce(application)
        if settings.role != "intake":
            places = Places(
                redis, keys.generations(settings.bot_id), settings.completion_concurrency, name
            )
            await _answer(settings, stack, redis, inbox, places, application)
        health = web.Health(redis)
        if settings.role != "worker":
            letters = DeadLetters(redis, settings.bot_id)
            intake = Intake(inbox, letters, partial(is_mere_talk, bot=application.bot))
            lease = Lease(redis, keys.poller(settings.bot_id), name)
            await _take_in(settings, stack, lease, health, intake, application)
        await _serve(settings, stack, health)
        yield


def _process_name(settings: Settings, stack: AsyncExitStack) -> str:
    """Name this process: for good if it has the data folder to itself, else as nobody else is.

    Under its old name, one that comes back has what was its own at once, not after a lease.
    """
    if not settings.redis_url and stack.enter_context(locked(settings.data_dir / "process.lock")):
        return "embedded"
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"


async def _answer(
    settings: Settings,
    stack: AsyncExitStack,
    redis: Redis,
    inbox: Inbox,
    places: Places,
    application: PtbApplication,
) -> None:
    completion = await open_completion(settings, stack, places.place)
    history = History(redis, settings.bot_id)
    budget = settings.context_tokens - settings.max_tokens
    conversation = Conversation(completion, history, settings.system_prompt, budget)
    access = Access(settings.admins, settings.allowed_users, settings.allowed_chats)
    chat = Chat(conversation, settings.streaming, buttons=settings.buttons)
    register(application, access, Commands(access), chat, Control(chat, access))
    worker = Worker(inbox, Dispatch(application, access), settings.lanes)
    await stack.enter_async_context(beside(places.renewing()))
    await stack.enter_async_context(worker.working())


async def _take_in(
    settings: Settings,
    stack: AsyncExitStack,
    lease: Lease,
    health: web.Health,
    intake: Intake,
    application: PtbApplication,
) -> None:
    health.intake = intake
    if settings.webhook_url:
        given = settings.webhook_secret
        secret = (
            given.get_secret_value()
            if given
            else await shared_secret(health.redis, settings.bot_id)
        )
        webhook = Webhook(application.bot, intake, settings.webhook_url, secret)
        health.routes.append(webhook.route)
        await stack.enter_async_context(beside(webhook.run(lease)))
    else:
        http = httpx.AsyncClient(transport=transport(settings.telegram_proxy, 4))
        await stack.enter_async_context(http)
        token = settings.telegram_token.get_secret_value()
        url = f"{settings.telegram_api_url}/bot{token}"
        health.polling = Polling(http, url, intake)
        await stack.enter_async_context(beside(health.polling.run(lease)))


async def _serve(settings: Settings, stack: AsyncExitStack, health: web.Health) -> None:
    host, port = settings.listen
    try:
        url = await stack.enter_async_context(web.serving(health.application(), host, port))
    except OSError as error:
        # Another process of ours may have it; this one works without, but for the webhook.
        log.warning("no_web", listen=f"{host}:{port}", reason=str(error))
    else:
        log.info("health", url=f"{url}/healthz")


async def _introduce(application: PtbApplication) -> None:
    """Ask Telegram who we are, until it answers; the rest of the greeting may fail."""
    for pause in chain((1, 2, 4, 8, 16), repeat(30)):
        try:
            await application.initialize()
            break
        except InvalidToken:
            raise TokenRefused(
                "TELEGRAM_TOKEN: Telegram does not know it. Take it from BotFather again."
            ) from None
        except (NetworkError, RetryAfter) as error:
            log.warning("telegram_unreachable", reason=str(error), seconds=pause)
        await asyncio.sleep(pause)
    bot = application.bot
    try:
        await publish_menu(bot)
    except TelegramError as error:
        log.warning("greeting_failed", reason=str(error))
    log.info("started", bot=f"@{bot.username}", sees_all_of_groups=bot.can_read_all_group_messages)
