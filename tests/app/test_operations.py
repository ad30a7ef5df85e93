"""What an operator sees: figures at ``/metrics``, and one line of the log for each turn."""

import re
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from bot.app import running
from bot.playground.yandex.replies import Refuse
from handlers.texts import ENGLISH
from storage.arrivals import Arrival
from storage.inbox import Inbox
from storage.message import ChatKey
from tests.conftest import ANN, BORIS, World

pytestmark = pytest.mark.slow


def figures(text: str) -> dict[str, float]:
    """Read what ``/metrics`` tells."""
    rows = re.findall(r"^([a-z]\S*) (\S+)$", text, re.MULTILINE)
    return {name: float(value) for name, value in rows}


async def told(logs: list[Any]) -> dict[str, float]:
    """Ask the bot that wrote these logs for its figures."""
    [url] = [log["url"] for log in logs if log["event"] == "health"]
    async with httpx.AsyncClient() as http:
        return figures((await http.get(url.replace("healthz", "metrics"))).text)


async def test_a_turn_is_counted(elsewhere: World) -> None:
    """Each step of an answered question moves its figure by one."""
    bot = elsewhere.bot_id
    lanes = f'worker_lanes{{bot="{bot}"}}'
    with capture_logs() as logs:
        async with running(elsewhere.settings):
            before = await told(logs)
            await elsewhere.says(ANN, ANN, "hello")
            after = await told(logs)
            while after[lanes]:  # people have the answer a little before its turn is over
                after = await told(logs)
    for name in (
        'intake_updates_total{outcome="stored"}',
        "worker_attempts_total",
        'updates_finished_total{outcome="done"}',
        "completion_seconds_count",
        "completion_first_words_seconds_count",
    ):
        assert after[name] - before.get(name, 0) == 1, name
    for kind in ("prompt", "completion"):
        name = f'completion_tokens_total{{kind="{kind}"}}'
        assert after[name] > before.get(name, 0)
    assert after["storage_up"] == 1
    assert after[f'worker_lanes_most{{bot="{bot}"}}'] == elsewhere.settings.lanes
    assert after[f'inbox_oldest_waiting_seconds{{bot="{bot}"}}'] == 0
    assert after[f'dead_letters{{bot="{bot}"}}'] == 0


async def test_what_waits_is_counted(elsewhere: World) -> None:
    """Where nobody works, the oldest message grows older; an intake tells of it too."""
    inbox = Inbox(elsewhere.redis, elsewhere.bot_id, "nobody")
    await inbox.begin()
    await inbox.put(*(Arrival(ChatKey(chat), chat, '{"update_id": 1}') for chat in (1, 2, 3)))
    await inbox.take(1, 1)
    with capture_logs() as logs:
        async with running(elsewhere.settings.model_copy(update={"role": "intake"})):
            found = await told(logs)
            bot = elsewhere.bot_id
            while found[f'inbox_oldest_waiting_seconds{{bot="{bot}"}}'] < 1:
                found = await told(logs)
    assert found[f'inbox_lanes{{bot="{bot}",state="waiting"}}'] == 2
    assert found[f'inbox_lanes{{bot="{bot}",state="in_work"}}'] == 1


async def test_one_line_for_each_turn(elsewhere: World, caplog: pytest.LogCaptureFixture) -> None:
    """A turn is one line, whatever became of it; what people and the model said is in none."""
    elsewhere.model.script(Refuse(403, "Permission denied"))
    with capture_logs() as logs:
        async with running(elsewhere.settings):
            await elsewhere.says(ANN, ANN, "my secret question")
            await elsewhere.says(BORIS, BORIS, "another secret question")
            assert await elsewhere.says(BORIS, BORIS, "/reset", language="en") == ENGLISH.forgotten
    turns = [log for log in logs if log["event"] == "turn"]
    assert [turn["chat"] for turn in turns] == [ANN, BORIS, BORIS]
    assert [turn["outcome"] for turn in turns] == ["CompletionMisconfigured", "answered", "done"]
    assert turns[0]["log_level"] == "warning"
    assert turns[1]["completion_tokens"] > 0
    assert {"waited", "took", "claims", "thought", "sent"} <= turns[1].keys()
    assert "secret question" not in str(logs) + caplog.text
