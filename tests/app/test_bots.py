"""Several bots in one process, on one Redis."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send
from structlog.testing import capture_logs

from bot import web
from bot.app import TokenRefused, running
from bot.playground.telegram.emulator import telegram_routes
from bot.playground.telegram.room import Room
from bot.playground.yandex.completion import CompletionServer
from bot.settings import Settings
from bot.worker import Worker
from tests.conftest import ANN, Echo, World, configured

pytestmark = pytest.mark.slow

TOKENS = ("7500001:ONE", "7500002:OTHER")


@dataclass(frozen=True, slots=True)
class Telegrams:
    """Each bot's part of Telegram, at one address."""

    worlds: list[World]
    settings: Settings


@pytest.fixture
async def two(redis: Redis, valkey: str) -> AsyncIterator[Telegrams]:
    """Two bots' rooms, in which neither runs yet."""
    rooms = [Room(token) for token in TOKENS]
    model = CompletionServer(Echo(), limit=1000)
    apps = {room.token: Starlette(routes=telegram_routes(room)) for room in rooms}
    completion = Starlette(routes=model.routes)

    async def by_token(scope: Scope, receive: Receive, send: Send) -> None:
        token = str(scope["path"]).removeprefix("/bot").partition("/")[0]
        await apps.get(token, completion)(scope, receive, send)

    async with web.serving(by_token, "127.0.0.1", 0) as url:
        given: dict[str, Any] = {
            "telegram_token": ", ".join(TOKENS),
            "telegram_api_url": url,
            "completion_url": url,
            "folder_id": "folder",
            "api_key": "test-key",
            "redis_url": valkey,
            "listen": "127.0.0.1:0",
        }
        settings = configured(**given)
        worlds = [
            World(room, model, settings.model_copy(update={"bots": (bot,)}), redis)
            for room, bot in zip(rooms, settings.bots, strict=True)
        ]
        yield Telegrams(worlds, settings)
        async for key in redis.scan_iter("{750000?}:*"):
            await redis.delete(key)


def with_tokens(settings: Settings, tokens: list[str]) -> Settings:
    """The same settings, for bots of these tokens."""
    pairs = zip(settings.bots, map(SecretStr, tokens), strict=True)
    bots = [bot.model_copy(update={"telegram_token": token}) for bot, token in pairs]
    return settings.model_copy(update={"bots": tuple(bots)})


@contextlib.asynccontextmanager
async def address_of(settings: Settings) -> AsyncIterator[str]:
    """Run the bots; yields where their web is."""
    with capture_logs() as logs:
        async with running(settings):
            [url] = [log["url"] for log in logs if log["event"] == "health"]
            yield url.removesuffix("/healthz")


async def test_each_knows_its_own(two: Telegrams) -> None:
    """One person writes to both bots; each remembers what was said to it, and nothing else."""
    async with address_of(two.settings) as url, httpx.AsyncClient(base_url=url) as http:
        for number, world in enumerate(two.worlds):
            for text in ("first", "second"):
                assert await world.says(ANN, ANN, f"{text} {number}") == f"echo: {text} {number}"
        for number, world in enumerate(two.worlds):
            asked = [str(entry) for entry in await world.history(ANN)]
            assert len(asked) == 4
            assert all(f" {number}" in entry for entry in asked)
        told = (await http.get("/metrics")).text
        assert (await http.get("/readyz")).status_code == 200
    for token in TOKENS:
        bot = token.partition(":")[0]
        assert f'inbox_lanes{{bot="{bot}",state="waiting"}} 0.0' in told


async def test_each_has_its_webhook(two: Telegrams) -> None:
    """Each bot's webhook has a path of its own, and a secret of its own."""
    settings = two.settings.model_copy(update={"webhook_url": "https://127.0.0.1/hook"})
    async with address_of(settings):
        hooks = []
        for world in two.worlds:
            while not (target := world.room.webhook.target):  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.01)
            hooks.append(target)
    assert [hook.url for hook in hooks] == [
        f"https://127.0.0.1/hook/{token.partition(':')[0]}" for token in TOKENS
    ]
    assert hooks[0].secret != hooks[1].secret


async def test_they_stop_side_by_side(two: Telegrams, monkeypatch: pytest.MonkeyPatch) -> None:
    """No bot takes anything new while another finishes what it has in hand."""
    finish, steps = Worker._finish, list[str]()

    async def noted(worker: Worker) -> None:
        steps.append("begins")
        await asyncio.sleep(0.05)
        await finish(worker)
        steps.append("ends")

    monkeypatch.setattr(Worker, "_finish", noted)
    async with running(two.settings):
        pass
    assert steps == ["begins", "begins", "ends", "ends"]


async def test_a_refused_token_stops_no_other(two: Telegrams) -> None:
    """A bot that Telegram does not know is left out, and told; none at all cannot start."""
    strange = ["7500009:STRANGE", TOKENS[1]]
    some = with_tokens(two.settings, strange)
    with capture_logs() as logs:
        async with running(some):
            assert await two.worlds[1].says(ANN, ANN, "hi") == "echo: hi"
    assert [log["bot"] for log in logs if log["event"] == "bot_left_out"] == [7500009]
    none = with_tokens(two.settings, ["1:A", "2:B"])
    with pytest.raises(TokenRefused):
        async with running(none):
            pass
