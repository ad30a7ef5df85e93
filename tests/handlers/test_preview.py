"""An answer while it grows, call by call."""

import asyncio
import itertools
import json
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs
from telegram import Update
from telegram.error import BadRequest, Forbidden

from bot.updates.intake import lane_of
from handlers.outgoing.preview import Preview, Streaming
from handlers.turn.reply import Button
from handlers.turn.turn import Turn
from storage.arrivals import Arrival
from storage.budget import Frozen
from storage.lane import Claim, LaneLost, Opened, Shown
from storage.timing import Timing
from tests.conftest import ANN, GROUP
from tests.handlers.bot import SUPERGROUP, UPGRADED, Bot, message, running

_numbers = itertools.count(1)
STOP = Button("Stop", "stop:1")
NO_CHAT, BLOCKED = "Bad Request: chat not found", "Forbidden: bot was blocked by the user"
TWO_MESSAGES = f"{'a' * 3000}\n\n{'b' * 3000}"
TOPIC = {"message_thread_id": 7, "is_topic_message": True}
HURRY = Timing(
    gap=0.01, group_gap=0.01, wider=1, draft=0.01, typing_after=0.01, typing=0.01, last_call=30
)
"""An answer is looked at more often than a person wants."""
SHOWING = "sendMessage", "editMessageText", "sendMessageDraft"


@pytest.fixture
async def bot(redis: Redis) -> AsyncIterator[Bot]:
    """A bot that has time for everybody."""
    async with running(redis, paced=False, timing=HURRY) as made:
        yield made


class NotedTurn(Turn):
    """A turn that counts its notes, of which some fail."""

    def __init__(self, bot: Bot, claim: Claim, opened: Opened) -> None:
        super().__init__(bot.inbox, claim, opened)
        self.notes = 0
        self.troubles: deque[Exception] = deque()
        self._of = bot, claim

    async def note(self, shown: Shown, *, owing: bool = False) -> None:
        """Fail, or note it."""
        self.notes += 1
        if self.troubles:
            raise self.troubles.popleft()
        await super().note(shown, owing=owing)

    async def kept(self) -> str:
        """How far the answer had grown, for whoever goes on."""
        bot, claim = self._of
        return (await bot.inbox.open(claim)).partial


async def begun(
    bot: Bot, way: Streaming = "edits", where: int = GROUP, **more: Any
) -> tuple[Preview, NotedTurn]:
    """Let somebody ask something, whose answer is going to grow."""
    update = message("@demo_bot hi", max(where, ANN), where, **more)
    lane = lane_of(update)
    assert lane
    text = json.dumps({"update_id": 1, **update})
    await bot.inbox.put(Arrival(lane, next(_numbers), text))
    (claim,) = await bot.inbox.take(1, 1)
    turn = NotedTurn(bot, claim, await bot.inbox.open(claim))
    asked = Update.de_json(json.loads(text), bot.application.bot).message
    assert asked
    return Preview(asked, turn, way, STOP), turn


async def a_while(bot: Bot) -> None:
    """Let so much time go by that a silent draft is shown five times."""
    before = len(bot.telegram.of("sendMessageDraft"))
    elsewhere = 1000 + next(_numbers)
    preview, _ = await begun(bot, "drafts", elsewhere)
    async with preview.growing():
        preview.show("…")
        await bot.telegram.until(before + 5, "sendMessageDraft")
    calls = bot.telegram.calls
    calls[:] = [call for call in calls if call[1].get("chat_id") != elsewhere]


# The first words and the next ones


