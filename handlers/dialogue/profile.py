"""How the model is asked in one turn."""

from dataclasses import dataclass
from datetime import tzinfo

from handlers.dialogue.window import Estimate

BYTES_A_LETTER = 4
"""Most bytes a letter takes in UTF-8; shorter ones make up for the JSON around them."""
WINDOWS_KEPT = 3
"""So many windows of the largest size are kept of a conversation."""


@dataclass(frozen=True, slots=True)
class Profile:
    """Which model is asked, and how; ``model`` is its URI or name.

    ``window`` is the most tokens of a request and its answer together, ``max_tokens`` of the answer
    alone. The prompt's date and time are in ``zone``, None for the machine's own.
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
