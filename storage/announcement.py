"""An announcement: drafted and confirmed by an owner, then told to each chat at most once.

One is under way at a time. Its hash says what is announced, to what kinds of chats, how far it is,
and which chat is being told; a sorted set beside it has the chats, those to come with the time when
they were last used, and those dealt with below zero. Whoever holds the lease `keys.announcer` tells
them, one after the other: `begin` notes a chat as being told before anything is sent, `settle` what
became of it. A chat whose teller died in between may have got it, so it counts as unsure, and is
not told again.
"""

import json
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, Self, TypeVar

from redis.asyncio import Redis

from storage import keys
from storage.chats import ChatRecord
from storage.lane import Claim, LaneLost
from storage.mending import Mending
from storage.server.connect import patiently
from storage.server.script import Script
from storage.timing import Timing
from storage.work import Work

T = TypeVar("T")

DRAFT_SECONDS = 300
"""How long an owner may think before confirming."""
LOOKED_AT = 500
"""Chats that one call of `begin` looks at; this many cost 3 ms of the server's time."""

UNKNOWN = -1
"""Instead of a message's number: there may be one, but nobody knows which."""

Outcome = Literal["sent", "refused", "unsure", "again", "left"]
"""What became of a chat: ``left`` counts it nowhere, ``again`` puts it behind the others.

A day after the announcement began, that is ``refused``, too: else it might never end.
"""


