"""The inbox on a real server, step by step."""

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from storage import keys
from storage.arrivals import FULL_SECONDS, GROUP, IDS_KEPT, Arrival
from storage.census import Census
from storage.change import Forgotten, Kept
from storage.dead import MOST, DeadLetters
from storage.inbox import MOST_LOOKED_AT, Inbox
from storage.lane import Claim, Entry, LaneLost, Late, Shown
from storage.message import ChatKey, Exchange, Message, Role
from storage.server.connect import StorageFull, StorageRefused, StorageUnavailable, connect
from storage.timing import Timing, clock
from tests.history import History
from tests.valkey import own_valkey

LANE, OTHER = ChatKey(5), ChatKey(-6, 7)
NOBODY = None, None
"""What is heard when some interruption may have been missed."""
LEASE = Timing().lease
EXCHANGE = Exchange(Message(Role.USER, "вопрос"), Message(Role.ASSISTANT, "ответ"))

_bot_ids = itertools.count(8_000_000)


def update(number: int) -> str:
    """A raw update, as small as can be."""
    return json.dumps({"update_id": number})


class Bot:
    """A bot of a test's own, and its workers."""

    def __init__(self, redis: Redis) -> None:
        self.redis, self.id = redis, next(_bot_ids)

    def inbox(self, name: str = "a", **timing: Any) -> Inbox:
        """The inbox as a worker sees it."""
        return Inbox(self.redis, self.id, name, Timing(**timing))

    async def put(self, *numbers: int, lane: ChatKey = LANE, interrupts: bool = False) -> list[str]:
        """Store updates, one after another."""
        inbox = self.inbox()
        stored = []
        for number in numbers:
            stored += await inbox.put(Arrival(lane, number, update(number), interrupts))
        return stored

    async def waiting(self, lane: ChatKey = LANE) -> int:
        """How many updates a mailbox holds."""
        return int(await self.redis.llen(keys.mailbox(self.id, lane)))

    async def claims(self) -> list[int]:
        """How often each claimed lane was claimed."""
        pending = await self.redis.xpending_range(keys.ready(self.id), GROUP, "-", "+", 100)
        return [int(one["times_delivered"]) for one in pending]


@pytest.fixture
async def bot(redis: Redis) -> Bot:
    """A bot nobody has written to yet."""
    new = Bot(redis)
    await new.inbox().begin()
    return new


@pytest.fixture
async def claim(bot: Bot) -> Claim:
    """The claim of worker ``a`` on a lane with two updates."""
    await bot.put(1, 2)
    (claim,) = await bot.inbox().take(1, 1)
    return claim


# What comes in


async def test_an_update_is_stored_once(bot: Bot) -> None:
    """The same number again, in whatever lane, is known."""
    assert await bot.put(1, 2, 1) == ["stored", "stored", "known"]
    assert await bot.put(2, lane=OTHER) == ["known"]
    assert await bot.waiting() == 2
    assert await bot.waiting(OTHER) == 0


async def test_update_ids_may_be_forgotten(bot: Bot) -> None:
    """As many numbers as Telegram may repeat are remembered, and no more."""
    seen = "for id = 1, ARGV[1] do redis.call('ZADD', KEYS[1], ARGV[2], id) end"
    now, _ = await bot.redis.time()
    await bot.redis.eval(seen, 1, keys.seen(bot.id), IDS_KEPT - 3, now - 60)
    await bot.put(-1, -2, -3, -4, -5)
    assert await bot.redis.zcard(keys.seen(bot.id)) == IDS_KEPT
    assert await bot.put(-1, -5) == ["known"] * 2


DAY = 24 * 60 * 60


@pytest.mark.parametrize(
    ("days", "again"), [(-2.1, "stored"), (-1.9, "known"), (1, "known"), (400, "known")]
)
async def test_update_ids_age(bot: Bot, days: float, again: str) -> None:
    """After two days a number means another update; also where it came before a clock was set."""
    await bot.put(1, 2)
    now, _ = await bot.redis.time()
    seen = keys.seen(bot.id)
    await bot.redis.zadd(seen, dict.fromkeys(map(str, range(1, 2501)), now + days * DAY))
    assert await bot.put(2500) == [again]
    await bot.put(3001, 3002, 3003)
    assert not await bot.redis.zcount(seen, "-inf", now - 2 * DAY - 1)
    assert not await bot.redis.zcount(seen, now + DAY, "+inf")


async def test_a_flood_fills_only_its_own_mailbox(bot: Bot) -> None:
    """After fifty, one is stored to be answered so; the rest is not, and other lanes go on."""
    stored = await bot.put(*range(60))
    assert stored == ["stored"] * 50 + ["flood"] + ["dropped"] * 9
    assert await bot.put(100, lane=OTHER) == ["stored"]
    inbox = bot.inbox()
    floods = []
    for _ in range(51):
        (claim,) = [one for one in await inbox.take(2, 1) if one.lane == LANE]
        floods.append((await inbox.open(claim)).head.flood)
        await inbox.done(claim)
    assert floods == [False] * 50 + [True]


async def test_another_flood_is_told_again(bot: Bot) -> None:
    """Once there is room for the one that was too many, the next one is the first again."""
    await bot.put(*range(52))
    (claim,) = await bot.inbox().take(1, 1)
    await bot.inbox().done(claim)
    assert await bot.put(100, 101) == ["flood", "dropped"]


async def test_who_is_flooding_can_still_interrupt(bot: Bot) -> None:
    """Commands that cut short have room beyond the bound, and that room has an end."""
    await bot.put(*range(51))
    stored = await bot.put(*range(100, 111), interrupts=True)
    assert stored == ["stored"] * 10 + ["dropped"]


