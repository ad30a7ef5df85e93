"""What people ask with buttons and inline, and how a bot answers it, once and in time."""

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from telegram import Update

from bot.playground.door import room_routes
from bot.playground.telegram.chat import Json
from bot.playground.telegram.files import Upload
from bot.playground.telegram.query import CALLBACK, INLINE, KEPT_SECONDS, SECONDS
from bot.playground.telegram.room import Room
from tests.playground.calling import call, refused
from tests.playground.clock import Clock

ANN, BORIS = 7, 8
GROUP = -5
OLD = "query is too old and response timeout expired or query ID is invalid"
UNREAD = "can't parse inline query result: "
NO_BUTTON = "can't parse inline query results button: InlineQueryResultsButton"
BUTTON = {"inline_keyboard": [[{"text": "x", "callback_data": "d"}]]}
TEXT = {"message_text": "*hi*", "parse_mode": "Markdown"}
ARTICLE = {"type": "article", "id": "a", "title": "A", "input_message_content": TEXT}


@pytest.fixture
def room(clock: Clock) -> Room:
    """Ann alone with the bot, which has sent her a button."""
    room = Room("42:token", clock=clock)
    room.say(ANN, ANN, "x")
    call(room, "sendMessage", chat_id=ANN, text="y", reply_markup=BUTTON)
    return room


def pressed(room: Room) -> str:
    return room.press(ANN, ANN, room.messages(ANN)[-1]["message_id"], "d")


async def news(room: Room) -> list[Json]:
    """Return the updates that wait, each of which python-telegram-bot can read."""
    updates = await room.updates.poll(0, 100, 0)
    assert all(Update.de_json(each, None) for each in updates)
    return updates


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"text": "x" * 201}, "MESSAGE_TOO_LONG"),
        ({"url": "https://example.org"}, "URL_INVALID"),
        ({"url": "https://t.me/demo_bot"}, "URL_INVALID"),
    ],
)
def test_an_answer_that_is_refused_can_be_given_again(room: Room, wrong: Json, why: str) -> None:
    """The query still waits for it; once answered, it no longer does."""
    query = pressed(room)
    assert refused(room, "answerCallbackQuery", callback_query_id=query, **wrong) == why
    assert room.answer(query) is None
    right = {"text": "x" * 200, "show_alert": "true", "url": "t.me/demo_bot?start=x"}
    assert call(room, "answerCallbackQuery", callback_query_id=query, **right) is True
    assert room.answer(query) == {**right, "show_alert": True}
    assert refused(room, "answerCallbackQuery", callback_query_id=query) == OLD


def test_queries_grow_old(room: Room, clock: Clock) -> None:
    """Each kind in its time, after which it is not answered, and later forgotten."""
    press, ask = pressed(room), room.ask_inline(ANN, "q")
    assert refused(room, "answerInlineQuery", inline_query_id=press) == OLD
    assert refused(room, "answerCallbackQuery", callback_query_id=ask) == OLD
    assert refused(room, "answerCallbackQuery", callback_query_id="99") == OLD
    assert refused(room, "answerCallbackQuery") == OLD
    clock.now += SECONDS[INLINE] + 1
    assert refused(room, "answerInlineQuery", inline_query_id=ask, results=[ARTICLE]) == OLD
    clock.now += SECONDS[CALLBACK]
    assert refused(room, "answerCallbackQuery", callback_query_id=press) == OLD
    clock.now += KEPT_SECONDS
    pressed(room)
    with pytest.raises(ValueError, match="no query"):
        room.answer(press)


