"""Several windows, and a demo that goes away and comes back."""

import asyncio

import httpx
import pytest
from playwright.async_api import Browser, Request, Route, expect

from bot.playground.furniture import GROUP
from tests.playground.page.conftest import Chat, Model, Start, Tab, say

pytestmark = pytest.mark.browser


async def test_two_windows(tab: Tab, url: str, model: Model) -> None:
    """Two people talk, each in a window; both see the answer grow, and each other's words."""
    async with tab(f"{url}#101/{GROUP}") as anna, tab(f"{url}#102/{GROUP}") as boris:
        await anna.write("@demo_bot Count slowly")
        for window in (anna, boris):
            await expect(window.answers).to_contain_text("word3 ")
        await boris.write("Nice")
        await expect(anna.bubbles("Nice").locator(".author")).to_have_text("Boris")
        model.released.set()


async def test_many_windows_of_one_browser(browser: Browser, url: str) -> None:
    """It has six connections for all of them; each window leaves enough to the others."""
    windows = await browser.new_context(viewport={"width": 1280, "height": 800})
    for person, place in ((101, 101), (102, 102), (103, 103), (101, GROUP), (102, GROUP)):
        page = await windows.new_page()
        await page.goto(f"{url}#{person}/{place}")
        await expect(page.locator("#aside")).to_be_visible()
    await Chat(page).write("Anybody here?")
    await expect(Chat(page).bubbles("Anybody here?")).to_be_visible()


async def test_a_window_that_nobody_sees(tab: Tab, url: str, room: httpx.AsyncClient) -> None:
    """It asks for nothing, and catches up as soon as it is seen again."""
    async with tab(url) as hidden, tab(url) as seen:
        await hidden.page.evaluate(
            "Object.defineProperty(document, 'hidden', { configurable: true, value: true })"
        )
        await say(room, "/nothing 1")
        await expect(hidden.bubbles("/nothing 1")).to_be_visible()  # for which it has asked before
        for number in (2, 3):
            await say(room, f"/nothing {number}")
            await expect(seen.bubbles(f"/nothing {number}")).to_be_visible()
        await expect(seen.answers).to_have_count(3)
        assert await hidden.bubbles("/nothing 3").count() == 0
        await hidden.page.evaluate("delete document.hidden")
        await expect(hidden.bubbles("/nothing 3")).to_be_visible()


async def test_the_demo_is_started_again(tab: Tab, started: Start) -> None:
    """The same tab says that the demo is away, and goes on with the new one by itself."""
    async with tab() as chat:
        async with started() as url:
            await chat.page.goto(url)
            await chat.write("Hello there")
            await expect(chat.answers).to_contain_text("Hello there")
        await expect(chat.page.locator("#away")).to_contain_text("does not answer")
        await chat.write("Is anybody there?")
        await expect(chat.page.locator("#refused")).to_contain_text("does not answer")
        await expect(chat.page.locator("#text")).to_have_value("Is anybody there?")
        async with started("--listen", url.removeprefix("http://").strip("/")):
            await expect(chat.page.locator(".welcome")).to_be_visible()
            await expect(chat.page.locator("#away")).to_be_empty()
            await expect(chat.page.locator("#text")).to_have_value("Is anybody there?")
            await chat.page.reload()
            await expect(chat.page.locator("#text")).to_have_value("Is anybody there?")
            assert await chat.page.evaluate("Object.keys(sessionStorage)") == ["draft 101/101/0"]
            await chat.write("And now?")
            await expect(chat.answers).to_contain_text("And now?")


async def test_a_restart_that_the_page_slept_through(tab: Tab, started: Start) -> None:
    """Where no request of the page failed meanwhile, it sees by the first answer what happened."""
    asleep, awake = asyncio.Event(), asyncio.Event()

    async def sleep(route: Route) -> None:
        asleep.set()
        await awake.wait()
        await route.continue_()

    async with tab() as chat:
        async with started() as url:
            await chat.page.goto(url)
            await chat.write("Hello there")
            await expect(chat.answers).to_contain_text("Hello there")
            await chat.page.route("**/room/news?*", sleep)
            async with httpx.AsyncClient(base_url=url + "room/", timeout=60) as http:
                await say(http, "/help")
            await asleep.wait()
        async with started("--listen", url.removeprefix("http://").strip("/")):
            awake.set()
            await expect(chat.page.locator(".welcome")).to_be_visible()


async def test_a_long_dialogue_costs_no_more(chat: Chat, room: httpx.AsyncClient) -> None:
    """What is fetched for a message does not grow with what was said before."""
    fetched: list[Request] = []

    def keep(request: Request) -> None:
        fetched.append(request)

    await chat.open("Friends group")
    chat.page.on("requestfinished", keep)
    costs = []
    for number in range(12):
        await say(room, f"Number {number}: " + "words " * 300, chat=GROUP, user=101)
        await expect(chat.bubbles(f"Number {number}: ")).to_have_count(1)
        sizes = [await request.sizes() for request in fetched if "/room/news" in request.url]
        costs.append(sum(size["responseBodySize"] for size in sizes))
        fetched.clear()
    assert sum(costs) > 12 * 1800  # bytes: what was said
    assert sum(costs[-4:]) < 2 * sum(costs[:4])


@pytest.mark.slow
async def test_a_page_that_has_seen_six_hundred_answers(
    chat: Chat, room: httpx.AsyncClient
) -> None:
    """It holds no more memory than some times a fresh one, and answers keys at once."""
    page = chat.page
    await chat.open("Friends group")
    session = await page.context.new_cdp_session(page)

    async def held() -> tuple[float, float]:
        await session.send("HeapProfiler.collectGarbage")
        found = await session.send("Runtime.getHeapUsage")
        counts = await session.send("Memory.getDOMCounters")
        return found["usedSize"], counts["nodes"]

    for number in range(60):
        await say(room, f"{number}: " + "words " * 100, chat=GROUP, user=102)
    await expect(chat.bubbles("59: ")).to_have_count(1)
    memory, nodes = await held()
    for number in range(60, 660):
        await say(room, f"{number}: " + "words " * 100, chat=GROUP, user=102)
    await expect(chat.bubbles("659: ")).to_have_count(1)
    more, more_nodes = await held()
    assert await page.locator("#messages .row").count() < 300
    assert more < 5 * memory
    assert more_nodes < 8 * nodes
    await page.get_by_role("textbox", name="Message").press_sequentially("still quick")
    await expect(page.get_by_role("textbox", name="Message")).to_have_value("still quick")
