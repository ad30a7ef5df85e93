"""Messages that the bot changes, deletes, copies and forwards; places, contacts and dice."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from telegram import Message

from bot.playground.telegram.files import Upload
from bot.playground.telegram.images import grey
from bot.playground.telegram.room import Room
from tests.playground.clock import Clock
from tests.playground.test_acts import client_of, does
from tests.playground.test_uploads import call

TOKEN = "42:AAtoken"
ANN, BORIS = 7, 8
GROUP, SUPERGROUP, CHANNEL = -5, -1000000000005, -1000000000006
PHOTO = Upload("a.png", "image/png", grey(90, 90))
SAME = (
    "Bad Request: message is not modified: specified new message content and reply markup are"
    " exactly the same as a current content and reply markup of the message"
)
BUTTONS = {"inline_keyboard": [[{"text": "x", "callback_data": "x"}]]}


@pytest.fixture
def room(clock: Clock) -> Room:
    room = Room(TOKEN, clock=clock)
    room.say(ANN, ANN, "hi")
    return room


@pytest.fixture
async def client(room: Room) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(room) as client:
        yield client


def kept(room: Room, kind: str = "photo", upload: Upload = PHOTO) -> str:
    """Keep a file that the server has; its id."""
    file = room.file_as(kind, upload)
    room.files.keep(file)
    return list(file.ids)[-1]


async def test_captions_are_edited(room: Room, client: httpx.AsyncClient) -> None:
    """Changed, moved above, taken away; the picture stays. A text has none."""
    sent = await call(client, "sendPhoto", photo=kept(room), caption="old", reply_markup=BUTTONS)
    place = {"message_id": sent["message_id"]}
    edited = await call(
        client, "editMessageCaption", **place, caption="<i>new</i>", parse_mode="HTML"
    )
    assert (edited["caption"], edited["photo"]) == ("new", sent["photo"])
    assert "reply_markup" not in edited
    more = {"caption": "new", "show_caption_above_media": True}
    assert (await call(client, "editMessageCaption", **place, **more))["show_caption_above_media"]
    assert await call(client, "editMessageCaption", **place, **more) == SAME
    assert "caption" not in await call(client, "editMessageCaption", **place)
    long = await call(client, "editMessageCaption", **place, caption="x" * 1025)
    assert long == "Bad Request: message caption is too long"
    text = await call(client, "sendMessage", text="x")
    why = "Bad Request: there is no caption in the message to edit"
    assert (
        await call(client, "editMessageCaption", message_id=text["message_id"], caption="y") == why
    )
    why = "Bad Request: there is no text in the message to edit"
    assert await call(client, "editMessageText", **place, text="y") == why
    assert room.messages(ANN)[-2]["photo"] == sent["photo"]


async def test_posts_of_others_are_edited(room: Room, client: httpx.AsyncClient) -> None:
    """In a channel, with the right to."""
    room.make_chat(CHANNEL, "channel", "News")
    room.promote(CHANNEL, rights=["can_post_messages"])
    post = room.say(CHANNEL, ANN, "x")["message_id"]
    place = {"chat_id": CHANNEL, "message_id": post, "text": "y"}
    assert await call(client, "editMessageText", **place) == "Bad Request: message can't be edited"
    room.promote(CHANNEL)
    assert (await call(client, "editMessageText", **place))["text"] == "y"


async def test_people_edit_captions(room: Room) -> None:
    """The bot gets the message as it is now; a caption may go, a text may not."""
    sent = room.send_document(ANN, ANN, Upload("a.txt", "text/plain", b"x"), caption="@demo_bot a")
    edited = room.edit(ANN, ANN, sent["message_id"], "b")
    assert (edited["caption"], edited["document"]) == ("b", sent["document"])
    assert "caption_entities" not in edited
    assert "caption" not in room.edit(ANN, ANN, sent["message_id"], "")
    kinds = [next(iter(each.keys() - {"update_id"})) for each in await room.updates.poll(0, 9, 0)]
    assert kinds[-3:] == ["message", "edited_message", "edited_message"]
    with pytest.raises(ValueError, match="the text is empty"):
        room.edit(ANN, ANN, 1, "")
    with pytest.raises(ValueError, match="up to 1024"):
        room.edit(ANN, ANN, sent["message_id"], "x" * 1025)


async def test_media_are_edited(room: Room, client: httpx.AsyncClient) -> None:
    """Into another file with its own caption; a text, too; not what is no file."""
    sent = await call(client, "sendPhoto", photo=kept(room), caption="old", has_spoiler=True)
    place, other = {"message_id": sent["message_id"]}, kept(room, "document")
    media = {"type": "document", "media": other, "caption": "new"}
    edited = await call(client, "editMessageMedia", **place, media=media)
    assert edited["document"]["file_id"] == other
    assert not {"photo", "has_media_spoiler"} & edited.keys()
    assert await call(client, "editMessageMedia", **place, media=media) == SAME
    text = await call(client, "sendMessage", text="x")
    photo = {"type": "photo", "media": kept(room)}
    edited = await call(client, "editMessageMedia", message_id=text["message_id"], media=photo)
    assert "text" not in edited
    assert Message.de_json(edited, None).photo
    sticker = await call(client, "sendSticker", sticker=kept(room, "sticker"))
    refused = {
        "message media can't be edited": {"message_id": sticker["message_id"], "media": photo},
        'parameter "media" is required': place,
        "can't parse InputMedia: expected an Object": {**place, "media": [photo]},
        "can't parse InputMedia: media not found": {**place, "media": {"type": "photo"}},
        "message to edit not found": {"message_id": 999, "media": photo},
        "message identifier is not specified": {"media": photo},
        "message can't be edited": {"message_id": 1, "media": photo},
    }
    for why, given in refused.items():
        assert await call(client, "editMessageMedia", **given) == f"Bad Request: {why}"


async def test_albums_keep_their_kind(room: Room, client: httpx.AsyncClient) -> None:
    """A photo can become a video there, but no document."""
    photo = {"type": "photo", "media": kept(room)}
    album = await call(client, "sendMediaGroup", media=[photo, {**photo, "caption": "x"}])
    place = {"message_id": album[1]["message_id"]}
    film = {"type": "video", "media": kept(room, "video", Upload("a.mp4", "video/mp4", b"x"))}
    edited = await call(client, "editMessageMedia", **place, media=film)
    assert edited["media_group_id"] == album[0]["media_group_id"]
    paper = {"type": "document", "media": kept(room, "document")}
    why = "Bad Request: can't change media type in the album"
    assert await call(client, "editMessageMedia", **place, media=paper) == why


async def test_messages_are_deleted(room: Room, clock: Clock, client: httpx.AsyncClient) -> None:
    """One or up to a hundred; those that are gone are passed over, one that must stay stops all."""
    sent = [(await call(client, "sendMessage", text=str(n)))["message_id"] for n in range(4)]
    assert await call(client, "deleteMessages", message_ids=[*sent[:2], 999, sent[0]]) is True
    assert await call(client, "deleteMessage", message_id=sent[2]) is True
    lost = "Bad Request: message to delete not found"
    assert await call(client, "deleteMessage", message_id=sent[2]) == lost
    dice = (await call(client, "sendDice"))["message_id"]
    stays = "Bad Request: message can't be deleted"
    assert await call(client, "deleteMessages", message_ids=[sent[3], dice]) == stays
    assert [message["message_id"] for message in room.messages(ANN)] == [1, sent[3], dice]
    clock.now += 24 * 60 * 60
    assert await call(client, "deleteMessages", message_ids=f"[{sent[3]}, {dice}]") is True
    said = room.say(GROUP, ANN, "x")["message_id"]
    assert await call(client, "deleteMessages", chat_id=GROUP, message_ids=[said]) == stays
    room.promote(GROUP)
    assert await call(client, "deleteMessages", chat_id=GROUP, message_ids=[said]) is True


@pytest.mark.parametrize(
    ("message_ids", "why"),
    [
        (None, "message identifiers are not specified"),
        ([], "message identifiers are not specified"),
        (5, "expected an Array of message identifiers"),
        ("x", "can't parse message_ids JSON object"),
        (list(range(1, 102)), "too many message identifiers specified"),
        ([{}], "message identifier must be a Number"),
        (["x"], "can't parse message identifier as Number"),
        ([10**12], "can't parse message identifier as Number"),
        ([0], "invalid message identifier specified"),
    ],
)
@pytest.mark.parametrize("method", ["deleteMessages", "copyMessages", "forwardMessages"])
async def test_wrong_lists_of_messages(
    client: httpx.AsyncClient, method: str, message_ids: Any, why: str
) -> None:
    """What is wrong with them is said in Telegram's words."""
    given = {"from_chat_id": ANN, "message_ids": message_ids}
    assert await call(client, method, **given) == f"Bad Request: {why}"


