"""The room's rules: what Telegram does when people write, edit, block and move."""

import asyncio
from typing import Any

import pytest

from bot.playground.telegram.chat import ANONYMOUS_ADMIN, CHANNEL_SENDER, LINKED_CHANNEL
from bot.playground.telegram.room import Room
from bot.playground.telegram.updates import PollTaken

GROUP = -5
SUPERGROUP = -1000000000005


@pytest.fixture
def room() -> Room:
    return Room("42:token")


async def _waiting(room: Room) -> list[dict[str, Any]]:
    return await room.updates.poll(0, 100, 0)


async def _kinds(room: Room) -> list[str]:
    return [next(key for key in update if key != "update_id") for update in await _waiting(room)]


async def test_a_text_becomes_one_update(room: Room) -> None:
    """What a person says is a Message in the chat and the same Message in an update."""
    message = room.say(7, 7, "/start привет", language="ru")
    (update,) = await _waiting(room)
    assert update["message"] == message == room.messages(7)[0]
    assert message["chat"] == {"id": 7, "type": "private", "first_name": "User 7"}
    assert message["from"]["language_code"] == "ru"
    assert message["entities"] == [{"type": "bot_command", "offset": 0, "length": 6}]


@pytest.mark.parametrize(
    ("chat", "user", "text", "more"),
    [
        (7, 7, " \n", {}),
        (7, 7, "x" * 4097, {}),
        (7, 7, "\ud800", {}),
        (7, 8, "x", {}),
        (0, 7, "x", {}),
        (GROUP, -7, "x", {}),
        (2**60, 2**60, "x", {}),
        (GROUP, 7, "x", {"reply_to": 3}),
        (GROUP, 7, "x", {"topic": 3}),
        (SUPERGROUP, 7, "x", {"topic": 1}),
    ],
)
def test_refuses_what_telegram_does_not_have(
    room: Room, chat: int, user: int, text: str, more: dict[str, Any]
) -> None:
    """No empty or overlong text, no foreign private chat, no reply to nothing, no odd topic."""
    with pytest.raises(ValueError, match=r"\w"):
        room.say(chat, user, text, **more)
    assert room.messages(chat) == []


def test_ids_count_as_in_telegram(room: Room) -> None:
    """Private chats and groups share a counter, each supergroup has its own."""
    ids = [room.say(chat, 7, "x")["message_id"] for chat in (7, GROUP, 7, SUPERGROUP, SUPERGROUP)]
    assert ids == [1, 2, 3, 2, 3]


async def test_updates_are_numbered_and_confirmed_by_offset(room: Room) -> None:
    """Ids go up by one; an offset confirms what is below it, a negative one keeps the newest."""
    for number in range(5):
        room.say(7, 7, str(number))
    first = [update["update_id"] for update in await _waiting(room)]
    assert first == list(range(first[0], first[0] + 5))
    assert [u["message"]["text"] for u in await room.updates.poll(first[2], 2, 0)] == ["2", "3"]
    assert [u["message"]["text"] for u in await room.updates.poll(-1, 100, 0)] == ["4"]
    assert len(room.updates) == 1


async def test_wanted_kinds_are_settled_when_an_update_is_made(room: Room) -> None:
    """A kind that is not allowed never becomes an update, and the choice persists."""
    room.updates.allow(["edited_message"])
    message = room.say(7, 7, "x")
    room.edit(7, 7, message["message_id"], "y /go")
    room.updates.allow([])
    assert await _kinds(room) == ["edited_message"]
    edited = (await _waiting(room))[0]["edited_message"]
    assert edited["text"] == "y /go"
    assert edited["edit_date"] >= edited["date"] == message["date"]


async def test_updates_expire() -> None:
    """A message waits for a day, a callback for 150 seconds."""
    now = 1000.0
    room = Room("42:token", clock=lambda: now)
    message = room.say(7, 7, "x")
    room.press(7, 7, message["message_id"], "data")
    now += 151
    assert await _kinds(room) == ["message"]
    now += 24 * 60 * 60
    assert await _waiting(room) == []


