"""The socket at which workers reach the demo's storage: it can be taken away, or fall silent."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast
from urllib.parse import quote, unquote

STATES = ("there", "away", "silent")


class Outlet:
    """Passes on what comes to the Unix socket ``path`` to that of the server at ``url``.

    ``state`` is ``there``; ``away``: connections are cut, and new ones refused; or ``silent``:
    they stay open, and nothing comes through.
    """

    def __init__(self, url: str, path: Path) -> None:
        self.server_url = url
        self.url = f"unix://{quote(str(path))}"
        self.state = "away"
        self._server_path = unquote(url.removeprefix("unix://"))
        self._path = path
        self._ends: set[_End] = set()
        self._server: asyncio.AbstractServer | None = None

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Be there while the block runs. Raises OSError if the socket cannot be."""
        await self.become("there")
        try:
            yield
        finally:
            await self.become("away")

    async def become(self, state: str) -> None:
        """Change the state."""
        self.state = state
        for end in list(self._ends):
            if state == "away":
                end.transport.abort()
            elif end.is_joined:
                end.flow(on=state == "there")
        if state == "away" and self._server:
            self._server.close()
            self._server = None
            self._path.unlink(missing_ok=True)
        elif state != "away" and self._server is None:
            loop = asyncio.get_running_loop()
            self._server = await loop.create_unix_server(self._met, self._path)

    def _met(self) -> "_End":
        client = _End(self._ends)
        client.joining = asyncio.ensure_future(self._join(client))
        return client

    async def _join(self, client: "_End") -> None:
        """Connect a client with the server."""
        loop = asyncio.get_running_loop()
        try:
            await loop.create_unix_connection(lambda: _End(self._ends, client), self._server_path)
        except OSError:
            client.transport.abort()
            return
        for end in (client, client.other):
            if self.state == "away" or client.transport.is_closing():
                end.transport.abort()
            else:
                end.flow(on=self.state == "there")


class _End(asyncio.Protocol):
    """One end of a connection; what arrives here is written to the ``other``."""

    other: "_End"
    transport: asyncio.Transport
    joining: asyncio.Future[None]

    def __init__(self, ends: set["_End"], other: "_End | None" = None) -> None:
        self._ends = ends
        self._flows = False  # until both ends are there
        self._held = b""
        if other:
            self.other, other.other = other, self

    @property
    def is_joined(self) -> bool:
        return hasattr(self, "other")

    def flow(self, *, on: bool) -> None:
        """Let what arrives through, or no longer."""
        self._flows = on
        if on:
            self.other.transport.write(self._held)
            self._held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._ends.add(self)

    def data_received(self, data: bytes) -> None:
        if self._flows:
            self.other.transport.write(data)
        else:
            self._held += data

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._ends.discard(self)
        if self.is_joined:
            self.other.transport.close()
