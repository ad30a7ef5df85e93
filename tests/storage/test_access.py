"""Who is let in and turned away, on a real server: what each script does, once."""

import asyncio
import itertools
from dataclasses import dataclass
from typing import Any

import pytest
from redis.asyncio import Redis

from storage import keys
from storage.access import (
    MOST_GUESSES,
    MOST_REQUESTS,
    REQUEST_KEPT,
    Admission,
    Listed,
    Request,
    ShutOut,
    TooManyGuesses,
    WrongCode,
)
from storage.arrivals import Arrival
from storage.change import Notice
from storage.inbox import Inbox
from storage.lane import Claim, Entry, LaneLost
from storage.message import ChatKey

OWNER, OTHER_OWNER, ANN, BORIS = 1, 2, 101, 102
GROUP, SUPERGROUP = -5, -1_000_000_000_005
_bot_ids = itertools.count(10_400_000)
_numbers = itertools.count(1)


@dataclass
class House:
    """A bot of a test's own, with a worker on a lane."""

    redis: Redis
    inbox: Inbox
    claim: Claim

    @property
    def id(self) -> int:
        """The bot's id."""
        return self.inbox.bot_id

    async def admission(self) -> Admission:
        """What a turn that begins now can do."""
        opened = await self.inbox.open(self.claim)
        return self.inbox.access.admission(self.claim, opened.access)

    async def listed(self) -> dict[int, bool]:
        """Whom a turn that begins now knows."""
        found = await (await self.admission()).listed()
        return {number: one.allowed for number, one in found.items()}

    async def begin(self, chat: int) -> Claim:
        """Take in something, and begin with it."""
        number = next(_numbers)
        update = f'{{"update_id": {number}}}'
        await self.inbox.put(Arrival(ChatKey(chat), number, update))
        (claim,) = await self.inbox.take(1, 1)
        return claim


@pytest.fixture
async def house(redis: Redis) -> House:
    """Such a bot; its worker has an owner's lane."""
    inbox = Inbox(redis, next(_bot_ids), "worker")
    await inbox.begin()
    house = House(redis, inbox, Claim("", ChatKey(OWNER), 0))
    house.claim = await house.begin(OWNER)
    return house


async def test_the_last_word_counts(house: House) -> None:
    """Whoever is let in and turned away is what was said last, and it is known who said so."""
    assert await house.listed() == {}
    for allowed in (True, False, True):
        turn = await house.admission()
        await turn.decide(ANN, allowed=allowed, owner=OWNER, decider="Olga", name="Ann  B")
        assert await house.listed() == {ANN: allowed}
    found = await (await house.admission()).listed()
    assert found[ANN] == Listed(allowed=True, by=OWNER, at=found[ANN].at, name="Ann  B")
    now = int((await house.redis.time())[0])
    assert abs(found[ANN].at - now) < 10
    assert abs(float((await house.inbox.open(house.claim)).access) - now) < 10


async def test_a_turn_that_began_before(house: House) -> None:
    """It may know what was decided since, and nothing older than its beginning."""
    before = await house.admission()
    assert await before.listed() == {}
    await before.decide(ANN, allowed=False, owner=OWNER, decider="Olga")
    assert await before.listed() == {}
    assert await house.listed() == {ANN: False}
    assert list(await before.listed()) == [ANN]


async def test_news(house: House) -> None:
    """A turn hears once that there is another list."""
    turn = await house.admission()
    await turn.decide(ANN, allowed=False, owner=OWNER, decider="Olga")
    version = (await house.inbox.open(house.claim)).access
    assert [turn.is_news(version), turn.is_news(version)] == [True, False]
    assert list(await turn.listed()) == [ANN]