@pytest.mark.parametrize("is_full", [False, True])
async def test_nobody_shuts_out_others(small: Redis, is_full: bool) -> None:
    """Whoever sends many interrupts fills only a place of their own, up to a bound of all."""
    bot = Bot(small)
    inbox, numbers = bot.inbox(), itertools.count(1)
    put, beyond = (inbox.put_urgent, "full") if is_full else (inbox.put, "dropped")
    await small.config_set("maxmemory", str(int(is_full)))

    async def send(sender: str, times: int) -> list[str]:
        return await put(
            *(Arrival(LANE, one, update(one), True, sender) for one in islice(numbers, times))
        )

    assert await send("66", 12) == ["stored"] * 10 + [beyond] * 2
    told = await small.ttl(keys.full(bot.id))
    assert FULL_SECONDS - 10 < told <= FULL_SECONDS if is_full else told == -2
    assert await send("5", 1) == ["stored"]
    for sender in range(100, 118):
        assert await send(f"{sender}", 10) == ["stored"] * 10
    assert await send("200", 10) == ["stored"] * 9 + [beyond]
    await inbox.begin()
    (claim,) = await inbox.take(1, 1)
    assert len((await inbox.open(claim)).interrupts) == 199
    await inbox.done(claim, "reason")
    assert [letter.update for letter in await DeadLetters(small, bot.id).all()] == [update(1)]


async def test_interrupts_take_no_room_from_questions(bot: Bot) -> None:
    """Those have their own, however many wait ahead of them."""
    for sender in range(7):
        presses = [Arrival(LANE, 10 * sender + n, update(n), True, f"{sender}") for n in range(10)]
        await bot.inbox().put(*presses)
    assert await bot.put(*range(100, 153)) == ["stored"] * 50 + ["flood"] + ["dropped"] * 2


async def test_nobody_is_dropped_untold(bot: Bot) -> None:
    """The first one too many is told even when a command took the place beyond the bound."""
    await bot.put(*range(50))
    assert await bot.put(100, interrupts=True) == ["stored"]
    assert await bot.put(101, 102) == ["flood", "dropped"]


async def test_an_interruption_is_told_at_once(bot: Bot) -> None:
    """Who listens hears each interrupting update and its lane, also if that is done with by now."""
    heard = bot.inbox("b").interruptions()
    assert await anext(heard) == NOBODY
    await bot.put(1)
    await bot.put(2, lane=OTHER, interrupts=True)
    await bot.put(3, interrupts=True)
    await bot.redis.delete(keys.mailbox(bot.id, OTHER))
    for lane, number in ((OTHER, 2), (LANE, 3)):
        told, entry = await asyncio.wait_for(anext(heard), 60)
        assert told == lane
        assert entry
        assert entry.update == update(number)
    await heard.aclose()  # type: ignore[attr-defined]


FOREIGN: list[dict[Any, Any]] = [
    {"lane": "x"},
    {"lane": ""},
    {"a": "1"},
    *({"lane": name} for name in ("1:2:3", f"{LANE}:0", f"+{LANE}", f" {LANE}", "9" * 5000)),
]
"""Entries of the queue that name no lane, or one otherwise than the bot does."""
NO_TEXT: list[dict[Any, Any]] = [{"lane": b"\xff"}, {b"\xff": "1"}]


@pytest.mark.parametrize("way", ["take", "stale", "mine"])
async def test_what_another_program_put_into_the_queue(bot: Bot, way: str) -> None:
    """It is removed, however it comes to a worker, and the lanes beside it are worked on."""
    inbox, ready = bot.inbox(lease=0), keys.ready(bot.id)
    for fields in FOREIGN[:2]:
        await bot.redis.xadd(ready, fields)
    await bot.put(1)
    for fields in FOREIGN[2:]:
        await bot.redis.xadd(ready, fields)
    if way != "take":
        await bot.redis.xreadgroup(GROUP, "a" if way == "mine" else "b", {ready: ">"})
    claims = {
        "take": lambda: inbox.take(10, 1),
        "stale": lambda: inbox.stale(10),
        "mine": lambda: inbox.mine([]),
    }
    assert [claim.lane for claim in await claims[way]()] == [LANE]
    assert await bot.redis.xlen(ready) == 1
    assert len(await bot.claims()) == 1


@pytest.mark.parametrize("entry", NO_TEXT)
@pytest.mark.parametrize("way", ["take", "stale"])
async def test_what_is_no_text_in_the_queue(bot: Bot, way: str, entry: dict[Any, Any]) -> None:
    """Nobody can read it; a worker that looks what is its own removes it, and has the others."""
    inbox, ready = bot.inbox(lease=0), keys.ready(bot.id)
    await bot.redis.xadd(ready, entry)
    await bot.put(1)
    if way == "stale":
        await bot.redis.xgroup_createconsumer(ready, GROUP, "b")
        with pytest.raises(UnicodeDecodeError):
            await bot.redis.xreadgroup(GROUP, "b", {ready: ">"})
    with pytest.raises(StorageUnavailable, match="not UTF-8"):
        await (inbox.take(10, 1) if way == "take" else inbox.stale(10))
    assert [claim.lane for claim in await inbox.mine([])] == [LANE]
    assert await bot.redis.xlen(ready) == 1


async def test_what_is_no_text_on_the_channel(bot: Bot) -> None:
    """Whoever hears it begins anew."""
    heard = bot.inbox().interruptions()
    assert await anext(heard) == NOBODY
    await bot.redis.publish(keys.interrupts(bot.id), b"\xff")
    with pytest.raises(StorageUnavailable, match="not UTF-8"):
        await asyncio.wait_for(anext(heard), 60)


async def test_what_is_no_text_in_a_mailbox(bot: Bot) -> None:
    """Nobody is told that it takes longer, and nothing ends."""
    await bot.put(1)
    broken: Any = b"1\xff{}"
    await bot.redis.lset(keys.mailbox(bot.id, LANE), 0, broken)
    with contextlib.suppress(StorageUnavailable):  # if the server did not know the script yet
        assert await bot.inbox().overdue(0, 10) == []
    assert await bot.inbox().overdue(0, 10) == []


async def test_what_another_program_publishes(bot: Bot) -> None:
    """Whoever hears it looks at all lanes, since it may have meant any."""
    heard = bot.inbox().interruptions()
    assert await anext(heard) == NOBODY
    await bot.redis.publish(keys.interrupts(bot.id), "x")
    await bot.put(1, interrupts=True)
    assert await asyncio.wait_for(anext(heard), 60) == NOBODY
    assert (await asyncio.wait_for(anext(heard), 60))[0] == LANE
    await heard.aclose()  # type: ignore[attr-defined]


