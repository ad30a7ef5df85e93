"""Connections to Redis: a bounded number; callers wait their turn and never get a broken one."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator
from typing import Any

from redis._parsers.base import BaseParser
from redis.asyncio import ConnectionPool, RedisCluster
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import MaxConnectionsError

from storage.server.batch import Batch

WAIT_SECONDS = 10.0
"""How long a call waits for a connection before it fails."""
REFUSED_SECONDS = 1.0
"""How long no new connection is tried after one could not be opened."""
SPARE_SECONDS = 30.0
"""How long an unused connection stays open."""


class Pool(ConnectionPool):
    """Works with as many connections as the server allows, up to ``max_connections``.

    redis-py puts a connection that the server refused on top of the open ones, and uses it for the
    next call: at a server with ``maxclients 5``, twelve calls at once leave a pool that refuses
    every later call while five open connections lie idle below. Here a connection that is not open
    is dropped, and a call that gets none waits for an open one. redis-py is not fair to those who
    wait, either: under load some waited for seconds, others never. And where it takes a lock, a
    timeout and a retry for each call, here a call takes an idle connection at once.
    """

    def __init__(
        self,
        *args: Any,
        wait: float = WAIT_SECONDS,
        spare: float = SPARE_SECONDS,
        **named: Any,
    ) -> None:
        super().__init__(*args, **named)
        self.batch = Batch(self)
        self._wait = wait
        self._spare_seconds = spare
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._returned = asyncio.Event()
        self._refused = float("-inf")
        self._closed = False
        self._spare = 0
        """How many have been idle ever since ``_trimmed``."""
        self._trimmed = time.monotonic()

    async def get_connection(self, *_: Any, **__: Any) -> AbstractConnection:
        """Wait for a connection that works.

        Raises redis-py's ConnectionError after 10 s, or at once if none is open and none can be
        opened.
        """
        ends = time.monotonic() + self._wait
        while True:
            connection = await self._next(ends - time.monotonic())
            try:
                if not await _is_idle(connection):
                    await self.ensure_connection(connection)
            except BaseException as error:
                await self.release(connection)
                if not isinstance(error, RedisConnectionError) or not self._works():
                    raise
                self._refused = time.monotonic()
            else:
                return connection

    async def _next(self, seconds: float) -> AbstractConnection:
        """Wait for our turn and take a connection, open or not, without a pause in between."""
        if self._waiting or not self._available_connections:
            await self._wait_for_one(seconds)
        connection: AbstractConnection = self.get_available_connection()  # type: ignore[no-untyped-call]
        self._spare = min(self._spare, len(self._available_connections))
        return connection

    async def _wait_for_one(self, seconds: float) -> None:
        self._waiting += 1
        try:
            async with asyncio.timeout(seconds), self._turn:
                while not self.can_get_connection():
                    self._returned.clear()
                    with contextlib.suppress(TimeoutError):
                        # Nothing signals when another one may be opened.
                        async with asyncio.timeout(REFUSED_SECONDS):
                            await self._returned.wait()
        except TimeoutError as error:
            raise RedisConnectionError("No connection available.") from error
        finally:
            self._waiting -= 1

    def can_get_connection(self) -> bool:
        """True if one is idle or may be opened."""
        refused = time.monotonic() - self._refused < REFUSED_SECONDS and self._works()
        return bool(self._available_connections) or (
            not refused and len(self._in_use_connections) < self.max_connections
        )

    async def release(self, connection: AbstractConnection) -> None:
        """Take back a connection if it is open; close those unused for long."""
        self._in_use_connections.remove(connection)
        if self._closed or connection.should_reconnect():  # type: ignore[no-untyped-call]
            await connection.disconnect()
        elif connection.is_connected:
            self._available_connections.append(connection)
        self._returned.set()
        if time.monotonic() - self._trimmed > self._spare_seconds:
            await self._trim()

    async def aclose(self) -> None:
        """Close every connection; those that somebody is just opening as soon as they come back."""
        self._closed = True
        await super().aclose()

    async def _trim(self) -> None:
        # The newest are used first, so the unused ones are the oldest.
        spare = self._available_connections[: self._spare]
        del self._available_connections[: self._spare]
        self._spare, self._trimmed = len(self._available_connections), time.monotonic()
        for connection in spare:
            await connection.disconnect(nowait=True)

    def _works(self) -> bool:
        every = (*self._available_connections, *self._in_use_connections)
        return any(connection.is_connected for connection in every)


async def _is_idle(connection: AbstractConnection) -> bool:
    """Tell whether a connection is open, with nothing in it that somebody else should have read."""
    try:
        return connection.is_connected and not await connection.can_read()
    except (RedisConnectionError, OSError):  # it is just being closed
        return False


# redis-py 8.1 takes it for a reply to the command; as this error it does not mean a dead server.
_errors: Any = BaseParser.EXCEPTION_CLASSES["ERR"]
_errors["max number of clients + cluster connections reached"] = MaxConnectionsError


class Cluster(RedisCluster):
    """A cluster client with up to ``connections`` to each server; a call waits for one.

    redis-py's own raises if none is free. A quarter is left to subscriptions, which keep theirs and
    do not go through here.
    """

    def __init__(self, *, connections: int, **options: Any) -> None:
        super().__init__(max_connections=connections, **options)
        self._calls = asyncio.Semaphore(connections - connections // 4)

    @contextlib.asynccontextmanager
    async def call(self) -> AsyncIterator[None]:
        """Use a connection to a server while the block runs.

        Raises redis-py's ConnectionError when none is free for 10 s.
        """
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._calls.acquire()
        except TimeoutError as error:
            raise RedisConnectionError("No connection available.") from error
        try:
            yield
        finally:
            self._calls.release()

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Run a command. Raises what redis-py raises."""
        ends = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                async with self.call():
                    return await super().execute_command(*args, **options)
            except MaxConnectionsError:
                if time.monotonic() >= ends:
                    raise
            self._drop_refused()
            await asyncio.sleep(random.uniform(0, REFUSED_SECONDS))

    async def _split_command_across_slots(self, command: str, *keys: Any) -> Any:  # type: ignore[override] # or its sync twin
        # redis-py's own bypasses `execute_command`; all keys of a call are in one slot anyway.
        return await self.execute_command(command, *keys)

    def _drop_refused(self) -> None:
        """Drop failed connections, so that the next calls get open ones."""
        for node in self.get_nodes():
            free, every = node._free, node._connections  # noqa: SLF001 - it has no way to drop one
            for connection in [one for one in free if not one.is_connected]:
                free.remove(connection)
                every.remove(connection)
