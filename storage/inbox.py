"""The durable inbox: stores every update before Telegram hears of it, until it is dealt with.

The life of a message
---------------------
An update is in exactly one of four places:

1. *Telegram*, which keeps sending it for a day, until `put` has stored it and it is confirmed;
2. its lane's **mailbox** (a list; a lane is a conversation), where it waits behind older ones;
3. at the head of the mailbox, **in work**: a worker owns the lane;
4. *gone*: answered, or a **dead letter**.

Lanes are queued, not messages. A lane with a non-empty mailbox has exactly one entry in the stream
**ready**; other lanes have none. `take` gives entries to a worker through a consumer group: an
entry in a consumer's pending list *is* the ownership of its lane. The owner renews it (`beat`). A
dead owner does not, and after `LEASE` seconds another worker claims the lane (`stale`). An entry is
never used twice, so ownership is the pair (entry, consumer). A lane whose chat Telegram has frozen
is **parked** (`park`): it has a time in a sorted set and no entry, until `unpark` queues it.

Every script that writes checks that ownership first: a worker that lost its lane, because it froze
or was cut off, cannot write any more. And every script is safe to repeat, as replies can be lost:

- `put` recognises update ids it has seen;
- `commit` keeps the reply and, with it, changes the history and counts the usage, but only if no
  reply is kept yet: after a death the next owner sends the kept reply without asking the model;
- `note` records which messages on Telegram show the reply, while it grows and when it is final: the
  next owner goes on editing those, and posts nothing new;
- `migrate` moves everything kept of a group that is now a supergroup; what has moved is gone;
- `done` removes the head and with it the entry; repeated, it finds that it no longer owns the lane.

No script can check what happens on Telegram, so `hold` is called directly before each request is
written. A claim renewed less than half a lease ago, by a clock that also runs while the machine
sleeps, is certainly still ours; any other is renewed first, or found to be lost.

What remains is Telegram's side: if it took a message and we die before noting that, the message is
sent once more, because Telegram has no idempotency keys. The same can happen if a process is
stopped between the check and the write for longer than the other half of the lease, on a paused
machine whose clocks all stand still, or, until the next beat, after the server's clock jumped
forward. Nothing else can happen twice, and nothing can be lost.
"""

import re
import sys
import time
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import structlog
from redis.asyncio import Redis

from storage import keys
from storage.change import Change, Forgotten, arguments
from storage.dead import MOST
from storage.history import LONGEST, MOST_BYTES
from storage.mending import Mending
from storage.message import ChatKey
from storage.server.connect import StorageFull, StorageUnavailable, patiently, translated
from storage.server.script import Script

log = structlog.get_logger()

LEASE = 12.0
"""Seconds without a beat after which anyone may claim a lane; at 2, network stalls made doubles."""
MOST_WAITING = 50
"""Most updates of one lane. The first one beyond gets a notice; later ones are dropped."""
MOST_AHEAD = 200
"""Most interrupts of one lane beyond those; while memory is full, all urgent updates."""
MOST_OF_ONE = 10
"""Most of them from one sender, so that nobody shuts out others."""
FULL_SECONDS = 60
"""How long memory counts as full after an update was refused."""
IDS_KEPT = 100_000
IDS_SECONDS = 2 * 24 * 60 * 60
"""How many update ids are remembered, and for how long; Telegram repeats an update for a day."""
MOST_LOOKED_AT = 1000
"""Lanes that one call of `overdue` looks at; this many cost 2 ms of the server's time."""
MOST_UNPARKED = 1000
SILENT_SECONDS = 3.0
"""How long the channel of interrupts may be silent before we ask whether the server is there."""
GROUP = "workers"
DAY_MS = 24 * 60 * 60 * 1000


@dataclass(frozen=True, slots=True)
class Arrival:
    """An update that has come in; ``interrupts`` if it may cut short what waits in its lane.

    ``sender`` identifies the sender; any text without a "{".
    """

    lane: ChatKey
    update_id: int
    update: str
    interrupts: bool = False
    sender: str = ""


class LaneLost(Exception):
    """The lane has another owner now; drop whatever is in work for it here."""