async def test_an_inline_result_is_chosen(room: Room) -> None:
    """It goes into any chat in the person's name, the bot hears, and its button can be pressed."""
    query = room.ask_inline(ANN, "news", offset="5", chat_type="group", language="ru")
    (asked,) = [each["inline_query"] for each in await news(room) if "inline_query" in each]
    assert (asked["id"], asked["query"], asked["offset"]) == (query, "news", "5")
    result = {**ARTICLE, "reply_markup": BUTTON}
    more = {"next_offset": "6", "button": {"text": "Log in", "start_parameter": "in"}}
    assert call(room, "answerInlineQuery", inline_query_id=query, results=[result], **more)
    answer = room.answer(query)
    assert answer
    assert (answer["results"], answer["next_offset"]) == ([result], "6")
    room.set_member(GROUP, BORIS, "member")
    message = room.choose(GROUP, ANN, query, "a")
    assert (message["text"], message["via_bot"]["id"]) == ("hi", 42)
    assert message["entities"][0]["type"] == "bold"
    room.press(GROUP, BORIS, message["message_id"], "d")
    updates = await news(room)
    chosen = next(
        each["chosen_inline_result"] for each in updates if "chosen_inline_result" in each
    )
    assert (chosen["result_id"], chosen["query"]) == ("a", "news")
    press = updates[-1]["callback_query"]
    assert press["inline_message_id"] == chosen["inline_message_id"]
    assert "message" not in press
    for wrong in ((BORIS, query, "a"), (ANN, query, "b"), (ANN, "99", "a")):
        with pytest.raises(ValueError, match="no result"):
            room.choose(GROUP, *wrong)


async def test_the_bot_hears_what_comes_by_it(room: Room) -> None:
    """Also where privacy mode keeps other messages from it."""
    room.set_privacy(on=True)
    room.set_member(GROUP, ANN, "member")
    query = room.ask_inline(ANN, "")
    call(room, "answerInlineQuery", inline_query_id=query, results=[ARTICLE])
    room.updates.clear()
    room.say(GROUP, ANN, "to somebody else")
    room.choose(GROUP, ANN, query, "a")
    texts = [each["message"]["text"] for each in await news(room) if "message" in each]
    assert texts == ["hi"]


def test_an_inline_message_is_edited_by_its_id(room: Room) -> None:
    """And by nothing else: the bot does not know where it is."""
    query = room.ask_inline(ANN, "")
    result = {**ARTICLE, "reply_markup": BUTTON}
    call(room, "answerInlineQuery", inline_query_id=query, results=[result])
    message = room.choose(GROUP, ANN, query, "a")
    place = GROUP, message["message_id"]
    known = {"inline_message_id": room.inline_messages[place]}
    assert call(room, "editMessageText", **known, text="new", reply_markup=BUTTON) is True
    assert call(room, "editMessageReplyMarkup", **known) is True
    edited = room.messages(GROUP)[-1]
    assert (edited["text"], "reply_markup" in edited) == ("new", False)
    assert refused(room, "editMessageText", text="x") == "message identifier is not specified"
    lost = {"inline_message_id": "x", "text": "x"}
    assert refused(room, "editMessageText", **lost) == "MESSAGE_ID_INVALID"
    room.delete(room.chats[GROUP], message["message_id"])
    assert refused(room, "editMessageText", **known, text="x") == "MESSAGE_ID_INVALID"


