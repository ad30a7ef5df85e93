"""HTTP served by this process: a web application while a block runs, and the bot's own health."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Generator

import uvicorn
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from bot.intake import Polling
from storage.connect import StorageUnavailable, translated

TOO_SILENT = 120.0
"""Seconds without an answer from Telegram to any poll, after which the bot is not well."""


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave signals alone: the process, not its web server, decides when to stop."""
        yield


@contextlib.asynccontextmanager
async def serving(app: ASGIApp, host: str, port: int) -> AsyncIterator[str]:
    """Serve ``app`` over HTTP/1.1 while the block runs; yields its base URL.

    Port 0 takes a free one. Raises OSError when the address cannot be had.
    """
    listener = socket.create_server((host, port), backlog=1024, family=_family(host))
    # asyncio does so by itself only for sockets that name their protocol.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    server = _Server(
        uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", ws="none")
    )
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started and not task.done():  # noqa: ASYNC110 - uvicorn tells no other way
            await asyncio.sleep(0.005)
        bound = f"[{host}]" if ":" in host else host
        yield f"http://{bound}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        for connection in list(server.server_state.connections):
            # A long poll would hold the door open for its whole time-out.
            connection.transport.close()
        await task
        listener.close()


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def health(redis: Redis, polling: Polling) -> Starlette:
    """Make the application that says, at ``/healthz``, whether the bot is well: 200 or 503."""

    async def healthz(_request: Request) -> JSONResponse:
        problems = []
        try:
            with translated():
                await redis.ping()
        except StorageUnavailable as error:
            problems.append(f"storage: {error}")
        if polling.silence > TOO_SILENT:
            problems.append(f"telegram: silent for {polling.silence:.0f} s")
        return JSONResponse({"problems": problems}, status_code=503 if problems else 200)

    return Starlette(routes=[Route("/healthz", healthz)])
