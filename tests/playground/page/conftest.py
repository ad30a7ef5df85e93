"""The demo with its page in a real browser: Debian's chromium, driven by playwright."""

import argparse
import asyncio
import contextlib
import os
import re
import shutil
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, ConsoleMessage, Locator, Page, async_playwright, expect
from structlog.testing import capture_logs

from bot import log
from bot.playground import demo as module
from bot.playground.arguments import add_arguments
from bot.playground.demo import demo
from bot.playground.furniture import ANNA
from storage.message import Message

CHROMIUM = shutil.which("chromium")
FLAGS = [
    *["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
    *["--disable-background-networking", "--disable-component-update", "--disable-sync"],
    "--host-resolver-rules=MAP example.org 127.0.0.1",
]
AWAY = "Failed to load resource: net::ERR_"
REFUSED = "the server responded with a status of 400"
SAID = re.compile("/(room/(say|edit|media)|demo/(faults|settings))$")

expect.set_options(timeout=60_000)

NOTICES_STAY = """
  const later = window.setTimeout;
  window.setTimeout = (then, ms, ...more) => later(then, ms === 4000 ? 600_000 : ms, ...more);
"""
"""A slow machine may take longer to look than they are shown."""


@dataclass
class Model:
    """A model that says what it was told, in bold and with the markup of web pages.

    Asked to do so slowly, it goes on until it is ``released``. To what is in ``known``, it answers
    that.
    """

    known: dict[str, str] = field(default_factory=dict)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(
        self, messages: Sequence[Message], *, temperature: float, max_tokens: int
    ) -> AsyncIterator[str]:
        del temperature, max_tokens
        asked = messages[-1].text
        for question, answer in self.known.items():
            if question in asked:
                yield answer
                return
        yield f"**You said:** {asked}\n\n```python\nprint('hi')\n```\n\n"
        for number in range(1000 if "slowly" in asked else 0):
            if self.released.is_set():
                break
            yield f"word{number} "
            # Who looks late finds one message, too.
            await asyncio.sleep(0.05 if number < 100 else 1)


@dataclass
class Chat:
    """A page, and what tests do there."""

    page: Page

    async def write(self, text: str) -> None:
        """Write into the field and press Enter."""
        await self.page.get_by_role("textbox", name="Message").fill(text)
        await self.page.keyboard.press("Enter")

    def bubbles(self, text: str | re.Pattern[str] = "") -> Locator:
        """Messages with this in them."""
        return self.page.get_by_role("article").filter(has_text=text)

    @property
    def answers(self) -> Locator:
        """The bot's messages."""
        return self.page.locator("article.bot")

    def key(self, name: str) -> Locator:
        """Buttons under messages."""
        return self.page.locator(".keyboard").get_by_role("button", name=name)

    async def open(self, name: str) -> None:
        """Open the chat of the list that has this title: others may show it in their last line."""
        links = self.page.get_by_role("navigation", name="Chats").get_by_role("link")
        title = self.page.locator(".chat-title", has_text=name)
        await links.filter(has=title).click()
        await expect(self.page.get_by_role("heading", level=1)).to_have_text(name)

    async def be(self, name: str) -> None:
        """Become somebody else."""
        await self.page.get_by_role("button", name=name, exact=True).click()

    async def act(self, text: str, name: str) -> None:
        """Choose something in the menu of the first message with that text."""
        await self.bubbles(text).first.click(button="right")
        await self.page.get_by_role("menuitem", name=name).click()


@pytest.fixture
def model() -> Model:
    return Model()


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, model: Model) -> Iterator[None]:
    """Keep the developer's own settings out, and the process's logs as pytest set them up."""
    for name in ("FOLDER_ID", "YANDEX_FOLDER_ID", "YC_FOLDER_ID", "REDIS_URL", "DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(log, "configure", lambda *_: None)
    monkeypatch.setattr(module, "LocalModel", lambda: model)
    with capture_logs():
        yield


Start = Callable[..., contextlib.AbstractAsyncContextManager[str]]


@pytest.fixture
def started(capsys: pytest.CaptureFixture[str]) -> Start:
    """Return what runs the demo while its block runs, and yields the page's address."""

    @contextlib.asynccontextmanager
    async def start(*argv: str) -> AsyncIterator[str]:
        parser = argparse.ArgumentParser()
        add_arguments(parser)
        given = argv if "--listen" in argv else ("--listen", "127.0.0.1:0", *argv)
        async with demo(parser.parse_args(given)):
            yield re.findall(r"http://\S+/", capsys.readouterr().out)[0]

    return start


@pytest.fixture
async def url(started: Start) -> AsyncIterator[str]:
    """Run the demo, bot included; the page's address."""
    async with started() as address:
        yield address


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Start the browser, for which example.org is this machine."""
    if CHROMIUM is None:
        if os.environ.get("CI") == "true":
            pytest.fail("chromium is not installed, and CI must not skip the page")
        pytest.skip("NOT TESTED: the page needs chromium (apt-get install chromium)")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=FLAGS, timeout=60_000
        )
        yield browser
        await browser.close()


Tab = Callable[..., contextlib.AbstractAsyncContextManager[Chat]]


@pytest.fixture
def tab(browser: Browser) -> Tab:
    """Return what opens a tab; the test fails if a script in it does.

    The browser itself complains of servers that are away, and where the room refuses what is said.
    """

    @contextlib.asynccontextmanager
    async def opened(url: str = "", **context: Any) -> AsyncIterator[Chat]:
        errors: list[str] = []

        def heard(line: ConsoleMessage) -> None:
            refused = REFUSED in line.text and SAID.search(line.location["url"])
            if line.type == "error" and not refused:
                errors.append(line.text)

        page = await browser.new_page(**{"viewport": {"width": 1280, "height": 800}, **context})
        await page.add_init_script(NOTICES_STAY)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", heard)
        if url:
            await page.goto(url)
            await expect(page.locator("#speakers > *").first).to_be_attached()  # its code runs
        yield Chat(page)
        assert [error for error in errors if not error.startswith(AWAY)] == []

    return opened


@pytest.fixture
async def chat(tab: Tab, url: str) -> AsyncIterator[Chat]:
    """Open the page, as Anna."""
    async with tab(url) as opened:
        yield opened


@pytest.fixture
async def room(url: str) -> AsyncIterator[httpx.AsyncClient]:
    """Everything that people do who have no page."""
    async with httpx.AsyncClient(base_url=url + "room/", timeout=60) as http:
        yield http


async def say(room: httpx.AsyncClient, text: str, user: int = ANNA.id, **more: Any) -> Any:
    """Let somebody speak who has no page, in private unless ``chat`` says where."""
    said = {"chat": user, "user": user, "text": text, **more}
    return (await room.post("say", json=said)).raise_for_status().json()