@pytest.mark.slow
async def test_a_dead_channel_is_noticed(bot: Bot) -> None:
    """Silence is borne as long as the server answers; then whoever listens has to begin anew."""
    async with own_valkey() as server:
        client = connect(server.url, connections=2)
        inbox = Inbox(client, bot.id, "b", Timing(channel_silence=0.3))
        heard = inbox.interruptions()
        assert await anext(heard) == NOBODY
        later = asyncio.ensure_future(anext(heard))
        async with asyncio.timeout(10):
            while (await client.info("commandstats"))["cmdstat_subscribe"]["calls"] < 3:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        await inbox.put(Arrival(LANE, 1, "{}", interrupts=True))
        assert (await asyncio.wait_for(later, 60))[0] == LANE

        async def listen_on() -> None:
            async for told in heard:
                assert told == NOBODY  # its last answer, if that came after the lane

        with server.frozen(), pytest.raises(StorageUnavailable, match="no answer"):
            await asyncio.wait_for(listen_on(), 60)
        await client.aclose()


@pytest.mark.parametrize("steps", range(3, 12))
async def test_listening_can_be_stopped(valkey: str, steps: int) -> None:
    """At whatever step of its beginning who listens is stopped, it stops."""
    client = connect(valkey, connections=1)

    async def listen() -> None:
        async for _ in Bot(client).inbox().interruptions():
            pass

    listening = asyncio.create_task(listen())
    for _ in range(steps):
        await asyncio.sleep(0)
    listening.cancel()
    done, _ = await asyncio.wait([listening], timeout=60)
    listening.cancel()
    await asyncio.wait([listening])
    await client.aclose()
    assert done


async def test_every_interruption_is_seen(bot: Bot, claim: Claim) -> None:
    """What waits before commands sees them all; a command itself, and what follows, only others."""
    await bot.put(3, 4, interrupts=True)
    await bot.put(5)
    inbox = bot.inbox()
    seen = []
    for _ in range(5):
        seen.append([one.update for one in (await inbox.open(claim)).interrupts])
        await inbox.done(claim)
        claim = next(iter(await inbox.take(1, 0.01)), claim)
    both = [update(3), update(4)]
    assert seen == [both, both, both[1:], [], []]


# Claims


async def test_a_lane_goes_to_one_worker(bot: Bot) -> None:
    """However many updates wait in a lane, it is claimed once; then there is nothing."""
    await bot.put(1, 2)
    (claim,) = await bot.inbox().take(9, 1)
    assert claim.lane == LANE
    assert await bot.inbox("b").take(9, 0.001) == []


async def test_who_waits_is_woken(bot: Bot) -> None:
    """A worker that waits for a lane has it as it comes."""
    taking = asyncio.ensure_future(bot.inbox("b").take(1, 5))
    await asyncio.sleep(0.01)
    await bot.put(1)
    assert [claim.lane for claim in await taking] == [LANE]


async def test_who_has_waited_long_enough_goes_on(bot: Bot) -> None:
    """What comes after that is for somebody else."""
    assert await asyncio.wait_for(bot.inbox("b").take(1, 0.001), 60) == []
    await bot.put(1)
    assert [claim.lane for claim in await bot.inbox("c").take(1, 1)] == [LANE]


async def test_lanes_take_turns(bot: Bot) -> None:
    """A lane in which more waits goes behind those that waited meanwhile."""
    await bot.put(1, 2)
    await bot.put(3, lane=OTHER)
    inbox, turns = bot.inbox(), []
    for _ in range(3):
        (claim,) = await inbox.take(1, 1)
        turns.append(json.loads((await inbox.open(claim)).head.update)["update_id"])
        await inbox.done(claim)
    assert turns == [1, 3, 2]


async def test_a_claim_whose_reply_was_lost(bot: Bot) -> None:
    """The worker finds its unknown lanes, and each finding counts."""
    await bot.put(1)
    (claim,) = await bot.inbox().take(1, 1)
    assert await bot.inbox().mine([]) == [claim]
    assert await bot.inbox().mine([claim.entry]) == []
    assert await bot.claims() == [2]


async def test_several_claims_whose_reply_was_lost(bot: Bot) -> None:
    """All that others have not claimed since."""
    for number in (1, 2, 3, 4):
        await bot.put(number, lane=ChatKey(number))
    inbox = bot.inbox()
    claims = await inbox.take(4, 1)
    await bot.redis.xclaim(keys.ready(bot.id), GROUP, "b", 0, [claims[2].entry])
    assert await inbox.mine([]) == [claims[0], claims[1], claims[3]]
    assert await inbox.mine([claims[0].entry, claims[3].entry]) == [claims[1]]
    assert await bot.inbox("b").mine([]) == [claims[2]]


async def test_silent_owners_lose_their_lanes(bot: Bot, claim: Claim) -> None:
    """After a lease without a beat a lane is anybody's, and that claim counts; a beat does not."""
    assert await bot.inbox("b").stale(9) == []
    assert await bot.inbox("a").beat([claim]) == []
    assert await bot.claims() == [1]
    await asyncio.sleep(0.02)
    assert await bot.inbox("b", lease=0.01).stale(9) == [claim]
    assert await bot.claims() == [2]
    other = Claim("1-1", LANE, 0.0)
    assert await bot.inbox("a").beat([claim, other]) == [claim, other]


async def test_a_lane_is_held(bot: Bot, claim: Claim) -> None:
    """A claim that is not fresh is renewed first, or found to be lost, and void from then on."""
    inbox = bot.inbox("a", lease=0.01)
    await inbox.beat([claim])
    await asyncio.sleep(0.02)
    await inbox.hold(claim)
    await asyncio.sleep(0.02)
    assert await bot.inbox("b", lease=0.01).stale(9) == [claim]
    with pytest.raises(LaneLost):
        await inbox.hold(claim)
    assert claim.lost
    with pytest.raises(LaneLost):  # though it looks fresh
        await bot.inbox("a", lease=100).hold(claim)