async def test_who_has_lost_the_lane(house: House) -> None:
    """Changes nothing any more, whatever it does."""
    turn = await house.admission()
    await turn.knock(1, ANN, "Ann", 0, may_ask=True)
    code, _ = await turn.invite(1, 3600, OWNER)
    before = {key async for key in house.redis.scan_iter(f"{keys.tag(house.id)}*")}
    await house.inbox.done(house.claim)
    for late in (
        turn.decide(ANN, allowed=True, owner=OWNER, decider="Olga"),
        turn.decide(ANN, allowed=True, owner=OWNER, decider="Olga", first=True),
        turn.knock(2, BORIS, "Boris", GROUP, may_ask=True),
        turn.invite(1, 3600, OWNER),
        turn.redeem(ANN, "Ann", code),
        turn.redeem(BORIS, "Boris", "wrong"),
    ):
        with pytest.raises(LaneLost):
            await late
    after = {key async for key in house.redis.scan_iter(f"{keys.tag(house.id)}*")}
    assert after <= before
    assert await house.redis.hlen(keys.invitations(house.id)) == 1


async def test_the_first_decision_on_a_request(house: House) -> None:
    """It counts, and the second owner hears of it; without a request nothing is decided."""
    turn = await house.admission()
    nobody = await turn.decide(ANN, allowed=True, owner=OWNER, decider="Olga", first=True)
    assert nobody == Request()
    knock = await turn.knock(1, ANN, "Ann", 0, may_ask=True)
    assert knock == (True, True, Request("Ann"))
    await turn.told(ANN, OWNER, 7)
    decided = Request("Ann", {OWNER: 7}, allowed=True, by=OWNER, decider="Olga")
    for owner, allowed in ((OWNER, True), (OTHER_OWNER, False)):
        found = await turn.decide(
            ANN,
            allowed=allowed,
            owner=owner,
            decider="Olga" if owner == OWNER else "Oscar",
            first=True,
        )
        assert found == decided
    assert await house.listed() == {ANN: True}
    assert (await (await house.admission()).listed())[ANN].name == "Ann"
    found = await turn.decide(ANN, allowed=False, owner=OTHER_OWNER, decider="Oscar", name="A")
    assert found == Request("Ann", {OWNER: 7}, allowed=False, by=OTHER_OWNER, decider="Oscar")
    assert await house.listed() == {ANN: False}
    assert (await (await house.admission()).listed())[ANN].name == "A"
    assert await house.redis.ttl(keys.request(house.id, ANN)) > REQUEST_KEPT - 10


async def test_whoever_is_let_in_is_told_once(house: House) -> None:
    """However often that is decided; who is turned away is told nothing."""
    turn, lane = await house.admission(), ChatKey(ANN)
    mailbox, queued = keys.mailbox(house.id, lane), keys.ready(house.id)
    await turn.knock(1, ANN, "Ann", 0, may_ask=True, welcome="welcome")
    before = await house.redis.xlen(queued)
    await turn.decide(ANN, allowed=False, owner=OWNER, decider="Olga")
    assert not await house.redis.exists(mailbox)
    await house.redis.set(mailbox, "odd")  # it is set aside
    for first in (True, False, False):
        await turn.decide(ANN, allowed=True, owner=OWNER, decider="Olga", first=first)
    (entry,) = await house.redis.lrange(mailbox, 0, -1)
    told = Entry(str(Notice("welcome")), flood=False, is_notice=True)
    assert Entry.parse(str(entry)) == told
    now, _ = await house.redis.time()
    assert 0 <= now - int(str(entry).partition("#")[0]) < 60
    assert await house.redis.xlen(queued) == before + 1
    await turn.decide(ANN, allowed=False, owner=OWNER, decider="Olga")
    await turn.decide(ANN, allowed=True, owner=OWNER, decider="Olga")
    assert await house.redis.llen(mailbox) == 2
    assert await house.redis.xlen(queued) == before + 1


async def test_an_odd_welcome(house: House) -> None:
    """Whatever stands there is no reason not to decide."""
    turn = await house.admission()
    await turn.knock(1, ANN, "Ann", 0, may_ask=True, welcome="welcome")
    await house.redis.hset(keys.request(house.id, ANN), "welcome", "odd")
    request = await turn.decide(ANN, allowed=True, owner=OWNER, decider="Olga")
    assert request.allowed
    assert await house.redis.llen(keys.mailbox(house.id, ChatKey(ANN))) == 1