@pytest.mark.parametrize("where", [ANN, GROUP])
async def test_edits(bot: Bot, where: int) -> None:
    """Each look shows what is new, formatted so far; whoever goes on knows how far it is."""
    preview, turn = await begun(bot, where=where)
    async with preview.growing() as delivery:
        assert delivery is preview._delivery
        preview.show("")
        await bot.telegram.until(2, "sendChatAction")  # the bot types until there are words
        await a_while(bot)
        assert bot.telegram.of(*SHOWING) == []
        preview.show("**one")
        (sent,) = await bot.telegram.until(1, "sendMessage")
        preview.show("**one two")
        (edited,) = await bot.telegram.until(1, "editMessageText")
        assert await turn.kept() == "**one two"
        notes = turn.notes
        await a_while(bot)
        assert turn.notes == notes  # there was nothing new
    assert [sent["text"], edited["text"]] == ["one", "one two"]
    assert sent["entities"][0]["type"] == "bold"
    assert "stop:1" in str(edited["reply_markup"])
    assert preview.refusal is None


@pytest.mark.parametrize("where", [ANN, GROUP])
async def test_off(bot: Bot, where: int) -> None:
    """Nothing is shown but that the bot types; what there is is known."""
    preview, turn = await begun(bot, "off", where)
    async with preview.growing():
        preview.show("one")
        await bot.telegram.until(3, "sendChatAction")
    assert bot.telegram.of(*SHOWING) == []
    assert turn.partial == "one"


@pytest.mark.parametrize("where", [ANN, GROUP])
async def test_the_pause_between_two_looks(bot: Bot, where: int) -> None:
    """It is longer in a group, and longer each time."""
    gap, group_gap = (0.1, 0.01) if where == ANN else (0.01, 0.1)
    bot.inbox.timing = replace(HURRY, wider=3, gap=gap, group_gap=group_gap)
    preview, _ = await begun(bot, where=where)
    async with preview.growing():
        for number in range(3):
            preview.show(f"word {number}")
            await bot.telegram.until(number + 1, *SHOWING)
    times = [time for name in SHOWING for time in bot.telegram.times[name]]
    assert times[1] - times[0] > 0.08
    assert times[2] - times[1] > 0.28


async def test_the_first_words_come_at_once(bot: Bot) -> None:
    """No pause is before them, nor does the bot type first; and the end cuts a pause short."""
    bot.inbox.timing = replace(HURRY, gap=30, typing_after=30)
    preview, _ = await begun(bot, where=ANN)
    async with preview.growing():
        for _ in range(3):
            await asyncio.sleep(0)  # it has begun
        preview.show("one")
        await bot.telegram.until(1, "sendMessage")
    assert bot.telegram.of("sendChatAction") == []


async def test_words_that_come_during_a_call(bot: Bot) -> None:
    """They are shown next."""
    bot.telegram.gates["sendMessage"] = asyncio.Event()
    preview, _ = await begun(bot)
    async with preview.growing():
        preview.show("one")
        await bot.telegram.until(1, "sendMessage")
        preview.show("one two")
        bot.telegram.gates["sendMessage"].set()
        (edited,) = await bot.telegram.until(1, "editMessageText")
    assert edited["text"] == "one two"


# The end


async def test_a_call_under_way_in_the_end(bot: Bot) -> None:
    """It brings the message's number."""
    gate = bot.telegram.gates["sendMessage"] = asyncio.Event()
    preview, turn = await begun(bot)
    async with preview.growing():
        preview.show("one")
        await bot.telegram.until(1, "sendMessage")
        asyncio.get_running_loop().call_later(0.05, gate.set)
    assert len(turn.shown.ids) == 1


async def test_a_call_without_end(bot: Bot) -> None:
    """It is waited for a little, and then it is over with it."""
    bot.inbox.timing = replace(HURRY, last_call=0.01)
    gate = bot.telegram.gates["sendMessage"] = asyncio.Event()
    preview, turn = await begun(bot)
    async with asyncio.timeout(10), preview.growing():
        preview.show("one")
        await bot.telegram.until(1, "sendMessage")
    gate.set()
    await a_while(bot)
    assert turn.shown.ids == ()


