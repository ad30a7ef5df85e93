"""All methods of the local Telegram at once: whatever comes, each answers or refuses in words."""

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.playground.telegram.chat import Json
from bot.playground.telegram.files import Upload
from bot.playground.telegram.methods import METHODS
from bot.playground.telegram.parameters import typed
from bot.playground.telegram.refusal import ApiError
from bot.playground.telegram.room import Room
from bot.playground.telegram.samples import SAMPLES

TOKEN = "42:AAtoken"
ANN, BORIS, CLARA, BOT = 7, 8, 9, 42
GROUP, FORUM, CHANNEL, CLOSED = -5, -1000000000005, -1000000000006, -1000000000007


def clock() -> float:
    return 1_000_000.0


BUTTON = {"inline_keyboard": [[{"text": "x", "callback_data": "d"}]]}
ARTICLE = {
    "type": "article",
    "id": "1",
    "title": "T",
    "input_message_content": {"message_text": "hi"},
}
NUMBERS = st.sampled_from([ANN, BORIS, BOT, 99, GROUP, FORUM, CHANNEL, 0, 1, 2, 3, 4, 5, -1, 2**60])
WORDS = st.sampled_from(
    ["x", "", " ", "<b>x</b>", "hello", "y" * 5000, "\ud800", "😀", "7", "true"]
)
FLAGS = st.sampled_from([True, False, "true", "no", 5])
RIGHT: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(("chat_id", "from_chat_id"), NUMBERS | st.sampled_from(["@news", "7"])),
    **dict.fromkeys(("message_id", "message_thread_id", "user_id", "reply_to_message_id"), NUMBERS),
    **dict.fromkeys(
        ("draft_id", "until_date", "icon_color", "cache_time", "member_limit"), NUMBERS
    ),
    **dict.fromkeys(("max_connections", "expire_date", "latitude", "longitude", "width"), NUMBERS),
    **dict.fromkeys(("text", "caption", "title", "description", "name", "custom_title"), WORDS),
    **dict.fromkeys(("question", "phone_number", "first_name", "address", "next_offset"), WORDS),
    **dict.fromkeys(("short_description", "invite_link", "url", "secret_token"), WORDS),
    **dict.fromkeys(("is_big", "show_alert", "only_if_banned", "can_pin_messages"), FLAGS),
    **dict.fromkeys(("for_channels", "can_stop", "can_manage_topics", "is_personal"), FLAGS),
    **dict.fromkeys(("allow_sending_without_reply", "drop_pending_updates"), FLAGS),
    **dict.fromkeys(("inline_query_id", "callback_query_id"), st.sampled_from(["1", "2", "3", 1])),
    "message_ids": st.lists(NUMBERS, max_size=3),
    "action": st.sampled_from(["typing", "UPLOAD_PHOTO", "dance"]),
    "parse_mode": st.sampled_from(["HTML", "MarkdownV2", "x"]),
    "language_code": st.sampled_from(["", "ru", "xyz"]),
    "emoji": st.sampled_from(["🎲", "🎯", "x"]),
    "entities": st.just([{"type": "bold", "offset": 0, "length": 1}]),
    "reply_markup": st.sampled_from([BUTTON, {"keyboard": [["x"]]}, {"force_reply": True}]),
    "reply_parameters": st.sampled_from([{"message_id": 1, "quote": "x"}, {"message_id": 99}]),
    "reaction": st.sampled_from([[{"type": "emoji", "emoji": "👍"}], []]),
    "results": st.sampled_from([[ARTICLE], [ARTICLE, ARTICLE], []]),
    "button": st.just({"text": "x", "start_parameter": "x"}),
    "permissions": st.sampled_from([{"can_send_messages": True}, {}]),
    "rights": st.just({"can_pin_messages": True}),
    "menu_button": st.just({"type": "commands"}),
    "commands": st.just([{"command": "/help", "description": "Help"}]),
    "scope": st.sampled_from([{"type": "chat", "chat_id": GROUP}, {"type": "default"}]),
    "options": st.sampled_from([["a", "b"], [{"text": "a"}, {"text": "b"}], ["a"]]),
    "type": st.sampled_from(["quiz", "regular"]),
    "media": st.sampled_from(
        [[{"type": "photo", "media": "attach://file"}] * 2, {"type": "document", "media": "x"}]
    ),
    **dict.fromkeys(
        ("photo", "document", "video", "sticker", "voice", "audio", "file_id"),
        st.sampled_from(["attach://file", "file1", "https://a.bc/d", "x"]),
    ),
    "file": st.builds(Upload, st.just("a.txt"), st.just("text/plain"), st.just(b"x")),
    "allowed_updates": st.sampled_from([["message"], [], ["x"]]),
}
_OTHERS = (
    *("explanation", "correct_option_ids", "open_period", "close_date", "is_anonymous", "heading"),
    *("horizontal_accuracy", "live_period", "thumbnail", "has_spoiler", "caption_entities"),
    *("protect_content", "duration", "animation", "video_note", "link_preview_options"),
)
KEYS = st.sampled_from(
    [
        *RIGHT,
        *_OTHERS,
        "id",
        "offset",
        "length",
        "user",
        "web_app",
        "inline_keyboard",
        "keyboard",
        "command",
    ]
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | WORDS | NUMBERS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=8,
)


