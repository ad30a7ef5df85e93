"""Workers: lanes claimed from the inbox, handled in order, finished, given back or taken over."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from functools import partial

import structlog
from prometheus_client import Counter, Gauge
from redis.exceptions import RedisError
from telegram.error import TelegramError

from bot.background import beside, contained, jittered
from bot.interruptions import Interruptions, Lane
from bot.notices import Notices
from handlers.dispatch import Dispatch
from handlers.incoming.parsing import Unreadable
from handlers.turn.turn import Turn
from storage.budget import Frozen
from storage.inbox import Inbox
from storage.lane import Claim, LaneLost, Opened
from storage.message import UNREADABLE, ChatKey
from storage.server.connect import StorageRefused, StorageUnavailable

log = structlog.get_logger()

MOST_FAILURES = 3
"""Failures of the work itself after which an update is a dead letter, and its person is told."""
TRUSTED_CLAIMS = 3
"""Claims after which an update is suspected of ending its workers, though it may be the machine."""
MOST_DEATHS = 20
"""Beginnings of work on a suspect after which it is a dead letter, counted apart from failures."""

MOST_CLAIMED = 8
"""Lanes claimed at a time: of many that wait, the first are asked for while others are claimed."""

LANES = Gauge("worker_lanes", "Conversations that this process works on", ["bot"])
LANES_MOST = Gauge("worker_lanes_most", "How many it would work on at once", ["bot"])
TAKEN_OVER = Counter("worker_takeovers", "Conversations taken over from processes that died")
LOST = Counter("worker_lanes_lost", "Conversations that another process took from this one")
ATTEMPTS = Counter("worker_attempts", "How often work on an update began")
FAILURES = Counter("worker_failures", "How often it failed by itself")
FINISHED = Counter("updates_finished", "Updates dealt with", ["outcome"])
for _outcome in ("done", "dead"):
    FINISHED.labels(_outcome)  # from the start, or Prometheus misses the first


class Worker:
    """Works on up to ``lanes`` lanes at once."""

    def __init__(self, inbox: Inbox, dispatch: Dispatch, lanes: int) -> None:
        self._inbox = inbox
        self._timing = inbox.timing
        self._dispatch = dispatch
        self._lanes = lanes
        self._running: dict[str, Lane] = {}
        self._notices = Notices(inbox, dispatch, lanes)
        self._interruptions = Interruptions(inbox, dispatch, self._running)
        # Claims by several ways, in one moment, may be more than there was room for.
        self._places = asyncio.Semaphore(lanes)
        self._room = asyncio.Event()
        self._room.set()

    @contextlib.asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Work while the block runs; leaving it finishes what is in hand, or gives it back."""
        LANES_MOST.labels(self._inbox.bot_id).set(self._lanes)
        async with beside(self._beat()):  # goes on to the end: what is in hand must stay ours
            looks = self._notices.run(), self._interruptions.run()
            async with beside(self._take(), self._take_over(), *looks):
                self._inbox.taker = self
                yield
                self._inbox.taker = None
            await self._finish()

    # What comes in

    async def _take(self) -> None:
        """Claim lanes as long as there is room for them."""
        pauses = self._timing.storage_pauses
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
                    most = min(free, MOST_CLAIMED)
                    claims = await self._inbox.take(most, self._timing.take)
                lost_track, failures = False, 0
            except StorageUnavailable as error:
                log.warning("storage_unavailable", reason=str(error))
                lost_track = True
                await asyncio.sleep(pauses[min(failures, len(pauses) - 1)])
                failures += 1
                continue
            self._start(claims)

    async def _take_over(self) -> None:
        """Claim lanes of the dead, and queue those whose chats are frozen no longer."""
        while True:
            await jittered(self._timing.tick)
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

    def room(self) -> int:
        """Return how many lanes `put` may hand over; with more, it would keep others waiting."""
        return max(0, min(self._lanes - len(self._running), MOST_CLAIMED))

    def most_bytes(self) -> int:
        """Return how much of a history is read, in bytes."""
        return self._dispatch.most_bytes()

    def receive(self, claim: Claim, opened: Opened | None) -> None:
        """Work on a lane; it is opened anew if a command may have come in meanwhile."""
        if opened and self._interruptions.announced(claim.lane, opened.asked):
            opened = None
        self._start([claim], opened)

    def _start(self, claims: list[Claim], opened: Opened | None = None) -> None:
        for claim in claims:
            if claim.entry not in self._running:
                lane = self._running[claim.entry] = Lane(claim)
                LANES.labels(self._inbox.bot_id).inc()
                lane.task = asyncio.create_task(self._work(lane, opened))
        if len(self._running) >= self._lanes:
            self._room.clear()

    # What is in hand

    async def _work(self, lane: Lane, opened: Opened | None) -> None:
        chat = lane.claim.lane.chat_id
        with contained("lane_failed", chat=chat):
            try:
                async with self._places:
                    await self._until_done(lane, opened)
            except LaneLost:
                LOST.inc()
                log.info("lane_lost", chat=chat)
            finally:
                del self._running[lane.claim.entry]
                LANES.labels(self._inbox.bot_id).dec()
                if len(self._running) < self._lanes:
                    self._room.set()

    async def _until_done(self, lane: Lane, handed: Opened | None) -> None:
        """Deal with the head of a lane's mailbox: tried again after failures, in the end buried."""
        while True:
            began = time.monotonic()
            opened, lane.turn = await self._opened(lane.claim, handed)
            handed = None
            lane.turn.on_move = partial(self._interruptions.follow, lane, opened.asked)
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
                        await asyncio.sleep(self._timing.failure * 2**failures)
                    continue
            await self._close(lane.claim, lane.turn, reason)
            _tell(lane.turn.lane, opened, reason, lane.turn, time.monotonic() - began)
            return

    async def _close(self, claim: Claim, turn: Turn, reason: str) -> None:
        """Be done with a head; it is dead for a ``reason``."""
        if turn.successor:
            await self._inbox.hand_over(claim, turn.successor)
        await self._inbox.done(claim, reason, turn.answer_ids, turn.learned)
        FINISHED.labels("dead" if reason else "done").inc()

    async def _handle(self, lane: Lane, opened: Opened) -> None:
        """Deal with an update, while what waits behind it is judged: it may cut it short."""
        assert lane.turn  # noqa: S101 - it was just opened
        if not opened.interrupts:
            await self._dispatch.handle(opened.head.update, lane.turn)
            return
        judging = asyncio.create_task(self._interruptions.judge(lane, opened.interrupts))
        try:
            await asyncio.wait([judging], timeout=self._timing.judge)
            await self._dispatch.handle(opened.head.update, lane.turn)
        finally:
            judging.cancel()

    async def _opened(self, claim: Claim, handed: Opened | None) -> tuple[Opened, Turn]:
        """Look at the head of a mailbox; what cannot be read of it is given up."""
        reason = ""
        while True:
            try:
                opened = handed or await self._inbox.open(claim, self._dispatch.most_bytes())
                return opened, Turn(self._inbox, claim, opened)
            except LaneLost:
                raise
            except (StorageRefused, *UNREADABLE) as error:
                # Whatever stands there, it is not tried for ever.
                log.exception("lane_unreadable", chat=claim.lane.chat_id)
                if reason:  # it is the head itself
                    await self._inbox.done(claim, reason)
                    raise LaneLost from error
                reason, handed = _named(error), None
                await self._inbox.give_up(claim, reason, MOST_FAILURES)

    async def _suspect(self, lane: Lane, opened: Opened) -> None:
        """Of a suspect, let others go first, and count that work on it begins."""
        if opened.claims > TRUSTED_CLAIMS and opened.begun < MOST_DEATHS:
            lives = self._timing.suspicion * 2**opened.begun
            await asyncio.sleep(min(self._timing.longest_suspicion, lives))
            await self._inbox.began(lane.claim, opened.begun + 1)

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
            await asyncio.sleep(self._timing.lease / 3)

    async def _finish(self) -> None:
        """Wait for what is in hand; give back what takes too long, for others to go on with."""
        tasks = [lane.task for lane in self._running.values() if lane.task]
        if tasks:
            await asyncio.wait(tasks, timeout=self._timing.grace)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        try:
            await self._inbox.leave()
        except StorageUnavailable as error:
            log.warning("not_given_back", reason=str(error))


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
