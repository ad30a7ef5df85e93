"""What is overheard in groups, on a real server: kept once, bounded, and gone when it should be."""

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from storage import keys
from storage.archive import Archive
from storage.arrivals import Arrival
from storage.change import Change, Chosen, Forgotten, Heard, Notice
from storage.chat_settings import ChatSettings, When
from storage.hearing import LONGEST, MOST_BYTES, Overheard, parse
from storage.inbox import Inbox
from storage.lane import Claim, Entry, LaneLost, Opened
from storage.message import ChatKey, Message, Role

GROUP, TOPIC, OTHER = ChatKey(-5), ChatKey(-5, 7), ChatKey(-6)
ANN, BORIS = 101, 102
_bot_ids = itertools.count(9_750_000)
_numbers = itertools.count(1)


def said(number: int, text: str | None = None, who: int = ANN, lane: ChatKey = GROUP) -> Overheard:
    """A message to others."""
    return Overheard(lane, number, Message(Role.USER, text or f"m{number}", who, "Ann", 5))


class Bot:
    """A bot of a test's own."""

    def __init__(self, redis: Redis) -> None:
        self.redis, self.id = redis, next(_bot_ids)
        self.inbox = Inbox(redis, self.id, "one")

    async def chooses(self, lane: ChatKey = GROUP, **values: str) -> None:
        """Let a chat have chosen."""
        for name, value in values.items():
            await self.redis.hset(keys.settings(self.id, lane), name, value)

    async def texts(self, lane: ChatKey = GROUP) -> list[str]:
        """What is kept."""
        found = await self.redis.zrange(keys.heard(self.id, lane), 0, -1)
        return [json.loads(str(one).split(" ", 2)[2])["text"] for one in found]

    async def does(self, change: Change | None, lane: ChatKey = GROUP) -> None:
        """Let a turn there change something."""
        await self.inbox.begin()
        await self.inbox.put(Arrival(lane, next(_numbers), "{}"))
        (claim,) = await self.inbox.take(1, 1)
        await self.inbox.commit(claim, "{}", change)
        await self.inbox.done(claim)

    async def opened(self, lane: ChatKey = GROUP, most_bytes: int = 1000) -> Opened:
        """What is read when a turn begins there."""
        await self.inbox.begin()
        await self.inbox.put(Arrival(lane, next(_numbers), "{}"))
        (claim,) = await self.inbox.take(1, 1)
        opened = await self.inbox.open(claim, most_bytes)
        await self.inbox.done(claim)
        return opened

    async def given(self, lane: ChatKey = GROUP) -> list[str]:
        """The texts that a turn is given."""
        return [one.text for _, one in parse((await self.opened(lane)).heard, lane)]


@pytest.fixture
def bot(redis: Redis) -> Bot:
    """A bot that has nothing yet."""
    return Bot(redis)


async def test_nothing_is_kept_unless_that_is_chosen(bot: Bot) -> None:
    """Nor anything else written."""
    for hears in (None, "0", "-1", "x", "0.5", ""):
        if hears is not None:
            await bot.chooses(hears=hears)
        found = await bot.inbox.hear(said(1), said(2, lane=TOPIC))
        assert not found[GROUP].hears
        assert not await bot.redis.exists(*(keys.heard(bot.id, one) for one in (GROUP, TOPIC)))
        assert (await bot.opened()).heard == ()


async def test_what_is_chosen_is_told(bot: Bot) -> None:
    """Of each conversation, a topic's over its group's."""
    await bot.chooses(when="always", names="Alice\nBob", hears="20")
    await bot.chooses(TOPIC, when="commands")
    assert await bot.inbox.hear(said(1), said(2, lane=TOPIC), said(3, lane=OTHER), said(4)) == {
        GROUP: ChatSettings(when=When.ALWAYS, names=("Alice", "Bob"), hears=20),
        TOPIC: ChatSettings(when=When.COMMANDS, names=("Alice", "Bob"), hears=20),
        OTHER: ChatSettings(hears=0),
    }


