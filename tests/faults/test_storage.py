"""The whole application when Redis, or the way to it, fails: all is answered once, in order."""

import asyncio
import contextlib
import hashlib
import json
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis, UnixDomainSocketConnection
from structlog.testing import capture_logs

from bot.app import running
from bot.playground.telegram.fault import Fault
from bot.playground.yandex.replies import Say
from bot.settings import Settings
from handlers.texts import ENGLISH
from storage import keys
from storage.message import ChatKey
from storage.server.connect import connect, patiently, translated
from storage.server.embedded import embedded_server
from storage.server.script import text
from storage.timing import Timing
from tests.conftest import ANN, BORIS, changed, local_telegram
from tests.faults.conftest import LEASE
from tests.faults.proxy import Proxy, Trouble
from tests.faults.talk import Talk, storage_through, until
from tests.valkey import Valkey, own_valkey

CHATS = range(201, 209)


@pytest.fixture
async def server() -> AsyncIterator[Valkey]:
    """A server that this test alone uses."""
    async with own_valkey() as server:
        yield server


@pytest.fixture
async def talk(server: Valkey, timing: Timing) -> AsyncIterator[Talk]:
    """People, and a bot that is to be started, on that server."""
    redis = connect(server.url, connections=8)
    async with local_telegram(redis, server.url, timing=timing) as world:
        yield Talk(world)
    await redis.aclose()


@pytest.fixture
async def proxy(server: Valkey) -> AsyncIterator[Proxy]:
    """A way to that server that fails on demand."""
    async with Proxy(server.url).running() as proxy:
        yield proxy


@pytest.fixture
async def behind(talk: Talk, proxy: Proxy) -> AsyncIterator[Talk]:
    """The application running behind the proxy; it has answered once, so its scripts are loaded."""
    async with running(storage_through(talk.world.settings, proxy)):
        talk.ask(ANN)
        await talk.answered()
        yield talk


def call(command: str) -> bytes:
    """What a request has in it that runs one of our scripts, or a bare command."""
    if command.isupper():
        return command.encode()
    return hashlib.sha1(text(command).encode()).hexdigest().encode()


@pytest.mark.parametrize("trouble", list(Trouble))
@pytest.mark.parametrize(
    "command", ["put", "XREADGROUP", "open", "occupy", "commit", "done", "ZREM"]
)
async def test_a_cut_at_each_command(
    behind: Talk, proxy: Proxy, command: str, trouble: Trouble
) -> None:
    """Whether or not a command was carried out before the cut, nothing happens twice."""
    proxy.plan(call(command), trouble, trouble)
    behind.ask(ANN, BORIS)
    behind.ask(ANN)
    await behind.answered()
    await until(lambda: not proxy.planned)
    await behind.check()


@pytest.mark.parametrize("trouble", list(Trouble))
async def test_a_cut_heartbeat(behind: Talk, proxy: Proxy, trouble: Trouble) -> None:
    """A heartbeat that fails comes again, and the lane stays ours."""
    behind.world.model.script(Say("echo: question 1", steps=4, delay=LEASE / 2))
    proxy.plan(call("beat"), trouble, trouble)
    behind.ask(ANN)
    await behind.answered()
    assert not proxy.planned
    assert len(behind.world.bodies()) == 2
    await behind.check()


@pytest.mark.parametrize("trouble", list(Trouble))
async def test_cuts_that_outlast_redis_pys_own_tries(
    behind: Talk, proxy: Proxy, trouble: Trouble
) -> None:
    """Commands that fail as often as they are tried at once are tried again later."""
    for command in ("put", "open", "commit", "done"):
        proxy.plan(call(command), *[trouble] * 5)
        behind.ask(ANN, BORIS)
        behind.ask(ANN)  # its lane is opened for what waits behind another question
        await behind.answered()
        await until(lambda: not proxy.planned)
    await behind.check()


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_a_storm_of_cuts(behind: Talk, proxy: Proxy, seed: int) -> None:
    """With one request in ten cut, before or after it was carried out, all are answered once."""
    proxy.storm(seed, 0.1)
    for _ in range(6):
        behind.ask(*CHATS)
        await asyncio.sleep(0.1)
    await behind.answered()
    proxy.storm(seed, 0)
    assert proxy.troubles > 20
    await behind.check()


