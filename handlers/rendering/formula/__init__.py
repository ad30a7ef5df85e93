"""Formulas in LaTeX as text.

It is legible and unambiguous, and has all that the formula has; parentheses stand where LaTeX
shows by height what belongs together.
"""

from handlers.rendering.formula.commands import COMMANDS
from handlers.rendering.formula.reader import Reader, Shape, Unreadable

MAX_WIDTH = 40
"""Letters of fixed width that fit on a line of a phone's screen."""


def as_text(latex: str, *, lines: bool) -> str | None:
    """Read a formula, on several ``lines`` if it has some; None if it cannot be read.

    A matrix that would be wider than a phone's screen is written in one line, too.
    """
    text = None
    for shape in (Shape.TALL, Shape.ROWS) if lines else (Shape.FLAT,):
        try:
            text = Reader(latex, shape, COMMANDS).read()
        except Unreadable:
            return None
        if max(map(len, text.split("\n"))) <= MAX_WIDTH:
            break
    return text or None