def clock() -> float:
    """Seconds by a clock that also runs while the machine sleeps, where there is one."""
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


@dataclass(slots=True)
class Claim:
    """A lane that this worker owns, as long as ``entry`` is pending under its name.

    ``renewed`` is the `clock` just before the claim was made or last renewed. Once ``lost``, the
    claim is void for everything that holds it.
    """

    entry: str
    lane: ChatKey
    renewed: float = field(compare=False)
    lost: bool = field(default=False, compare=False)

    def void(self) -> LaneLost:
        """Mark the lane as lost; returns the error to raise."""
        self.lost = True
        return LaneLost()


@dataclass(frozen=True, slots=True)
class Entry:
    """An update as stored in a mailbox; ``flood`` marks the first one beyond `MOST_WAITING`."""

    update: str
    flood: bool

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse what the script `put` wrote: time, a mark, perhaps the sender, the update."""
        start = max(0, text.find("{"))  # whoever cannot read the update reports it
        return cls(text[start:], flood=text[:start].endswith("!"))


@dataclass(frozen=True, slots=True)
class Late:
    """The head of a lane's mailbox, when it has waited long."""

    lane: ChatKey
    head: Entry


@dataclass(frozen=True, slots=True)
class Shown:
    """Which messages on Telegram, by ``ids``, show a reply; the first ``final`` of them are final.

    The others are in the lane's own chat, or in the supergroup ``chat`` it has since become.
    """

    final: int = 0
    ids: tuple[int, ...] = ()
    chat: int = 0

    def __str__(self) -> str:
        chat = (self.chat,) if self.chat else ()
        return " ".join(map(str, (self.final, *self.ids, *chat)))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse the output of ``str``, or ""."""
        final, *ids = [int(number) for number in text.split()] or [0]
        chat = ids.pop() if ids and ids[-1] < 0 else 0  # numbers of messages are positive
        return cls(final, tuple(ids), chat)


@dataclass(frozen=True, slots=True)
class Opened:
    """The head of a lane's mailbox, and the state of earlier work on it.

    It came in ``waited`` seconds ago. ``claims`` counts how often the lane was claimed since this
    became its head, ``begun`` how often work on it began under suspicion, ``failures`` how often
    the work itself failed, ``failure`` the last reason. ``reply`` is the kept reply ("" if none),
    ``shown`` how much of it is on Telegram, ``partial`` how far an answer had grown.
    ``interrupts`` are the entries behind the head that may want to cut it short, oldest first.
    """

    head: Entry
    waited: int
    claims: int
    begun: int
    failures: int
    failure: str
    reply: str
    shown: Shown
    partial: str
    interrupts: tuple[Entry, ...]


class Inbox:
    """One bot's inbox, seen by one worker.

    Methods that work on a claimed lane wait while storage is down, and raise `StorageRefused`; the
    others raise `StorageUnavailable`.
    """

    def __init__(self, redis: Redis, bot_id: int, consumer: str) -> None:
        """``consumer`` names the worker; no two living workers may share a name."""
        self.bot_id = bot_id
        self._redis = redis
        self._consumer = consumer
        self._ready = keys.ready(bot_id)
        self._server_time = 0
        self._late_after = "-"
        self._scripts = {
            name: Script(redis, name)
            for name in (
                "begin",
                "put",
                "open",
                "commit",
                "note",
                "done",
                "beat",
                "migrate",
                "mine",
                "overdue",
                "park",
                "renote",
                "restamp",
                "sweep",
                "unpark",
            )
        }
        self._put_urgent = Script(redis, "put", allow_oom=True)
        self._mending = Mending(redis)

    async def begin(self) -> None:
        """Create the consumer group, unless there is one."""
        with translated():
            await self._scripts["begin"](keys=[self._ready])

    async def put(self, *arrivals: Arrival) -> list[str]:
        """Store updates, each ``update_id`` once; only then may they be confirmed.

        Returns for each ``stored``, ``known``, ``flood`` (stored as the first one too many) or
        ``dropped`` (one too many after that). Raises `StorageUnavailable`, in particular
        `StorageFull` when memory is full.
        """
        return await self._put(self._scripts["put"], arrivals, "")

    async def put_urgent(self, *arrivals: Arrival) -> list[str]:
        """Store updates even while memory is full, up to `MOST_OF_ONE` per sender in a lane.

        Then memory counts as full for `FULL_SECONDS`, even if something small would fit. Returns
        ``full`` for updates beyond the limit: do not confirm those. Raises `StorageUnavailable`.
        """
        return await self._put(self._put_urgent, arrivals, FULL_SECONDS)

    async def _put(
        self, script: Script, arrivals: Sequence[Arrival], full_seconds: int | str
    ) -> list[str]:
        names, mark = self._place(), keys.mark(self.bot_id)
        args = self._bounds(full_seconds)
        for one in arrivals:
            names.append(keys.mailbox(self.bot_id, one.lane))
            args += one.update_id, str(one.lane), one.update, int(one.interrupts), one.sender
        kinds = dict.fromkeys(names[4:], "list") | {names[0]: "zset"}
        stored = await self._mending.mended(lambda: script.kept(names, args, mark), kinds)
        return list(map(str, stored))

    def _place(self) -> list[str]:
        full, nothing = keys.full(self.bot_id), keys.nothing(self.bot_id)
        return [keys.seen(self.bot_id), self._ready, full, nothing]

    def _bounds(self, full_seconds: int | str) -> list[str | int]:
        channel, ahead = keys.interrupts(self.bot_id), (MOST_AHEAD, MOST_OF_ONE)
        return [MOST_WAITING, IDS_KEPT, IDS_SECONDS, channel, *ahead, full_seconds]

    async def check_room(self) -> None:
        """Raise what `put` would raise now: `StorageFull` or `StorageUnavailable`."""
        put, names = self._scripts["put"], self._place()
        await self._mending.mended(lambda: put(names, self._bounds("")), {names[0]: "zset"})

    async def is_full(self) -> bool:
        """True if memory is full, or an update was recently refused because of that."""

        async def ask() -> bool:
            try:
                await self.check_room()
                with translated():
                    return bool(await self._redis.exists(keys.full(self.bot_id)))
            except StorageFull:
                return True

        return await patiently(ask)

    async def take(self, count: int, seconds: float) -> list[Claim]:
        """Claim up to ``count`` free lanes; wait up to ``seconds`` for the first.

        If this fails, lanes may have been claimed without our knowing: see `mine`.
        """
        asked = clock()
        with translated():
            found: Any = await self._redis.xreadgroup(
                GROUP, self._consumer, {self._ready: ">"}, count=count, block=int(seconds * 1000)
            )
        return _claims(found.get(self._ready, []), asked)

    async def stale(self, count: int) -> list[Claim]:
        """Claim up to ``count`` lanes whose owners have been silent for `LEASE` seconds."""
        claims: list[Claim] = []
        cursor, asked = "0-0", clock()
        with translated():
            while True:
                cursor, entries, *_ = await self._redis.xautoclaim(
                    self._ready,
                    GROUP,
                    self._consumer,
                    int(LEASE * 1000),
                    cursor,
                    count=count - len(claims),
                )
                claims += _claims(entries, asked)
                if cursor == "0-0" or len(claims) >= count:
                    return claims

    async def mine(self, running: Sequence[str]) -> list[Claim]:
        """Claim lanes under our name that we do not know of, and count the claims.

        They are left from a previous life, or from a claim whose reply was lost.
        """
        asked = clock()
        with translated():
            found = await self._scripts["mine"](keys=[self._ready], args=[self._consumer, *running])
        lanes = map(ChatKey.parse, found[1::2])
        return [Claim(entry, lane, asked) for entry, lane in zip(found[::2], lanes, strict=True)]

    async def open(self, claim: Claim) -> Opened:
        """Read the head of a lane's mailbox.

        Raises `LaneLost`; and `StorageRefused` or ValueError if it cannot be read: see `give_up`.
        """
        found = await self._patiently(
            "open",
            keys=[self._ready, *self._of(claim, keys.mailbox, keys.outbox)],
            args=[claim.entry, self._consumer],
        )
        if not found:
            raise claim.void()
        head, waited, claims, begun, failures, failure, reply, shown, partial, *interrupts = found
        return Opened(
            Entry.parse(head),
            int(waited),
            int(claims),
            int(begun),
            int(failures),
            failure,
            reply,
            Shown.parse(shown),
            partial,
            tuple(map(Entry.parse, interrupts)),
        )

    async def following(self, claim: Claim, most: int) -> list[Entry]:
        """Read what waits behind the head."""
        mailbox = keys.mailbox(self.bot_id, claim.lane)
        found = await patiently(lambda: self._redis.lrange(mailbox, 1, most))
        return [Entry.parse(str(entry)) for entry in found]

    async def interrupts(self, lane: ChatKey) -> list[Entry]:
        """Read what waits in any lane, ours or not, and may cut short the work on it."""
        mailbox = keys.mailbox(self.bot_id, lane)
        found = await patiently(lambda: self._redis.lrange(mailbox, 0, -1))
        return [Entry.parse(str(entry)) for entry in found if re.match(r"\d+\*", str(entry))]

    async def joined(self, claim: Claim, number: int) -> None:
        """Note that the ``number`` updates after the head are dealt with together with it.

        Raises `LaneLost`.
        """
        await self._note(claim, "joined", str(number))

    async def commit(self, claim: Claim, reply: str, change: Change | None = None) -> None:
        """Keep the reply to the head and, in the same step, what it does to a history.

        Repeated, even by a later owner, it changes nothing. Raises `LaneLost`, and
        `StorageRefused` before anything is kept.
        """
        chat = change.chat if isinstance(change, Forgotten) else claim.lane
        topics: set[ChatKey] = set()
        if isinstance(change, Forgotten) and change.with_topics:
            chat = ChatKey(*(await self.successors({chat.chat_id}) or {chat.chat_id}))
            topics = await self._topics(chat.chat_id)
        names = [
            self._ready,
            *self._of(claim, keys.outbox, keys.usage),
            *keys.conversation(self.bot_id, chat),
            keys.nothing(self.bot_id),
        ]
        for topic in topics:
            names += keys.conversation(self.bot_id, topic)
        args = [claim.entry, self._consumer, reply, *arguments(change)]
        commit, mark = self._scripts["commit"], keys.mark(self.bot_id)
        kept = await patiently(lambda: commit.kept(names, args, mark))
        if not kept:
            raise claim.void()
        if kept == 2:
            log.warning("usage_not_counted", chat=claim.lane.chat_id)

    async def _topics(self, chat_id: int) -> set[ChatKey]:
        """Find a forum's topics in which something was said or waits."""

        async def look() -> set[ChatKey]:
            pattern = f"{keys.tag(self.bot_id)}*:{chat_id}:*"
            found = [str(key) async for key in self._redis.scan_iter(pattern, count=1000)]
            numbers = {key.rpartition(":")[2] for key in found}
            return {ChatKey(chat_id, int(topic)) for topic in numbers if topic.isdecimal()}

        return await patiently(look)

    async def note(self, claim: Claim, shown: Shown, partial: str = "") -> None:
        """Note how much of the reply, or of the answer so far, is shown. Raises `LaneLost`."""
        await self._note(claim, "shown", str(shown), "partial", partial)

    async def began(self, claim: Claim, times: int) -> None:
        """Note how many times work on the head began under suspicion. Raises `LaneLost`."""
        await self._note(claim, "begun", str(times))

    async def failed(self, claim: Claim, reason: str) -> int:
        """Count a failure of the work itself; returns how many there are. Raises `LaneLost`."""
        return await self._note(claim, "failure", reason[:500])

    async def give_up(self, claim: Claim, reason: str, failures: int) -> None:
        """Replace the head's unreadable notes by how often and why it failed.

        Raises `LaneLost`.
        """
        mailbox, outbox = self._of(claim, keys.mailbox, keys.outbox)
        await patiently(lambda: self._mending.mend({mailbox: "list"}))
        args = [claim.entry, self._consumer, "failure", reason[:500], "failures", failures]
        if not await self._patiently("renote", keys=[self._ready, outbox], args=args):
            raise claim.void()

    async def _note(self, claim: Claim, *fields: str) -> int:
        noted = await self._patiently(
            "note",
            keys=[self._ready, *self._of(claim, keys.outbox)],
            args=[claim.entry, self._consumer, *fields],
        )
        if noted is None:
            raise claim.void()
        return int(noted)

    async def done(self, claim: Claim, dead: str = "", answer: Sequence[int] = ()) -> None:
        """Remove the head, and what was joined to it, and give up the lane.

        ``dead`` is the reason if it becomes a dead letter; ``answer`` are the messages on Telegram
        that answer the last exchange of its conversation.
        """
        mailbox, outbox, state = self._of(claim, keys.mailbox, keys.outbox, keys.state)
        letters, nothing = keys.dead(self.bot_id), keys.nothing(self.bot_id)
        names = [self._ready, mailbox, outbox, letters, state, nothing]
        kinds = {mailbox: "list", outbox: "hash", letters: "list", state: "hash"}
        numbers = " ".join(map(str, answer))
        args: list[str | int] = [claim.entry, self._consumer, str(claim.lane), dead, MOST, numbers]
        await patiently(
            lambda: self._mending.mended(lambda: self._scripts["done"](names, args), kinds)
        )

    async def inherit(self, claim: Claim, group: int) -> bool:
        """Take over everything kept of a group that has become this lane's supergroup.

        Returns False while something waits there that must be answered first. Repeated, it changes
        nothing. Raises `LaneLost`.
        """
        return await self._migrate(claim, group, claim.lane.chat_id, "supergroup")

    async def hand_over(self, claim: Claim, supergroup: int) -> None:
        """Move everything kept of this lane, a group's, to the supergroup it has become.

        Nothing moves while more waits behind the head: whoever answers that hears the same from
        Telegram. Raises `LaneLost`.
        """
        await self._migrate(claim, claim.lane.chat_id, supergroup, "group")

    async def _migrate(self, claim: Claim, group: int, supergroup: int, lane: str) -> bool:
        chat = ChatKey(group)
        kinds: dict[str, str] = {
            keys.successors(self.bot_id): "hash",
            keys.mailbox(self.bot_id, chat): "list",
            keys.outbox(self.bot_id, chat): "hash",
            **keys.kept(self.bot_id, chat),
            **keys.kept(self.bot_id, ChatKey(supergroup)),
        }
        successors, *others = kinds
        names = [self._ready, successors, keys.nothing(self.bot_id), *others]
        args: list[str | int] = [claim.entry, self._consumer, group, supergroup, lane]
        args += [LONGEST, MOST_BYTES]
        migrate, mark = self._scripts["migrate"], keys.mark(self.bot_id)
        moved = await patiently(
            lambda: self._mending.mended(lambda: migrate.kept(names, args, mark), kinds)
        )
        if moved is None:
            raise claim.void()
        return bool(moved)

    async def successors(self, chats: Collection[int]) -> set[int]:
        """Return the supergroups that any of these chats have become."""
        key = keys.successors(self.bot_id)
        found = await patiently(
            lambda: self._mending.mended(
                lambda: self._redis.hmget(key, [str(chat) for chat in chats]), {key: "hash"}
            )
        )
        return {int(one) for one in found if one}

    async def park(self, claim: Claim, seconds: float) -> None:
        """Give up the lane, and let nobody claim it for ``seconds``; its head stays as it is."""
        parked = keys.parked(self.bot_id)
        args: list[str | int] = [claim.entry, self._consumer, str(claim.lane), int(seconds * 1000)]
        park = self._scripts["park"]
        await patiently(
            lambda: self._mending.mended(
                lambda: park([self._ready, parked], args), {parked: "zset"}
            )
        )

    async def unpark(self) -> None:
        """Queue parked lanes whose time has come."""
        names, unpark = [self._ready, keys.parked(self.bot_id)], self._scripts["unpark"]
        await self._mending.mended(lambda: unpark(names, [MOST_UNPARKED]), {names[1]: "zset"})

    async def beat(self, claims: Sequence[Claim]) -> list[Claim]:
        """Renew lanes in work; returns those that are no longer ours, and marks them as lost."""
        asked = clock()
        lost = set(await self._beat([claim.entry for claim in claims], 0))
        for claim in claims:
            if claim.entry in lost:
                claim.lost = True
            else:
                claim.renewed = asked
        return [claim for claim in claims if claim.lost]

    async def hold(self, claim: Claim) -> None:
        """Check that the lane is ours before an effect that cannot be undone. Raises `LaneLost`.

        Costs nothing while the claim is fresh, and waits while storage is down.
        """
        while not claim.lost:
            if clock() - claim.renewed < LEASE / 2:
                return
            await patiently(lambda: self.beat([claim]))
        raise LaneLost

    async def leave(self) -> None:
        """Let others claim at once what is still ours, and take our name out of the group."""
        await self._beat([claim["message_id"] for claim in await self._pending()], LEASE)
        with translated():
            await self._scripts["sweep"](keys=[self._ready], args=[self._consumer, str(DAY_MS)])

    async def _beat(self, entries: Sequence[str], idle: float) -> list[str]:
        lost: list[str] = []
        # A script over thousands of entries would hold up everyone else.
        for start in range(0, len(entries), 500):
            args: list[Any] = [self._consumer, int(idle * 1000), *entries[start : start + 500]]
            with translated():
                lost += await self._scripts["beat"](keys=[self._ready], args=args)
        return lost

    async def _pending(self) -> list[dict[str, Any]]:
        with translated():
            return await self._redis.xpending_range(
                self._ready, GROUP, "-", "+", 10_000, consumername=self._consumer
            )

    async def overdue(self, seconds: float, most: int) -> list[Late]:
        """Return up to ``most`` heads of mailboxes that have waited so long, each to one caller.

        A lane is returned once, and again only after it has been idle. Each call looks at
        `MOST_LOOKED_AT` lanes and goes on where the last one ended.
        """
        with translated():
            after, *found = await self._scripts["overdue"](
                keys=[self._ready],
                args=[
                    seconds,
                    MOST_LOOKED_AT,
                    most,
                    self._late_after,
                    keys.mailboxes(self.bot_id),
                    keys.outboxes(self.bot_id),
                ],
            )
        self._late_after = after
        lanes = map(ChatKey.parse, found[::2])
        return [Late(*late) for late in zip(lanes, map(Entry.parse, found[1::2]), strict=True)]

    async def untold(self, late: Late) -> None:
        """Let `overdue` return this one again, because its person could not be told."""
        with translated():
            await self._redis.hdel(keys.outbox(self.bot_id, late.lane), "told")

    async def watch_clock(self) -> None:
        """Restart all leases if the server's clock went back; call it with every beat."""
        before = self._server_time
        with translated():
            names = [self._ready, keys.parked(self.bot_id)]
            now = int(await self._scripts["restamp"](names, [before]))
        if now < before:
            log.warning("clock_went_back", seconds=before - now)
        self._server_time = now

    async def interruptions(self) -> AsyncIterator[ChatKey | None]:
        """Yield lanes as interrupting updates come in.

        Yields None when some may have been missed: at the start, and when a connection broke.
        """
        name, silent = keys.interrupts(self.bot_id), False
        async with self._redis.pubsub() as channel:
            with translated():
                await channel.subscribe(name)
            while True:
                with translated():
                    message = await channel.get_message(timeout=SILENT_SECONDS)
                    if message is None and not silent:
                        await channel.subscribe(name)  # it is answered, and changes nothing
                if message and message["type"] == "message":
                    yield ChatKey.parse(message["data"])
                elif message and not silent:  # subscribed, and not because we asked just now
                    yield None
                elif silent and not message:  # a connection can die without a sign
                    raise StorageUnavailable("no answer on the channel of interrupts")
                silent = message is None

    async def _patiently(self, script: str, keys: list[str], args: list[Any]) -> Any:
        return await patiently(lambda: self._scripts[script](keys=keys, args=args))

    def _of(self, claim: Claim, *named: Callable[[int, ChatKey], str]) -> list[str]:
        return [name(self.bot_id, claim.lane) for name in named]


def _claims(entries: Any, asked: float) -> list[Claim]:
    return [Claim(entry, ChatKey.parse(fields["lane"]), asked) for entry, fields in entries]
