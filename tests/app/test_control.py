"""What people do with answers: again, on, back, away; by commands, buttons and edits."""

import asyncio
from typing import Any

import pytest

from bot.playground.yandex.replies import Refuse, Say, Truncated
from handlers.texts import ENGLISH
from tests.conftest import ANN, BORIS, GROUP, World

pytestmark = pytest.mark.slow


async def press(world: World, chat: int, label: str, user: int = ANN) -> None:
    """Press a button under the bot's newest message."""
    message = world.said(chat)[-1]
    (row,) = message["reply_markup"]["inline_keyboard"]
    (data,) = [button["callback_data"] for button in row if button["text"] == label]
    world.room.press(chat, user, message["message_id"], data)


async def toast(world: World) -> str | None:
    """Wait for the answer to a press."""
    async with asyncio.timeout(30):
        while True:
            for call in world.room.calls:
                if call["method"] == "answerCallbackQuery":
                    world.room.calls.clear()
                    return call["parameters"].get("text")  # type: ignore[no-any-return]
            await world.room.changed(world.room.version, 0.05)


async def becomes(world: World, chat: int, *texts: str) -> None:
    """Wait until the bot's messages are these."""
    async with asyncio.timeout(30):
        while [message["text"] for message in world.said(chat)] != list(texts):
            await world.room.changed(world.room.version, 1)


async def remembered(world: World, chat: int = ANN) -> list[Any]:
    """What the model would be given: texts, the prompt left out."""
    world.room.say(chat, ANN, "@demo_bot last" if chat < 0 else "last")
    before = len(world.bodies())
    async with asyncio.timeout(30):
        while len(world.bodies()) == before:
            await world.room.changed(world.room.version, 0.05)
    return [message["text"] for message in world.bodies()[-1]["messages"]][1:-1]


@pytest.fixture(autouse=True)
def english(world: World) -> None:
    """Ann's Telegram is English."""
    world.room.chat(ANN)
    world.room.people[ANN].language = "en"
    world.room.chat(BORIS)
    world.room.people[BORIS].language = "en"


async def test_again(world: World) -> None:
    """The same question gets another answer, in the old one's place and in the history too."""
    await world.says(ANN, ANN, "one")
    await world.says(ANN, ANN, "two")
    world.model.script(Say("better"))
    await press(world, ANN, ENGLISH.button_again)
    await becomes(world, ANN, "echo: one", "better")
    assert await remembered(world) == ["one", "echo: one", "two", "better"]


async def test_again_with_fewer_messages(world: World) -> None:
    """Messages that the new answer does not need go away."""
    world.model.script(Say("long " * 2000))
    world.room.say(ANN, ANN, "one")
    await world.hears(ANN, 3)
    await press(world, ANN, ENGLISH.button_again)
    await becomes(world, ANN, "echo: one")


async def test_again_fails(world: World) -> None:
    """The old answer stays, in the chat and in mind, and the person hears why."""
    await world.says(ANN, ANN, "one")
    world.model.script(Refuse(400, "no"))
    await press(world, ANN, ENGLISH.button_again)
    await becomes(world, ANN, "echo: one", ENGLISH.misconfigured)
    assert await remembered(world) == ["one", "echo: one"]


async def test_continue(world: World) -> None:
    """An answer that was cut goes on in a new message; only such a one has the button."""
    world.model.script(Truncated("it begins"), Say("and it ends"))
    await world.says(ANN, ANN, "tell")
    await press(world, ANN, ENGLISH.button_continue)
    await becomes(world, ANN, f"it begins\n\n{ENGLISH.truncated}", "and it ends")
    question = ENGLISH.continue_question
    assert await remembered(world) == ["tell", "it begins", question, "and it ends"]
    labels = [button["text"] for button in world.said(ANN)[1]["reply_markup"]["inline_keyboard"][0]]
    assert labels == [ENGLISH.button_again, ENGLISH.button_forget]


async def test_forget(world: World) -> None:
    """The exchange is forgotten, and its answer goes from the chat."""
    await world.says(ANN, ANN, "one")
    await world.says(ANN, ANN, "two")
    await press(world, ANN, ENGLISH.button_forget)
    await becomes(world, ANN, "echo: one")
    assert await toast(world) == ENGLISH.undone
    assert await remembered(world) == ["one", "echo: one"]


async def test_old_buttons(world: World) -> None:
    """A button under an earlier answer does nothing, and says so."""
    await world.says(ANN, ANN, "one")
    message = world.said(ANN)[0]
    await world.says(ANN, ANN, "two")
    for button in message["reply_markup"]["inline_keyboard"][0]:
        world.room.press(ANN, ANN, message["message_id"], button["callback_data"])
        assert await toast(world) == ENGLISH.old_button
    world.room.press(ANN, ANN, message["message_id"], "nonsense")
    assert await toast(world) == ENGLISH.old_button
    assert [message["text"] for message in world.said(ANN)] == ["echo: one", "echo: two"]


