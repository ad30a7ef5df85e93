"""What is made to fail on the page is seen there, and healed; settings are changed there."""

import re

import httpx
import pytest
from playwright.async_api import Locator, expect

from bot.playground import demo as module
from bot.playground.furniture import BORIS
from handlers.texts import ENGLISH
from tests.playground.page.conftest import Chat, Model, Start, Tab, say
from tests.playground.page.test_look import LOOKS, findings

pytestmark = pytest.mark.browser


async def open_panel(chat: Chat, name: str) -> Locator:
    """Open a panel at the right."""
    await chat.page.get_by_role("tab", name=name).click()
    return chat.page.get_by_role("tabpanel")


def mark(chat: Chat) -> Locator:
    """What the head says of faults, which heals them."""
    return chat.page.get_by_role("button", name=re.compile("^Fault: "))


async def test_a_fault_is_set_and_healed(chat: Chat) -> None:
    """The head says what is set to fail, and heals it; what was asked meanwhile is answered."""
    panel = await open_panel(chat, "Faults")
    await expect(mark(chat)).to_have_count(0)
    await panel.get_by_label("The model").select_option("refuses")
    await panel.get_by_label("With status").select_option("429")
    await panel.get_by_label("Telegram").select_option("slow")
    await panel.get_by_label("Seconds").fill("0.5")
    await panel.get_by_label("Seconds").press("Enter")
    await expect(mark(chat)).to_contain_text("The model refuses")
    await expect(mark(chat)).to_contain_text("Telegram slow")
    await chat.write("Hello there")
    await expect(chat.bubbles("Hello there")).to_be_visible()
    await mark(chat).click()
    await expect(mark(chat)).to_have_count(0)
    await expect(panel.get_by_label("The model")).to_have_value("")
    await expect(panel.get_by_label("Telegram")).to_have_value("")
    await expect(chat.answers).to_contain_text("You said: Hello there")


async def test_what_is_wrong_is_said(chat: Chat) -> None:
    """A value that the demo refuses stays in its field, with the reason."""
    panel = await open_panel(chat, "Faults")
    await panel.get_by_label("Telegram").select_option("says: too many requests")
    await panel.get_by_label("Try again after").fill("99999")
    await panel.get_by_label("Try again after").press("Enter")
    await expect(panel.get_by_role("alert")).to_contain_text("from 1 to 3600")


async def test_a_killed_worker(chat: Chat, model: Model) -> None:
    """Nobody works any more; healed, a new worker takes over what the killed one had begun."""
    panel = await open_panel(chat, "Faults")
    await chat.write("Count slowly")
    await expect(chat.answers).to_contain_text("word3 ")
    await panel.get_by_role("button", name="Kill").click()
    await expect(panel.get_by_text("was killed")).to_be_visible()
    await expect(mark(chat)).to_contain_text("no worker")
    model.released.set()
    await panel.get_by_role("button", name="Heal everything").click()
    await expect(mark(chat)).to_have_count(0)
    await expect(chat.key(ENGLISH.button_again)).to_be_visible(timeout=60_000)
    await expect(chat.answers).to_have_count(1)


async def test_a_frozen_worker(chat: Chat) -> None:
    """It answers once it is thawed."""
    panel = await open_panel(chat, "Faults")
    await panel.get_by_role("button", name="Freeze").click()
    await expect(mark(chat)).to_contain_text("a worker is frozen")
    await chat.write("Hello there")
    await expect(chat.bubbles("Hello there")).to_be_visible()
    await panel.get_by_role("button", name="Thaw").click()
    await expect(mark(chat)).to_have_count(0)
    await expect(chat.answers).to_contain_text("You said: Hello there", timeout=60_000)


async def test_a_second_worker(chat: Chat) -> None:
    panel = await open_panel(chat, "Faults")
    await panel.get_by_role("button", name="Start a worker").click()
    await expect(panel.get_by_role("listitem").filter(has_text="works")).to_have_count(2)
    await panel.get_by_role("button", name="End").first.click()
    await expect(panel.get_by_role("listitem").filter(has_text="works")).to_have_count(1)
    await chat.write("Hello there")
    await expect(chat.answers).to_contain_text("You said: Hello there")


