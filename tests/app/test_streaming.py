"""Answers as they grow: by edits of one message, by drafts, or not at all."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.app import running
from bot.playground.telegram.fault import Fault
from bot.playground.yandex.replies import Cut, Refuse, Say
from handlers.texts import ENGLISH
from storage import keys
from storage.message import ChatKey
from storage.timing import Timing
from tests.conftest import ANN, BORIS, GROUP, World, changed, grows, local_telegram
from tests.handlers.answers import ANSWERS
from tests.tdlib import refusal

pytestmark = pytest.mark.slow

STRANGER = 103
WORDS = " ".join(f"word{number}" for number in range(60))


@pytest.fixture
def timing() -> Timing:
    """Look at an answer more often than a person wants."""
    return Timing(gap=0.05, group_gap=0.05, wider=1)


@pytest.fixture
async def drafting(redis: Redis, valkey: str, timing: Timing) -> AsyncIterator[World]:
    """A world whose bot shows drafts."""
    async with (
        local_telegram(redis, valkey, timing=timing, streaming="drafts") as world,
        running(world.settings),
    ):
        yield world


def calls(world: World, *methods: str) -> list[dict[str, Any]]:
    """The calls of some methods that Telegram carried out, oldest first."""
    return [call for call in world.room.calls if call["method"] in methods and call["ok"]]


async def growing(world: World, chat: int) -> dict[str, Any]:
    """Wait for a message that grows."""
    async with asyncio.timeout(30):
        while True:
            for message in world.room.messages(chat):
                if grows(message):
                    return message
            await world.room.changed(world.room.version, 1)


async def test_an_answer_grows_in_one_message(world: World) -> None:
    """The first words come at once, the newest after them, and in the end the whole, formatted."""
    world.model.script(Say(f"**bold** {WORDS}", steps=5, delay=0.3))
    world.room.say(ANN, ANN, "hi")
    first = await growing(world, ANN)
    assert await world.hears(ANN) == [f"bold {WORDS}"]
    (message,) = world.said(ANN)
    assert message["message_id"] == first["message_id"]
    assert message["entities"][0]["type"] == "bold"
    (sent,) = calls(world, "sendMessage")
    shown = [sent["parameters"]["text"]]
    shown += [call["parameters"]["text"] for call in calls(world, "editMessageText")]
    assert len(shown) >= 3
    assert all(later.startswith(earlier) for earlier, later in pairwise(shown))


async def test_a_long_answer_goes_on_in_the_next_message(world: World) -> None:
    """What is complete beyond one message's length is not posted again."""
    text = "\n\n".join(f"Part {number}: {WORDS}" for number in range(20))
    world.model.script(Say(text, steps=6, delay=0.2))
    world.room.say(ANN, ANN, "hi")
    said = await world.hears(ANN, 3, 30)
    assert "\n\n".join(said) == text
    assert len(calls(world, "sendMessage")) == 3


async def test_long_code_is_a_file(world: World) -> None:
    """Code that would fill a phone's screen comes as a document with its name."""
    code = "print('hi')\n" * 500
    world.model.script(Say(f"Here:\n\n```python\n{code}```\n\nThat is all.", steps=4, delay=0.2))
    world.room.say(ANN, ANN, "hi")
    async with asyncio.timeout(30):
        while not (documents := calls(world, "sendDocument")):
            await world.room.changed(world.room.version, 1)
    (sent,) = documents
    assert sent["result"]["document"]["file_name"] == "code.py"
    assert sent["parameters"]["document"]["text"] == code
    assert "📎 code.py" in world.said(ANN)[0]["text"]


async def test_whatever_grows_is_accepted(world: World) -> None:
    """Telegram's own parser takes every text and entity that was sent on the way."""
    for number, (_, markdown, _) in enumerate(ANSWERS[:40:4]):
        world.model.script(Say(markdown, steps=8, delay=0.2))
        world.room.say(number + 1, number + 1, "hi")
    async with asyncio.timeout(30):
        for number in range(len(ANSWERS[:40:4])):
            while not world.said(number + 1):
                await world.room.changed(world.room.version, 1)
    shown = [call["parameters"] for call in calls(world, "sendMessage", "editMessageText")]
    assert len(shown) > 20
    for one in shown:
        assert refusal(one["text"], one.get("entities") or []) is None


