"""What comes with a question: quotations, documents, parts; and what the bot cannot read."""

import asyncio

import pytest

from bot.app import running
from bot.playground.telegram.fault import Fault
from bot.playground.telegram.files import Upload
from bot.playground.yandex.replies import Say
from handlers.texts import ENGLISH
from tests.conftest import ANN, BORIS, GROUP, World, changed, unlabelled
from tests.handlers.pdfs import pdf

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def english(elsewhere: World) -> None:
    """Ann's Telegram is English."""
    elsewhere.room.chat(ANN)
    elsewhere.room.people[ANN].language = "en"


async def asked(world: World, count: int = 1) -> list[str]:
    """Wait for so many questions to the model, and give them."""
    async with asyncio.timeout(40):
        while len(world.bodies()) < count:
            await world.room.changed(world.room.version, 0.05)
    return [unlabelled(body["messages"][-1]["text"]) for body in world.bodies()]


async def test_a_reply_quotes(world: World) -> None:
    """What is replied to is given to the model, unless it is the answer that it gave just now."""
    await world.says(ANN, ANN, "one")
    answer = world.said(ANN)[0]["message_id"]
    await world.says(ANN, ANN, "two", reply_to=answer)
    await world.says(ANN, ANN, "three", reply_to=answer)
    assert await asked(world, 3) == ["one", "two", "> echo: one\n\nthree"]


async def test_a_mention_asks_about_somebody_elses_words(world: World) -> None:
    """The name alone, in reply to a message, asks about that message."""
    said = world.room.say(GROUP, BORIS, "the earth is flat")
    world.room.say(GROUP, ANN, "@demo_bot", reply_to=said["message_id"])
    (question,) = await asked(world)
    assert question == f"> User {BORIS}:\n> the earth is flat"


@pytest.mark.parametrize("name", ["notes.txt", "main.py", "table.csv"])
async def test_a_text_document(world: World, name: str) -> None:
    """Its text is part of the question."""
    upload = Upload(name, "text/plain", "строка 1\nline 2".encode())
    world.room.send_document(ANN, ANN, upload, caption="what is this?")
    (question,) = await asked(world)
    assert question == f"[{name}]\n```\nстрока 1\nline 2\n```\n\nwhat is this?"


async def test_a_reply_to_a_document(world: World) -> None:
    """What was sent before can be asked about."""
    upload = Upload("a.txt", "text/plain", b"old text")
    sent = world.room.send_document(ANN, ANN, upload, caption="keep")
    world.room.say(ANN, ANN, "between")
    world.room.say(ANN, ANN, "what was it?", reply_to=sent["message_id"])
    *_, question = await asked(world, 3)
    assert question == "> keep\n\n[a.txt]\n```\nold text\n```\n\nwhat was it?"


async def test_a_pdf(world: World) -> None:
    """The text of its pages is read."""
    world.room.send_document(ANN, ANN, Upload("paper.pdf", "application/pdf", pdf("Hello pages")))
    (question,) = await asked(world)
    assert "Hello pages" in question


@pytest.mark.parametrize(
    ("upload", "told"),
    [
        (Upload("film.mp4", "video/mp4", b"\0\1\2"), ENGLISH.only_text),
        (Upload("notes.txt", "text/plain", b"\0\1\2"), ENGLISH.only_text),
        (Upload("long.txt", "text/plain", b"x" * 1_000_001), ENGLISH.document_too_large),
        (Upload("empty.txt", "text/plain", b""), ENGLISH.document_without_text),
        (Upload("odd.pdf", "application/pdf", b"no pdf"), ENGLISH.document_without_text),
    ],
)
async def test_a_document_that_cannot_be_read(world: World, upload: Upload, told: str) -> None:
    """The person hears why, and the model is not asked."""
    world.room.send_document(ANN, ANN, upload)
    assert await world.hears(ANN) == [told]
    assert not world.bodies()


async def test_a_document_that_is_gone(world: World) -> None:
    """Telegram does not keep files for ever."""
    message = world.room.send_document(ANN, ANN, Upload("a.txt", "text/plain", b"text"))
    world.room.files.clear()
    assert message["document"]
    assert await world.hears(ANN) == [ENGLISH.document_gone]


