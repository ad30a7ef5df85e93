"""A rolling restart: four processes, each replaced in turn while people go on talking."""

import asyncio
import os
import random
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from bot.background import beside
from storage.timing import Timing
from tests.crash.process import connected
from tests.crash.storm import rest
from tests.crash.verdict import Verdict, judge
from tests.crash.world import World, world
from tests.forms import FORMS

PROCESSES = 4
CHATS = range(1, 31)
MODEL_SECONDS = (0.5, 3.0)
PATIENCE = 60.0
IN_TIME = Timing().grace
"""Seconds in which each question must be answered, whatever is being restarted."""


@dataclass(slots=True)
class Roll:
    """What a restart did: its verdict, and how many seconds each question waited."""

    verdict: Verdict = field(default_factory=Verdict)
    waits: list[float] = field(default_factory=list)


async def restart(form: str) -> Roll:
    """Replace every process once, with everything as in real life."""
    roll, codes = Roll(), list[int | None]()
    async with FORMS[form]() as server:
        storage = {"REDIS_URL": server.url}
        with tempfile.TemporaryDirectory() as folder:
            async with world(storage, MODEL_SECONDS) as place, connected(server.url) as redis:
                living = [await _start(place, Path(folder)) for _ in range(PROCESSES)]
                async with beside(*(_talk(place, chat, roll) for chat in CHATS)):
                    for old in list(living):
                        await asyncio.sleep(2)
                        living.append(await _start(place, Path(folder)))
                        await asyncio.sleep(2)  # as a readiness probe would wait for it
                        codes.append(await _stop(old))
                        living.remove(old)
                    await asyncio.sleep(2)
                await rest(place, redis)
                roll.verdict = await judge(place, redis)
                codes += await asyncio.gather(*map(_stop, living))
    if any(codes):
        roll.verdict.others.append(f"processes ended with {codes}")
    return roll


async def _talk(place: World, chat: int, roll: Roll) -> None:
    """Ask one question after another."""
    while True:
        await asyncio.sleep(random.uniform(0, 1))
        asked = time.monotonic()
        place.ask(chat)
        await place.answered(chat, PATIENCE)
        roll.waits.append(time.monotonic() - asked)


async def _start(place: World, folder: Path) -> asyncio.subprocess.Process:
    """Start a process, and wait until it says that it has begun."""
    environment = os.environ | place.environment | {"PYTHONPATH": str(Path(__file__).parents[2])}
    told, begun = folder / "log", _begun(folder)
    with told.open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "run", cwd=folder, env=environment, stderr=log
        )
    async with asyncio.timeout(PATIENCE):
        while _begun(folder) == begun:  # noqa: ASYNC110 - the log is a file
            await asyncio.sleep(0.05)
    return process


def _begun(folder: Path) -> int:
    told = folder / "log"
    return told.read_bytes().count(b'"event": "health"') if told.exists() else 0


async def _stop(process: asyncio.subprocess.Process) -> int | None:
    process.terminate()
    return await process.wait()
