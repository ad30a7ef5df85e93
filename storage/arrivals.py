"""What comes in: stored in mailboxes, and perhaps handed to this process's worker at once."""

import asyncio
import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Protocol

import structlog
from redis.asyncio import Redis

from storage import keys
from storage.chat_settings import ChatSettings
from storage.hearing import MOST_BYTES, Overheard
from storage.lane import Claim, Opened
from storage.message import UNREADABLE, ChatKey
from storage.server.connect import StorageFull, translated
from storage.server.script import Script
from storage.timing import Timing, clock
from storage.work import Work

log = structlog.get_logger()

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
GROUP = "workers"


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


class Taker(Protocol):
    """A worker of this process: lanes that need not wait for another are handed to it."""

    def room(self) -> int:
        """Return how many lanes it would take now."""

    def most_bytes(self) -> int:
        """Return how much of a history it needs, in bytes."""

    def receive(self, claim: Claim, opened: Opened | None) -> None:
        """Work on a lane, of which it may know already what there is."""


class Arrivals(Work):
    """The way in. Methods raise `StorageUnavailable`."""

    def __init__(
        self,
        redis: Redis,
        bot_id: int,
        consumer: str,
        timing: Timing,
        bounds: tuple[int, int, int],
        *scripts: str,
    ) -> None:
        """See `storage.inbox.Inbox`; ``scripts`` are those that are run besides."""
        super().__init__(redis, bot_id, consumer, timing, "put", "hear", *scripts)
        self._bounds = bounds
        self._put_urgent = Script(redis, "put", allow_oom=True)
        self.taker: Taker | None = None
        """Who works for this ``consumer``, as long as it takes lanes."""

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
        room, asked = self.taker.room() if self.taker else 0, clock()
        try:
            stored, *taken = await self._stored(script, arrivals, full_seconds, room)
        except UnicodeDecodeError:  # in a lane that was taken, which `mine` will find
            stored, *taken = await self._stored(script, arrivals, full_seconds, 0)
        await self._give(taken, asked)
        return list(map(str, stored))

    async def _stored(
        self, script: Script, arrivals: Sequence[Arrival], full_seconds: int | str, room: int
    ) -> list[Any]:
        names, mark = self._place(), keys.mark(self.bot_id)
        names += [keys.mailbox(self.bot_id, one.lane) for one in arrivals]
        kinds = dict.fromkeys(names[4:], "list") | {names[0]: "zset"}
        args = self._limits(full_seconds, room)
        for one in arrivals[:room]:
            names += keys.opened(self.bot_id, one.lane)
        for one in arrivals:
            args += one.update_id, str(one.lane), one.update, int(one.interrupts), one.sender
        found: list[Any] = await self._mending.mended(lambda: script.kept(names, args, mark), kinds)
        return found

    async def _give(self, taken: Sequence[Any], asked: float) -> None:
        """Give lanes to the taker: of each its entry, its name, and what was opened, or ""."""
        opened = dict(zip(taken[::3], taken[2::3], strict=True))
        with translated():
            claims = await self._claims(zip(taken[::3], taken[1::3], strict=True), asked)
        for claim in claims:
            if self.taker:
                self.taker.receive(claim, _read(opened[claim.entry], asked))

    async def hear(self, *said: Overheard) -> dict[ChatKey, ChatSettings]:
        """Keep what was said around the bot, each message once, where its conversation wants that.

        Returns of each conversation ``when``, ``names`` and ``hears`` of what it has chosen.
        """
        lanes: dict[ChatKey, list[Overheard]] = {}
        for one in said:
            lanes.setdefault(one.lane, []).append(one)
        try:
            found = await self._heard_in(lanes)
        except UnicodeDecodeError:  # another program's
            for chat in {chat for lane in lanes for chat in (ChatKey(lane.chat_id), lane)}:
                await self.settings(chat)  # sets it aside
            found = await self._heard_in(lanes)
        named = (dict(zip(("when", "names", "hears"), map(str, one), strict=True)) for one in found)
        return {lane: ChatSettings.parse(one, lane) for lane, one in zip(lanes, named, strict=True)}

    async def _heard_in(self, lanes: Mapping[ChatKey, Sequence[Overheard]]) -> list[Any]:
        names, kinds = [keys.nothing(self.bot_id)], dict[str, str]()
        args: list[str | int] = [MOST_BYTES]
        for lane, said in lanes.items():
            names += (of_lane := keys.hearing(self.bot_id, lane))
            kinds |= {of_lane[2]: "zset", of_lane[3]: "hash"}
            args += [len(said), *chain.from_iterable(one.arguments() for one in said)]
        hear = self._scripts["hear"]
        found: list[Any] = await self._mending.mended(lambda: hear(names, args), kinds)
        return found

    async def unhear(self, *said: Overheard) -> None:
        """Remove again what is part of a question, after all."""
        with translated():
            await asyncio.gather(
                *(
                    self._redis.zremrangebyscore(
                        keys.heard(self.bot_id, one.lane), one.number, one.number
                    )
                    for one in said
                )
            )

    def _place(self) -> list[str]:
        full, nothing = keys.full(self.bot_id), keys.nothing(self.bot_id)
        return [keys.seen(self.bot_id), self._ready, full, nothing]

    def _limits(self, full_seconds: int | str, room: int) -> list[str | int]:
        waiting, *ahead = self._bounds
        channel = keys.interrupts(self.bot_id)
        most_bytes = self.taker.most_bytes() if self.taker else 0
        taking = self._consumer, room, most_bytes
        return [waiting, IDS_KEPT, IDS_SECONDS, channel, *ahead, full_seconds, *taking]

    async def check_room(self) -> None:
        """Raise what `put` would raise now: `StorageFull` or `StorageUnavailable`."""
        put, names = self._scripts["put"], self._place()
        await self._mending.mended(lambda: put(names, self._limits("", 0)), {names[0]: "zset"})

    async def is_full(self) -> bool:
        """True if memory is full, or an update was recently refused because of that."""

        async def ask() -> bool:
            try:
                await self.check_room()
                return bool(await self._redis.exists(keys.full(self.bot_id)))
            except StorageFull:
                return True

        return await self._patiently(ask)

    async def _claims(self, found: Iterable[tuple[str, str]], asked: float) -> list[Claim]:
        """Make claims of entries and their lanes; remove what another program put there."""
        claims: list[Claim] = []
        for entry, lane in found:
            try:
                claims.append(Claim(entry, ChatKey.parse(lane), asked))
            except ValueError:
                log.warning("no_lane", entry=entry)
                await self._redis.xack(self._ready, GROUP, entry)
                await self._redis.xdel(self._ready, entry)
        return claims


def _read(opened: Any, asked: float) -> Opened | None:
    """Read what there is of a lane; None if it must be opened to say what is wrong there."""
    found = None
    with contextlib.suppress(*UNREADABLE):
        found = Opened.parse(opened, asked) if opened else None
    return None if found and "" in found.settings else found
