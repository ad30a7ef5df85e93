"""What others said around a question, as data before it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Around:
    """Messages, oldest first, and a ``title`` that tells the model what they are."""

    title: str = ""
    heard: Sequence[str] = ()

    def before(self, question: str, letters: int) -> str:
        """Put the newest messages that fit into so many letters before a question.

        Each of their lines is quoted, so nothing in them can look like the question.
        """
        lines: list[str] = []
        left = letters - len(self.title) - 2
        for said in reversed(self.heard):
            quoted = [f"> {line}" for line in said.splitlines()]
            left -= sum(len(line) + 1 for line in quoted)
            if left < 0:
                break
            lines[:0] = quoted
        return "\n".join([self.title, *lines, "", question]) if lines else question


ALONE = Around()
"""Nothing is said around it."""
