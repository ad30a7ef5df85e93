"""Uploads: the files of a call, whichever way they come.

A file parameter is a file of the form under its own name, ``attach://`` and the name of another,
the id of a file that the server has, or an HTTP URL, which `fetched` has fetched by then. Sources:
core.telegram.org/bots/api#sending-files, get_input_file in telegram-bot-api's Client.cpp, TDLib's
FileManager.
"""

import re
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import UploadFile

from bot.playground.telegram.chat import Json
from bot.playground.telegram.files import File, Upload, mime_of
from bot.playground.telegram.parameters import bad
from bot.playground.telegram.refusal import ApiError
from bot.playground.telegram.room import Room

LARGEST_SENT, LARGEST_PHOTO = 50 * 2**20, 10 * 2**20
"""Most bytes that a bot may send, and as a photo."""
_ATTACHED = "attach://"
_DOCUMENTS = frozenset(
    ["animation", "audio", "document", "sticker", "video", "video_note", "voice"]
)
"""Kinds of which one can be sent as another by its id, and stays what it is."""
_TYPES = {
    "animation": "Animation",
    "audio": "Audio",
    "document": "Document",
    "photo": "Photo",
    "sticker": "Sticker",
    "thumbnail": "Thumbnail",
    "video": "Video",
    "video_note": "VideoNote",
    "voice": "VoiceNote",
}
"""The kinds in TDLib's words."""


@dataclass(frozen=True, slots=True)
class Unfetched:
    """What stands in the place of a file that could not be fetched: why, in Telegram's words."""

    why: str


class FileRefused(ApiError):
    """Telegram's servers refuse a file; ``why`` is what they say."""

    def __init__(self, why: str) -> None:
        super().__init__(400, bad(why).description)
        self.why = why


async def received(file: UploadFile) -> Upload:
    """Read a file of a form; ApiError if it is larger than anybody may send."""
    if (file.size or 0) > LARGEST_SENT:
        raise too_large()
    name = file.filename or "file"
    return Upload(name, mime_of(name, file.content_type), await file.read())


def too_large() -> ApiError:
    return ApiError(413, "Request Entity Too Large")


def file_in(room: Room, given: Json, value: Any, kind: str, facts: Json) -> File | None:
    """Return the file that a parameter's ``value`` is, None if it is none.

    ``facts`` are said of it if it is new.
    """
    if isinstance(value, Unfetched):
        raise FileRefused(value.why)
    upload = attached(given, value)
    if upload is not None:
        return made(room, kind, upload, facts)
    if not isinstance(value, str) or not value or value.startswith(_ATTACHED):
        return None
    file = room.files.get(value)
    if file is None:
        characters = re.fullmatch(r"[A-Za-z0-9_-]+", value)
        raise FileRefused(
            "Wrong file identifier/HTTP URL specified"
            if characters
            else "Wrong remote file identifier specified: Wrong character in the string"
        )
    if file.kind != kind and not {file.kind, kind} <= _DOCUMENTS:
        raise FileRefused(f"Can't use file of type {_TYPES[file.kind]} as {_TYPES[kind]}")
    return file


def attached(given: Json, value: Any) -> Upload | None:
    """Return the file of the form that ``value`` is, or the name of which it has."""
    if isinstance(value, str) and value.startswith(_ATTACHED):
        value = given.get(value.removeprefix(_ATTACHED))
    return value if isinstance(value, Upload) else None


def made(room: Room, kind: str, upload: Upload, facts: Json) -> File:
    """Return a new file of the bot's, which `Room.files` does not keep yet."""
    size = len(upload.content)
    if not size:
        raise FileRefused("File must be non-empty")
    if size > LARGEST_SENT:
        raise too_large()
    if kind == "photo" and size > LARGEST_PHOTO:
        raise FileRefused(
            f"File of size {size} bytes is too big for a photo; the maximum size is {LARGEST_PHOTO}"
            " bytes"
        )
    try:
        return room.files.make(kind, upload, **facts)
    except ValueError as error:
        raise FileRefused(str(error)) from None
