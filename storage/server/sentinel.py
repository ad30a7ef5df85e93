"""Redis behind Sentinels: a client of whichever server is the master.

redis-py has one, but it asks Sentinels in a way that names the old master as long as a failover
lasts, and it keeps connections to a deposed master.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, cast

from redis.asyncio import Redis
from redis.asyncio.sentinel import MasterNotFoundError, Sentinel, SentinelConnectionPool
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from storage.server.pool import Pool

SETTLING_SECONDS = 3.0
"""How long after a replica's promotion Sentinels may still name the old master."""


def master_of(
    hosts: Sequence[tuple[str, int]],
    service: str,
    of_sentinels: dict[str, Any],
    options: dict[str, Any],
) -> "Master":
    """Make a client of the master that the Sentinels at ``hosts`` know as ``service``.

    ``of_sentinels`` are redis-py's options for connections to them, ``options`` those of its pool.
    """
    sentinels: Any = _Sentinels  # redis-py has no types for it
    master: Master = sentinels(hosts, sentinel_kwargs=of_sentinels).master_for(
        service, redis_class=Master, connection_pool_class=_MasterPool, **options
    )
    return master


class Master(Redis):
    """The server that Sentinels call the master; closed together with the connections to them."""

    @property
    def _pool(self) -> "_MasterPool":
        return cast("_MasterPool", self.connection_pool)

    @property
    def server(self) -> tuple[str, int] | None:
        """Its address, as far as known."""
        return self._pool.master_address

    async def confirm(self, server: tuple[str, int] | None) -> None:
        """Check that ``server`` is still the master.

        Raises redis-py's ConnectionError if any Sentinel names another, or most do not answer.
        """
        await asyncio.sleep(SETTLING_SECONDS)
        sentinels = self._pool.sentinel_manager
        answers = await sentinels.all_answers(self._pool.service_name)
        if set(answers) != {server} or 2 * len(answers) <= len(sentinels.sentinels):
            await self._pool.get_master_address()  # further calls go to the new one
            raise RedisConnectionError("the Sentinels do not say that it is the master still")

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        """Close all connections."""
        await super().aclose(close_connection_pool)
        await self._pool.sentinel_manager.aclose()


class _MasterPool(SentinelConnectionPool, Pool):
    """Asks Sentinels where to connect, and waits for a connection when all are taken."""

    async def get_master_address(self) -> tuple[str, int]:
        """Ask them, and give up connections to a server that is no longer the master."""
        address: tuple[str, int] = await self.sentinel_manager.discover_master(self.service_name)
        if address != self.master_address:
            self.master_address = address
            in_use: Any = self._in_use_connections
            for connection in in_use:  # before the next await
                connection.mark_for_reconnect()
            await self.disconnect(inuse_connections=False)
        return address


class _Sentinels(Sentinel):
    """Asks as the guidelines for clients say: the new master is named once it is promoted.

    See https://redis.io/docs/latest/develop/reference/sentinel-clients/.
    """

    def __init__(self, hosts: Sequence[tuple[str, int]], sentinel_kwargs: dict[str, Any]) -> None:
        super().__init__(hosts, sentinel_kwargs=sentinel_kwargs)  # type: ignore[no-untyped-call]
        for sentinel in self.sentinels:  # a Sentinel, too, may refuse connections
            theirs = sentinel.connection_pool
            sentinel.connection_pool = Pool(theirs.connection_class, **theirs.connection_kwargs)

    async def discover_master(self, service_name: str) -> tuple[str, int]:
        """Trust the first that answers, and ask it first next time.

        Raises MasterNotFoundError.
        """
        troubles = []
        for sentinel in list(self.sentinels):
            found = await _answer(sentinel, service_name)
            if isinstance(found, tuple):
                self.sentinels.remove(sentinel)
                self.sentinels.insert(0, sentinel)
                return found
            troubles.append(found)
        raise MasterNotFoundError(f"no Sentinel knows {service_name}: {', '.join(troubles)}")

    async def all_answers(self, service_name: str) -> list[tuple[str, int]]:
        """Ask all of them; returns the answers of those that reply."""
        answers = (_answer(sentinel, service_name) for sentinel in self.sentinels)
        return [found for found in await asyncio.gather(*answers) if isinstance(found, tuple)]


async def _answer(sentinel: Redis, service_name: str) -> tuple[str, int] | str:
    """Ask one; returns the master's address, or why there is none."""
    try:
        found: Any = await sentinel.sentinel_get_master_addr_by_name(service_name)
    except (RedisError, OSError) as error:
        return f"{type(error).__name__}: {error}"
    return (str(found[0]), int(found[1])) if found else "one has not heard of it"
