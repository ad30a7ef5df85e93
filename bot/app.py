"""The composition root: builds every part from the settings, runs them, closes them in reverse."""

import asyncio
import contextlib
import os
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from itertools import chain, repeat

import structlog
from redis.asyncio import Redis
from starlette.applications import Starlette
from telegram.error import InvalidToken, NetworkError, RetryAfter, TelegramError

from bot import web
from bot.background import beside
from bot.clients import (
    TOKEN_REFUSED,
    open_completion,
    open_storage,
    open_telegram,
)
from bot.completion.client import Client
from bot.completion.probe import probe
from bot.redaction import hide
from bot.settings import BotSettings, Settings
from bot.transport import transport
from bot.updates.intake import Intake
from bot.updates.polling import Polling
from bot.updates.webhook import Webhook
from bot.worker import Worker
from handlers.actions.register import publish_menu, register
from handlers.actions.tools import Tools
from handlers.context import PtbApplication
from handlers.dialogue.conversation import Conversation
from handlers.dispatch import Dispatch
from handlers.incoming.access import Access
from handlers.incoming.addressing import is_mere_talk
from handlers.incoming.documents import Documents
from storage import keys
from storage.archive import Archive
from storage.budget import Budget
from storage.census import Census
from storage.dead import DeadLetters
from storage.inbox import Inbox
from storage.lease import Lease
from storage.places import Places
from storage.secret import shared_secret
from storage.server.connect import StorageUnavailable
from storage.server.embedded import locked

log = structlog.get_logger()


class TokenRefused(Exception):
    """Telegram does not know the bot's token."""


class AddressTaken(Exception):
    """Telegram should post to `LISTEN`, but another process has that address."""


@dataclass(frozen=True, slots=True)
class _Process:
    """What all bots of this process share; ``completion`` is None if it answers nobody."""

    settings: Settings
    redis: Redis
    name: str
    completion: Client | None
    health: web.Health


@contextlib.asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[None]:
    """Run the bots, or the part of them that ``ROLE`` names, while the block runs.

    Leaving the block finishes work in hand, or gives it back after `Timing.grace`. Waits for
    storage and Telegram as long as necessary. Of several bots, those whose tokens Telegram refuses
    are left out.
    Raises `TokenRefused`, `AddressTaken`, `CompletionMisconfigured` or `StorageUnavailable` if it
    cannot start.
    """
    for url, proxy in settings.proxies.items():
        log.info("proxy", url=url, through=proxy)
    async with AsyncExitStack() as stack:
        redis = await open_storage(settings, stack, patient=True)
        for bot in settings.bots:
            await _all_there(redis, bot.bot_id)
        bots = await _introduced(settings, stack, redis)
        listeners = _listeners(settings, stack)  # before Telegram is told to post there
        name = _process_name(settings, stack)
        completion = None
        if settings.role != "intake":
            key, number = keys.generations(settings.first.bot_id), settings.completion_concurrency
            places = Places(redis, key, number, name, settings.timing)
            completion = await open_completion(settings, stack, places.place)
            probing = probe(completion, settings.first.profile)
            await stack.enter_async_context(beside(places.renewing(), probing))
        process = _Process(settings, redis, name, completion, web.Health())
        over = asyncio.Event()
        # One task per bot, so that they stop concurrently.
        async with asyncio.TaskGroup() as lives:
            for bot, application in bots:
                began = asyncio.Event()
                lives.create_task(_live(bot, process, application, began, over))
                await began.wait()
            async with AsyncExitStack() as front:
                await _serve(settings, process.health, listeners, front)
                yield
            over.set()


async def _live(
    bot: BotSettings,
    process: _Process,
    application: PtbApplication,
    began: asyncio.Event,
    over: asyncio.Event,
) -> None:
    """Run one bot until ``over``."""
    with structlog.contextvars.bound_contextvars(bot=bot.bot_id):
        async with AsyncExitStack() as stack:
            await _start(bot, process, application, stack)
            began.set()
            await over.wait()


async def _start(
    bot: BotSettings, process: _Process, application: PtbApplication, stack: AsyncExitStack
) -> None:
    process.health.censuses.append(Census(process.redis, bot.bot_id, process.settings.timing))
    inbox = Inbox(process.redis, bot.bot_id, process.name, process.settings.timing)
    if process.completion:
        worker = _worker(bot, process, process.completion, inbox, application)
        await stack.enter_async_context(worker.working())
    if process.settings.role != "worker":
        letters = DeadLetters(process.redis, bot.bot_id)
        intake = Intake(inbox, letters, partial(is_mere_talk, bot=application.bot))
        await _take_in(bot, process, intake, application, stack)


async def _all_there(redis: Redis, bot_id: int) -> None:
    """Refuse to start on half an import. Raises `StorageUnavailable`."""
    if await Archive(redis, bot_id).progress():
        raise StorageUnavailable(
            f"An import into the data of bot {bot_id} is not finished: run it again first."
        )


