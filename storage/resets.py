"""The reset of all conversations: offered to an owner, then done in steps that a death may end."""

import contextlib
from collections.abc import Sequence

from storage import keys
from storage.lane import Claim
from storage.message import ChatKey
from storage.server import foreign
from storage.work import Work

OFFER_SECONDS = 300
"""How long an owner may think before confirming."""
STEP = 100
"""Conversations that one script forgets; this many cost 1 ms of the server's time."""
KINDS = ("history", "state", "mailbox", "heard")
"""What a conversation has if something was said or waits there."""


class Resets(Work):
    """Work on a lane in which an owner resets all conversations.

    Every step waits while storage is down, and raises `StorageRefused`.
    """

    async def offer(self, claim: Claim, number: int) -> None:
        """Let the confirmation ``number`` be valid in this lane, instead of any before it."""
        key = keys.offered(self.bot_id, claim.lane)
        await self._patiently(lambda: self._redis.set(key, number, ex=OFFER_SECONDS))

    async def is_offered(self, claim: Claim, number: int) -> bool:
        """True if that confirmation is still valid."""
        key = keys.offered(self.bot_id, claim.lane)
        return await self._patiently(lambda: self._redis.get(key)) == str(number)

    async def withdraw(self, claim: Claim) -> None:
        """Let no confirmation be valid in this lane."""
        key = keys.offered(self.bot_id, claim.lane)
        await self._patiently(lambda: self._redis.delete(key))

    async def conversations(self) -> set[ChatKey]:
        """Find all conversations in which something was said or waits."""
        tag = keys.tag(self.bot_id)

        async def look() -> set[ChatKey]:
            found: set[ChatKey] = set()
            async for key in foreign.names(self._redis, f"{tag}*"):
                kind, _, chat = key.removeprefix(tag).partition(":")
                if kind in KINDS:
                    with contextlib.suppress(ValueError):  # another program's
                        lane = ChatKey.parse(chat)
                        if lane == lane.conversation:
                            found.add(lane)
            return found

        return await self._patiently(look)

    async def collect(self, claim: Claim) -> int:
        """Collect all conversations for `reset_some`; returns how many there are.

        Raises `LaneLost`.
        """
        found = [*map(str, await self.conversations())]
        names = [self._ready, keys.resetting(self.bot_id)]
        await self._owned(claim, "collect", names)
        for start in range(0, len(found), STEP):
            await self._owned(claim, "collect", names, *found[start : start + STEP])
        return len(found)

    async def reset_some(self, claim: Claim, *, for_good: bool = False) -> int:
        """Forget up to `STEP` of the collected conversations; returns how many are left.

        Each is forgotten once, whoever repeats this. Raises `LaneLost`.
        """
        key = keys.resetting(self.bot_id)
        found = await self._patiently(lambda: self._redis.srandmember(key, STEP))
        chats = [str(chat) for chat in found or ()]
        names = [self._ready, key, keys.nothing(self.bot_id)]
        for chat in chats:
            names += keys.conversation(self.bot_id, ChatKey.parse(chat))
        await self._owned(claim, "reset", names, int(for_good), *chats)
        return int(await self._patiently(lambda: self._redis.scard(key)))

    async def _owned(
        self, claim: Claim, script: str, names: Sequence[str], *args: str | int
    ) -> None:
        if not await self._step(script, [*names], [claim.entry, self._consumer, *args]):
            raise claim.void()
