"""One leader at a time; each `Lease` on one key is a process in miniature."""

import asyncio
import itertools
import secrets

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from storage import keys
from storage.lease import Lease, LeaseLost
from storage.server.connect import connect
from storage.timing import Timing
from tests.valkey import own_valkey

LEASE = Timing().lease

_bot_ids = itertools.count(8_300_000)


@pytest.fixture
def key() -> str:
    """A key of the test's own."""
    return keys.poller(next(_bot_ids))


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let waiting take next to no time; leases last as long as ever."""
    sleep = asyncio.sleep

    async def short(seconds: float) -> None:
        await sleep(min(seconds, 0.01))

    monkeypatch.setattr(asyncio, "sleep", short)


async def test_one_leads_at_a_time(redis: Redis, key: str) -> None:
    """Five want to lead; one does, then another, until all have."""
    leading, led = 0, []

    async def lead(number: int) -> None:
        nonlocal leading
        async with Lease(redis, key, secrets.token_hex(4)).leading():
            leading += 1
            assert leading == 1
            await asyncio.sleep(0.01)
            leading -= 1
            led.append(number)

    async with asyncio.timeout(60):
        await asyncio.gather(*(lead(number) for number in range(5)))
    assert sorted(led) == [0, 1, 2, 3, 4]
    assert not await redis.exists(key)


async def test_a_leader_that_died_is_followed(redis: Redis, key: str) -> None:
    """When a lease ends unrenewed, another process leads."""
    assert await redis.lock(key, timeout=0.1, blocking=False).acquire()
    async with asyncio.timeout(60), Lease(redis, key, secrets.token_hex(4)).leading():
        assert await redis.exists(key)


async def test_a_lease_without_an_end(redis: Redis, key: str) -> None:
    """Nobody holds one, whatever it is: it is taken, and has an end then."""
    for write in (redis.set, redis.rpush):
        await write(key, "odd")
        async with asyncio.timeout(60), Lease(redis, key, "leader").leading():
            assert 0 < await redis.pttl(key) <= 12_000


async def test_a_living_leader_is_not_followed(redis: Redis, key: str) -> None:
    """A lease that is renewed does not end, and who waits for it is known."""
    first, second = Lease(redis, key, secrets.token_hex(4)), Lease(redis, key, secrets.token_hex(4))
    entered = asyncio.Event()

    async def follow() -> None:
        async with second.leading():
            entered.set()

    async with asyncio.timeout(60), first.leading():
        assert not await first.is_awaited()
        await redis.pexpire(key, 5000)
        following = asyncio.create_task(follow())
        while not await first.is_awaited():  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.01)
        assert 0 < await redis.pttl(f"{key}:waiting") <= 6000  # no longer than somebody does
        while await redis.pttl(key) < 6000:  # noqa: ASYNC110 - likewise
            await asyncio.sleep(0.01)
        assert not entered.is_set()
    await asyncio.wait_for(following, 60)


async def test_a_lost_lease_ends_the_block(redis: Redis, key: str) -> None:
    """Who finds another in its place stops, and leaves the other alone."""
    cancelled, leader = False, Lease(redis, key, secrets.token_hex(4))

    async def lead() -> None:
        nonlocal cancelled
        async with leader.leading():
            await redis.set(key, "another")
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled = True
                raise

    with pytest.raises(LeaseLost):
        await asyncio.wait_for(lead(), 60)
    assert cancelled
    assert await redis.get(key) == "another"
    assert await leader.is_awaited()


async def test_without_storage_nobody_leads_for_ever(key: str) -> None:
    """A leader that cannot renew goes on while its lease lasts, and not beyond."""
    async with own_valkey() as server:
        client = connect(server.url, connections=2)
        leader = Lease(client, key, secrets.token_hex(4), Timing(lease=0.5))
        outlived = False

        async def lead() -> None:
            nonlocal outlived
            async with leader.leading():
                server.kill()
                await asyncio.sleep(0)
                outlived = True
                await asyncio.Event().wait()

        with pytest.raises(LeaseLost):
            await asyncio.wait_for(lead(), 60)
        assert outlived
        assert await leader.is_awaited()
        await client.aclose()


async def test_full_memory_has_a_leader_too(key: str) -> None:
    """Without one not even what makes room would come in; and who waits can be told."""
    async with own_valkey() as server:
        client = connect(server.url, connections=4)
        await client.config_set("maxmemory", "1")
        first, second = Lease(client, key, "first"), Lease(client, key, "second")
        async with asyncio.timeout(60), first.leading():
            following = asyncio.create_task(second.leading().__aenter__())
            while not await first.is_awaited():  # noqa: ASYNC110 - the server tells nobody
                await asyncio.sleep(0.01)
            following.cancel()
            await asyncio.wait([following])
        assert first.problem is second.problem is None
        await client.aclose()


async def test_a_lease_that_cannot_be_had(redis: Redis, key: str) -> None:
    """Why storage does not even say who leads can be asked for, until it does."""
    await redis.rpush(key, "odd")
    await redis.expire(key, 100)  # one without an end would be taken away
    lease, entered = Lease(redis, key, "one"), asyncio.Event()

    async def lead() -> None:
        async with lease.leading():
            entered.set()

    leading = asyncio.create_task(lead())
    async with asyncio.timeout(60):
        while lease.problem is None:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)
        assert "WRONGTYPE" in lease.problem
        await redis.delete(key)
        await entered.wait()
        await leading
    assert lease.problem is None


async def test_storage_is_waited_for(key: str) -> None:
    """Who wants to lead while storage is down leads when it is back."""
    async with own_valkey() as server:
        server.kill()
        client = connect(server.url, connections=2)
        entered = asyncio.Event()

        async def lead() -> None:
            async with Lease(client, key, secrets.token_hex(4)).leading():
                entered.set()

        with capture_logs() as logs:
            leading = asyncio.create_task(lead())
            while not logs:  # noqa: ASYNC110 - a log tells nobody
                await asyncio.sleep(0.01)
            assert not entered.is_set()
            await server.start()
            await asyncio.wait_for(leading, 60)
        assert {entry["event"] for entry in logs} == {"storage_unavailable"}
        await client.aclose()


async def test_what_the_block_met_comes_out(redis: Redis, key: str) -> None:
    """An error of the block itself is the block's caller's, and the lease is free."""
    with pytest.raises(ValueError, match="oops"):
        async with Lease(redis, key, secrets.token_hex(4)).leading():
            raise ValueError("oops")
    assert not await redis.exists(key)


async def test_who_is_cancelled_ends_though_its_lease_is_lost(redis: Redis, key: str) -> None:
    """A process that is to stop does not lead again because it lost the lease meanwhile."""

    async def lead() -> None:
        async with Lease(redis, key, secrets.token_hex(4)).leading():
            entered.set()
            try:
                await asyncio.Event().wait()
            finally:
                await redis.set(key, "another")
                await asyncio.Event().wait()

    entered = asyncio.Event()
    leading = asyncio.create_task(lead())
    async with asyncio.timeout(60):
        await entered.wait()
        leading.cancel()
        await asyncio.wait([leading])
    assert leading.cancelled()


async def test_who_comes_back_under_its_old_name(redis: Redis, key: str) -> None:
    """A process that died and lives again need not wait for its own lease to end."""
    assert await redis.lock(key, timeout=60, blocking=False).acquire(token="embedded")
    async with asyncio.timeout(60), Lease(redis, key, "embedded").leading():
        assert await redis.get(key) == "embedded"
    assert not await redis.exists(key)


async def test_a_silent_server_ends_a_lease(key: str) -> None:
    """Nobody leads beyond what was granted, however long the answer to a renewal takes."""
    async with own_valkey() as server:
        client = connect(server.url, connections=2)

        async def lead() -> None:
            async with Lease(client, key, "leader", Timing(lease=1.0)).leading():
                with server.frozen():
                    await asyncio.Event().wait()

        with pytest.raises(LeaseLost, match="silent"):
            await asyncio.wait_for(lead(), 4)
        await client.aclose()


async def test_a_lease_is_renewed_again_and_again(redis: Redis, key: str) -> None:
    """As long as the block runs: each time for as long as at first."""
    async with Lease(redis, key, "leader").leading():
        for _ in range(3):
            async with asyncio.timeout(60):
                while await redis.pttl(key) < 11_000:  # noqa: ASYNC110 - the server tells nobody
                    await asyncio.sleep(0.01)
            await redis.pexpire(key, 5000)


class Pauses:
    """Takes the place of `asyncio.sleep`: notes how long it should be, and takes no time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: asyncio.Queue[float] = asyncio.Queue()
        self._sleep = asyncio.sleep
        monkeypatch.setattr(asyncio, "sleep", self._pause)

    async def _pause(self, seconds: float) -> None:
        self.asked.put_nowait(seconds)
        await self._sleep(0.001)


