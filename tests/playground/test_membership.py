"""Who is in a chat as what: what the bot is told of it, and what it may do there."""

from typing import Any

import pytest
from telegram import ChatFullInfo, ChatMember, Update

from bot.playground.telegram.chat import ANONYMOUS_ADMIN, CHANNEL_SENDER, LINKED_CHANNEL, Json
from bot.playground.telegram.files import Upload
from bot.playground.telegram.member import PERMISSIONS, RIGHTS
from bot.playground.telegram.methods import METHODS
from bot.playground.telegram.refusal import ApiError
from bot.playground.telegram.room import Room
from tests.playground.clock import Clock

ANN, BORIS, OTHER_BOT = 7, 8, 9
GROUP, SUPERGROUP, CHANNEL = -5, -1000000000005, -1000000000006


@pytest.fixture
def room(clock: Clock) -> Room:
    """A room whose bot wants to know everything and is in a group, a supergroup and a chat."""
    room = Room("42:token", clock=clock)
    room.updates.allow(["message", "channel_post", "my_chat_member", "chat_member"])
    room.make_person(ANN, "Ann", username="ann")
    room.make_person(BORIS, "Boris")
    room.make_person(OTHER_BOT, "Other", username="other_bot", is_bot=True)
    room.make_chat(GROUP, "group", "Friends")
    room.make_chat(SUPERGROUP, "supergroup", "Club", username="club")
    room.make_chat(CHANNEL, "channel", "News", username="news")
    for chat in (GROUP, SUPERGROUP):
        room.set_member(chat, ANN, "creator")
        room.set_member(chat, BORIS, "member")
    room.say(ANN, ANN, "/start")
    room.updates.clear()
    return room


def call(room: Room, method: str, chat: int | str, **given: Any) -> Any:
    """Call a method of the Bot API."""
    return METHODS[method](room, {"chat_id": chat, **given})


def send(room: Room, chat: int | str, **given: Any) -> Json:
    """Let the bot write."""
    message: Json = call(room, "sendMessage", chat, text="x", **given)
    return message


def refused(room: Room, method: str, chat: int | str, **given: Any) -> str:
    """Call a method that is refused; in which words."""
    with pytest.raises(ApiError) as refusal:
        call(room, method, chat, **given)
    return refusal.value.description


async def news(room: Room) -> list[Update]:
    """Take what the bot was told since it last asked, as python-telegram-bot reads it."""
    updates = await room.updates.poll(0, 100, 0)
    room.updates.clear()
    return [update for each in updates if (update := Update.de_json(each, None))]


def change(update: Update) -> tuple[int, str, str]:
    """Who did it, and what the one that it is about was before and is now."""
    told = update.my_chat_member or update.chat_member
    assert told is not None
    return told.from_user.id, told.old_chat_member.status, told.new_chat_member.status


async def test_the_bot_is_added_and_removed(room: Room) -> None:
    """Both are told twice, as a change and in the group; then writing is refused."""
    for chat, kind in ((GROUP, "group"), (SUPERGROUP, "supergroup")):
        room.kick(chat, by=ANN)
        kicked, left = await news(room)
        assert change(kicked) == (ANN, "member", "kicked")
        assert left.message is not None
        gone, remover = left.message.left_chat_member, left.message.from_user
        assert gone is not None
        assert remover is not None
        assert (gone.id, remover.id) == (42, ANN)
        said = f"Forbidden: bot was kicked from the {kind} chat"
        for method in ("getChat", "getChatMemberCount", "leaveChat", "getChatAdministrators"):
            assert refused(room, method, chat) == said
        assert refused(room, "sendMessage", chat, text="x") == said
        room.say(chat, ANN, "@demo_bot unheard")
        room.add(chat, by=BORIS)
        added, came = await news(room)
        assert change(added) == (BORIS, "kicked", "member")
        assert came.message is not None
        assert [user.id for user in came.message.new_chat_members] == [42]
        assert send(room, chat)["text"] == "x"
        with pytest.raises(ValueError, match="already"):
            room.add(chat)


