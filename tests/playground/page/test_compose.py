"""What one writes, and the keys: nothing is lost, and nothing goes where it was not meant."""

import asyncio
import re
from typing import Any

import httpx
import pytest
from playwright.async_api import Route, expect

from bot.playground.furniture import GROUP
from tests.playground.page.conftest import Chat, Tab, say

pytestmark = pytest.mark.browser

LONG = "x" * 4097


async def test_nothing_is_written_before_one_is_somebody(tab: Tab, url: str) -> None:
    """The field waits until the page knows the demo, which would take away what was there."""
    asked, may = asyncio.Event(), asyncio.Event()

    async def hold(route: Route) -> None:
        asked.set()
        await may.wait()
        await route.continue_()

    async with tab() as chat:
        await chat.page.route("**/about.json", hold)
        await chat.page.goto(url)
        await asked.wait()
        await expect(chat.page.get_by_role("textbox", name="Message")).to_be_disabled()
        may.set()
        await chat.write("Early")
        await expect(chat.bubbles("Early").first).to_be_visible()


async def test_a_draft_belongs_to_its_chat(chat: Chat) -> None:
    """Each chat and person has their own, with what it replies to; a reload keeps the text."""
    page, field = chat.page, chat.page.get_by_role("textbox", name="Message")
    await chat.write("/nothing")
    await chat.act("/nothing", "Reply")
    await field.fill("for the bot")
    await chat.open("Friends group")
    await expect(field).to_have_value("")
    await expect(page.locator("#about-bar")).to_be_hidden()
    await field.fill("for the group")
    await expect(page.get_by_role("link", name="Demo")).to_contain_text("Draft: for the bot")
    await chat.be("Boris")
    await expect(field).to_have_value("")
    await chat.be("Anna")
    await expect(field).to_have_value("for the group")
    await chat.open("Demo")
    await expect(field).to_have_value("for the bot")
    await expect(page.locator("#about-bar")).to_contain_text("Reply to Anna")
    await page.reload()
    await chat.open("Friends group")
    await expect(field).to_have_value("for the group")


async def test_focus_and_selection_survive_what_happens(
    chat: Chat, room: httpx.AsyncClient
) -> None:
    """A message is selected and a button has the focus while others come and the list changes."""
    page = chat.page
    await say(room, "select me, please")
    await expect(chat.bubbles("select me").first).to_be_visible()
    await page.evaluate("getSelection().selectAllChildren(document.querySelector('.row .text'))")
    link = page.get_by_role("link", name="News channel")
    await link.focus()
    for number in range(3):
        await say(room, f"@demo_bot {number}", user=102, chat=GROUP)
        await say(room, f"/nothing {number}")
    await expect(chat.bubbles("/nothing 2")).to_be_visible()
    await expect(chat.answers.first).to_be_visible()
    await expect(link).to_be_focused()
    assert await page.evaluate("String(getSelection())") == "select me, please"


async def test_a_growing_answer_keeps_the_selection(chat: Chat) -> None:
    """What is selected in it stays selected while it grows."""
    await chat.write("Count slowly")
    await expect(chat.answers).to_contain_text("word3 ")
    await chat.page.evaluate(
        "getSelection().selectAllChildren(document.querySelector('article.bot strong'))"
    )
    await expect(chat.answers).to_contain_text("word12 ")
    assert await chat.page.evaluate("String(getSelection())") == "You said:"


async def test_what_is_sent_is_shown_where_it_is_said(chat: Chat) -> None:
    """Not in the chat that one has opened before it had arrived."""
    page, arrives = chat.page, asyncio.Event()

    async def hold(route: Route) -> None:
        await arrives.wait()
        await route.continue_()

    await page.route("**/room/say", hold)
    async with page.expect_request_finished(lambda request: "/room/say" in request.url):
        await chat.write("/nothing")
        await chat.open("Friends group")
        arrives.set()
    await chat.write("here")
    await expect(chat.bubbles("here")).to_be_visible()
    await expect(chat.bubbles()).to_have_text([re.compile("here")])