async def test_a_fresh_claim_asks_nobody(bot: Bot, claim: Claim) -> None:
    """It holds by the clock for half a lease from before it was asked for, and then must ask."""
    inbox = bot.inbox("a")
    asked = await _calls(bot)
    for age in (0.0, LEASE / 2 - 1):
        claim.renewed = clock() - age
        await inbox.hold(claim)
    assert await _calls(bot) == asked
    claim.renewed = old = clock() - LEASE / 2
    await inbox.hold(claim)
    assert await _calls(bot) == asked + 1
    assert claim.renewed > old + LEASE / 2 - 1


async def _calls(bot: Bot) -> int:
    """How many scripts the server has run."""
    stats = await bot.redis.info("commandstats")
    return int(stats["cmdstat_evalsha"]["calls"])


async def test_a_renewal_that_is_late_is_asked_for_again(bot: Bot, claim: Claim) -> None:
    """It counts from before it was sent: when its answer took too long, the next one counts."""

    class Slow(Inbox):
        calls = 0

        async def beat(self, claims: Sequence[Claim]) -> list[Claim]:
            self.calls += 1
            lost = await super().beat(claims)
            if self.calls == 1:
                claim.renewed -= LEASE  # as if the process had been stopped meanwhile
            return lost

    inbox = Slow(bot.redis, bot.id, "a")
    claim.renewed = 0.0
    await inbox.hold(claim)
    assert inbox.calls == 2


async def test_a_renewal_counts_from_before_it_is_sent(bot: Bot, claim: Claim) -> None:
    """The lease begins at the server no later than that."""

    class Noting(Inbox):
        async def _beat(self, entries: Sequence[str], idle: float) -> list[str]:
            self.sent = clock()
            return await super()._beat(entries, idle)

    inbox = Noting(bot.redis, bot.id, "a")
    assert await inbox.beat([claim]) == []
    assert 0 < claim.renewed <= inbox.sent


async def test_whatever_finds_a_lane_lost_voids_its_claim(bot: Bot, claim: Claim) -> None:
    """Also for those who only hold it, such as whoever shows an answer that grows."""
    inbox = bot.inbox("a")
    for act in (
        inbox.open,
        lambda mine: inbox.commit(mine, "reply"),
        lambda mine: inbox.note(mine, Shown()),
    ):
        mine = replace(claim, renewed=clock())
        await bot.redis.xclaim(keys.ready(bot.id), GROUP, "b", 0, [claim.entry])
        with pytest.raises(LaneLost):
            await act(mine)
        with pytest.raises(LaneLost):
            await inbox.hold(mine)


async def test_a_parked_lane_waits_and_goes_on(bot: Bot, claim: Claim) -> None:
    """Nobody can claim it before its time, what comes in waits behind it, and nothing is lost."""
    inbox = bot.inbox("a")
    await inbox.note(claim, Shown(1, (7,)))
    await inbox.park(claim, 3600)
    await bot.put(2)
    await inbox.unpark()
    assert await inbox.take(1, 0.01) == []
    with pytest.raises(LaneLost):
        await inbox.open(claim)
    await bot.redis.zadd(keys.parked(bot.id), {str(LANE): 1})
    await inbox.unpark()
    (again,) = await bot.inbox("b").take(1, 1)
    opened = await bot.inbox("b").open(again)
    assert (opened.head.update, opened.shown) == (update(1), Shown(1, (7,)))
    await bot.inbox("b").done(again)
    (second,) = await inbox.take(1, 1)
    assert (await inbox.open(second)).head.update == update(2)


async def test_the_time_of_a_parked_lane(bot: Bot, claim: Claim) -> None:
    """It is in the queue or parked, never both; and parked for as long as was said."""
    inbox, parked = bot.inbox("a"), keys.parked(bot.id)
    before, _ = await bot.redis.time()
    await inbox.park(claim, 3600)
    assert await bot.redis.xlen(keys.ready(bot.id)) == 0
    seconds, microseconds = await bot.redis.time()
    now = seconds * 1000 + microseconds // 1000
    (due,) = await bot.redis.zmscore(parked, [str(LANE)])
    assert due
    assert before * 1000 <= due - 3_600_000 <= now
    for moved, waits in ((5000, 1), (-5, 0)):
        await bot.redis.zadd(parked, {str(LANE): now + moved})
        await inbox.unpark()
        assert await bot.redis.zcard(parked) == waits
        assert await bot.redis.xlen(keys.ready(bot.id)) == 1 - waits


async def test_who_lost_a_lane_parks_nothing(bot: Bot, claim: Claim) -> None:
    """Its owner goes on with it."""
    await bot.redis.xclaim(keys.ready(bot.id), GROUP, "b", 0, [claim.entry])
    await bot.inbox("a").park(claim, 3600)
    assert not await bot.redis.exists(keys.parked(bot.id))
    assert (await bot.inbox("b").open(claim)).head.update == update(1)


async def test_parked_lanes_go_on_when_the_clock_went_back(bot: Bot, claim: Claim) -> None:
    """Else an hour's step would keep them for an hour."""
    inbox, lanes = bot.inbox("a"), [LANE, ChatKey(21), ChatKey(22)]
    for number, lane in enumerate(lanes[1:], 50):
        await bot.put(number, lane=lane)
    for one in [claim, *await inbox.take(2, 1)]:
        await inbox.park(one, 3600)
    inbox._server_time = 2**40
    await inbox.watch_clock()
    await inbox.unpark()
    assert {found.lane for found in await inbox.take(3, 1)} == {*lanes}


