"""One key after the other, out of one bot and into another, on a real server."""

import itertools
from typing import Any

import pytest
from redis.asyncio import Redis

from storage import keys
from storage.archive import Archive, Changed, Item
from storage.arrivals import Arrival
from storage.inbox import Inbox
from storage.lane import Shown
from storage.message import ChatKey

LANE = ChatKey(5)
HEAD = '1 {"update_id": 1}'

_bot_ids = itertools.count(9_300_000)


class Bot:
    """A bot of a test's own, into which an import goes."""

    def __init__(self, redis: Redis) -> None:
        self.redis, self.id = redis, next(_bot_ids)
        self.archive = Archive(redis, self.id)
        self._steps = 0

    def key(self, name: str) -> str:
        """The whole name of a key."""
        return keys.tag(self.id) + name

    async def write(self, name: str, kind: str, *content: str, expires: int = -1) -> None:
        """Import the next key."""
        item, before = Item(name, kind, expires, content), str(self._steps or "")
        self._steps += 1
        await self.archive.write(item, before, str(self._steps))

    async def queued(self) -> list[str]:
        """The lanes that wait for a worker."""
        entries: Any = await self.redis.xrange(keys.ready(self.id))
        return [fields["lane"] for _, fields in entries]


@pytest.fixture
def bot(redis: Redis) -> Bot:
    """A bot that has nothing yet."""
    return Bot(redis)


async def test_every_type_is_read(bot: Bot) -> None:
    """With all it holds, in its order, and when it expires."""
    await bot.redis.set(bot.key("epoch:5"), "7", pxat=4_000_000_000_123)
    await bot.redis.rpush(bot.key("history:5"), "a", "b", "c")
    await bot.redis.hset(bot.key("usage:5"), mapping={"answers": 1, "tokens": 2})
    await bot.redis.zadd(bot.key("seen"), {"11": 1, "12": 2, "13": 3})
    assert await bot.archive.read("epoch:5") == Item("epoch:5", "string", 4_000_000_000_123, ["7"])
    assert await bot.archive.read("history:5") == Item("history:5", "list", -1, ["a", "b", "c"])
    assert await bot.archive.read("usage:5") == Item(
        "usage:5", "hash", -1, ["answers", "1", "tokens", "2"]
    )
    assert await bot.archive.read("seen") == Item(
        "seen", "zset", -1, ["11", "1", "12", "2", "13", "3"]
    )


async def test_a_key_that_is_gone(bot: Bot) -> None:
    """It may have expired since it was named."""
    assert await bot.archive.read("forgotten:5") is None


async def test_nothing_of_much_is_left_out(bot: Bot) -> None:
    """Lists keep their order, and sets their scores, across what one call can carry."""
    words = [str(number) for number in range(2_501)]
    await bot.write("history:5", "list", *words)
    assert await bot.redis.lrange(bot.key("history:5"), 0, -1) == words
    pairs = [part for number in range(1_250) for part in (f"id{number}", str(number))]
    await bot.write("seen", "zset", *pairs)
    assert await bot.redis.zrange(bot.key("seen"), 0, -1, withscores=True) == [
        [f"id{number}", float(number)] for number in range(1_250)
    ]
    await bot.write("usage:5", "hash", *pairs)
    assert len(await bot.redis.hgetall(bot.key("usage:5"))) == 1_250


async def test_a_key_is_written_once(bot: Bot) -> None:
    """Repeated, for its reply was lost, it changes nothing; another import does not mix with it."""
    item = Item("dead", "list", -1, ["{}"])
    for _ in range(2):
        await bot.archive.write(item, "", "first")
    assert await bot.redis.lrange(bot.key("dead"), 0, -1) == ["{}"]
    assert await bot.archive.progress() == "first"
    for before in ("", "other"):
        with pytest.raises(Changed):
            await bot.archive.write(item, before, "second")
    assert await bot.archive.progress() == "first"
    await bot.archive.write(item, "first", "second")
    assert await bot.redis.llen(bot.key("dead")) == 2


