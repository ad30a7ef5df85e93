"""The way to Redis: a client, checks whether to trust the server, and the one error it raises."""

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from itertools import chain, repeat
from traceback import walk_tb
from typing import Any, TypeVar, cast

import structlog
from redis.asyncio import Redis, RedisCluster, SSLConnection
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import (
    AuthenticationError,
    DataError,
    OutOfMemoryError,
    RedisClusterException,
    RedisError,
    ResponseError,
)

from storage.server.address import Address, parse
from storage.server.pool import Cluster, Pool
from storage.server.sentinel import master_of
from storage.timing import Timing

log = structlog.get_logger()

OLDEST_VERSION = (7, 0)

PASSING = re.compile(
    r"\b(OOM|LOADING|READONLY|CLUSTERDOWN|MASTERDOWN|TRYAGAIN|BUSY|NOREPLICAS|MISCONF|MOVED|ASK"
    r"|NOSCRIPT|NOGROUP|UNBLOCKED|NOAUTH|WRONGPASS|max number of clients)\b"
)
"""Errors of a server that is unwell, busy, full, failing over or starting up: worth retrying."""

T = TypeVar("T")


class StorageUnavailable(Exception):
    """Storage cannot be used now; the write may or may not have happened. Try later."""


class StorageRefused(StorageUnavailable):
    """The server refuses this and would refuse it again: a key of another type, a missing right."""


class StorageFull(StorageUnavailable):
    """The server has no memory left for anything new; nothing was written."""


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Turn redis-py's errors into `StorageUnavailable`, except errors that retrying cannot fix."""
    task = asyncio.current_task()
    cancels = task.cancelling() if task else 0
    try:
        yield
    except DataError:  # an odd value: an update may hold anything where a number should be
        raise
    except OutOfMemoryError as error:
        raise StorageFull(f"{type(error).__name__}: {error}") from error
    except ResponseError as error:
        kind = StorageUnavailable if _passes(error) else StorageRefused
        raise kind(f"{type(error).__name__}: {error}") from error
    except (RedisError, RedisClusterException) as error:
        raise StorageUnavailable(f"{type(error).__name__}: {error}") from error
    except (AttributeError, TypeError) as error:
        if not _stumbled(error):
            raise
        raise StorageUnavailable(f"{type(error).__name__}: {error}") from error
    finally:
        # On Python 3.11, `asyncio.wait_for` inside redis-py can swallow a cancellation
        # (https://github.com/python/cpython/issues/86296), and nobody cancels twice.
        if task and task.cancelling() > cancels:
            raise asyncio.CancelledError


@contextlib.contextmanager
def textual() -> Iterator[None]:
    """Treat a reply that is not UTF-8, because of another program, as storage that is away."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise StorageUnavailable("something there is not UTF-8") from error


def _passes(error: ResponseError) -> bool:
    """True if the server may accept later what it refused now."""
    # redis-py strips the code of errors it knows; inside scripts other words precede the code.
    return PASSING.search(f"{error.status_code} {error}") is not None


def _stumbled(error: Exception) -> bool:
    """True if redis-py (up to 8.1) found None where it expected a connection or a node.

    This happens when a connection is closed during a write, and when a cluster's keys move to a
    server that has just joined. See https://github.com/redis/redis-py/issues/4287.
    """
    names = (frame.f_globals.get("__name__", "") for frame, _ in walk_tb(error.__traceback__))
    return "'NoneType' object" in str(error) and any(n.startswith("redis.asyncio") for n in names)


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and its causes: redis-py wraps what a server says to a new connection."""
    found: BaseException | None = error
    while found:
        yield found
        found = found.__cause__ or found.__context__


async def patiently(
    call: Callable[[], Awaitable[T]], pauses: Sequence[float] = Timing().storage_pauses
) -> T:
    """Call until storage answers, however long it takes; ``call`` must be safe to repeat.

    ``pauses`` are the seconds before each retry; the last one repeats. Raises `StorageRefused`.
    """
    for pause in chain(pauses, repeat(pauses[-1])):
        try:
            with translated():
                return await call()
        except StorageRefused:
            raise
        except StorageUnavailable as error:
            log.warning("storage_unavailable", reason=str(error), seconds=pause)
        await asyncio.sleep(pause)
    raise AssertionError  # the pauses never end


