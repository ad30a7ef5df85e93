"""The inbox against a model of it: whatever workers do, in whatever order, and lose on the way."""

import asyncio
import itertools
import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from redis.asyncio import Redis

from storage import keys
from storage.arrivals import GROUP, Arrival
from storage.change import Kept
from storage.dead import DeadLetters
from storage.inbox import Inbox
from storage.lane import Claim, LaneLost, Shown
from storage.message import ChatKey, Exchange, Message, Role
from storage.server.connect import connect
from storage.timing import Timing

CAP, OF_ONE, AHEAD = 3, 2, 3
LANES = (ChatKey(1), ChatKey(-2), ChatKey(-2, 7))
NAMES = ("a", "b", "c")

_bot_ids = itertools.count(6_000_000)


@dataclass(slots=True)
class Queued:
    """What the model knows of an entry of the stream."""

    lane: ChatKey
    entry: str = ""
    owner: str = ""
    claims: int = 0
    idle: bool = False


@dataclass(slots=True)
class Head:
    """What the model knows of the update at the head of a mailbox."""

    reply: str = ""
    shown: Shown = field(default_factory=Shown)
    failures: int = 0
    failure: str = ""
    told: bool = False


def update(number: int) -> str:
    """A raw update, as small as can be."""
    return json.dumps({"update_id": number})


