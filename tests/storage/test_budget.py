"""Budgets towards Telegram, on a real server."""

import asyncio
import itertools
import time

import pytest
from redis.asyncio import Redis

from storage import keys
from storage.budget import Act, Budget, Frozen
from storage.server.connect import StorageUnavailable, connect

CHAT, GROUP = 5, -5
_bot_ids = itertools.count(9_200_000)


class Two:
    """One bot's budget, as two processes see it."""

    def __init__(self, redis: Redis) -> None:
        self.redis, self.bot_id = redis, next(_bot_ids)
        self._turns = itertools.cycle([Budget(redis, self.bot_id), Budget(redis, self.bot_id)])

    async def take(self, chat: int, act: Act) -> float | None:
        """Let one of them take a place."""
        return await next(self._turns).take(chat, act)

    async def freeze(self, chat: int, seconds: float) -> None:
        """Let one of them freeze a chat."""
        await next(self._turns).freeze(chat, seconds)

    async def thawed(self, chat: int) -> bool:
        """Whether a chat is frozen no more."""
        return await next(self._turns).frozen(chat) == 0

    async def shed(self, chat: int) -> bool:
        """Whether what can be left out goes."""
        return await self.take(chat, "shed") is not None

    async def shift(self, chat: int, milliseconds: int) -> None:
        """Let all that is noted of a chat be of a time that the clock has gone back from."""
        await self._shift(keys.pace(self.bot_id, chat), milliseconds)

    async def shift_all(self, milliseconds: int) -> None:
        """Do the same with what is noted of all chats together."""
        await self._shift(keys.pace_of_all(self.bot_id), milliseconds)

    async def stand(self, chat: int) -> None:
        """Let the next call be of the moment of the last one: as of an hour ahead, time stands."""
        seconds, _ = await self.redis.time()
        for key in (keys.pace(self.bot_id, chat), keys.pace_of_all(self.bot_id)):
            if at := await self.redis.hget(key, "at"):
                await self._shift(key, (seconds + 3600) * 1000 - int(float(at)))

    async def _shift(self, key: str, milliseconds: int) -> None:
        for field, value in (await self.redis.hgetall(key)).items():
            await self.redis.hset(key, field, int(float(value)) + milliseconds)


class Standing(Two):
    """The same while no time goes by, however slow the machine is."""

    async def take(self, chat: int, act: Act) -> float | None:
        await self.stand(chat)
        found = await super().take(chat, act)
        for key in (keys.pace(self.bot_id, chat), keys.pace_of_all(self.bot_id)):
            await self.redis.persist(key)
        return found


@pytest.fixture
def budget(redis: Redis) -> Two:
    """The budget of a new bot."""
    return Two(redis)


@pytest.fixture
def standing(redis: Redis) -> Standing:
    """The budget of a new bot for which no time goes by."""
    return Standing(redis)


async def test_a_budget_of_another_type(budget: Two) -> None:
    """Somebody overwrote it: it begins anew, and nothing is shed for that."""
    for key in (keys.pace(budget.bot_id, CHAT), keys.pace_of_all(budget.bot_id)):
        await budget.redis.set(key, "word")
        assert await budget.take(CHAT, "shed") == 0
    await budget.redis.set(keys.pace(budget.bot_id, CHAT), "word")
    await budget.freeze(CHAT, 60)
    assert await budget.take(CHAT, "shed") is None


async def test_a_chat_has_a_burst(standing: Two) -> None:
    """Two may be shed or not, then others wait for theirs; an answer's ends do not."""
    assert [await standing.take(CHAT, "shed") for _ in range(4)] == [0, 0, None, None]
    assert await standing.take(CHAT, "end") == 0
    first, second = await standing.take(CHAT, "wait"), await standing.take(CHAT, "wait")
    assert first
    assert second
    assert 1.1 < first <= 2.2
    assert second - first > 1
    assert await standing.take(CHAT, "end") == 0
    assert await standing.take(CHAT + 1, "wait") == 0


async def test_a_debt_has_an_end(standing: Two) -> None:
    """However fast answers come, others wait no longer than for twenty places."""
    for _ in range(60):
        assert await standing.take(CHAT, "end") == 0
    wait = await standing.take(CHAT, "wait")
    assert wait
    assert 20 < wait < 25


@pytest.mark.slow
async def test_a_place_comes_with_time(budget: Two) -> None:
    """What was spent comes back."""
    began, came = time.monotonic(), 0
    while await budget.take(CHAT, "shed") is not None:
        pass
    await asyncio.sleep(1.2)
    while await budget.take(CHAT, "shed") is not None:
        came += 1
    assert 1 <= came <= (time.monotonic() - began) / 1.1


async def test_a_group_has_less(standing: Two) -> None:
    """In any minute no more than twenty go to it, and what can be shed leaves room."""
    waits = [await standing.take(GROUP, "wait") for _ in range(21)]
    assert all(wait is not None for wait in waits)
    assert sum((wait or 0) < 60 for wait in waits) <= 20
    assert await standing.take(GROUP, "shed") is None


async def test_all_together(budget: Two) -> None:
    """Beyond the budget of all what can be shed is, and others wait; an answer's ends do not."""
    chats = itertools.count(100)
    started, went = time.monotonic(), 0
    while await budget.take(next(chats), "shed") == 0:
        went += 1
    assert 10 <= went <= 10 + 20 * (time.monotonic() - started) + 1
    while not await budget.take(next(chats), "wait"):  # some time has gone by
        pass
    assert await budget.take(next(chats), "end") == 0