async def test_a_second_poll_ends_the_older_one(room: Room) -> None:
    """The older of two polls fails, the newer one gets the update as soon as it is there."""
    older = asyncio.create_task(room.updates.poll(0, 100, 50))
    await asyncio.sleep(0)
    newer = asyncio.create_task(room.updates.poll(0, 100, 50))
    await asyncio.sleep(0)
    room.say(7, 7, "x")
    with pytest.raises(PollTaken):
        await older
    assert [update["message"]["text"] for update in await newer] == ["x"]


async def test_a_poll_gives_up_after_its_time(room: Room) -> None:
    """A poll without news returns nothing."""
    assert await room.updates.poll(0, 100, 0.01) == []


async def test_raw_updates_get_the_next_id_unless_they_have_one(room: Room) -> None:
    """An injected update passes as it is, and numbering goes on above it."""
    first = room.inject({"poll": {"broken": True}})
    own = room.inject({"update_id": first["update_id"] + 10, "message": None})
    room.say(7, 7, "x")
    waiting = await _waiting(room)
    assert waiting[:2] == [first, own]
    assert waiting[2]["update_id"] == own["update_id"] + 1


async def test_in_a_topic_everything_replies_to_its_root(room: Room) -> None:
    """Topic messages carry thread and flag, and an implicit reply to the opening message."""
    topic = room.open_topic(SUPERGROUP, "News")
    plain = room.say(SUPERGROUP, 7, "x", topic=topic)
    reply = room.say(SUPERGROUP, 7, "y", reply_to=plain["message_id"])
    general = room.say(SUPERGROUP, 7, "z")
    assert plain["reply_to_message"]["message_id"] == topic == plain["message_thread_id"]
    assert plain["reply_to_message"]["forum_topic_created"]["name"] == "News"
    assert plain["chat"]["is_forum"]
    assert (reply["is_topic_message"], reply["message_thread_id"]) == (True, topic)
    assert reply["reply_to_message"]["message_id"] == plain["message_id"]
    assert "reply_to_message" not in reply["reply_to_message"]
    assert "message_thread_id" not in general
    assert await _kinds(room) == ["message"] * 4


def test_topics_come_into_being_at_first_use(room: Room) -> None:
    """Writing to topic 44 opens a topic of that id; a message's id cannot become one."""
    message = room.say(SUPERGROUP, 7, "x", topic=44)
    assert (message["message_id"], message["message_thread_id"]) == (45, 44)
    with pytest.raises(ValueError, match="cannot be a topic"):
        room.say(SUPERGROUP, 7, "x", topic=45)


def test_reply_chains_of_ordinary_supergroups_have_threads(room: Room) -> None:
    """Outside forums a reply has its thread's id, but is no topic message; groups have none."""
    first = room.say(SUPERGROUP, 7, "a")["message_id"]
    second = room.say(SUPERGROUP, 7, "b", reply_to=first)
    third = room.say(SUPERGROUP, 7, "c", reply_to=second["message_id"])
    assert second["message_thread_id"] == third["message_thread_id"] == first
    assert "is_topic_message" not in third
    small = room.say(GROUP, 7, "a")["message_id"]
    assert "message_thread_id" not in room.say(GROUP, 7, "b", reply_to=small)


def test_stand_ins_speak_for_chats(room: Room) -> None:
    """Anonymous admins, channels and linked posts come from Telegram's own ids."""
    admin = room.say(SUPERGROUP, ANONYMOUS_ADMIN, "x")
    assert admin["sender_chat"]["id"] == SUPERGROUP
    assert admin["from"]["username"] == "GroupAnonymousBot"
    post = room.say(SUPERGROUP, LINKED_CHANNEL, "x")
    assert post["is_automatic_forward"]
    channel = room.say(SUPERGROUP, CHANNEL_SENDER, "x")
    assert channel["sender_chat"]["type"] == "channel"


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("plain", False),
        ("/reset", False),
        ("/reset@demo_bot", True),
        ("/reset@other_bot", False),
        ("hey @Demo_Bot", True),
        ("hey @other_bot", False),
    ],
)
async def test_privacy_mode_hears_only_what_is_meant_for_the_bot(text: str, heard: bool) -> None:
    """In privacy mode commands and mentions must name the bot."""
    room = Room("42:token", privacy=True)
    room.say(GROUP, 7, text)
    assert bool(await _waiting(room)) is heard


