"""A process frozen for longer than its lease: while answers grow, and in each pause before a call.

Another one finishes what it had in hand. Then it wakes up in the middle of its work, and must
change nothing: each answer stands on the screen once, whole, and grows no more.
"""

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from redis.asyncio import Redis

from bot.playground.telegram.chat import Json
from bot.playground.telegram.fault import Fault
from storage import keys
from storage.message import ChatKey
from tests.crash.launch import LEASE
from tests.crash.process import BotProcess, connected
from tests.crash.storm import rest
from tests.crash.verdict import Verdict, judge
from tests.crash.world import World, world
from tests.forms import FORMS

CHATS = range(1, 13)
PATIENCE = 30.0
WAKING_SECONDS = LEASE
"""In which one that was frozen may do what it should not."""


@dataclass(frozen=True, slots=True)
class Freeze:
    """When a process is frozen: once ``fault`` has met a call of ``method`` in every chat.

    Without a fault: while all answers grow. ``at_length`` is what answers are; ``after`` is how
    many calls pass before that in each chat.
    """

    name: str
    at_length: bool
    method: str = ""
    fault: Fault | None = None
    after: int = 0


TOO_MANY, BAD_GATEWAY, RESET = Fault(status=429, retry_after=2), Fault(status=502), Fault()
FREEZES = (
    Freeze("while answers grow", at_length=True),
    *(
        Freeze(f"{name} at {where}", at_length, method, fault, after)
        for name, fault in (("429", TOO_MANY), ("502", BAD_GATEWAY), ("a reset", RESET))
        for where, at_length, method, after in (
            ("the first words", True, "sendMessage", 0),
            ("the next words", True, "editMessageText", 0),
            ("the next message", True, "sendMessage", 1),
            ("the end", False, "sendMessage", 0),
        )
    ),
)


async def all_freezes(form: str) -> list[Verdict]:
    """Pass through them, one after another, each with a bot of its own."""
    folder = Path(tempfile.mkdtemp(prefix="crash-"))
    async with FORMS[form]() as server:
        verdicts = [await _pass(freeze, server.url, folder) for freeze in FREEZES]
    if not any(verdict.faults for verdict in verdicts):
        shutil.rmtree(folder)
    return verdicts


async def _pass(freeze: Freeze, url: str, folder: Path) -> Verdict:
    async with world({"REDIS_URL": url}, (2.0, 3.0)) as place, connected(url) as redis:
        first = BotProcess(place.environment, folder)
        if freeze.fault:
            faults = [*[None] * freeze.after, freeze.fault]
            place.room.fail(freeze.method, *(one for one in faults for _ in CHATS))
        for chat in CHATS:
            place.ask(chat, at_length=freeze.at_length)
        async with place.halt():
            await _until(lambda: _met(freeze, place, redis))
            first.freeze()
            place.room.pardon()
            second = BotProcess(place.environment, folder)
            for chat in CHATS:
                await place.answered(chat, PATIENCE)
            await rest(place, redis)
            finished = len(place.room.calls)
            first.thaw()
            await asyncio.sleep(WAKING_SECONDS)
        verdict = await judge(place, redis)
        effects = list(place.room.calls)[finished:]
        verdict.others += [f"{one['method']} once awake" for one in effects if _is_effect(one)]
        codes = await asyncio.gather(first.stop(), second.stop())
    verdict.others += [f"a process ended with {code} when asked to stop" for code in codes if code]
    verdict.others += _growing(place)
    verdict.others[:] = [f"frozen, {freeze.name}: {fault}" for fault in verdict.others]
    return verdict


async def _met(freeze: Freeze, place: World, redis: Redis) -> bool:
    if freeze.fault:
        calls = [one for one in place.room.calls if one["method"] == freeze.method]
        return sum(not call["ok"] for call in calls) >= len(CHATS)
    outboxes = (keys.outbox(place.bot_id, ChatKey(chat)) for chat in CHATS)
    return all(await asyncio.gather(*(redis.hexists(outbox, "shown") for outbox in outboxes)))


def _is_effect(call: Json) -> bool:
    """Tell whether a call is one that people see."""
    return "chat_id" in call["parameters"] and not call["method"].startswith("get")


def _growing(place: World) -> list[str]:
    """Name answers that still have their Stop button; Telegram told us of all of them."""
    return [
        f"chat {chat}: {message.text[:60]!r} still grows"
        for chat in CHATS
        for message in place.heard(chat)
        if message.grows
    ]


async def _until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await condition():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
