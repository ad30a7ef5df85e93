"""LaTeX's structure: groups, scripts, rows, cells. `commands` has what commands mean."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from enum import IntEnum

from handlers.rendering.formula.piece import Kind, Piece, joined


class Shape(IntEnum):
    """How to write several rows."""

    TALL = 0
    """Line below line."""
    ROWS = 1
    """Equations line below line, all else on one."""
    FLAT = 2
    """All on one line."""


class Unreadable(Exception):
    """A formula has something unknown in it."""


Command = Callable[["Reader", Piece | None], Piece | None]
"""Reads a command's arguments, given the piece before it; None if it shows nothing."""

_TOKEN = re.compile(r"\s+|[А-яЁё]+|\d+(?:[.,]\d+)*|:=|\\(?:[A-Za-z]+|[\s\S])|[\s\S]")
_SPACES = {"~", "\\,", "\\:", "\\;", "\\ ", "\\>", "\\thinspace", "\\medspace", "\\enspace"}
_WIDE_SPACES = {"\\quad", "\\qquad"}
_ENDS = {"", "}", "&", "\\\\", "\\end", "\\cr"}
_SCRIPTS = {"^", "_", "'", "\\limits", "\\nolimits"}
_DEEPEST = 60


class Reader:
    """A recursive descent: each method reads on from where the last one stopped.

    All raise `Unreadable`.
    """

    def __init__(self, latex: str, shape: Shape, commands: Mapping[str, Command]) -> None:
        self.shape = shape
        self._commands = commands
        self._tokens = [found[0] for found in _TOKEN.finditer(latex)]
        self._place = 0
        self._depth = 0

    def read(self) -> str:
        """Read the whole formula."""
        texts = [joined([piece for cell in row for piece in cell]) for row in self.rows(end=None)]
        separator = "; " if self.shape == Shape.FLAT else "\n"
        return separator.join(text.strip(" \n") for text in texts if text.strip())

    # -- Tokens ---------------------------------------------------------------------------------

    def peek(self) -> str:
        """Return the next token, empty at the end."""
        return self._tokens[self._place] if self._place < len(self._tokens) else ""

    def next(self) -> str:
        """Take the next token."""
        found = self.peek()
        self._place += found != ""
        return found

    def skip_space(self) -> bool:
        """Skip what LaTeX does not show; tells whether there was any."""
        start = self._place
        while self.peek().isspace():
            self._place += 1
        return self._place > start

    def raw(self) -> str:
        """Take an argument unread."""
        self.skip_space()
        if self.peek() != "{":
            return self.next()
        depth, parts = 0, list[str]()
        while found := self.next():
            depth += (found == "{") - (found == "}")
            if depth == 0:
                return "".join(parts[1:])
            parts.append(found)
        raise Unreadable

    def option(self) -> str:
        """Read an optional argument, in square brackets."""
        self.skip_space()
        if self.peek() != "[":
            return ""
        depth, start = 0, self._place + 1
        while (found := self.next()) != "]" or depth:
            depth += (found == "{") - (found == "}")
            if not found:
                raise Unreadable
        latex = "".join(self._tokens[start : self._place - 1])
        return Reader(latex, Shape.FLAT, self._commands).read()

    # -- Structure ------------------------------------------------------------------------------

    @contextmanager
    def _deeper(self) -> Iterator[None]:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise Unreadable
        yield
        self._depth -= 1

    def sequence(self, *ends: str) -> list[Piece]:
        """Read up to one of ``ends``, or the end of the group."""
        with self._deeper():
            return self._sequence(ends)

    def _sequence(self, ends: tuple[str, ...]) -> list[Piece]:
        pieces: list[Piece] = []
        spaced = apart = False
        while True:
            spaced = self._is_spaced() or spaced
            found = self.peek()
            if found in _ENDS or found in ends:
                break
            if found in _SPACES or found in _WIDE_SPACES:
                self._place += 1
                spaced = apart = True
                pieces += [Piece("  ", Kind.SPACE)] if found in _WIDE_SPACES else []
            elif piece := self._scripted(pieces[-1] if pieces else None):
                spaced, apart = spaced or piece.spaced, apart or piece.apart
                pieces.append(replace(piece, spaced=spaced, apart=apart))
                spaced = apart = False
        return pieces

    def _is_spaced(self) -> bool:
        """Skip space; tells whether it separates letters, or only ends a command's name."""
        after_name = self._place > 0 and self._tokens[self._place - 1].startswith("\\")
        return self.skip_space() and not after_name and not self.peek().startswith("\\")

    def argument(self) -> list[Piece]:
        """Read a group, or one thing."""
        self.skip_space()
        if self.peek() == "{":
            self._place += 1
            pieces = self.sequence()
            if self.next() != "}":
                raise Unreadable
            return pieces
        if self.peek() in _ENDS:
            raise Unreadable
        if len(self.peek()) > 1 and self.peek()[0].isdigit():  # \frac12
            digits = self.peek()
            self._tokens[self._place : self._place + 1] = [digits[0], digits[1:]]
        with self._deeper():
            piece = self.atom(None)
        return [piece] if piece else []

    def text(self, *, tight: bool = False) -> str:
        """Read an argument and write it, ``tight`` in a script."""
        return joined(self.argument(), tight=tight).strip()

    def rows(self, end: str | None) -> list[list[list[Piece]]]:
        r"""Read cells, split by ``&``, in rows, split by ``\\``, up to ``end``."""
        rows: list[list[list[Piece]]] = [[]]
        while True:
            rows[-1].append(self.sequence())
            match self.next():
                case "&":
                    pass
                case "\\\\" | "\\cr":
                    self.option()
                    rows.append([])
                case "\\end" if end is not None and self.raw() == end:
                    break
                case "}" if end == "}":
                    break
                case "" if end is None:
                    break
                case _:
                    raise Unreadable
        return [row for row in rows if any(row)]

    def _scripted(self, before: Piece | None) -> Piece | None:
        base = Piece("", Kind.ATOM) if self.peek() in _SCRIPTS else self.atom(before)
        if base is None:
            return None
        below = above = ""
        while (sign := self._script_sign()) is not None:
            if sign == "'":
                above += "′"
            elif sign == "^":
                above += self.text(tight=True)
            elif sign == "_":
                below += self.text(tight=True)
        return base.scripted(below, above) if below or above else base

    def _script_sign(self) -> str | None:
        place = self._place
        self.skip_space()
        if self.peek() in _SCRIPTS:
            return self.next()
        self._place = place
        return None

    def atom(self, before: Piece | None) -> Piece | None:
        """Read one thing, without its scripts."""
        found = self.next()
        if found == "{":
            self._place -= 1
            piece = Piece.group(self.argument())
            return replace(piece, kind=Kind.ATOM) if piece.kind == Kind.COMMA else piece  # 1{,}5
        if found in {"(", "["}:
            inner = self.sequence(")", "]")
            return Piece.bracketed(found, inner, self.next() if self.peek() in {")", "]"} else "")
        if not found.startswith("\\"):
            return Piece.of(found, before)
        command = self._commands.get(found[1:])
        if command is None:
            raise Unreadable
        return command(self, before)
