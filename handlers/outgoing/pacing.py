"""The way to Telegram: what goes at once, waits, or is dropped, and whether it is still ours.

It is python-telegram-bot's rate limiter; the library's own limits a process, not a bot, and lets
"typing" starve messages. Every call that people see passes here with its `Effect`.
"""

import asyncio
import os
import random
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import structlog
from prometheus_client import Counter, Histogram
from telegram.error import NetworkError, RetryAfter
from telegram.ext import BaseRateLimiter

from storage.budget import WORTH_WAITING, Act, Budget, Frozen
from storage.lane import LaneLost
from storage.server.connect import StorageUnavailable
from storage.timing import Timing

# Without this, python-telegram-bot warns about a future change of RetryAfter.
os.environ["PTB_TIMEDELTA"] = "true"

log = structlog.get_logger()

SHED = Counter("telegram_shed", "Calls to Telegram left out, as there was no room", ["kind"])
WAITED = Histogram("telegram_waited_seconds", "How long calls to Telegram waited", ["kind"])
REFUSED = Counter("telegram_too_many", "Calls to Telegram refused as too many (429)", ["kind"])
FROZEN = Counter("telegram_frozen_seconds", "For how long Telegram froze chats")

MOST_REFUSALS = 3
"""Refusals after which a call is given up; each freezes its chat, so a fourth is unlikely."""
OF_TURNS = ("getChat", "getChatMember", "getFile")
"""What turns ask Telegram; a turn can wait until Telegram answers again."""

Hold = Callable[[], Awaitable[None]]
"""Returns while the caller owns the lane; raises `LaneLost` afterwards."""


class Kind(StrEnum):
    """What a call to Telegram is for. The first three may be dropped."""

    TYPING = "typing"
    UPDATE = "update"
    NOTICE = "notice"
    FIRST = "first"
    FINAL = "final"
    OTHER = "other"


for _kind in Kind:
    for _counter in (SHED, REFUSED):
        _counter.labels(_kind)  # from the start, or Prometheus misses the first

_ACTS: dict[Kind, Act] = {
    Kind.TYPING: "shed",
    Kind.UPDATE: "shed",
    Kind.NOTICE: "shed",
    Kind.FIRST: "end",
    Kind.FINAL: "end",
    Kind.OTHER: "wait",
}


@dataclass(slots=True)
class Effect:
    """A call's kind, and the ``hold`` on its lane, None if it has no lane.

    ``granted`` is how many seconds it has to wait; None: it takes a place in the budget, or has
    taken one because the grant no longer held.
    """

    kind: Kind
    hold: Hold | None
    granted: float | None = None


class Shed(Exception):
    """There is no room for the call now, and it is not worth waiting for."""


_held: ContextVar[Hold | None] = ContextVar("held", default=None)
"""The current call's hold: python-telegram-bot passes nothing down to its transport."""


async def before_write() -> None:
    """Check that the current call may still be made, just before its request is written.

    Raises `LaneLost`.
    """
    if hold := _held.get():
        await hold()


class Pacing(BaseRateLimiter[Effect]):
    """Keeps calls within the budget; ``rate_limit_args`` is each call's `Effect`."""

    def __init__(self, budget: Budget, timing: Timing = Timing()) -> None:
        self._budget = budget
        self._jitter = timing.jitter
        self._frozen: dict[int, float] = {}
        """Until when this process had chats frozen: what was granted before that does not hold."""

    async def initialize(self) -> None:
        """Nothing to do."""

    async def shutdown(self) -> None:
        """Nothing to do."""

    async def process_request(
        self,
        callback: Callable[..., Coroutine[Any, Any, Any]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: Effect | None,
    ) -> Any:
        """Make a call when there is room, if the lane is still ours then.

        Raises `Shed`, `LaneLost`, and `Frozen` if Telegram keeps answering 429.
        """
        if endpoint.startswith("get"):
            return await asked(endpoint, callback(*args, **kwargs))
        if rate_limit_args is None:
            raise TypeError(f"{endpoint} does not say for which lane it is")
        effect, chat_id = rate_limit_args, data.get("chat_id")

        async def call() -> Any:
            return await _held_by(effect.hold, callback(*args, **kwargs))

        if not isinstance(chat_id, int):
            return await call()
        return await self._paced(chat_id, effect, call)

    async def _paced(self, chat_id: int, effect: Effect, call: Callable[[], Awaitable[Any]]) -> Any:
        kind = effect.kind
        for refusals in range(1, MOST_REFUSALS + 1):
            await self._wait(chat_id, effect)
            try:
                return await call()
            except RetryAfter as error:
                REFUSED.labels(kind).inc()
                await self._freeze(chat_id, error)
                if _ACTS[kind] == "shed":
                    raise Shed from error
                if refusals == MOST_REFUSALS:
                    raise Frozen(_told(error)) from error
        raise AssertionError  # the last refusal is raised

    async def _wait(self, chat_id: int, effect: Effect) -> None:
        kind, granted = effect.kind, effect.granted
        try:
            pause = granted
            if granted is None or time.monotonic() < self._frozen.get(chat_id, 0):
                effect.granted = None
                pause = await self._budget.take(chat_id, _ACTS[kind])
        except StorageUnavailable:
            # Sending must not fail for this; Telegram itself answers 429 if it is too much.
            pause = None if _ACTS[kind] == "shed" else 0.0
        if pause is None:
            SHED.labels(kind).inc()
            raise Shed
        WAITED.labels(kind).observe(pause)
        while pause:
            await asyncio.sleep(pause)
            try:
                pause = await self._budget.frozen(chat_id)  # it may have been frozen meanwhile
            except StorageUnavailable:
                return

    async def _freeze(self, chat_id: int, error: RetryAfter) -> None:
        """Tell all processes that a chat is frozen; without storage, wait here at least.

        Raises `Frozen` if that would take too long.
        """
        seconds = _told(error) + random.uniform(0, self._jitter)
        FROZEN.inc(seconds)
        log.warning("telegram_too_many", chat=chat_id, seconds=round(seconds, 1))
        still = {chat: end for chat, end in self._frozen.items() if end > time.monotonic()}
        self._frozen = still | {chat_id: time.monotonic() + seconds}
        try:
            await self._budget.freeze(chat_id, seconds)
        except StorageUnavailable:
            if seconds > WORTH_WAITING:
                raise Frozen(seconds) from error
            await asyncio.sleep(seconds)


def _told(error: RetryAfter) -> float:
    return error.retry_after.total_seconds()  # type: ignore[union-attr] # see above


async def asked(endpoint: str, call: Coroutine[Any, Any, Any]) -> Any:
    """Ask Telegram something, unpaced. Raises `Frozen` where a turn can wait."""
    try:
        return await call
    except RetryAfter as error:
        if endpoint in OF_TURNS:
            raise Frozen(_told(error)) from error
        raise


async def _held_by(hold: Hold | None, call: Coroutine[Any, Any, Any]) -> Any:
    """Make a call if ``hold`` allows it; the transport checks again, see `before_write`."""
    token = _held.set(hold)
    try:
        await before_write()
        return await call
    except NetworkError as error:
        # python-telegram-bot wraps whatever its transport raises.
        if isinstance(error.__cause__, LaneLost):
            raise error.__cause__ from None
        raise
    finally:
        call.close()  # if it was not made
        _held.reset(token)
