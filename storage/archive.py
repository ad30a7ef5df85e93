"""Everything kept of a bot, key by key: read from one Redis, written to another.

That is histories and what belongs to them, usage, settings, who does not want to be heard,
questions that wait, dead letters, known update ids, who is let in, the registry of chats, which of
them want no announcements, and which group became which supergroup. Leases, paces, what counts for
an hour and the queue itself stay behind: they are rebuilt. So does what was overheard, which is
kept for a day at most, and an announcement under way, which is to end first.
"""

import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from storage import keys
from storage.access import Invitation, Listed
from storage.arrivals import GROUP
from storage.chats import ChatRecord
from storage.dead import fields
from storage.history import decode
from storage.message import ChatKey
from storage.server import foreign
from storage.server.connect import translated
from storage.server.script import Script
from storage.timing import Timing

OF_A_CHAT = {
    "history": "list",
    "epoch": "string",
    "state": "hash",
    "forgotten": "list",
    "usage": "hash",
    "settings": "hash",
    "unheard": "hash",
    "mailbox": "list",
    "outbox": "hash",
    "request": "hash",
}
OF_THE_BOT = {
    "seen": "zset",
    "dead": "list",
    "webhook-secret": "string",
    "successors": "hash",
    "access": "hash",
    "invitations": "hash",
    "chats": "hash",
    "used": "zset",
    "declined": "zset",
    "menus": "zset",
}
"""Redis's type of each key, by how its name begins."""
IN_WORK = "outbox"
"""State of the work on a mailbox's head; it holds for that head only."""
FORMER = {"interrupt": "string"}
"""Keys in exports of older versions that are no longer needed."""
COUNTED = ("length", "bytes")
"""Sizes of a history, noted in the conversation's state; recounted after an import."""
LISTED = ("answer", "shown")
NUMBERED = (
    *COUNTED, "asked", "revision", "floor", "told",
    "begun", "failures", "joined",
    "answers", "prompt_tokens", "completion_tokens", "version",
)  # fmt: skip
"""Hash fields that hold several numbers (LISTED) or one (NUMBERED)."""
LAST = "mailbox"
"""Written after everything that belongs to it, because it queues the lane."""


@dataclass(frozen=True, slots=True)
class Item:
    """What one key holds. ``name`` is the key's without the bot's tag: ``history:101``.

    ``kind`` is Redis's: string, list, hash or zset; ``content`` is flat, as Redis gives it.
    ``expires`` is in ms since 1970, -1 for never.
    """

    name: str
    kind: str
    expires: int
    content: Sequence[str]

    def check(self) -> None:
        """Raise what `decode` raises if no bot could have written this."""
        name, _, chat = self.name.partition(":")
        if name in OF_A_CHAT | FORMER:
            ChatKey.parse(chat)
        if (OF_A_CHAT | OF_THE_BOT | FORMER).get(name) != self.kind or (
            name in OF_THE_BOT and chat
        ):
            raise ValueError(self.name)
        if type(self.expires) is not int or not -1 <= self.expires < 2**53:
            raise ValueError(self.expires)
        if not self.content or not all(isinstance(part, str) for part in self.content):
            raise TypeError(self.content)
        if self.kind in ("hash", "zset"):
            for field, value in zip(self.content[::2], self.content[1::2], strict=True):
                _PAIRS[name](field, value)
        else:
            for part in self.content:
                _PARTS[name](part)


def _matching(pattern: str) -> Callable[[str], None]:
    def check(part: str) -> None:
        if not re.fullmatch(pattern, part, re.DOTALL):
            raise ValueError(part)

    return check


_number = _matching(r"-?[0-9]{1,15}")


def _field(field: str, value: str) -> None:
    if field in LISTED:
        for part in value.split():
            _number(part)
    elif field.rpartition(":")[2] in NUMBERED:  # usage is also counted for each model
        _number(value)
    elif field == "reply":
        json.loads(value)


def _seen(update_id: str, score: str) -> None:
    _number(update_id)
    if not math.isfinite(float(score)):
        raise ValueError(score)


def _chat(chat: str, record: str) -> None:
    _number(chat)
    ChatRecord.read(record)


def _both(field: str, value: str) -> None:
    _number(field)
    _number(value)


def _listed(one: str, verdict: str) -> None:
    if one != "version":
        _number(one)
        Listed.parse(verdict)


def _request(field: str, value: str) -> None:
    if field in ("asked", "owner") or field.startswith("told:"):
        _number(value)


