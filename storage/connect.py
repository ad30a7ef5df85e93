"""The way to Redis: a client, whether the server may be trusted, and the one error it raises."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from itertools import chain, repeat
from typing import TypeVar

import structlog
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import AuthenticationError, DataError, RedisError, ResponseError

log = structlog.get_logger()

OLDEST_VERSION = (7, 0)
PAUSES = (0.1, 0.2, 0.5, 1.0, 2.0)
"""Seconds before storage is called again, the last for all that follow."""

T = TypeVar("T")


class StorageUnavailable(Exception):
    """Storage cannot be used now; what was being written may or may not stand. Try later."""


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Turn what redis-py raises into `StorageUnavailable`, but for what no waiting would mend."""
    task = asyncio.current_task()
    cancels = task.cancelling() if task else 0
    try:
        yield
    except DataError:  # an odd value, such as an update may hold where a number should be
        raise
    except RedisError as error:
        raise StorageUnavailable(f"{type(error).__name__}: {error}") from error
    finally:
        # On Python 3.11 `asyncio.wait_for`, within redis-py, can swallow a cancellation
        # (https://github.com/python/cpython/issues/86296), and nobody cancels twice.
        if task and task.cancelling() > cancels:
            raise asyncio.CancelledError


async def patiently(call: Callable[[], Awaitable[T]]) -> T:
    """Call until storage answers, for as long as it takes; ``call`` must bear repetition."""
    for pause in chain(PAUSES, repeat(PAUSES[-1])):
        try:
            with translated():
                return await call()
        except StorageUnavailable as error:
            log.warning("storage_unavailable", reason=str(error), seconds=pause)
        await asyncio.sleep(pause)
    raise AssertionError  # the pauses have no end


def connect(url: str, *, connections: int) -> Redis:
    """Make a client for ``url`` (``redis://``, ``rediss://`` or ``unix://``); opens nothing yet.

    A call waits up to 10 s for one of ``connections``, then for at most 5 s for its answer, and
    is repeated three times: so every command given to this client must bear repetition.
    """
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=connections,
        timeout=10,
        # Said explicitly: redis-py's defaults differ between its two constructors.
        retry=Retry(ExponentialWithJitterBackoff(base=0.02, cap=0.5), 3),
        socket_timeout=5,
        socket_connect_timeout=2,
        client_name="yandexgpt-telegram-bot",
        protocol=3,
        legacy_responses=False,
        decode_responses=True,
    )
    return Redis.from_pool(pool)


async def reach(redis: Redis) -> None:
    """Wait until a server is there, for as long as it takes; what it thinks of us is not asked."""

    async def ping() -> None:
        try:
            await redis.ping()
        except (AuthenticationError, ResponseError) as refusal:
            log.debug("storage_refuses", reason=str(refusal))  # waiting would not mend it

    await patiently(ping)


async def verify(redis: Redis) -> None:
    """Refuse a server that would lose histories.

    Raises `StorageUnavailable`, whose sentence names the remedy; only warns of a server that
    keeps nothing on disk, because a replica elsewhere may.
    """
    with translated():
        info = await redis.info()
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
    if not info["aof_enabled"]:
        log.warning("storage_not_on_disk", remedy="set appendonly yes on the Redis server")
