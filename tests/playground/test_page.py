"""The playground's page in a real browser: Debian's chromium, driven by playwright."""

import argparse
import asyncio
import contextlib
import os
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import (
    Browser,
    ConsoleMessage,
    Page,
    Request,
    Route,
    async_playwright,
    expect,
)
from starlette import requests, routing
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from structlog.testing import capture_logs

from bot import log
from bot.playground import demo as module
from bot.playground.arguments import add_arguments
from bot.playground.demo import demo
from bot.web import serving
from handlers.texts import ENGLISH, RUSSIAN
from storage.message import Message

CHROMIUM = shutil.which("chromium")
FLAGS = [
    *["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
    *["--disable-background-networking", "--disable-component-update", "--disable-sync"],
    "--host-resolver-rules=MAP example.org 127.0.0.1",
]
AWAY = "Failed to load resource: net::ERR_"
REFUSED = "the server responded with a status of 400"
SAID = re.compile("/room/(say|edit|document)$")
HOSTILE = "<img src=x onerror='document.title=`pwned`'> <script>document.title='pwned'</script>"
NEW_TAB = 'target="_blank" rel="noopener noreferrer"'

pytestmark = pytest.mark.browser


class Echo:
    """A model that says what it was told, in bold and with the markup of web pages."""

    async def answer(
        self, messages: Sequence[Message], *, temperature: float, max_tokens: int
    ) -> AsyncIterator[str]:
        del temperature, max_tokens
        yield f"**You said:** {messages[-1].text}\n\n```python\nprint('hi')\n```"


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Keep the developer's own settings out, and the process's logs as pytest set them up."""
    for name in ("FOLDER_ID", "YANDEX_FOLDER_ID", "YC_FOLDER_ID", "REDIS_URL", "DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(log, "configure", lambda *_: None)
    monkeypatch.setattr(module, "LocalModel", Echo)
    with capture_logs():
        yield


@contextlib.asynccontextmanager
async def started(capsys: pytest.CaptureFixture[str], *argv: str) -> AsyncIterator[str]:
    """Run the demo while the block runs; yields the page's address."""
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    given = argv if "--listen" in argv else ("--listen", "127.0.0.1:0", *argv)
    async with demo(parser.parse_args(given)):
        printed = capsys.readouterr().out
        yield printed[printed.index("http://") :].split(" ")[0]


@pytest.fixture
async def url(capsys: pytest.CaptureFixture[str]) -> AsyncIterator[str]:
    """Run the demo, bot included; the page's address."""
    async with started(capsys) as address:
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


@pytest.fixture
async def blank(browser: Browser) -> AsyncIterator[Page]:
    """Open a tab; the test fails when a script in it does.

    The browser itself complains of servers that are away, and where the room refuses what is said.
    """
    errors: list[str] = []

    def heard(line: ConsoleMessage) -> None:
        refused = REFUSED in line.text and SAID.search(line.location["url"])
        if line.type == "error" and not refused:
            errors.append(line.text)

    page = await browser.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", heard)
    yield page
    assert [error for error in errors if not error.startswith(AWAY)] == []


@pytest.fixture
async def page(blank: Page, url: str) -> Page:
    """Open the page."""
    await blank.goto(url)
    return blank


async def write(page: Page, text: str) -> None:
    await page.locator("#text").fill(text)
    await page.keyboard.press("Enter")


async def say(url: str, **said: Any) -> None:
    """Let somebody speak who has no page."""
    async with httpx.AsyncClient(base_url=url) as http:
        (await http.post("/room/say", json=said)).raise_for_status()


async def test_a_private_chat(page: Page) -> None:
    """A person writes, the bot answers with its formatting, and what the model got is shown."""
    await expect(page.locator("#about")).to_contain_text("speaks English")
    await write(page, "Hello there")
    answer = page.locator(".bubble.bot")
    await expect(answer.locator("strong")).to_have_text("You said:")
    await expect(answer.locator("pre")).to_have_text("print('hi')")
    await expect(page.get_by_text("the bot is typing")).to_be_hidden()
    await expect(page.locator(".bubble.own .text")).to_have_text("Hello there")
    turns = page.locator("#sent li")
    await expect(turns).to_have_text(["systemYou are a helpful assistant.", "userHello there"])
    await write(page, "And again")
    await expect(turns).to_have_count(4)
    await expect(turns.last).to_have_text("userAnd again")


async def test_a_group(page: Page) -> None:
    """In the group the bot answers those who mention it or reply to it, and nobody else."""
    await page.get_by_role("tab", name="Group").click()
    await expect(page.get_by_text("In a group the bot answers")).to_be_visible()
    await write(page, "Just chatting")
    await page.get_by_role("radio", name="Boris").click()
    await page.get_by_role("button", name="@demo_bot", exact=True).click()
    await page.keyboard.type("What do you say?")
    await page.keyboard.press("Enter")
    await expect(page.locator(".bubble.bot")).to_have_count(1)
    await expect(page.locator(".bubble.own b")).to_have_text("Boris")
    await expect(page.locator(".bubble.other b")).to_have_text("Anna")
    await page.locator(".bubble.bot").click()
    await expect(page.locator("#replying")).to_contain_text("You said:")
    await write(page, "And to a reply?")
    await expect(page.locator(".bubble.bot")).to_have_count(2)
    await expect(page.locator(".bubble.own .quote")).to_contain_text("You said:")


async def test_suggestions_and_commands(page: Page) -> None:
    """An empty chat offers what to write; a click writes it."""
    await page.get_by_role("button", name="/help").click()
    await expect(page.locator(".bubble.own .text")).to_have_text("/help")
    await expect(page.locator(".bubble.bot")).to_have_count(1)


async def test_buttons_under_an_answer(page: Page) -> None:
    """They can be pressed, and what the bot says to that is shown."""
    await write(page, "Hello there")
    await page.locator(".bubble.bot .act").last.click()
    await expect(page.locator("#toast")).to_have_text(ENGLISH.undone)
    await expect(page.locator(".bubble.bot")).to_have_count(0)


async def test_an_own_message_is_edited(page: Page) -> None:
    """The answer changes with the question."""
    await write(page, "Hello there")
    await expect(page.locator(".bubble.bot")).to_contain_text("Hello there")
    await page.get_by_role("button", name="Edit").click()
    await page.keyboard.press("Control+a")
    await page.keyboard.type("Goodbye")
    await page.keyboard.press("Enter")
    await expect(page.locator(".bubble.bot")).to_contain_text("Goodbye")
    await expect(page.locator(".bubble.bot")).to_have_count(1)


async def test_a_text_file_is_attached(page: Page) -> None:
    """Its text goes to the model."""
    file = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"some notes"}
    await page.locator("#file").set_input_files(file)  # type: ignore[arg-type]
    await expect(page.locator(".bubble.own .quote")).to_have_text("📎 notes.txt")
    await expect(page.locator("#sent .user p")).to_contain_text("some notes")


