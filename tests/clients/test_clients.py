"""Bots of other libraries on the local Telegram, by polling and by webhook.

Each is the same bot, in its library's own words: `with_aiogram`, `with_telebot`, and grammy.mjs and
telegraf.mjs in tests/node.
"""

import pytest
import pytest_asyncio

from tests.clients.conftest import PATIENCE, Place, Running

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

GROUP = -500
SUPERGROUP = -1_000_000_000_500


@pytest_asyncio.fixture(loop_scope="module")
async def ann(telegram: Running) -> Place:
    """Somebody who has not talked to the bot yet."""
    return await telegram.person()


async def test_commands(ann: Place) -> None:
    """/start greets, with what a deep link carries; a menu of commands is set and read."""
    assert (await ann.answer("/start"))["text"] == "Hello, Ann!"
    assert (await ann.answer("/start payload"))["text"] == "Hello, Ann! payload"
    assert (await ann.answer("/commands"))["text"] == "start: begin, help: explain"
    menu = await ann.look("menu", chat=ann.chat, user=ann.user)
    assert [each["command"] for each in menu] == ["start", "help"]


async def test_a_reply_keyboard(ann: Place) -> None:
    """It is no part of the message; its buttons are said, and it can be removed."""
    assert "reply_markup" not in await ann.answer("/start")
    markup = (await ann.look("keyboard", chat=ann.chat, user=ann.user))["reply_markup"]
    assert [[button["text"] for button in row] for row in markup["keyboard"]] == [["Menu", "Help"]]
    assert markup["resize_keyboard"] is True
    shown = await ann.answer("Help")
    assert await ann.look("keyboard", chat=ann.chat, user=ann.user) is None
    assert shown["text"] == "Commands: /menu, /files"
    assert {"type": "bold", "offset": 0, "length": 8} in shown["entities"]
    assert shown["reply_to_message"]["text"] == "Help"
    assert "reply_markup" not in shown


async def test_an_inline_keyboard(ann: Place) -> None:
    """A press is answered with a toast and an edit of text and buttons."""
    shown = await ann.answer("Menu")
    assert (await ann.press(shown, "+1"))["text"] == "Now 1"
    shown = await ann.changed(shown)
    assert shown["text"] == "Count: 1"
    await ann.press(shown, "+1")
    shown = await ann.changed(shown)
    assert shown["text"] == "Count: 2"
    (first, second) = shown["reply_markup"]["inline_keyboard"]
    assert [button["callback_data"] for button in first] == ["count:3", "close"]
    assert second == [{"text": "Site", "url": "https://example.org/"}]
    answer = await ann.press(shown, "Close")
    assert (answer["text"], answer["show_alert"]) == ("Closed", True)
    await ann.until(lambda messages: [m["text"] for m in messages] == ["Menu"])


async def test_edits(ann: Place) -> None:
    """Caption, file and buttons of a document are edited, each alone."""
    shown = await ann.answer("/document")
    assert shown["document"]["file_name"] == "one.txt"
    assert shown["caption_entities"] == [{"type": "italic", "offset": 0, "length": 3}]
    keyboard = shown["reply_markup"]
    await ann.press(shown, "Caption")
    shown = await ann.changed(shown)
    assert (shown["caption"], shown["document"]["file_name"]) == ("1", "one.txt")
    assert "caption_entities" not in shown
    await ann.press(shown, "Swap")
    shown = await ann.changed(shown)
    assert (shown["caption"], shown["document"]["file_name"]) == ("two", "two.txt")
    assert shown["reply_markup"] == keyboard
    await ann.press(shown, "Strip")
    assert "reply_markup" not in await ann.changed(shown)


async def test_photos(ann: Place) -> None:
    """A photo is sent by bytes, by file_id, and by URL; the same picture has the same id."""
    photos = await ann.answers("/photo", 4)
    assert [each["caption"] for each in photos] == ["by bytes", "by file_id", "by URL", "fetched"]
    first, again, *others = (each["photo"][-1] for each in photos)
    assert first["file_unique_id"] == again["file_unique_id"]
    assert all(each["file_size"] == first["file_size"] for each in others)


async def test_voice(ann: Place) -> None:
    """A voice note is sent by bytes and by file_id."""
    first, again = (each["voice"] for each in await ann.answers("/voice", 2))
    assert first["duration"] == 2
    assert first["file_unique_id"] == again["file_unique_id"]


async def test_an_album(ann: Place) -> None:
    """A media group is several messages of one group."""
    one, other, summary = await ann.answers("/album", 3)
    assert one["media_group_id"] == other["media_group_id"]
    assert (one["caption"], "caption" in other) == ("two cats", False)
    assert summary["text"] == "2 pictures"


async def test_a_file_is_fetched(ann: Place) -> None:
    """A person's file is found and fetched."""
    sent = await ann.do("document", user=ann.user, name="hi.txt", text="Привет")
    (answer,) = await ann.after(sent["message_id"])
    assert answer["text"] == "hi.txt: Привет"
    assert answer["reply_to_message"]["message_id"] == sent["message_id"]


