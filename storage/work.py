"""What a worker does with a lane that it has claimed; the rules stand in `storage.inbox`."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar

import structlog
from redis.asyncio import Redis

from storage import keys
from storage.budget import WORTH_WAITING_MS, until_place
from storage.change import Change, Chosen, Forgotten, Heard, Outdated, arguments
from storage.chats import ChatRecord, Noted
from storage.dead import MOST
from storage.history import LONGEST, MOST_BYTES
from storage.lane import Claim, Entry, Opened, Shown
from storage.mending import Mending
from storage.message import ChatKey
from storage.server import foreign
from storage.server.connect import StorageRefused, patiently
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
        steps = (
            *("open", "commit", "note", "told", "done"),
            *("migrate", "park", "renote", "collect", "reset"),
        )
        self._scripts = {name: Script(redis, name) for name in (*steps, *scripts)}
        self._mending = Mending(redis)

    async def open(self, claim: Claim, most_bytes: int = 0) -> Opened:
        """Read the head of a lane's mailbox, and as much of the history as fits ``most_bytes``.

        Raises `LaneLost`; and `StorageRefused` or ValueError if it cannot be read: see `give_up`.
        """
        asked = clock()
        mailbox = keys.mailbox(self.bot_id, claim.lane)
        names = [self._ready, mailbox, *keys.opened(self.bot_id, claim.lane)]
        found = await self._opened(claim.lane, names, [claim.entry, self._consumer], most_bytes)
        if not found:
            raise claim.void()
        opened = Opened.parse(found, asked)
        if "" in opened.settings:
            await self._mend(dict.fromkeys(keys.settings_of(self.bot_id, claim.lane), "hash"))
        return opened

    async def _opened(
        self, lane: ChatKey, names: list[str], args: list[str], most_bytes: int
    ) -> Any:
        try:
            return await self._step("open", names, [*args, most_bytes])
        except UnicodeDecodeError:  # another program's
            await self._without_record(lane.chat_id)
            for chat in {ChatKey(lane.chat_id), lane}:
                await self.settings(chat)  # sets it aside
        try:
            return await self._step("open", names, [*args, most_bytes])
        except UnicodeDecodeError:  # without the history, a reset can cure that
            return await self._step("open", names, [*args, -1])

    async def _without_record(self, chat_id: int) -> None:
        """Drop what the registry has of a chat if it is no text; it is noted anew with its use."""
        key, name = keys.chats(self.bot_id), str(chat_id)
        try:
            await self._patiently(lambda: self._redis.hget(key, name))
        except UnicodeDecodeError:
            await self._patiently(lambda: self._redis.hdel(key, name))
        except StorageRefused:  # of another type: `done` says so
            pass

    async def settings(self, chat: ChatKey) -> dict[str, str]:
        """Read what a chat, or a topic of its own, has chosen now; what is no text is set aside."""
        key, found = keys.settings(self.bot_id, chat), {}
        try:
            found = await self._patiently(
                lambda: self._mending.mended(lambda: self._redis.hgetall(key), {key: "hash"})
            )
        except UnicodeDecodeError:  # another program's
            await self._mend({key: "text"})
        return {str(name): str(value) for name, value in found.items()}

    async def following(self, claim: Claim, most: int) -> list[Entry]:
        """Read what waits behind the head."""
        mailbox = keys.mailbox(self.bot_id, claim.lane)
        found = await self._patiently(lambda: self._redis.lrange(mailbox, 1, most))
        return [Entry.parse(str(entry)) for entry in found]

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
        nothing. Raises `LaneLost`, `StorageRefused` and `Outdated` before anything is kept, and
        `Frozen` after.
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
        kinds = {}
        if isinstance(change, Chosen):
            kinds = {
                keys.settings(self.bot_id, change.chat): "hash",
                keys.mailbox(self.bot_id, change.chat): "list",
            }
            names += kinds
            if change.hears_nothing:
                names += await self._heard(change.chat)
        elif isinstance(change, Heard):
            kinds = {keys.unheard(self.bot_id, claim.lane.chat_id): "hash"}
            names += [*kinds, *await self._heard(ChatKey(claim.lane.chat_id))]
        place = [WORTH_WAITING_MS if at_once else "", int(claim.lane.chat_id < 0)]
        args = [claim.entry, self._consumer, reply, *place, *arguments(change)]
        commit, mark = self._scripts["commit"], keys.mark(self.bot_id)
        kept, *granted = await self._patiently(
            lambda: self._mending.mended(lambda: commit.kept(names, args, mark), kinds)
        )
        if not kept:
            raise claim.void()
        if kept == 3:
            raise Outdated
        if kept == 2:
            log.warning("usage_not_counted", chat=claim.lane.chat_id)
        return until_place(*granted) if granted else None

    async def _heard(self, chat: ChatKey) -> list[str]:
        """Name what was heard in a topic, or in a group and all its topics."""
        topics = set() if chat.topic_id else await self._topics(chat.chat_id)
        return [keys.heard(self.bot_id, lane) for lane in {chat, *topics}]

    async def _topics(self, chat_id: int) -> set[ChatKey]:
        """Find a forum's topics in which something was said or waits."""

        async def look() -> set[ChatKey]:
            pattern = f"{keys.tag(self.bot_id)}*:{chat_id}:*"
            found = foreign.names(self._redis, pattern)
            numbers = {key.rpartition(":")[2] async for key in found}
            lanes = {ChatKey(chat_id, int(topic)) for topic in numbers if topic.isdecimal()}
            return {lane for lane in lanes if lane == lane.conversation}

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
        await self._mend({mailbox: "list"})
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

    async def told(self, claim: Claim, version: int, *, reached: bool = True) -> None:
        """Let the bot hear what is said in the lane: its people have been told.

        So they were to be since their settings' ``version``, if that still holds. If they cannot be
        ``reached``, the lane has chosen to hear nothing from now on. Raises `LaneLost`.
        """
        settings, told = keys.settings(self.bot_id, claim.lane), self._scripts["told"]
        args: list[str | int] = [claim.entry, self._consumer, version, int(reached)]
        noted = await self._patiently(
            lambda: self._mending.mended(
                lambda: told([self._ready, settings], args), {settings: "hash"}
            )
        )
        if not noted:
            raise claim.void()

    async def done(
        self,
        claim: Claim,
        dead: str = "",
        answer_ids: Sequence[int] = (),
        chat: Noted | None = None,
    ) -> None:
        """Remove the head, and what was joined to it, and give up the lane.

        ``dead`` is the reason if it becomes a dead letter; ``answer_ids`` are the
        messages on Telegram that answer the last exchange of its conversation; ``chat`` is what the
        registry of chats learns.
        """
        mailbox, outbox, state = self._of(claim, keys.mailbox, keys.outbox, keys.state)
        letters, nothing = keys.dead(self.bot_id), keys.nothing(self.bot_id)
        of_chats = {keys.chats(self.bot_id): "hash", keys.used(self.bot_id): "zset"}
        names = [self._ready, mailbox, outbox, letters, state, nothing, *of_chats]
        kinds = {mailbox: "list", outbox: "hash", letters: "list", state: "hash", **of_chats}
        numbers = " ".join(map(str, answer_ids))
        args: list[str | int] = [claim.entry, self._consumer, str(claim.lane), dead, MOST, numbers]
        args += self._noting(chat)
        await self._patiently(
            lambda: self._mending.mended(lambda: self._scripts["done"](names, args), kinds)
        )

    def _noting(self, chat: Noted | None) -> list[str | int]:
        if chat is None:
            return ["", "", "", 0, ""]
        channel = keys.interrupts(self.bot_id) if chat.quiet else ""
        before = "*" if chat.before is None else chat.before
        return [chat.chat_id, chat.record, before, int(chat.used), channel]

    async def record(self, chat_id: int) -> ChatRecord:
        """Return what is known of a chat."""
        key = keys.chats(self.bot_id)
        found = await self._patiently(
            lambda: self._mending.mended(lambda: self._redis.hget(key, str(chat_id)), {key: "hash"})
        )
        return ChatRecord.parse(str(found or ""))

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
            keys.access(self.bot_id): "hash",
            keys.chats(self.bot_id): "hash",
            keys.used(self.bot_id): "zset",
            keys.declined(self.bot_id): "zset",
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

    async def _mend(self, kinds: Mapping[str, str]) -> None:
        await self._patiently(lambda: self._mending.mend(kinds))

    async def _step(self, script: str, keys: list[str], args: list[Any]) -> Any:
        return await self._patiently(lambda: self._scripts[script](keys=keys, args=args))

    async def _patiently(self, call: Callable[[], Awaitable[T]]) -> T:
        return await patiently(call, self.timing.storage_pauses)

    def _pace(self, claim: Claim) -> list[str]:
        return [keys.pace(self.bot_id, claim.lane.chat_id), keys.pace_of_all(self.bot_id)]

    def _of(self, claim: Claim, *named: Callable[[int, ChatKey], str]) -> list[str]:
        return [name(self.bot_id, claim.lane) for name in named]
