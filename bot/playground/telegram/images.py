"""Pictures: which format a file has, and how large it is, read from its first bytes.

Formats: PNG (w3.org/TR/png), JPEG (ITU-T T.81, annex B), GIF89a, WebP (RFC 9649).
"""

import struct
import zlib
from dataclasses import dataclass

LARGEST_SUM, LARGEST_RATIO = 10_000, 20
"""Most pixels of width and height together, and of one for each of the other, in a photo."""
_SIDES = 90, 320, 800, 1280
"""The longest sides of the smaller sizes in which Telegram offers a photo."""
_NO_FRAME = frozenset([0xC4, 0xC8, 0xCC])
"""JPEG markers among those of frames that begin none: tables, and a reserved one."""


@dataclass(frozen=True, slots=True)
class Image:
    """A picture's MIME type, and its size in pixels."""

    mime: str
    width: int
    height: int

    def sizes(self) -> list[tuple[int, int]]:
        """Return the sizes in which Telegram offers it as a photo, the smallest first."""
        longest = max(self.width, self.height)
        smaller = [(self._scaled(side, longest)) for side in _SIDES if side < longest]
        return [*smaller, (self.width, self.height)]

    def _scaled(self, side: int, longest: int) -> tuple[int, int]:
        return max(1, self.width * side // longest), max(1, self.height * side // longest)


def read(content: bytes) -> Image | None:
    """Return what picture this is; None if it is none of the four formats."""
    try:
        found = _png(content) or _gif(content) or _webp(content) or _jpeg(content)
    except (struct.error, IndexError):
        return None
    return found if found and found.width and found.height else None


def photo(content: bytes) -> Image:
    """Return what picture this is; ValueError, in Telegram's words, if it is no photo."""
    found = read(content)
    if found is None:
        raise ValueError("IMAGE_PROCESS_FAILED")
    short, long = sorted((found.width, found.height))
    if short + long > LARGEST_SUM or long > LARGEST_RATIO * short:
        raise ValueError("PHOTO_INVALID_DIMENSIONS")
    return found


def grey(width: int, height: int) -> bytes:
    """Return a grey PNG."""
    rows = (b"\0" + b"\x99" * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = (b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)


def _chunk(name: bytes, content: bytes) -> bytes:
    body = name + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def _png(content: bytes) -> Image | None:
    if not content.startswith(b"\x89PNG\r\n\x1a\n") or content[12:16] != b"IHDR":
        return None
    return Image("image/png", *struct.unpack_from(">II", content, 16))


def _gif(content: bytes) -> Image | None:
    if content[:6] not in (b"GIF87a", b"GIF89a"):
        return None
    return Image("image/gif", *struct.unpack_from("<HH", content, 6))


def _webp(content: bytes) -> Image | None:
    if content[:4] != b"RIFF" or content[8:12] != b"WEBP":
        return None
    match content[12:16]:
        case b"VP8 ":
            width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", content, 26))
        case b"VP8L":
            (bits,) = struct.unpack_from("<I", content, 21)
            width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8X":
            sides = content[24:27], content[27:30]
            width, height = (int.from_bytes(side, "little") + 1 for side in sides)
        case _:
            return None
    return Image("image/webp", width, height)


def _jpeg(content: bytes) -> Image | None:
    if not content.startswith(b"\xff\xd8"):
        return None
    place = 2
    while content[place] == 0xFF:
        marker = content[place + 1]
        if marker == 0xFF:  # fill bytes may stand before a marker
            place += 1
        elif 0xC0 <= marker <= 0xCF and marker not in _NO_FRAME:
            height, width = struct.unpack_from(">HH", content, place + 5)
            return Image("image/jpeg", width, height)
        else:
            place += 2 + struct.unpack_from(">H", content, place + 2)[0]
    return None