async def test_an_end_without_a_word(bot: Bot) -> None:
    """It is over at once, whatever it waits for."""
    bot.inbox.timing = replace(HURRY, typing=30)
    preview, _ = await begun(bot)
    async with asyncio.timeout(10):
        async with preview.growing():
            await bot.telegram.until(1, "sendChatAction")
        preview, _ = await begun(bot, where=ANN)
        async with preview.growing():
            preview.show("one")
            await bot.telegram.until(1, "sendMessage")
            await a_while(bot)


# Typing


@pytest.mark.parametrize(("more", "topic"), [({}, None), (TOPIC, 7)])
async def test_typing(bot: Bot, more: dict[str, Any], topic: int | None) -> None:
    """Until there are words; also in the supergroup that the chat becomes meanwhile."""
    bot.telegram.refusals["sendChatAction"].extend(["Bad Gateway", UPGRADED])
    preview, _ = await begun(bot, **more)
    async with preview.growing():
        calls = await bot.telegram.until(4, "sendChatAction")
        preview.show("one")
        await bot.telegram.until(1, "sendMessage")
        number = len(bot.telegram.of("sendChatAction"))
        await a_while(bot)
        assert len(bot.telegram.of("sendChatAction")) == number
    assert [call["chat_id"] for call in calls] == [GROUP, GROUP, SUPERGROUP, SUPERGROUP]
    assert {call.get("message_thread_id") for call in calls} == {topic}
    assert {call["action"] for call in calls} == {"typing"}


async def test_a_pause_is_between_two_signs(bot: Bot) -> None:
    """Telegram shows each for a while."""
    bot.inbox.timing = replace(HURRY, typing=0.1)
    preview, _ = await begun(bot)
    async with preview.growing():
        await bot.telegram.until(2, "sendChatAction")
    first, second, *_ = bot.telegram.times["sendChatAction"]
    assert second - first > 0.08


async def test_no_typing_in_direct_messages(bot: Bot) -> None:
    """Telegram does not show it there."""
    preview, _ = await begun(bot, direct_messages_topic={"topic_id": 7})
    async with preview.growing():
        await a_while(bot)
        preview.show("one")
        await bot.telegram.until(1, "sendMessage")
    assert bot.telegram.of("sendChatAction") == []


# Drafts


async def test_drafts(bot: Bot) -> None:
    """They show the last message, which Telegram lets people stop; the others stand already."""
    preview, turn = await begun(bot, "drafts", ANN, message_id=78, **TOPIC)
    turn.asks(77)  # another message than is answered: it is asked again
    async with preview.growing():
        preview.show("**one")
        (draft,) = await bot.telegram.until(1, "sendMessageDraft")
        assert await turn.kept() == "**one"
        preview.show(TWO_MESSAGES)
        (sent,) = await bot.telegram.until(1, "sendMessage")
        number = len(bot.telegram.of("sendMessageDraft"))
        *_, last = await bot.telegram.until(number + 2, "sendMessageDraft")
    assert [draft["chat_id"], draft["draft_id"], draft["text"]] == [ANN, 77, "one"]
    assert draft["can_stop"] is True
    assert draft["message_thread_id"] == 7
    assert draft["entities"][0]["type"] == "bold"
    assert "entities" not in last or not last["entities"]
    assert (sent["text"], last["text"]) == ("a" * 3000, "b" * 3000)
    assert "reply_markup" not in sent
    assert bot.telegram.of("editMessageText") == []
    shown = [(name, given["text"][0]) for name, given in bot.telegram.of(*SHOWING)]
    assert shown.index(("sendMessage", "a")) < shown.index(("sendMessageDraft", "b"))


async def test_a_draft_without_words(bot: Bot) -> None:
    """There is none."""
    preview, turn = await begun(bot, "drafts", ANN)
    async with preview.growing():
        preview.show(" ")
        await a_while(bot)
    assert bot.telegram.of(*SHOWING) == []
    assert turn.notes == 0


