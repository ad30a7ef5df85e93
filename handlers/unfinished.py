"""A model's Markdown while it grows: what can be judged of it, and how it will be read.

Marks are shown neither before it is known what they are nor as something else than they will
be: what has been opened is closed, and the few characters at the end that may still become
anything wait for the next ones.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from handlers.markdown import columns, events, literal

SECTION = 2000
"""Code points of Markdown that are read at once, more where a block is longer."""


# -- The end that cannot be judged yet ----------------------------------------------------------


def judged(source: str) -> str:
    """Return this without its end, as far as that may still become anything."""
    source = source.rstrip()
    start = source.rfind("\n") + 1
    if _MARKS_ALONE.fullmatch(source, start) or "<think>".startswith(source.strip().lower()):
        return source[:start].rstrip()
    near = max(start, len(source) - 80)
    return source[:near] + _UNDECIDED.sub("", source[near:]).rstrip()


_MARKS_ALONE = re.compile(
    r"[-+*=#|:_~`>\s]*(?:\[[ xX]?\]?)?"  # a rule, the mark of a list, a heading, a task …
    r"|[ \t>]*(?:(?:[-+*]|\d+[.)])[ \t]+)*(?:`{3,}|~{3,})[^`\n]*"  # a fence and its language
)
_UNDECIDED = re.compile(
    r"(?:(?<!\w)__[a-z]+(?:__?\.?)?+"  # __init__ may be bold, or a name
    r"|&#?\w{0,10}+"
    r"|(?<!\S)!\[?|\["
    r"|[*_~`$|\\\s])++\Z"
)


# -- Parts that will not change any more --------------------------------------------------------


def sections(source: str) -> Iterator[tuple[str, str]]:
    """Cut Markdown where it may be read in parts; yields what separates a part, and the part.

    A longer text has the same parts, but for the last one.
    """
    separator, start, size = "", 0, SECTION
    while start + size < len(source):
        next_separator, length = _first_part(source[start : start + size])
        if length:
            yield separator, source[start : start + length]
            separator, start, size = next_separator, start + length, SECTION
        else:
            size *= 2
    yield separator, source[start:]


@lru_cache(maxsize=1024)  # as many parts as fifty long answers have
def _first_part(source: str) -> tuple[str, int]:
    """Find where the last block, or item of a list, begins, and what separates it; 0 for none."""
    source = literal(source[: source.rfind("\n") + 1])
    raw = source.encode()
    separator, cut = "", 0
    depth, number = 0, None  # of the next item, where the parser counts
    for event, place, _ in events(source):
        if "End" in event:
            depth -= 1
            continue
        start = raw.rfind(b"\n", 0, place) + 1
        if depth == 0 and start > cut:
            separator, cut = _separator(raw, start), start
        elif depth == 1 and event == {"Start": "Item"}:
            if start > cut and raw.startswith(b"" if number is None else b"%d" % number, place):
                separator, cut = "\n", start
            number = None if number is None else number + 1
        if depth == 0 and "Start" in event and "List" in event["Start"]:
            number = event["Start"]["List"]
        depth += "Start" in event
    return separator, len(raw[:cut].decode())


def _separator(raw: bytes, start: int) -> str:
    """Return what the converter puts between two blocks: an empty line, if there is one."""
    before, _, _ = raw[:start].rpartition(b"\n")
    return "\n" if before.rpartition(b"\n")[2].strip() else "\n\n"


# -- What is still open -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Block:
    """The last block of a text, and the marks in it that have no counterpart, and their places."""

    kind: str
    start: int
    marks: list[tuple[int, str]]


def closed(source: str) -> str:
    """Read on what is open at the end: formatting and code end there, a table has its rule.

    Of a link there is the label, and of a formula nothing. Gives literal characters shielded.
    """
    source = literal(source)
    block = _last_block(source)
    for _ in range(_MOST_CUTS):
        found = next(filter(None, (_CUT.match(source, place) for place, _ in block.marks)), None)
        if not found:
            break
        source = judged(source[: found.start()] + (found["label"] or ""))
        block = _last_block(source)
    if block.kind == "CodeBlock":
        return source
    for place, mark in reversed(block.marks):
        source += mark if _OPENING.match(source, place) else ""
    if block.kind.startswith("Table"):
        return source
    return source + (_spoiler(source, block.start) or _rule(source))


_MOST_CUTS = 3  # an image in a link, say
_URL = r"""\((?:[^()\s]|\([^()\s]*+\)?)*+(?:[ ]"[^"\n]*"?)?"""
_LABEL = r"(?:[^\[\]\n]|!?\[[^\[\]\n]*\](?:\([^()\n]*\))?){0,200}+"
_END = rf"(?:\](?:{_URL}|\[[^\[\]\n]*)?)?\Z"
_CUT = re.compile(
    rf"(?<![\w\])])!?\[(?:\d{{0,3}}{_END}|(?P<label>{_LABEL}){_END})"  # a lone number can wait
    r"|\$\$[\s\S]{0,400}\Z"
    r"|\$(?![\s\d])[^\n]{0,80}\Z"  # with a digit it is a price
    r"|\\[(\[][\s\S]{0,400}\Z"
)
_OPENING = re.compile(
    r"\*+(?=[^\W_])"
    r"|(?<![^\W_])(?<![^\W_][*_])(?<![^\W_][*_]{2})[*_]+(?=\S)"  # not after a word
    r"|~~(?=\S)|(?<=~)~(?=\S)|`"
)


def _last_block(source: str) -> _Block:
    raw = source.encode()
    kind, first, marks, code = "", 0, list[tuple[int, bytes]](), False
    for event, start, end in events(source):
        match event:
            case {"Start": "TableCell"} if code or start == end:
                pass  # code may hold what divides cells, and cells may be missing
            case {"Start": tag} if (name := _name(tag)) not in _INLINE:
                kind, first, marks, code = name, start, [], False
            case _ if code:
                pass
            case {"Start": tag} if _INLINE[_name(tag)]:
                marks.append((start, raw[start : start + _INLINE[_name(tag)]]))
            case {"End": str(tag)} if tag in _INLINE:
                marks = [mark for mark in marks if mark[0] < start]
            case {"Text": text} if raw[start - 1 : start] == b"\\":
                if text.startswith(("(", "[")):
                    marks.append((start - 1, b""))
            case {"Text": text} if _MARK.fullmatch(text):
                marks.append((start, text.encode()))
                code = "`" in text
    places = list(_characters(raw, [first, *(place for place, _ in marks)]))
    return _Block(
        kind, places[0], [(p, m.decode()) for p, (_, m) in zip(places[1:], marks, strict=True)]
    )


# What begins inside a line, and by a mark of how many bytes where it ends with the same.
_INLINE = {"Strong": 2, "Strikethrough": 2, "Emphasis": 1, "Link": 0, "Image": 0}
_MARK = re.compile(r"`+|!?\[|[*_~$]")


def _name(tag: Any) -> str:
    return tag if isinstance(tag, str) else str(next(iter(tag)))


def _characters(raw: bytes, places: list[int]) -> Iterator[int]:
    """Turn the parser's places, which are in order and count bytes, into a string's."""
    done = count = 0
    for place in places:
        count += len(raw[done:place].decode())
        done = place
        yield count


def _spoiler(source: str, start: int) -> str:
    """Close a spoiler, of which the parser knows nothing."""
    last = source.rfind("||", start)
    opened = source.count("||", start) % 2 and _SPOILER.match(source, last)
    return "||" if opened else ""


_SPOILER = re.compile(r"(?<!\w)\|\|(?=\S)")


def _rule(source: str) -> str:
    """Make a table of a row that is not yet one for want of the rule below it."""
    *_, before, head = ("", *source.split("\n"))
    row = _ROW.match(head)
    if not row or _ROW.match(before):
        return ""
    return f"\n{row[1]}|" + "-|" * (columns(head) + 1)


_ROW = re.compile(r"([ \t>]*)\|(?!\|)")
