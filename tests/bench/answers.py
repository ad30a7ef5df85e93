"""What an answer takes and costs, beside the floor: the bot's calls in a bare loop, `floor`.

The bot and the floor run as a process of their own, Telegram and the model here.
"""

import asyncio
import os
import random
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from redis.asyncio import Redis

from storage.server.connect import connect
from tests.bench.figures import cpu_ms, scripts_run
from tests.bench.upstream import TOKEN, Question, Upstream
from tests.valkey import own_valkey

BOT = ("-m", "bot", "run")
FLOOR = ("-m", "tests.bench.floor")


@dataclass(frozen=True, slots=True)
class Figures:
    """What one contender took, in ms: per answer, the model's time taken out."""

    median: float
    p95: float
    first: float
    cpu: float
    calls: float
    scripts: float


@dataclass(frozen=True, slots=True)
class Cost:
    """What questions took, each: ms of CPU, calls of the Bot API, scripts in Redis."""

    asked: list[Question]
    cpu: float
    calls: float
    scripts: float


class Run:
    """A contender at work."""

    def __init__(self, upstream: Upstream, pid: int, redis: Redis) -> None:
        self.upstream = upstream
        self.pid = pid
        self.redis = redis

    async def volley(self, chats: int) -> list[Question]:
        """Let so many chats ask at the same moment; returns when all are answered."""
        return await asyncio.gather(*map(self.upstream.ask, range(1, chats + 1)))

    async def stream(self, chats: int, rounds: int) -> list[Question]:
        """Let so many chats begin within a second, and ask again as soon as they are answered."""

        async def begin(chat: int) -> list[Question]:
            await asyncio.sleep(random.uniform(0, 1))
            return [await self.upstream.ask(chat) for _ in range(rounds)]

        talks = await asyncio.gather(*map(begin, range(1, chats + 1)))
        return [question for talk in talks for question in talk]

    async def cost(self, talking: Awaitable[list[Question]]) -> Cost:
        """Say what it costs to answer."""
        before = await self.spent()
        asked = await talking
        spent = zip(before, await self.spent(), strict=True)
        return Cost(asked, *((after - before) / len(asked) for before, after in spent))

    async def spent(self) -> tuple[float, float, float]:
        """CPU so far, in ms, calls of the Bot API, and scripts."""
        return cpu_ms(self.pid), self.upstream.calls, await scripts_run(self.redis)


async def measure(seconds: float, chats: int, rounds: int, arguments: Sequence[str]) -> Figures:
    """Let chats talk to a contender for a while, and take its figures."""
    async with running(seconds, arguments) as run:
        await run.stream(chats, 1)  # connections opened, code warm
        cost = await run.cost(run.stream(chats, rounds))
    added = sorted(added_ms(cost.asked))
    return Figures(
        statistics.median(added),
        added[int(0.95 * len(added))],
        statistics.median(first_ms(cost.asked)),
        cost.cpu,
        cost.calls,
        cost.scripts,
    )


def added_ms(asked: Iterable[Question]) -> list[float]:
    """Return what was added to the model's own time, for each question."""
    return [1000 * (q.requested - q.said + q.answered - q.finished) for q in asked]


def first_ms(asked: Iterable[Question]) -> list[float]:
    """Return the time from the model's first line to the first text shown, for each question."""
    return [1000 * (q.shown - q.began) for q in asked]


@asynccontextmanager
async def running(seconds: float, arguments: Sequence[str]) -> AsyncIterator[Run]:
    """Run a contender with a Redis of its own; an answer takes the model ``seconds``."""
    upstream = Upstream(seconds)
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(own_valkey())
        redis = connect(server.url, connections=1)
        stack.push_async_callback(redis.aclose)
        url = await stack.enter_async_context(upstream.serving())
        more = {"LANES": "1000", "COMPLETION_CONCURRENCY": "1000", "REDIS_URL": server.url}
        serving = contender(url, sys.executable, *arguments, **more)
        process = await stack.enter_async_context(serving)
        yield Run(upstream, process.pid, redis)


@asynccontextmanager
async def contender(
    url: str, *command: str, **more: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run one against the Telegram and the model at ``url``, with ``more`` settings."""
    root = str(Path(__file__).parents[2])
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {
            "PYTHONPATH": root,
            "TELEGRAM_TOKEN": TOKEN,
            "TELEGRAM_API_URL": url,
            "COMPLETION_URL": url,
            "FOLDER_ID": "f",
            "API_KEY": "k",
            "LISTEN": "127.0.0.1:0",
            "LANES": "200",
            "COMPLETION_CONCURRENCY": "200",
        }
        environment |= more
        process = await asyncio.create_subprocess_exec(
            *command, cwd=folder, env=environment, stderr=asyncio.subprocess.DEVNULL
        )
        try:
            async with asyncio.TaskGroup() as tasks:
                watching = tasks.create_task(_alive(process, command))
                yield process
                watching.cancel()
        finally:
            if process.returncode is None:
                process.terminate()
                await process.wait()


async def _alive(process: asyncio.subprocess.Process, command: Sequence[str]) -> None:
    """Raise when a contender ends, or all would wait for it for ever."""
    raise RuntimeError(f"{command} ended with {await process.wait()}")
