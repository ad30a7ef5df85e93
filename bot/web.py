"""HTTP served by this process: any web application while a block runs, and the bot's health."""

import asyncio
import contextlib
import itertools
import re
import socket
from collections.abc import AsyncIterator, Callable, Generator
from functools import partial
from typing import Any

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from bot.redaction import redact
from bot.updates.intake import Intake
from bot.updates.polling import Polling
from storage.census import Census
from storage.lease import Lease
from storage.server.connect import StorageUnavailable

OLDEST = Gauge(
    "inbox_oldest_waiting_seconds", "For how long the oldest has waited for a worker", ["bot"]
)
LANES = Gauge("inbox_lanes", "Conversations with something to do", ["bot", "state"])
DEAD = Gauge("dead_letters", "Updates that could not be dealt with", ["bot"])
STORAGE_UP = Gauge("storage_up", "Whether storage answers this process")

SILENT_SECONDS = 3.0
"""How long storage may take for its figures: those who ask give up after 10 s."""
FLUSH_SECONDS = 0.5
"""How long a client may take, at shutdown, to read what was already sent."""
REQUEST_SECONDS = 10.0
"""How long a request may take to arrive, and its response to be read. Telegram's are a few KB."""
MOST_IDLE = 100
"""Most connections without a complete request. Telegram opens at most 100."""


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ending = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Ignore signals: the process, not its web server, decides when to stop."""
        yield

    async def main_loop(self) -> None:
        """Tick as uvicorn does, but end at once."""
        for counter in itertools.count():
            await self.on_tick(counter)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.1):
                    await self.ending.wait()
                    return

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close all connections, even those that come at the last moment; wait for no client."""
        for listener in (*self.servers, *(sockets or ())):
            listener.close()
        loop = asyncio.get_running_loop()
        late = loop.time() + FLUSH_SECONDS
        state = self.server_state
        while True:
            for connection in list(state.connections):
                transport = connection.transport
                transport.close() if loop.time() < late else transport.abort()
            await asyncio.sleep(0.02)
            if not state.connections and not state.tasks:
                return


class _Connection(H11Protocol):
    """A connection that is closed when its client is slow; uvicorn has no such limit.

    ``seconds`` limits how long a request takes to arrive, the next one to follow, and a response to
    be read; the application may take as long as it likes. Beyond ``most_idle`` connections without
    a complete request, the oldest is closed, so that they do not use up the process's descriptors.
    """

    def __init__(self, *args: Any, seconds: float, most_idle: int | None, **named: Any) -> None:
        super().__init__(*args, **named)
        self._seconds = seconds
        self._most_idle = most_idle
        self.since = 0.0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_idle(self) -> bool:
        """True if we are waiting for the client."""
        cycle = self.cycle
        at_work = cycle and not cycle.more_body and not cycle.response_complete
        return not at_work or self.flow.write_paused

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()
        if self._most_idle is not None:
            idle = [one for one in self.connections if isinstance(one, _Connection)]
            idle = [one for one in idle if one.is_idle and not one.transport.is_closing()]
            if len(idle) > self._most_idle:
                min(idle, key=lambda one: one.since).transport.abort()

    def on_response_complete(self) -> None:
        self._wait()
        super().on_response_complete()

    def pause_writing(self) -> None:
        self._wait()
        super().pause_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer:
            self._timer.cancel()
        super().connection_lost(exc)

    def _wait(self) -> None:
        if self._timer:
            self._timer.cancel()
        self.since = self.loop.time()
        self._timer = self.loop.call_later(self._seconds, self._judge)

    def _judge(self) -> None:
        if self.is_idle:
            self.transport.abort()
        else:
            self._wait()