async def test_retry(world: World) -> None:
    """/retry asks again, and answers below."""
    assert await world.says(ANN, ANN, "/retry") == ENGLISH.nothing_to_repeat
    await world.says(ANN, ANN, "one")
    world.model.script(Say("better"))
    assert await world.says(ANN, ANN, "/retry") == "better"
    assert await remembered(world) == ["one", "better"]


async def test_undo(world: World) -> None:
    """/undo takes back one exchange after another, then a reset."""
    for question in ("one", "two"):
        await world.says(ANN, ANN, question)
    assert await world.says(ANN, ANN, "/undo") == ENGLISH.undone
    assert await remembered(world) == ["one", "echo: one"]
    await world.hears(ANN, 4)
    await world.says(ANN, ANN, "/reset")
    assert await world.says(ANN, ANN, "/undo") == ENGLISH.restored
    assert await remembered(world) == ["one", "echo: one", "last", "echo: last"]
    await world.hears(ANN, 7)
    for _ in range(3):
        assert await world.says(ANN, ANN, "/undo") == ENGLISH.undone
    assert await world.says(ANN, ANN, "/undo") == ENGLISH.nothing_to_undo


async def test_a_groups_memory_is_its_admins(world: World) -> None:
    """Others may ask again, but not take back."""
    world.room.set_member(GROUP, ANN, "administrator")
    world.room.set_member(GROUP, BORIS, "member")
    await world.says(GROUP, ANN, "@demo_bot one")
    assert await world.says(GROUP, BORIS, "/undo@demo_bot") == ENGLISH.undo_is_for_admins
    message = world.said(GROUP)[0]
    forget = message["reply_markup"]["inline_keyboard"][0][-1]["callback_data"]
    world.room.press(GROUP, BORIS, message["message_id"], forget)
    assert await toast(world) == ENGLISH.forget_is_for_the_asker
    world.room.press(GROUP, ANN, message["message_id"], forget)
    assert await toast(world) == ENGLISH.undone
    assert await remembered(world, GROUP) == []


async def test_context(world: World) -> None:
    """/context tells how much is in mind, as the API's tokeniser counts."""
    await world.says(ANN, ANN, "one")
    told = await world.says(ANN, ANN, "/context")
    assert told.startswith("The conversation takes ")
    assert "of 30,000 tokens" in told
    assert "It has 1 question with its answer." in told


async def test_an_edited_question(world: World) -> None:
    """The last question, changed, is asked again, and the answer changes with it."""
    asked = world.room.say(ANN, ANN, "one")
    await world.hears(ANN)
    world.room.edit(ANN, ANN, asked["message_id"], "two")
    await becomes(world, ANN, "echo: two")
    assert await remembered(world) == ["two", "echo: two"]


async def test_an_edit_that_leaves_the_end(world: World) -> None:
    """A question made shorter is another question."""
    asked = world.room.say(ANN, ANN, "one and two")
    await world.hears(ANN)
    world.room.edit(ANN, ANN, asked["message_id"], "two")
    await becomes(world, ANN, "echo: two")


async def test_edits_that_change_nothing(world: World) -> None:
    """An older question, changed, is left alone; so is the last one that has the same words."""
    first = world.room.say(ANN, ANN, "one")
    await world.hears(ANN)
    last = world.room.say(ANN, ANN, "two")
    await world.hears(ANN, 2)
    world.room.edit(ANN, ANN, first["message_id"], "changed")
    world.room.edit(ANN, ANN, last["message_id"], "two")
    await world.says(ANN, ANN, "three")
    assert [body["messages"][-1]["text"] for body in world.bodies()] == ["one", "two", "three"]
    await becomes(world, ANN, "echo: one", "echo: two", "echo: three")


async def test_an_edit_of_what_was_never_answered(world: World) -> None:
    """It is a question of its own."""
    world.model.script(Refuse(400, "no"))
    asked = world.room.say(ANN, ANN, "one")
    assert await world.hears(ANN) == [ENGLISH.misconfigured]
    world.room.edit(ANN, ANN, asked["message_id"], "two")
    await becomes(world, ANN, ENGLISH.misconfigured, "echo: two")


async def edited(world: World, number: int, *texts: str) -> None:
    """Edit a message, to each of these texts, and let the bot deal with that."""
    for text in texts:
        world.room.edit(ANN, ANN, number, text)
    await settled(world)


async def settled(world: World) -> None:
    """Wait until the bot has dealt with all that was said and pressed before."""

    def told() -> int:
        return sum(message["text"] == ENGLISH.unknown_command for message in world.said(ANN))

    before = told()
    world.room.say(ANN, ANN, "/nonsense")
    async with asyncio.timeout(30):
        while told() == before:
            await world.room.changed(world.room.version, 1)