def _process_name(settings: Settings, stack: AsyncExitStack) -> str:
    """Name this process: a stable name if it owns DATA_DIR, else a unique one.

    Restarted under a stable name, it has its lanes back at once instead of after a lease.
    """
    if not settings.redis_url and stack.enter_context(locked(settings.data_dir / "process.lock")):
        return "embedded"
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"


def _worker(
    bot: BotSettings,
    process: _Process,
    completion: Client,
    inbox: Inbox,
    application: PtbApplication,
) -> Worker:
    conversation = Conversation(completion)
    rules = bot.admins, bot.allowed_users, bot.allowed_chats
    access = Access(*rules, successors=inbox.successors, timing=inbox.timing)
    documents = Documents(inbox.timing)
    tools = Tools(conversation, access, bot.streaming, bot.buttons, documents)
    register(application, tools)
    dispatch = Dispatch(application, tools, lambda: bot.profile)
    return Worker(inbox, dispatch, process.settings.lanes)


async def _take_in(
    bot: BotSettings,
    process: _Process,
    intake: Intake,
    application: PtbApplication,
    stack: AsyncExitStack,
) -> None:
    settings = process.settings
    process.health.intakes.append(intake)
    lease = Lease(process.redis, keys.poller(bot.bot_id), process.name, settings.timing)
    process.health.leases.append(lease)
    if webhook_url := settings.webhook_of(bot):
        given = settings.webhook_secret
        secret = (
            given.get_secret_value() if given else await shared_secret(process.redis, bot.bot_id)
        )
        hide(f"webhook's secret of bot {bot.bot_id}", [secret])
        webhook = Webhook(application.bot, intake, webhook_url, secret, settings.timing)
        process.health.routes.append(webhook.route)
        await stack.enter_async_context(beside(webhook.run(lease)))
    else:
        connections = await stack.enter_async_context(transport(settings.telegram_proxy, 4))
        token = bot.telegram_token.get_secret_value()
        url = f"{settings.telegram_api_url}/bot{token}"
        polling = Polling(connections, url, intake, settings.timing)
        process.health.pollings.append(polling)
        await stack.enter_async_context(beside(polling.run(lease)))


def _listeners(settings: Settings, stack: AsyncExitStack) -> dict[str, socket.socket]:
    """Bind this process's addresses, keyed by their settings' names. Raises `AddressTaken`."""
    wanted = {settings.listen: "LISTEN"}
    if settings.metrics_address:
        wanted.setdefault(settings.metrics_address, "METRICS_LISTEN")
    listeners = {}
    for (host, port), name in wanted.items():
        try:
            listeners[name] = stack.enter_context(web.listening(host, port))
        except OSError as error:
            if name == "LISTEN" and settings.is_posted_to:
                raise AddressTaken(
                    f"LISTEN: {host}:{port}, where Telegram posts: {error.strerror}. "
                    "End the program that has it, or choose another."
                ) from error
            # Another process of ours may have it; this one works without it.
            log.warning("no_web", setting=name, listen=f"{host}:{port}", reason=str(error))
    return listeners


async def _serve(
    settings: Settings,
    health: web.Health,
    listeners: dict[str, socket.socket],
    stack: AsyncExitStack,
) -> None:
    health.is_public = settings.is_posted_to
    if settings.metrics_address != settings.listen:
        health.routes.remove(health.metrics)
    for name, path, app in (
        ("LISTEN", "healthz", health.application()),
        ("METRICS_LISTEN", "metrics", Starlette(routes=[health.metrics])),
    ):
        if listener := listeners.get(name):
            bounded = web.serving_at(listener, app, most_idle=web.MOST_IDLE)
            url = await stack.enter_async_context(bounded)
            log.info("health" if name == "LISTEN" else "metrics", url=f"{url}/{path}")


async def _introduced(
    settings: Settings, stack: AsyncExitStack, redis: Redis
) -> list[tuple[BotSettings, PtbApplication]]:
    """Introduce the bots to Telegram; raises `TokenRefused` if it refuses all of their tokens."""
    found, refused = [], None
    for bot in settings.bots:
        application = open_telegram(settings, bot, stack, Budget(redis, bot.bot_id))
        try:
            await _introduce(application)
            found.append((bot, application))
        except TokenRefused as error:
            log.error("bot_left_out", bot=bot.bot_id, reason=str(error))  # noqa: TRY400 - no bug
            refused = error
    if refused and not found:
        raise refused
    return found


async def _introduce(application: PtbApplication) -> None:
    """Ask Telegram who we are until it answers; the rest of the introduction may fail."""
    for pause in chain((1, 2, 4, 8, 16), repeat(30)):
        try:
            await application.initialize()
            break
        except InvalidToken:
            raise TokenRefused(TOKEN_REFUSED) from None
        except (NetworkError, RetryAfter) as error:
            log.warning("telegram_unreachable", reason=str(error), seconds=pause)
        await asyncio.sleep(pause)
    bot = application.bot
    try:
        await publish_menu(bot)
    except TelegramError as error:
        log.warning("greeting_failed", reason=str(error))
    log.info(
        "started", username=f"@{bot.username}", sees_all_of_groups=bot.can_read_all_group_messages
    )