def test_what_a_result_can_be(room: Room) -> None:
    """A text, a place, a contact, or a file that the bot has sent before; none from elsewhere."""
    document = room.store(Upload("a.txt", "text/plain", b"x"))
    place = {"latitude": 1, "longitude": -2.5}
    results: list[Json] = [
        {"type": "location", "id": "1", "title": "L", **place},
        {"type": "venue", "id": "2", "title": "V", "address": "S", **place},
        {"type": "contact", "id": "3", "phone_number": "+1", "first_name": "A"},
        {"type": "document", "id": "4", "title": "D", "document_file_id": document["file_id"],
         "caption": "c"},
        {"type": "photo", "id": "5", "photo_url": "https://a.bc/d.jpg", "thumbnail_url": "x"},
        {"type": "photo", "id": "6", "photo_url": "x", "input_message_content": TEXT},
    ]  # fmt: skip
    query = room.ask_inline(ANN, "")
    assert call(room, "answerInlineQuery", inline_query_id=query, results=results)
    kinds = ("location", "venue", "contact", "document", None, "text")
    for result, kind in zip(results, kinds, strict=True):
        if kind is None:
            with pytest.raises(ValueError, match="cannot be sent"):
                room.choose(ANN, ANN, query, result["id"])
        else:
            assert kind in room.choose(ANN, ANN, query, result["id"])
    assert room.messages(ANN)[-2]["caption"] == "c"
    assert call(room, "answerInlineQuery", inline_query_id=room.ask_inline(ANN, ""))


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"results": 5}, "expected an Array of inline query results"),
        ({"results": "["}, "can't parse results JSON object"),
        ({"results": [ARTICLE] * 51}, "too many inline query results specified"),
        ({"results": [5]}, f"{UNREAD}Inline query result must be an object"),
        ({"results": [{**ARTICLE, "id": ""}]}, "RESULT_ID_INVALID"),
        ({"results": [{**ARTICLE, "id": "x" * 65}]}, "RESULT_ID_INVALID"),
        ({"results": [ARTICLE, ARTICLE]}, "RESULT_ID_DUPLICATE"),
        ({"results": [{**ARTICLE, "type": "game"}]},
         f'{UNREAD}type "game" is unsupported for the inline query result'),
        ({"results": [{**ARTICLE, "title": ""}]}, "ARTICLE_TITLE_EMPTY"),
        ({"results": [{**ARTICLE, "input_message_content": None}]},
         f"{UNREAD}Input message content is not specified"),
        ({"results": [{**ARTICLE, "input_message_content": 5}]},
         f"{UNREAD}Input message content must be an object"),
        ({"results": [{**ARTICLE, "reply_markup": {"keyboard": [["x"]]}}]},
         "inline keyboard expected"),
        ({"results": [{"type": "location", "id": "1", "latitude": 91, "longitude": 0}]},
         "wrong location specified"),
        ({"results": [{"type": "location", "id": "1", "latitude": "x", "longitude": 0}]},
         f'{UNREAD}Field "latitude" must be of type Number'),
        ({"next_offset": "x" * 65}, "NEXT_OFFSET_INVALID"),
        ({"button": [5]}, f"{NO_BUTTON} must be an Object"),
        ({"button": {"text": "x"}}, f"{NO_BUTTON} must have exactly one optional field"),
        ({"button": {"text": "x", "start_parameter": "а"}}, "START_PARAM_INVALID"),
    ],
)  # fmt: skip
def test_results_that_are_refused(room: Room, given: Json, why: str) -> None:
    """And the query still waits."""
    query = room.ask_inline(ANN, "q")
    assert refused(room, "answerInlineQuery", inline_query_id=query, **given) == why
    assert room.answer(query) is None


def test_what_nobody_can_ask(room: Room) -> None:
    """A query has its length, and comes from a kind of chat."""
    for query, kind in (("x" * 257, "sender"), ("\ud800", "sender"), ("x", "moon")):
        with pytest.raises(ValueError, match=r"up to 256|one of"):
            room.ask_inline(ANN, query, chat_type=kind)


@pytest.fixture
async def door(room: Room) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(Starlette(routes=room_routes(room)))
    async with httpx.AsyncClient(transport=transport, base_url="http://room") as client:
        yield client


async def test_all_of_it_through_the_door(room: Room, door: httpx.AsyncClient) -> None:
    """A program asks, looks for the answer, and chooses."""
    query = (await door.post("/room/inline", json={"user": ANN, "query": "q"})).json()
    assert (await door.get(f"/room/answer?query={query}")).json() is None
    call(room, "answerInlineQuery", inline_query_id=query, results=[ARTICLE])
    answer = (await door.get(f"/room/answer?query={query}")).json()
    assert answer["results"] == [ARTICLE]
    chosen = {"chat": ANN, "user": ANN, "query": query, "result": "a"}
    assert (await door.post("/room/choose", json=chosen)).json()["text"] == "hi"
    assert (await door.get("/room/answer?query=99")).status_code == 400
