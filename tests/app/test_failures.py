"""The whole application when things fail: a sentence to the person, and nothing lost."""

import json
from typing import Any

import pytest

from bot.app import running
from bot.playground.telegram.commands import menu
from bot.playground.telegram.fault import Fault
from bot.playground.telegram.files import Upload
from bot.playground.yandex.replies import (
    Cut,
    ErrorLine,
    Filtered,
    Lines,
    Refuse,
    Reply,
    Say,
    Silence,
    Truncated,
)
from handlers.actions import ask
from handlers.outgoing import preview
from handlers.texts import ENGLISH, RUSSIAN
from storage.arrivals import Arrival
from storage.inbox import Inbox
from storage.message import ChatKey
from storage.timing import Timing
from tests.conftest import ANN, BORIS, GROUP, World, changed

pytestmark = pytest.mark.slow

GAUGE = "ai.textGenerationCompletionSessionsCount.count gauge quota limit exceed: allowed 10"


@pytest.fixture
def timing() -> Timing:
    """Shorten the pauses of all parts, so that tests need no patience."""
    return Timing(
        model_pauses=(0.01, 0.05),
        send_pauses=(0.01, 0.01, 0.01),
        unreachable_pauses=(0.01,) * 20,
    )


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (Refuse(429, GAUGE), ENGLISH.unavailable),
        (Refuse(500, "internal"), ENGLISH.unavailable),
        (Refuse(502, body=b"<html>bad gateway</html>"), ENGLISH.unavailable),
        (Refuse(503, "unavailable"), ENGLISH.unavailable),
        (Refuse(504, "deadline"), ENGLISH.unavailable),
        (Cut(after="half", reset=True), ENGLISH.unavailable),
        (Cut(after="half", reset=False), ENGLISH.unavailable),
        (ErrorLine(after="half"), ENGLISH.unavailable),
        (Silence(), ENGLISH.unavailable),
        (Lines([b"<html>not json</html>\n"]), ENGLISH.unavailable),
        (Lines([b'{"result": {"alternatives": []}}\n']), ENGLISH.unavailable),
        (Refuse(401, "Unknown api key"), ENGLISH.misconfigured),
        (Refuse(403, "Permission denied"), ENGLISH.misconfigured),
        (Refuse(404, "no such path"), ENGLISH.misconfigured),
        (Refuse(400, "Failed to get model"), ENGLISH.misconfigured),
        (Filtered(), ENGLISH.refused),
        (Filtered(as_final=True), ENGLISH.refused),
        (Filtered(after="half an answer"), ENGLISH.refused),
        (Refuse(400, "number of input tokens must be no more than 10, got 99"), ENGLISH.too_long),
    ],
)
async def test_no_answer(elsewhere: World, failure: Reply, told: str) -> None:
    """Each failure of the completion API ends in one sentence, and the history stays whole."""
    world, settings = elsewhere, elsewhere.settings
    # Only what is tried again to the end; in a pause of the machine all else would be so, too.
    short = {"model_silence": 0.6} if told == ENGLISH.unavailable else {}
    async with running(changed(settings, **short)):
        world.model.script(*[failure] * 50)
        assert await world.says(ANN, ANN, "hi", language="en") == told
        assert await world.history(ANN) == []
        world.model.clear_script()
        if not short:
            assert await world.says(ANN, ANN, "again") == "echo: again"
    async with running(settings):
        assert await world.says(ANN, ANN, "later") == "echo: later"
    assert len(await world.history(ANN)) == (2 if short else 4)


@pytest.mark.parametrize(
    "failure",
    [
        Refuse(429, GAUGE),
        Refuse(429, GAUGE, {"retry-after": "0.1"}),
        Refuse(500, "internal"),
        Cut(after="half", reset=True),
        ErrorLine(after="half", status=503),
    ],
)
async def test_a_passing_failure_is_not_seen(world: World, failure: Reply) -> None:
    """What fails for a moment is asked again, and stands once in the history."""
    world.model.script(failure, failure)
    assert await world.says(ANN, ANN, "hi") == "echo: hi"
    assert len(world.bodies()) == 3
    assert len(await world.history(ANN)) == 2