async def test_many_silent_lanes_are_all_found(bot: Bot) -> None:
    """A worker gets as many as it asked for, also from behind others that are alive."""
    for number in range(60):
        await bot.put(number, lane=ChatKey(1 + number))
    claims = await bot.inbox("a").take(60, 1)
    entries: Any = [claim.entry for claim in claims]
    await bot.redis.xclaim(keys.ready(bot.id), GROUP, "a", 0, entries, idle=600_000, justid=True)
    await bot.inbox("a").beat(claims[2:55])
    inbox = bot.inbox("b", lease=300)
    assert await inbox.stale(1) == claims[:1]
    assert await inbox.stale(3) == [claims[1], *claims[55:57]]
    assert await inbox.stale(1) == claims[57:58]
    assert await inbox.stale(5) == claims[58:]


async def test_a_worker_may_leave(bot: Bot, claim: Claim) -> None:
    """What it had is anybody's at once; its name is gone when nothing is under it any more."""
    await bot.inbox("a").leave()
    assert await bot.inbox("b").stale(1) == [claim]
    await bot.inbox("a").leave()
    consumers = await bot.redis.xinfo_consumers(keys.ready(bot.id), GROUP)
    assert [consumer["name"] for consumer in consumers] == ["b"]
    assert (await bot.inbox("b").open(claim)).claims == 2


async def test_who_leaves_looks_for_its_own(bot: Bot, claim: Claim) -> None:
    """Others may have so many lanes that its own would not be among the first."""
    await bot.put(3, lane=OTHER)
    (other,) = await bot.inbox("b").take(1, 1)
    for name, one in (("a", claim), ("b", other)):
        pending = await bot.inbox(name)._pending()
        assert [entry["message_id"] for entry in pending] == [one.entry]


async def test_names_of_the_dead_are_swept(bot: Bot, claim: Claim) -> None:
    """A worker that leaves takes old names with it, but none that has a lane."""
    assert await bot.inbox("b").take(1, 0.001) == []
    await bot.inbox("d").leave()
    assert len(await bot.redis.xinfo_consumers(keys.ready(bot.id), GROUP)) == 2
    await bot.inbox("c", sweep=-1).leave()
    consumers = await bot.redis.xinfo_consumers(keys.ready(bot.id), GROUP)
    assert [consumer["name"] for consumer in consumers] == ["a"]
    assert (await bot.inbox("a").open(claim)).head.update == update(1)


async def test_a_clock_that_goes_back(bot: Bot, claim: Claim) -> None:
    """Claims made in what is now the future are made anew, so that they can grow stale."""
    inbox = bot.inbox("b")
    with capture_logs() as logs:
        for _ in range(3):  # within one second, most of them
            await inbox.watch_clock()
        assert logs == []
        hour_ms = 3_600_000
        await bot.redis.xclaim(
            keys.ready(bot.id),
            GROUP,
            "a",
            0,
            [claim.entry],
            time=(inbox._server_time * 1000) + hour_ms,
            justid=True,
        )
        inbox._server_time += hour_ms // 1000
        await inbox.watch_clock()
    assert [entry["event"] for entry in logs] == ["clock_went_back"]
    (pending,) = await bot.redis.xpending_range(keys.ready(bot.id), GROUP, "-", "+", 9)
    assert (pending["consumer"], pending["times_delivered"]) == ("a", 1)
    await bot.inbox("a").leave()
    assert await inbox.stale(1) == [claim]


async def test_more_beats_than_one_script_takes(bot: Bot) -> None:
    """Thousands of lanes are renewed in several scripts."""
    claims = [Claim(f"{number}-1", LANE, 0.0) for number in range(1001)]
    assert await bot.inbox().beat(claims) == claims


# Work


async def test_a_reply_is_kept_once(bot: Bot, claim: Claim) -> None:
    """Repeated, or made again by a later owner, it changes neither history nor usage."""
    history, kept = History(bot.redis, bot.id), Kept(EXCHANGE, 0, 10, 20, model="gpt://f/m")
    with capture_logs() as logs:
        for reply in ("first", "first", "other"):
            await bot.inbox().commit(claim, reply, kept)
    assert logs == []
    await bot.inbox().leave()
    await bot.inbox("b").stale(1)
    await bot.inbox("b").commit(claim, "third", kept)
    opened = await bot.inbox("b").open(claim)
    assert (opened.reply, opened.shown, opened.claims) == ("first", Shown(), 2)
    assert (await history.newest(LANE, 10_000)).exchanges == (EXCHANGE,)
    usage = await bot.redis.hgetall(keys.usage(bot.id, LANE))
    counted = {"answers": "1", "prompt_tokens": "10", "completion_tokens": "20"}
    of_the_model = {f"completion:gpt://f/m:{field}": number for field, number in counted.items()}
    assert usage == counted | of_the_model


async def test_usage_that_cannot_be_counted(bot: Bot, claim: Claim) -> None:
    """The answer is kept all the same, and the log says so."""
    await bot.redis.set(keys.usage(bot.id, LANE), "word")
    with capture_logs() as logs:
        await bot.inbox().commit(claim, "reply", Kept(EXCHANGE, 0, 10, 20))
    assert [log["event"] for log in logs] == ["usage_not_counted"]
    assert (await bot.inbox().open(claim)).reply == "reply"


async def test_a_history_is_forgotten_once(bot: Bot, claim: Claim) -> None:
    """Repeated, it does not touch what was said meanwhile."""
    said = keys.history(bot.id, ChatKey(77))
    for message in ("before", "after"):
        await bot.redis.rpush(said, message)
        await bot.inbox().commit(claim, "forgotten", Forgotten(ChatKey(77)))
    assert await bot.redis.lrange(said, 0, -1) == ["after"]
    assert await bot.redis.get(keys.epoch(bot.id, ChatKey(77))) == "1"


async def test_a_lost_lane_cannot_be_written_to(bot: Bot, claim: Claim) -> None:
    """Each script of a worker that lost its lane finds itself refused, and leaves no trace."""
    await bot.inbox("a").leave()
    await bot.inbox("b").stale(1)
    late = bot.inbox("a")
    writes: list[Callable[[], Awaitable[object]]] = [
        lambda: late.open(claim),
        lambda: late.commit(claim, "reply", Kept(EXCHANGE, 0, 1, 1)),
        lambda: late.commit(claim, "reply", Forgotten(LANE)),
        lambda: late.note(claim, Shown(1, (5,))),
        lambda: late.failed(claim, "reason"),
    ]
    for write in writes:
        with pytest.raises(LaneLost):
            await write()
    await late.done(claim, "reason")
    assert await bot.waiting() == 2
    for key in (keys.outbox, keys.history, keys.usage):
        assert not await bot.redis.exists(key(bot.id, LANE))
    assert await DeadLetters(bot.redis, bot.id).all() == []


