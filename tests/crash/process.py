"""The bot's processes that storms kill."""

import asyncio
import contextlib
import multiprocessing
import os
import signal
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from redis.asyncio import Redis

from storage.server.connect import connect
from tests.crash import launch
from tests.crash.launch import Fate

STOP_SECONDS = 25.0
"""What a stop may take; the bot gives itself 20 s to finish what is in hand."""

# A start of Python takes 0.8 s of CPU, nearly all for imports: processes are forked from one
# that has them already, so that a storm can kill a process every half second.
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload([launch.__name__])


class BotProcess:
    """One process of the bot, started when made."""

    def __init__(
        self, environment: Mapping[str, str], folder: Path, fate: Fate | None = None
    ) -> None:
        arguments = (dict(environment), str(folder), str(folder / "log"), fate)
        self.role = environment.get("ROLE", "all")
        self._frozen = False
        self._process = _CONTEXT.Process(target=launch.run, args=arguments, daemon=True)
        self._process.start()

    def kill(self, *, whole: bool = False) -> None:
        """Kill it at once; ``whole``: with the storage server that it has started."""
        children = self._children() if whole else []
        self._process.kill()
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)

    def freeze(self) -> None:
        """Stop it as if its machine had been suspended."""
        self._frozen = True
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on as if nothing had happened."""
        self._signal(signal.SIGCONT)
        self._frozen = False

    @property
    def is_well(self) -> bool:
        """Tell whether it lives, and is not frozen."""
        return self._process.is_alive() and not self._frozen

    async def halted(self) -> None:
        """Wait until it has ended, or is frozen by itself."""
        while self._process.is_alive() and self._state() != "T":  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)

    async def ended(self) -> int | None:
        """Wait for its end; its exit code."""
        loop, end = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self._process.sentinel, end.set)
        try:
            await end.wait()
        finally:
            loop.remove_reader(self._process.sentinel)
        self._process.join()
        return self._process.exitcode

    async def stop(self) -> int | None:
        """Ask it to stop; its exit code, None if it had to be killed."""
        self._process.terminate()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                return await self.ended()
        self._process.kill()
        return None

    def _children(self) -> list[int]:
        pid = self._process.pid
        return [
            int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        ]

    def _state(self) -> str:
        """Its state as in proc(5), T when stopped by a signal; "" when it is gone."""
        with contextlib.suppress(OSError):
            stat = Path(f"/proc/{self._process.pid}/stat").read_text()
            return stat.rpartition(")")[2].split()[0]
        return ""

    def _signal(self, number: signal.Signals) -> None:
        if self._process.is_alive() and self._process.pid:
            os.kill(self._process.pid, number)


@contextlib.asynccontextmanager
async def connected(url: str) -> AsyncIterator[Redis]:
    """Look into a server from outside, as the bot does."""
    redis = connect(url, connections=2)
    try:
        yield redis
    finally:
        await redis.aclose()