async def test_hostile_text_stays_text(page: Page) -> None:
    """Markup in messages, in answers and in what the model got is shown, and never run."""
    await write(page, HOSTILE)
    await expect(page.locator(".bubble.bot")).to_contain_text("onerror")
    await expect(page.locator(".bubble.own .text")).to_have_text(HOSTILE)
    await expect(page.locator("#sent .user p")).to_have_text(HOSTILE)
    assert await page.locator("main img, main script").count() == 0
    assert await page.title() == "Local Telegram"


async def test_entities_by_utf16_offsets(page: Page) -> None:
    """Emoji count two units; nested, broken and dangerous entities neither break nor run."""
    html = await page.evaluate(
        """async () => {
            const { element, formatted } = await import("/text.js");
            const link = (url) => ({ type: "text_link", offset: 10, length: 4, url });
            const shown = (...entities) =>
                element("p", {}, ...formatted("😀 bold & link", entities)).innerHTML;
            const bold = { type: "bold", offset: 3, length: 6 };
            const italic = { type: "italic", offset: 3, length: 4 };
            return [
                shown(),
                shown(italic, bold),
                shown(bold, { type: "code", offset: 6, length: 100 }),
                shown(link("https://example.org/")),
                shown(link("javascript:alert(1)")),
            ];
        }"""
    )
    assert html == [
        "😀 bold &amp; link",
        "😀 <strong><em>bold</em> &amp;</strong> link",
        "😀 <strong>bol<code>d &amp;</code></strong> link",
        f'😀 bold &amp; <a href="https://example.org/" {NEW_TAB}>link</a>',
        '😀 bold &amp; <span class="accent">link</span>',
    ]