async def test_what_was_joined_goes_with_the_head(bot: Bot, claim: Claim) -> None:
    """Those that follow can be looked at, and dealt with by the same reply."""
    await bot.put(3, 4)
    inbox = bot.inbox()
    assert [one.update for one in await inbox.following(claim, 2)] == [update(2), update(3)]
    await inbox.joined(claim, 2)
    await inbox.done(claim, "all of them")
    (claim,) = await inbox.take(1, 1)
    assert (await inbox.open(claim)).head.update == update(4)
    letters = await DeadLetters(bot.redis, bot.id).all()
    assert [letter.update for letter in letters] == [update(1), update(2), update(3)]


async def test_done_twice_is_done_once(bot: Bot, claim: Claim) -> None:
    """A repeated end, after a lost reply, does not end what follows."""
    await bot.inbox().done(claim)
    await bot.inbox().done(claim)
    assert await bot.waiting() == 1
    (following,) = await bot.inbox().take(1, 1)
    await bot.inbox().done(claim)
    assert (await bot.inbox().open(following)).head.update == update(2)


async def test_nothing_is_left_of_what_is_done(bot: Bot, claim: Claim) -> None:
    """When a lane is empty again, only the numbers that were seen remain."""
    inbox = bot.inbox()
    await bot.put(3, interrupts=True)
    for _ in range(3):
        await inbox.commit(claim, "reply")
        await inbox.note(claim, Shown(1, (5,)))
        await inbox.failed(claim, "reason")
        await inbox.done(claim)
        claim = next(iter(await inbox.take(1, 0.001)), claim)
    assert sorted(await bot.redis.keys(f"{{{bot.id}}}:*")) == [
        keys.ready(bot.id),
        keys.seen(bot.id),
    ]
    assert await bot.redis.xlen(keys.ready(bot.id)) == 0


async def test_dead_letters(bot: Bot, claim: Claim) -> None:
    """What cannot be dealt with is kept with its reason, up to a bound; its lane goes on."""
    await bot.redis.rpush(keys.dead(bot.id), *map(str, range(MOST - 1)))
    awkward = json.dumps({"update_id": 3, "text": 'кавычки "\\/\x7f\n'}, ensure_ascii=False)
    await bot.inbox().done(claim, "the first")
    (claim,) = await bot.inbox().take(1, 1)
    await bot.inbox().put(Arrival(LANE, 3, awkward))
    await bot.inbox().done(claim, "the second")
    (claim,) = await bot.inbox().take(1, 1)
    await bot.inbox().done(claim, "the third")
    letters = await DeadLetters(bot.redis, bot.id).all()
    assert (len(letters), letters[0].update) == (MOST, "2")
    assert (letters[-1].reason, letters[-1].update) == ("the third", awkward)


async def test_failures_are_counted(bot: Bot, claim: Claim) -> None:
    """Those of the head, with the last one's reason; other notes count none."""
    inbox = bot.inbox()
    await inbox.note(claim, Shown(0, (7,)), "half")
    assert (await inbox.open(claim)).failures == 0
    assert [await inbox.failed(claim, f"reason {number}") for number in range(2)] == [1, 2]
    await inbox.began(claim, 5)
    opened = await inbox.open(claim)
    assert (opened.failures, opened.failure, opened.begun) == (2, "reason 1", 5)
    assert (opened.shown, opened.partial) == (Shown(0, (7,)), "half")
    await inbox.done(claim)
    (claim,) = await inbox.take(1, 1)
    opened = await inbox.open(claim)
    assert (opened.failures, opened.failure, opened.begun) == (0, "", 0)


async def test_how_long_a_head_has_waited(bot: Bot, claim: Claim) -> None:
    """By the server's clock; what cannot be read has not waited, nor has what is not there."""
    now, _ = await bot.redis.time()
    mailbox = keys.mailbox(bot.id, LANE)
    for entry, seconds in ((f"{now - 100} {{}}", 100), ("word", 0)):
        await bot.redis.lset(mailbox, 0, entry)
        assert 0 <= (await bot.inbox().open(claim)).waited - seconds < 10
    await bot.redis.delete(mailbox)
    opened = await bot.inbox().open(claim)
    assert (opened.head.update, opened.waited, opened.reply) == ("", 0, "")


async def test_a_head_that_is_given_up(bot: Bot, claim: Claim) -> None:
    """Of it nothing is known any more but why; who lost the lane notes nothing."""
    inbox = bot.inbox()
    await inbox.note(claim, Shown(1, (7,)), "half")
    await inbox.give_up(claim, "reason", 3)
    opened = await inbox.open(claim)
    assert (opened.head.update, opened.failures, opened.failure) == (update(1), 3, "reason")
    assert (opened.shown, opened.partial) == (Shown(), "")
    await bot.redis.xclaim(keys.ready(bot.id), GROUP, "b", 0, [claim.entry])
    with pytest.raises(LaneLost):
        await bot.inbox().give_up(claim, "another", 9)
    assert (await bot.inbox("b").open(claim)).failures == 3


async def test_a_mailbox_that_is_given_up(bot: Bot, claim: Claim) -> None:
    """Where it is something else, nothing waits there any more, and the reason is known."""
    await bot.redis.delete(keys.mailbox(bot.id, LANE))
    await bot.redis.set(keys.mailbox(bot.id, LANE), "odd")
    await bot.inbox().give_up(claim, "reason", 3)
    opened = await bot.inbox().open(claim)
    assert (opened.head.update, opened.failure) == ("", "reason")


