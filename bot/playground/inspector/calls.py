"""A call of the Bot API as the inspector keeps it: whose it is, and no more of it than is read."""

import re
from typing import Any

from bot.playground.telegram.chat import Json
from bot.playground.telegram.files import Upload
from bot.playground.telegram.room import Room
from bot.updates.intake import lane_of
from storage.message import ChatKey

LONGEST_TEXT = 5000
"""Characters kept of one text; a message has 4,096."""
MOST_ITEMS = 100
DEEPEST = 12


def kept(call: Json) -> Json:
    """Copy a call without what would take much memory."""
    return {name: shown(value) for name, value in call.items()}


def shown(value: Any, depth: int = 0) -> Any:
    """Shorten long texts and lists, and say of a file only its name and size."""
    match value:
        case str() if len(value) > LONGEST_TEXT:
            return f"{value[:LONGEST_TEXT]}… (+{len(value) - LONGEST_TEXT})"
        case Upload():
            return {"file_name": value.name, "bytes": len(value.content)}
        case dict() if depth < DEEPEST:
            items = list(value.items())[:MOST_ITEMS]
            return {str(shown(name)): shown(one, depth + 1) for name, one in items}
        case list() | tuple() if depth < DEEPEST:
            more = [f"… (+{len(value) - MOST_ITEMS})"] if len(value) > MOST_ITEMS else []
            return [*(shown(one, depth + 1) for one in value[:MOST_ITEMS]), *more]
    return value if isinstance(value, str | int | float | None) else "…"


def fetched(call: Json) -> dict[ChatKey, list[Json]]:
    """Return the updates that a poll has brought, by their conversations."""
    found: dict[ChatKey, list[Json]] = {}
    if call["method"] == "getUpdates" and call["ok"]:
        for update in call["result"]:
            if lane := lane_of(update):
                found.setdefault(lane, []).append(update)
    return found


def lane_of_call(room: Room, call: Json) -> ChatKey | None:
    """Find the conversation that a call is about; None if it names no chat."""
    given, result = call["parameters"], call.get("result")
    if isinstance(result, dict) and isinstance(result.get("chat"), dict):
        return _lane(result["chat"].get("id"), result)
    place = room.chats.get(_chat(room, given.get("chat_id")))
    if place is None:
        return None
    number = given.get("message_id")
    message = place.messages.get(number) if isinstance(number, int) else None
    thread = {"message_thread_id": given.get("message_thread_id"), "is_topic_message": True}
    return _lane(place.id, message or thread)


def _chat(room: Room, named: Any) -> int:
    """Return the id of a chat that is named by it or by its @name; 0 if there is none."""
    text = str(named)
    if re.fullmatch(r"-?\d{1,19}", text):
        return int(text)
    return next((one.id for one in room.chats.values() if f"@{one.username}" == text), 0)


def _lane(chat: Any, message: Json) -> ChatKey | None:
    thread = message.get("message_thread_id") if message.get("is_topic_message") else None
    topic = thread if type(thread) is int else 0
    return ChatKey(chat, topic) if type(chat) is int else None
