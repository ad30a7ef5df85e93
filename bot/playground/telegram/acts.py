"""What programs can let people do in the room over HTTP: names, parameters and their types."""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.playground.telegram.chat import Json
from bot.playground.telegram.files import Upload, mime_of
from bot.playground.telegram.room import Room

_CHAT: dict[str, type] = {"chat": int}
_USER: dict[str, type] = {"user": int}
_PERSON = _CHAT | _USER
_TOPIC: dict[str, type] = _CHAT | {"topic": int}
_TEXT: dict[str, type] = {"text": str}
_MESSAGE: dict[str, type] = {"message_id": int}
_WHERE: dict[str, type] = {"topic": int, "reply_to": int, "language": str}
_FILE: dict[str, type] = {
    **dict.fromkeys(("file",), Upload),
    **dict.fromkeys(("content", "name", "mime", "caption", "media_group_id"), str),
}
_FACTS: dict[str, type] = {
    **dict.fromkeys(("duration", "width", "height", "length"), int),
    **dict.fromkeys(("performer", "title", "emoji"), str),
}
_THING: dict[str, type] = {
    **_FACTS,
    **dict.fromkeys(("latitude", "longitude"), float),
    **dict.fromkeys(("phone_number", "first_name", "question"), str),
    "options": list,
}


@dataclass(frozen=True, slots=True)
class Act:
    """``POST /room/<name>``: its parameters with their types, those of ``wanted`` are required."""

    name: str
    do: Callable[..., Any]
    wanted: dict[str, type]
    more: dict[str, type]


def acts(room: Room) -> list[Act]:
    """Return everything that can be done, in the order of docs/playground.md."""
    return [
        # What people write and press.
        _act("say", room.say, _PERSON | _TEXT, reply_to=int, quote=str, topic=int, language=str),
        _act("edit", room.edit, _PERSON | _MESSAGE | _TEXT, language=str),
        _act("delete", room.remove, _PERSON | _MESSAGE),
        _act("press", room.press, _PERSON | _MESSAGE | {"data": str}, language=str),
        _act("vote", room.vote, _PERSON | _MESSAGE | {"options": list}),
        _act(
            "inline",
            room.ask_inline,
            _USER | {"query": str},
            offset=str,
            chat_type=str,
            language=str,
        ),
        _act("choose", room.choose, _PERSON | {"query": str, "result": str}),
        _act("react", room.react, _PERSON | _MESSAGE | {"reaction": list}),
        _act("pin", room.pin, _PERSON | _MESSAGE),
        _act("unpin", room.unpin, _PERSON, message_id=int),
        _act("stop", room.stop, _CHAT | {"draft_id": int}),
        _act(
            "document", _document(room), _PERSON | _TEXT | {"name": str}, caption=str, language=str
        ),
        _act("media", _media(room), _PERSON | {"kind": str}, **_WHERE, **_FILE, **_THING),
        _act(
            "forward",
            _forward(room),
            _PERSON,
            **_TEXT,
            origin=dict,
            from_chat=int,
            message_id=int,
        ),
        _act("start", room.start, _USER, payload=str, chat=int),
        # Who and what there is.
        _act(
            "person",
            room.make_person,
            _USER | {"name": str},
            username=str,
            language=str,
            is_bot=bool,
        ),
        _act("chat", room.make_chat, _CHAT | {"kind": str, "title": str}, username=str, bot=bool),
        _act("link", room.link, _CHAT | {"channel": int}),
        _act("migrate", room.migrate, _CHAT, told=list),
        # Who is in a chat as what; without a user, the bot.
        _act("add", room.add, _CHAT, user=int, by=int),
        _act("kick", room.kick, _CHAT, user=int, by=int),
        _act("leave", room.leave, _PERSON),
        _act("promote", room.promote, _CHAT, user=int, rights=list, title=str, by=int),
        _act("creator", room.give, _PERSON),
        _act("demote", room.demote, _CHAT, user=int, by=int),
        _act("restrict", room.restrict, _CHAT, user=int, permissions=list, until=int, by=int),
        _act("anonymous", room.hide, _PERSON | {"on": bool}),
        _act("send_as", room.send_as, _PERSON, sender_chat=int),
        _act("block", room.block, _USER),
        _act("unblock", room.unblock, _USER),
        _act("deactivate", room.deactivate, _USER),
        # What a group allows.
        _act("permissions", room.permit, _CHAT | {"permissions": list}),
        _act("slow_mode", room.slow_down, _CHAT | {"seconds": int}),
        _act("open_topic", room.open_topic, _CHAT, name=str),
        _act("close_topic", room.close_topic, _TOPIC),
        _act("reopen_topic", room.reopen_topic, _TOPIC),
        _act("delete_topic", room.delete_topic, _TOPIC),
        # What BotFather and chance do.
        _act("privacy", room.set_privacy, {"on": bool}),
        _act("update", room.inject, {"update": dict}),
    ]