async def test_messages_are_copied(room: Room, client: httpx.AsyncClient) -> None:
    """With their content and without their buttons and author; a caption may be another."""
    room.say(BORIS, BORIS, "hi")
    sent = await call(client, "sendPhoto", photo=kept(room), caption="old", reply_markup=BUTTONS)
    place = {"chat_id": BORIS, "from_chat_id": ANN, "message_id": sent["message_id"]}
    made = await call(client, "copyMessage", **place)
    copy = room.messages(BORIS)[-1]
    assert made == {"message_id": copy["message_id"]}
    assert (copy["photo"], copy["caption"]) == (sent["photo"], "old")
    assert not {"reply_markup", "forward_origin"} & copy.keys()
    await call(client, "copyMessage", **place, caption="new", reply_markup=BUTTONS)
    assert room.messages(BORIS)[-1]["caption"] == "new"
    assert room.messages(BORIS)[-1]["reply_markup"] == BUTTONS
    await call(client, "copyMessage", **place, caption="")
    assert "caption" not in room.messages(BORIS)[-1]


async def test_messages_are_forwarded(room: Room, client: httpx.AsyncClient) -> None:
    """With where they are from: a person, a channel, a group; and from there on, still so."""
    room.make_chat(CHANNEL, "channel", "News")
    room.promote(CHANNEL)
    room.say(GROUP, ANN, "x")
    room.promote(GROUP, ANN)
    room.hide(GROUP, ANN, on=True)
    origins = {}
    for chat in (ANN, CHANNEL, GROUP):
        said = room.say(chat, ANN, "https://example.org x")
        given = {"from_chat_id": chat, "message_id": said["message_id"]}
        sent = await call(client, "forwardMessage", **given)
        assert (sent["text"], sent["from"]["id"]) == (said["text"], 42)
        assert Message.de_json(sent, None).forward_origin
        origins[chat] = sent["forward_origin"]
    assert [origin["type"] for origin in origins.values()] == ["user", "channel", "chat"]
    assert origins[ANN]["sender_user"]["id"] == ANN
    assert origins[CHANNEL]["chat"]["title"] == "News"
    given = {"from_chat_id": ANN, "message_id": sent["message_id"]}
    again = await call(client, "forwardMessage", **given, chat_id=GROUP)
    assert again["forward_origin"] == origins[GROUP]
    why = "Bad Request: message can't be edited"
    place = {"chat_id": GROUP, "message_id": again["message_id"]}
    assert await call(client, "editMessageText", **place, text="x") == why