@pytest.mark.parametrize("left_out", [False, True])
async def test_stop(world: World, left_out: bool) -> None:
    """A stopped answer keeps what was said, is marked, and is what the bot remembers.

    It is not the one to tell that the model did not get all.
    """
    if left_out:
        entry = '{"role": "assistant", "text": "half an exchange"}'
        await world.redis.rpush(keys.history(world.bot_id, ChatKey(ANN)), entry)
    world.model.script(Say(WORDS, steps=5, delay=0.4))
    world.room.say(ANN, ANN, "hi", language="en")
    message = await growing(world, ANN)
    (button,) = message["reply_markup"]["inline_keyboard"][0]
    assert button["text"] == ENGLISH.button_stop
    world.room.press(ANN, ANN, message["message_id"], button["callback_data"])
    (said,) = await world.hears(ANN)
    assert said.endswith(f"\n\n{ENGLISH.stopped_mark}")
    assert WORDS.startswith(said.removesuffix(f"\n\n{ENGLISH.stopped_mark}"))
    await world.says(ANN, ANN, "more")
    asked = [message["text"] for message in world.bodies()[-1]["messages"]]
    assert asked[1] == "hi"
    assert WORDS.startswith(asked[2])
    (told,) = calls(world, "answerCallbackQuery")
    assert told["parameters"]["text"] == ENGLISH.stopped


async def test_a_stop_among_refused_ones(elsewhere: World) -> None:
    """What strangers press and members may not say, all at once with it, does not hide a stop."""
    world = elsewhere
    world.model.script(Say(WORDS, steps=5, delay=0.4))
    closed = changed(world.settings, allowed_users=frozenset({ANN, BORIS}))
    async with running(closed):
        world.room.set_member(GROUP, BORIS, "member")
        world.room.say(GROUP, ANN, "@demo_bot hi", language="en")
        message = await growing(world, GROUP)
        data = message["reply_markup"]["inline_keyboard"][0][0]["callback_data"]
        world.room.say(GROUP, BORIS, "/reset")
        world.room.press(GROUP, ANN, message["message_id"], data)
        world.room.say(GROUP, BORIS, "/reset 5")
        world.room.press(GROUP, STRANGER, message["message_id"], data)
        assert (await world.hears(GROUP))[0].endswith(ENGLISH.stopped_mark)


@pytest.mark.parametrize("text", ["/reset -100123", "/reset please", "/stop@other_bot"])
async def test_a_refused_command_stops_nothing(world: World, text: str) -> None:
    """Who may not reset another chat, or says it wrong, still gets their own answer whole."""
    world.model.script(Say(WORDS, steps=3, delay=0.3))
    world.room.say(ANN, ANN, "hi", language="en")
    await growing(world, ANN)
    world.room.say(ANN, ANN, text)
    said = await world.hears(ANN, 2)
    assert said[0] == WORDS
    assert said[1] != ENGLISH.stopped


async def test_the_stop_of_an_earlier_answer(world: World) -> None:
    """Its button stops nothing that is being made now."""
    world.model.script(Say(WORDS, steps=3, delay=0.3), Say("another", steps=2, delay=0.5))
    world.room.say(ANN, ANN, "hi")
    message = await growing(world, ANN)
    await world.hears(ANN)
    world.room.say(ANN, ANN, "again")
    data = message["reply_markup"]["inline_keyboard"][0][0]["callback_data"]
    world.room.press(ANN, ANN, message["message_id"], data)
    assert await world.hears(ANN, 2) == [WORDS, "another"]


async def test_an_answer_fails_half_way(world: World) -> None:
    """What was shown of it gives way to a sentence: it is not remembered either."""
    world.model.script(Cut(after="half of it"), Refuse(400, "no"))
    world.room.say(ANN, ANN, "hi", language="en")
    message = await growing(world, ANN)
    assert message["text"] == "half of it"
    assert await world.hears(ANN) == [ENGLISH.misconfigured]
    assert world.said(ANN)[0]["message_id"] == message["message_id"]
    assert await world.history(ANN) == []