async def test_a_knock(house: House) -> None:
    """The same one again is due the same; another one is no request, nor an answer in a group."""
    turn = await house.admission()
    for number, asks, speaks in ((1, True, True), (1, True, True), (2, False, False)):
        knock = await turn.knock(number, ANN, "Ann", GROUP, may_ask=True)
        assert (knock.asks, knock.speaks) == (asks, speaks)
    assert (await turn.knock(3, ANN, "Ann", 0, may_ask=True))[:2] == (False, True)
    assert (await turn.knock(4, BORIS, "Boris", 0, may_ask=False))[:2] == (False, True)
    assert not await house.redis.exists(keys.request(house.id, BORIS))
    assert 0 < await house.redis.ttl(keys.refused(house.id, GROUP, ANN)) <= 600


async def test_so_many_requests_an_hour(house: House) -> None:
    """Beyond, nobody is asked about; the hour goes by, from the first one on."""
    turn = await house.admission()
    asked = [
        (await turn.knock(number, number, "x", 0, may_ask=True)).asks
        for number in range(1, MOST_REQUESTS + 3)
    ]
    assert asked == [True] * MOST_REQUESTS + [False] * 2
    assert (await turn.knock(1, 1, "x", 0, may_ask=True)).asks  # the same as before
    assert 3500 < await house.redis.ttl(keys.requests(house.id)) <= 3600


async def test_an_invitation_is_made_once(house: House) -> None:
    """Repeated for the same update, it is the same one; for another, another."""
    turn = await house.admission()
    made = await turn.invite(3, 3600, OWNER)
    assert await turn.invite(3, 3600, OWNER) == made
    await house.inbox.done(house.claim)
    house.claim = await house.begin(OWNER)
    other = await (await house.admission()).invite(1, 60, OTHER_OWNER)
    assert other[0] != made[0]
    found = await turn.invitations()
    assert [(code, one.uses, one.by) for code, one in found] == [
        (made[0], 3, OWNER),
        (other[0], 1, OTHER_OWNER),
    ]


async def test_everybody_comes_at_once(house: House) -> None:
    """Three places are for three people, however often each of them tries."""
    turn = await house.admission()
    code, _ = await turn.invite(3, 3600, OWNER)
    tries = [turn.redeem(person, "x", code) for person in [*range(101, 111)] * 3]
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    assert {type(one) for one in outcomes} == {type(None), WrongCode}
    assert len(await house.listed()) == 3
    assert await turn.invitations() == []
    listed = await (await house.admission()).listed()
    assert {one.by for one in listed.values()} == {OWNER}


