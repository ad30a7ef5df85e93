"""Commands given in the same moment, in one round trip: a write costs more than a script."""

import asyncio
from collections.abc import Sequence
from typing import Any

from hiredis import pack_command
from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError, ResponseError

Command = tuple[str | int | float | bytes | memoryview, ...]
BROKEN = (RedisError, OSError, ValueError, AttributeError, TypeError)
"""Of a round trip; redis-py lets the last two out where a connection is closed during a write."""
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
        waiting = [one for one in self._waiting if not one[1].done()]  # who gave up sends nothing
        self._waiting = []
        for start in range(0, len(waiting), MOST):
            task = asyncio.create_task(self._answer(waiting[start : start + MOST]))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def _answer(self, waiting: Sequence[tuple[Command, asyncio.Future[Any]]]) -> None:
        replies: list[Any] = []
        try:
            await self._read([command for command, _ in waiting], replies)
        except BROKEN:
            pass
        finally:
            replies += [Alone()] * (len(waiting) - len(replies))
            for (_, future), reply in zip(waiting, replies, strict=True):
                if future.done():  # who waited has given up
                    continue
                if isinstance(reply, Exception):
                    future.set_exception(reply)
                else:
                    future.set_result(reply)

    async def _read(self, commands: Sequence[Command], replies: list[Any]) -> None:
        """Give the commands, and add the reply to each."""
        # Not redis-py's pipeline: its errors quote the commands, and it packs them in Python.
        packed = b"".join(map(pack_command, commands))  # type: ignore[arg-type] # typed for one part
        connection = await self._pool.get_connection()  # type: ignore[no-untyped-call]
        try:
            await connection.send_packed_command(packed)
            for _ in commands:
                try:
                    replies.append(await connection.read_response(disconnect_on_error=False))
                except (ResponseError, UnicodeDecodeError) as error:
                    replies.append(error)
        except BaseException:
            await connection.disconnect(nowait=True)  # or the next would read our replies
            raise
        finally:
            await self._pool.release(connection)
