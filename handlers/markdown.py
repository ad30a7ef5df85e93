"""A model's Markdown made ready for the converter: nothing misread, lost, or beyond its means."""

import re
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import Any

import pyromark
from telegramify_markdown import convert
from telegramify_markdown.converter import STANDARD_OPTIONS

from storage.message import well_formed

# A shielded character passes through the converter as a letter would. Unicode's noncharacters
# may serve, since none of them has a meaning in text that comes from outside.
_NONCHARACTERS = re.compile("[\ufdd0-\ufdef]")
_SHIELD = str.maketrans("<*|[\\$_", "\ufdd0\ufdd1\ufdd2\ufdd3\ufdd4\ufdd5\ufdd6")
_UNSHIELD = str.maketrans("\ufdd0\ufdd1\ufdd2\ufdd3\ufdd4\ufdd5\ufdd6", "<*|[\\$_")


def answer(markdown: str) -> str:
    """Return what of a model's output is its answer, well-formed, lines ended by newlines."""
    text = _NONCHARACTERS.sub("\ufffd", well_formed(markdown))
    return _LEADING_THOUGHT.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


# Only at the start, where models put it: an answer *about* the tag keeps its words.
_LEADING_THOUGHT = re.compile(r"\A(?:\s*<think>.*?(?:</think>|\Z))+", re.DOTALL | re.IGNORECASE)


def is_costly(source: str) -> bool:
    """Tell whether converting would take, or give, as much as the square of this text.

    The limits were set by measuring, far above what an honest answer has; a model caught in a
    loop reaches them.
    """
    return (
        _LIST_IN_LIST.search(source) is not None
        or source.count("```") + source.count("~~~") > 1000
        or source.count("$") > 2000
        or max(accumulate(_BRACES[c] for c in source if c in _BRACES), default=0) > 40
        or any(map(_is_costly_paragraph, source.split("\n\n")))
    )


# Every level indents all that is in it, so one line of N markers would become N * N spaces.
_LIST_IN_LIST = re.compile(r"(?:(?:[-+*]|\d{1,9}[.)])[ \t>]+){10}[^\s>+*-]")
_BRACES = {"{": 1, "}": -1}


def _is_costly_paragraph(source: str) -> bool:
    if (source.count("\\[") + source.count("\\(")) * len(source) > 10_000_000:
        return True  # from each opening its end is looked for, as far as the paragraph goes
    if "|" not in source:
        return False
    lines = source.split("\n")  # in a table every row becomes as wide as the widest
    return len(lines) * max(map(len, lines)) > 300_000


def events(source: str) -> Iterator[tuple[Any, int, int]]:
    """Parse as the converter does: events, and where in the source's bytes they begin and end."""
    for event, place in pyromark.events_with_range(source, options=STANDARD_OPTIONS):
        yield event, place["start"], place["end"]


def literal(source: str) -> str:
    """Shield what is meant literally; no position changes."""
    return _LITERAL.sub(lambda found: found[0].translate(_SHIELD), source)


def shielded(source: str) -> str:
    """Shield what is meant literally, and rewrite what the converter would lose."""
    source = literal(source)
    source = _DEFINITION.sub(_definition, source)
    raw = source.encode()
    parts: list[bytes] = []
    done = 0
    for event, start, end in events(source):
        rewrite = _rewriter(event, raw[start : start + 4]) if start >= done else None
        if rewrite is not None:
            parts += raw[done:start], rewrite(raw[start:end].decode()).encode()
            done = end
    return b"".join([*parts, raw[done:]]).decode()


def unshielded(text: str) -> str:
    """Undo :func:`shielded`'s shields in what the converter made; no position changes."""
    return text.translate(_UNSHIELD)


_LITERAL = re.compile(
    r"<"  # HTML would vanish, and what looks like it too
    r"|(?<=[^\W_])\*(?=[^\W_])"  # 2*3*4 is a product
    r"|(?<!\S)\|\|(?!\S)"  # a || b is no spoiler
    r"|(?<!\w)__[a-z]+__(?=\.\w|\()"  # __init__.py and __init__() are names
    r"|\[(?=\^)"  # a footnote, [^1], would become a link
)

_DEFINITION = re.compile(r"^([ \t>*+.)\d-]*)\[(?=([^\]\n]+)\]:)", re.MULTILINE)


def _definition(found: re.Match[str]) -> str:
    """Keep a link's definition, which is not shown, only if a link refers to it."""
    used = f"][{found[2]}]" in found.string
    return found[0] if used else found[1] + "[".translate(_SHIELD)


def _rewriter(event: Any, opening: bytes) -> Callable[[str], str] | None:
    match event:
        case {"Code": _} | {"Start": {"CodeBlock": _}}:
            return _code
        case {"Start": {"Table": _}}:
            return _table
        case {"Start": {"Link": {"dest_url": url}} | {"Image": {"dest_url": url}}} if (
            opening.startswith((b"[](", b"![]("))
        ):
            return lambda _: str(url)  # without a label nothing would be left of it
    return None


def _code(source: str) -> str:
    """Shield code from the converter, which would turn LaTeX in it into Unicode."""
    return source.replace("\\", "\\".translate(_SHIELD))


def _table(source: str) -> str:
    """Rewrite a table so that all its words stay, each in its own cell.

    The converter keeps only the label of a cell's link, writes formulas before the table and
    takes two empty cells for a spoiler; Markdown drops cells for which the head has no column.
    """
    source = _CELL_CODE.sub(lambda code: re.sub(r"\\?\|", r"\\|", code[0]), source)
    source = re.sub(r"(?<!\\)\|(?=\|)", "| ", source)
    source = _CELL_FORMULA.sub(_formula, source)
    source = re.sub(r"\$|\\(?=[()\[\]])", lambda found: found[0].translate(_SHIELD), source)
    source = _CELL_LINK.sub(lambda link: link[1] + spelled_out(link[2], link[1]), source)
    head, rule, *rows = source.split("\n")
    extra = max(map(columns, rows), default=0) - columns(head)
    if extra > 0:
        head = head.rstrip(" |") + " |" * (extra + 1)
        rule = rule.rstrip(" |") + "|-" * extra + "|"
    return "\n".join([head, rule, *rows])


def _formula(found: re.Match[str]) -> str:
    text, _ = convert(found[0])
    return " ".join(text.split()).translate(_SHIELD)


_CELL_CODE = re.compile(r"`[^`\n]+`")
_CELL_FORMULA = re.compile(r"\${1,2}[^$|\n]+\${1,2}|\\\([^|\n]+?\\\)")
_CELL_LINK = re.compile(r"!?\[([^\[\]\n]*)\]\(([^()\s]+)\)")


def columns(row: str) -> int:
    """Count the bars between a row's cells."""
    return len(re.findall(r"(?<!\\)\|", row.strip(" \t>").strip("|")))


def spelled_out(url: str, label: str) -> str:
    """Return what must follow the label of a link that cannot be one, if anything."""
    url = url.removeprefix("mailto:").removeprefix("tel:")
    return "" if url.startswith("#") or url in label else f" ({url})"