IN_ANN = {"chat_id": ANN}
IN_FORUM = {"chat_id": FORUM}
OF_BORIS = {"chat_id": FORUM, "user_id": BORIS}
OWN = {"chat_id": ANN, "message_id": 3}
TOPIC = {"chat_id": FORUM, "message_thread_id": 4}
FILE = {"chat_id": ANN, "file": Upload("a.png", "image/png", SAMPLES["photo"][0].content)}
PLACE = {"latitude": 1.5, "longitude": -2}
GOOD: dict[str, Json] = {
    "answerCallbackQuery": {"callback_query_id": "1", "text": "x"},
    "answerInlineQuery": {"inline_query_id": "2", "results": [ARTICLE]},
    "banChatMember": OF_BORIS,
    "closeForumTopic": TOPIC,
    "closeGeneralForumTopic": IN_FORUM,
    "copyMessage": {**IN_ANN, "from_chat_id": FORUM, "message_id": 2},
    "copyMessages": {**IN_ANN, "from_chat_id": FORUM, "message_ids": [2, 3]},
    "createChatInviteLink": {**IN_FORUM, "name": "x"},
    "createForumTopic": {**IN_FORUM, "name": "x"},
    "deleteForumTopic": TOPIC,
    "deleteMessage": OWN,
    "deleteMessages": {**IN_ANN, "message_ids": [1, 3]},
    "deleteWebhook": {"drop_pending_updates": True},
    "editChatInviteLink": {**IN_FORUM, "invite_link": "https://t.me/+x", "name": "y"},
    "editForumTopic": {**TOPIC, "name": "x"},
    "editGeneralForumTopic": {**IN_FORUM, "name": "x"},
    "editMessageCaption": {**IN_ANN, "message_id": 4, "caption": "y"},
    "editMessageLiveLocation": {**IN_ANN, "message_id": 5, **PLACE, "latitude": 3},
    "editMessageMedia": {
        **FILE,
        "message_id": 4,
        "media": {"type": "photo", "media": "attach://file"},
    },
    "editMessageReplyMarkup": OWN,
    "editMessageText": {**OWN, "text": "y"},
    "exportChatInviteLink": IN_FORUM,
    "forwardMessage": {**IN_ANN, "from_chat_id": FORUM, "message_id": 2},
    "forwardMessages": {**IN_ANN, "from_chat_id": FORUM, "message_ids": [2, 3]},
    **dict.fromkeys(("getChat", "getChatAdministrators", "getChatMemberCount"), IN_FORUM),
    "getChatMember": OF_BORIS,
    "getUserProfileAudios": {"user_id": ANN},
    "getUserProfilePhotos": {"user_id": ANN},
    "hideGeneralForumTopic": IN_FORUM,
    "leaveChat": IN_FORUM,
    "pinChatMessage": {**IN_FORUM, "message_id": 2},
    "promoteChatMember": {**OF_BORIS, "can_pin_messages": True},
    "reopenForumTopic": {"chat_id": FORUM, "message_thread_id": 5},
    "reopenGeneralForumTopic": {"chat_id": CLOSED},
    "restrictChatMember": {**OF_BORIS, "permissions": {"can_send_messages": True}},
    "revokeChatInviteLink": {**IN_FORUM, "invite_link": "https://t.me/+x"},
    **{
        f"send{kind}": {**FILE, name: "attach://file"}
        for kind, name in (
            ("Animation", "animation"),
            ("Audio", "audio"),
            ("Document", "document"),
            ("Photo", "photo"),
            ("Sticker", "sticker"),
            ("Video", "video"),
            ("VideoNote", "video_note"),
            ("Voice", "voice"),
        )
    },
    "sendChatAction": {**IN_ANN, "action": "UPLOAD_PHOTO"},
    "sendContact": {**IN_ANN, "phone_number": "+1", "first_name": "x"},
    "sendDice": {**IN_ANN, "emoji": "🎯"},
    "sendLocation": {**IN_ANN, **PLACE, "live_period": 600},
    "sendMediaGroup": {**FILE, "media": [{"type": "photo", "media": "attach://file"}] * 2},
    "sendMessage": {**IN_ANN, "text": "<b>x</b>", "parse_mode": "HTML", "reply_markup": BUTTON},
    "sendMessageDraft": {**IN_ANN, "draft_id": 1, "text": "x"},
    "sendPoll": {"chat_id": FORUM, "question": "x", "options": [{"text": "a"}, {"text": "b"}]},
    "sendVenue": {**IN_ANN, **PLACE, "title": "x", "address": "y"},
    "setChatAdministratorCustomTitle": {"chat_id": FORUM, "user_id": CLARA, "custom_title": "x"},
    "setChatDescription": {**IN_FORUM, "description": "x"},
    "setChatMenuButton": {**IN_ANN, "menu_button": {"type": "commands"}},
    "setChatPermissions": {**IN_FORUM, "permissions": {"can_send_messages": True}},
    "setChatTitle": {**IN_FORUM, "title": "x"},
    "setMessageReaction": {**OWN, "reaction": [{"type": "emoji", "emoji": "👍"}]},
    "setMyCommands": {"commands": [{"command": "/help", "description": "Help"}]},
    "setWebhook": {"url": "https://127.0.0.1/x", "secret_token": "x"},
    "stopMessageLiveLocation": {**IN_ANN, "message_id": 5},
    "stopPoll": {**IN_FORUM, "message_id": 9},
    "unbanChatMember": OF_BORIS,
    "unhideGeneralForumTopic": {"chat_id": CLOSED},
    "unpinAllChatMessages": IN_FORUM,
    "unpinAllForumTopicMessages": TOPIC,
    "unpinAllGeneralForumTopicMessages": IN_FORUM,
    "unpinChatMessage": {**IN_FORUM, "message_id": 3},
}
"""For each method that needs something, a call in `company` that does something."""


