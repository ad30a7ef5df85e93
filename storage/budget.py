"""How much may go to Telegram: one budget for each chat and one for all, over all processes.

Telegram documents about one message a second in a chat, twenty a minute in a group, and thirty a
second overall (https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this); as
far as people have found out, edits, "typing" and drafts count too. The numbers are in
``parts/budget.lua``: a chat has a place every 1.1 s and a burst of three, one of it reserved for
the end of an answer; a group also has one every 4 s and a burst of five, two of which calls that
can be shed leave free. Of the thirty a second, twenty are for calls that can be shed or can wait.
The ends of an answer, its first and its final text, wait only while Telegram has frozen the chat;
the places they take, up to twenty a second, are then missing for others. Every call that waits has
a place of its own, so calls of a chat go in the order in which they came.
"""

from typing import Literal

from redis.asyncio import Redis

from storage import keys
from storage.server.connect import translated
from storage.server.script import Script

Act = Literal["shed", "wait", "end"]
"""What a place is for: a call that can be left out, one that can wait, an end of an answer."""

WIDE_SECONDS = 60
"""How long a chat's pace is halved after a freeze."""
WORTH_WAITING = 5.0
"""A freeze of up to so many seconds is worth waiting out."""
WORTH_WAITING_MS = int(WORTH_WAITING * 1000)


class Frozen(Exception):
    """Telegram has frozen the chat for ``seconds``, too long to wait."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"frozen for {seconds:.0f} s")
        self.seconds = seconds


def until_place(milliseconds: int) -> float | None:
    """Read what a script returns for a place: the seconds until it comes, or None if none is taken.

    Raises `Frozen`.
    """
    if milliseconds < -1:
        raise Frozen(-milliseconds / 1000)
    return None if milliseconds < 0 else milliseconds / 1000


class Budget:
    """The budgets of one bot. Methods raise `StorageUnavailable`."""

    def __init__(self, redis: Redis, bot_id: int) -> None:
        self._bot_id = bot_id
        self._pace, self._freeze = (Script(redis, name) for name in ("pace", "freeze"))

    async def take(self, chat_id: int, act: Act) -> float | None:
        """Take a place; returns the seconds until it comes, or None if the call should be shed.

        Raises `Frozen`.
        """
        names = [keys.pace(self._bot_id, chat_id), keys.pace_of_all(self._bot_id)]
        with translated():
            wait = await self._pace(names, [act, int(chat_id < 0), WORTH_WAITING_MS])
        return until_place(int(wait))

    async def frozen(self, chat_id: int) -> float:
        """Seconds for which the chat is frozen. Raises `Frozen` if that is too long to wait."""
        with translated():
            seconds = int(await self._freeze([keys.pace(self._bot_id, chat_id)])) / 1000
        if seconds > WORTH_WAITING:
            raise Frozen(seconds)
        return seconds

    async def freeze(self, chat_id: int, seconds: float) -> None:
        """Send nothing to the chat for so long, and less than usual for a while after that."""
        with translated():
            await self._freeze(
                [keys.pace(self._bot_id, chat_id)], [int(seconds * 1000), WIDE_SECONDS * 1000]
            )
