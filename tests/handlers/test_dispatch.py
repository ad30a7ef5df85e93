"""What becomes of updates that no handler deals with, and what a turn keeps of a reply."""

import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs
from telegram.error import BadRequest

from handlers.incoming.parsing import Unreadable
from handlers.rendering.markup import Chunk, File
from handlers.texts import ENGLISH, RUSSIAN
from handlers.turn.reply import Button, Piece, Reply
from handlers.turn.turn import Turn
from storage.arrivals import Arrival
from storage.budget import Frozen
from storage.lane import Claim, Entry, LaneLost, Opened, Shown
from storage.message import ChatKey
from storage.timing import Timing
from tests.conftest import ANN, GROUP
from tests.handlers.bot import SUPERGROUP, Bot, message, person, press, running, said
from tests.hurry import hurried

BAD, NO_CHAT = "Bad Request: some words are bad", "Bad Request: chat not found"
EDIT = {"edited_message": said("hi")}
PRESS = press("again:1", said("an answer"))
STOPPED = {"stopped_message_generation": {"chat": {"id": ANN, "type": "private"}, "draft_id": 77}}
TALK = message("hi", ANN, GROUP)
OTHER_BOT = {"from": person(77, is_bot=True, username="other_bot")}
OF_A_BOT = message("@demo_bot hi", ANN, GROUP, **OTHER_BOT)
RUSSIAN_ONE = message("hi", **{"from": person(ANN, language_code="ru")})


@pytest.fixture
async def bot(redis: Redis) -> AsyncIterator[Bot]:
    """A bot that is open to all."""
    async with running(redis, paced=False) as made:
        yield made


def text_of(update: dict[str, Any]) -> str:
    """Its JSON."""
    return json.dumps({"update_id": 1, **update})


# What waits in a flood


@pytest.mark.parametrize(
    ("update", "told"),
    [
        (message("hi"), [ENGLISH.too_many]),
        (RUSSIAN_ONE, [RUSSIAN.too_many]),
        (message("@demo_bot hi", ANN, GROUP), [ENGLISH.too_many]),
        (EDIT, [ENGLISH.too_many]),
        (PRESS, [ENGLISH.too_many]),
        (TALK, []),
        (OF_A_BOT, []),
    ],
    ids=["private", "Russian", "group", "edit", "press", "talk", "another bot"],
)
async def test_a_flood(bot: Bot, update: dict[str, Any], told: list[str]) -> None:
    """Whoever waits for an answer hears that it is too much; nothing is asked or done."""
    _, turn = await bot.begins(update)
    turn.flood = True
    await bot.dispatch.handle(text_of(update), turn)
    assert bot.telegram.said() == told
    assert len(bot.telegram.calls) == len(told)
    assert bot.model.asked == []


async def test_a_flood_without_a_message(bot: Bot) -> None:
    """There is nothing that could be answered."""
    _, turn = await bot.begins(STOPPED)
    turn.flood = True
    with pytest.raises(Unreadable, match="no message"):
        await bot.dispatch.handle(text_of(STOPPED), turn)


@pytest.mark.parametrize("refusals", [[], [NO_CHAT], [BAD] * 3], ids=["", "nobody", "failure"])
async def test_what_was_kept(bot: Bot, refusals: list[str]) -> None:
    """It is sent as it is; when nobody is there for it, that is no failure."""
    _, turn = await bot.begins(message("hi"))
    turn.reply = Reply([Chunk("kept", ())])
    bot.telegram.refusals["sendMessage"].extend(refusals)
    failure = pytest.raises(BadRequest) if BAD in refusals else contextlib.nullcontext()
    with capture_logs() as logs, failure:
        await bot.dispatch.handle(text_of(message("hi")), turn)
    events = [entry["event"] for entry in logs]
    assert ("not_delivered" in events) == (NO_CHAT in refusals)
    assert bot.telegram.said()[0] == "kept"
    assert bot.model.asked == []


async def test_what_handlers_met(bot: Bot) -> None:
    """It is raised, to be tried again."""
    _, turn = await bot.begins(message("hi"))
    bot.telegram.refusals["sendMessage"].extend([BAD] * 9)
    with pytest.raises(BadRequest):
        await bot.dispatch.handle(text_of(message("hi")), turn)


@pytest.mark.parametrize("text", ["no JSON", "[" * 100_000, "[1]", text_of({"message": {"a": 1}})])
async def test_what_cannot_be_read(bot: Bot, text: str) -> None:
    """Nothing of it is quoted."""
    _, turn = await bot.begins(message("hi"))
    with pytest.raises(Unreadable) as caught:
        await bot.dispatch.handle(text, turn)
    assert str(caught.value).isidentifier()


# Words beside an answer


@pytest.mark.parametrize(
    ("update", "told"),
    [
        (message("hi"), [ENGLISH.unexpected]),
        (RUSSIAN_ONE, [RUSSIAN.unexpected]),
        (TALK, []),
        (OF_A_BOT, []),
        (STOPPED, []),
        (message("/reset", ANN, GROUP), [ENGLISH.unexpected]),
        (message("/other", ANN, GROUP), []),
    ],
    ids=["private", "Russian", "talk", "another bot", "no message", "command", "another's"],
)
async def test_an_apology(bot: Bot, update: dict[str, Any], told: list[str]) -> None:
    """It is for who waits for an answer."""
    _, turn = await bot.begins(update)
    await bot.dispatch.apologize(text_of(update), turn)
    assert bot.telegram.said() == told


