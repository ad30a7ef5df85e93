"""Workers: lanes claimed from the inbox, handled in order, finished, given back or taken over."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass

import structlog
from prometheus_client import Counter, Gauge
from redis.exceptions import RedisError
from telegram.error import TelegramError

from bot.background import beside
from handlers.dispatch import Dispatch
from handlers.incoming.parsing import Unreadable
from handlers.outgoing.pacing import Shed
from handlers.turn.turn import Turn
from storage.budget import Frozen
from storage.inbox import Inbox
from storage.lane import Claim, Entry, LaneLost, Late, Opened
from storage.message import UNREADABLE, ChatKey
from storage.server.connect import StorageRefused, StorageUnavailable
from storage.timing import Timing

log = structlog.get_logger()

BEAT_SECONDS = Timing().lease / 3
TICK_SECONDS = 1.5
"""How often a worker looks for lanes whose owner died, and for people who wait long."""
JUDGE_SECONDS = 0.5
"""How long work waits to hear that it is cut short; Telegram may take longer to say who may."""
MOST_NOTICES = 32
"""People who are being told at once that it takes longer."""
NOTICE_SECONDS = 10.0
"""What telling one of them may take."""
WAIT_SECONDS = 3.0
"""How long a worker waits for a lane at a time; its client gives up a call after 5 s."""
PATIENCE = 50.0
"""Seconds after which a person who still waits is told so. A minute is what people bear."""
MOST_FAILURES = 3
"""Failures of the work itself after which an update is a dead letter, and its person is told."""
FAILURE_SECONDS = 1.0
"""How long the work waits after a failure, doubled each time."""
TRUSTED_CLAIMS = 3
"""Claims after which an update is suspected of ending its workers, though it may be the machine."""
MOST_DEATHS = 20
"""Beginnings of work on a suspect after which it is a dead letter, counted apart from failures."""
SUSPICION_SECONDS = 0.5
"""How long a worker lives before it begins with a suspect, doubled each time."""
LONGEST_SUSPICION = 10.0
"""So a machine on which nothing lives buries nothing, and the suspect ends no more than it must."""
GRACE_SECONDS = 20.0
"""How long a stop waits for what is in hand before it is given back."""
PAUSES = (0.1, 0.2, 0.5, 1.0, 2.0)
"""Seconds before storage is tried again, the last for all that follow."""

LANES = Gauge("worker_lanes", "Conversations that this process works on", ["bot"])
LANES_MOST = Gauge("worker_lanes_most", "How many it would work on at once", ["bot"])
TAKEN_OVER = Counter("worker_takeovers", "Conversations taken over from processes that died")
LOST = Counter("worker_lanes_lost", "Conversations that another process took from this one")
ATTEMPTS = Counter("worker_attempts", "How often work on an update began")
FAILURES = Counter("worker_failures", "How often it failed by itself")
FINISHED = Counter("updates_finished", "Updates dealt with", ["outcome"])
for _outcome in ("done", "dead"):
    FINISHED.labels(_outcome)  # from the start, or Prometheus misses the first


@dataclass(slots=True, eq=False)
class _Lane:
    """A lane in work here: its claim, its task, and the turn that its head is at."""

    claim: Claim
    task: asyncio.Task[None] | None = None
    turn: Turn | None = None


class Worker:
    """Works on up to ``lanes`` lanes at once; a stop waits ``grace`` seconds for them."""

    def __init__(
        self, inbox: Inbox, dispatch: Dispatch, lanes: int, grace: float = GRACE_SECONDS
    ) -> None:
        self._inbox = inbox
        self._dispatch = dispatch
        self._lanes = lanes
        self._grace = grace
        self._running: dict[str, _Lane] = {}
        # Claims by several ways, in one moment, may be more than there was room for.
        self._places = asyncio.Semaphore(lanes)
        self._room = asyncio.Event()
        self._room.set()

    @contextlib.asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Work while the block runs; leaving it finishes what is in hand, or gives it back."""
        LANES_MOST.labels(self._inbox.bot_id).set(self._lanes)
        async with beside(self._beat()):  # goes on to the end: what is in hand must stay ours
            async with beside(self._take(), self._take_over(), self._tell_late(), self._listen()):
                yield
            await self._finish()

    # What comes in

    async def _take(self) -> None:
        """Claim lanes as long as there is room for them."""
        lost_track, failures = True, 0
        while True:
            await self._room.wait()
            free = self._lanes - len(self._running)
            if free <= 0:  # `_take_over` was faster
                continue
            try:
                if lost_track:  # at the start; and a failed claim may have claimed all the same
                    await self._inbox.begin()
                    claims = await self._inbox.mine(list(self._running))
                else:
                    claims = await self._inbox.take(free, WAIT_SECONDS)
                lost_track, failures = False, 0
            except StorageUnavailable as error:
                log.warning("storage_unavailable", reason=str(error))
                lost_track = True
                await asyncio.sleep(_pause(failures))
                failures += 1
                continue
            self._start(claims)

    async def _take_over(self) -> None:
        """Claim lanes of the dead, and queue those whose chats are frozen no longer."""
        while True:
            await _tick()
            with contextlib.suppress(StorageUnavailable):  # `_take` says so
                await self._inbox.unpark()
                if (free := self._lanes - len(self._running)) > 0:
                    claims = await self._inbox.stale(free)
                    if claims:
                        TAKEN_OVER.inc(len(claims))
                        log.info("lanes_taken_over", lanes=len(claims))
                    self._start(claims)
                    # redis-py repeats a claim whose reply was lost, and has lanes nobody heard of.
                    self._start(await self._inbox.mine(list(self._running)))

    async def _tell_late(self) -> None:
        """Tell people who wait long; never wait for one of them."""
        async with asyncio.TaskGroup() as notices:
            under_way: set[asyncio.Task[None]] = set()
            while True:
                await _tick()
                with contextlib.suppress(StorageUnavailable):
                    if room := min(MOST_NOTICES, self._lanes) - len(under_way):
                        for late in await self._inbox.overdue(PATIENCE, room):
                            notice = notices.create_task(self._notice(late))
                            under_way.add(notice)
                            notice.add_done_callback(under_way.discard)

    async def _notice(self, late: Late) -> None:
        try:
            with _harmless("not_told_late"):
                async with asyncio.timeout(NOTICE_SECONDS):
                    await self._dispatch.tell_late(late.head.update)
        except Shed:
            with contextlib.suppress(StorageUnavailable):
                await self._inbox.untold(late)  # the next look may find room

    async def _listen(self) -> None:
        """Cut short what a lane is doing when a command that may comes in behind it."""
        while True:
            try:
                # Side by side: Telegram may take its time to say who is an admin.
                async with asyncio.TaskGroup() as looks:
                    async for key in self._inbox.interruptions():
                        looks.create_task(self._look_up(key))
            except* StorageUnavailable:
                await asyncio.sleep(PAUSES[-1])

    async def _look_up(self, key: ChatKey | None) -> None:
        for lane in list(self._running.values()):
            if key in (None, lane.claim.lane):
                try:
                    opened = await self._inbox.open(lane.claim)
                except LaneLost:
                    continue  # its task hears of that by itself
                await self._interrupt(lane, opened.interrupts)
            elif key and lane.turn and key == ChatKey(lane.turn.successor):
                await self._interrupt(lane, await self._inbox.interrupts(key))

    def _start(self, claims: list[Claim]) -> None:
        for claim in claims:
            if claim.entry not in self._running:
                lane = self._running[claim.entry] = _Lane(claim)
                LANES.labels(self._inbox.bot_id).inc()
                lane.task = asyncio.create_task(self._work(lane))
        if len(self._running) >= self._lanes:
            self._room.clear()

    # What is in hand

    async def _work(self, lane: _Lane) -> None:
        try:
            async with self._places:
                await self._until_done(lane)
        except LaneLost:
            LOST.inc()
            log.info("lane_lost", chat=lane.claim.lane.chat_id)
        except Exception:  # a worker must outlive whatever happens in one lane
            log.exception("lane_failed", chat=lane.claim.lane.chat_id)
        finally:
            del self._running[lane.claim.entry]
            LANES.labels(self._inbox.bot_id).dec()
            if len(self._running) < self._lanes:
                self._room.set()

    async def _until_done(self, lane: _Lane) -> None:
        """Deal with the head of a lane's mailbox: tried again after failures, in the end buried."""
        while True:
            began = time.monotonic()
            opened, lane.turn = await self._opened(lane.claim)
            ATTEMPTS.inc()
            await self._suspect(lane, opened)
            reason = _hopeless(opened)
            try:
                if reason:
                    await self._dispatch.apologize(opened.head.update, lane.turn)
                else:
                    await self._handle(lane, opened)
            except LaneLost:
                raise
            except Frozen as frozen:
                await lane.turn.park(frozen.seconds)
                log.info("parked", chat=lane.claim.lane.chat_id, seconds=round(frozen.seconds, 1))
                return
            except Unreadable as error:
                reason = reason or f"unreadable: {error}"
            except Exception as error:  # whatever it was, it is counted, and not for ever
                log.exception("update_failed", chat=lane.claim.lane.chat_id)
                FAILURES.inc()
                if not reason:
                    failures = await self._inbox.failed(lane.claim, _named(error))
                    if failures < MOST_FAILURES:
                        await asyncio.sleep(FAILURE_SECONDS * 2**failures)
                    continue
            await self._close(lane.claim, lane.turn, reason)
            _tell(lane.claim.lane, opened, reason, lane.turn, time.monotonic() - began)
            return

    async def _close(self, claim: Claim, turn: Turn, reason: str) -> None:
        """Be done with a head; it is dead for a ``reason``."""
        if turn.successor:
            await self._inbox.hand_over(claim, turn.successor)
        await self._inbox.done(claim, reason, turn.answer)
        FINISHED.labels("dead" if reason else "done").inc()

    async def _handle(self, lane: _Lane, opened: Opened) -> None:
        """Deal with an update, while what waits behind it is judged: it may cut it short."""
        assert lane.turn  # noqa: S101 - it was just opened
        judging = asyncio.create_task(self._interrupt(lane, opened.interrupts))
        try:
            await asyncio.wait([judging], timeout=JUDGE_SECONDS)
            await self._dispatch.handle(opened.head.update, lane.turn)
        finally:
            judging.cancel()

    async def _opened(self, claim: Claim) -> tuple[Opened, Turn]:
        """Look at the head of a mailbox; what cannot be read of it is given up."""
        reason = ""
        while True:
            try:
                opened = await self._inbox.open(claim)
                return opened, Turn(self._inbox, claim, opened)
            except LaneLost:
                raise
            except (StorageRefused, *UNREADABLE) as error:
                # Whatever stands there, it is not tried for ever.
                log.exception("lane_unreadable", chat=claim.lane.chat_id)
                if reason:  # it is the head itself
                    await self._inbox.done(claim, reason)
                    raise LaneLost from error
                reason = _named(error)
                await self._inbox.give_up(claim, reason, MOST_FAILURES)

    async def _suspect(self, lane: _Lane, opened: Opened) -> None:
        """Of a suspect, let others go first, and count that work on it begins."""
        if opened.claims > TRUSTED_CLAIMS and opened.begun < MOST_DEATHS:
            await asyncio.sleep(min(LONGEST_SUSPICION, SUSPICION_SECONDS * 2**opened.begun))
            await self._inbox.began(lane.claim, opened.begun + 1)

    async def _interrupt(self, lane: _Lane, entries: Sequence[Entry]) -> None:
        """Cut the lane's turn short if anything that waits may do so."""
        if (turn := lane.turn) is None:
            return
        # Side by side: none of them waits for what Telegram says of another.
        looks = [asyncio.create_task(self._may_interrupt(entry, turn)) for entry in entries]
        try:
            for look in asyncio.as_completed(looks):
                if await look:
                    turn.interrupted.set()
                    return
        finally:
            for task in looks:
                task.cancel()

    async def _may_interrupt(self, entry: Entry, turn: Turn) -> bool:
        with _harmless("not_interrupted"):
            return await self._dispatch.may_interrupt(entry.update, turn)
        return False

    async def _beat(self) -> None:
        """Keep what is in hand ours, and drop what is no longer."""
        while True:
            try:
                # The group may be gone with all its data, and every lane here waits for it.
                await self._inbox.begin()
                for lost in await self._inbox.beat([one.claim for one in self._running.values()]):
                    if (lane := self._running.get(lost.entry)) and lane.task:
                        LOST.inc()
                        lane.task.cancel()
                await self._inbox.watch_clock()
            except StorageUnavailable as error:
                log.warning("no_heartbeat", reason=str(error))
            await asyncio.sleep(BEAT_SECONDS)

    async def _finish(self) -> None:
        """Wait for what is in hand; give back what takes too long, for others to go on with."""
        tasks = [lane.task for lane in self._running.values() if lane.task]
        if tasks:
            await asyncio.wait(tasks, timeout=self._grace)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        try:
            await self._inbox.leave()
        except StorageUnavailable as error:
            log.warning("not_given_back", reason=str(error))