@pytest.mark.parametrize("seconds", [0.2, LEASE / 2, LEASE * 1.5])
async def test_a_stall(behind: Talk, proxy: Proxy, seconds: float) -> None:
    """Silence below redis-py's time-out, above it, and beyond the lease only takes its time."""
    behind.ask(*CHATS)
    await behind.world.hears(CHATS[0])
    behind.ask(*CHATS)
    async with proxy.stalled():
        await asyncio.sleep(seconds)
        behind.ask(*CHATS)
    await behind.answered()
    await behind.check()


async def test_a_slow_drip(behind: Talk, proxy: Proxy) -> None:
    """Replies that come byte by byte are read all the same."""
    proxy.drips = True
    behind.ask(*CHATS)
    behind.ask(*CHATS)
    await behind.answered()
    await behind.check()


async def test_a_worker_that_is_cut_off(talk: Talk, proxy: Proxy) -> None:
    """Another worker takes over what it had in hand; back again, it writes and sends nothing."""
    talk.world.model.script(Say("echo: question 0", steps=4, delay=LEASE / 2))
    worker = storage_through(talk.world.settings, proxy).model_copy(update={"role": "worker"})
    async with running(worker):
        intake = talk.world.settings.model_copy(update={"role": "intake"})
        async with running(intake):
            talk.ask(ANN)
            await until(talk.world.bodies)
            async with running(talk.world.settings), proxy.stalled():
                await talk.answered()
                assert len(talk.world.bodies()) == 2
                await asyncio.sleep(LEASE)
            talk.ask(ANN)
            await talk.answered()
    await talk.check()


@pytest.mark.parametrize("fault", [Fault(status=429, retry_after=4), Fault(status=502), Fault()])
async def test_a_worker_that_is_cut_off_in_a_pause(talk: Talk, proxy: Proxy, fault: Fault) -> None:
    """Another worker sends what it was to send once more; when its pause is over, it does not."""
    room, pauses = talk.world.room, (2 * LEASE,) * 9
    settings = changed(talk.world.settings, streaming="off", send_pauses=pauses)
    worker = storage_through(settings, proxy).model_copy(update={"role": "worker"})
    async with running(worker), running(settings.model_copy(update={"role": "intake"})):
        room.fail("sendMessage", fault)
        talk.ask(ANN)
        await until(lambda: any(not call["ok"] for call in room.calls))
        async with running(settings), proxy.stalled():
            await talk.answered()
        await asyncio.sleep(2 * LEASE + 1)  # until its pause is over
        assert len(talk.world.said(ANN)) == 1
        talk.ask(ANN)
        await talk.answered()
    await talk.check()


async def test_a_killed_server(talk: Talk, server: Valkey) -> None:
    """A server that dies at its work, again and again, loses and repeats nothing."""
    async with running(talk.world.settings):
        for _ in range(3):
            talk.ask(*CHATS)
            await talk.world.hears(CHATS[0], len(talk.asked[CHATS[0]]))
            server.kill()
            talk.ask(*CHATS)
            await asyncio.sleep(0.3)
            await server.start()
        await talk.answered()
    await talk.check()


@pytest.mark.parametrize("seconds", [LEASE / 4, LEASE * 1.5])
async def test_a_frozen_server(talk: Talk, server: Valkey, seconds: float) -> None:
    """A server that stops, for longer than the lease or not, only takes its time."""
    async with running(talk.world.settings):
        talk.ask(*CHATS)
        await talk.world.hears(CHATS[0])
        with server.frozen():
            talk.ask(*CHATS)
            await asyncio.sleep(seconds)
        await talk.answered()
    await talk.check()


async def test_full_memory(talk: Talk) -> None:
    """Intake pauses and says so, work in hand is finished, and all goes on when there is room."""
    redis, world = talk.world.redis, talk.world
    world.model.script(Say("echo: question 0", steps=4, delay=0.2))
    with capture_logs() as logs:
        async with running(world.settings):
            talk.ask(ANN)
            await until(world.bodies)
            ready = next(log["url"] for log in logs if log["event"] == "health")
            async with _full(redis):
                talk.ask(ANN, BORIS)
                assert await world.hears(ANN) == ["echo: question 0"]
                await until(lambda: "polling_paused" in [log["event"] for log in logs])
                problems = await _problems(ready.replace("healthz", "readyz"))
                assert "OutOfMemory" in problems
                assert len(world.bodies()) == 1
            await talk.answered()
            assert await _problems(ready.replace("healthz", "readyz")) == ""
    await talk.check()


