"""What the page is told: only what is new, of the chat that is open."""

import asyncio
from typing import Any

import pytest

from bot.completion.request_id import request_id
from bot.playground.completion import CompletionServer, Exchange
from bot.playground.methods import METHODS
from bot.playground.room import Room
from bot.playground.view import View
from tests.conftest import Echo

TOKEN = "42:token"
GROUP = -5


class Watched:
    """A room, and a page that looks at one of its chats."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.room = Room(TOKEN, clock=lambda: self.now)
        self.completions = CompletionServer(Echo())
        self.view = View(self.room, self.completions, "run")
        self.version, self.request = -1, 0

    async def news(self, chat: int = 7, run: str = "run") -> dict[str, Any]:
        """Ask as the page does, which remembers how far it knows the chat."""
        news = await self.view.news(chat, run, self.version, self.request, 0)
        self.version = news["version"]
        self.request = (news["request"] or {"number": self.request})["number"]
        return news

    def call(self, method: str, **given: Any) -> Any:
        """Let the bot call a method."""
        return METHODS[method](self.room, given)

    def ask(self, chat: int | None, *texts: str) -> None:
        """Let a request come in, for a chat or for nobody knows which."""
        headers = {"x-client-request-id": request_id(TOKEN, chat)} if chat else {}
        body = {"modelUri": "gpt://x/y", "messages": [{"text": text} for text in texts]}
        self.completions.heard(Exchange(self.now, "/x/completion", headers, body))


@pytest.fixture
def page() -> Watched:
    return Watched()


def texts(news: dict[str, Any]) -> list[str]:
    return [message["text"] for message in news["messages"]]


async def test_messages_are_told_once(page: Watched) -> None:
    """New, changed and deleted ones, each once; a page that is opened late gets what there is."""
    assert "messages" not in await page.news()
    for text in ("one", "two"):
        page.room.say(7, 7, text)
    page.room.say(GROUP, 7, "elsewhere")
    assert texts(await page.news()) == ["one", "two"]
    assert texts(await page.news()) == []
    page.room.edit(7, 1, "changed")
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
    page.ask(7, "one")
    page.version, page.request = 1000, 1
    async with asyncio.timeout(5):
        news = await page.view.news(7, "other", page.version, page.request, 60)
    assert (news["run"], texts(news), news["request"]["length"]) == ("run", ["one"], 1)


async def test_a_request_is_shown_in_its_chat(page: Watched) -> None:
    """Also where two chats ask the same at once; one that names no chat is shown in all."""
    for chat in (7, GROUP, 8):
        page.room.say(chat, abs(chat), "same")
    for chat in (GROUP, 7, GROUP):
        page.ask(chat, "same")
    news = await page.view.news(7, "run", -1, 0, 0)
    assert (news["request"]["number"], news["request"]["count"]) == (2, 1)
    news = await page.view.news(GROUP, "run", -1, 0, 0)
    assert (news["request"]["number"], news["request"]["count"]) == (3, 2)
    assert (await page.view.news(8, "run", -1, 0, 0))["request"] is None
    page.ask(None, "whose?")
    for chat in (7, GROUP, 8):
        request = (await page.view.news(chat, "run", -1, 0, 0))["request"]
        assert (request["number"], request["is_of_chat"]) == (4, False)


async def test_a_request_wakes_the_page(page: Watched) -> None:
    """It is shown as it comes in, before anything is answered."""
    page.room.say(7, 7, "x")
    await page.news()
    waiting = asyncio.create_task(page.view.news(7, "run", page.version, 0, 60))
    await asyncio.sleep(0)
    page.ask(7, "x")
    async with asyncio.timeout(5):
        assert (await waiting)["request"]["number"] == 1


async def test_of_a_request_only_new_messages_are_told(page: Watched) -> None:
    """The history is known from the one before; what differs, say the prompt's time, is not."""
    page.room.say(7, 7, "x")
    page.ask(7, "It is 12:00", "a", "b", "c")
    assert (await page.news())["request"]["new"].keys() == {0, 1, 2, 3}
    page.ask(7, "It is 12:00", "a", "b", "c", "d", "e")
    request = (await page.news())["request"]
    assert (request["length"], request["new"]) == (6, {4: {"text": "d"}, 5: {"text": "e"}})
    page.ask(7, "It is 12:01", "a", "b")
    request = (await page.news())["request"]
    assert (request["length"], request["new"]) == (3, {0: {"text": "It is 12:01"}})
    assert (await page.news())["request"] is None


async def test_typing_and_answers_to_presses_belong_to_a_chat(page: Watched) -> None:
    """They are told with the time they have left, and in no other chat."""
    for chat in (7, 8):
        page.room.say(chat, chat, "x")
    page.call("sendChatAction", chat_id=7, action="typing")
    pressed = page.room.press(7, 7, 1, "x")
    page.call("answerCallbackQuery", callback_query_id=pressed, text="Done")
    page.now += 1
    news = await page.news()
    assert (news["typing"], news["toast"]) == (5.0, {"text": "Done", "seconds": 3.0})
    assert (await page.news(8))["typing"] == (await page.news(8))["toast"]["seconds"] == 0
    page.call("sendMessage", chat_id=7, text="y")
    assert (await page.news())["typing"] == 0


async def test_a_persons_language_goes_with_what_they_do(page: Watched) -> None:
    """Whatever they do first, and after they have chosen another."""
    room = page.room
    room.say(7, 7, "x")
    room.press(7, 7, 1, "x", language="en")
    room.edit(7, 1, "y", language="ru")
    (_, pressed, edited) = await room.updates.poll(0, 100, 0)
    assert pressed["callback_query"]["from"]["language_code"] == "en"
    assert edited["edited_message"]["from"]["language_code"] == "ru"
