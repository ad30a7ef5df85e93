"""A page, written from top to bottom: text and its formatting."""

import re
from bisect import bisect_right
from collections.abc import Iterator

from handlers.rendering.formatting import FILE, Formatted, Span
from handlers.rendering.formula.symbols import small
from handlers.rendering.literal import hidden, unmasked, verbatim


class Page:
    """The text so far, masked; inline HTML and spoilers are still marks in it."""

    def __init__(self) -> None:
        self.size = 0
        self._parts: list[str] = []
        self._newlines = 0
        self._spans: list[Span] = []
        self._open: list[tuple[str, int]] = []
        self._blocks = [0]

    def write(self, text: str) -> None:
        """Write masked text."""
        rest = text.rstrip("\n")
        self._newlines = len(text) - len(rest) + (0 if rest else self._newlines)
        self._parts.append(text)
        self.size += len(text)

    def erase(self) -> None:
        """Remove the last piece written."""
        self.size -= len(self._parts.pop())

    def begin(self, kind: str) -> None:
        """Begin to format what follows."""
        self._open.append((kind, self.size))

    def end(self) -> None:
        """End the newest formatting that was begun."""
        kind, start = self._open.pop()
        self.span(kind, start)

    def span(self, kind: str, start: int, detail: str = "") -> None:
        """Format what was written after the first ``start`` characters."""
        if start < self.size:
            self._spans.append(Span(kind, start, self.size, detail))

    def code(self, kind: str, text: str, detail: str = "") -> None:
        """Write formatted text without marks in it."""
        start = self.size
        self.write(verbatim(text))
        self.span(kind, start, detail)

    def paste(self, part: Formatted) -> None:
        """Write a finished part."""
        start = self.size
        self.write(verbatim(part.text))
        for span in reversed(part.spans):
            self._spans.append(Span(span.kind, span.start + start, span.end + start, span.detail))

    @property
    def last(self) -> str:
        """The last character, if there is one."""
        return self._parts[-1][-1:] if self._parts else ""

    def since(self, start: int) -> str:
        """Return what was written after the first ``start`` characters."""
        parts, found = [], 0
        for part in reversed(self._parts):
            if found >= self.size - start:
                break
            parts.append(part)
            found += len(part)
        return "".join(reversed(parts))

    def line(self, gap: int = 1) -> None:
        """Begin a block, ``gap`` newlines after what is there."""
        if self.size:
            self.write("\n" * (gap - self._newlines))
        self._blocks.append(self.size)

    def finished(self) -> Formatted:
        """Return the whole page, its marks read."""
        text = "".join(self._parts)
        edits, marked = _read(text, self._blocks)
        spans = [_trimmed(text, span) for span in reversed([*self._spans, *marked])]
        whole = Formatted(text, tuple(_simplified(spans))).edited(edits)
        files = [span for span in whole.spans if span.kind == FILE]
        spaces = [
            (*found.span(), "")
            for found in _TRAILING_SPACES.finditer(whole.text)
            if not any(file.start < found.start() < file.end for file in files)
        ]
        return Formatted(unmasked(whole.text), whole.spans).edited(spaces)


_TRAILING_SPACES = re.compile(r"(?<![ \t])[ \t]+(?=\n|\Z)")


def _trimmed(text: str, span: Span) -> Span:
    end = span.start + len(text[span.start : span.end].rstrip("\n"))
    return Span(span.kind, span.start, end, span.detail)


def _simplified(spans: list[Span]) -> Iterator[Span]:
    """Order spans, outer ones first, and drop those inside another of their kind.

    However deep the nesting, a place then has at most one span of each kind.
    """
    ends: dict[str, int] = {}
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if span.start >= ends.get(span.kind, 0) and span.start < span.end:
            ends[span.kind] = span.end
            yield span


# -- Inline HTML and spoilers -------------------------------------------------------------------

_LESS = hidden("<")
_KINDS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "del": "strikethrough",
    "code": "code",
    "kbd": "code",
}
PAIRED = f"sub|sup|{'|'.join(_KINDS)}"
"""Inline HTML that is read, if it is closed."""
SPOILER = r"(?<![^\s(«\"'—–*_~-])(?=\|\|[^\s|])"
"""Where a spoiler begins; in ``f(a||b)`` none does."""
_MARK = re.compile(
    rf"(?=[{_LESS}|])(?:{_LESS}(?P<address>(?:https?|ftp|tg)://[^\s>{_LESS}]+"
    rf"|[^\s@>{_LESS}]+@[^\s@>{_LESS}]+\.[^\s@>{_LESS}]+)>"
    rf"|(?P<br>{_LESS}br[ ]?/?>\n?)"
    rf"|{_LESS}(?:(?P<close>(?<=\S.)/)|(?!/))(?P<tag>{PAIRED})>(?(close)|(?=\S))"
    rf"|(?P<bars>(?:{SPOILER}(?P<opens>))?(?:(?<=[^\s|])(?=\|\|(?![^\W_]))(?P<closes>))?\|\|))",
    re.IGNORECASE,
)
_Edits = list[tuple[int, int, str]]


def _read(text: str, blocks: list[int]) -> tuple[_Edits, list[Span]]:
    """Read inline HTML and spoilers; both marks of a pair are in one block."""
    edits: _Edits = []
    spans: list[Span] = []
    opened: dict[tuple[int, str], re.Match[str]] = {}
    for found in _MARK.finditer(text):
        mark = bisect_right(blocks, found.start()), (found["tag"] or "||").lower()
        opens, closes = found["opens"] is not None, found["closes"] is not None
        if found["tag"]:
            opens, closes = not found["close"], bool(found["close"])
        if found["address"] or found["br"]:
            edits.append((*found.span(), found["address"] or "\n"))
        elif closes and mark in opened:
            _pair(mark[1], opened.pop(mark), found, edits, spans)
        elif opens:
            opened[mark] = found
    return sorted(edits), spans


def _pair(
    name: str, opening: re.Match[str], closing: re.Match[str], edits: _Edits, spans: list[Span]
) -> None:
    start, end = opening.end(), closing.start()
    before = after = ""
    if name in {"sub", "sup"}:
        inner = opening.string[start:end]
        if letters := small(inner, raised=name == "sup"):
            edits.append((start, end, letters))
        else:
            before = "^" if name == "sup" else "_"
            before, after = (before, "") if inner.isalnum() else (f"{before}(", ")")
    else:
        spans.append(Span(_KINDS.get(name, "spoiler"), start, end, ""))
    edits += (*opening.span(), before), (*closing.span(), after)
