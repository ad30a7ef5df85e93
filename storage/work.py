"""What a worker does with a lane that it has claimed; the rules stand in `storage.inbox`."""

import re
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any, TypeVar

import structlog
from redis.asyncio import Redis

from storage import keys
from storage.budget import WORTH_WAITING_MS, until_place
from storage.change import Change, Forgotten, arguments
from storage.dead import MOST
from storage.history import LONGEST, MOST_BYTES
from storage.lane import Claim, Entry, Opened, Shown
from storage.mending import Mending
from storage.message import ChatKey
from storage.server.connect import patiently
from storage.server.script import Script
from storage.timing import Timing, clock

log = structlog.get_logger()

T = TypeVar("T")


class Work:
    """One worker's work on one bot's lanes; every step checks that the lane is still its own.

    It waits while storage is down, and raises `StorageRefused`.
    """

    def __init__(
        self, redis: Redis, bot_id: int, consumer: str, timing: Timing, *scripts: str
    ) -> None:
        """``scripts`` are those that are run besides."""
        self.bot_id = bot_id
        self.timing = timing
        self._redis = redis
        self._consumer = consumer
        self._ready = keys.ready(bot_id)
        steps = ("open", "commit", "note", "done", "migrate", "park", "renote")
        self._scripts = {name: Script(redis, name) for name in (*steps, *scripts)}
        self._mending = Mending(redis)

    async def open(self, claim: Claim, most_bytes: int = 0) -> Opened:
        """Read the head of a lane's mailbox, and as much of the history as fits ``most_bytes``.

        Raises `LaneLost`; and `StorageRefused` or ValueError if it cannot be read: see `give_up`.
        """
        asked = clock()
        of_lane = keys.mailbox, keys.outbox, keys.history, keys.epoch, keys.state
        names = [self._ready, *self._of(claim, *of_lane), self._pace(claim)[0]]
        try:
            found = await self._step("open", names, [claim.entry, self._consumer, most_bytes])
        except UnicodeDecodeError:  # another program's; without it, a reset can cure that
            found = await self._step("open", names, [claim.entry, self._consumer, -1])
        if not found:
            raise claim.void()
        head, waited, claims, begun, failures, failure, reply, shown, partial, *more = found
        behind, frozen, past, *interrupts = more
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
            int(behind),
            tuple(map(Entry.parse, interrupts)),
            asked,
            None if int(frozen) < 0 else int(frozen) / 1000,
            past,
        )

    async def following(self, claim: Claim, most: int) -> list[Entry]:
        """Read what waits behind the head."""
        mailbox = keys.mailbox(self.bot_id, claim.lane)
        found = await self._patiently(lambda: self._redis.lrange(mailbox, 1, most))
        return [Entry.parse(str(entry)) for entry in found]

    async def interrupts(self, lane: ChatKey) -> list[Entry]:
        """Read what waits in any lane, ours or not, and may cut short the work on it."""
        mailbox = keys.mailbox(self.bot_id, lane)
        found = await self._patiently(lambda: self._redis.lrange(mailbox, 0, -1))
        return [Entry.parse(str(entry)) for entry in found if re.match(r"\d+\*", str(entry))]

    async def joined(self, claim: Claim, number: int) -> None:
        """Note that the ``number`` updates after the head are dealt with together with it.

        Raises `LaneLost`.
        """
        await self._note(claim, "joined", str(number))

    async def commit(
        self, claim: Claim, reply: str, change: Change | None = None, *, at_once: bool = False
    ) -> float | None:
        """Keep the reply to the head and, in the same step, what it does to a history.

        A reply that is sent ``at_once`` also gets its place in the budget: returns the seconds
        until that comes, or None if it has none. Repeated, even by a later owner, it changes
        nothing. Raises `LaneLost`, `StorageRefused` before anything is kept, and `Frozen` after.
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
            *self._pace(claim),
        ]
        for topic in topics:
            names += keys.conversation(self.bot_id, topic)
        place = [WORTH_WAITING_MS if at_once else "", int(claim.lane.chat_id < 0)]
        args = [claim.entry, self._consumer, reply, *place, *arguments(change)]
        commit, mark = self._scripts["commit"], keys.mark(self.bot_id)
        kept, *granted = await self._patiently(lambda: commit.kept(names, args, mark))
        if not kept:
            raise claim.void()
        if kept == 2:
            log.warning("usage_not_counted", chat=claim.lane.chat_id)
        return until_place(*granted) if granted else None

    async def _topics(self, chat_id: int) -> set[ChatKey]:
        """Find a forum's topics in which something was said or waits."""

        async def look() -> set[ChatKey]:
            pattern = f"{keys.tag(self.bot_id)}*:{chat_id}:*"
            found = [str(key) async for key in self._redis.scan_iter(pattern, count=1000)]
            numbers = {key.rpartition(":")[2] for key in found}
            return {ChatKey(chat_id, int(topic)) for topic in numbers if topic.isdecimal()}

        return await self._patiently(look)

    async def note(
        self, claim: Claim, shown: Shown, partial: str = "", *, owing: bool = False
    ) -> None:
        """Note how much of the reply, or of the answer so far, is shown. Raises `LaneLost`.

        ``owing``: the first words, just sent to a private chat, have no place in the budget yet.
        """
        await self._note(claim, "shown", str(shown), "partial", partial, owing=owing)

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
        await self._patiently(lambda: self._mending.mend({mailbox: "list"}))
        args = [claim.entry, self._consumer, "failure", reason[:500], "failures", failures]
        if not await self._step("renote", keys=[self._ready, outbox], args=args):
            raise claim.void()

    async def _note(self, claim: Claim, *fields: str, owing: bool = False) -> int:
        budgets = self._pace(claim) if owing else []
        noted = await self._step(
            "note",
            keys=[self._ready, *self._of(claim, keys.outbox), *budgets],
            args=[claim.entry, self._consumer, *fields],
        )
        if noted is None:
            raise claim.void()
        return int(noted)

    async def done(self, claim: Claim, dead: str = "", answer_ids: Sequence[int] = ()) -> None:
        """Remove the head, and what was joined to it, and give up the lane.

        ``dead`` is the reason if it becomes a dead letter; ``answer_ids`` are the
        messages on Telegram that answer the last exchange of its conversation.
        """
        mailbox, outbox, state = self._of(claim, keys.mailbox, keys.outbox, keys.state)
        letters, nothing = keys.dead(self.bot_id), keys.nothing(self.bot_id)
        names = [self._ready, mailbox, outbox, letters, state, nothing]
        kinds = {mailbox: "list", outbox: "hash", letters: "list", state: "hash"}
        numbers = " ".join(map(str, answer_ids))
        args: list[str | int] = [claim.entry, self._consumer, str(claim.lane), dead, MOST, numbers]
        await self._patiently(
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
        moved = await self._patiently(
            lambda: self._mending.mended(lambda: migrate.kept(names, args, mark), kinds)
        )
        if moved is None:
            raise claim.void()
        return bool(moved)

    async def successors(self, chats: Collection[int]) -> set[int]:
        """Return the supergroups that any of these chats have become."""
        key = keys.successors(self.bot_id)
        found = await self._patiently(
            lambda: self._mending.mended(
                lambda: self._redis.hmget(key, [str(chat) for chat in chats]), {key: "hash"}
            )
        )
        return {int(one) for one in found if one}

    async def is_forgotten(self, chat: ChatKey) -> bool:
        """True if there is a forgotten conversation that can come back."""
        key = keys.forgotten(self.bot_id, chat)
        return str(await self._patiently(lambda: self._redis.type(key))) == "list"

    async def park(self, claim: Claim, seconds: float) -> None:
        """Give up the lane, and let nobody claim it for ``seconds``; its head stays as it is."""
        parked = keys.parked(self.bot_id)
        args: list[str | int] = [claim.entry, self._consumer, str(claim.lane), int(seconds * 1000)]
        park = self._scripts["park"]
        await self._patiently(
            lambda: self._mending.mended(
                lambda: park([self._ready, parked], args), {parked: "zset"}
            )
        )

    async def _step(self, script: str, keys: list[str], args: list[Any]) -> Any:
        return await self._patiently(lambda: self._scripts[script](keys=keys, args=args))

    async def _patiently(self, call: Callable[[], Awaitable[T]]) -> T:
        return await patiently(call, self.timing.storage_pauses)

    def _pace(self, claim: Claim) -> list[str]:
        return [keys.pace(self.bot_id, claim.lane.chat_id), keys.pace_of_all(self.bot_id)]

    def _of(self, claim: Claim, *named: Callable[[int, ChatKey], str]) -> list[str]:
        return [name(self.bot_id, claim.lane) for name in named]
