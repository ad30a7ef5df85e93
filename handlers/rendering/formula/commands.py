"""What LaTeX's commands mean."""

import re
from collections.abc import Callable
from itertools import accumulate

from handlers.rendering.formula.chemistry import equation
from handlers.rendering.formula.piece import Kind, Piece, columns, fenced, flat, joined
from handlers.rendering.formula.reader import Command, Reader, Shape, Unreadable
from handlers.rendering.formula.symbols import (
    ACCENTS,
    ATOMS,
    BIG,
    BRACKETS,
    DOUBLE_STRUCK,
    FUNCTIONS,
    INFIX,
    NEGATED,
    SCRIPT,
)


def _group(reader: Reader) -> Piece:
    return Piece.group(reader.argument())


def _fraction(reader: Reader) -> Piece:
    return Piece.fraction(reader.argument(), reader.argument())


def _root(reader: Reader) -> Piece:
    return Piece.root(reader.option(), reader.argument())


def _binomial(reader: Reader) -> Piece:
    return Piece(f"C({reader.text()}, {reader.text()})", Kind.ATOM)


def _words(reader: Reader) -> Piece:
    raw = reader.raw().replace("\\%", "%").replace("\\ ", " ").replace("$", "")
    if "\\" in raw:
        raise Unreadable
    return Piece.words(raw.replace("~", " "))


def _named(reader: Reader) -> Piece:
    text = reader.text()
    is_function = text in FUNCTIONS or (len(text) > 3 and text.isalpha())
    return Piece(text, Kind.FUNCTION if is_function else Kind.ATOM)


def _chemical(reader: Reader) -> Piece:
    text = equation(reader.raw())
    if "\\" in text:
        raise Unreadable
    return Piece(text, Kind.ATOM)


def _modulus(reader: Reader) -> Piece:
    return Piece(f"(mod {reader.text()})", Kind.ATOM, spaced=True)


def _tag(reader: Reader) -> Piece:
    return Piece(f"  ({reader.raw()})", Kind.SPACE)


def _colored(reader: Reader) -> Piece:
    reader.raw()
    return _group(reader)


def _unseen(reader: Reader) -> None:
    reader.raw()


def _gap(reader: Reader) -> Piece:
    reader.raw()
    return Piece(" ", Kind.SPACE)


# -- Above and around ---------------------------------------------------------------------------


def _accented(name: str) -> Callable[[Reader], Piece]:
    def read(reader: Reader) -> Piece:
        pieces = reader.argument()
        text = joined(pieces, tight=True)
        if name in _OVER_ANYTHING or (text.isalnum() and len(text) < 4):
            return Piece("".join(letter + ACCENTS[name] for letter in text), Kind.ATOM)
        return Piece(f"{name}({joined(pieces)})", Kind.ATOM)

    return read


_OVER_ANYTHING = {"overline", "underline", "cancel", "bcancel"}


def _negated(reader: Reader) -> Piece:
    text = reader.text()
    return Piece(NEGATED.get(text, f"{text}\u0338"), Kind.INFIX)


def _above(reader: Reader) -> Piece:
    mark = reader.text(tight=True)
    return _group(reader).scripted("", mark)


def _below(reader: Reader) -> Piece:
    mark = reader.text(tight=True)
    return _group(reader).scripted(mark, "")


def _arrow(sign: str) -> Callable[[Reader], Piece]:
    def read(reader: Reader) -> Piece:
        below, above = reader.option(), reader.text()
        conditions = "; ".join(filter(None, (above, below)))
        return Piece(sign.format(f"({conditions})" if conditions else ""), Kind.INFIX)

    return read


def _lettered(table: dict[int, int]) -> Callable[[Reader], Piece]:
    return lambda reader: Piece(reader.text().translate(table), Kind.ATOM)


def _fenced(reader: Reader) -> Piece:
    opening = _bracket(reader)
    inner = reader.sequence("\\right")
    if reader.next() != "\\right":
        raise Unreadable
    return Piece.bracketed(opening, inner, _bracket(reader))


def _bracket(reader: Reader) -> str:
    reader.skip_space()
    found = reader.next()
    if found.startswith("\\"):
        if found[1:] not in BRACKETS:
            raise Unreadable
        return BRACKETS[found[1:]]
    return {".": "", "<": "⟨", ">": "⟩"}.get(found, found)


def _braced(reader: Reader) -> Piece:
    inner = reader.sequence("\\}")
    return Piece.bracketed("{", inner, "}" if reader.peek() == "\\}" and reader.next() else "")


# -- Rows ---------------------------------------------------------------------------------------


def _stacked(reader: Reader) -> Piece:
    reader.skip_space()
    if reader.next() != "{":
        raise Unreadable
    rows = [joined([piece for cell in row for piece in cell]) for row in reader.rows("}")]
    return Piece(", ".join(rows), Kind.SUM)


def _environment(reader: Reader) -> Piece:
    name = reader.raw()
    if name.rstrip("*") not in _ENVIRONMENTS:
        raise Unreadable
    opening, closing, style = _ENVIRONMENTS[name.rstrip("*")]
    bars: list[int] = []
    if name.rstrip("*") in _WITH_COLUMNS:
        reader.option()
        bars = _bars(reader.raw())
    rows = [[flat(joined(cell)).strip() for cell in row] for row in reader.rows(name)]
    rows = [_barred(row, bars, reader.shape) for row in rows]
    lines = _lines(rows, style, reader.shape)
    if reader.shape == Shape.TALL or (reader.shape == Shape.ROWS and style == "equations"):
        return Piece(fenced(opening, "\n".join(lines), closing), Kind.ATOM)
    return Piece.bracketed(opening, [Piece("; ".join(lines), Kind.SUM)], closing)


