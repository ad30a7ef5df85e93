"""Long polling against odd answers, which no server of ours gives."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from bot import intake
from bot.intake import Polling

Answer = httpx.Response | Exception


def updates(*found: Any) -> httpx.Response:
    """A good answer."""
    return httpx.Response(200, content=json.dumps({"ok": True, "result": list(found)}))


class Telegram:
    """Gives its answers one by one, then none; keeps what it was asked."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.asked: list[dict[str, str]] = []
        self.exhausted = asyncio.Event()

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(dict(httpx.QueryParams(request.content.decode())))
        if not self._answers:
            self.exhausted.set()
            await asyncio.sleep(60)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pause for next to nothing."""
    monkeypatch.setattr(intake, "LONGEST_PAUSE", 0.01)


async def poll(telegram: Telegram, put: Callable[[Any], Any] | None = None) -> list[Any]:
    """Poll until Telegram has no more answers; give what was put."""
    taken = []

    async def keep(update: Any) -> None:
        taken.append(update)

    async with httpx.AsyncClient(transport=httpx.MockTransport(telegram)) as http:
        polling = Polling(http, "http://host/bot1:a/getUpdates", put or keep)
        task = asyncio.create_task(polling.run())
        await asyncio.wait_for(telegram.exhausted.wait(), 5)
        task.cancel()
    return taken


async def test_the_offset_follows_what_was_taken() -> None:
    """Each poll confirms what was put before, and asks for new messages only."""
    telegram = Telegram(updates({"update_id": 7}, {"update_id": 8}), updates({"update_id": 9}))
    assert [update["update_id"] for update in await poll(telegram)] == [7, 8, 9]
    assert [asked.get("offset") for asked in telegram.asked] == [None, "9", "10"]
    assert json.loads(telegram.asked[0]["allowed_updates"]) == ["message"]


@pytest.mark.parametrize(
    "odd",
    [
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
        httpx.ReadError("cut"),
        httpx.RemoteProtocolError("garbage"),
        httpx.Response(401, content='{"ok": false, "description": "Unauthorized"}'),
        httpx.Response(409, content='{"ok": false, "description": "Conflict"}'),
        httpx.Response(429, content='{"parameters": {"retry_after": 0.01}}'),
        httpx.Response(429, content="no JSON"),
        httpx.Response(500),
        httpx.Response(502, content="<html>"),
        httpx.Response(200, content="<html>"),
        httpx.Response(200, content="[]"),
        httpx.Response(200, content='{"ok": true}'),
        httpx.Response(200, content='{"ok": true, "result": 5}'),
        httpx.Response(200, content="[" * 100_000),
        updates("text"),
        updates({"update_id": "7"}, {"update_id": True}, {}),
    ],
)
async def test_no_answer_ends_polling(odd: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    """After whatever Telegram or a proxy says, polling goes on where it was."""
    monkeypatch.setattr(intake, "CONFLICT_PAUSE", 0.01)
    telegram = Telegram(updates({"update_id": 7}), odd, odd, updates({"update_id": 8}))
    with capture_logs() as logs:
        taken = await poll(telegram)
    assert [update["update_id"] for update in taken] == [7, 8]
    assert telegram.asked[3]["offset"] == "8"
    assert any(entry["event"] == "poll_failed" for entry in logs)


async def test_an_idle_connection_closed_is_no_news() -> None:
    """Telegram closes connections after a while; once is not worth a warning."""
    with capture_logs() as logs:
        await poll(Telegram(httpx.ReadError("closed")))
    assert [entry["log_level"] for entry in logs] == ["debug"]


async def test_a_failing_confirmation_is_told() -> None:
    """When the last word does not reach Telegram, the log says so."""
    telegram = Telegram(httpx.Response(500))
    async with httpx.AsyncClient(transport=httpx.MockTransport(telegram)) as http:
        polling = Polling(http, "http://host/bot1:a/getUpdates", lambda _: asyncio.sleep(0))
        await polling.confirm()
        assert not telegram.asked
        await polling._take([{"update_id": 7}])
        with capture_logs() as logs:
            await polling.confirm()
    assert telegram.asked[0]["offset"] == "8"
    assert [entry["event"] for entry in logs] == ["poll_not_confirmed"]
