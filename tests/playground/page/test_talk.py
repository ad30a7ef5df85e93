"""A person talks with the bot: answers grow, are stopped, asked again, forgotten."""

import re

import httpx
import pytest
from playwright.async_api import expect

from handlers.texts import ENGLISH
from tests.playground.page.conftest import Chat, Model, say

pytestmark = pytest.mark.browser


async def test_a_question_and_its_answer(chat: Chat) -> None:
    """The answer comes with its formatting; who said what is told apart, and both are timed."""
    await chat.write("Hello there")
    own = chat.page.locator(".row.own")
    await expect(own.locator(".text")).to_have_text("Hello there")
    await expect(own.get_by_role("img", name="Received by the bot")).to_be_visible()
    await expect(chat.answers.locator("strong")).to_have_text("You said:")
    await expect(chat.answers.locator("pre")).to_have_text("print('hi')")
    await expect(chat.answers.locator(".code-head")).to_have_text("python")
    await expect(chat.answers.locator("time")).to_have_text(re.compile(r"\d+:\d\d"))
    await expect(chat.page.locator("#heard")).to_contain_text("Demo: You said: Hello there")
    listed = chat.page.get_by_role("link", name="Demo")
    await expect(listed).to_contain_text("You said: Hello there")


async def test_an_empty_chat_offers_what_to_try(chat: Chat) -> None:
    """Three things that work, and what becomes possible with a key."""
    await expect(chat.page.locator("#about")).to_contain_text("Set FOLDER_ID and API_KEY")
    assert await chat.page.locator(".welcome .choice").count() >= 3
    await chat.page.get_by_role("button", name="/help").click()
    await expect(chat.page.locator(".row.own .text")).to_have_text("/help")
    await expect(chat.answers).to_have_count(1)
    await expect(chat.page.locator(".welcome")).to_have_count(0)


async def test_a_growing_answer_is_stopped(chat: Chat) -> None:
    """It grows in one bubble; Stop ends it, and what was said stays."""
    await chat.write("Count slowly")
    await expect(chat.answers).to_contain_text("word3 ")
    await expect(chat.answers).to_contain_text("word9 ")
    await expect(chat.answers).to_have_count(1)
    await chat.page.get_by_role("button", name=re.compile("Stop")).click()
    await expect(chat.answers).to_contain_text(ENGLISH.stopped_mark)
    await expect(chat.answers).to_contain_text("word9 ")
    await expect(chat.answers).to_have_count(1)


async def test_a_reload_in_mid_answer(chat: Chat, model: Model) -> None:
    """The page shows the same chat again, and the answer goes on growing in it."""
    await chat.write("Count slowly")
    await expect(chat.answers).to_contain_text("word3 ")
    await chat.page.reload()
    await expect(chat.answers).to_contain_text("word20 ")
    model.released.set()
    await expect(chat.key(ENGLISH.button_again)).to_be_visible()
    await expect(chat.answers).to_have_count(1)


async def test_asked_again_and_forgotten(chat: Chat) -> None:
    """The buttons under an answer work, and a notice says what the bot says to that."""
    await chat.write("Hello there")
    await chat.key(ENGLISH.button_again).click()
    await expect(chat.key(ENGLISH.button_again)).to_be_visible()
    await expect(chat.answers).to_have_count(1)
    await chat.key(ENGLISH.button_forget).click()
    await expect(chat.page.locator(".toast")).to_have_text(ENGLISH.undone)
    await expect(chat.answers).to_have_count(0)


async def test_reset_and_undo(chat: Chat) -> None:
    """Commands come from the menu that "/" opens, by keys alone; what is in a text is pressed."""
    await chat.write("Hello there")
    await expect(chat.key(ENGLISH.button_again)).to_be_visible()
    field = chat.page.get_by_role("textbox", name="Message")
    await field.press_sequentially("/res")
    await expect(chat.page.get_by_role("option")).to_have_count(1)
    await field.press("Enter")
    await expect(chat.page.locator(".row.own .text").last).to_have_text("/reset")
    await expect(chat.answers).to_have_count(2)
    await chat.answers.last.get_by_role("button", name="/undo").click()
    await expect(chat.page.locator(".row.own .text").last).to_have_text("/undo")
    await expect(chat.answers).to_have_count(3)