async def test_nobody_asks_without_a_pause(
    redis: Redis, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A leader asks a few times within its lease, and so does who waits for it."""
    pauses = Pauses(monkeypatch)
    async with asyncio.timeout(60), Lease(redis, key, "first").leading():
        following = asyncio.create_task(Lease(redis, key, "second").leading().__aenter__())
        found = {await pauses.asked.get() for _ in range(20)}
        following.cancel()
        await asyncio.wait([following])
    assert len(found) == 2
    assert all(LEASE / 20 < pause < LEASE / 3 for pause in found)


async def test_no_pause_outlasts_a_lease(
    redis: Redis, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who could not renew leads to the end of what was granted, not to the end of a pause."""

    async def for_ever(_seconds: float) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio, "sleep", for_ever)
    leader = Lease(redis, key, "leader", Timing(lease=0.2))
    with pytest.raises(LeaseLost):
        async with asyncio.timeout(60), leader.leading():
            await asyncio.Event().wait()


class Ahead:
    """The event loop's clock, which can be put forward."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds = 0.0
        loop = asyncio.get_running_loop()
        clock = loop.time
        monkeypatch.setattr(loop, "time", lambda: clock() + self.seconds)


async def test_a_late_reply(redis: Redis, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lease counts from when it was asked for, not from when the answer came."""
    ahead, leader = Ahead(monkeypatch), Lease(redis, key, "leader")
    lead = leader._lead

    async def late(names: list[str], arguments: list[str | int]) -> object:
        found = await lead(names, arguments)
        ahead.seconds += LEASE
        return found

    monkeypatch.setattr(leader, "_lead", late)
    with pytest.raises(LeaseLost):
        async with asyncio.timeout(LEASE + 60), leader.leading():
            await asyncio.Event().wait()


async def test_renewals_in_time(redis: Redis, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each counts from when it was asked for, however late in the lease that is."""
    ahead, done = Ahead(monkeypatch), asyncio.Event()
    sleep, pauses = asyncio.sleep, itertools.count(1)

    async def long(_seconds: float) -> None:
        ahead.seconds += 0.6 * LEASE
        if next(pauses) == 5:
            done.set()
        await sleep(0)

    monkeypatch.setattr(asyncio, "sleep", long)
    async with Lease(redis, key, "leader").leading():
        await done.wait()