def listening(host: str, port: int) -> socket.socket:
    """Bind an address; port 0 finds a free one. Raises OSError if it cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), backlog=1024, family=family)
    # asyncio does this by itself only for sockets that name their protocol.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def url_of(listener: socket.socket) -> str:
    """Return the base URL of what is served there."""
    host, port, *_ = listener.getsockname()
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextlib.asynccontextmanager
async def serving(app: ASGIApp, host: str, port: int) -> AsyncIterator[str]:
    """Serve ``app`` at an address; see `serving_at`. Raises OSError if it cannot be had."""
    async with serving_at(listening(host, port), app) as url:
        yield url


@contextlib.asynccontextmanager
async def serving_at(
    listener: socket.socket,
    app: ASGIApp,
    *,
    seconds: float = REQUEST_SECONDS,
    most_idle: int | None = None,
) -> AsyncIterator[str]:
    """Serve ``app`` over HTTP/1.1 while the block runs; yields its base URL.

    `_Connection` says what limits its clients. Closes the listener at the end.
    """
    protocol: Any = partial(_Connection, seconds=seconds, most_idle=most_idle)
    config = uvicorn.Config(
        app, http=protocol, log_config=None, access_log=False, lifespan="off", ws="none"
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started and not task.done():  # noqa: ASYNC110 - uvicorn has no other way
            await asyncio.sleep(0.005)
        yield url_of(listener)
    finally:
        server.ending.set()
        await task


class Health:
    """What this process does, and how well: for load balancers and operators.

    ``/healthz`` and ``/readyz`` answer 200 or 503, ``/metrics`` in Prometheus's format. If
    strangers may ask (`is_public`), problems are named without details.
    """

    def __init__(self) -> None:
        self.censuses: list[Census] = []
        self.intakes: list[Intake] = []
        self.pollings: list[Polling] = []
        self.leases: list[Lease] = []
        self.is_public = False
        self.metrics = Route("/metrics", self._metrics)
        self.routes = [
            Route("/healthz", self._healthz),
            Route("/readyz", self._readyz),
            self.metrics,
        ]

    def application(self) -> Starlette:
        """Make the web application from all routes known so far."""
        return Starlette(routes=self.routes)

    async def _healthz(self, _request: Request) -> JSONResponse:
        """Answer 200 unless a restart would help."""
        silent = any(polling.is_silent for polling in self.pollings)
        restarts = sum(polling.restarts for polling in self.pollings)
        return JSONResponse({"silent": silent, "polls_restarted": restarts}, 503 if silent else 200)

    async def _readyz(self, _request: Request) -> JSONResponse:
        """Answer 200 if a message that comes now will be dealt with; else say why not."""
        problems = await self._problems(_in_general if self.is_public else redact)
        return JSONResponse({"problems": problems}, 503 if problems else 200)

    async def problems(self) -> list[str]:
        """Say why a message that comes now may not be dealt with."""
        return await self._problems(redact)

    async def _problems(self, tell: Callable[[str], str]) -> list[str]:
        found = [("storage", await self._count())]
        if not found[0][1]:
            found.append(("intake", await self._refusal()))
        found += [("lease", lease.problem or "") for lease in self.leases]
        found += [("intake", intake.problem or "") for intake in self.intakes]
        told = [f"{where}: {tell(problem)}" for where, problem in found if problem]
        return list(dict.fromkeys(told))

    async def _refusal(self) -> str:
        """Say why storage would refuse polled updates now, whether or not any come; else ''.

        Not with a webhook: there each post is refused by itself, and Telegram must go on posting,
        because what makes room is taken in all the same.
        """
        try:
            async with asyncio.timeout(SILENT_SECONDS):
                for polling in self.pollings:
                    await polling.check_room()
        except (StorageUnavailable, TimeoutError) as error:
            return str(error) or f"silent for {SILENT_SECONDS:.0f} s"
        return ""

    async def _metrics(self, _request: Request) -> Response:
        await self._count()
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    async def _count(self) -> str:
        """Update the figures that are in storage; returns why that failed, or ''."""
        problem = ""
        for census in self.censuses:
            try:
                async with asyncio.timeout(SILENT_SECONDS):
                    count = await census.count()
            except (StorageUnavailable, TimeoutError) as error:
                problem = str(error) or f"silent for {SILENT_SECONDS:.0f} s"
                _forget(census.bot_id)
                continue
            OLDEST.labels(census.bot_id).set(count.oldest)
            LANES.labels(census.bot_id, "waiting").set(count.waiting)
            LANES.labels(census.bot_id, "in_work").set(count.in_work)
            LANES.labels(census.bot_id, "frozen").set(count.frozen)
            DEAD.labels(census.bot_id).set(count.dead)
        STORAGE_UP.set(not problem)
        return problem


def _in_general(problem: str) -> str:
    """Name an error without its text, which may contain hosts and ports; the log has all of it."""
    kind = re.match(r"\w+(?=: )", problem)
    return kind[0] if kind else "unavailable"


def _forget(bot_id: int) -> None:
    """Drop stale gauges."""
    for gauge in (OLDEST, DEAD):
        with contextlib.suppress(KeyError):
            gauge.remove(bot_id)
    for state in ("waiting", "in_work", "frozen"):
        with contextlib.suppress(KeyError):
            LANES.remove(bot_id, state)