async def test_context_too_long_leaves_out_the_oldest(world: World) -> None:
    """When the model's window turns out smaller, the oldest turns go and the question stays."""
    for number in range(4):
        await world.says(ANN, ANN, f"question {number} " + "x" * 200)
    too_long = "number of input tokens must be no more than 300, got 500"
    world.model.script(Refuse(400, too_long))
    answer = await world.says(ANN, ANN, "last", language="en")
    assert answer == f"echo: last\n\n{ENGLISH.left_out}"
    texts = [message["text"] for message in world.bodies()[-1]["messages"]]
    world.model.script(Refuse(400, too_long))
    assert await world.says(ANN, ANN, "more") == "echo: more"  # that is told once
    assert len(world.bodies()[-1]["messages"]) < len(world.bodies()[-2]["messages"])
    assert texts[0] == "Ты умный ассистент"
    assert texts[-1] == "last"
    assert 2 < len(texts) < 10
    assert texts[1].startswith("question")
    assert len(await world.history(ANN)) == 12


@pytest.mark.parametrize("as_document", [False, True])
async def test_a_question_beyond_the_window(elsewhere: World, as_document: bool) -> None:
    """It is refused kindly, before the model is asked; nothing of it is kept, and others go on."""
    small = {"context_tokens": 400, "max_tokens": 100}
    async with running(changed(elsewhere.settings, **small)):
        await elsewhere.says(ANN, ANN, "before", language="en")
        if as_document:
            upload = Upload("a.txt", "text/plain", b"word " * 500)
            elsewhere.room.send_document(ANN, ANN, upload, caption="what is this?")
        else:
            elsewhere.room.say(ANN, ANN, "word " * 500)
        assert (await elsewhere.hears(ANN, 2))[1] == ENGLISH.too_long
        assert await elsewhere.says(ANN, ANN, "after") == "echo: after"
    assert [body["messages"][-1]["text"] for body in elsewhere.bodies()] == ["before", "after"]
    assert len(await elsewhere.history(ANN)) == 4


async def test_a_long_conversation_keeps_what_the_window_could_use(elsewhere: World) -> None:
    """Its oldest turns leave though they are few, and the model gets the same as before."""
    small = {"context_tokens": 400, "max_tokens": 100}
    async with running(changed(elsewhere.settings, **small)):
        for number in range(20):
            await elsewhere.says(ANN, ANN, f"{number} " + "слово " * 200)
    kept = await elsewhere.history(ANN)
    most = 3 * 300 * 8 * 4
    assert most / 2 < sum(len(entry.encode()) for entry in kept) <= most
    assert '"text": "19 ' in kept[-2]


async def test_a_truncated_answer_says_so(world: World) -> None:
    """An answer cut at the token limit is kept and marked."""
    world.model.script(Truncated("it begins"))
    world.room.say(ANN, ANN, "tell me everything", language="en")
    assert await world.hears(ANN) == [f"it begins\n\n{ENGLISH.truncated}"]
    assert json.loads((await world.history(ANN))[1])["text"] == "it begins"


async def test_a_slow_answer_is_announced(elsewhere: World) -> None:
    """Who waits long is told once that it takes longer, and then has the answer."""
    elsewhere.model.script(Say("slow", steps=10, delay=0.4))
    async with running(changed(elsewhere.settings, late=1, tick=0.1)):
        elsewhere.room.say(ANN, ANN, "one", language="en")
        elsewhere.room.say(ANN, ANN, "two", language="en")
        assert await elsewhere.hears(ANN, 3) == [ENGLISH.takes_longer, "slow", "echo: two"]


