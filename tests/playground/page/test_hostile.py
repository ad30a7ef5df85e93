"""Hostile texts, names and requests: they are shown, and never run, nor break the page."""

import httpx
import pytest
from playwright.async_api import Route, expect

from bot.playground.furniture import FORUM, GROUP
from tests.playground.page.conftest import Chat, say

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror='document.title=`pwned`'> <script>document.title='pwned'</script>"
BIDI = "\u202ereversed\u202c \u2067isolated\u2069 \u200f\u200e"
NEW_TAB = 'target="_blank" rel="noopener noreferrer"'


async def test_markup_stays_text(chat: Chat) -> None:
    """In messages, in answers, in the list of chats and in what the model got."""
    await chat.write(HOSTILE)
    await expect(chat.answers).to_contain_text("onerror")
    await expect(chat.page.locator(".row.own .text")).to_have_text(HOSTILE)
    await expect(chat.page.get_by_role("tabpanel")).to_contain_text("onerror")
    assert await chat.page.locator("img, body script").count() == 0
    assert await chat.page.title() == "Playground"


async def test_names_stay_names(chat: Chat, room: httpx.AsyncClient) -> None:
    """Of people, chats, topics, files and buttons."""
    for path, given in (
        ("person", {"user": 104, "name": HOSTILE[:60], "username": "mallory"}),
        ("chat", {"chat": GROUP, "kind": "supergroup", "title": HOSTILE}),
        ("open_topic", {"chat": FORUM, "name": HOSTILE}),
        ("say", {"chat": GROUP, "user": 104, "text": f"{BIDI} {HOSTILE}"}),
        ("document", {"chat": GROUP, "user": 104, "name": HOSTILE, "text": "x"}),
    ):
        (await room.post(path, json=given)).raise_for_status()
    await chat.open(HOSTILE)
    await expect(chat.page.locator(".file-name")).to_have_text(HOSTILE)
    await chat.open("Team forum")
    await expect(chat.page.get_by_role("navigation", name="Topics")).to_contain_text("onerror")
    assert await chat.page.locator("img, body script").count() == 0
    assert await chat.page.title() == "Playground"


async def test_marks_of_direction_end_with_their_text(chat: Chat, room: httpx.AsyncClient) -> None:
    """What turns a text around turns neither its time nor its neighbours around."""
    await say(room, f"/nothing {BIDI}\u202e unclosed")
    row = chat.bubbles("unclosed").first
    text = await row.locator(".text").bounding_box()
    time = await row.locator("time").bounding_box()
    assert text
    assert time
    assert time["x"] > text["x"]
    assert await row.locator(".text").get_attribute("dir") == "auto"


async def test_entities_by_utf16_offsets(chat: Chat) -> None:
    """Emoji count two units; nested, broken and dangerous entities neither break nor run."""
    html = await chat.page.evaluate(
        """async () => {
            const { formatted } = await import("/chat/entities.js");
            const link = (url) => ({ type: "text_link", offset: 10, length: 4, url });
            const shown = (...entities) => {
                const made = document.createElement("p");
                made.append(...formatted("😀 bold & link", entities));
                return made.innerHTML;
            };
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


async def test_entities_as_telegram_shows_them(chat: Chat) -> None:
    """Spoilers and long quotes open, code is copied, quotes are set off."""
    page = chat.page
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    quote = "a long quotation " * 20
    text = f"secret\n{quote}\nx = 1"
    entities = [
        {"type": "spoiler", "offset": 0, "length": 6},
        {"type": "expandable_blockquote", "offset": 7, "length": len(quote)},
        {"type": "pre", "offset": 8 + len(quote), "length": 5, "language": "python"},
    ]
    await page.evaluate(
        """async ([text, entities]) => {
            const { formatted } = await import("/chat/entities.js");
            const { copy } = await import("/chat/actions.js");
            const made = Object.assign(document.createElement("div"), { className: "text" });
            made.append(...formatted(text, entities, { id: "x", copy }));
            document.querySelector("#messages").append(made);
        }""",
        [text, entities],
    )
    hidden = page.get_by_role("button", name="Hidden text")
    await hidden.press("Enter")
    await expect(hidden).to_have_count(0)
    toggle = page.get_by_role("button", name="Show all")
    before = await page.locator(".quote-body").bounding_box()
    await toggle.click()
    await expect(toggle).to_have_attribute("aria-expanded", "true")
    after = await page.locator(".quote-body").bounding_box()
    assert before
    assert after
    assert after["height"] > before["height"]
    await page.locator(".code").get_by_role("button", name="Copy text").click()
    await expect(page.locator(".toast")).to_have_text("Copied")
    assert await page.evaluate("navigator.clipboard.readText()") == "x = 1"


async def test_odd_requests_to_the_model(chat: Chat, url: str) -> None:
    """Whatever a program sends to the model, the page shows what it can, and goes on."""
    odd = ["null", "7", '"text"', "no JSON", "[]", "{}", '{"messages": 7}',
           '{"messages": [null, 7, {"text": {}}]}', '{"completionOptions": null}']  # fmt: skip
    async with httpx.AsyncClient(base_url=url, timeout=60) as http:
        for body in odd:
            await http.post("/foundationModels/v1/completion", content=body)
    await chat.write("/nothing")
    await expect(chat.bubbles("/nothing").first).to_be_visible()
    await expect(chat.page.locator("#away")).to_be_empty()


async def test_a_badly_shaped_message_stands_alone(chat: Chat, room: httpx.AsyncClient) -> None:
    """What cannot be drawn has a plain line; the others, and the list of chats, are there."""

    async def misshape(route: Route) -> None:
        news = await (await route.fetch()).json()
        for message in [*news["messages"], *(each["last"] for each in news["chats"])]:
            if message and message.get("text") == "/nothing odd":
                message["forward_origin"] = {"type": "chat", "sender_chat": 5}
            of_bot = message and message["from"]["is_bot"]  # its answer may be the last by now
            if message and (of_bot or message.get("text") == "/nothing odder"):
                message.pop("text", None)
                message["new_chat_members"] = 5
        await route.fulfill(json=news)

    await chat.page.route("**/room/news?*", misshape)
    await say(room, "/nothing before")
    await expect(chat.bubbles("/nothing before")).to_be_visible()
    for text in ("/nothing odd", "/nothing odder", "/nothing after"):
        await say(room, text)
    await expect(chat.bubbles("/nothing after")).to_be_visible()
    await expect(chat.bubbles("/nothing before")).to_be_visible()
    await expect(chat.page.get_by_role("region", name="Messages")).to_contain_text(
        "cannot be shown"
    )
    await say(room, "/nothing odder")
    await expect(chat.page.get_by_role("link", name="Demo")).to_contain_text("cannot be shown")
    await chat.page.unroute_all(behavior="ignoreErrors")