async def test_copies_and_forwards(ann: Place) -> None:
    """A copy has no origin, a forward tells whose words they were."""
    said = await ann.do("say", user=ann.user, text="words")
    copied = await ann.answer("/copy", reply_to=said["message_id"])
    assert (copied["text"], "forward_origin" in copied) == ("words", False)
    forwarded = await ann.answer("/forward", reply_to=said["message_id"])
    assert forwarded["text"] == "words"
    assert forwarded["forward_origin"]["sender_user"]["id"] == ann.user


async def test_deletes(ann: Place) -> None:
    """One message is deleted, and several at once."""
    await ann.do("say", user=ann.user, text="/delete")
    await ann.until(lambda messages: [m["text"] for m in messages] == ["/delete", "deleted"])


async def test_reactions(ann: Place) -> None:
    """The bot reacts to a message."""
    said = await ann.do("say", user=ann.user, text="/react")
    (given,) = await ann.found(lambda: ann.look("reactions", chat=ann.chat))
    assert given["message_id"] == said["message_id"]
    assert given["reaction"] == [{"type": "emoji", "emoji": "👍"}]


async def test_pins(ann: Place) -> None:
    """A message is pinned and unpinned."""
    said = await ann.do("say", user=ann.user, text="/pin")
    await ann.until(lambda messages: messages[-1].get("text") == "pinned")
    assert (await ann.answer("/unpin", reply_to=said["message_id"]))["text"] == "unpinned"


async def test_polls(ann: Place) -> None:
    """A poll is sent and stopped."""
    poll, summary = await ann.answers("/poll", 2)
    assert poll["poll"]["question"] == "Tea?"
    assert summary["text"].lower() == "closed: true"


async def test_votes(ann: Place) -> None:
    """A vote in a poll that is not anonymous comes as a poll_answer."""
    poll = await ann.answer("/vote")
    second = poll["poll"]["options"][1]["persistent_id"]
    place = {"user": ann.user, "message_id": poll["message_id"]}
    await ann.do("vote", options=[second], **place)
    (said,) = await ann.after(poll["message_id"])
    assert said["text"] == "option 1"


async def test_inline_queries(ann: Place) -> None:
    """What is asked inline, in any chat, has a result that can be sent there."""
    query = await ann.act("inline", user=ann.user, query="why?")
    (result,) = (await ann.look("answer", query=query, wait=25))["results"]
    assert (result["type"], result["title"]) == ("article", "Echo")
    sent = await ann.do("choose", user=ann.user, query=query, result=result["id"])
    assert sent["text"] == "You asked: why?"
    assert sent["via_bot"]["is_bot"] is True


async def test_other_media(ann: Place) -> None:
    """A dice, a location and a contact."""
    dice, location, contact = await ann.answers("/more", 3)
    assert dice["dice"]["emoji"] == "🎯"
    assert location["location"]["latitude"] == pytest.approx(55.75, abs=1e-5)
    assert contact["contact"]["first_name"] == "Boris"


async def test_a_group_and_its_members(ann: Place) -> None:
    """The bot asks about a group, its members and administrators."""
    group = Place(ann.http, ann.user, GROUP - ann.user, ann.library)
    await group.do("chat", kind="group", title="Friends")
    await group.do("creator", user=ann.user)
    assert (await group.answer("/who"))["text"] == "Friends: 2, creator; Ann"


ERRORS = {
    "aiogram": ("TelegramBadRequest", "TelegramForbiddenError", "TelegramRetryAfter"),
    "pyTelegramBotAPI": ("ApiTelegramException",) * 3,
    "grammY": ("GrammyError",) * 3,
    "telegraf": ("TelegramError",) * 3,
}
"""What each raises for 400, 403 and 429."""


async def test_errors(telegram: Running, ann: Place) -> None:
    """A refusal becomes the library's own error, with Telegram's words and numbers."""
    bad, forbidden, flood = ERRORS[ann.library]
    assert (await ann.answer("/error 999"))["text"] == f"{bad}  Bad Request: chat not found"
    boris = await telegram.person("Boris")
    await boris.answer("/start")
    await boris.act("block", user=boris.user)
    text = (await ann.answer(f"/error {boris.user}"))["text"]
    assert text == f"{forbidden}  Forbidden: bot was blocked by the user"
    slow = SUPERGROUP - ann.user
    await ann.act("chat", chat=slow, kind="supergroup", title="Slow")
    await ann.act("slow_mode", chat=slow, seconds=600)
    await ann.do("say", user=ann.user, text=f"/error {slow}")
    error, seconds, *_ = (await ann.answer(f"/error {slow}"))["text"].split()
    assert error == flood
    assert 600 - PATIENCE <= int(seconds) <= 600


async def test_an_edited_message(ann: Place) -> None:
    """What a person edits comes as an update of its own."""
    said = await ann.do("say", user=ann.user, text="x")
    await ann.do("edit", user=ann.user, message_id=said["message_id"], text="y")
    (answer,) = await ann.after(said["message_id"])
    assert (answer["text"], answer["reply_to_message"]["text"]) == ("you edited", "y")
