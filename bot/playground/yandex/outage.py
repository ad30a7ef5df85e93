"""How a completion API fails until it is healed."""

import asyncio
from dataclasses import dataclass

from bot.playground.yandex.prompt import Refusal

_WORDS = {
    429: "ai.textGenerationCompletionRequestsPerSecond.rate rate quota limit exceed",
    500: "internal server error",
    503: "service unavailable",
}
STATUSES = tuple(_WORDS)


@dataclass(frozen=True, slots=True)
class Outage:
    """Requests wait for ``seconds``; are refused with ``status``; or ``cuts`` ends their answers.

    Such an answer's connection is reset after the first words, or before an answer that comes
    whole.
    """

    seconds: float = 0.0
    status: int | None = None
    cuts: bool = False

    async def strike(self) -> None:
        """Let a request wait. Raises Refusal if it is to be refused."""
        await asyncio.sleep(self.seconds)
        if self.status is not None:
            raise Refusal(self.status, _WORDS[self.status])
