"""Workers on a real inbox, with handlers that do as each test wants."""

import asyncio
import itertools
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.notices import MOST_NOTICES
from bot.worker import MOST_CLAIMED, MOST_DEATHS, TRUSTED_CLAIMS, Worker
from handlers.incoming.parsing import Unreadable
from handlers.outgoing.pacing import Shed
from handlers.rendering.markup import Chunk
from handlers.turn.reply import Reply
from handlers.turn.turn import Turn
from storage import keys
from storage.arrivals import Arrival
from storage.chats import ChatRecord
from storage.dead import DeadLetters
from storage.inbox import Inbox
from storage.lane import Claim, Entry
from storage.message import ChatKey
from storage.server.connect import StorageUnavailable
from storage.timing import Timing

_bot_ids = itertools.count(8_700_000)
_update_ids = itertools.count(1)

HURRIED = Timing(tick=0.05, failure=0.01)
IMPATIENT = replace(HURRIED, late=0)

Deal = Callable[[dict[str, Any], Turn], Awaitable[None]]


class Handlers:
    """Stands in for `Dispatch`: deals with updates as it is told, and keeps what it saw."""

    def __init__(self, deal: Deal) -> None:
        self._deal = deal
        self.handled: list[tuple[int, Any]] = []
        self.apologies: list[Any] = []
        self.late: list[Any] = []
        self.tell: Callable[[], Awaitable[None]] = at_once
        self.slow = asyncio.Event()
        self.given_up = 0

    async def handle(self, update: str, turn: Turn) -> None:
        """Deal with an update, and note it if that succeeds."""
        fields = json.loads(update)
        await self._deal(fields, turn)
        self.handled.append((fields["chat"], fields["text"]))

    async def apologize(self, update: str, turn: Turn) -> None:
        """Note an apology."""
        self.apologies.append(json.loads(update)["text"])
        await turn.keep(Reply([Chunk("sorry", ())]))

    async def tell_late(self, update: str, *_chosen: object) -> None:
        """Note who was told."""
        self.late.append(json.loads(update)["text"])
        await self.tell()

    def most_bytes(self) -> int:
        """Read no history."""
        return 0

    async def may_interrupt(self, update: str, turn: Turn) -> bool:
        """Obey a stop, and refuse what else there is, in one way or another."""
        match json.loads(update)["text"]:
            case "/stop":
                return True
            case "/odd":
                raise Unreadable("odd")
            case "/slow":  # as Telegram may be to say who rules a group
                try:
                    await self.slow.wait()
                except asyncio.CancelledError:
                    self.given_up += 1
                    raise
        return False


class House:
    """One bot's inbox, and workers on it."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self.bot_id = next(_bot_ids)
        self.dead = DeadLetters(redis, self.bot_id)
        self._door = Inbox(redis, self.bot_id, "door")

    async def put(self, chat: int, *texts: Any, topic: int = 0) -> None:
        """Let updates come in together."""
        await self._door.put(
            *(
                Arrival(
                    ChatKey(chat, topic),
                    next(_update_ids),
                    json.dumps({"chat": chat, "text": text}),
                    str(text).startswith("/"),
                )
                for text in texts
            )
        )

    @asynccontextmanager
    async def worker(
        self, handlers: Handlers, lanes: int = 8, timing: Timing = HURRIED
    ) -> AsyncIterator[Worker]:
        """Let a worker work while the block runs."""
        inbox = Inbox(self.redis, self.bot_id, f"worker-{next(_update_ids)}", timing)
        worker = Worker(inbox, handlers, lanes)  # type: ignore[arg-type]
        async with worker.working():
            yield worker

    async def empty(self) -> bool:
        """Tell whether nothing waits or is in work."""
        return not await self.redis.xlen(f"{{{self.bot_id}}}:ready")


@pytest.fixture
def house(redis: Redis) -> House:
    """A new bot's."""
    return House(redis)


