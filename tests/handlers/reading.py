"""Messages as people read them, and as Telegram judges them."""

from collections.abc import Sequence

from handlers.rendering.markup import MAX_CHARACTERS, MAX_ENTITIES, Chunk, File
from tests.tdlib import refusal


def shown(chunk: Chunk) -> str:
    """Write a chunk with its entities as tags, such as ``<bold>`` or ``<pre python>``."""
    tags = []
    for order, entity in enumerate(chunk.entities):
        kind, start, end = entity["type"], entity["offset"], entity["offset"] + entity["length"]
        opening = " ".join(filter(None, (kind, entity.get("url"), entity.get("language"))))
        tags.append((start, 1, order, f"<{opening}>"))
        tags.append((end, 0, -order, f"</{kind}>"))
    units = chunk.text.encode("utf-16-le")
    parts: list[str] = []
    done = 0
    for offset, _, _, tag in sorted(tags):
        parts += units[2 * done : 2 * offset].decode("utf-16-le"), tag
        done = offset
    return "".join([*parts, units[2 * done :].decode("utf-16-le")])


def messages(pieces: Sequence[Chunk | File]) -> list[Chunk]:
    """Return the messages among the pieces; those that are files come after them."""
    found = [piece for piece in pieces if isinstance(piece, Chunk)]
    assert list(pieces[: len(found)]) == found
    return found


def assert_sendable(pieces: Sequence[Chunk | File]) -> None:
    """Check every message against Telegram's limits and with TDLib."""
    for chunk in messages(pieces):
        assert 1 <= len(chunk.text) <= MAX_CHARACTERS
        assert chunk.text == chunk.text.rstrip()
        assert not chunk.text.startswith("\n")
        assert len(chunk.entities) <= MAX_ENTITIES
        assert all(entity["length"] > 0 for entity in chunk.entities)
        offsets = [(entity["offset"], -entity["length"]) for entity in chunk.entities]
        assert offsets == sorted(offsets)
        shown(chunk)  # decodes at every bound, strictly: none is inside a surrogate pair
        assert refusal(chunk.text, chunk.entities) is None


def words(pieces: Sequence[Chunk | File]) -> list[str]:
    """Return all words of all pieces."""
    return " ".join(piece.text for piece in pieces).split()
