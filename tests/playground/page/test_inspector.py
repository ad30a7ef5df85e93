"""The inspector at the right: what happened inside for each answer, as people read it."""

import json
import re

import httpx
import pytest
from playwright.async_api import Locator, Page, expect

from bot.playground.furniture import ANNA
from tests.playground.page.conftest import Chat, Tab, say

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror='document.title=`pwned`'> \u202e it's \"$HOME\" `id`"


@pytest.fixture(autouse=True)
def _open(chat: Chat) -> Page:
    """The inspector is the first panel, and open on a wide screen."""
    return chat.page


async def opened(page: Page, name: str) -> Locator:
    """Open a section, unless it is open."""
    section = page.locator(f"#section-{name}")
    if await section.get_attribute("open") is None:
        await section.locator("> summary").click()
    await expect(section.locator(".section-content > *").first).to_be_visible()
    return section


ALL_OVER = """async () => {
  const answers = `demo/answers?chat=${location.hash.slice(1)}&since=-1&wait=0`;
  return (await (await fetch(answers)).json()).answers.every(({ over }) => over);
}"""


async def asked(chat: Chat, *texts: str) -> Page:
    """Ask, and wait until all is over: before that, what comes next begins late."""
    for count, text in enumerate(texts, 1):
        await chat.write(text)
        await expect(chat.answers).to_have_count(count)
        await expect(chat.page.locator(".timeline-entry.is-asked")).to_have_count(count)
        await chat.page.wait_for_function(ALL_OVER)
    return chat.page


async def test_an_answer_from_inside(chat: Chat) -> None:
    """Its request, the answer as it came, tokens, times, the history, the calls and the lane."""
    await expect(chat.page.get_by_text("Nothing yet.")).to_be_visible()
    page = await asked(chat, "Hello there")
    entry = page.locator(".timeline-entry")
    await expect(entry).to_contain_text("Hello there")
    await expect(entry).to_contain_text("tokens")
    times = await opened(page, "times")
    for name in ("First words", "In all", "Request", "Answer"):
        await expect(times).to_contain_text(name)
    await expect(times).to_contain_text("HTTP 200, complete")
    request = await opened(page, "request")
    shown = await request.get_by_role("group", name="Request").inner_text()
    roles = [message["role"] for message in json.loads(shown)["messages"]]
    assert roles == ["system", "user"]
    await expect(request.locator(".role-user")).to_have_text('"user"')
    await request.get_by_text("As a curl line").click()
    line = request.get_by_role("group", name="As a curl line")
    await expect(line).to_contain_text("Api-Key $API_KEY")
    answer = await opened(page, "answer")
    await expect(answer.locator("li").last).to_contain_text("ALTERNATIVE_STATUS_FINAL")
    left_out = await opened(page, "left-out")
    await expect(left_out).to_contain_text("There was no history yet.")
    history = await opened(page, "history")
    await expect(history).to_contain_text("0 → 2 entries")
    await expect(history.locator(".is-added .entry-role")).to_have_text(["user", "assistant"])
    calls = await opened(page, "calls")
    methods = calls.locator(".call-method")
    await expect(methods.first).to_have_text("getUpdates")
    await expect(methods.filter(has_text="sendMessage")).to_have_count(1)
    await calls.locator(".call", has_text="sendMessage").locator("summary").click()
    await expect(calls.get_by_role("group", name="Parameters")).to_contain_text('"chat_id": 101')
    lane = await opened(page, "lane")
    await expect(lane.locator(".step").last).to_contain_text("done")


async def test_an_earlier_answer_stays_chosen(chat: Chat) -> None:
    """Until one goes back to the newest; what is open stays open, after a reload, too."""
    page = await asked(chat, "one", "two")
    history = await opened(page, "history")
    await expect(history).to_contain_text("2 → 4 entries")
    await page.get_by_role("button", name="one").click()
    await expect(page.get_by_role("heading", name="Answer 1")).to_be_visible()
    await expect(history).to_contain_text("0 → 2 entries")
    await chat.write("three")
    await expect(page.locator(".timeline-entry.is-asked")).to_have_count(3)
    await expect(page.get_by_role("heading", name="Answer 1")).to_be_visible()
    await page.get_by_role("button", name="Newest").click()
    await expect(page.get_by_role("heading", name="Answer 3")).to_be_visible()
    await page.reload()
    await expect(history).to_contain_text("4 → 6 entries")
    await expect(history.locator(".entry-role").first).to_be_visible()


