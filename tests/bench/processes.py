"""Two processes against one, on the same machine: answers a second, and what idleness costs.

The model answers at once, so that it is the bot that is measured; Redis, Telegram and the model
share the two cores with it.
"""

import asyncio
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass

from redis.asyncio import Redis

from storage.server.connect import connect
from tests.bench.answers import contender
from tests.bench.figures import cpu_ms
from tests.bench.upstream import Upstream
from tests.valkey import own_valkey

CHATS, SECONDS, IDLE_SECONDS = 200, 10.0, 10.0


@dataclass(frozen=True, slots=True)
class Figures:
    """Answers a second; and of an idle second: ms of CPU of all processes, calls to Redis."""

    answers: float
    cpu: float
    idle_cpu: float
    idle_calls: float


async def processes() -> None:
    """Measure, and print."""
    one, two = await _measure(1), await _measure(2)
    print(f"{CHATS} chats, a model that answers at once")
    print(f"{'':34}{'1 process':>12}{'2 processes':>13}{'ratio':>8}")
    for name, first, second in (
        ("answers/s", one.answers, two.answers),
        ("CPU of the bot per answer, ms", one.cpu, two.cpu),
        ("idle: CPU per second, ms", one.idle_cpu, two.idle_cpu),
        ("idle: calls to Redis per second", one.idle_calls, two.idle_calls),
    ):
        print(f"{name:34}{first:12.2f}{second:13.2f}{second / first:8.2f}")


async def _measure(number: int) -> Figures:
    upstream = Upstream(0.0, lines=1)
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(own_valkey())
        url = await stack.enter_async_context(upstream.serving())
        pids = []
        for _ in range(number):
            bot = contender(url, sys.executable, "-m", "bot", "run", REDIS_URL=server.url)
            pids.append((await stack.enter_async_context(bot)).pid)
        redis = connect(server.url, connections=1)
        stack.push_async_callback(redis.aclose)
        await _talk(upstream, 2.0)  # connections opened, code warm
        before = sum(map(cpu_ms, pids))
        answered = await _talk(upstream, SECONDS)
        cpu = (sum(map(cpu_ms, pids)) - before) / answered
        await asyncio.sleep(3)
        idle, calls = sum(map(cpu_ms, pids)), await _calls(redis)
        await asyncio.sleep(IDLE_SECONDS)
        idle_cpu = (sum(map(cpu_ms, pids)) - idle) / IDLE_SECONDS
        idle_calls = (await _calls(redis) - calls) / IDLE_SECONDS
    return Figures(answered / SECONDS, cpu, idle_cpu, idle_calls)


async def _talk(upstream: Upstream, seconds: float) -> int:
    """Let all chats ask, each again when it is answered; how many answers came."""
    ends, answered = time.monotonic() + seconds, 0

    async def talk(chat: int) -> None:
        nonlocal answered
        while time.monotonic() < ends:
            await upstream.ask(chat)
            answered += 1

    await asyncio.gather(*(talk(chat) for chat in range(1, CHATS + 1)))
    return answered


async def _calls(redis: Redis) -> int:
    return int((await redis.info("stats"))["total_commands_processed"])
