"""Polls: the bot's and people's, votes, and what the bot is told of them."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from telegram import Poll, Update

from bot.playground.telegram.room import Room
from tests.playground.clock import Clock
from tests.playground.test_acts import client_of, does
from tests.playground.test_uploads import call

TOKEN = "42:AAtoken"
ANN, BORIS = 7, 8
GROUP, CHANNEL = -5, -1000000000006


@pytest.fixture
def room(clock: Clock) -> Room:
    room = Room(TOKEN, clock=clock)
    room.say(ANN, ANN, "hi")
    room.say(GROUP, BORIS, "hi")
    room.updates.clear()
    return room


@pytest.fixture
async def client(room: Room) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(room) as client:
        yield client


async def updates(room: Room) -> list[dict[str, Any]]:
    found = await room.updates.poll(0, 100, 0)
    room.updates.clear()
    assert all(Update.de_json(each, None) for each in found)
    return found


async def test_entities(client: httpx.AsyncClient) -> None:
    """A question and its options keep custom emoji alone, an explanation keeps all."""
    emoji = {"type": "custom_emoji", "offset": 4, "length": 2, "custom_emoji_id": "5"}
    bold = {"type": "bold", "offset": 0, "length": 1}
    given = {
        "question": "Tea 🍵",
        "question_entities": [bold, emoji],
        "options": [
            {"text": "yes 🍵", "text_entities": [bold, emoji]},
            {"text": "<b>no</b>", "text_parse_mode": "HTML"},
        ],
        "type": "quiz",
        "correct_option_ids": [0],
        "explanation": "<b>So</b>",
        "explanation_parse_mode": "HTML",
    }
    poll = (await call(client, "sendPoll", chat_id=ANN, **given))["poll"]
    assert poll["question_entities"] == [emoji]
    assert poll["options"][0]["text_entities"] == [emoji]
    assert poll["options"][1]["text"] == "no"
    assert "text_entities" not in poll["options"][1]
    assert poll["explanation_entities"] == [{"type": "bold", "offset": 0, "length": 2}]


async def test_a_poll_is_voted_in_and_stopped(room: Room, client: httpx.AsyncClient) -> None:
    """The bot hears of each vote, in forwards of it too, and who cast it if that is open."""
    given = {"question": "Tea?", "options": ["yes", {"text": "no"}], "is_anonymous": False}
    sent = await call(client, "sendPoll", chat_id=GROUP, **given, allows_multiple_answers=True)
    place = {"chat": GROUP, "message_id": sent["message_id"]}
    forward = {"chat_id": ANN, "from_chat_id": GROUP, "message_id": sent["message_id"]}
    copy = (await call(client, "forwardMessage", **forward))["message_id"]
    await does(client, "vote", **place, user=BORIS, options=["1", "0"])
    await does(client, "vote", chat=ANN, user=ANN, message_id=copy, options=["1"])
    for chat in (GROUP, ANN):
        poll = room.messages(chat)[-1]["poll"]
        assert [option["voter_count"] for option in poll["options"]] == [1, 2]
        assert poll["total_voter_count"] == 2
    heard = await updates(room)
    assert [each["poll"]["total_voter_count"] for each in heard if "poll" in each] == [1, 2]
    (first, _) = [each["poll_answer"] for each in heard if "poll_answer" in each]
    assert (first["user"]["id"], first["option_ids"]) == (BORIS, [0, 1])
    await does(client, "vote", **place, user=BORIS, options=[])
    assert (await updates(room))[1]["poll_answer"]["option_ids"] == []
    at = {"chat_id": GROUP, "message_id": sent["message_id"]}
    stopped = await call(client, "stopPoll", **at)
    assert Poll.de_json(stopped, None).is_closed
    assert [each["poll"] for each in await updates(room)] == [stopped]
    assert room.messages(ANN)[-1]["poll"] == stopped
    assert await call(client, "stopPoll", **at) == "Bad Request: poll has already been closed"
    with pytest.raises(ValueError, match="this poll is closed"):
        room.vote(**place, user=BORIS, options=["1"])


async def test_a_quiz(room: Room, client: httpx.AsyncClient, clock: Clock) -> None:
    """It has right answers and an explanation, and takes one vote of each; it can end by itself."""
    given = {"question": "2*2?", "options": ["4", "5"], "type": "quiz", "correct_option_id": 0}
    more = {"explanation": "<b>so</b>", "explanation_parse_mode": "HTML", "open_period": 60}
    poll = (await call(client, "sendPoll", **given, **more))["poll"]
    assert (poll["correct_option_ids"], poll["explanation"]) == ([0], "so")
    assert poll["close_date"] == clock.now + 60
    number = room.messages(ANN)[-1]["message_id"]
    room.vote(ANN, ANN, number, ["1"])
    with pytest.raises(ValueError, match="cannot be changed"):
        room.vote(ANN, ANN, number, ["0"])
    copy = {"from_chat_id": ANN, "message_id": number}
    assert await call(client, "copyMessage", **copy)
    copied = room.messages(ANN)[-1]["poll"]
    assert (copied["total_voter_count"], copied["id"] != poll["id"]) == (0, True)
    clock.now += 61
    with pytest.raises(ValueError, match="closed"):
        room.vote(ANN, ANN, number, ["1"])


async def test_a_poll_closes_by_itself(room: Room, client: httpx.AsyncClient, clock: Clock) -> None:
    """When its time is over: it is shown closed, and the bot hears of it, once."""
    timers: list[tuple[float, Callable[[], None]]] = []
    room.later = lambda seconds, act: timers.append((seconds, act))
    given = {"question": "Tea?", "options": ["yes", "no"]}
    first = await call(client, "sendPoll", **given, open_period=60)
    clock.now += 50
    copy = await call(client, "copyMessage", from_chat_id=ANN, message_id=first["message_id"])
    await call(client, "sendPoll", **given, close_date=int(clock.now) + 5)
    assert [seconds for seconds, _ in timers] == [60, 60, 5]
    numbers = [first["message_id"], copy["message_id"], copy["message_id"] + 1]
    polls = {each["message_id"]: each["poll"] for each in room.messages(ANN) if "poll" in each}
    assert polls[numbers[1]]["close_date"] == clock.now + 60
    stopped = await call(client, "stopPoll", message_id=numbers[2])
    room.updates.clear()
    clock.now += 60
    for _, act in timers:
        act()
    heard = [each["poll"] for each in await updates(room)]
    assert heard == [polls[number] | {"is_closed": True} for number in numbers[:2]]
    after = {each["message_id"]: each["poll"] for each in room.messages(ANN) if "poll" in each}
    assert [after[number] for number in numbers] == [*heard, stopped]


async def test_a_description(room: Room, client: httpx.AsyncClient) -> None:
    """It is in the message, with its entities, and nowhere else."""
    words = {"description": "<b>So</b>", "description_parse_mode": "HTML"}
    sent = await call(client, "sendPoll", question="Tea?", options=["yes"], **words)
    entities = [{"type": "bold", "offset": 0, "length": 2}]
    assert (sent["poll"]["description"], sent["poll"]["description_entities"]) == ("So", entities)
    room.vote(ANN, ANN, sent["message_id"], ["0"])
    assert room.messages(ANN)[-1]["poll"]["description"] == "So"
    stopped = await call(client, "stopPoll", message_id=sent["message_id"])
    for poll in (stopped, *(each["poll"] for each in await updates(room))):
        assert "description" not in poll
        assert "description_entities" not in poll


async def test_peoples_polls(room: Room, client: httpx.AsyncClient) -> None:
    """The bot gets the message, but no votes, and cannot stop it."""
    poll = {"kind": "poll", "question": "Tea?", "options": ["yes", "no"]}
    sent = await does(client, "media", chat=GROUP, user=BORIS, **poll)
    assert (await updates(room))[0]["message"] == sent
    await does(client, "vote", chat=GROUP, user=BORIS, message_id=sent["message_id"], options=["0"])
    assert await updates(room) == []
    at = {"chat_id": GROUP, "message_id": sent["message_id"]}
    assert await call(client, "stopPoll", **at) == "Bad Request: message can't be edited"


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"options": ["a"]}, "text must be non-empty"),
        ({"question": "x" * 301, "options": ["a"]}, "poll question length must not exceed 300"),
        ({"question": "x"}, "poll must have at least one answer option"),
        ({"question": "x", "options": 5}, "expected an Array of InputPollOption as options"),
        ({"question": "x", "options": ["a"] * 13}, "poll can't have more than 12 options"),
        ({"question": "x", "options": ["a", " "]}, "text must be non-empty"),
        ({"question": "x", "options": ["a" * 101]}, "poll options length must not exceed 100"),
        (
            {"question": "x", "options": [5]},
            "can't parse InputPollOption: Expected InputPollOption to be an Object",
        ),
        (
            {"question": "x", "options": [{}]},
            "can't parse InputPollOption: Can't find field \"text\"",
        ),
        (
            {"question": "x", "options": ["a"], "type": "survey"},
            "unsupported poll type specified",
        ),
        (
            {"question": "x", "options": ["a"], "type": "quiz", "correct_option_ids": [1]},
            "wrong correct option ID specified",
        ),
        (
            {"question": "x", "options": ["a"], "open_period": 4},
            "wrong poll open period specified",
        ),
        (
            {"question": "x", "options": ["a"], "description": "x" * 1025},
            "poll description length must not exceed 1024",
        ),
        (
            {"question": "x", "options": ["a"], "media": {"type": "photo", "media": "x"}},
            "media in polls is not served by the local Telegram",
        ),
        (
            {"question": "x", "options": [{"text": "a", "media": {"type": "photo"}}]},
            "media in polls is not served by the local Telegram",
        ),
    ],
)
async def test_polls_that_are_refused(
    room: Room, client: httpx.AsyncClient, given: dict[str, Any], why: str
) -> None:
    """In Telegram's words, and nothing is sent."""
    assert await call(client, "sendPoll", **given) == f"Bad Request: {why}"
    assert len(room.messages(ANN)) == 1


