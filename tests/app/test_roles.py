"""Several processes on one storage: who takes in, who answers, and who goes on for whom."""

import asyncio
import contextlib
import json
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.app import running
from bot.playground.yandex.exchange import Exchange
from handlers.texts import ENGLISH
from storage import keys
from storage.message import ChatKey, Message
from tests.bot.test_main import environment, start
from tests.conftest import ANN, BORIS, World, changed, local_telegram

pytestmark = pytest.mark.slow

ABANDONED = 499


class Deliberate:
    """Words that repeat the question; what is "slow" ends when it is allowed to."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.open = self.most_open = 0

    async def answer(
        self, messages: Sequence[Message], *, temperature: float, max_tokens: int
    ) -> AsyncIterator[str]:
        question = messages[-1].text
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            await asyncio.sleep(0.02)
            if question.startswith("slow"):
                await self.go.wait()
            yield f"echo: {question}"
        finally:
            self.open -= 1


@pytest.fixture
def words() -> Deliberate:
    return Deliberate()


@pytest.fixture
async def split(words: Deliberate, redis: Any, valkey: str) -> AsyncIterator[World]:
    """A world with those words, and no bot yet."""
    async with local_telegram(redis, valkey, words) as world:
        yield world


@contextlib.asynccontextmanager
async def processes(world: World, *roles: str, **settings: Any) -> AsyncIterator[None]:
    """Run a process in miniature for each role; workers look often for what was given back."""
    async with contextlib.AsyncExitStack() as stack:
        for role in roles:
            more = {"role": role, "tick": 0.1, **settings}
            await stack.enter_async_context(running(changed(world.settings, **more)))
        yield


async def until(condition: Callable[[], bool]) -> None:
    """Wait until it holds."""
    async with asyncio.timeout(40):
        while not condition():  # noqa: ASYNC110 - it tells no other way
            await asyncio.sleep(0.005)


def asked(world: World, question: str) -> list[Exchange]:
    """The model's requests with a question as the last message."""
    return [
        exchange
        for exchange in world.model.requests
        if exchange.body["messages"][-1]["text"] == question
    ]


async def is_asked(world: World, question: str) -> Exchange:
    """Wait until the model has been asked that."""
    await until(lambda: bool(asked(world, question)))
    return asked(world, question)[-1]


async def test_one_takes_in_two_answer(split: World) -> None:
    """Every message is answered once, each chat's in order, whoever answers."""
    chats, questions = range(201, 221), range(5)
    async with processes(split, "intake", "worker", "worker"):
        for number in questions:
            for chat in chats:
                split.room.say(chat, chat, f"{number}")
        for chat in chats:
            assert await split.hears(chat, 5) == [f"echo: {number}" for number in questions]
    for chat in chats:
        assert len(split.said(chat)) == 5
        texts = [json.loads(entry)["text"] for entry in await split.history(chat)]
        assert texts == [text for n in questions for text in (f"{n}", f"echo: {n}")]


async def test_both_workers_work(split: World, words: Deliberate) -> None:
    """What is more than one can take at once, the other takes."""
    async with processes(split, "intake", "worker", "worker", lanes=1):
        split.room.say(ANN, ANN, "slow one")
        await is_asked(split, "slow one")
        assert await split.says(BORIS, BORIS, "hi") == "echo: hi"
        assert not split.said(ANN)
        words.go.set()
        assert await split.hears(ANN) == ["echo: slow one"]


async def test_an_intake_answers_nothing(split: World) -> None:
    """What comes in while no worker runs waits for one."""
    async with processes(split, "intake"):
        split.room.say(ANN, ANN, "hi")
        await until(lambda: len(split.room.updates) == 0)
        mailbox = keys.mailbox(split.bot_id, ChatKey(ANN))
        assert await split.redis.llen(mailbox) == 1
        assert not split.model.requests
    async with processes(split, "worker"):
        assert await split.hears(ANN) == ["echo: hi"]


