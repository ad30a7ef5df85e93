"""What the bot's messages reply to and quote, in their chat and in others."""

from typing import Any

import pytest

from bot.playground.telegram.chat import Json
from bot.playground.telegram.methods import METHODS
from bot.playground.telegram.parameters import typed
from bot.playground.telegram.refusal import ApiError
from bot.playground.telegram.room import Room

ANN = 7
GROUP, FORUM, CHANNEL = -5, -1000000000005, -1000000000006
LOST = "message to be replied not found"


@pytest.fixture
def room() -> Room:
    """Ann alone with the bot, in a group, and a channel with one post."""
    room = Room("42:token")
    room.say(ANN, ANN, "😀 one two one")
    room.say(GROUP, ANN, "in the group")
    room.make_chat(CHANNEL, "channel", "News", username="news")
    room.promote(CHANNEL)
    room.say(CHANNEL, ANN, "posted")
    return room


def send(room: Room, reply: Any, chat: int = ANN, **given: Any) -> Json:
    asked = {"chat_id": chat, "text": "y", "reply_parameters": reply, **given}
    message: Json = METHODS["sendMessage"](room, typed(asked))
    return message


def refused(room: Room, reply: Any) -> str:
    before = room.messages(ANN)
    with pytest.raises(ApiError) as refusal:
        send(room, reply)
    assert room.messages(ANN) == before
    return refusal.value.description.partition(": ")[2]


def first(room: Room, chat: int) -> int:
    number: int = room.messages(chat)[0]["message_id"]
    return number


def test_a_quote_is_found_in_the_message(room: Room) -> None:
    """Where it is nearest to the given place, in UTF-16 units, with the styles of a quote."""
    asked = {"message_id": first(room, ANN), "quote": "one"}
    assert send(room, asked)["quote"] == {"text": "one", "position": 3, "is_manual": True}
    assert send(room, {**asked, "quote_position": 10})["quote"]["position"] == 11
    styled = {**asked, "quote": "<b>one</b> <code>two</code>", "quote_parse_mode": "HTML"}
    sent = send(room, styled)
    assert sent["quote"]["text"] == "one two"
    assert [entity["type"] for entity in sent["quote"]["entities"]] == ["bold"]
    assert sent["reply_to_message"]["text"] == "😀 one two one"
    assert "quote" not in send(room, {**asked, "quote": ""})


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        ({"quote": "three"}, "QUOTE_TEXT_INVALID"),
        ({"quote": "One"}, "QUOTE_TEXT_INVALID"),
        ({"quote": "<b>", "quote_parse_mode": "HTML"},
         'can\'t parse entities: Can\'t find end tag corresponding to start tag "b"'),
        ({"message_id": 99}, LOST),
        ({"message_id": 99, "quote": "one"}, LOST),
        ({"chat_id": -99}, "chat not found"),
        ({"chat_id": "@nobody"}, "chat not found"),
        ({"chat_id": GROUP, "message_id": 99}, LOST),
        ({"chat_id": GROUP, "message_id": 99, "allow_sending_without_reply": True}, LOST),
    ],
)  # fmt: skip
def test_a_reply_that_is_refused(room: Room, reply: Json, why: str) -> None:
    """To what is not there, or with a quote that is not in it."""
    assert refused(room, {"message_id": first(room, ANN), **reply}) == why


def test_reply_parameters_that_are_none(room: Room) -> None:
    """They are an object with a message, or empty."""
    assert refused(room, [5]) == "object expected as reply parameters"
    missing = "can't parse reply parameters: Can't find field \"message_id\""
    assert refused(room, {"quote": "one"}) == missing
    for nothing in (None, {}, {"message_id": 0}):
        assert "reply_to_message" not in send(room, nothing)
    lenient = {"message_id": 99, "allow_sending_without_reply": True, "quote": "one"}
    sent = send(room, lenient)
    assert not {"reply_to_message", "quote"} & sent.keys()
    as_text = {"message_id": str(first(room, ANN)), "chat_id": str(ANN)}
    assert send(room, as_text)["reply_to_message"]["message_id"] == first(room, ANN)


def test_a_reply_to_another_chat(room: Room) -> None:
    """It says whose message it was, and which if anybody may see it there."""
    posted = {"chat_id": "@news", "message_id": first(room, CHANNEL), "quote": "post"}
    sent = send(room, posted)
    assert "reply_to_message" not in sent
    assert sent["quote"]["text"] == "post"
    info = sent["external_reply"]
    assert (info["origin"]["type"], info["chat"]["id"]) == ("channel", CHANNEL)
    assert info["message_id"] == first(room, CHANNEL)
    said = send(room, {"chat_id": GROUP, "message_id": first(room, GROUP)})["external_reply"]
    assert said["origin"]["sender_user"]["id"] == ANN
    assert "chat" not in said
    room.make_chat(FORUM, "forum", "Club")
    room.set_member(FORUM, ANN, "creator")
    room.hide(FORUM, ANN, on=True)
    asked = room.say(FORUM, ANN, "as the group")["message_id"]
    hidden = send(room, {"chat_id": FORUM, "message_id": asked})["external_reply"]
    assert hidden["origin"]["sender_chat"]["id"] == FORUM
    room.kick(GROUP)
    with pytest.raises(ApiError, match="bot was kicked"):
        send(room, {"chat_id": GROUP, "message_id": first(room, GROUP)})


def test_people_quote_too(room: Room) -> None:
    """A part of what they reply to, and of nothing else."""
    asked = first(room, ANN)
    assert room.say(ANN, ANN, "why?", reply_to=asked, quote="two")["quote"]["position"] == 7
    for wrong in ({"quote": "two"}, {"quote": "three", "reply_to": asked}):
        with pytest.raises(ValueError, match=r"no message 0|does not have this quote"):
            room.say(ANN, ANN, "why?", **wrong)
