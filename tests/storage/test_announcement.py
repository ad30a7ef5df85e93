"""Announcements on a real server: begun once, each chat told at most once, by whoever may."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from storage import keys
from storage.announcement import LOOKED_AT, Announcements, Telling, Words
from storage.archive import Archive, Item
from storage.arrivals import Arrival
from storage.chats import ChatRecord, Chats
from storage.inbox import Inbox
from storage.lane import Claim, LaneLost
from storage.message import ChatKey
from storage.server.connect import StorageRefused
from tests.conftest import ANN, BORIS, GROUP

_bot_ids = itertools.count(8_750_000)
_updates = itertools.count(1)
OWNER = ChatKey(103)
WORDS = Words("News!", [{"type": "bold", "offset": 0, "length": 4}])
SUPERGROUP = -1_000_000_000_500


class Bot:
    """A bot of a test's own: an owner's lane, and two processes that may tell announcements."""

    def __init__(self, redis: Redis) -> None:
        self.redis, self.id = redis, next(_bot_ids)
        self.inbox = Inbox(redis, self.id, "worker")
        self.one, self.two = (Announcements(redis, self.id, name) for name in ("one", "two"))

    async def lead(self, name: str = "one") -> None:
        """Give the lease to a process."""
        await self.redis.set(keys.announcer(self.id), name)

    async def claimed(self) -> Claim:
        """The owner's lane."""
        await self.inbox.put(Arrival(OWNER, next(_updates), "{}"))
        (claim,) = await self.inbox.take(1, 1)
        return claim

    async def knows(
        self, chat: int, kind: str = "private", used: int = 1000, away: str = ""
    ) -> None:
        """Let a chat be in the registry."""
        record = str(ChatRecord("x", kind, away=away))
        await self.redis.hset(keys.chats(self.id), str(chat), record)
        await self.redis.zadd(keys.used(self.id), {str(chat): used})

    async def announces(self, *kinds: str) -> Claim:
        """Let an announcement be under way, and the first process tell it."""
        claim = await self.claimed()
        await self.inbox.draft(claim, 7, WORDS)
        assert await self.inbox.announce(claim, 7, kinds or ("private",), 2, "en") == "begun"
        await self.lead()
        return claim

    async def figures(self) -> tuple[int, int, int, int]:
        """Sent, skipped, refused, unsure."""
        found = await self.one.under_way()
        assert found
        return found.sent, found.skipped, found.refused, found.unsure


@pytest.fixture
async def bot(redis: Redis) -> Bot:
    """A bot that knows two people, Ann the last one to use it."""
    made = Bot(redis)
    await made.inbox.begin()
    await made.knows(ANN, used=2000)
    await made.knows(BORIS, used=1000)
    return made


async def test_what_is_drafted_is_announced_once(bot: Bot) -> None:
    """Whatever is repeated, whoever confirms what."""
    claim = await bot.announces()
    found = await bot.one.under_way()
    assert found
    assert (found.number, found.words, found.owner) == (7, WORDS, OWNER.chat_id)
    assert (found.language, found.total, found.message) == ("en", 2, 0)
    assert await bot.inbox.announce(claim, 7, ("private",), 2, "en") == "begun"  # a lost reply
    assert await bot.inbox.announce(claim, 8, ("private",), 2, "en") == "over"
    await bot.inbox.draft(claim, 8, WORDS)
    await bot.inbox.draft(claim, 9, WORDS)
    assert await bot.inbox.announce(claim, 8, ("private",), 2, "en") == "over"
    assert await bot.inbox.announce(claim, 9, ("private",), 2, "en") == "busy"
    await bot.one.finish()
    assert await bot.inbox.announce(claim, 7, ("private",), 2, "en") == "begun"  # a late retry
    assert await bot.one.under_way() is None
    await bot.inbox.done(claim)
    claim = await bot.claimed()
    assert await bot.inbox.announce(claim, 7, ("private",), 2, "en") == "over"
    assert await bot.inbox.announce(claim, 9, ("private",), 2, "en") == "begun"


async def test_the_last_used_come_first(bot: Bot) -> None:
    """Each once, and those of other kinds not at all."""
    await bot.knows(GROUP, "supergroup", 3000)
    await bot.announces()
    for chat in (ANN, BORIS):
        telling = await bot.one.begin()
        assert telling
        assert telling.chat_id == chat
        await bot.one.hold(telling)
        await bot.one.settle(telling, "sent")
    assert await bot.one.begin() is None
    assert await bot.figures() == (2, 0, 0, 0)


