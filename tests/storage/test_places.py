"""Places that processes share; two `Places` on one key are two processes in miniature."""

import asyncio
import itertools
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import NoPermissionError

from bot.background import beside
from storage import keys
from storage.places import Places
from storage.server.connect import StorageRefused, connect
from storage.timing import Timing, clock
from tests.valkey import own_valkey

_bot_ids = itertools.count(8_200_000)

OFTEN = Timing(place_look=0.01)
BRIEF = Timing(place_look=0.01, lease=0.03, storage_pauses=(0.02,))
"""Leases so short that those held are renewed a hundred times a second."""


class Occupied:
    """What a process asks for; its replies are held back while ``go`` is not set."""

    def __init__(self, places: Places) -> None:
        self.go, self.times = asyncio.Event(), 0
        self.go.set()
        self._tokens = asyncio.Queue[list[str]]()
        self._occupy = places._occupy
        places._occupy = self  # type: ignore[assignment]

    async def __call__(self, names: list[str], arguments: list[Any]) -> Any:
        go = self.go
        self.times += 1
        reply = await self._occupy(names, arguments)
        self._tokens.put_nowait(arguments[2:])
        await go.wait()
        return reply

    async def next(self) -> list[str]:
        """Wait until the server has answered once more; gives the tokens."""
        return await self._tokens.get()


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


async def test_the_places_of_the_dead_are_free(redis: Redis, key: str) -> None:
    """A lease that ended holds nobody up; nor does one of a future that the clock took back."""
    now, _ = await redis.time()
    await redis.zadd(key, {"dead": now - 1, "dead before the clock went back": now + 3600})
    async with asyncio.timeout(60), Places(redis, key, 1, "here").place():
        assert await redis.zcard(key) == 1


async def test_a_process_that_comes_back_has_its_places(redis: Redis, key: str) -> None:
    """What it held when it was killed holds up others, but not itself."""
    async with (
        Places(redis, key, 2, "here").place(),
        Places(redis, key, 2, "there").place(),  # killed now, for all that Redis knows
        asyncio.timeout(60),
        Places(redis, key, 2, "there").place(),
    ):
        assert await redis.zcard(key) == 2


async def test_a_key_of_another_type(redis: Redis, key: str) -> None:
    """What somebody has written over holds up nobody."""
    await redis.set(key, "odd")
    async with asyncio.timeout(60), Places(redis, key, 1, "here").place():
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
    await asyncio.wait_for(coming, 60)


async def test_leases_are_renewed(redis: Redis, key: str) -> None:
    """What is held stays held however long it takes."""
    shared = Places(redis, key, 2, "here", BRIEF)
    async with asyncio.timeout(60), shared.place(), shared.place(), beside(shared.renewing()):
        for _ in range(3):
            now, _ = await redis.time()
            await redis.zadd(key, dict.fromkeys(("here:0", "here:1"), now + 0.01))
            while await redis.zcount(key, now + 0.02, "+inf") < 2:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.005)
    assert not await redis.exists(key)


async def test_what_is_given_back_is_not_renewed(redis: Redis, key: str) -> None:
    """A place given back while it is being renewed is not taken again, nor in later rounds."""
    shared = Places(redis, key, 2, "here", BRIEF)
    first, occupied = shared.place(), Occupied(shared)
    await first.__aenter__()
    async with shared.place():
        async with beside(shared.renewing()), asyncio.timeout(60):
            for _ in range(2):
                await occupied.next()
            occupied.go.clear()
            assert sorted(await occupied.next()) == ["here:0", "here:1"]
            await first.__aexit__(None, None, None)
            (left,) = await redis.zrange(key, 0, -1)
            occupied.go.set()
            assert {*await occupied.next(), *await occupied.next()} == {left}
        assert await redis.zrange(key, 0, -1) == [left]