async def test_an_apology_for_the_rest(bot: Bot) -> None:
    """What is there for good stays, and nothing of the rest comes any more."""
    _, turn = await bot.begins(message("hi"))
    turn.reply, turn.shown = Reply([Chunk(text, ()) for text in "abc"]), Shown(1, (11, 12))
    await bot.dispatch.apologize(text_of(message("hi")), turn)
    ((name, given),) = bot.telegram.calls
    assert (name, given["message_id"], given["text"]) == ("editMessageText", 12, ENGLISH.unexpected)
    assert turn.reply.pieces == [Chunk("a", ()), Chunk(ENGLISH.unexpected, ())]


@pytest.mark.parametrize(
    ("update", "told"),
    [
        (message("hi"), [ENGLISH.takes_longer]),
        (RUSSIAN_ONE, [RUSSIAN.takes_longer]),
        (TALK, []),
        (OF_A_BOT, []),
        (EDIT, []),
        (PRESS, []),
        (STOPPED, []),
        (message("/context", ANN, GROUP), [ENGLISH.takes_longer]),
    ],
    ids=["private", "Russian", "talk", "another bot", "edit", "press", "no message", "command"],
)
async def test_who_is_told_that_it_takes_longer(
    bot: Bot, update: dict[str, Any], told: list[str]
) -> None:
    """Who has asked something new."""
    await bot.waits(update)
    assert bot.telegram.said() == told


@pytest.mark.parametrize(("number", "stops"), [(77, True), (78, False)])
async def test_a_draft_is_stopped(bot: Bot, number: int, stops: bool) -> None:
    """By Telegram's own button, if that is under this one."""
    _, turn = await bot.begins(message("hi"))
    turn.asks(77)
    stopped = {**STOPPED["stopped_message_generation"], "draft_id": number}
    update = text_of({"stopped_message_generation": stopped})
    assert await bot.dispatch.may_interrupt(update, turn) is stops
    assert not await bot.dispatch.may_interrupt(text_of(PRESS), turn)


# What a turn keeps


async def test_a_reply_is_kept(bot: Bot) -> None:
    """Whoever goes on has all of it."""
    bold = {"type": "bold", "offset": 0, "length": 1}
    pieces: list[Piece] = [Chunk("привет", (bold,)), File("a.py", "code")]
    reply = Reply(pieces, [Button("Again", "again:1")], is_answer=True)
    claim, turn = await bot.begins(message("hi"))
    assert turn.answer_ids == ()
    await turn.keep(reply)
    assert turn.reply == reply
    opened = await bot.inbox.open(claim)
    assert "привет" in opened.reply  # letters of two bytes take two
    assert Turn(bot.inbox, claim, opened).reply == reply


async def test_what_a_reply_replaces(bot: Bot) -> None:
    """It is noted before anything is changed, but for what an earlier worker has begun."""
    claim, turn = await bot.begins(message("hi"))
    await turn.replaces([11, 12])
    assert turn.shown == (await bot.inbox.open(claim)).shown == Shown(0, (11, 12))
    await turn.replaces([13])
    assert turn.shown == Shown(0, (11, 12))


async def test_what_is_joined(bot: Bot) -> None:
    """One reply deals with it; what comes behind is dealt with next."""
    claim, turn = await bot.begins(message("one"))
    for number, text in ((-1, "two"), (-2, "three")):
        await bot.inbox.put(Arrival(ChatKey(ANN), number, text_of(message(text))))
    assert ["two" in one.update for one in await turn.following()] == [True, False]
    await turn.join(1)
    await bot.inbox.done(claim)
    (claim,) = await bot.inbox.take(1, 1)
    assert "three" in (await bot.inbox.open(claim)).head.update


async def test_what_is_parked_is_noted(bot: Bot) -> None:
    """What stands on the screen is not sent again by who goes on."""
    _, turn = await bot.begins(message("hi"))
    turn.shown = Shown(1, (11,))
    await turn.park(0)
    await bot.inbox.unpark()
    (claim,) = await bot.inbox.take(1, 1)
    assert (await bot.inbox.open(claim)).shown == Shown(1, (11,))


async def test_a_lost_lane_is_silent(bot: Bot) -> None:
    """Nothing is said any more by whoever has lost it."""
    claim, turn = await bot.begins(message("hi"))
    claim.void()
    with pytest.raises(LaneLost):
        await turn.hold()


def test_a_stop_before_the_question() -> None:
    """It is known when that is asked; a stop of another is not meant."""
    turn = idle(Waiting())
    assert not turn.stop("5")
    turn.asks(4)
    assert not turn.interrupted.is_set()
    assert turn.stop("4")
    assert not turn.interrupted.is_set()  # whoever stops it does that
    turn.asks(5)
    assert turn.interrupted.is_set()


class Waiting:
    """An inbox in which something is in work in the old group, and there is no room."""

    timing = Timing()

    def __init__(self) -> None:
        self.asked = 0

    async def inherit(self, _claim: Claim, _group: int) -> bool:
        self.asked += 1
        return False

    async def is_full(self) -> bool:
        return True


def idle(inbox: Any) -> Turn:
    """A turn that has not begun."""
    opened = Opened(Entry("{}", flood=False), 0, 1, 0, 0, "", "", Shown(), "")
    return Turn(inbox, Claim("1-1", ChatKey(SUPERGROUP), 0.0), opened)


def test_a_group_that_is_in_work() -> None:
    """It is waited for a little, and then for longer, with the conversation given up."""
    inbox = Waiting()

    async def inherit() -> None:
        with pytest.raises(Frozen):
            await idle(inbox).inherit(GROUP)

    _, seconds = hurried(inherit())
    assert inbox.asked == len(inbox.timing.moved_pauses)
    assert seconds >= sum(inbox.timing.moved_pauses)
    assert hurried(idle(inbox).storage_is_full())[0]