async def test_a_reason_without_an_end(bot: Bot, claim: Claim) -> None:
    """Its first five hundred letters are kept."""
    inbox = bot.inbox()
    await inbox.failed(claim, "x" * 501)
    assert (await inbox.open(claim)).failure == "x" * 500
    await inbox.give_up(claim, "y" * 501, 1)
    assert (await inbox.open(claim)).failure == "y" * 500


async def test_a_dead_letter_is_what_came(bot: Bot) -> None:
    """Also of the one that was too many."""
    await bot.put(*range(51))
    inbox = bot.inbox()
    for number in range(51):
        (claim,) = await inbox.take(1, 1)
        await inbox.done(claim, "odd" if number == 50 else "")
    assert [letter.update for letter in await DeadLetters(bot.redis, bot.id).all()] == [update(50)]


async def test_a_dead_letter_that_cannot_be_written(bot: Bot, claim: Claim) -> None:
    """Where its list is something else, that is set aside, and the head buried."""
    await bot.redis.set(keys.dead(bot.id), "odd")
    await bot.inbox().done(claim, "odd")
    assert [letter.update for letter in await DeadLetters(bot.redis, bot.id).all()] == [update(1)]
    assert await bot.waiting() == 1


async def test_who_waits_long_is_told_of_once(bot: Bot, claim: Claim) -> None:
    """Of each lane the head, in work or not, to one caller; the next head is not told again."""
    await bot.put(3, lane=OTHER)
    assert await bot.inbox("a").overdue(3600, 9) == []
    told = [(late.lane, late.head.update) for late in await bot.inbox("a").overdue(0, 9)]
    assert told == [(LANE, update(1)), (OTHER, update(3))]
    assert await bot.inbox("b").overdue(0, 9) == []
    await bot.inbox("a").done(claim)
    assert await bot.inbox("b").overdue(0, 9) == []


