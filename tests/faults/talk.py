"""What people ask while the wire fails, and whether each was answered once, in order, for good."""

import asyncio
import inspect
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pydantic import SecretStr

from bot.settings import Settings
from storage import keys
from tests.conftest import World
from tests.faults.proxy import Proxy

PATIENCE = "socket_timeout=0.5&socket_connect_timeout=0.5"
"""Seconds that redis-py waits for an answer: its constructor's, unless the URL says other."""


def storage_through(settings: Settings, proxy: Proxy) -> Settings:
    """Settings of a bot whose way to Redis is the proxy."""
    url = SecretStr(f"redis://{proxy.host}:{proxy.port}?{PATIENCE}")
    return settings.model_copy(update={"redis_url": url})


async def until(condition: Callable[[], Any], seconds: float = 60) -> None:
    """Wait until a condition, which may be awaitable, is true: of what tells nobody by itself."""
    async with asyncio.timeout(seconds):
        while True:
            found = condition()
            if await found if inspect.isawaitable(found) else found:
                return
            await asyncio.sleep(0.02)


@dataclass(slots=True)
class Talk:
    """Questions, by their chats, and what came of them."""

    world: World
    asked: dict[int, list[str]] = field(default_factory=dict)

    def ask(self, *chats: int, text: str = "") -> Any:
        """Let a person in each of these private chats ask the next question; the last message."""
        message = None
        for chat in chats:
            asked = self.asked.setdefault(chat, [])
            asked.append(text or f"question {len(asked)}")
            message = self.world.room.say(chat, chat, asked[-1])
        return message

    async def answered(self, seconds: float = 60) -> None:
        """Wait until everything is answered, or at least somehow dealt with."""
        for chat, asked in self.asked.items():
            await self.world.hears(chat, len(asked), seconds)
            # A message that came twice counts once.
            await until(partial(self._has_said, chat, f"echo: {asked[-1]}"))
        await until(self._rested)

    def _has_said(self, chat: int, text: str) -> bool:
        return any(message["text"] == text for message in self.world.said(chat))

    async def check(self, repeats: int = 0) -> None:
        """Assert what must hold after every fault; ``repeats`` are those a lost answer excuses."""
        repeated = 0
        for chat, asked in self.asked.items():
            said = [message["text"] for message in self.world.said(chat)]
            once = list(_without_repeats(said))
            assert once == [f"echo: {question}" for question in asked]
            repeated += len(said) - len(once)
            assert await self.history(chat) == _turns(asked)
        assert repeated <= repeats
        await until(self._rested)  # what is said is seen a little before its turn is over
        assert await self.world.redis.lrange(keys.dead(self.world.bot_id), 0, -1) == []

    async def history(self, chat: int) -> list[str]:
        """The texts in a chat's history."""
        return [json.loads(entry)["text"] for entry in await self.world.history(chat)]

    async def _rested(self) -> bool:
        return not await self._left()

    async def _left(self) -> list[str]:
        """What is there only while something waits or is in work."""
        bot_id, redis = self.world.bot_id, self.world.redis
        kinds = tuple(f"{{{bot_id}}}:{kind}:" for kind in ("mailbox", "outbox"))
        left = [key async for key in redis.scan_iter(f"{{{bot_id}}}:*") if key.startswith(kinds)]
        queued = await redis.xlen(keys.ready(bot_id))
        return left + [f"{queued} lanes"] * (queued > 0)


def _without_repeats(said: Sequence[str]) -> Iterable[str]:
    return (text for place, text in enumerate(said) if place == 0 or text != said[place - 1])


def _turns(asked: Sequence[str]) -> list[str]:
    return [text for question in asked for text in (question, f"echo: {question}")]
