"""The rights of a Redis user behind Sentinels, and in a cluster."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from redis.asyncio import Redis, RedisCluster

from storage import keys
from storage.server.address import parse
from storage.server.connect import StorageUnavailable, connect, reach, verify
from storage.server.rights import require
from tests.forms import FORMS, Form

BOT = 5
ENOUGH = "~{5}:* &{5}:* +@all"
IN_CLUSTER = ["CLUSTER SLOTS", "COMMAND"]
"""What redis-py calls to find its way."""

Said = Callable[[str], Awaitable[str]]


@pytest.fixture(params=["sentinel", "cluster"])
async def form(request: pytest.FixtureRequest) -> AsyncIterator[Form]:
    """One form after another."""
    async with FORMS[request.param]() as running:
        yield running


@pytest.fixture
async def said(form: Form) -> AsyncIterator[Said]:
    """What is said against a user with some rights, as at a start; '' if nothing."""
    owner: Any = connect(form.url, connections=4)
    await reach(owner, keys.ready(BOT))
    owners = [owner]
    if isinstance(owner, RedisCluster):
        owners = [Redis(host=host, port=port) for host, port in parse(form.url).hosts]

    async def begin(rights: str) -> str:
        for one in owners:  # each server has users of its own
            words = ("reset", "on", ">pw", *rights.split())
            await one.execute_command("ACL", "SETUSER", "bot", *words)
        redis: Redis = connect(form.url.replace("://", "://bot:pw@"), connections=4)
        try:
            await reach(redis, keys.ready(BOT))
            await require(redis, "bot", BOT)
            await verify(redis)
        except StorageUnavailable as error:
            return str(error)
        finally:
            await redis.aclose()
        return ""

    yield begin
    for one in {owner, *owners}:
        await one.aclose()


async def test_rights(form: Form, said: Said) -> None:
    """Each command that is needed there, keys and channels are named."""
    assert await said(ENOUGH) == ""
    finding = IN_CLUSTER if form.url.startswith("redis+cluster") else []
    for command in ("EVAL", "EVALSHA", "SCRIPT LOAD", "WAIT", "INFO", "XADD", "INCR", *finding):
        name = command.lower().replace(" ", "|")
        told = f"may not run {command}; this allows it: ACL SETUSER bot +{name}"
        assert told in await said(f"{ENOUGH} -{name}")
    assert await said("~{5}:* &{5}:* +@all -@admin -@dangerous +info +cluster|slots") == ""
    assert "use keys {5}:*" in await said("~other:* &* +@all")
    assert "use channels {5}:*" in await said("~* +@all")
