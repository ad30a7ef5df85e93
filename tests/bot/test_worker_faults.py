"""Workers in trouble: storage away or emptied, lanes taken from them, handlers that fail oddly."""

import asyncio
import itertools
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs
from telegram.error import TelegramError

from bot.interruptions import MOST_ANNOUNCED, Interruptions, Lane
from bot.worker import MOST_DEATHS, MOST_FAILURES, TRUSTED_CLAIMS, Worker
from handlers.dispatch import Dispatch
from handlers.incoming.parsing import Unreadable
from handlers.outgoing.pacing import Shed
from handlers.turn.turn import Turn
from storage import keys
from storage.arrivals import GROUP, Arrival
from storage.budget import Frozen
from storage.dead import DeadLetters
from storage.inbox import Inbox
from storage.lane import Claim, Entry, Late, Opened, Shown
from storage.message import ChatKey
from storage.server.connect import StorageUnavailable, connect
from storage.timing import Timing, clock
from tests.valkey import own_valkey

LANE, OTHER = ChatKey(5), ChatKey(6)
HURRIED = Timing(storage_pauses=(0.01,), take=0.1, tick=0.02, failure=0.001)
BEATING = replace(HURRIED, lease=0.3)  # beats three times as often
IMPATIENT = replace(HURRIED, late=0)
UNBEATEN = replace(HURRIED, lease=180)  # no beat falls into a test

_bot_ids = itertools.count(8_900_000)


class Handlers(Dispatch):
    """Handles nothing, but notes it; ``work`` is what a test makes of an update."""

    def __init__(self) -> None:
        self.handled: dict[str, list[int]] = defaultdict(list)
        self.apologized: list[int] = []
        self.late: list[int] = []
        self.turns: list[Turn] = []
        self.work: Callable[[int, Turn], Awaitable[object]] = lambda _, __: asyncio.sleep(0)
        self.trouble: Exception | None = None

    async def handle(self, update: str, turn: Turn) -> None:
        raw = json.loads(update)
        self.turns.append(turn)
        await self.work(raw["update_id"], turn)
        self.handled[raw["lane"]].append(raw["update_id"])

    async def apologize(self, update: str, turn: Turn) -> None:
        self.apologized.append(json.loads(update)["update_id"])
        self._fail()

    async def tell_late(self, update: str, *_chosen: object) -> None:
        self.late.append(json.loads(update)["update_id"])
        self._fail()

    def most_bytes(self) -> int:
        """Read no history."""
        return 0

    async def may_interrupt(self, update: str, turn: Turn) -> bool:
        self._fail()
        return True

    def _fail(self) -> None:
        if self.trouble:
            raise self.trouble

    def all(self) -> list[int]:
        """All updates handled, lane by lane."""
        return [number for numbers in self.handled.values() for number in numbers]


class Bot:
    """A bot of a test's own."""

    def __init__(self, redis: Redis) -> None:
        self.redis, self.id = redis, next(_bot_ids)
        self.handlers = Handlers()

    def inbox(self, name: str = "a", timing: Timing = HURRIED, kind: type[Inbox] = Inbox) -> Inbox:
        """The inbox as a worker sees it."""
        return kind(self.redis, self.id, name, timing)

    def worker(self, inbox: Inbox | None = None, lanes: int = 4) -> Worker:
        """A worker on it."""
        return Worker(inbox or self.inbox(), self.handlers, lanes)

    async def put(self, *numbers: int, lane: ChatKey = LANE, interrupts: bool = False) -> None:
        """Store updates."""
        for number in numbers:
            await self.inbox().put(Arrival(lane, number, _update(number, lane), interrupts))

    async def claims(self) -> int:
        """How many lanes its workers have claimed."""
        return int((await self.redis.xpending(keys.ready(self.id), GROUP))["pending"])

    async def steal(self, lane: ChatKey) -> Claim:
        """Give another worker a lane that this one works on."""
        ready = keys.ready(self.id)
        queued: Any = await self.redis.xrange(ready)
        (entry,) = [entry for entry, fields in queued if fields["lane"] == str(lane)]
        await self.redis.xclaim(ready, GROUP, "b", 0, [entry])
        return Claim(entry, lane, 0.0)


