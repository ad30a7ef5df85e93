"""The program as it is started: exit codes, signals, what it prints."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

from bot.playground.yandex.replies import Refuse, Silence
from storage.timing import Timing
from tests.conftest import ANN, World
from tests.valkey import Valkey, own_valkey

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


async def start(folder: Path, *arguments: str, **environment: str) -> Process:
    """Start ``python -m bot run``, or another command, with nothing but the given environment."""
    names = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environment}
    command = (sys.executable, "-m", "bot", *(arguments or ["run"]))
    return await asyncio.create_subprocess_exec(
        *command, cwd=folder, env=names, stdout=PIPE, stderr=PIPE
    )


def environment(world: World, **more: str) -> dict[str, str]:
    """What a bot needs to live in a world."""
    settings = world.settings
    return {
        "TELEGRAM_TOKEN": settings.bots[0].telegram_token.get_secret_value(),
        "TELEGRAM_API_URL": settings.telegram_api_url,
        "COMPLETION_URL": settings.completion_url,
        "FOLDER_ID": "folder",
        "API_KEY": "very-secret",
        "LISTEN": "127.0.0.1:0",
        **more,
    }


async def test_mistakes_end_it_with_2(tmp_path: Path) -> None:
    """Every mistake is on standard error, in plain words, without a traceback."""
    bot = await start(tmp_path, TELEGRAM_TOKEN="nonsense", TEMPERATURE="hot")
    _, errors = await bot.communicate()
    assert bot.returncode == 2
    lines = errors.decode().splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        "TELEGRAM_TOKEN",
        "FOLDER_ID",
        "TEMPERATURE",
        "API_KEY",
    ]


async def test_a_whole_life(elsewhere: World, tmp_path: Path) -> None:
    """With no Redis at hand it answers, stops at SIGTERM with 0, and remembers afterwards."""
    for question in ("alpha", "omega"):
        bot = await start(tmp_path, **environment(elsewhere))
        assert await elsewhere.says(ANN, ANN, question) == f"echo: {question}"
        bot.send_signal(signal.SIGTERM)
        output, errors = await bot.communicate()
        assert bot.returncode == 0, errors.decode()
        assert output == b""
        secrets = ("TEST-TOKEN", "very-secret", question)
        assert not any(secret in errors.decode() for secret in secrets)
    assert [message["text"] for message in elsewhere.bodies()[-1]["messages"]][1:] == [
        "alpha",
        "echo: alpha",
        "omega",
    ]


async def test_a_refused_token(elsewhere: World, tmp_path: Path) -> None:
    """A token that Telegram does not know ends it with 2 and a sentence."""
    bot = await start(tmp_path, **environment(elsewhere, TELEGRAM_TOKEN="1:unknown"))
    _, errors = await bot.communicate()
    assert bot.returncode == 2
    assert "BotFather" in errors.decode()


async def test_a_check_tells_no_secret(elsewhere: World, tmp_path: Path, valkey: str) -> None:
    """Where Telegram, the proxy and the model refuse, what is printed has no secret in it."""
    elsewhere.model.script(Refuse(401, "Unknown api key very-secret"))
    more = {
        "TELEGRAM_TOKEN": "1:refused-token,2:second-token",
        "REDIS_URL": valkey,
        "TELEGRAM_PROXY": "http://user:pass-word@127.0.0.1:1",
    }
    for names in (more, more | {"TELEGRAM_PROXY": ""}):
        bot = await start(tmp_path, "check", **environment(elsewhere, **names))
        output, errors = await bot.communicate()
        assert bot.returncode == 1
        told = (output + errors).decode()
        assert told.count("telegram: ") == 2
        for secret in ("refused-token", "second-token", "very-secret", "pass-word"):
            assert secret not in told
    assert "BotFather" in told


async def test_usage_tells_no_secret(tmp_path: Path) -> None:
    """A token in the wrong place of a command line is not repeated."""
    token = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"
    bot = await start(tmp_path, "demo", "--tokne", token)
    output, errors = await bot.communicate()
    assert bot.returncode == 2
    assert b"--tokne" in errors
    assert token.encode() not in output + errors


async def test_no_model_is_needed(tmp_path: Path) -> None:
    """Dead letters are listed, and all is exported, without a word about a model."""
    names = {"TELEGRAM_TOKEN": "1:a", "TELEGRAM_TOKEM": "2:very-secret"}
    for arguments in (["dead"], ["export", "bot.jsonl"]):
        bot = await start(tmp_path, *arguments, **names)
        output, errors = await bot.communicate()
        assert bot.returncode == 0, errors.decode()
        assert "TELEGRAM_TOKEM: there is no such setting. Was TELEGRAM_TOKEN" in errors.decode()
        assert b"very-secret" not in output + errors


async def test_a_dotenv_file_that_is_no_text(tmp_path: Path) -> None:
    """It ends every command with 2 and a sentence."""
    (tmp_path / ".env").write_text("TELEGRAM_TOKEN=1:a", "utf-16")
    for command in ("run", "dead"):
        bot = await start(tmp_path, command)
        output, errors = await bot.communicate()
        assert (bot.returncode, output) == (2, b"")
        assert errors.decode().count("\n") == 1
        assert "UTF-8" in errors.decode()


async def test_a_model_that_is_set_wrong(elsewhere: World, tmp_path: Path, valkey: str) -> None:
    """It is told at the start, before anybody has asked; and the bot works on."""
    elsewhere.model.keys = ["another"]
    bot = await start(tmp_path, **environment(elsewhere, REDIS_URL=valkey))
    assert bot.stderr
    async with asyncio.timeout(60):
        async for line in bot.stderr:
            if b'"level": "error"' in line:
                break
    assert b"Unknown api key" in line
    assert b"the key or token is wrong" in line
    assert b"very-secret" not in line
    assert not elsewhere.bodies()
    elsewhere.model.keys = None
    assert await elsewhere.says(ANN, ANN, "hi") == "echo: hi"
    bot.terminate()
    await bot.communicate()


async def test_no_storage(elsewhere: World, tmp_path: Path) -> None:
    """Where there can be no server, that ends it with 1."""
    bot = await start(tmp_path, **environment(elsewhere, DATA_DIR="/proc/nowhere"))
    _, errors = await bot.communicate()
    assert bot.returncode == 1
    assert "cannot_start" in errors.decode()


async def test_missing_rights(elsewhere: World, tmp_path: Path) -> None:
    """A Redis user who may not all end it with 1 and a sentence, before anything is taken in."""
    redis: Any
    async with own_valkey() as server, Redis.from_url(server.url) as redis:
        await redis.execute_command("ACL", "SETUSER", "bot", "on", ">pw", "~*", "+@all")
        url = f"{server.url}?username=bot&password=pw"
        elsewhere.room.say(ANN, ANN, "hi")
        for command in ("run", "check", "dead"):
            bot = await start(tmp_path, command, **environment(elsewhere, REDIS_URL=url))
            output, errors = await asyncio.wait_for(bot.communicate(), 60)
            assert bot.returncode == 1
            told = (output + errors).decode()
            bot_id = elsewhere.bot_id
            assert f"'bot' may not use channels {{{bot_id}}}:*; this allows it: ACL" in told
            assert "Traceback" not in told
        assert await redis.keys("*") == []


async def test_storage_is_waited_for(elsewhere: World, tmp_path: Path) -> None:
    """A server that is not there yet is waited for; a message meanwhile is answered."""
    server = Valkey(tmp_path)
    bot = await start(tmp_path, **environment(elsewhere, REDIS_URL=server.url))
    assert bot.stderr
    assert b"storage_unavailable" in await asyncio.wait_for(bot.stderr.readline(), 60)
    elsewhere.room.say(ANN, ANN, "hi")
    await server.start()
    assert await elsewhere.hears(ANN) == ["echo: hi"]
    bot.terminate()
    await bot.communicate()
    assert bot.returncode == 0
    server.kill()


async def test_telegram_is_waited_for(tmp_path: Path, valkey: str) -> None:
    """While Telegram cannot be reached it waits, and a signal ends it at once, with 0."""
    names = {
        "TELEGRAM_TOKEN": "1:a",
        "FOLDER_ID": "f",
        "API_KEY": "k",
        "REDIS_URL": valkey,
        "TELEGRAM_API_URL": "http://127.0.0.1:1",
    }
    bot = await start(tmp_path, **names)
    assert bot.stderr
    assert b"telegram_unreachable" in await asyncio.wait_for(bot.stderr.readline(), 60)
    bot.send_signal(signal.SIGINT)
    await bot.communicate()
    assert bot.returncode == 0


async def test_a_taken_address(elsewhere: World, tmp_path: Path, valkey: str) -> None:
    """Without a place for /healthz the bot works all the same, and says so."""
    taken = elsewhere.settings.telegram_api_url.removeprefix("http://")
    bot = await start(tmp_path, **environment(elsewhere, LISTEN=taken, REDIS_URL=valkey))
    assert await elsewhere.says(ANN, ANN, "hi") == "echo: hi"
    bot.terminate()
    _, errors = await bot.communicate()
    assert b"no_web" in errors


async def test_a_taken_address_with_a_webhook(
    elsewhere: World, tmp_path: Path, valkey: str
) -> None:
    """Where Telegram is to post, that ends it with 2 and a sentence; the webhook is not set."""
    taken = elsewhere.settings.telegram_api_url.removeprefix("http://")
    more = {"LISTEN": taken, "REDIS_URL": valkey, "WEBHOOK_URL": "http://127.0.0.1:9/telegram"}
    bot = await start(tmp_path, **environment(elsewhere, **more))
    _, errors = await bot.communicate()
    assert bot.returncode == 2
    assert f"LISTEN: {taken}" in errors.decode()
    assert not any(call["method"] == "setWebhook" for call in elsewhere.room.calls)


async def test_health(elsewhere: World, tmp_path: Path, valkey: str) -> None:
    """A well bot says 200 at /healthz and at /readyz."""
    bot = await start(tmp_path, **environment(elsewhere, REDIS_URL=valkey))
    assert bot.stderr
    async for line in bot.stderr:
        if b'"health"' in line:
            break
    url = line.decode().partition('"url": "')[2].partition('"')[0]
    async with httpx.AsyncClient() as http:
        assert (await http.get(url)).status_code == 200
        assert (await http.get(url.replace("healthz", "readyz"))).json() == {"problems": []}
        assert "telegram_shed_total" in (await http.get(url.replace("healthz", "metrics"))).text
    bot.terminate()
    await bot.communicate()


async def test_a_second_signal_ends_it_at_once(elsewhere: World, tmp_path: Path) -> None:
    """The first one lets it finish what is in hand, and says so; the second does not."""
    elsewhere.model.script(Silence())
    bot = await start(tmp_path, **environment(elsewhere))
    elsewhere.room.say(ANN, ANN, "hi")
    async with asyncio.timeout(60):
        while not elsewhere.model.open:  # noqa: ASYNC110 - it tells no other way
            await asyncio.sleep(0.02)
    bot.send_signal(signal.SIGINT)
    assert bot.stderr
    async for line in bot.stderr:
        if b"a second signal stops at once" in line:
            break
    bot.send_signal(signal.SIGINT)
    async with asyncio.timeout(Timing().grace / 2):
        await bot.communicate()
    assert bot.returncode == 0
    # Nothing is lost.
    bot = await start(tmp_path, **environment(elsewhere))
    assert await elsewhere.hears(ANN) == ["echo: hi"]
    bot.terminate()
    await bot.communicate()
