"""The world at hand: what it tells, and the panel that changes it, in a real browser."""

import os
import shutil
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import ConsoleMessage, Locator, Page, async_playwright, expect

from bot.playground.demo import _Silent, application
from bot.playground.furniture import ANNA, BORIS, CLARA, FORUM, GROUP
from bot.playground.telegram.member import Status, member
from bot.playground.telegram.room import Room
from bot.playground.telegram.world import world
from bot.playground.yandex.completion import CompletionServer
from bot.web import serving

CHROMIUM = shutil.which("chromium")
expect.set_options(timeout=60_000)
FACTS = {"bot": False, "model": "missing", "about": "Nothing runs.", "unasked": "Nothing."}


@pytest.fixture
def room() -> Room:
    return Room("42:AAtoken")


@pytest.fixture
async def url(room: Room) -> AsyncIterator[str]:
    """Serve the room with its page, without a bot."""
    app = application(room, CompletionServer(_Silent("no model")), FACTS, ["127.0.0.1"])
    async with serving(app, "127.0.0.1", 0) as address:
        yield address


@pytest.fixture
async def page(url: str) -> AsyncIterator[Page]:
    """Open the page as Anna, in the group; the test fails when a script in it does."""
    if CHROMIUM is None:
        if os.environ.get("CI") == "true":
            pytest.fail("chromium is not installed, and CI must not skip the page")
        pytest.skip("NOT TESTED: the page needs chromium (apt-get install chromium)")
    errors: list[str] = []

    def heard(line: ConsoleMessage) -> None:
        if line.type == "error" and "status of 400" not in line.text:
            errors.append(line.text)

    async with async_playwright() as playwright:
        flags = ["--headless", "--no-sandbox", "--disable-gpu"]
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=flags, timeout=60_000
        )
        page = await browser.new_page(viewport={"width": 1400, "height": 900}, locale="en-US")
        page.on("console", heard)
        page.on("pageerror", lambda error: errors.append(str(error)))
        await page.goto(f"{url}/#{ANNA.id}/{GROUP}")
        await page.get_by_role("tab", name="World").click()
        await expect(page.get_by_role("heading", name="Who is here")).to_be_visible()
        yield page
        assert errors == []
        await browser.close()


def test_the_world_is_told(room: Room) -> None:
    """Everybody with what they are, all groups with their members, and what can be granted."""
    application(room, CompletionServer(_Silent("")), FACTS, [])
    room.block(BORIS.id)
    room.deactivate(CLARA.id)
    told = world(room)
    states = [(p["first_name"], p["has_blocked"], p["is_deleted"]) for p in told["people"]]
    assert states == [("Anna", False, False), ("Boris", True, False), ("Clara", False, True)]
    forum = next(chat for chat in told["chats"] if chat["id"] == FORUM)
    assert [topic["name"] for topic in forum["topics"]] == ["", "Ideas", "Travel"]
    statuses = [member["status"] for member in forum["members"]]
    assert statuses == ["member", "creator", "member", "member"]
    assert told["privacy"] is False
    assert "can_pin_messages" in told["rights"]["supergroup"]
    assert "can_send_photos" in told["permissions"]


def row_of(page: Page, name: str, where: str = "world-chat") -> Locator:
    return page.locator(f"#{where} details", has=page.locator("summary", has_text=name))


@pytest.mark.browser
async def test_members_rise_and_fall(room: Room, page: Page) -> None:
    """An administrator with chosen rights, a restricted one, somebody banned and let in again."""
    boris = row_of(page, "Boris")
    await boris.locator("summary").click()
    await boris.get_by_role("button", name="Make an admin").click()
    pin = boris.get_by_role("switch", name="Pin messages")
    await expect(pin).to_have_attribute("aria-checked", "true")
    await pin.click()
    await expect(pin).to_have_attribute("aria-checked", "false")
    await expect(pin).to_be_focused()
    member = room.chats[GROUP].member(BORIS.id)
    assert member.has("can_delete_messages")
    assert not member.has("can_pin_messages")
    await boris.get_by_role("switch", name="Writes in the group's name").click()
    await expect(boris.locator("summary")).to_contain_text("anonymous")
    await boris.get_by_role("button", name="Make a member").click()
    await boris.get_by_role("button", name="Restrict").click()
    await boris.get_by_role("switch", name="Send messages").click()
    await expect(boris.get_by_role("switch", name="Send messages")).to_have_attribute(
        "aria-checked", "true"
    )
    assert room.chats[GROUP].member(BORIS.id).granted == {"can_send_messages"}
    await boris.get_by_role("button", name="Lift the restrictions").click()
    await expect(boris.locator("summary")).to_contain_text("member")
    await boris.get_by_role("button", name="Remove and ban").click()
    await expect(boris.locator("summary")).to_contain_text("banned")
    await boris.get_by_role("button", name="Add").click()
    await expect(boris.locator("summary")).to_contain_text("member")
    bot = row_of(page, "Demo")
    await bot.locator("summary").click()
    await bot.get_by_role("button", name="Make an admin").click()
    await expect(bot.locator("summary")).to_contain_text("admin")
    assert room.chats[GROUP].bot.status is Status.ADMINISTRATOR


