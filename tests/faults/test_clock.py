"""The clock of Redis steps, forward or back, by an hour: nobody waits for it, nothing is lost."""

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.app import running
from bot.playground.yandex.replies import Say
from storage import keys
from storage.arrivals import GROUP
from storage.budget import Budget
from storage.lease import Lease
from storage.places import Places
from storage.server.connect import connect
from storage.timing import Timing
from tests.conftest import ANN, BORIS, changed, local_telegram
from tests.faults.conftest import HURRIED, LEASE
from tests.faults.talk import Talk, until
from tests.valkey import own_valkey

HOUR = 3600
LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
_bot_ids = itertools.count(9_600_000)

pytestmark = pytest.mark.skipif(
    not LIBRARY, reason="NO faketime IS INSTALLED HERE: no clock is stepped"
)


class Clock:
    """The clock of a server, which can be stepped while it runs."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "offset"
        self._write(0)
        # Only the time of day: no step moves the other clocks of a machine.
        self.environment = {
            "LD_PRELOAD": str(LIBRARY),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        self.server: Redis

    async def set(self, seconds: int) -> None:
        """Let it be so many seconds fast; returns when the server goes by that."""
        self._write(seconds)

        async def is_so() -> bool:
            now, _ = await self.server.time()
            return abs(now - time.time() - seconds) < HOUR / 2

        await until(is_so)

    def _write(self, seconds: int) -> None:
        new = self._file.with_suffix(".new")
        new.write_text(f"{seconds:+d}")
        new.replace(self._file)


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    """A clock that is right."""
    return Clock(tmp_path)


@pytest.fixture
async def redis(clock: Clock) -> AsyncIterator[Redis]:
    """A client of a server that goes by that clock."""
    async with own_valkey(environment=clock.environment) as server:
        clock.server = connect(server.url, connections=16)
        yield clock.server
        await clock.server.aclose()


@pytest.fixture
async def talk(redis: Redis, timing: Timing) -> AsyncIterator[Talk]:
    """People, and a bot that is to be started, on that server."""
    path = redis.connection_pool.connection_kwargs["path"]
    async with local_telegram(redis, f"unix://{path}", timing=timing) as world:
        yield Talk(world)


async def test_a_claim_of_the_dead(talk: Talk, redis: Redis, clock: Clock) -> None:
    """It was made in what is the future now; a lease after the step it ends all the same."""
    world, ready = talk.world, keys.ready(talk.world.bot_id)
    await clock.set(HOUR)
    async with running(world.settings.model_copy(update={"role": "intake"})):
        await redis.xgroup_create(ready, GROUP, "0", mkstream=True)
        talk.ask(ANN)
        await until(lambda: redis.xlen(ready))
    async with _claimed_by_the_dead(redis, ready) as dying, running(world.settings):
        talk.ask(BORIS)
        await world.hears(BORIS)  # by who has looked at the clock now
        assert not world.said(ANN)
        dying.set()
        await clock.set(0)
        await talk.answered()
    await talk.check()


@contextlib.asynccontextmanager
async def _claimed_by_the_dead(redis: Redis, ready: str) -> AsyncIterator[asyncio.Event]:
    """Claim a lane, and renew the claim until the event is set."""
    found: Any = await redis.xreadgroup(GROUP, "the dead", {ready: ">"}, count=1)
    ((entry, _),) = found[ready]
    dying = asyncio.Event()

    async def live() -> None:
        while not dying.is_set():
            await redis.xclaim(ready, GROUP, "the dead", 0, [entry], justid=True)
            await asyncio.sleep(LEASE / 8)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(live())
        yield dying


@pytest.mark.parametrize("steps", [(HOUR,), (-HOUR,), (HOUR, 0, -HOUR, 0)])
async def test_a_step_while_answers_grow(talk: Talk, clock: Clock, steps: tuple[int, ...]) -> None:
    """Two processes, whose claims all look stale or as if they had just been made."""
    world = talk.world
    settings = changed(world.settings, late=3 * HOUR)  # else all are told that it takes longer
    people = range(201, 205)
    world.model.script(*[Say("echo: question 0", steps=6, delay=0.3) for _ in people])
    async with running(settings), running(changed(settings, role="worker")):
        talk.ask(*people)
        await until(lambda: len(world.bodies()) == len(people))
        for step in steps:
            await clock.set(step)
            await asyncio.sleep(0.3)
        await talk.answered()
        talk.ask(*people)
        await talk.answered()
    await talk.check()


async def test_a_frozen_chat(redis: Redis, clock: Clock) -> None:
    """A freeze, and what was spent, end when they would have without the step back."""
    budget, long, short = Budget(redis, next(_bot_ids)), 5, 6
    await clock.set(HOUR)
    for chat, seconds in ((long, 5), (short, 1)):
        for _ in range(3):
            await budget.take(chat, "end")
        await budget.freeze(chat, seconds)
    await clock.set(0)
    assert 0 < await budget.frozen(long) <= 5
    assert 0 < (await budget.take(long, "wait") or 0) < 10

    async def thawed() -> bool:
        return await budget.frozen(short) == 0

    await until(thawed, 60)
    assert (await budget.take(short, "wait") or 0) < 10


async def test_places_of_the_dead(redis: Redis, clock: Clock) -> None:
    """Those of a process that died before the step back are free; those that are held stay so."""
    key, long = keys.generations(next(_bot_ids)), replace(HURRIED, lease=60)
    await clock.set(HOUR)
    async with Places(redis, key, 1, "dead", long).place():
        await clock.set(0)
        async with asyncio.timeout(30), Places(redis, key, 1, "living", long).place():
            waiting = asyncio.create_task(_enter(Places(redis, key, 1, "other", long)))
            await asyncio.sleep(LEASE / 4)
            assert not waiting.done()
            waiting.cancel()


async def _enter(places: Places) -> None:
    async with places.place():
        pass


async def test_the_lease_of_a_dead_leader(redis: Redis, clock: Clock) -> None:
    """It ends a lease after the step back, not an hour after it."""
    key = keys.poller(next(_bot_ids))
    await clock.set(HOUR)
    assert await redis.set(key, "the dead", px=int(LEASE * 1000))
    await clock.set(0)
    async with asyncio.timeout(60), Lease(redis, key, "living", HURRIED).leading():
        assert await redis.get(key) == "living"
