"""What somebody is in a chat: status, rights and permissions, in the Bot API's words.

Which fields a ChatMember has is from telegram-bot-api's source (JsonChatMember).
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

LONGEST_RANK = 16
"""Most characters in the title of an administrator."""
_EVERYWHERE = (
    "can_manage_chat",
    "can_change_info",
    "can_delete_messages",
    "can_invite_users",
    "can_restrict_members",
    "can_promote_members",
    "can_manage_video_chats",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
    "can_send_welcome_messages",
)
RIGHTS = {
    "group": (*_EVERYWHERE, "can_pin_messages", "can_manage_tags"),
    "supergroup": (*_EVERYWHERE, "can_pin_messages", "can_manage_tags", "can_manage_topics"),
    "channel": (
        *_EVERYWHERE,
        "can_post_messages",
        "can_edit_messages",
        "can_manage_direct_messages",
    ),
}
"""An administrator's rights, by the kind of chat."""
PERMISSIONS = (
    "can_send_messages",
    "can_send_audios",
    "can_send_documents",
    "can_send_photos",
    "can_send_videos",
    "can_send_video_notes",
    "can_send_voice_notes",
    "can_send_polls",
    "can_send_other_messages",
    "can_add_web_page_previews",
    "can_react_to_messages",
    "can_edit_tag",
    "can_change_info",
    "can_invite_users",
    "can_pin_messages",
    "can_manage_topics",
)
"""What a member may do who is no administrator."""


class Status(StrEnum):
    """What a member is."""

    CREATOR = "creator"
    ADMINISTRATOR = "administrator"
    MEMBER = "member"
    RESTRICTED = "restricted"
    LEFT = "left"
    KICKED = "kicked"


@dataclass(frozen=True, slots=True)
class Member:
    """One person's or bot's place in a chat.

    ``granted`` are an administrator's rights, or the permissions that are left to a restricted
    one, who may be outside: not ``inside``. ``until`` is when a restriction or ban ends, in seconds
    since 1970, 0 for never. ``by_bot`` is an administrator whom the bot has made one.
    """

    status: Status
    granted: frozenset[str] = frozenset()
    anonymous: bool = False
    title: str = ""
    until: int = 0
    inside: bool = True
    by_bot: bool = False

    @property
    def present(self) -> bool:
        return self.status not in (Status.LEFT, Status.KICKED) and self.inside

    @property
    def rules(self) -> bool:
        return self.status in (Status.CREATOR, Status.ADMINISTRATOR)

    def has(self, right: str) -> bool:
        """True if this is an administrator with that right."""
        return self.status is Status.CREATOR or (self.rules and right in self.granted)

    def may(self, permission: str, permitted: Collection[str]) -> bool:
        """True if ``permission`` is theirs, where the chat's members are ``permitted`` so much."""
        if self.rules:
            return True
        left = self.status is not Status.RESTRICTED or permission in self.granted
        return self.present and left and permission in permitted

    def json(self, user: dict[str, Any], kind: str) -> dict[str, Any]:
        """Return the ChatMember of a User in a chat of that kind."""
        member: dict[str, Any] = {"user": user, "status": self.status.value}
        match self.status:
            case Status.CREATOR:
                member["is_anonymous"] = self.anonymous
            case Status.ADMINISTRATOR:
                member |= {"can_be_edited": self.by_bot, "is_anonymous": self.anonymous}
                member |= {right: right in self.granted for right in RIGHTS[kind]}
            case Status.RESTRICTED:
                member |= {"until_date": self.until, "is_member": self.inside}
                member |= permissions_json(self.granted)
            case Status.KICKED:
                member["until_date"] = self.until
        return member | ({"custom_title": self.title} if self.title and self.rules else {})


MEMBER = Member(Status.MEMBER)
OUTSIDE = Member(Status.LEFT)
"""Whoever has never been in a chat."""


def member(status: Status | str, kind: str) -> Member:
    """Return a member of that status; an administrator has every right in a chat of that kind."""
    status = Status(status)
    granted = RIGHTS.get(kind, ()) if status is Status.ADMINISTRATOR else ()
    return Member(status, frozenset(granted))


def permissions_json(granted: Collection[str]) -> dict[str, bool]:
    """Return a ChatPermissions."""
    return {permission: permission in granted for permission in PERMISSIONS}