async def test_who_comes_later_is_not_told(bot: Bot) -> None:
    """The chats are those of the moment when it was confirmed."""
    await bot.announces()
    await bot.knows(GROUP, "private", 3000)
    assert await bot.one.begin() == Telling(ANN, str(ChatRecord("x", "private")))


async def test_many_that_are_skipped(bot: Bot) -> None:
    """One call looks at so many; none is counted twice."""
    for number in range(LOOKED_AT + 5):
        await bot.knows(1000 + number, used=5000, away="blocked")
    await bot.announces()
    telling = await bot.one.begin()
    assert telling
    assert telling.chat_id == ANN
    assert await bot.figures() == (0, LOOKED_AT + 5, 0, 0)


@pytest.mark.parametrize("listed", ["allow 7 1764160000 deny ", "deny 7 1764160000 Ann"])
async def test_who_was_shut_out(bot: Bot, listed: str) -> None:
    """They are skipped, and the owner knows beforehand how many that are."""
    await bot.redis.hset(keys.access(bot.id), mapping={"version": "1", str(ANN): listed})
    skipped = int(listed.startswith("deny"))
    audience = (await Chats(bot.redis, bot.id).audiences())["private"]
    assert (audience.told, audience.skipped) == (2 - skipped, skipped)
    await bot.announces()
    telling = await bot.one.begin()
    assert telling
    assert telling.chat_id == (BORIS if skipped else ANN)
    assert await bot.figures() == (0, skipped, 0, 0)


async def test_a_repeated_step(bot: Bot) -> None:
    """A script that runs again, as its reply was lost, gives the same chat and counts nothing."""
    await bot.announces()
    args: list[str | int] = ["a word", "", LOOKED_AT]
    names = [*bot.one._chats, *bot.one._asked]
    first = await bot.one._run("tell", names, *args)
    assert await bot.one._run("tell", names, *args) == first
    assert await bot.figures() == (0, 0, 0, 0)
    telling = Telling(int(first[1]), first[2])
    for _ in range(2):
        await bot.one.settle(telling, "sent")
    assert await bot.figures() == (1, 0, 0, 0)


async def test_another_process_goes_on(bot: Bot) -> None:
    """It tells the others; the one whose teller died counts as unsure."""
    await bot.announces()
    lost = await bot.one.begin()
    assert lost
    await bot.lead("two")
    telling = await bot.two.begin()
    assert telling
    assert (lost.chat_id, telling.chat_id) == (ANN, BORIS)
    assert await bot.figures() == (0, 0, 0, 1)
    acts: list[Callable[[], Awaitable[object]]] = [
        lambda: bot.one.hold(lost),
        bot.one.hold,
        lambda: bot.one.settle(lost, "sent"),
        bot.one.begin,
        lambda: bot.one.begin(GROUP),
        lambda: bot.one.shown(5),
        bot.one.finish,
    ]
    for act in acts:  # it wakes up
        with pytest.raises(LaneLost):
            await act()
    await bot.lead("one")  # and even then that chat is not its own any more
    with pytest.raises(LaneLost):
        await bot.one.hold(lost)
    await bot.one.settle(lost, "sent")
    assert await bot.figures() == (0, 0, 0, 1)


async def test_it_is_cancelled(bot: Bot) -> None:
    """Nobody else is told, also who was just about to be; the owner is."""
    claim = await bot.announces()
    telling = await bot.one.begin()
    assert telling
    for _ in range(2):
        assert await bot.inbox.cancel(claim, 7) == "cancelled"
    with pytest.raises(LaneLost):
        await bot.one.hold(telling)
    await bot.one.hold()
    await bot.one.settle(telling, "left")
    assert await bot.one.begin() is None
    assert await bot.figures() == (0, 0, 0, 0)
    await bot.one.finish()
    with pytest.raises(LaneLost):
        await bot.one.hold()
    assert await bot.inbox.cancel(claim, 7) == "cancelled"  # a late retry
    await bot.inbox.done(claim)
    assert await bot.inbox.cancel(await bot.claimed(), 7) == "over"
    assert not await bot.redis.exists(keys.announcement(bot.id), keys.announcing(bot.id))


async def test_a_draft_is_dropped(bot: Bot) -> None:
    """Only by its own number."""
    claim = await bot.claimed()
    await bot.inbox.draft(claim, 7, WORDS)
    assert await bot.inbox.cancel(claim, 8) == "over"
    for _ in range(2):
        assert await bot.inbox.cancel(claim, 7) == "dropped"
    assert await bot.inbox.announce(claim, 7, ("private",), 2, "en") == "over"


