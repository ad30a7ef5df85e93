"""The whole application when the way to the completion API fails: an answer, or one sentence."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from bot.app import running
from bot.playground.yandex.replies import Say
from handlers.texts import ENGLISH
from storage.timing import Timing
from tests.conftest import ANN, BORIS, local_telegram
from tests.faults.conftest import HURRIED
from tests.faults.proxy import Proxy, Trouble
from tests.faults.talk import Talk, until
from tests.faults.test_telegram import MALFORMED

CHATS = range(201, 209)
STREAM = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"
FAILURES = {
    "quota": b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n",
    "error": b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n",
    "stalled": STREAM,
    "broken off": STREAM + b"0\r\n\r\n",
}


@pytest.fixture
def timing() -> Timing:
    """Do not wait long for the model either."""
    return replace(HURRIED, model_silence=2.0, answer=4.0)


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    """A way to the completion API that fails on demand; it leads nowhere yet."""
    async with Proxy("").running() as proxy:
        yield proxy


@pytest.fixture
async def talk(redis: Redis, valkey: str, proxy: Proxy, timing: Timing) -> AsyncIterator[Talk]:
    """People, and the application running with that way to its model."""
    async with local_telegram(redis, valkey, timing=timing) as world:
        proxy.aim(world.settings.completion_url)
        url = f"http://127.0.0.1:{proxy.port}"
        async with running(world.settings.model_copy(update={"completion_url": url})):
            yield Talk(world)


@pytest.mark.parametrize(
    "trouble", [*Trouble, *FAILURES.values()], ids=[*map(str, Trouble), *FAILURES]
)
async def test_only_the_unlucky_wait(talk: Talk, proxy: Proxy, trouble: Trouble | bytes) -> None:
    """Whose requests all fail has one sentence, and everybody else an answer meanwhile."""
    world = talk.world
    proxy.plan(b"doomed", *[trouble] * 200)
    world.room.say(ANN, ANN, "doomed", language="en")
    await until(lambda: proxy.troubles)
    talk.ask(*CHATS)
    for chat in CHATS:
        await world.hears(chat)
    assert await world.hears(ANN) == [ENGLISH.unavailable]
    proxy.forget()
    assert await world.says(ANN, ANN, "more") == "echo: more"
    assert await talk.history(ANN) == ["more", "echo: more"]
    await talk.answered()
    await talk.check()


@pytest.mark.parametrize(
    "trouble", [*Trouble, *MALFORMED.values()], ids=[*map(str, Trouble), *MALFORMED]
)
async def test_a_request_in_trouble(talk: Talk, proxy: Proxy, trouble: Trouble | bytes) -> None:
    """A request that is cut, or answered by rubbish, ends in an answer or in one sentence."""
    world = talk.world
    proxy.plan(b"unlucky", trouble)
    world.room.say(ANN, ANN, "unlucky", language="en")
    talk.ask(BORIS)
    assert await world.hears(ANN) in (["echo: unlucky"], [ENGLISH.unavailable])
    await talk.answered()
    assert await world.says(ANN, ANN, "more") == "echo: more"
    assert len(world.said(ANN)) == 2
    await talk.check()


async def test_a_stall(talk: Talk, proxy: Proxy) -> None:
    """With the API silent everybody has one sentence; afterwards everybody is answered."""
    world = talk.world
    async with proxy.stalled():
        for chat in (ANN, BORIS):
            world.room.say(chat, chat, "hi", language="en")
        for chat in (ANN, BORIS):
            assert await world.hears(chat) == [ENGLISH.unavailable]
            assert await talk.history(chat) == []
    for chat in (ANN, BORIS):
        assert await world.says(chat, chat, "again") == "echo: again"
        assert len(world.said(chat)) == 2


async def test_a_slow_drip(talk: Talk, proxy: Proxy) -> None:
    """An answer that comes byte by byte is one answer."""
    proxy.drips = True
    talk.ask(ANN, BORIS)
    await talk.answered()
    await talk.check()


async def test_a_drip_without_end(talk: Talk) -> None:
    """A model that never comes to an end is given up, and its chat goes on; others never wait."""
    world = talk.world
    world.model.script(Say("on and on", steps=100, delay=0.1))
    world.room.say(ANN, ANN, "hi", language="en")
    await until(world.bodies)
    assert await world.says(BORIS, BORIS, "hi") == "echo: hi"
    assert world.said(ANN) == []
    await world.hears(ANN)
    assert await world.says(ANN, ANN, "more") == "echo: more"
    assert len(world.said(ANN)) == 2
