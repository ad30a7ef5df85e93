"""How the page looks: nothing that axe-core finds, on any screen, and pictures of it all.

``make screenshots`` writes the pictures into a folder, to be looked at.
"""

import os
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Page, expect

from bot.playground.furniture import FORUM, GROUP
from tests.playground.page.conftest import Chat, Model, Tab, say

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / "node" / "node_modules" / "axe-core" / "axe.min.js"
WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"viewport": WIDE, "color_scheme": "light"},
    "dark": {"viewport": WIDE, "color_scheme": "dark"},
    "phone": {"viewport": PHONE, "color_scheme": "light", "has_touch": True},
    "phone-dark": {"viewport": PHONE, "color_scheme": "dark", "has_touch": True},
}


async def talk(room: httpx.AsyncClient) -> None:
    """Let people and the bot talk, so that there is something of everything."""
    anna, boris, clara = 101, 102, 103
    await say(room, "Who is coming on Saturday?", boris, chat=GROUP)
    first = await say(room, "I am! Shall we ask the bot where to go?", clara, chat=GROUP)
    await say(room, "@demo_bot Name a good place.", anna, chat=GROUP, language="en")
    await say(room, "Good idea", boris, chat=GROUP, reply_to=first["message_id"])
    for kind in ("photo", "voice", "sticker", "dice"):
        await room.post("media", json={"chat": GROUP, "user": clara, "kind": kind})
    await say(room, "What about a dark theme?", boris, chat=FORUM, topic=2)
    await say(room, "/help", anna, language="en")
    await say(room, "/settings", anna, language="en")


KNOWN = {
    "picnic": "Try the old orchard by the river: shade, a lawn for games, and a café nearby.",
    "pack": "**For a picnic of three:**\n\n1. Bread, cheese and fruit\n2. A blanket\n3. Water\n\n"
    "> Take the bags with you afterwards.",
    "Python": "Count the days with `datetime`:\n\n```python\nfrom datetime import date\n\n"
    "left = date(2027, 5, 1) - date.today()\nprint(left.days)\n```\n\nIt prints a *whole* number.",
}


async def picnic(room: httpx.AsyncClient) -> None:
    """Let people plan a picnic, and ask the bot in the group and in private."""
    anna, boris, clara = 101, 102, 103
    await say(room, "The first drafts are in the folder", clara, chat=FORUM, topic=2)
    await say(room, "Who is coming on Saturday?", boris, chat=GROUP)
    first = await say(room, "I am! Where shall we go?", clara, chat=GROUP)
    await say(room, "Somewhere green", boris, chat=GROUP, reply_to=first["message_id"])
    for who, text in (
        (anna, "Where is a good place for a picnic?"),
        (clara, "What shall we pack?"),
    ):
        await say(room, f"@demo_bot {text}", who, chat=GROUP, language="en")
    question = "How many days are left until May, in Python?"
    await say(room, question, anna, language="en")


async def test_pictures(tab: Tab, url: str, room: httpx.AsyncClient, model: Model) -> None:
    """Are written for whoever wants to look: light, dark, phone, the inspector, the faults."""
    folder = os.environ.get("SCREENSHOTS")
    if not folder:
        pytest.skip("SCREENSHOTS names no folder")
    model.known = KNOWN
    await picnic(room)
    wide = {"width": 1440, "height": 900}
    for name, place, panel, look in (
        ("light", f"101/{GROUP}", "", {"viewport": wide}),
        ("dark", "101/101", "", {"viewport": wide, "color_scheme": "dark"}),
        ("phone", f"101/{GROUP}", "", {"viewport": PHONE, "has_touch": True}),
        ("inspector", f"101/{GROUP}", "Inspector", {"viewport": wide}),
        ("faults", "101/101", "Faults", {"viewport": wide, "color_scheme": "dark"}),
    ):
        async with tab(f"{url}#{place}", **look) as chat:
            await expect(chat.answers.last).to_be_visible()
            aside = chat.page.get_by_role("complementary")
            if panel:
                await aside.get_by_role("tab", name=panel).click()
            elif await aside.is_visible():
                await aside.get_by_role("button", name="Close").click()
            await chat.page.wait_for_timeout(500)
            await chat.page.screenshot(path=Path(folder) / f"{name}.png")


STILL = """() => Promise.all(document.getAnimations()
    .filter((each) => each.effect.getComputedTiming().endTime !== Infinity)
    .map((each) => each.finished))"""
"""Waits for what moves or fades in, but not for what never ends: it has no contrast meanwhile."""


