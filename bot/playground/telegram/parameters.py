"""Parameters of Bot API calls: read from any form, checked, and refused in Telegram's words."""

import json
import re
from typing import Any

from bot.playground.telegram.chat import Chat, Json
from bot.playground.telegram.entities import is_blank, is_unicode, sent
from bot.playground.telegram.entity import EntityError
from bot.playground.telegram.keyboards import KeyboardError, read
from bot.playground.telegram.member import Status
from bot.playground.telegram.refusal import ApiError
from bot.playground.telegram.room import Room
from bot.playground.telegram.writing import LONGEST_TEXT

LONGEST_RAW_TEXT = 2**15
"""Bytes before parsing."""
DEEPEST = 100
"""Levels of arrays and objects in JSON; as in TDLib's JsonBuilder."""
MOST_MESSAGES = 100
"""In one call."""
_IN_JSON = frozenset(
    [
        "allowed_updates",
        "button",
        "caption_entities",
        "commands",
        "entities",
        "link_preview_options",
        "media",
        "message_ids",
        "options",
        "question_entities",
        "explanation_entities",
        "correct_option_ids",
        "menu_button",
        "permissions",
        "reaction",
        "reply_markup",
        "reply_parameters",
        "results",
        "rights",
        "scope",
    ]
)
_NUMBERS = frozenset(
    [
        "chat_id",
        "draft_id",
        "close_date",
        "correct_option_id",
        "duration",
        "from_chat_id",
        "heading",
        "height",
        "length",
        "limit",
        "live_period",
        "max_connections",
        "message_id",
        "direct_messages_topic_id",
        "message_thread_id",
        "offset",
        "open_period",
        "proximity_alert_radius",
        "reply_to_message_id",
        "timeout",
        "user_id",
        "width",
    ]
)
_PREVIEW = ("is_disabled", "prefer_small_media", "prefer_large_media", "show_above_text")
_NUMBER = re.compile(r"\s*-?[0-9]{1,19}\s*")
_TRUE = ("true", "yes", "1")
_FLAGS = frozenset(
    [
        "allow_sending_without_reply",
        "can_stop",
        "disable_notification",
        "drop_pending_updates",
        "allows_multiple_answers",
        "allows_revoting",
        "has_spoiler",
        "is_anonymous",
        "is_closed",
        "members_only",
        "remove_caption",
        "keep_on_stop",
        "protect_content",
        "show_caption_above_media",
    ]
)


def parsed(text: str | bytes) -> Any:
    """Parse JSON as Telegram does: without NaN, no deeper than `DEEPEST`. Else ValueError."""
    try:
        value = json.loads(text, parse_constant=_refused)
        _fathom(value, DEEPEST)
    except RecursionError:
        raise ValueError("nested too deep") from None
    return value


