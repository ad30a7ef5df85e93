"""The demo's controls: what is made to fail fails, and works again when it is healed."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as Unreachable

from bot.completion.request_id import request_id
from bot.playground.controls import Controls
from bot.playground.demo import application
from bot.playground.faults import Faults
from bot.playground.outlet import Outlet
from bot.playground.telegram.room import Room
from bot.playground.yandex.completion import CompletionServer
from bot.web import serving
from storage.message import Message
from storage.server.connect import connect

TOKEN = "5:token"
COMPLETION = "/foundationModels/v1/completion"


class Held:
    """Words of which the last comes when it is let go."""

    def __init__(self) -> None:
        self.go = asyncio.Event()

    async def answer(
        self, messages: Sequence[Message], *, temperature: float, max_tokens: int
    ) -> AsyncIterator[str]:
        for _ in range(30):
            yield "so "
        await self.go.wait()
        yield f"much for {messages[-1].text}"


class Demo:
    """The demo without a bot, and a client that is the bot or the page."""

    def __init__(self, http: httpx.AsyncClient, room: Room, words: Held) -> None:
        self.http = http
        self.room = room
        self.words = words

    async def get(self, path: str) -> Any:
        return (await self.http.get(path)).raise_for_status().json()

    async def post(self, path: str, **given: Any) -> httpx.Response:
        return await self.http.post(path, json=given)

    async def sends(self) -> httpx.Response:
        """Be the bot, and write to somebody."""
        return await self.post(f"/bot{TOKEN}/sendMessage", chat_id=101, text="Hello!")

    async def asks(self, chat: int) -> httpx.Response:
        """Be the bot, and ask the model."""
        return await self.http.post(COMPLETION, **question(chat))

    async def listens(self, lines: list[str]) -> None:
        """Be the bot, and note the lines of an answer as they come."""
        asked = question(101, stream=True)
        async with self.http.stream("POST", COMPLETION, **asked) as response:
            async for line in response.aiter_lines():
                lines.append(line)  # noqa: PERF401 - those before a cut

    async def set(self, **faults: Any) -> None:
        (await self.post("/demo/faults", **faults)).raise_for_status()

    async def heal(self) -> None:
        """Heal everything, which is what is shown afterwards."""
        (await self.post("/demo/heal")).raise_for_status()
        assert (await self.get("/demo/faults"))["set"] == {}


def question(chat: int, *, stream: bool = False) -> dict[str, Any]:
    """What a bot asks the model for a chat."""
    body = {
        "modelUri": "gpt://any/any",
        "completionOptions": {"stream": stream},
        "messages": [{"role": "user", "text": str(chat)}],
    }
    headers = {"Authorization": "Api-Key k", "x-client-request-id": request_id(TOKEN, chat)}
    return {"json": body, "headers": headers}


@pytest.fixture
async def demo() -> AsyncIterator[Demo]:
    room, words = Room(TOKEN), Held()
    room.say(101, 101, "Hi")
    room.say(102, 102, "Hi")
    server = CompletionServer(words, at_once=1)
    controls = Controls(room, server.queue, Faults(room, server))
    app = application(room, server, {}, [], controls)
    async with (
        serving(app, "127.0.0.1", 0) as url,
        httpx.AsyncClient(base_url=url, timeout=60) as http,
    ):
        yield Demo(http, room, words)


async def test_telegram_refuses(demo: Demo) -> None:
    """An error of Telegram's holds for everything, one about a chat for calls that are so."""
    await demo.set(telegram={"kind": "refusing", "status": 502})
    assert (await demo.sends()).status_code == 502
    assert (await demo.http.get(f"/bot{TOKEN}/getMe")).status_code == 502
    await demo.set(telegram={"kind": "refusing", "status": 403})
    refused = await demo.sends()
    assert refused.json()["description"] == "Forbidden: bot was blocked by the user"
    assert (await demo.http.get(f"/bot{TOKEN}/getMe")).status_code == 200
    await demo.heal()
    assert (await demo.sends()).status_code == 200


async def test_telegram_is_flooded(demo: Demo) -> None:
    await demo.set(telegram={"kind": "flooding", "retry_after": 7})
    refused = await demo.sends()
    assert (refused.status_code, refused.json()["parameters"]) == (429, {"retry_after": 7})
    await demo.set(telegram=None)
    assert (await demo.sends()).status_code == 200


async def test_telegram_cuts(demo: Demo) -> None:
    await demo.set(telegram={"kind": "cutting"})
    with pytest.raises(httpx.ReadError):
        await demo.sends()
    assert len(demo.room.messages(101)) == 1
    await demo.heal()
    assert (await demo.sends()).status_code == 200


async def test_telegram_is_slow(demo: Demo) -> None:
    """A call is carried out later; until then nothing is seen of it."""
    await demo.set(telegram={"kind": "slow", "seconds": 0.1})
    before = asyncio.get_running_loop().time()
    assert (await demo.sends()).status_code == 200
    assert asyncio.get_running_loop().time() - before >= 0.1


async def test_the_model_refuses(demo: Demo) -> None:
    demo.words.go.set()
    for status in (429, 500, 503):
        await demo.set(model={"kind": "refusing", "status": status})
        refused = await demo.asks(101)
        assert (refused.status_code, refused.json()["error"]["httpCode"]) == (status, status)
    await demo.heal()
    assert "much for 101" in (await demo.asks(101)).text


