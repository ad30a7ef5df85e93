"""The whole application when Telegram, or the way to it, fails."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from prometheus_client import REGISTRY
from redis.asyncio import Redis

from bot.app import running
from bot.playground.telegram.fault import Fault
from handlers.texts import ENGLISH
from storage.budget import Budget
from storage.timing import Timing
from tests.conftest import ANN, BORIS, GROUP, local_telegram
from tests.faults.conftest import HURRIED
from tests.faults.proxy import Proxy, Trouble
from tests.faults.talk import Talk, until

CHATS = range(201, 209)
CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
MALFORMED = {
    "no chunk size": CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n",
    "half a chunk": CHUNKED + b"ffffff\r\n{",
    "a chunk too long": CHUNKED + b"2\r\n{}XX0\r\n\r\n",
    "half a body": b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{",
    "no gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnone",
    "no JSON": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nnot JSON.",
    "a list": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
    "no HTTP": b"\x16\x03\x01 this is no HTTP\r\n\r\n",
}
"""What a broken proxy may answer, with the connection left open."""


@pytest.fixture
def timing() -> Timing:
    """Do not wait long for Telegram either."""
    return replace(
        HURRIED,
        failure=0.05,
        call=2,  # to print a traceback takes one
        typing_after=0,  # the model is quick here
        unreachable_pauses=(0.05,) * 40,
        poll=1,
        poll_silence=1.5,
    )


@pytest.fixture(autouse=True)
def unpaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing be shed: nobody who talks so fast would see it type."""

    async def at_once(_budget: Budget, _chat_id: int, _act: str) -> float:
        return 0.0

    monkeypatch.setattr(Budget, "take", at_once)


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    """A way to Telegram that fails on demand; it leads nowhere yet."""
    async with Proxy("").running() as proxy:
        yield proxy


@pytest.fixture
async def talk(redis: Redis, valkey: str, proxy: Proxy, timing: Timing) -> AsyncIterator[Talk]:
    """People, and the application running with that way between them."""
    async with local_telegram(redis, valkey, timing=timing) as world:
        proxy.aim(world.settings.telegram_api_url)
        url = f"http://127.0.0.1:{proxy.port}"
        async with running(world.settings.model_copy(update={"telegram_api_url": url})):
            talk = Talk(world)
            talk.ask(ANN)
            await talk.answered()
            yield talk


def worker_failures() -> float:
    """How often work on an update failed; a send that is tried again is no failure of it."""
    return REGISTRY.get_sample_value("worker_failures_total") or 0.0


REFUSALS = [
    Fault(status=429, retry_after=1),
    Fault(status=500),
    Fault(status=502, html="<html>"),
    Fault(status=503),
]


@pytest.mark.parametrize("fault", REFUSALS)
async def test_a_refused_send(talk: Talk, fault: Fault) -> None:
    """What Telegram says it has not taken is sent again, and stands there once."""
    failures = worker_failures()
    talk.world.room.fail("sendMessage", fault, fault)
    talk.ask(ANN, BORIS)
    talk.ask(ANN)
    await talk.answered()
    await talk.check()
    assert worker_failures() == failures


@pytest.mark.parametrize("fault", [Fault(), Fault(hang=True)])
@pytest.mark.parametrize("accepted", [False, True])
async def test_a_send_in_doubt(talk: Talk, fault: Fault, *, accepted: bool) -> None:
    """Reset or never answered, a message is sent once more: a repeat only where it was taken."""
    failures = worker_failures()
    doubt = Fault(hang=fault.hang, after_accept=accepted)
    talk.world.room.fail("sendMessage", doubt)
    talk.ask(ANN)
    await talk.answered()
    assert worker_failures() == failures
    talk.ask(ANN, BORIS)
    await talk.answered()
    await talk.check(repeats=int(accepted))


@pytest.mark.parametrize("trouble", list(Trouble))
async def test_a_cut_send(talk: Talk, proxy: Proxy, trouble: Trouble) -> None:
    """A cut on the way there repeats nothing, on the way back one message."""
    proxy.plan(b"/sendMessage", trouble)
    talk.ask(ANN)
    await talk.answered()
    talk.ask(ANN)
    await talk.answered()
    await talk.check(repeats=int(trouble is Trouble.CUT_REPLY))


@pytest.mark.parametrize("answer", MALFORMED.values(), ids=MALFORMED)
async def test_a_broken_answer(talk: Talk, proxy: Proxy, answer: bytes) -> None:
    """No answer to a message, a typing notice or a poll is so broken that its lane would hang."""
    for method in (b"/sendMessage", b"/sendChatAction", b"/getUpdates"):
        proxy.plan(method, answer)
        talk.ask(ANN, BORIS)
        await talk.answered()
        await until(lambda: not proxy.planned)
    await talk.check()


@pytest.mark.parametrize("kind", ["a chunk too long", "no JSON", "no HTTP"])
async def test_a_broken_answer_about_an_admin(talk: Talk, proxy: Proxy, kind: str) -> None:
    """When it cannot be learnt who administers a group, its lane is not held up for ever."""
    world = talk.world
    proxy.plan(b"/getChatMember", MALFORMED[kind])
    world.room.say(GROUP, ANN, "/reset@demo_bot", language="en")
    world.room.say(GROUP, ANN, "@demo_bot hi")
    assert await world.hears(GROUP, 2) == [ENGLISH.reset_is_for_admins, "echo: hi"]


@pytest.mark.parametrize(
    "fault", [*REFUSALS, Fault(status=409), Fault(status=401), Fault(), Fault(hang=True)]
)
async def test_a_poll_that_fails(talk: Talk, fault: Fault) -> None:
    """Whatever becomes of polls, the next one brings what was said meanwhile, once."""
    talk.world.room.fail("getUpdates", fault, fault)
    talk.ask(ANN, BORIS)
    talk.ask(ANN)
    await talk.answered()
    await talk.check()


@pytest.mark.parametrize("trouble", list(Trouble))
async def test_a_poll_that_is_cut(talk: Talk, proxy: Proxy, trouble: Trouble) -> None:
    """Updates whose poll was cut, going or coming, come again with the next, and count once."""
    proxy.plan(b"/getUpdates", trouble, trouble, trouble)
    for _ in range(3):
        talk.ask(ANN, BORIS)
        await talk.answered()
    await until(lambda: not proxy.planned)
    await talk.check()


async def test_a_silent_poll_is_begun_anew(talk: Talk, proxy: Proxy) -> None:
    """A connection that says nothing any more is given up, and everything comes through then."""
    async with proxy.stalled():
        talk.ask(*CHATS)
        await asyncio.sleep(2)
    talk.ask(*CHATS)
    await talk.answered()
    await talk.check()


async def test_a_slow_drip(talk: Talk, proxy: Proxy) -> None:
    """Answers that come byte by byte are read all the same."""
    proxy.drips = True
    talk.ask(*CHATS)
    await talk.answered()
    await talk.check()
