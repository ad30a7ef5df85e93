"""Forum topics in the local Telegram: opened, closed, deleted, and General."""

from typing import Any

import pytest

from bot.playground.telegram.chat import GENERAL, Json
from bot.playground.telegram.methods import METHODS
from bot.playground.telegram.refusal import ApiError
from bot.playground.telegram.room import Room

ANN, BORIS = 7, 8
FORUM = -1000000000005
LOST = "Bad Request: message thread not found"
CLOSED = "Bad Request: TOPIC_CLOSED"


@pytest.fixture
def room() -> Room:
    """A forum of which Ann is the creator, and Boris a member."""
    room = Room("42:token")
    room.make_chat(FORUM, "forum", "Forum")
    room.set_member(FORUM, ANN, "creator")
    room.set_member(FORUM, BORIS, "member")
    return room


def send(room: Room, **given: Any) -> Json:
    message: Json = METHODS["sendMessage"](room, {"chat_id": FORUM, "text": "x", **given})
    return message


def refused(room: Room, **given: Any) -> str:
    """Let the bot write where it cannot; why."""
    with pytest.raises(ApiError) as refusal:
        send(room, **given)
    return refusal.value.description


async def told(room: Room) -> list[Json]:
    return [update["message"] for update in await room.updates.poll(0, 100, 0)]


def test_general_has_no_thread(room: Room) -> None:
    """Neither what comes in nor what goes out names it, though it is thread 1."""
    assert "message_thread_id" not in room.say(FORUM, BORIS, "x")
    assert "message_thread_id" not in send(room)
    assert refused(room, message_thread_id=GENERAL) == LOST
    assert room.chats[FORUM].json()["is_forum"]


async def test_a_closed_topic(room: Room) -> None:
    """Its messages say so; only those who manage topics write there, until it is open again."""
    topic = room.open_topic(FORUM, "News")
    into = {"message_thread_id": topic}
    asked = room.say(FORUM, BORIS, "x", topic=topic)["message_id"]
    room.close_topic(FORUM, topic)
    room.close_topic(FORUM, topic)
    assert refused(room, **into) == CLOSED
    assert refused(room, reply_parameters={"message_id": asked}) == CLOSED
    with pytest.raises(ValueError, match="topic is closed"):
        room.say(FORUM, BORIS, "x", topic=topic)
    room.say(FORUM, ANN, "I may", topic=topic)
    send(room)
    room.promote(FORUM, rights=["can_pin_messages"])
    assert refused(room, **into) == CLOSED
    room.promote(FORUM, rights=["can_manage_topics"])
    assert send(room, **into)["message_thread_id"] == topic
    room.demote(FORUM)
    room.reopen_topic(FORUM, topic)
    assert send(room, **into)["is_topic_message"]
    updates = await room.updates.poll(0, 100, 0)
    services = [
        (message["message_thread_id"], name)
        for message in (update.get("message", {}) for update in updates)
        for name in message
        if name.startswith("forum_topic")
    ]
    assert services == [
        (topic, "forum_topic_created"),
        (topic, "forum_topic_closed"),
        (topic, "forum_topic_reopened"),
    ]


async def test_general_closes_too(room: Room) -> None:
    """Then nobody writes outside of topics."""
    topic = room.open_topic(FORUM)
    room.close_topic(FORUM, GENERAL)
    assert refused(room) == CLOSED
    assert send(room, message_thread_id=topic)["message_thread_id"] == topic
    (_, closed) = await told(room)
    assert "forum_topic_closed" in closed
    assert "message_thread_id" not in closed
    room.reopen_topic(FORUM, GENERAL)
    send(room)


def test_a_deleted_topic_is_gone(room: Room) -> None:
    """With all that was said in it."""
    topic = room.open_topic(FORUM)
    asked = room.say(FORUM, BORIS, "x", topic=topic)["message_id"]
    other = room.say(FORUM, BORIS, "elsewhere")["message_id"]
    room.delete_topic(FORUM, topic)
    assert refused(room, message_thread_id=topic) == LOST
    assert list(room.chats[FORUM].messages) == [other]
    lenient = {"message_id": asked, "allow_sending_without_reply": True}
    assert refused(room, message_thread_id=topic, reply_parameters=lenient) == LOST
    with pytest.raises(ValueError, match="no topic"):
        room.delete_topic(FORUM, topic)
    with pytest.raises(ValueError, match="General"):
        room.delete_topic(FORUM, GENERAL)
    with pytest.raises(ValueError, match="this topic is deleted"):
        room.say(FORUM, ANN, "anybody?", topic=topic)
    assert topic not in room.chats[FORUM].topics
    for act in (room.close_topic, room.reopen_topic, room.delete_topic):
        with pytest.raises(ValueError, match="no topic"):
            act(-5, 3)
