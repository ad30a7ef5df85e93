"""A Valkey server of our own in the data folder, for a bot whose REDIS_URL is unset.

Neither Valkey nor Redis locks its folder, and two servers on one folder destroy each other's
files. So a process may start the server only while it holds the ``flock`` of ``server.lock``, and
it passes that lock's descriptor *into* the server: the lock then lives exactly as long as the
server, however either of them dies. Other processes that want the folder join the running server
through its socket, and keep one idle connection, which ends when the server does; then all try for
the lock again, and whoever gets it first starts the next server.
"""

import asyncio
import contextlib
import hashlib
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import quote

import structlog

from storage.server.connect import StorageUnavailable
from storage.server.program import WAYS_OUT, find_program
from storage.timing import Timing

if sys.platform != "win32":
    import fcntl

# What to do if we cannot have a server of our own.
_ELSE = "or set REDIS_URL to a Redis or Valkey server of yours"

_POLL_SECONDS = 0.02  # a start takes about 50 ms
_PAUSE_SECONDS = 0.1  # before a restart; doubled each time (a full disk ends every server)
_LONGEST_PAUSE_SECONDS = 5.0

# Every write is on disk before it is acknowledged. Without the preamble, different versions of
# Redis and Valkey can read each other's folder, and check-aof can repair it.
_SETTINGS = """\
port 0
unixsocket "{socket}"
unixsocketperm 700
dir "{folder}"
daemonize no
databases 1
logfile "server.log"
loglevel notice
save ""
appendonly yes
appendfsync always
no-appendfsync-on-rewrite no
aof-use-rdb-preamble no
maxmemory {memory}
maxmemory-policy noeviction
"""
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})

# Linux: the server gets SIGTERM when the thread that started it ends (prctl(2), option 1 is
# PR_SET_PDEATHSIG), and is not started if that has already happened.
_DIE_WITH_OWNER = """\
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGTERM)
if os.getppid() == int(sys.argv[1]): os.execv(sys.argv[2], sys.argv[2:])
"""

log = structlog.get_logger()


@contextlib.asynccontextmanager
async def embedded_server(
    folder: Path, binary: Path | None = None, memory: str = "512mb", timing: Timing = Timing()
) -> AsyncIterator[str]:
    """Start the server of ``folder``, or join the one that runs there, while the block runs.

    Yields its URL, ``unix:///…``. ``binary`` names a server to use instead of the one found;
    ``memory`` is how much it may hold, as Redis writes it.
    A server that ends is restarted as long as the block runs; clients must retry. Leaving stops the
    server only if this process started it. Enter it in the main thread: on Linux the server ends
    with the thread that started it.

    Raises StorageUnavailable, saying what to do, if there can be no server.
    """
    if sys.platform == "win32":
        raise StorageUnavailable(f"there is no embedded server on Windows: {WAYS_OUT}")
    program = await asyncio.to_thread(find_program, binary)
    server = _Server(_private(folder), program, memory, timing)
    supervisor = None
    try:
        await server.reach()
        supervisor = asyncio.create_task(server.supervise())
        yield f"unix://{quote(os.fsencode(server.socket))}"
    finally:
        if supervisor is not None:
            supervisor.cancel()
            await asyncio.wait([supervisor])
        await server.leave()


