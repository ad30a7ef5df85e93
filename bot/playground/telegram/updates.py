"""The updates that wait for the bot, with getUpdates' own rules.

They are from telegram-bot-api's source: updates are confirmed at the start of a call, a negative
offset keeps the newest, ``allowed_updates`` filters when an update is *made* and stays in force, a
second poll ends the older one, everything expires.
"""

import asyncio
import contextlib
import random
from bisect import bisect_left, insort
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from telegram import Update

LIFETIME = 24 * 60 * 60
"""Seconds that an update waits to be fetched."""
LIFETIMES = {"callback_query": 150, "inline_query": 30, "chosen_inline_result": 10 * 60}
"""Of kinds that wait less long."""
MOST_AT_ONCE = 100
LONGEST_POLL = 50
"""Seconds; a longer timeout is cut to this."""

_ONLY_ONE = "make sure that only one bot instance is running"
_MESSAGES = ("message", "edited_message", "channel_post", "edited_channel_post")
_NOT_BY_DEFAULT = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
_KINDS = frozenset({*Update.ALL_TYPES, "subscription", "stopped_message_generation"})


class PollTaken(Exception):
    """Another call ended this poll; the message says which, in Telegram's words."""


@dataclass(frozen=True, slots=True, order=True)
class Waiting:
    """An update, and the time at which it expires."""

    update_id: int
    expires: float = field(compare=False)
    update: dict[str, Any] = field(compare=False)


class Updates:
    """Updates in the order of their ids, until confirmed or expired."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.allowed: list[str] | None = None
        self.taken: Callable[[], None] = lambda: None  # called when the bot has taken some
        self._clock = clock
        self._next_id = random.randrange(10**8, 10**9)
        self._waiting: list[Waiting] = []
        self._poll: asyncio.Future[None] | None = None
        self._arrivals: asyncio.Queue[Waiting] | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, kind: str, content: dict[str, Any]) -> None:
        """Queue an update of this kind, unless the bot does not want the kind."""
        if self._wanted(kind):
            self._put({"update_id": self._next_id, kind: content}, LIFETIMES.get(kind, LIFETIME))

    def inject(self, update: dict[str, Any]) -> dict[str, Any]:
        """Queue ``update`` as it is, wanted or not; it gets an id if it has none."""
        update = {"update_id": self._next_id, **update}
        self._put(update, LIFETIME)
        return update

    def clear(self) -> None:
        self._waiting.clear()

    def allow(self, kinds: Collection[Any]) -> None:
        """Accept only these kinds from now on, in any case.

        If none of them is a kind, accept all but the three special ones.
        """
        asked = {kind.lower() for kind in kinds if isinstance(kind, str)}
        self.allowed = sorted(asked & _KINDS) or None

    def remove(self, taken: Waiting) -> None:
        """Forget an update that the bot has taken."""
        with contextlib.suppress(ValueError):  # all may have been dropped by now
            self._waiting.remove(taken)
            self.taken()

    def untaken(self, chat: int) -> list[int]:
        """Return the ids of a chat's messages that still wait for the bot."""
        contents = (waiting.update.get(kind) for waiting in self._waiting for kind in _MESSAGES)
        found = [message for message in contents if isinstance(message, dict)]
        return [
            message["message_id"]
            for message in found
            if isinstance(place := message.get("chat"), dict)
            and place.get("id") == chat
            and type(message.get("message_id")) is int
        ]

    async def arrivals(self) -> AsyncIterator[Waiting]:
        """Yield waiting updates, then each as it comes; they keep waiting until removed."""
        self._arrivals = arrivals = asyncio.Queue[Waiting]()
        for waiting in self._waiting:
            arrivals.put_nowait(waiting)
        try:
            while True:
                yield await arrivals.get()
        finally:
            self._arrivals = None

    async def poll(self, offset: int, limit: int, seconds: float) -> list[dict[str, Any]]:
        """Confirm what is below ``offset``, then wait up to ``seconds`` for updates.

        Raises PollTaken if another call comes meanwhile.
        """
        self.end_poll(f"terminated by other getUpdates request; {_ONLY_ONE}")
        self._confirm(offset)
        if not self._waiting and seconds > 0:
            await self._news(min(seconds, LONGEST_POLL))
        return [waiting.update for waiting in self._waiting[:limit]]

    def end_poll(self, reason: str) -> None:
        """End the poll that is under way, if there is one."""
        if self._poll is not None and not self._poll.done():
            self._poll.set_exception(PollTaken(reason))

    async def _news(self, seconds: float) -> None:
        self._poll = poll = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(seconds):
                await poll
        except TimeoutError:
            pass
        finally:
            if self._poll is poll:
                self._poll = None

    def _wanted(self, kind: str) -> bool:
        return kind not in _NOT_BY_DEFAULT if self.allowed is None else kind in self.allowed

    def _put(self, update: dict[str, Any], lifetime: float) -> None:
        update_id = int(update["update_id"])
        self._next_id = max(self._next_id, update_id + 1)
        waiting = Waiting(update_id, self._clock() + lifetime, update)
        insort(self._waiting, waiting)
        if self._arrivals is not None:
            self._arrivals.put_nowait(waiting)
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(None)

    def _confirm(self, offset: int) -> None:
        now = self._clock()
        if any(waiting.expires <= now for waiting in self._waiting):
            self._waiting = [waiting for waiting in self._waiting if waiting.expires > now]
        before = len(self._waiting)
        if offset < 0:
            del self._waiting[:offset]
        else:
            del self._waiting[: bisect_left(self._waiting, Waiting(offset, 0, {}))]
        if len(self._waiting) < before:
            self.taken()