def _update(number: int, lane: ChatKey) -> str:
    return json.dumps({"update_id": number, "lane": str(lane)})


@pytest.fixture
def bot(redis: Redis) -> Bot:
    """A bot nobody has written to yet."""
    return Bot(redis)


async def until(so: Callable[[], object]) -> None:
    """Wait until it is so."""
    async with asyncio.timeout(40):
        while not so():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.005)


async def test_more_is_claimed_than_there_is_room_for(bot: Bot) -> None:
    """Lanes found by several ways wait here, and no more than the bound are worked on."""
    for number in range(20):
        await bot.put(number, lane=ChatKey(number + 1))
    open_now = most = 0
    full = asyncio.Event()

    async def work(_number: int, _turn: Turn) -> None:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        if open_now == 3:
            full.set()
        await full.wait()
        await asyncio.sleep(0.002)
        open_now -= 1

    bot.handlers.work = work
    await bot.inbox().begin()
    await bot.inbox().take(9, 1)  # lanes under its name, from a life before
    with capture_logs() as logs:
        async with bot.worker(lanes=3).working():
            await until(lambda: len(bot.handlers.all()) == 20)
    assert most == 3
    assert {entry["event"] for entry in logs} == {"turn"}


@pytest.mark.parametrize("trouble", [TelegramError("blocked"), Unreadable("odd")])
async def test_an_apology_may_fail(bot: Bot, trouble: Exception) -> None:
    """What is hopeless is buried for its own reason although its person cannot be told."""
    bot.handlers.trouble = trouble

    async def work(number: int, _turn: Turn) -> None:
        if number == 1:
            raise ValueError

    bot.handlers.work = work
    async with bot.worker().working():
        await bot.put(1, 2)
        await until(bot.handlers.all)
    assert bot.handlers.apologized == [1]
    (letter,) = await DeadLetters(bot.redis, bot.id).all()
    assert letter.reason == "failed 3 times: ValueError"


async def test_a_lost_lane_is_written_to(bot: Bot) -> None:
    """Work that finds its lane lost ends, before any beat, and no failure is counted."""
    stolen: list[Claim] = []

    async def work(_number: int, turn: Turn) -> None:
        stolen.append(await bot.steal(LANE))
        await turn.note(Shown(1, (5,)))

    bot.handlers.work = work
    with capture_logs() as logs:
        async with bot.worker(bot.inbox(timing=UNBEATEN)).working():
            await bot.put(1)
            await until(lambda: logs)
    assert [entry["event"] for entry in logs] == ["lane_lost"]
    assert (await bot.inbox("b").open(stolen[0])).failures == 0


async def test_lanes_of_the_dead(bot: Bot) -> None:
    """After a lease without a beat another worker goes on with them."""
    await bot.put(1)
    await bot.inbox().begin()
    assert await bot.inbox("dead").take(1, 1)
    with capture_logs() as logs:
        async with bot.worker(bot.inbox(timing=replace(HURRIED, lease=0.1))).working():
            await until(bot.handlers.all)
    assert "lanes_taken_over" in [entry["event"] for entry in logs]


async def test_a_lane_of_the_dead_is_claimed_once(bot: Bot) -> None:
    """Taking it over counts as one claim, though lanes nobody has heard of are looked for next."""
    await bot.put(1)
    dead = bot.inbox("dead")
    await dead.begin()
    assert await dead.take(1, 1)
    await dead.leave()
    with capture_logs() as logs:
        async with bot.worker().working():
            await until(bot.handlers.all)
    assert [entry["claims"] for entry in logs if entry["event"] == "turn"] == [2]


async def test_no_more_is_claimed_than_there_is_room_for(bot: Bot) -> None:
    """What comes in at once is left to other workers, but for what this one has room for."""
    go = asyncio.Event()
    bot.handlers.work = lambda _number, _turn: go.wait()
    async with bot.worker(lanes=2).working():
        await bot.put(1)
        await until(lambda: bot.handlers.turns)
        others = [(number, ChatKey(number)) for number in range(11, 16)]
        await bot.inbox().put(*(Arrival(lane, n, _update(n, lane)) for n, lane in others))
        await until(lambda: len(bot.handlers.turns) == 2)
        assert await bot.claims() == 2
        go.set()
        await until(lambda: len(bot.handlers.all()) == 6)


