"""Who is let in besides those whom the settings name: lists, requests of strangers, invitations.

Owners change all of this by commands, in any process, and it holds for whatever begins after that:
`open` tells the version of the list, and who has another one reads it anew. Every step is one
script that checks that the lane is still ours, and repeated for the same update does nothing more.
"""

import asyncio
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self, TypeVar

import structlog
from redis.asyncio import Redis

from storage import keys
from storage.change import Notice
from storage.lane import Claim
from storage.mending import Mending
from storage.message import ChatKey, well_formed
from storage.server.connect import patiently
from storage.server.script import Script
from storage.timing import Timing

log = structlog.get_logger()

T = TypeVar("T")

DAY, HOUR = 24 * 60 * 60, 60 * 60
REQUEST_KEPT = 30 * DAY
"""How long the first decision on a request is known; after that its buttons are too old."""
UNREACHED_PAUSE = 60
"""Seconds after which a stranger's next message asks again if no owner could be asked before."""
MOST_REQUESTS = 20
"""Strangers about whom the owners are asked within an hour, so that a flood does not reach them."""
REFUSAL_PAUSE = 10 * 60
"""Seconds between two refusals of one person in one group; in private each message gets one."""
MOST_GUESSES = 5
"""Codes of invitations that one person may try in vain within an hour."""
MOST_INVITATIONS = 100
"""Open ones, so that a page or two shows them all."""


@dataclass(frozen=True, slots=True)
class Listed:
    """Somebody, or a chat, that was let in (``allowed``) or shut out, by an owner, when.

    ``name`` is a person's at that time, "" if unknown.
    """

    allowed: bool
    by: int
    at: int
    name: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse what the scripts write. Raises ValueError."""
        verdict, by, at, name = text.split(" ", 3)
        if verdict not in ("allow", "deny"):
            raise ValueError(verdict)
        return cls(verdict == "allow", int(by), int(at), name)


@dataclass(frozen=True, slots=True)
class Request:
    """What the owners were asked about a stranger of this ``name``, and what the first one decided.

    ``told`` are the numbers of the messages that ask, by the owners' ids. Before a decision
    ``allowed`` is None, ``by`` 0 and ``decider`` "".
    """

    name: str = ""
    told: Mapping[int, int] = field(default_factory=dict)
    allowed: bool | None = None
    by: int = 0
    decider: str = ""

    @classmethod
    def parse(cls, flat: list[str]) -> Self:
        """Parse the request's hash."""
        fields = dict(zip(flat[::2], flat[1::2], strict=True))
        told = {name.removeprefix("told:"): value for name, value in fields.items() if ":" in name}
        verdict = fields.get("verdict")
        return cls(
            fields.get("name", ""),
            {int(owner): int(number) for owner, number in told.items()},
            None if verdict is None else verdict == "allow",
            int(fields.get("owner", 0)),
            fields.get("decider", ""),
        )


@dataclass(frozen=True, slots=True)
class Invitation:
    """An open invitation for ``uses`` more people, until ``ends`` (seconds since 1970).

    ``number`` names it in buttons, where its code must not stand.
    """

    uses: int
    ends: int
    by: int
    number: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse what the scripts write. Raises ValueError."""
        uses, ends, by, number = map(int, text.split(" "))
        return cls(uses, ends, by, number)


class Knock(NamedTuple):
    """What is due when a stranger writes: the owners are asked, the stranger is answered."""

    asks: bool
    speaks: bool
    request: Request


class WrongCode(Exception):
    """No open invitation has this code."""


class ShutOut(Exception):
    """Somebody was shut out by an owner; no invitation changes that."""


class TooManyGuesses(Exception):
    """Somebody has tried too many wrong codes, and may try again after ``seconds``."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"for {seconds} s")
        self.seconds = seconds


class TooManyInvitations(Exception):
    """`MOST_INVITATIONS` are open."""


class AccessList:
    """Whom commands have let in or shut out, by their ids, as this process knows it."""

    def __init__(self, redis: Redis, bot_id: int, consumer: str, timing: Timing) -> None:
        self.redis, self.bot_id, self.consumer, self.timing = redis, bot_id, consumer, timing
        self.mending = Mending(redis)
        names = "decide", "invite", "knock", "redeem"
        self.scripts = {name: Script(redis, name) for name in names}
        self._version: str | None = ""
        self._listed: Mapping[int, Listed] = {}
        self._reading = asyncio.Lock()

    async def listed(self, version: str) -> Mapping[int, Listed]:
        """Return the list as of this version or later; it is read only where the version is new."""
        async with self._reading:
            if version != self._version:
                key = keys.access(self.bot_id)
                found: Any = {}
                try:
                    found = await self.patiently(lambda: self.redis.hgetall(key), {key: "hash"})
                except UnicodeDecodeError:  # another program's
                    await self.mending.mend({key: "text"})
                self._version = found.pop("version", "")
                numbered = {one: found[one] for one in found if re.fullmatch("-?[0-9]{1,19}", one)}
                self._listed = {int(one): listed for one, listed in _read(numbered, Listed.parse)}
        return self._listed

    def forget(self) -> None:
        """Read the list anew for whoever asks next, since somebody may have been turned away."""
        self._version = None

    def admission(self, claim: Claim, version: str) -> "Admission":
        """Return what a turn does with the list; ``version`` is the one that `open` told of."""
        return Admission(self, claim, version)

    async def patiently(self, call: Any, kinds: Mapping[str, str]) -> Any:
        """Call until storage answers, with these keys mended if they are of another type."""
        return await patiently(lambda: self.mending.mended(call, kinds), self.timing.storage_pauses)