async def test_the_end_of_an_invitation(house: House) -> None:
    """At that second it is over."""
    turn = await house.admission()
    code, ends = await turn.invite(1, 0, OWNER)
    now = int((await house.redis.time())[0])
    assert abs(ends - now) < 10
    with pytest.raises(WrongCode):
        await turn.redeem(ANN, "Ann", code)
    [(_, made)] = await turn.invitations()
    assert abs(made.number // 1_000_000 - now) < 10
    old = "1 1000000000 1 1"
    await house.redis.hset(keys.invitations(house.id), "old", old)
    await house.redis.hdel(keys.outbox(house.id, house.claim.lane), "invitation")
    new, _ = await turn.invite(1, 60, OWNER)
    assert [code for code, _ in await turn.invitations()] == [new]


async def test_whom_an_invitation_does_not_count(house: House) -> None:
    """Who is let in already takes no place; whoever was turned away stays out."""
    turn = await house.admission()
    code, _ = await turn.invite(1, 3600, OWNER)
    await turn.decide(ANN, allowed=True, owner=OWNER, decider="Olga")
    await turn.decide(BORIS, allowed=False, owner=OWNER, decider="Olga")
    await turn.redeem(ANN, "Ann", code)
    with pytest.raises(ShutOut):
        await turn.redeem(BORIS, "Boris", code)
    [(_, left)] = await turn.invitations()
    assert left.uses == 1
    assert await house.listed() == {ANN: True, BORIS: False}


async def test_guesses(house: House) -> None:
    """So many different ones an hour; then the rest of that hour is told."""
    turn, key = await house.admission(), keys.guesses(house.id, ANN)
    for guess in range(MOST_GUESSES):
        for _ in range(2):
            with pytest.raises(WrongCode):
                await turn.redeem(ANN, "Ann", f"guess{guess}")
        assert (await house.redis.ttl(key) > 3500) == (guess == 0)
        await house.redis.expire(key, 1000)
    for milliseconds, seconds in ((900_000, 900), (300, 1)):
        await house.redis.pexpire(key, milliseconds)
        with pytest.raises(TooManyGuesses) as told:
            await turn.redeem(ANN, "Ann", "another")
        assert told.value.seconds == seconds
        await house.redis.persist(key)
    assert await house.redis.scard(keys.guesses(house.id, ANN)) == MOST_GUESSES


@pytest.mark.parametrize("there", [None, "allow", "deny"])
@pytest.mark.parametrize("here", [None, "allow", "deny"])
async def test_a_group_that_moves(house: House, here: str | None, there: str | None) -> None:
    """Its supergroup is what it was, and turned away if either was; the group is forgotten."""
    key, version = keys.access(house.id), (await house.inbox.open(house.claim)).access
    listed = {GROUP: here, SUPERGROUP: there}
    fields: dict[Any, Any] = {
        str(chat): f"{verdict} 1 1 x" for chat, verdict in listed.items() if verdict
    }
    await house.redis.hset(key, mapping=fields | {"version": "1"})
    claim = await house.begin(SUPERGROUP)
    for _ in range(2):
        assert await house.inbox.inherit(claim, GROUP)
        verdict = "deny" if here == "deny" else there or here
        expected = {SUPERGROUP: verdict == "allow"} if verdict else {}
        assert await house.listed() == expected
    assert ((await house.inbox.open(claim)).access not in ("1", version)) == (here is not None)


@pytest.mark.parametrize(
    "content",
    [{"x": "y"}, {"5": "deny"}, {"5": "maybe 1 1 x"}, {"x": "allow 1 2 y"}, {"٣": "deny 1 2 y"}],
)
async def test_what_nobody_can_read(house: House, content: dict[Any, Any]) -> None:
    """An entry that another program wrote counts as none, and harms no other."""
    key = keys.access(house.id)
    await house.redis.hset(key, mapping=content | {str(ANN): "allow 1 1 ", "version": "1"})
    assert await house.listed() == {ANN: True}


@pytest.mark.parametrize("field", ["version", "5", b"\xff"])
async def test_a_list_that_is_no_text(house: House, field: Any) -> None:
    """It is set aside, and stops nobody: lanes can be opened meanwhile."""
    key = keys.access(house.id)
    await house.redis.hset(key, mapping={str(ANN): "allow 1 1 ", "version": "1"})
    await house.redis.hset(key, field, b"\xff")
    await house.admission()
    assert await house.listed() in ({}, {ANN: True})
    assert not await house.redis.exists(key)


async def test_lists_of_another_type(house: House) -> None:
    """They are set aside: then there is no list, until there is one again."""
    key = keys.access(house.id)
    await house.redis.set(key, "x")
    assert await house.listed() == {}
    turn = await house.admission()
    await house.redis.delete(key)
    await house.redis.set(key, "x")
    await turn.decide(ANN, allowed=False, owner=OWNER, decider="Olga")
    assert await house.listed() == {ANN: False}
    aside = [name async for name in house.redis.scan_iter(f"{keys.tag(house.id)}aside:*:access")]
    assert len(aside) >= 1