async def test_privacy_mode_hears_replies_and_the_bots_last_word() -> None:
    """A reply to the bot is heard, and a bare command while no other bot has spoken since."""
    room = Room("42:token", privacy=True)
    room.make_person(9, "Other", username="other_bot", is_bot=True)
    own = room.post(room.chat(GROUP), {"text": "hi"}, reply_to=None, topic=None)
    room.say(GROUP, 7, "/help")
    room.say(GROUP, 8, "plain")
    room.say(GROUP, 7, "/start")
    room.say(GROUP, 9, "me, too")
    room.say(GROUP, 7, "/lost")
    room.say(GROUP, 7, "yes", reply_to=own["message_id"])
    texts = [update["message"]["text"] for update in await _waiting(room)]
    assert texts == ["/help", "/start", "yes"]


async def test_in_privacy_mode_a_reply_decides_whom_a_message_is_for() -> None:
    """Replies to what was meant for the bot are heard; replies to another bot are that bot's."""
    room = Room("42:token", privacy=True)
    room.make_person(9, "Other", username="other_bot", is_bot=True)
    meant = room.say(GROUP, 7, "@demo_bot hello")["message_id"]
    plain = room.say(GROUP, 7, "plain")["message_id"]
    other = room.say(GROUP, 9, "beep")["message_id"]
    room.say(GROUP, 8, "to what was meant for the bot", reply_to=meant)
    room.say(GROUP, 8, "to somebody", reply_to=plain)
    room.say(GROUP, 8, "/reset@demo_bot", reply_to=other)
    texts = [update["message"]["text"] for update in await _waiting(room)]
    assert texts == ["@demo_bot hello", "to what was meant for the bot"]


async def test_privacy_mode_changes_where_the_bot_comes_in_again() -> None:
    """As in Telegram, the group it is in already keeps what was set when it came."""
    room = Room("42:token", privacy=True)
    room.say(GROUP, 7, "before")
    room.set_privacy(on=False)
    room.say(GROUP, 7, "still unheard")
    room.kick(GROUP)
    room.add(GROUP)
    room.say(GROUP, 7, "heard")
    room.say(GROUP - 1, 7, "heard in a new one")
    messages = [update["message"] for update in await _waiting(room) if "message" in update]
    assert [each["text"] for each in messages if "text" in each] == ["heard", "heard in a new one"]


async def test_other_bots_are_never_heard(room: Room) -> None:
    """Not even by an administrator without privacy mode; but that one of them came in is told."""
    room.set_bot(GROUP, "administrator")
    room.make_person(9, "Other", username="other_bot", is_bot=True)
    room.add(GROUP, 9)
    room.say(GROUP, 9, "@demo_bot hello")
    assert await _kinds(room) == ["my_chat_member", "message"]
    assert (await _waiting(room))[1]["message"]["new_chat_members"][0]["is_bot"]


async def test_privacy_mode_does_not_take_a_topics_root_for_a_reply() -> None:
    """A topic that the bot opened makes nothing in it a reply to the bot."""
    room = Room("42:token", privacy=True)
    topic = room.open_topic(SUPERGROUP, by_bot=True)
    room.say(SUPERGROUP, 7, "x", topic=topic)
    (service,) = await _waiting(room)
    assert service["message"]["forum_topic_created"]


async def test_privacy_mode_ends_for_admins_and_private_chats() -> None:
    """An administrator bot hears everything in its group; private chats are always heard."""
    room = Room("42:token", privacy=True)
    room.set_bot(GROUP, "administrator")
    room.say(GROUP, 7, "x")
    room.say(7, 7, "x")
    assert await _kinds(room) == ["my_chat_member", "message", "message"]


