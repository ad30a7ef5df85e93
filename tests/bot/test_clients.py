"""The clients that a bot's settings make, and what errors say of what they send."""

import asyncio
import contextlib
import traceback
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from telegram import Bot, InputFile
from telegram.error import BadRequest, NetworkError, TelegramError

from bot import web
from bot.clients import open_completion, open_storage, open_telegram
from bot.playground.telegram.fault import Fault
from handlers.dialogue.completion import CompletionUnavailable
from storage.message import Message, Role
from tests.conftest import ANN, World, configured

ECHO = "ZEBRA at byte 7"


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(400, f"Bad Request: can't parse entities: {ECHO}"), BadRequest),
        (Fault(500, ECHO), NetworkError),
        (Fault(502, html=f"<html>{ECHO}</html>"), NetworkError),
    ],
)
async def test_no_error_repeats_what_was_sent(
    elsewhere: World, fault: Fault, kind: type[TelegramError], caplog: pytest.LogCaptureFixture
) -> None:
    """Neither the error, nor its causes, nor the library's log has a word of a text or a file."""

    async def send_text(bot: Bot) -> None:
        await bot.send_message(ANN, "a zebra")

    async def send_file(bot: Bot) -> None:
        await bot.send_document(ANN, InputFile(b"a zebra", "x.txt"))

    async def send_name(bot: Bot) -> None:
        await bot.send_document(ANN, InputFile(b"x", "zebra.txt"))

    elsewhere.room.chat(ANN)
    async with AsyncExitStack() as stack:
        bot = open_telegram(elsewhere.settings, elsewhere.settings.bots[0], stack).bot
        await bot.initialize()
        for send in (send_text, send_file, send_name):
            elsewhere.room.fail("sendMessage", fault)
            elsewhere.room.fail("sendDocument", fault)
            with pytest.raises(kind) as caught:
                await send(bot)
            elsewhere.room.pardon()
            told = "".join(traceback.format_exception_only(caught.value))
            assert "zebra" not in f"{told}{caught.value.__cause__}{caplog.text}".casefold()
            assert "parse entities" in told or fault.status != 400


async def test_the_metadata_service_is_behind_no_proxy() -> None:
    """The machine's own token is asked for directly, whatever the model is reached through."""
    asked = asyncio.Event()

    async def token(_: Request) -> JSONResponse:
        asked.set()
        return JSONResponse({"access_token": "t1.a", "expires_in": 43200})

    app = Starlette(routes=[Route("/{path:path}", token)])
    async with web.serving(app, "127.0.0.1", 0) as url, AsyncExitStack() as stack:
        settings = configured(
            telegram_token="1:a",
            folder_id="folder",
            yandex_auth="metadata",
            metadata_address=url.removeprefix("http://"),
            completion_url="http://model.invalid",
            completion_proxy="http://127.0.0.1:1",
        )
        completion = await open_completion(settings, stack, contextlib.nullcontext)
        with pytest.raises(CompletionUnavailable, match=r"127\.0\.0\.1:1"):
            await completion.count(settings.bots[0].profile, [Message(Role.USER, "hi")], 0)
    assert asked.is_set()


async def test_the_embedded_servers_memory(tmp_path: Path) -> None:
    """It may hold what the settings say."""
    settings = configured(
        telegram_token="1:a",
        folder_id="folder",
        api_key="key",
        data_dir=tmp_path / "data",
        embedded_memory="64MB",
    )
    async with AsyncExitStack() as stack:
        redis = await open_storage(settings, stack)
        assert (await redis.config_get("maxmemory"))["maxmemory"] == str(64 * 1024 * 1024)
