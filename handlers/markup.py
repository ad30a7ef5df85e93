"""A model's Markdown as Telegram messages: plain text and entities, cut to Telegram's limits.

Between the converter and the chunks positions count code points, so that no cut can split a
surrogate pair; only a finished chunk speaks of UTF-16 units, as Telegram does.
"""

import re
import sys
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import accumulate

from telegram import MessageEntity
from telegramify_markdown import RenderConfig, convert

from handlers.markdown import answer, is_costly, shielded, spelled_out, unshielded

MAX_CHARACTERS = 4000
"""Code points in a chunk. Telegram takes 4096 and refuses what is longer."""

MAX_ENTITIES = 90
"""Entities in a chunk. Telegram applies 100, and finds some (bare links, hashtags) by itself."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """One message: a text that is never blank and its entities, in order, in UTF-16 units."""

    text: str
    entities: tuple[MessageEntity, ...]


@dataclass(frozen=True, slots=True)
class _Span:
    """Formatting of ``text[start:end]``, in code points; ``detail`` is a URL or a language."""

    kind: str
    start: int
    end: int
    detail: str


def render(markdown: str) -> list[Chunk]:
    """Turn a model's answer, or as much of it as has come, into messages.

    Empty when there is nothing to see, as while the model is still thinking. Any text is
    accepted: one that the converter would lose, or not finish in fair time, is shown as it is.
    """
    source = answer(markdown)
    if _is_visible(source) and not is_costly(source):
        text, spans = _converted(source)
        if _is_visible(text):
            return list(_chunks(text, spans))
    return list(_chunks(source, []))


_INVISIBLE = {"Zs", "Zl", "Zp", "Cc", "Cf", "Mn", "Mc", "Me"}


def _is_visible(text: str) -> bool:
    """Tell whether there is more than spaces, controls, and marks with no letter to sit on."""
    return any(unicodedata.category(c) not in _INVISIBLE for c in text)


# -- Conversion ---------------------------------------------------------------------------------


def _plain_symbols() -> RenderConfig:
    """Make the converter add no words of its own, and fold nothing away."""
    config = RenderConfig.isolated()
    config.cite_expandable = False
    symbol = config.markdown_symbol
    symbol.heading_level_1 = symbol.heading_level_2 = ""
    symbol.heading_level_3 = symbol.heading_level_4 = ""
    symbol.image = ""
    symbol.unordered_list_item = "•"
    symbol.task_completed, symbol.task_uncompleted = "☑", "☐"
    return config


_CONFIG = _plain_symbols()

# The converter begins each block on a line of its own, even in a list item, but not the first.
_FIRST_BLOCK = "\ufdef\n\n"

_ASTRAL = re.compile("[\U00010000-\U0010ffff]")


def _converted(source: str) -> tuple[str, list[_Span]]:
    text, entities = convert(_FIRST_BLOCK + shielded(source), config=_CONFIG)
    text = "\n" + unshielded(text[1:])
    astral = [found.start() + count for count, found in enumerate(_ASTRAL.finditer(text))]
    spans = []
    for entity in reversed(entities):  # the outer of two with the same bounds is its last
        stop = entity.offset + entity.length
        start, end = (units - bisect_left(astral, units) for units in (entity.offset, stop))
        detail = entity.url or (entity.language or "").partition(" ")[0]
        spans.append(_Span(entity.type, start, end, unshielded(detail)))
    return _spliced(text, _simplified(spans))


def _simplified(spans: list[_Span]) -> list[_Span]:
    """Order spans, outer ones first, without those inside another of their own kind.

    So no place is covered by more spans than there are kinds, however deep the nesting. Custom
    emoji, which bots may not send, stay the plain text they stand on.
    """
    ends = {"custom_emoji": sys.maxsize}
    kept = []
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if span.start >= ends.get(span.kind, 0):
            ends[span.kind] = span.end
            kept.append(span)
    return kept


def _spliced(text: str, spans: list[_Span]) -> tuple[str, list[_Span]]:
    """Write out links that cannot be links, and take away the spaces that pad tables."""
    refused = {s for s in spans if s.kind == "text_link" and not _ADDRESS.fullmatch(s.detail)}
    edits = [(s.end, s.end, spelled_out(s.detail, text[s.start : s.end])) for s in refused]
    edits += [(*found.span(), "") for found in _TRAILING_SPACES.finditer(text)]
    edits.sort()
    parts: list[str] = []
    done = 0
    for start, end, new in edits:
        parts += text[done:start], new
        done = end
    places = [start for start, _, _ in edits]
    shifts = [0, *accumulate(len(new) + start - end for start, end, new in edits)]
    moved = [
        replace(
            span,
            start=span.start + shifts[bisect_right(places, span.start)],
            end=span.end + shifts[bisect_left(places, span.end)],
        )
        for span in spans
        if span not in refused
    ]
    return "".join([*parts, text[done:]]), moved


# What Telegram takes for the address of a link; with any other it refuses the whole message.
_ADDRESS = re.compile(
    r"https?://[\w-]+(\.[\w-]+)+(:[1-9][0-9]{0,3}|:[1-5][0-9]{4})?([/?#]\S*)?|tg://[a-z0-9]+(\?\S*)?"
)
_TRAILING_SPACES = re.compile(r"(?<![ \t])[ \t]+(?=\n)")


# -- Chunks -------------------------------------------------------------------------------------


def _chunks(text: str, spans: list[_Span]) -> Iterator[Chunk]:
    start = _after_blank_lines(text, 0)
    taken = 0
    cut: list[_Span] = []  # those that go on in the next chunk, code with its language
    while start < len(text):
        near = [*cut, *spans[taken : taken + MAX_ENTITIES + 1]]
        limit = min(start + MAX_CHARACTERS, len(text))
        if len(near) > MAX_ENTITIES:
            limit = min(limit, near[MAX_ENTITIES].start)
        stop = _stop(text, start, limit, near) if limit < len(text) else limit
        inside = [span for span in near if span.start < stop]
        yield from _chunk(text[start:stop].rstrip(), start, inside)
        taken += len(inside) - len(cut)
        start = _after_blank_lines(text, stop)
        cut = [span for span in inside if span.end > start]


def _stop(text: str, start: int, limit: int, spans: list[_Span]) -> int:
    """Find the best place to end a chunk, if its second half has one, and at ``limit`` else."""
    half = (start + limit) // 2
    for span in spans:
        if span.kind == "pre" and half < span.start < limit < span.end:
            return span.start
    for separator in ("\n\n", "\n", " "):
        place = text.rfind(separator, half, limit)
        if place >= 0:
            return place + len(separator)
    return limit


_BLANK_LINES = re.compile(r"(?:[^\S\n]*\n)+")


def _after_blank_lines(text: str, start: int) -> int:
    blank = _BLANK_LINES.match(text, start)
    return blank.end() if blank else start


def _chunk(text: str, start: int, spans: list[_Span]) -> Iterator[Chunk]:
    """Yield a chunk, whose text begins at ``start``, unless there is nothing to see in it."""
    if not _is_visible(text):
        return
    astral = [found.start() for found in _ASTRAL.finditer(text)]
    entities = []
    for span in spans:
        first, last = (min(max(at - start, 0), len(text)) for at in (span.start, span.end))
        if text[first:last].strip():
            entities.append(_entity(replace(span, start=first, end=last), astral))
    yield Chunk(text, tuple(entities))


def _entity(span: _Span, astral: list[int]) -> MessageEntity:
    start, end = (place + bisect_left(astral, place) for place in (span.start, span.end))
    return MessageEntity(
        span.kind,
        start,
        end - start,
        url=span.detail if span.kind == "text_link" else None,
        language=(span.detail or None) if span.kind == "pre" else None,
    )
