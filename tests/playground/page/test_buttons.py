"""Buttons: of this bot's menus, and of any bot that the page's people talk to."""

from collections.abc import AsyncIterator

import httpx
import pytest
from playwright.async_api import Page, expect

from bot.playground.furniture import ANNA, GROUP
from handlers.texts import ENGLISH
from tests.playground.page.conftest import Chat, Start, Tab, say

pytestmark = pytest.mark.browser


class Bot:
    """A bot of somebody's own, as a program on this machine."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self._next = 0

    async def call(self, method: str, **given: object) -> httpx.Response:
        return await self._http.post(f"/bot1:any/{method}", json=given)

    async def pressed(self) -> str:
        """Wait for the next press of a button; returns the query's id."""
        while True:
            answer = await self.call("getUpdates", timeout=20, offset=self._next, limit=1)
            for update in answer.json()["result"]:
                self._next = update["update_id"] + 1
                if "callback_query" in update:
                    return str(update["callback_query"]["id"])


@pytest.fixture
async def alone(started: Start) -> AsyncIterator[str]:
    """Run the demo without a bot; the page's address."""
    async with started("--no-bot") as address:
        yield address


@pytest.fixture
async def bot(alone: str) -> AsyncIterator[Bot]:
    async with httpx.AsyncClient(base_url=alone, timeout=60) as http:
        yield Bot(http)


@pytest.fixture
async def page(tab: Tab, alone: str, bot: Bot) -> AsyncIterator[Page]:
    """Open the page, where Anna has written to that bot."""
    async with httpx.AsyncClient(base_url=alone + "room/", timeout=60) as http:
        await bot.call("getMe")
        await say(http, "hi")
    async with tab(alone) as opened:
        await expect(opened.bubbles("hi")).to_be_visible()
        yield opened.page


async def test_a_menu_of_settings(chat: Chat) -> None:
    """It is one message that changes; the button that is pressed turns until the bot answers."""
    await chat.write("/settings")
    await expect(chat.answers).to_have_count(1)
    await chat.key("Temperature").click()
    await expect(chat.key("Temperature")).to_have_count(0)
    await expect(chat.answers).to_have_count(1)
    await expect(chat.page.locator(".key.busy")).to_have_count(0)


async def test_a_button_that_leads_to_the_private_chat(chat: Chat) -> None:
    """A group's settings are opened there, by a link under what is said in the group."""
    await chat.open("Friends group")
    await chat.write("/settings@demo_bot")
    await chat.key(ENGLISH.settings_button).click()
    await expect(chat.page.get_by_role("heading", level=1)).to_have_text("Demo")
    await expect(chat.answers).to_contain_text("Settings of the group")
    await chat.key("May reset: admins").click()
    await expect(chat.key("May reset: admins")).to_have_count(0)
    await chat.key(ENGLISH.reset_everybody).click()
    await expect(chat.key("May reset: everybody")).to_be_visible()


async def test_answers_to_presses(page: Page, bot: Bot) -> None:
    """A notice, or a dialog that one has to close; meanwhile the button waits."""
    keyboard = [[{"text": "Press", "callback_data": "x"}]]
    await bot.call(
        "sendMessage", chat_id=ANNA.id, text="y", reply_markup={"inline_keyboard": keyboard}
    )
    button = page.get_by_role("button", name="Press")
    await button.click()
    await expect(button).to_have_attribute("aria-busy", "true")
    await bot.call("answerCallbackQuery", callback_query_id=await bot.pressed(), text="A notice")
    await expect(page.locator(".toast")).to_have_text("A notice")
    await expect(button).not_to_have_attribute("aria-busy", "true")
    await button.click()
    query = await bot.pressed()
    await bot.call("answerCallbackQuery", callback_query_id=query, text="Mind!", show_alert=True)
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("Mind!")
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    await expect(button).to_be_focused()


async def test_buttons_that_no_bot_answers(page: Page, bot: Bot) -> None:
    """They turn, each in its own chat, and take no connection from what one does meanwhile."""
    keyboard = [[{"text": str(number), "callback_data": "x"}] for number in range(8)]
    for chat in (ANNA.id, GROUP):
        await bot.call(
            "sendMessage", chat_id=chat, text="y", reply_markup={"inline_keyboard": keyboard}
        )
    keys = page.locator(".keyboard").get_by_role("button")
    for number in range(8):
        await keys.nth(number).click()
    await expect(page.locator(".key.busy")).to_have_count(8)
    await Chat(page).write("What now?")
    await expect(Chat(page).bubbles("What now?")).to_be_visible()
    await Chat(page).open("Friends group")
    await expect(keys).to_have_count(8)
    await expect(page.locator(".key.busy")).to_have_count(0)


