"""What an administrator bot does with a chat and its members, and what it is not let do."""

from typing import Any

import pytest
from telegram import ChatInviteLink, Update

from bot.playground.telegram.chat import Json
from bot.playground.telegram.member import PERMISSIONS
from bot.playground.telegram.methods import METHODS
from bot.playground.telegram.parameters import typed
from bot.playground.telegram.refusal import ApiError
from bot.playground.telegram.room import Room

ANN, BORIS, CLARA, BOT = 7, 8, 9, 42
GROUP, CLUB, CHANNEL = -5, -1000000000005, -1000000000006
RESTRICT = "not enough rights to restrict/unrestrict chat member"


@pytest.fixture
def room() -> Room:
    """A club of which Ann is the creator, Boris a member, Clara an administrator, as is the bot."""
    room = Room(f"{BOT}:token")
    room.make_chat(CLUB, "supergroup", "Club")
    room.set_member(CLUB, ANN, "creator")
    room.set_member(CLUB, BORIS, "member")
    room.set_member(CLUB, CLARA, "administrator")
    room.set_bot(CLUB, "administrator")
    room.say(ANN, ANN, "x")
    room.updates.allow(["message", "chat_member", "my_chat_member", "channel_post"])
    room.updates.clear()
    return room


def call(room: Room, method: str, chat: int = CLUB, **given: Any) -> Any:
    return METHODS[method](room, typed({"chat_id": chat, **given}))


def refused(room: Room, method: str, chat: int = CLUB, **given: Any) -> str:
    with pytest.raises(ApiError) as refusal:
        call(room, method, chat, **given)
    assert refusal.value.code == 400
    return refusal.value.description.removeprefix("Bad Request: ")


async def news(room: Room) -> list[Json]:
    """Return the updates that wait, once; python-telegram-bot can read each."""
    updates = await room.updates.poll(0, 100, 0)
    assert all(Update.de_json(each, None) for each in updates)
    room.updates.clear()
    return updates


def status(room: Room, user: int) -> str:
    found: str = call(room, "getChatMember", user_id=user)["status"]
    return found


async def test_a_ban_and_its_end(room: Room) -> None:
    """The banned are gone and told of; a lifted ban lets them back, and removes no one else."""
    until = int(room.clock()) + 3600
    assert call(room, "banChatMember", user_id=str(BORIS), until_date=str(until)) is True
    change, left = await news(room)
    assert change["chat_member"]["new_chat_member"]["until_date"] == until
    assert change["chat_member"]["from"]["id"] == BOT
    assert left["message"]["left_chat_member"]["id"] == BORIS
    assert left["message"]["from"]["id"] == BOT
    assert status(room, BORIS) == "kicked"
    assert call(room, "unbanChatMember", user_id=BORIS, only_if_banned="true") is True
    assert status(room, BORIS) == "left"
    room.add(CLUB, BORIS)
    assert call(room, "unbanChatMember", user_id=BORIS, only_if_banned=True) is True
    assert status(room, BORIS) == "member"
    assert call(room, "unbanChatMember", user_id=BORIS) is True
    assert status(room, BORIS) == "left"
    call(room, "banChatMember", user_id=BORIS, until_date=5)
    assert call(room, "getChatMember", user_id=BORIS)["until_date"] == 0


def test_a_restriction(room: Room) -> None:
    """Leaves what is permitted, with what that implies unless it is said to be independent."""
    few = {"can_send_other_messages": True, "can_react_to_messages": False}
    assert call(room, "restrictChatMember", user_id=BORIS, permissions=few) is True
    member = call(room, "getChatMember", user_id=BORIS)
    granted = {name for name in PERMISSIONS if member[name]}
    assert member["status"] == "restricted"
    assert granted == {*PERMISSIONS[:7], "can_send_other_messages"}
    call(room, "restrictChatMember", user_id=BORIS, permissions=few,
         use_independent_chat_permissions=True)  # fmt: skip
    member = call(room, "getChatMember", user_id=BORIS)
    assert [name for name in PERMISSIONS if member[name]] == ["can_send_other_messages"]
    everything = dict.fromkeys(PERMISSIONS, True)
    call(room, "restrictChatMember", user_id=BORIS, permissions=everything)
    assert status(room, BORIS) == "member"
    assert call(room, "setChatPermissions", permissions={"can_send_polls": True}) is True
    allowed = call(room, "getChat")["permissions"]
    assert [name for name in PERMISSIONS if allowed[name]] == [
        "can_send_messages",
        "can_send_polls",
        "can_react_to_messages",
    ]


