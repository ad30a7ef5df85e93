"""The three-turn dialogue of YandexGPT's how-to, through the whole application."""

import json
from pathlib import Path
from typing import Any

from bot.app import running
from bot.playground.yandex.replies import Say
from tests.conftest import ANN, local_telegram

DIALOGUE = json.loads(Path(__file__).with_name("dialogue.json").read_text(encoding="utf-8"))


async def test_the_how_to_dialogue(redis: Any, valkey: str) -> None:
    """Each request is the documented one, but for `stream` and the folder."""
    turns = DIALOGUE["turns"]
    folder = turns[0]["request"]["modelUri"].removeprefix("gpt://").partition("/")[0]
    async with local_telegram(redis, valkey, folder_id="folder") as world:
        world.model.script(*(Say(_answer(turn)) for turn in turns))
        async with running(world.settings):
            for turn in turns:
                await world.says(ANN, ANN, turn["request"]["messages"][-1]["text"])
    assert len(world.bodies()) == 3
    for body, turn in zip(world.bodies(), turns, strict=True):
        assert body["completionOptions"].pop("stream") is True
        assert turn["request"]["completionOptions"].pop("stream") is False
        body["modelUri"] = body["modelUri"].replace("folder", folder)
        assert body == turn["request"]


def _answer(turn: dict[str, Any]) -> str:
    return str(turn["response"]["result"]["alternatives"][0]["message"]["text"])