async def until(condition: Callable[[], Any]) -> None:
    """Wait for a condition, which may have to be awaited."""
    async with asyncio.timeout(40):
        while True:
            met = condition()
            if await met if asyncio.iscoroutine(met) else met:
                return
            await asyncio.sleep(0.01)


async def at_once(*_: Any) -> None:
    """Deal with anything."""


async def test_order_within_a_conversation(house: House) -> None:
    """Whatever each takes and whoever works, a lane's updates are dealt with as they came."""
    busy: set[int] = set()

    async def deal(update: dict[str, Any], _turn: Turn) -> None:
        assert update["chat"] not in busy
        busy.add(update["chat"])
        await asyncio.sleep(random.uniform(0, 0.003))
        busy.remove(update["chat"])

    handlers = Handlers(deal)
    async with house.worker(handlers), house.worker(handlers):
        for number in range(120):
            await house.put(number % 7 + 1, number)
        await until(lambda: len(handlers.handled) == 120)
    for chat in range(1, 8):
        numbers = [number for where, number in handlers.handled if where == chat]
        assert numbers == sorted(numbers)


async def test_a_slow_conversation_holds_up_no_other(house: House) -> None:
    """One waits for ever, the others are dealt with."""
    stuck = asyncio.Event()

    async def deal(update: dict[str, Any], _turn: Turn) -> None:
        if update["chat"] == 1:
            await stuck.wait()

    handlers = Handlers(deal)
    async with house.worker(handlers, lanes=2):
        for number in range(5):
            await house.put(1, number)
        for chat in (2, 3, 4):
            await house.put(chat, "quick")
        await until(lambda: len(handlers.handled) == 3)
        stuck.set()
        await until(lambda: len(handlers.handled) == 8)


async def test_no_more_than_lanes_at_once(house: House) -> None:
    """All lanes are used, the bound holds, and all are dealt with."""
    now = most = 0
    full = asyncio.Event()

    async def deal(_update: dict[str, Any], _turn: Turn) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        if now == 3:
            full.set()
        await full.wait()
        await asyncio.sleep(0.005)
        now -= 1

    handlers = Handlers(deal)
    async with house.worker(handlers, lanes=3):
        for chat in range(1, 31):
            await house.put(chat, "hi")
        await until(lambda: len(handlers.handled) == 30)
    assert most == 3


async def test_what_fails_is_tried_again(house: House) -> None:
    """A failure or two are nothing that anybody hears of."""
    failures = itertools.count()

    async def deal(_update: dict[str, Any], _turn: Turn) -> None:
        if next(failures) < 2:
            raise ZeroDivisionError

    handlers = Handlers(deal)
    async with house.worker(handlers):
        await house.put(1, "hi")
        await until(lambda: handlers.handled)
    assert not handlers.apologies
    assert await house.dead.all() == []


async def test_what_fails_three_times_is_buried(house: House) -> None:
    """Its person is told, it becomes a dead letter with the reason, and its chat goes on."""

    async def deal(update: dict[str, Any], _turn: Turn) -> None:
        if update["text"] == "poison":
            raise ZeroDivisionError("three times")

    handlers = Handlers(deal)
    async with house.worker(handlers):
        await house.put(1, "poison")
        await house.put(1, "next")
        await until(lambda: handlers.handled)
    assert handlers.apologies == ["poison"]
    (letter,) = await house.dead.all()
    assert "3 times" in letter.reason
    assert "ZeroDivisionError" in letter.reason
    assert json.loads(letter.update)["text"] == "poison"


async def test_what_cannot_be_read_is_buried_at_once(house: House) -> None:
    """There is nobody to be told, and no sense in trying again."""

    async def deal(update: dict[str, Any], _turn: Turn) -> None:
        if update["text"] == "odd":
            raise Unreadable("odd")

    handlers = Handlers(deal)
    async with house.worker(handlers):
        await house.put(1, "odd")
        await house.put(1, "next")
        await until(lambda: handlers.handled)
    (letter,) = await house.dead.all()
    assert letter.reason == "unreadable: odd"
    assert not handlers.apologies