@pytest.mark.browser
async def test_what_a_group_allows(room: Room, page: Page) -> None:
    """Permissions, slow mode; topics are opened, closed and deleted."""
    allowed = row_of(page, "What members may do")
    await allowed.locator("summary").click()
    await allowed.get_by_role("switch", name="Send photos").click()
    photos = allowed.get_by_role("switch", name="Send photos")
    await expect(photos).to_have_attribute("aria-checked", "false")
    assert "can_send_photos" not in room.chats[GROUP].permissions
    await page.get_by_label("Slow mode").select_option("30")
    await expect(page.locator("select[data-value='30']")).to_be_visible()
    assert room.chats[GROUP].slow_mode == 30
    await page.get_by_label("Name of the topic").fill("Plans")
    await page.keyboard.press("Enter")
    close = page.get_by_role("button", name="Close: Plans")
    await close.click()
    await page.get_by_role("button", name="Open again: Plans").click()
    await expect(close).to_be_visible()
    (topic,) = room.chats[GROUP].topics
    await page.get_by_role("button", name="Delete: Plans").click()
    await expect(close).to_have_count(0)
    assert topic not in room.chats[GROUP].topics


@pytest.mark.browser
async def test_people_and_chats_are_made(room: Room, page: Page) -> None:
    """Somebody new, a group of theirs with the bot, which becomes a supergroup."""
    new = row_of(page, "Somebody new", "world-all")
    await new.locator("summary").click()
    await new.get_by_label("Name", exact=True).fill("Dmitri")
    await new.get_by_label("User name").fill("dima")
    await new.get_by_label("Telegram's language").select_option("ru")
    await new.get_by_role("button", name="Make").click()
    dmitri = row_of(page, "Dmitri", "world-all")
    await expect(dmitri.locator("summary")).to_contain_text("@dima")
    person = next(each for each in room.people.values() if each.username == "dima")
    assert (person.language, person.is_bot) == ("ru", False)
    await dmitri.locator("summary").click()
    await dmitri.get_by_role("button", name="Be this person").click()
    made = page.get_by_role("form", name="A new chat")
    await made.get_by_label("Kind").select_option("group")
    await made.get_by_label("Title").fill("Chess")
    await made.get_by_role("button", name="Make").click()
    await expect(page.locator("#world-chat h2")).to_contain_text("Chess")
    (group,) = (chat for chat in room.chats.values() if chat.title == "Chess" and chat.id < 0)
    assert group.member(person.id).status is Status.CREATOR
    assert group.bot.present
    await page.get_by_role("button", name="Make it a supergroup").click()
    await expect(page.locator("#world-chat h2")).to_contain_text("Supergroup")
    assert group.successor is not None
    form = page.get_by_role("form", name="Add")
    await form.get_by_label("Somebody to add").select_option(str(CLARA.id))
    await form.get_by_role("button", name="Add").click()
    await expect(row_of(page, "Clara")).to_be_visible()


@pytest.mark.browser
async def test_a_person_blocks_the_bot_and_goes(room: Room, page: Page) -> None:
    """Blocked, unblocked, deleted once that is confirmed; privacy mode is switched."""
    boris = row_of(page, "Boris", "world-all")
    await boris.locator("summary").click()
    await boris.get_by_role("button", name="Block the bot").click()
    await expect(boris.locator("summary")).to_contain_text("has blocked the bot")
    await boris.get_by_role("button", name="Unblock the bot").click()
    await expect(boris.locator("summary")).not_to_contain_text("has blocked the bot")
    await boris.get_by_role("button", name="Delete the account").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete the account").click()
    await expect(page.locator("#world-all")).to_contain_text("deleted account")
    assert room.people[BORIS.id].deactivated
    privacy = page.get_by_role("switch", name="Privacy mode")
    await privacy.click()
    await expect(privacy).to_have_attribute("aria-checked", "true")
    assert room.privacy


@pytest.mark.browser
async def test_what_is_refused_is_said(room: Room, page: Page) -> None:
    """In the demo's words; a form that is not filled in rightly is not sent."""
    made = page.get_by_role("form", name="A new chat")
    await made.get_by_label("Title").fill("Chess")
    await made.get_by_label("User name").fill("x y")
    await made.get_by_role("button", name="Make").click()
    await expect(made.get_by_label("User name")).to_be_focused()
    assert "Chess" not in [chat.title for chat in room.chats.values()]
    boris = row_of(page, "Boris")
    await boris.locator("summary").click()
    room.chats[GROUP].members[BORIS.id] = member(Status.CREATOR, "supergroup")  # not seen yet
    await boris.get_by_role("button", name="Remove and ban").click()
    await expect(page.locator("#toasts")).to_contain_text("nobody changes what a chat's creator")


@pytest.mark.browser
async def test_a_vote(room: Room, page: Page) -> None:
    """One presses an option of a poll, and again to take the vote back."""
    sent = room.send_poll(GROUP, BORIS.id, "Tea?", ["Yes", "No"])
    yes = page.locator(".vote", has_text="Yes")
    await yes.click()
    await expect(yes).to_have_attribute("aria-pressed", "true")
    votes = page.locator(".poll .file-size").last
    await expect(votes).to_have_text("Votes: 1")
    poll = room.chats[GROUP].messages[sent["message_id"]]["poll"]
    assert [option["voter_count"] for option in poll["options"]] == [1, 0]
    await yes.click()
    await expect(votes).to_have_text("No votes yet")
