"""Clients of the three services the bot talks to: storage, Telegram, the completion API."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from functools import partial

import httpx
from redis.asyncio import Redis
from telegram.ext import ApplicationBuilder

from bot.bot_settings import BotSettings
from bot.completion.client import Client, Endpoint
from bot.completion.credentials import sign_in
from bot.completion.native import Native
from bot.completion.request_id import request_id
from bot.request import Request
from bot.settings import Settings
from bot.transport import transport
from handlers.context import CONTEXT, PtbApplication
from handlers.outgoing.pacing import Pacing, before_write
from storage import keys
from storage.budget import Budget
from storage.server.address import parse
from storage.server.connect import connect, reach, verify
from storage.server.embedded import embedded_server
from storage.server.rights import require

CALLS_A_LANE = 3
"""Concurrent requests to Telegram per lane: a message, "typing", a notice to those who wait."""

TOKEN_REFUSED = "TELEGRAM_TOKEN: Telegram does not know it. Take it from BotFather again."  # noqa: S105


async def open_storage(
    settings: Settings, stack: AsyncExitStack, *, patient: bool = False
) -> Redis:
    """Connect to the configured server, or start one; ``patient`` waits until it is there.

    Raises `StorageUnavailable`.
    """
    given = settings.redis_url
    url = (
        given.get_secret_value()
        if given
        else await stack.enter_async_context(
            embedded_server(
                settings.data_dir, memory=settings.embedded_memory, timing=settings.timing
            )
        )
    )
    redis = connect(url, connections=settings.most_connections)
    stack.push_async_callback(redis.aclose)
    if given:
        if patient:
            await reach(redis, keys.ready(settings.first.bot_id), settings.timing)
        user = str(parse(url).options.get("username") or "default")
        for bot in settings.bots:
            await require(redis, user, bot.bot_id)
        await verify(redis)
    return redis


async def open_completion(
    settings: Settings,
    stack: AsyncExitStack,
    place: Callable[[], AbstractAsyncContextManager[None]],
) -> Client:
    """Make the client of the completion API; each answer takes a ``place()``.

    Raises `CompletionMisconfigured` for a key file that cannot be used.
    """
    # One more connection, for signing in.
    connections = transport(settings.completion_proxy, settings.completion_concurrency + 1)
    # The machine's own metadata service is reached without a proxy.
    mounts = {f"all://{settings.metadata_address}": transport(None, 1)}
    http = httpx.AsyncClient(transport=connections, mounts=mounts)
    await stack.enter_async_context(http)
    token = settings.first.telegram_token.get_secret_value()
    return Client(
        Endpoint(settings.completion_url, connections),
        sign_in(settings, http),
        Native(),
        place,
        partial(request_id, token),
        settings.timing,
    )


def open_telegram(
    settings: Settings, bot: BotSettings, stack: AsyncExitStack, budget: Budget | None = None
) -> PtbApplication:
    """Make python-telegram-bot's application without its polling; it keeps to ``budget``."""
    connections = CALLS_A_LANE * settings.lanes
    request = Request(
        transport(settings.telegram_proxy, connections, before_write), settings.timing.call
    )
    builder = (
        ApplicationBuilder()
        .token(bot.telegram_token.get_secret_value())
        .base_url(f"{settings.telegram_api_url}/bot")
        .base_file_url(f"{settings.telegram_api_url}/file/bot")
        .request(request)
        .get_updates_request(request)  # we poll ourselves, so it needs no pool of its own
        .updater(None)  # it confirms updates before they are safe, and one bad update stalls it
        .job_queue(None)
        .context_types(CONTEXT)
    )
    if budget:
        builder = builder.rate_limiter(Pacing(budget, settings.timing))  # type: ignore[arg-type] # typed for none
    application = builder.build()
    stack.push_async_callback(request.shutdown)  # the application's own skips what never started
    stack.push_async_callback(application.shutdown)
    return application
