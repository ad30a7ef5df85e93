"""What one API's wire is for the client: requests to send, and what comes back, read. No I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from handlers.dialogue.completion import Answer, CompletionError
from handlers.dialogue.profile import Profile
from storage.message import Message


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What can be asked of an API: ``counts`` tells that it has a tokeniser."""

    counts: bool


@dataclass(frozen=True, slots=True)
class Request:
    """What to post: a path below the API's address, JSON, and headers beside the client's own."""

    path: str
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


class Reader(Protocol):
    """Reads one streamed answer. Its methods raise the `CompletionError` that the stream tells."""

    def feed(self, line: bytes) -> Answer | None:
        """Take in a line without its end; the answer so far, or None if the line tells nothing."""
        ...

    def end(self) -> Answer:
        """Take in that no line follows; the complete answer, if none was before.

        Raises `CompletionUnavailable` when it broke off.
        """
        ...


class Dialect(Protocol):
    """The wire of an API."""

    capabilities: Capabilities

    def completion(self, profile: Profile, messages: Sequence[Message], *, stream: bool) -> Request:
        """Ask for an answer."""
        ...

    def reader(self) -> Reader:
        """Begin to read a streamed answer."""
        ...

    def answer(self, body: bytes) -> Answer:
        """Read an answer that is not streamed. Raises a `CompletionError`."""
        ...

    def tokens(self, profile: Profile, messages: Sequence[Message]) -> Request:
        """Ask for the number of tokens; only of an API that ``counts``."""
        ...

    def counted(self, body: bytes) -> int:
        """Read that number. Raises a `CompletionError`."""
        ...

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> CompletionError:
        """Name a response whose status is not 200 by what can be done about it."""
        ...