@contextlib.asynccontextmanager
async def _full(redis: Redis) -> AsyncIterator[None]:
    """Leave the server no memory while the block runs, whatever ends it."""
    await redis.config_set("maxmemory", "1")
    try:
        yield
    finally:
        await redis.config_set("maxmemory", "0")


async def test_a_start_into_full_memory(talk: Talk, server: Valkey) -> None:
    """Questions wait and /readyz says why; a /reset gets in, makes room, and they are answered."""
    redis, world = talk.world.redis, talk.world
    async with running(world.settings):
        talk.ask(BORIS)
        await talk.answered()
    said = json.dumps({"role": "user", "text": "x" * 10_000})
    await redis.rpush(keys.history(world.bot_id, ChatKey(ANN)), *[said] * 300)
    server.kill()
    await server.start()
    await redis.config_set("maxmemory", (await redis.info("memory"))["used_memory"] - 1_000_000)
    with capture_logs() as logs:
        async with running(world.settings):
            for _ in range(3):
                world.room.say(ANN, ANN, "question", language="en")
                talk.ask(BORIS)
            ready = next(log["url"] for log in logs if log["event"] == "health")
            readyz = ready.replace("healthz", "readyz")
            assert "OutOfMemory" in await _problems(readyz)
            assert "/help — " in await world.says(ANN, ANN, "/help")
            assert "OutOfMemory" in await _problems(readyz)
            assert await world.says(ANN, ANN, "/reset") == ENGLISH.forgotten_for_good
            assert (await world.hears(ANN, 5))[2:] == ["echo: question"] * 3
            await talk.answered()
            assert await _problems(readyz) == ""
            await redis.delete(keys.full(world.bot_id))  # as it is gone after a minute
            assert await world.says(ANN, ANN, "/reset") == ENGLISH.forgotten
    assert len(world.bodies()) == 7
    assert await talk.history(BORIS) == [
        text for number in range(4) for text in (f"question {number}", f"echo: question {number}")
    ]


async def _problems(url: str) -> str:
    """What ``/readyz`` says."""
    async with httpx.AsyncClient() as http:
        return " ".join((await http.get(url)).json()["problems"])


async def test_a_full_disk(tmp_path: Path) -> None:
    """The embedded server cannot write, and ends; with room on the disk all is answered."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk: run as root to see a full one")
    with _small_disk(tmp_path) as disk:
        async with embedded_server(disk / "data") as url:
            redis = connect(url, connections=8)
            async with local_telegram(redis, url, data_dir=disk / "data") as world:
                settings = world.settings.model_copy(update={"redis_url": None})
                await _fill_and_empty(Talk(world), settings, disk / "filler")
            await redis.aclose()


async def _fill_and_empty(talk: Talk, settings: Settings, filler: Path) -> None:
    async with running(settings):
        talk.ask(ANN)
        await talk.answered()
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(512))
        talk.ask(ANN, BORIS, text="q" * 3000)
        await asyncio.sleep(1)
        assert len(talk.world.said(ANN)) == 1
        filler.unlink()  # noqa: ASYNC240 - short
        await patiently(talk.world.redis.ping)  # it is started again after a pause
        await talk.answered()
        await talk.check()  # here, as the server may be the application's by now


@contextlib.contextmanager
def _small_disk(folder: Path) -> Iterator[Path]:
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)],
        check=False,
        capture_output=True,
    )
    if mounted.returncode != 0:
        pytest.skip(f"no small disk to be had: {mounted.stderr.decode()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


async def test_a_cancellation_that_redis_py_swallows(
    server: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is cancelled just when a command has been sent ends all the same: no stop hangs."""
    redis = connect(server.url, connections=1)
    send = UnixDomainSocketConnection._send_packed_command

    async def sending(connection: UnixDomainSocketConnection, command: Any) -> None:
        await send(connection, command)
        task.cancel()

    async def ping() -> None:
        with translated():
            await redis.ping()
        await asyncio.sleep(60)

    await redis.ping()
    monkeypatch.setattr(UnixDomainSocketConnection, "_send_packed_command", sending)
    task = asyncio.create_task(ping())
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 30)
    await redis.aclose()
