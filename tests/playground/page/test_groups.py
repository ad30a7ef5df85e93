"""Groups, forums and channels, and who one is in them."""

import re

import httpx
import pytest
from playwright.async_api import expect

from bot.playground.furniture import ANNA, BORIS, CHANNEL, FORUM, GROUP
from handlers.texts import ENGLISH
from tests.playground.page.conftest import Chat, Start, Tab, say

pytestmark = pytest.mark.browser


async def test_a_group(chat: Chat) -> None:
    """The bot answers those who mention it or reply to it; "@" offers its name."""
    page = chat.page
    await chat.open("Friends group")
    await chat.write("Just chatting")
    await chat.be("Boris")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Friends group")
    await page.get_by_role("textbox", name="Message").press_sequentially("@de")
    await page.get_by_role("option", name="@demo_bot").click()
    await page.keyboard.type("What do you say?")
    await page.keyboard.press("Enter")
    await expect(chat.answers).to_have_count(1)
    await expect(page.locator(".row.own .text")).to_have_text("@demo_bot What do you say?")
    await expect(page.locator(".row:not(.own) .author").first).to_have_text("Anna")
    await expect(chat.key(ENGLISH.button_again)).to_be_visible()
    await page.locator("article.bot").click(button="right")
    await page.get_by_role("menuitem", name="Reply").click()
    await expect(page.locator("#about-bar")).to_contain_text("Reply to Demo")
    await chat.write("And to a reply?")
    await expect(chat.answers).to_have_count(2)
    await expect(page.locator(".row.own .quotation").last).to_contain_text("You said:")


async def test_a_mention_of_a_group(chat: Chat, room: httpx.AsyncClient) -> None:
    """It opens that, as a link to it does."""
    made = {"chat": -1000000000400, "kind": "supergroup", "title": "Walks", "username": "our_walks"}
    await room.post("chat", json=made)
    await room.post("add", json={"chat": made["chat"], "user": ANNA.id})
    await say(room, "/nothing but @our_walks")
    await chat.page.get_by_role("button", name="@our_walks").click()
    await expect(chat.page.get_by_role("heading", level=1)).to_have_text("Walks")


async def test_the_topic_that_is_open_is_in_sight(
    tab: Tab, url: str, room: httpx.AsyncClient
) -> None:
    """On a phone, too, where there is no room for all their names."""
    for number in range(9):
        opened = await room.post("open_topic", json={"chat": FORUM, "name": f"Topic {number}"})
    phone = {"width": 390, "height": 844}
    async with tab(f"{url}#101/{FORUM}/{opened.json()}", viewport=phone) as chat:
        topics = chat.page.get_by_role("navigation", name="Topics")
        await expect(topics.get_by_role("link", name="Topic 8")).to_be_in_viewport()


async def test_who_may_reset(chat: Chat) -> None:
    """A member is refused, an admin is not."""
    await chat.open("Friends group")
    await chat.be("Boris")
    await chat.write("/reset@demo_bot")
    await expect(chat.answers.last).to_contain_text(ENGLISH.reset_is_for_admins)
    await chat.be("Clara")
    await chat.write("/reset@demo_bot")
    await expect(chat.answers).to_have_count(2)
    await expect(chat.answers.last).not_to_contain_text(ENGLISH.reset_is_for_admins)


async def test_topics_are_apart(chat: Chat, room: httpx.AsyncClient) -> None:
    """Each topic has its messages, its answers and its unread mark; closed ones are marked."""
    page = chat.page
    await chat.open("Team forum")
    topics = page.get_by_role("navigation", name="Topics")
    await expect(topics.get_by_role("link")).to_have_text(["General", "Ideas", "Travel"])
    await topics.get_by_role("link", name="Ideas").click()
    await chat.write("@demo_bot An idea")
    await expect(chat.answers).to_contain_text("An idea")
    await topics.get_by_role("link", name="Travel").click()
    await expect(page.locator(".text")).to_have_count(0)
    await say(room, "Anybody?", user=BORIS.id, chat=FORUM, topic=2)
    await expect(topics.get_by_role("link", name="Ideas")).to_contain_text("1")
    await topics.get_by_role("link", name="Ideas").click()
    await expect(chat.bubbles("Anybody?")).to_be_visible()
    await expect(topics.locator(".unread")).to_have_count(0)
    await room.post("close_topic", json={"chat": FORUM, "topic": 3})
    await expect(topics.get_by_role("link", name="Travel").locator("svg")).to_have_count(1)


async def test_a_channel(chat: Chat) -> None:
    """Its owner posts, its subscribers read, and are told that they cannot write."""
    await chat.open("News channel")
    await chat.write("Version 1.0 is out")
    await expect(chat.bubbles("Version 1.0 is out").locator(".author")).to_have_text("News channel")
    await chat.be("Boris")
    await expect(chat.bubbles("Version 1.0 is out")).to_be_visible()
    await expect(chat.page.get_by_role("textbox", name="Message")).to_be_hidden()
    await expect(chat.page.locator("#no-writing")).to_be_visible()