async def test_deaths_are_counted_apart(house: House) -> None:
    """Not the first death buries a question, but so many do that came while it was in work."""
    deaths = TRUSTED_CLAIMS + MOST_DEATHS
    quick = Timing(longest_suspicion=0.001)
    assert await _deaths(house, "deadly", deaths, deaths, quick) == deaths
    handlers = Handlers(at_once)
    async with house.worker(handlers):
        await until(house.empty)
    assert handlers.apologies == ["deadly"]
    (letter,) = await house.dead.all()
    assert "workers died" in letter.reason


@pytest.mark.slow
async def test_a_crash_loop_buries_nothing(house: House) -> None:
    """Lives too short for any work are no fault of what was to be worked on."""
    assert await _deaths(house, "innocent", 30, TRUSTED_CLAIMS, Timing()) == TRUSTED_CLAIMS
    handlers = Handlers(at_once)
    async with house.worker(handlers):
        await until(house.empty)
    assert handlers.handled == [(1, "innocent")]
    assert not await house.dead.all()


async def _deaths(house: House, text: str, lives: int, begins: int, timing: Timing) -> int:
    """Let workers die, the first ones when they began to work, others soon; how many began."""
    begun = 0

    async def deal(_update: dict[str, Any], _turn: Turn) -> None:
        nonlocal begun
        begun += 1
        await asyncio.Event().wait()

    def began(lives: int) -> Callable[[], bool]:
        return lambda: begun >= lives

    await house.put(1, text)
    for number in range(lives):
        dying = Inbox(house.redis, house.bot_id, f"dying-{number}", timing)
        worker = Worker(dying, Handlers(deal), 8)  # type: ignore[arg-type]
        await dying.begin()
        claims = await dying.take(1, 0.1) if number == 0 else await dying.stale(1)
        worker._start(claims)
        if number < begins:
            await until(began(number + 1))
        else:
            await asyncio.sleep(0.03)
        for lane in list(worker._running.values()):
            assert lane.task
            lane.task.cancel()
        await asyncio.sleep(0)
        await dying.leave()  # as if its lease had ended
    return begun


async def test_a_stop_finishes_what_is_in_hand(house: House) -> None:
    """Leaving waits for the work in hand, and takes nothing new."""
    begun = asyncio.Event()

    async def deal(_update: dict[str, Any], _turn: Turn) -> None:
        begun.set()
        await asyncio.sleep(0.1)

    handlers = Handlers(deal)
    async with house.worker(handlers):
        await house.put(1, "first")
        await house.put(1, "second")
        await begun.wait()
    assert handlers.handled == [(1, "first")]
    assert not await house.empty()


async def test_a_stop_gives_back_what_takes_too_long(house: House) -> None:
    """After the grace another worker has the lane at once, not after a lease."""
    begun = asyncio.Event()

    async def deal(_update: dict[str, Any], _turn: Turn) -> None:
        begun.set()
        await asyncio.sleep(60)

    timing = replace(HURRIED, grace=0.05, lease=600)
    async with house.worker(Handlers(deal), timing=timing):
        await house.put(1, "long")
        await begun.wait()
    handlers = Handlers(at_once)
    async with house.worker(handlers, timing=timing):
        await until(lambda: handlers.handled)
    assert handlers.handled == [(1, "long")]


async def test_a_stop_gives_back_what_is_over(house: House) -> None:
    """Nobody else has the lane before the work on it has ended, though it is cut off."""
    begun, ended = asyncio.Event(), asyncio.Event()
    other = Inbox(house.redis, house.bot_id, "other")

    async def deal(_update: dict[str, Any], _turn: Turn) -> None:
        begun.set()
        try:
            await waits_for_ever()
        finally:
            await asyncio.sleep(0.05)
            assert await other.stale(1) == []
            ended.set()

    async with house.worker(Handlers(deal), timing=replace(HURRIED, grace=0)):
        await house.put(1, "long")
        await begun.wait()
    assert ended.is_set()
    assert await other.stale(1)


