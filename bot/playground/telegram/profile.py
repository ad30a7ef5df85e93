"""The bot's own profile: its name, descriptions, menu button, default rights; and its end here.

Source: core.telegram.org/bots/api; errors are TDLib's (BotInfoManager, BotMenuButton) and, in
capitals, the server's own.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

from bot.playground.telegram.chat import Json
from bot.playground.telegram.commands import language_of
from bot.playground.telegram.keyboards import is_https
from bot.playground.telegram.member import RIGHTS
from bot.playground.telegram.parameters import bad, flag, number, string
from bot.playground.telegram.refusal import ApiError
from bot.playground.telegram.room import Room

LONGEST = {"name": 64, "description": 512, "short_description": 120}
UNSTARTED_SECONDS = 10 * 60
"""After its start, a bot cannot be closed for so long; after logOut, it cannot come back."""


def get_me(room: Room, _given: Json) -> Json:
    return {
        **room.bot,
        "can_join_groups": True,
        "can_read_all_group_messages": not room.privacy,
        "supports_inline_queries": True,
        "can_connect_to_business": False,
        "has_main_web_app": False,
        "has_topics_enabled": False,
        "allows_users_to_create_topics": False,
        "can_manage_bots": False,
    }


def log_out(room: Room, _given: Json) -> bool:
    """Log out of this server: as with Telegram's own, the bot cannot be back at once."""
    room.logged_out_until = room.clock() + UNSTARTED_SECONDS
    room.webhook.point(None)
    room.updates.end_poll("terminated by logOut request")
    return True


def close(room: Room, _given: Json) -> bool:
    if (wait := math.ceil(room.started + UNSTARTED_SECONDS - room.clock())) > 0:
        raise ApiError(429, f"Too Many Requests: retry after {wait}", retry_after=wait)
    room.updates.end_poll("terminated by close request")
    return True


def get_user_profile_photos(room: Room, given: Json) -> Json:
    return _none_of(room, given, "photos")


def get_user_profile_audios(room: Room, given: Json) -> Json:
    return _none_of(room, given, "audios")


def set_chat_menu_button(room: Room, given: Json) -> bool:
    chat, button = _private(room, given), _button(given.get("menu_button"))
    if button == {"type": "default"}:
        room.menu_buttons.pop(chat, None)
    else:
        room.menu_buttons[chat] = button
    return True


def get_chat_menu_button(room: Room, given: Json) -> Json:
    """Return a person's button, or else everybody's."""
    found = room.menu_buttons.get(_private(room, given)) or room.menu_buttons.get(0)
    return found or {"type": "default"}


def set_my_default_administrator_rights(room: Room, given: Json) -> bool:
    said = given.get("rights") or {}
    if not isinstance(said, dict):
        raise bad(
            "can't parse chat administrator rights: ChatAdministratorRights must be an Object"
        )
    room.default_rights[flag(given, "for_channels")] = {name for name in said if flag(said, name)}
    return True


def get_my_default_administrator_rights(room: Room, given: Json) -> Json:
    granted = room.default_rights.get(flag(given, "for_channels"), set())
    possible = RIGHTS["channel" if flag(given, "for_channels") else "supergroup"]
    return {name: name in granted for name in ("is_anonymous", *possible)}


def _set(what: str, room: Room, given: Json) -> bool:
    language, text = language_of(given), string(given, what)
    if len(text) > LONGEST[what]:
        raise bad(f"bot {what.replace('_', ' ')} is too long")
    if text:
        room.profile[what, language] = text
    else:
        room.profile.pop((what, language), None)
    return True


def _get(what: str, room: Room, given: Json) -> Json:
    """Return the text in that language, or else that of all languages."""
    general = room.bot["first_name"] if what == "name" else room.profile.get((what, ""), "")
    return {what: room.profile.get((what, language_of(given)), general)}


def _none_of(room: Room, given: Json, what: str) -> Json:
    user = number(given, "user_id")
    if user <= 0:
        raise bad("invalid user_id specified")
    if user not in {*room.people, room.bot["id"]}:
        raise bad("user not found")
    return {"total_count": 0, what: []}


def _private(room: Room, given: Json) -> int:
    """Return the person in question, 0 for everybody."""
    if given.get("chat_id") in (None, ""):
        return 0
    if (chat := number(given, "chat_id")) <= 0 or chat not in room.people:
        raise bad("chat not found")
    return chat


def _button(button: Any) -> Json:
    if button is None or button == "":
        return {"type": "default"}
    if not isinstance(button, dict):
        raise _unread("MenuButton must be an Object")
    kind = button.get("type")
    if kind in ("default", "commands"):
        return {"type": kind}
    if kind != "web_app":
        raise _unread("MenuButton has unsupported type")
    app = button.get("web_app")
    url = string(app, "url") if isinstance(app, dict) else ""
    if not string(button, "text") or not url:
        raise _unread("Menu button text and URL must be non-empty")
    if not is_https(url):
        raise bad(f"menu button Web App URL '{url}' is invalid: Only HTTPS links are allowed")
    return {"type": kind, "text": string(button, "text"), "web_app": {"url": url}}


def _unread(why: str) -> ApiError:
    return bad(f"can't parse menu button: {why}")


METHODS: dict[str, Callable[[Room, Json], Any]] = {
    "getMe": get_me,
    "logOut": log_out,
    "close": close,
    "setMyName": partial(_set, "name"),
    "getMyName": partial(_get, "name"),
    "setMyDescription": partial(_set, "description"),
    "getMyDescription": partial(_get, "description"),
    "setMyShortDescription": partial(_set, "short_description"),
    "getMyShortDescription": partial(_get, "short_description"),
    "setChatMenuButton": set_chat_menu_button,
    "getChatMenuButton": get_chat_menu_button,
    "setMyDefaultAdministratorRights": set_my_default_administrator_rights,
    "getMyDefaultAdministratorRights": get_my_default_administrator_rights,
    "getUserProfilePhotos": get_user_profile_photos,
    "getUserProfileAudios": get_user_profile_audios,
}
