"""Places that processes share; two `Places` on one key are two processes in miniature."""

import asyncio
import itertools
from contextlib import AsyncExitStack

import pytest
from redis.asyncio import Redis

from bot.background import beside
from storage import keys
from storage.places import Places
from storage.server.connect import connect
from storage.timing import Timing
from tests.valkey import own_valkey

_bot_ids = itertools.count(8_200_000)

OFTEN = Timing(place_look=0.01)
BRIEF = Timing(place_look=0.01, lease=0.03, storage_pauses=(0.02,))
"""Leases so short that those held are renewed a hundred times a second."""


@pytest.fixture
def key() -> str:
    """A key of the test's own."""
    return keys.generations(next(_bot_ids))


async def test_the_bound_holds_over_all_processes(redis: Redis, key: str) -> None:
    """Never more than the number, and all have their turn."""
    here, there = (Places(redis, key, 3, name, OFTEN) for name in ("here", "there"))
    inside, most, done = 0, 0, 0
    full = asyncio.Event()

    async def work(shared: Places) -> None:
        nonlocal inside, most, done
        async with shared.place():
            inside += 1
            most = max(most, inside)
            if inside == 3:
                full.set()
            await full.wait()
            await asyncio.sleep(0.002)
            inside -= 1
            done += 1

    await asyncio.gather(*(work(shared) for shared in (here, there) * 15))
    assert (most, done) == (3, 30)
    assert not await redis.exists(key)


async def test_the_places_of_the_dead_are_free(redis: Redis, key: str) -> None:
    """A lease that ended holds nobody up; nor does one of a future that the clock took back."""
    now, _ = await redis.time()
    await redis.zadd(key, {"dead": now - 1, "dead before the clock went back": now + 3600})
    async with asyncio.timeout(5), Places(redis, key, 1, "here").place():
        assert await redis.zcard(key) == 1


async def test_a_process_that_comes_back_has_its_places(redis: Redis, key: str) -> None:
    """What it held when it was killed holds up others, but not itself."""
    async with (
        Places(redis, key, 2, "here").place(),
        Places(redis, key, 2, "there").place(),  # killed now, for all that Redis knows
        asyncio.timeout(5),
        Places(redis, key, 2, "there").place(),
    ):
        assert await redis.zcard(key) == 2


async def test_a_key_of_another_type(redis: Redis, key: str) -> None:
    """What somebody has written over holds up nobody."""
    await redis.set(key, "odd")
    async with asyncio.timeout(5), Places(redis, key, 1, "here").place():
        assert await redis.zcard(key) == 1


async def test_a_living_place_is_waited_for(redis: Redis, key: str) -> None:
    """Who comes later waits until the place is given back."""
    entered = asyncio.Event()

    async def come() -> None:
        async with Places(redis, key, 1, "there", OFTEN).place():
            entered.set()

    async with Places(redis, key, 1, "here").place():
        coming = asyncio.create_task(come())
        await asyncio.sleep(0.05)
        assert not entered.is_set()
    await asyncio.wait_for(coming, 5)


async def test_leases_are_renewed(redis: Redis, key: str) -> None:
    """What is held stays held however long it takes."""
    shared = Places(redis, key, 2, "here", BRIEF)
    async with shared.place(), shared.place(), beside(shared.renewing()), asyncio.timeout(5):
        for _ in range(3):
            now, _ = await redis.time()
            await redis.zadd(key, dict.fromkeys(("here:0", "here:1"), now + 0.01))
            while await redis.zcount(key, now + 0.02, "+inf") < 2:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.005)
    assert not await redis.exists(key)