async def test_edits_of_what_was_forgotten(world: World) -> None:
    """After a reset, and after that is taken back, they ask nothing; new questions do."""
    first = world.room.say(ANN, ANN, "one")["message_id"]
    last = world.room.say(ANN, ANN, "two")["message_id"]
    await world.hears(ANN, 2)
    await world.says(ANN, ANN, "/reset")
    for number, text in ((last, "two"), (first, "changed"), (last, "changed too")):
        await edited(world, number, text)
    assert await world.history(ANN) == []
    asked = world.room.say(ANN, ANN, "three")["message_id"]
    await edited(world, last, "two")
    await edited(world, asked, "four")
    assert await remembered(world) == ["four", "echo: four"]


async def test_edits_of_what_was_undone(world: World) -> None:
    """Neither the question taken back nor the one before it is asked again."""
    numbers = []
    for place, question in enumerate(("one", "two", "three"), 1):
        numbers.append(world.room.say(ANN, ANN, question)["message_id"])
        await world.hears(ANN, place)
    await press(world, ANN, ENGLISH.button_forget)
    await becomes(world, ANN, "echo: one", "echo: two")
    for number in numbers:
        await edited(world, number, "changed")
    await world.says(ANN, ANN, "/undo")
    for number in numbers:
        await edited(world, number, "changed", "again")
    assert await remembered(world) == ["one", "echo: one"]


@pytest.mark.parametrize("command", ["/reset", "/undo"])
async def test_edits_of_what_failed_before(world: World, command: str) -> None:
    """Whatever was said before the command is over, also what never got an answer."""
    await world.says(ANN, ANN, "one")
    world.model.script(Refuse(400, "no"))
    failed = world.room.say(ANN, ANN, "two")["message_id"]
    await world.hears(ANN, 2)
    await world.says(ANN, ANN, command)
    await edited(world, failed, "three")
    assert await world.history(ANN) == []
    assert len(world.bodies()) == 2


async def test_edits_of_what_came_back(world: World) -> None:
    """A conversation that was restored does not get its questions twice."""
    asked = world.room.say(ANN, ANN, "one")["message_id"]
    await world.hears(ANN)
    await world.says(ANN, ANN, "/reset")
    assert await world.says(ANN, ANN, "/undo") == ENGLISH.restored
    await edited(world, asked, "changed")
    assert await remembered(world) == ["one", "echo: one"]


async def test_an_impatient_finger(world: World) -> None:
    """Three presses that come before the new answer are one; one under that is another."""
    await world.says(ANN, ANN, "one")
    world.model.script(Say("better", delay=0.1), Say("best"), Say("never"))
    for _ in range(3):
        await press(world, ANN, ENGLISH.button_again)
    await settled(world)
    assert world.said(ANN)[0]["text"] == "better"
    assert len(world.bodies()) == 2
    assert len([call for call in world.room.calls if call["method"] == "answerCallbackQuery"]) == 3
    message = world.said(ANN)[0]
    (again, *_) = message["reply_markup"]["inline_keyboard"][0]
    world.room.press(ANN, ANN, message["message_id"], again["callback_data"])
    await settled(world)
    assert world.said(ANN)[0]["text"] == "best"
    assert len(world.bodies()) == 3


async def test_an_impatient_finger_where_it_fails(world: World) -> None:
    """The model is not asked again by presses that waited; by one under what it said, it is."""
    await world.says(ANN, ANN, "one")
    world.model.script(Refuse(400, "no"), Say("better"), Say("never"))
    for _ in range(3):
        await press(world, ANN, ENGLISH.button_again)
    await settled(world)
    assert len(world.bodies()) == 2
    one, message, *_ = world.said(ANN)
    assert [one["text"], message["text"]] == ["echo: one", ENGLISH.misconfigured]
    (again, *_) = message["reply_markup"]["inline_keyboard"][0]
    world.room.press(ANN, ANN, message["message_id"], again["callback_data"])
    await settled(world)
    assert world.said(ANN)[0]["text"] == "better"


@pytest.mark.parametrize("label", [ENGLISH.button_continue, ENGLISH.button_forget])
async def test_other_impatient_fingers(world: World, label: str) -> None:
    """What goes on goes on once, and no second exchange is forgotten."""
    await world.says(ANN, ANN, "one")
    world.model.script(Truncated("it begins"), Say("and it ends"), Say("never"))
    await world.says(ANN, ANN, "tell")
    for _ in range(3):
        await press(world, ANN, label)
    done = ["one", "echo: one"]
    if label == ENGLISH.button_continue:
        done += ["tell", "it begins", ENGLISH.continue_question, "and it ends"]
    await settled(world)
    assert await remembered(world) == done