def _act(name: str, do: Callable[..., Any], wanted: dict[str, type], /, **more: type) -> Act:
    return Act(name, do, wanted, more)


def _document(room: Room) -> Callable[..., Json]:
    def send(*, chat: int, user: int, name: str, text: str, **more: str) -> Json:
        return room.send_document(chat, user, Upload(name, "text/plain", text.encode()), **more)

    return send


def _forward(room: Room) -> Callable[..., Json]:
    """Let somebody forward a message that there is, or a text with any origin."""

    def forward(*, chat: int, user: int, **what: Any) -> Json:
        if what.keys() == {"from_chat", "message_id"}:
            return room.forward_message(chat, user, **what)
        if what.keys() == {"text", "origin"}:
            return room.forward(chat, user, **what)
        raise ValueError("give from_chat and message_id, or text and origin")

    return forward


def _media(room: Room) -> Callable[..., Json]:
    """Let somebody send a thing of any kind: a file, or what needs none."""
    others: dict[str, tuple[Callable[..., Json], frozenset[str]]] = {
        "location": (room.send_place, frozenset(["latitude", "longitude"])),
        "contact": (room.send_contact, frozenset(["phone_number", "first_name"])),
        "dice": (room.send_dice, frozenset()),
        "poll": (room.send_poll, frozenset(["question", "options"])),
    }

    def send(*, kind: str, **given: Any) -> Json:
        if kind not in others:
            return _send_file(room, kind, given)
        do, needed = others[kind]
        if missing := needed - given.keys():
            raise ValueError(f"a {kind} needs {', '.join(sorted(missing))}")
        if extra := given.keys() - {"chat", "user", "emoji", *_WHERE, *needed}:
            raise ValueError(f"a {kind} has no {', '.join(sorted(extra))}")
        return do(**given)

    return send


def _send_file(room: Room, kind: str, given: Json) -> Json:
    facts = {name: given.pop(name) for name in _FACTS if name in given}
    album = {name: given.pop(name) for name in ("media_group_id",) if name in given}
    upload = _upload(given)
    if extra := given.keys() & (_THING.keys() - _FACTS.keys()):
        raise ValueError(f"a {kind} has no {', '.join(sorted(extra))}")
    if upload is None:
        return room.send_kind(kind=kind, facts=facts, content=album, **given)
    return room.send_file(file=room.file_as(kind, upload, facts), content=album, **given)


def _upload(given: Json) -> Upload | None:
    """Take a file out of what is given: a form's, or one in base64 with its name."""
    file: Upload | None = given.pop("file", None)
    content = given.pop("content", None)
    name, mime = given.pop("name", None), given.pop("mime", None)
    if file is not None or content is None:
        return file
    try:
        raw = base64.b64decode(content, validate=True)
    except binascii.Error:
        raise ValueError("content must be a file's bytes in base64") from None
    return Upload(name or "file", mime_of(name or "", mime), raw)
