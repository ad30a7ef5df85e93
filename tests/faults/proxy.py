"""A proxy on loopback between the bot and one of its outside things, which spoils the traffic."""

import asyncio
import contextlib
import random
import socket
import struct
from collections import deque
from collections.abc import AsyncIterator
from enum import Enum, auto
from urllib.parse import urlsplit

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Trouble(Enum):
    """What happens to a request: its connection is reset before or after it is carried out."""

    CUT_REQUEST = auto()
    CUT_REPLY = auto()


class Proxy:
    """Forwards every connection to ``target``, a URL of kind ``unix://`` or ``http://``."""

    def __init__(self, target: str, host: str = "127.0.0.1") -> None:
        """``host`` is where it listens: any address of 127.0.0.0/8 is this machine."""
        self._target = urlsplit(target)
        self.host = host
        self._planned: deque[tuple[bytes, Trouble | bytes]] = deque()
        self._random = random.Random()
        self._likelihood = 0.0
        self._flowing = asyncio.Event()
        self._flowing.set()
        self.drips = False
        """Replies come byte by byte."""
        self.latency = 0.0
        """Seconds that each part of a reply takes."""
        self.port = 0
        self.troubles = 0
        """How many requests were troubled."""

    def aim(self, target: str) -> None:
        """Lead there from now on."""
        self._target = urlsplit(target)

    def plan(self, marker: bytes, *troubles: Trouble | bytes) -> None:
        """Trouble the next requests that contain ``marker``; bytes are a reply in their place."""
        self._planned.extend((marker, trouble) for trouble in troubles)

    def forget(self) -> None:
        """Drop what is planned and has not come."""
        self._planned.clear()

    def storm(self, seed: int, likelihood: float) -> None:
        """From now on cut any request with this likelihood; 0 ends it."""
        self._random.seed(seed)
        self._likelihood = likelihood

    @contextlib.asynccontextmanager
    async def stalled(self) -> AsyncIterator[None]:
        """Let nothing through while the block runs; connections stay open, or are accepted."""
        self._flowing.clear()
        try:
            yield
        finally:
            self._flowing.set()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Proxy"]:
        """Forward while the block runs."""
        self._tasks: set[asyncio.Task[None]] = set()
        server = await asyncio.start_server(self._accept, self.host, 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._forward((reader, writer)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _forward(self, client: Streams) -> None:
        try:
            server = await self._connect()
            try:
                await _Connection(self, client, server).pump()
            finally:
                _reset(server[1])
        except OSError:
            pass  # nobody is there, or somebody has left; the client learns it by the reset
        finally:
            _reset(client[1])

    async def _connect(self) -> Streams:
        if self._target.scheme == "unix":
            return await asyncio.open_unix_connection(self._target.path)
        return await asyncio.open_connection(self._target.hostname, self._target.port)

    @property
    def planned(self) -> int:
        """How many planned troubles have not come yet."""
        return len(self._planned)

    async def flow(self) -> None:
        """Wait until bytes may go through."""
        await self._flowing.wait()

    def trouble(self, request: bytes) -> Trouble | bytes | None:
        """Tell what is to happen to a request."""
        found: Trouble | bytes | None = None
        if self._planned and self._planned[0][0] in request:
            found = self._planned.popleft()[1]
        elif self._random.random() < self._likelihood:
            found = self._random.choice(list(Trouble))
        self.troubles += found is not None
        return found


class _Connection:
    """One connection's two directions; either one's end is the end of both."""

    def __init__(self, proxy: Proxy, client: Streams, server: Streams) -> None:
        self._proxy = proxy
        self._from_client, self._to_client = client
        self._from_server, self._to_server = server
        self._cut = False

    async def pump(self) -> None:
        """Forward until either side ends, or is cut."""
        pumps = [asyncio.create_task(self.requests()), asyncio.create_task(self.replies())]
        try:
            done, _ = await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            for pump in done:
                pump.result()
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)

    async def requests(self) -> None:
        while data := await self._from_client.read(65536):
            await self._proxy.flow()
            match self._proxy.trouble(data):
                case Trouble.CUT_REQUEST:
                    return
                case bytes(instead):
                    self._to_client.write(instead)
                    continue
                case trouble:
                    self._cut = self._cut or trouble is Trouble.CUT_REPLY
            self._to_server.write(data)
            await self._to_server.drain()

    async def replies(self) -> None:
        while data := await self._from_server.read(65536):
            await self._proxy.flow()
            if self._cut:
                return
            await asyncio.sleep(self._proxy.latency)
            size = 1 if self._proxy.drips else len(data)
            for start in range(0, len(data), size):
                self._to_client.write(data[start : start + size])
                await self._to_client.drain()
                await asyncio.sleep(0)


def _reset(writer: asyncio.StreamWriter) -> None:
    connection = writer.get_extra_info("socket")
    if connection.family != socket.AF_UNIX and connection.fileno() >= 0:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
