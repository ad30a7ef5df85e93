"""Pieces of a formula's text, and what must be between them to keep its meaning."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from itertools import pairwise, zip_longest

from handlers.rendering.formula.symbols import INFIX, SUBSCRIPTS, SUPERSCRIPTS, small


class Kind(Enum):
    ATOM = auto()
    """One thing, whatever is beside it."""
    WORD = auto()
    """Begins and ends with letters that must not run into others."""
    FUNCTION = auto()
    BIG = auto()
    """A sum, an integral …"""
    ROOT = auto()
    FRACTION = auto()
    PRODUCT = auto()
    SUM = auto()
    """Falls apart beside a factor."""
    INFIX = auto()
    SIGN = auto()
    SLASH = auto()
    OPEN = auto()
    CLOSE = auto()
    COMMA = auto()
    SPACE = auto()


_BEFORE_OPERAND = {Kind.INFIX, Kind.SIGN, Kind.SLASH, Kind.OPEN, Kind.COMMA, Kind.SPACE, Kind.BIG}
_FACTORS = {Kind.ATOM, Kind.PRODUCT, Kind.ROOT, Kind.FRACTION, Kind.FUNCTION, Kind.BIG}
_INFIX = {*INFIX.values(), "=", ":="}
_CLOSING = set(")]}⟩⌉⌋!%°″′")
_OPENING = set("([{⟨⌈⌊")
_SIGNS = set("+−±∓")
_RAISED = set(map(chr, SUPERSCRIPTS.values()))
_POSTFIX = set("!%°′")
_SMALL = {*map(chr, SUPERSCRIPTS.values()), *map(chr, SUBSCRIPTS.values())}


_FORMULA = re.compile(r"[A-Za-z]{1,2}|(?:[A-Z][a-z]?)+")  # of a substance: Na, HCl


@dataclass(frozen=True, slots=True)
class Piece:
    """Some text, on several lines if it is a matrix.

    It is ``spaced`` if the source has a space before it, and ``apart`` if LaTeX would show one.
    """

    text: str
    kind: Kind
    spaced: bool = False
    apart: bool = False

    @classmethod
    def of(cls, text: str, before: "Piece | None") -> "Piece":
        """Make a piece of a character, number or word of the source."""
        text = text.replace("-", "−")
        first = before is None or before.kind in _BEFORE_OPERAND
        if text in _SIGNS:
            kind = Kind.SIGN if first else Kind.INFIX
        elif text in {"|", "‖"}:
            kind = Kind.OPEN if first else Kind.CLOSE
        elif text in _INFIX:
            kind = Kind.INFIX
        elif text in {",", ";", ":", "."}:
            kind = Kind.COMMA
        elif text in {"/", "*"}:
            kind = Kind.SLASH
        elif text in _OPENING | _CLOSING:
            kind = Kind.OPEN if text in _OPENING else Kind.CLOSE
        else:
            kind = Kind.WORD if len(text) > 1 and text.isalpha() else Kind.ATOM
        return cls(text, kind)

    @classmethod
    def words(cls, text: str) -> "Piece":
        """Make a piece of text."""
        is_word = any(map(str.isalpha, text)) and not _FORMULA.fullmatch(text)
        kind = Kind.WORD if is_word else Kind.ATOM
        return cls(text.lstrip(), kind, spaced=text[:1].isspace(), apart=text[:1].isspace())

    @classmethod
    def group(cls, pieces: Sequence["Piece"]) -> "Piece":
        """Make one piece of several."""
        if len(pieces) == 1:
            return pieces[0]
        kind = Kind.PRODUCT if _is_product(pieces) else Kind.SUM
        return cls(joined(pieces), kind if pieces else Kind.ATOM)

    @classmethod
    def bracketed(cls, opening: str, pieces: Sequence["Piece"], closing: str) -> "Piece":
        """Put brackets around pieces, as tall as they are."""
        text = joined(pieces).strip(" ")
        if closing == "|" and not opening and "\n" not in text:
            opening, closing = "(", ")|"  # its bounds tell about all of it
        if opening in {"{", "["} and not closing and "\n" not in text and ";" in text:
            closing = "}" if opening == "{" else "]"  # a system on one line
        return cls(fenced(opening, text, closing), Kind.ATOM)

    @classmethod
    def fraction(cls, above: Sequence["Piece"], below: Sequence["Piece"]) -> "Piece":
        """Write a fraction on one line."""
        over, under = (flat(joined(part).strip()) for part in (above, below))
        over = over if _is_product(above) else f"({over})"
        under = under if _is_single(below) else f"({under})"
        return cls((" / " if " " in over + under else "/").join((over, under)), Kind.FRACTION)

    @classmethod
    def root(cls, index: str, pieces: Sequence["Piece"]) -> "Piece":
        """Write a root on one line."""
        sign = {"": "√", "2": "²√", "3": "∛", "4": "∜"}.get(index)
        sign = sign or f"{small(index, raised=True) or f'^({index})'}√"
        text = flat(joined(pieces).strip())
        alone = len(pieces) == 1 and pieces[0].kind in {Kind.ATOM, Kind.WORD}
        bare = alone and not any(c in _RAISED or c in "^ " for c in text)
        fits = text.isalnum() or (text.startswith("(") and text.endswith(")"))
        return cls(sign + (text if bare and fits else f"({text})"), Kind.ROOT)

    def scripted(self, below: str, above: str) -> "Piece":
        """Return this with a subscript and a superscript."""
        text = self.text
        if self.kind in {Kind.FRACTION, Kind.ROOT, Kind.SUM}:
            text = f"({text})"
        above = "°" if above in {"∘", "°"} else above
        low, high = small(below, raised=False), _raised(above)
        if self.kind in {Kind.BIG, Kind.FUNCTION} and ((below and not low) or (above and not high)):
            low = high = None  # limits of one kind
        scripts = [low or _script("_", below), high or _script("^", above)]
        text += "".join(scripts if text else reversed(scripts))
        kind = Kind.ATOM if self.kind in _FACTORS - {Kind.FUNCTION, Kind.BIG} else self.kind
        if kind == Kind.ATOM or self.kind in {Kind.SUM, Kind.WORD}:
            ends_in_word = not (high if above else low) and text[-1:].isalnum()
            kind = Kind.WORD if ends_in_word else Kind.ATOM
        return replace(self, text=text, kind=kind)


def _raised(text: str) -> str | None:
    primes = len(text) - len(text.lstrip("′*°†"))
    rest = text[primes:]
    return (
        text[:primes] + (small(rest, raised=True) or "")
        if not rest or small(rest, raised=True)
        else None
    )


def _script(sign: str, text: str) -> str:
    if not text:
        return ""
    bare = len(text) == 1 or (text.isalnum() and sign == "_")
    return sign + (text if bare else f"({flat(text)})")


def _is_product(pieces: Sequence[Piece]) -> bool:
    if len(pieces) == 1 and pieces[0].kind == Kind.WORD:
        return True
    spaced = any(_gap(a, b, tight=False) for a, b in pairwise(pieces))
    return not spaced and all(piece.kind in _PRODUCT for piece in pieces)


_PRODUCT = {Kind.ATOM, Kind.PRODUCT, Kind.ROOT, Kind.OPEN, Kind.CLOSE}


def _is_single(pieces: Sequence[Piece]) -> bool:
    while len(pieces) > 1 and pieces[-1].text in _CLOSING:
        pieces = pieces[:-1]
    match pieces:
        case [Piece(kind=Kind.ATOM | Kind.WORD | Kind.ROOT as kind, text=text)]:
            return " " not in text or kind == Kind.ATOM
        case [Piece(text=first), Piece(kind=Kind.ATOM)]:
            return first[:1] in set("dΔδ∂") and (not first[1:] or first[1:] in _SMALL)
        case [Piece(text="|"), Piece(kind=Kind.ATOM), Piece()]:
            return True
    return False


# -- Side by side -------------------------------------------------------------------------------


def joined(pieces: Sequence[Piece], *, tight: bool = False) -> str:
    """Write pieces side by side, ``tight`` for a script."""
    parts: list[str] = []
    before = None
    for place, piece in enumerate(pieces):
        after = pieces[place + 1] if place + 1 < len(pieces) else None
        safe = _guarded(piece, before, after)
        parts += _gap(before, safe, tight=tight), safe.text
        before = safe
    return beside(parts)


def _guarded(piece: Piece, before: Piece | None, after: Piece | None) -> Piece:
    """Protect a piece from its neighbours."""
    if piece.kind == Kind.FRACTION:
        if before and before.text.isdecimal() and piece.text.replace("/", "").isdecimal():
            return replace(piece, kind=Kind.WORD)  # a mixed number
        if _binds(after) or (before and (before.kind in _NARROW or before.text in {":", "÷"})):
            return replace(piece, text=f"({piece.text})", kind=Kind.ATOM)
        return piece
    if piece.kind == Kind.ROOT:
        if before and before.kind in _FACTORS and piece.text[0] in _RAISED:
            return replace(piece, spaced=True, apart=True)
        if after and after.kind in _FACTORS and after.text[:1].isalnum() and piece.text[-1] != ")":
            return replace(piece, text=f"{piece.text}·") if after.kind == Kind.ATOM else piece
    return piece


_NARROW = {Kind.FUNCTION, Kind.SLASH}  # these apply to the next thing only


def _binds(after: Piece | None) -> bool:
    """Tell whether what follows a fraction could be read as part of its denominator."""
    kinds = _FACTORS | {Kind.SLASH, Kind.OPEN}
    if after is None:
        return False
    is_name = after.kind == Kind.WORD and not after.text.isalpha() and not after.spaced
    return is_name or after.kind in kinds or after.text in _POSTFIX


def _gap(a: Piece | None, b: Piece, *, tight: bool) -> str:
    if a is None or _touch(a, b):
        return ""
    if Kind.INFIX in {a.kind, b.kind}:
        return "" if tight else " "
    if b.kind == Kind.FRACTION and a.kind in _FACTORS | {Kind.CLOSE} and a.kind != Kind.BIG:
        return "·" if tight else " " if b.spaced else " · "
    if {Kind.SLASH, Kind.COMMA} & {a.kind, b.kind}:
        spaced = a.text in {",", ";"} or (b.spaced and b.text not in {",", ";"})
        return " " if spaced and not tight else ""
    return " " if _are_apart(a, b) else ""


def _touch(a: Piece, b: Piece) -> bool:
    if Kind.SPACE in {a.kind, b.kind} or a.text.endswith(" "):
        return True
    return Kind.INFIX not in {a.kind, b.kind} and (
        a.kind in {Kind.OPEN, Kind.SIGN} or b.kind == Kind.CLOSE
    )


def _are_apart(a: Piece, b: Piece) -> bool:
    if a.kind == Kind.FUNCTION:
        return b.text[:1] not in {"(", "|", "["} or a.text[-1] == ")"
    if a.kind == Kind.BIG or b.kind in {Kind.FUNCTION, Kind.BIG}:
        return True
    if Kind.WORD in {a.kind, b.kind} and a.text[-1:].isalnum() and b.text[:1].isalnum():
        return True
    m_1_m_2 = {a.kind, b.kind} == {Kind.ATOM} and a.text[-1:] in _SMALL and b.text != "d"
    return b.apart or (b.spaced and not m_1_m_2)


# -- On several lines ---------------------------------------------------------------------------


def beside(parts: Sequence[str]) -> str:
    """Put texts of one or more lines side by side, centred on one line."""
    if not any("\n" in part for part in parts):
        return "".join(parts)
    blocks = [part.split("\n") for part in parts]
    above = max((len(block) - 1) // 2 for block in blocks)
    below = max(len(block) - 1 - (len(block) - 1) // 2 for block in blocks)
    columns = []
    for block in blocks:
        width = max(map(len, block))
        top = above - (len(block) - 1) // 2
        lines = [""] * top + block + [""] * (above + below + 1 - top - len(block))
        columns.append([line.ljust(width) for line in lines])
    return "\n".join("".join(line).rstrip() for line in zip(*columns, strict=True))


_TALL = {
    "{": "⎧⎪⎨⎩", "}": "⎫⎪⎬⎭", "(": "⎛⎜⎜⎝", ")": "⎞⎟⎟⎠", "[": "⎡⎢⎢⎣", "]": "⎤⎥⎥⎦",
    "|": "││││", "‖": "‖‖‖‖", "⌈": "⎡⎢⎢⎢", "⌊": "⎢⎢⎢⎣", "⌉": "⎤⎥⎥⎥", "⌋": "⎥⎥⎥⎦",
}  # fmt: skip


def fenced(opening: str, text: str, closing: str) -> str:
    """Put brackets around a text, as tall as it is."""
    height = text.count("\n") + 1
    if height == 1:
        return f"{opening}{text}{closing}"
    gap = " " if opening == "{" else ""
    return beside([_tall(opening, height), gap, text, _tall(closing, height)])


def _tall(bracket: str, height: int) -> str:
    if bracket not in _TALL:
        return bracket
    pieces = _TALL[bracket]  # top, in between, middle, bottom
    lines = [pieces[1]] * height
    lines[0], lines[-1] = pieces[0], pieces[3]
    if height > 2:
        lines[(height - 1) // 2] = pieces[2]
    return "\n".join(lines)


def flat(text: str) -> str:
    """Write several lines as one."""
    return "; ".join(line.strip() for line in text.split("\n"))


def columns(rows: Sequence[Sequence[str]], sides: str) -> list[str]:
    """Align cells in columns, to the sides ``l`` and ``r`` in turn."""
    padded = []
    for number, column in enumerate(zip_longest(*rows, fillvalue="")):
        width = max(map(len, column))
        left = sides[number % len(sides)] == "l"
        padded.append([cell.ljust(width) if left else cell.rjust(width) for cell in column])
    gap = "  " if sides == "r" else " "
    return [gap.join(row).rstrip() for row in zip(*padded, strict=True)]