async def test_each_message_is_kept_once(bot: Bot) -> None:
    """In the order in which it was said, however often it comes, and in its own conversation."""
    await bot.chooses(hears="10")
    for batch in ([said(3), said(1)], [said(1), said(2), said(3)], [said(4, lane=TOPIC)]):
        await bot.inbox.hear(*batch)
    assert await bot.texts() == ["m1", "m2", "m3"]
    assert await bot.texts(TOPIC) == ["m4"]
    found = parse((await bot.opened()).heard, GROUP)
    assert found[0] == (1, Message(Role.USER, "m1", ANN, "Ann", 5))
    assert (await bot.opened(most_bytes=0)).heard == ()


async def test_an_edit_takes_its_place(bot: Bot) -> None:
    """It is as old as what it replaces; what is not there any more does not come back by it."""
    await bot.chooses(hears="10")
    key = keys.heard(bot.id, GROUP)
    await bot.inbox.hear(said(1), said(2))
    old = str((await bot.redis.zrange(key, 0, 0))[0])
    await bot.redis.zrem(key, old)
    await bot.redis.zadd(key, {f"{old[:9]}0{old[10:]}": 1})
    for _ in range(2):
        edits = (Overheard(GROUP, n, Message(Role.USER, "new", ANN), edited=True) for n in (1, 5))
        await bot.inbox.hear(*edits)
    assert await bot.texts() == ["new", "m2"]
    new = str((await bot.redis.zrange(key, 0, 0))[0])
    assert new.startswith(f"{old[:9]}0 1 ")


async def test_no_more_than_is_chosen(bot: Bot) -> None:
    """Nor ever more than fifty, whatever stands there."""
    await bot.chooses(hears="2")
    await bot.inbox.hear(*map(said, range(1, 6)))
    assert await bot.texts() == ["m4", "m5"]
    await bot.chooses(hears="999999999")
    await bot.inbox.hear(*map(said, range(1, 101)))
    assert len(await bot.texts()) == 50
    await bot.chooses(hears="3")
    assert await bot.given() == ["m98", "m99", "m100"]


async def test_no_more_than_so_many_bytes(bot: Bot) -> None:
    """The newest stay; one message is cut before it takes the room of all."""
    await bot.chooses(hears="50")
    await bot.inbox.hear(*(said(number, "ы" * 5000) for number in range(1, 11)))
    members = await bot.redis.zrange(keys.heard(bot.id, GROUP), 0, -1)
    size = sum(len(str(one).encode()) for one in members)
    assert MOST_BYTES - 2 * LONGEST - 200 < size <= MOST_BYTES
    assert (await bot.texts())[-1] == "ы" * (LONGEST - 1) + "…"
    assert str(members[-1]).split(" ")[1] == "10"


@pytest.mark.parametrize(("more", "left"), [(0, 2), (1, 1)])
async def test_it_is_bounded_to_the_byte(bot: Bot, more: int, left: int) -> None:
    """What fits stays; one byte more, and the oldest goes."""
    await bot.chooses(hears="1")
    key = keys.heard(bot.id, GROUP)
    await bot.inbox.hear(said(1), said(2))
    (newest,) = await bot.redis.zrange(key, 0, -1)
    now = f"{(await bot.redis.time())[0]} 1 "
    room = MOST_BYTES - len(str(newest)) - len(now) + more
    await bot.redis.zadd(key, {now + "x" * room: 1})
    await bot.chooses(hears="2")
    await bot.inbox.hear(said(2))
    assert await bot.redis.zcard(key) == left


@pytest.mark.parametrize("hears", ["0", "x", "", "-1"])
async def test_nothing_is_given_where_nothing_is_heard(bot: Bot, hears: str) -> None:
    """Though something is left from before."""
    await bot.chooses(hears="1")
    await bot.inbox.hear(said(1))
    assert await bot.given() == ["m1"]
    await bot.chooses(hears=hears)
    assert (await bot.opened()).heard == ()


