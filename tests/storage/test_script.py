"""Scripts on real servers: what full memory refuses, and what replicas confirm."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY
from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import OutOfMemoryError, ResponseError

import storage
from storage.server import script as module
from storage.server.connect import connect
from storage.server.script import Script
from storage.server.sentinel import Master
from tests.forms import free_port
from tests.valkey import Valkey, own_valkey

SCRIPTS = sorted(path.stem for path in Path(storage.__path__[0]).glob("*.lua"))
REFUSED = {"put", "bury", "replay", "import"}
"""What brings in more than it takes away."""
HERE = ("here", 1)

_bot_ids = itertools.count(8_450_000)


# While memory is full


async def test_what_full_memory_refuses() -> None:
    """Work goes on, since it makes room; only what comes in does not."""
    async with own_valkey() as server:
        client = connect(server.url, connections=1)
        await client.set("{1}:some", "text")
        await client.config_set("maxmemory", "1")
        refused = {name for name in SCRIPTS if await _is_refused(client, name)}
        await client.aclose()
    assert refused == REFUSED


async def _is_refused(client: Redis, name: str) -> bool:
    """Tell whether a script may not even begin; with these arguments none comes far."""
    try:
        await Script(client, name)([f"{{1}}:{place}" for place in range(9)], ["1"] * 12)
    except OutOfMemoryError:
        return True
    except ResponseError:
        pass
    return False


# What replicas confirm


class Watched(Master):
    """A client of one server, as if Sentinels had named it; `confirm` is what they say."""

    def __init__(self, url: str) -> None:
        options: dict[str, Any] = {"decode_responses": True, "protocol": 3}
        pool = BlockingConnectionPool.from_url(url, **options, legacy_responses=False)
        Redis.__init__(self, connection_pool=pool)
        self.asked: list[tuple[str, int] | None] = []
        self.deposed = False

    @property
    def server(self) -> tuple[str, int] | None:
        return HERE

    async def confirm(self, server: tuple[str, int] | None) -> None:
        self.asked.append(server)
        if self.deposed:
            raise RedisConnectionError("another one is the master")

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        await Redis.aclose(self, close_connection_pool=True)


class House:
    """A master with two replicas, and a script that adds to a list and is repeated at will."""

    def __init__(self, redis: Watched, port: int, replicas: list[Valkey]) -> None:
        self.redis, self.port, self.replicas = redis, port, replicas
        self.id = next(_bot_ids)
        self.script = Script(redis, "bury")
        self.script._patience = 60_000  # on a slow machine replicas may take their time

    @contextmanager
    def hasty(self) -> Iterator[None]:
        """Wait for replicas as shortly as ever, while one is silent that is waited for."""
        patience, self.script._patience = self.script._patience, module.REPLICA_MS
        yield
        self.script._patience = patience

    async def bury(self, letter: str) -> None:
        """Add a dead letter, unless it is there."""
        await self.script.kept([f"{{{self.id}}}:dead"], [letter, 100], f"{{{self.id}}}:mark")

    async def marked(self) -> bool:
        """Tell whether something was written for the replicas to confirm, since it was asked."""
        return await self.redis.getdel(f"{{{self.id}}}:mark") is not None


@pytest.fixture
async def house() -> AsyncIterator[House]:
    """All replicas follow, and nothing was written yet."""
    port = free_port()
    follow = ("--replicaof", f"127.0.0.1 {port}")
    async with AsyncExitStack() as stack:
        at_once = ("--repl-diskless-sync-delay", "0")
        server = await stack.enter_async_context(own_valkey(port=port, options=at_once))
        replicas = [
            await stack.enter_async_context(own_valkey(port=free_port(), options=follow))
            for _ in range(2)
        ]
        redis = Watched(server.url)
        house = House(redis, port, replicas)
        await redis.script_load(house.script._text)
        async with asyncio.timeout(20):
            while await _confirmed_by(redis) < 2:
                pass
        yield house
        await redis.aclose()


async def _confirmed_by(redis: Redis) -> int:
    """Write something, and tell how many replicas have it."""
    async with redis.pipeline(transaction=False) as pipeline:
        pipeline.set("any", "")
        pipeline.execute_command("WAIT", 2, 1000)
        _, confirmed = await pipeline.execute()
    return int(confirmed)


def unconfirmed() -> float:
    """How many writes nobody confirmed, as operators are told."""
    return REGISTRY.get_sample_value("storage_unconfirmed_total") or 0.0


@pytest.mark.slow
async def test_what_replicas_confirm(house: House) -> None:
    """All that follow have a write before it counts; then nobody need be asked."""
    before = unconfirmed()
    for number in range(3):
        await house.bury(str(number))
        assert await house.marked()
    assert house.script._replicas == 2
    assert house.redis.asked == []
    assert unconfirmed() == before
    for replica in house.replicas:
        async with Redis.from_url(replica.url) as client:
            assert await client.llen(f"{{{house.id}}}:dead") == 3


@pytest.mark.slow
async def test_a_replica_that_is_silent(house: House) -> None:
    """The Sentinels are asked once; then less is expected, until it has been well for a while."""
    await house.bury("0")
    before = unconfirmed()
    with house.replicas[0].frozen():
        with house.hasty():
            await house.bury("1")
        assert house.redis.asked == [HERE]
        assert house.script._replicas == 1
        await house.bury("2")
    assert house.redis.asked == [HERE]
    await house.bury("3")
    assert house.script._replicas == 1
    house.script._doubted -= module.DOUBT_SECONDS
    await house.bury("4")
    assert house.script._replicas == 2
    assert house.redis.asked == [HERE]
    assert unconfirmed() == before


@pytest.mark.slow
async def test_one_replica_is_enough(house: House) -> None:
    """Before it is known how many there are, no more is expected."""
    with house.replicas[0].frozen():
        await house.bury("0")
    assert house.redis.asked == []


@pytest.mark.slow
async def test_a_replica_that_is_being_filled(house: House) -> None:
    """It confirms nothing yet, and is not expected to."""
    await house.redis.config_set("repl-diskless-sync-delay", 600)
    follow = ("--replicaof", f"127.0.0.1 {house.port}")
    async with own_valkey(port=free_port(), options=follow):
        async with asyncio.timeout(20):
            while "slave2" not in await house.redis.info("replication"):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        for number in range(3):
            await house.bury(str(number))
    assert house.redis.asked == []
    assert house.script._replicas == 2


@pytest.mark.slow
async def test_nobody_confirms(house: House) -> None:
    """What is repeated writes nothing, and is not taken for confirmed; it works on, and says so."""
    await house.bury("0")
    before = unconfirmed()
    with house.replicas[0].frozen(), house.replicas[1].frozen(), house.hasty():
        for asked in (1, 1):  # afterwards nobody is expected to
            await house.bury("0")
            assert len(house.redis.asked) == asked
    assert unconfirmed() == before + 2
    assert await house.redis.llen(f"{{{house.id}}}:dead") == 1


@pytest.mark.slow
async def test_a_server_that_was_deposed(house: House) -> None:
    """The write has failed, for this server will forget it, and is doubted again the next time."""
    await house.bury("0")
    house.redis.deposed = True
    with house.replicas[0].frozen(), house.hasty():
        for _ in range(2):
            with pytest.raises(RedisConnectionError, match="another one"):
                await house.bury("1")
    assert house.redis.asked == [HERE, HERE]


@pytest.mark.slow
async def test_a_server_that_has_forgotten_its_scripts(house: House) -> None:
    """It is given the script anew."""
    await house.bury("0")
    await house.redis.script_flush()
    await house.bury("1")
    assert await house.redis.lrange(f"{{{house.id}}}:dead", 0, -1) == ["0", "1"]


@pytest.mark.slow
async def test_full_memory_is_confirmed_too(house: House) -> None:
    """What makes room is written, and so is the mark that goes with it."""
    note = Script(house.redis, "agree")
    await house.redis.script_load(note._text)
    await house.redis.config_set("maxmemory", "1")
    assert await note.kept(["{1}:any"], ["a"], f"{{{house.id}}}:mark") == "a"
    assert await house.marked()


async def test_where_nobody_follows(redis: Redis) -> None:
    """One server is taken at its word."""
    bot_id = next(_bot_ids)
    await Script(redis, "bury").kept([f"{{{bot_id}}}:dead"], ["0", 100], f"{{{bot_id}}}:mark")
    assert await redis.lrange(f"{{{bot_id}}}:dead", 0, -1) == ["0"]
    assert not await redis.exists(f"{{{bot_id}}}:mark")