_code = _matching(r"[A-Za-z0-9_-]{1,64}")


def _invitation(code: str, value: str) -> None:
    _code(code)
    Invitation.parse(value)


_PAIRS: dict[str, Callable[[str, str], None]] = {
    "state": _field,
    "outbox": _field,
    "usage": _field,
    "settings": _field,
    "unheard": _both,
    "seen": _seen,
    "successors": _both,
    "access": _listed,
    "request": _request,
    "invitations": _invitation,
    "chats": _chat,
    "used": _seen,
    "declined": _seen,
    "menus": _seen,
}
_PARTS: dict[str, Callable[[str], object]] = {
    "history": decode,
    "forgotten": decode,
    "dead": fields,
    "epoch": _number,
    "interrupt": str,
    "mailbox": _matching(r"\d+([ !#]|\*[^{]*)\{.*"),
    "webhook-secret": _matching(r"[A-Za-z0-9_-]{1,256}"),
}
"""Checks of one part, or of a field and its value; they raise what `Item.check` does."""


class Changed(Exception):
    """Another import into the same bot is running."""


class Archive:
    """Everything kept of one bot. Methods raise `StorageUnavailable`."""

    def __init__(self, redis: Redis, bot_id: int, timing: Timing = Timing()) -> None:
        self._redis = redis
        self._bot_id = bot_id
        self._lease = timing.lease
        self._tag = keys.tag(bot_id)
        self._export, self._import = (Script(redis, name) for name in ("export", "import"))

    async def stamp(self) -> str:
        """Return a stamp that changes when the bot takes anything in or finishes what waited."""
        key = keys.seen(self._bot_id)
        with translated():
            newest = await self._redis.zrange(key, -1, -1)
            known = await self._redis.zcard(key)
            lanes = await self._redis.xlen(keys.ready(self._bot_id))
        return " ".join(map(str, (known, lanes, *newest)))

    async def names(self, *, whole: bool) -> list[str]:
        """Name everything kept, in the order in which it must be written.

        Unless ``whole``, keys that change while the bot works are left out: read at different
        moments, they would not fit together.
        """
        with translated():
            found = {
                key.removeprefix(self._tag)
                async for key in foreign.names(self._redis, f"{self._tag}*")
            }
        wanted = {*OF_A_CHAT, *OF_THE_BOT} - (set() if whole else {IN_WORK})
        kept = [name for name in found if name.partition(":")[0] in wanted]
        return sorted(kept, key=lambda name: (name.startswith(LAST), name))

    async def read(self, name: str) -> Item | None:
        """Read a key; None if it has gone by now. What is no text is read as nothing valid."""
        try:
            with translated():
                found = await self._export([self._tag + name])
        except UnicodeDecodeError:  # another program's
            return Item(name, "", -1, ())
        if not found:
            return None
        kind, expires, content = str(found[0]), int(found[1]), found[2]
        if name.startswith("state:") and kind == "hash":
            noted = zip(content[::2], content[1::2], strict=True)
            content = [part for field in noted if field[0] not in COUNTED for part in field]
        return Item(name, kind, expires, content) if content else None

    async def write(self, item: Item, before: str, after: str) -> None:
        """Write a key and, in the same step, the progress, if that is still ``before``.

        Raises `Changed` if it is not.
        """
        name, _, lane = item.name.partition(":")
        names = [
            keys.progress(self._bot_id),
            self._tag + item.name,
            keys.mailboxes(self._bot_id) + lane,
            f"{self._tag}state:{lane}",
            keys.ready(self._bot_id),
        ]
        with translated():
            written = await self._import(
                names, [before, after, name, lane, item.kind, item.expires, *item.content]
            )
        if not written:
            raise Changed

    async def progress(self) -> str:
        """Progress of the import under way, as the last `write` set it; "" if there is none."""
        with translated():
            return str(await self._redis.get(keys.progress(self._bot_id)) or "")

    async def finish(self) -> None:
        """Delete the progress: the import is complete."""
        with translated():
            await self._redis.delete(keys.progress(self._bot_id))

    async def is_living(self) -> bool:
        """True if storage has recently heard from a process of the bot."""
        ready = keys.ready(self._bot_id)
        with translated():
            if await self._redis.exists(keys.poller(self._bot_id)):
                return True
            try:
                workers = await self._redis.xinfo_consumers(ready, GROUP)
            except ResponseError:  # no worker has ever run here
                return False
        return any(worker["idle"] < self._lease * 1000 for worker in workers)