async def test_buttons_that_ask_nobody(page: Page, bot: Bot) -> None:
    """They copy, write into the field, or lead to a chat of the page."""
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    keyboard = [
        [{"text": "Copy", "copy_text": {"text": "copied"}}],
        [{"text": "Here", "switch_inline_query_current_chat": "cats"}],
        [{"text": "Group", "url": "https://t.me/demo_bot?startgroup=go"}],
    ]
    await bot.call(
        "sendMessage", chat_id=ANNA.id, text="y", reply_markup={"inline_keyboard": keyboard}
    )
    await page.get_by_role("button", name="Copy", exact=True).click()
    await expect(page.locator(".toast")).to_have_text("Copied")
    assert await page.evaluate("navigator.clipboard.readText()") == "copied"
    await page.get_by_role("button", name="Here").click()
    await expect(page.get_by_role("textbox", name="Message")).to_have_value("@demo_bot cats")
    await page.get_by_role("button", name="Group", exact=True).click()
    await page.get_by_role("dialog").get_by_role("button", name="Friends group").click()
    await expect(page.locator(".row.own .text")).to_have_text("/start@demo_bot go")


async def test_a_keyboard_under_the_field(page: Page, bot: Bot) -> None:
    """Its buttons say their text; it goes when the bot takes it away."""
    markup = {"keyboard": [["Yes", "No"]], "input_field_placeholder": "Yes or no?"}
    await bot.call("sendMessage", chat_id=ANNA.id, text="Really?", reply_markup=markup)
    field = page.get_by_role("textbox", name="Message")
    await expect(field).to_have_attribute("placeholder", "Yes or no?")
    await page.get_by_role("button", name="Yes").click()
    await expect(page.locator(".row.own .text").last).to_have_text("Yes")
    gone = {"remove_keyboard": True}
    await bot.call("sendMessage", chat_id=ANNA.id, text="Good", reply_markup=gone)
    await expect(page.get_by_role("button", name="Yes")).to_have_count(0)


async def test_a_reply_that_is_asked_for_during_an_edit(page: Page, bot: Bot) -> None:
    """The edit stays one: what is written for it becomes no new message."""
    field = page.get_by_role("textbox", name="Message")
    await field.press("ArrowUp")
    await expect(page.locator("#about-bar")).to_contain_text("Edit message")
    await field.fill("edited")
    await bot.call("sendMessage", chat_id=ANNA.id, text="Name?", reply_markup={"force_reply": True})
    await expect(page.get_by_role("article").filter(has_text="Name?")).to_be_visible()
    await field.press("Enter")
    await expect(page.locator(".row.own .text")).to_have_text(["edited"])


async def test_what_the_page_cannot_do(page: Page, bot: Bot) -> None:
    """A button that asks for what the page does not have says so, and sends nothing."""
    asking = (
        {"text": "Poll", "request_poll": {}},
        {"text": "Who", "request_users": {"request_id": 1}},
    )
    web = {"text": "App", "web_app": {"url": "https://example.org/app"}}
    markup = {"keyboard": [[*asking, web]]}
    await bot.call("sendMessage", chat_id=ANNA.id, text="y", reply_markup=markup)
    keys = page.get_by_role("group", name="The bot's keyboard")
    for number, name in enumerate(("Poll", "Who"), start=1):
        await keys.get_by_role("button", name=name).click()
        await expect(page.locator(".toast")).to_have_text(["The page cannot do that"] * number)
    async with page.context.expect_page():
        await keys.get_by_role("button", name="App").click()
    await expect(page.locator(".row.own")).to_have_count(1)
    inline = [
        [{"text": "Off", "disabled": {}}, {"text": "Pay", "pay": True}],
        [{"text": "Elsewhere", "switch_inline_query_chosen_chat": {"query": "cats"}}],
    ]
    inline_markup = {"inline_keyboard": inline}
    await bot.call("sendMessage", chat_id=ANNA.id, text="z", reply_markup=inline_markup)
    await expect(page.get_by_role("button", name="Off")).to_be_disabled()
    await page.get_by_role("button", name="Pay").click()
    await expect(page.locator(".toast").last).to_have_text("The page cannot do that")
    await page.get_by_role("button", name="Elsewhere").click()
    await page.get_by_role("dialog").get_by_role("button", name="Friends group").click()
    await expect(page.get_by_role("textbox", name="Message")).to_have_value("@demo_bot cats")