async def test_what_is_given_back_is_not_renewed(
    redis: Redis, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A place given back while others are being renewed is not taken again."""
    shared = Places(redis, key, 2, "here", BRIEF)
    second, renew = shared.place(), shared._try
    renewals: list[str] = []

    async def give_back_meanwhile(token: str) -> bool:
        if not renewals and shared._held:
            renewals.append(token)
            for other in shared._held - {token}:
                shared._held.discard(other)
                await redis.zrem(key, other)
        return await renew(token)

    async with shared.place():
        await second.__aenter__()
        monkeypatch.setattr(shared, "_try", give_back_meanwhile)
        async with beside(shared.renewing()):
            while not renewals:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.005)
            await asyncio.sleep(0.02)
        assert await redis.zrange(key, 0, -1) == renewals
        await second.__aexit__(None, None, None)


async def test_what_was_given_back_is_not_renewed_later(
    redis: Redis, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is it in any round that comes after."""
    shared = Places(redis, key, 2, "here", BRIEF)
    first, rounds = shared.place(), asyncio.Queue[str]()

    async def noted(token: str) -> bool:
        rounds.put_nowait(token)
        return True

    await first.__aenter__()
    async with shared.place():
        await first.__aexit__(None, None, None)
        (token,) = await redis.zrange(key, 0, -1)
        monkeypatch.setattr(shared, "_try", noted)
        async with beside(shared.renewing()), asyncio.timeout(5):
            assert {await rounds.get() for _ in range(4)} == {token}
    assert not await redis.exists(key)


async def test_one_at_a_time_asks(redis: Redis, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of those who wait in one process the first asks, again and again, with a pause each time."""
    shared, other = (
        Places(redis, key, 2, name, Timing(place_look=7)) for name in ("here", "there")
    )
    asked, paused, occupy = asyncio.Queue[str](), list[float](), shared._try
    sleep = asyncio.sleep

    async def noted(token: str) -> bool:
        asked.put_nowait(token)
        return await occupy(token)

    async def pause(seconds: float) -> None:
        paused.append(seconds)
        await sleep(0.001)

    async def come() -> None:
        async with shared.place():
            pass

    async with asyncio.timeout(10), AsyncExitStack() as taken:
        for _ in range(2):
            await taken.enter_async_context(other.place())
        monkeypatch.setattr(shared, "_try", noted)
        monkeypatch.setattr(asyncio, "sleep", pause)
        coming = [asyncio.create_task(come()) for _ in range(2)]
        assert len({await asked.get() for _ in range(6)}) == 1
        assert paused == [7] * 5
        await taken.aclose()
        await asyncio.gather(*coming)


async def test_a_failure_gives_its_place_back(redis: Redis, key: str) -> None:
    """Whatever ends the block, the place is free."""
    with pytest.raises(ValueError, match="oops"):
        async with Places(redis, key, 1, "here").place():
            raise ValueError("oops")
    assert not await redis.exists(key)


async def test_who_gives_up_waiting_holds_nothing(redis: Redis, key: str) -> None:
    """A cancelled waiter leaves no place taken, even if it was just being given one."""
    shared, other = (Places(redis, key, 1, name, OFTEN) for name in ("here", "there"))
    occupy = other._try

    async def occupy_unheard(token: str) -> bool:
        if await occupy(token):
            await asyncio.sleep(60)  # the reply is under way
        return False

    async def come() -> None:
        async with other.place():
            pass

    async with shared.place():
        waiting = asyncio.create_task(come())
        await asyncio.sleep(0.03)
        waiting.cancel()
        await asyncio.wait([waiting])
        assert await redis.zcard(key) == 1
    other._try = occupy_unheard  # type: ignore[method-assign]
    waiting = asyncio.create_task(come())
    while not await redis.zcard(key):  # noqa: ASYNC110 - it tells no other way
        await asyncio.sleep(0.005)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert not await redis.exists(key)


async def test_without_storage_one_waits(key: str) -> None:
    """A place is neither refused nor given while storage is down, and holding one does not fail."""
    async with own_valkey() as server:
        client = connect(server.url, connections=4)
        shared, entered = Places(client, key, 2, "here", BRIEF), asyncio.Event()

        async def come() -> None:
            async with shared.place():
                entered.set()

        async with beside(shared.renewing()):
            async with shared.place():
                server.kill()
                coming = asyncio.create_task(come())
                await asyncio.sleep(0.1)
                assert not entered.is_set()
            await server.start()
            await asyncio.wait_for(coming, 10)
        await client.aclose()
