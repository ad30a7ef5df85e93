"""What the dialogue needs of a completion API: an answer that grows, and four ways to fail."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol

from handlers.dialogue.profile import Profile
from storage.message import Message


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer so far: ``text`` is all of it, and may differ from what came before.

    ``complete`` marks the last one, ``truncated`` one that ended at the token limit.
    ``prompt_tokens`` is the model's count of the request, 0 if it gave none.
    """

    text: str
    complete: bool = False
    truncated: bool = False
    prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Speed:
    """Medians of the last ``answers`` in this process, in seconds from asking the model."""

    first_words: float
    whole: float
    answers: int


class Completion(Protocol):
    """A completion API. ``chat_id`` is the chat that asks; 0 for none."""

    def stream(
        self, profile: Profile, messages: Sequence[Message], chat_id: int
    ) -> AsyncGenerator[Answer]:
        """Yield the answer as it grows; the last one is complete. Raises a `CompletionError`."""
        ...

    async def count(
        self, profile: Profile, messages: Sequence[Message], chat_id: int
    ) -> int | None:
        """Count a request's tokens with the API's tokeniser; None if it has none.

        Raises a `CompletionError`.
        """
        ...


class CompletionError(Exception):
    """No answer; the subclasses say what can be done. The text goes to the owner's log."""


class ContextTooLong(CompletionError):
    """The dialogue exceeds the model's window: leave out more and ask again.

    ``excess`` is how many times too long it is, by the API's own words; 2.0 if they do not say.
    """

    def __init__(self, reason: str, excess: float = 2.0) -> None:
        super().__init__(reason)
        self.excess = excess


class CompletionRefused(CompletionError):
    """The model refuses to talk about this: tell the person, and keep it out of the history."""


class CompletionUnavailable(CompletionError):
    """No answer now, maybe later: after ``retry_after`` seconds if the API says so."""

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class CompletionMisconfigured(CompletionError):
    """Only the owner can fix this: a key, a role, billing, a folder, a model's name.

    ``status`` is the API's HTTP status, if that is how it said so.
    """

    def __init__(self, reason: str, status: int | None = None) -> None:
        super().__init__(reason)
        self.status = status
