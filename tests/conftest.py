"""Real parts for the tests: a Valkey server, a local Telegram, a completion server, the bot."""

import asyncio
import contextlib
import itertools
import re
import signal
import tempfile
from collections.abc import AsyncIterator, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import certifi
import pytest
import structlog
from hypothesis import HealthCheck, settings
from redis.asyncio import Redis
from starlette.applications import Starlette

from bot import web
from bot.app import running
from bot.bot_settings import BotSettings
from bot.environment import Environment
from bot.playground.door import room_routes
from bot.playground.telegram.emulator import telegram_routes
from bot.playground.telegram.room import Room
from bot.playground.yandex.completion import CompletionServer
from bot.settings import ProcessSettings, Settings
from storage.message import Message
from storage.server.connect import connect
from storage.timing import Timing
from tests.valkey import Valkey

ANN, BORIS = 101, 102
GROUP = -500
LONGEST_TEST = 300
"""Seconds that a test may take on a busy machine; those that take longest take a minute."""

_bot_ids = itertools.count(7_000_000)

# How long examples take tells how busy the machine is.
settings.register_profile(
    "any machine", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")

# Tracebacks with all variables, structlog's own, take seconds in which no bot does anything.
structlog.configure(
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ]
)


@contextlib.contextmanager
def _ended() -> Iterator[None]:
    """End a block that hangs, as a failure of the test."""

    def end(_signal: int, _frame: object) -> None:
        pytest.fail(f"it took more than {LONGEST_TEST} s")

    before = signal.signal(signal.SIGALRM, end)
    # Again and again: what is hit first may be anybody's task, and end alone.
    signal.setitimer(signal.ITIMER_REAL, LONGEST_TEST, 1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Generator[None, object, object]:
    """No fixture hangs."""
    with _ended():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, object, object]:
    """No test hangs."""
    with _ended():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Generator[None, object, object]:
    """No end of a test hangs."""
    with _ended():
        return (yield)


def unlabelled(text: str) -> str:
    """Leave out who says something in a group."""
    return re.sub(r"\A\[[^\]\n]*\]: ", "", text)


class Echo:
    """Words for the completion server: repeats the question, in pieces of three letters."""

    async def answer(
        self, messages: Sequence[Message], *, temperature: float, max_tokens: int
    ) -> AsyncIterator[str]:
        text = f"echo: {unlabelled(messages[-1].text)}"
        for start in range(0, len(text), 3):
            yield text[start : start + 3]


def configured(**given: Any) -> Settings:
    """Settings as if these were all that the environment says."""
    return Environment(_env_file=None, **given).settings()


def changed(settings: Settings, **named: Any) -> Settings:
    """The same settings, but for these: of the process, of each bot, or of its timing."""
    own = {name: named.pop(name) for name in BotSettings.model_fields if name in named}
    times = {name: named.pop(name) for name in Timing.__slots__ if name in named}
    assert named.keys() <= ProcessSettings.model_fields.keys()
    timing = replace(settings.timing, **times)
    bots = tuple(bot.model_copy(update=own) for bot in settings.bots)
    return settings.model_copy(update=named | {"bots": bots, "timing": timing})


def grows(message: dict[str, Any]) -> bool:
    """Tell whether a message of the bot's is an answer that is still being made."""
    return "stop:" in str(message.get("reply_markup"))


