"""A model's Markdown as messages within Telegram's limits, and files.

Positions count code points; only finished chunks count UTF-16 units, as Telegram does.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, overload

from handlers.rendering.filename import file_name, language
from handlers.rendering.formatting import FILE, Formatted, Span, is_visible, joined
from handlers.rendering.layout import MAX_CODE, formatted
from handlers.rendering.markdown import answer
from handlers.rendering.unfinished import closed, judged, sections

MAX_CHARACTERS = 4000
"""Code points in a chunk. Telegram takes 4096 and refuses what is longer."""

MAX_ENTITIES = 90
"""Entities in a chunk. Telegram applies 100, and adds its own for bare links and hashtags."""


Entity = Mapping[str, Any]
"""Formatting as the Bot API's JSON has it: type, offset, length, and a url or a language."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """One message: its text, never blank, and its entities, in order, in UTF-16 units."""

    text: str
    entities: tuple[Entity, ...]


@dataclass(frozen=True, slots=True)
class File:
    """Code that is too long for a message."""

    name: str
    text: str


@overload
def render(markdown: str, *, complete: Literal[True] = True) -> list[Chunk | File]: ...


@overload
def render(markdown: str, *, complete: Literal[False]) -> list[Chunk]: ...


def render(markdown: str, *, complete: bool = True) -> list[Chunk | File] | list[Chunk]:
    """Render a model's answer, or the part that has come so far, as messages with files after them.

    Empty when there is nothing to show, as while the model thinks. Any text is accepted: what the
    converter would lose, or not finish in fair time, is shown as it is.

    In an incomplete answer, open formatting is shown as if it were closed, and an end that cannot
    be judged yet is left out. A file's name stands where the file will come.
    """
    source = answer(markdown)
    if not complete:
        whole, _ = _filed(_growing(judged(source)))
        return list(_chunks(whole.text, list(whole.spans)))
    whole = joined([("", formatted(source))])
    whole, files = _filed(whole if is_visible(whole.text) else Formatted(source, ()))
    pieces: list[Chunk | File] = [*_chunks(whole.text, list(whole.spans)), *files]
    return pieces


def _growing(source: str) -> Formatted:
    *done, (separator, last) = sections(source)
    parts = [(before, _section(part)) for before, part in done]
    return joined([*parts, (separator, formatted(closed(last)))])


_section = lru_cache(maxsize=1024)(formatted)  # as many parts as fifty long answers have


def _filed(whole: Formatted) -> tuple[Formatted, list[File]]:
    """Take out code that becomes a file; the file's name stays in its place."""
    files: dict[str, File] = {}
    edits = []
    for span in whole.spans:
        if span.kind != FILE:
            continue
        code = whole.text[span.start : span.end]
        name = file_name(span.detail, code, files)
        files[name] = File(name, f"{code}\n")
        edits.append((span.start, span.end, f"📎 {name}"))
    return whole.edited(edits), list(files.values())


# -- Chunks -------------------------------------------------------------------------------------


def _chunks(text: str, spans: list[Span]) -> Iterator[Chunk]:
    start = _after_blank_lines(text, 0)
    taken = 0
    cut: list[Span] = []  # spans that go on in the next chunk, code with its language
    while start < len(text):
        near = [*cut, *spans[taken : taken + MAX_ENTITIES + 1]]
        limit = min(start + MAX_CHARACTERS, len(text))
        if len(near) > MAX_ENTITIES:
            limit = min(limit, near[MAX_ENTITIES].start)
        stop = _stop(text, start, limit, near)
        inside = [span for span in near if span.start < stop]
        yield from _chunk(text[start:stop].rstrip(), start, inside)
        taken += len(inside) - len(cut)
        start = _after_blank_lines(text, stop)
        cut = [span for span in inside if span.end > start]


def _stop(text: str, start: int, limit: int, spans: list[Span]) -> int:
    """Find the best place to end a chunk; more text after ``limit`` does not change it."""
    for span in spans:
        # Code that has become a file was shown here while it still fitted.
        is_too_long = span.kind == FILE or (span.kind == "pre" and span.end > limit)
        if is_too_long and start + MAX_CHARACTERS - MAX_CODE <= span.start < limit:
            return span.start
    if limit == len(text):
        return limit
    codes = (span.end for span in spans if span.kind == "pre" and span.end <= limit)
    least = max([(start + limit) // 2, *codes])
    for separator in ("\n\n", "\n", " "):
        place = text.rfind(separator, least, limit)
        if place >= 0:
            return place + len(separator)
    places = range(limit, max(limit - _LONGEST_LETTER, start), -1)
    return next((place for place in places if not _is_inside_letter(text, start, place)), limit)


_LONGEST_LETTER = 40
_JOINING = re.compile("[\u200d\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]")
_FLAG_LETTERS = "".join(map(chr, range(0x1F1E6, 0x1F200)))  # two of them make a flag


def _is_inside_letter(text: str, start: int, place: int) -> bool:
    """Tell whether this place is inside what people see as one letter, such as an emoji family."""
    after = text[place]
    if (
        unicodedata.category(after)[0] == "M"
        or _JOINING.match(after)
        or text[place - 1] == "\u200d"
    ):
        return True
    halves = place - len(text[start:place].rstrip(_FLAG_LETTERS)) - start
    return after in _FLAG_LETTERS and halves % 2 == 1


_BLANK_LINES = re.compile(r"(?:[^\S\n]*\n)+")


def _after_blank_lines(text: str, start: int) -> int:
    blank = _BLANK_LINES.match(text, start)
    return blank.end() if blank else start


_ASTRAL = re.compile("[\U00010000-\U0010ffff]")  # Telegram counts these as two: a surrogate pair


def _chunk(text: str, start: int, spans: list[Span]) -> Iterator[Chunk]:
    """Yield the chunk of a text from ``start``, unless there is nothing to see in it."""
    if not is_visible(text):
        return
    astral = [found.start() for found in _ASTRAL.finditer(text)]
    entities = []
    for span in spans:
        first, last = (min(max(at - start, 0), len(text)) for at in (span.start, span.end))
        if span.kind != FILE and text[first:last].strip():
            offset = first + bisect_left(astral, first)
            length = last + bisect_left(astral, last) - offset
            entities.append(_entity(span.kind, offset, length, span.detail))
    # A span that was cut may now be shorter than one it used to contain.
    yield Chunk(text, tuple(sorted(entities, key=lambda e: (e["offset"], -e["length"]))))


def _entity(kind: str, offset: int, length: int, detail: str) -> Entity:
    entity: dict[str, Any] = {"type": kind, "offset": offset, "length": length}
    if kind == "text_link":
        entity["url"] = detail
    elif kind == "pre" and (name := language(detail)):
        entity["language"] = name
    return entity