async def test_a_claim_that_nobody_heard_of(house: House) -> None:
    """A lane claimed under a worker's name without its knowing is dealt with at its next look."""
    handlers = Handlers(at_once)
    ready = f"{{{house.bot_id}}}:ready"
    async with house.worker(handlers) as worker:
        await until(lambda: house.redis.exists(ready))
        async with house.redis.pipeline(transaction=True) as unheard:
            unheard.rpush(f"{{{house.bot_id}}}:mailbox:2", '0 {"chat": 2, "text": "hi"}')
            unheard.xadd(ready, {"lane": "2"})
            unheard.xreadgroup("workers", worker._inbox._consumer, {ready: ">"}, count=1)
            await unheard.execute()
        await until(lambda: handlers.handled)


async def test_a_lost_lane_is_dropped(house: House) -> None:
    """Who finds at a heartbeat that a lane has another owner stops working on it."""
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def deal(_update: dict[str, Any], _turn: Turn) -> None:
        begun.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    often = Timing(lease=0.15, tick=60)  # beats, but no look for lanes of the dead
    async with house.worker(Handlers(deal), timing=often):
        await house.put(1, "hi")
        await begun.wait()
        ready = f"{{{house.bot_id}}}:ready"
        pending = await house.redis.xpending_range(ready, "workers", "-", "+", 1)
        await house.redis.xclaim(ready, "workers", "thief", 0, [pending[0]["message_id"]])
        await asyncio.wait_for(cancelled.wait(), 30)


async def test_a_stop_command_interrupts_what_waits_before_it(house: House) -> None:
    """What is in hand hears of it, and so does what waits in between; the command comes last."""
    begun = asyncio.Event()

    async def deal(update: dict[str, Any], turn: Turn) -> None:
        if not str(update["text"]).startswith("/"):
            begun.set()
            await asyncio.wait_for(turn.interrupted.wait(), 30)

    handlers = Handlers(deal)
    async with house.worker(handlers):
        await house.put(1, "first")
        await house.put(1, "second")
        await begun.wait()
        await house.put(1, "/stop")
        await until(lambda: len(handlers.handled) == 3)
    assert [text for _, text in handlers.handled] == ["first", "second", "/stop"]


def _so_many(handled: list[Any], number: int) -> bool:
    return len(handled) == number


async def test_news_of_a_forum_ends_what_is_done_in_its_topics(house: House) -> None:
    """Whether it is said there, or in the topic: other forums, and other news, end nothing."""
    begun: dict[int, Turn] = {}

    async def deal(update: dict[str, Any], turn: Turn) -> None:
        match update["text"]:
            case "removed" | "/promoted":
                away = "kicked" if update["text"] == "removed" else ""
                turn.stand(ChatRecord(away=away, since=1))
            case _:
                begun[update["chat"]] = turn
                await asyncio.wait_for(turn.interrupted.wait(), 30)

    handlers = Handlers(deal)
    async with house.worker(handlers):
        for forum in (-1, -2):
            await house.put(forum, "question", topic=7)
        await until(lambda: len(begun) == 2)
        for times in (1, 2):  # the second is heard of when the first is known
            await house.put(-2, "/promoted")
            await until(partial(_so_many, handlers.handled, times))
            await until(lambda: house.redis.hget(keys.chats(house.bot_id), "-2"))
        await house.put(-1, "removed")
        await until(lambda: begun[-1].departed)
        assert not begun[-2].interrupted.is_set()
        begun[-2].interrupted.set()
        await until(house.empty)


async def test_a_refused_command_interrupts_nothing(house: House) -> None:
    """Who may not interrupt has to wait for their turn."""
    turns: list[Turn] = []
    go = asyncio.Event()

    async def deal(update: dict[str, Any], turn: Turn) -> None:
        turns.append(turn)
        if update["text"] == "first":
            await go.wait()

    handlers = Handlers(deal)
    async with house.worker(handlers):
        await house.put(1, "first")
        await until(lambda: turns)
        await house.put(1, "/reset")
        await asyncio.sleep(0.1)
        go.set()
        await until(lambda: len(handlers.handled) == 2)
    assert not turns[0].interrupted.is_set()


