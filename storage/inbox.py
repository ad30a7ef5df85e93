"""The durable inbox: stores every update before Telegram hears of it, until it is dealt with.

The life of a message
---------------------
An update is in exactly one of four places:

1. *Telegram*, which keeps sending it for a day, until `put` has stored it and it is confirmed;
2. its lane's **mailbox** (a list; a lane is a conversation), where it waits behind older ones;
3. at the head of the mailbox, **in work**: a worker owns the lane;
4. *gone*: answered, or a **dead letter**.

Lanes are queued, not messages. A lane with a non-empty mailbox has exactly one entry in the stream
**ready**; other lanes have none. `take` gives entries to a worker through a consumer group, and
`put` to the worker of its own process: an entry in a consumer's pending list *is* the ownership of
its lane. The owner renews it (`beat`). A dead owner does not, and after a lease another worker
claims the lane (`stale`). An entry is never used twice, so ownership is the pair (entry, consumer).
A lane whose chat Telegram has frozen is **parked** (`park`): it has a time in a sorted set and no
entry, until `unpark` queues it.

Every script that writes checks that ownership first: a worker that lost its lane, because it froze
or was cut off, cannot write any more. And every script is safe to repeat, as replies can be lost:

- `put` recognises update ids it has seen; lanes that it handed over unheard are found by `mine`;
- `commit` keeps the reply and, with it, changes the history, counts the usage and takes the reply's
  place in the budget, but only if no reply is kept yet: after a death the next owner sends the kept
  reply without asking the model;
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

import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

import structlog
from redis.asyncio import Redis

from storage import keys
from storage.access import AccessList
from storage.announcement import Announcing
from storage.arrivals import GROUP, MOST_AHEAD, MOST_OF_ONE, MOST_WAITING, Arrivals
from storage.lane import Claim, Entry, LaneLost, Late
from storage.message import ChatKey
from storage.resets import Resets
from storage.server.connect import StorageUnavailable, textual, translated
from storage.timing import Timing, clock

log = structlog.get_logger()

MOST_LOOKED_AT = 1000
"""Lanes that one call of `overdue` looks at; this many cost 2 ms of the server's time."""
MOST_UNPARKED = 1000


class Inbox(Arrivals, Resets, Announcing):
    """One bot's inbox, seen by one worker.

    Methods that work on a claimed lane wait while storage is down, and raise `StorageRefused`; the
    others raise `StorageUnavailable`.
    """

    def __init__(
        self,
        redis: Redis,
        bot_id: int,
        consumer: str,
        timing: Timing = Timing(),
        *,
        bounds: tuple[int, int, int] = (MOST_WAITING, MOST_AHEAD, MOST_OF_ONE),
    ) -> None:
        """``consumer`` names the worker; no two living workers may share a name.

        ``bounds`` are most updates of one lane, most interrupts beyond those, and most of them from
        one sender.
        """
        others = "begin", "beat", "mine", "overdue", "restamp", "sweep", "unpark"
        announcing = "announce", "cancel", "decline"
        super().__init__(redis, bot_id, consumer, timing, bounds, *others, *announcing)
        self.access = AccessList(redis, bot_id, consumer, timing)
        self._server_time = 0
        self._late_after = "-"

    async def begin(self) -> None:
        """Create the consumer group, unless there is one."""
        with translated():
            await self._scripts["begin"](keys=[self._ready])

    async def take(self, count: int, seconds: float) -> list[Claim]:
        """Claim up to ``count`` free lanes; wait up to ``seconds`` for the first.

        If this fails, lanes may have been claimed without our knowing: see `mine`.
        """
        asked = clock()
        with translated(), textual():
            found: Any = await self._redis.xreadgroup(
                GROUP, self._consumer, {self._ready: ">"}, count=count, block=int(seconds * 1000)
            )
            return await self._claims(_lanes(found.get(self._ready, [])), asked)

    async def stale(self, count: int) -> list[Claim]:
        """Claim up to ``count`` lanes whose owners have been silent for a lease."""
        claims: list[Claim] = []
        cursor, asked = "0-0", clock()
        with translated(), textual():
            while True:
                cursor, entries, *_ = await self._redis.xautoclaim(
                    self._ready,
                    GROUP,
                    self._consumer,
                    int(self.timing.lease * 1000),
                    cursor,
                    count=count - len(claims),
                )
                claims += await self._claims(_lanes(entries), asked)
                if cursor == "0-0" or len(claims) >= count:
                    return claims

    async def mine(self, running: Sequence[str]) -> list[Claim]:
        """Claim lanes under our name that we do not know of, and count the claims.

        They are left from a previous life, or from a claim whose reply was lost.
        """
        asked = clock()
        with translated():
            found = await self._scripts["mine"](keys=[self._ready], args=[self._consumer, *running])
            return await self._claims(zip(found[::2], found[1::2], strict=True), asked)

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
            if clock() - claim.renewed < self.timing.lease / 2:
                return
            await self._patiently(lambda: self.beat([claim]))
        raise LaneLost

    async def leave(self) -> None:
        """Let others claim at once what is still ours, and take our name out of the group."""
        ours = [claim["message_id"] for claim in await self._pending()]
        await self._beat(ours, self.timing.lease)
        args: list[str | int] = [self._consumer, int(self.timing.sweep * 1000)]
        with translated():
            await self._scripts["sweep"](keys=[self._ready], args=args)

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
        with translated(), textual():
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

    async def interruptions(self) -> AsyncIterator[tuple[ChatKey | None, Entry | None]]:
        """Yield lanes as interrupting updates come in, with these.

        There is no update if the bot must be quiet in a lane's chat, and no lane either when some
        may have been missed: at the start, and when a connection broke.
        """
        name, silent = keys.interrupts(self.bot_id), False
        async with self._redis.pubsub() as channel:
            with translated():
                await channel.subscribe(name)
            while True:
                with translated(), textual():
                    message = await channel.get_message(timeout=self.timing.channel_silence)
                    if message is None and not silent:
                        await channel.subscribe(name)  # it is answered, and changes nothing
                if message and message["type"] == "message":
                    yield _interruption(message["data"])
                elif message and not silent:  # subscribed, and not because we asked just now
                    yield None, None
                elif silent and not message:  # a connection can die without a sign
                    raise StorageUnavailable("no answer on the channel of interrupts")
                silent = message is None


def _interruption(text: str) -> tuple[ChatKey | None, Entry | None]:
    lane, _, entry = text.partition(" ")
    with contextlib.suppress(ValueError):  # another program published it
        return ChatKey.parse(lane), Entry.parse(entry) if entry else None
    return None, None


def _lanes(entries: Any) -> list[tuple[str, str]]:
    return [(entry, fields.get("lane", "")) for entry, fields in entries]