async def test_a_group_migrates(room: Room) -> None:
    """Both chats say so in a service message, and the old one takes no more words."""
    room.say(GROUP, 7, "x")
    room.permit(GROUP, ["can_send_messages"])
    room.promote(GROUP, 8, ["can_pin_messages"])
    room.chats[GROUP].description = "About"
    new = room.migrate(GROUP)
    assert room.chats[new].description == "About"
    messages = [update["message"] for update in await _waiting(room)]
    assert (messages[1]["chat"]["id"], messages[1]["migrate_to_chat_id"]) == (GROUP, new)
    assert (messages[2]["chat"]["id"], messages[2]["migrate_from_chat_id"]) == (new, GROUP)
    assert messages[2]["chat"]["type"] == "supergroup"
    assert room.chats[new].permissions == {"can_send_messages"}
    assert room.chats[new].member(8).has("can_pin_messages")
    with pytest.raises(ValueError, match="only groups migrate"):
        room.migrate(GROUP)
    with pytest.raises(ValueError, match="become the supergroup"):
        room.say(GROUP, 7, "x")
    for told in (["from", "to"], ["from"], []):
        before = len(await _waiting(room))
        room.migrate(GROUP - 1 - before, told)
        updates = (await _waiting(room))[before:]
        assert [f"migrate_{way}_chat_id" for way in told] == [
            name for one in updates for name in one["message"] if name.startswith("migrate")
        ]


@pytest.mark.parametrize("kind", ["sticker", "photo", "voice"])
async def test_other_kinds_are_valid_messages(room: Room, kind: str) -> None:
    """Stickers, photos and voice notes arrive without a text, captions with entities."""
    plain = room.send_kind(7, 7, kind)
    named = room.send_kind(7, 7, kind, caption="look @demo_bot")
    assert kind in plain
    assert "text" not in plain
    assert named["caption_entities"] == [{"type": "mention", "offset": 5, "length": 9}]
    assert "caption_entities" not in room.send_kind(7, 7, kind, caption="look")


async def test_mentions_in_captions_are_heard_in_privacy() -> None:
    """A caption addresses the bot as a text does."""
    room = Room("42:token", privacy=True)
    room.send_kind(GROUP, 7, "photo", caption="look 😀 @demo_bot")
    assert await _kinds(room) == ["message"]


async def test_changes_wake_who_waits_for_them(room: Room) -> None:
    """The version goes up with every change; waiting ends at once or when time is up."""
    assert await room.changed(0, 0.01) == 0
    waiting = asyncio.create_task(room.changed(0, 50))
    await asyncio.sleep(0)
    room.say(7, 7, "x")
    assert await waiting == 1
    assert await room.changed(0, 50) == 1


def test_only_its_author_edits_a_message(room: Room) -> None:
    """Nobody else, nor the bot's, nor what was forwarded; the text stays as it was."""
    said = room.say(GROUP, 7, "x")["message_id"]
    origin = {"type": "hidden_user", "sender_user_name": "Vera"}
    forwarded = room.forward(GROUP, 7, "y", origin)["message_id"]
    for user, number in ((8, said), (7, forwarded)):
        with pytest.raises(ValueError, match="not theirs to edit"):
            room.edit(GROUP, user, number, "z")
    assert [message["text"] for message in room.messages(GROUP)] == ["x", "y"]
    assert room.edit(GROUP, 7, said, "z")["text"] == "z"


def test_who_deletes_a_message(room: Room) -> None:
    """Its author, an administrator with that right, and in private the person."""
    first, second = (room.say(GROUP, 7, text)["message_id"] for text in "xy")
    room.set_member(GROUP, 8, "member")
    with pytest.raises(ValueError, match="not theirs to delete"):
        room.remove(GROUP, 8, first)
    room.remove(GROUP, 7, first)
    room.promote(GROUP, 8, ["can_delete_messages"])
    room.remove(GROUP, 8, second)
    assert room.messages(GROUP) == []
    said = room.say(7, 7, "x")
    room.remove(7, 7, said["message_id"])
    assert room.messages(7) == []
