"""The Bot API's methods, as the room carries them out.

Names, results and error texts are those of telegram-bot-api (its Client.cpp) and of TDLib.
"""

import json
import re
from collections.abc import Callable
from typing import Any

from bot.playground.chat import Chat, Json, Status, member_json
from bot.playground.entities import EntityError, is_blank, is_unicode, sent
from bot.playground.room import LONGEST_TEXT, Room
from bot.playground.webhook import CONNECTIONS, MOST_CONNECTIONS, Target

LONGEST_RAW_TEXT = 2**15
"""Bytes before parsing."""
MOST_COMMANDS = 100
DELETABLE = 48 * 60 * 60
"""Seconds for which a bot may delete its own message."""

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
_IN_JSON = frozenset(
    [
        "allowed_updates",
        "commands",
        "entities",
        "link_preview_options",
        "reply_markup",
        "reply_parameters",
        "scope",
    ]
)
_NUMBERS = frozenset(
    [
        "chat_id",
        "limit",
        "max_connections",
        "message_id",
        "message_thread_id",
        "offset",
        "reply_to_message_id",
        "timeout",
        "user_id",
    ]
)
_FLAGS = frozenset(
    [
        "allow_sending_without_reply",
        "disable_notification",
        "drop_pending_updates",
        "protect_content",
    ]
)


