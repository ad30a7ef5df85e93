"""Two machines, each with its own ways to everything; one is cut off, and healed."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest

from bot.app import running
from storage.message import Message
from storage.server.connect import connect
from storage.timing import Timing
from tests.conftest import local_telegram
from tests.faults.conftest import LEASE
from tests.faults.proxy import Proxy
from tests.faults.talk import Talk, storage_through
from tests.valkey import own_valkey

CHATS = range(301, 313)


class Slow:
    """Words that repeat the question, slowly enough to be cut in the midst of it."""

    async def answer(
        self, messages: Sequence[Message], *, temperature: float, max_tokens: int
    ) -> AsyncIterator[str]:
        for piece in ("ec", "ho: ", messages[-1].text):
            await asyncio.sleep(LEASE / 6)
            yield piece


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine at an address of its own: its way to Redis, and to Telegram and the model."""

    to_redis: Proxy
    to_the_rest: Proxy

    @contextlib.asynccontextmanager
    async def cut_off(self, *, wholly: bool) -> AsyncIterator[None]:
        """Let nothing through; unless ``wholly``, the way to Telegram stays open."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.to_redis.stalled())
            if wholly:
                await stack.enter_async_context(self.to_the_rest.stalled())
            yield


@pytest.fixture
async def talk(timing: Timing) -> AsyncIterator[Talk]:
    """People whose bot is to be started, with a server that nobody else uses."""
    async with own_valkey() as server:
        redis = connect(server.url, connections=8)
        async with local_telegram(redis, server.url, Slow(), timing) as world:
            yield Talk(world)
        await redis.aclose()


@pytest.fixture
async def machines(talk: Talk) -> AsyncIterator[list[Machine]]:
    """Two machines on which the bot runs."""
    settings = talk.world.settings
    assert settings.redis_url
    async with AsyncExitStack() as stack:
        found = []
        for host in ("127.0.0.2", "127.0.0.3"):
            ways = [
                await stack.enter_async_context(Proxy(target, host).running())
                for target in (settings.redis_url.get_secret_value(), settings.telegram_api_url)
            ]
            found.append(Machine(*ways))
            rest = f"http://{host}:{ways[1].port}"
            there = {"telegram_api_url": rest, "completion_url": rest, "lanes": len(CHATS) // 2}
            bot = storage_through(settings, ways[0]).model_copy(update=there)
            await stack.enter_async_context(running(bot))
        yield found


@pytest.mark.parametrize("wholly", [True, False])
async def test_one_is_cut_off(talk: Talk, machines: list[Machine], wholly: bool) -> None:
    """The other goes on with its chats; healed, it breaks nothing, in whatever it was."""
    for number, machine in enumerate(machines):
        talk.ask(*CHATS)
        await asyncio.sleep(LEASE / 4)
        async with machine.cut_off(wholly=wholly):
            talk.ask(*CHATS)
            await asyncio.sleep(LEASE * (1.5 if number % 2 else 3))
            talk.ask(*CHATS)
        await asyncio.sleep(LEASE / 2)
    await talk.answered()
    # What it was sending when it was cut off may come twice: once in each chat, at each cut.
    await talk.check(repeats=len(CHATS) * len(machines))
