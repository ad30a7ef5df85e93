"""The pool of connections to a server that allows few of them, closes them, or goes away."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from storage.server.connect import connect
from storage.server.pool import Pool
from tests.forms import debian_redis, free_port
from tests.valkey import Valkey, own_valkey


@pytest.fixture(params=["valkey", pytest.param("redis", marks=pytest.mark.slow)])
async def server(request: pytest.FixtureRequest) -> AsyncIterator[Valkey]:
    """A server of the test's own that lets five clients in."""
    binary = debian_redis() if request.param == "redis" else None
    if request.param == "redis" and binary is None:
        pytest.skip("NO redis-server IS INSTALLED HERE: Redis itself is not tried")
    async with own_valkey(options=("--maxclients", "5"), binary=binary) as server:
        yield server


@pytest.fixture
async def client(server: Valkey) -> AsyncIterator[Redis]:
    """A client that would take twelve connections."""
    client = connect(server.url, connections=12)
    yield client
    await client.aclose()


async def open_ones(redis: Redis) -> int:
    """How many connections the server has, ours but for that of this question."""
    return len(await redis.client_list()) - 1


def at_once(redis: Redis, number: int, seconds: float = 0.3) -> Any:
    """Keep so many connections busy side by side."""
    return asyncio.gather(*(redis.blpop(["nothing"], seconds) for _ in range(number)))


@pytest.mark.slow
async def test_more_calls_than_the_server_allows(client: Redis) -> None:
    """All are answered, over what is allowed; and so is whoever comes afterwards, one by one."""
    assert await asyncio.gather(*(client.ping() for _ in range(12))) == [True] * 12
    await at_once(client, 12)
    for _ in range(8):
        assert await client.ping()
    assert await open_ones(client) <= 5
    # Each of seven was tried four times, and hardly one more since.
    assert (await client.info("stats"))["rejected_connections"] < 60


@pytest.mark.slow
async def test_a_server_that_allows_more_again(client: Redis) -> None:
    """Then more are opened."""
    await asyncio.gather(*(client.ping() for _ in range(12)))
    await client.config_set("maxclients", "100")
    held = asyncio.ensure_future(at_once(client, 11, 100))
    async with asyncio.timeout(60):
        while await open_ones(client) < 11:  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.05)
    held.cancel()
    await asyncio.wait([held])


@pytest.mark.slow
async def test_connections_that_others_hold(server: Valkey, client: Redis) -> None:
    """A server that is full of others is away, and is there again once they leave."""
    others = connect(server.url, connections=5)
    await at_once(others, 5)
    with pytest.raises(RedisConnectionError):
        await client.ping()
    await others.aclose()
    assert await asyncio.gather(*(client.ping() for _ in range(12))) == [True] * 12


async def test_a_server_that_comes_back(server: Valkey, client: Redis) -> None:
    """None of the connections that broke is handed out."""
    await at_once(client, 5)
    server.kill()
    with pytest.raises(RedisConnectionError):
        await client.ping()
    await server.start()
    assert await asyncio.gather(*(client.ping() for _ in range(12))) == [True] * 12


async def test_a_sentinel_that_allows_few() -> None:
    """It is asked over the connections that there are, too."""
    async with own_valkey(port=free_port(), options=("--maxclients", "5")) as server:
        client = connect(f"redis+sentinel://127.0.0.1:{server.port}/bot", connections=12)
        asked = await asyncio.gather(*(client.ping() for _ in range(12)), return_exceptions=True)
        # That it is no Sentinel is an answer.
        assert all("unknown command" in str(answer) for answer in asked)
        await client.aclose()


async def test_first_come_first_served(valkey: str) -> None:
    """Nobody who waits is overtaken, though all come again at once."""
    client = connect(valkey, connections=2)
    calls = [0] * 20

    async def call(one: int) -> None:
        for _ in range(10):
            await client.ping()
            calls[one] += 1
            assert max(calls) - min(calls) <= 2

    held = asyncio.ensure_future(client.blpop(["nothing"], 100))  # one connection is for all
    await asyncio.gather(*(call(one) for one in range(len(calls))))
    held.cancel()
    await asyncio.wait([held])
    await client.aclose()


async def test_closing_while_connections_are_opened(valkey: str) -> None:
    """However far they are, none is left open."""
    for steps in range(60):
        pool = Pool.from_url(valkey, max_connections=3)
        calls = [asyncio.ensure_future(Redis(connection_pool=pool).ping()) for _ in range(3)]
        for _ in range(steps):
            await asyncio.sleep(0)
        await pool.aclose()
        await asyncio.gather(*calls, return_exceptions=True)
        left = (*pool._available_connections, *pool._in_use_connections)
        assert not [connection for connection in left if connection.is_connected]


@pytest.mark.slow
async def test_waiting_has_an_end(valkey: str) -> None:
    """A call fails that gets no connection in time."""
    pool = Pool.from_url(valkey, max_connections=1, wait=0.1)
    async with Redis.from_pool(pool) as client:
        held = asyncio.ensure_future(client.blpop(["nothing"], 100))
        await asyncio.sleep(0)
        with pytest.raises(RedisConnectionError, match="No connection available"):
            await client.ping()
        held.cancel()
        await asyncio.wait([held])
        assert await client.ping()


async def test_what_nobody_needs_is_closed(valkey: str) -> None:
    """After a rush only as many connections stay open as were used since."""
    pool = Pool.from_url(valkey, max_connections=12, spare=0.1)
    async with Redis.from_pool(pool) as client:
        await at_once(client, 12)
        async with asyncio.timeout(60):
            while len(pool._available_connections) > 2:
                await at_once(client, 2, 0.05)