async def test_the_bot_leaves(room: Room) -> None:
    """It is told who left: itself. A private chat cannot be left."""
    assert call(room, "leaveChat", SUPERGROUP) is True
    (left,) = await news(room)
    assert change(left) == (42, "member", "left")
    gone = "Forbidden: bot is not a member of the supergroup chat"
    assert refused(room, "leaveChat", SUPERGROUP) == gone
    assert refused(room, "leaveChat", ANN) == "Bad Request: can't leave private chats"


async def test_people_block_unblock_and_delete_themselves(room: Room) -> None:
    """The bot is told of the first two, each once, and refused in Telegram's words."""
    room.block(ANN)
    room.block(ANN)
    (blocked,) = await news(room)
    assert change(blocked) == (ANN, "member", "kicked")
    said = "Forbidden: bot was blocked by the user"
    assert refused(room, "sendMessage", ANN, text="x") == said
    assert refused(room, "sendChatAction", ANN, action="typing") == said
    room.unblock(ANN)
    (unblocked,) = await news(room)
    assert change(unblocked) == (ANN, "kicked", "member")
    room.block(ANN)
    room.say(ANN, ANN, "I am back")
    kinds = [update.my_chat_member is not None for update in await news(room)]
    assert kinds == [True, True, False]
    room.deactivate(ANN)
    assert refused(room, "sendMessage", ANN, text="x") == "Forbidden: user is deactivated"
    with pytest.raises(ValueError, match="deleted"):
        room.say(ANN, ANN, "boo")
    never = "Forbidden: bot can't initiate conversation with a user"
    assert refused(room, "sendMessage", BORIS, text="x") == never
    assert refused(room, "getChat", BORIS) == "Bad Request: chat not found"


async def test_the_bot_is_told_what_it_may(room: Room) -> None:
    """Promoted with some rights, with others, demoted, muted, set free: each is one change."""
    room.promote(SUPERGROUP, rights=["can_delete_messages"], title="Helper", by=ANN)
    room.promote(SUPERGROUP, rights=["can_manage_topics"], by=ANN)
    room.promote(SUPERGROUP, rights=["can_manage_topics"], by=ANN)
    room.demote(SUPERGROUP, by=ANN)
    room.restrict(SUPERGROUP, permissions=["can_send_polls"], until=2_000_000, by=ANN)
    room.restrict(SUPERGROUP, permissions=PERMISSIONS, by=ANN)
    updates = await news(room)
    first, second, third, muted, free = (update.my_chat_member for update in updates)
    assert [change(update)[1:] for update in updates] == [
        ("member", "administrator"),
        ("administrator", "administrator"),
        ("administrator", "member"),
        ("member", "restricted"),
        ("restricted", "member"),
    ]
    assert first is not None
    assert second is not None
    assert muted is not None
    assert first.new_chat_member.to_dict()["can_delete_messages"]
    assert first.new_chat_member.to_dict()["custom_title"] == "Helper"
    assert first.new_chat_member.to_dict()["can_manage_chat"]
    assert not second.new_chat_member.to_dict()["can_delete_messages"]
    assert muted.new_chat_member.to_dict()["until_date"] == 2_000_000
    assert muted.new_chat_member.to_dict()["is_member"]
    assert not muted.new_chat_member.to_dict()["can_send_messages"]
    assert third is not None
    assert free is not None


