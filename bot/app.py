"""The composition root: builds every part from the settings, runs them, closes them in reverse."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack
from itertools import chain, repeat
from typing import Any

import httpx
import structlog
from redis.asyncio import Redis
from starlette.applications import Starlette
from telegram import Update
from telegram.error import InvalidToken, NetworkError, RetryAfter, TelegramError
from telegram.ext import Application, ApplicationBuilder
from telegram.request import HTTPXRequest

from bot import web
from bot.completion.credentials import sign_in
from bot.completion.yandexgpt import SILENCE, Model, YandexGPT
from bot.intake import Polling, Put
from bot.settings import Settings
from bot.transport import transport
from bot.worker import Worker
from handlers.access import Access
from handlers.chat import Chat
from handlers.commands import Commands, publish_menu
from handlers.conversation import Conversation
from handlers.register import register
from storage.connect import connect, verify
from storage.embedded import embedded_server
from storage.history import History

log = structlog.get_logger()

CALLS_A_LANE = 2
"""Requests to Telegram that a lane has open at once: a message, and "typing" beside it."""

PtbApplication = Application[Any, Any, Any, Any, Any, Any]


class TokenRefused(Exception):
    """Telegram does not know the bot's token."""


@contextlib.asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[None]:
    """Run the bot while the block runs; leaving it finishes all that came in.

    Waits for Telegram as long as it must. Raises `TokenRefused`, `CompletionMisconfigured` or
    `StorageUnavailable` when the bot cannot begin.
    """
    async with AsyncExitStack() as stack:
        redis = await open_storage(settings, stack)
        history = History(redis, settings.bot_id)
        access = Access(settings.admins, settings.allowed_users, settings.allowed_chats)
        chat = Chat(
            Conversation(
                await open_completion(settings, stack),
                history,
                settings.system_prompt,
                budget=settings.context_tokens - settings.max_tokens,
            )
        )
        application = open_telegram(settings, stack)
        await _introduce(application)
        register(application, access, Commands(history, access), chat)

        async def handle(update: dict[str, Any]) -> None:
            await application.process_update(Update.de_json(update, application.bot))

        async def late(update: dict[str, Any]) -> None:
            await chat.on_late(Update.de_json(update, application.bot), application.bot.bot)

        tasks = asyncio.TaskGroup()
        polling = await _polling(settings, stack, Worker(tasks, handle, late, settings.lanes).put)
        # Left in reverse: polling ends, what came in is finished, and then confirmed.
        stack.push_async_callback(polling.confirm)
        await stack.enter_async_context(tasks)
        await _health(settings, stack, web.health(redis, polling))
        await stack.enter_async_context(_background(polling.run()))
        yield


async def open_storage(settings: Settings, stack: AsyncExitStack) -> Redis:
    """Connect to the server that is configured, or start one. Raises `StorageUnavailable`."""
    given = settings.redis_url
    url = (
        given.get_secret_value()
        if given
        else await stack.enter_async_context(embedded_server(settings.data_dir))
    )
    redis = connect(url, connections=settings.lanes + 8)
    stack.push_async_callback(redis.aclose)
    if given:
        await verify(redis)
    return redis


async def open_completion(settings: Settings, stack: AsyncExitStack) -> YandexGPT:
    """Make the client of the completion API. Raises `CompletionMisconfigured` for a bad key."""
    # One connection more for signing in.
    connections = transport(settings.completion_proxy, settings.completion_concurrency + 1)
    timeout = httpx.Timeout(SILENCE, connect=10, pool=None)
    http = httpx.AsyncClient(transport=connections, timeout=timeout)
    await stack.enter_async_context(http)
    model = Model(settings.model_uri, settings.temperature, settings.max_tokens)
    return YandexGPT(
        http,
        sign_in(settings, http),
        settings.completion_url,
        model,
        settings.completion_concurrency,
    )


def open_telegram(settings: Settings, stack: AsyncExitStack) -> PtbApplication:
    """Make python-telegram-bot's application, without its own polling."""
    request = HTTPXRequest(
        read_timeout=20,
        connect_timeout=10,
        pool_timeout=30,
        httpx_kwargs={
            "transport": transport(settings.telegram_proxy, CALLS_A_LANE * settings.lanes)
        },
    )
    application = (
        ApplicationBuilder()
        .token(settings.telegram_token.get_secret_value())
        .base_url(f"{settings.telegram_api_url}/bot")
        .request(request)
        .get_updates_request(request)  # we poll ourselves, so it needs no pool of its own
        .updater(None)  # it confirms updates before they are safe, and one bad update stalls it
        .job_queue(None)
        .build()
    )
    stack.push_async_callback(request.shutdown)  # the application's leaves out what never began
    stack.push_async_callback(application.shutdown)
    return application


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
        await bot.delete_webhook()  # while one is set, Telegram refuses to be polled
        await publish_menu(bot)
    except TelegramError as error:
        log.warning("greeting_failed", reason=str(error))
    log.info("started", bot=f"@{bot.username}", sees_all_of_groups=bot.can_read_all_group_messages)


async def _polling(settings: Settings, stack: AsyncExitStack, put: Put) -> Polling:
    http = httpx.AsyncClient(transport=transport(settings.telegram_proxy, 4))
    await stack.enter_async_context(http)
    token = settings.telegram_token.get_secret_value()
    return Polling(http, f"{settings.telegram_api_url}/bot{token}/getUpdates", put)


async def _health(settings: Settings, stack: AsyncExitStack, app: Starlette) -> None:
    host, port = settings.listen
    try:
        url = await stack.enter_async_context(web.serving(app, host, port))
    except OSError as error:
        log.warning("no_health", listen=f"{host}:{port}", reason=str(error))
    else:
        log.info("health", url=f"{url}/healthz")


@contextlib.asynccontextmanager
async def _background(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run ``work`` beside the block; its failure ends the block, the block's end cancels it."""
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(work)
        yield
        task.cancel()
