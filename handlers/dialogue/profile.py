"""With what the model is asked in one turn."""

from dataclasses import dataclass
from datetime import tzinfo

from handlers.dialogue.window import Estimate

BYTES_A_LETTER = 4
"""The most that UTF-8 takes; JSON around it is outweighed by letters that take less."""
WINDOWS_KEPT = 3
"""How many times as much is kept of a conversation as the model's window could ever hold."""


@dataclass(frozen=True, slots=True)
class Profile:
    """Which model is asked, and how: ``model`` is its URI or name.

    ``window`` is what a question and its answer may have together, ``max_tokens`` the answer alone,
    both in tokens. ``zone`` is where the prompt's date and time are told; None is the machine's.
    """

    model: str
    system_prompt: str
    temperature: float
    max_tokens: int
    window: int
    zone: tzinfo | None = None

    @property
    def budget(self) -> int:
        """What a request may have, in tokens."""
        return self.window - self.max_tokens

    @property
    def most_bytes(self) -> int:
        """What is to be kept of a conversation at most."""
        return int(WINDOWS_KEPT * self.budget * Estimate.MOST * BYTES_A_LETTER)
