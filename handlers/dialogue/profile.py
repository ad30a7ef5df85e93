"""How the model is asked in one turn."""

from dataclasses import dataclass
from datetime import tzinfo

from handlers.dialogue.window import Estimate

BYTES_A_LETTER = 4
"""Most bytes per letter in UTF-8; letters that take less make up for the JSON around them."""
WINDOWS_KEPT = 3
"""A conversation keeps this many times what the model's window could ever hold."""


@dataclass(frozen=True, slots=True)
class Profile:
    """Which model is asked, and how: ``model`` is its URI or name.

    ``window`` is the most tokens of a request and its answer together, ``max_tokens`` those of the
    answer. The prompt's date and time are those of ``zone``; None is the machine's own.
    """

    model: str
    system_prompt: str
    temperature: float
    max_tokens: int
    window: int
    zone: tzinfo | None = None

    @property
    def budget(self) -> int:
        """Most tokens in a request."""
        return self.window - self.max_tokens

    @property
    def most_bytes(self) -> int:
        """Most bytes to keep of a conversation."""
        return int(WINDOWS_KEPT * self.budget * Estimate.MOST * BYTES_A_LETTER)