async def test_lanes_of_the_dead_are_claimed_only_for_the_room_there_is(bot: Bot) -> None:
    """As many as can be worked on now; none while there is no room."""
    asked, looks, go = list[int](), list[None](), asyncio.Event()

    class Looks(Inbox):
        async def unpark(self) -> None:
            looks.append(None)
            await super().unpark()

        async def stale(self, count: int) -> list[Claim]:
            asked.append(count)
            return await super().stale(count)

    bot.handlers.work = lambda _number, _turn: go.wait()
    async with bot.worker(bot.inbox(kind=Looks), lanes=2).working():
        for free, lane in ((2, LANE), (1, OTHER)):
            await until(lambda: asked)
            assert {*asked} == {free}
            await bot.put(free, lane=lane)
            await until(lambda: len(bot.handlers.turns) == 3 - free)  # noqa: B023 - awaited
            looks.clear()
            await until(lambda: looks)
            asked.clear()
        await until(lambda: len(looks) > 3)
        assert not asked
        go.set()


async def test_what_comes_in_is_begun_at_once(bot: Bot) -> None:
    """Whoever claims it begins it, and does not leave that to the next look for lanes."""
    looked = asyncio.Event()

    class Looks(Inbox):
        async def unpark(self) -> None:
            looked.set()
            await super().unpark()

    timing = replace(HURRIED, tick=60)
    async with bot.worker(bot.inbox(timing=timing, kind=Looks)).working():
        await bot.put(1)
        await until(bot.handlers.all)
    assert not looked.is_set()


async def test_storage_is_emptied_between_two_beats(bot: Bot) -> None:
    """Whoever waits for lanes makes the group anew, and waits for no beat."""
    async with bot.worker(bot.inbox(timing=UNBEATEN)).working():
        await bot.put(1)
        await until(bot.handlers.all)
        await bot.redis.delete(*await bot.redis.keys(f"{{{bot.id}}}:*"))
        await bot.put(2)
        await until(lambda: bot.handlers.all() == [1, 2])


async def test_room_that_is_taken_at_once(bot: Bot) -> None:
    """Where lanes of the dead fill the room as soon as there is some, no more are asked for."""
    go = asyncio.Event()
    bot.handlers.work = lambda _number, _turn: go.wait()
    worker = bot.worker(lanes=1)
    async with worker.working():
        await bot.put(1)
        await until(lambda: bot.handlers.turns)
        await bot.put(2, lane=OTHER)
        claims = await worker._inbox.take(1, 1)
        worker._room.set()  # and before anybody who waits for it goes on:
        worker._start([])
        await asyncio.sleep(0.01)
        worker._room.set()
        worker._start(claims)
        await asyncio.sleep(0.01)
        go.set()
        await until(lambda: {1, 2} <= set(bot.handlers.all()))


async def test_a_mistake_of_ours(bot: Bot) -> None:
    """In one lane it is logged, and the lane is begun again; other lanes go on."""
    broken = asyncio.Event()

    class Broken(Inbox):
        async def done(self, claim: Claim, *args: Any) -> None:
            if claim.lane == LANE and not broken.is_set():
                broken.set()
                raise ZeroDivisionError
            await super().done(claim, *args)

    with capture_logs() as logs:
        async with bot.worker(bot.inbox(kind=Broken)).working():
            await bot.put(1)
            await broken.wait()
            await bot.put(2, lane=OTHER)
            await until(lambda: bot.handlers.all() == [1, 2, 1] or bot.handlers.all() == [1, 1, 2])
            await bot.put(3)
            await until(lambda: 3 in bot.handlers.all())
    assert [entry["chat"] for entry in logs if entry["event"] == "lane_failed"] == [LANE.chat_id]
    assert len([entry for entry in logs if entry["event"] == "turn"]) == 3