async def test_changes_of_others_reach_an_administrator_that_asks(room: Room) -> None:
    """Somebody joins, rises, is muted, leaves; before the bot rules, only joining is told."""
    room.add(SUPERGROUP, 10)
    assert [update.chat_member for update in await news(room)] == [None]
    room.promote(SUPERGROUP)
    await news(room)
    room.add(SUPERGROUP, 11)
    room.promote(SUPERGROUP, 11, by=ANN)
    room.restrict(SUPERGROUP, 11, by=ANN)
    room.leave(SUPERGROUP, 11)
    told = await news(room)
    assert [change(update) for update in told if update.chat_member] == [
        (11, "left", "member"),
        (ANN, "member", "administrator"),
        (ANN, "administrator", "restricted"),
        (11, "restricted", "restricted"),
    ]
    joined, left = (update.message.from_user for update in told if update.message)
    assert joined == left
    assert joined is not None
    assert joined.id == 11
    room.add(SUPERGROUP, 11)
    assert room.chats[SUPERGROUP].member(11).present
    assert not room.chats[SUPERGROUP].member(11).may("can_send_messages", PERMISSIONS)
    room.updates.allow([])
    room.updates.clear()
    room.kick(SUPERGROUP, 11)
    assert [update.chat_member for update in await news(room)] == [None]


async def test_my_chat_member_comes_unless_it_is_excluded(room: Room) -> None:
    """It is among the kinds that come without being asked for."""
    room.updates.allow([])
    room.promote(GROUP)
    assert len(await news(room)) == 1
    room.updates.allow(["message"])
    room.demote(GROUP)
    assert await news(room) == []


def test_roles_are_told_in_full(room: Room) -> None:
    """Every ChatMember has all its fields, in every kind of chat."""
    room.promote(SUPERGROUP, BORIS, ["can_invite_users"])
    room.set_member(SUPERGROUP, 10, "member")
    room.restrict(SUPERGROUP, 10)
    room.kick(SUPERGROUP, 11)
    assert [call(room, "getChatMember", SUPERGROUP, user_id=who)["status"]
            for who in (ANN, BORIS, 10, 11, OTHER_BOT, 42)] == [
        "creator", "administrator", "restricted", "kicked", "left", "member"
    ]  # fmt: skip
    for chat in (ANN, GROUP, SUPERGROUP, CHANNEL):
        for told in room.members(chat):
            assert ChatMember.de_json(told, None).to_dict().items() >= told.items()
    promoted = call(room, "getChatMember", SUPERGROUP, user_id=BORIS)
    assert {name for name in promoted if promoted[name] is True} == {
        "can_invite_users", "can_manage_chat"
    }  # fmt: skip
    assert set(RIGHTS["supergroup"]) <= promoted.keys()
    assert set(PERMISSIONS) <= call(room, "getChatMember", SUPERGROUP, user_id=10).keys()
    assert call(room, "getChatMember", ANN, user_id=ANN)["status"] == "member"
    assert call(room, "getChatMember", ANN, user_id=42)["status"] == "member"
    assert refused(room, "getChatMember", ANN, user_id=BORIS) == "Bad Request: member not found"


def test_administrators_are_told_without_other_bots(room: Room) -> None:
    """The bot itself is among them, others if it asks so; everybody who is there is counted."""
    for who in (BORIS, OTHER_BOT, None):
        room.promote(GROUP, who)
    admins = call(room, "getChatAdministrators", GROUP)
    assert [each["user"]["id"] for each in admins] == [ANN, BORIS, 42]
    everybody = call(room, "getChatAdministrators", GROUP, return_bots=True)
    assert {each["user"]["id"] for each in everybody} == {ANN, BORIS, OTHER_BOT, 42}
    assert call(room, "getChatMemberCount", GROUP) == 4
    room.leave(GROUP, BORIS)
    assert call(room, "getChatMemberCount", GROUP) == 3
    assert call(room, "getChatMemberCount", ANN) == 2