async def test_no_more_than_fifty_are_given(bot: Bot) -> None:
    """However many there are, by whatever was chosen."""
    await bot.chooses(hears="99")
    now, entry = (await bot.redis.time())[0], '{"role": "user", "text": "x"}'
    members = {f"{now} {number} {entry}": number for number in range(60)}
    await bot.redis.zadd(keys.heard(bot.id, GROUP), members)
    assert len(await bot.given()) == 50


async def test_no_longer_than_a_day(bot: Bot) -> None:
    """What is older is given to nobody, and goes; with nothing new, all does by itself."""
    await bot.chooses(hears="10")
    key, entry = keys.heard(bot.id, GROUP), '{"role": "user", "text": "old"}'
    await bot.inbox.hear(said(2))
    assert 86_000 < await bot.redis.ttl(key) <= 86_400
    now = (await bot.redis.time())[0]
    await bot.redis.zadd(key, {f"{now - 86_401} 1 {entry}": 1})
    assert await bot.given() == ["m2"]
    await bot.inbox.hear(said(3))
    assert await bot.texts() == ["m2", "m3"]


async def test_what_is_answered_anyway(bot: Bot) -> None:
    """It is no talk where the bot always answers, but what has no words for it is."""
    await bot.chooses(hears="10", when="always")
    always = Overheard(GROUP, 1, Message(Role.USER, "asked", ANN), always=True)
    await bot.inbox.hear(always, said(2))
    assert await bot.texts() == ["m2"]
    await bot.chooses(when="addressed")
    await bot.inbox.hear(always)
    assert await bot.texts() == ["asked", "m2"]
    await bot.inbox.unhear(always)
    await bot.inbox.unhear()
    assert await bot.texts() == ["m2"]


ODD: list[Any] = ["x", "\ud800", None, True, 1.5, [], 2**63, 2**53]


@pytest.mark.parametrize("odd", ODD, ids=repr)
@pytest.mark.parametrize("name", ["number", "sender"])
async def test_what_is_no_number(bot: Bot, odd: Any, name: str) -> None:
    """Of an odd update nothing is kept, and what came with it is."""
    await bot.chooses(hears="10")
    odd_number, sender = (odd, 5) if name == "number" else (2, odd)
    said = Overheard(GROUP, odd_number, Message(Role.USER, "odd", sender))
    await bot.inbox.hear(Overheard(GROUP, 1, Message(Role.USER, "one", 1)), said)
    assert await bot.texts() == ["one"]


async def test_nothing_to_keep(bot: Bot) -> None:
    """A message without words leaves nothing."""
    await bot.chooses(hears="10")
    await bot.inbox.hear(Overheard(GROUP, 1, None), Overheard(GROUP, 2, Message(Role.USER, "", 1)))
    assert await bot.texts() == []


@pytest.mark.parametrize("for_good", [True, False])
async def test_a_reset_forgets_it(bot: Bot, for_good: bool) -> None:
    """And what was said before it does not come back, though it comes again."""
    await bot.chooses(hears="10")
    await bot.inbox.hear(said(1), said(2), said(3, lane=TOPIC))
    await bot.does(Forgotten(GROUP, 4, for_good=for_good))
    await bot.inbox.hear(said(2), said(4), said(5))
    assert await bot.texts() == ["m5"]
    assert await bot.texts(TOPIC) == ["m3"]
    await bot.does(Forgotten(GROUP, with_topics=True), ChatKey(1))
    assert (await bot.texts(), await bot.texts(TOPIC)) == ([], [])


