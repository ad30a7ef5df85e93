"""``python -m bot dead``: what it prints, and what it does."""

import asyncio
import itertools
import json
import os
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bot.operator.dead import dead
from storage import keys
from storage.dead import DeadLetters
from storage.message import ChatKey
from tests.conftest import configured

_bot_ids = itertools.count(8_800_000)


class Bot:
    """A bot of a test's own with four dead letters."""

    def __init__(self, redis: Redis, redis_url: str) -> None:
        self.redis, self.id = redis, next(_bot_ids)
        self.letters = DeadLetters(redis, self.id)
        self.settings = configured(
            telegram_token=f"{self.id}:TEST-TOKEN",
            folder_id="folder",
            api_key="key",
            redis_url=redis_url,
        )

    async def bury(self) -> None:
        """Let there be a letter that can be queued, one in a topic, and two that cannot."""
        message = {"chat": {"id": 5}, "text": "a secret"}
        topic = {"chat": {"id": -6}, "is_topic_message": True, "message_thread_id": 7}
        await self.letters.add(json.dumps({"update_id": 1, "message": message}), "failed 3 times")
        await self.letters.add(json.dumps({"update_id": 2, "message": topic}), "failed too")
        await self.letters.add("no JSON", "odd")
        # What is left of a body that was nested too deep for any parser.
        await self.letters.add("[" * 1000, "deep")

    async def reasons(self) -> list[str]:
        """Why the letters that are left are dead."""
        return [letter.reason for letter in await self.letters.all()]

    async def waiting(self) -> list[int]:
        """How many updates wait in the two lanes."""
        lanes = (ChatKey(5), ChatKey(-6, 7))
        return [int(await self.redis.llen(keys.mailbox(self.id, lane))) for lane in lanes]


@pytest.fixture
async def bot(redis: Redis, valkey: str) -> Bot:
    """A bot with dead letters."""
    new = Bot(redis, valkey)
    await new.bury()
    return new


async def test_letters_are_listed(bot: Bot, capsys: pytest.CaptureFixture[str]) -> None:
    """Each with its chat and its reason, and without what a person wrote; nothing is changed."""
    await dead(bot.settings, "list")
    assert capsys.readouterr().out.splitlines() == [
        "chat 5: failed 3 times",
        "chat -6:7: failed too",
        "chat unknown: odd",
        "chat unknown: deep",
    ]
    assert len(await bot.reasons()) == 4


async def test_letters_are_replayed(bot: Bot, capsys: pytest.CaptureFixture[str]) -> None:
    """What has a chat is queued again, once; the rest is kept."""
    await dead(bot.settings, "replay")
    await dead(bot.settings, "replay")
    assert capsys.readouterr().out.splitlines() == [
        "chat 5: failed 3 times - queued again",
        "chat -6:7: failed too - queued again",
        *["chat unknown: odd - cannot be queued, kept"],
        *["chat unknown: deep - cannot be queued, kept"],
        *["chat unknown: odd - cannot be queued, kept"],
        *["chat unknown: deep - cannot be queued, kept"],
    ]
    assert await bot.waiting() == [1, 1]
    assert await bot.reasons() == ["odd", "deep"]


async def test_letters_are_dropped(bot: Bot, capsys: pytest.CaptureFixture[str]) -> None:
    """All go, and nothing is queued."""
    await dead(bot.settings, "drop")
    assert all(line.endswith(" - dropped") for line in capsys.readouterr().out.splitlines())
    assert await bot.reasons() == []
    assert await bot.waiting() == [0, 0]


async def _run(folder: Path, bot: Bot, redis_url: str, *arguments: str) -> tuple[int, str, str]:
    names = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "TELEGRAM_TOKEN": bot.settings.bots[0].telegram_token.get_secret_value(),
        "FOLDER_ID": "folder",
        "API_KEY": "key",
        "REDIS_URL": redis_url,
    }
    command = (sys.executable, "-m", "bot", "dead", *arguments)
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, env=names, stdout=PIPE, stderr=PIPE
    )
    output, errors = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode(), errors.decode()


@pytest.mark.slow
async def test_the_command(bot: Bot, valkey: str, tmp_path: Path) -> None:
    """It lists unless told otherwise, ends with 0, and with 1 when storage is not there."""
    code, output, _ = await _run(tmp_path, bot, valkey)
    assert (code, len(output.splitlines())) == (0, 4)
    assert "secret" not in output
    code, output, _ = await _run(tmp_path, bot, valkey, "drop")
    assert (code, await bot.reasons()) == (0, [])
    code, output, errors = await _run(tmp_path, bot, "redis://127.0.0.1:1", "list")
    assert (code, output) == (1, "")
    assert "cannot_start" in errors