class _Server:
    """The server of one folder as one process sees it: its own child or another's."""

    def __init__(self, folder: Path, binary: Path, memory: str, timing: Timing) -> None:
        self.socket: Path  # set by reach()
        self._folder = folder
        self._binary = binary
        self._memory = memory
        self._timing = timing
        self._child: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None  # idle; ends when the server does
        self._log_start = 0  # where the last child's log begins

    async def reach(self) -> None:
        """Return once the server answers, ours or another's. Raises StorageUnavailable."""
        try:
            self.socket = _socket_path(self._folder)  # temporary folders may be swept meanwhile
            async with asyncio.timeout(self._timing.server_silence) as patience:
                await self._reach(patience)
        except TimeoutError as error:
            raise StorageUnavailable(
                f"{self._folder} is locked by a server that does not answer at {self.socket}:"
                f" end that server, {_ELSE}"
            ) from error
        except OSError as error:
            raise StorageUnavailable(
                f"no server can run in {self._folder} ({error}): mend that, {_ELSE}"
            ) from error

    async def _reach(self, patience: asyncio.Timeout) -> None:
        child, damaged = None, False
        while True:
            if child is None:
                child = self._start_if_free(repair=damaged)
            self._line = await self._connect(patience)
            if self._line is not None:
                log.info("embedded_server_reached", started=child is not None)
                return
            if child is not None and child.poll() is not None:
                if damaged or not self._refused_its_files():
                    raise StorageUnavailable(
                        f"the embedded server ended at its start with code {child.returncode}:"
                        f" see {self._folder / 'server.log'}, {_ELSE}"
                    )
                child, damaged = None, True
            await asyncio.sleep(_POLL_SECONDS)

    async def supervise(self) -> None:
        """Restart the server whenever it ends."""
        pause = _PAUSE_SECONDS
        while True:
            reached = time.monotonic()
            await self._end()
            if time.monotonic() - reached > self._timing.server_steady:
                pause = _PAUSE_SECONDS
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
            try:
                await self.reach()
            except StorageUnavailable as error:
                log.error("embedded_server_unavailable", reason=str(error))  # noqa: TRY400 - no bug

    async def leave(self) -> None:
        """Stop the server if it is our child, and wait until it is gone."""
        if self._line is not None:
            self._line.close()
        if self._child is None:
            return
        self._child.terminate()
        try:
            await asyncio.to_thread(self._child.wait, self._timing.server_leave)
        except subprocess.TimeoutExpired:
            log.warning("embedded_server_killed", after=self._timing.server_leave)
            self._child.kill()
            self._child.wait()
        except asyncio.CancelledError:  # everything it acknowledged is on disk
            self._child.kill()
            raise

    def _start_if_free(self, *, repair: bool) -> subprocess.Popen[bytes] | None:
        with (self._folder / "server.lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return None  # a server is there, or starting, or its last child is still writing
            if self._child is not None:
                log.warning("embedded_server_restarted", exit_code=self._child.wait())
            if repair:
                _repair(self._folder, self._binary)
            self._child = self._start(lock.fileno())
            # Our copy is closed here and never unlocked, which would unlock the server's too.
            return self._child

    def _start(self, lock: int) -> subprocess.Popen[bytes]:
        values = {"socket": self.socket, "folder": self._folder, "memory": self._memory}
        settings = _SETTINGS.format(**{k: str(v).translate(_ESCAPES) for k, v in values.items()})
        written = self._folder / "server.conf.new"
        written.write_bytes(os.fsencode(settings))
        command = [str(self._binary), str(written.replace(self._folder / "server.conf"))]
        if sys.platform == "linux":
            shim = [sys.executable, "-I", "-S", "-c", _DIE_WITH_OWNER, str(os.getpid())]
            command = shim + command
        with (self._folder / "server.log").open("ab") as output:
            self._log_start = output.tell()
            return subprocess.Popen(  # noqa: S603 - the binary is the owner's choice
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=[lock],
                start_new_session=True,  # Ctrl-C is for the bot, which has work to put down first
            )

    async def _connect(self, patience: asyncio.Timeout) -> socket.socket | None:
        """Open a connection; returns it only if the server says PONG."""
        loop = asyncio.get_running_loop()
        with contextlib.ExitStack() as stack:
            line = stack.enter_context(socket.socket(socket.AF_UNIX))
            line.setblocking(False)
            with contextlib.suppress(OSError):  # nobody there yet, or a time-out
                async with asyncio.timeout(2):
                    await loop.sock_connect(line, str(self.socket))
                    await loop.sock_sendall(line, b"PING\r\n")
                    answer = await loop.sock_recv(line, 512)
                if answer.startswith(b"+PONG"):
                    stack.pop_all()
                    return line
                if answer.startswith(b"-LOADING"):  # as long as it takes
                    patience.reschedule(loop.time() + self._timing.server_silence)
        return None

    async def _end(self) -> None:
        """Return when the server has ended, or has closed our connection."""
        if self._line is not None:
            with self._line, contextlib.suppress(ConnectionError):
                await asyncio.get_running_loop().sock_recv(self._line, 1)
            self._line = None

    def _refused_its_files(self) -> bool:
        with (self._folder / "server.log").open("rb") as written:
            written.seek(self._log_start)
            return b"Bad file format reading the append only file" in written.read()


def _private(folder: Path) -> Path:
    """Create the data folder, for us alone; returns its resolved path."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as error:
        raise StorageUnavailable(
            f"{folder} cannot be the data folder ({error}): name another one in DATA_DIR, {_ELSE}"
        ) from error
    return folder.resolve()


def _socket_path(folder: Path) -> Path:
    """In the folder or, if that path is too long to bind (108 bytes, unix(7)), in a short one."""
    path = folder / "server.sock"
    if len(os.fsencode(path)) <= 100:
        return path
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    short = Path(tempfile.gettempdir()) / f"bot-{os.getuid()}-{digest}"
    with contextlib.suppress(FileExistsError):
        short.mkdir(mode=0o700)
    found = short.lstat()  # anyone can write next to it, and a link may lead anywhere
    ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
    if not ours or stat.S_IMODE(found.st_mode) & 0o077:
        raise StorageUnavailable(
            f"{short} must be a folder of this user alone (mode 0700): remove it, {_ELSE}"
        )
    return short / "s"


def _repair(folder: Path, binary: Path) -> None:
    """Cut the damage off the last append-only file, after copying all of them aside.

    Call it under the lock. At every moment the folder holds either the damaged files or the
    repaired ones, and nothing is ever deleted. Does nothing if the damage is elsewhere.
    """
    files = folder / "appendonlydir"
    manifest = (files / "appendonly.aof.manifest").read_text()
    appended = re.findall(r"^file (\S+) seq \d+ type i", manifest, re.MULTILINE)
    if not appended:
        return
    last = files / appended[-1]
    repaired = Path(shutil.copy(last, folder / "server.aof.new"))
    # A server started under this name is the tool; Redis and Valkey each look for their own.
    subprocess.run(  # noqa: S603 - the binary is the owner's choice
        ["redis-check-aof valkey-check-aof", "--fix", repaired],  # noqa: S607 - not the path
        executable=binary,
        input=b"y\n",
        stdout=subprocess.DEVNULL,
        check=False,
    )
    cut = last.stat().st_size - repaired.stat().st_size
    if cut:
        copy = shutil.copytree(files, folder / f"damaged-{time.time_ns()}")
        for written in (*copy.iterdir(), repaired):  # on disk before the damaged one is replaced
            with written.open("rb") as file:
                os.fsync(file.fileno())
        repaired.replace(last)
        log.error("embedded_server_repaired", file=str(last), bytes_cut=cut, copy=str(copy))


@contextlib.contextmanager
def locked(path: Path) -> Iterator[bool]:
    """Hold a lock file while the block runs, if it is free; yields whether we hold it."""
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
