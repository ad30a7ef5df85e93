"""Reactions and pins, of people and of the bot, and what the bot hears of them."""

from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from telegram import ChatFullInfo, Update
from telegram.constants import ReactionEmoji

from bot.playground.door import room_routes
from bot.playground.telegram.chat import Json
from bot.playground.telegram.marks import EMOJI
from bot.playground.telegram.methods import METHODS
from bot.playground.telegram.parameters import typed
from bot.playground.telegram.refusal import ApiError
from bot.playground.telegram.room import Room

ANN, BORIS, BOT = 7, 8, 42
CLUB, CHANNEL = -1000000000005, -1000000000006
HEART = {"type": "emoji", "emoji": "❤"}
THUMB = {"type": "emoji", "emoji": "👍"}


@pytest.fixture
def room() -> Room:
    """Ann alone with the bot, and with Boris in a club; the bot hears of every reaction."""
    room = Room(f"{BOT}:token")
    room.updates.allow(["message", "message_reaction", "message_reaction_count", "channel_post"])
    for chat, user in ((ANN, ANN), (CLUB, ANN), (CLUB, BORIS)):
        room.say(chat, user, "x")
    room.updates.clear()
    return room


def call(room: Room, method: str, chat: int, **given: Any) -> Any:
    return METHODS[method](room, typed({"chat_id": chat, **given}))


def refused(room: Room, method: str, chat: int, **given: Any) -> str:
    with pytest.raises(ApiError) as refusal:
        call(room, method, chat, **given)
    return refusal.value.description.removeprefix("Bad Request: ")


def first(room: Room, chat: int) -> int:
    number: int = room.messages(chat)[0]["message_id"]
    return number


async def news(room: Room) -> list[Json]:
    updates = await room.updates.poll(0, 100, 0)
    assert all(Update.de_json(each, None) for each in updates)
    room.updates.clear()
    return updates


def test_telegrams_own_emoji() -> None:
    """Those that python-telegram-bot knows, without their variation selectors."""
    assert {each.value.replace("\ufe0f", "") for each in ReactionEmoji} == EMOJI


async def test_people_react(room: Room) -> None:
    """In private the bot hears it, in a group only as an administrator; and what it was before."""
    room.react(ANN, ANN, first(room, ANN), ["❤️"])
    room.react(ANN, ANN, first(room, ANN), ["👍", "👍"])
    room.react(ANN, ANN, first(room, ANN), ["👍"])
    room.react(ANN, ANN, first(room, ANN), [])
    changes = [each["message_reaction"] for each in await news(room)]
    steps = [(change["old_reaction"], change["new_reaction"]) for change in changes]
    assert steps == [([], [HEART]), ([HEART], [THUMB]), ([THUMB], [])]
    room.react(CLUB, BORIS, first(room, CLUB), ["👍"])
    assert await news(room) == []
    room.promote(CLUB)
    room.react(CLUB, BORIS, first(room, CLUB), ["❤"])
    room.set_member(CLUB, ANN, "creator")
    room.hide(CLUB, ANN, on=True)
    room.react(CLUB, ANN, first(room, CLUB), ["👍"])
    named, hidden = [each["message_reaction"] for each in await news(room)]
    assert named["user"]["id"] == BORIS
    assert (hidden["actor_chat"]["id"], "user" in hidden) == (CLUB, False)
    assert [each["user_id"] for each in room.reactions(CLUB)] == [BORIS, ANN]
    assert room.reactions(-99) == []


async def test_a_channels_reactions_are_counted(room: Room) -> None:
    """Without saying whose they are."""
    room.make_chat(CHANNEL, "channel", "News")
    room.promote(CHANNEL)
    post = room.say(CHANNEL, ANN, "posted")["message_id"]
    room.set_member(CHANNEL, BORIS, "member")
    room.updates.clear()
    for user in (ANN, BORIS):
        room.react(CHANNEL, user, post, ["👍"])
    counts = [each["message_reaction_count"]["reactions"] for each in await news(room)]
    assert counts[-1] == [{"type": THUMB, "total_count": 2}]


async def test_nobody_hears_of_reactions_unasked(room: Room) -> None:
    """They come to a bot only that names them in allowed_updates."""
    room.updates.allow([])
    room.react(ANN, ANN, first(room, ANN), ["👍"])
    assert await news(room) == []