async def test_storage_goes_and_comes_back() -> None:
    """What is in hand waits until its end is written; what comes afterwards is taken."""
    async with own_valkey() as server:
        client = connect(server.url, connections=12)
        bot, away = Bot(client), asyncio.Event()
        bot.handlers.work = lambda _number, _turn: away.wait()
        with capture_logs() as logs:
            async with bot.worker(bot.inbox(timing=BEATING), lanes=2).working():
                await bot.put(1)
                await until(lambda: bot.handlers.turns)
                server.kill()
                away.set()
                await until(
                    lambda: {"storage_unavailable", "no_heartbeat"} <= {e["event"] for e in logs}
                )
                await server.start()
                await bot.put(2)
                await until(lambda: len(bot.handlers.all()) == 2)
        assert bot.handlers.all() == [1, 2]
        await client.aclose()


async def test_storage_lost_everything(bot: Bot) -> None:
    """Work that waits for lost data ends, also where there is no room to claim anything else."""
    gone = asyncio.Event()

    async def work(number: int, turn: Turn) -> None:
        if number == 1:
            await gone.wait()
            await turn.note(Shown(1, (5,)))

    bot.handlers.work = work
    async with bot.worker(bot.inbox(timing=BEATING), lanes=1).working():
        await bot.put(1)
        await until(lambda: bot.handlers.turns)
        await bot.redis.delete(*await bot.redis.keys(f"{{{bot.id}}}:*"))
        gone.set()
        await bot.put(2)
        await until(lambda: bot.handlers.all() == [2])


async def test_beats(bot: Bot) -> None:
    """Three in a lease, and the server's clock is looked at with each."""
    watched = list[None]()

    class Watching(Inbox):
        async def watch_clock(self) -> None:
            watched.append(None)
            await super().watch_clock()

    async with bot.worker(bot.inbox(timing=UNBEATEN, kind=Watching)).working():
        await until(lambda: watched)
        await bot.put(1)
        await until(bot.handlers.all)
        assert len(watched) == 1
    async with bot.worker(bot.inbox(timing=BEATING, kind=Watching)).working():
        await until(lambda: len(watched) > 3)


async def test_storage_is_away_at_the_end() -> None:
    """A stop ends all the same, and says what it could not do."""
    async with own_valkey() as server:
        client = connect(server.url, connections=12)
        with capture_logs() as logs:
            async with Bot(client).worker().working():
                server.kill()
        assert "not_given_back" in [entry["event"] for entry in logs]
        await client.aclose()


def _works() -> bool:
    """Tell whether this is work on a lane, and not a look at one."""
    return "Worker._work" in str(asyncio.current_task())


async def _listening(bot: Bot) -> None:
    """Wait until its worker hears of interruptions."""
    async with asyncio.timeout(40):
        while not (await bot.redis.pubsub_numsub(keys.interrupts(bot.id)))[0][1]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@pytest.fixture
async def busy(bot: Bot) -> AsyncIterator[asyncio.Event]:
    """An unbeaten worker whose turns last until they are interrupted, or the event is set."""
    free = asyncio.Event()

    async def work(_number: int, turn: Turn) -> None:
        waits = [asyncio.ensure_future(event.wait()) for event in (turn.interrupted, free)]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()

    bot.handlers.work = work
    async with bot.worker(bot.inbox(timing=UNBEATEN)).working():
        await _listening(bot)
        yield free
        free.set()


async def test_a_command_behind_waiting_questions(bot: Bot, busy: asyncio.Event) -> None:
    """It cuts short the turn in hand and the question between, and no other lane; in order."""
    await bot.put(1, 2)
    await bot.put(4, lane=OTHER)
    await until(lambda: len(bot.handlers.turns) == 2)
    await bot.put(3, interrupts=True)
    await until(lambda: len(bot.handlers.turns) == 4)
    assert bot.handlers.handled == {"5": [1, 2]}
    busy.set()
    await until(lambda: bot.handlers.handled == {"5": [1, 2, 3], "6": [4]})


@pytest.mark.parametrize("trouble", [Unreadable("odd"), TelegramError("down"), ValueError("ours")])
async def test_nobody_can_say_who_may_interrupt(
    bot: Bot, busy: asyncio.Event, trouble: Exception
) -> None:
    """Then nothing is cut short, and the worker goes on."""
    await bot.put(1)
    await until(lambda: bot.handlers.turns)
    bot.handlers.trouble = trouble
    with capture_logs() as logs:
        await bot.put(2, interrupts=True)
        await until(lambda: logs)
    assert [entry["event"] for entry in logs] == ["not_interrupted"]
    assert not bot.handlers.turns[0].interrupted.is_set()
    bot.handlers.trouble = None
    busy.set()
    await until(lambda: bot.handlers.all() == [1, 2])