async def test_settings_are_changed(chat: Chat) -> None:
    """The next question goes to the model with them; wrong ones are refused with the reason."""
    panel = await open_panel(chat, "Settings")
    await expect(panel).to_contain_text("Model: SmolLM2")
    await panel.get_by_label("System prompt").fill("Be brief.")
    await panel.get_by_label("Longest answer").fill("1000000")
    await panel.get_by_role("button", name="Apply").click()
    await expect(panel.get_by_role("alert")).to_contain_text("MAX_TOKENS")
    await expect(panel.get_by_label("System prompt")).to_have_value("Be brief.")
    await panel.get_by_label("Longest answer").fill("100")
    await panel.get_by_role("button", name="Apply").click()
    await expect(panel.get_by_role("status")).to_contain_text("Applied", timeout=60_000)
    await chat.write("Hello there")
    await expect(chat.answers).to_contain_text("You said: Hello there")
    panel = await open_panel(chat, "Inspector")
    await expect(panel).to_contain_text("Be brief.")
    await expect(panel).to_contain_text('"maxTokens": "100"')


@pytest.fixture
def one_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SLOTS", 1)


@pytest.mark.usefixtures("one_at_once")
async def test_who_waits_for_the_model(chat: Chat, room: httpx.AsyncClient, model: Model) -> None:
    """A question behind another chat's answer is told so, until its own answer begins."""
    await say(room, "Count slowly", BORIS.id)
    while not any(message["from"]["is_bot"] for message in await said(room)):
        await room.get("changes?since=0")
    await chat.write("Hello there")
    await expect(chat.page.get_by_text("The model is busy")).to_contain_text("Yours is next")
    model.released.set()
    await expect(chat.answers).to_contain_text("You said: Hello there")
    await expect(chat.page.get_by_text("The model is busy")).to_have_count(0)


async def said(room: httpx.AsyncClient) -> list[dict[str, dict[str, bool]]]:
    messages: list[dict[str, dict[str, bool]]] = (
        await room.get(f"messages?chat={BORIS.id}")
    ).json()
    return messages


async def test_a_restart_heals(started: Start, tab: Tab) -> None:
    """An open page sees that the demo is another one, in which nothing is set to fail."""
    async with tab() as chat:
        async with started() as url:
            await chat.page.goto(url)
            panel = await open_panel(chat, "Faults")
            await panel.get_by_label("Storage").select_option("cannot be reached")
            await expect(mark(chat)).to_contain_text("Storage cannot be reached")
        await expect(chat.page.get_by_text("The demo does not answer")).to_be_visible()
        address = url.removeprefix("http://").rstrip("/")
        async with started("--listen", address):
            await expect(mark(chat)).to_have_count(0)
            await expect(panel.get_by_label("Storage")).to_have_value("")
            await chat.write("Hello there")
            await expect(chat.answers).to_contain_text("You said: Hello there")


@pytest.mark.parametrize("look", LOOKS)
async def test_what_axe_finds(tab: Tab, url: str, look: str) -> None:
    """Nothing in the panels, nor in what the head says of faults."""
    async with tab(url, **LOOKS[look]) as chat, httpx.AsyncClient(base_url=url, timeout=60) as http:
        faults = {"telegram": {"kind": "slow", "seconds": 1}, "model": {"kind": "cutting"}}
        (await http.post("demo/faults", json=faults)).raise_for_status()
        if "phone" in look:
            await chat.page.get_by_role("link", name="Demo").click()
        await expect(mark(chat)).to_be_visible()
        await expect(chat.page.get_by_role("textbox", name="Message")).to_be_visible()
        assert await findings(chat.page) == []
        for name in ("Faults", "Settings"):
            if await chat.page.locator("#aside").is_hidden():
                await chat.page.get_by_role("button", name="Look inside").click()
            await open_panel(chat, name)
            assert await findings(chat.page) == []
