"""Many long answers at once, under Telegram's own limits."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from prometheus_client import REGISTRY
from redis.asyncio import Redis

from bot.app import running
from bot.playground.telegram.pace import Pace
from storage.message import Message
from storage.timing import Timing
from tests.conftest import local_telegram

CHATS = range(1, 51)
PARAGRAPHS = 100
"""Of about 350 characters each: 10,000 tokens, nine messages."""


class AtLength:
    """Says ten thousand tokens in some seconds."""

    async def answer(
        self, messages: Sequence[Message], *, temperature: float, max_tokens: int
    ) -> AsyncIterator[str]:
        for number in range(PARAGRAPHS):
            yield f"{messages[-1].text}, {number}: {'words ' * 57}\n\n"
            await asyncio.sleep(0.08)


async def test_long_answers_in_many_chats(redis: Redis, valkey: str, timing: Timing) -> None:
    """Hardly a call is one too many, every answer arrives whole, what was left out is counted."""
    shed = REGISTRY.get_sample_value("telegram_shed_total", {"kind": "update"}) or 0
    more = {"completion_concurrency": 100, "max_tokens": 20_000}
    async with local_telegram(redis, valkey, AtLength(), timing, **more) as world:
        world.model.limit = 1000
        async with running(world.settings):
            world.room.pace = Pace(world.room.clock)
            for chat in CHATS:
                world.room.say(chat, chat, f"q{chat}")
                await asyncio.sleep(0.06)  # nobody is answered in the same instant as all others
            for chat in CHATS:
                last = f"q{chat}, {PARAGRAPHS - 1}: "
                async with asyncio.timeout(60):
                    while not any(last in message["text"] for message in world.said(chat)):
                        await world.room.changed(world.room.version, 1)
                text = "\n\n".join(message["text"] for message in world.said(chat))
                assert all(f"q{chat}, {number}: " in text for number in range(PARAGRAPHS))
        refused = [call for call in world.room.calls if not call["ok"]]
    # A pause of the machine between a place and its call can bring two calls together.
    assert len(refused) <= 1
    assert (REGISTRY.get_sample_value("telegram_shed_total", {"kind": "update"}) or 0) > shed
