"""Media: what a bot sends with a file in it.

Which parameters each method has is from core.telegram.org/bots/api, limits and errors from
telegram-bot-api's Client.cpp.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bot.playground.telegram import images
from bot.playground.telegram.chat import Json
from bot.playground.telegram.content import shown
from bot.playground.telegram.files import File
from bot.playground.telegram.parameters import (
    bad,
    flag,
    markup_of,
    number,
    open_chat,
    string,
    words_of,
)
from bot.playground.telegram.room import Room
from bot.playground.telegram.sending import send
from bot.playground.telegram.uploads import attached, file_in, made
from bot.playground.telegram.writing import LONGEST_CAPTION

LARGEST_FETCHED = 20 * 2**20
"""Most bytes that a bot may fetch."""
LONGEST_DURATION, LONGEST_SIDE = 24 * 60 * 60, 10_000
"""In seconds and pixels; more is cut to this."""
_NUMBERS = {
    "animation": ("width", "height", "duration"),
    "audio": ("duration",),
    "video": ("width", "height", "duration"),
    "video_note": ("length", "duration"),
    "voice": ("duration",),
}
_WORDS = {"audio": ("performer", "title"), "sticker": ("emoji",)}
_CAPTIONLESS = frozenset(["sticker", "video_note"])
_COVERED = frozenset(["animation", "photo", "video"])
"""Kinds that can be under a spoiler, and below their caption."""
_WITH_THUMBNAIL = frozenset(["animation", "audio", "document", "video", "video_note"])


@dataclass(frozen=True, slots=True)
class Media:
    """A file with its caption, as a message has it; ``files`` are kept once it is sent."""

    content: Json
    files: list[File] = field(default_factory=list)

    def keep(self, room: Room) -> None:
        for file in self.files:
            room.files.keep(file)


def sender(kind: str) -> Callable[[Room, Json], Json]:
    """Return the method that sends a file as one kind."""

    def send_it(room: Room, given: Json) -> Json:
        chat = open_chat(room, given)
        media = media_of(room, given, given, kind, given.get(kind))
        if media is None:
            raise bad(f"there is no {kind.replace('_', ' ')} in the request")
        message = send(room, given, chat, media.content | markup_of(given))
        media.keep(room)
        return message

    return send_it


def media_of(room: Room, given: Json, said: Json, kind: str, value: Any) -> Media | None:
    """Return the file that ``value`` is with all that is ``said`` of it, None if it is none.

    ``said`` are the parameters of a call, or an InputMedia among them.
    """
    thumbnail = _thumbnail(room, given, said, kind)
    facts: Json = {"thumbnail": thumbnail.shown} if thumbnail else {}
    facts |= _facts(said, kind)
    file = file_in(room, given, value, kind, facts)
    if file is None:
        return None
    content = shown(file)
    cover = file_in(room, given, said.get("cover"), "photo", {}) if kind == "video" else None
    if kind == "video" and "video" in content:
        content["video"] = content["video"] | _opening(said, cover)
    if kind not in _CAPTIONLESS:
        content |= caption_of(said, kind)
    if kind in _COVERED and flag(said, "has_spoiler"):
        content["has_media_spoiler"] = True
    return Media(content, [each for each in (file, thumbnail, cover) if each])


def caption_of(said: Json, kind: str) -> Json:
    """Return the caption of a file of that kind as a message has it, if there is one."""
    content = words_of(said, "caption", "caption_entities", LONGEST_CAPTION)
    if not content["caption"]:
        return {}
    above = kind in _COVERED and flag(said, "show_caption_above_media")
    return content | ({"show_caption_above_media": True} if above else {})


def _facts(said: Json, kind: str) -> Json:
    facts: Json = {}
    for name in _NUMBERS.get(kind, ()):
        most = LONGEST_DURATION if name == "duration" else LONGEST_SIDE
        if value := min(max(number(said, name), 0), most):
            facts[name] = value
    for name in _WORDS.get(kind, ()):
        if words := string(said, name):
            facts[name] = words
    return facts


def _opening(said: Json, cover: File | None) -> Json:
    """Return how a video begins in a message: under which picture, and from which second."""
    start = max(number(said, "start_timestamp"), 0)
    return ({"cover": cover.shown} if cover else {}) | ({"start_timestamp": start} if start else {})


def _thumbnail(room: Room, given: Json, said: Json, kind: str) -> File | None:
    """Return the thumbnail, which only an uploaded picture can be; anything else is ignored."""
    upload = attached(given, said.get("thumbnail") or said.get("thumb"))
    if kind not in _WITH_THUMBNAIL or upload is None or not images.read(upload.content):
        return None
    return made(room, "thumbnail", upload, {})


def get_file(room: Room, given: Json) -> Json:
    file = room.files.get(string(given, "file_id"))
    if file is None:
        raise bad("wrong file_id or the file is temporarily unavailable")
    if len(file.upload.content) > LARGEST_FETCHED:
        raise bad("file is too big")
    known = file.ids[string(given, "file_id")]
    found = {name: known[name] for name in ("file_id", "file_unique_id", "file_size")}
    return {**found, "file_path": file.path}


METHODS: dict[str, Any] = {
    "sendAnimation": sender("animation"),
    "sendAudio": sender("audio"),
    "sendDocument": sender("document"),
    "sendPhoto": sender("photo"),
    "sendSticker": sender("sticker"),
    "sendVideo": sender("video"),
    "sendVideoNote": sender("video_note"),
    "sendVoice": sender("voice"),
    "getFile": get_file,
}
