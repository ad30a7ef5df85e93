"""Pace towards Telegram: what may go at once, what waits, and what is left out.

It sits at python-telegram-bot's seam for rate limiters; its own limits a process, not a bot, and
lets "typing" starve messages.
"""

import asyncio
import random
from collections.abc import Callable, Coroutine
from enum import StrEnum
from typing import Any

import structlog
from prometheus_client import Counter, Histogram
from telegram.error import RetryAfter
from telegram.ext import BaseRateLimiter

from storage.budget import Act, Budget
from storage.connect import StorageUnavailable

log = structlog.get_logger()

SHED = Counter("telegram_shed", "Calls to Telegram left out, as there was no room", ["kind"])
WAITED = Histogram("telegram_waited_seconds", "How long calls to Telegram waited", ["kind"])
REFUSED = Counter("telegram_too_many", "Calls to Telegram refused as too many (429)", ["kind"])
FROZEN = Counter("telegram_frozen_seconds", "For how long Telegram froze chats")

MOST_REFUSALS = 3
"""Refusals after which a call is given up; each one freezes its chat, so a fourth is unlikely."""
JITTER_SECONDS = 1.0
UNPACED = ("answerCallbackQuery", "setMyCommands", "setWebhook", "deleteWebhook")


class Kind(StrEnum):
    """What a call to Telegram is for. ``TYPING`` and ``UPDATE`` are left out if they must be."""

    TYPING = "typing"
    UPDATE = "update"
    FIRST = "first"
    FINAL = "final"
    OTHER = "other"


for _kind in Kind:
    for _counter in (SHED, REFUSED):
        _counter.labels(_kind)  # from the start, or Prometheus misses the first

_ACTS: dict[Kind, Act] = {
    Kind.TYPING: "shed",
    Kind.UPDATE: "shed",
    Kind.FIRST: "end",
    Kind.FINAL: "end",
    Kind.OTHER: "wait",
}


class Shed(Exception):
    """There is no room for this now; it is not worth waiting for."""


class Pacing(BaseRateLimiter[Kind]):
    """Keeps calls to the budget; each says by ``rate_limit_args`` what it is for."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget

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
        rate_limit_args: Kind | None,
    ) -> Any:
        """Call when there is room. Raises `Shed`, and `RetryAfter` when Telegram insists."""
        chat_id, kind = data.get("chat_id"), rate_limit_args or Kind.OTHER
        if not isinstance(chat_id, int) or endpoint in UNPACED or endpoint.startswith("get"):
            return await callback(*args, **kwargs)
        for refusals in range(1, MOST_REFUSALS + 1):
            await self._wait(chat_id, kind)
            try:
                return await callback(*args, **kwargs)
            except RetryAfter as error:
                REFUSED.labels(kind).inc()
                await self._freeze(chat_id, error)
                if _ACTS[kind] == "shed":
                    raise Shed from error
                if refusals == MOST_REFUSALS:
                    raise
        raise AssertionError  # the last refusal is raised

    async def _wait(self, chat_id: int, kind: Kind) -> None:
        try:
            pause = await self._budget.take(chat_id, _ACTS[kind])
        except StorageUnavailable:
            # Sending must not fail for this; Telegram itself says when it is too much.
            pause = None if _ACTS[kind] == "shed" else 0.0
        if pause is None:
            SHED.labels(kind).inc()
            raise Shed
        WAITED.labels(kind).observe(pause)
        while pause:
            await asyncio.sleep(pause)
            try:
                pause = await self._budget.frozen(chat_id)  # it may have been meanwhile
            except StorageUnavailable:
                return

    async def _freeze(self, chat_id: int, error: RetryAfter) -> None:
        """Tell all processes that a chat is frozen; if that cannot be, at least wait here."""
        told = error.retry_after.total_seconds()  # type: ignore[union-attr] # as delivery asks for
        seconds = told + random.uniform(0, JITTER_SECONDS)
        FROZEN.inc(seconds)
        log.warning("telegram_too_many", chat=chat_id, seconds=round(seconds, 1))
        try:
            await self._budget.freeze(chat_id, seconds)
        except StorageUnavailable:
            await asyncio.sleep(seconds)
