"""Commands given in the same moment, in one round trip: a write costs more than a script."""

import asyncio
from collections.abc import Sequence
from typing import Any

from hiredis import pack_command
from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError, ResponseError

Command = tuple[str | int | float | bytes | memoryview, ...]
MOST = 50
"""Commands in one round trip, or the first would wait for the replies to all."""


class Alone(Exception):
    """The round trip failed: give the command by itself, to hear why, and to have it repeated."""


class Batch:
    """Collects commands for one pool; each must be safe to repeat."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool
        self._waiting: list[tuple[Command, asyncio.Future[Any]]] = []
        self._sending: set[asyncio.Task[None]] = set()

    async def reply(self, command: Command) -> Any:
        """Give a command, together with others. Raises `Alone`, and the server's ResponseError."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._send)  # after everything else that is ready now
        self._waiting.append((command, future))
        return await future

    def _send(self) -> None:
        waiting, self._waiting = self._waiting, []
        for start in range(0, len(waiting), MOST):
            task = asyncio.create_task(self._answer(waiting[start : start + MOST]))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def _answer(self, waiting: Sequence[tuple[Command, asyncio.Future[Any]]]) -> None:
        replies: Sequence[Any] = [Alone()] * len(waiting)
        try:
            replies = await self._replies([command for command, _ in waiting])
        except (RedisError, OSError, ValueError, AttributeError, TypeError):
            pass  # redis-py lets AttributeErrors out where a connection is closed during a write
        finally:
            for (_, future), reply in zip(waiting, replies, strict=True):
                if future.done():  # who waited has given up
                    continue
                if isinstance(reply, Exception):
                    future.set_exception(reply)
                else:
                    future.set_result(reply)

    async def _replies(self, commands: Sequence[Command]) -> list[Any]:
        # Not redis-py's pipeline: its errors quote the commands, and it packs them in Python.
        packed = b"".join(map(pack_command, commands))  # type: ignore[arg-type] # typed for one part
        connection = await self._pool.get_connection()  # type: ignore[no-untyped-call]
        replies: list[Any] = []
        try:
            await connection.send_packed_command(packed)
            for _ in commands:
                try:
                    replies.append(await connection.read_response())
                except ResponseError as error:
                    replies.append(error)
        finally:
            await self._pool.release(connection)
        return replies