async def test_who_is_left_out(bot: Bot) -> None:
    """In the whole group, and at once; elsewhere they are heard."""
    for chat in (GROUP, OTHER):
        await bot.chooses(chat, hears="10")
    people = [(GROUP, ANN), (GROUP, BORIS), (TOPIC, ANN), (OTHER, ANN)]
    batch = [said(n, who=who, lane=lane) for n, (lane, who) in enumerate(people, 1)]
    await bot.inbox.hear(*batch)
    await bot.does(Heard(ANN, is_kept=False), TOPIC)
    await bot.inbox.hear(*batch)
    lanes = GROUP, TOPIC, OTHER
    assert [await bot.texts(lane) for lane in lanes] == [["m2"], [], ["m4"]]
    await bot.does(Heard(ANN, is_kept=True))
    await bot.inbox.hear(*batch)
    assert [await bot.texts(lane) for lane in lanes] == [["m1", "m2"], ["m3"], ["m4"]]


@pytest.mark.parametrize("value", [None, "0", ""])
async def test_hearing_no_more(bot: Bot, value: str | None) -> None:
    """All that was heard goes with the choice, a group's topics', too; or a topic's alone."""
    await bot.chooses(hears="10")
    batch = said(1), said(2, lane=TOPIC)
    await bot.inbox.hear(*batch)
    await bot.does(Chosen(TOPIC, {"hears": value}, 0))
    assert (await bot.texts(), await bot.texts(TOPIC)) == (["m1"], [])
    await bot.redis.delete(keys.settings(bot.id, TOPIC))
    await bot.inbox.hear(*batch)
    await bot.does(Chosen(GROUP, {"hears": "20"}, 0))
    await bot.does(Chosen(GROUP, {"language": value}, 1))
    assert (await bot.texts(), await bot.texts(TOPIC)) == (["m1"], ["m2"])
    await bot.does(Chosen(GROUP, {"hears": value}, 2))
    assert (await bot.texts(), await bot.texts(TOPIC)) == ([], [])


async def test_what_is_left_of_another_choice_goes(bot: Bot) -> None:
    """Where nothing is heard any more, the next message removes it."""
    await bot.chooses(hears="10")
    await bot.inbox.hear(said(1))
    await bot.chooses(hears="0")
    await bot.inbox.hear(said(2))
    assert await bot.texts() == []


async def test_a_group_that_moves(bot: Bot) -> None:
    """What was said there stands before what is said here; who is left out stays so."""
    there = ChatKey(-1_000_000_000_005)
    for chat in (GROUP, there):
        await bot.chooses(chat, hears="10")
    await bot.inbox.hear(said(1001), said(1002))
    await bot.does(Heard(BORIS, is_kept=False))
    await bot.inbox.hear(said(1, "new", lane=there))
    await bot.inbox.put(Arrival(there, next(_numbers), "{}"))
    (claim,) = await bot.inbox.take(1, 1)
    assert await bot.inbox.inherit(claim, GROUP.chat_id)
    await bot.inbox.done(claim)
    assert await bot.given(there) == ["m1001", "m1002", "new"]
    assert [number < 0 for number, _ in parse((await bot.opened(there)).heard, there)] == [
        True, True, False,
    ]  # fmt: skip
    await bot.inbox.hear(said(2, who=BORIS, lane=there), said(1001, "other", lane=there))
    assert await bot.given(there) == ["m1001", "m1002", "new", "other"]
    assert not await bot.redis.exists(*keys.kept(bot.id, GROUP))


async def test_damaged_keys(bot: Bot) -> None:
    """Whatever stands there, what comes in is taken in."""
    await bot.chooses(hears="10", when="always", names="Alice")
    await bot.redis.hset(keys.settings(bot.id, OTHER), "names", b"\xff")
    await bot.redis.set(keys.heard(bot.id, GROUP), "x")
    await bot.redis.set(keys.unheard(bot.id, GROUP.chat_id), "x")
    await bot.redis.set(keys.state(bot.id, GROUP), "x")
    found = await bot.inbox.hear(said(1), said(2, lane=OTHER))
    assert (found[GROUP].hears, found[OTHER].hears) == (10, 0)
    assert await bot.texts() == ["m1"]
    await bot.redis.delete(keys.state(bot.id, GROUP))
    await bot.redis.zadd(keys.heard(bot.id, GROUP), {"odd": 0, "7 x": 9})
    assert await bot.given() == ["m1"]
    await bot.does(Heard(ANN, is_kept=False))
    await bot.inbox.hear(said(3, who=BORIS))
    assert [one.text for _, one in parse((await bot.opened()).heard, GROUP)] == ["m3"]


