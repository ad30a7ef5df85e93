"""Files of every kind are sent and shown as they are."""

import base64
import re
from typing import Any

import httpx
import pytest
from playwright.async_api import Route, expect

from bot.playground.furniture import GROUP
from tests.playground.page.conftest import Chat

pytestmark = pytest.mark.browser

PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAFklEQVR4nGP8z8DAwMDAxMDAwMDAAAANHQEDasKb6QAA"
    "AABJRU5ErkJggg=="
)
BINARY = bytes(range(256)) * 40


def file(name: str, mime: str, content: bytes) -> Any:
    return {"name": name, "mimeType": mime, "buffer": content}


async def test_a_text_file_is_sent_with_a_caption(chat: Chat) -> None:
    """It is attached, then sent with what was written; its text goes to the model."""
    await chat.page.locator("#file").set_input_files(file("notes.txt", "text/plain", b"my notes"))
    await expect(chat.page.locator("#attached")).to_contain_text("notes.txt8 B")
    await chat.write("Look at this")
    sent = chat.page.locator(".row.own")
    await expect(sent.locator(".file-name")).to_have_text("notes.txt")
    await expect(sent.locator(".text")).to_have_text("Look at this")
    await expect(chat.answers).to_contain_text("my notes")
    await expect(chat.page.locator("#attached")).to_be_hidden()


async def test_bytes_stay_as_they_are(chat: Chat, room: httpx.AsyncClient) -> None:
    """What is no text is not read as one, whatever is in it."""
    page = chat.page
    await page.locator("#file").set_input_files(file("list.bin", "application/x", BINARY))
    await page.get_by_role("button", name="Send", exact=True).click()
    link = page.locator(".row.own a.file")
    await expect(link).to_contain_text("10 KB")
    async with page.expect_download() as downloading:
        await link.click()
    download = await downloading.value
    assert (await download.path()).read_bytes() == BINARY
    (message, *_) = (await room.get("messages?chat=101")).json()
    kept = await room.get("file", params={"id": message["document"]["file_id"]})
    assert kept.content == BINARY
    assert kept.headers["content-disposition"].startswith("attachment")


async def test_a_picture_is_a_picture(chat: Chat) -> None:
    """It is shown, and large when it is pressed; Escape closes that."""
    page = chat.page
    await chat.open("Friends group")
    await page.locator("#file").set_input_files(file("p.png", "image/png", PICTURE))
    await chat.write("A picture")
    shown = page.locator(".row.own .picture img")
    await expect(shown).to_be_visible()
    await page.wait_for_function("document.querySelector('.picture img').naturalWidth === 2")
    await page.locator(".picture").click()
    await expect(page.get_by_role("dialog").locator("img")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_what_others_send(chat: Chat, room: httpx.AsyncClient) -> None:
    """Voice notes have a player; places, contacts and dice are shown."""
    page = chat.page
    await chat.open("Friends group")
    common = {"chat": GROUP, "user": 102}
    for more in (
        {"kind": "voice"},
        {"kind": "location", "latitude": 55.75, "longitude": 37.61},
        {"kind": "contact", "phone_number": "+79990000000", "first_name": "Dora"},
        {"kind": "dice"},
    ):
        (await room.post("media", json={**common, **more})).raise_for_status()
    play = page.get_by_role("button", name="Play")
    await play.click()
    await expect(page.locator(".player .file-size")).to_have_text(re.compile("0:0. / 0:03"))
    await expect(chat.bubbles("55.75000, 37.61000")).to_be_visible()
    await expect(chat.bubbles("Dora")).to_contain_text("+79990000000")
    await expect(page.get_by_role("img", name=re.compile("Dice: [1-6]"))).to_be_visible()


@pytest.mark.parametrize("why", ["refused", "away"])
async def test_a_file_that_is_refused_stays(chat: Chat, why: str) -> None:
    """It is sent again with the next try, with what was written."""

    async def failing(route: Route) -> None:
        if why == "refused":
            await route.fulfill(status=400, json={"error": "no"})
        else:
            await route.abort("connectionrefused")

    page = chat.page
    await page.route("**/room/media", failing)
    await page.locator("#file").set_input_files(file("notes.txt", "text/plain", b"my notes"))
    await chat.write("Look at this")
    told = "Not sent: no" if why == "refused" else "The demo does not answer"
    await expect(page.locator("#refused")).to_contain_text(told)
    await expect(page.locator("#attached")).to_contain_text("notes.txt")
    await expect(page.locator("#text")).to_have_value("Look at this")
    await page.unroute("**/room/media")
    await page.get_by_role("button", name="Send", exact=True).click()
    await expect(page.locator(".row.own .text")).to_have_text("Look at this")
    await expect(page.locator("#attached")).to_be_hidden()
    await expect(page.locator("#text")).to_have_value("")