async def test_what_is_added_and_what_is_replaced(bot: Bot) -> None:
    """What waits, dead letters and known updates are added to what there is; the rest is new."""
    ready = keys.ready(bot.id)
    await bot.redis.rpush(bot.key("mailbox:5"), HEAD)
    await bot.redis.xadd(ready, {"lane": "5"})
    await bot.redis.rpush(bot.key("dead"), "old")
    await bot.redis.zadd(bot.key("seen"), {"11": 1})
    await bot.redis.rpush(bot.key("history:5"), "old")
    await bot.redis.hset(bot.key("usage:5"), "old", "1")
    await bot.redis.set(bot.key("epoch:5"), "old")
    await bot.write("dead", "list", "new")
    await bot.write("seen", "zset", "12", "2")
    await bot.write("history:5", "list", "new")
    await bot.write("usage:5", "hash", "new", "2")
    await bot.write("epoch:5", "string", "new")
    await bot.write("mailbox:5", "list", '2 {"update_id": 2}')
    assert await bot.redis.lrange(bot.key("dead"), 0, -1) == ["old", "new"]
    assert await bot.redis.zrange(bot.key("seen"), 0, -1) == ["11", "12"]
    assert await bot.redis.lrange(bot.key("history:5"), 0, -1) == ["new"]
    assert await bot.redis.hgetall(bot.key("usage:5")) == {"new": "2"}
    assert await bot.redis.get(bot.key("epoch:5")) == "new"
    assert await bot.redis.lrange(bot.key("mailbox:5"), 0, -1) == [HEAD, '2 {"update_id": 2}']
    assert await bot.queued() == ["5"]


async def test_what_waits_is_queued(bot: Bot) -> None:
    """A worker finds it, with what was known of the work on it."""
    await bot.write("outbox:5", "hash", "reply", "[]", "shown", "1 7 8")
    await bot.write("mailbox:5", "list", HEAD, '2*{"update_id": 2}')
    inbox = Inbox(bot.redis, bot.id, "a")
    await inbox.begin()
    (claim,) = await inbox.take(9, 1)
    assert claim.lane == LANE
    opened = await inbox.open(claim)
    assert (opened.head.update, opened.reply) == ('{"update_id": 1}', "[]")
    assert opened.shown == Shown(1, (7, 8))


async def test_whatever_waits_can_be_exported(bot: Bot) -> None:
    """What goes ahead names its sender."""
    inbox = Inbox(bot.redis, bot.id, "a")
    arrivals = [(ChatKey(5), "", False), (ChatKey(5), "message 7", True), (LANE.aside, "", False)]
    for number, (lane, sender, interrupts) in enumerate(arrivals):
        await inbox.put(Arrival(lane, number, f'{{"update_id": {number}}}', interrupts, sender))
    for name in ("mailbox:5", f"mailbox:{LANE.aside}"):
        item = await bot.archive.read(name)
        assert item
        item.check()


async def test_work_on_another_head_is_not_known(bot: Bot) -> None:
    """Where more waits already, the imported head is not the one that comes first."""
    await bot.redis.rpush(bot.key("mailbox:5"), HEAD)
    await bot.write("outbox:5", "hash", "reply", "[]")
    assert not await bot.redis.exists(bot.key("outbox:5"))
    assert await bot.archive.progress() == "1"


async def test_an_older_versions_interrupt_is_left_out(bot: Bot) -> None:
    """It is in the mailbox, too."""
    await bot.write("interrupt:5", "string", HEAD)
    assert not await bot.redis.exists(bot.key("interrupt:5"))
    assert await bot.archive.progress() == "1"


async def test_what_expires_goes_on_expiring(bot: Bot) -> None:
    """At the time at which it would have; the rest stays."""
    await bot.write("forgotten:5", "list", "a", expires=4_000_000_000_123)
    await bot.write("history:5", "list", "a")
    assert await bot.redis.pexpiretime(bot.key("forgotten:5")) == 4_000_000_000_123
    assert await bot.redis.pexpiretime(bot.key("history:5")) == -1


@pytest.mark.parametrize("name", ["history", "state"])
async def test_what_was_counted_is_counted_anew(bot: Bot, name: str) -> None:
    """The length noted of a history is not that of another; without it the bytes tell nothing."""
    state, kind = bot.key("state:5"), {"history": "list", "state": "hash"}[name]
    await bot.redis.hset(state, mapping={"length": 2, "bytes": 99, "asked": 1})
    await bot.write(f"{name}:5", kind, *["length", "8", "bytes", "9", "asked", "3"])
    asked = "1" if name == "history" else "3"
    assert await bot.redis.hmget(state, "length", "asked") == [None, asked]
    await bot.redis.hset(state, mapping={"length": 2, "bytes": 99})
    await bot.write("usage:5", "hash", "answers", "1")
    assert await bot.redis.hmget(state, "length", "bytes") == ["2", "99"]


async def test_known_updates_have_scores(bot: Bot) -> None:
    """What comes with its score is not taken for what comes after it."""
    await bot.write("seen", "zset", "11", "5", "12", "6")
    assert await bot.redis.zscore(keys.seen(bot.id), "11") == 5
