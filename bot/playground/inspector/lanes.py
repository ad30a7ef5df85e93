"""A look at a bot's lanes and histories in Redis, which changes nothing there."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from storage import keys
from storage.arrivals import GROUP
from storage.lane import Entry
from storage.message import ChatKey
from storage.server.connect import textual, translated
from storage.timing import Timing

MOST_LANES = 1000
"""How many lanes are looked at."""

State = Literal["waiting", "in_work", "silent", "frozen"]


@dataclass(frozen=True, slots=True)
class Lane:
    """A conversation with something to do, and whose it is.

    It is ``in_work`` in the hands of ``owner``, who has claimed it as the ``claims``-th; ``silent``
    if the owner has given no sign of life for a lease, so that another may take it over; ``frozen``
    by Telegram; else it is ``waiting``. ``update`` is the head of its mailbox, and ``behind`` is
    how many more there are.
    """

    state: State
    owner: str = ""
    claims: int = 0
    behind: int = 0
    update: Mapping[str, Any] | None = None


class Lanes:
    """The lanes and histories of one bot."""

    def __init__(self, redis: Redis, bot_id: int, timing: Timing = Timing()) -> None:
        self.bot_id = bot_id
        self._redis = redis
        self._lease = timing.lease * 1000

    async def look(self) -> dict[ChatKey, Lane]:
        """Return what is to be done now. Raises `StorageUnavailable`."""
        ready = keys.ready(self.bot_id)
        with translated(), textual():
            pending = await self._pending()  # first: what is done meanwhile is not there any more
            queued: Any = await self._redis.xrange(ready, count=MOST_LANES)
            frozen = await self._redis.zrange(keys.parked(self.bot_id), 0, MOST_LANES - 1)
            found = {name: Lane("frozen") for name in map(str, frozen)}
            for entry, fields in queued:
                found[str(fields.get("lane"))] = self._lane(pending.get(entry))
            return await self._with_mailboxes(
                {key: lane for name, lane in found.items() if (key := _key(name))}
            )

    async def history(self, lane: ChatKey) -> list[str]:
        """Return the list of a conversation's messages. Raises `StorageUnavailable`."""
        with translated(), textual():
            return [
                str(one) for one in await self._redis.lrange(keys.history(self.bot_id, lane), 0, -1)
            ]

    async def _pending(self) -> dict[str, Mapping[str, Any]]:
        try:
            found: Any = await self._redis.xpending_range(
                keys.ready(self.bot_id), GROUP, "-", "+", MOST_LANES
            )
        except ResponseError as error:
            if "NOGROUP" not in str(error):
                raise
            return {}  # no worker has begun yet
        return {claim["message_id"]: claim for claim in found}

    def _lane(self, claim: Mapping[str, Any] | None) -> Lane:
        if claim is None:
            return Lane("waiting")
        is_silent = claim["time_since_delivered"] >= self._lease
        state: State = "silent" if is_silent else "in_work"
        return Lane(state, str(claim["consumer"]), int(claim["times_delivered"]))

    async def _with_mailboxes(self, lanes: Mapping[ChatKey, Lane]) -> dict[ChatKey, Lane]:
        asking = self._redis.pipeline(transaction=False)
        for key in lanes:
            mailbox = keys.mailbox(self.bot_id, key)
            asking.lindex(mailbox, 0)
            asking.llen(mailbox)
        found = await asking.execute() if lanes else []
        return {
            key: replace(lane, behind=max(0, length - 1), update=_update(str(head or "")))
            for (key, lane), head, length in zip(
                lanes.items(), found[::2], found[1::2], strict=True
            )
        }


def _key(name: str) -> ChatKey | None:
    try:
        return ChatKey.parse(name)
    except ValueError:  # another program's
        return None


def _update(entry: str) -> Mapping[str, Any] | None:
    try:
        found = json.loads(Entry.parse(entry).update)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