async def test_all_who_wait_long_are_found(bot: Bot) -> None:
    """However many there are, some at a time; who could not be told comes again."""
    inbox, found, all_of_them = bot.inbox(), list[Late](), range(1, 2 * MOST_LOOKED_AT + 50)
    await inbox.put(*(Arrival(ChatKey(number), number, update(number)) for number in all_of_them))
    for _ in range(12):
        some = await inbox.overdue(0, 300)
        assert len(some) <= 300
        found += some
    assert sorted(late.lane.chat_id for late in found) == list(all_of_them)
    late = found[len(found) // 2]
    await inbox.untold(late)
    assert [one for _ in range(4) for one in await inbox.overdue(0, 300)] == [late]


# Faults of the server


@pytest.fixture
async def small() -> AsyncIterator[Redis]:
    """A client of a server that no other test uses."""
    async with own_valkey() as server:
        client = connect(server.url, connections=4)
        yield client
        await client.aclose()


async def test_full_memory_refuses_only_what_comes_in(small: Redis) -> None:
    """Nothing of a refused update is stored, so that it may come again; all work goes on."""
    bot = Bot(small)
    await bot.put(1, 2)
    inbox = bot.inbox()
    assert not await inbox.is_full()
    await small.config_set("maxmemory", "1")
    assert await inbox.is_full()
    with pytest.raises(StorageFull, match="OutOfMemory"):
        await bot.put(3)
    await inbox.begin()
    (claim,) = await inbox.take(1, 1)
    assert (await inbox.open(claim)).claims == 1
    await inbox.failed(claim, "reason")
    await inbox.commit(claim, "reply", Kept(EXCHANGE, 0, 1, 1))
    await inbox.note(claim, Shown(1, (5,)))
    assert await inbox.beat([claim]) == []
    assert len(await inbox.overdue(0, 9)) == 1
    inbox._server_time = 2**40
    await inbox.watch_clock()
    assert len((await History(small, bot.id).newest(LANE, 1000)).exchanges) == 1
    await inbox.done(claim, "reason")
    await inbox.leave()
    await small.config_set("maxmemory", "0")
    assert await bot.put(3) == ["stored"]


async def test_what_is_urgent_comes_in_all_the_same(small: Redis) -> None:
    """Up to a bound for each lane, which others do not share; what is beyond may come again."""
    bot = Bot(small)
    await bot.put(*range(20))
    await small.config_set("maxmemory", "1")
    inbox = bot.inbox()
    urgent = [Arrival(LANE, 100 + number, update(number), number % 2 == 0) for number in range(12)]
    stored = await inbox.put_urgent(*urgent, Arrival(OTHER, 200, update(200)))
    assert stored == ["stored"] * 10 + ["full"] * 2 + ["stored"]
    assert await inbox.put_urgent(*urgent) == ["known"] * 10 + ["full"] * 2
    await inbox.begin()
    for claim in await inbox.take(2, 1):
        assert len((await inbox.open(claim)).interrupts) == (10 if claim.lane == LANE else 0)
    await small.config_set("maxmemory", "0")
    assert await inbox.is_full()  # for a while: something small would have fitted all the time
    assert await bot.put(110, lane=LANE) == ["stored"]


async def test_what_is_forgotten_makes_room(small: Redis) -> None:
    """Of a conversation that is forgotten for good nothing stays, nor of one forgotten before."""
    bot = Bot(small)
    inbox = bot.inbox()
    await inbox.begin()
    await small.rpush(keys.history(bot.id, LANE), "x" * 1000)
    await small.rpush(keys.forgotten(bot.id, LANE), "x" * 1000)
    await bot.put(1)
    (claim,) = await inbox.take(1, 1)
    await inbox.commit(claim, "reply", Forgotten(LANE, for_good=True))
    assert not await small.exists(keys.history(bot.id, LANE), keys.forgotten(bot.id, LANE))
    assert await small.get(keys.epoch(bot.id, LANE)) == "1"


async def test_a_server_that_lost_everything(bot: Bot, claim: Claim) -> None:
    """What waits on a lane of the old data waits for the group, and then finds the lane lost."""
    inbox = bot.inbox(storage_pauses=(0.01,))
    await bot.redis.delete(*await bot.redis.keys(f"{{{bot.id}}}:*"))
    opening = asyncio.ensure_future(inbox.open(claim))
    with pytest.raises(StorageUnavailable, match="NOGROUP"):
        await inbox.take(1, 0.001)
    assert not opening.done()
    await bot.put(3)
    await inbox.begin()
    await inbox.begin()
    with pytest.raises(LaneLost):
        await asyncio.wait_for(opening, 60)
    assert [found.lane for found in await inbox.take(1, 1)] == [LANE]


async def test_no_server() -> None:
    """Whatever does not wait tells that storage is away."""
    client = connect("redis://127.0.0.1:1", connections=16)
    inbox, arrival = Inbox(client, 5, "a"), Arrival(LANE, 1, "{}")
    found = await asyncio.gather(
        inbox.begin(),
        inbox.put(arrival),
        inbox.put_urgent(arrival),
        inbox.check_room(),
        inbox.take(1, 0.01),
        inbox.stale(1),
        inbox.mine([]),
        inbox.beat([Claim("1-1", LANE, 0.0)]),
        inbox.leave(),
        inbox.overdue(0, 9),
        inbox.untold(Late(LANE, Entry("{}", flood=False))),
        inbox.unpark(),
        inbox.watch_clock(),
        anext(inbox.interruptions()),
        return_exceptions=True,
    )
    await client.aclose()
    assert {type(one) for one in found} == {StorageUnavailable}


async def test_a_server_that_dies() -> None:
    """Who listens to it is told."""
    async with own_valkey() as server:
        client = connect(server.url, connections=2)
        heard = Bot(client).inbox().interruptions()
        assert await anext(heard) == NOBODY
        server.kill()
        with pytest.raises(StorageUnavailable):
            await asyncio.wait_for(anext(heard), 20)
        await client.aclose()


async def limited(owner: Any, *rights: str) -> Redis:
    """A client of a user who may do all but some things, on the same server."""
    given = ("reset", "on", ">pw", "~*", "&*", "+@all", *rights)
    await owner.execute_command("ACL", "SETUSER", "bot", *given)
    path = owner.connection_pool.connection_kwargs["path"]
    return connect(f"unix://{path}?username=bot&password=pw", connections=1)


async def test_who_may_not_leave(small: Redis) -> None:
    """A right that is missing is told as trouble with storage."""
    bot = Bot(small)
    await bot.inbox().begin()
    client = await limited(small, "-xinfo")
    with pytest.raises(StorageRefused):
        await Inbox(client, bot.id, "a").leave()
    await client.aclose()


async def test_what_is_whole_is_not_set_aside(small: Redis) -> None:
    """A key that is what it must be stays, whatever else is refused."""
    bot, group = Bot(small), ChatKey(-7)
    await bot.inbox().begin()
    await bot.put(1, 2)
    (claim,) = await bot.inbox().take(1, 1)
    await bot.inbox().failed(claim, "reason")
    await bot.put(3, lane=group)
    await small.rpush(keys.dead(bot.id), "letter")
    await small.zadd(keys.parked(bot.id), {"9": 1})
    for name in (keys.state(bot.id, LANE), keys.successors(bot.id), keys.outbox(bot.id, group)):
        await small.hset(name, "8", "9")
    before = {name: await small.dump(name) for name in await small.keys("*")}
    client = await limited(
        small, "-zrange", "-zremrangebyscore", "-zrangebyscore", "-xpending", "-hmget"
    )
    inbox = Inbox(client, bot.id, "a")
    for call in (
        inbox.put(Arrival(LANE, 4, "{}"), Arrival(group, 5, "{}")),
        inbox.check_room(),
        inbox.unpark(),
        inbox.done(claim),
        inbox.park(claim, 60),
        inbox.inherit(claim, group.chat_id),
        inbox.successors([8]),
    ):
        with pytest.raises(StorageRefused):
            await call
    assert {name: await small.dump(name) for name in await small.keys("*")} == before
    await client.aclose()


@pytest.mark.parametrize("first", [True, False])
async def test_what_is_damaged_is_set_aside(bot: Bot, first: bool) -> None:
    """One mailbox does not keep what comes in from the others, nor do the numbers seen."""
    inbox, lanes = bot.inbox(), [LANE, OTHER][:: 1 if first else -1]
    await bot.redis.set(keys.mailbox(bot.id, LANE), "odd")
    await inbox.put(*(Arrival(lane, lane.chat_id % 9, "{}") for lane in lanes))
    for call in (inbox.check_room, lambda: inbox.put(Arrival(LANE, 7, "{}"))):
        await bot.redis.delete(keys.seen(bot.id))
        await bot.redis.set(keys.seen(bot.id), "odd")
        await call()
    await bot.redis.set(keys.parked(bot.id), "odd")
    await inbox.unpark()
    assert await bot.redis.type(keys.parked(bot.id)) == "none"
    assert await bot.waiting() == 2
    assert await bot.waiting(OTHER) == 1


async def test_a_key_of_another_type(bot: Bot) -> None:
    """A group that cannot be made is told as any other trouble with storage."""
    await bot.redis.delete(keys.ready(bot.id))
    await bot.redis.set(keys.ready(bot.id), "odd")
    with pytest.raises(StorageUnavailable, match="WRONGTYPE"):
        await bot.inbox().begin()


async def test_a_lane_that_nobody_can_read(bot: Bot) -> None:
    """Its damaged keys hide no other lane from who looks at all of them."""
    lanes = [ChatKey(1), ChatKey(2), ChatKey(3), OTHER]
    for number, lane in enumerate(lanes, 1):
        await bot.put(number, lane=lane)
    await bot.redis.set(keys.mailbox(bot.id, lanes[0]), "word")
    await bot.redis.lset(keys.mailbox(bot.id, lanes[1]), 0, "word")
    await bot.redis.set(keys.outbox(bot.id, lanes[2]), "word")
    for damaged in (keys.dead(bot.id), keys.parked(bot.id)):
        await bot.redis.set(damaged, "word")
    assert [late.lane for late in await bot.inbox().overdue(0, 9)] == [OTHER]
    count = await Census(bot.redis, bot.id).count()
    assert (count.waiting, count.dead) == (4, 0)
