"""HTTP served by this process: a web application while a block runs, and the bot's own health."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Generator

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from bot.intake import Intake
from bot.polling import Polling
from storage.census import Census
from storage.connect import StorageUnavailable
from storage.lease import Lease

OLDEST = Gauge(
    "inbox_oldest_waiting_seconds", "For how long the oldest has waited for a worker", ["bot"]
)
LANES = Gauge("inbox_lanes", "Conversations with something to do", ["bot", "state"])
DEAD = Gauge("dead_letters", "Updates that could not be dealt with", ["bot"])
STORAGE_UP = Gauge("storage_up", "Whether storage answers this process")

SILENT_SECONDS = 3.0
"""How long storage may take for its figures: who asks for them gives up after 10 s."""
FLUSH_SECONDS = 0.5
"""How long a client may take, at the end, to read what is sent to it already."""


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave signals alone: the process, not its web server, decides when to stop."""
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close all connections, those too that came at the last moment, and wait for no client."""
        loop = asyncio.get_running_loop()
        late = loop.time() + FLUSH_SECONDS
        async with asyncio.TaskGroup() as tasks:
            ending = tasks.create_task(super().shutdown(sockets))
            while not ending.done():
                for connection in list(self.server_state.connections):
                    transport = connection.transport
                    transport.close() if loop.time() < late else transport.abort()
                await asyncio.wait({ending}, timeout=0.02)


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
        await task
        listener.close()


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


class Health:
    """What this process does, and whether it does it well: for balancers, and for operators.

    ``/healthz`` and ``/readyz`` answer 200 or 503, ``/metrics`` in Prometheus's form.
    """

    def __init__(self) -> None:
        self.censuses: list[Census] = []
        self.intakes: list[Intake] = []
        self.pollings: list[Polling] = []
        self.leases: list[Lease] = []
        self.routes = [
            Route("/healthz", self._healthz),
            Route("/readyz", self._readyz),
            Route("/metrics", self._metrics),
        ]

    def application(self) -> Starlette:
        """Make the web application of all routes known so far."""
        return Starlette(routes=self.routes)

    async def _healthz(self, _request: Request) -> JSONResponse:
        """Answer 200 as long as a restart would mend nothing."""
        silent = any(polling.is_silent for polling in self.pollings)
        restarts = sum(polling.restarts for polling in self.pollings)
        return JSONResponse({"silent": silent, "polls_restarted": restarts}, 503 if silent else 200)

    async def _readyz(self, _request: Request) -> JSONResponse:
        """Answer 200 when a message that comes now will be dealt with; else say why not."""
        problems = []
        if problem := await self._count():
            problems.append(f"storage: {problem}")
        elif refusal := await self._refusal():
            problems.append(f"intake: {refusal}")
        problems += [f"lease: {lease.problem}" for lease in self.leases if lease.problem]
        problems += [f"intake: {intake.problem}" for intake in self.intakes if intake.problem]
        problems = list(dict.fromkeys(problems))
        return JSONResponse({"problems": problems}, 503 if problems else 200)

    async def _refusal(self) -> str:
        """Say why storage would refuse what is polled now, be it tried or not; else ''.

        Who posts to a webhook hears that for each message, and has to go on: what makes room is
        taken in all the same.
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
        """Take the figures that are in storage, if they can be had; else why not."""
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


def _forget(bot_id: int) -> None:
    """Drop stale gauges."""
    for gauge in (OLDEST, DEAD):
        with contextlib.suppress(KeyError):
            gauge.remove(bot_id)
    for state in ("waiting", "in_work", "frozen"):
        with contextlib.suppress(KeyError):
            LANES.remove(bot_id, state)