def _refused(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _fathom(value: Any, left: int) -> None:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if inner and not left:
        raise ValueError("nested too deep")
    for each in inner:
        _fathom(each, left - 1)


def typed(raw: Json) -> Json:
    """Convert parameters that came as text to their JSON types; ApiError if that fails."""
    made = {name: _typed(name, value) for name, value in raw.items()}
    try:
        json.dumps(made, ensure_ascii=False, default=lambda _: None).encode()
    except UnicodeEncodeError:  # half a surrogate pair, which JSON can escape
        raise bad("strings must be encoded in UTF-8") from None
    return made


def _typed(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if name in _IN_JSON:
        try:
            return parsed(value) if value else None
        except ValueError:
            if name == "allowed_updates":  # as if it were not there
                return None
            raise ApiError(400, f"Bad Request: can't parse {name} JSON object") from None
    if name in _NUMBERS:
        return int(value) if _NUMBER.fullmatch(value) else value
    return value.strip().lower() in _TRUE if name in _FLAGS else value


def bad(text: str) -> ApiError:
    """Word a TDLib error as the Bot API server does: with a prefix, in lower case."""
    if not text[1:2].isupper() and text[1:2] != "_":
        text = text[:1].lower() + text[1:]
    return ApiError(400, f"Bad Request: {text}")


def number(given: Json, name: str) -> int:
    """Return a whole number, 0 if there is none; as a string, too, as Telegram takes them."""
    value = given.get(name)
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return int(value)
    return value if type(value) is int else 0


def string(given: Json, name: str) -> str:
    """Return a text without blanks around it, empty if it is not there."""
    value = given.get(name)
    if not isinstance(value, str | int | float):
        value = ""
    if not is_unicode(text := str(value)):
        raise bad("strings must be encoded in UTF-8")
    return text.strip()


def flag(given: Json, name: str) -> bool:
    value = given.get(name)
    return value.strip().lower() in _TRUE if isinstance(value, str) else value in (True, 1)


def ids_of(given: Json) -> list[int]:
    """Return the messages that a call is about: ``message_ids``."""
    found = given.get("message_ids")
    if found is None or found in ("", []):
        raise bad("message identifiers are not specified")
    if not isinstance(found, list):
        raise bad("expected an Array of message identifiers")
    if len(found) > MOST_MESSAGES:
        raise bad("too many message identifiers specified")
    return [_message_id(each) for each in found]


def _message_id(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise bad("message identifier must be a Number")
    if not re.fullmatch(r"-?\d{1,9}", str(value)):
        raise bad("can't parse message identifier as Number")
    if int(value) <= 0:
        raise bad("invalid message identifier specified")
    return int(value)


def known_chat(room: Room, given: Json) -> Chat:
    if given.get("chat_id") in (None, ""):
        raise bad("chat_id is empty")
    chat = room.chats.get(_chat_id(room, given))
    if chat is None:
        raise bad("chat not found")
    return chat


def _chat_id(room: Room, given: Json) -> int:
    """Return a chat's id, which may be given as the @username of a public group or channel."""
    name = given["chat_id"]
    if not isinstance(name, str) or not name.startswith("@"):
        return number(given, "chat_id")
    public = {chat.username.lower(): chat.id for chat in room.chats.values() if chat.username}
    return public.get(name[1:].lower(), 0)


def open_chat(room: Room, given: Json) -> Chat:
    """Return the chat, if the bot is in it. There are no business accounts here to act for."""
    if string(given, "business_connection_id"):
        raise bad("business connection not found")
    person = number(given, "chat_id")
    if person in room.people and person not in room.chats:
        raise ApiError(403, "Forbidden: bot can't initiate conversation with a user")
    chat = known_chat(room, given)
    if chat.successor is not None:
        text = "Bad Request: group chat was upgraded to a supergroup chat"
        raise ApiError(400, text, migrate_to_chat_id=chat.successor)
    if chat.person and chat.person.deactivated:
        raise ApiError(403, "Forbidden: user is deactivated")
    if not chat.bot.present:
        if chat.kind == "private":
            raise ApiError(403, "Forbidden: bot was blocked by the user")
        if chat.bot.status is Status.KICKED:
            raise ApiError(403, f"Forbidden: bot was kicked from the {chat.kind} chat")
        raise ApiError(403, f"Forbidden: bot is not a member of the {chat.kind} chat")
    return chat


def text_of(given: Json) -> Json:
    """Return text, entities and link preview options as they will be stored."""
    content = words_of(given, "text", "entities", LONGEST_TEXT)
    if is_blank(content["text"]):
        raise bad("message text is empty")
    return content | _preview_of(given)


def _preview_of(given: Json) -> Json:
    said = given.get("link_preview_options")
    if said is None or said == "":
        said = {"is_disabled": flag(given, "disable_web_page_preview")}
    if not isinstance(said, dict):
        raise bad("can't parse link preview options: object expected as link preview options")
    options: Json = {name: True for name in _PREVIEW if flag(said, name)}
    if url := string(said, "url"):
        options["url"] = url
    return {"link_preview_options": options} if options else {}


def words_of(given: Json, name: str, entities_name: str, longest: int) -> Json:
    """Return a text, which may be empty, and its entities, under the given names."""
    raw = "" if (value := given.get(name)) is None else value
    if isinstance(raw, bool | int | float):
        raw = json.dumps(raw)  # a number's or a truth's text in the call's JSON
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


def markup_of(given: Json, *, only_inline: bool = False) -> Json:
    """Return the inline keyboard, if there is one: other keyboards are no part of a message."""
    made = keyboard_of(given, only_inline=only_inline)
    return {"reply_markup": made} if "inline_keyboard" in made else {}


def keyboard_of(given: Json, *, only_inline: bool = False, private: bool = True) -> Json:
    """Return the keyboard of any kind, empty if there is none."""
    try:
        return read(given.get("reply_markup"), only_inline=only_inline, private=private)
    except KeyboardError as error:
        raise bad(str(error)) from None


def thread_of(chat: Chat, given: Json) -> int | None:
    thread = number(given, "message_thread_id")
    if not thread:
        return None
    ordinary = chat.kind == "supergroup" and not chat.forum and thread in chat.messages
    if thread in chat.topics or ordinary:
        return thread
    raise bad("message thread not found")
