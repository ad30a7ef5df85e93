"""The HTTP connection under a request: waiting until it is gone, and cutting it."""

import asyncio
import socket
import struct
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect
from starlette.types import Receive

T = TypeVar("T")


async def gone(receive: Receive) -> None:
    """Return once the other side has gone away."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def unless_gone(work: Coroutine[Any, Any, T], receive: Receive) -> T:
    """Do ``work``; if the other side goes away first, cancel it and raise ClientDisconnect."""
    doing = asyncio.create_task(work)
    leaving = asyncio.create_task(gone(receive))
    try:
        await asyncio.wait({doing, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not doing.done():
            raise ClientDisconnect
        return doing.result()
    finally:
        leaving.cancel()
        if not doing.done():
            doing.cancel()
            await asyncio.wait({doing})


async def cut(receive: Receive) -> None:
    """Reset the connection without sending anything.

    ASGI has no message for that, so this relies on uvicorn, whose ``receive`` is a method of the
    object that holds the transport.
    """
    transport: asyncio.Transport = receive.__self__.transport  # type: ignore[attr-defined]
    connection: socket.socket = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    await gone(receive)