async def test_a_command_in_a_lost_lane(bot: Bot, busy: asyncio.Event) -> None:
    """What is not ours any more is left alone, and listening goes on."""
    await bot.put(1)
    await until(lambda: bot.handlers.turns)
    await bot.put(2, lane=OTHER)
    await until(lambda: len(bot.handlers.turns) == 2)
    await bot.steal(LANE)
    with capture_logs() as logs:
        await bot.put(3, interrupts=True)
        await bot.put(4, lane=OTHER, interrupts=True)
        await until(lambda: bot.handlers.handled["6"])
    assert "not_interrupted" not in [entry["event"] for entry in logs]
    assert not bot.handlers.turns[0].interrupted.is_set()
    assert not busy.is_set()


@pytest.mark.parametrize(
    "damage", [("HSET", "shown", "0 word"), ("SET", "word"), ("HSET", "begun", "word")]
)
@pytest.mark.usefixtures("busy")
async def test_a_command_where_notes_are_damaged(bot: Bot, damage: tuple[str, ...]) -> None:
    """What cannot be read is left to whoever works on it; other lanes' commands are heard."""
    await bot.put(1)
    await bot.put(2, lane=OTHER)
    await until(lambda: len(bot.handlers.turns) == 2)
    command, *more = damage
    outbox = keys.outbox(bot.id, LANE)
    await bot.redis.delete(outbox)
    await bot.redis.execute_command(command, outbox, *more)  # type: ignore[no-untyped-call]
    with capture_logs() as logs:
        await bot.put(3, interrupts=True)
        await until(lambda: logs)
    assert [entry["event"] for entry in logs] == ["not_interrupted"]
    await bot.put(4, lane=OTHER, interrupts=True)
    await until(lambda: 2 in bot.handlers.all())
    await bot.redis.delete(outbox)


async def test_what_was_announced_is_remembered(bot: Bot) -> None:
    """By lane, and only so many, the newest of them; if it may be any lane's, no list is fresh."""
    inbox, since = bot.inbox(), clock()
    heard = Interruptions(inbox, bot.handlers, {})
    await bot.redis.hset(keys.access(bot.id), "5", "deny 1 1 Ann")
    listening = asyncio.create_task(heard.run())
    await until(lambda: heard.announced(LANE, since))  # any lane's may have been missed
    assert {*await inbox.access.listed("")} == {5}
    since = clock()
    assert not heard.announced(LANE, since)
    lanes = [ChatKey(number) for number in range(1, MOST_ANNOUNCED + 2)]
    for lane in (*lanes[:-1], lanes[0], lanes[-1]):
        await bot.redis.publish(keys.interrupts(bot.id), str(lane))
    await until(lambda: heard.announced(lanes[-1], since))
    assert [heard.announced(lane, since) for lane in lanes[:3]] == [True, False, True]
    assert not heard.announced(lanes[0], clock())
    listening.cancel()


async def test_the_channel_breaks(bot: Bot) -> None:
    """Listening begins anew."""
    listened = 0

    class Broken(Inbox):
        async def interruptions(self) -> AsyncIterator[tuple[ChatKey | None, Entry | None]]:
            nonlocal listened
            listened += 1
            if listened == 1:
                raise StorageUnavailable("cut")
            async for told in super().interruptions():
                yield told

    async with bot.worker(bot.inbox(kind=Broken)).working():
        await until(lambda: listened == 2)


async def test_the_channel_stays_broken(bot: Bot) -> None:
    """It is tried again after the longest of the pauses only, and work goes on meanwhile."""
    listened = 0

    class Broken(Inbox):
        async def interruptions(self) -> AsyncIterator[tuple[ChatKey | None, Entry | None]]:
            nonlocal listened
            listened += 1
            await asyncio.sleep(0)
            raise StorageUnavailable("cut")
            yield LANE, None

    timing = replace(HURRIED, storage_pauses=(0, 0, 60))
    async with bot.worker(bot.inbox(timing=timing, kind=Broken)).working():
        await until(lambda: listened)
        await bot.put(1)
        await until(bot.handlers.all)
    assert listened == 1