def test_the_bot_reacts(room: Room) -> None:
    """With one emoji at most; an empty list takes it back."""
    message = {"message_id": first(room, CLUB)}
    assert call(room, "setMessageReaction", CLUB, **message, reaction=[HEART], is_big=True) is True
    assert room.reactions(CLUB) == [{**message, "user_id": BOT, "reaction": [HEART]}]
    assert call(room, "setMessageReaction", CLUB, **message) is True
    assert room.reactions(CLUB) == []
    for wrong, why in (
        (5, "expected an Array of ReactionType"),
        ("[", "can't parse reaction JSON object"),
        ([5], "can't parse reaction type: ReactionType must be an Object"),
        ([{"type": "x"}], "can't parse reaction type: invalid reaction type specified"),
        ([{"type": "emoji", "emoji": "x"}], "REACTION_INVALID"),
        ([{"type": "custom_emoji", "custom_emoji_id": "5"}], "REACTION_INVALID"),
        ([HEART, THUMB], "REACTIONS_TOO_MANY"),
    ):
        assert refused(room, "setMessageReaction", CLUB, **message, reaction=wrong) == why
    lost = refused(room, "setMessageReaction", CLUB, message_id=99, reaction=[HEART])
    assert lost == "message to react not found"
    room.set_pin(room.chats[CLUB], message["message_id"], ANN)
    service = room.messages(CLUB)[-1]["message_id"]
    words = refused(room, "setMessageReaction", CLUB, message_id=service, reaction=[HEART])
    assert words == "REACTION_INVALID"
    room.permit(CLUB, [])
    words = refused(room, "setMessageReaction", CLUB, **message, reaction=[HEART])
    assert words == "not enough rights to react to the message"


@pytest.mark.parametrize(
    ("reaction", "why"),
    [(["x"], "no emoji"), (["👍", "❤", "🔥", "🎉"], "at most 3")],
)
def test_people_do_not_react_with_anything(room: Room, reaction: list[str], why: str) -> None:
    """Only with Telegram's emoji, three at most, to messages, where they may."""
    with pytest.raises(ValueError, match=why):
        room.react(ANN, ANN, first(room, ANN), reaction)
    with pytest.raises(ValueError, match="may not react"):
        room.react(CLUB, 9, first(room, CLUB), ["👍"])
    assert room.reactions(ANN) == []


async def test_a_pin_is_said_in_the_chat(room: Room) -> None:
    """Once for each message; getChat tells the newest; without a number, that one is unpinned."""
    room.promote(CLUB)
    numbers = [message["message_id"] for message in room.messages(CLUB)]
    for number in (*numbers, numbers[0]):
        assert call(room, "pinChatMessage", CLUB, message_id=str(number)) is True
    said = [each["message"] for each in await news(room)]
    assert [message["pinned_message"]["message_id"] for message in said] == numbers
    assert said[0]["from"]["id"] == BOT
    chat = call(room, "getChat", CLUB)
    assert ChatFullInfo.de_json(chat, None)
    assert chat["pinned_message"]["message_id"] == numbers[1]
    assert call(room, "unpinChatMessage", CLUB) is True
    assert call(room, "getChat", CLUB)["pinned_message"]["message_id"] == numbers[0]
    call(room, "pinChatMessage", CLUB, message_id=numbers[1])
    assert call(room, "unpinChatMessage", CLUB, message_id=numbers[0]) is True
    room.delete(room.chats[CLUB], numbers[1])
    assert "pinned_message" not in call(room, "getChat", CLUB)
    assert refused(room, "unpinChatMessage", CLUB) == "message to unpin not found"
    assert call(room, "unpinAllChatMessages", CLUB) is True


def test_who_may_pin(room: Room) -> None:
    """Everybody in private; in a group whoever is permitted, in a channel by a right."""
    assert call(room, "pinChatMessage", ANN, message_id=first(room, ANN)) is True
    room.unpin(ANN, ANN)
    room.pin(ANN, ANN, first(room, ANN))
    room.pin(CLUB, BORIS, first(room, CLUB))
    room.permit(CLUB, [])
    with pytest.raises(ValueError, match="may not pin"):
        room.unpin(CLUB, BORIS, first(room, CLUB))
    words = "not enough rights to manage pinned messages in the chat"
    assert refused(room, "pinChatMessage", CLUB, message_id=first(room, CLUB)) == words
    for method in ("unpinChatMessage", "unpinAllChatMessages"):
        assert refused(room, method, CLUB) == words
    assert refused(room, "pinChatMessage", CLUB, message_id=99) == "message to pin not found"
    room.make_chat(CHANNEL, "channel", "News")
    room.promote(CHANNEL, rights=["can_post_messages"])
    post = call(room, "sendMessage", CHANNEL, text="x")["message_id"]
    assert refused(room, "pinChatMessage", CHANNEL, message_id=post) == words
    with pytest.raises(ValueError, match="no chat"):
        room.pin(-99, ANN, 1)


async def test_through_the_door(room: Room) -> None:
    """Programs let people react and pin, and look at it."""
    transport = httpx.ASGITransport(Starlette(routes=room_routes(room)))
    message = {"chat": ANN, "user": ANN, "message_id": first(room, ANN)}
    async with httpx.AsyncClient(transport=transport, base_url="http://room") as client:
        assert (await client.post("/room/react", json={**message, "reaction": ["🔥"]})).is_success
        seen = (await client.get(f"/room/reactions?chat={ANN}")).json()
        assert seen[0]["reaction"] == [{"type": "emoji", "emoji": "🔥"}]
        assert (await client.post("/room/pin", json=message)).is_success
        assert room.chats[ANN].pins == [message["message_id"]]
        assert (await client.post("/room/unpin", json=message)).is_success
        assert room.chats[ANN].pins == []