@pytest.mark.parametrize("others", [["/refused"], ["/odd"], ["/refused", "/odd", "/slow"]])
@pytest.mark.parametrize("first", [True, False])
async def test_a_stop_among_refused_ones(house: House, others: list[str], first: bool) -> None:
    """Whatever comes with it, before it or behind it, what is allowed to interrupts at once."""
    begun, turns = asyncio.Event(), list[Turn]()

    async def deal(update: dict[str, Any], turn: Turn) -> None:
        if update["text"] == "question":
            turns.append(turn)
            begun.set()
            await turn.interrupted.wait()

    handlers = Handlers(deal)
    async with house.worker(handlers):
        await house.put(1, "question")
        await begun.wait()
        await house.put(1, *(["/stop", *others] if first else [*others, "/stop"]))
        await until(turns[0].interrupted.is_set)
        handlers.slow.set()
        await until(lambda: len(handlers.handled) == 2 + len(others))


async def test_one_stop_is_enough(house: House) -> None:
    """Once a turn is cut short, nobody waits for what may be said of other commands."""
    cut: list[bool] = []

    async def deal(_update: dict[str, Any], turn: Turn) -> None:
        cut.append(turn.interrupted.is_set())

    handlers = Handlers(deal)
    await house.put(1, "question", "/slow", "/stop")
    async with house.worker(handlers, timing=replace(HURRIED, judge=600)):
        await until(lambda: len(handlers.handled) == 3)
    assert cut == [True, True, False]
    assert handlers.given_up == 1


async def test_who_waits_long_is_told_once(house: House) -> None:
    """Two workers look for people who wait, and only one of them says so."""
    go = asyncio.Event()

    async def deal(_update: dict[str, Any], _turn: Turn) -> None:
        await go.wait()

    one, other = Handlers(deal), Handlers(deal)
    async with AsyncExitStack() as stack:
        for handlers in (one, other):
            await stack.enter_async_context(house.worker(handlers, timing=IMPATIENT))
        await house.put(1, "hi")
        await until(lambda: one.late or other.late)
        await asyncio.sleep(0.3)
        go.set()
    assert one.late + other.late == ["hi"]


async def test_who_waits_where_the_bot_is_muted_is_not_told(house: House) -> None:
    """Nothing may be said there."""
    go = asyncio.Event()

    async def deal(_update: dict[str, Any], turn: Turn) -> None:
        turn.stand(ChatRecord(away="muted"))
        await go.wait()

    handlers = Handlers(deal)
    go.set()
    async with house.worker(handlers, timing=IMPATIENT):
        await house.put(-1, "muted")
        await until(house.empty)
        handlers.late.clear()
        go.clear()
        await house.put(-1, "waits")
        await house.put(-2, "told")
        await until(lambda: handlers.late)
        await asyncio.sleep(HURRIED.tick * 3)
        assert handlers.late == ["told"]
        go.set()


async def waits_for_ever(*_: Any) -> None:
    """Be a Telegram that does not answer."""
    await asyncio.Event().wait()


async def test_the_first_of_many_begin_before_the_last_are_claimed(house: House) -> None:
    """Lanes are claimed a few at a time, and no more than there is room for."""
    asked = list[int]()

    class Noting(Inbox):
        async def take(self, count: int, seconds: float) -> list[Claim]:
            asked.append(count)
            return await super().take(count, seconds)

    for chat in range(1, 31):
        await house.put(chat, "hi")
    for lanes, most in ((3, 3), (50, MOST_CLAIMED)):
        handlers, asked[:] = Handlers(at_once), []
        inbox = Noting(house.redis, house.bot_id, f"noting-{lanes}", HURRIED)
        async with Worker(inbox, handlers, lanes).working():  # type: ignore[arg-type]
            await until(lambda: len(handlers.handled) == 30)  # noqa: B023 - awaited
        assert max(asked) == most
        for chat in range(1, 31):
            await house.put(chat, "again")


