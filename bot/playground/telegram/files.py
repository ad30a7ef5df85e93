"""Files: what people and the bot have sent, by the ids under which others can have it.

The folders are those of Telegram's own file paths. A photo has an id for each of its sizes; all are
the same bytes, because nothing here scales pictures.
"""

import mimetypes
import re
import secrets
from collections import deque
from dataclasses import dataclass
from typing import Any

from bot.playground.telegram import images
from bot.playground.telegram.chat import Json

MOST_BYTES = 512 * 2**20
"""Of all files together; beyond it, the oldest are forgotten."""
_FOLDERS = {
    "animation": "animations",
    "audio": "music",
    "document": "documents",
    "photo": "photos",
    "sticker": "stickers",
    "thumbnail": "thumbnails",
    "video": "videos",
    "video_note": "video_notes",
    "voice": "voice",
}
KINDS = tuple(kind for kind in _FOLDERS if kind != "thumbnail")
"""What a file can be sent as: the names of a Message's fields."""
_NUMBERS: dict[str, tuple[str, ...]] = {
    "animation": ("width", "height", "duration"),
    "audio": ("duration",),
    "video": ("width", "height", "duration"),
    "video_note": ("length", "duration"),
    "voice": ("duration",),
}
"""The numbers that an object of each kind has, 0 where nobody said them."""
_NAMELESS = frozenset(["photo", "sticker", "thumbnail", "video_note", "voice"])
"""Kinds of which Telegram does not keep what the file was called."""
_TYPELESS = _NAMELESS - {"voice"}


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as somebody sends it: its name, MIME type and bytes."""

    name: str
    kind: str
    content: bytes


@dataclass(frozen=True, slots=True)
class File:
    """A file that the server has.

    ``shown`` is what a message has of it, an object of its ``kind`` or, of a photo, the sizes;
    ``path`` is where a bot downloads it.
    """

    kind: str
    shown: Any
    path: str
    upload: Upload

    @property
    def ids(self) -> dict[str, Json]:
        """Its ids, each with the object that has it."""
        found = self.shown if isinstance(self.shown, list) else [self.shown]
        return {each["file_id"]: each for each in found}


class Files:
    """All files, as long as there is room for them."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._number = 0
        self._kept: deque[File] = deque()
        self._by_id: dict[str, File] = {}
        self._by_path: dict[str, File] = {}

    def get(self, file_id: str) -> File | None:
        """Return the file with that id, if it is still there."""
        return self._by_id.get(file_id)

    def at(self, path: str) -> File | None:
        """Return the file with that path."""
        return self._by_path.get(path)

    def clear(self) -> None:
        """Forget all."""
        while self._kept:
            self._forget()

    def make(self, kind: str, upload: Upload, **more: Any) -> File:
        """Return a file that is sent as one of `KINDS`; ``more`` are fields of its object.

        ValueError, in Telegram's words, if it cannot be sent as that.
        """
        shown = _photo(upload) if kind == "photo" else _object(kind, upload, more)
        self._number += 1
        return File(kind, shown, f"{_FOLDERS[kind]}/file_{self._number}{_ending(upload)}", upload)

    def keep(self, file: File) -> None:
        """Let a file be had from now on, if it is not there already."""
        if file.path in self._by_path:
            return
        self._bytes += len(file.upload.content)
        self._kept.append(file)
        self._by_path[file.path] = file
        self._by_id |= dict.fromkeys(file.ids, file)
        while self._bytes > self._most_bytes and len(self._kept) > 1:
            self._forget()

    def _forget(self) -> None:
        oldest = self._kept.popleft()
        self._bytes -= len(oldest.upload.content)
        del self._by_path[oldest.path]
        for file_id in oldest.ids:
            del self._by_id[file_id]


def mime_of(name: str, said: str | None = None) -> str:
    """Return a file's MIME type: what was said of it, or what its name tells."""
    if said and said != "application/octet-stream":
        return said
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


def _identity(upload: Upload) -> Json:
    return {
        "file_id": f"BQAC{secrets.token_urlsafe(36)}",
        "file_unique_id": f"AgAD{secrets.token_urlsafe(8)}",
        "file_size": len(upload.content),
    }


def _photo(upload: Upload) -> list[Json]:
    return [
        {**_identity(upload), "width": width, "height": height}
        for width, height in images.photo(upload.content).sizes()
    ]


def _object(kind: str, upload: Upload, more: Json) -> Json:
    made = _identity(upload)
    made |= dict.fromkeys(_NUMBERS.get(kind, ()), 0)
    if kind not in _NAMELESS:
        made["file_name"] = upload.name
    if kind not in _TYPELESS:
        made["mime_type"] = upload.kind
    if kind == "sticker":
        made |= _sticker(upload)
    elif kind in ("animation", "thumbnail") and (image := images.read(upload.content)):
        made |= {"width": image.width, "height": image.height}
    return made | more


def _sticker(upload: Upload) -> Json:
    """Return what kind of sticker this is: a picture, Lottie's JSON in gzip, or a WebM video."""
    image = images.read(upload.content)
    animated, video = (upload.content.startswith(b) for b in (b"\x1f\x8b", b"\x1a\x45\xdf\xa3"))
    if not (image or animated or video):
        raise ValueError("STICKER_FILE_INVALID")
    width, height = (image.width, image.height) if image else (512, 512)
    look = {"type": "regular", "is_animated": animated, "is_video": video}
    return {**look, "width": width, "height": height}


def _ending(upload: Upload) -> str:
    """Return the end of a file's name with its dot: of the name it has, or by what it is."""
    if image := images.read(upload.content):
        return {"image/jpeg": ".jpg"}.get(image.mime, f".{image.mime.removeprefix('image/')}")
    if found := re.search(r"\.[A-Za-z0-9]{1,8}$", upload.name):
        return found[0].lower()
    return mimetypes.guess_extension(upload.kind) or ""