def test_chats_are_told_in_full(room: Room) -> None:
    """What getChat says of each kind; a public one can be named."""
    room.permit(SUPERGROUP, ["can_send_polls"])
    room.slow_down(SUPERGROUP, 30)
    room.link(SUPERGROUP, CHANNEL)
    room.promote(CHANNEL)
    for chat in (ANN, GROUP, SUPERGROUP, CHANNEL):
        told = call(room, "getChat", chat)
        full = ChatFullInfo.de_json(told, None)
        assert not full.api_kwargs
        assert full.to_dict().items() >= told.items() or chat == SUPERGROUP
    told = call(room, "getChat", "@Club")
    assert (told["slow_mode_delay"], told["linked_chat_id"]) == (30, CHANNEL)
    assert [name for name, may in told["permissions"].items() if may] == ["can_send_polls"]
    assert told["active_usernames"] == ["club"]
    assert refused(room, "getChat", "@nobody") == "Bad Request: chat not found"


def test_where_nobody_may_write(room: Room) -> None:
    """The bot is refused as any member is, unless it is an administrator."""
    document = {"document": Upload("a.txt", "text/plain", b"x")}
    room.permit(GROUP, [])
    room.restrict(SUPERGROUP, permissions=["can_send_documents"])
    for chat in (GROUP, SUPERGROUP):
        why = "Bad Request: not enough rights to send text messages to the chat"
        assert refused(room, "sendMessage", chat, text="x") == why
        typing = refused(room, "sendChatAction", chat, action="typing")
        assert typing == "Forbidden: CHAT_WRITE_FORBIDDEN"
    why = "Bad Request: not enough rights to send documents to the chat"
    assert refused(room, "sendDocument", GROUP, **document) == why
    assert call(room, "sendDocument", SUPERGROUP, **document)["document"]
    with pytest.raises(ValueError, match="can_send_messages"):
        room.say(GROUP, BORIS, "x")
    with pytest.raises(ValueError, match="can_send_photos"):
        room.send_kind(GROUP, BORIS, "photo")
    room.say(GROUP, ANN, "a creator may")
    room.promote(GROUP)
    assert send(room, GROUP)["text"] == "x"
    with pytest.raises(ValueError, match="restricted"):
        room.restrict(GROUP, BORIS)


def test_whoever_is_outside_does_not_write(room: Room) -> None:
    """Left or banned, until they are added again."""
    room.leave(SUPERGROUP, BORIS)
    with pytest.raises(ValueError, match="not in the chat"):
        room.say(SUPERGROUP, BORIS, "x")
    room.kick(SUPERGROUP, BORIS)
    with pytest.raises(ValueError, match="not in the chat"):
        room.say(SUPERGROUP, BORIS, "x")
    room.add(SUPERGROUP, BORIS)
    room.say(SUPERGROUP, BORIS, "x")


def test_slow_mode(room: Room, clock: Clock) -> None:
    """Members and a bot that is one wait; administrators do not, and edits are free."""
    room.slow_down(SUPERGROUP, 30)
    room.say(SUPERGROUP, ANN, "one")
    room.say(SUPERGROUP, ANN, "two")
    room.say(SUPERGROUP, BORIS, "one")
    number = send(room, SUPERGROUP)["message_id"]
    clock.now += 10.5
    with pytest.raises(ValueError, match=r"19\.5 s"):
        room.say(SUPERGROUP, BORIS, "two")
    with pytest.raises(ApiError) as slow:
        send(room, SUPERGROUP)
    assert slow.value.error() == {
        "error_code": 429,
        "description": "Too Many Requests: retry after 20",
        "parameters": {"retry_after": 20},
    }
    call(room, "editMessageText", SUPERGROUP, message_id=number, text="y")
    clock.now += 20
    room.say(SUPERGROUP, BORIS, "two")
    send(room, SUPERGROUP)
    room.promote(SUPERGROUP)
    send(room, SUPERGROUP)


def test_deleting_needs_its_right(room: Room) -> None:
    """An administrator without it deletes only the bot's own."""
    theirs = room.say(SUPERGROUP, ANN, "x")["message_id"]
    room.promote(SUPERGROUP, rights=[])
    why = "Bad Request: message can't be deleted"
    assert refused(room, "deleteMessage", SUPERGROUP, message_id=theirs) == why
    room.promote(SUPERGROUP, rights=["can_delete_messages"])
    assert call(room, "deleteMessage", SUPERGROUP, message_id=theirs) is True