async def test_copying_where_the_browser_has_no_clipboard(started: Start, tab: Tab) -> None:
    """On a page from another machine over http it has none; the page says that."""
    async with started("--no-bot", "--allow-host", "example.org") as address:
        elsewhere = address.replace("127.0.0.1", "example.org")
        async with httpx.AsyncClient(base_url=address + "room/", timeout=60) as http:
            await say(http, "hi")
        async with tab(elsewhere) as chat:
            await chat.act("hi", "Copy text")
            why = "The browser does not let the page copy"
            await expect(chat.page.locator(".toast")).to_have_text(why)


async def test_a_menu_for_each_place(page: Page, bot: Bot) -> None:
    """Commands of a bot are offered where they are meant for."""
    await bot.call("setMyCommands", commands=[{"command": "go", "description": "Goes"}])
    for_groups = [{"command": "come", "description": "Comes"}]
    await bot.call("setMyCommands", commands=for_groups, scope={"type": "all_group_chats"})
    await page.get_by_role("button", name="Commands").click()
    await expect(page.get_by_role("option")).to_have_text(["/goGoes"])
    await page.keyboard.press("Escape")
    await page.goto(f"{page.url.partition('#')[0]}#{ANNA.id}/{GROUP}")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Friends group")
    await page.get_by_role("button", name="Commands").click()
    await page.get_by_role("option", name="/come").click()
    await expect(page.locator(".row.own .text")).to_have_text("/come@demo_bot")


async def test_without_a_bot(page: Page) -> None:
    """The page says that none runs here, and how to point one to it."""
    await page.get_by_role("button", name="Boris").click()
    await expect(page.locator("#about")).to_contain_text("No bot runs here")
    await expect(page.locator(".welcome .choice")).to_have_text(["/start"])


async def test_four_buttons_in_a_row(page: Page, bot: Bot) -> None:
    """Under a short text their words stay whole, and all are equally wide."""
    names = ["again", "copy", "shorter", "settings"]
    row = [{"text": name, "callback_data": name} for name in names]
    await bot.call(
        "sendMessage", chat_id=ANNA.id, text="y", reply_markup={"inline_keyboard": [row]}
    )
    boxes = [
        await page.get_by_role("button", name=name, exact=True).bounding_box() for name in names
    ]
    assert {round(box["height"]) for box in boxes if box} == {34}
    assert len({round(box["width"]) for box in boxes if box}) == 1


async def test_a_date_covers_no_message(page: Page, bot: Bot) -> None:
    """It has a row of its own, wherever one has scrolled to."""
    for number in range(30):
        await bot.call("sendMessage", chat_id=ANNA.id, text=f"line {number}")
    await expect(page.get_by_role("article").filter(has_text="line 29")).to_be_in_viewport()
    covering = """[...document.querySelectorAll(".day")].filter((day) => {
      const { top, bottom } = day.getBoundingClientRect();
      return [...document.querySelectorAll(".bubble")].some((bubble) => {
        const box = bubble.getBoundingClientRect();
        return box.top < bottom && box.bottom > top;
      });
    }).length"""
    assert await page.evaluate(covering) == 0


async def test_a_poll(page: Page, bot: Bot) -> None:
    """It has its question and what describes it; a press is a vote, until the bot stops it."""
    given = {"question": "Tea?", "description": "Green or <b>black</b>", "options": ["yes", "no"]}
    sent = await bot.call("sendPoll", chat_id=ANNA.id, **given)
    poll = page.locator(".poll")
    await expect(poll).to_contain_text("Green or <b>black</b>")
    await poll.get_by_role("button", name="yes").click()
    await expect(poll.get_by_role("button", name="yes")).to_have_attribute("aria-pressed", "true")
    await expect(poll).to_contain_text("Votes: 1")
    await page.reload()
    await expect(poll.get_by_role("button", name="yes")).to_have_attribute("aria-pressed", "true")
    number = sent.json()["result"]["message_id"]
    stopped = await bot.call("stopPoll", chat_id=ANNA.id, message_id=number)
    assert stopped.json()["result"]["options"][0]["voter_count"] == 1
    await expect(poll.get_by_role("button", name="no")).to_be_disabled()
    await expect(poll).to_contain_text("Green or <b>black</b>")
