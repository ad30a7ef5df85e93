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
from telegram.error import InvalidToken, NetworkError, RetryAfter

from bot import web
from bot.announcer import Announcer
from bot.background import beside
from bot.bot_settings import BotSettings
from bot.clients import (
    TOKEN_REFUSED,
    open_completion,
    open_storage,
    open_telegram,
)
from bot.completion import measured
from bot.completion.client import Client
from bot.completion.probe import probe
from bot.operator.dead import addressed
from bot.redaction import hide
from bot.settings import Settings
from bot.transport import transport
from bot.updates.intake import Intake
from bot.updates.polling import Polling
from bot.updates.webhook import Webhook
from bot.worker import Worker
from handlers.actions import menus
from handlers.actions.operation import Operation
from handlers.actions.register import register
from handlers.actions.tools import Tools
from handlers.context import PtbApplication
from handlers.dialogue.conversation import Conversation
from handlers.dispatch import Dispatch
from handlers.incoming.access import Access
from handlers.incoming.documents import Documents
from handlers.incoming.talk import Talk
from storage import keys
from storage.announcement import Announcements
from storage.archive import Archive
from storage.budget import Budget
from storage.census import Census
from storage.chats import Chats
from storage.dead import DeadLetters
from storage.inbox import Inbox
from storage.lease import Lease
from storage.owners import OwnersMenus
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


@dataclass(frozen=True, slots=True)
class _Introduced:
    """A bot that Telegram knows; ``menuless`` as in `Tools`."""

    application: PtbApplication
    menuless: set[int]


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
            for bot, introduced in bots:
                began = asyncio.Event()
                lives.create_task(_live(bot, process, introduced, began, over))
                await began.wait()
            async with AsyncExitStack() as front:
                await _serve(settings, process.health, listeners, front)
                yield
            over.set()


async def _live(
    bot: BotSettings,
    process: _Process,
    introduced: _Introduced,
    began: asyncio.Event,
    over: asyncio.Event,
) -> None:
    """Run one bot until ``over``."""
    with structlog.contextvars.bound_contextvars(bot=bot.bot_id):
        async with AsyncExitStack() as stack:
            await _start(bot, process, introduced, stack)
            began.set()
            await over.wait()


async def _start(
    bot: BotSettings, process: _Process, introduced: _Introduced, stack: AsyncExitStack
) -> None:
    application = introduced.application
    census = Census(process.redis, bot.bot_id, process.settings.timing)
    process.health.censuses.append(census)
    inbox = Inbox(process.redis, bot.bot_id, process.name, process.settings.timing)
    if process.completion:
        operation = _operation(process, inbox, census)
        lanes = process.settings.lanes
        worker = _worker(bot, process.completion, inbox, introduced, operation, lanes)
        await stack.enter_async_context(worker.working())
        lease = Lease(
            process.redis, keys.announcer(bot.bot_id), process.name, process.settings.timing
        )
        announcer = Announcer(
            operation.announcements, application.bot, lease, bot.language, inbox.timing
        )
        await stack.enter_async_context(beside(announcer.run()))
    if process.settings.role != "worker":
        letters = DeadLetters(process.redis, bot.bot_id)
        own = {"bot": application.bot, "locked": bot.locked, "language": bot.language}
        intake = Intake(inbox, letters, partial(Talk.read, **own))
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
    completion: Client,
    inbox: Inbox,
    introduced: _Introduced,
    operation: Operation,
    lanes: int,
) -> Worker:
    access = Access(
        owners=bot.admins,
        users=bot.allowed_users,
        chats=bot.allowed_chats,
        closed=None if bot.access is None else bot.access == "closed",
        successors=inbox.successors,
        timing=inbox.timing,
    )
    tools = Tools(
        conversation=Conversation(completion),
        access=access,
        streaming=bot.streaming,
        buttons=bot.buttons,
        operation=operation,
        documents=Documents(inbox.timing),
        language=bot.language,
        personas=bot.personas,
        locked=bot.locked,
        menuless=introduced.menuless,
    )
    register(introduced.application, tools)
    dispatch = Dispatch(introduced.application, tools, lambda: bot.profile)
    return Worker(inbox, dispatch, lanes)


def _operation(process: _Process, inbox: Inbox, census: Census) -> Operation:
    redis, bot_id = process.redis, inbox.bot_id
    return Operation(
        chats=Chats(redis, bot_id),
        menus=OwnersMenus(redis, bot_id),
        announcements=Announcements(redis, bot_id, process.name, inbox.timing),
        letters=DeadLetters(redis, bot_id),
        addressed=partial(addressed, inbox=inbox),
        count=census.count,
        problems=process.health.problems,
        speed=measured.speed,
    )


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
) -> list[tuple[BotSettings, _Introduced]]:
    """Introduce the bots to Telegram; raises `TokenRefused` if it refuses all of their tokens."""
    found, refused = [], None
    for bot in settings.bots:
        application = open_telegram(settings, bot, stack, Budget(redis, bot.bot_id))
        try:
            noted = OwnersMenus(redis, bot.bot_id)
            menuless = await _introduce(application, bot, noted)
            found.append((bot, _Introduced(application, menuless)))
        except TokenRefused as error:
            log.error("bot_left_out", bot=bot.bot_id, reason=str(error))  # noqa: TRY400 - no bug
            refused = error
    if refused and not found:
        raise refused
    return found


async def _introduce(application: PtbApplication, bot: BotSettings, noted: OwnersMenus) -> set[int]:
    """Ask Telegram who we are until it answers, then set the menus; see `menus.publish`."""
    for pause in chain((1, 2, 4, 8, 16), repeat(30)):
        try:
            await application.initialize()
            break
        except InvalidToken:
            raise TokenRefused(TOKEN_REFUSED) from None
        except (NetworkError, RetryAfter) as error:
            log.warning("telegram_unreachable", reason=str(error), seconds=pause)
        await asyncio.sleep(pause)
    client = application.bot
    menuless = await menus.publish(client, bot.admins, noted, bot.language)
    sees_all = client.can_read_all_group_messages
    log.info("started", username=f"@{client.username}", sees_all_of_groups=sees_all)
    return menuless
