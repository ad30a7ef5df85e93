"""``python -m bot check`` against things that work and things that do not."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.operator.check import check
from bot.playground.yandex.replies import Cut, Lines, Refuse
from tests.conftest import World, changed


async def test_all_works(
    elsewhere: World, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Each thing has a line; the model is asked without a stream; nothing is left behind."""
    embedded = {"redis_url": None, "data_dir": tmp_path / "data"}
    assert await check(elsewhere.settings.model_copy(update=embedded))
    lines = capsys.readouterr().out.splitlines()[-3:]
    assert [line.partition(":")[0] for line in lines] == ["storage", "telegram", "completion"]
    assert all("works" in line for line in lines)
    assert elsewhere.bodies()[0]["completionOptions"]["stream"] is False


async def test_nothing_works(elsewhere: World, capsys: pytest.CaptureFixture[str]) -> None:
    """What does not work says why, and the rest is tried all the same."""
    wrong = {
        "redis_url": None,
        "data_dir": Path("/proc/nowhere"),
        "telegram_api_url": "http://[::1]:1",
    }
    elsewhere.model.script(Refuse(403, "Permission denied"))
    assert not await check(elsewhere.settings.model_copy(update=wrong))
    told = capsys.readouterr().out
    assert "works" not in told
    assert "ai.languageModels.user" in told


async def test_a_refused_token(elsewhere: World, capsys: pytest.CaptureFixture[str]) -> None:
    """What Telegram does not know is said in words, without the token."""
    token = SecretStr("1:unknown")
    assert not await check(changed(elsewhere.settings, telegram_token=token))
    told = capsys.readouterr().out
    assert "BotFather" in told
    assert "unknown" not in told


async def test_the_model_is_silent(elsewhere: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither silence nor a broken connection is more than a line."""
    settings = changed(elsewhere.settings, model_silence=0.2)
    elsewhere.model.script(Lines([b" ", b" "], delay=0.3), Cut(reset=True))
    assert not await check(settings)
    assert not await check(settings)
    assert "silent" in capsys.readouterr().out
