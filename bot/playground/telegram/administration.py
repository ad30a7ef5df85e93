"""How a bot that is an administrator governs a chat: its members, what they may do, its title.

Errors are those of telegram-bot-api and TDLib (DialogParticipantManager, ChatManager).
"""

import unicodedata
from collections.abc import Callable
from typing import Any

from bot.playground.telegram.chat import Chat, Json
from bot.playground.telegram.member import LONGEST_RANK, PERMISSIONS, RIGHTS, Status
from bot.playground.telegram.parameters import bad, flag, number, open_chat, string
from bot.playground.telegram.room import Room
from bot.playground.telegram.topics import can

LONGEST_TITLE, LONGEST_DESCRIPTION = 128, 255
SHORTEST_BAN, LONGEST_BAN = 30, 366 * 24 * 60 * 60
"""Seconds; whatever is shorter or longer is for ever."""
_RESTRICT = "not enough rights to restrict/unrestrict chat member"
_MESSAGES = PERMISSIONS[:7]
"""What "other messages" and link previews have always implied."""


def ban_chat_member(room: Room, given: Json) -> bool:
    chat, user = _subject(room, given)
    if not chat.bot.has("can_restrict_members"):
        raise bad(_RESTRICT)
    _check_below(chat, user, "can't remove chat owner")
    room.kick(chat.id, user, by=room.bot["id"], until=_until(room, given))
    return True


def unban_chat_member(room: Room, given: Json) -> bool:
    """Lift a ban; remove whoever is in the chat, unless only a ban is to be lifted."""
    chat, user = _subject(room, given)
    if not chat.bot.has("can_restrict_members"):
        raise bad(_RESTRICT)
    is_banned = chat.member(user).status is Status.KICKED
    if is_banned or (chat.member(user).present and not flag(given, "only_if_banned")):
        _check_below(chat, user, "can't remove chat owner")
        room.unban(chat.id, user, by=room.bot["id"])
    return True


def restrict_chat_member(room: Room, given: Json) -> bool:
    chat, user = _subject(room, given)
    if chat.kind != "supergroup":
        raise bad("method is available only for supergroups")
    granted = _permissions(given)
    if not chat.bot.has("can_restrict_members"):
        raise bad(_RESTRICT)
    _check_below(chat, user, "can't restrict chat owner")
    room.restrict(chat.id, user, granted, until=_until(room, given), by=room.bot["id"])
    return True


def promote_chat_member(room: Room, given: Json) -> bool:
    """Make a member an administrator with the given rights; without any, a member again."""
    chat, user = _subject(room, given)
    if not chat.bot.has("can_promote_members"):
        raise bad("not enough rights")
    who = chat.member(user)
    if who.status is Status.CREATOR:
        raise bad("can't demote chat creator")
    if not who.present:
        raise bad("USER_NOT_PARTICIPANT")
    rights = [right for right in RIGHTS[chat.kind] if flag(given, right)]
    if any(not chat.bot.has(right) for right in rights):
        raise bad("RIGHT_FORBIDDEN")
    hidden = flag(given, "is_anonymous") and not chat.channel
    if rights or hidden:
        room.promote(chat.id, user, rights, who.title, by=room.bot["id"], anonymous=hidden)
    elif who.rules:
        room.demote(chat.id, user, by=room.bot["id"])
    return True


def set_chat_administrator_custom_title(room: Room, given: Json) -> bool:
    chat, user = _subject(room, given)
    if chat.kind != "supergroup":
        raise bad("method is available only for supergroups")
    who, title = chat.member(user), string(given, "custom_title")
    if who.status is Status.CREATOR:
        raise bad("only creator can edit their custom title")
    if not who.rules:
        raise bad("user is not an administrator")
    if not chat.bot.has("can_promote_members"):
        raise bad("not enough rights to change custom title of the user")
    if len(title) > LONGEST_RANK:
        raise bad("ADMIN_RANK_INVALID")
    if any(unicodedata.category(character) == "So" for character in title):
        raise bad("ADMIN_RANK_EMOJI_NOT_ALLOWED")
    room.promote(chat.id, user, who.granted, title, by=room.bot["id"])
    return True


