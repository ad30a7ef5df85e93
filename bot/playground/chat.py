"""A chat of the room, the people in it, and how the Bot API writes them down."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Json = dict[str, Any]

FIRST_SUPERGROUP = -1_000_000_000_000
"""Ids at and below it are supergroups; negative ids above it are basic groups."""
ANONYMOUS_ADMIN = 1087968824
CHANNEL_SENDER = 136817688
LINKED_CHANNEL = 777000

_ADMIN_RIGHTS = (
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
)


class Status(StrEnum):
    """What a member is, in the Bot API's words."""

    CREATOR = "creator"
    ADMINISTRATOR = "administrator"
    MEMBER = "member"
    LEFT = "left"
    KICKED = "kicked"

    @property
    def present(self) -> bool:
        return self not in (Status.LEFT, Status.KICKED)

    @property
    def rules(self) -> bool:
        return self in (Status.CREATOR, Status.ADMINISTRATOR)


@dataclass(slots=True)
class Person:
    """Somebody who writes; ``language`` is what their Telegram is set to."""

    id: int
    first_name: str
    language: str | None = None

    def json(self) -> Json:
        user: Json = {"id": self.id, "is_bot": False, "first_name": self.first_name}
        if self.language:
            user["language_code"] = self.language
        return user


@dataclass(slots=True)
class Chat:
    """A private chat, a group or a supergroup with its messages in order.

    ``changes`` are the room's versions in which messages, deleted ones too, last changed;
    ``typing`` is when the bot last said that it is typing, if it has posted nothing since;
    ``toast`` is its last answer to the press of a button, and when.
    """

    id: int
    person: Person | None = None
    title: str = ""
    forum: bool = False
    bot: Status = Status.MEMBER
    bot_spoke_last: bool = False
    successor: int | None = None
    members: dict[int, Status] = field(default_factory=dict)
    messages: dict[int, Json] = field(default_factory=dict)
    topics: set[int] = field(default_factory=set)
    drafts: dict[int, tuple[Json, float]] = field(default_factory=dict)
    changes: dict[int, int] = field(default_factory=dict)
    typing: float = float("-inf")
    toast: tuple[str, float] = ("", float("-inf"))

    @property
    def kind(self) -> str:
        if self.id > 0:
            return "private"
        return "supergroup" if self.id <= FIRST_SUPERGROUP else "group"

    def json(self) -> Json:
        chat: Json = {"id": self.id, "type": self.kind}
        if self.person:
            chat["first_name"] = self.person.first_name
        else:
            chat["title"] = self.title
        if self.forum:
            chat["is_forum"] = True
        return chat

    def full_json(self) -> Json:
        """Return the result of getChat."""
        return {
            **self.json(),
            "accent_color_id": 0,
            "max_reaction_count": 11,
            "accepted_gift_types": {
                "unlimited_gifts": False,
                "limited_gifts": False,
                "unique_gifts": False,
                "premium_subscription": False,
                "gifts_from_channels": False,
            },
        }


def member_json(user: Json, status: Status) -> Json:
    """Return a ChatMember."""
    member: Json = {"user": user, "status": status.value}
    match status:
        case Status.CREATOR:
            member["is_anonymous"] = False
        case Status.ADMINISTRATOR:
            member |= {"can_be_edited": False, "is_anonymous": False}
            member |= dict.fromkeys(_ADMIN_RIGHTS, True)
        case Status.KICKED:
            member["until_date"] = 0
    return member


def sender_json(chat: Chat, person: Person) -> Json:
    """Return who a message is from; three ids are Telegram's stand-ins for a chat."""
    if person.id not in _STAND_INS:
        return {"from": person.json()}
    name, username, is_bot = _STAND_INS[person.id]
    user = {"id": person.id, "is_bot": is_bot, "first_name": name}
    if username:
        user["username"] = username
    channel: Json = {"id": FIRST_SUPERGROUP - person.id, "type": "channel", "title": "Channel"}
    sender: Json = {"from": user, "sender_chat": channel}
    if person.id == ANONYMOUS_ADMIN:
        sender["sender_chat"] = chat.json()
    if person.id == LINKED_CHANNEL:
        sender["is_automatic_forward"] = True
    return sender


_STAND_INS = {
    ANONYMOUS_ADMIN: ("Group", "GroupAnonymousBot", True),
    CHANNEL_SENDER: ("Channel", "Channel_Bot", True),
    LINKED_CHANNEL: ("Telegram", "", False),
}