async def test_two_requests_compared(chat: Chat) -> None:
    """Lines that only one of them has are marked, and equal ones far from them are left out."""
    page = await asked(chat, "one", "two", "/retry")
    await page.get_by_label("Compare with").select_option(label="1 · one")
    compared = page.locator("#section-compared")
    await expect(compared).to_contain_text("Requests 1 and 3 compared")
    added = compared.locator(".is-added .diff-text")
    await expect(added.filter(has_text='"text": "two"')).to_have_count(1)
    await expect(compared.locator(".is-removed")).to_have_count(0)
    await expect(compared.locator(".lines-gap").first).to_contain_text("equal lines")
    replaced = await opened(page, "left-out")
    await expect(replaced).to_contain_text("The last 2 messages are being replaced")
    history = await opened(page, "history")
    await expect(history.locator(".not-sent")).to_have_text(["replaced", "replaced"])
    await page.get_by_label("Compare with").select_option(label="nothing")
    await expect(compared).to_have_count(0)


async def test_from_a_message_to_its_answer_and_back(chat: Chat) -> None:
    """The menu of the bot's message leads into the inspector, and that leads to the message."""
    page = await asked(chat, "one", "two")
    await page.get_by_role("button", name="Close").click()
    await chat.act("You said: one", "Look inside")
    await expect(page.get_by_role("heading", name="Answer 1")).to_be_visible()
    await page.get_by_role("button", name="Show in the chat").click()
    await expect(page.locator(":focus")).to_contain_text("You said: one")


async def test_each_chat_has_its_own(chat: Chat, room: httpx.AsyncClient) -> None:
    """What others ask is seen in their chats alone; a topic of a forum is a chat of its own."""
    page = await asked(chat, "mine")
    await say(room, "Boris asks", user=102)
    await chat.be("Boris")
    await expect(page.locator(".timeline-text")).to_have_text(["Boris asks"])
    await chat.be("Anna")
    await expect(page.locator(".timeline-text")).to_have_text(["mine"])


async def test_what_people_write_is_text(chat: Chat) -> None:
    """Wherever it is shown; and a shell reads from the line what was sent."""
    page = await asked(chat, HOSTILE)
    for name in ("request", "answer", "history", "calls"):
        await opened(page, name)
    for call in await page.locator(".call-line").all():
        await call.click()
    await expect(page.locator("#panel img")).to_have_count(0)
    assert await page.title() != "pwned"
    assert "onerror" in await page.locator("#section-request pre").first.inner_text()


async def test_the_keyboard_is_enough(chat: Chat) -> None:
    """An earlier answer is chosen and a section opened without a mouse; the focus stays."""
    page = await asked(chat, "one", "two")
    await page.locator(".timeline-button").last.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Answer 1")).to_be_visible()
    await expect(page.locator(".timeline-button").last).to_be_focused()
    summary = page.locator("#section-lane > summary")
    await summary.focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("#section-lane .step").last).to_contain_text("done")
    await expect(summary).to_be_focused()


async def test_while_it_is_answered(chat: Chat) -> None:
    """A growing answer is in work, and what is open of it stays open."""
    page = chat.page
    await chat.write("slowly please")
    await expect(page.locator(".timeline-entry.is-going")).to_be_visible()
    calls = await opened(page, "calls")
    await calls.locator(".call", has_text="sendMessage").locator("summary").click()
    region = calls.get_by_role("group", name="Parameters")
    await expect(region).to_contain_text("101")
    count = await calls.locator(".call").count()
    await expect(calls.locator(".call").nth(count)).to_be_visible()
    await expect(region).to_contain_text("101")
    lane = await opened(page, "lane")
    await expect(lane).to_contain_text(re.compile("in work at "))
    await chat.key("Stop").first.click()
    await expect(page.locator(".timeline-entry.is-failed")).to_contain_text("the bot went away")


async def test_in_russian_on_a_phone(tab: Tab, url: str, room: httpx.AsyncClient) -> None:
    """Everything has its words, and nothing is wider than the screen."""
    await say(room, "привет", user=ANNA.id)
    screen = {"width": 390, "height": 844}
    async with tab(url, viewport=screen, locale="ru-RU", has_touch=True) as other:
        page = other.page
        await page.get_by_role("link", name="Demo").click()
        await page.get_by_role("button", name="Заглянуть внутрь").click()
        await expect(page.get_by_text("Токены и время")).to_be_visible()
        await expect(page.locator(".timeline-entry.is-asked")).to_be_visible()
        for name in ("times", "request", "answer", "left-out", "history", "calls", "lane"):
            await opened(page, name)
        await expect(page.locator("#section-lane .step").last).to_contain_text("готово")
        detail = page.locator(".inspector-detail")
        assert await detail.evaluate("it => it.scrollWidth <= it.clientWidth")