async def test_a_file_beside_an_edit(chat: Chat) -> None:
    """Both are sent."""
    await chat.write("/nothing")
    await expect(chat.bubbles("/nothing")).to_be_visible()
    await chat.page.keyboard.press("ArrowUp")
    await expect(chat.page.locator("#about-bar")).to_contain_text("Edit message")
    notes: Any = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"my notes"}
    await chat.page.locator("#file").set_input_files(notes)
    await chat.write("/no")
    await expect(chat.bubbles("notes.txt").first).to_be_visible()
    await expect(chat.bubbles("/no").first).to_contain_text("edited")


async def test_what_is_refused_stays(chat: Chat) -> None:
    """The text, what it replies to and the reason stay until something is sent."""

    async def refuse(route: Route) -> None:
        await route.fulfill(status=400, json={"error": "no"})

    page = chat.page
    await chat.write("/nothing")
    await chat.act("/nothing", "Reply")
    await page.route("**/room/say", refuse)
    await chat.write("hm")
    await expect(page.locator("#refused")).to_have_text("Not sent: no")
    await expect(page.locator("#text")).to_have_value("hm")
    await expect(page.locator("#about-bar")).to_contain_text("Reply to Anna")
    await page.unroute("**/room/say")
    await page.keyboard.press("Enter")
    await expect(page.locator(".row.own .quotation")).to_contain_text("/nothing")
    await expect(page.locator("#refused")).to_be_empty()


async def test_a_long_text_is_sent_in_parts(chat: Chat) -> None:
    """As Telegram's apps do: a hundred thousand characters arrive, all of them."""
    await chat.open("Friends group")
    words = " ".join(str(number) for number in range(17_000))
    assert 90_000 < len(words) < 100_000
    await chat.page.get_by_role("textbox", name="Message").fill(words)
    await chat.page.keyboard.press("Enter")
    await expect(chat.bubbles("16999")).to_be_visible()
    texts = await chat.page.locator(".row.own .text").all_inner_texts()
    assert " ".join(text.strip() for text in texts) == words


async def test_the_keyboard(chat: Chat, room: httpx.AsyncClient) -> None:
    """Chats are switched, messages walked through, menus opened, and "?" tells how."""
    page = chat.page
    heading = page.get_by_role("heading", level=1)
    await say(room, "/nothing")
    await expect(chat.bubbles("/nothing")).to_be_visible()
    await page.keyboard.press("Alt+ArrowDown")
    await expect(heading).to_have_text("Team forum")
    await page.keyboard.press("Alt+ArrowUp")
    await expect(heading).to_have_text("Demo")
    await page.keyboard.press("Control+k")
    await page.keyboard.type("news")
    await expect(page.locator("#chats").get_by_role("link")).to_have_count(1)
    await page.keyboard.press("Enter")
    await expect(heading).to_have_text("News channel")
    await chat.open("Friends group")
    await chat.write("Hello")
    await expect(page.locator(".row.own")).to_be_visible()
    await page.get_by_role("region", name="Messages").focus()
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.get_by_role("textbox", name="Message").press("Control+/")
    await expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.get_by_role("region", name="Messages").focus()
    await page.keyboard.press("ArrowUp")
    await expect(page.locator(".row.own")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("menuitem", name="Reply")).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await expect(page.get_by_role("menuitem", name="Edit")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.locator(".row.own")).to_be_focused()


async def test_commands_that_are_offered_late(chat: Chat) -> None:
    """What has been sent by then is not offered, so that Enter does not send it again."""
    asked = asyncio.Event()

    async def late(route: Route) -> None:
        await asked.wait()
        await route.continue_()

    await chat.page.route("**/room/menu?*", late)
    await chat.write("/help")
    own = chat.page.locator(".row.own")
    await expect(own).to_have_count(1)
    async with chat.page.expect_event("requestfinished", lambda one: "/room/menu" in one.url):
        asked.set()
    await chat.page.evaluate("new Promise((done) => setTimeout(done, 100))")
    await chat.page.keyboard.press("Enter")
    await chat.write("/nothing")
    await expect(own.last).to_contain_text("/nothing")
    await expect(own).to_have_count(2)
