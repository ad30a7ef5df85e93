"""The bot's processes on the demo: started, killed, frozen, thawed, ended and replaced."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import BinaryIO

import bot
from bot.playground.telegram.chat import Json

MOST = 4
"""Most workers at once; each is a whole bot of about 80 MB."""
READY_SECONDS = 20.0
"""How long a worker's start is waited for; one that waits for storage or Telegram goes on."""
LEAVE_SECONDS = 0.5
"""How long workers may take to leave when the demo ends; all that they know is stored."""
LAST_LINES_SECONDS = 0.3
"""How long the end of a worker's log is waited for once its process is gone."""
LINES_KEPT = 20
LONGEST_LINE = 1 << 20

_ROOT = Path(bot.__file__).parents[1]
_HERE = ("starting", "running", "frozen", "ending")
"""States of a process that is there."""


class CannotStart(Exception):
    """A worker ended before it was ready; the text is what it said."""


class Worker:
    """One process: ``python -m bot run``.

    ``state`` is starting, running, frozen or ending; or, when it is gone, killed or ended.
    ``changed`` is called whenever that changes.
    """

    def __init__(self, process: Process, changed: Callable[[], object]) -> None:
        self.state = "starting"
        self.pid = process.pid
        self.decided = asyncio.Event()
        """Set once it has started, or is gone."""
        self.polls = asyncio.Event()
        """Set once it takes updates in, which one worker at a time does."""
        self._lines: deque[str] = deque(maxlen=LINES_KEPT)
        self._process = process
        self._changed = changed

    @property
    def is_here(self) -> bool:
        return self.state in _HERE

    @property
    def error(self) -> str:
        """What it said before its end: the reason that it gave, or else its last lines."""
        told = [(line, _event(line)) for line in self._lines]
        reasons = [str(event["reason"]) for _, event in told if "reason" in event]
        plain = "\n".join(line for line, event in told if not event)
        return plain or "".join(reasons[-1:]) or f"The bot ended with {self._process.returncode}."

    def json(self) -> Json:
        return {"pid": self.pid, "state": self.state}

    def signal(self, number: int, state: str) -> None:
        """Send it a signal, after which its state is ``state``."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)
        self._become(state)

    def thaw(self) -> None:
        """Let it go on as if nothing had happened."""
        before = "running" if self.decided.is_set() else "starting"
        self.signal(signal.SIGCONT, before if self.state == "frozen" else self.state)

    async def follow(self, log: BinaryIO) -> None:
        """Copy what it writes to ``log`` until it is gone."""
        reading = asyncio.create_task(self._read(log))
        code = await self._process.wait()
        # What it has started may hold the pipe open for longer.
        await asyncio.wait({reading}, timeout=LAST_LINES_SECONDS)
        reading.cancel()
        self.decided.set()
        self._become("killed" if code == -signal.SIGKILL else "ended")

    async def _read(self, log: BinaryIO) -> None:
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        rest = b""
        while data := await self._process.stdout.read(1 << 16):
            log.write(data)
            *lines, rest = (rest + data).split(b"\n")
            rest = rest[-LONGEST_LINE:]
            for line in lines:
                self._heard(line.decode("utf-8", "replace"))

    def _heard(self, line: str) -> None:
        self._lines.append(line)
        match _event(line).get("event"):
            case "health":  # the last thing that a start does
                self.decided.set()
                if self.state == "starting":
                    self._become("running")
            case "polling":
                self.polls.set()

    def _become(self, state: str) -> None:
        self.state = state
        self._changed()


class Workers:
    """The workers, oldest first; ``changed`` is called whenever the state of one changes.

    ``environment`` gives the environment of a new one, ``folder`` is where it runs; all of them
    write to the file ``log``.
    """

    def __init__(
        self,
        environment: Callable[[], Mapping[str, str]],
        folder: Path,
        log: Path,
        changed: Callable[[], object],
    ) -> None:
        self._environment = environment
        self._folder = folder
        self._log = log.open("ab", buffering=0)
        self._changed = changed
        self._workers: dict[int, Worker] = {}
        self._following: set[asyncio.Task[None]] = set()
        self._replacing = asyncio.Lock()

    def json(self) -> list[Json]:
        """Return every worker that is there, and those that have gone since the last start."""
        return [worker.json() for worker in self._workers.values()]

    @property
    def here(self) -> list[Worker]:
        """Those whose processes are there."""
        return [worker for worker in self._workers.values() if worker.is_here]

    @contextlib.asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """End all of them when the block ends; whatever they have not finished is stored."""
        try:
            yield
        finally:
            for worker in self.here:
                worker.signal(signal.SIGTERM, "ending")
            await self._gone(LEAVE_SECONDS)
            for worker in self.here:
                worker.signal(signal.SIGKILL, "killed")
            await self._gone(None)
            self._log.close()

    async def add(self) -> Worker:
        """Start one more; returns at once. ValueError if there are enough."""
        if len(self.here) >= MOST:
            raise ValueError(f"there are {MOST} workers already")
        return await self._start()

    async def ready(self, worker: Worker) -> None:
        """Wait until a worker has started, but not for ever; raises CannotStart if it ended."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(READY_SECONDS):
                await worker.decided.wait()
        if not worker.is_here:
            raise CannotStart(worker.error)

    def kill(self, pid: int) -> None:
        """End it with SIGKILL. As below, ValueError if there is no such worker."""
        self._found(pid).signal(signal.SIGKILL, "killed")

    def freeze(self, pid: int) -> None:
        """Stop it as if its machine had been suspended."""
        self._found(pid).signal(signal.SIGSTOP, "frozen")

    def thaw(self, pid: int) -> None:
        """Let it go on as if nothing had happened."""
        self._found(pid).thaw()

    def end(self, pid: int) -> None:
        """Ask it to end, once it has finished what it has in hand."""
        worker = self._found(pid)
        worker.signal(signal.SIGTERM, "ending")
        worker.thaw()  # frozen, it would not hear

    async def heal(self) -> None:
        """Thaw those that are frozen, and start one if none is at work."""
        for worker in self.here:
            worker.thaw()  # whoever froze it
        if not self._at_work():
            await self._start()

    async def replace(self) -> None:
        """Start as many new ones as are at work, in the new environment, then end the old ones.

        Returns once the new ones take updates in. Raises CannotStart if one of them does not start;
        then the old ones stay.
        """
        async with self._replacing:
            old = self._at_work()
            new = [await self._start() for _ in old]
            try:
                for worker in new:
                    await self.ready(worker)
            except CannotStart:
                for worker in new:
                    worker.signal(signal.SIGKILL, "killed")
                raise
            for worker in old:
                if worker.is_here:
                    self.end(worker.pid)
            taking = [asyncio.create_task(worker.polls.wait()) for worker in new]
            if taking:
                await asyncio.wait(taking, timeout=READY_SECONDS, return_when="FIRST_COMPLETED")
            for task in taking:
                task.cancel()

    def _at_work(self) -> list[Worker]:
        return [worker for worker in self.here if worker.state != "ending"]

    async def _start(self) -> Worker:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot.playground.child", str(os.getpid())),
            cwd=self._folder,
            env=_importing(self._environment()),
            stdin=PIPE,
            stdout=PIPE,
            stderr=STDOUT,
        )
        worker = Worker(process, self._changed)
        self._workers = {one.pid: one for one in [*self.here, worker]}
        following = asyncio.create_task(worker.follow(self._log))
        self._following.add(following)
        following.add_done_callback(self._following.discard)
        self._changed()
        return worker

    def _found(self, pid: int) -> Worker:
        worker = self._workers.get(pid)
        if worker is None or not worker.is_here:
            raise ValueError(f"there is no worker {pid}")
        return worker

    async def _gone(self, seconds: float | None) -> None:
        if self._following:
            await asyncio.wait(self._following, timeout=seconds)


def _event(line: str) -> Json:
    """Read a line of the log; empty if it is for people."""
    try:
        event = json.loads(line)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}


def _importing(environment: Mapping[str, str]) -> dict[str, str]:
    """Let a process that runs elsewhere find the bot."""
    paths = [str(_ROOT), environment.get("PYTHONPATH", "")]
    return {**environment, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
