"""What the dialogue asks of a completion API: an answer that grows, and four ways to fail."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol

from handlers.dialogue.profile import Profile
from storage.message import Message


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer so far: ``text`` is the whole of it, and may differ from what came before.

    ``complete`` marks the last one; ``truncated`` says that it ended at the token limit.
    ``prompt_tokens`` is what the model counted in the request, 0 when it did not say.
    """

    text: str
    complete: bool = False
    truncated: bool = False
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Completion(Protocol):
    """A completion API. ``chat_id`` tells in which chat it is asked; 0: in none."""

    def stream(
        self, profile: Profile, messages: Sequence[Message], chat_id: int
    ) -> AsyncGenerator[Answer]:
        """Yield the answer as it grows; the last one is complete. Raises a `CompletionError`."""
        ...

    async def count(
        self, profile: Profile, messages: Sequence[Message], chat_id: int
    ) -> int | None:
        """Count a request's tokens as the API does; None if it cannot tell.

        Raises a `CompletionError`.
        """
        ...


class CompletionError(Exception):
    """No answer; its subclasses say what can be done. The text is for the owner's log."""


class ContextTooLong(CompletionError):
    """The dialogue exceeds the model's window: leave out more and ask once again.

    ``excess`` is how many times too long it is, as far as the API told; 2.0 if it did not.
    """

    def __init__(self, reason: str, excess: float = 2.0) -> None:
        super().__init__(reason)
        self.excess = excess


class CompletionRefused(CompletionError):
    """The model will not speak about this: tell the person, and keep it out of the history."""


class CompletionUnavailable(CompletionError):
    """No answer for now: later may do, after ``retry_after`` seconds if the API said so."""

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class CompletionMisconfigured(CompletionError):
    """Only the owner can mend this: a key, a role, billing, a folder, a model's name.

    ``status`` is the API's HTTP status where it told this by one.
    """

    def __init__(self, reason: str, status: int | None = None) -> None:
        super().__init__(reason)
        self.status = status
