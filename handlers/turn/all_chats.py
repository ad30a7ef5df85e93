"""What is done to all chats at once, in the lane of whoever does it."""

from collections.abc import Collection, Sequence

from storage.announcement import Words
from storage.inbox import Inbox
from storage.lane import Claim
from storage.message import ChatKey


class AllChats:
    """They are reset, or told something. Methods raise `LaneLost` and `StorageUnavailable`."""

    def __init__(self, inbox: Inbox, claim: Claim) -> None:
        self._inbox = inbox
        self._claim = claim

    async def conversations(self) -> Collection[ChatKey]:
        """Find all conversations of the bot."""
        return await self._inbox.conversations()

    async def offer(self, confirmation: int) -> None:
        """Let this confirmation be valid for a while, instead of any before it."""
        await self._inbox.offer(self._claim, confirmation)

    async def is_offered(self, confirmation: int) -> bool:
        """Tell whether that confirmation is valid."""
        return await self._inbox.is_offered(self._claim, confirmation)

    async def withdraw(self) -> None:
        """Let no confirmation be valid."""
        await self._inbox.withdraw(self._claim)

    async def collect(self) -> int:
        """Collect all conversations for `reset_some`; returns how many there are."""
        return await self._inbox.collect(self._claim)

    async def reset_some(self) -> int:
        """Forget some of the collected conversations; returns how many are left."""
        for_good = await self._inbox.is_full()
        return await self._inbox.reset_some(self._claim, for_good=for_good)

    async def draft(self, number: int, words: Words) -> None:
        """Let these words be announced once ``number`` is confirmed, instead of any before them."""
        await self._inbox.draft(self._claim, number, words)

    async def announce(self, number: int, kinds: Sequence[str], total: int, language: str) -> str:
        """Begin to announce a draft, once; see `storage.announcement.Announcing.announce`."""
        return await self._inbox.announce(self._claim, number, kinds, total, language)

    async def cancel(self, number: int) -> str:
        """Cancel an announcement; see `storage.announcement.Announcing.cancel`."""
        return await self._inbox.cancel(self._claim, number)

    async def decline(self, *, declined: bool) -> None:
        """Note whether the lane's chat wants no announcements."""
        await self._inbox.decline(self._claim, declined=declined)
