"""The Bot API's methods, as the room carries them out.

Names, results and error texts are those of telegram-bot-api (its Client.cpp) and of TDLib.
"""

import json
import re
from collections.abc import Callable
from typing import Any

from bot.playground.chat import Chat, Json, Status, member_json
from bot.playground.drafts import send_message_draft
from bot.playground.files import get_file, send_document
from bot.playground.parameters import (
    bad,
    known_chat,
    markup_of,
    number,
    open_chat,
    reply_to,
    text_of,
    thread_of,
)
from bot.playground.refusal import ApiError
from bot.playground.room import Room
from bot.playground.webhook import CONNECTIONS, MOST_CONNECTIONS, Target

MOST_COMMANDS = 100
DELETABLE = 48 * 60 * 60
"""Seconds within which a bot may delete its own message."""
CALLBACK_SECONDS = 150
"""Seconds within which the press of a button can be answered."""
LONGEST_TOAST = 200
"""Most characters in that answer."""

_COMMAND = re.compile(r"[a-z0-9_]{1,32}")
_ACTIONS = frozenset(
    [
        "typing",
        "upload_photo",
        "record_video",
        "upload_video",
        "record_voice",
        "upload_voice",
        "upload_document",
        "choose_sticker",
        "find_location",
        "record_video_note",
        "upload_video_note",
    ]
)


def get_me(room: Room, _given: Json) -> Json:
    return {
        **room.bot,
        "can_join_groups": True,
        "can_read_all_group_messages": not room.privacy,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }


def send_message(room: Room, given: Json) -> Json:
    chat = open_chat(room, given)
    content = text_of(given) | markup_of(given)
    if given.get("link_preview_options"):
        content["link_preview_options"] = given["link_preview_options"]
    return room.post(chat, content, reply_to=reply_to(chat, given), topic=thread_of(chat, given))


def edit_message_text(room: Room, given: Json) -> Json:
    chat = open_chat(room, given)
    message_id = number(given, "message_id")
    if not message_id:
        raise bad("message identifier is not specified")
    old = chat.messages.get(message_id)
    if old is None:
        raise bad("message to edit not found")
    if old["from"]["id"] != room.bot["id"] or "text" not in old:
        raise bad("message can't be edited")
    return _change(room, chat, old, text_of(given) | markup_of(given), "text", "entities")


def edit_message_reply_markup(room: Room, given: Json) -> Json:
    chat = open_chat(room, given)
    old = chat.messages.get(number(given, "message_id"))
    if old is None:
        raise bad("message to edit not found")
    if old["from"]["id"] != room.bot["id"]:
        raise bad("message can't be edited")
    return _change(room, chat, old, markup_of(given))


def _change(room: Room, chat: Chat, old: Json, content: Json, *names: str) -> Json:
    """Change a message's fields ``names`` and its inline keyboard."""
    changing = (*names, "reply_markup")
    if all(old.get(name) == content.get(name) for name in changing):
        raise bad(
            "message is not modified: specified new message content and reply markup are exactly"
            " the same as a current content and reply markup of the message"
        )
    kept = {name: value for name, value in old.items() if name not in changing}
    message = {**kept, **content, "edit_date": int(room.clock())}
    room.keep(chat, message)
    return message


def delete_message(room: Room, given: Json) -> bool:
    chat = open_chat(room, given)
    message = chat.messages.get(number(given, "message_id"))
    if message is None:
        raise bad("message to delete not found")
    own = message["from"]["id"] == room.bot["id"]
    young = room.clock() - message["date"] < DELETABLE
    if not (chat.bot.rules or (young and (own or chat.kind == "private"))):
        raise bad("message can't be deleted")
    room.delete(chat, message["message_id"])
    return True


def send_chat_action(room: Room, given: Json) -> bool:
    chat = open_chat(room, given)
    if str(given.get("action")) not in _ACTIONS:
        raise bad("wrong parameter action in request")
    thread_of(chat, given)
    if given["action"] == "typing":
        chat.typing = room.clock()
        room.touch()
    return True


def _commands_key(given: Json) -> str:
    scope = given.get("scope") or {"type": "default"}
    return json.dumps([scope, given.get("language_code") or ""], sort_keys=True)


