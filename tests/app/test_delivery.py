"""Whatever Telegram does to an answer on its way: failures that pass, refusals, frozen chats."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.app import running
from bot.playground.telegram.fault import Fault
from bot.playground.yandex.replies import Say
from handlers.texts import ENGLISH
from storage import keys
from storage.dead import DeadLetters
from storage.message import ChatKey, Message
from storage.timing import Timing
from tests.conftest import ANN, BORIS, GROUP, World, changed, grows, local_telegram
from tests.crash.launch import LEASE
from tests.crash.process import BotProcess

pytestmark = pytest.mark.slow

WORDS = " ".join(f"word{number}" for number in range(60))
THREE = "\n\n".join(f"**{number}** {'words ' * 300}".strip() for number in range(6))
"""Three messages long, with some formatting in each."""
CODE = "\n".join(f"print({number})  # {'words ' * 10}" for number in range(400))
PASSING = [
    Fault(status=500),
    Fault(status=502, html="<html>"),
    Fault(),
    Fault(status=429, retry_after=1),
]


@pytest.fixture
def timing() -> Timing:
    """Look at an answer more often than a person wants."""
    return Timing(gap=0.05, group_gap=0.05, wider=1)


class Endless:
    """Words that go on until they may end."""

    def __init__(self) -> None:
        self.end = asyncio.Event()
        self.said = list[str]()

    async def answer(
        self, messages: Sequence[Message], *, temperature: float, max_tokens: int
    ) -> AsyncIterator[str]:
        while not self.end.is_set():
            self.said.append(f"word{len(self.said)}")
            yield f"{self.said[-1]} "
            await asyncio.sleep(0.1)


async def until(world: World, condition: Callable[[], Any]) -> None:
    """Wait until something is so in the room, or in Redis."""
    async with asyncio.timeout(40):
        while True:
            met = condition()
            if await met if isinstance(met, Awaitable) else met:
                return
            await world.room.changed(world.room.version, 0.05)


def growing(world: World, chat: int) -> list[dict[str, Any]]:
    """The messages that grow in a chat."""
    return [message for message in world.room.messages(chat) if grows(message)]


def pressed(message: dict[str, Any]) -> str:
    """What the first button under a message says when it is pressed."""
    return str(message["reply_markup"]["inline_keyboard"][0][0]["callback_data"])


def refused(words: str) -> Fault:
    """What Telegram refuses with a 400."""
    return Fault(status=400, description=f"Bad Request: {words}")


# Failures that pass


@pytest.mark.parametrize("fault", PASSING)
@pytest.mark.parametrize("method", ["sendMessage", "editMessageText"])
async def test_a_passing_failure_ends_no_showing(
    redis: Redis, valkey: str, timing: Timing, method: str, fault: Fault
) -> None:
    """The first words, or the next ones, are shown all the same while the answer is made."""
    words, failed = Endless(), [method, False]
    async with local_telegram(redis, valkey, words, timing) as world, running(world.settings):
        world.room.fail(method, fault)
        world.room.say(ANN, ANN, "hi")
        await until(world, lambda: failed in _calls(world))
        assert not world.said(ANN)
        await until(
            world, lambda: ["editMessageText", True] in _calls(world)[_calls(world).index(failed) :]
        )
        assert growing(world, ANN)
        assert not world.said(ANN)
        words.end.set()
        assert await world.hears(ANN) == [" ".join(words.said)]


def _calls(world: World) -> list[list[Any]]:
    return [[call["method"], call["ok"]] for call in world.room.calls]


@pytest.mark.parametrize("way", ["press", "reply"])
async def test_a_message_that_we_never_heard_of(world: World, way: str) -> None:
    """Its Stop button, or a reply to it, tells its number, and then it goes."""
    world.room.fail("sendMessage", Fault(after_accept=True))
    world.model.script(Say(WORDS, steps=6, delay=0.25))
    world.room.say(ANN, ANN, "hi", language="en")
    assert await world.hears(ANN) == [WORDS]
    (left,) = growing(world, ANN)
    if way == "press":
        world.room.press(ANN, ANN, left["message_id"], pressed(left))
    else:
        world.room.say(ANN, ANN, "what?", reply_to=left["message_id"])
    await until(world, lambda: not growing(world, ANN))
    assert world.said(ANN)[0]["text"] == WORDS
    if way == "reply":
        assert (await world.hears(ANN, 2))[-1].endswith("what?")


async def test_a_leftover_of_an_earlier_answer(world: World) -> None:
    """Nobody knows any more what it became, so it keeps its words and loses its button."""
    world.room.fail("sendMessage", Fault(after_accept=True))
    world.model.script(Say(WORDS, steps=6, delay=0.25))
    await world.says(ANN, ANN, "hi")
    await world.says(ANN, ANN, "next")
    (left,) = growing(world, ANN)
    world.room.press(ANN, ANN, left["message_id"], pressed(left))
    await until(world, lambda: not growing(world, ANN))
    assert left["message_id"] in world.room.chats[ANN].messages


async def test_messages_that_are_never_heard_of(world: World) -> None:
    """Of a growing answer at most two are left behind; then it is shown only when it is whole."""
    world.room.fail("sendMessage", *[Fault(after_accept=True)] * 3)
    world.model.script(Say(WORDS, steps=12, delay=0.25))
    world.room.say(ANN, ANN, "hi")
    await world.hears(ANN)
    await until(world, partial(_is_empty, world))
    assert len(growing(world, ANN)) == 2


# Refusals


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("times", [1, 2, 3])
async def test_a_refused_piece(redis: Redis, valkey: str, place: int, times: int) -> None:
    """It comes plain, then bare, and if nothing helps a sentence says so; the others come whole."""
    async with local_telegram(redis, valkey, streaming="off") as world, running(world.settings):
        world.model.script(Say(THREE))
        refusals = [refused("some words are bad")] * times
        world.room.fail("sendMessage", *[None] * place, *refusals)
        world.room.say(GROUP, ANN, "@demo_bot hi", language="en")
        await world.hears(GROUP, 3)
    said = world.said(GROUP)
    assert [message["text"] == ENGLISH.piece_refused for message in said] == [
        times == 3 and number == place for number in range(3)
    ]
    assert ["entities" in message for message in said] == [number != place for number in range(3)]
    bare = times > 1
    assert ("reply_to_message" in said[0]) != (place == 0 and bare)
    assert ("reply_markup" in said[2]) != (place == 2 and bare)


async def test_when_everything_is_refused(world: World) -> None:
    """It is a failure, which ends in a dead letter, and the conversation goes on."""
    world.room.fail("sendMessage", *[refused("some words are bad")] * 16)
    world.model.script(Say("answer"))
    world.room.say(ANN, ANN, "hi", language="en")
    dead = DeadLetters(world.redis, world.bot_id)
    await until(world, dead.all)
    (letter,) = await dead.all()
    assert "BadRequest" in letter.reason
    world.room.pardon()
    assert await world.says(ANN, ANN, "next") == "echo: next"


async def test_what_was_delivered_stands_beside_an_apology(redis: Redis, valkey: str) -> None:
    """When the rest of an answer fails for good, its beginning stays and a sentence follows."""
    async with local_telegram(redis, valkey, streaming="off") as world, running(world.settings):
        world.model.script(Say(THREE))
        world.room.fail("sendMessage", None, None, *[refused("some words are bad")] * 12)
        world.room.say(ANN, ANN, "hi", language="en")
        said = await world.hears(ANN, 3)
        await until(world, partial(_is_empty, world))
        assert [message["text"] for message in world.said(ANN)] == said
    assert said[2] == ENGLISH.unexpected
    assert all("words words" in text for text in said[:2])


async def test_a_refused_file_comes_as_text(world: World) -> None:
    """Where documents are not allowed its words come in a message."""
    world.model.script(Say(f"```python\n{CODE}\n```"))
    world.room.fail("sendDocument", refused("not enough rights to send documents to the chat"))
    world.room.say(ANN, ANN, "hi", language="en")
    said = (await world.hears(ANN, 2))[-1]
    assert said.startswith(CODE[:1000])
    assert said.endswith(ENGLISH.piece_refused)


async def test_a_topic_that_is_gone(world: World) -> None:
    """The answer comes to the chat without it, and is kept."""
    forum = -1_000_000_000_777
    topic = world.room.open_topic(forum)
    world.room.say(forum, ANN, "@demo_bot hi", topic=topic)
    world.room.delete_topic(forum, topic)
    assert (await world.hears(forum))[-1] == "echo: hi"
    assert len(await world.history(forum, topic)) == 2


@pytest.mark.parametrize("streaming", ["edits", "drafts", "off"])
@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=403, description="Forbidden: bot was blocked by the user"),
        refused("not enough rights to send text messages to the chat"),
        refused("CHAT_WRITE_FORBIDDEN"),
    ],
)
async def test_where_the_bot_may_not_write(
    redis: Redis, valkey: str, streaming: str, fault: Fault
) -> None:
    """The model is stopped at the first refusal, and the next person is served."""
    async with local_telegram(redis, valkey, streaming=streaming) as world, running(world.settings):
        for method in ("sendMessage", "sendChatAction", "sendMessageDraft"):
            world.room.fail(method, fault)
        world.model.script(Say(WORDS, steps=2, delay=30))
        world.room.say(ANN, ANN, "hi")
        await until(world, lambda: any(not call["ok"] for call in world.room.calls))
        await until(world, lambda: _is_empty(world))
        assert await world.history(ANN) == []


async def _is_empty(world: World) -> bool:
    return not await world.redis.xlen(keys.ready(world.bot_id))


# Frozen chats


@pytest.fixture
async def narrow(redis: Redis, valkey: str) -> AsyncIterator[World]:
    """A bot with room for two conversations."""
    async with local_telegram(redis, valkey, lanes=2) as world, running(world.settings):
        yield world


async def test_frozen_chats_hold_no_lanes(narrow: World) -> None:
    """Their answers are made and kept, others are served, and they come when Telegram lets them."""
    world, bot_id = narrow, narrow.bot_id
    for number, chat in enumerate((201, 202, 203, GROUP), 1):
        world.room.fail("sendMessage", Fault(status=429, retry_after=3600))
        world.room.say(chat, abs(chat), "@demo_bot hi")
        await until(world, partial(_parked, world, number))
    assert await world.says(ANN, ANN, "hi") == "echo: hi"
    world.room.say(201, 201, "and this?")
    assert await world.says(BORIS, BORIS, "hi") == "echo: hi"
    asked = len(world.bodies())
    for chat in (201, 202, 203, GROUP):
        assert world.said(chat) == []
        await world.redis.delete(keys.pace(bot_id, chat))
        await world.redis.zadd(keys.parked(bot_id), {str(chat): 1})
    for chat in (202, 203, GROUP):
        assert await world.hears(chat) == ["echo: hi"]
    assert await world.hears(201, 2) == ["echo: hi", "echo: and this?"]
    assert len(world.bodies()) == asked + 1


async def _parked(world: World, number: int) -> bool:
    return bool(await world.redis.zcard(keys.parked(world.bot_id)) == number)


async def test_an_answer_is_frozen_in_its_midst(narrow: World) -> None:
    """What was sent or changed is not sent or changed again when the chat goes on."""
    world = narrow
    world.model.script(Say(THREE), Say("short"))
    world.room.fail("sendMessage", None, Fault(status=429, retry_after=3600))
    world.room.say(ANN, ANN, "hi")
    await _thaw(world, ANN)
    long = await world.hears(ANN, 3)
    assert len(long) == len(set(long)) == 3
    world.room.fail("deleteMessage", Fault(status=429, retry_after=3600))
    again = pressed(world.said(ANN)[-1])
    world.room.press(ANN, ANN, world.said(ANN)[-1]["message_id"], again)
    await _thaw(world, ANN)
    await until(world, lambda: len(world.said(ANN)) == 1)
    await until(world, lambda: _is_empty(world))
    assert [message["text"] for message in world.room.messages(ANN)] == ["hi", "short"]
    assert len([call for call in world.room.calls if call["method"] == "sendMessage"]) == 4


async def _thaw(world: World, chat: int) -> None:
    """Wait until a chat is parked, and let it go on at once."""
    await until(world, lambda: _parked(world, 1))
    await world.redis.delete(keys.pace(world.bot_id, chat))
    await world.redis.zadd(keys.parked(world.bot_id), {str(chat): 1})


# A stop after a death


@pytest.mark.parametrize("way", ["press", "command"])
@pytest.mark.parametrize("streaming", ["edits", "drafts"])
async def test_a_stop_while_nobody_works(
    elsewhere: World, tmp_path: Path, way: str, streaming: str
) -> None:
    """It came after a process died and before another took over: what was said stays, marked."""
    world = elsewhere
    world.model.script(Say(WORDS, steps=30, delay=0.2), Say("other", delay=30))
    process = BotProcess(world.environment | {"STREAMING": streaming}, tmp_path)
    world.room.say(ANN, ANN, "hi", language="en")
    shown = "sendMessageDraft" if streaming == "drafts" else "editMessageText"
    await until(world, lambda: [shown, True] in _calls(world))
    process.kill()
    await process.ended()
    if way == "command":
        world.room.say(ANN, ANN, "/stop")
    elif streaming == "drafts":
        world.room.stop(ANN, world.room.drafts(ANN)[0]["draft_id"])
    else:
        (left,) = growing(world, ANN)
        world.room.press(ANN, ANN, left["message_id"], pressed(left))
    async with running(changed(world.settings, streaming=streaming, lease=LEASE)):
        said = (await world.hears(ANN))[0]
        await until(world, partial(_is_empty, world))
    assert said.endswith(ENGLISH.stopped_mark)
    assert said.startswith("word0")
    assert len(await world.history(ANN)) == 2


async def test_a_death_while_an_answer_is_replaced(elsewhere: World, tmp_path: Path) -> None:
    """What the new answer had posted beyond the old one is edited on; nothing is left behind."""
    world = elsewhere
    world.model.script(Say("short"), Say(THREE, steps=40, delay=0.3), Say("better"))
    process = BotProcess(world.environment, tmp_path)
    world.room.say(ANN, ANN, "hi")
    await world.hears(ANN)
    (old,) = world.said(ANN)
    world.room.press(ANN, ANN, old["message_id"], pressed(old))
    await until(world, lambda: len(world.room.messages(ANN)) >= 3)
    outbox = keys.outbox(world.bot_id, ChatKey(ANN))
    await until(world, partial(_has_noted, world, outbox, 2))
    process.kill()
    await process.ended()
    async with running(changed(world.settings, lease=LEASE)):
        await until(world, lambda: [one["text"] for one in world.said(ANN)] == ["better"])
        await until(world, partial(_is_empty, world))
    assert len(world.room.messages(ANN)) == 2


async def _has_noted(world: World, outbox: str, number: int) -> bool:
    return len(str(await world.redis.hget(outbox, "shown")).split()) > number


async def test_a_stop_before_the_next_words(elsewhere: World, tmp_path: Path) -> None:
    """What is on the screen from a process that died stays, marked, in the chat and in mind."""
    world = elsewhere
    world.model.script(Say(WORDS, steps=30, delay=0.2), Say("other", delay=30))
    process = BotProcess(world.environment, tmp_path)
    world.room.say(ANN, ANN, "hi", language="en")
    await until(world, lambda: ["editMessageText", True] in _calls(world))
    process.kill()
    await process.ended()
    (left,) = growing(world, ANN)
    async with running(changed(world.settings, lease=LEASE)):
        await until(world, lambda: len(world.bodies()) == 2)
        world.room.press(ANN, ANN, left["message_id"], pressed(left))
        (said,) = await world.hears(ANN)
        await until(world, lambda: _is_empty(world))
    shown = said.removesuffix(f"\n\n{ENGLISH.stopped_mark}")
    assert said != shown
    assert shown.startswith(left["text"])
    assert WORDS.startswith(shown)
    _, answer = await world.history(ANN)
    assert json.loads(answer)["text"].strip() == shown
    assert world.said(ANN)[0]["message_id"] == left["message_id"]