def set_chat_permissions(room: Room, given: Json) -> bool:
    chat = _shared(room, given, "can't change private chat permissions")
    granted = _permissions(given)
    if chat.channel:
        raise bad("can't change channel chat permissions")
    if not chat.bot.has("can_restrict_members"):
        raise bad("not enough rights to change chat permissions")
    room.permit(chat.id, granted)
    return True


def set_chat_title(room: Room, given: Json) -> bool:
    chat = _shared(room, given, "can't change private chat title")
    title = string(given, "title")
    if not title:
        raise bad("title must be non-empty")
    if not can(chat, chat.bot, "can_change_info"):
        raise bad("not enough rights to change chat title")
    if title != chat.title:
        chat.title = title[:LONGEST_TITLE]
        room.tell(chat, room.bot["id"], {"new_chat_title": chat.title})
    return True


def set_chat_description(room: Room, given: Json) -> bool:
    chat = _shared(room, given, "can't change private chat description")
    if not can(chat, chat.bot, "can_change_info"):
        raise bad("not enough rights to set chat description")
    description = string(given, "description")[:LONGEST_DESCRIPTION]
    if description == chat.description:
        raise bad("chat description is not modified")
    chat.description = description
    room.touch()
    return True


def _shared(room: Room, given: Json, private: str) -> Chat:
    """Return the chat; ``private`` is why it cannot be a private one."""
    chat = open_chat(room, given)
    if chat.kind == "private":
        raise bad(private)
    return chat


def _subject(room: Room, given: Json) -> tuple[Chat, int]:
    """Return the chat, and who in it is to become something."""
    user = number(given, "user_id")
    if user <= 0:
        raise bad("invalid user_id specified")
    chat = _shared(room, given, "chat member status can't be changed in private chats")
    if user == room.bot["id"]:
        raise bad("can't restrict self")
    if user not in room.people:
        raise bad("user not found")
    return chat, user


def _check_below(chat: Chat, user: int, owner: str) -> None:
    who = chat.member(user)
    if who.status is Status.CREATOR:
        raise bad(owner)
    if who.rules:
        raise bad("user is an administrator of the chat")


def _until(room: Room, given: Json) -> int:
    until = number(given, "until_date")
    return until if SHORTEST_BAN <= until - room.clock() <= LONGEST_BAN else 0


def _permissions(given: Json) -> set[str]:
    """Return what a ChatPermissions allows, with what it implies by default."""
    said = given.get("permissions")
    if said is None or said == "":
        raise bad("permissions must be specified")
    if not isinstance(said, dict):
        raise bad("can't parse permissions: ChatPermissions must be an Object")
    granted = {name for name in PERMISSIONS if flag(said, name)}
    if not flag(given, "use_independent_chat_permissions"):
        if granted & {"can_send_other_messages", "can_add_web_page_previews"}:
            granted |= set(_MESSAGES)
        if granted & {"can_send_polls", *_MESSAGES}:
            granted.add("can_send_messages")
    for name, like in (
        ("can_react_to_messages", "can_send_messages"),
        ("can_edit_tag", "can_pin_messages"),
        ("can_manage_topics", "can_pin_messages"),
    ):
        if name not in said and like in granted:
            granted.add(name)
    return granted


METHODS: dict[str, Callable[[Room, Json], Any]] = {
    "banChatMember": ban_chat_member,
    "unbanChatMember": unban_chat_member,
    "restrictChatMember": restrict_chat_member,
    "promoteChatMember": promote_chat_member,
    "setChatAdministratorCustomTitle": set_chat_administrator_custom_title,
    "setChatPermissions": set_chat_permissions,
    "setChatTitle": set_chat_title,
    "setChatDescription": set_chat_description,
}
