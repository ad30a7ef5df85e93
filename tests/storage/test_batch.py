"""Commands that share a round trip, on a real server: none of them pays for another."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import DataError, ResponseError

from storage.server.batch import MOST, Alone, Batch
from storage.server.connect import connect
from storage.server.pool import Pool
from storage.server.script import Script
from tests.valkey import Valkey, own_valkey


@pytest.fixture
async def server() -> AsyncIterator[Valkey]:
    """A server of the test's own."""
    async with own_valkey() as own:
        yield own


@pytest.fixture
async def client(server: Valkey) -> AsyncIterator[Redis]:
    """Its client, with one connection that is open."""
    made = connect(server.url, connections=9)
    await made.ping()
    yield made
    await made.aclose()


@pytest.fixture
def batch(client: Redis) -> Batch:
    """The commands of all who use it."""
    pool = client.connection_pool
    assert isinstance(pool, Pool)
    return pool.batch


async def reads(client: Redis) -> int:
    """How often the server has read from a client."""
    return int((await client.info("stats"))["total_reads_processed"])


async def all_of(*replies: Any) -> list[Any]:
    """Wait for all, also for those that fail."""
    return await asyncio.gather(*replies, return_exceptions=True)


@pytest.mark.parametrize(("number", "trips"), [(1, 1), (MOST, 1), (MOST + 1, 2), (2 * MOST, 2)])
async def test_one_round_trip(batch: Batch, client: Redis, number: int, trips: int) -> None:
    """As many as are given in one moment; each gets its own reply."""
    hurried = [client.ping() for _ in range(8)]
    await all_of(*hurried)  # every connection is open
    before = await reads(client)
    replies = await all_of(*(batch.reply(("ECHO", str(place))) for place in range(number)))
    assert replies == [str(place) for place in range(number)]
    assert await reads(client) - before == trips + 1  # and INFO itself


async def test_a_failure_is_ones_own(batch: Batch, client: Redis) -> None:
    """What the server refuses of one it does for the others."""
    await client.set("word", "w")
    one, refused, other = await all_of(
        batch.reply(("INCR", "n")), batch.reply(("INCR", "word")), batch.reply(("INCR", "n"))
    )
    assert (one, other) == (1, 2)
    assert isinstance(refused, ResponseError)
    assert "ARGV" not in str(refused)
    assert "word" not in str(refused)


@pytest.mark.parametrize(
    ("odd", "kind"),
    [("\ud800", UnicodeEncodeError), (None, DataError), (b"\xff", UnicodeDecodeError)],
)
async def test_an_odd_one(client: Redis, odd: Any, kind: type[Exception]) -> None:
    """What cannot be written or read fails by itself, as redis-py fails; the others go on."""
    await client.set("odd", b"\xff")
    script, key = Script(client, "bury"), "{1}:dead"
    fails: Any
    if kind is UnicodeDecodeError:
        await client.zadd("{1}:generations", {b"\xff": 9e12})
        occupy = Script(client, "occupy")
        fails = occupy(["{1}:generations"], [9, 9e12, odd])
    else:
        fails = script([key], [odd, 9])
    one, failed, other = await all_of(script([key], ["a", 9]), fails, script([key], ["b", 9]))
    assert (one, other) == (None, None)
    assert isinstance(failed, kind)
    assert sorted(await client.lrange(key, 0, -1)) == ["a", "b"]


async def test_what_is_no_text_is_nobody_elses(batch: Batch, client: Redis) -> None:
    """Those around it are not given again."""
    await client.rpush("odd", b"a", b"\xff", b"b")
    one, odd, other = await all_of(
        batch.reply(("INCR", "n")),
        batch.reply(("LRANGE", "odd", 0, -1)),
        batch.reply(("INCR", "n")),
    )
    assert (one, other) == (1, 2)
    assert isinstance(odd, UnicodeDecodeError)
    assert await batch.reply(("GET", "n")) == "2"


async def test_who_gives_up_before_anything_is_sent(batch: Batch) -> None:
    """Nothing is sent for it."""
    waiting = [asyncio.create_task(batch.reply(("INCR", "n"))) for _ in range(2)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    _, reply = await all_of(*waiting)
    assert reply == 1


async def test_a_connection_that_is_being_closed(batch: Batch, client: Redis) -> None:
    """It is opened again, and no call fails for it."""
    (connection,) = client.connection_pool._available_connections
    connection._parser.on_disconnect()  # type: ignore[no-untyped-call]
    assert await batch.reply(("PING",)) == "PONG"


async def test_scripts_that_the_server_does_not_know(client: Redis) -> None:
    """They are loaded, as after a restart."""
    script, key = Script(client, "bury"), "{1}:dead"
    for letters in ("abc", "def"):
        await client.script_flush()
        assert await all_of(*(script([key], [letter, 9]) for letter in letters)) == [None] * 3
    assert sorted(await client.lrange(key, 0, -1)) == list("abcdef")


async def test_who_gives_up_waiting(batch: Batch) -> None:
    """Its reply is nobody's, and the others get theirs."""
    waiting = [asyncio.create_task(batch.reply(("ECHO", str(place)))) for place in range(9)]
    await asyncio.sleep(0)
    for task in waiting[::2]:
        task.cancel()
    replies = await all_of(*waiting)
    assert [one for one in replies if isinstance(one, str)] == list("1357")
    assert await batch.reply(("ECHO", "on")) == "on"


async def test_a_server_that_is_away(batch: Batch, client: Redis, server: Valkey) -> None:
    """Everybody hears so, tries alone, and goes on when it is back."""
    script, key = Script(client, "bury"), "{1}:dead"
    server.kill()
    for failed in await all_of(*(batch.reply(("PING",)) for _ in range(3))):
        assert isinstance(failed, Alone)
    for error in await all_of(*(script([key], [letter, 9]) for letter in "ab")):
        assert isinstance(error, RedisConnectionError)
    await server.start()
    assert await all_of(*(script([key], [letter, 9]) for letter in "ab")) == [None] * 2