async def test_a_judgement_that_takes_long_holds_up_no_work(house: House) -> None:
    """Work begins, and is cut short when it is judged that it may be."""
    begun, judged = asyncio.Event(), asyncio.Event()

    class Slow(Handlers):
        async def may_interrupt(self, update: str, turn: Turn) -> bool:
            await judged.wait()
            return await super().may_interrupt(update, turn)

    async def deal(update: dict[str, Any], turn: Turn) -> None:
        if update["text"] == "first":
            begun.set()
            await turn.interrupted.wait()

    handlers = Slow(deal)
    await house.put(1, "first")
    await house.put(1, "/stop")
    async with house.worker(handlers):
        await asyncio.wait_for(begun.wait(), 30)
        judged.set()
        await until(lambda: len(handlers.handled) == 2)


async def test_who_cannot_be_told_holds_up_no_takeover(house: House) -> None:
    """Lanes of the dead are taken over while a notice waits, and so are those that were parked."""
    dead, parking = (Inbox(house.redis, house.bot_id, name) for name in ("dead", "parking"))
    await dead.begin()
    for inbox, chat in ((dead, 2), (parking, 3)):
        await house.put(chat, "hi")
        (claim,) = await inbox.take(1, 1)
    await parking.park(claim, 0.001)
    handlers = Handlers(at_once)
    handlers.tell = waits_for_ever
    async with house.worker(handlers, timing=IMPATIENT):
        await until(lambda: handlers.late)
        await dead.leave()
        await until(lambda: len(handlers.handled) == 2)


@pytest.mark.slow
@pytest.mark.parametrize("lanes", [4, 40])
async def test_many_who_wait_are_told_side_by_side(house: House, lanes: int) -> None:
    """A bounded number at a time, each once, in the end all."""
    now, most, bound, go = 0, 0, min(lanes, MOST_NOTICES), asyncio.Event()

    async def tell() -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await go.wait()
        now -= 1

    handlers = Handlers(waits_for_ever)
    handlers.tell = tell
    for chat in range(1, 101):
        await house.put(chat, chat)
    async with house.worker(handlers, lanes=lanes, timing=replace(IMPATIENT, grace=0)):
        await until(lambda: now == bound)
        await asyncio.sleep(10 * IMPATIENT.tick)  # looks in which nobody more may be told
        assert most == bound
        go.set()
        await until(lambda: len(handlers.late) == 100)
    assert sorted(handlers.late) == list(range(1, 101))
    assert most == bound


async def test_who_does_not_answer_is_given_up(house: House) -> None:
    """Others are told then, though there is room for one at a time."""
    handlers = Handlers(waits_for_ever)
    handlers.tell = asyncio.Event().wait  # type: ignore[assignment]
    for chat in range(1, 21):  # some may be given up before they are told anything
        await house.put(chat, chat)
    async with house.worker(handlers, lanes=1, timing=replace(IMPATIENT, notice=0.5, grace=0)):
        await until(lambda: len(handlers.late) == 2)


async def test_a_notice_without_room_comes_later(house: House) -> None:
    """What was shed is tried again at the next look, and only until it is told."""
    go = asyncio.Event()

    async def tell() -> None:
        if len(handlers.late) < 3:
            raise Shed

    handlers = Handlers(lambda *_: go.wait())  # type: ignore[arg-type]
    handlers.tell = tell
    async with house.worker(handlers, timing=IMPATIENT):
        await house.put(1, "hi")
        await until(lambda: len(handlers.late) == 3)
        await house.put(2, "ho")  # two looks later
        await until(lambda: "ho" in handlers.late)
        go.set()
    assert handlers.late == ["hi", "hi", "hi", "ho"]


