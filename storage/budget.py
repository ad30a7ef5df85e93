"""How much may go to Telegram: one budget for each chat and one for all, over all processes.

Telegram publishes about one message a second in a chat, twenty a minute in a group, and thirty a
second overall (https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this);
edits, "typing" and drafts count likewise, as far as people have found out. The numbers stand in
the script ``pace``: a chat has a place every 1.1 s and a burst of three, of which one is kept for
an answer's end; a group besides has one every 4 s and a burst of five, of which what can be shed
leaves two. Of the thirty a second, twenty are for what can be shed or wait. The ends of an answer,
its first and its final text, wait only while Telegram has frozen the chat; they take places that
others then miss, up to twenty a second. Whoever waits has a place of his own, so that those of a
chat go in the order in which they came.
"""

from typing import Literal

from redis.asyncio import Redis

from storage import keys
from storage.server.connect import translated
from storage.server.script import Script

Act = Literal["shed", "wait", "end"]
"""What a place is for: what can be left out, what can wait, an answer's first or final text."""

WIDE_SECONDS = 60
"""How long after a freeze a chat's pace is half as fast."""
WORTH_WAITING = 5.0
"""Seconds of a freeze that whoever has something to say waits out."""


class Frozen(Exception):
    """Telegram has frozen the chat for ``seconds``, which are too many to wait for."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"frozen for {seconds:.0f} s")
        self.seconds = seconds


class Budget:
    """The budgets of one bot. Methods raise `StorageUnavailable`."""

    def __init__(self, redis: Redis, bot_id: int) -> None:
        self._bot_id = bot_id
        self._pace, self._freeze = (Script(redis, name) for name in ("pace", "freeze"))

    async def take(self, chat_id: int, act: Act) -> float | None:
        """Take a place; gives the seconds after which it is there, or None: shed it.

        Raises `Frozen`.
        """
        names = [keys.pace(self._bot_id, chat_id), keys.pace_of_all(self._bot_id)]
        worth = int(WORTH_WAITING * 1000)
        with translated():
            wait = int(await self._pace(names, [act, int(chat_id < 0), worth]))
        if wait < -1:
            raise Frozen(-wait / 1000)
        return None if wait < 0 else wait / 1000

    async def frozen(self, chat_id: int) -> float:
        """For how many seconds nothing may go to a chat. Raises `Frozen` if they are too many."""
        with translated():
            seconds = int(await self._freeze([keys.pace(self._bot_id, chat_id)])) / 1000
        if seconds > WORTH_WAITING:
            raise Frozen(seconds)
        return seconds

    async def freeze(self, chat_id: int, seconds: float) -> None:
        """Let nothing go to a chat for so long, and less than usual for some time after that."""
        with translated():
            await self._freeze(
                [keys.pace(self._bot_id, chat_id)], [int(seconds * 1000), WIDE_SECONDS * 1000]
            )