async def test_a_worker_takes_nothing_in(split: World) -> None:
    """A worker neither polls nor keeps a webhook."""
    async with processes(split, "worker", webhook_url="http://127.0.0.1:9/x"):
        split.room.say(ANN, ANN, "hi")
        await asyncio.sleep(0.2)
        assert len(split.room.updates) == 1
    methods = {call["method"] for call in split.room.calls}
    assert not methods & {"getUpdates", "setWebhook", "deleteWebhook"}


async def test_concurrency_holds_over_all(split: World, words: Deliberate) -> None:
    """No more answers are generated at once than allowed, by all workers together."""
    async with processes(split, "intake", "worker", "worker", completion_concurrency=2):
        for chat in range(201, 213):
            split.room.say(chat, chat, "slow")
        await until(lambda: words.open == 2)
        words.go.set()
        for chat in range(201, 213):
            assert await split.hears(chat) == ["echo: slow"]
    assert words.most_open == 2


async def test_stop(split: World) -> None:
    """/stop cuts short what a worker is doing: what was asked is not answered, later or ever."""
    async with processes(split, "intake", "worker", "worker"):
        split.room.say(ANN, ANN, "slow one", language="en")
        exchange = await is_asked(split, "slow one")
        assert await split.says(ANN, ANN, "/stop") == ENGLISH.stopped
        await until(lambda: exchange.status == ABANDONED)
        assert await split.says(ANN, ANN, "more") == "echo: more"
    assert [message["text"] for message in split.said(ANN)] == [ENGLISH.stopped, "echo: more"]
    assert len(asked(split, "slow one")) == 1
    assert [json.loads(entry)["text"] for entry in await split.history(ANN)] == [
        "more",
        "echo: more",
    ]


async def test_stop_stops_what_waits_too(split: World) -> None:
    """Questions that wait behind the one in work are cut short as well; later ones are not."""
    async with processes(split, "intake", "worker", "worker"):
        for text in ("slow one", "slow two", "slow three"):
            split.room.say(ANN, ANN, text, language="en")
        await is_asked(split, "slow one")
        assert await split.says(ANN, ANN, "/stop") == ENGLISH.stopped
        assert await split.says(ANN, ANN, "more") == "echo: more"
    assert len(split.said(ANN)) == 2


async def test_stop_is_for_one_chat(split: World, words: Deliberate) -> None:
    """What others wait for goes on."""
    async with processes(split, "intake", "worker", "worker"):
        split.room.say(BORIS, BORIS, "slow other")
        exchange = await is_asked(split, "slow other")
        split.room.say(ANN, ANN, "slow one", language="en")
        await is_asked(split, "slow one")
        assert await split.says(ANN, ANN, "/stop") == ENGLISH.stopped
        assert exchange.status is None
        words.go.set()
        assert await split.hears(BORIS) == ["echo: slow other"]


async def test_reset(split: World, words: Deliberate) -> None:
    """After /reset a late answer neither comes nor stands in the new history."""
    async with processes(split, "intake", "worker", "worker"):
        assert await split.says(ANN, ANN, "before", language="en") == "echo: before"
        split.room.say(ANN, ANN, "slow one")
        exchange = await is_asked(split, "slow one")
        assert await split.says(ANN, ANN, "/reset") == ENGLISH.forgotten
        words.go.set()
        await until(lambda: exchange.status is not None)
        assert await split.says(ANN, ANN, "after") == "echo: after"
    assert exchange.status == ABANDONED
    assert [m["text"] for m in split.bodies()[-1]["messages"][1:]] == ["after"]
    assert len(await split.history(ANN)) == 2