async def test_the_newest_chat_is_first_and_marked(chat: Chat, room: httpx.AsyncClient) -> None:
    """What is unread is counted for each person, until it is seen."""
    links = chat.page.get_by_role("navigation", name="Chats").get_by_role("link")
    await expect(links.first).to_contain_text("Demo")  # with whom nobody has talked yet
    await say(room, "Who comes?", user=BORIS.id, chat=GROUP)
    await expect(links.nth(1)).to_contain_text("Boris: Who comes?")
    await expect(links.nth(1).get_by_label("1 unread")).to_be_visible()
    await say(room, "News", user=101, chat=CHANNEL)
    await expect(links.nth(1)).to_contain_text("News channel")
    await chat.open("Friends group")
    await expect(links.nth(2).locator(".unread")).to_have_count(0)
    await chat.be("Clara")
    await expect(links.nth(2).locator(".unread")).to_have_count(0)
    await expect(links.nth(1).get_by_label("1 unread")).to_be_visible()
    await expect(links.nth(3)).to_contain_text("Team forum")


async def test_everybody_has_a_private_chat(chat: Chat) -> None:
    """Everybody has a private chat of their own with the bot."""
    await chat.write("I am Anna")
    await expect(chat.answers).to_have_count(1)
    await chat.be("Boris")
    await expect(chat.page.locator(".welcome")).to_be_visible()
    await expect(chat.answers).to_have_count(0)
    await chat.be("Anna")
    await expect(chat.answers).to_have_count(1)


async def test_whom_one_is_stays_in_sight(chat: Chat, room: httpx.AsyncClient) -> None:
    """With more people than fit, and with more chats."""
    for number in range(20):
        person = {"user": 1000 + number, "name": f"Person {number}", "username": f"person_{number}"}
        (await room.post("person", json=person)).raise_for_status()
    await expect(chat.page.locator(".speaker")).to_have_count(23)
    await chat.page.goto(f"{chat.page.url.split('#')[0]}#1019/1019")
    last = chat.page.get_by_role("button", name="Person 19", exact=True)
    await expect(last).to_have_attribute("aria-pressed", "true")
    await expect(last).to_be_in_viewport()
    await chat.page.reload()
    await expect(last).to_be_in_viewport()


@pytest.mark.parametrize("address", ["999/42", "101.5/42", "Infinity/1e3", f"-{'9' * 40}"])
async def test_an_address_that_names_nobody(chat: Chat, address: str) -> None:
    """Leads to the first person's private chat."""
    await chat.page.goto(f"{chat.page.url.split('#')[0]}#{address}")
    await expect(chat.page).to_have_url(re.compile(r"#101(/101)?$"))
    await expect(chat.page.get_by_role("button", name="Anna", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )
    await expect(chat.page.get_by_role("heading", level=1)).to_have_text("Demo")
    await chat.write("/nothing")
    await expect(chat.bubbles("/nothing")).to_be_visible()


async def test_a_group_that_one_is_removed_from(chat: Chat, room: httpx.AsyncClient) -> None:
    """It is no chat with the bot; what is written there is refused, and stays."""
    await chat.open("Friends group")
    facts = chat.page.locator(".chat-facts")
    await expect(facts).to_contain_text("members")
    gone = {"chat": GROUP, "user": 101}
    given = await room.post("creator", json={"chat": GROUP, "user": 102})
    assert given.is_success, given.text
    assert (await room.post("kick", json=gone)).is_success
    await expect(facts).not_to_contain_text("members")
    await expect(facts).not_to_have_text(re.compile("bot$"))
    await chat.write("hello?")
    await expect(chat.page.locator("#refused")).to_contain_text("not in the chat")
    await expect(chat.page.get_by_role("textbox", name="Message")).to_have_value("hello?")


async def test_changes_of_topics(started: Start, tab: Tab) -> None:
    """Each is told in a line, none is an empty message."""
    async with started("--no-bot") as url:
        async with httpx.AsyncClient(base_url=url, timeout=60) as http:
            await http.post("/room/promote", json={"chat": FORUM})
            for method, given in (
                ("editForumTopic", {"message_thread_id": 2, "name": "Plans"}),
                ("hideGeneralForumTopic", {}),
                ("unhideGeneralForumTopic", {}),
            ):
                done = await http.post(f"/bot1:any/{method}", json={"chat_id": FORUM, **given})
                assert done.json()["ok"], done.text
        async with tab(url) as chat:
            await chat.open("Team forum")
            lines = chat.page.locator(".row.service:not(.day)")
            await expect(lines).to_contain_text(["was hidden", "is shown again"])
            topics = chat.page.get_by_role("navigation", name="Topics")
            await topics.get_by_role("link", name="Ideas").click()
            await expect(lines.last).to_have_text("The topic was changed")
            await expect(chat.bubbles()).to_have_count(0)