class Deaf(Inbox):
    """An inbox that hears of no interruption between two events."""

    def __init__(self, redis: Redis, bot_id: int, name: str, timing: Timing) -> None:
        super().__init__(redis, bot_id, name, timing)
        self.cut, self.back = asyncio.Event(), asyncio.Event()

    async def interruptions(self) -> AsyncIterator[tuple[ChatKey | None, Entry | None]]:
        if not self.cut.is_set():
            yield None, None
            await self.cut.wait()
            raise StorageUnavailable("the connection broke")
        await self.back.wait()
        async for told in super().interruptions():
            yield told


async def test_an_interruption_that_nobody_heard(house: House) -> None:
    """What came in while the connection was broken is looked for once it is back."""
    begun, interrupted = asyncio.Event(), asyncio.Event()

    async def deal(_update: dict[str, Any], turn: Turn) -> None:
        begun.set()
        await turn.interrupted.wait()
        interrupted.set()

    timing = replace(HURRIED, storage_pauses=(0.01,), grace=0)
    inbox = Deaf(house.redis, house.bot_id, "deaf", timing)
    worker = Worker(inbox, Handlers(deal), 8)  # type: ignore[arg-type]
    async with worker.working():
        await house.put(1, "question")
        await until(begun.is_set)
        inbox.cut.set()
        await house.put(1, "/stop")
        await asyncio.sleep(0.05)
        assert not interrupted.is_set()
        inbox.back.set()
        await until(interrupted.is_set)


async def test_what_comes_in_here_is_worked_on_at_once(house: House) -> None:
    """Nobody needs to take it; what comes in after the worker has stopped is for others."""

    class Untaken(Inbox):
        async def take(self, count: int, seconds: float) -> list[Claim]:
            await asyncio.sleep(seconds)
            return []

    async def deal(_update: dict[str, Any], _turn: Turn) -> None:
        pass

    inbox, handlers = Untaken(house.redis, house.bot_id, "one", HURRIED), Handlers(deal)
    async with Worker(inbox, handlers, 8).working():  # type: ignore[arg-type]
        await inbox.begin()
        await inbox.put(Arrival(ChatKey(1), next(_update_ids), '{"chat": 1, "text": "a"}'))
        await until(lambda: handlers.handled == [(1, "a")])
    await inbox.put(Arrival(ChatKey(1), next(_update_ids), '{"chat": 1, "text": "b"}'))
    async with house.worker(others := Handlers(deal)):
        await until(lambda: others.handled == [(1, "b")])


@pytest.mark.parametrize("silence", [False, True])
async def test_a_stop_while_a_lane_is_handed_over(house: House, *, silence: bool) -> None:
    """It came in after the lane was read, and was announced before the worker had the lane."""

    class Late(Inbox):
        async def _stored(self, *args: Any) -> list[Any]:
            found = await super()._stored(*args)
            if not silence:
                await house.put(1, "/stop")
                await until(lambda: ChatKey(1) in worker._interruptions._announced)
            else:  # the announcement is lost with the channel's connection
                await house.redis.client_kill_filter(_type="pubsub")
                known = worker._interruptions._announced.get(None)
                await house.put(1, "/stop")
                await until(lambda: worker._interruptions._announced.get(None) != known)
            return found

    tries = []

    async def deal(update: dict[str, Any], turn: Turn) -> None:
        tries.append(update["text"])
        if update["text"] == "question":
            async with asyncio.timeout(30):
                await turn.interrupted.wait()

    inbox, handlers = Late(house.redis, house.bot_id, "one", HURRIED), Handlers(deal)
    worker = Worker(inbox, handlers, 8)  # type: ignore[arg-type]
    async with worker.working():
        await until(lambda: None in worker._interruptions._announced)
        await inbox.begin()
        update = '{"chat": 1, "text": "question"}'
        await inbox.put(Arrival(ChatKey(1), next(_update_ids), update))
        await until(lambda: handlers.handled == [(1, "question"), (1, "/stop")])
    assert tries == ["question", "/stop"]
