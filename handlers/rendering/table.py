"""A table for a phone: columns where they fit, else a block for each row."""

import unicodedata
from collections.abc import Sequence
from itertools import zip_longest

from handlers.rendering.formatting import Formatted, Span, joined, spelled_out

MAX_WIDTH = 40
"""Letters of fixed width that fit on a line of a phone's screen."""


def laid_out(rows: Sequence[Sequence[Formatted]]) -> Formatted:
    """Lay out a table; its first row is the head, and all rows have the same length.

    Columns are aligned in fixed width and lose all other formatting.
    """
    text = _grid([list(map(_plain, row)) for row in rows])
    if max(map(width, text.split("\n"))) <= MAX_WIDTH:
        return Formatted(text, (Span("pre", 0, len(text), ""),))
    head, *body = rows
    if not body:
        return joined([(" | ", _bold(cell)) for cell in head])
    return joined([("\n\n", _block(head, row)) for row in body])


def _plain(cell: Formatted) -> str:
    links = [span for span in cell.spans if span.kind == "text_link"]
    edits = [(s.end, s.end, spelled_out(s.detail, cell.text[s.start : s.end])) for s in links]
    return cell.edited(edits).text


def _grid(rows: Sequence[Sequence[str]]) -> str:
    cells = [[cell.split("\n") for cell in row] for row in rows]
    widths = [
        max(width(line) for cell in column for line in cell) for column in zip(*cells, strict=True)
    ]
    lines = [_line(line, widths) for row in cells for line in zip_longest(*row, fillvalue="")]
    if len(rows) > 1:
        rule = "-+-".join("-" * width for width in widths)
        lines.insert(max(map(len, cells[0])), rule)
    return "\n".join(lines)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [cell + " " * (w - width(cell)) for cell, w in zip(cells, widths, strict=True)]
    return " | ".join(padded).rstrip()


def width(line: str) -> int:
    """Return how many columns a line takes in a font of fixed width."""
    return sum(_width(letter) for letter in line) if not line.isascii() else len(line)


def _width(letter: str) -> int:
    if unicodedata.category(letter) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def _block(head: Sequence[Formatted], row: Sequence[Formatted]) -> Formatted:
    return joined([("\n", _entry(name, cell)) for name, cell in zip(head, row, strict=True)])


def _entry(name: Formatted, cell: Formatted) -> Formatted:
    if not name.text.strip():
        return _bold(cell)
    label = _bold(Formatted(f"{name.text.rstrip(' :')}:", name.spans))
    return joined([("", label), (" ", cell if cell.text.strip() else Formatted("—", ()))])


def _bold(part: Formatted) -> Formatted:
    return Formatted(part.text, (Span("bold", 0, len(part.text), ""), *part.spans))
