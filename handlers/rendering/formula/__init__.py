"""Formulas in LaTeX as text.

The text is readable, unambiguous and complete; parentheses replace what LaTeX groups by height.
"""

from handlers.rendering.formula.commands import COMMANDS
from handlers.rendering.formula.reader import Reader, Shape, Unreadable

MAX_WIDTH = 40
"""Columns of fixed width on a line of a phone's screen."""


def as_text(latex: str, *, lines: bool) -> str | None:
    """Read a formula, with ``lines`` on several if it has them; None if it cannot be read.

    A matrix wider than a phone's screen is written on one line.
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
