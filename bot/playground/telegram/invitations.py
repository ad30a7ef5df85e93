"""Invite links that a bot makes for a chat, as far as it sees them: nobody joins by one here.

Source: core.telegram.org/bots/api#chatinvitelink; errors are TDLib's (DialogInviteLinkManager).
"""

import secrets
from collections.abc import Callable
from typing import Any

from bot.playground.telegram.chat import Chat, Json
from bot.playground.telegram.parameters import bad, flag, number, open_chat, string
from bot.playground.telegram.room import Room
from bot.playground.telegram.topics import can

LONGEST_NAME, MOST_MEMBERS = 32, 99_999


def export_chat_invite_link(room: Room, given: Json) -> str:
    """Make the bot's primary link; the one before is revoked."""
    chat = _chat(room, given)
    for address, link in chat.invites.items():
        if link["is_primary"]:
            chat.invites[address] = {**link, "is_primary": False, "is_revoked": True}
    made: str = _made(room, chat, {"is_primary": True})["invite_link"]
    return made


def create_chat_invite_link(room: Room, given: Json) -> Json:
    chat = _chat(room, given)
    return _made(room, chat, _details(given))


def edit_chat_invite_link(room: Room, given: Json) -> Json:
    chat = _chat(room, given)
    old = _known(chat, given)
    kept = {name: old[name] for name in ("invite_link", "creator", "is_primary", "is_revoked")}
    return _kept(room, chat, {**kept, "creates_join_request": False, **_details(given)})


def revoke_chat_invite_link(room: Room, given: Json) -> Json:
    """Revoke a link; in place of a primary one there is a new one at once."""
    chat = _chat(room, given)
    old = _known(chat, given)
    if old["is_primary"]:
        _made(room, chat, {"is_primary": True})
    return _kept(room, chat, {**old, "is_primary": False, "is_revoked": True})


def _chat(room: Room, given: Json) -> Chat:
    chat = open_chat(room, given)
    if chat.kind == "private":
        raise bad("can't invite members to a private chat")
    if not chat.bot.rules or not can(chat, chat.bot, "can_invite_users"):
        raise bad("not enough rights to manage chat invite link")
    return chat


def _known(chat: Chat, given: Json) -> Json:
    link = chat.invites.get(string(given, "invite_link"))
    if link is None:
        raise bad("INVITE_HASH_EXPIRED")
    return link


def _details(given: Json) -> Json:
    limit, approved = number(given, "member_limit"), flag(given, "creates_join_request")
    if limit and approved:
        raise bad("member limit can't be specified for links requiring administrator approval")
    if not 0 <= limit <= MOST_MEMBERS:
        raise bad("invalid member limit specified")
    said = {
        "name": string(given, "name")[:LONGEST_NAME],
        "expire_date": max(number(given, "expire_date"), 0),
        "member_limit": limit,
        "creates_join_request": approved,
    }
    return {name: value for name, value in said.items() if value}


def _made(room: Room, chat: Chat, more: Json) -> Json:
    link = {
        "invite_link": f"https://t.me/+{secrets.token_urlsafe(12)}",
        "creator": room.bot,
        "creates_join_request": False,
        "is_primary": False,
        "is_revoked": False,
    }
    return _kept(room, chat, link | more)


def _kept(room: Room, chat: Chat, link: Json) -> Json:
    chat.invites[link["invite_link"]] = link
    room.touch()
    return link


METHODS: dict[str, Callable[[Room, Json], Any]] = {
    "exportChatInviteLink": export_chat_invite_link,
    "createChatInviteLink": create_chat_invite_link,
    "editChatInviteLink": edit_chat_invite_link,
    "revokeChatInviteLink": revoke_chat_invite_link,
}