def _read(found: Mapping[str, str], parse: Callable[[str], T]) -> Iterator[tuple[str, T]]:
    for name, text in found.items():
        try:
            yield name, parse(text)
        except ValueError:  # another program wrote it
            log.warning("access_unreadable", field=name)


class Admission:
    """What one turn knows of the list, and does to it. Methods raise `LaneLost`."""

    def __init__(self, access: AccessList, claim: Claim, version: str) -> None:
        self._access, self._claim, self._version = access, claim, version
        self._bot_id = access.bot_id

    def is_news(self, version: str) -> bool:
        """Take note of the version that storage has now; tells whether it is another one."""
        news, self._version = version != self._version, version
        return news

    async def listed(self) -> Mapping[int, Listed]:
        """Return the list as it was when the turn began, or as it is by now."""
        return await self._access.listed(self._version)

    async def knock(
        self, update: int, person: int, name: str, group: int, *, may_ask: bool, welcome: str = ""
    ) -> Knock:
        """Note that a stranger, or somebody shut out, wrote: in a group, or in private (0).

        ``welcome`` is what they are told in private when they are let in after they have asked.
        """
        names = {
            keys.request(self._bot_id, person): "hash",
            keys.requests(self._bot_id): "string",
            keys.refused(self._bot_id, group, person): "string",
        }
        pauses = DAY, UNREACHED_PAUSE
        bounds = *pauses, REQUEST_KEPT, MOST_REQUESTS, REFUSAL_PAUSE if group else 0
        told = str(Notice(welcome)) if welcome else ""
        asks, speaks, request = await self._run(
            "knock", names, update, well_formed(name), int(may_ask), *bounds, told
        )
        return Knock(asks == 1, speaks == 1, Request.parse(request))

    async def told(self, person: int, owner: int, number: int) -> None:
        """Note which message asks an owner about a stranger."""
        key = keys.request(self._bot_id, person)
        await self._access.patiently(
            lambda: self._access.redis.hset(key, f"told:{owner}", str(number)), {key: "hash"}
        )

    async def decide(
        self,
        person: int,
        *,
        allowed: bool,
        owner: int,
        decider: str,
        name: str = "",
        first: bool = False,
    ) -> Request:
        """Let somebody, or a chat, in or shut them out; returns their request as it stands then.

        ``first``: only on a request, and only if nobody has decided on it yet. Whoever is let in
        by this on their request is told so, by the lane of their private chat.
        """
        names = {
            keys.access(self._bot_id): "hash",
            keys.request(self._bot_id, person): "hash",
            keys.mailbox(self._bot_id, ChatKey(person)): "list",
        }
        verdict, channel = "allow" if allowed else "deny", keys.interrupts(self._bot_id)
        who = well_formed(decider), well_formed(name)
        found = await self._run("decide", names, person, verdict, owner, *who, int(first), channel)
        return Request.parse(found)

    async def invite(self, uses: int, seconds: int, owner: int) -> tuple[str, int]:
        """Make an invitation; returns its code, and when it ends, in seconds since 1970.

        Raises `TooManyInvitations`.
        """
        names = {
            keys.outbox(self._bot_id, self._claim.lane): "hash",
            keys.invitations(self._bot_id): "hash",
        }
        code = secrets.token_hex(
            12
        )  # 96 bits; a "-" at its end might not count as part of the link
        made = await self._run("invite", names, code, uses, seconds, owner, MOST_INVITATIONS)
        if not made:
            raise TooManyInvitations
        code, ends = str(made).split()
        return code, int(ends)

    async def redeem(self, person: int, name: str, code: str) -> None:
        """Let in a stranger who has an invitation's code; repeated, it changes nothing.

        Raises `WrongCode`, `ShutOut` and `TooManyGuesses`.
        """
        names = {
            keys.access(self._bot_id): "hash",
            keys.invitations(self._bot_id): "hash",
            keys.guesses(self._bot_id, person): "set",
        }
        bounds = MOST_GUESSES, HOUR
        found = await self._run("redeem", names, person, well_formed(name), code, *bounds)
        if found == "denied":
            raise ShutOut
        if found == "wrong":
            raise WrongCode
        if found != "welcome":
            raise TooManyGuesses(int(found))

    async def invitations(self) -> list[tuple[str, Invitation]]:
        """Return the invitations there are, each with its code, the oldest first."""
        key = keys.invitations(self._bot_id)
        found: Any = await self._access.patiently(
            lambda: self._access.redis.hgetall(key), {key: "hash"}
        )
        return sorted(_read(found, Invitation.parse), key=lambda pair: pair[1].number)

    async def revoke(self, number: int) -> None:
        """Take back an invitation; who has used it stays."""
        key = keys.invitations(self._bot_id)
        for code, one in await self.invitations():
            if one.number == number:
                await self._access.patiently(
                    lambda code=code: self._access.redis.hdel(key, code), {key: "hash"}
                )

    async def _run(self, name: str, kinds: Mapping[str, str], *args: str | int) -> Any:
        script = self._access.scripts[name]
        names = [keys.ready(self._bot_id), *kinds]
        given = [self._claim.entry, self._access.consumer, *args]
        mark = keys.mark(self._bot_id)
        found = await self._access.patiently(lambda: script.kept(names, given, mark), kinds)
        if found is None:
            raise self._claim.void()
        return found
