"""Lanes: one per conversation, so that each is answered in order and none waits for another."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import structlog

from storage.message import ChatKey

log = structlog.get_logger()

PATIENCE = 50.0
"""Seconds after which a person who still waits is told so. A minute is what people bear."""

Handle = Callable[[dict[str, Any]], Awaitable[None]]


class Worker:
    """Handles raw updates, at most ``lanes`` at once, those of a conversation in order."""

    def __init__(self, tasks: asyncio.TaskGroup, handle: Handle, late: Handle, lanes: int) -> None:
        """``tasks`` is where lanes run, and what is left when all that was put is done.

        ``late`` is called, once until a lane is idle again, with an update that waits long.
        """
        self._tasks = tasks
        self._handle = handle
        self._late = late
        self._slots = asyncio.Semaphore(lanes)
        self._lanes: dict[ChatKey, _Lane] = {}

    async def put(self, update: dict[str, Any]) -> None:
        """Queue an update in its conversation's lane; what belongs to none is logged and left."""
        key = lane_of(update)
        if key is None:
            log.warning("update_unreadable", update=update["update_id"])
            return
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = _Lane()
            self._tasks.create_task(self._run(key, lane))
        lane.waiting.append(update)
        asyncio.get_running_loop().call_later(PATIENCE, self._look_after, lane, update)

    async def _run(self, key: ChatKey, lane: "_Lane") -> None:
        while lane.waiting:
            async with self._slots:
                await self._guarded(self._handle, lane.waiting[0])
            lane.waiting.popleft()
        del self._lanes[key]

    def _look_after(self, lane: "_Lane", update: dict[str, Any]) -> None:
        if not lane.told and any(waiting is update for waiting in lane.waiting):
            lane.told = True
            self._tasks.create_task(self._guarded(self._late, update))

    async def _guarded(self, handle: Handle, update: dict[str, Any]) -> None:
        try:
            await handle(update)
        except Exception:  # a lane must outlive whatever one update does to its handler
            log.exception("update_failed", update=update["update_id"])


@dataclass(slots=True)
class _Lane:
    """One conversation's updates, the first of them in work; ``told`` that it takes longer."""

    waiting: deque[dict[str, Any]] = field(default_factory=deque)
    told: bool = False


def lane_of(update: dict[str, Any]) -> ChatKey | None:
    """Find the conversation of a raw update, which may be anything; None if there is none."""
    try:
        message = update["message"]
        chat_id = message["chat"]["id"]
        topic_id = message["message_thread_id"] if message.get("is_topic_message") else 0
    except (LookupError, TypeError, AttributeError):
        return None
    return ChatKey(chat_id, topic_id) if type(chat_id) is type(topic_id) is int else None
