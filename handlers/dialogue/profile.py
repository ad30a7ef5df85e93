"""How the model is asked in one turn."""

from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import Self

from handlers.dialogue.personas import Persona, spoken
from handlers.dialogue.window import Estimate
from storage.chat_settings import ChatSettings

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

    def under(
        self,
        chosen: ChatSettings,
        persona: Persona | None,
        language: str,
        locked: frozenset[str] = frozenset(),
    ) -> Self:
        """Return this, the owner's, under what a chat has chosen; the owner bounds the length.

        A persona brings a temperature along, unless that is ``locked``.
        """
        prompt, temperature = self.system_prompt, self.temperature
        if persona and not chosen.prompt:
            prompt = spoken(persona.prompt, language)
            temperature = self.temperature if "temperature" in locked else persona.temperature
        return replace(
            self,
            system_prompt=chosen.prompt or prompt,
            temperature=temperature if chosen.temperature is None else chosen.temperature,
            max_tokens=min(self.max_tokens, chosen.length or self.max_tokens),
        )

    @property
    def most_bytes(self) -> int:
        """Most bytes to keep of a conversation."""
        return int(WINDOWS_KEPT * self.budget * Estimate.MOST * BYTES_A_LETTER)