async def test_the_model_cuts(demo: Demo) -> None:
    """After the first words of an answer that grows; before one that comes whole."""
    demo.words.go.set()
    await demo.set(model={"kind": "cutting"})
    lines: list[str] = []
    with pytest.raises(httpx.TransportError):
        await demo.listens(lines)
    assert len(lines) == 1
    with pytest.raises(httpx.TransportError):
        await demo.asks(101)
    await demo.heal()
    assert "much for 101" in (await demo.asks(101)).text


async def test_the_model_is_slow(demo: Demo) -> None:
    demo.words.go.set()
    await demo.set(model={"kind": "slow", "seconds": 0.1})
    before = asyncio.get_running_loop().time()
    assert "much for 101" in (await demo.asks(101)).text
    assert asyncio.get_running_loop().time() - before >= 0.1


async def test_who_waits_for_the_model(demo: Demo) -> None:
    """The page hears whose answer is made, and who comes next."""
    one = asyncio.create_task(demo.asks(101))
    await seen(demo, {"answering": [101], "waiting": []})
    two = asyncio.create_task(demo.asks(102))
    await seen(demo, {"answering": [101], "waiting": [102]})
    three = asyncio.create_task(demo.asks(-5))
    await seen(demo, {"answering": [101], "waiting": [102, None]})
    three.cancel()
    await seen(demo, {"answering": [101], "waiting": [102]})
    demo.words.go.set()
    assert "much for 101" in (await one).text
    assert "much for 102" in (await two).text
    await seen(demo, {"answering": [], "waiting": []})


async def seen(demo: Demo, queue: dict[str, list[int | None]]) -> None:
    """Wait, as the page does, until these wait."""
    known: Any = {"run": "", "version": -1}
    async with asyncio.timeout(60):
        while known.get("controls", {}).get("queue") != queue:
            place = "&".join(f"{name}={known[name]}" for name in ("run", "version"))
            known = await demo.get(f"/room/news?chat=101&user=101&topic=0&request=0&{place}")


@pytest.mark.parametrize(
    ("path", "body", "why"),
    [
        ("faults", "{", "the body is not JSON"),
        ("faults", "[]", "not a JSON object"),
        ("faults", '{"moon": null}', "moon cannot be made to fail here"),
        ("faults", '{"storage": {"kind": "away"}}', "storage cannot be made to fail here"),
        ("faults", '{"telegram": "slow"}', "kind is of slow, refusing, flooding, cutting"),
        ("faults", '{"telegram": {"kind": []}}', "kind is of slow"),
        ("faults", '{"telegram": {"kind": "slow"}}', "slow has exactly kind and seconds"),
        ("faults", '{"model": {"kind": "cutting", "status": 1}}', "cutting has exactly kind"),
        ("faults", '{"model": {"kind": "refusing", "status": 200}}', "one of 429, 500, 503"),
        ("faults", '{"model": {"kind": "refusing", "status": true}}', "one of 429, 500, 503"),
        ("faults", '{"model": {"kind": "slow", "seconds": NaN}}', "number from 0.1 to 30"),
        ("faults", '{"model": {"kind": "slow", "seconds": 31}}', "number from 0.1 to 30"),
        ("faults", '{"telegram": {"kind": "flooding", "retry_after": 1.5}}', "from 1 to 3600"),
        ("heal", '{"all": true}', "unknown: all"),
    ],
)
async def test_wrong_requests(demo: Demo, path: str, body: str, why: str) -> None:
    """What is wrong is said, and nothing is set."""
    headers = {"Content-Type": "application/json"}
    refused = await demo.http.post(f"/demo/{path}", content=body, headers=headers)
    assert refused.status_code == 400
    assert why in refused.json()["error"]
    assert (await demo.get("/demo/faults"))["set"] == {}


async def test_without_a_bot_there_are_no_workers(demo: Demo) -> None:
    state = await demo.get("/demo/state")
    assert (state["workers"], state["settings"]) == ([], None)
    assert list(state["faults"]["possible"]) == ["telegram", "model"]
    assert (await demo.http.get("/demo/workers")).status_code == 404


@contextlib.asynccontextmanager
async def reached(url: str) -> AsyncIterator[Redis]:
    redis = connect(url, connections=2)
    yield redis
    await redis.aclose()


async def ping(redis: Redis) -> bool:
    return bool(await redis.ping())


async def test_storage_goes_away(valkey: str, tmp_path: Path) -> None:
    """It is refused, to open connections and to new ones; and is there again."""
    outlet = Outlet(valkey, tmp_path / "s")
    async with outlet.serving(), reached(outlet.url) as redis:
        assert await redis.ping()
        await outlet.become("away")
        with pytest.raises(Unreachable):
            await redis.ping()
        await outlet.become("there")
        assert await redis.ping()
    assert not left_in(tmp_path)


def left_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def test_storage_falls_silent(valkey: str, tmp_path: Path) -> None:
    """What is asked meanwhile is answered later."""
    outlet = Outlet(valkey, tmp_path / "s")
    async with outlet.serving(), reached(outlet.url) as redis, reached(outlet.url) as other:
        assert await redis.ping()
        await outlet.become("silent")
        asked = [asyncio.create_task(ping(each)) for each in (redis, other)]
        _, waiting = await asyncio.wait(asked, timeout=0.1)
        assert len(waiting) == 2
        await outlet.become("there")
        assert await asyncio.gather(*asked) == [True, True]