async def test_who_is_left_out_moves_with_the_data(bot: Bot) -> None:
    """What was overheard does not: it is gone within a day anyway."""
    await bot.chooses(hears="10")
    await bot.inbox.hear(said(1))
    await bot.does(Heard(ANN, is_kept=False))
    await bot.inbox.hear(said(2, who=BORIS))
    archive = Archive(bot.redis, bot.id)
    names = await archive.names(whole=True)
    assert f"unheard:{GROUP}" in names
    assert f"heard:{GROUP}" not in names
    item = await archive.read(f"unheard:{GROUP}")
    assert item
    item.check()


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(texts, st.integers(-(2**52), 2**52), texts)
def test_what_is_kept_can_be_read(text: str, who: int, name: str) -> None:
    """As it was, but for what was cut off."""
    one = Overheard(GROUP, 7, Message(Role.USER, text, who, name, 5))
    ((number, read),) = parse([f"1 7 {one.entry}", "7"], GROUP)
    assert number == 7
    assert read.sender == who
    assert read.text == text or (len(read.text) == LONGEST and text.startswith(read.text[:-1]))
    assert name.startswith(read.name)


async def test_nothing_is_kept_before_it_is_told(bot: Bot) -> None:
    """The change puts that into the chat's lane; only its owner can say that it was told."""
    await bot.inbox.begin()
    await bot.redis.set(keys.mailbox(bot.id, GROUP), "odd")  # it is set aside
    await bot.does(Chosen(GROUP, {"hears": "10"}, 0, "listening"), ChatKey(ANN))
    (claim,) = await bot.inbox.take(1, 1)
    opened = await bot.inbox.open(claim)
    assert opened.head == Entry(str(Notice("listening", 1, "hears")), flood=False, is_notice=True)
    await bot.inbox.hear(said(1), said(2, lane=TOPIC))
    assert await bot.texts() == await bot.texts(TOPIC) == []
    stale = Inbox(bot.redis, bot.id, "stale")
    with pytest.raises(LaneLost):
        await stale.told(Claim(claim.entry, GROUP, 0.0), 1)
    await bot.inbox.told(claim, 2)
    await bot.inbox.hear(said(3))
    assert await bot.texts() == []
    await bot.inbox.told(claim, 1)
    await bot.inbox.hear(said(4), said(5, lane=TOPIC))
    assert await bot.texts() == ["m4"]
    assert await bot.texts(TOPIC) == ["m5"]


async def test_nobody_waits_for_a_notice(bot: Bot) -> None:
    """Who has asked something behind it is told that it takes longer once that is the head."""
    await bot.inbox.begin()
    await bot.does(Chosen(GROUP, {"reset": "everybody"}, 0, "changed"), ChatKey(ANN))
    await bot.inbox.put(Arrival(GROUP, next(_numbers), "{}"))
    assert await bot.inbox.overdue(0, 9) == []
    (claim,) = await bot.inbox.take(1, 1)
    await bot.inbox.done(claim)
    assert [late.head.update for late in await bot.inbox.overdue(0, 9)] == ["{}"]


async def test_more_is_heard_only_when_that_is_told(bot: Bot) -> None:
    """What is kept already stays."""
    await bot.chooses(hears="10")
    await bot.inbox.hear(said(1))
    await bot.does(Chosen(GROUP, {"hears": "20"}, 0, "listening"), ChatKey(ANN))
    await bot.inbox.hear(said(2))
    assert await bot.texts() == ["m1"]