class InboxMachine(RuleBasedStateMachine):
    """Three workers on three lanes; each claim ever given may be used again at any time."""

    claims: Bundle[tuple[str, Claim]] = Bundle("claims")

    def __init__(self, run: Callable[[Coroutine[Any, Any, Any]], Any], redis: Redis) -> None:
        super().__init__()
        self._run, self._redis, self._bot_id = run, redis, next(_bot_ids)
        self._inboxes = {
            name: Inbox(redis, self._bot_id, name, bounds=(CAP, AHEAD, OF_ONE)) for name in NAMES
        }
        self._letters = DeadLetters(redis, self._bot_id)
        self._run(self._inboxes["a"].begin())
        self._numbers = itertools.count(1)
        self._seen: set[int] = set()
        self._mailboxes: dict[ChatKey, list[tuple[int, bool]]] = {lane: [] for lane in LANES}
        self._interrupts: dict[int, str] = {}
        """By their numbers, who sent them."""
        self._heads = {lane: Head() for lane in LANES}
        self._histories: dict[ChatKey, list[str]] = {lane: [] for lane in LANES}
        self._queue: list[Queued] = []
        self._parked: list[ChatKey] = []
        self._dead: list[tuple[str, int, ChatKey]] = []
        self._known: dict[str, set[str]] = {name: set() for name in NAMES}

    # What comes in

    def _put(self, lane: ChatKey, number: int, interrupts: bool, sender: str = "") -> str:
        arrival = Arrival(lane, number, update(number), interrupts, sender)
        return str(self._run(self._inboxes["a"].put(arrival))[0])

    @rule(
        lane=st.sampled_from(LANES),
        interrupts=st.booleans(),
        sender=st.sampled_from(["", "1", "2"]),
    )
    def put(self, lane: ChatKey, interrupts: bool, sender: str) -> None:
        """A new update is stored, up to the bounds, which interrupts have for themselves."""
        number, entries = next(self._numbers), self._mailboxes[lane]
        stored = self._put(lane, number, interrupts, sender)
        self._seen.add(number)
        waiting = [entry for entry in entries if entry[0] not in self._interrupts]
        ahead = [self._interrupts[one] for one, _ in entries if one in self._interrupts]
        flooded = any(flood for _, flood in waiting[CAP:])
        if interrupts:
            crowded = len(ahead) >= AHEAD or ahead.count(sender) >= OF_ONE
            assert stored == ("dropped" if crowded else "stored")
        elif len(waiting) < CAP:
            assert stored == "stored"
        else:
            assert stored == ("dropped" if flooded else "flood")
        if stored != "dropped":
            self._append(lane, number, flood=stored == "flood")
            if interrupts:
                self._interrupts[number] = sender

    @rule(lane=st.sampled_from(LANES), data=st.data())
    def put_again(self, lane: ChatKey, data: st.DataObject) -> None:
        """One that was seen, in whatever lane, is not stored again."""
        if self._seen:
            number = data.draw(st.sampled_from(sorted(self._seen)))
            assert self._put(lane, number, interrupts=False) == "known"

    @rule()
    def replay(self) -> None:
        """The oldest dead letter goes back into its lane, once."""
        letters = self._run(self._letters.all())
        assert [(letter.reason, letter.update) for letter in letters] == [
            (reason, update(number)) for reason, number, _ in self._dead
        ]
        if letters:
            _, number, lane = self._dead.pop(0)
            self._run(self._letters.replay(letters[0], lane))
            self._run(self._letters.replay(letters[0], lane))
            self._append(lane, number, flood=False)

    def _append(self, lane: ChatKey, number: int, *, flood: bool) -> None:
        self._mailboxes[lane].append((number, flood))
        if len(self._mailboxes[lane]) == 1:
            self._queue.append(Queued(lane))

    # Claims

    @rule(target=claims, name=st.sampled_from(NAMES), count=st.integers(1, 3))
    def take(self, name: str, count: int) -> MultipleResults[tuple[str, Claim]]:
        """The lanes that waited longest are given, each to one worker."""
        return self._given(name, self._take(name, count))

    @rule(name=st.sampled_from(NAMES), count=st.integers(1, 3))
    def take_unheard(self, name: str, count: int) -> None:
        """The same, and the reply is lost."""
        self._take(name, count)

    def _take(self, name: str, count: int) -> list[Claim]:
        free = [queued for queued in self._queue if not queued.entry][:count]
        if not free:
            return []  # a server looks only ten times a second whose wait is over
        taken: list[Claim] = self._run(self._inboxes[name].take(count, 1))
        self._expect(name, free, taken)
        return taken

    @rule(target=claims, name=st.sampled_from(NAMES), count=st.integers(1, 2))
    def stale(self, name: str, count: int) -> MultipleResults[tuple[str, Claim]]:
        """Lanes whose owners are silent go to whoever asks."""
        return self._stale(name, count)

    def _stale(self, name: str, count: int) -> MultipleResults[tuple[str, Claim]]:
        taken = self._run(self._inboxes[name].stale(count))
        self._expect(name, [queued for queued in self._queue if queued.idle][:count], taken)
        return self._given(name, taken)

    @rule(target=claims, name=st.sampled_from(NAMES))
    def mine(self, name: str) -> MultipleResults[tuple[str, Claim]]:
        """A worker learns of lanes that it owns without knowing it."""
        taken = self._run(self._inboxes[name].mine(sorted(self._known[name])))
        unheard = [
            queued
            for queued in self._queue
            if queued.owner == name and queued.entry not in self._known[name]
        ]
        self._expect(name, unheard, taken)
        return self._given(name, taken)

    def _expect(self, name: str, expected: list[Queued], taken: list[Claim]) -> None:
        assert [claim.lane for claim in taken] == [queued.lane for queued in expected]
        for queued, claim in zip(expected, taken, strict=True):
            assert queued.entry in ("", claim.entry)
            queued.entry, queued.owner, queued.idle = claim.entry, name, False
            queued.claims += 1

    def _given(self, name: str, taken: list[Claim]) -> MultipleResults[tuple[str, Claim]]:
        self._known[name] |= {claim.entry for claim in taken}
        return multiple(*((name, claim) for claim in taken))

    @rule(name=st.sampled_from(NAMES))
    def beat(self, name: str) -> None:
        """Renewing tells which lanes are lost, steals none back, and is no claim."""
        known = sorted(self._known[name])
        owned = {queued.entry for queued in self._queue if queued.owner == name}
        held = [Claim(entry, LANES[0], 0.0) for entry in known]
        lost = [claim.entry for claim in self._run(self._inboxes[name].beat(held))]
        assert lost == [entry for entry in known if entry not in owned]
        assert all(claim.lost or claim.renewed for claim in held)
        self._known[name] -= set(lost)
        for queued in self._queue:
            if queued.entry in known and queued.owner == name:
                queued.idle = False

    @rule(name=st.sampled_from(NAMES))
    def leave(self, name: str) -> None:
        """What a worker leaves is anybody's at once."""
        self._run(self._inboxes[name].leave())
        for queued in self._queue:
            queued.idle = queued.idle or queued.owner == name

    @rule(target=claims, claim=claims, heir=st.sampled_from(NAMES))
    def freeze(self, claim: tuple[str, Claim], heir: str) -> MultipleResults[tuple[str, Claim]]:
        """An owner is not heard of for a whole lease, and does not know that it lost its lane."""
        name, made = claim
        if queued := self._owned(claim):
            self._run(self._inboxes[name]._beat([made.entry], Timing().lease))
            queued.idle = True
        return self._stale(heir, len(LANES))

    @rule(name=st.sampled_from(NAMES))
    def clock_goes_back(self, name: str) -> None:
        """Every lease begins anew, and its lane stays where it is."""
        inbox = self._inboxes[name]
        inbox._server_time = 2**40
        self._run(inbox.watch_clock())
        assert inbox._server_time < 2**40
        for queued in self._queue:
            queued.idle = False

    # Work

    def _owned(self, claim: tuple[str, Claim]) -> Queued | None:
        name, made = claim
        for queued in self._queue:
            if (queued.entry, queued.owner) == (made.entry, name):
                return queued
        return None

    def _call(self, claim: tuple[str, Claim], call: Coroutine[Any, Any, Any]) -> Any:
        """Call what must raise unless the lane is owned; None if it is not."""
        if self._owned(claim):
            return self._run(call)
        with pytest.raises(LaneLost):
            self._run(call)
        return None

    @rule(claim=claims)
    def open(self, claim: tuple[str, Claim]) -> None:
        """The owner sees the head and what is known of it."""
        name, made = claim
        opened = self._call(claim, self._inboxes[name].open(made))
        if queued := self._owned(claim):
            head, (number, flood) = self._heads[made.lane], self._mailboxes[made.lane][0]
            assert (opened.head.update, opened.head.flood) == (update(number), flood)
            assert opened.claims == queued.claims
            assert (opened.reply, opened.shown) == (head.reply, head.shown)
            assert (opened.failures, opened.failure) == (head.failures, head.failure)
            behind = [number for number, _ in self._mailboxes[made.lane][1:]]
            assert [one.update for one in opened.interrupts] == [
                update(number) for number in behind if number in self._interrupts
            ]

    @rule(claim=claims, reply=st.sampled_from(["one", "two"]), says=st.booleans())
    def commit(self, claim: tuple[str, Claim], reply: str, says: bool) -> None:
        """The first reply is kept, and its exchange appended; a second one changes nothing."""
        name, made = claim
        said = Exchange(Message(Role.USER, reply), Message(Role.ASSISTANT, reply))
        kept = Kept(said, 0, 1, 1) if says else None
        self._call(claim, self._inboxes[name].commit(made, reply, kept))
        if self._owned(claim) and not self._heads[made.lane].reply:
            self._heads[made.lane].reply = reply
            self._histories[made.lane] += [reply, reply] if says else []

    @rule(claim=claims, final=st.integers(0, 2), ids=st.lists(st.integers(1, 9), max_size=3))
    def note(self, claim: tuple[str, Claim], final: int, ids: list[int]) -> None:
        """What of the reply is on Telegram is noted."""
        (name, made), shown = claim, Shown(final, tuple(ids))
        self._call(claim, self._inboxes[name].note(made, shown))
        if self._owned(claim):
            self._heads[made.lane].shown = shown

    @rule(claim=claims, reason=st.sampled_from(["first", "second"]))
    def failed(self, claim: tuple[str, Claim], reason: str) -> None:
        """Failures are counted, and the newest reason kept."""
        name, made = claim
        failures = self._call(claim, self._inboxes[name].failed(made, reason))
        if self._owned(claim):
            head = self._heads[made.lane]
            head.failures, head.failure = head.failures + 1, reason
            assert failures == head.failures

    @rule(claim=consumes(claims), reason=st.sampled_from(["", "", "bad"]))
    def done(self, claim: tuple[str, Claim], reason: str) -> None:
        """The owner's head goes once, and the lane to the end of the queue; nobody else's does."""
        name, made = claim
        queued = self._owned(claim)
        self._run(self._inboxes[name].done(made, reason))
        self._run(self._inboxes[name].done(made, reason))
        if queued:
            number, _ = self._mailboxes[made.lane].pop(0)
            if reason:
                self._dead.append((reason, number, made.lane))
            self._interrupts.pop(number, None)
            told = self._heads[made.lane].told
            self._heads[made.lane] = Head(told=told and bool(self._mailboxes[made.lane]))
            self._queue.remove(queued)
            if self._mailboxes[made.lane]:
                self._queue.append(Queued(made.lane))

    @rule(claim=claims)
    def park(self, claim: tuple[str, Claim]) -> None:
        """An owner takes a lane out of the queue; what waits in it stays as it is."""
        name, made = claim
        queued = self._owned(claim)
        self._run(self._inboxes[name].park(made, 3600))
        if queued:
            self._queue.remove(queued)
            self._parked.append(made.lane)

    @rule()
    def unpark(self) -> None:
        """When their time has come, lanes are queued again, as new ones are."""
        for place, lane in enumerate(self._parked, 1):
            self._run(self._due(lane, place))
        self._run(self._inboxes["b"].unpark())
        self._queue += map(Queued, self._parked)
        self._parked.clear()

    async def _due(self, lane: ChatKey, milliseconds: int) -> None:
        await self._redis.zadd(keys.parked(self._bot_id), {str(lane): milliseconds})

    @rule()
    def overdue(self) -> None:
        """Each lane is told of once, until it has been idle."""
        found = self._run(self._inboxes["a"].overdue(0, 1000))
        untold = [queued.lane for queued in self._queue if not self._heads[queued.lane].told]
        assert [(late.lane, late.head.update) for late in found] == [
            (lane, update(self._mailboxes[lane][0][0])) for lane in untold
        ]
        for lane in untold:
            self._heads[lane].told = True

    # What always holds

    @invariant()
    def it_is_as_the_model_says(self) -> None:
        """Mailboxes, the queue, its owners and histories are what they should be."""
        self._run(self._compare())

    async def _compare(self) -> None:
        async with self._redis.pipeline(transaction=False) as pipeline:
            ready = keys.ready(self._bot_id)
            pipeline.xrange(ready)
            pipeline.xpending_range(ready, GROUP, "-", "+", 100)
            for lane in LANES:
                pipeline.lrange(keys.mailbox(self._bot_id, lane), 0, -1)
                pipeline.lrange(keys.history(self._bot_id, lane), 0, -1)
            entries, pending, *lists = await pipeline.execute()
        assert [fields["lane"] for _, fields in entries] == [
            str(queued.lane) for queued in self._queue
        ]
        owners = [(one["message_id"], one["consumer"], one["times_delivered"]) for one in pending]
        assert owners == [
            (queued.entry, queued.owner, queued.claims) for queued in self._queue if queued.entry
        ]
        assert len({queued.lane for queued in self._queue}) == len(self._queue)
        for lane, waiting, history in zip(LANES, lists[::2], lists[1::2], strict=True):
            assert [entry[entry.index("{") :] for entry in waiting] == [
                update(number) for number, _ in self._mailboxes[lane]
            ]
            assert [json.loads(said)["text"] for said in history] == self._histories[lane]
            queued = [*(one.lane for one in self._queue), *self._parked]
            assert queued.count(lane) == bool(waiting)


@pytest.mark.slow
def test_the_inbox_does_what_its_model_does(valkey: str) -> None:
    """A mailbox is queued exactly when it is not empty, and only a lane's owner changes it."""
    with asyncio.Runner() as runner:
        redis = connect(valkey, connections=4)
        run_state_machine_as_test(
            lambda: InboxMachine(runner.run, redis),  # type: ignore[arg-type] # any factory will do
            settings=settings(
                max_examples=80,
                stateful_step_count=40,
                suppress_health_check=[HealthCheck.too_slow],
            ),
        )
        runner.run(redis.aclose())
