"""Conversations as they are read: each script in ``scripts/`` is played with the bot.

``Anna: hi`` is said in private, ``Anna (group): hi`` in the group. ``bot: …`` is what the bot says
next, where the last person spoke; ``bot (Olga): …`` somewhere else, ``toast: …`` what answers a
press. A "…" stands for any words, and nothing may be said that is not written. ``Anna presses X``
is about the newest button whose label begins so. Olga owns the bot. What follows a ``*`` happens.
"""

import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.updates.intake import Intake
from handlers.incoming.access import Access
from handlers.incoming.talk import Talk
from storage.dead import DeadLetters
from storage.timing import Timing
from tests.conftest import ANN, BORIS, GROUP
from tests.handlers.bot import ME, Bot, chat, person, press, running, said

SCRIPTS = Path(__file__).parent / "scripts"
PEOPLE = {"Anna": ANN, "Boris": BORIS, "Olga": 107, "Eve": 109}
PLACES = {**PEOPLE, "group": GROUP}
LINE = re.compile(r"(\w+)(?: \((\w+)\))?: (.+)")
PRESS = re.compile(r"(\w+)(?: \((\w+)\))? presses (.+)")
ROBOT = person(110, is_bot=True, username="other_bot")
ADMINISTRATOR = dict.fromkeys(
    (
        *("can_be_edited", "is_anonymous", "can_manage_chat", "can_delete_messages"),
        *("can_manage_video_chats", "can_restrict_members", "can_promote_members"),
        *("can_change_info", "can_invite_users", "can_post_stories", "can_edit_stories"),
        "can_delete_stories",
    ),
    False,
)
STANDS: dict[str, dict[str, Any]] = {
    "a member": {"status": "member"},
    "an admin": {"status": "administrator", **ADMINISTRATOR},
    "removed": {"status": "kicked", "until_date": 0},
}
"""What Telegram says of the bot in the group."""
_numbers = count(1)


class Stage:
    """The bot, and who speaks with it."""

    def __init__(self, bot: Bot) -> None:
        self.bot, self.here = bot, ANN
        read = partial(Talk.read, bot=bot.application.bot, locked=frozenset(), language="en")
        self._intake = Intake(bot.inbox, DeadLetters(bot.redis, bot.id), read)
        self._heard = 0
        self._stands = "removed"

    async def play(self, line: str) -> None:
        """Let a line happen, of which the bot may say something."""
        if line.startswith("*"):
            await self._happens(line.strip("* "))
        elif pressed := PRESS.fullmatch(line):
            await self._press(*pressed.groups())
        elif spoken := LINE.fullmatch(line):
            who, where, text = spoken.groups()
            number = PEOPLE[who]
            self.here = PLACES[where or who]
            await self._comes({"message": said(text.replace(" / ", "\n"), number, self.here)})
        else:
            raise ValueError(line)

    def says(self) -> Iterator[str]:
        """What the bot has said since it was last asked, as scripts have it."""
        names = {number: name for name, number in PLACES.items()}
        new = self.bot.telegram.calls[self._heard :]
        self._heard = len(self.bot.telegram.calls)
        for name, given in new:
            text = given.get("text", "").replace("\n\n", " / ").replace("\n", " / ")
            if name == "answerCallbackQuery" and text:
                yield f"toast: {text}"
            elif name in ("sendMessage", "editMessageText"):
                there = given["chat_id"]
                yield f"bot: {text}" if there == self.here else f"bot ({names[there]}): {text}"

    async def _comes(self, update: dict[str, Any]) -> None:
        await self._intake.take({"update_id": next(_numbers), **update})
        await self.bot._work()

    async def _happens(self, event: str) -> None:
        if admin := re.fullmatch(r"(\w+) is (an admin|no admin any more)", event):
            status = "administrator" if admin[2] == "an admin" else "member"
            self.bot.telegram.members[PEOPLE[admin[1]]] = status
        elif stands := re.fullmatch(r"(\w+) makes the bot (a member|an admin|removed)", event):
            old, self._stands = self._stands, stands[2]
            self.here = GROUP
            await self._comes({"my_chat_member": {
                "chat": chat(GROUP), "from": person(PEOPLE[stands[1]]), "date": 1_700_000_000,
                "old_chat_member": {"user": ME, **STANDS[old]},
                "new_chat_member": {"user": ME, **STANDS[self._stands]},
            }})  # fmt: skip
        elif robot := re.fullmatch(r"another bot says: (.+)", event):
            self.here = GROUP
            await self._comes({"message": said(robot[1], 110, GROUP, **{"from": ROBOT})})
        else:
            raise ValueError(event)

    async def _press(self, who: str, where: str | None, label: str) -> None:
        self.here = PLACES[where or who]
        shown = self.bot.telegram.of("sendMessage", "editMessageText")
        for _, given in reversed(shown):
            markup = given.get("reply_markup") or {"inline_keyboard": []}
            markup = json.loads(markup) if isinstance(markup, str) else markup
            for key in (key for row in markup["inline_keyboard"] for key in row):
                if given["chat_id"] == self.here and key["text"].lstrip("● ").startswith(label):
                    under = said("…", 9, self.here, message_id=given.get("message_id", 0) or 4)
                    await self._comes(
                        press(key["callback_data"], under | {"from": ME}, PEOPLE[who])
                    )
                    return
        raise ValueError(f"there is no button {label}")


@asynccontextmanager
async def _stage(redis: Redis, *, closed: bool) -> AsyncIterator[Stage]:
    access = Access({PEOPLE["Olga"]}, set(), set(), closed)
    async with running(redis, access, paced=False, timing=Timing(quiet=0)) as bot:
        yield Stage(bot)


def _lines(script: Path) -> list[str]:
    return [line for line in script.read_text("utf-8").splitlines() if line and line[0] != "#"]


def _matches(written: str, told: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, written.split("…"))), told, re.DOTALL) is not None


@pytest.mark.parametrize("script", sorted(SCRIPTS.glob("*.txt")), ids=lambda path: path.stem)
async def test_it_goes_as_written(redis: Redis, script: Path) -> None:
    """Line by line; what the bot says is all that it says."""
    lines = _lines(script)
    closed = lines[0] == "* The bot is closed"
    async with _stage(redis, closed=closed) as stage:
        told: list[str] = []
        for line in lines[closed:]:
            if line.startswith(("bot:", "bot (", "toast:")):
                assert told, f"nothing is said, instead of: {line}"
                assert _matches(line, told.pop(0)), line
            else:
                assert not told, f"before: {line}"
                await stage.play(line)
                told = [*stage.says()]
        assert not told, "after the last line"
