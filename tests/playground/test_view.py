"""What the page is told: only what is new, of the chat that is open."""

import asyncio
from typing import Any

import pytest

from bot.playground.telegram.methods import METHODS
from bot.playground.telegram.room import Room
from bot.playground.view import MESSAGES_AT_ONCE, Place, View

TOKEN = "42:token"
GROUP = -5
FORUM = -1_000_000_000_007


class Watched:
    """A room, and a page that looks at one of its chats."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.room = Room(TOKEN, clock=lambda: self.now)
        self.view = View(self.room, "run")
        self.version = -1

    async def news(self, chat: int = 7, run: str = "run") -> dict[str, Any]:
        """Ask as the page does, which remembers how far it knows the chat."""
        news = await self.view.news(Place(7, chat), run, self.version, 0)
        self.version = news["version"]
        return news

    def call(self, method: str, **given: Any) -> Any:
        """Let the bot call a method."""
        return METHODS[method](self.room, given)


@pytest.fixture
def page() -> Watched:
    return Watched()


def texts(news: dict[str, Any]) -> list[str]:
    return [message["text"] for message in news["messages"]]


async def test_messages_are_told_once(page: Watched) -> None:
    """New, changed and deleted ones, each once; a page that is opened late gets what there is."""
    assert (await page.news())["messages"] == []
    for text in ("one", "two"):
        page.room.say(7, 7, text)
    page.room.say(GROUP, 7, "elsewhere")
    assert texts(await page.news()) == ["one", "two"]
    assert texts(await page.news()) == []
    page.room.edit(7, 7, 1, "changed")
    sent = page.call("sendMessage", chat_id=7, text="three")
    assert texts(await page.news()) == ["changed", "three"]
    page.call("deleteMessage", chat_id=7, message_id=sent["message_id"])
    news = await page.news()
    assert (texts(news), news["deleted"]) == ([], [sent["message_id"]])
    page.version = -1
    assert texts(await page.news()) == ["changed", "two"]


async def test_what_was_known_of_another_run_is_worth_nothing(page: Watched) -> None:
    """A page that knows more than there is gets all there is, at once."""
    page.room.say(7, 7, "one")
    page.version = 1000
    async with asyncio.timeout(30):
        news = await page.view.news(Place(7, 7), "other", page.version, 60)
    assert (news["run"], texts(news)) == ("run", ["one"])


async def test_typing_belongs_to_a_chat(page: Watched) -> None:
    """It is told with the time that it has left, and in no other chat."""
    for chat in (7, GROUP):
        page.room.say(chat, 7, "x")
    page.call("sendChatAction", chat_id=7, action="typing")
    page.now += 1
    typing = {chat["id"]: chat["typing"] for chat in (await page.news())["chats"]}
    assert typing == {7: 5.0, GROUP: 0}
    page.call("sendMessage", chat_id=7, text="y")
    assert not any(chat["typing"] for chat in (await page.news())["chats"])


async def test_everybody_sees_their_own_chats(page: Watched) -> None:
    """Those that they are in, newest first, with what was said last and how much is unread."""
    room = page.room
    room.say(7, 7, "x")
    for number in range(3):
        room.say(GROUP, 8, f"{number}" * 500)
    assert [chat["id"] for chat in page.view.chats.of(7)] == [7]
    room.say(GROUP, 7, "mine")
    first, second = page.view.chats.of(7)
    assert (first["id"], first["last"]["text"], first["unread"]) == (GROUP, "mine", 3)
    assert (second["id"], second["with"]["is_bot"], second["unread"]) == (7, True, 0)
    page.view.chats.read(GROUP, 7, room.messages(GROUP)[1]["message_id"])
    assert page.view.chats.of(7)[0]["unread"] == 1
    page.view.chats.read(GROUP, 7, 1)  # what was read stays read
    assert page.view.chats.of(7)[0]["unread"] == 1
    assert [chat["id"] for chat in page.view.chats.of(8)] == [GROUP]
    assert len(page.view.chats.of(8)[0]["last"]["text"]) < 200
    room.leave(GROUP, 8)
    assert page.view.chats.of(8) == []


async def test_topics_are_apart(page: Watched) -> None:
    """A forum tells the messages of one topic, and what is unread in each."""
    ideas = page.room.open_topic(FORUM, "Ideas")
    page.room.say(FORUM, 7, "general")
    said = page.room.say(FORUM, 8, "an idea", topic=ideas)
    (forum,) = page.view.chats.of(7)
    topics = [(topic["id"], topic["name"], topic["unread"]) for topic in forum["topics"]]
    assert topics == [(1, "", 0), (ideas, "Ideas", 1)]
    news = await page.view.news(Place(7, FORUM, ideas), "run", -1, 0)
    assert [message.get("text") for message in news["messages"]] == [None, "an idea"]
    news = await page.view.news(Place(7, FORUM, 1), "run", -1, 0)
    assert texts(news) == ["general"]
    page.view.chats.read(FORUM, 7, said["message_id"], ideas)
    assert page.view.chats.of(7)[0]["unread"] == 0


async def test_of_a_long_chat_the_newest_come_first(page: Watched) -> None:
    """The others are fetched in parts, until there are none."""
    for number in range(2 * MESSAGES_AT_ONCE + 5):
        page.room.say(7, 7, str(number))
    news = await page.news()
    assert (len(news["messages"]), news["earlier"]) == (MESSAGES_AT_ONCE, True)
    shown = texts(news)
    for more, left in ((MESSAGES_AT_ONCE, True), (5, False)):
        first = page.room.messages(7)[-len(shown)]["message_id"]
        older = page.view.earlier(Place(7, 7), first)
        assert (len(older["messages"]), older["earlier"]) == (more, left)
        shown = texts(older) + shown
    assert shown == [str(number) for number in range(2 * MESSAGES_AT_ONCE + 5)]


async def test_what_the_bot_has_not_fetched(page: Watched) -> None:
    """Is told, and the page is woken when it has."""
    page.room.say(7, 7, "one")
    page.room.say(7, 7, "two")
    assert (await page.news())["untaken"] == [1, 2]
    (first, _) = await page.room.updates.poll(0, 100, 0)
    waiting = asyncio.create_task(page.view.news(Place(7, 7), "run", page.version, 60))
    await page.room.updates.poll(first["update_id"] + 1, 100, 0)
    async with asyncio.timeout(30):
        assert (await waiting)["untaken"] == [2]


async def test_a_persons_language_goes_with_what_they_do(page: Watched) -> None:
    """Whatever they do first, and after they have chosen another."""
    room = page.room
    room.say(7, 7, "x")
    room.press(7, 7, 1, "x", language="en")
    room.edit(7, 7, 1, "y", language="ru")
    (_, pressed, edited) = await room.updates.poll(0, 100, 0)
    assert pressed["callback_query"]["from"]["language_code"] == "en"
    assert edited["edited_message"]["from"]["language_code"] == "ru"


async def test_ones_own_votes(page: Watched) -> None:
    """Each person is told what they have chosen in a poll, and nobody else's choice."""
    page.room.say(GROUP, 8, "x")
    page.room.say(GROUP, 7, "x")
    options = [{"text": "yes"}, {"text": "no"}]
    given = {"question": "Tea?", "options": options, "allows_multiple_answers": True}
    number = page.call("sendPoll", chat_id=GROUP, **given)["message_id"]
    assert (await page.news(GROUP))["messages"][-1]["chosen"] == []
    page.room.vote(GROUP, 7, number, ["0", "1"])
    page.room.vote(GROUP, 8, number, ["1"])
    (voted,) = (await page.news(GROUP))["messages"]
    assert voted["chosen"] == ["0", "1"]
    assert page.view.earlier(Place(8, GROUP), number + 1)["messages"][-1]["chosen"] == ["1"]
    assert "chosen" not in page.room.messages(GROUP)[-1]
