"""Lanes: order within a conversation, independence between them."""

import asyncio
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from bot import worker as module
from bot.worker import Worker, lane_of
from storage.message import ChatKey


def update(number: int, chat: int) -> dict[str, Any]:
    """A raw update, as small as can be."""
    return {"update_id": number, "message": {"chat": {"id": chat}}}


async def nothing(_update: dict[str, Any]) -> None:
    """Handle nothing."""


async def test_order_within_a_chat() -> None:
    """Whatever each takes, a chat's updates are handled one by one as they came."""
    seen: dict[int, list[int]] = {}
    busy: set[int] = set()

    async def handle(raw: dict[str, Any]) -> None:
        chat = raw["message"]["chat"]["id"]
        assert chat not in busy
        busy.add(chat)
        await asyncio.sleep(random.uniform(0, 0.002))
        seen.setdefault(chat, []).append(raw["update_id"])
        busy.remove(chat)

    async with asyncio.TaskGroup() as tasks:
        worker = Worker(tasks, handle, nothing, lanes=4)
        for number in range(300):
            await worker.put(update(number, random.choice([1, 2, 3, 4, 5, 6])))
    assert sum(len(numbers) for numbers in seen.values()) == 300
    assert all(numbers == sorted(numbers) for numbers in seen.values())


async def test_a_slow_chat_holds_up_nobody() -> None:
    """One chat waits for ever, another is done."""
    done, stuck = asyncio.Event(), asyncio.Event()

    async def handle(raw: dict[str, Any]) -> None:
        await (stuck.wait() if raw["message"]["chat"]["id"] == 1 else asyncio.sleep(0))
        if raw["message"]["chat"]["id"] == 2:
            done.set()

    async with asyncio.TaskGroup() as tasks:
        worker = Worker(tasks, handle, nothing, lanes=2)
        for number in range(20):
            await worker.put(update(number, 1))
        await worker.put(update(99, 2))
        await asyncio.wait_for(done.wait(), 5)
        stuck.set()


async def test_no_more_than_lanes_at_once() -> None:
    """The bound holds, and all are handled."""
    open_now = most = 0

    async def handle(_raw: dict[str, Any]) -> None:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        await asyncio.sleep(0.001)
        open_now -= 1

    async with asyncio.TaskGroup() as tasks:
        worker = Worker(tasks, handle, nothing, lanes=3)
        for number in range(30):
            await worker.put(update(number, number))
    assert most == 3


async def test_a_failure_ends_no_lane() -> None:
    """What one update does to its handler is logged; the next is handled."""
    handled = []

    async def handle(raw: dict[str, Any]) -> None:
        handled.append(raw["update_id"])
        if raw["update_id"] == 1:
            raise RecursionError

    with capture_logs() as logs:
        async with asyncio.TaskGroup() as tasks:
            worker = Worker(tasks, handle, nothing, lanes=1)
            await worker.put(update(1, 5))
            await worker.put(update(2, 5))
    assert handled == [1, 2]
    assert [(entry["event"], entry["update"]) for entry in logs] == [("update_failed", 1)]


async def test_who_waits_long_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a lane's waiting updates one is told of; when it is idle again, it begins anew."""
    monkeypatch.setattr(module, "PATIENCE", 0.01)
    told = []

    async def handle(_raw: dict[str, Any]) -> None:
        await asyncio.sleep(0.05)

    async def late(raw: dict[str, Any]) -> None:
        told.append(raw["update_id"])

    async with asyncio.TaskGroup() as tasks:
        worker = Worker(tasks, handle, late, lanes=2)
        for number in (1, 2, 3):
            await worker.put(update(number, 5))
        while worker._lanes:  # noqa: ASYNC110 - it tells nobody when it is idle
            await asyncio.sleep(0.01)
        await worker.put(update(4, 5))
    assert told == [1, 4]


def test_topics_are_lanes_of_their_own() -> None:
    """A thread is a lane only in a forum."""
    message = {"chat": {"id": -1}, "message_thread_id": 7}
    assert lane_of({"message": message}) == ChatKey(-1)
    assert lane_of({"message": {**message, "is_topic_message": True}}) == ChatKey(-1, 7)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
wild = st.dictionaries(
    st.sampled_from(["message", "edited_message", "x"]),
    json_values
    | st.fixed_dictionaries(
        {"chat": json_values | st.fixed_dictionaries({"id": json_values})},
        optional={"is_topic_message": json_values, "message_thread_id": json_values},
    ),
)


@given(wild)
def test_any_update_has_a_lane_or_none(raw: dict[str, Any]) -> None:
    """Whatever an update is, finding its lane does not fail, and never invents one."""
    lane = lane_of(raw)
    if lane is not None:
        assert raw["message"]["chat"]["id"] is lane.chat_id


async def test_an_unreadable_update_is_logged() -> None:
    """What belongs to no conversation is left, with a line in the log."""
    with capture_logs() as logs:
        async with asyncio.TaskGroup() as tasks:
            await Worker(tasks, nothing, nothing, lanes=1).put({"update_id": 3, "poll": {}})
    assert [(entry["event"], entry["update"]) for entry in logs] == [("update_unreadable", 3)]