async def test_a_topic_that_knows(bot: Bot) -> None:
    """What its group has not been told yet is no matter where the topic has a choice of its own."""
    await bot.chooses(TOPIC, hears="10")
    await bot.chooses(hears="20", untold="1")
    await bot.inbox.hear(said(1), said(2, lane=TOPIC))
    assert (await bot.texts(), await bot.texts(TOPIC)) == ([], ["m2"])
    await bot.chooses(TOPIC, untold="3")
    await bot.inbox.hear(said(3, lane=TOPIC))
    assert await bot.texts(TOPIC) == ["m2"]


async def test_a_topic_that_hears_as_its_group(bot: Bot) -> None:
    """What is kept there stays if that hears, too."""
    await bot.chooses(hears="10")
    await bot.inbox.hear(said(1, lane=TOPIC))
    await bot.does(Chosen(TOPIC, {"hears": None}, 0, inherited=10))
    assert await bot.texts(TOPIC) == ["m1"]


async def test_changes_that_wait_to_be_told(bot: Bot) -> None:
    """Of one setting only the last does, but for the head; they count as nobody's flood."""
    bot.inbox = Inbox(bot.redis, bot.id, "one", bounds=(3, 9, 3))
    await bot.inbox.begin()
    for version in range(4):
        for name, value in (("hears", str(version + 10)), ("reset", "everybody")):
            change = Chosen(GROUP, {name: value}, 2 * version + (name == "reset"), f"{version}")
            await bot.inbox.put(Arrival(ChatKey(ANN), next(_numbers), "{}"))
            claims = await bot.inbox.take(9, 1)
            (claim,) = [one for one in claims if one.lane == ChatKey(ANN)]
            await bot.inbox.commit(claim, "{}", change)
            await bot.inbox.done(claim)
    found = await bot.redis.lrange(keys.mailbox(bot.id, GROUP), 0, -1)
    waiting = [Notice.parse(Entry.parse(str(one)).update) for one in found]
    assert waiting == [
        Notice("0", 1, "hears"), Notice("3", 7, "hears"), Notice("3", 0, "reset"),
    ]  # fmt: skip
    questions = [Arrival(GROUP, next(_numbers), "{}") for _ in range(5)]
    assert await bot.inbox.put(*questions) == ["stored"] * 3 + ["flood", "dropped"]


@pytest.mark.parametrize("odd", ["{}", "null", "[1]", "5"])
async def test_a_change_behind_what_is_damaged(bot: Bot, odd: str) -> None:
    """It is kept, and told behind that."""
    damaged = ("5 {}", f'5#{{"setting": {odd}}}')
    await bot.redis.rpush(keys.mailbox(bot.id, GROUP), *damaged)
    await bot.does(Chosen(GROUP, {"reset": "admins"}, 0, "told"), ChatKey(ANN))
    found = await bot.redis.lrange(keys.mailbox(bot.id, GROUP), 0, -1)
    assert [*map(str, found[:-1])] == [*damaged]
    assert Notice.parse(Entry.parse(str(found[-1])).update) == Notice("told", 0, "reset")


async def test_changes_of_several_people_that_wait(bot: Bot) -> None:
    """Each person's last change is told, in their order; the head stays, though others equal it."""
    await bot.inbox.begin()
    for version, by in enumerate((ANN, BORIS, ANN, ANN)):
        change = Chosen(GROUP, {"reset": "admins"}, version, f"by {by}", by=by)
        await bot.inbox.put(Arrival(ChatKey(by), next(_numbers), "{}"))
        claims = await bot.inbox.take(9, 1)
        (claim,) = [one for one in claims if one.lane == ChatKey(by)]
        await bot.inbox.commit(claim, "{}", change)
        await bot.inbox.done(claim)
    found = await bot.redis.lrange(keys.mailbox(bot.id, GROUP), 0, -1)
    waiting = [Notice.parse(Entry.parse(str(one)).update).by for one in found]
    assert waiting == [ANN, BORIS, ANN]