@dataclass(frozen=True, slots=True)
class Words:
    """What is announced; ``entities`` are formatting as the Bot API's JSON has it."""

    text: str
    entities: Sequence[Any]

    def __str__(self) -> str:
        return json.dumps({"text": self.text, "entities": self.entities}, ensure_ascii=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse the output of ``str``."""
        return cls(**json.loads(text))


@dataclass(frozen=True, slots=True)
class Announcement:
    """The one under way, confirmed as ``number`` in the private chat ``owner``.

    ``message`` is the number of the message there that shows how far it is, 0 if none does yet, or
    `UNKNOWN`, in ``language``. Of ``total`` chats so many got it (``sent``), or were ``skipped``:
    gone, shut out, or opted out. ``refused`` are those where Telegram refused it; of ``unsure``
    ones nobody knows.
    """

    number: int
    words: Words
    owner: int
    language: str
    total: int
    message: int = 0
    sent: int = 0
    skipped: int = 0
    refused: int = 0
    unsure: int = 0
    cancelled: int = 0


@dataclass(frozen=True, slots=True)
class Telling:
    """A chat that is being told, and what is known of it; ``known`` is that as it is stored."""

    chat_id: int
    known: str

    @property
    def record(self) -> ChatRecord:
        """What is known of the chat."""
        return ChatRecord.parse(self.known)


class Announcing(Work):
    """What happens to announcements in a lane that is claimed.

    Every step waits while storage is down, and raises `LaneLost` and `StorageRefused`.
    """

    async def draft(self, claim: Claim, number: int, words: Words) -> None:
        """Let these words be confirmed in this lane as ``number``, instead of any before them."""
        key, text = keys.draft(self.bot_id, claim.lane), f"{number} {words}"
        await self._patiently(lambda: self._redis.set(key, text, ex=DRAFT_SECONDS))

    async def announce(
        self, claim: Claim, number: int, kinds: Sequence[str], total: int, language: str
    ) -> Literal["begun", "busy", "over"]:
        """Begin to announce what was drafted, once, to all chats of these kinds.

        It is ``busy`` if another announcement is under way, ``over`` if there is no such draft.
        Repeated for the same update, it has ``begun``, even if it has ended by then.
        """
        names = [self._ready, keys.draft(self.bot_id, claim.lane)]
        names += [name(self.bot_id) for name in (keys.announcement, keys.announcing, keys.used)]
        names.append(keys.outbox(self.bot_id, claim.lane))
        args: list[str | int] = [claim.entry, self._consumer, number, f" {' '.join(kinds)} ", total]
        found = await self._step("announce", names, [*args, claim.lane.chat_id, language])
        if found is None:
            raise claim.void()
        return found  # type: ignore[no-any-return]

    async def cancel(self, claim: Claim, number: int) -> Literal["cancelled", "dropped", "over"]:
        """Cancel what is announced as ``number``, or drop its draft; ``over`` if it is neither.

        Repeated for the same update, it returns the same.
        """
        names = [self._ready, keys.draft(self.bot_id, claim.lane), keys.announcement(self.bot_id)]
        names.append(keys.outbox(self.bot_id, claim.lane))
        found = await self._step("cancel", names, [claim.entry, self._consumer, number])
        if found is None:
            raise claim.void()
        return found  # type: ignore[no-any-return]

    async def decline(self, claim: Claim, *, declined: bool) -> None:
        """Note whether this lane's chat wants no announcements."""
        key = keys.declined(self.bot_id)
        args: list[str | int] = [claim.entry, self._consumer, claim.lane.chat_id, int(declined)]
        decline = self._scripts["decline"]
        noted = await self._patiently(
            lambda: self._mending.mended(lambda: decline([self._ready, key], args), {key: "zset"})
        )
        if not noted:
            raise claim.void()


class Announcements:
    """One bot's announcements, seen by a process that may tell them; ``name`` is its name.

    Methods wait while storage is down; keys of another type are set aside. Those that tell raise
    `LaneLost` if another process holds the lease.
    """

    def __init__(self, redis: Redis, bot_id: int, name: str, timing: Timing = Timing()) -> None:
        self._redis = redis
        self._name = name
        self._key = keys.announcement(bot_id)
        self._lease = keys.announcer(bot_id)
        self._chats = [self._key, keys.announcing(bot_id), keys.chats(bot_id)]
        self._asked = [name(bot_id) for name in (keys.declined, keys.successors, keys.access)]
        self._kinds = dict.fromkeys((self._key, keys.chats(bot_id)), "hash")
        self._kinds |= dict.fromkeys((keys.announcing(bot_id), keys.declined(bot_id)), "zset")
        self._kinds |= dict.fromkeys((keys.successors(bot_id), keys.access(bot_id)), "hash")
        self._mending = Mending(redis)
        self._pauses = timing.storage_pauses
        scripts = "tell", "settle", "telling", "report"
        self._scripts = {script: Script(redis, script) for script in scripts}

    async def under_way(self) -> Announcement | None:
        """Return the announcement under way."""
        found: Any = await self._mended(lambda: self._redis.hgetall(self._key), [self._key])
        if not found:
            return None
        numbers = {
            field.name: int(found.get(field.name, 0))
            for field in fields(Announcement)
            if field.type is int
        }
        words = Words.parse(str(found["words"]))
        return Announcement(words=words, language=str(found["language"]), **numbers)

    async def begin(self, supergroup: int = 0) -> Telling | None:
        """Begin to tell the next chat, or the ``supergroup`` that the last one has become.

        Returns None when all are told, or it was cancelled.
        """
        step, state = secrets.token_hex(8), "more"
        while state == "more":
            args = [step, supergroup or "", LOOKED_AT]
            state, *found = await self._run("tell", [*self._chats, *self._asked], *args)
            step, supergroup = secrets.token_hex(8), 0
        return Telling(int(found[0]), found[1]) if state == "tell" else None

    async def settle(self, telling: Telling, outcome: Outcome, away: str = "") -> None:
        """Note what became of a chat; ``away`` as in `ChatRecord`, if Telegram says so now."""
        record = ""
        if away and telling.known:
            record = str(replace(telling.record, away=away, update=0))
        args = [telling.chat_id, outcome, record, telling.known]
        await self._run("settle", self._chats, *args)

    async def hold(self, telling: Telling | None = None) -> None:
        """Check that a chat may still be told, or the owner how far it is: just before that."""
        await self._run("telling", [self._key], telling.chat_id if telling else "")

    async def shown(self, message: int) -> None:
        """Note which message shows how far it is."""
        await self._run("report", self._chats[:2], message)

    async def finish(self) -> None:
        """Be done with the announcement."""
        await self._run("report", self._chats[:2], "")

    async def _run(self, script: str, names: Sequence[str], *args: str | int) -> Any:
        lease, call = self._lease, self._scripts[script]
        found = await self._mended(lambda: call([lease, *names], [self._name, *args]), names)
        if found is None:
            raise LaneLost
        return found

    async def _mended(self, call: Callable[[], Awaitable[T]], names: Sequence[str]) -> T:
        kinds = {name: self._kinds[name] for name in names}
        return await patiently(lambda: self._mending.mended(call, kinds), self._pauses)