async def test_one_asks_for_all(redis: Redis, key: str) -> None:
    """Of those who wait in one process the first asks, again and again, for all at once."""
    shared, other = (Places(redis, key, 9, name, OFTEN) for name in ("here", "there"))
    occupied, entered = Occupied(shared), asyncio.Event()

    async def come() -> None:
        async with shared.place():
            await entered.wait()

    async with asyncio.timeout(60), AsyncExitStack() as taken:
        for _ in range(9):
            await taken.enter_async_context(other.place())
        coming = [asyncio.create_task(come()) for _ in range(4)]
        await occupied.next()
        while len(asked := await occupied.next()) < 4:
            pass
        assert asked == ["here:8", "here:7", "here:6", "here:5"]  # in the order in which they came
        await taken.aclose()
        while await redis.zcard(key) < 4:  # noqa: ASYNC110 - it tells no other way
            await asyncio.sleep(0.005)
        entered.set()
        await asyncio.gather(*coming)


@pytest.mark.parametrize(("number", "stays"), [(1, False), (2, True), (3, True), (10, True)])
async def test_a_place_is_kept_where_there_are_plenty(
    redis: Redis, key: str, number: int, stays: bool
) -> None:
    """The next who needs one in this process does not ask, unless others may need it."""
    shared = Places(redis, key, number, "here")
    occupied = Occupied(shared)
    for _ in range(3):
        async with shared.place():
            assert await redis.zcard(key) == 1
        assert await redis.zcard(key) == stays
    assert occupied.times == (1 if stays else 3)


async def test_none_is_kept_where_others_are_many(redis: Redis, key: str) -> None:
    """More than half are taken: what was used is given back at once."""
    shared, other = (Places(redis, key, 4, name) for name in ("here", "there"))
    async with other.place(), other.place():
        async with shared.place():
            pass
        assert await redis.zcard(key) == 2


async def test_a_kept_place_is_given_back(redis: Redis, key: str) -> None:
    """When nobody needs it for a while, or the process ends."""
    shared = Places(redis, key, 8, "here", Timing(place_kept=0.01))
    async with beside(shared.renewing()), asyncio.timeout(60):
        async with shared.place():
            pass
        while await redis.exists(key):  # noqa: ASYNC110 - it tells no other way
            await asyncio.sleep(0.005)
    lasting = Places(redis, key, 8, "here", Timing(place_kept=60))
    async with beside(lasting.renewing()):
        async with lasting.place():
            pass
        await asyncio.sleep(0)
        assert await redis.zcard(key) == 1
    assert not await redis.exists(key)


async def test_a_kept_place_that_others_have_by_now(redis: Redis, key: str) -> None:
    """Who was frozen for a lease asks again."""
    shared, other = (Places(redis, key, 2, name, OFTEN) for name in ("here", "there"))
    async with shared.place():
        pass
    shared._held = dict.fromkeys(shared._held, clock() - 7)  # the lease is 12 s
    await redis.delete(key)
    async with AsyncExitStack() as taken:
        for _ in range(2):
            await taken.enter_async_context(other.place())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1), shared.place():
                pass


async def test_a_failure_gives_its_place_back(redis: Redis, key: str) -> None:
    """Whatever ends the block, the place is free."""
    with pytest.raises(ValueError, match="oops"):
        async with Places(redis, key, 1, "here").place():
            raise ValueError("oops")
    assert not await redis.exists(key)


async def test_who_gives_up_waiting_holds_nothing(redis: Redis, key: str) -> None:
    """A cancelled waiter leaves no place taken, even if it was just being given one."""
    shared, other = (Places(redis, key, 1, name, OFTEN) for name in ("here", "there"))

    async def come() -> None:
        async with other.place():
            pass

    async with shared.place():
        waiting = asyncio.create_task(come())
        await asyncio.sleep(0.03)
        waiting.cancel()
        await asyncio.wait([waiting])
        assert await redis.zcard(key) == 1
    occupied = Occupied(other)
    occupied.go.clear()  # the reply is under way
    waiting = asyncio.create_task(come())
    await occupied.next()
    assert await redis.zcard(key) == 1
    waiting.cancel()
    await asyncio.wait([waiting])
    assert not await redis.exists(key)