async def test_anonymous_administrators(room: Room) -> None:
    """They write, add and promote in the group's name, with their title, until they stop."""
    room.promote(SUPERGROUP, BORIS, title="Boss")
    room.hide(SUPERGROUP, BORIS, on=True)
    assert call(room, "getChatMember", SUPERGROUP, user_id=BORIS)["is_anonymous"]
    said = room.say(SUPERGROUP, BORIS, "/reset@demo_bot")
    assert (said["from"]["id"], said["sender_chat"]["id"]) == (ANONYMOUS_ADMIN, SUPERGROUP)
    assert said["author_signature"] == "Boss"
    room.promote(SUPERGROUP, by=BORIS)
    assert change((await news(room))[-1]) == (ANONYMOUS_ADMIN, "member", "administrator")
    room.hide(SUPERGROUP, BORIS, on=False)
    assert room.say(SUPERGROUP, BORIS, "x")["from"]["id"] == BORIS
    with pytest.raises(ValueError, match="anonymous"):
        room.hide(SUPERGROUP, 10, on=True)


async def test_writing_as_a_channel(room: Room) -> None:
    """Whoever has chosen to is that channel, until they choose themselves again."""
    room.send_as(SUPERGROUP, BORIS, CHANNEL)
    said = room.say(SUPERGROUP, BORIS, "@demo_bot hello")
    assert (said["from"]["id"], said["sender_chat"]["id"]) == (CHANNEL_SENDER, CHANNEL)
    assert said["sender_chat"]["title"] == "News"
    assert "is_automatic_forward" not in said
    assert len(await news(room)) == 1
    room.send_as(SUPERGROUP, BORIS)
    assert room.say(SUPERGROUP, BORIS, "x")["from"]["id"] == BORIS
    for chat, channel in ((GROUP, CHANNEL), (SUPERGROUP, GROUP)):
        with pytest.raises(ValueError, match="as a channel"):
            room.send_as(chat, BORIS, channel)


async def test_a_channel_and_its_group(room: Room) -> None:
    """Posts have no author; the bot gets them as an administrator, and again in the group."""
    room.link(SUPERGROUP, CHANNEL)
    room.promote(SUPERGROUP)
    await news(room)
    room.say(CHANNEL, ANN, "@demo_bot first")
    (shown,) = await news(room)
    assert shown.message is not None
    assert shown.message.from_user is not None
    assert (shown.message.from_user.id, shown.message.is_automatic_forward) == (
        LINKED_CHANNEL,
        True,
    )
    assert shown.message.sender_chat is not None
    assert shown.message.sender_chat.id == CHANNEL
    assert refused(room, "sendMessage", CHANNEL, text="x") == (
        "Forbidden: bot is not a member of the channel chat"
    )
    with pytest.raises(ValueError, match="promote it"):
        room.add(CHANNEL)
    room.promote(CHANNEL, rights=["can_edit_messages"])
    why = "Bad Request: need administrator rights in the channel chat"
    assert refused(room, "sendMessage", CHANNEL, text="x") == why
    room.promote(CHANNEL)
    await news(room)
    second = room.say(CHANNEL, ANN, "second")
    room.edit(CHANNEL, ANN, second["message_id"], "2nd")
    post, shown = await news(room)
    assert post.channel_post is not None
    assert (post.channel_post.text, post.channel_post.from_user) == ("second", None)
    own = send(room, "@news")
    assert "from" not in own
    edited = call(room, "editMessageText", CHANNEL, message_id=own["message_id"], text="y")
    assert edited["text"] == "y"
    room.set_member(CHANNEL, BORIS, "member")
    with pytest.raises(ValueError, match="post in a channel"):
        room.say(CHANNEL, BORIS, "x")
    room.demote(CHANNEL)
    assert room.chats[CHANNEL].bot.status == "left"


