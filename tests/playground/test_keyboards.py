"""Keyboards: which are refused, what of them is in a message, and who sees which."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from bot.playground.door import room_routes
from bot.playground.telegram.chat import Json
from bot.playground.telegram.keyboards import shown_to
from bot.playground.telegram.methods import METHODS
from bot.playground.telegram.parameters import typed
from bot.playground.telegram.refusal import ApiError
from bot.playground.telegram.room import Room

ANN, BORIS = 7, 8
GROUP, CHANNEL = -5, -1000000000006
UNREAD = "can't parse inline keyboard button: "
NO_ACTION = f"{UNREAD}Text buttons are unallowed in the inline keyboard"
HTTP_APP = "inline keyboard button Web App URL 'http://a.bc' is invalid"
CHOICE = {"keyboard": [["Yes", {"text": "No"}], []], "resize_keyboard": True}


@pytest.fixture
def room() -> Room:
    """Ann and Boris, alone with the bot and in a group; a channel where the bot may post."""
    room = Room("42:token")
    room.make_person(ANN, "Ann", username="Ann_B")
    for chat, user in ((ANN, ANN), (GROUP, ANN), (GROUP, BORIS)):
        room.say(chat, user, "x")
    room.make_chat(CHANNEL, "channel", "News")
    room.promote(CHANNEL)
    return room


def send(room: Room, markup: Any, chat: int = ANN, text: str = "y", **given: Any) -> Json:
    asked = typed({"chat_id": chat, "text": text, "reply_markup": markup, **given})
    message: Json = METHODS["sendMessage"](room, asked)
    return message


def refused(room: Room, markup: Any, chat: int = ANN) -> str:
    """Send a keyboard that is refused, of which nothing stays; why."""
    before = room.messages(chat)
    with pytest.raises(ApiError) as refusal:
        send(room, markup, chat)
    assert refusal.value.code == 400
    assert room.messages(chat) == before
    return refusal.value.description.removeprefix("Bad Request: ")


def sees(room: Room, chat: int, user: int) -> Any:
    """Return the rows of the keyboard that somebody sees."""
    found = shown_to(room.chats[chat], user)
    return found and found["reply_markup"].get("keyboard", "a reply")


@pytest.mark.parametrize(
    ("button", "why"),
    [
        (5, f"{UNREAD}InlineKeyboardButton must be an Object"),
        ({"callback_data": "x"}, f'{UNREAD}Can\'t find field "text"'),
        ({"text": []}, f'{UNREAD}Field "text" must be of type String'),
        ({"text": " ", "callback_data": "x"}, "inline keyboard button text must be non-empty"),
        ({"text": "x"}, NO_ACTION),
        ({"text": "x", "callback_data": ""}, NO_ACTION),
        ({"text": "x", "url": None, "pay": False}, NO_ACTION),
        ({"text": "x", "url": "https://a.bc", "callback_data": "x"},
         f"{UNREAD}exactly one action is needed, not url, callback_data"),
        ({"text": "x", "callback_data": ["x"]},
         f'{UNREAD}Field "callback_data" must be of type String'),
        ({"text": "x", "callback_data": "ы" * 33}, "BUTTON_DATA_INVALID"),
        ({"text": "x", "url": "localhost"},
         "inline keyboard button URL 'localhost' is invalid: Wrong HTTP URL"),
        ({"text": "x", "url": "javascript:alert(1)"},
         "inline keyboard button URL 'javascript:alert(1)' is invalid: Wrong HTTP URL"),
        ({"text": "x", "web_app": {"url": "http://a.bc"}},
         f"{HTTP_APP}: Only HTTPS links are allowed"),
        ({"text": "x", "web_app": {}}, f'{UNREAD}Can\'t find field "url"'),
        ({"text": "x", "login_url": "https://a.bc"},
         f'{UNREAD}Field "login_url" must be of type Object'),
        ({"text": "x", "copy_text": {"text": ""}}, "BUTTON_COPY_TEXT_INVALID"),
        ({"text": "x", "copy_text": {"text": "x" * 257}}, "BUTTON_COPY_TEXT_INVALID"),
        ({"text": "x", "callback_game": {}}, "BUTTON_TYPE_INVALID"),
        ({"text": "x", "pay": 5}, f'{UNREAD}Field "pay" must be of type Boolean'),
        ({"text": "x", "callback_data": "\ud800"}, "strings must be encoded in UTF-8"),
    ],
)  # fmt: skip
def test_a_button_that_is_refused(room: Room, button: Any, why: str) -> None:
    """In Telegram's words, wherever the keyboard goes; the message is not sent."""
    assert refused(room, {"inline_keyboard": [[button]]}) == why
    own = send(room, None)["message_id"]
    for method in ("editMessageText", "editMessageReplyMarkup"):
        asked = {"chat_id": ANN, "message_id": own, "text": "z"}
        with pytest.raises(ApiError, match="Bad Request: "):
            METHODS[method](room, typed({**asked, "reply_markup": {"inline_keyboard": [[button]]}}))
    assert room.chats[ANN].messages[own]["text"] == "y"


