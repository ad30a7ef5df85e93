"""The update in work: what is already known of its reply, and the way to keep more."""

import asyncio
import json
from collections.abc import Sequence
from contextvars import ContextVar

from telegram import MessageEntity

from handlers.markup import Chunk
from storage.inbox import Claim, Forgotten, Inbox, Kept, Opened


class Turn:
    """One update in work. Its methods raise `LaneLost` and `StorageUnavailable`."""

    def __init__(self, inbox: Inbox, claim: Claim, opened: Opened) -> None:
        self._inbox = inbox
        self._claim = claim
        self.flood = opened.head.flood
        self.reply = _read(opened.reply)
        self.sent = opened.sent
        self.interrupted = asyncio.Event()
        self.failure: Exception | None = None

    async def keep(self, reply: Sequence[Chunk], change: Kept | Forgotten | None = None) -> None:
        """Keep the reply, and with it what it does to a history, before it is sent."""
        await self._inbox.commit(self._claim, _write(reply), change)
        self.reply = list(reply)

    async def hold(self) -> None:
        """Make sure that this is still ours to answer."""
        await self._inbox.hold(self._claim)

    async def note_sent(self, parts: int) -> None:
        """Note that Telegram has taken so many chunks of the reply."""
        await self._inbox.sent(self._claim, parts)
        self.sent = parts


current: ContextVar[Turn] = ContextVar("turn")
"""python-telegram-bot hands handlers an update and nothing that came with it."""


def _write(reply: Sequence[Chunk]) -> str:
    return json.dumps(
        [[chunk.text, [entity.to_dict() for entity in chunk.entities]] for chunk in reply],
        ensure_ascii=False,
    )


def _read(reply: str) -> list[Chunk] | None:
    if not reply:
        return None
    return [
        Chunk(text, tuple(MessageEntity.de_list(found, None))) for text, found in json.loads(reply)
    ]
