"""The pace against a model, to the millisecond: what is noted, and what comes of it.

What is noted as of a time to come counts from that time, whatever the clock says: so the server's
clock has no part in it.
"""

import itertools
import time
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from storage import keys
from storage.server.script import Script

CHAT, WORTH = 5, 5000
HOUR = 3_600_000
_bot_ids = itertools.count(8_430_000)


@dataclass(frozen=True)
class Pace:
    """Milliseconds from now on: what is spent, and until when a chat is frozen, and slow."""

    spent: int = 0
    group: int = 0
    frozen: int = 0
    wide: int = 0


def limits(*bounds: int) -> st.SearchStrategy[int]:
    """Any number, and those around what makes a difference."""
    near = [bound + step for bound in bounds for step in (-1, 0, 1) if bound + step >= 0]
    return st.sampled_from(near) | st.integers(0, 2 * max(bounds))


paces = st.builds(
    Pace,
    limits(0, 1100, 2200, 20 * 1100, 20 * 2200),
    limits(0, 2 * 4000, 4 * 4000, 20 * 4000),
    limits(0, 0, 0, WORTH),
    limits(0, 60_000),
)
overall = limits(0, 9 * 50, 20 * 50, 100 * 50)
ends = limits(0, 20 * 50)
acts = st.sampled_from(["shed", "wait", "end"])


def taken(
    act: str, pace: Pace, spent: int, ends: int, *, group: bool
) -> tuple[int, Pace, int, int]:
    """What a call gives, and what is noted then of its chat, of all, and of all ends."""
    interval = 2200 if pace.wide else 1100
    waits = [pace.frozen]
    if act != "end":
        waits += [pace.spent - interval, spent - 450]
        if group:
            waits.append(pace.group - (8000 if act == "shed" else 16_000))
    wait = max(waits)
    if act == "shed" and wait > 0:
        return -1, pace, spent, ends
    if pace.frozen > WORTH:
        return -pace.frozen, pace, spent, ends

    def more(before: int, step: int) -> int:
        if act == "end" and before > 20 * step:
            return before
        return max(before, pace.frozen) + step

    after = replace(pace, spent=more(pace.spent, interval))
    if group:
        after = replace(after, group=more(pace.group, 4000))
    if act != "end":
        return wait, after, spent + 50, ends
    counted = 50 if ends < 1000 else 0
    return wait, after, spent + counted, ends + counted


class Server:
    """What is noted on a server."""

    def __init__(self, redis: Redis) -> None:
        self.redis, self.id = redis, next(_bot_ids)
        self.began = time.monotonic()
        self.of_chat, self.of_all = keys.pace(self.id, CHAT), keys.pace_of_all(self.id)

    async def note(self, pace: Pace, spent: int, ends: int = 0) -> None:
        """Note it as of an hour from now."""
        seconds, _ = await self.redis.time()
        at = seconds * 1000 + HOUR
        fields = {"at": at} | {name: at + left for name, left in vars(pace).items()}
        await self.redis.hset(self.of_chat, mapping=fields)
        await self.redis.hset(
            self.of_all, mapping={"at": at, "spent": at + spent, "ends": at + ends}
        )

    async def noted(self, key: str) -> dict[str, int]:
        """What is noted now, from the time of noting on."""
        raw: Any = await self.redis.hgetall(key)
        found = {name: int(float(value)) for name, value in raw.items()}
        seconds, _ = await self.redis.time()
        assert abs(found["at"] - seconds * 1000) < 10_000
        return {name: value - found["at"] for name, value in found.items() if name != "at"}

    async def lasts(self, key: str, milliseconds: int) -> bool:
        """Tell whether a note was made for so long, since this test began."""
        left = int(await self.redis.pttl(key))
        elapsed = 1000 * (time.monotonic() - self.began)
        return left <= milliseconds <= left + elapsed + 1


several = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.slow
@several
@given(act=acts, pace=paces, spent=overall, ends=ends, group=st.booleans())
@example(act="end", pace=Pace(frozen=WORTH), spent=0, ends=0, group=True)
@example(act="end", pace=Pace(22_000, 80_000), spent=2000, ends=1000, group=True)
@example(act="end", pace=Pace(22_001, 80_001), spent=2000, ends=999, group=True)
@example(act="end", pace=Pace(44_000, wide=1), spent=0, ends=0, group=False)
@example(act="end", pace=Pace(44_001, wide=1), spent=0, ends=0, group=False)
@example(act="shed", pace=Pace(1101), spent=0, ends=0, group=False)
@example(act="shed", pace=Pace(group=8001), spent=0, ends=0, group=True)
@example(act="wait", pace=Pace(group=16_001), spent=0, ends=0, group=True)
async def test_a_place(
    redis: Redis, act: str, pace: Pace, spent: int, ends: int, *, group: bool
) -> None:
    """It comes when the model says; all budgets are spent as the model says."""
    server = Server(redis)
    await server.note(pace, spent, ends)
    wait = await Script(redis, "pace")([server.of_chat, server.of_all], [act, int(group), WORTH])
    expected, after, spent_after, ends_after = taken(act, pace, spent, ends, group=group)
    assert wait == expected
    assert vars(after).items() <= (await server.noted(server.of_chat)).items()
    of_all = await server.noted(server.of_all)
    assert (of_all["spent"], of_all["ends"]) == (spent_after, ends_after)
    if wait >= 0:
        assert await server.lasts(server.of_chat, max(vars(after).values()) + 1000)
        assert await server.lasts(server.of_all, spent_after + 1000)


@pytest.mark.slow
@several
@given(paces, limits(0, 1000), st.integers(0, 5000))
async def test_a_freeze(redis: Redis, pace: Pace, seconds: int, wide: int) -> None:
    """It is made no shorter, and what else is noted stays."""
    server = Server(redis)
    await server.note(pace, 0)
    assert await Script(redis, "freeze")([server.of_chat], [seconds, wide]) == max(
        pace.frozen, seconds
    )
    frozen = max(pace.frozen, seconds)
    after = replace(pace, frozen=frozen, wide=frozen + wide)
    assert await server.noted(server.of_chat) == vars(after)
    assert await server.lasts(server.of_chat, max(vars(after).values()) + 1000)


@pytest.mark.slow
@several
@given(paces)
async def test_a_question(redis: Redis, pace: Pace) -> None:
    """Asked whether it is frozen, a chat says so, and nothing changes."""
    server = Server(redis)
    await server.note(pace, 0)
    assert await Script(redis, "freeze")([server.of_chat]) == pace.frozen
    assert await server.noted(server.of_chat) == vars(pace)


@pytest.mark.parametrize("name", ["pace", "freeze"])
@pytest.mark.parametrize("odd", [False, True])
async def test_nothing_is_noted(redis: Redis, name: str, *, odd: bool) -> None:
    """A chat that nobody wrote to is free, and so is one whose note somebody has written over."""
    server = Server(redis)
    if odd:
        await redis.set(server.of_chat, "odd")
        await redis.rpush(server.of_all, "odd")
    arguments: list[str | int] = ["shed", 1, WORTH] if name == "pace" else []
    assert await Script(redis, name)([server.of_chat, server.of_all], arguments) == 0


async def test_time_goes_by(redis: Redis) -> None:
    """What is noted as of now is less a while later, by the server's own clock."""
    server = Server(redis)
    began = await redis.time()
    await Script(redis, "freeze")([server.of_chat], [60_000, 0])
    for _ in range(20):
        left = await Script(redis, "freeze")([server.of_chat])
        now = await redis.time()
        assert 0 <= 60_000 - left <= (now[0] - began[0]) * 1000 + (now[1] - began[1]) / 1000 + 1
    wait = await Script(redis, "pace")([server.of_chat, server.of_all], ["end", 0, 60_000])
    assert 0 < wait <= left
