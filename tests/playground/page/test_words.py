"""The page's words: Russian or English, and the bot's with them."""

import re

import httpx
import pytest
from playwright.async_api import expect

from handlers.texts import RUSSIAN
from tests.playground.page.conftest import Chat, Tab

pytestmark = pytest.mark.browser


async def test_a_russian_browser(tab: Tab, url: str) -> None:
    """The page speaks Russian, and so does the bot, whatever a person does first."""
    async with tab(url, locale="ru-RU") as chat:
        page = chat.page
        await expect(page.locator("#about")).to_contain_text("говорит только по-английски")
        await page.get_by_role("button", name="/help").click()
        await expect(chat.answers.locator(".text")).to_contain_text("/reset")
        assert re.search("[а-я]", await chat.answers.locator(".text").inner_text())
        await page.get_by_role("textbox", name="Сообщение").fill("Привет")
        await page.keyboard.press("Enter")
        await chat.key(RUSSIAN.button_forget).click()
        await expect(page.locator(".toast")).to_have_text(RUSSIAN.undone)
        left = await page.locator("body").inner_text() + await page.locator("body").aria_snapshot()
        names = r"Friends group|Team forum|News channel|button|link|textbox|list|heading|region|tab"
        left = re.sub(rf"/\w+|{names}", "", left)
        english = (
            r"\b(chat|message|send|write|edit|typing|search|settings|model|close|today|member)\b"
        )
        assert not re.findall(english, left, re.IGNORECASE)


async def test_a_language_is_chosen(chat: Chat) -> None:
    """It overrules the browser's, and is kept."""
    page = chat.page
    await page.get_by_role("button", name="Menu").click()
    await page.get_by_role("radio", name="Русский").click()
    await expect(page.get_by_role("textbox", name="Сообщение")).to_be_visible()
    await page.reload()
    await expect(page.get_by_role("textbox", name="Сообщение")).to_be_visible()
    assert await page.evaluate("document.documentElement.lang") == "ru"


@pytest.mark.parametrize("first", ["text", "file"])
async def test_a_language_is_said_with_whatever_comes_first(
    chat: Chat, room: httpx.AsyncClient, first: str
) -> None:
    """A text and a file say in which language their sender is answered."""
    if first == "text":
        await chat.write("Hello there")
    else:
        file = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"some notes"}
        await chat.page.locator("#file").set_input_files(file)  # type: ignore[arg-type]
        await chat.page.get_by_role("button", name="Send", exact=True).click()
    await expect(chat.page.locator(".row.own")).to_have_count(1)
    (message, *_) = (await room.get("messages?chat=101")).json()
    assert message["from"]["language_code"] == "en"
