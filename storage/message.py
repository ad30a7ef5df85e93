"""The vocabulary shared by all packages: who said what, and in which conversation."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, NamedTuple, Self

UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError)
"""What JSON of another shape than was expected may raise; Infinity is no whole number."""

_ASIDE = 2**52
"""Stands for a topic in lanes beside a chat's; a topic's number is a message's, an int32."""


class Role(StrEnum):
    """Who speaks, in the completion API's own names."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


class Part(NamedTuple):
    """One of the messages on Telegram that a question was joined from: its number, and its words.

    They are the question's text from ``start`` to ``end``, in code points.
    """

    number: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a dialogue; its text is never empty.

    For a person's message, ``sender`` is their Telegram id (0 if unknown) and ``name`` their name
    at that time. ``at`` is when it was written, in seconds since 1970, or 0. ``more`` are the
    keys that somebody else put into its entry of the history. It quotes the messages on Telegram
    whose numbers are ``quoted``, and is joined from ``parts`` unless it is a single one.
    """

    role: Role
    text: str
    sender: int = 0
    name: str = ""
    at: int = 0
    more: Mapping[str, Any] = field(default_factory=dict, hash=False)
    quoted: tuple[int, ...] = ()
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and its answer: two messages in a row.

    If somebody else wrote them into the history, the roles may be any; they are sent as they are.
    """

    question: Message
    answer: Message

    def __iter__(self) -> Iterator[Message]:
        return iter((self.question, self.answer))


@dataclass(frozen=True, slots=True)
class ChatKey:
    """A conversation: a chat, or one topic of a forum. ``topic_id`` is 0 outside topics.

    As a lane it can also be what goes on ``aside`` of a chat's conversation.
    """

    chat_id: int
    topic_id: int = 0

    @property
    def aside(self) -> Self:
        """The lane beside this chat's, for what need not wait for an answer."""
        return replace(self, topic_id=_ASIDE)

    @property
    def conversation(self) -> Self:
        """The conversation that a lane is about."""
        return replace(self, topic_id=0) if self.topic_id == _ASIDE else self

    def __str__(self) -> str:
        return f"{self.chat_id}:{self.topic_id}" if self.topic_id else str(self.chat_id)

    @classmethod
    def parse(cls, name: str) -> Self:
        """Parse the output of ``str``. Raises ValueError for anything else."""
        chat_id, _, topic_id = name.partition(":")
        key = cls(int(chat_id), int(topic_id or 0))
        if str(key) != name:
            raise ValueError(name)
        return key


def well_formed(text: str) -> str:
    """Replace lone surrogates: JSON can carry them, UTF-8 and Redis cannot."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
