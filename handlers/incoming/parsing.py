"""From an update's JSON to python-telegram-bot's objects, without the parts it cannot read.

Telegram is ahead of the library: it refuses a whole update for one field that is missing in a poll
somebody replied to. Here the rest is read all the same.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from telegram import (
    Bot,
    CallbackQuery,
    Chat,
    ExternalReplyInfo,
    Message,
    TelegramObject,
    TextQuote,
    Update,
    User,
)

from handlers.incoming.words import UNREAD, Json

T = TypeVar("T", bound=TelegramObject)

MOST = 200
"""At most so many fields of an object, or entries of a list, are tried one by one."""

_Needed = Mapping[str, Any]
"""An object's required fields, and what replaces them."""


_NOBODY = {"type": "hidden_user", "date": 0, "sender_user_name": ""}
_PARTS: dict[str, tuple[type[TelegramObject], _Needed]] = {
    "from": (User, {"id": 0, "is_bot": False, "first_name": ""}),
    "quote": (TextQuote, {"text": "", "position": 0}),
    "external_reply": (ExternalReplyInfo, {"origin": _NOBODY}),
}


class Unreadable(Exception):
    """An update that the library cannot read. The error's text quotes nothing of it."""


@contextmanager
def reading() -> Iterator[None]:
    """Read JSON in the block, whatever it is. Raises `Unreadable`."""
    try:
        yield
    except Exception as error:  # odd JSON makes the library raise almost anything
        raise Unreadable(type(error).__name__) from error  # its text may quote the update


def load(update: str) -> Json:
    """Read the JSON of an update. Raises `Unreadable`."""
    try:
        raw = json.loads(update)
    except (ValueError, RecursionError) as error:
        raise Unreadable(type(error).__name__) from error
    if not isinstance(raw, dict):
        raise Unreadable(type(raw).__name__)
    return raw


def read(raw: Json, bot: Bot) -> Update:
    """Read an update; unreadable parts are kept in ``api_kwargs``, under other names.

    Raises `Unreadable` where nothing is left.
    """
    try:
        return _as(Update, raw, bot)
    except Unreadable:
        kinds = (name for name in ("message", "edited_message", "callback_query") if name in raw)
        kind = next(kinds, "")
        if not kind or not isinstance(raw[kind], dict):
            raise
        mended = _query(raw[kind], bot) if kind == "callback_query" else _message(raw[kind], bot)
        return _as(Update, {"update_id": raw.get("update_id"), kind: mended}, bot)


def read_message(raw: Any, bot: Bot | None) -> Message:
    """Read a message in the same way."""
    try:
        return _as(Message, raw, bot)
    except Unreadable:
        if not isinstance(raw, dict):
            raise
        return _as(Message, _message(raw, bot), bot)


def _as(kind: type[T], raw: Any, bot: Bot | None) -> T:
    with reading():
        return kind.de_json(raw, bot)


def _message(raw: Json, bot: Bot | None, chat: Json | None = None) -> Json:
    """Leave out the unreadable parts of a message; ``chat`` is its chat, if it names none."""
    given = raw.get("chat")
    chat = _chat(given, bot) if isinstance(given, dict) else chat or {}
    needed = {"message_id": 0, "date": 0, "chat": chat}
    return _mended(Message, {**raw, "chat": chat}, needed, bot)


def _chat(raw: Json, bot: Bot | None) -> Json:
    chat_id = raw.get("id")
    is_group = isinstance(chat_id, int) and chat_id < 0
    kind = "supergroup" if is_group else "private"
    return _mended(Chat, raw, {"id": chat_id, "type": kind}, bot)


def _query(raw: Json, bot: Bot | None) -> Json:
    message = raw.get("message")
    given = {**raw, "message": _message(message, bot)} if isinstance(message, dict) else raw
    needed = {"id": "", "from": _PARTS["from"][1], "chat_instance": ""}
    return _mended(CallbackQuery, given, needed, bot)


def _mended(kind: type[TelegramObject], raw: Json, needed: _Needed, bot: Bot | None) -> Json:
    """Keep an object's readable fields, and the rest under other names."""

    def reads(**fields: Any) -> bool:
        try:
            _as(kind, {**needed, **fields}, bot)
        except Unreadable:
            return False
        return True

    kept = dict(needed)
    for name, value in list(raw.items())[:MOST]:
        if reads(**{name: value}):
            kept[name] = value
        elif (less := _less(name, value, needed, bot)) is not None and reads(**{name: less}):
            kept[name] = less
        elif some := _some(value, lambda one, name=name: reads(**{name: [one]})):  # type: ignore[misc] # mypy#15459
            kept[name] = some
        elif name not in needed:
            kept[UNREAD + name] = value
    return kept


def _some(value: Any, reads: Callable[[Any], bool]) -> list[Any]:
    return list(filter(reads, value[:MOST])) if isinstance(value, list) else []


def _less(name: str, value: Any, beside: _Needed, bot: Bot | None) -> Json | None:
    """Fix a part of a message; None if its own parts are unknown."""
    if not isinstance(value, dict):
        return None
    if name == "reply_to_message":
        flat = {key: part for key, part in value.items() if key != name}
        return _message(flat, bot, beside.get("chat"))
    if name == "sender_chat":
        return _chat(value, bot)
    kind, needed = _PARTS.get(name, (None, {}))
    return _mended(kind, value, needed, bot) if kind else None