def set_my_commands(room: Room, given: Json) -> bool:
    commands = given.get("commands")
    if not isinstance(commands, list) or not all(isinstance(c, dict) for c in commands):
        raise bad("can't parse commands JSON object")
    if len(commands) > MOST_COMMANDS:
        raise bad("BOT_COMMANDS_TOO_MUCH")
    for command in commands:
        name = str(command.get("command", "")).removeprefix("/")
        if not _COMMAND.fullmatch(name):
            raise bad("BOT_COMMAND_INVALID")
        if not 1 <= len(str(command.get("description", ""))) <= 256:
            raise bad("BOT_COMMAND_DESCRIPTION_INVALID")
    room.commands[_commands_key(given)] = commands
    return True


def get_my_commands(room: Room, given: Json) -> list[Json]:
    return room.commands.get(_commands_key(given), [])


def delete_my_commands(room: Room, given: Json) -> bool:
    room.commands.pop(_commands_key(given), None)
    return True


def get_chat(room: Room, given: Json) -> Json:
    chat = known_chat(room, given)
    return (chat if chat.kind == "private" else open_chat(room, given)).full_json()


def get_chat_member(room: Room, given: Json) -> Json:
    chat = open_chat(room, given)
    user = number(given, "user_id")
    if user == room.bot["id"]:
        return member_json(room.bot, chat.bot)
    if user not in room.people:
        raise bad("invalid user_id specified" if user <= 0 else "user not found")
    return member_json(room.people[user].json(), chat.members.get(user, Status.LEFT))


def get_chat_administrators(room: Room, given: Json) -> list[Json]:
    chat = open_chat(room, given)
    if chat.kind == "private":
        raise bad("there are no administrators in the private chat")
    admins = [
        member_json(room.people[user].json(), status)
        for user, status in chat.members.items()
        if status.rules
    ]
    return admins + ([member_json(room.bot, chat.bot)] if chat.bot.rules else [])


def answer_callback_query(room: Room, given: Json) -> bool:
    query = str(given.get("callback_query_id"))
    chat, asked_at = room.callbacks.pop(query, (0, float("-inf")))
    if room.clock() - asked_at > CALLBACK_SECONDS:
        raise bad("query is too old and response timeout expired or query ID is invalid")
    if len(str(given.get("text") or "")) > LONGEST_TOAST:
        raise bad("MESSAGE_TOO_LONG")
    if given.get("text"):
        room.chats[chat].toast = str(given["text"]), room.clock()
        room.touch()
    return True


def set_webhook(room: Room, given: Json) -> bool:
    url = str(given.get("url") or "")
    if not url:
        return delete_webhook(room, given)
    wanted = number(given, "max_connections") or CONNECTIONS
    connections = min(max(wanted, 1), MOST_CONNECTIONS)
    try:
        target = Target(url, str(given.get("secret_token") or ""), connections)
    except ValueError as error:
        raise ApiError(400, f"Bad Request: {error}") from None
    if isinstance(given.get("allowed_updates"), list):
        room.updates.allow(given["allowed_updates"])
    room.updates.end_poll("terminated by setWebhook request")
    return _point(room, target, given)


def delete_webhook(room: Room, given: Json) -> bool:
    return _point(room, None, given)


def _point(room: Room, target: Target | None, given: Json) -> bool:
    if given.get("drop_pending_updates"):
        room.updates.clear()
        room.webhook.point(None)  # it has some of them in hand
    room.webhook.point(target)
    return True


def get_webhook_info(room: Room, _given: Json) -> Json:
    target, failure = room.webhook.target, room.webhook.failure
    info: Json = {
        "url": target.url if target else "",
        "has_custom_certificate": False,
        "pending_update_count": len(room.updates),
    }
    if failure:
        info |= {"last_error_date": failure.date, "last_error_message": failure.message}
    if target:
        info["max_connections"] = target.connections
    if room.updates.allowed is not None:
        info["allowed_updates"] = room.updates.allowed
    return info


METHODS: dict[str, Callable[[Room, Json], Any]] = {
    "getMe": get_me,
    "sendMessage": send_message,
    "sendDocument": send_document,
    "sendMessageDraft": send_message_draft,
    "getFile": get_file,
    "editMessageText": edit_message_text,
    "editMessageReplyMarkup": edit_message_reply_markup,
    "deleteMessage": delete_message,
    "sendChatAction": send_chat_action,
    "setMyCommands": set_my_commands,
    "getMyCommands": get_my_commands,
    "deleteMyCommands": delete_my_commands,
    "getChat": get_chat,
    "getChatMember": get_chat_member,
    "getChatAdministrators": get_chat_administrators,
    "answerCallbackQuery": answer_callback_query,
    "setWebhook": set_webhook,
    "deleteWebhook": delete_webhook,
    "getWebhookInfo": get_webhook_info,
}
"""All but getUpdates, the only one that waits."""