async def test_ends_count_while_others_wait(standing: Two) -> None:
    """However many have places in the time to come, theirs come after as many as went ahead."""
    chats = itertools.count(100)
    for _ in range(40):
        await standing.take(next(chats), "wait")
    before = await standing.take(next(chats), "wait")
    for _ in range(10):
        assert await standing.take(next(chats), "end") == 0
    after = await standing.take(next(chats), "wait")
    assert before
    assert after
    assert after - before >= 0.54


async def test_a_freeze(standing: Two) -> None:
    """A frozen chat takes nothing, whoever asks, and is slower afterwards; others are not."""
    await standing.freeze(CHAT, 0.5)
    assert await standing.take(CHAT, "shed") is None
    waits = [
        await standing.take(CHAT, "end"),
        *[await standing.take(CHAT, "wait") for _ in range(3)],
    ]
    assert all(wait and wait > 0.3 for wait in waits)
    assert (waits[3] or 0) > (waits[1] or 0) + 4
    assert await standing.take(CHAT + 1, "shed") == 0


@pytest.mark.parametrize("act", ["wait", "end"])
async def test_a_freeze_that_is_worth_waiting_for(budget: Two, act: Act) -> None:
    """Up to five seconds it is waited out; who must wait for longer is told for how long."""
    await budget.freeze(CHAT, 5)
    assert 1 < (await budget.take(CHAT, act) or 0) <= 5
    assert not await budget.thawed(CHAT)
    await budget.freeze(CHAT, 60)
    for asked in (budget.take(CHAT, act), budget.thawed(CHAT)):
        with pytest.raises(Frozen, match=r"frozen for (60|5\d) s") as caught:
            await asked
        assert 50 < caught.value.seconds <= 60
    assert await budget.take(CHAT, "shed") is None


async def test_no_server() -> None:
    """Storage that is away is told as that."""
    client = connect("redis://127.0.0.1:1", connections=1)
    budget = Budget(client, 5)
    for asked in (budget.take(CHAT, "wait"), budget.frozen(CHAT), budget.freeze(CHAT, 1)):
        with pytest.raises(StorageUnavailable):
            await asked
    await client.aclose()


async def test_the_clock_went_back(budget: Two) -> None:
    """What was noted in the future holds up nothing for longer than it would have."""
    for _ in range(3):
        await budget.take(CHAT, "end")
    await budget.freeze(CHAT, 1)
    await budget.shift(CHAT, 3_600_000)
    wait = await budget.take(CHAT, "wait")
    assert wait
    assert wait < 6


async def test_the_clock_went_back_for_all(budget: Two) -> None:
    """What was spent overall in the future is owed for seconds, not for an hour."""
    chats = itertools.count(100)
    for _ in range(40):
        await budget.take(next(chats), "wait")
    await budget.shift_all(3_600_000)
    wait = await budget.take(next(chats), "wait")
    assert wait is not None
    assert wait < 3


async def test_time_goes_on_after_the_clock_went_back(budget: Two) -> None:
    """Each of the scripts finds it out by itself; a freeze then ends when it would have."""
    for ask in (budget.thawed, budget.shed):
        chat = next(_bot_ids)
        await budget.freeze(chat, 0.2)
        await budget.shift(chat, 3_600_000)
        began = time.monotonic()
        async with asyncio.timeout(60):
            while not await ask(chat):  # noqa: ASYNC110 - the server tells nobody
                await asyncio.sleep(0.02)
        assert time.monotonic() - began > 0.1


async def test_a_freeze_after_the_clock_went_back(budget: Two) -> None:
    """What was spent before is neither forgotten nor owed for an hour."""
    for _ in range(10):
        await budget.take(GROUP, "end")
    await budget.shift(GROUP, 3_600_000)
    await budget.freeze(GROUP, 0.2)
    assert await budget.redis.pttl(keys.pace(budget.bot_id, GROUP)) > 39_000
    wait = await budget.take(GROUP, "wait")
    assert wait
    assert 20 < wait < 25


async def test_a_freeze_is_made_no_shorter(budget: Two) -> None:
    """A second refusal that names less leaves the first one's time, and the wide pace after it."""
    await budget.freeze(CHAT, 4)
    await budget.freeze(CHAT, 1)
    assert 1 < await Budget(budget.redis, budget.bot_id).frozen(CHAT) <= 4
    assert 62_000 < await budget.redis.pttl(keys.pace(budget.bot_id, CHAT)) <= 65_000


async def test_what_is_shed_leaves_nothing(standing: Two) -> None:
    """Of a chat to which nothing went there is no note."""
    chats = itertools.count(100)
    for _ in range(40):
        await standing.take(next(chats), "wait")
    assert await standing.take(CHAT, "shed") is None
    assert not await standing.redis.exists(keys.pace(standing.bot_id, CHAT))


async def test_a_look_leaves_nothing(budget: Two) -> None:
    """Nor does a freeze, when it is long over, in a chat to which nothing had gone."""
    key = keys.pace(budget.bot_id, CHAT)
    assert await budget.thawed(CHAT)
    assert not await budget.redis.exists(key)
    await budget.freeze(CHAT, 1)
    assert 0 < await budget.redis.pttl(key) <= 62_000


async def test_nothing_is_left(budget: Two) -> None:
    """A budget that is whole again needs no key."""
    await budget.take(CHAT, "wait")
    for key in (keys.pace(budget.bot_id, CHAT), keys.pace_of_all(budget.bot_id)):
        assert -1 != await budget.redis.pttl(key) < 4000
