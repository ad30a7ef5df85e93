"""Every step in the life of a message: a process dies, or freezes, just before and after it.

Its successor goes on at once. One that was frozen wakes up when all is done, and has to find that
it is no longer wanted.
"""

import asyncio
import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from redis.asyncio import Redis

from tests.crash.launch import LEASE, TICK_SECONDS, Boundary, Fate
from tests.crash.process import BotProcess, connected
from tests.crash.storm import rest
from tests.crash.verdict import Verdict, judge
from tests.crash.world import World, world
from tests.forms import FORMS

CHAT = 1
AT_ONCE = 8
PATIENCE = 30.0
WAKING_SECONDS = LEASE
"""In which one that was frozen may do what it should not; it looks for its lanes more often."""
PACE_SECONDS = 2 * 1.1
"""What the three messages of the long answer wait for each other."""
IN_TIME = LEASE + 1.2 * TICK_SECONDS + 3.0 + PACE_SECONDS
"""Seconds from a death to the reply: the lease, the look that finds it, the work, the pace."""


@dataclass(frozen=True, slots=True)
class Price:
    """What a death costs: model calls for nothing, and messages sent twice."""

    model_calls: int = 0
    repeats: int = 0


FREE, ASKED_AGAIN, SENT_AGAIN = Price(), Price(model_calls=1), Price(repeats=1)
DEAREST = Price(model_calls=1, repeats=1)
"""For a frozen process; how far it comes before it is stopped is a matter of chance."""


Prices = tuple[Price, ...]


def _around(
    step: str, call: int = 1, *, before: Price | Prices, after: Price | Prices
) -> dict[Boundary, Prices]:
    prices = {Boundary(step, False, call): before, Boundary(step, True, call): after}
    return {at: (price,) if isinstance(price, Price) else price for at, price in prices.items()}


PRICES = {
    **_around("put", before=FREE, after=FREE),
    **_around("confirm", 2, before=FREE, after=FREE),
    **_around("hand over", before=FREE, after=FREE),
    **_around("open", before=FREE, after=FREE),
    # Beside it the answer begins to grow on Telegram; its number may not be noted yet.
    **_around("ask", before=FREE, after=(ASKED_AGAIN, DEAREST)),
    **_around("send", 1, before=ASKED_AGAIN, after=DEAREST),
    **_around("note", 1, before=DEAREST, after=ASKED_AGAIN),
    **_around("commit", before=ASKED_AGAIN, after=FREE),
    # The first answer has three pieces; that the last one was sent is noted by its being done.
    **_around("edit", 1, before=FREE, after=FREE),
    **_around("note", 2, before=FREE, after=FREE),
    **_around("send", 2, before=FREE, after=SENT_AGAIN),
    **_around("note", 3, before=SENT_AGAIN, after=FREE),
    **_around("send", 3, before=FREE, after=SENT_AGAIN),
    **_around("done", before=SENT_AGAIN, after=FREE),
    # The third reply makes the history forgotten.
    **_around("commit", 3, before=FREE, after=FREE),
}


@dataclass(frozen=True, slots=True)
class Passage:
    """What became of one boundary; ``recovery`` is in seconds, from the halt to the reply."""

    verdict: Verdict
    recovery: float


async def all_boundaries(halt: signal.Signals, form: str) -> list[Passage]:
    """Pass through them, some at once, each with a bot of its own."""
    folder = Path(tempfile.mkdtemp(prefix="crash-"))
    some = asyncio.Semaphore(AT_ONCE)

    async def one(fate: Fate) -> Passage:
        async with some:
            return await _pass(fate, server.url, folder)

    async with FORMS[form]() as server:
        passages = await asyncio.gather(*(one(Fate(boundary, halt)) for boundary in PRICES))
    if not any(passage.verdict.faults for passage in passages):
        shutil.rmtree(folder)
    return passages


async def _pass(fate: Fate, url: str, folder: Path) -> Passage:
    async with world({"REDIS_URL": url}) as place, connected(url) as redis:
        first = BotProcess(place.environment, folder, fate)
        succession = asyncio.create_task(_succession(first, place, folder))
        async with place.halt():
            replies = await _talk(place, redis)
            if not succession.done():
                succession.cancel()
                first.kill()
                return Passage(Verdict(others=[f"{fate.boundary}: never reached"]), 0.0)
            halted, second = succession.result()
            if fate.signal == signal.SIGSTOP:
                first.thaw()
                await asyncio.sleep(WAKING_SECONDS)
        verdict = await judge(place, redis)
        for process in (first, second) if fate.signal == signal.SIGSTOP else (second,):
            if await process.stop() != 0:
                verdict.others.append("a process did not stop as asked")
    recovery = min((reply for reply in replies if reply > halted), default=float("inf")) - halted
    _check(fate, verdict, recovery)
    return Passage(verdict, recovery)


async def _talk(place: World, redis: Redis) -> list[float]:
    """Say something of every kind, each when the one before is done; when they were answered."""
    replies = []
    acts: tuple[Callable[[], object], ...] = (
        lambda: place.ask(CHAT, at_length=True),
        lambda: place.ask(CHAT),
        lambda: place.reset(CHAT),
        lambda: place.ask(CHAT),
    )
    for act in acts:
        act()
        if await place.answered(CHAT, PATIENCE):
            replies.append(time.monotonic())
        await rest(place, redis)
    return replies


async def _succession(first: BotProcess, place: World, folder: Path) -> tuple[float, BotProcess]:
    """Let a process live until it halts; when that was, and another one that follows it."""
    await first.halted()
    return time.monotonic(), BotProcess(place.environment, folder)


def _check(fate: Fate, verdict: Verdict, recovery: float) -> None:
    """A death has its exact price; a frozen process, once awake, has at most the dearest."""
    found = Price(verdict.model_calls - verdict.questions, verdict.repeats)
    prices = PRICES[fate.boundary]
    if fate.signal == signal.SIGKILL and found not in prices:
        verdict.others.append(f"{found}, not {prices}")
    if found.model_calls > DEAREST.model_calls or found.repeats > DEAREST.repeats:
        verdict.others.append(f"{found} is too dear")
    if recovery > IN_TIME:
        verdict.others.append(f"recovered after {recovery:.1f} s")
    verdict.others[:] = [f"{fate.boundary}: {fault}" for fault in verdict.others]