async def test_deep_links(room: Room) -> None:
    """The start button sends the payload; with a group it brings the bot in, too."""
    assert room.start(ANN, "invite_1-A")["text"] == "/start invite_1-A"
    assert room.start(ANN)["text"] == "/start"
    room.kick(GROUP)
    await news(room)
    assert room.start(ANN, "code", GROUP)["text"] == "/start@demo_bot code"
    added, came, started = await news(room)
    assert change(added) == (ANN, "kicked", "member")
    assert came.message is not None
    assert came.message.new_chat_members
    assert started.message is not None
    assert started.message.text == "/start@demo_bot code"
    for odd in ("x" * 65, "no spaces", "нет"):
        with pytest.raises(ValueError, match="payload"):
            room.start(ANN, odd)


@pytest.mark.parametrize(
    ("chat", "kind"),
    [(-5, "supergroup"), (SUPERGROUP - 9, "group"), (7, "forum"), (0, "group"), (CHANNEL, "forum")],
)
def test_ids_tell_what_a_chat_is(room: Room, chat: int, kind: str) -> None:
    """A chat of one kind cannot be made with another one's id, nor become another kind."""
    with pytest.raises(ValueError, match=r"is no id|already"):
        room.make_chat(chat, kind, "x")
    with pytest.raises(ValueError, match="kind is one of"):
        room.make_chat(chat, "circle", "x")


@pytest.mark.parametrize(
    ("title", "username", "why"),
    [
        (" ", "", "the name is empty"),
        ("x", "CLUB", "@CLUB is taken"),
        ("x", "Ann", "@Ann is taken"),
        ("x", "demo_bot", "@demo_bot is taken"),
    ],
)
def test_names_of_chats(room: Room, title: str, username: str, why: str) -> None:
    """A chat has a title, and no other's username; what is refused is not there."""
    chats = set(room.chats)
    with pytest.raises(ValueError, match=why):
        room.make_chat(SUPERGROUP - 9, "supergroup", title, username=username)
    assert set(room.chats) == chats
    assert room.make_chat(SUPERGROUP, "supergroup", "Club 2", username="Club")["title"] == "Club 2"


def test_the_bot_is_no_person(room: Room) -> None:
    """Nobody has its id."""
    with pytest.raises(ValueError, match="42 is the bot"):
        room.make_person(42, "X")


def test_a_chat_is_given_away(room: Room) -> None:
    """Who has created it stays an administrator; a bot cannot have it."""
    room.give(SUPERGROUP, BORIS)
    admins = call(room, "getChatAdministrators", SUPERGROUP)
    assert [each["status"] for each in admins] == ["administrator", "creator"]
    with pytest.raises(ValueError, match="a bot cannot"):
        room.give(SUPERGROUP, 42)


def test_what_people_cannot_do(room: Room) -> None:
    """Nobody removes a creator; private chats have no members; names must be Telegram's."""
    for act in (room.kick, room.promote, room.demote, room.restrict):
        with pytest.raises(ValueError, match="creator"):
            act(SUPERGROUP, ANN)
        with pytest.raises(ValueError, match="private chat"):
            act(ANN)
    with pytest.raises(ValueError, match="can_fly"):
        room.promote(GROUP, BORIS, ["can_fly"])
    with pytest.raises(ValueError, match="can_fly"):
        room.permit(GROUP, ["can_fly"])
    with pytest.raises(ValueError, match="no administrator"):
        room.demote(GROUP, BORIS)
    with pytest.raises(ValueError, match="not in this chat"):
        room.leave(GROUP, OTHER_BOT)
    with pytest.raises(ValueError, match="speaks for itself"):
        room.say(GROUP, 42, "x")
    with pytest.raises(ValueError, match="slow mode"):
        room.slow_down(GROUP, 10)
    with pytest.raises(ValueError, match="linked"):
        room.link(GROUP, CHANNEL)
