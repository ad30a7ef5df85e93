"""The data of a button under an answer. Pure."""

import re
from dataclasses import dataclass
from typing import Self

_DATA = re.compile(r"([a-z]+):(\d{1,19})(?::(\d{1,9}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Press:
    """A button's name, and its exchange: the number of the question.

    ``revision`` is how often that had been answered: a press that waited behind another finds the
    answer changed.
    """

    name: str
    exchange: int
    revision: int = 0

    @classmethod
    def parse(cls, data: object) -> Self | None:
        """Read a button's data, which may be anything; None if it is not ours."""
        found = _DATA.fullmatch(data) if isinstance(data, str) else None
        return cls(found[1], int(found[2]), int(found[3] or 0)) if found else None

    def __str__(self) -> str:
        """Write it as Telegram's ``callback_data``."""
        revision = f":{self.revision}" if self.revision else ""
        return f"{self.name}:{self.exchange}{revision}"
