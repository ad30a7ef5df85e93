"""A model's Markdown while it grows: how much of it can be read, and as what.

A mark is never shown as something it does not turn out to be: what is open gets closed, and the
last few characters wait while they may still become anything.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from handlers.rendering.markdown import Masked, characters, events, masked
from handlers.rendering.page import PAIRED, SPOILER

SECTION = 2000
"""Code points of Markdown read at once; more where one block is longer."""


# -- The end that cannot be judged yet ----------------------------------------------------------


def judged(source: str) -> str:
    """Drop the end of the text that may still become anything."""
    source = source.rstrip()
    start = source.rfind("\n") + 1
    if _MARKS_ALONE.fullmatch(source, start) or "<think>".startswith(source.strip().lower()):
        return source[:start].rstrip()
    near = max(start, len(source) - 80)
    return source[:near] + _UNDECIDED.sub("", source[near:]).rstrip()


_MARKS_ALONE = re.compile(
    r"[-+*=#|:_~`>\s]*(?:\[[ xX]?\]?)?"  # a rule, the mark of a list, a heading, a task …
    r"|[ \t]*>\d+[.)]?"  # a comparison, or a list in a quotation
    r"|[ \t>]*(?:(?:[-+*]|\d+[.)])[ \t]+)*(?:`{3,}|~{3,})[^`\n]*"  # a fence and its language
)
_UNDECIDED = re.compile(
    r"(?=[][<>*_~`$|&!\\\s])"  # most letters are none of these: the rest need not be tried
    r"(?:(?<=\d[.)] )(?:>[ =]*|\[[ xX]?\]?)"  # "1. >= 5" compares, "1. [x] да" is a task
    r"|(?<![^\W_])(?<![*\\])\*\."  # *.log is a pattern
    r"|(?<!\\)\\(?:ce?|be?g?i?n?(?:\{[A-Za-z*]*)?)"  # a formula without delimiters
    r"|(?<!\S)\*\*/\S*+"  # **/a may be a path, or **/a** in bold
    r"|(?<!\w)__(?:[a-z][a-z\d_]*|[A-Z][A-Z\d_]*)?+"  # __init__ may be bold, or a name
    rf"|<(?:(?:https?|ftp|tg):[^\s<>]*|/?(?:br|{PAIRED})[ ]?/?>|/?[\w.+-]*@?[\w.-]*[ ]?/?)"
    r"|&#?\w{0,10}+"
    r"|(?<=[)\]])\*\*[A-Za-z]"  # (a)**n is a power, (a)**no** bold
    r"|(?<!\S)!\[?|\["
    r"|[*_~`$|\\\s])++\Z"
)


# -- Parts that no longer change ----------------------------------------------------------------


def sections(source: str) -> Iterator[tuple[str, str]]:
    """Cut Markdown into parts that can be read alone; yields each with its separator before it.

    A longer text has the same parts, except for the last one.
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
    """Find where the last block or list item begins, and its separator; 0 for none."""
    text = masked(source[: source.rfind("\n") + 1]).text
    raw = text.encode()
    separator, cut = "", 0
    depth, number = 0, b""
    for event, place, _ in events(text):
        if "End" in event:
            depth -= 1
            continue
        start = raw.rfind(b"\n", 0, place) + 1
        if depth == 0:
            number = b""
            if start > cut:
                separator, cut = _separator(raw, start), start
        elif depth == 1 and event == {"Start": "Item"}:
            found = _NUMBER.match(raw, place)
            before, number = number, found[0] if found else b"-"
            if start > cut and (number != before or not found):  # equal numbers count up
                separator, cut = "\n", start
        depth += "Start" in event
    return separator, len(raw[:cut].decode())


_NUMBER = re.compile(rb"\d+")


def _separator(raw: bytes, start: int) -> str:
    """Return what the converter puts between two blocks: an empty line, if there is one."""
    before, _, _ = raw[:start].rpartition(b"\n")
    return "\n" if before.rpartition(b"\n")[2].strip() else "\n\n"


# -- What is still open -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Block:
    """The last block of a text, and its unpaired marks with their places."""

    kind: str
    start: int
    marks: list[tuple[int, str]]


