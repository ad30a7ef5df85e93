"""Health over HTTP: when a process says that it is well and ready, and when and why it is not."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import Receive, Scope, Send
from structlog.testing import capture_logs

from bot.app import AddressTaken, running
from bot.playground.connection import gone
from bot.playground.telegram.fault import Fault
from bot.redaction import hide
from bot.settings import Settings
from bot.updates.intake import Intake
from bot.web import Health, listening, serving, serving_at
from storage import keys
from storage.census import Census
from storage.dead import DeadLetters
from storage.inbox import Inbox
from storage.server.connect import connect
from tests.conftest import ANN, World, changed, local_telegram
from tests.valkey import own_valkey

WELL = {"silent": False, "polls_restarted": 0}


def health_of(redis: Redis) -> Health:
    """The health of one bot's process."""
    health = Health()
    health.censuses.append(Census(redis, 1))
    return health


@contextlib.asynccontextmanager
async def served(health: Health) -> AsyncIterator[httpx.AsyncClient]:
    """Serve it; yields a client."""
    async with (
        serving(health.application(), "127.0.0.1", 0) as url,
        httpx.AsyncClient(base_url=url, timeout=20) as client,
    ):
        yield client


@contextlib.asynccontextmanager
async def watched(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """Run the whole application; yields a client of its web."""
    with capture_logs() as logs:
        async with running(settings):
            [url] = [log["url"] for log in logs if log["event"] == "health"]
            async with httpx.AsyncClient(base_url=url.removesuffix("/healthz"), timeout=20) as http:
                yield http


async def told(http: httpx.AsyncClient, path: str, status: int) -> Any:
    """Ask until the status is that; what is told then."""
    async with asyncio.timeout(20):
        while (response := await http.get(path)).status_code != status:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    return response.json()


async def test_well(redis: Redis) -> None:
    """With storage at hand and nothing amiss, all is well."""
    async with served(health_of(redis)) as http:
        assert (await http.get("/readyz")).json() == {"problems": []}
        assert (await http.get("/healthz")).json() == WELL


async def test_no_storage() -> None:
    """Without storage it is not ready, and says why; a restart would mend nothing."""
    redis = connect("unix:///nowhere", connections=1)
    async with served(health_of(redis)) as http:
        [problem] = (await told(http, "/readyz", 503))["problems"]
        assert problem.startswith("storage: ConnectionError")
        assert (await http.get("/healthz")).json() == WELL
    await redis.aclose()


async def test_an_intake_in_trouble(redis: Redis) -> None:
    """What keeps the intake from storing is told, as long as it does."""
    health = health_of(redis)
    intake = Intake(Inbox(redis, 1, "test"), DeadLetters(redis, 1), lambda _: None)
    health.intakes.append(intake)
    async with served(health) as http:
        intake.problem = "memory is full"
        assert (await told(http, "/readyz", 503))["problems"] == ["intake: memory is full"]
        intake.problem = None
        assert (await told(http, "/readyz", 200))["problems"] == []


async def test_the_whole_application(elsewhere: World) -> None:
    """The bot that runs is well and ready."""
    async with watched(elsewhere.settings) as http:
        assert (await http.get("/readyz")).json() == {"problems": []}
        assert (await http.get("/healthz")).json() == WELL
        assert (await http.get("/telegram")).status_code == 404


@pytest.mark.parametrize("role", ["intake", "worker"])
async def test_each_role(elsewhere: World, role: str) -> None:
    """A process that does but a part of the work is ready for its part."""
    async with watched(elsewhere.settings.model_copy(update={"role": role})) as http:
        assert (await http.get("/readyz")).json() == {"problems": []}
        assert (await http.get("/healthz")).json() == WELL


@pytest.mark.slow
async def test_silent_polling(elsewhere: World) -> None:
    """Polls that nobody answers are begun anew, and told when it lasts; then all is well again."""
    soon = {"poll": 0, "poll_silence": 0.05, "polls_silence": 0.3, "poll_pause": 0.05}
    elsewhere.room.fail("getUpdates", *itertools.repeat(Fault(hang=True), 20))
    async with watched(changed(elsewhere.settings, **soon)) as http:
        silent = await told(http, "/healthz", 503)
        assert silent["silent"]
        assert silent["polls_restarted"] >= 1
        well = await told(http, "/healthz", 200)
        assert well["polls_restarted"] >= silent["polls_restarted"]
        assert await elsewhere.says(ANN, ANN, "hi") == "echo: hi"


async def test_who_does_not_poll_is_not_silent(elsewhere: World) -> None:
    """A process that waits for the poller's lease is well, however long it waits."""
    settings = changed(elsewhere.settings, polls_silence=-1.0)
    async with running(settings), watched(settings) as http:
        assert (await http.get("/healthz")).json() == WELL


async def test_storage_goes_and_comes() -> None:
    """While storage is down the bot that polls is not ready, and says so of both its parts."""
    async with own_valkey() as server:
        redis = connect(server.url, connections=4)
        async with (
            local_telegram(redis, server.url) as world,
            watched(world.settings) as http,
        ):
            assert await world.says(ANN, ANN, "one") == "echo: one"
            server.kill()
            world.room.say(ANN, ANN, "two")
            async with asyncio.timeout(20):
                problems: list[str] = []
                while len(problems) < 2:
                    problems = (await told(http, "/readyz", 503))["problems"]
            assert [problem.partition(":")[0] for problem in problems] == ["storage", "intake"]
            assert (await http.get("/healthz")).status_code == 200
            await server.start()
            assert await told(http, "/readyz", 200) == {"problems": []}
            assert await world.hears(ANN, 2) == ["echo: one", "echo: two"]
        await redis.aclose()


@pytest.mark.slow
async def test_full_storage_is_told_unasked() -> None:
    """Also where nothing has come in since the start; and where it is not to be had who polls."""
    async with own_valkey() as server:
        redis = connect(server.url, connections=4)
        async with local_telegram(redis, server.url) as world:
            await redis.config_set("maxmemory", "1")
            async with watched(world.settings) as http:
                (problem,) = (await told(http, "/readyz", 503))["problems"]
                assert problem.startswith("intake: OutOfMemoryError")
                await redis.config_set("maxmemory", "0")
                assert await told(http, "/readyz", 200) == {"problems": []}
            poller = keys.poller(world.bot_id)
            await redis.rpush(poller, "odd")
            await redis.expire(poller, 100)
            async with watched(world.settings) as http:
                (problem,) = (await told(http, "/readyz", 503))["problems"]
                assert problem.startswith("lease: ResponseError: WRONGTYPE")
                await redis.delete(poller)
                assert await told(http, "/readyz", 200) == {"problems": []}
        await redis.aclose()


async def test_what_strangers_hear(redis: Redis) -> None:
    """Beside a public webhook problems have names, and no hosts; no secret is told to anybody."""
    hide("test", ["pass-word"])
    broken = connect("unix:///nowhere", connections=1)
    health = health_of(broken)
    intake = Intake(Inbox(redis, 1, "test"), DeadLetters(redis, 1), lambda _: None)
    intake.problem = "OutOfMemoryError: redis://user:pass-word@10.0.0.7:6379 is full"
    health.intakes.append(intake)
    async with served(health) as http:
        storage, taken_in = (await told(http, "/readyz", 503))["problems"]
        assert "nowhere" in storage
        assert taken_in.startswith("intake: OutOfMemoryError: redis://")
        assert "pass-word" not in taken_in
        health.is_public = True
        assert (await told(http, "/readyz", 503))["problems"] == [
            "storage: ConnectionError",
            "intake: OutOfMemoryError",
        ]
        intake.problem = "the server at 10.0.0.7 is full"
        assert "intake: unavailable" in (await told(http, "/readyz", 503))["problems"]
    await broken.aclose()
    hide("test", [])


HOOK = "http://127.0.0.1:9/telegram"
APART = ("127.0.0.1", 0)
"""Another address than any that is given by a name."""


@pytest.mark.parametrize(
    ("settings", "at_listen", "apart"),
    [
        ({}, 200, False),
        ({"metrics_listen": APART}, 404, True),
        ({"webhook_url": HOOK}, 404, False),
        ({"webhook_url": HOOK, "metrics_listen": APART}, 404, True),
        ({"webhook_url": HOOK, "metrics_listen": ("localhost", 0)}, 200, False),
        ({"webhook_url": HOOK, "role": "worker"}, 200, False),
        ({"webhook_url": HOOK, "role": "intake"}, 404, False),
    ],
)
async def test_where_metrics_are(
    elsewhere: World, settings: dict[str, Any], at_listen: int, *, apart: bool
) -> None:
    """They are where they are wanted, and not beside a webhook unless told."""
    settings = {"listen": ("localhost", 0), **settings}
    with capture_logs() as logs:
        async with (
            running(elsewhere.settings.model_copy(update=settings)),
            httpx.AsyncClient(timeout=20) as http,
        ):
            urls = {log["event"]: log["url"] for log in logs if "url" in log}
            assert (await http.get(urls["health"])).status_code == 200
            there = await http.get(urls["health"].replace("healthz", "metrics"))
            assert there.status_code == at_listen
            assert ("metrics" in urls) == apart
            if apart:
                assert "storage_up 1.0" in (await http.get(urls["metrics"])).text
                beside = await http.get(urls["metrics"].replace("metrics", "readyz"))
                assert beside.status_code == 404


@pytest.mark.parametrize("role", ["all", "intake"])
async def test_a_taken_port_with_a_webhook(elsewhere: World, role: str) -> None:
    """A bot that would be deaf does not start, and Telegram is told nothing."""
    with listening("127.0.0.1", 0) as taken:
        address = taken.getsockname()
        settings = {"listen": address, "webhook_url": HOOK, "role": role}
        with pytest.raises(AddressTaken, match=f"^LISTEN: 127.0.0.1:{address[1]}"):
            async with running(elsewhere.settings.model_copy(update=settings)):
                pass
    assert not any(call["method"] == "setWebhook" for call in elsewhere.room.calls)


@pytest.mark.parametrize(
    ("setting", "others"),
    [
        ("listen", {}),
        ("listen", {"webhook_url": HOOK, "role": "worker"}),
        ("metrics_listen", {}),
        ("metrics_listen", {"webhook_url": HOOK}),
    ],
)
async def test_a_taken_port_that_can_be_done_without(
    elsewhere: World, setting: str, others: dict[str, Any]
) -> None:
    """Where nobody posts, the bot works all the same, and says so."""
    with listening("127.0.0.1", 0) as taken, capture_logs() as logs:
        settings = {setting: taken.getsockname(), **others}
        async with running(elsewhere.settings.model_copy(update=settings)):
            pass
    [warning] = [log for log in logs if log["event"] == "no_web"]
    assert warning["setting"] == setting.upper()


HALVES = (
    b"GET /hea",
    b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Half: ",
    b"POST /telegram HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\n{",
)
"""Requests that stop in the first line, in a header, in the body."""


Half = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@contextlib.asynccontextmanager
async def halves(url: str, count: int, requests: Sequence[bytes] = HALVES) -> AsyncIterator[Any]:
    """Begin so many requests; their ends never come. Yields a list of `Half`."""
    host, port = url.removeprefix("http://").split(":")
    held: list[Half] = []
    try:
        for number in range(count):
            held.append(await asyncio.open_connection(host, int(port)))
            held[-1][1].write(requests[number % len(requests)])
        yield held
    finally:
        for _, writer in held:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


async def closed(held: Iterable[Half]) -> None:
    """Wait until the server has closed all of them."""
    async with asyncio.timeout(20):
        for reader, _ in held:
            with contextlib.suppress(ConnectionError):
                await reader.read()


async def _takes_all(request: Request) -> Response:
    return Response(await request.body())


@contextlib.asynccontextmanager
async def bounded(*more: BaseRoute, **bounds: Any) -> AsyncIterator[str]:
    """Serve health and what reads whole bodies; yields the base URL."""
    routes = [*Health().routes, Route("/telegram", _takes_all, methods=["POST"]), *more]
    async with serving_at(listening("127.0.0.1", 0), Starlette(routes=routes), **bounds) as url:
        yield url


@pytest.mark.slow
async def test_half_requests_are_given_up() -> None:
    """300 of them change nothing for others, and are closed when their time is over."""
    async with (
        bounded(seconds=1) as url,
        httpx.AsyncClient(base_url=url) as http,
        halves(url, 300) as held,
    ):
        assert (await http.get("/healthz")).status_code == 200
        assert (await http.post("/telegram", content=b"x")).content == b"x"
        await closed(held)


@pytest.mark.parametrize("before", [b"", b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"])
async def test_a_request_that_drips(before: bytes) -> None:
    """A byte now and then makes no whole request either, nor one that follows another."""
    async with bounded(seconds=0.5) as url, halves(url, 1, [before + HALVES[2]]) as held:
        [(_, writer)] = held

        async def drip() -> None:
            with contextlib.suppress(ConnectionError):
                while True:
                    writer.write(b" ")
                    await writer.drain()
                    await asyncio.sleep(0.05)

        drops = asyncio.create_task(drip())
        await closed(held)
        drops.cancel()


async def test_too_many_half_requests() -> None:
    """Beyond a number the oldest give way at once; what is being answered does not."""
    began, end = asyncio.Event(), asyncio.Event()

    async def slow(_: Request) -> Response:
        began.set()
        await end.wait()
        return Response()

    async with (
        bounded(Route("/slow", slow), seconds=3600, most_idle=10) as url,
        httpx.AsyncClient(base_url=url, timeout=20) as http,
    ):
        waiting = asyncio.create_task(http.get("/slow"))
        await began.wait()
        try:
            async with halves(url, 60) as held:
                assert (await http.get("/healthz")).status_code == 200
                await closed(held[:40])
        finally:
            end.set()
        assert (await waiting).status_code == 200


async def test_an_answer_may_take_its_time() -> None:
    """A whole request may be worked on for longer than any may take to come: a long poll, say."""
    end = asyncio.Event()

    async def slow(_: Request) -> Response:
        await end.wait()
        return Response()

    async with (
        bounded(Route("/slow", slow), seconds=0.1) as url,
        httpx.AsyncClient(base_url=url, timeout=20) as http,
    ):
        waiting = asyncio.create_task(http.get("/slow"))
        for _ in range(3):
            async with halves(url, 1) as held:
                await closed(held)
        end.set()
        assert (await waiting).status_code == 200


async def test_who_does_not_read_is_given_up() -> None:
    """An answer that nobody takes ends with its connection."""
    over = asyncio.Event()

    async def endless(_scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        lost = asyncio.create_task(gone(receive))
        while not lost.done():
            await send({"type": "http.response.body", "body": bytes(1_000_000), "more_body": True})
            await asyncio.sleep(0)
        over.set()

    request = b"GET /large/ HTTP/1.1\r\nHost: x\r\n\r\n"
    async with (
        bounded(Mount("/large", endless), seconds=0.2) as url,
        halves(url, 1, [request]),
        asyncio.timeout(20),
    ):
        await over.wait()


async def test_a_taken_port() -> None:
    """An address that another has is refused at once."""
    async with serving(Starlette(), "127.0.0.1", 0) as url:
        port = int(url.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"):
            async with serving(Starlette(), "127.0.0.1", port):
                pass


async def test_ipv6() -> None:
    """An IPv6 address is served, and its URL is one."""
    async with serving(Starlette(), "::1", 0) as url, httpx.AsyncClient() as http:
        assert url.startswith("http://[::1]:")
        assert (await http.get(url)).status_code == 404


async def test_the_end_waits_for_no_client() -> None:
    """The server ends though a request is under way that would take for ever."""
    begun = asyncio.Event()

    async def slow(request: Request) -> Response:
        begun.set()
        await gone(request.receive)
        return Response()

    async with httpx.AsyncClient(timeout=60) as http:
        async with (
            asyncio.timeout(30),
            serving(Starlette(routes=[Route("/", slow)]), "127.0.0.1", 0) as url,
        ):
            waiting = asyncio.create_task(http.get(url))
            await begun.wait()
        with pytest.raises(httpx.HTTPError):
            await waiting


async def test_the_end_waits_for_nobody_who_comes_back() -> None:
    """A page that asks again, as soon as its request was cut off, does not hold up the end."""

    async def slow(request: Request) -> Response:
        await gone(request.receive)
        return Response()

    asked = asyncio.Event()

    async def ask_on(url: str) -> None:
        async with httpx.AsyncClient(timeout=60) as http:
            while True:
                asked.set()
                with contextlib.suppress(httpx.HTTPError):
                    await http.get(url)
                await asyncio.sleep(0)

    async with asyncio.timeout(30):
        async with serving(Starlette(routes=[Route("/", slow)]), "127.0.0.1", 0) as url:
            asking = asyncio.create_task(ask_on(url))
            await asked.wait()
        asking.cancel()


async def test_the_end_waits_for_nobody_who_does_not_read() -> None:
    """Nor does a client that leaves unread what is sent to it."""

    async def much(_: Request) -> Response:
        return Response(b"x" * 30_000_000)

    async with (
        asyncio.timeout(30),
        serving(Starlette(routes=[Route("/", much)]), "127.0.0.1", 0) as url,
    ):
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", int(url.rpartition(":")[2]), limit=1
        )
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await reader.readexactly(1)
    writer.close()