@contextlib.contextmanager
def _harmless(event: str) -> Iterator[None]:
    """Log what an update leads to that is only looked at; it must not end the worker."""
    try:
        yield
    except Shed:
        raise
    except (TelegramError, TimeoutError, Frozen, Unreadable) as error:
        log.info(event, reason=repr(error))
    except Exception:
        log.exception(event)


def _hopeless(opened: Opened) -> str:
    """Why an update is not to be tried again; '' while it is."""
    if opened.failures >= MOST_FAILURES:
        return f"failed {opened.failures} times: {opened.failure}"
    if opened.begun >= MOST_DEATHS:
        return f"{opened.claims} workers died of it, or with it"
    return ""


def _named(error: Exception) -> str:
    """Name a failure; with its text only if that quotes nobody."""
    quotes_nobody = isinstance(error, TelegramError | RedisError)
    return f"{type(error).__name__}: {error}" if quotes_nobody else type(error).__name__


def _tell(lane: ChatKey, opened: Opened, dead: str, turn: Turn, took: float) -> None:
    """Log a turn, in one line: what it was, and how long it took; never what was said."""
    known: dict[str, object] = {
        "chat": lane.chat_id,
        "topic": lane.topic_id,
        "waited": opened.waited,
        "took": round(took, 3),
        "claims": opened.claims,
        "outcome": "dead" if dead else "done",
        "reason": dead,
    }
    fields = {name: value for name, value in (known | turn.figures).items() if value != ""}
    (log.warning if "reason" in fields else log.info)("turn", **fields)


async def _tick() -> None:
    await asyncio.sleep(TICK_SECONDS * random.uniform(0.8, 1.2))


def _pause(failures: int) -> float:
    return PAUSES[min(failures, len(PAUSES) - 1)]