async def test_another_asks_for_who_gives_up(redis: Redis, key: str) -> None:
    """Its place is given back, too, though the reply comes when it is gone; it can come again."""
    shared = Places(redis, key, 5, "here", OFTEN)
    occupied, stay = Occupied(shared), asyncio.Event()

    async def come() -> None:
        async with shared.place():
            await stay.wait()

    async with asyncio.timeout(60):
        occupied.go.clear()
        first = asyncio.create_task(come())
        await occupied.next()
        second, third = asyncio.create_task(come()), asyncio.create_task(come())
        await asyncio.sleep(0)
        occupied.go.set()
        occupied.go = asyncio.Event()
        assert len(await occupied.next()) == 2
        third.cancel()
        await asyncio.wait([third])
        await redis.zadd(key, {"here:2": 9e9})  # as if the server had heard of it only now
        occupied.go.set()
        while await redis.zcard(key) != 2:  # noqa: ASYNC110 - it tells no other way
            await asyncio.sleep(0.005)
        assert await redis.zrange(key, 0, -1) == ["here:3", "here:4"]
        again = asyncio.create_task(come())
        while await redis.zcard(key) != 3:  # noqa: ASYNC110 - it tells no other way
            await asyncio.sleep(0.005)
        stay.set()
        await asyncio.gather(first, second, again)


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
            await asyncio.wait_for(coming, 60)
        await client.aclose()


async def test_a_server_that_refuses(
    redis: Redis, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All who wait hear so; the next asks again."""
    shared = Places(redis, key, 3, "here")

    async def refuse(*_: object) -> None:
        raise NoPermissionError("NOPERM")

    async def come() -> None:
        async with shared.place():
            pass

    with monkeypatch.context() as patched:
        patched.setattr(shared, "_occupy", refuse)
        for error in await asyncio.gather(come(), come(), return_exceptions=True):
            assert isinstance(error, StorageRefused)
    async with asyncio.timeout(60):
        await come()


async def test_who_comes_in_while_spare_ones_are_given_back(redis: Redis, key: str) -> None:
    """There is a place for each, however slow the server is."""
    shared = Places(redis, key, 10, "here", Timing(place_kept=0.01))
    async with AsyncExitStack() as busy:
        for _ in range(5):
            await busy.enter_async_context(shared.place())
    assert await redis.zcard(key) == 5
    remove, go = shared._remove, asyncio.Event()

    async def slowly(tokens: Sequence[str]) -> None:
        await go.wait()
        await remove(tokens)

    shared._remove = slowly  # type: ignore[method-assign]
    async with beside(shared.renewing()), asyncio.timeout(60), AsyncExitStack() as busy:
        while len(shared._spare) == 5:  # noqa: ASYNC110 - it tells no other way
            await asyncio.sleep(0.005)
        coming = [asyncio.create_task(busy.enter_async_context(shared.place())) for _ in range(10)]
        await asyncio.sleep(0.05)
        go.set()
        await asyncio.gather(*coming)
        assert await redis.zcard(key) == 10


async def test_who_comes_during_a_question_is_asked_for_next(redis: Redis, key: str) -> None:
    """At once: there may be room."""
    shared = Places(redis, key, 10, "here", Timing(place_look=60))
    occupied = Occupied(shared)
    occupied.go.clear()

    async def come() -> None:
        async with shared.place():
            pass

    async with asyncio.timeout(60):
        first = asyncio.create_task(come())
        await occupied.next()
        second = asyncio.create_task(come())
        await asyncio.sleep(0)
        occupied.go.set()
        await asyncio.gather(first, second)


async def test_spare_ones_are_given_back_where_others_need_them(redis: Redis, key: str) -> None:
    """A process hears each time that there are no longer plenty."""
    shared = Places(redis, key, 4, "here", Timing(place_kept=0.05))
    other = Places(redis, key, 4, "there")
    async with AsyncExitStack() as busy:
        async with shared.place():
            pass
        for _ in range(3):
            await busy.enter_async_context(other.place())
        assert await redis.zcard(key) == 4
        kept = shared._spare
        shared._spare = []  # as if it had been used only now, after a round had begun
        async with beside(shared.renewing()), asyncio.timeout(60):
            await asyncio.sleep(0)
            shared._spare = kept
            while await redis.zcard(key) == 4:  # noqa: ASYNC110 - it tells no other way
                await asyncio.sleep(0.005)
            assert shared._held == {}
            assert not shared._plenty