async def test_people_forward_messages(room: Room, client: httpx.AsyncClient) -> None:
    """Files, too, from chats that they are in, unless what was sent is protected."""
    room.say(GROUP, BORIS, "hi")
    sent = await call(client, "sendPhoto", photo=kept(room), caption="x")
    source = {"from_chat": ANN, "message_id": sent["message_id"]}
    forward = await does(client, "forward", chat=GROUP, user=ANN, **source)
    assert (forward["photo"], forward["from"]["id"]) == (sent["photo"], ANN)
    assert forward["forward_origin"]["sender_user"]["id"] == 42
    locked = await call(client, "sendMessage", text="x", protect_content=True)
    for given, why in (
        ({"user": BORIS, **source}, "not in the chat that the message is from"),
        ({"user": ANN, **source, "message_id": locked["message_id"]}, "cannot be forwarded"),
        ({"user": ANN, **source, "text": "x"}, "give from_chat and message_id, or text and origin"),
    ):
        answer = await client.post("/room/forward", json={"chat": GROUP, **given})
        assert answer.status_code == 400
        assert why in answer.json()["error"]


async def test_several_are_copied_and_forwarded(room: Room, client: httpx.AsyncClient) -> None:
    """In order, albums as albums; those that are gone or protected are passed over."""
    photo = {"type": "photo", "media": kept(room), "caption": "x"}
    album = await call(client, "sendMediaGroup", media=[photo, photo])
    locked = await call(client, "sendMessage", text="x", protect_content=True)
    assert locked["has_protected_content"]
    ids = [*(message["message_id"] for message in album), locked["message_id"], 999]
    given = {"from_chat_id": ANN, "message_ids": ids}
    for method, origin in (("copyMessages", False), ("forwardMessages", True)):
        made = await call(client, method, **given)
        copies = room.messages(ANN)[-2:]
        assert made == [{"message_id": copy["message_id"]} for copy in copies]
        groups = {copy["media_group_id"] for copy in copies}
        assert len(groups) == 1
        assert groups != {album[0]["media_group_id"]}
        assert ["forward_origin" in copy for copy in copies] == [origin] * 2
    await call(client, "copyMessages", **given, remove_caption=True)
    assert "caption" not in room.messages(ANN)[-1]


