"""Histories on a real server."""

import itertools

import pytest
from redis.asyncio import Redis

from storage import history as module
from storage.connect import StorageUnavailable
from storage.history import History
from storage.message import ChatKey, Message, Role

CHAT = ChatKey(5)
_numbers = itertools.count(9_000_000)


def exchange(number: int, size: int = 0) -> list[Message]:
    """One turn."""
    return [
        Message(Role.USER, f"вопрос {number}"),
        Message(Role.ASSISTANT, f"ответ {number}" + "x" * size),
    ]


@pytest.fixture
def history(redis: Redis) -> History:
    """The histories of a new bot."""
    return History(redis, next(_numbers))


async def test_what_is_appended_is_read(history: History) -> None:
    """Turns come back oldest first."""
    assert (await history.newest(CHAT, 10_000)).messages == ()
    assert await history.append(CHAT, "1", 0, exchange(1))
    assert await history.append(CHAT, "2", 0, exchange(2))
    assert (await history.newest(CHAT, 10_000)).messages == (*exchange(1), *exchange(2))


async def test_a_turn_stands_once(history: History) -> None:
    """Appending a turn again, as after a lost reply, changes nothing."""
    assert await history.append(CHAT, "1", 0, exchange(1))
    assert await history.append(CHAT, "1", 0, exchange(1))
    assert len((await history.newest(CHAT, 10_000)).messages) == 2


async def test_a_late_answer_stays_out_of_a_new_history(history: History) -> None:
    """What was asked before a reset is not appended after it."""
    before = await history.newest(CHAT, 10_000)
    await history.clear(CHAT)
    assert not await history.append(CHAT, "1", before.epoch, exchange(1))
    after = await history.newest(CHAT, 10_000)
    assert after.messages == ()
    assert await history.append(CHAT, "2", after.epoch, exchange(2))


async def test_conversations_and_bots_are_apart(history: History, redis: Redis) -> None:
    """Chats, topics of a chat and bots on one server never meet."""
    await history.append(CHAT, "1", 0, exchange(1))
    for other in (ChatKey(6), ChatKey(5, 1), ChatKey(-5)):
        assert (await history.newest(other, 10_000)).messages == ()
    assert (await History(redis, next(_numbers)).newest(CHAT, 10_000)).messages == ()


async def test_only_the_newest_that_fit_are_read(history: History) -> None:
    """Whole turns are read from the newest back, up to a number of bytes."""
    for number in range(9):
        await history.append(CHAT, str(number), 0, exchange(number, size=500))
    messages = (await history.newest(CHAT, 2000)).messages
    assert messages == tuple(message for number in (6, 7, 8) for message in exchange(number, 500))


async def test_a_history_is_cut_at_its_bound(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the bound the oldest turns go, and only then."""
    monkeypatch.setattr(module, "LONGEST", 6)
    for number in range(5):
        await history.append(CHAT, str(number), 0, exchange(number))
    messages = (await history.newest(CHAT, 100_000)).messages
    assert messages[0].text == "вопрос 2"
    assert len(messages) == 6


async def test_a_server_that_fails(history: History, redis: Redis) -> None:
    """What redis-py raises arrives as the one error that callers know."""
    await redis.set(f"{{{history._bot_id}}}:history:5", "not a list")
    with pytest.raises(StorageUnavailable):
        await history.newest(CHAT, 1000)