async def test_a_poison_update_between_two_good_ones(world: World) -> None:
    """What cannot be read is logged and left; what comes before and after is answered."""
    world.room.say(ANN, ANN, "before")
    poisons: tuple[dict[str, Any], ...] = (
        {"message": {"chat": {"id": ANN}}},
        {"message": {"chat": {"id": ANN}, "date": 10**18, "message_id": 1}},
        {"message": "not a message"},
        {"message": {"chat": {"id": "text"}, "message_id": 1}},
        {"unheard_of": {}},
        {"message": {"chat": {"id": ANN, "type": "private"}, "date": 0, "message_id": 7,
                     "text": "hi", "entities": [{"type": "bot_command", "offset": 0}]}},
    )  # fmt: skip
    for poison in poisons:
        world.room.inject(poison)
    world.room.say(ANN, ANN, "after")
    assert await world.hears(ANN, 2) == ["echo: before", "echo: after"]


@pytest.mark.parametrize("kind", ["channel_post", "edited_channel_post", "business_message"])
async def test_what_was_not_asked_for_is_ignored(world: World, kind: str) -> None:
    """Telegram may send more than was asked for; taken in all the same, nobody answers it."""
    asked = world.room.say(ANN, ANN, "hi")
    await world.hears(ANN)
    update = json.dumps({"update_id": 77, kind: {**asked, "text": "hi!"}})
    await Inbox(world.redis, world.bot_id, "door").put(Arrival(ChatKey(ANN), 77, update))
    assert await world.says(ANN, ANN, "second") == "echo: second"
    assert [body["messages"][-1]["text"] for body in world.bodies()] == ["hi", "second"]
    assert len(world.said(ANN)) == 2


async def test_other_bots_are_ignored(world: World) -> None:
    """Two bots do not talk to each other for ever."""
    message = world.room.say(GROUP, ANN, "@demo_bot hi")
    await world.hears(GROUP)
    bot = {"id": 999, "is_bot": True, "first_name": "Other", "username": "other_bot"}
    world.room.inject({"message": {**message, "from": bot}})
    assert await world.says(GROUP, ANN, "@demo_bot again") == "echo: again"
    assert len(world.said(GROUP)) == 2


async def test_a_long_answer_comes_in_pieces(world: World) -> None:
    """20,000 characters arrive whole, in order, in messages that Telegram takes."""
    text = " ".join(f"word{number}" for number in range(2300))
    world.model.script(Say(text))
    world.room.say(ANN, ANN, "tell me")
    pieces = await world.hears(ANN, 5)
    assert " ".join(pieces) == text
    assert all(len(piece) <= 4096 for piece in pieces)


async def test_formatting_is_sent_as_entities(world: World) -> None:
    """Markdown arrives as formatted text."""
    world.model.script(Say("**bold** and `code`"))
    assert await world.says(ANN, ANN, "hi") == "bold and code"
    assert [entity["type"] for entity in world.said(ANN)[0]["entities"]] == ["bold", "code"]


async def test_refused_formatting_is_sent_plain(world: World) -> None:
    """When Telegram refuses the entities, the words arrive without them."""
    world.model.script(Say("**bold**", steps=1))
    refusal = "Bad Request: can't parse entities: whatever"
    world.room.fail("sendMessage", Fault(status=400, description=refusal))
    assert await world.says(ANN, ANN, "hi") == "bold"
    assert "entities" not in world.said(ANN)[0]


@pytest.mark.parametrize(
    "faults",
    [
        [Fault(status=429, retry_after=1)],
        [Fault(status=500), Fault(status=502, html="<html>"), Fault(status=503)],
        [Fault()],
    ],
)
async def test_telegram_fails_for_a_moment(world: World, faults: list[Fault]) -> None:
    """The answer arrives once all the same."""
    world.room.fail("sendMessage", *faults)
    assert await world.says(ANN, ANN, "hi") == "echo: hi"
    assert await world.says(ANN, ANN, "more") == "echo: more"
    assert len(world.said(ANN)) == 2


async def test_polling_survives(world: World) -> None:
    """No failure of getUpdates ends it, and nothing is answered twice."""
    world.room.fail(
        "getUpdates",
        Fault(status=500),
        Fault(status=502, html="<html>"),
        Fault(status=429, retry_after=1),
        Fault(),
    )
    world.room.say(ANN, ANN, "hi")
    await world.hears(ANN)
    assert await world.says(ANN, ANN, "more") == "echo: more"
    assert len(world.said(ANN)) == 2


