"""What a chat has chosen for itself: one hash per chat, read when its turns are opened.

A topic has one of its own, over its group's. Only what is chosen is in it; an empty value in a
topic's hides what the group has chosen. What cannot be read counts as not chosen. While people have
not been told yet that the bot hears them, ``untold`` is there: the version that says so.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any, Literal, Self

import structlog

from storage.message import ChatKey

log = structlog.get_logger()

MOST_PROMPT = 2000
"""Characters of a chat's own prompt."""
MOST_NAMES = 5
LONGEST_NAME = 32
COMMAS = ",،，、"
"""Of all kinds of writing."""
MOST_HEARD = 50
"""Messages said around the bot that it may be given."""


class When(StrEnum):
    """What the bot answers in a group."""

    ADDRESSED = "addressed"
    ALWAYS = "always"
    COMMANDS = "commands"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class ChatSettings:
    """What is chosen for a conversation; None where nothing is, and the owner's default holds.

    ``version`` counts the changes. ``length`` is the longest answer, in tokens; ``names`` are the
    bot's own in this chat. ``reset`` says who may change the conversation; ``hears`` is how many
    messages said around the bot the model is given.
    """

    version: int = 0
    persona: str | None = None
    prompt: str | None = None
    temperature: float | None = None
    length: int | None = None
    when: When | None = None
    names: tuple[str, ...] | None = None
    reset: Literal["admins", "everybody"] | None = None
    hears: int | None = None
    streaming: Literal["edits", "drafts", "off"] | None = None
    buttons: bool | None = None
    language: str | None = None

    @classmethod
    def parse(cls, found: Mapping[str, str], chat: ChatKey) -> Self:
        """Read a hash; unknown fields are left alone, unreadable ones are logged."""
        read: dict[str, Any] = {}
        for name, value in found.items():
            if name in _READ and value:
                try:
                    read[name] = _READ[name](value)
                except ValueError:
                    log.warning(
                        "setting_unreadable", chat=chat.chat_id, topic=chat.topic_id, setting=name
                    )
        return cls(**read)

    def text(self, name: str) -> str:
        """Return one of them as it is written; "" if it is not chosen."""
        value = getattr(self, name)
        if value is None:
            return ""
        if isinstance(value, bool):
            return "on" if value else "off"
        if isinstance(value, tuple):
            return "\n".join(value)
        return f"{value:g}" if isinstance(value, float) else str(value)

    def without(self, names: frozenset[str]) -> Self:
        """Leave out what is not the chat's to choose."""
        unset: dict[str, Any] = dict.fromkeys(names & {*NAMES})
        return replace(self, **unset)


NAMES = tuple(field.name for field in fields(ChatSettings) if field.name != "version")


@dataclass(frozen=True, slots=True)
class Choices:
    """What is chosen for ``chat``: its ``own`` fields and, of a topic, those of its group."""

    chat: ChatKey
    own: Mapping[str, str]
    above: Mapping[str, str]

    @property
    def version(self) -> int:
        """How often its own have changed."""
        return ChatSettings.parse({"version": self.own.get("version", "")}, self.chat).version

    @property
    def settings(self) -> ChatSettings:
        """What holds in the conversation."""
        return ChatSettings.parse({**self.above, **self.own}, self.chat)


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(value: str) -> int:
        if not re.fullmatch("[0-9]{1,9}", value) or not least <= int(value) <= most:
            raise ValueError(value)
        return int(value)

    return read


def _share(value: str) -> float:
    if not re.fullmatch(r"0(\.[0-9]{1,9})?|1(\.0)?", value):
        raise ValueError(value)
    return float(value)


def _one_of(values: Mapping[str, object]) -> Callable[[str], object]:
    def read(value: str) -> object:
        if value not in values:
            raise ValueError(value)
        return values[value]

    return read


def _matching(pattern: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        if not re.fullmatch(pattern, value, re.DOTALL):
            raise ValueError(value)
        return value

    return read


def names(text: str) -> tuple[str, ...]:
    """Read names, separated by commas or line ends. Raises ValueError if they cannot be names."""
    text = unicodedata.normalize("NFC", text)
    found = [" ".join(name.split()) for name in re.split(f"[{COMMAS}\n]", text) if name.strip()]
    each = {name.lower(): name for name in found}
    if not 1 <= len(each) <= MOST_NAMES:
        raise ValueError(text)
    if not all(_is_name(name) and len(name) <= LONGEST_NAME for name in found):
        raise ValueError(text)
    return (*each.values(),)


def _is_name(text: str) -> bool:
    """Tell whether a text could be a name: letters with their marks, which many scripts have."""
    letters = "".join(one for one in text if not is_mark(one))
    return not is_mark(text[0]) and re.fullmatch(r"\w[\w -]*", letters) is not None


def is_mark(letter: str) -> bool:
    """Tell whether it is part of the letter before it: an accent, a vowel of Hindi or Thai."""
    return unicodedata.category(letter).startswith("M")


_READ: Mapping[str, Callable[[str], object]] = {
    "version": _whole(0, 10**9 - 1),
    "persona": _matching("[a-z][a-z0-9_]{0,19}"),
    "prompt": _matching(f".{{1,{MOST_PROMPT}}}"),
    "temperature": _share,
    "length": _whole(1, 10**9 - 1),
    "when": _one_of({one.value: one for one in When}),
    "names": names,
    "reset": _one_of({one: one for one in ("admins", "everybody")}),
    "hears": _whole(0, MOST_HEARD),
    "streaming": _one_of({one: one for one in ("edits", "drafts", "off")}),
    "buttons": _one_of({"on": True, "off": False}),
    "language": _matching("[a-z]{2,3}"),
}
