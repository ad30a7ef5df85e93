"""Parameters of Bot API calls: read from any form, checked, and refused in Telegram's words."""

import json
import re
from typing import Any

from bot.playground.chat import Chat, Json, Status
from bot.playground.entities import EntityError, is_blank, is_unicode, sent
from bot.playground.refusal import ApiError
from bot.playground.room import LONGEST_TEXT, Room

LONGEST_RAW_TEXT = 2**15
"""Bytes before parsing."""
LONGEST_DATA = 64
"""Bytes in what an inline button sends back."""
_IN_JSON = frozenset(
    [
        "allowed_updates",
        "caption_entities",
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
        "draft_id",
        "limit",
        "max_connections",
        "message_id",
        "direct_messages_topic_id",
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
        "can_stop",
        "disable_notification",
        "drop_pending_updates",
        "keep_on_stop",
        "protect_content",
    ]
)


def typed(raw: Json) -> Json:
    """Convert parameters that came as text to their JSON types; ApiError if that fails."""
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


def bad(text: str) -> ApiError:
    """Word a TDLib error as the Bot API server does: with a prefix, in lower case."""
    if not text[1:2].isupper() and text[1:2] != "_":
        text = text[:1].lower() + text[1:]
    return ApiError(400, f"Bad Request: {text}")


def number(given: Json, name: str) -> int:
    value = given.get(name)
    return value if isinstance(value, int) else 0


def known_chat(room: Room, given: Json) -> Chat:
    if given.get("chat_id") in (None, ""):
        raise bad("chat_id is empty")
    chat = room.chats.get(number(given, "chat_id"))
    if chat is None:
        raise bad("chat not found")
    return chat


def open_chat(room: Room, given: Json) -> Chat:
    """Return the chat, if the bot may write there."""
    chat = known_chat(room, given)
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


def text_of(given: Json) -> Json:
    """Return text and entities as they will be stored."""
    content = words_of(given, "text", "entities", LONGEST_TEXT)
    if is_blank(content["text"]):
        raise bad("message text is empty")
    return content


def words_of(given: Json, name: str, entities_name: str, longest: int) -> Json:
    """Return a text, which may be empty, and its entities, under the given names."""
    raw = given.get(name) or ""
    if not isinstance(raw, str):
        raise bad("message text is empty")
    if not is_unicode(raw):
        raise bad("strings must be encoded in UTF-8")
    if len(raw.encode()) > LONGEST_RAW_TEXT:
        raise bad("text is too long")
    entities = given.get(entities_name) or []
    if not isinstance(entities, list) or not all(isinstance(e, dict) for e in entities):
        raise bad("can't parse entities JSON object")
    try:
        text, entities = sent(raw, str(given.get("parse_mode") or ""), entities)
    except EntityError as error:
        raise bad(str(error)) from None
    if len(text) > longest:
        raise bad("message caption is too long" if name == "caption" else "message is too long")
    return {name: text, entities_name: entities} if entities else {name: text}


def markup_of(given: Json) -> Json:
    """Return the inline keyboard, if there is one, checked as Telegram does."""
    markup = given.get("reply_markup")
    if not markup:
        return {}
    if not isinstance(markup, dict):
        raise bad("object expected as reply markup")
    for button in (button for row in markup.get("inline_keyboard", []) for button in row):
        if not str(button.get("text") or "").strip():
            raise bad("text buttons are unallowed in the inline keyboard")
        if not 1 <= len(str(button.get("callback_data", "-")).encode()) <= LONGEST_DATA:
            raise bad("BUTTON_DATA_INVALID")
    return {"reply_markup": markup}


def reply_to(chat: Chat, given: Json) -> int | None:
    parameters = given.get("reply_parameters")
    if isinstance(parameters, dict):
        wanted = number(parameters, "message_id")
        lenient = parameters.get("allow_sending_without_reply")
    else:
        wanted = number(given, "reply_to_message_id")
        lenient = given.get("allow_sending_without_reply")
    if not wanted or wanted in chat.messages:
        return wanted or None
    if lenient:
        return None
    raise bad("message to be replied not found")


def thread_of(chat: Chat, given: Json) -> int | None:
    thread = number(given, "message_thread_id")
    if not thread:
        return None
    ordinary = chat.kind == "supergroup" and not chat.forum and thread in chat.messages
    if thread in chat.topics or ordinary:
        return thread
    raise bad("message thread not found")