@pytest.mark.parametrize(
    ("markup", "why"),
    [
        (5, "object expected as reply markup"),
        ([], "object expected as reply markup"),
        ("[", "can't parse reply_markup JSON object"),
        ({"inline_keyboard": 5}, 'field "inline_keyboard" must be of type Array'),
        ({"inline_keyboard": [{"text": "x", "callback_data": "x"}]},
         'field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays'),
        ({"keyboard": 5}, 'field "keyboard" must be of type Array'),
        ({"keyboard": ["x"]}, 'field "keyboard" must be an Array of Arrays'),
        ({"keyboard": [[5]]},
         "can't parse keyboard button: KeyboardButton must be a String or an Object"),
        ({"keyboard": [[""]]}, "keyboard button text must be non-empty"),
        ({"keyboard": [["x"]], "input_field_placeholder": 5},
         'field "input_field_placeholder" must be of type String'),
    ],
)  # fmt: skip
def test_a_keyboard_that_is_refused(room: Room, markup: Any, why: str) -> None:
    """A flat one, for example, of which nothing is shown either."""
    assert refused(room, markup) == why
    assert sees(room, ANN, ANN) is None


def test_where_a_keyboard_cannot_be(room: Room) -> None:
    """Edits and channels have inline ones only; only in private, buttons ask for a contact."""
    assert refused(room, CHOICE, CHANNEL) == "inline keyboard expected"
    asks = {"keyboard": [[{"text": "x", "request_contact": True}]]}
    assert refused(room, asks, GROUP) == "phone number can be requested in private chats only"
    app = {"keyboard": [[{"text": "x", "web_app": {"url": "https://a.bc"}}]]}
    assert refused(room, app, GROUP) == "web App buttons can be used in private chats only"
    send(room, asks)
    own = send(room, None)["message_id"]
    with pytest.raises(ApiError, match="inline keyboard expected"):
        METHODS["editMessageReplyMarkup"](
            room, {"chat_id": ANN, "message_id": own, "reply_markup": CHOICE}
        )


def test_only_inline_keyboards_are_in_messages(room: Room) -> None:
    """With what the Bot API knows of a button, numbers read as strings, and no empty rows."""
    for markup in (CHOICE, {"remove_keyboard": True}, {"force_reply": True}, {}, ""):
        assert "reply_markup" not in send(room, markup)
    assert "reply_markup" not in send(room, {"inline_keyboard": [[]]})
    buttons = [
        {"text": "x", "url": "tg://user?id=7"},
        {"text": "x", "callback_data": "x" * 64, "style": "danger"},
        {"text": "x", "switch_inline_query": ""},
        {"text": "x", "switch_inline_query_current_chat": "q"},
        {"text": "x", "copy_text": {"text": "c"}},
        {"text": "x", "web_app": {"url": "https://a.bc/d"}},
        {"text": "x", "pay": True},
    ]
    odd = {"text": 5, "callback_data": 0, "url": None, "unknown": "x"}
    sent = send(room, {"inline_keyboard": [[*buttons, odd], []]})["reply_markup"]
    assert sent == {"inline_keyboard": [[*buttons, {"text": "5", "callback_data": "0"}]]}


def test_a_keyboard_is_shown_until_it_is_removed(room: Room) -> None:
    """The newest one, to everybody in a group, also where another message came since."""
    assert sees(room, GROUP, ANN) is None
    send(room, {"keyboard": [["Old"]]}, GROUP)
    send(room, CHOICE, GROUP)
    send(room, None, GROUP)
    for user in (ANN, BORIS):
        assert sees(room, GROUP, user) == [[{"text": "Yes"}, {"text": "No"}]]
    assert sees(room, ANN, ANN) is None
    found = shown_to(room.chats[GROUP], ANN)
    assert found
    assert found["reply_markup"]["resize_keyboard"] is True
    room.delete(room.chats[GROUP], found["message_id"])
    assert sees(room, GROUP, ANN) is None
    send(room, CHOICE, GROUP)
    send(room, {"remove_keyboard": True}, GROUP)
    assert sees(room, GROUP, ANN) is None


