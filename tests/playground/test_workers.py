"""The demo's workers as processes of the bot: how they start, and how they end."""

import asyncio
import contextlib
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.playground.workers import MOST, CannotStart, Workers
from tests.conftest import World

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
ELSEWHERE = "from bot.playground.child import main; main('elsewhere')"


def environment(world: World) -> dict[str, str]:
    """What a bot in this world is told."""
    settings = world.settings
    bot = settings.first
    assert settings.redis_url
    return {
        "PATH": os.environ["PATH"],
        "TELEGRAM_TOKEN": bot.telegram_token.get_secret_value(),
        "TELEGRAM_API_URL": settings.telegram_api_url,
        "COMPLETION_URL": settings.completion_url,
        "REDIS_URL": settings.redis_url.get_secret_value(),
        "FOLDER_ID": "folder",
        "API_KEY": "test-key",
        "LISTEN": "127.0.0.1:0",
    }


@contextlib.asynccontextmanager
async def some(told: dict[str, str], folder: Path) -> AsyncIterator[Workers]:
    """Workers with this environment, of which none has started yet."""
    workers = Workers(lambda: told, folder, folder / "bot.log", lambda: None)
    async with workers.working():
        yield workers


async def test_killed_and_started_again(elsewhere: World, tmp_path: Path) -> None:
    """What came in while nobody worked is answered by the next one."""
    async with some(environment(elsewhere), tmp_path) as workers:
        await workers.ready(first := await workers.add())
        assert await elsewhere.says(101, 101, "one") == "echo: one"
        workers.kill(first.pid)
        with pytest.raises(ValueError, match=f"no worker {first.pid}"):
            workers.thaw(first.pid)
        elsewhere.room.say(101, 101, "two")
        await workers.heal()
        (second,) = workers.here
        async with asyncio.timeout(60):  # the first answer may come again: its end was not noted
            while "echo: two" not in await elsewhere.hears(101):
                await elsewhere.room.changed(elsewhere.room.version, 1)
        assert [worker["state"] for worker in workers.json()] == ["running"]
        assert second.pid != first.pid
    assert not workers.here


async def test_frozen_and_thawed(elsewhere: World, tmp_path: Path) -> None:
    """A frozen one does nothing until it is thawed, by whomever it was frozen."""
    async with some(environment(elsewhere), tmp_path) as workers:
        await workers.ready(worker := await workers.add())
        workers.freeze(worker.pid)
        assert workers.json() == [{"pid": worker.pid, "state": "frozen"}]
        elsewhere.room.say(101, 101, "one")
        await workers.heal()
        assert await elsewhere.hears(101) == ["echo: one"]
        assert workers.json() == [{"pid": worker.pid, "state": "running"}]


async def test_replaced(elsewhere: World, tmp_path: Path) -> None:
    """New ones take over with the new environment; the old ones end by themselves."""
    told = environment(elsewhere)
    async with some(told, tmp_path) as workers:
        await workers.ready(old := await workers.add())
        told["SYSTEM_PROMPT"] = "Be brief."
        await workers.replace()
        await elsewhere.says(101, 101, "one")
        assert elsewhere.bodies()[-1]["messages"][0]["text"] == "Be brief."
        async with asyncio.timeout(60):
            while old in workers.here:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.05)
        assert len(workers.here) == 1


async def test_what_cannot_start_replaces_nobody(elsewhere: World, tmp_path: Path) -> None:
    """The error is the worker's own, and the old one goes on."""
    told = environment(elsewhere)
    async with some(told, tmp_path) as workers:
        await workers.ready(old := await workers.add())
        told["TEMPERATURE"] = "hot"
        with pytest.raises(CannotStart, match=r"TEMPERATURE: .* number"):
            await workers.replace()
        assert workers.here == [old]
        assert await elsewhere.says(101, 101, "one") == "echo: one"


async def test_there_are_not_too_many(elsewhere: World, tmp_path: Path) -> None:
    async with some(environment(elsewhere), tmp_path) as workers:
        for _ in range(MOST):
            await workers.add()
        with pytest.raises(ValueError, match="already"):
            await workers.add()


async def test_where_the_system_does_not_end_children(elsewhere: World, tmp_path: Path) -> None:
    """A worker ends with the pipe that its parent holds."""
    worker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", ELSEWHERE, str(os.getpid())),
        cwd=tmp_path,
        env=environment(elsewhere) | {"PYTHONPATH": str(ROOT)},
        stdin=PIPE,
        stderr=DEVNULL,
    )
    assert worker.stdin is not None
    assert await elsewhere.says(101, 101, "one") == "echo: one"
    worker.stdin.close()
    assert await worker.wait() == 1
