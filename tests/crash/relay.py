"""A process that dies, or freezes, at a step of its work, and another that goes on."""

import asyncio
import shutil
import signal
import tempfile
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

from tests.crash.launch import LEASE, Boundary, Fate
from tests.crash.process import BotProcess
from tests.crash.verdict import Verdict
from tests.crash.world import World
from tests.forms import FORMS

AT_ONCE = 4
PATIENCE = 40.0
WAKING_SECONDS = LEASE
"""In which one that was frozen may do what it should not."""


async def all_fates(
    boundaries: Iterable[Boundary],
    halt: signal.Signals,
    form: str,
    passing: Callable[[Fate, str, Path], Awaitable[Verdict]],
) -> list[Verdict]:
    """Pass through all boundaries, some at once, each with a bot of its own, on one server."""
    folder = Path(tempfile.mkdtemp(prefix="crash-"))
    some = asyncio.Semaphore(AT_ONCE)

    async def one(fate: Fate) -> Verdict:
        async with some:
            return await passing(fate, server.url, folder)

    async with FORMS[form]() as server:
        verdicts = await asyncio.gather(*(one(Fate(boundary, halt)) for boundary in boundaries))
    if not any(verdict.faults for verdict in verdicts):
        shutil.rmtree(folder)
    return verdicts


async def handed_on(
    first: BotProcess,
    place: World,
    folder: Path,
    fate: Fate,
    done: Callable[[], Awaitable[None]],
    judge: Callable[[], Awaitable[Verdict]],
) -> Verdict:
    """Let ``first`` meet its fate and another go on until all is ``done``; judge that."""
    try:
        async with asyncio.timeout(PATIENCE):
            await first.halted()
    except TimeoutError:
        first.kill()
        return Verdict(others=[f"{fate.boundary}: never reached"])
    second = BotProcess(place.environment, folder)
    await done()
    frozen = fate.signal == signal.SIGSTOP
    if frozen:
        first.thaw()
        await asyncio.sleep(WAKING_SECONDS)
    verdict = await judge()
    for process in (first, second) if frozen else (second,):
        if await process.stop() != 0:
            verdict.others.append("a process did not stop as asked")
    verdict.others[:] = [f"{fate.boundary}: {fault}" for fault in verdict.others]
    return verdict


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait until it is so."""
    async with asyncio.timeout(PATIENCE):
        while not await condition():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.05)
