"""A model's Markdown, prepared for the parser: literal text and formulas are masked.

Masks are characters that the parser takes for letters, one for one, so positions do not change.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Any

import pyromark

from handlers.rendering.literal import literal, without_unused_definitions
from storage.message import well_formed

# Noncharacters serve as masks: in text from outside they mean nothing.
_NONCHARACTERS = re.compile("[\ufdd0-\ufdef]")
_FORMULA, _FORMULA_GOES_ON = "\ufdee", "\ufdef"
FORMULA = re.compile(f"{_FORMULA}{_FORMULA_GOES_ON}*")
"""A formula in masked text."""

_OPTIONS = (
    pyromark.Options.ENABLE_TABLES
    | pyromark.Options.ENABLE_STRIKETHROUGH
    | pyromark.Options.ENABLE_TASKLISTS
)


def answer(markdown: str) -> str:
    """Return the answer in a model's output: well-formed, with newlines as line ends."""
    text = _NONCHARACTERS.sub("\ufffd", well_formed(markdown))
    return _LEADING_THOUGHT.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


# Only at the start, where models put it: an answer about the tag keeps it.
_LEADING_THOUGHT = re.compile(r"\A(?:\s*<think>.*?(?:</think>|\Z))+", re.DOTALL | re.IGNORECASE)


def is_costly(source: str) -> bool:
    """Tell whether reading takes time, or gives output, that grows with the square of this text.

    The limits are measured ones, far above any honest answer; a model caught in a loop exceeds
    them.
    """
    return _LIST_IN_LIST.search(source) is not None or any(
        map(_is_costly_table, source.split("\n\n") if "|" in source else ())
    )


# Each level indents what is in it, so one line of N markers would become N * N spaces.
_LIST_IN_LIST = re.compile(r"(?=[-+*\d])(?:(?:[-+*]|\d{1,9}[.)])[ \t>]+){10}[^\s>+*-]")


def _is_costly_table(paragraph: str) -> bool:
    lines = paragraph.split("\n")  # each row gets as many cells as the widest
    return "|" in paragraph and len(lines) * max(map(len, lines)) > 300_000


def events(masked: str) -> Iterator[tuple[Any, int, int]]:
    """Parse; yields events with the bytes of the text where they begin and end."""
    for event, place in pyromark.events_with_range(masked, options=_OPTIONS):
        yield event, place["start"], place["end"]


def characters(raw: bytes, places: Iterable[int]) -> Iterator[int]:
    """Convert the parser's byte offsets, in order, to positions in the string."""
    done = count = 0
    for place in places:
        count += len(raw[done:place].decode())
        done = place
        yield count


# -- Formulas -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Formula:
    """Where a formula is in a text, delimiters included, and what is between them."""

    start: int
    end: int
    latex: str
    display: bool


@dataclass(frozen=True, slots=True)
class Masked:
    """A text as the parser sees it.

    ``open`` is where an unfinished formula at the end begins, if there is one.
    """

    source: str
    text: str
    formulas: tuple[Formula, ...]
    open: int | None


@lru_cache(maxsize=1)  # `closed` reads a growing text just before it is laid out
def masked(source: str) -> Masked:
    """Mask literals and formulas."""
    formulas, unfinished = _formulas(source) if _MAY_HOLD_FORMULA.search(source) else ((), None)
    parts: list[str] = []
    done = 0
    for formula in formulas:
        goes_on = _FORMULA_GOES_ON * (formula.end - formula.start - 1)
        parts += source[done : formula.start], _FORMULA, goes_on
        done = formula.end
    text = literal("".join([*parts, source[done:]]))
    return Masked(source, without_unused_definitions(text), tuple(formulas), unfinished)


_MAY_HOLD_FORMULA = re.compile(r"\$|\\[(\[]|\\begin\{|\\ce\{")


def _formulas(source: str) -> tuple[list[Formula], int | None]:
    found: list[Formula] = []
    unfinished = None
    for start, end in _between_code(source):
        bounds = [start, *(gap.end() for gap in _BLANK_LINE.finditer(source, start, end)), end]
        for first, last in pairwise(bounds):
            unfinished = _scan(source, first, last, found)
    return found, unfinished


_BLANK_LINE = re.compile(r"\n[ \t>]*\n")


def _between_code(source: str) -> Iterator[tuple[int, int]]:
    text = literal(source)
    bounds = [0]
    for event, start, end in events(text):
        if "Code" in event or ("Start" in event and "CodeBlock" in event["Start"]):
            bounds += start, end
    places = list(characters(text.encode(), bounds))
    return zip(places[::2], [*places[1::2], len(source)], strict=True)


