"""Text and its formatting: what Markdown says, laid out as Telegram shows it.

Positions count code points, so that no cut can split a surrogate pair.
"""

import re
import sys
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import accumulate

from telegramify_markdown import RenderConfig
from telegramify_markdown.converter import convert_with_segments

from handlers.markdown import is_costly, shielded, spelled_out, unshielded

FILE = "file"
"""The kind of a span of code that is too long to be read in a chat."""

MAX_CODE = 3500
"""Code points of code in a chat: a phone's screen shows about a thousand."""

Edit = tuple[int, int, str]
"""Put these words in place of ``text[start:end]``."""


@dataclass(frozen=True, slots=True)
class Span:
    """Formatting of ``text[start:end]``; ``detail`` is a URL, or a code block's info string.

    Kinds are those of a `telegram.MessageEntity`, and `FILE`.
    """

    kind: str
    start: int
    end: int
    detail: str


@dataclass(frozen=True, slots=True)
class Formatted:
    """A text and its spans, in order, outer ones first."""

    text: str
    spans: tuple[Span, ...]

    def edited(self, edits: Collection[Edit], dropped: Collection[Span]) -> "Formatted":
        """Return this after some edits, which are in order, and without some spans."""
        parts: list[str] = []
        done = 0
        for start, end, new in edits:
            parts += self.text[done:start], new
            done = end
        starts = [start for start, _, _ in edits]
        ends = [end for _, end, _ in edits]
        shifts = [0, *accumulate(len(new) + start - end for start, end, new in edits)]
        moved = [
            Span(
                span.kind,
                span.start + shifts[bisect_right(ends, span.start)],
                span.end + shifts[bisect_left(starts, span.end)],
                span.detail,
            )
            for span in self.spans
            if span not in dropped
        ]
        return Formatted("".join([*parts, self.text[done:]]), tuple(moved))


def is_visible(text: str) -> bool:
    """Tell whether there is more than spaces, controls, and marks with no letter to sit on."""
    return any(unicodedata.category(c) not in _INVISIBLE for c in text)


_INVISIBLE = {"Zs", "Zl", "Zp", "Cc", "Cf", "Mn", "Mc", "Me"}


def joined(parts: Iterable[tuple[str, Formatted]]) -> Formatted:
    """Put parts together, each one, but the first to have words, after its own separator."""
    text, spans = "", list[Span]()
    for separator, part in parts:
        body = part.text.strip("\n")
        if not body:
            continue
        text += separator if text else ""
        first = len(text)
        shift = first - part.text.index(body)
        text += body
        for span in part.spans:
            start, end = max(span.start + shift, first), min(span.end + shift, len(text))
            spans.append(Span(span.kind, start, end, span.detail))
    return Formatted(text, tuple(spans))


# -- From Markdown ------------------------------------------------------------------------------


def formatted(source: str) -> Formatted:
    """Read Markdown; what the converter would not finish in fair time stays as it is."""
    if not is_visible(source) or is_costly(source):
        return Formatted(source, ())
    text, entities, segments = convert_with_segments(
        _FIRST_BLOCK + shielded(source), config=_CONFIG
    )
    text = "\n" + unshielded(text[1:])
    long = {
        segment.utf16_start
        for segment in segments
        if segment.text_end - segment.text_start > MAX_CODE
    }
    astral = [found.start() + count for count, found in enumerate(ASTRAL.finditer(text))]
    spans = []
    for entity in reversed(entities):  # the outer of two with the same bounds is its last
        stop = entity.offset + entity.length
        start, end = (units - bisect_left(astral, units) for units in (entity.offset, stop))
        end = start + len(text[start:end].rstrip("\n"))
        kind = FILE if entity.type == "pre" and entity.offset in long else entity.type
        spans.append(Span(kind, start, end, unshielded(entity.url or entity.language or "")))
    return _spliced(Formatted(text, tuple(_simplified(spans))))


ASTRAL = re.compile("[\U00010000-\U0010ffff]")
"""What Telegram counts as two, a surrogate pair."""

# The converter begins each block on a line of its own, even in a list item, but not the first.
_FIRST_BLOCK = "\ufdef\n\n"


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


def _simplified(spans: list[Span]) -> list[Span]:
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


def _spliced(whole: Formatted) -> Formatted:
    """Write out links that cannot be links, and take away the spaces that pad tables."""
    refused = {s for s in whole.spans if s.kind == "text_link" and not _ADDRESS.fullmatch(s.detail)}
    edits = [(s.end, s.end, spelled_out(s.detail, whole.text[s.start : s.end])) for s in refused]
    files = [span for span in whole.spans if span.kind == FILE]
    edits += [
        (*found.span(), "")
        for found in _TRAILING_SPACES.finditer(whole.text)
        if not any(file.start < found.start() < file.end for file in files)
    ]
    return whole.edited(sorted(edits), refused)


# What Telegram takes for the address of a link; with any other it refuses the whole message.
_ADDRESS = re.compile(
    r"https?://[\w-]+(\.[\w-]+)+(:[1-9][0-9]{0,3}|:[1-5][0-9]{4})?([/?#]\S*)?|tg://[a-z0-9]+(\?\S*)?"
)
_TRAILING_SPACES = re.compile(r"(?<![ \t])[ \t]+(?=\n|\Z)")