def test_a_selective_keyboard(room: Room) -> None:
    """Only who is mentioned or replied to sees it, or no longer sees the general one."""
    only = {"keyboard": [["Mine"]], "selective": True}
    mine = [[{"text": "Mine"}]]
    send(room, only, GROUP, "for @ann_b")
    assert (sees(room, GROUP, ANN), sees(room, GROUP, BORIS)) == (mine, None)
    mention = [{"type": "text_mention", "offset": 0, "length": 3, "user": {"id": BORIS}}]
    send(room, only, GROUP, "you", entities=mention)
    assert sees(room, GROUP, BORIS) == mine
    send(room, {"keyboard": [["All"]]}, GROUP)
    assert sees(room, GROUP, ANN) == [[{"text": "All"}]]
    asked = room.say(GROUP, BORIS, "?")["message_id"]
    gone = {"remove_keyboard": True, "selective": True}
    send(room, gone, GROUP, reply_parameters={"message_id": asked})
    assert (sees(room, GROUP, ANN), sees(room, GROUP, BORIS)) == ([[{"text": "All"}]], None)
    send(room, only, ANN)
    assert sees(room, ANN, ANN) == mine


def test_what_is_used_is_put_away(room: Room) -> None:
    """A one-time keyboard hides once a button is used, a forced reply ends with the reply."""
    send(room, {**CHOICE, "one_time_keyboard": True}, GROUP)
    room.say(GROUP, ANN, "Maybe")
    assert shown_to(room.chats[GROUP], ANN)["is_hidden"] is False  # type: ignore[index]
    room.say(GROUP, ANN, "Yes")
    hidden = [shown_to(room.chats[GROUP], user)["is_hidden"] for user in (ANN, BORIS)]  # type: ignore[index]
    assert hidden == [True, False]
    asked = send(room, {"force_reply": True, "input_field_placeholder": "Name"}, GROUP)
    room.say(GROUP, ANN, "hello")
    assert sees(room, GROUP, ANN) == "a reply"
    room.say(GROUP, ANN, "Ann", reply_to=asked["message_id"])
    assert (sees(room, GROUP, ANN), sees(room, GROUP, BORIS)) == (None, "a reply")


@pytest.mark.parametrize("kind", ["contact", "location", "poll"])
def test_a_request_is_a_use(room: Room, kind: str) -> None:
    """A one-time keyboard hides, too, once somebody sends what its button asks for."""
    value = {"type": "regular"} if kind == "poll" else True
    asking = {"text": "Yours?", f"request_{kind}": value}
    send(room, {"keyboard": [[asking, "No"]], "one_time_keyboard": True})
    others: dict[str, Callable[[], object]] = {
        "contact": lambda: room.send_contact(ANN, ANN, "+1", "Ann"),
        "location": lambda: room.send_place(ANN, ANN, latitude=1.0, longitude=2.0),
        "poll": lambda: room.send_poll(ANN, ANN, "Tea?", ["yes"]),
    }
    used = others.pop(kind)
    for other in others.values():
        other()
    assert shown_to(room.chats[ANN], ANN)["is_hidden"] is False  # type: ignore[index]
    used()
    assert shown_to(room.chats[ANN], ANN)["is_hidden"] is True  # type: ignore[index]


async def test_it_is_seen_through_the_door(room: Room) -> None:
    """The page and other programs ask for the keyboard of one person."""
    send(room, CHOICE)
    transport = httpx.ASGITransport(Starlette(routes=room_routes(room)))
    async with httpx.AsyncClient(transport=transport, base_url="http://room") as client:
        seen = (await client.get(f"/room/keyboard?chat={ANN}&user={ANN}")).json()
        assert seen["reply_markup"]["keyboard"] == [[{"text": "Yes"}, {"text": "No"}]]
        assert seen["message_id"] == room.messages(ANN)[-1]["message_id"]
        assert (await client.get(f"/room/keyboard?chat=99&user={ANN}")).json() is None
