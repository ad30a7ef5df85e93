"""Requests that are passed on to YandexGPT: nothing is lost on the way, and no key is kept."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from bot.playground.yandex.completion import CompletionServer
from bot.playground.yandex.outage import Outage
from bot.playground.yandex.relay import Relay
from bot.playground.yandex.replies import Cut, Lines, Refuse, Say, Silence
from bot.transport import transport
from bot.web import serving
from tests.conftest import Echo

KEY = "AQVN-very-secret"
COMPLETION = "/foundationModels/v1/completion"
HEADERS = {"authorization": f"Api-Key {KEY}", "x-client-request-id": "mine", "x-other": "kept"}
BODY = {
    "modelUri": "gpt://b1g/yandexgpt",
    "completionOptions": {"stream": True},
    "messages": [{"role": "user", "text": "Привет"}],
}


@dataclass(slots=True)
class Relayed:
    """YandexGPT, a relay to it, and a client of that."""

    api: CompletionServer
    relay: Relay
    http: httpx.AsyncClient

    async def ask(self, **more: Any) -> httpx.Response:
        return await self.http.post(COMPLETION, json=BODY, headers=HEADERS, **more)


@pytest.fixture
async def relayed() -> AsyncIterator[Relayed]:
    api = CompletionServer(Echo(), keys={KEY}, folder="b1g")
    async with (
        serving(Starlette(routes=api.routes), "127.0.0.1", 0) as url,
        transport(None, 4) as connections,
    ):
        relay = Relay(url, connections)
        async with (
            serving(Starlette(routes=relay.routes), "127.0.0.1", 0) as near,
            httpx.AsyncClient(base_url=near, timeout=20) as http,
        ):
            yield Relayed(api, relay, http)


async def test_everything_is_passed_on(relayed: Relayed) -> None:
    """The body byte for byte, headers both ways; what is kept has no key."""
    relayed.api.script(Say("Привет!", steps=4))
    response = await relayed.ask()
    assert len(response.text.splitlines()) == 4
    assert response.headers["x-client-request-id"] == "mine"
    (asked,), (kept,) = relayed.api.requests, relayed.relay.requests
    assert asked.body == kept.body == BODY
    assert (asked.headers["authorization"], asked.headers["x-other"]) == (f"Api-Key {KEY}", "kept")
    assert kept.headers["x-other"] == "kept"
    assert KEY not in json.dumps(kept.public()) + str(kept.headers)
    assert (kept.status, kept.answer.parts()[0]) == (200, response.text)
    assert kept.begun is not None
    assert kept.finished is not None
    tokens = await relayed.http.post(
        "/foundationModels/v1/tokenizeCompletion", json=BODY, headers=HEADERS
    )
    assert tokens.json()["tokens"]


async def test_lines_come_as_they_are_sent(relayed: Relayed) -> None:
    """The first one is there while the last is not yet."""
    relayed.api.script(Silence(after="first words"))
    async with relayed.http.stream("POST", COMPLETION, json=BODY, headers=HEADERS) as response:
        line = await anext(response.aiter_lines())
        assert "first words" in line
        assert relayed.relay.requests[0].finished is None
    async with asyncio.timeout(60):
        while relayed.api.requests[0].status is None:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)
    assert [one.requests[0].status for one in (relayed.relay, relayed.api)] == [499, 499]


async def test_refusals_and_breaks_arrive_as_they_are(relayed: Relayed) -> None:
    """An error with its headers, a stream that is cut, a body that is no JSON."""
    relayed.api.script(
        Refuse(429, "too many", {"retry-after": "7"}),
        Cut("Half of it"),
        Lines([b"\xff\xfe\n"]),
    )
    refused = await relayed.ask()
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "7")
    assert refused.json()["error"]["message"] == "too many"
    with pytest.raises(httpx.ReadError):
        await relayed.ask()
    assert "Half of it" in relayed.relay.requests[1].answer.parts()[0]
    assert (await relayed.ask()).content == b"\xff\xfe\n"


async def test_it_fails_until_it_is_healed(relayed: Relayed) -> None:
    """As the small model does: refused here, or cut after the first words."""
    relayed.relay.outage = Outage(status=503)
    refused = await relayed.ask()
    assert (refused.status_code, refused.json()["error"]["httpCode"]) == (503, 503)
    assert not relayed.api.requests
    assert relayed.relay.requests[0].status == 503
    relayed.relay.outage = Outage(cuts=True)
    with pytest.raises(httpx.TransportError):
        await relayed.ask()
    relayed.relay.outage = None
    assert "Привет" in (await relayed.ask()).text


async def test_an_api_that_is_not_there(relayed: Relayed) -> None:
    """It is an error of the API's own shape, which the bot knows how to wait for."""
    relayed.relay._url = "http://127.0.0.1:9"
    answer = await relayed.ask()
    assert (answer.status_code, answer.json()["error"]["httpCode"]) == (502, 502)
    assert relayed.relay.requests[0].status == 502