async def test_again(bot: Bot) -> None:
    """Behind the others, those that were put there first before the later ones."""
    await bot.knows(1, used=3000)
    await bot.announces()
    order = []
    for _ in range(5):
        telling = await bot.one.begin()
        assert telling
        order.append(telling.chat_id)
        await bot.one.settle(telling, "again" if len(order) < 3 else "sent")
    assert order == [1, ANN, BORIS, 1, ANN]


async def test_who_is_gone_is_noted(bot: Bot) -> None:
    """Unless something newer is known by now."""
    await bot.announces()
    for newer in (False, True):
        telling = await bot.one.begin()
        assert telling
        if newer:
            await bot.knows(telling.chat_id)
            record = str(ChatRecord("new", "private"))
            await bot.redis.hset(keys.chats(bot.id), str(telling.chat_id), record)
        await bot.one.settle(telling, "refused", "blocked")
        assert (await bot.inbox.record(telling.chat_id)).away == ("" if newer else "blocked")
    assert await bot.figures() == (0, 0, 2, 0)


@pytest.mark.parametrize("known", ["", "to come", "told", "declined"])
async def test_a_supergroup_in_the_groups_place(bot: Bot, known: str) -> None:
    """It is told unless it has been, or must not be; and not again by itself."""
    await bot.knows(-5, "group", 3000)
    if known in ("to come", "told"):
        await bot.knows(SUPERGROUP, "supergroup", 4000 if known == "told" else 2500)
    await bot.announces("group", "supergroup")
    if known == "declined":
        await bot.redis.zadd(keys.declined(bot.id), {str(SUPERGROUP): 1})
    if known == "told":
        telling = await bot.one.begin()
        assert telling
        await bot.one.settle(telling, "sent")
    group = await bot.one.begin()
    assert group
    assert group.chat_id == -5
    there = await bot.one.begin(SUPERGROUP)
    if known in ("", "to come"):
        assert there
        assert there.chat_id == SUPERGROUP
        await bot.one.settle(there, "sent")
    else:
        assert there is None
    assert await bot.one.begin() is None
    told, skipped = (0, 1) if known == "declined" else (1, int(known == "told"))
    assert await bot.figures() == (told, skipped, 0, 0)


@pytest.mark.parametrize("told", [False, True])
async def test_a_group_that_has_moved_already(bot: Bot, told: bool) -> None:
    """The supergroup is told in its place, unless it has been: then the group is skipped."""
    await bot.knows(-5, "group", 3000)
    await bot.announces("group", "supergroup")
    await bot.redis.hdel(keys.chats(bot.id), "-5")
    await bot.redis.hset(keys.successors(bot.id), "-5", str(SUPERGROUP))
    await bot.knows(SUPERGROUP, "supergroup")
    if told:
        await bot.redis.zadd(keys.announcing(bot.id), {str(SUPERGROUP): -1})
        assert await bot.one.begin() is None
        assert await bot.figures() == (0, 1, 0, 0)
    else:
        telling = await bot.one.begin()
        assert telling
        assert telling.chat_id == SUPERGROUP


async def test_what_another_program_wrote(bot: Bot) -> None:
    """An unreadable record is of no kind; a key of another type refuses, and changes nothing."""
    for odd in ("garbage", "[]", "5", '{"kind": 5}'):
        await bot.redis.hset(keys.chats(bot.id), str(ANN), odd)
        claim = await bot.announces("private", "supergroup")
        telling = await bot.one.begin()
        assert telling
        assert telling.chat_id == BORIS
        await bot.one.finish()
        await bot.inbox.done(claim)
    await bot.redis.delete(keys.used(bot.id))
    await bot.redis.set(keys.used(bot.id), "odd")
    claim = await bot.claimed()
    await bot.inbox.draft(claim, 7, WORDS)
    with pytest.raises(StorageRefused):
        await bot.inbox.announce(claim, 7, ("private",), 2, "en")
    assert await bot.one.under_way() is None


@pytest.mark.parametrize("odd", ["tell", "settle"])
@pytest.mark.parametrize(
    "name", [keys.declined, keys.successors, keys.access], ids=lambda name: name.__name__
)
async def test_keys_of_another_type_lose_nobody(bot: Bot, name: Any, odd: str) -> None:
    """Another program wrote them; they are set aside, and everybody is told."""
    await bot.announces("private")
    told = set()
    if odd == "tell":
        await bot.redis.set(name(bot.id), "odd")
    while telling := await bot.one.begin():
        await bot.redis.delete(name(bot.id))
        await bot.redis.set(name(bot.id), "odd")
        await bot.one.hold(telling)
        told.add(telling.chat_id)
        await bot.one.settle(telling, "sent")
    assert told == {ANN, BORIS}
    assert await bot.redis.keys(f"{{{bot.id}}}:aside:*")


