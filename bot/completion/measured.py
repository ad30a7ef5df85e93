"""What an operator wants to know about a completion API: how fast, how much, how often it fails."""

import time
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing
from statistics import median

from prometheus_client import Counter, Gauge, Histogram

from handlers.dialogue.completion import (
    Answer,
    CompletionError,
    CompletionMisconfigured,
    CompletionRefused,
    CompletionUnavailable,
    ContextTooLong,
    Speed,
)

_SECONDS = (0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300, 600)
FIRST_WORDS = Histogram(
    "completion_first_words_seconds", "From asking to an answer's first words", buckets=_SECONDS
)
WHOLE = Histogram("completion_seconds", "From asking to a whole answer", buckets=_SECONDS)
UNDER_WAY = Gauge("completion_under_way", "Answers being generated for this process")
TOKENS = Counter("completion_tokens", "Tokens of what was asked and of whole answers", ["kind"])
FAILURES = Counter("completion_failures", "Answers that did not come", ["reason"])
TOO_MANY = Counter("completion_too_many", "Requests refused as too many (429)")

MOST_RECENT = 100
_recent: deque[tuple[float, float]] = deque(maxlen=MOST_RECENT)
"""Seconds to the first words and to the end of the last answers."""

_REASONS = {
    CompletionUnavailable: "unavailable",
    CompletionRefused: "refused",
    CompletionMisconfigured: "misconfigured",
    ContextTooLong: "too_long",
}
for _reason in _REASONS.values():
    FAILURES.labels(_reason)  # from the start, or Prometheus misses the first


async def measured(answers: AsyncGenerator[Answer]) -> AsyncGenerator[Answer]:
    """Pass an answer on as it grows; count and time it, and count and re-raise its errors."""
    began, first = time.monotonic(), 0.0
    try:
        with UNDER_WAY.track_inprogress():
            async with aclosing(answers):
                async for answer in answers:
                    if not first and answer.text.strip():
                        first = time.monotonic() - began
                        FIRST_WORDS.observe(first)
                    if answer.complete:
                        whole = time.monotonic() - began
                        WHOLE.observe(whole)
                        _recent.append((first or whole, whole))
                        TOKENS.labels("prompt").inc(answer.prompt_tokens)
                        TOKENS.labels("completion").inc(answer.completion_tokens)
                    yield answer
    except CompletionError as error:
        FAILURES.labels(_REASONS[type(error)]).inc()
        raise


def speed() -> Speed | None:
    """Tell how fast the last answers were; None if there were none."""
    if not _recent:
        return None
    first_words, whole = zip(*_recent, strict=True)
    return Speed(median(first_words), median(whole), len(_recent))