async def test_a_phone_needs_no_sideways_scrolling(page: Page) -> None:
    """At a phone's width everything fits, long words and code too."""
    await page.set_viewport_size({"width": 360, "height": 640})
    await write(page, "w" * 300 + " https://example.org/" + "a" * 200)
    await expect(page.locator(".bubble.bot")).to_have_count(1)
    assert await page.evaluate("document.documentElement.scrollWidth") == 360
    await page.get_by_role("tab", name="Group").click()
    await expect(page.get_by_role("radio", name="Boris")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") == 360


async def test_the_demo_is_started_again(blank: Page, capsys: pytest.CaptureFixture[str]) -> None:
    """The same tab says that the demo is away, and goes on with the new one by itself."""
    async with started(capsys) as url:
        await blank.goto(url)
        for text in ("Hello there", "And again"):
            await write(blank, text)
            await expect(blank.locator(".bubble.bot").last).to_contain_text(text)
    await expect(blank.locator("#status")).to_contain_text("does not answer")
    await write(blank, "Is anybody there?")
    await expect(blank.get_by_label("Message", exact=True)).to_have_value("Is anybody there?")
    await blank.get_by_role("tab", name="Group").click()
    async with started(capsys, "--listen", url.removeprefix("http://").strip("/")):
        await expect(blank.get_by_text("Nobody has written here yet")).to_be_visible()
        await expect(blank.locator("#status")).to_be_empty()
        await expect(blank.locator("#sent-facts")).to_have_text("Nothing yet: write to the bot.")
        await expect(blank.locator("#sent li")).to_have_count(0)
        await blank.keyboard.press("Enter")
        await expect(blank.locator(".bubble.bot")).to_contain_text("Is anybody there?")
        await expect(blank.locator("#sent li").last).to_have_text("userIs anybody there?")


async def test_a_restart_that_the_page_slept_through(
    blank: Page, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where no request of the page failed meanwhile, it sees by the first answer what happened."""
    asleep, awake = asyncio.Event(), asyncio.Event()

    async def sleep(route: Route) -> None:
        asleep.set()
        await awake.wait()
        await route.continue_()

    async with started(capsys) as url:
        await blank.goto(url)
        await write(blank, "Hello there")
        await expect(blank.locator(".bubble.bot .act")).to_have_count(2)
        await blank.route("**/room/news?*", sleep)
        await say(url, chat=101, user=101, text="/help")
        await asleep.wait()
    async with started(capsys, "--listen", url.removeprefix("http://").strip("/")):
        awake.set()
        await expect(blank.get_by_text("Nobody has written here yet")).to_be_visible()
        await expect(blank.locator("#sent-facts")).to_have_text("Nothing yet: write to the bot.")


async def test_a_long_dialogue_costs_no_more(page: Page, browser: Browser, url: str) -> None:
    """What is fetched for a question does not grow with what was said before; nothing is missed."""
    fetched: list[Request] = []

    def keep(request: Request) -> None:
        fetched.append(request)

    page.on("requestfinished", keep)
    costs = []
    for number in range(1, 13):
        await write(page, f"{number}: " + "words " * 300)
        await expect(page.locator(".bubble.bot")).to_have_count(number)
        await expect(page.locator(".bubble.bot .act").nth(2 * number - 1)).to_be_visible()
        await expect(page.locator("#sent li")).to_have_count(2 * number)
        sizes = [await request.sizes() for request in fetched]
        costs.append(sum(size["responseBodySize"] for size in sizes))
        fetched.clear()
    assert min(costs) > 1800  # bytes: the question itself
    assert max(costs[-4:]) < 2 * max(costs[1:5])
    late = await browser.new_page()
    await late.goto(url)
    await expect(late.locator("#sent li")).to_have_count(24)
    for shown in (".bubble .text", "#sent p"):
        assert await late.locator(shown).all_inner_texts() == (
            await page.locator(shown).all_inner_texts()
        )


async def test_each_chat_has_its_own_requests(page: Page, url: str) -> None:
    """Also when two chats ask the same at the same time."""
    private = {"chat": 101, "user": 101, "text": "The same words"}
    group = {"chat": module.GROUP, "user": 101, "text": "@demo_bot The same words"}
    await asyncio.gather(*(say(url, **said) for said in (group, private) * 2))
    await expect(page.locator(".bubble.bot")).to_have_count(2)
    await expect(page.locator("#sent-facts")).to_contain_text("Request 2,")
    asked = page.locator("#sent .user p")
    await expect(asked).to_have_text(["The same words"] * 2)
    await page.get_by_role("tab", name="Group").click()
    await expect(page.locator(".bubble.bot")).to_have_count(2)
    await expect(page.locator("#sent-facts")).to_contain_text("Request 2,")
    await expect(asked).to_have_text(["[Anna]: The same words"] * 2)
    await say(url, chat=101, user=101, text="Something else")
    await page.get_by_role("tab", name="Private chat").click()
    await expect(asked.last).to_have_text("Something else")
    await expect(page.locator("#sent-facts")).to_contain_text("Request 3,")


LONG = "x" * 4097


async def refuse(route: Route) -> None:
    """Be a room that takes nothing."""
    await route.fulfill(status=400, json={"error": "no"})


async def away(route: Route) -> None:
    """Be a demo that has ended."""
    await route.abort("connectionrefused")


async def test_what_is_refused_stays(page: Page, url: str) -> None:
    """The text, what it replies to and the reason stay until something is sent."""
    await write(page, "Hello there")
    await page.locator(".bubble.bot").click()
    await write(page, LONG)
    refused = page.locator("#refused")
    await expect(refused).to_have_text("Not sent: the text is longer than 4096 characters")
    await expect(page.locator("#text")).to_have_value(LONG)
    await expect(page.locator("#replying")).to_contain_text("You said:")
    await say(url, chat=101, user=101, text="meanwhile")
    await expect(page.locator(".bubble.own")).to_have_count(2)
    await expect(refused).to_be_visible()
    await write(page, "shorter")
    await expect(page.locator(".bubble.own .quote")).to_contain_text("You said:")
    await expect(refused).to_be_empty()
    await page.get_by_role("button", name="Edit").first.click()
    await page.route("**/room/edit", refuse)
    await write(page, "edited")
    await expect(refused).to_have_text("Not sent: no")
    await expect(page.locator("#replying")).to_contain_text("Edit: Hello there")
    await page.unroute("**/room/edit")
    await page.keyboard.press("Enter")
    await expect(page.locator(".bubble.own .text").first).to_have_text("edited")


@pytest.mark.parametrize("why", ["refused", "away"])
async def test_a_file_that_is_refused_stays(page: Page, why: str) -> None:
    """It is sent again with the next try, with what was written."""
    await page.route("**/room/document", refuse if why == "refused" else away)
    await page.locator("#text").fill("Look at this")
    file = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"some notes"}
    await page.locator("#file").set_input_files(file)  # type: ignore[arg-type]
    told = "Not sent: no" if why == "refused" else "The demo does not answer"
    await expect(page.locator("#refused")).to_contain_text(told)
    await expect(page.locator("#attached")).to_contain_text("notes.txt")
    await expect(page.locator("#text")).to_have_value("Look at this")
    await page.unroute("**/room/document")
    await page.get_by_role("button", name="Send", exact=True).click()
    await expect(page.locator(".bubble.own .text")).to_have_text("Look at this")
    await expect(page.locator("#sent .user p")).to_contain_text("some notes")
    await expect(page.locator("#attached")).to_be_hidden()
    await expect(page.locator("#text")).to_have_value("")


async def test_a_russian_browser(browser: Browser, url: str) -> None:
    """The page speaks Russian, and so does the bot, whatever a person does first."""
    page = await browser.new_page(locale="ru-RU")
    await page.goto(url)
    await expect(page.get_by_role("tab", name="Личный чат")).to_be_visible()
    await expect(page.locator("#about")).to_contain_text("говорит только по-английски")
    await expect(page.locator("#sent-facts")).to_have_text("Пока ничего: напишите боту.")
    await page.get_by_role("button", name="/help").click()
    await expect(page.locator(".bubble.bot .text")).to_contain_text("/reset")
    help_text = await page.locator(".bubble.bot .text").inner_text()
    assert re.search("[а-я]", help_text)
    await write(page, LONG)
    told = "Не отправлено: текст длиннее 4096 символов"
    await expect(page.locator("#refused")).to_have_text(told)
    await write(page, "Привет")
    await page.locator(".bubble.bot .act").last.click()
    await expect(page.locator("#toast")).to_have_text(RUSSIAN.undone)
    left = await page.locator("body").inner_text() + await page.locator("body").aria_snapshot()
    assert not re.findall(r"\b(chat|message|send|write|edit|typing|request)\b", left, re.IGNORECASE)


@pytest.mark.parametrize("first", ["text", "file"])
async def test_a_language_is_said_with_whatever_comes_first(
    page: Page, url: str, first: str
) -> None:
    """A text and a file say in which language their sender is answered."""
    if first == "text":
        await write(page, "Hello there")
    else:
        file = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"some notes"}
        await page.locator("#file").set_input_files(file)  # type: ignore[arg-type]
    await expect(page.locator(".bubble.own")).to_have_count(1)
    async with httpx.AsyncClient(base_url=url) as http:
        (message, *_) = (await http.get("/room/messages?chat=101")).json()
    assert message["from"]["language_code"] == "en"


async def test_odd_requests_to_the_model(page: Page, url: str) -> None:
    """Whatever a program sends to the model, the page shows what it can, and goes on."""
    odd = ["null", "7", '"text"', "no JSON", "[]", "{}", '{"messages": 7}',
           '{"messages": [null, 7, {"text": {}}]}', '{"completionOptions": null}']  # fmt: skip
    async with httpx.AsyncClient(base_url=url) as http:
        for number, body in enumerate(odd, 1):
            await http.post("/foundationModels/v1/completion", content=body)
            await http.post("/room/say", json={"chat": module.GROUP, "user": 101, "text": "hm"})
            await expect(page.locator("#sent-facts")).to_contain_text(f"Request {number},")
    await expect(page.locator("#status")).to_be_empty()


HOSTILE_PAGE = """
<iframe name="frame"></iframe>
<form target="frame" method="post" enctype="text/plain" action="{url}room/say">
  <input name='{{"chat": 1, "user": 1, "text": "form' value='"}}'>
</form>
<form target="frame" method="get" action="{url}bot1:evil/setWebhook">
  <input name="url" value="http://127.0.0.1:1/x">
</form>
<script>
  const url = "{url}", body = JSON.stringify({{chat: 1, user: 1, text: "fetched"}});
  const json = {{"Content-Type": "application/json"}}, read = [];
  const loaded = (tag, src) => new Promise((resolve) => {{
    const how = {{ src, onload: resolve, onerror: resolve }};
    document.body.append(Object.assign(document.createElement(tag), how));
  }});
  const tried = (path, options) => fetch(url + path, options).then(
    async (response) => read.push(await response.text()), () => {{}});
  (async () => {{
    for (const mode of ["cors", "no-cors"]) {{
      await tried("room/say", {{ method: "POST", mode, body }});
      await tried("room/say", {{ method: "POST", mode, body, headers: json }});
      await tried("room/log", {{ mode }});
      await tried("bot1:evil/getMe", {{ mode }});
    }}
    navigator.sendBeacon(url + "room/say", body);
    await loaded("img", url + "bot1:evil/setWebhook?url=http://127.0.0.1:1/x");
    await loaded("script", url + "bot1:evil/getUpdates");
    await loaded("iframe", url);
    for (const form of document.forms) {{
      form.submit();
      await new Promise((resolve) => (document.querySelector("iframe").onload = resolve));
    }}
    document.title = "done " + read.join("");
  }})();
</script>
"""


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "example.org"])
async def test_other_websites(
    browser: Browser, capsys: pytest.CaptureFixture[str], host: str
) -> None:
    """A page of another origin, of the same site or not, reads nothing and changes nothing."""
    async with (
        started(capsys, "--no-bot") as url,
        serving(Starlette(routes=[routing.Route("/", hostile(url))]), "127.0.0.1", 0) as elsewhere,
        httpx.AsyncClient(base_url=url) as http,
    ):
        before = (await http.get("/room/chats")).json()
        tab = await browser.new_page()
        await tab.goto(elsewhere.replace("127.0.0.1", host))
        await tab.wait_for_function("document.title.startsWith('done')")
        assert (await tab.title()).strip() == "done"
        assert (await http.get("/room/chats")).json() == before
        assert (await http.get("/room/log")).json()["calls"] == []
        assert (
            await http.get("/bot2:mine/getMe")
        ).status_code == 200  # the first to ask is the bot


def hostile(url: str) -> Callable[[requests.Request], Awaitable[HTMLResponse]]:
    async def page(_: requests.Request) -> HTMLResponse:
        return HTMLResponse(HOSTILE_PAGE.format(url=url))

    return page


async def test_a_name_that_leads_here(browser: Browser, url: str) -> None:
    """A foreign name that resolves to this machine shows nothing of the demo."""
    tab = await browser.new_page()
    for path in ("", "room/log", "about.json"):
        answer = await tab.goto(url.replace("127.0.0.1", "example.org") + path)
        assert answer
        assert answer.status == 403
        assert "not served under this name" in await answer.text()