def _bars(columns: str) -> list[int]:
    """Return before which cells of a row ``{cc|c}`` draws a line, last first; none at the edges."""
    letters = re.sub(r"\{[^{}]*\}|[^lcrpmb|]", "", columns).strip("|")
    return [len(before) for before in reversed([*accumulate(re.split(r"\|+", letters))][:-1])]


def _barred(row: list[str], bars: list[int], shape: Shape) -> list[str]:
    for bar in bars:
        one, other = row[bar - 1 : bar], row[bar : bar + 1]
        if other:
            middle = [*one, "│", *other] if shape == Shape.TALL else [f"{one[0]} | {other[0]}"]
            row = [*row[: bar - 1], *middle, *row[bar + 1 :]]
    return row


def _lines(rows: list[list[str]], style: str, shape: Shape) -> list[str]:
    if style == "cases":
        rows = [[f"{row[0].rstrip(' ,')},", *row[1:]] if row[1:] else row for row in rows]
    if shape == Shape.TALL:
        is_column = max(map(len, rows), default=0) == 1
        return columns(rows, "l" if is_column or style == "cases" else _SIDES[style])
    separator = ", " if style == "matrix" else " "
    return [separator.join(filter(None, row)).rstrip(" ,;") for row in rows]


_SIDES = {"matrix": "r", "equations": "rl"}
_WITH_COLUMNS = {"array", "alignat", "alignedat"}
_ENVIRONMENTS = {
    "cases": ("{", "", "cases"),
    "dcases": ("{", "", "cases"),
    "rcases": ("", "}", "cases"),
    "matrix": ("", "", "matrix"),
    "smallmatrix": ("", "", "matrix"),
    "array": ("", "", "matrix"),
    "pmatrix": ("(", ")", "matrix"),
    "bmatrix": ("[", "]", "matrix"),
    "Bmatrix": ("{", "}", "matrix"),
    "vmatrix": ("|", "|", "matrix"),
    "Vmatrix": ("‖", "‖", "matrix"),
}
for _name in ("align", "aligned", "alignat", "alignedat", "eqnarray", "split", "gather"):
    _ENVIRONMENTS[_name] = ("", "", "equations")
for _name in ("gathered", "equation", "multline", "multlined", "flalign", "displaymath"):
    _ENVIRONMENTS[_name] = ("", "", "equations")


# -- All of them --------------------------------------------------------------------------------


def _sign(symbol: str) -> Command:
    if symbol in "±∓":
        return lambda _, before: Piece.of(symbol, before)
    return lambda _reader, _before: Piece(symbol, Kind.INFIX)


def _constant(text: str, kind: Kind) -> Command:
    return lambda _reader, _before: Piece(text, kind)


def _one_of(text: str) -> Command:
    return lambda _, before: Piece.of(text, before)


def _function(name: str) -> Command:
    return _constant(name, Kind.BIG if name.startswith("lim") else Kind.FUNCTION)


def _reading(read: Callable[[Reader], Piece | None]) -> Command:
    return lambda reader, _: read(reader)


_UNSEEN = """! displaystyle textstyle scriptstyle nonumber notag hline big Big bigg Bigg bigl bigr
    Bigl Bigr biggl biggr Biggl Biggr bigm Bigm middle strut mathstrut allowbreak bf rm it centering
    / protect mathopen mathclose mathord"""
_READ: dict[str, Callable[[Reader], Piece | None]] = {
    "frac dfrac tfrac cfrac sfrac nicefrac": _fraction,
    "sqrt": _root,
    "binom dbinom tbinom": _binomial,
    "text textrm textbf textit textnormal textsf texttt mbox hbox": _words,
    "mathrm mathit mathsf operatorname": _named,
    "mathbf boldsymbol bm mathtt mathnormal mathfrak pmb mathop mathbin mathrel": _group,
    "boxed fbox underbrace overbrace ensuremath": _group,
    "textcolor colorbox": _colored,
    "color label": _unseen,
    "hspace vspace phantom hphantom vphantom": _gap,
    "overset stackrel": _above,
    "underset": _below,
    "xrightarrow": _arrow("—{}→"),
    "xleftarrow": _arrow("←{}—"),
    "xleftrightarrow xrightleftharpoons": _arrow("←{}→"),
    "mathbb": _lettered(DOUBLE_STRUCK),
    "mathcal mathscr": _lettered(SCRIPT),
    "ce cee": _chemical,
    "left": _fenced,
    "begin": _environment,
    "substack": _stacked,
    "tag": _tag,
    "pmod": _modulus,
    "not": _negated,
    "{": _braced,
}

COMMANDS: dict[str, Command] = {
    **{name: _sign(symbol) for name, symbol in INFIX.items()},
    **{name: _constant(symbol, Kind.ATOM) for name, symbol in ATOMS.items()},
    **{name: _constant(symbol, Kind.BIG) for name, symbol in BIG.items()},
    **{name: _constant(name, Kind.ATOM) for name in "$%&#_"},
    **{name: _one_of(symbol) for name, symbol in BRACKETS.items()},
    **{name: _function(name) for name in FUNCTIONS},
    **{name: _reading(_accented(name)) for name in ACCENTS},
    **{name: lambda _reader, _before: None for name in _UNSEEN.split()},
    **{name: _reading(read) for names, read in _READ.items() for name in names.split()},
}
"""By name, without the backslash."""