@st.composite
def calls(draw: st.DrawFn) -> list[tuple[str, Json]]:
    """Draw some calls: right, or nearly right, or with anything."""
    made = []
    for method in draw(st.lists(st.sampled_from(sorted(METHODS)), min_size=1, max_size=4)):
        right = GOOD.get(method, {})
        names = draw(st.lists(st.sampled_from(sorted(RIGHT)), max_size=3))
        odd = draw(
            st.dictionaries(KEYS | st.sampled_from(sorted(right) or [""]), ANYTHING, max_size=2)
        )
        nearly = {name: draw(RIGHT[name]) for name in names}
        made.append((method, right | draw(st.sampled_from([{}, nearly, odd]))))
    return made


def company() -> Room:
    """Return a room with a chat of each kind, in which every method has something to do."""
    room = Room(TOKEN, clock=clock)
    room.started -= 3600
    room.make_chat(GROUP, "group", "Group", username="friends")
    room.make_chat(FORUM, "forum", "Forum")
    room.make_chat(CLOSED, "forum", "Closed")
    room.make_chat(CHANNEL, "channel", "News", username="news")
    for chat, user in ((ANN, ANN), (GROUP, BORIS), (FORUM, BORIS), (FORUM, ANN)):
        room.say(chat, user, "hello")
    for chat in (FORUM, CLOSED, CHANNEL):
        room.promote(chat)
    room.set_member(FORUM, ANN, "creator")
    room.set_member(FORUM, CLARA, "administrator")
    for topic in (room.open_topic(FORUM), room.open_topic(FORUM)):
        room.close_topic(FORUM, topic)
    room.reopen_topic(FORUM, 4)
    does(room, "hideGeneralForumTopic", chat_id=CLOSED)
    asked = does(room, "sendMessage", **IN_ANN, text="x", reply_markup=BUTTON)
    does(room, "sendPhoto", **FILE, photo="attach://file")
    does(room, "sendLocation", **GOOD["sendLocation"])
    does(room, "sendPoll", **GOOD["sendPoll"])
    does(room, "pinChatMessage", **IN_FORUM, message_id=3)
    room.chats[FORUM].invites["https://t.me/+x"] = {
        **does(room, "createChatInviteLink", **IN_FORUM),
        "invite_link": "https://t.me/+x",
    }
    room.press(ANN, ANN, asked["message_id"], "d")
    room.ask_inline(ANN, "q")
    return room