async def test_what_is_no_text(world: World) -> None:
    """In private each gets one sentence; in a group only what is meant for the bot."""
    for kind in ("sticker", "photo", "voice"):
        world.room.send_kind(ANN, ANN, kind)
    assert await world.hears(ANN, 3) == [ENGLISH.only_text] * 3
    world.room.send_kind(GROUP, ANN, "photo", caption="look, everybody")
    world.room.send_kind(GROUP, ANN, "photo", caption="@demo_bot look")
    assert await world.hears(GROUP) == [ENGLISH.only_text]


async def test_a_text_in_parts(world: World) -> None:
    """A text that Telegram's app cut is one question, and gets one answer."""
    text = "слово " * 1500
    parts = [text[start : start + 4096].strip() for start in range(0, len(text), 4096)]
    world.model.script(Say("one answer"))
    for part in [*parts, "next"]:
        world.room.say(ANN, ANN, part)
    assert await world.hears(ANN, 2) == ["one answer", "echo: next"]
    question, following = await asked(world, 2)
    assert question == text.strip()
    assert following == "next"


async def test_parts_in_a_group(world: World) -> None:
    """Only the first one names the bot; what others say between them is not taken for more."""
    world.model.script(Say("one answer"))
    world.room.say(GROUP, ANN, "@demo_bot " + "a" * 4000)
    world.room.say(GROUP, BORIS, "talk")
    world.room.say(GROUP, ANN, "and the end")
    world.room.say(GROUP, BORIS, "@demo_bot mine")
    assert await world.hears(GROUP, 2) == ["one answer", "echo: mine"]
    assert await asked(world, 2) == ["a" * 4000 + "\nand the end", "mine"]


async def test_parts_that_come_late(elsewhere: World) -> None:
    """The next part is waited for a little."""
    world = elsewhere
    async with running(changed(world.settings, quiet=60)):
        world.room.say(ANN, ANN, "a" * 4096)
        await asyncio.sleep(0.3)
        world.room.say(ANN, ANN, "b" * 10)
        (question,) = await asked(world)
    assert question == "a" * 4096 + "b" * 10


async def test_short_messages_are_questions_of_their_own(world: World) -> None:
    """However quickly they come."""
    for text in ("one", "two", "/help", "three"):
        world.room.say(ANN, ANN, text)
    await world.hears(ANN, 4)
    assert await asked(world, 3) == ["one", "two", "three"]


async def test_forwards(world: World) -> None:
    """Messages forwarded together are one question that says whose they are."""
    origin = {"type": "hidden_user", "sender_user_name": "Vera"}
    for text in ("first", "second"):
        world.room.forward(ANN, ANN, text, origin)
    (question,) = await asked(world)
    author = ENGLISH.forwarded.format(author="Vera")
    assert question == f"{author}\nfirst\n\n{author}\nsecond"


async def test_an_album_of_documents(world: World) -> None:
    """Its parts are one question."""
    for number in range(2):
        upload = Upload(f"{number}.txt", "text/plain", f"text {number}".encode())
        caption = "compare" if number == 0 else ""
        world.room.send_document(ANN, ANN, upload, caption=caption, media_group_id="7")
    (question,) = await asked(world)
    assert "text 0" in question
    assert "text 1" in question
    assert "compare" in question


async def test_a_part_is_never_lost(elsewhere: World) -> None:
    """What does not belong to it stands behind it, whatever it is."""
    world = elsewhere
    async with running(changed(world.settings, quiet=5)):
        world.room.say(ANN, ANN, "a" * 4000)
        world.room.inject({"message": {"chat": {"id": ANN}, "text": ["odd"]}})
        world.room.say(ANN, ANN, "after")
        assert await asked(world, 2) == ["a" * 4000, "after"]


async def test_a_stop_while_a_file_is_fetched(world: World) -> None:
    """Nobody waits for Telegram first, and the model is not asked."""
    world.room.fail("getFile", Fault(hang=True))
    upload = Upload("slow.txt", "text/plain", b"text")
    world.room.send_document(ANN, ANN, upload, caption="what is this?")
    async with asyncio.timeout(30):
        while not any(call["method"] == "getFile" for call in world.room.calls):
            await world.room.changed(world.room.version, 0.05)
    world.room.say(ANN, ANN, "/stop", language="en")
    async with asyncio.timeout(30):
        assert await world.hears(ANN) == [ENGLISH.stopped]
    assert world.bodies() == []
    assert await world.says(ANN, ANN, "more") == "echo: more"
