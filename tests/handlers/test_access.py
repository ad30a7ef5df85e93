"""What may cut short the answer that is being made: only what is going to be obeyed."""

import asyncio
import json
from typing import Any

import pytest
from redis.asyncio import Redis
from telegram import User
from telegram.error import TimedOut
from telegram.ext import ApplicationBuilder, ExtBot
from telegram.request import RequestData

from handlers.actions.tools import Tools
from handlers.dialogue.conversation import Conversation
from handlers.dispatch import Dispatch
from handlers.incoming.access import Access
from handlers.outgoing.pacing import Pacing
from handlers.turn.turn import Turn
from storage.budget import Budget
from storage.inbox import Inbox
from storage.lane import Claim, Entry, Opened, Shown
from storage.message import ChatKey
from storage.timing import Timing
from tests.completion import PROFILE
from tests.handlers.bot import Model, operated

OWNER, ADMIN, MEMBER, STRANGER, BOT = 1, 2, 3, 4, 5
GROUP = -100
FORWARD = {"type": "hidden_user", "sender_user_name": "Vera", "date": 1}


class Bot(ExtBot[None]):
    """Knows who rules a group, and counts who asks."""

    asked: list[int]
    trouble: Exception | None = None

    @property
    def bot(self) -> User:
        return User(9, "Demo", is_bot=True, username="demo_bot")

    @property
    def rate_limiter(self) -> Pacing:  # type: ignore[override]
        return Pacing(Budget(Redis(), 9))

    @property
    def request(self) -> Any:
        return self

    async def post(self, url: str, data: RequestData) -> dict[str, Any]:
        """Answer a call."""
        assert url.endswith("/getChatMember")
        user_id = data.parameters["user_id"]
        assert isinstance(user_id, int)
        self.asked.append(user_id)
        await asyncio.sleep(0)
        if self.trouble:
            raise self.trouble
        return {"status": "administrator" if user_id == ADMIN else "member"}


@pytest.fixture
def telegram() -> Bot:
    """A bot that nobody has asked yet."""
    bot = Bot("9:token")
    bot._unfreeze()
    bot.asked = []
    return bot


@pytest.fixture
def dispatch(telegram: Bot) -> Dispatch:
    """What judges updates, for a bot with an owner that does not talk with strangers."""
    return judging(telegram)


def judging(telegram: Bot, timing: Timing = Timing()) -> Dispatch:
    """Make it."""
    access = Access({OWNER}, {ADMIN, MEMBER, BOT}, set(), timing=timing)
    application = ApplicationBuilder().bot(telegram).updater(None).build()
    operation = operated(Redis(), Inbox(Redis(), 9, "worker"))
    tools = Tools(Conversation(Model()), access, "off", buttons=True, operation=operation)
    return Dispatch(application, tools, lambda: PROFILE)


def turn(asked: int = 77) -> Turn:
    """A turn that answers this question."""
    opened = Opened(Entry("{}", flood=False), 0, 1, 0, 0, "", "", Shown(), "")
    claim = Claim("1-1", ChatKey(1), 0.0)
    made = Turn(Inbox(Redis(), 9, "worker"), claim, opened)
    made.asked = asked
    return made


def person(user: int) -> dict[str, Any]:
    """Who writes."""
    return {"id": user, "is_bot": user == BOT, "first_name": "Somebody"}


def chat(number: int) -> dict[str, Any]:
    """Where."""
    return {"id": number, "type": "private" if number > 0 else "supergroup", "title": "x"}


def command(text: str, user: int, where: int | None = None, **more: Any) -> str:
    """An update with a command."""
    entity = {"type": "bot_command", "offset": 0, "length": len(text.split(maxsplit=1)[0])}
    message = {
        "message_id": 5,
        "date": 1,
        "chat": chat(user if where is None else where),
        "from": person(user),
        "text": text,
        "entities": [entity],
        **more,
    }
    return json.dumps({"update_id": 1, "message": message})


def press(data: str, user: int) -> str:
    """An update with a press of a button."""
    message = {"message_id": 5, "date": 1, "chat": chat(GROUP), "text": "…"}
    query = {"id": "1", "from": person(user), "chat_instance": "1", "data": data}
    return json.dumps({"update_id": 1, "callback_query": {**query, "message": message}})


@pytest.mark.parametrize(
    ("update", "may"),
    [
        (command("/stop", MEMBER), True),
        (command("/STOP@Demo_Bot please", MEMBER, GROUP), True),
        (command("/stop", STRANGER), False),
        (command("/stop", OWNER), True),
        (command("/stop@other_bot", MEMBER), False),
        (command("/stop", MEMBER, entities=[]), False),
        (command("/stopping", MEMBER), False),
        (
            command("/stop", BOT),
            False,
        ),
        (command("/reset", MEMBER), True),
        (command("/reset@demo_bot", ADMIN, GROUP), True),
        (command("/reset", MEMBER, GROUP), False),
        (command("/reset", OWNER, GROUP), True),
        (command("/reset", STRANGER), False),
        (command("/reset -100", MEMBER), False),
        (command("/reset -100", ADMIN, GROUP), False),
        (command("/reset now", MEMBER), False),
        (command("/reset now", ADMIN, GROUP), False),
        (command("/reset -100", OWNER), False),
        (command("/reset@other_bot", MEMBER), False),
        (command("/stop", MEMBER, forward_origin=FORWARD), False),
        (command("/reset", OWNER, forward_origin=FORWARD), False),
        (command("/stop", MEMBER, via_bot=person(BOT)), False),
        (command("/undo", ADMIN, GROUP), False),
        (command("/help", OWNER), False),
        (press("stop:77", MEMBER), True),
        (press("stop:77", STRANGER), False),
        (press("stop:78", MEMBER), False),
        (press("forget:77", ADMIN), False),
        (press("unknown:77", MEMBER), False),
        (press("?", MEMBER), False),
    ],
)
async def test_who_may_interrupt(dispatch: Dispatch, update: str, may: bool) -> None:
    """A command interrupts what its own chat waits for, if its handler will obey it."""
    assert await dispatch.may_interrupt(update, turn()) is may


async def test_many_refused_ones_ask_telegram_once(dispatch: Dispatch, telegram: Bot) -> None:
    """Whoever comes again within a while is judged by what Telegram said; then it is asked anew."""
    resets = [command("/reset", MEMBER, GROUP)] * 50 + [command("/reset", ADMIN, GROUP)]
    may = await asyncio.gather(*(dispatch.may_interrupt(one, turn()) for one in resets))
    assert may == [False] * 50 + [True]
    assert sorted(telegram.asked) == [ADMIN, MEMBER]
    forgetful = judging(telegram, Timing(admin_lately=-1))
    for _ in range(2):
        await forgetful.may_interrupt(resets[0], turn())
    assert telegram.asked[2:] == [MEMBER, MEMBER]


async def test_what_telegram_did_not_say(dispatch: Dispatch, telegram: Bot) -> None:
    """Nobody is judged by a call that failed but those who asked with it."""
    telegram.trouble = TimedOut()
    with pytest.raises(TimedOut):
        await dispatch.may_interrupt(command("/reset", ADMIN, GROUP), turn())
    assert await dispatch.may_interrupt(command("/stop", ADMIN, GROUP), turn())
