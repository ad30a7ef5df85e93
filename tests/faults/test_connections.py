"""Servers that let few clients in: all is answered, more slowly, and nothing stays broken."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from redis.asyncio import Redis, RedisCluster

from bot.app import running
from storage import keys
from storage.server.connect import connect, reach
from tests.conftest import local_telegram
from tests.faults.talk import Talk
from tests.forms import FORMS, Form, debian_redis

CHATS = range(201, 241)


@pytest.fixture(params=FORMS)
async def form(request: pytest.FixtureRequest) -> AsyncIterator[Form]:
    """One form after another."""
    if request.param == "redis" and debian_redis() is None:
        pytest.skip("NO redis-server IS INSTALLED HERE: Redis itself is not tried")
    async with FORMS[request.param]() as running:
        yield running


async def let_in(redis: Redis, number: int) -> None:
    """Let the server, or each of a cluster, take so many clients besides its own kind."""
    every: dict[str, Any] = {}
    if isinstance(redis, RedisCluster):
        every = {"target_nodes": RedisCluster.ALL_NODES}
        number += 2 * 5 + 1
    else:
        number += len(await redis.client_list()) - 1
    await redis.config_set("maxclients", number, **every)


async def test_more_calls_than_are_let_in(form: Form) -> None:
    """All are answered over the connections that there are, and so is whoever comes afterwards."""
    redis = connect(form.url, connections=12)
    await reach(redis, keys.ready(1))
    await let_in(redis, 5)
    for _ in range(3):
        await asyncio.gather(*(redis.xread({"{1}:no": "$"}, block=50) for _ in range(12)))
    for _ in range(8):
        assert not await redis.exists("{1}:no")
    await redis.aclose()


async def test_first_come_first_served(form: Form) -> None:
    """Nobody who waits for a connection is overtaken, though all come again at once."""
    redis = connect(form.url, connections=4)
    await reach(redis, keys.ready(1))
    calls = [0] * 20

    async def call(one: int) -> None:
        for _ in range(10):
            await redis.exists("{1}:no")
            calls[one] += 1
            assert max(calls) - min(calls) <= 2

    await asyncio.gather(*(call(one) for one in range(len(calls))))
    await redis.aclose()


@pytest.mark.parametrize(
    ("clients", "connections", "processes"), [(30, 4, 1), (30, None, 3), (10, 64, 1)]
)
async def test_few_clients(
    form: Form, clients: int, connections: int | None, processes: int
) -> None:
    """Forty chats at once are all answered, and so is one after the rush."""
    redis = connect(form.url, connections=2)
    await reach(redis, keys.ready(1))
    await let_in(redis, clients)
    async with local_telegram(redis, form.url, redis_connections=connections) as world:
        talk = Talk(world)
        async with AsyncExitStack() as stack:
            for _ in range(processes):
                await stack.enter_async_context(running(world.settings))
            talk.ask(*CHATS)
            await talk.answered(60)
            for _ in range(3):
                talk.ask(CHATS[0])
                await talk.answered()
        await talk.check()
    await redis.aclose()