async def test_a_command_while_another_lane_is_being_opened(bot: Bot) -> None:
    """It cuts short what it is meant for; what has no turn yet is left alone."""
    go, opening = asyncio.Event(), asyncio.Event()

    class Slow(Inbox):
        async def open(self, claim: Claim, most_bytes: int = 0) -> Opened:
            if _works() and claim.lane == LANE and not opening.is_set():
                opening.set()
                await go.wait()
                await asyncio.sleep(0.05)
            return await super().open(claim, most_bytes)

    bot.handlers.work = lambda number, turn: (
        turn.interrupted.wait() if number == 2 else asyncio.sleep(0)
    )
    with capture_logs() as logs:
        async with bot.worker(bot.inbox(kind=Slow)).working():
            await _listening(bot)
            await bot.put(1)
            await opening.wait()
            await bot.put(2, lane=OTHER)
            await until(lambda: bot.handlers.turns)
            await bot.put(3, lane=OTHER, interrupts=True)
            await until(lambda: bot.handlers.all() == [2, 3])
            await bot.put(4, interrupts=True)
            await bot.put(5, lane=OTHER, interrupts=True)  # heard after the one before it
            await until(lambda: bot.handlers.all() == [2, 3, 5])
            go.set()
            await until(lambda: sorted(bot.handlers.all()) == [1, 2, 3, 4, 5])
    assert {entry["event"] for entry in logs} == {"turn"}
    (first, *_) = [entry for entry in logs if entry["chat"] == LANE.chat_id]
    assert first["took"] >= 0.05


@pytest.mark.parametrize("trouble", [TelegramError("blocked"), Unreadable("odd"), ValueError()])
async def test_who_waits_long_cannot_be_told(bot: Bot, trouble: Exception) -> None:
    """That ends nothing, and is not tried again."""
    bot.handlers.trouble, free = trouble, asyncio.Event()
    bot.handlers.work = lambda _number, _turn: free.wait()
    one, other = (bot.worker(bot.inbox(name, IMPATIENT)) for name in "ab")
    with capture_logs() as logs:
        async with one.working(), other.working():
            await bot.put(1, 2)
            await bot.put(3, lane=OTHER)
            await until(lambda: len(bot.handlers.late) == 2)
            await asyncio.sleep(0.1)
            assert sorted(bot.handlers.late) == [1, 3]
            free.set()
            await until(lambda: len(bot.handlers.all()) == 3)
    told = [entry["log_level"] for entry in logs if entry["event"] == "not_told_late"]
    assert told == ["error" if isinstance(trouble, ValueError) else "info"] * 2


class Pauses(list[float]):
    """Notes how long anybody would have slept, and lets them sleep for next to nothing."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self._sleep = asyncio.sleep
        monkeypatch.setattr(asyncio, "sleep", self)

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)
        await self._sleep(min(seconds, 0.005))

    def among(self, *seconds: float) -> list[float]:
        """Those of such a length, oldest first."""
        return [pause for pause in self if pause in seconds]


async def test_pauses_after_failures(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are doubled; the third failure is the last."""
    pauses = Pauses(monkeypatch)

    async def work(number: int, _turn: Turn) -> None:
        if number == 1:
            raise ValueError("it quotes somebody")

    bot.handlers.work = work
    async with bot.worker(bot.inbox(timing=replace(HURRIED, failure=7))).working():
        await bot.put(1, 2)
        await until(bot.handlers.all)
    assert pauses.among(7, 8, 9, 14, 21, 28, 56, 63) == [14, 28]
    assert len(bot.handlers.turns) == MOST_FAILURES + 1
    (letter,) = await DeadLetters(bot.redis, bot.id).all()
    assert letter.reason == "failed 3 times: ValueError"