async def test_a_blocked_bot_goes_on(world: World) -> None:
    """Somebody who blocked the bot meanwhile stops nobody else's answers."""
    world.model.script(Say("slow", delay=0.05))
    world.room.say(ANN, ANN, "hi")
    while not world.bodies():
        await world.room.changed(world.room.version, 0.01)
    world.room.block(ANN)
    assert await world.says(BORIS, BORIS, "hi") == "echo: hi"
    assert not world.said(ANN)


async def test_a_group_becomes_a_supergroup_meanwhile(world: World) -> None:
    """The answer finds the group under its new number."""
    world.model.script(Say("late", steps=5, delay=0.05))
    world.room.say(GROUP, ANN, "@demo_bot hi")
    while not world.bodies():
        await world.room.changed(world.room.version, 0.01)
    new = world.room.migrate(GROUP)
    assert await world.hears(new) == ["late"]


async def test_what_is_not_text(world: World) -> None:
    """In private a person is told that only text is read; in a group nobody asked."""
    world.room.send_kind(ANN, ANN, "sticker")
    assert await world.hears(ANN) == [RUSSIAN.only_text]
    world.room.send_kind(GROUP, ANN, "sticker")
    assert await world.says(GROUP, ANN, "@demo_bot hi") == "echo: hi"
    assert len(world.said(GROUP)) == 1


async def test_commands(world: World) -> None:
    """/start and /help answer in the person's language; an unknown command is told to be so."""
    assert await world.says(ANN, ANN, "/start", language="en") == ENGLISH.start
    assert "@demo_bot" in await world.says(ANN, ANN, "/help")
    assert await world.says(ANN, ANN, "/nonsense") == ENGLISH.unknown_command
    assert await world.says(BORIS, BORIS, "/start", language="ru") == RUSSIAN.start
    assert len(world.room.commands) == 9  # three places, each in three languages
    assert not world.bodies()


async def test_the_owners_language(elsewhere: World) -> None:
    """It is spoken, and shown in the menu, to people whose own the bot does not know."""
    async with running(changed(elsewhere.settings, language="ru")):
        assert await elsewhere.says(ANN, ANN, "/start", language="de") == RUSSIAN.start
        shown = menu(elsewhere.room, ANN, ANN)
        assert shown[0]["description"] == RUSSIAN.command_start


async def test_an_unexpected_failure(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even a mistake of ours ends in a sentence, and the chat goes on."""

    def broken(markdown: str, **_more: Any) -> Any:
        raise ZeroDivisionError(markdown)

    monkeypatch.setattr(ask, "render", broken)
    monkeypatch.setattr(preview, "render", broken)
    assert await world.says(ANN, ANN, "hi", language="en") == ENGLISH.unexpected


async def test_typing_is_shown(world: World) -> None:
    """While the model thinks, the chat shows that the bot is typing."""
    world.model.script(Say("answer", steps=1, delay=1))
    await world.says(ANN, ANN, "hi")
    methods = [call["method"] for call in world.room.calls]
    assert methods.index("sendChatAction") < methods.index("sendMessage")


async def test_a_stop_loses_nothing(elsewhere: World) -> None:
    """Leaving finishes what is in hand; what still waits is answered by the next life, once."""
    elsewhere.model.script(Say("slow", steps=5, delay=0.1))
    async with running(elsewhere.settings):
        elsewhere.room.say(ANN, ANN, "one")
        elsewhere.room.say(ANN, ANN, "two")
        while not elsewhere.bodies():
            await elsewhere.room.changed(elsewhere.room.version, 0.01)
    assert [message["text"] for message in elsewhere.said(ANN)] == ["slow"]
    async with running(elsewhere.settings):
        elsewhere.room.say(ANN, ANN, "three")
        assert await elsewhere.hears(ANN, 3) == ["slow", "echo: two", "echo: three"]
    assert len(await elsewhere.history(ANN)) == 6
