"""Places in the budget that are taken by `note` and `commit`, and what `open` knows of it."""

import itertools
from typing import Any

import pytest
from redis.asyncio import Redis

from storage import keys
from storage.arrivals import Arrival
from storage.budget import Budget, Frozen
from storage.history import Past
from storage.inbox import Inbox
from storage.lane import Claim, LaneLost, Shown
from storage.message import ChatKey
from storage.server.connect import StorageRefused

CHAT, GROUP = ChatKey(5), ChatKey(-5, 7)
_bot_ids = itertools.count(9_210_000)


class Bot:
    """A bot with a budget."""

    def __init__(self, redis: Redis) -> None:
        self.redis, self.id = redis, next(_bot_ids)
        self.inbox, self.budget = Inbox(redis, self.id, "worker"), Budget(redis, self.id)
        self._updates = itertools.count(1)

    async def claim(self, lane: ChatKey = CHAT) -> Claim:
        """Claim a lane, in which something has come."""
        await self.inbox.begin()
        await self.inbox.put(Arrival(lane, next(self._updates), "{}"))
        (claim,) = await self.inbox.take(1, 1)
        return claim

    async def spent(self, lane: ChatKey = CHAT) -> dict[str, int]:
        """How far each budget is spent, in milliseconds from when that was noted."""
        pace = keys.pace(self.id, lane.chat_id), keys.pace_of_all(self.id)
        chat, every = [await self.redis.hgetall(key) for key in pace]
        found = {"chat": chat.get("spent"), "group": chat.get("group"), "ends": every.get("ends")}
        return {name: int(value) - int(chat["at"]) for name, value in found.items() if value}


@pytest.fixture
def bot(redis: Redis) -> Bot:
    """A bot that has sent nothing."""
    return Bot(redis)


@pytest.mark.parametrize("lane", [CHAT, GROUP])
async def test_a_kept_reply_has_its_place(bot: Bot, lane: ChatKey) -> None:
    """The same that `Budget.take` would give to the end of an answer; but once."""
    claim = await bot.claim(lane)
    assert await bot.inbox.commit(claim, "reply", at_once=True) == 0
    spent = await bot.spent(lane)
    assert spent == {"chat": 1100, "group": 4000 * (lane == GROUP), "ends": 50}
    assert await bot.inbox.commit(claim, "reply", at_once=True) is None
    assert (await bot.spent(lane))["chat"] == spent["chat"]
    other = Bot(bot.redis)
    assert await other.budget.take(lane.chat_id, "end") == 0
    assert await other.spent(lane) == spent


async def test_what_is_not_sent_at_once_has_none(bot: Bot) -> None:
    """It is asked for when it is."""
    assert await bot.inbox.commit(await bot.claim(), "reply") is None
    assert await bot.spent() == {}


async def test_a_reply_to_a_frozen_chat(bot: Bot) -> None:
    """It waits as long as that is worth waiting; it is kept in any case."""
    first, second = await bot.claim(), await bot.claim(GROUP)
    await bot.budget.freeze(CHAT.chat_id, 5)
    wait = await bot.inbox.commit(first, "reply", at_once=True)
    assert wait
    assert 1 < wait <= 5
    await bot.budget.freeze(GROUP.chat_id, 60)
    with pytest.raises(Frozen) as frozen:
        await bot.inbox.commit(second, "reply", at_once=True)
    assert 50 < frozen.value.seconds <= 60
    assert (await bot.inbox.open(second)).reply == "reply"
    assert (await bot.spent(GROUP))["group"] == 0


async def test_a_lost_lane_has_no_place(bot: Bot) -> None:
    """Nor does it take one."""
    claim = await bot.claim()
    await bot.inbox.done(claim)
    with pytest.raises(LaneLost):
        await bot.inbox.commit(claim, "reply", at_once=True)
    with pytest.raises(LaneLost):
        await bot.inbox.note(claim, Shown(0, (1,)), owing=True)
    assert await bot.spent() == {}


@pytest.mark.parametrize("owing", [False, True])
async def test_first_words_owe_their_place(bot: Bot, owing: bool) -> None:
    """They take it when they are noted, whatever the chat has spent."""
    claim = await bot.claim()
    await bot.inbox.note(claim, Shown(0, (1,)), "words", owing=owing)
    assert await bot.spent() == ({"chat": 1100, "group": 0, "ends": 50} if owing else {})
    assert (await bot.inbox.open(claim)).shown == Shown(0, (1,))


async def test_what_is_known_when_a_lane_is_opened(bot: Bot) -> None:
    """Whether its chat is frozen, if that can be said."""
    claim, key = await bot.claim(), keys.pace(bot.id, CHAT.chat_id)
    assert (await bot.inbox.open(claim)).frozen == 0
    await bot.budget.take(CHAT.chat_id, "end")
    assert (await bot.inbox.open(claim)).frozen == 0
    await bot.budget.freeze(CHAT.chat_id, 60)
    frozen = (await bot.inbox.open(claim)).frozen
    assert frozen
    assert 50 < frozen <= 60
    await bot.redis.hset(key, "at", 9_999_999_999_999)  # the clock went back
    assert (await bot.inbox.open(claim)).frozen is None
    await bot.redis.set(key, "word")
    assert (await bot.inbox.open(claim)).frozen is None


async def test_how_much_is_behind(bot: Bot) -> None:
    """What waits behind the head, whatever it is."""
    claim = await bot.claim()
    assert (await bot.inbox.open(claim)).behind == 0
    await bot.inbox.put(*(Arrival(CHAT, 100 + number, "{}", number == 1) for number in range(3)))
    opened = await bot.inbox.open(claim)
    assert (opened.behind, len(opened.interrupts)) == (3, 1)


async def test_a_history_that_is_no_text(bot: Bot) -> None:
    """It cannot be read, but the lane can be opened: a reset cures it."""
    claim = await bot.claim()
    history: list[Any] = [b"{\xff}", b"{}"]
    await bot.redis.rpush(keys.history(bot.id, CHAT), *history)
    opened = await bot.inbox.open(claim, 1000)
    assert opened.head.update == "{}"
    with pytest.raises(StorageRefused, match="UTF-8"):
        Past.parse(opened.past, CHAT)


async def test_where_a_reply_is_kept_no_past_is_read(bot: Bot) -> None:
    """Nothing is asked any more."""
    claim = await bot.claim()
    await bot.redis.rpush(keys.history(bot.id, CHAT), "{}", "{}")
    assert len((await bot.inbox.open(claim, 1000)).past) == 9
    await bot.inbox.commit(claim, "reply")
    assert (await bot.inbox.open(claim, 1000)).past == ""