class ApiError(Exception):
    """A method's refusal: HTTP status, description, and ``parameters`` for the client."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters

    def error(self) -> Json:
        error: Json = {"error_code": self.code, "description": self.description}
        return error | ({"parameters": self.parameters} if self.parameters else {})


def typed(raw: Json) -> Json:
    """Give parameters that came as text the types they have in JSON; ApiError when they cannot."""
    return {name: _typed(name, value) for name, value in raw.items()}


def _typed(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if name in _IN_JSON:
        try:
            return json.loads(value) if value else None
        except ValueError:
            raise ApiError(400, f"Bad Request: can't parse {name} JSON object") from None
    if name in _NUMBERS:
        return int(value) if re.fullmatch(r"\s*-?\d{1,19}\s*", value) else value
    return value.lower() in ("true", "yes", "1") if name in _FLAGS else value


def _bad(text: str) -> ApiError:
    """Word a TDLib error as the Bot API server does: a prefix, and a small first letter."""
    if not text[1:2].isupper() and text[1:2] != "_":
        text = text[:1].lower() + text[1:]
    return ApiError(400, f"Bad Request: {text}")


def _number(given: Json, name: str) -> int:
    value = given.get(name)
    return value if isinstance(value, int) else 0


def _known_chat(room: Room, given: Json) -> Chat:
    if given.get("chat_id") in (None, ""):
        raise _bad("chat_id is empty")
    chat = room.chats.get(_number(given, "chat_id"))
    if chat is None:
        raise _bad("chat not found")
    return chat


def _open_chat(room: Room, given: Json) -> Chat:
    """Return the chat, if the bot may write there."""
    chat = _known_chat(room, given)
    if chat.successor is not None:
        text = "Bad Request: group chat was upgraded to a supergroup chat"
        raise ApiError(400, text, migrate_to_chat_id=chat.successor)
    if not chat.bot.present:
        if chat.kind == "private":
            raise ApiError(403, "Forbidden: bot was blocked by the user")
        if chat.bot is Status.KICKED:
            raise ApiError(403, f"Forbidden: bot was kicked from the {chat.kind} chat")
        raise ApiError(403, f"Forbidden: bot is not a member of the {chat.kind} chat")
    return chat


def _text(given: Json) -> Json:
    """Return text and entities as they will be stored."""
    raw = given.get("text", "")
    if not isinstance(raw, str) or is_blank(raw):
        raise _bad("message text is empty")
    if not is_unicode(raw):
        raise _bad("strings must be encoded in UTF-8")
    if len(raw.encode()) > LONGEST_RAW_TEXT:
        raise _bad("text is too long")
    entities = given.get("entities") or []
    if not isinstance(entities, list) or not all(isinstance(e, dict) for e in entities):
        raise _bad("can't parse entities JSON object")
    try:
        text, entities = sent(raw, str(given.get("parse_mode") or ""), entities)
    except EntityError as error:
        raise _bad(str(error)) from None
    if is_blank(text):
        raise _bad("message text is empty")
    if len(text) > LONGEST_TEXT:
        raise _bad("message is too long")
    return {"text": text, "entities": entities} if entities else {"text": text}


def _reply_to(chat: Chat, given: Json) -> int | None:
    parameters = given.get("reply_parameters")
    if isinstance(parameters, dict):
        wanted = _number(parameters, "message_id")
        lenient = parameters.get("allow_sending_without_reply")
    else:
        wanted = _number(given, "reply_to_message_id")
        lenient = given.get("allow_sending_without_reply")
    if not wanted or wanted in chat.messages:
        return wanted or None
    if lenient:
        return None
    raise _bad("message to be replied not found")


def _thread(chat: Chat, given: Json) -> int | None:
    thread = _number(given, "message_thread_id")
    if not thread:
        return None
    ordinary = chat.kind == "supergroup" and not chat.forum and thread in chat.messages
    if thread in chat.topics or ordinary:
        return thread
    raise _bad("message thread not found")


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
    chat = _open_chat(room, given)
    content = _text(given)
    for name in ("link_preview_options", "reply_markup"):
        if given.get(name):
            content[name] = given[name]
    return room.post(chat, content, reply_to=_reply_to(chat, given), topic=_thread(chat, given))


def edit_message_text(room: Room, given: Json) -> Json:
    chat = _open_chat(room, given)
    message_id = _number(given, "message_id")
    if not message_id:
        raise _bad("message identifier is not specified")
    old = chat.messages.get(message_id)
    if old is None:
        raise _bad("message to edit not found")
    if old["from"]["id"] != room.bot["id"] or "text" not in old:
        raise _bad("message can't be edited")
    content = _text(given)
    if given.get("reply_markup"):
        content["reply_markup"] = given["reply_markup"]
    changing = ("text", "entities", "reply_markup")
    if all(old.get(name) == content.get(name) for name in changing):
        raise _bad(
            "message is not modified: specified new message content and reply markup are exactly"
            " the same as a current content and reply markup of the message"
        )
    kept = {name: value for name, value in old.items() if name not in changing}
    message = {**kept, **content, "edit_date": int(room.clock())}
    room.keep(chat, message)
    return message


def delete_message(room: Room, given: Json) -> bool:
    chat = _open_chat(room, given)
    message = chat.messages.get(_number(given, "message_id"))
    if message is None:
        raise _bad("message to delete not found")
    own = message["from"]["id"] == room.bot["id"]
    young = room.clock() - message["date"] < DELETABLE
    if not (chat.bot.rules or (young and (own or chat.kind == "private"))):
        raise _bad("message can't be deleted")
    del chat.messages[message["message_id"]]
    room.touch()
    return True


def send_chat_action(room: Room, given: Json) -> bool:
    chat = _open_chat(room, given)
    if str(given.get("action")) not in _ACTIONS:
        raise _bad("wrong parameter action in request")
    _thread(chat, given)
    return True


def _commands_key(given: Json) -> str:
    scope = given.get("scope") or {"type": "default"}
    return json.dumps([scope, given.get("language_code") or ""], sort_keys=True)


def set_my_commands(room: Room, given: Json) -> bool:
    commands = given.get("commands")
    if not isinstance(commands, list) or not all(isinstance(c, dict) for c in commands):
        raise _bad("can't parse commands JSON object")
    if len(commands) > MOST_COMMANDS:
        raise _bad("BOT_COMMANDS_TOO_MUCH")
    for command in commands:
        name = str(command.get("command", "")).removeprefix("/")
        if not _COMMAND.fullmatch(name):
            raise _bad("BOT_COMMAND_INVALID")
        if not 1 <= len(str(command.get("description", ""))) <= 256:
            raise _bad("BOT_COMMAND_DESCRIPTION_INVALID")
    room.commands[_commands_key(given)] = commands
    return True


def get_my_commands(room: Room, given: Json) -> list[Json]:
    return room.commands.get(_commands_key(given), [])


def delete_my_commands(room: Room, given: Json) -> bool:
    room.commands.pop(_commands_key(given), None)
    return True


def get_chat(room: Room, given: Json) -> Json:
    chat = _known_chat(room, given)
    return (chat if chat.kind == "private" else _open_chat(room, given)).full_json()


def get_chat_member(room: Room, given: Json) -> Json:
    chat = _open_chat(room, given)
    user = _number(given, "user_id")
    if user == room.bot["id"]:
        return member_json(room.bot, chat.bot)
    if user not in room.people:
        raise _bad("invalid user_id specified" if user <= 0 else "user not found")
    return member_json(room.people[user].json(), chat.members.get(user, Status.LEFT))


def get_chat_administrators(room: Room, given: Json) -> list[Json]:
    chat = _open_chat(room, given)
    if chat.kind == "private":
        raise _bad("there are no administrators in the private chat")
    admins = [
        member_json(room.people[user].json(), status)
        for user, status in chat.members.items()
        if status.rules
    ]
    return admins + ([member_json(room.bot, chat.bot)] if chat.bot.rules else [])


def answer_callback_query(room: Room, given: Json) -> bool:
    if str(given.get("callback_query_id")) not in room.callbacks:
        raise _bad("query is too old and response timeout expired or query ID is invalid")
    room.callbacks.remove(str(given["callback_query_id"]))
    return True


def set_webhook(room: Room, given: Json) -> bool:
    url = str(given.get("url") or "")
    if not url:
        return delete_webhook(room, given)
    wanted = _number(given, "max_connections") or CONNECTIONS
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
    "editMessageText": edit_message_text,
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
"""All but getUpdates, the one that waits."""
