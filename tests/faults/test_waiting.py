"""The whole application when many people wait, and Telegram is slow or has frozen one of them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from functools import partial

import pytest
from redis.asyncio import Redis

from bot.app import running
from bot.playground.telegram.fault import Fault
from bot.playground.yandex.replies import Say
from handlers.texts import ENGLISH, RUSSIAN
from storage import keys
from storage.budget import Budget
from storage.message import Message
from storage.timing import Timing
from tests.conftest import Echo, World, changed, local_telegram
from tests.faults.conftest import HURRIED
from tests.faults.proxy import Proxy
from tests.faults.talk import Talk, storage_through, until

CHATS = range(201, 241)
LATE = (RUSSIAN.takes_longer, ENGLISH.takes_longer)


@pytest.fixture
def timing() -> Timing:
    """Let people hear soon that it takes longer."""
    return replace(HURRIED, late=1.0)


class Held(Echo):
    """Words that repeat the question, but not before they may."""

    def __init__(self) -> None:
        self.go = asyncio.Event()

    async def answer(
        self, messages: Sequence[Message], *, temperature: float, max_tokens: int
    ) -> AsyncIterator[str]:
        await self.go.wait()
        async for piece in super().answer(messages, temperature=temperature, max_tokens=max_tokens):
            yield piece


@pytest.fixture
def words() -> Held:
    """What the model says."""
    return Held()


@pytest.fixture
async def talk(redis: Redis, valkey: str, timing: Timing, words: Held) -> AsyncIterator[Talk]:
    """People, and a bot that is to be started."""
    async with local_telegram(redis, valkey, words, timing, streaming="off") as world:
        yield Talk(world)


def told(world: World) -> set[int]:
    """The chats that have heard that it takes longer."""
    return {chat for chat in CHATS if any(one["text"] in LATE for one in world.room.messages(chat))}


async def test_a_slow_telegram_holds_up_no_takeover(talk: Talk, valkey: str, words: Held) -> None:
    """A process dies with forty conversations while another tells forty people to wait."""
    words.go.set()
    world, to_storage, to_telegram = talk.world, Proxy(valkey), Proxy("")
    to_telegram.aim(world.settings.telegram_api_url)
    to_telegram.latency = 2.0
    async with to_storage.running(), to_telegram.running():
        slow = {"telegram_api_url": f"http://127.0.0.1:{to_telegram.port}", "role": "worker"}
        dying = storage_through(world.settings, to_storage).model_copy(update={"role": "worker"})
        async with running(dying.model_copy(update={"completion_concurrency": 100})):
            world.model.script(*[Say("", steps=1, delay=60)] * len(CHATS))
            async with running(world.settings.model_copy(update={"role": "intake"})):
                for chat in CHATS:
                    world.room.say(chat, chat, "hi")
                await until(lambda: len(world.bodies()) == len(CHATS))
                more = world.settings.model_copy(update=slow | {"completion_concurrency": 100})
                async with running(more), to_storage.stalled():
                    for chat in CHATS:
                        await until(partial(_answered, world, chat), 60)
                assert told(world)


def _answered(world: World, chat: int) -> bool:
    return any(one["text"] == "echo: hi" for one in world.said(chat))


async def test_a_frozen_chat_holds_up_no_notice(talk: Talk, words: Held) -> None:
    """All others who wait hear of it, and the frozen one is left alone."""
    world = talk.world
    frozen, *others = CHATS
    await Budget(world.redis, world.bot_id).freeze(frozen, 3600)
    async with running(changed(world.settings, completion_concurrency=100, call=5)):
        for chat in CHATS:
            world.room.say(chat, chat, "hi")
        await until(lambda: told(world) == set(others), 60)
        words.go.set()
        for chat in others:
            await world.hears(chat, 2)
        parked = keys.parked(world.bot_id)
        await until(lambda: world.redis.zscore(parked, str(frozen)))
    assert not world.said(frozen)


async def test_a_429_for_a_notice_freezes_only_its_chat(talk: Talk, words: Held) -> None:
    """It is shed, and comes when there is room."""
    world = talk.world
    world.room.fail("sendMessage", Fault(status=429, retry_after=1))
    async with running(world.settings.model_copy(update={"completion_concurrency": 100})):
        for chat in CHATS:
            world.room.say(chat, chat, "hi")
        await until(lambda: told(world) == set(CHATS), 60)
        words.go.set()
        for chat in CHATS:
            await world.hears(chat, 2)
