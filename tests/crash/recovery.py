"""How soon a question is answered after ``kill -9``; with everything as it is in real life."""

import asyncio
import contextlib
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

from storage.timing import Timing
from tests.crash.world import World, world
from tests.valkey import own_valkey

CHATS = range(1, 12)
"""More than may be answered at once by default."""
ROUNDS = 3
MODEL_SECONDS = (0.3, 0.5)
EMBEDDED_IN_TIME = 5.0
IN_TIME = 15.0
"""Seconds: a lease, the look that finds it ended, a start and an answer."""


async def embedded() -> list[float]:
    """Kill the only process at work, start it again; seconds from there to each answer."""
    times: list[float] = []
    with tempfile.TemporaryDirectory() as name:
        async with world({"DATA_DIR": f"{name}/data"}, MODEL_SECONDS) as place:
            for _ in range(ROUNDS):
                times += await _killed_at_work(place, Path(name))
    return times


async def one_lease() -> list[float]:
    """Do the same where the storage server lives on, and the process comes back as another."""
    with tempfile.TemporaryDirectory() as name:
        async with own_valkey() as server, contextlib.AsyncExitStack() as stack:
            settings = {"REDIS_URL": server.url}
            places = [
                await stack.enter_async_context(world(settings, MODEL_SECONDS))
                for _ in range(ROUNDS)
            ]
            found = await asyncio.gather(*(_killed_at_work(place, Path(name)) for place in places))
    return [seconds for times in found for seconds in times]


async def _killed_at_work(place: World, folder: Path) -> list[float]:
    before = len(place.model.asked)
    async with _bot(place, folder):
        for chat in CHATS:
            place.ask(chat)
        while len(place.model.asked) < before + 5:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.005)
    restarted = time.monotonic()
    place.ask(CHATS.stop)  # nobody is there to take this one in
    async with _bot(place, folder):

        async def wait(chat: int) -> float:
            await place.answered(chat, 2 * Timing().lease)
            return time.monotonic() - restarted

        return await asyncio.gather(*(wait(chat) for chat in (*CHATS, CHATS.stop)))


@contextlib.asynccontextmanager
async def _bot(place: World, folder: Path) -> AsyncIterator[None]:
    """Run ``python -m bot run``, with the usual number of places, and kill it in the end."""
    root = str(Path(__file__).parents[2])
    environment = os.environ | place.environment | {"PYTHONPATH": root}
    del environment["COMPLETION_CONCURRENCY"]
    with (folder / "log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "run", cwd=folder, env=environment, stderr=log
        )
    try:
        yield
    finally:
        process.kill()
        await process.wait()