@dataclass(slots=True)
class World:
    """A room with people and the bot in it, and the model behind the bot."""

    room: Room
    model: CompletionServer
    settings: Settings
    redis: Redis

    @property
    def bot_id(self) -> int:
        """The bot's own."""
        return self.settings.bots[0].bot_id

    @property
    def environment(self) -> dict[str, str]:
        """What a process of the bot is told, to live here."""
        settings = self.settings
        return {
            "TELEGRAM_TOKEN": settings.bots[0].telegram_token.get_secret_value(),
            "TELEGRAM_API_URL": settings.telegram_api_url,
            "COMPLETION_URL": settings.completion_url,
            "FOLDER_ID": "folder",
            "API_KEY": "key",
            "LISTEN": "127.0.0.1:0",
            "REDIS_URL": str(settings.redis_url and settings.redis_url.get_secret_value()),
        }

    def said(self, chat: int) -> list[dict[str, Any]]:
        """The bot's messages in a chat, oldest first, but for those that still grow."""
        me = self.room.bot["id"]
        messages = self.room.messages(chat)
        return [
            message
            for message in messages
            if "text" in message and message["from"]["id"] == me and not grows(message)
        ]

    async def hears(self, chat: int, count: int = 1, seconds: float = 40) -> list[str]:
        """Wait until the bot has said ``count`` messages in a chat, and give their texts."""
        async with asyncio.timeout(seconds):
            while len(said := self.said(chat)) < count:
                await self.room.changed(self.room.version, 1)
        return [message["text"] for message in said]

    async def says(self, chat: int, user: int, text: str, **more: Any) -> str:
        """Let a person write, and give the bot's next message."""
        before = len(self.said(chat))
        self.room.say(chat, user, text, **more)
        return (await self.hears(chat, before + 1))[-1]

    def bodies(self) -> list[Any]:
        """Bodies of all completion requests, oldest first."""
        requests = self.model.requests
        return [each.body for each in requests if each.path.endswith("/completion")]

    async def history(self, chat: int, topic: int = 0) -> list[str]:
        """The raw entries of a conversation's list in Redis."""
        name = f"{chat}:{topic}" if topic else str(chat)
        key = f"{{{self.bot_id}}}:history:{name}"
        return [str(entry) for entry in await self.redis.lrange(key, 0, -1)]


@pytest.fixture(scope="session", autouse=True)
def _one_authority() -> Iterator[None]:
    """Let clients read one certificate when they are made: all the world's take 45 ms each time."""
    first, end, _ = certifi.contents().partition("-----END CERTIFICATE-----")
    with (
        tempfile.NamedTemporaryFile("w", suffix=".pem") as file,
        pytest.MonkeyPatch.context() as env,
    ):
        file.write(first + end)
        file.flush()
        env.setenv("SSL_CERT_FILE", file.name)
        yield


@pytest.fixture(scope="session")
def valkey() -> Iterator[str]:
    """URL of a real Valkey server for the whole run; tests keep apart by their bots' ids."""
    with tempfile.TemporaryDirectory() as folder:
        server = Valkey(Path(folder))
        asyncio.run(server.start())
        yield server.url
        server.kill()


@pytest.fixture
async def redis(valkey: str) -> AsyncIterator[Redis]:
    """A client of that server, which is empty at first: searches need not look at others' keys."""
    client = connect(valkey, connections=16)
    await client.flushdb()
    yield client
    await client.aclose()


@contextlib.asynccontextmanager
async def local_telegram(
    redis: Redis, redis_url: str, words: Any = None, timing: Timing = Timing(), **settings: Any
) -> AsyncIterator[World]:
    """Serve a room and a model over HTTP, and settings for a bot to live there."""
    token = f"{next(_bot_ids)}:TEST-TOKEN"
    room, model = Room(token), CompletionServer(words or Echo(), limit=1000)
    app = Starlette(
        routes=[*telegram_routes(room), *room_routes(room, model.requests), *model.routes]
    )
    async with web.serving(app, "127.0.0.1", 0) as url:
        settings = {
            "telegram_token": token,
            "telegram_api_url": url,
            "completion_url": url,
            "folder_id": "folder",
            "api_key": "test-key",
            "redis_url": redis_url,
            "listen": "127.0.0.1:0",
        } | settings
        timed = configured(**settings).model_copy(update={"timing": timing})
        yield World(room, model, timed, redis)


@pytest.fixture
def timing() -> Timing:
    """How long bots wait; a file of tests may have its own."""
    return Timing()


@pytest.fixture
async def elsewhere(redis: Redis, valkey: str, timing: Timing) -> AsyncIterator[World]:
    """A world in which no bot runs yet."""
    async with local_telegram(redis, valkey, timing=timing) as world:
        yield world


@pytest.fixture
async def world(elsewhere: World) -> AsyncIterator[World]:
    """A world with the whole application running in it."""
    async with running(elsewhere.settings):
        yield elsewhere
