"""The bot's menus of commands: kept by scope and language, and which of them a person sees.

Sources: core.telegram.org/bots/api#botcommandscope, telegram-bot-api's get_bot_command_scope,
TDLib's BotCommandScope.cpp and BotCommand.cpp.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.playground.telegram.chat import Chat, Json
from bot.playground.telegram.fields import text, whole_number
from bot.playground.telegram.parameters import bad, known_chat, open_chat
from bot.playground.telegram.refusal import ApiError
from bot.playground.telegram.room import Room

MOST_COMMANDS = 100
LONGEST_COMMAND, LONGEST_DESCRIPTION = 32, 256

_EVERYWHERE = ("default", "all_private_chats", "all_group_chats", "all_chat_administrators")
_SOMEWHERE = ("chat", "chat_administrators", "chat_member")


@dataclass(frozen=True, slots=True)
class _Scope:
    """A BotCommandScope, with the ids that it does not have as 0."""

    type: str
    chat: int = 0
    user: int = 0


def set_my_commands(room: Room, given: Json) -> bool:
    kept_for = _scope(room, given), language_of(given)
    commands = given.get("commands")
    if not isinstance(commands, list) or not all(isinstance(each, dict) for each in commands):
        raise bad("can't parse commands JSON object")
    made = [_command(each) for each in commands]
    if len(made) > MOST_COMMANDS:
        raise bad("BOT_COMMANDS_TOO_MUCH")
    room.commands[kept_for] = made
    return True


def get_my_commands(room: Room, given: Json) -> list[Json]:
    return room.commands.get((_scope(room, given), language_of(given)), [])


def delete_my_commands(room: Room, given: Json) -> bool:
    room.commands.pop((_scope(room, given), language_of(given)), None)
    return True


def menu(room: Room, chat: int, user: int) -> list[Json]:
    """Return the commands that somebody sees in a chat, in the language of their Telegram.

    They see those of a private chat before they have written there.
    """
    place = room.chats.get(chat) or (Chat(chat) if chat == user else None)
    if place is None or user not in room.people:
        raise ValueError("no such chat, or no such person")
    language = room.people[user].language or ""
    for scope in _scopes(place, user):
        for code in dict.fromkeys((language[:2], "")):
            if found := room.commands.get((scope, code)):
                return found
    return []


def _scopes(chat: Chat, user: int) -> Iterator[_Scope]:
    """Yield the scopes whose commands somebody sees in a chat, the narrowest first."""
    rules = chat.member(user).rules
    if chat.kind == "private":
        yield from (_Scope("chat", chat.id), _Scope("all_private_chats"))
    else:
        yield _Scope("chat_member", chat.id, user)
        if rules:
            yield _Scope("chat_administrators", chat.id)
        yield _Scope("chat", chat.id)
        if rules:
            yield _Scope("all_chat_administrators")
        yield _Scope("all_group_chats")
    yield _Scope("default")


def _scope(room: Room, given: Json) -> _Scope:
    asked = given.get("scope")
    if asked is None:
        return _Scope("default")
    if not isinstance(asked, dict):
        raise _unread("BotCommandScope must be an Object")
    if "type" not in asked:
        raise _unread('Can\'t find field "type"')
    if asked["type"] in _EVERYWHERE:
        return _Scope(asked["type"])
    if asked["type"] not in _SOMEWHERE:
        raise _unread("Unsupported type specified")
    chat, user = _chat(room, asked), 0
    if asked["type"] == "chat_member":
        user = _number(asked, "user_id")
        if user <= 0:
            raise _unread("Invalid user_id specified")
    return _somewhere(room, asked["type"], chat, user)


def _somewhere(room: Room, kind: str, chat: int, user: int) -> _Scope:
    place = room.chats.get(chat)
    if place is None:
        raise bad("chat not found")
    if place.kind == "private" and kind != "chat":
        raise bad("can't use specified scope in private chats")
    if place.kind == "channel":
        raise bad("can't change commands in channel chats")
    if place.kind != "private":
        open_chat(room, {"chat_id": chat})
    if user and user not in room.people:
        raise bad("user not found")
    return _Scope(kind, chat, user)


def _chat(room: Room, asked: Json) -> int:
    """Return a chat's id, which may be given as the @username of a public group."""
    if str(asked.get("chat_id")).startswith("@"):
        return known_chat(room, asked).id
    return _number(asked, "chat_id")


def _number(asked: Json, name: str) -> int:
    try:
        return whole_number(asked, name, 64)
    except ValueError as error:
        raise _unread(str(error)) from None


def _unread(why: str) -> ApiError:
    return bad(f"can't parse BotCommandScope: {why}")


def language_of(given: Json) -> str:
    """Return the language that something is for, empty for all."""
    code = given.get("language_code") or ""
    if not isinstance(code, str) or not re.fullmatch(r"|[a-z]{2}", code):
        raise bad("invalid language code specified")
    return code


def _command(given: Json) -> Json:
    name = _words(given, "command").removeprefix("/")
    description = _words(given, "description")
    for what, words, longest in (
        ("command", name, LONGEST_COMMAND),
        ("command description", description, LONGEST_DESCRIPTION),
    ):
        if not words:
            raise bad(f"{what} must be non-empty")
        if len(words) > longest:
            raise bad(f"{what} length must not exceed {longest}")
    if not re.fullmatch(r"[a-z0-9_]+", name):
        raise bad("BOT_COMMAND_INVALID")
    return {"command": name, "description": description}


def _words(given: Json, name: str) -> str:
    try:
        return text(given, name).strip()
    except ValueError as error:
        raise bad(f"can't parse BotCommand: {error}") from None