@pytest.mark.parametrize(
    ("method", "given", "why"),
    [
        ("copyMessage", {"message_id": 2}, 'parameter "from_chat_id" is required'),
        ("copyMessage", {"from_chat_id": 99, "message_id": 2}, "chat not found"),
        ("copyMessage", {"from_chat_id": ANN, "message_id": 99}, "message to copy not found"),
        ("copyMessage", {"from_chat_id": ANN, "message_id": 2}, "the message can't be copied"),
        ("forwardMessage", {"from_chat_id": ANN}, "message to forward not found"),
        (
            "forwardMessage",
            {"from_chat_id": ANN, "message_id": 2},
            "the message can't be forwarded",
        ),
        (
            "copyMessage",
            {"from_chat_id": SUPERGROUP, "message_id": 2},
            "the message can't be copied",
        ),
        (
            "copyMessages",
            {"from_chat_id": ANN, "message_ids": [99]},
            "there are no messages to forward",
        ),
        (
            "forwardMessages",
            {"from_chat_id": ANN, "message_ids": [2]},
            "messages can't be forwarded",
        ),
        ("copyMessages", {"from_chat_id": ANN, "message_ids": [2]}, "messages can't be copied"),
        (
            "copyMessages",
            {"from_chat_id": ANN, "message_ids": [2, 1]},
            "message identifiers must be in a strictly increasing order",
        ),
    ],
)
async def test_what_is_not_copied(
    room: Room, client: httpx.AsyncClient, method: str, given: dict[str, Any], why: str
) -> None:
    """Protected and service messages, and those that are not there: nothing is sent."""
    await call(client, "sendMessage", text="x", protect_content=True)
    room.open_topic(SUPERGROUP)
    assert await call(client, method, **given) == f"Bad Request: {why}"
    assert len(room.messages(ANN)) == 2


async def test_places_contacts_and_dice(client: httpx.AsyncClient) -> None:
    """Sent as they are described."""
    place = {"latitude": "55.7", "longitude": 37}
    sent = await call(client, "sendLocation", **place, horizontal_accuracy=2000)
    assert sent["location"] == {"latitude": 55.7, "longitude": 37, "horizontal_accuracy": 1500}
    venue = await call(
        client, "sendVenue", **place, title="Park", address="Street", foursquare_id=5
    )
    assert venue["venue"]["location"] == venue["location"]
    assert venue["venue"]["foursquare_id"] == "5"
    contact = await call(client, "sendContact", phone_number="+7", first_name="A", last_name="B")
    assert contact["contact"] == {"phone_number": "+7", "first_name": "A", "last_name": "B"}
    dice = await call(client, "sendDice", emoji="🏀")
    assert 1 <= dice["dice"]["value"] <= 5
    given = {"from_chat_id": ANN, "message_id": dice["message_id"]}
    assert await call(client, "copyMessage", **given)
    assert all(Message.de_json(each, None) for each in (sent, venue, contact, dice))


async def test_live_locations_move(clock: Clock, client: httpx.AsyncClient) -> None:
    """Until they are stopped, or their time is over."""
    place = {"latitude": 1, "longitude": 2}
    sent = await call(client, "sendLocation", **place, live_period=60, heading=90)
    at = {"message_id": sent["message_id"]}
    moved = await call(client, "editMessageLiveLocation", **at, latitude=3, longitude=4)
    assert moved["location"] == {"latitude": 3, "longitude": 4, "live_period": 60}
    stopped = await call(client, "stopMessageLiveLocation", **at)
    assert stopped["location"] == {"latitude": 3, "longitude": 4}
    why = "Bad Request: there is no live location in the message to edit"
    assert await call(client, "editMessageLiveLocation", **at, **place) == why
    sent = await call(client, "sendLocation", **place, live_period=60)
    clock.now += 61
    given = {"message_id": sent["message_id"], "latitude": 5, "longitude": 5}
    why = "Bad Request: message can't be edited"
    assert await call(client, "editMessageLiveLocation", **given) == why


@pytest.mark.parametrize(
    ("method", "given", "why"),
    [
        ("sendLocation", {"longitude": 1}, "latitude is empty"),
        ("sendLocation", {"latitude": 91, "longitude": 1}, "invalid location specified"),
        (
            "sendLocation",
            {"latitude": 1, "longitude": 1, "live_period": 59},
            "wrong live location period specified",
        ),
        (
            "sendLocation",
            {"latitude": 1, "longitude": 1, "live_period": 60, "heading": 361},
            "wrong live location heading specified",
        ),
        ("sendVenue", {"latitude": 1, "longitude": 1}, 'parameter "title" is required'),
        ("sendContact", {"first_name": "x"}, 'parameter "phone_number" is required'),
        ("sendDice", {"emoji": "x"}, "EMOTICON_INVALID"),
    ],
)
async def test_things_that_are_none(
    room: Room, client: httpx.AsyncClient, method: str, given: dict[str, Any], why: str
) -> None:
    """Each is refused in Telegram's words."""
    assert await call(client, method, **given) == f"Bad Request: {why}"
    assert len(room.messages(ANN)) == 1