def closed(source: str) -> str:
    """Close what is open at the end: formatting, code; a table gets its rule.

    An open link leaves its label, an open formula nothing.
    """
    mask = masked(source)
    if mask.open is not None:
        source = _before(mask, mask.open)
        mask = masked(source)
    block = _last_block(mask.text)
    for _ in range(_MOST_CUTS):
        found = next(filter(None, (_CUT.match(mask.text, at) for at, _ in block.marks)), None)
        if not found:
            break
        label = source[slice(*found.span("label"))] if found["label"] else ""
        source = judged(source[: found.start()] + label) if label else _before(mask, found.start())
        mask = masked(source)
        block = _last_block(mask.text)
    if block.kind == "CodeBlock":
        is_formula = _FENCE_OF_FORMULA.match(source, block.start)
        return _before(mask, block.start) if is_formula else source
    marks = [mark for at, mark in reversed(block.marks) if _OPENING.match(mask.text, at)]
    source += _tags(source, block.start) + "".join(marks)
    if block.kind.startswith("Table"):
        return source
    return source + (_spoiler(mask.text, block.start) or _rule(source))


def _before(mask: Masked, place: int) -> str:
    """Return what is before this place, without the marks that only begin what comes there."""
    read = max((formula.end for formula in mask.formulas if formula.end <= place), default=0)
    return max(judged(mask.source[:place]), mask.source[:read], key=len)


_FENCE_OF_FORMULA = re.compile(r"[`~]{3,} *math\b")
_MOST_CUTS = 3  # an image in a link, say
_URL = r"""\((?:[^()\s]|\([^()\s]*+\)?)*+(?:[ ]"[^"\n]*"?)?"""
_LABEL = r"(?:[^\[\]\n]|!?\[[^\[\]\n]*\](?:\([^()\n]*\))?){0,200}+"
_END = rf"(?:\](?:{_URL}|\[[^\[\]\n]*)?)?\Z"
_CUT = re.compile(
    rf"(?<![\w\])])!?\[(?:\d{{0,3}}{_END}|(?P<label>{_LABEL}){_END})"  # a lone number can wait
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
                pass  # code may contain bars, and cells may be missing
            case {"Start": tag} if (name := _name(tag)) not in _INLINE:
                kind, first, marks, code = name, start, [], False
            case _ if code:
                pass
            case {"Start": tag} if _INLINE[_name(tag)]:
                marks.append((start, raw[start : start + _INLINE[_name(tag)]]))
            case {"End": str(tag)} if tag in _INLINE:
                marks = [mark for mark in marks if mark[0] < start]
            case {"Text": _} if raw[start - 1 : start] == b"\\":
                pass
            case {"Text": text} if _MARK.fullmatch(text):
                marks.append((start, text.encode()))
                code = "`" in text
    places = list(characters(raw, [first, *(place for place, _ in marks)]))
    return _Block(
        kind, places[0], [(p, m.decode()) for p, (_, m) in zip(places[1:], marks, strict=True)]
    )


# Inline formatting, and the length of its mark in bytes where it ends with the same mark.
_INLINE = {"Strong": 2, "Strikethrough": 2, "Emphasis": 1, "Link": 0, "Image": 0}
_MARK = re.compile(r"`+|!?\[|[*_~$]")


def _name(tag: Any) -> str:
    return tag if isinstance(tag, str) else str(next(iter(tag)))


def _spoiler(source: str, start: int) -> str:
    """Close a spoiler; the parser does not know them."""
    last = source.rfind("||", start)
    opened = source.count("||", start) % 2 and _SPOILER.match(source, last)
    return "||" if opened else ""


_SPOILER = re.compile(SPOILER)


def _tags(source: str, start: int) -> str:
    """Close inline HTML; the parser does not know it either."""
    opened: list[str] = []
    for tag in _TAG.finditer(source, start):
        if not tag[1]:
            opened.append(tag[2])
        elif tag[2] in opened:
            opened.remove(tag[2])
    return "".join(f"</{name}>" for name in reversed(opened))


_TAG = re.compile(rf"<(?:(/)|(?!/))({PAIRED})>(?(1)|(?=\S|\Z))")


def _rule(source: str) -> str:
    """Complete a table's first row with the rule that makes it a table."""
    *_, before, head = ("", *source.split("\n"))
    row = _ROW.match(head)
    if not row or _ROW.match(before):
        return ""
    return f"\n{row[1]}|" + "-|" * (_columns(head) + 1)


def _columns(row: str) -> int:
    """Count the bars between a row's cells."""
    return len(re.findall(r"(?<!\\)\|", row.strip(" \t>").strip("|")))


_ROW = re.compile(r"([ \t>]*)\|(?!\|)")