async def test_a_promotion_and_a_title(room: Room) -> None:
    """Rights are those that are given; without any, an administrator is a member again."""
    assert call(room, "promoteChatMember", user_id=BORIS, can_pin_messages="true") is True
    admin = call(room, "getChatMember", user_id=BORIS)
    granted = {name for name, value in admin.items() if value is True}
    assert granted == {"can_be_edited", "can_pin_messages", "can_manage_chat"}
    title: Json = {"user_id": BORIS, "custom_title": "Pinner"}
    assert call(room, "setChatAdministratorCustomTitle", **title) is True
    assert call(room, "getChatMember", user_id=BORIS)["custom_title"] == "Pinner"
    assert call(room, "promoteChatMember", user_id=BORIS) is True
    assert call(room, "promoteChatMember", user_id=BORIS) is True
    assert status(room, BORIS) == "member"
    assert [kind for each in await news(room) for kind in each][1::2] == ["chat_member"] * 3


async def test_an_anonymous_administrator(room: Room) -> None:
    """Whom the bot makes one writes in the group's name until it says otherwise; a title stays."""
    assert not call(room, "getChatMember", user_id=CLARA)["can_be_edited"]
    assert call(room, "promoteChatMember", user_id=BORIS, is_anonymous=True) is True
    title: Json = {"user_id": BORIS, "custom_title": "Ghost"}
    assert call(room, "setChatAdministratorCustomTitle", **title) is True
    admin = call(room, "getChatMember", user_id=BORIS)
    assert (admin["is_anonymous"], admin["custom_title"]) == (True, "Ghost")
    said = room.say(CLUB, BORIS, "hi")
    assert (said["sender_chat"]["id"], said["author_signature"]) == (CLUB, "Ghost")
    assert call(room, "promoteChatMember", user_id=BORIS, can_pin_messages=True) is True
    admin = call(room, "getChatMember", user_id=BORIS)
    assert (admin["is_anonymous"], admin["custom_title"]) == (False, "Ghost")


async def test_title_and_description(room: Room) -> None:
    """The new title is said in the chat; both are the chat's."""
    assert call(room, "setChatTitle", title=" New ") is True
    assert call(room, "setChatTitle", title="New") is True
    (said,) = await news(room)
    assert said["message"]["new_chat_title"] == "New"
    assert call(room, "setChatDescription", description="About") is True
    chat = call(room, "getChat")
    assert (chat["title"], chat["description"]) == ("New", "About")
    assert refused(room, "setChatDescription", description="About") == (
        "chat description is not modified"
    )


def test_invite_links(room: Room) -> None:
    """One is primary; others have their limits; a revoked one says so."""
    first, second = call(room, "exportChatInviteLink"), call(room, "exportChatInviteLink")
    assert first != second
    assert call(room, "getChat")["invite_link"] == second
    assert room.chats[CLUB].invites[first]["is_revoked"]
    made = call(room, "createChatInviteLink", name="Door", member_limit="5")
    assert ChatInviteLink.de_json(made, None)
    assert (made["name"], made["member_limit"], made["is_primary"]) == ("Door", 5, False)
    link = {"invite_link": made["invite_link"]}
    changed = call(room, "editChatInviteLink", **link, creates_join_request=True)
    assert (changed["creates_join_request"], "member_limit" in changed) == (True, False)
    assert call(room, "revokeChatInviteLink", **link)["is_revoked"]
    assert call(room, "revokeChatInviteLink", invite_link=second)["is_revoked"]
    assert call(room, "getChat")["invite_link"] not in (first, second)
    for wrong, why in (
        ({"invite_link": "x"}, "INVITE_HASH_EXPIRED"),
        (link | {"member_limit": 100_000}, "invalid member limit specified"),
        (link | {"member_limit": 1, "creates_join_request": True},
         "member limit can't be specified for links requiring administrator approval"),
    ):  # fmt: skip
        assert refused(room, "editChatInviteLink", **wrong) == why
    assert refused(room, "exportChatInviteLink", ANN) == "can't invite members to a private chat"


