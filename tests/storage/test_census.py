"""What operators are told of the inbox, on a real server."""

import itertools

import pytest
from redis.asyncio import Redis

from storage import keys
from storage.arrivals import GROUP, Arrival
from storage.census import Census, Count
from storage.dead import DeadLetters
from storage.inbox import Inbox
from storage.message import ChatKey
from storage.server.connect import StorageUnavailable, connect
from storage.server.script import Script
from storage.timing import Timing

LEASE = Timing().lease

_bot_ids = itertools.count(9_700_000)
_update_ids = itertools.count(1)


class Bot:
    """A bot of a test's own."""

    def __init__(self, redis: Redis) -> None:
        self.redis, self.id = redis, next(_bot_ids)
        self.inbox = Inbox(redis, self.id, "a")

    async def count(self) -> Count:
        """What the census says."""
        return await Census(self.redis, self.id).count()

    async def put(self, chat: int, *ages: int) -> None:
        """Let updates wait in a chat for so many seconds each, the head first."""
        await self.inbox.begin()
        now, _ = await self.redis.time()
        mailbox = keys.mailbox(self.id, ChatKey(chat))
        for place, age in enumerate(ages):
            await self.inbox.put(Arrival(ChatKey(chat), next(_update_ids), "{}"))
            await self.redis.lset(mailbox, place, f"{now - age} {{}}")


@pytest.fixture
def bot(redis: Redis) -> Bot:
    """A bot nobody has written to, and that has not begun to work."""
    return Bot(redis)


async def test_nothing(bot: Bot) -> None:
    """There may be no queue at all."""
    assert await bot.count() == Count(oldest=0, waiting=0, in_work=0, frozen=0, dead=0)


async def test_before_anybody_works(bot: Bot) -> None:
    """What is taken in waits, though there is no group of workers yet."""
    await bot.inbox.put(Arrival(ChatKey(1), 1, "{}"))
    assert (await bot.count()).waiting == 1


async def test_the_oldest_head_counts(bot: Bot) -> None:
    """Not what waits behind a head, nor the newest lane."""
    await bot.put(1, 50, 400)
    await bot.put(2, 100)
    await bot.put(3, 20)
    found = await bot.count()
    assert (found.waiting, found.in_work) == (3, 0)
    assert 100 <= found.oldest <= 105


async def test_what_is_in_work_does_not_wait(bot: Bot) -> None:
    """However old it is; but when its owner is not heard of for a lease, it waits again."""
    await bot.put(1, 300)
    (claim,) = await bot.inbox.take(1, 1)
    await bot.put(2, 70)
    found = await bot.count()
    assert (found.waiting, found.in_work) == (1, 1)
    assert 70 <= found.oldest <= 75
    for idle, in_work in ((LEASE * 1000 - 5000, 1), (LEASE * 1000 + 1, 0)):
        await bot.redis.xclaim(
            keys.ready(bot.id), GROUP, "a", 0, [claim.entry], idle=int(idle), justid=True
        )
        assert (await bot.count()).in_work == in_work
    assert 300 <= (await bot.count()).oldest <= 305


async def test_dead_and_parked(bot: Bot) -> None:
    """Neither waits for a worker."""
    letters = DeadLetters(bot.redis, bot.id)
    for _ in range(3):
        await letters.add("{}", "odd")
    await bot.put(1, 0)
    (claim,) = await bot.inbox.take(1, 1)
    await bot.inbox.park(claim, 60)
    assert await bot.count() == Count(oldest=0, waiting=0, in_work=0, frozen=1, dead=3)


async def test_a_look_has_a_bound(bot: Bot) -> None:
    """Of a queue of any length only the beginning is looked at."""
    for chat, age in ((1, 10), (2, 20), (3, 30)):
        await bot.put(chat, age)
    await bot.inbox.take(3, 1)
    names = [keys.ready(bot.id), keys.dead(bot.id), keys.parked(bot.id)]
    look = Script(bot.redis, "census")
    oldest, queued, in_work, *_ = await look(names, [2, 0, keys.mailboxes(bot.id)])
    assert (queued, in_work) == (3, 0)
    assert 20 <= oldest <= 25
    _, _, in_work, *_ = await look(names, [2, 60_000, keys.mailboxes(bot.id)])
    assert in_work == 2


async def test_a_lane_without_a_mailbox(bot: Bot) -> None:
    """Somebody may have taken the mailbox away."""
    await bot.put(1, 10)
    await bot.put(2, 5)
    await bot.redis.delete(keys.mailbox(bot.id, ChatKey(1)))
    assert 5 <= (await bot.count()).oldest <= 8


async def test_keys_of_other_types(bot: Bot) -> None:
    """What somebody has written over is not counted, and keeps nobody from counting the rest."""
    await bot.put(1, 10)
    await bot.redis.set(keys.dead(bot.id), "odd")
    await bot.redis.set(keys.parked(bot.id), "odd")
    found = await bot.count()
    assert (found.waiting, found.dead, found.frozen) == (1, 0, 0)


async def test_no_server() -> None:
    """Storage that is away is told as that."""
    client = connect("redis://127.0.0.1:1", connections=1)
    with pytest.raises(StorageUnavailable):
        await Census(client, 5).count()
    await client.aclose()