async def test_reset_from_elsewhere(split: World, words: Deliberate) -> None:
    """An owner's /reset of another chat: the answer under way comes, but is not remembered."""
    owner = {"admins": frozenset({BORIS})}
    async with processes(split, "intake", "worker", "worker", **owner):
        split.room.say(ANN, ANN, "slow one")
        await is_asked(split, "slow one")
        told = await split.says(BORIS, BORIS, f"/reset {ANN}", language="en")
        assert told == ENGLISH.other_chat_forgotten.format(chat=ANN)
        words.go.set()
        assert await split.hears(ANN) == ["echo: slow one"]
        assert await split.says(ANN, ANN, "after") == "echo: after"
    assert [m["text"] for m in split.bodies()[-1]["messages"][1:]] == ["after"]
    assert len(await split.history(ANN)) == 2


async def test_what_takes_too_long_is_given_back(split: World, words: Deliberate) -> None:
    """A worker that stops gives back what it cannot finish, and another one does, at once."""
    lease = 600.0  # nobody waits for it to end
    async with processes(split, "intake"):
        async with processes(split, "worker", grace=0.1, lease=lease):
            split.room.say(ANN, ANN, "slow one")
            split.room.say(ANN, ANN, "two")
            exchange = await is_asked(split, "slow one")
        assert exchange.status == ABANDONED
        assert not split.said(ANN)
        words.go.set()
        async with processes(split, "worker", lease=lease):
            assert await split.hears(ANN, 2) == ["echo: slow one", "echo: two"]
    assert len(split.said(ANN)) == 2
    assert len(await split.history(ANN)) == 4


async def test_what_can_be_finished_is(split: World, words: Deliberate) -> None:
    """A worker that stops finishes what it has in hand first."""
    async with processes(split, "intake"):
        async with processes(split, "worker"):
            split.room.say(ANN, ANN, "slow one")
            await is_asked(split, "slow one")
            words.go.set()
        assert await split.hears(ANN) == ["echo: slow one"]
    assert len(asked(split, "slow one")) == 1


async def test_a_taken_address(split: World) -> None:
    """Of several processes on one machine one has the address; the others say so and work."""
    _, port = split.settings.telegram_api_url.removeprefix("http://").split(":")
    with capture_logs() as logs:
        async with processes(split, "intake", "worker", listen=("127.0.0.1", int(port))):
            assert await split.says(ANN, ANN, "hi") == "echo: hi"
    told = [log for log in logs if log["event"] == "no_web"]
    assert [log["listen"] for log in told] == [f"127.0.0.1:{port}"] * 2
    assert all(log["log_level"] == "warning" for log in told)


async def test_another_process_polls_on(split: World) -> None:
    """When the process that polls stops, one that waits goes on; nothing is lost or doubled."""
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(processes(split, "worker"))
        first = contextlib.AsyncExitStack()
        await first.enter_async_context(processes(split, "intake"))
        assert await split.says(ANN, ANN, "one") == "echo: one"
        await stack.enter_async_context(processes(split, "intake"))
        await first.aclose()
        split.room.say(ANN, ANN, "two")
        assert await split.hears(ANN, 2) == ["echo: one", "echo: two"]
    assert len(split.said(ANN)) == 2


async def test_real_processes(split: World, words: Deliberate, tmp_path: Path, valkey: str) -> None:
    """As they are started: one intake, two workers; all answered in order, all end with 0."""
    names = environment(split, REDIS_URL=valkey, COMPLETION_CONCURRENCY="2")
    bots = [await start(tmp_path, **names, ROLE=role) for role in ("intake", "worker", "worker")]
    try:
        for number in range(3):
            for chat in range(201, 207):
                split.room.say(chat, chat, f"{number}", language="en")
        for chat in range(201, 207):
            assert await split.hears(chat, 3) == [f"echo: {number}" for number in range(3)]
        assert words.most_open <= 2
        split.room.say(ANN, ANN, "slow one", language="en")
        await is_asked(split, "slow one")
        assert await split.says(ANN, ANN, "/stop") == ENGLISH.stopped
    finally:
        for bot in bots:
            bot.send_signal(signal.SIGTERM)
        endings = await asyncio.gather(*(bot.communicate() for bot in bots))
    assert [bot.returncode for bot in bots] == [0, 0, 0], endings
