"""A file of the room as a browser gets it: shown or played if that is harmless, else a download."""

import re
from urllib.parse import quote

from starlette.responses import Response

from bot.playground.telegram import images
from bot.playground.telegram.files import Upload

_PLAYED = frozenset(
    [
        *("audio/aac", "audio/flac", "audio/mp4", "audio/mpeg", "audio/ogg", "audio/wav"),
        *("audio/webm", "audio/x-wav", "video/mp4", "video/ogg", "video/webm"),
    ]
)
"""What browsers play."""


def attachment(upload: Upload, part: str = "") -> Response:
    """Return a file, or the part of it that a ``Range`` header asks for: players seek by that."""
    content, headers = upload.content, _harmless(upload)
    asked = re.fullmatch(r"bytes=(\d{1,15})-(\d{0,15})", part)
    if asked is None:
        return Response(content, headers=headers)
    start, end = int(asked[1]), min(int(asked[2] or len(content)), len(content) - 1)
    if start > end:
        return Response(status_code=416, headers={"Content-Range": f"bytes */{len(content)}"})
    place = {"Content-Range": f"bytes {start}-{end}/{len(content)}"}
    return Response(content[start : end + 1], 206, headers=headers | place)


def _harmless(upload: Upload) -> dict[str, str]:
    image = images.read(upload.content)
    mime = image.mime if image else upload.kind
    is_shown = image or mime in _PLAYED
    name = quote(upload.name.encode("utf-8", "replace"), safe="")
    how = "inline" if is_shown else "attachment"
    return {
        "Content-Type": mime if is_shown else "application/octet-stream",
        "Content-Disposition": f"{how}; filename*=UTF-8''{name}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, max-age=3600, immutable",
    }