async def test_polls_in_channels_and_missing_ones(room: Room, client: httpx.AsyncClient) -> None:
    """A channel takes anonymous ones only."""
    room.make_chat(CHANNEL, "channel", "News")
    room.promote(CHANNEL)
    given = {"chat_id": CHANNEL, "question": "x", "options": ["a"]}
    why = "Bad Request: non-anonymous polls can't be sent to channel chats"
    assert await call(client, "sendPoll", **given, is_anonymous=False) == why
    assert (await call(client, "sendPoll", **given))["poll"]["is_anonymous"]
    why = "Bad Request: message with poll to stop not found"
    assert await call(client, "stopPoll", message_id=99) == why
    text = await call(client, "sendMessage", text="x")
    why = "Bad Request: message is not a poll"
    assert await call(client, "stopPoll", message_id=text["message_id"]) == why


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"message_id": 1, "options": []}, "there is no poll in message 1"),
        ({"user": 99, "options": ["0"]}, "not in the chat"),
        ({"options": ["7"]}, "no options of this poll: 7"),
        ({"options": ["0", "1"]}, "takes one answer"),
        ({"options": []}, "has not voted"),
    ],
)
async def test_votes_that_are_none(
    room: Room, client: httpx.AsyncClient, given: dict[str, Any], why: str
) -> None:
    """One sentence, and the poll stays as it was."""
    sent = await call(client, "sendPoll", question="x", options=["a", "b"])
    place = {"chat": ANN, "user": ANN, "message_id": sent["message_id"]}
    answer = await client.post("/room/vote", json={**place, **given})
    assert answer.status_code == 400
    assert why in answer.json()["error"]
    assert room.messages(ANN)[-1] == sent