def does(room: Room, method: str, **parameters: Any) -> Any:
    return METHODS[method](room, typed(parameters))


def state(room: Room) -> str:
    """Tell all that a method could have changed."""
    left_out = {"clock", "calls", "updates", "webhook", "files", "pace", "_changed"}
    kept = {name: value for name, value in vars(room).items() if name not in left_out}
    updates = [waiting.update for waiting in room.updates._waiting], room.updates.allowed
    return repr((kept, updates, room.webhook.target, list(room.files._by_id)))


def happen(calls: list[tuple[str, Json]]) -> None:
    room = company()
    for method, parameters in calls:
        before = state(room)
        refusal = None
        try:
            json.dumps(METHODS[method](room, typed(parameters)), allow_nan=False)
        except ApiError as error:
            refusal = error
        if refusal:
            assert refusal.description.startswith(("Bad Request: ", "Forbidden: ", "Too Many "))
            assert state(room) == before, (method, parameters)


@settings(max_examples=40)
@given(calls())
@example([("sendMessage", {"chat_id": ANN, "text": "hello", "entities": [{"url": 5}]})])
@example([("sendMessage", {"chat_id": ANN, "text": "hello", "parse_mode": 5})])
@example([("setMyCommands", {"commands": [5]})])
@example([("setWebhook", {"url": "http://127.0.0.1:1/", "allowed_updates": [5, "message"]})])
def test_a_method_answers_or_refuses(calls: list[tuple[str, Json]]) -> None:
    """Nothing that is sent breaks a method, and a refusal changes nothing."""
    happen(calls)


@pytest.mark.slow
@settings(max_examples=600)
@given(calls())
def test_a_method_answers_or_refuses_whatever_comes(calls: list[tuple[str, Json]]) -> None:
    """The same, for longer."""
    happen(calls)


def test_methods_without_parameters() -> None:
    """Each answers, or says what is missing."""
    happen([(method, {}) for method in METHODS])


def test_right_calls_are_carried_out() -> None:
    """There is one for each method, and its result is JSON."""
    for method in METHODS:
        room = company()
        (photo,) = [message["photo"] for message in room.messages(ANN) if "photo" in message]
        parameters = GOOD.get(method, {}) | {"file_id": photo[0]["file_id"]}
        json.dumps(does(room, method, **parameters), allow_nan=False)
