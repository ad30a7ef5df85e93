"""A query: what somebody asks with a button, or inline, and the bot answers once."""

from dataclasses import dataclass, field

from bot.playground.telegram.chat import Json

CALLBACK, INLINE = "callback_query", "inline_query"
SECONDS = {CALLBACK: 150.0, INLINE: 30.0}
"""For how long each kind can be answered."""
KEPT_SECONDS = 10 * 60.0
"""For how long its answer can be looked at."""


@dataclass(slots=True)
class Query:
    """Its kind, who asked and when, and the answer once it is there.

    ``chat`` is where the button is, 0 for an inline query, of which ``text`` is what was typed, and
    ``contents`` what each result puts into a message, None if that is not served here.
    """

    kind: str
    user: int
    asked_at: float
    chat: int = 0
    text: str = ""
    answer: Json | None = None
    contents: dict[str, Json | None] = field(default_factory=dict)

    def is_open(self, now: float) -> bool:
        """True if it still waits for an answer."""
        return self.answer is None and now - self.asked_at <= SECONDS[self.kind]