@pytest.mark.parametrize("refusal", ["", "Bad Request: TEXTDRAFT_PEER_INVALID", "Not Found"])
async def test_where_there_are_no_drafts(bot: Bot, refusal: str) -> None:
    """A message grows instead: in groups, and where Telegram will not have them."""
    if refusal:
        bot.telegram.refusals["sendMessageDraft"].append(refusal)
    preview, _ = await begun(bot, "drafts", ANN if refusal else GROUP)
    async with preview.growing():
        preview.show("one")
        await bot.telegram.until(1, "sendMessage")
        preview.show("one two")
        await bot.telegram.until(1, "editMessageText")
    assert len(bot.telegram.of("sendMessageDraft")) == bool(refusal)


# Failures


@pytest.mark.parametrize("refusal", [NO_CHAT, BLOCKED])
@pytest.mark.parametrize("method", ["sendMessage", "sendChatAction", "sendMessageDraft"])
async def test_nobody_is_there(bot: Bot, method: str, refusal: str) -> None:
    """Whoever makes the answer is told so, and nothing else is shown."""
    bot.telegram.refusals[method].append(refusal)
    way: Streaming = "drafts" if method == "sendMessageDraft" else "edits"
    preview, turn = await begun(bot, way, ANN)
    async with preview.growing():
        if method != "sendChatAction":
            preview.show("one")
        async with asyncio.timeout(10):
            await turn.interrupted.wait()
        preview.show("one two")
        await a_while(bot)
    assert isinstance(preview.refusal, (BadRequest, Forbidden))
    assert len(bot.telegram.of(*SHOWING)) == (method != "sendChatAction")


async def test_the_message_is_gone(bot: Bot) -> None:
    """Nothing else is shown before the end, which is somebody's all the same."""
    bot.telegram.refusals["editMessageText"].append("Bad Request: message to edit not found")
    preview, turn = await begun(bot)
    async with preview.growing():
        for number in range(1, 4):
            preview.show(f"word {number}")
            await bot.telegram.until(min(number, 2), *SHOWING)
        await a_while(bot)
    assert len(bot.telegram.of(*SHOWING)) == 2
    assert preview.refusal is None
    assert not turn.interrupted.is_set()


@pytest.mark.parametrize(
    "trouble", ["Bad Gateway", "Bad Request: no", "no room", "frozen", "ours", "moved"]
)
async def test_what_passes(bot: Bot, trouble: str) -> None:
    """It is shown at the next look, without any new words."""
    preview, turn = await begun(bot)
    async with preview.growing():
        preview.show("one")
        await bot.telegram.until(1, "sendMessage")
        match trouble:
            case "no room":
                bot.plenty.none.append(None)
            case "frozen":
                bot.plenty.none.append(Frozen(10))
            case "ours":
                turn.troubles.append(ValueError("a mistake"))
            case "moved":
                bot.telegram.refusals["editMessageText"].append(UPGRADED)
            case _:
                bot.telegram.refusals["editMessageText"].append(trouble)
        refused = bool(bot.telegram.refusals["editMessageText"])
        with capture_logs() as logs:
            preview.show("one two")
            calls = await bot.telegram.until(2 + refused, *SHOWING)
    told = {"Bad Gateway": ["info"], "Bad Request: no": ["info"], "ours": ["error"]}
    assert [entry["log_level"] for entry in logs] == told.get(trouble, [])
    assert calls[-1]["text"] == "one two"
    assert calls[-1]["chat_id"] == (SUPERGROUP if trouble == "moved" else GROUP)


async def test_the_lane_is_lost(bot: Bot) -> None:
    """Then it is another's to show anything, and no fault."""
    preview, turn = await begun(bot)
    with capture_logs() as logs:
        async with preview.growing():
            preview.show("one")
            await bot.telegram.until(1, "sendMessage")
            turn.troubles.append(LaneLost())
            preview.show("one two")
            while turn.troubles:
                await a_while(bot)
            preview.show("one two three")
            await a_while(bot)
    assert bot.telegram.of("editMessageText") == []
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [("not_shown", "info")]
