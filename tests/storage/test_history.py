"""Histories on a real server."""

import asyncio
import itertools
from collections.abc import Sequence

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from storage import change as module
from storage import connect as patience
from storage import keys
from storage.change import Change, Forgotten, Kept, Restored, Undone
from storage.history import History
from storage.inbox import Arrival, Inbox
from storage.message import ChatKey, Message, Role

CHAT = ChatKey(5)
_numbers = itertools.count(9_000_000)


def exchange(number: int, size: int = 0) -> list[Message]:
    """One turn."""
    return [
        Message(Role.USER, f"вопрос {number}"),
        Message(Role.ASSISTANT, f"ответ {number}" + "x" * size),
    ]


class Conversations(History):
    """The histories of a new bot, and the way that exchanges come into them."""

    def __init__(self, redis: Redis) -> None:
        self.bot_id = next(_numbers)
        super().__init__(redis, self.bot_id)
        self._inbox = Inbox(redis, self.bot_id, "worker")
        self._updates = itertools.count(1)

    async def append(self, chat: ChatKey, epoch: int, said: Sequence[Message]) -> None:
        """Let a worker answer one update with an exchange."""
        await self.reply(chat, Kept(said, epoch, 1, 1))

    async def forget(self, chat: ChatKey) -> None:
        """Let a worker tell that it forgot one."""
        await self.reply(ChatKey(7), Forgotten(chat))

    async def reply(self, lane: ChatKey, change: Change, answer: Sequence[int] = ()) -> None:
        await self._inbox.begin()
        await self._inbox.put(Arrival(lane, next(self._updates), "{}"))
        (claim,) = await self._inbox.take(1, 1)
        await self._inbox.commit(claim, "reply", change)
        await self._inbox.done(claim, answer=answer)


@pytest.fixture
def history(redis: Redis) -> Conversations:
    """The histories of a new bot."""
    return Conversations(redis)


async def test_what_is_appended_is_read(history: Conversations) -> None:
    """Turns come back oldest first."""
    assert (await history.newest(CHAT, 10_000)).messages == ()
    await history.append(CHAT, 0, exchange(1))
    await history.append(CHAT, 0, exchange(2))
    assert (await history.newest(CHAT, 10_000)).messages == (*exchange(1), *exchange(2))


async def test_a_late_answer_stays_out_of_a_new_history(history: Conversations) -> None:
    """What was asked before a reset is not appended after it."""
    before = await history.newest(CHAT, 10_000)
    await history.forget(CHAT)
    await history.append(CHAT, before.epoch, exchange(1))
    after = await history.newest(CHAT, 10_000)
    assert after.messages == ()
    await history.append(CHAT, after.epoch, exchange(2))
    assert (await history.newest(CHAT, 10_000)).messages == tuple(exchange(2))


async def test_conversations_and_bots_are_apart(history: Conversations, redis: Redis) -> None:
    """Chats, topics of a chat and bots on one server never meet."""
    await history.append(CHAT, 0, exchange(1))
    for other in (ChatKey(6), ChatKey(5, 1), ChatKey(-5)):
        assert (await history.newest(other, 10_000)).messages == ()
    assert (await History(redis, next(_numbers)).newest(CHAT, 10_000)).messages == ()


async def test_only_the_newest_that_fit_are_read(history: Conversations) -> None:
    """Whole turns are read from the newest back, up to a number of bytes."""
    for number in range(9):
        await history.append(CHAT, 0, exchange(number, size=500))
    messages = (await history.newest(CHAT, 2000)).messages
    assert messages == tuple(message for number in (6, 7, 8) for message in exchange(number, 500))


async def test_a_history_is_cut_at_its_bound(
    history: Conversations, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the bound the oldest turns go, and only then."""
    monkeypatch.setattr(module, "LONGEST", 6)
    for number in range(5):
        await history.append(CHAT, 0, exchange(number))
    messages = (await history.newest(CHAT, 100_000)).messages
    assert messages[0].text == "вопрос 2"
    assert len(messages) == 6


async def test_a_server_that_fails(
    history: Conversations, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a history cannot be read, its reader waits, and reads it when it can be."""
    monkeypatch.setattr(patience, "PAUSES", (0.01,))
    key = keys.history(history.bot_id, CHAT)
    await redis.set(key, "not a list")
    with capture_logs() as logs:
        reading = asyncio.create_task(history.newest(CHAT, 1000))
        while not logs:  # noqa: ASYNC110 - it tells nobody that it waits
            await asyncio.sleep(0.005)
    await redis.delete(key)
    assert (await asyncio.wait_for(reading, 5)).messages == ()


async def test_the_last_exchange_is_known(history: Conversations) -> None:
    """By its question's number and the messages of its answer, until it is taken back."""
    chat = ChatKey(1)
    await history.reply(chat, Kept(exchange(1), 0, asked=11), answer=[12, 13])
    past = await history.newest(chat, 1000)
    assert (past.length, past.asked, past.answer, past.told) == (2, 11, (12, 13), False)
    await history.reply(chat, Kept(exchange(2), 0, asked=14, told=True))
    past = await history.newest(chat, 10)
    assert (past.length, past.asked, past.answer, past.told) == (4, 14, (), True)
    await history.reply(chat, Undone(), answer=[15])
    past = await history.newest(chat, 1000)
    assert past.messages == tuple(exchange(1))
    assert (past.asked, past.answer, past.told) == (0, (), True)


async def test_an_exchange_is_replaced(history: Conversations) -> None:
    """The last one gives way to the new one; what was before stays."""
    chat = ChatKey(1)
    for number in (1, 2):
        await history.append(chat, 0, exchange(number))
    await history.reply(chat, Kept(exchange(3), 0, replaces=True))
    assert (await history.newest(chat, 1000)).messages == (*exchange(1), *exchange(3))
    await history.forget(chat)
    await history.reply(chat, Kept(exchange(4), 0, replaces=True))
    assert (await history.newest(chat, 1000)).length == 0


async def test_a_reset_is_taken_back(history: Conversations, redis: Redis) -> None:
    """For half an hour, and only where nothing new was said."""
    chat, key = ChatKey(1), keys.forgotten(history.bot_id, ChatKey(1))
    await history.append(chat, 0, exchange(1))
    assert not await history.is_forgotten(chat)
    await history.forget(chat)
    assert await history.is_forgotten(chat)
    assert 1790 < await redis.ttl(key) <= 1800
    await history.append(chat, 1, exchange(2))
    await history.reply(chat, Restored())
    assert (await history.newest(chat, 1000)).messages == tuple(exchange(2))
    await history.reply(chat, Undone())
    for _ in range(2):
        await history.reply(chat, Restored())
        assert (await history.newest(chat, 1000)).messages == tuple(exchange(1))
    assert await redis.ttl(keys.history(history.bot_id, chat)) == -1
