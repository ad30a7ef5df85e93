"""Queries: how a bot answers the press of a button, and what somebody asks inline.

Sources: core.telegram.org/bots/api#answercallbackquery and #answerinlinequery; errors are those of
telegram-bot-api (get_inline_query_results) and, in capitals, the server's own.
"""

import math
import re
from collections.abc import Callable
from typing import Any

from bot.playground.telegram.chat import Json
from bot.playground.telegram.media import media_of
from bot.playground.telegram.parameters import bad, flag, markup_of, number, string, text_of
from bot.playground.telegram.query import CALLBACK, INLINE, Query
from bot.playground.telegram.refusal import ApiError
from bot.playground.telegram.room import Room

LONGEST_TOAST = 200
"""Most characters in the answer to a button."""
MOST_RESULTS = 50
LONGEST_ID = 64
"""Bytes in a result's id, and in the offset of the next results."""

_STARTS = re.compile(r"[A-Za-z0-9_-]{1,64}")
_FILES = {
    "photo": ("photo", "photo_file_id"),
    "gif": ("animation", "gif_file_id"),
    "mpeg4_gif": ("animation", "mpeg4_file_id"),
    "sticker": ("sticker", "sticker_file_id"),
    "document": ("document", "document_file_id"),
    "video": ("video", "video_file_id"),
    "voice": ("voice", "voice_file_id"),
    "audio": ("audio", "audio_file_id"),
}
_TYPES = frozenset(["article", "location", "venue", "contact", *_FILES])


def answer_callback_query(room: Room, given: Json) -> bool:
    text, url = string(given, "text"), string(given, "url")
    if len(text) > LONGEST_TOAST:
        raise bad("MESSAGE_TOO_LONG")
    if url and not re.fullmatch(
        rf"(https?://)?t\.me/{room.username}\?start=[\w-]+", url, re.IGNORECASE
    ):
        raise bad("URL_INVALID")
    query = _query(room, given, "callback_query_id", CALLBACK)
    query.answer = {"text": text, "show_alert": flag(given, "show_alert"), "url": url}
    room.touch()
    return True


def answer_inline_query(room: Room, given: Json) -> bool:
    query = _query(room, given, "inline_query_id", INLINE)
    results = _results(given)
    contents = {result["id"]: _content(room, given, result) for result in results}
    if len(contents) < len(results):
        raise bad("RESULT_ID_DUPLICATE")
    if len((next_offset := string(given, "next_offset")).encode()) > LONGEST_ID:
        raise bad("NEXT_OFFSET_INVALID")
    button = _button(given.get("button"))
    query.contents = contents
    query.answer = {
        "results": results,
        "cache_time": number(given, "cache_time") or 300,
        "is_personal": flag(given, "is_personal"),
        "next_offset": next_offset,
        "button": button,
    }
    room.touch()
    return True


def _query(room: Room, given: Json, name: str, kind: str) -> Query:
    query = room.queries.get(string(given, name))
    if query is None or query.kind != kind or not query.is_open(room.clock()):
        raise bad("query is too old and response timeout expired or query ID is invalid")
    return query


def _results(given: Json) -> list[Json]:
    results = given.get("results") or []
    if not isinstance(results, list):
        raise bad("expected an Array of inline query results")
    if len(results) > MOST_RESULTS:
        raise bad("too many inline query results specified")
    return [_result(result) for result in results]


def _result(result: Any) -> Json:
    if not isinstance(result, dict):
        raise _unread("Inline query result must be an object")
    result_id = string(result, "id")
    if not 1 <= len(result_id.encode()) <= LONGEST_ID:
        raise bad("RESULT_ID_INVALID")
    if str(result.get("type")) not in _TYPES:
        raise _unread(f'type "{result.get("type")}" is unsupported for the inline query result')
    return {**result, "id": result_id}


def _content(room: Room, given: Json, result: Json) -> Json | None:
    """Return what a result puts into a message; None if that is a file somewhere else."""
    markup, kind = markup_of(result, only_inline=True), result["type"]
    said = result.get("input_message_content")
    if kind == "article" and not string(result, "title"):
        raise bad("ARTICLE_TITLE_EMPTY")
    if said is not None and not isinstance(said, dict):
        raise _unread("Input message content must be an object")
    if said or kind not in _FILES:
        return _written(said or result) | markup
    name, id_name = _FILES[kind]
    if not string(result, id_name):
        return None
    media = media_of(room, given, result, name, string(result, id_name))
    return media.content | markup if media else None


def _written(said: Json) -> Json:
    """Return the content of an InputMessageContent, or of a result that is a place or a contact."""
    if string(said, "message_text"):
        return text_of({**said, "text": said["message_text"]})
    if "latitude" in said and "longitude" in said:
        location = {"latitude": _degrees(said, "latitude", 90)}
        location |= {"longitude": _degrees(said, "longitude", 180)}
        title, address = string(said, "title"), string(said, "address")
        venue = {"venue": {"location": location, "title": title, "address": address}}
        return {"location": location, **(venue if title and address else {})}
    phone, name = string(said, "phone_number"), string(said, "first_name")
    if phone and name:
        return {"contact": {"phone_number": phone, "first_name": name}}
    raise _unread("Input message content is not specified")


def _degrees(said: Json, name: str, most: int) -> float:
    value = said[name]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _unread(f'Field "{name}" must be of type Number')
    if not math.isfinite(value) or abs(value) > most:
        raise bad("wrong location specified")
    return float(value)


def _button(button: Any) -> Json | None:
    if not button:
        return None
    if not isinstance(button, dict):
        raise _unread_button("must be an Object")
    named = [name for name in ("start_parameter", "web_app") if name in button]
    if not string(button, "text") or len(named) != 1:
        raise _unread_button("must have exactly one optional field")
    if "web_app" not in button and not _STARTS.fullmatch(string(button, "start_parameter")):
        raise bad("START_PARAM_INVALID")
    return button


def _unread_button(why: str) -> ApiError:
    return bad(f"can't parse inline query results button: InlineQueryResultsButton {why}")


def _unread(why: str) -> ApiError:
    return bad(f"can't parse inline query result: {why}")


METHODS: dict[str, Callable[[Room, Json], Any]] = {
    "answerCallbackQuery": answer_callback_query,
    "answerInlineQuery": answer_inline_query,
}