async def test_pauses_before_a_suspect(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are doubled up to a bound; before each its beginning is not counted yet."""
    timing = Timing(suspicion=7, longest_suspicion=30)
    await bot.put(1)
    await bot.inbox("0").begin()
    claims = await bot.inbox("0").take(1, 1)
    for life in range(TRUSTED_CLAIMS + 4):
        await bot.inbox(str(life)).open(claims[0])
        await bot.inbox(str(life)).leave()
        claims = await bot.inbox(str(life + 1)).stale(1)
        assert claims
    for begun in range(4):
        pauses = Pauses(monkeypatch)
        inbox = bot.inbox(str(life + 1), timing)
        opened = await inbox.open(claims[0])
        assert opened.begun == begun
        await bot.worker(inbox)._suspect(Lane(claims[0]), opened)
        assert pauses == [[7, 14, 28, 30][begun]]
        monkeypatch.setattr(asyncio, "sleep", pauses._sleep)
    for trusted in (replace(opened, claims=TRUSTED_CLAIMS), replace(opened, begun=MOST_DEATHS)):
        await bot.worker(inbox)._suspect(Lane(claims[0]), trusted)
    assert (await inbox.open(claims[0])).begun == 4


async def test_pauses_while_storage_is_away(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    """They grow to the last, and begin anew after each success; then all goes on."""
    pauses = Pauses(monkeypatch)
    failures = itertools.count()

    class Away(Inbox):
        async def begin(self) -> None:
            task = asyncio.current_task()
            if task and "_take" in str(task.get_coro()) and next(failures) < 4:
                raise StorageUnavailable("away")
            await super().begin()

        async def take(self, count: int, seconds: float) -> list[Claim]:
            if next(failures) in (5, 8):
                raise StorageUnavailable("away again")
            return await super().take(count, seconds)

    timing = replace(UNBEATEN, storage_pauses=(7, 8, 9))
    async with bot.worker(bot.inbox(timing=timing, kind=Away)).working():
        await bot.put(1)
        await until(bot.handlers.all)
        await until(lambda: next(failures) > 9)
    assert pauses.among(7, 8, 9) == [7, 8, 9, 9, 7, 7]


async def test_the_line_of_a_turn(bot: Bot) -> None:
    """One in the log for each: what it was and became, and how long it took."""

    async def work(number: int, turn: Turn) -> None:
        turn.figures["tokens"] = 5
        if number == 2:
            raise Unreadable("odd")

    bot.handlers.work = work
    with capture_logs() as logs:
        async with bot.worker().working():
            await bot.put(1, 2, lane=ChatKey(-5, 7))
            await until(lambda: len([entry for entry in logs if entry["event"] == "turn"]) == 2)
    good, bad = logs
    for line, more in ((good, {"outcome": "done"}), (bad, {"outcome": "dead"})):
        took = line.pop("took")
        assert 0 <= took < 10
        waited = line.pop("waited")
        assert 0 <= waited < 10_000
        assert line.pop("claims") in (1, 2)  # a look for lanes may find one on its way to us
        assert line.items() >= {"chat": -5, "topic": 7, "tokens": 5, **more}.items()
    assert (good["log_level"], bad["log_level"]) == ("info", "warning")
    assert "reason" not in good
    assert bad["reason"] == "unreadable: odd"


async def test_a_frozen_chat(bot: Bot) -> None:
    """Its lane is parked until then; the update is dealt with afterwards."""
    thawed = asyncio.Event()

    async def work(_number: int, _turn: Turn) -> None:
        if not thawed.is_set():
            raise Frozen(0.05)

    bot.handlers.work = work
    with capture_logs() as logs:
        async with bot.worker(lanes=1).working():
            await bot.put(1)
            await until(lambda: logs)
            assert logs[0]["event"] == "parked"
            await bot.put(2, lane=OTHER)
            thawed.set()
            await until(lambda: len(bot.handlers.all()) == 2)
    assert not await bot.redis.exists(keys.parked(bot.id))
    assert sorted(bot.handlers.all()) == [1, 2]


async def test_a_chat_that_stays_frozen(bot: Bot) -> None:
    """Its lane is given up, and nobody tries it again before its time."""
    tried: list[int] = []

    async def work(number: int, _turn: Turn) -> None:
        if number == 1:
            tried.append(number)
            raise Frozen(600)

    bot.handlers.work = work
    with capture_logs() as logs:
        async with bot.worker(lanes=1).working():
            await bot.put(1)
            await until(lambda: logs)
            for number in range(2, 6):
                await bot.put(number, lane=OTHER)
                await until(lambda: number in bot.handlers.all())  # noqa: B023 - awaited
                await asyncio.sleep(2 * HURRIED.tick)
    assert [entry["event"] for entry in logs] == ["parked", *["turn"] * 4]
    assert await bot.redis.zrange(keys.parked(bot.id), 0, -1) == [str(LANE)]
    assert tried == [1]


async def test_a_group_that_moves(bot: Bot) -> None:
    """What is in hand hears of a stop in the supergroup, even if that is done with by then."""
    group, supergroup = ChatKey(-5), ChatKey(-1_000_000_000_005)
    moved = asyncio.Event()

    class Slow(Inbox):
        async def interruptions(self) -> AsyncIterator[tuple[ChatKey | None, Entry | None]]:
            async for told in super().interruptions():
                if told[0] == supergroup:
                    await until(lambda: 3 in bot.handlers.all())
                yield told

    async def work(number: int, turn: Turn) -> None:
        if number == 1:
            turn.follow(supergroup.chat_id)
            moved.set()
            await turn.interrupted.wait()

    bot.handlers.work = work
    async with bot.worker(bot.inbox(kind=Slow)).working():
        await _listening(bot)
        await bot.put(9, lane=OTHER)
        await bot.put(1, lane=group)
        await moved.wait()
        await bot.put(3, lane=supergroup, interrupts=True)
        await until(lambda: sorted(bot.handlers.all()) == [1, 3, 9])
    assert await bot.inbox().successors({group.chat_id, OTHER.chat_id}) == {supergroup.chat_id}


async def test_a_kept_reply_is_damaged(bot: Bot) -> None:
    """It is given up: the update is dead, and what comes behind it is dealt with."""
    await bot.put(1, 2)
    await bot.redis.hset(keys.outbox(bot.id, LANE), "reply", "{")
    async with bot.worker().working():
        await until(lambda: bot.handlers.all() == [2])
    (letter,) = await DeadLetters(bot.redis, bot.id).all()
    assert "JSONDecodeError" in letter.reason
    assert bot.handlers.apologized == [1]


async def test_a_head_that_cannot_be_read(bot: Bot) -> None:
    """Where nothing helps it is dead at once, and what comes behind it is dealt with."""
    tries = itertools.count()

    class Broken(Inbox):
        async def open(self, claim: Claim, most_bytes: int = 0) -> Opened:
            if _works() and next(tries) < 2:
                raise ValueError("it quotes somebody")
            return await super().open(claim, most_bytes)

    await bot.put(1, 2)
    async with bot.worker(bot.inbox(kind=Broken)).working():
        await until(lambda: bot.handlers.all() == [2])
    (letter,) = await DeadLetters(bot.redis, bot.id).all()
    assert letter.reason == "ValueError"
    assert not bot.handlers.apologized


async def test_a_stop_that_waits_already(bot: Bot) -> None:
    """Work that it cuts short does not even begin before that is known."""
    cut: list[bool] = []

    async def work(_number: int, turn: Turn) -> None:
        cut.append(turn.interrupted.is_set())

    bot.handlers.work = work
    await bot.put(1)
    await bot.put(2, interrupts=True)
    async with bot.worker().working():
        await until(lambda: len(cut) == 2)
    assert cut == [True, False]


async def test_neither_room_nor_storage_for_a_notice(bot: Bot) -> None:
    """Whoever could not be told ends nothing, and others are told."""
    free = asyncio.Event()
    bot.handlers.trouble, bot.handlers.work = Shed(), lambda _number, _turn: free.wait()
    asked = asyncio.Event()

    class Away(Inbox):
        async def untold(self, late: Late) -> None:
            asked.set()
            raise StorageUnavailable("away")

    async with bot.worker(bot.inbox(timing=IMPATIENT, kind=Away)).working():
        await bot.put(1)
        await asyncio.wait_for(asked.wait(), 30)
        bot.handlers.trouble = None
        await bot.put(2, lane=OTHER)
        await until(lambda: 2 in bot.handlers.late)
        free.set()
        await until(lambda: len(bot.handlers.all()) == 2)
