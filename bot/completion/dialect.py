"""The wire format of one API, as the client needs it: requests out, answers in. No I/O."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from handlers.dialogue.completion import Answer, CompletionError
from handlers.dialogue.profile import Profile
from storage.message import Message


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an API can do. ``counts``: it has a tokeniser."""

    counts: bool


@dataclass(frozen=True, slots=True)
class Request:
    """What to post: a path below the API's URL, JSON, and headers in addition to the client's."""

    path: str
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


class Reader(Protocol):
    """Reads one streamed answer. Methods raise the `CompletionError` that the stream reports."""

    def feed(self, lines: Sequence[bytes]) -> Iterable[Answer]:
        """Read lines that came at once, without their newlines; gives the answer so far.

        It need not be given after each line, but before an error, which may repeat its words.
        """
        ...

    def end(self) -> Answer:
        """Return the complete answer when the body ends, if no line had it.

        Raises `CompletionUnavailable` if the answer broke off.
        """
        ...


class Dialect(Protocol):
    """The wire format of an API."""

    capabilities: Capabilities

    def completion(self, profile: Profile, messages: Sequence[Message], *, stream: bool) -> Request:
        """Return the request for an answer."""
        ...

    def reader(self) -> Reader:
        """Return a reader for one streamed answer."""
        ...

    def answer(self, body: bytes) -> Answer:
        """Read an answer that is not streamed. Raises a `CompletionError`."""
        ...

    def tokens(self, profile: Profile, messages: Sequence[Message]) -> Request:
        """Return the request for a number of tokens; called only if the API ``counts``."""
        ...

    def counted(self, body: bytes) -> int:
        """Read the number of tokens from the body. Raises a `CompletionError`."""
        ...

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> CompletionError:
        """Return the error for a response whose status is not 200."""
        ...
