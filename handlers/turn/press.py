"""The data of buttons: under an answer, and in a menu of settings. Pure."""

import re
from dataclasses import dataclass
from typing import Self

from storage.message import ChatKey

_CHOICE = re.compile(
    r"([a-z]+):(\d{1,9}):([a-z]*):([a-z0-9_.]*|\?):(-?\d{1,19}(?::\d{1,19})?)", re.ASCII
)
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


@dataclass(frozen=True, slots=True)
class Choice:
    """A button of a menu: what it does with which setting of ``chat``.

    The menu was drawn when the settings were of ``version``. ``value`` is what is chosen, "" the
    default, None nothing yet: the setting's own page is opened, or the first one if ``setting`` is
    "".
    """

    name: str
    chat: ChatKey
    version: int
    setting: str = ""
    value: str | None = None

    @classmethod
    def parse(cls, data: object) -> Self | None:
        """Read a button's data, which may be anything; None if it is not ours."""
        found = _CHOICE.fullmatch(data) if isinstance(data, str) else None
        if found is None:
            return None
        name, version, setting, value, chat = found.groups()
        try:
            key = ChatKey.parse(chat)
        except ValueError:
            return None
        return cls(name, key, int(version), setting, None if value == "?" else value)

    def __str__(self) -> str:
        """Write it as Telegram's ``callback_data``."""
        value = "?" if self.value is None else self.value
        return f"{self.name}:{self.version}:{self.setting}:{value}:{self.chat}"