def connect(url: str, *, connections: int) -> Redis:
    """Make a client for ``url``, in any form of `storage.server.address`; opens nothing yet.

    At most ``connections`` are open, in a cluster to each of its servers. A call waits up to 10 s
    for one of them, then up to 5 s for the answer, and is retried three times: every command given
    to this client must be safe to repeat.
    """
    address = parse(url)
    # Explicit, because redis-py's defaults differ between its constructors.
    options: dict[str, Any] = {
        "retry": _tries(3),
        "socket_timeout": 5,
        "socket_connect_timeout": 2,
        "client_name": "yandexgpt-telegram-bot",
        "protocol": 3,
        "legacy_responses": False,
        "decode_responses": True,
    }
    if address.form == "cluster":
        return _cluster(address, connections, options)
    options["max_connections"] = connections
    if address.form == "sentinel":
        return _master(address, options)
    return Redis.from_pool(Pool.from_url(url, **options))


def _tries(repetitions: int) -> Retry:
    return Retry(ExponentialWithJitterBackoff(base=0.02, cap=0.5), repetitions)


def _cluster(address: Address, connections: int, options: dict[str, Any]) -> Redis:
    options |= _with_tls(address.options)
    nodes = [ClusterNode(host, port) for host, port in address.hosts]
    cluster = Cluster(startup_nodes=nodes, connections=connections, **options)
    return cast("Redis", cluster)  # same commands, but no common type


def _master(address: Address, options: dict[str, Any]) -> Redis:
    given = _with_tls(address.options)
    of_sentinels = {
        name: value for name, value in given.items() if name.startswith(("ssl", "socket"))
    }
    for name in ("username", "password"):
        if value := given.pop(f"sentinel_{name}", None):
            of_sentinels[name] = value
    usual = {
        "retry": _tries(1),
        "socket_timeout": 2,
        "socket_connect_timeout": 2,
        "decode_responses": True,
    }
    return master_of(address.hosts, address.service, usual | of_sentinels, options | given)


def _with_tls(options: dict[str, Any]) -> dict[str, Any]:
    """Turn a URL's scheme into the ``ssl`` option of redis-py's constructors."""
    others = {name: value for name, value in options.items() if name != "host"}
    return others | {"ssl": others.pop("connection_class", None) is SSLConnection}


async def reach(redis: Redis, key: str, timing: Timing = Timing()) -> None:
    """Wait until a server for ``key`` answers, however long it takes, even if it refuses us."""

    async def ask() -> None:
        try:
            await redis.exists(key)
        except (RedisError, RedisClusterException) as error:
            # Also of a database that is not there, which redis-py calls a broken connection.
            refusals = AuthenticationError | ResponseError
            if not any(isinstance(one, refusals) for one in causes(error)):
                raise
            log.debug("storage_refuses", reason=str(error))  # waiting would not help

    await patiently(ask, timing.storage_pauses)


async def verify(redis: Redis) -> None:
    """Refuse a server that would lose histories.

    Raises `StorageUnavailable`, which says how to fix it. A server that keeps nothing on disk only
    gets a warning, because one of its replicas may.
    """
    with translated():
        told = await _told(redis)
    for info in told:
        _judge(info)
    if not all(info["aof_enabled"] for info in told):
        log.warning("storage_not_on_disk", remedy="set appendonly yes on the Redis server")


async def _told(redis: Redis) -> list[dict[str, Any]]:
    """Ask the server about itself, in a cluster each primary."""
    if not isinstance(redis, RedisCluster):
        return [await redis.info()]
    await redis.initialize()
    return [await redis.info(target_nodes=node) for node in redis.get_primaries()]


def _judge(info: dict[str, Any]) -> None:
    version = str(info["redis_version"])
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST_VERSION:
        raise StorageUnavailable(
            f"The server at REDIS_URL is version {version}; Redis 7.0 or Valkey 8 is the oldest "
            "that works. Upgrade it, or unset REDIS_URL to use the embedded one."
        )
    policy = info["maxmemory_policy"]
    if policy != "noeviction":
        raise StorageUnavailable(
            f"The server at REDIS_URL may throw histories away: maxmemory-policy is {policy}. "
            "Set it to noeviction, or point REDIS_URL at another server."
        )