@pytest.mark.parametrize("name", [keys.announcement, keys.announcing, keys.chats])
async def test_what_is_lost_ends(bot: Bot, name: Any) -> None:
    """Where nobody knows any more what is announced, or to whom, that is over."""
    await bot.announces("private")
    telling = await bot.one.begin()
    assert telling
    await bot.redis.delete(name(bot.id))
    await bot.redis.set(name(bot.id), "odd")
    await bot.one.settle(telling, "refused", "blocked")
    assert await bot.one.begin() is None
    found = await bot.one.under_way()
    assert bool(found) == (name is not keys.announcement)
    await bot.redis.set(name(bot.id), "odd")
    await bot.one.finish()
    assert await bot.one.under_way() is None


async def test_whom_nobody_could_tell_is_not_lost(bot: Bot) -> None:
    """Though those that were still to come are, by another program."""
    await bot.announces("private")
    telling = await bot.one.begin()
    assert telling
    await bot.redis.set(keys.announcing(bot.id), "odd")
    await bot.one.settle(telling, "again")
    assert await bot.one.begin() == telling


async def test_what_cannot_be_told_within_a_day(bot: Bot) -> None:
    """It is given up: else an announcement might never end."""
    await bot.announces("private")
    telling = await bot.one.begin()
    assert telling
    await bot.one.settle(telling, "again")
    assert await bot.figures() == (0, 0, 0, 0)
    since = int(str(await bot.redis.hget(keys.announcement(bot.id), "since")))
    now, _ = await bot.redis.time()
    assert abs(now - since) < 60
    await bot.redis.hset(keys.announcement(bot.id), "since", str(now - 86_400))
    for _ in range(2):
        telling = await bot.one.begin()
        assert telling
        await bot.one.settle(telling, "again")
    assert await bot.one.begin() is None
    assert await bot.figures() == (0, 0, 2, 0)


async def test_whoever_lost_the_lane_does_nothing(bot: Bot) -> None:
    """It neither begins nor cancels an announcement, nor declines any."""
    claim = await bot.announces()
    stale, old = Inbox(bot.redis, bot.id, "stale"), Claim(claim.entry, OWNER, 0.0)
    acts: list[Callable[[], Awaitable[object]]] = [
        lambda: stale.announce(old, 7, ("private",), 2, "en"),
        lambda: stale.cancel(old, 7),
        lambda: stale.decline(old, declined=True),
    ]
    for act in acts:
        with pytest.raises(LaneLost):
            await act()
    assert not await bot.redis.exists(keys.declined(bot.id))
    found = await bot.one.under_way()
    assert found
    assert not found.cancelled


async def test_who_declines(bot: Bot) -> None:
    """As often as they say so, until they take it back; whatever the key was before."""
    claim = await bot.claimed()
    await bot.redis.set(keys.declined(bot.id), "odd")
    for _ in range(2):
        await bot.inbox.decline(claim, declined=True)
    assert await bot.redis.zrange(keys.declined(bot.id), 0, -1) == [str(OWNER)]
    for _ in range(2):
        await bot.inbox.decline(claim, declined=False)
    assert await bot.redis.zrange(keys.declined(bot.id), 0, -1) == []


async def test_declining_moves(bot: Bot) -> None:
    """To another server, and to the supergroup that a group becomes."""
    for chat in (-5, ANN):
        await bot.redis.zadd(keys.declined(bot.id), {str(chat): 1000})
    item = await Archive(bot.redis, bot.id).read("declined")
    assert item == Item("declined", "zset", -1, ["-5", "1000", str(ANN), "1000"])
    item.check()
    await bot.inbox.put(Arrival(ChatKey(SUPERGROUP), 9, "{}"))
    (claim,) = await bot.inbox.take(1, 1)
    for _ in range(2):
        assert await bot.inbox.inherit(claim, -5)
    found = await bot.redis.zrange(keys.declined(bot.id), 0, -1)
    assert {*found} == {str(SUPERGROUP), str(ANN)}


async def test_two_that_tell_at_once(bot: Bot) -> None:
    """However the lease goes from one to the other, each chat is given out once."""
    for number in range(50):
        await bot.knows(1000 + number)
    await bot.announces()
    given: list[int] = []

    async def tell(by: Announcements, name: str) -> None:
        while True:
            try:
                if not (telling := await by.begin()):
                    return
                given.append(telling.chat_id)
                await asyncio.sleep(0)
                await by.settle(telling, "sent")
            except LaneLost:
                await bot.lead(name)

    await asyncio.gather(tell(bot.one, "one"), tell(bot.two, "two"))
    assert len(given) == len({*given}) == 52
    sent, _, _, unsure = await bot.figures()
    assert sent + unsure == 52
