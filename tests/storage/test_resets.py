"""A reset of all conversations: each once, by whoever owns the lane of who asked for it."""

import itertools

import pytest
from redis.asyncio import Redis

from storage import keys
from storage.arrivals import Arrival
from storage.inbox import Inbox
from storage.lane import Claim, LaneLost
from storage.message import ChatKey
from storage.resets import STEP
from tests.conftest import ANN, BORIS

_bot_ids = itertools.count(8_650_000)
ENTRY = '{"role": "user", "text": "x"}'
OWNER = ChatKey(103)


@pytest.fixture
async def inbox(redis: Redis) -> Inbox:
    """A bot's inbox, with two conversations."""
    made = Inbox(redis, next(_bot_ids), "worker")
    await made.begin()
    for chat in (ANN, BORIS):
        await redis.rpush(keys.history(made.bot_id, ChatKey(chat)), ENTRY, ENTRY)
    return made


async def claimed(inbox: Inbox) -> Claim:
    """The owner's lane."""
    await inbox.put(Arrival(OWNER, 1, "{}"))
    (claim,) = await inbox.take(1, 1)
    return claim


async def test_what_is_reset(inbox: Inbox, redis: Redis) -> None:
    """Whatever waits or was said; neither another program's keys, nor what only shows something."""
    for odd in ("history:x", "mailbox:07", "other:5"):
        await redis.rpush(f"{keys.tag(inbox.bot_id)}{odd}", "x")
    await redis.rpush(f"{keys.tag(inbox.bot_id)}history:5".encode() + b"\xff", "x")
    await redis.rpush(keys.mailbox(inbox.bot_id, ChatKey(7).aside), "1 {}")
    assert await inbox.conversations() == {ChatKey(ANN), ChatKey(BORIS)}
    claim = await claimed(inbox)
    assert await inbox.collect(claim) == 3
    assert await inbox.reset_some(claim) == 0
    for chat in (ANN, BORIS):
        assert not await redis.exists(keys.history(inbox.bot_id, ChatKey(chat)))
        assert await redis.lrange(keys.forgotten(inbox.bot_id, ChatKey(chat)), 0, -1) == [ENTRY] * 2
        assert await redis.get(keys.epoch(inbox.bot_id, ChatKey(chat))) == "1"
    assert await inbox.reset_some(claim) == 0  # nothing is left to do


async def test_for_good(inbox: Inbox, redis: Redis) -> None:
    """Where memory is full, nothing is kept to be brought back."""
    claim = await claimed(inbox)
    await inbox.collect(claim)
    await inbox.reset_some(claim, for_good=True)
    assert not await redis.exists(keys.forgotten(inbox.bot_id, ChatKey(ANN)))


async def test_each_is_reset_once(inbox: Inbox, redis: Redis) -> None:
    """Though the reply of the script was lost, and it is run again."""
    claim = await claimed(inbox)
    await inbox.collect(claim)
    key = keys.resetting(inbox.bot_id)
    chosen = await redis.smembers(key)
    await inbox.reset_some(claim)
    await redis.rpush(keys.history(inbox.bot_id, ChatKey(ANN)), ENTRY, ENTRY)
    names = [keys.ready(inbox.bot_id), key, keys.nothing(inbox.bot_id)]
    for chat in chosen:
        names += keys.conversation(inbox.bot_id, ChatKey.parse(str(chat)))
    await inbox._owned(claim, "reset", names, 0, *map(str, chosen))
    assert await redis.llen(keys.history(inbox.bot_id, ChatKey(ANN))) == 2


async def test_what_was_collected_before_is_forgotten(inbox: Inbox, redis: Redis) -> None:
    """Each reset begins with the conversations of its own time."""
    claim = await claimed(inbox)
    await redis.sadd(keys.resetting(inbox.bot_id), "7")
    assert await inbox.collect(claim) == 3
    assert "7" not in await redis.smembers(keys.resetting(inbox.bot_id))


async def test_more_than_one_step(inbox: Inbox, redis: Redis) -> None:
    """A script forgets so many at most."""
    for place in range(STEP):
        await redis.rpush(keys.history(inbox.bot_id, ChatKey(1000 + place)), ENTRY, ENTRY)
    claim = await claimed(inbox)
    assert await inbox.collect(claim) == STEP + 3
    assert await inbox.reset_some(claim) == 3
    assert await inbox.reset_some(claim) == 0


async def test_whoever_lost_the_lane_resets_nothing(inbox: Inbox, redis: Redis) -> None:
    """Nor does it change what its new owner has collected."""
    claim = await claimed(inbox)
    await inbox.collect(claim)
    before = await redis.smembers(keys.resetting(inbox.bot_id))
    stale = Inbox(redis, inbox.bot_id, "stale")
    with pytest.raises(LaneLost):
        await stale.collect(Claim(claim.entry, claim.lane, 0.0))
    with pytest.raises(LaneLost):
        await stale.reset_some(Claim(claim.entry, claim.lane, 0.0))
    assert await redis.smembers(keys.resetting(inbox.bot_id)) == before
    assert await redis.llen(keys.history(inbox.bot_id, ChatKey(ANN))) == 2


async def test_only_the_newest_offer_is_valid(inbox: Inbox, redis: Redis) -> None:
    """For a while, and in its own chat."""
    claim = await claimed(inbox)
    assert not await inbox.is_offered(claim, 1)
    await inbox.offer(claim, 1)
    await inbox.offer(claim, 2)
    assert [await inbox.is_offered(claim, number) for number in (1, 2)] == [False, True]
    assert not await inbox.is_offered(Claim("1-1", ChatKey(ANN), 0.0), 2)
    assert 0 < await redis.ttl(keys.offered(inbox.bot_id, OWNER)) <= 300
    await inbox.withdraw(claim)
    assert not await inbox.is_offered(claim, 2)
