"""A chat of the room, the people in it, and how the Bot API writes them down."""

from dataclasses import dataclass, field
from typing import Any

from bot.playground.telegram.member import MEMBER, OUTSIDE, PERMISSIONS, Member, permissions_json

Json = dict[str, Any]

FIRST_SUPERGROUP = -1_000_000_000_000
"""Ids at and below it are supergroups and channels; negative ids above it are basic groups."""
GENERAL = 1
"""The thread of a forum's General topic, which messages do not show and nobody can send to."""
ANONYMOUS_ADMIN = 1087968824
CHANNEL_SENDER = 136817688
LINKED_CHANNEL = 777000


@dataclass(slots=True)
class Person:
    """Somebody who writes, or another bot; ``language`` is what their Telegram is set to."""

    id: int
    first_name: str
    language: str | None = None
    username: str = ""
    is_bot: bool = False
    deactivated: bool = False

    def json(self) -> Json:
        user: Json = {"id": self.id, "is_bot": self.is_bot, "first_name": self.first_name}
        if self.username:
            user["username"] = self.username
        if self.language:
            user["language_code"] = self.language
        return user


@dataclass(slots=True)
class Chat:
    """A private chat, a group, a supergroup or a channel with its messages in order.

    ``privacy`` is whether the bot had privacy mode on when it came in; ``closed`` are the threads
    of closed topics, ``deleted`` of deleted ones; ``own`` are the bot's messages, ``meant`` those
    for it; ``authors`` are the people who wrote the others, also in the name of a group or a
    channel; ``spoke`` is when each person, and the bot, last wrote, ``send_as`` the channel as
    which a person does;
    ``keyboards`` are the reply keyboards that are shown, by person, 0 being everybody else;
    ``reactions`` are by message and person; ``pins`` the pinned messages, the newest last;
    ``invites`` the ChatInviteLinks by their address.

    ``changes`` are the room's versions in which messages, deleted ones too, last changed;
    ``typing`` is when the bot last said that it is typing, if it has posted nothing since.
    """

    id: int
    person: Person | None = None
    title: str = ""
    username: str = ""
    channel: bool = False
    forum: bool = False
    bot: Member = MEMBER
    privacy: bool = False
    bot_spoke_last: bool = False
    successor: int | None = None
    linked: int | None = None
    permissions: frozenset[str] = frozenset(PERMISSIONS)
    slow_mode: int = 0
    members: dict[int, Member] = field(default_factory=dict)
    messages: dict[int, Json] = field(default_factory=dict)
    topics: set[int] = field(default_factory=set)
    closed: set[int] = field(default_factory=set)
    deleted: set[int] = field(default_factory=set)
    general_hidden: bool = False
    own: set[int] = field(default_factory=set)
    meant: set[int] = field(default_factory=set)
    authors: dict[int, int] = field(default_factory=dict)
    spoke: dict[int, float] = field(default_factory=dict)
    send_as: dict[int, int] = field(default_factory=dict)
    drafts: dict[int, tuple[Json, float]] = field(default_factory=dict)
    keyboards: dict[int, Json] = field(default_factory=dict)
    reactions: dict[int, dict[int, list[Json]]] = field(default_factory=dict)
    pins: list[int] = field(default_factory=list)
    description: str = ""
    invites: dict[str, Json] = field(default_factory=dict)
    changes: dict[int, int] = field(default_factory=dict)
    typing: float = float("-inf")

    @property
    def kind(self) -> str:
        if self.id > 0:
            return "private"
        if self.channel:
            return "channel"
        return "supergroup" if self.id <= FIRST_SUPERGROUP else "group"

    def member(self, user: int) -> Member:
        """Return what a person is here."""
        if self.id > 0:
            return MEMBER if user == self.id else OUTSIDE
        return self.members.get(user, OUTSIDE)

    def present(self) -> int:
        """Return how many are here, the bot included."""
        people = 1 if self.id > 0 else sum(member.present for member in self.members.values())
        return people + self.bot.present

    def wait(self, user: int, member: Member, now: float) -> float:
        """Return the seconds for which slow mode keeps a member silent."""
        if member.rules or user not in self.spoke:
            return 0.0
        return max(0.0, self.spoke[user] + self.slow_mode - now)

    def json(self) -> Json:
        chat: Json = {"id": self.id, "type": self.kind}
        if self.person:
            chat["first_name"] = self.person.first_name
        else:
            chat["title"] = self.title
        if name := self.person.username if self.person else self.username:
            chat["username"] = name
        if self.forum:
            chat["is_forum"] = True
        return chat

    def full_json(self) -> Json:
        """Return the result of getChat."""
        full = {
            **self.json(),
            "accent_color_id": abs(self.id) % 7,
            "max_reaction_count": 11,
            "accepted_gift_types": {
                "unlimited_gifts": False,
                "limited_gifts": False,
                "unique_gifts": False,
                "premium_subscription": False,
                "gifts_from_channels": False,
            },
        }
        if "username" in full:
            full["active_usernames"] = [full["username"]]
        if self.kind in ("group", "supergroup"):
            full["permissions"] = permissions_json(self.permissions)
        if self.kind == "supergroup":
            full["has_visible_history"] = True
            if not self.linked:
                full["join_to_send_messages"] = True
        return full | self._details()

    def _details(self) -> Json:
        """Return the fields of getChat that few chats have."""
        pins = [self.messages[number] for number in sorted(self.pins) if number in self.messages]
        links = [each["invite_link"] for each in self.invites.values() if each["is_primary"]]
        details = {
            "slow_mode_delay": self.slow_mode,
            "linked_chat_id": self.linked,
            "description": self.description,
            "pinned_message": pins[-1] if pins else None,
            "invite_link": links[-1] if links else None,
        }
        return {name: value for name, value in details.items() if value}


def user_json(person: Person) -> Json:
    """Return the User of a person, or of one of Telegram's three stand-ins for a chat."""
    if person.id not in STAND_INS:
        return person.json()
    name, username, is_bot = STAND_INS[person.id]
    user: Json = {"id": person.id, "is_bot": is_bot, "first_name": name}
    return user | ({"username": username} if username else {})


def sender_json(chat: Chat, person: Person, channel: Json | None = None) -> Json:
    """Return who a message is from.

    ``channel`` is the Chat that a stand-in for a channel speaks for; without it, some channel.
    """
    if chat.channel:
        return {"sender_chat": chat.json()}
    sender: Json = {"from": user_json(person)}
    some: Json = {"id": FIRST_SUPERGROUP - person.id, "type": "channel", "title": "Channel"}
    if person.id in STAND_INS:
        sender["sender_chat"] = chat.json() if person.id == ANONYMOUS_ADMIN else channel or some
    if person.id == LINKED_CHANNEL:
        sender["is_automatic_forward"] = True
    return sender


STAND_INS = {
    ANONYMOUS_ADMIN: ("Group", "GroupAnonymousBot", True),
    CHANNEL_SENDER: ("Channel", "Channel_Bot", True),
    LINKED_CHANNEL: ("Telegram", "", False),
}
