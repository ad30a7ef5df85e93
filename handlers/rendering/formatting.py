"""Text and its formatting.

Positions count code points, so that no cut can split a surrogate pair.
"""

import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

FILE = "file"
"""The kind of span for code that is too long to read in a chat."""

Edit = tuple[int, int, str]
"""``start, end, words``: replaces ``text[start:end]`` by the words."""


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

    def edited(self, edits: Sequence[Edit]) -> "Formatted":
        """Apply edits, given in order."""
        if not edits:
            return self
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
        ]
        return Formatted("".join([*parts, self.text[done:]]), tuple(moved))


def is_visible(text: str) -> bool:
    """Tell whether there is more than spaces, control characters and marks without a letter."""
    return any(unicodedata.category(c) not in _INVISIBLE for c in text)


_INVISIBLE = {"Zs", "Zl", "Zp", "Cc", "Cf", "Mn", "Mc", "Me"}


def joined(parts: Iterable[tuple[str, Formatted]]) -> Formatted:
    """Join parts, each after its own separator; the first with words needs none."""
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


def spelled_out(url: str, label: str) -> str:
    """Return what to write after the label where a link cannot be shown as one; may be empty."""
    url = url.removeprefix("mailto:").removeprefix("tel:")
    return "" if url.startswith(("#", "tg://emoji?")) or url in label else f" ({url})"