_OPENING = re.compile(
    r"(?P<inline>\\\()|(?P<display>\\\[|\$\$)|(?P<dollar>(?<![\dA-Za-z])\$(?!\s|\Z))"
    r"|(?P<environment>\\begin\{(?P<name>(?:[bBpvVd]?(?:matrix|cases)|array|(?:align|gather|equation"
    r"|multline|split)(?:ed)?)\*?)\})"
    r"|(?P<chemistry>\\ce(?=\{))"
    r"|\\.|(?:https?|ftp|tg)://\S+|\][(:] ?[^()\s]*"  # no formula begins in these
)
_DOLLAR = re.compile(r"(?<!\\)\$")
_BRACED = re.compile(r"\{(?:[^{}]|\{[^{}]*\})*\}")
_CLOSING = {"\\(": "\\)", "\\[": "\\]", "$$": "$$"}


def _scan(source: str, place: int, stop: int, found: list[Formula]) -> int | None:
    """Find the formulas of a paragraph; returns where an unclosed one begins."""
    unfinished = None
    without_end: set[str] = set()
    while opening := _OPENING.search(source, place, stop):
        place = opening.end()
        if opening.lastgroup is None or opening[0] in without_end:
            continue
        start, end = _closed(source, opening, stop)
        if end < 0:
            without_end.add(opening[0])
            if unfinished is None and _may_go_on(source, opening, stop):
                unfinished = opening.start()
        elif start - place <= _LONGEST and _is_formula(source, opening, start, end):
            bare = opening["name"] or opening["chemistry"]
            latex = source[opening.start() : end] if bare else source[place:start]
            display = not (opening["inline"] or opening["dollar"] or opening["chemistry"])
            found.append(Formula(opening.start(), end, _QUOTED.sub("\n", latex), display))
            place = end
    return unfinished


_LONGEST = 3000
_QUOTED = re.compile(r"\n[ \t]*(?:>[ \t]?)+")


def _closed(source: str, opening: re.Match[str], stop: int) -> tuple[int, int]:
    """Find where a formula's closing delimiter begins and ends; -1 if it has none."""
    if opening["dollar"]:
        closing = _DOLLAR.search(source, opening.end(), stop)
        return closing.span() if closing else (-1, -1)
    if opening["chemistry"]:
        braced = _BRACED.match(source, opening.end(), stop)
        return (braced.end(), braced.end()) if braced else (-1, -1)
    mark = _CLOSING.get(opening[0]) or f"\\end{{{opening['name']}}}"
    place = source.find(mark, opening.end(), stop)
    return place, place + len(mark) if place >= 0 else -1


def _is_formula(source: str, opening: re.Match[str], start: int, end: int) -> bool:
    latex = source[opening.end() : start]
    if opening["chemistry"]:
        return True
    if not latex.strip() or _is_prose(latex) or _depth(latex) > _DEEPEST:
        return False
    if opening["dollar"]:
        return not latex[-1].isspace() and not _WORD_GOES_ON.match(source, end)
    if opening[0] == "\\[":  # it may be an escaped bracket
        before = source[: opening.start()].rpartition("\n")[2]
        alone = not (before + source[end:].partition("\n")[0]).strip(" \t>")
        return alone or _MATHEMATICAL.search(latex) is not None
    return True


def _may_go_on(source: str, opening: re.Match[str], stop: int) -> bool:
    latex = source[opening.end() : stop]
    if stop < len(source) or _is_prose(latex):
        return False
    return not opening["dollar"] or (len(latex) <= _LONGEST_INLINE and "\n" not in latex)


def _depth(latex: str) -> int:
    return max(accumulate(_BRACES[c] for c in latex if c in _BRACES), default=0)


_BRACES = {"{": 1, "}": -1}
_DEEPEST = 40
_LONGEST_INLINE = 80
_WORD_GOES_ON = re.compile(r"[A-Za-z\d_{(]")  # $5-$10 and ${A}/${B} are none
_MATHEMATICAL = re.compile(r"[\\^_=<>+*]")


def _is_prose(latex: str) -> bool:
    """Tell whether this is prose between the signs of two prices or two variables."""
    words = _WORD.findall(_COMMAND.sub(" ", f" {latex}"))
    if latex[:1].isdigit():
        return bool(words) or _NUMBERS.fullmatch(latex) is not None
    return len(words) > 1 and not _MATHEMATICAL.search(latex)


_NUMBERS = re.compile(r"[\d.,]+\s[\d.,\s]*")
_COMMAND = re.compile(r"\\[A-Za-z]+|\{[^{}]*\}")
_WORD = re.compile(
    r"(?<=\s)(?:[^\W\d_]{3,}|[а-яё]{2,}|[авикосу]|(?:a|an|and|at|by|in|is|of|on|or|to))(?![\w^_])"
)
