"""The topics of a forum, as a bot makes and governs them."""

from typing import Any

import pytest
from telegram import ForumTopic, Update

from bot.playground.telegram.chat import GENERAL, Json
from bot.playground.telegram.methods import METHODS
from bot.playground.telegram.parameters import typed
from bot.playground.telegram.refusal import ApiError
from bot.playground.telegram.room import Room
from bot.playground.telegram.topics import ICON_COLORS

ANN, BOT = 7, 42
FORUM, CLUB = -1000000000005, -1000000000006
UNCHANGED = "TOPIC_NOT_MODIFIED"


@pytest.fixture
def room() -> Room:
    """A forum that the bot governs, and in which Ann has opened a topic."""
    room = Room(f"{BOT}:token")
    room.make_chat(FORUM, "forum", "Forum")
    room.set_member(FORUM, ANN, "creator")
    room.set_bot(FORUM, "administrator")
    room.open_topic(FORUM, "Ann's")
    room.updates.clear()
    return room


def call(room: Room, method: str, **given: Any) -> Any:
    return METHODS[method](room, typed({"chat_id": FORUM, **given}))


def refused(room: Room, method: str, **given: Any) -> str:
    with pytest.raises(ApiError) as refusal:
        call(room, method, **given)
    return refusal.value.description.removeprefix("Bad Request: ")


async def said(room: Room) -> list[tuple[str, int | None]]:
    """Return which service messages came from the bot, in which threads."""
    updates = await room.updates.poll(0, 100, 0)
    room.updates.clear()
    assert all(Update.de_json(each, None) for each in updates)
    messages = [each["message"] for each in updates]
    assert all(message["from"]["id"] == BOT for message in messages)
    return [
        (name, message.get("message_thread_id"))
        for message in messages
        for name in message
        if "forum_topic" in name
    ]


def theirs(room: Room) -> int:
    return min(room.chats[FORUM].topics)


async def test_the_life_of_a_topic(room: Room) -> None:
    """Made, renamed, closed, opened again and deleted; each but the last is said in it."""
    made = call(room, "createForumTopic", name=" News ", icon_color=str(ICON_COLORS[1]))
    assert ForumTopic.de_json(made, None)
    topic = {"message_thread_id": made["message_thread_id"]}
    assert made == {**topic, "name": "News", "icon_color": ICON_COLORS[1]}
    assert call(room, "editForumTopic", **topic, name="Newer", icon_custom_emoji_id="5") is True
    edited = room.messages(FORUM)[-1]["forum_topic_edited"]
    assert edited == {"name": "Newer", "icon_custom_emoji_id": "5"}
    assert refused(room, "editForumTopic", **topic) == UNCHANGED
    assert call(room, "closeForumTopic", **topic) is True
    assert refused(room, "closeForumTopic", **topic) == UNCHANGED
    assert call(room, "reopenForumTopic", **topic) is True
    assert refused(room, "reopenForumTopic", **topic) == UNCHANGED
    assert call(room, "deleteForumTopic", **topic) is True
    kinds = ("created", "edited", "closed", "reopened")
    thread = made["message_thread_id"]
    assert await said(room) == [(f"forum_topic_{kind}", thread) for kind in kinds]
    assert refused(room, "editForumTopic", **topic, name="x") == "TOPIC_ID_INVALID"
    assert call(room, "getForumTopicIconStickers") == []


async def test_general(room: Room) -> None:
    """It is renamed, closed and hidden, and its thread is never named."""
    assert call(room, "editGeneralForumTopic", name="Hall") is True
    assert call(room, "closeGeneralForumTopic") is True
    assert refused(room, "closeGeneralForumTopic") == UNCHANGED
    assert call(room, "reopenGeneralForumTopic") is True
    assert call(room, "hideGeneralForumTopic") is True
    assert GENERAL in room.chats[FORUM].closed
    assert refused(room, "hideGeneralForumTopic") == UNCHANGED
    assert call(room, "unhideGeneralForumTopic") is True
    assert refused(room, "unhideGeneralForumTopic") == UNCHANGED
    assert await said(room) == [
        ("forum_topic_edited", None),
        ("forum_topic_closed", None),
        ("forum_topic_reopened", None),
        ("general_forum_topic_hidden", None),
        ("general_forum_topic_unhidden", None),
    ]


async def test_pins_by_topic(room: Room) -> None:
    """Those of one topic, or of General, are taken away alone."""
    topic = theirs(room)
    sent = [
        call(room, "sendMessage", text="x", message_thread_id=thread)["message_id"]
        for thread in (topic, None)
    ]
    for number in sent:
        call(room, "pinChatMessage", message_id=number)
    assert room.messages(FORUM)[-2]["message_thread_id"] == topic
    assert call(room, "unpinAllForumTopicMessages", message_thread_id=topic) is True
    assert room.chats[FORUM].pins == sent[1:]
    assert call(room, "unpinAllGeneralForumTopicMessages") is True
    assert room.chats[FORUM].pins == []


def test_rights_are_needed(room: Room) -> None:
    """A member makes topics if permitted, and governs its own; the rest needs a right."""
    room.demote(FORUM)
    mine = {"message_thread_id": call(room, "createForumTopic", name="Mine")["message_thread_id"]}
    for method in ("closeForumTopic", "reopenForumTopic", "deleteForumTopic"):
        assert call(room, method, **mine) is True
    other = {"message_thread_id": theirs(room), "name": "x"}
    for method in (
        "editForumTopic",
        "closeForumTopic",
        "reopenForumTopic",
        "deleteForumTopic",
        "editGeneralForumTopic",
        "closeGeneralForumTopic",
        "reopenGeneralForumTopic",
        "hideGeneralForumTopic",
        "unhideGeneralForumTopic",
    ):
        assert "not enough rights" in refused(room, method, **other)
    room.permit(FORUM, [])
    assert refused(room, "createForumTopic", name="x") == "not enough rights to create a topic"
    for method in ("unpinAllForumTopicMessages", "unpinAllGeneralForumTopicMessages"):
        assert "not enough rights" in refused(room, method, **other)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"name": " "}, "TOPIC_TITLE_EMPTY"),
        ({"name": "x", "icon_color": 5}, "TOPIC_ICON_COLOR_INVALID"),
        ({"name": "x", "chat_id": CLUB}, "the chat is not a forum"),
    ],
)
def test_a_topic_that_is_refused(room: Room, given: Json, why: str) -> None:
    """It has a name and a known colour, and is in a forum."""
    room.make_chat(CLUB, "supergroup", "Club")
    topics = set(room.chats[FORUM].topics)
    assert refused(room, "createForumTopic", **given) == why
    assert room.chats[FORUM].topics == topics