async def test_a_question_is_edited(chat: Chat) -> None:
    """ArrowUp begins it, Escape gives it up, and the answer changes with the question."""
    page = chat.page
    await chat.write("Hello there")
    await expect(chat.key(ENGLISH.button_again)).to_be_visible()
    await page.keyboard.press("ArrowUp")
    bar = page.locator("#about-bar")
    await expect(bar).to_contain_text("Edit message")
    await page.keyboard.press("Escape")
    await expect(bar).to_be_hidden()
    await expect(page.get_by_role("textbox", name="Message")).to_have_value("")
    await chat.act("Hello there", "Edit")
    await expect(page.get_by_role("textbox", name="Message")).to_have_value("Hello there")
    await chat.write("Goodbye")
    await expect(bar).to_be_hidden()
    await expect(chat.answers).to_contain_text("Goodbye")
    await expect(chat.answers).to_have_count(1)
    await expect(page.locator(".row.own .foot")).to_contain_text("edited")


async def test_replies_jump_and_forwards_name_their_author(
    chat: Chat, room: httpx.AsyncClient
) -> None:
    """A reply shows what it replies to, and leads there, however far up that is."""
    for number in range(70):
        await say(room, f"/nothing {number}")
    await expect(chat.bubbles("/nothing 69")).to_be_visible()
    (first, *_) = (await room.get("messages?chat=101")).json()
    await say(room, "/help", reply_to=first["message_id"])
    quoted = chat.page.locator(".quotation").last
    await expect(quoted).to_contain_text("/nothing 0")
    await quoted.click()
    await expect(chat.page.locator(f"#message-{first['message_id']}")).to_be_focused()
    await chat.act("/nothing 0", "Forward")
    await chat.page.get_by_role("dialog").get_by_role("button", name="Friends group").click()
    await expect(chat.page.get_by_role("heading", level=1)).to_have_text("Friends group")
    await expect(chat.page.locator(".forwarded")).to_have_text("Forwarded from Anna")


async def test_a_reply_to_what_is_gone(chat: Chat, room: httpx.AsyncClient) -> None:
    """It leads nowhere, and says so; what is above stays where it is."""
    page = chat.page
    for number in range(70):
        await say(room, f"/nothing {number}")
    gone = (await say(room, "gone"))["message_id"]
    await say(room, "a reply", reply_to=gone)
    await room.post("delete", json={"chat": 101, "user": 101, "message_id": gone})
    await page.reload()
    await page.locator(".quotation").first.click()
    await expect(page.locator(".toast")).to_have_text("A message that cannot be shown")
    await expect(page.get_by_role("button", name="Show earlier messages")).to_be_attached()


async def test_a_message_is_deleted(chat: Chat, room: httpx.AsyncClient) -> None:
    """By whoever may; it goes from the page and from the room."""
    await say(room, "/nothing")
    await chat.act("/nothing", "Delete")
    await expect(chat.bubbles("/nothing")).to_have_count(0)
    assert not [
        message
        for message in (await room.get("messages?chat=101")).json()
        if message.get("text") == "/nothing"
    ]


async def test_a_message_is_deleted_that_one_replies_to_or_edits(
    chat: Chat, room: httpx.AsyncClient
) -> None:
    """Nothing is replied to or edited then; what has been written goes on as a new message."""
    field = chat.page.get_by_role("textbox", name="Message")
    bar = chat.page.locator("#about-bar")
    for act, text in (("Reply", "a reply"), ("Edit", "an edit")):
        said = await say(room, f"/nothing {act}")
        await chat.act(f"/nothing {act}", act)
        await expect(bar).to_be_visible()
        await field.fill(f"/nothing but {text}")
        gone = {"chat": 101, "user": 101, "message_id": said["message_id"]}
        assert (await room.post("delete", json=gone)).is_success
        await expect(bar).to_be_hidden()
        await chat.page.keyboard.press("Enter")
        await expect(chat.bubbles(f"/nothing but {text}")).to_be_visible()
    last = await say(room, "/nothing left")
    await chat.act("/nothing left", "Edit")
    await expect(field).to_have_value("/nothing left")
    gone = {"chat": 101, "user": 101, "message_id": last["message_id"]}
    assert (await room.post("delete", json=gone)).is_success
    await expect(field).to_have_value("")