async def findings(page: Page) -> list[str]:
    """What axe-core finds, of any severity."""
    if not AXE.exists():
        if os.environ.get("CI") == "true":
            pytest.fail("axe-core is not installed, and CI must not skip it")
        pytest.skip("NOT TESTED: axe-core is not installed (npm ci in tests/node)")
    await page.evaluate(AXE.read_text())  # the page's own policy lets in no script tag
    found = await page.evaluate("axe.run({ resultTypes: ['violations'] })")
    return [
        f"{one['id']}: {node['html']}: {node['failureSummary']}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


@pytest.mark.parametrize("look", LOOKS)
async def test_what_axe_finds(tab: Tab, url: str, room: httpx.AsyncClient, look: str) -> None:
    """Nothing: in the private chat, in the group, in the list, in menus and dialogs."""
    await talk(room)
    folder = os.environ.get("SCREENSHOTS")

    async def check(chat: Chat, name: str) -> None:
        await chat.page.evaluate(STILL)
        if folder:
            await chat.page.screenshot(path=Path(folder) / f"{look}-{name}.png")
        assert await findings(chat.page) == [], name

    async with tab(f"{url}#101/{GROUP}", **LOOKS[look]) as chat:
        await expect(chat.answers).to_contain_text("a good place")
        await check(chat, "group")
        await chat.bubbles("Good idea").click(button="right")
        await expect(chat.page.get_by_role("menuitem", name="Reply")).to_be_visible()
        await check(chat, "menu")
        await chat.page.get_by_role("menuitem", name="Reply").click()
        await chat.page.get_by_role("textbox", name="Message").fill("@")
        await expect(chat.page.get_by_role("option").first).to_be_visible()
        await check(chat, "mention")
    async with tab(f"{url}#101/101", **LOOKS[look]) as chat:
        await expect(chat.answers).to_have_count(2)
        await check(chat, "private")
        await chat.page.get_by_role("button", name="Commands").click()
        await expect(chat.page.get_by_role("option").first).to_be_visible()
        await check(chat, "commands")
    async with tab(f"{url}#103", **LOOKS[look]) as chat:
        await expect(chat.page.get_by_role("link", name="Friends group")).to_be_visible()
        await check(chat, "list")
        await chat.page.get_by_role("button", name="Menu").click()
        await expect(chat.page.get_by_role("dialog")).to_be_visible()
        await check(chat, "dialog")


@pytest.mark.parametrize("width", [360, 390, 720, 1100, 1920])
async def test_nothing_needs_sideways_scrolling(
    tab: Tab, url: str, room: httpx.AsyncClient, width: int
) -> None:
    """At any width everything fits, long words and code too."""
    await say(room, "w" * 300 + " https://example.org/" + "a" * 200)
    place = f"{url}#101/101"
    async with tab(place, viewport={"width": width, "height": 700}) as chat:
        await expect(chat.answers).to_have_count(1)
        assert await chat.page.evaluate("document.documentElement.scrollWidth") == width
        field = chat.page.get_by_role("textbox", name="Message")
        box = await field.bounding_box()
        assert box
        assert box["width"] > 150


async def test_a_phone_has_one_screen_at_a_time(tab: Tab, url: str) -> None:
    """The list, then the chat, and back; what is inside slides over it."""
    async with tab(url, viewport=PHONE, has_touch=True) as chat:
        page = chat.page
        field = page.get_by_role("textbox", name="Message")
        await page.get_by_role("link", name="Friends group").click()
        await expect(field).to_be_visible()
        await expect(page.get_by_role("link", name="Friends group")).to_be_hidden()
        bar = await page.locator(".chat-bar").bounding_box()
        assert bar
        assert bar["height"] < PHONE["height"] / 10
        await page.get_by_role("button", name="Look inside").click()
        await expect(page.get_by_role("tabpanel")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("tabpanel")).to_be_hidden()
        await page.get_by_role("button", name="Back to the chats").click()
        await expect(page.get_by_role("link", name="Friends group")).to_be_visible()
        await expect(field).to_be_hidden()


async def test_targets_are_large_enough(tab: Tab, url: str, room: httpx.AsyncClient) -> None:
    """Nothing that is pressed is smaller than 24 pixels, or 44 on a phone's bars."""
    await talk(room)
    async with tab(f"{url}#101/{GROUP}", viewport=PHONE, has_touch=True, is_mobile=True) as chat:
        await expect(chat.answers).to_contain_text("a good place")
        small = await chat.page.evaluate(
            """() => [...document.querySelectorAll("button, a, input, textarea")]
                .filter((made) => made.checkVisibility() && !made.closest(".text"))
                .map((made) => [made, made.getBoundingClientRect()])
                .filter(([made, { width, height }]) => Math.min(width, height)
                    < (made.closest(".chat-bar, .compose") && made.matches("button") ? 40 : 24))
                .map(([made, { width, height }]) => `${made.outerHTML} ${width}x${height}`)"""
        )
        assert small == []


async def test_the_systems_own_colours(tab: Tab, url: str, room: httpx.AsyncClient) -> None:
    """Where they take the place of the page's, lines show bubbles, buttons and what is chosen."""
    await say(room, "hi")
    async with tab(url, forced_colors="active") as chat:
        chosen = chat.page.locator(".chat-item[aria-current]")
        for shown in (chat.bubbles("hi").first, chat.page.locator("#send"), chosen):
            await expect(shown).to_have_css("outline-style", "solid")


async def test_a_theme_is_chosen(chat: Chat) -> None:
    """It overrules the system's, and is kept."""
    page = chat.page
    ground = "getComputedStyle(document.body).backgroundColor"
    light = await page.evaluate(ground)
    await page.get_by_role("button", name="Menu").click()
    await page.get_by_role("radio", name="Dark").check()
    assert await page.evaluate(ground) != light
    await page.reload()
    assert await page.evaluate(ground) != light
    await page.get_by_role("button", name="Menu").click()
    await page.get_by_role("radio", name="As the system").check()
    assert await page.evaluate(ground) == light