async def test_a_growing_message_is_deleted(world: World) -> None:
    """The answer comes all the same, as a new message."""
    world.model.script(Say(WORDS, steps=4, delay=0.4))
    world.room.say(ANN, ANN, "hi")
    message = await growing(world, ANN)
    del world.room.chats[ANN].messages[message["message_id"]]
    assert await world.hears(ANN) == [WORDS]


async def test_a_server_without_edits(world: World) -> None:
    """The answer comes as a message then."""
    world.room.fail("editMessageText", *[Fault(status=404)] * 9)
    world.model.script(Say(WORDS, steps=3, delay=0.3))
    assert await world.says(ANN, ANN, "hi") == WORDS


async def test_a_group_sees_it_grow_too(world: World) -> None:
    """As a reply to the question, with the button for everybody."""
    world.model.script(Say(WORDS, steps=4, delay=0.3))
    asked = world.room.say(GROUP, ANN, "@demo_bot hi")
    message = await growing(world, GROUP)
    assert message["reply_to_message"]["message_id"] == asked["message_id"]
    assert await world.hears(GROUP) == [WORDS]


async def test_off(redis: Redis, valkey: str) -> None:
    """Nothing is shown before the whole, and no button is under it, if so set."""
    bare = local_telegram(redis, valkey, streaming="off", buttons=False)
    async with bare as world, running(world.settings):
        world.model.script(Say(WORDS, steps=4, delay=0.2))
        assert await world.says(ANN, ANN, "hi") == WORDS
        assert "reply_markup" not in world.said(ANN)[0]
        assert len(calls(world, "sendMessage")) == 1
        assert not calls(world, "editMessageText")


async def test_drafts(drafting: World) -> None:
    """Drafts show it in a private chat, and a real message takes their place."""
    drafting.model.script(Say(WORDS, steps=5, delay=0.4))
    drafting.room.say(ANN, ANN, "hi")
    assert await drafting.hears(ANN) == [WORDS]
    drafts = [call["parameters"] for call in calls(drafting, "sendMessageDraft")]
    assert len(drafts) >= 2
    assert len({draft["draft_id"] for draft in drafts}) == 1
    assert all(WORDS.startswith(draft["text"]) and draft["can_stop"] for draft in drafts)
    assert drafting.room.drafts(ANN) == []
    assert len(calls(drafting, "sendMessage")) == 1


async def test_a_draft_is_stopped(drafting: World) -> None:
    """Telegram's own button does what ours does."""
    drafting.model.script(Say(WORDS, steps=5, delay=0.4))
    drafting.room.say(ANN, ANN, "hi", language="en")
    async with asyncio.timeout(30):
        while not (drafts := drafting.room.drafts(ANN)):
            await drafting.room.changed(drafting.room.version, 1)
    drafting.room.stop(ANN, drafts[0]["draft_id"])
    (said,) = await drafting.hears(ANN)
    assert said.endswith(ENGLISH.stopped_mark)


async def test_a_silent_draft_is_kept_alive(redis: Redis, valkey: str) -> None:
    """It is shown again before Telegram takes it away."""
    often = Timing(gap=0.05, draft=0.05)
    async with (
        local_telegram(redis, valkey, timing=often, streaming="drafts") as world,
        running(world.settings),
    ):
        world.model.script(Say("slow words", steps=2, delay=2))
        assert await world.says(ANN, ANN, "hi") == "slow words"
    texts = [call["parameters"]["text"] for call in calls(world, "sendMessageDraft")]
    assert len(texts) > len(set(texts))


@pytest.mark.parametrize(
    "refusal",
    [None, Fault(400, "Bad Request: TEXTDRAFT_PEER_INVALID"), Fault(404, "Not Found: no method")],
)
async def test_where_there_are_no_drafts(drafting: World, refusal: Fault | None) -> None:
    """In groups, and where they are refused or unknown, a message grows instead."""
    chat, text = (ANN, "hi") if refusal else (GROUP, "@demo_bot hi")
    if refusal:
        drafting.room.fail("sendMessageDraft", refusal)
    drafting.model.script(Say(WORDS, steps=4, delay=0.3))
    drafting.room.say(chat, ANN, text)
    await growing(drafting, chat)
    assert await drafting.hears(chat) == [WORDS]
    assert not calls(drafting, "sendMessageDraft")
