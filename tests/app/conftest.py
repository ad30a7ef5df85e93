"""Two processes of the bot, of which one after the other dies or freezes at some instant."""

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage import keys
from tests.conftest import World
from tests.crash.process import BotProcess

LONGEST_FREEZE = 3.0
"""Seconds; some freezes end before the lease, which is 2 s here, and some after it."""


class Pair:
    """Two processes, each brought back when it dies."""

    def __init__(self, world: World, folder: Path, environment: dict[str, str]) -> None:
        self._world = world
        self._made = environment, folder
        self._chance = random.Random(14)
        self._processes = [BotProcess(*self._made) for _ in range(2)]

    async def strike(self) -> None:
        """At some instant soon, let one die, or freeze for a while."""
        chance = self._chance
        await asyncio.sleep(chance.uniform(0, 0.3))
        victim = chance.randrange(2)
        process = self._processes[victim]
        if chance.random() < 0.5:
            process.kill()
            await process.ended()
            self._processes[victim] = BotProcess(*self._made)
        else:
            process.freeze()
            await asyncio.sleep(chance.uniform(0, LONGEST_FREEZE))
            process.thaw()

    async def finish(self) -> None:
        """Wait until nothing waits any more, at Telegram or in Redis, and stop both."""
        world, ready = self._world, keys.ready(self._world.bot_id)
        async with asyncio.timeout(60):
            while len(world.room.updates) or await world.redis.xlen(ready):  # noqa: ASYNC110
                await asyncio.sleep(0.1)  # Redis tells nobody
        await self.stop()

    async def stop(self) -> None:
        """Stop both."""
        for process in self._processes:
            await process.stop()


@pytest.fixture
def environment() -> dict[str, str]:
    """What else the processes are told; a file of tests may have its own."""
    return {}


@pytest.fixture
async def pair(
    elsewhere: World, tmp_path: Path, environment: dict[str, str]
) -> AsyncIterator[Pair]:
    """Two processes in the world."""
    made = Pair(elsewhere, tmp_path, elsewhere.environment | environment)
    yield made
    await made.stop()