@pytest.mark.parametrize(
    ("method", "given", "why"),
    [
        ("banChatMember", {}, "invalid user_id specified"),
        ("banChatMember", {"user_id": 99}, "user not found"),
        ("banChatMember", {"user_id": BOT}, "can't restrict self"),
        ("banChatMember", {"user_id": ANN}, "can't remove chat owner"),
        ("banChatMember", {"user_id": CLARA}, "user is an administrator of the chat"),
        ("unbanChatMember", {"user_id": ANN}, "can't remove chat owner"),
        ("restrictChatMember", {"user_id": ANN, "permissions": {}}, "can't restrict chat owner"),
        ("restrictChatMember", {"user_id": BORIS}, "permissions must be specified"),
        ("restrictChatMember", {"user_id": BORIS, "permissions": [5]},
         "can't parse permissions: ChatPermissions must be an Object"),
        ("promoteChatMember", {"user_id": ANN}, "can't demote chat creator"),
        ("setChatAdministratorCustomTitle", {"user_id": ANN},
         "only creator can edit their custom title"),
        ("setChatAdministratorCustomTitle", {"user_id": BORIS}, "user is not an administrator"),
        ("setChatAdministratorCustomTitle", {"user_id": CLARA, "custom_title": "x" * 17},
         "ADMIN_RANK_INVALID"),
        ("setChatAdministratorCustomTitle", {"user_id": CLARA, "custom_title": "Boss 😀"},
         "ADMIN_RANK_EMOJI_NOT_ALLOWED"),
        ("setChatTitle", {"title": " "}, "title must be non-empty"),
    ],
)  # fmt: skip
async def test_what_is_refused(room: Room, method: str, given: Json, why: str) -> None:
    """In Telegram's words; nobody is told of anything."""
    before = room.members(CLUB)
    assert refused(room, method, **given) == why
    assert room.members(CLUB) == before
    assert await news(room) == []


CALLS: dict[str, Json] = {
    "banChatMember": {"user_id": BORIS},
    "unbanChatMember": {"user_id": BORIS},
    "restrictChatMember": {"user_id": BORIS, "permissions": {}},
    "promoteChatMember": {"user_id": BORIS, "can_pin_messages": True},
    "setChatAdministratorCustomTitle": {"user_id": CLARA, "custom_title": "x"},
    "setChatPermissions": {"permissions": {}},
    "setChatTitle": {"title": "x"},
    "setChatDescription": {"description": "x"},
    "exportChatInviteLink": {},
    "createChatInviteLink": {},
}


@pytest.mark.parametrize("method", CALLS)
def test_rights_are_needed(room: Room, method: str) -> None:
    """An administrator without the right can do as little as a member who is not permitted to."""
    room.permit(CLUB, [])
    room.promote(CLUB, rights=["can_delete_messages"])
    assert "not enough rights" in refused(room, method, **CALLS[method])
    room.set_bot(CLUB, "member")
    assert "not enough rights" in refused(room, method, **CALLS[method])
    assert "private chat" in refused(room, method, ANN, **{**CALLS[method], "user_id": ANN})


def test_where_things_cannot_be(room: Room) -> None:
    """Restrictions are for supergroups, permissions for groups, rights for those who have them."""
    room.say(GROUP, BORIS, "x")
    room.set_bot(GROUP, "administrator")
    only = "method is available only for supergroups"
    assert refused(room, "restrictChatMember", GROUP, user_id=BORIS, permissions={}) == only
    title: Json = {"user_id": BORIS, "custom_title": "x"}
    assert refused(room, "setChatAdministratorCustomTitle", GROUP, **title) == only
    room.make_chat(CHANNEL, "channel", "News")
    room.promote(CHANNEL)
    words = refused(room, "setChatPermissions", CHANNEL, permissions={})
    assert words == "can't change channel chat permissions"
    assert call(room, "setChatTitle", CHANNEL, title="Newer") is True
    room.promote(CLUB, rights=["can_promote_members"])
    beyond = {"user_id": BORIS, "can_delete_messages": True}
    assert refused(room, "promoteChatMember", **beyond) == "RIGHT_FORBIDDEN"
    room.say(-77, 10, "elsewhere")
    assert refused(room, "promoteChatMember", user_id=10) == "USER_NOT_PARTICIPANT"
    room.permit(GROUP, ["can_change_info"])
    room.set_bot(GROUP, "member")
    assert call(room, "setChatTitle", GROUP, title="By a member") is True
