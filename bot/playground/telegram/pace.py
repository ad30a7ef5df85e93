"""How fast Telegram lets a bot go, as far as outsiders know.

One message a second in a chat (short bursts pass), twenty a minute in a group, thirty a second in
all: core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this. That edits, typing
and drafts count too, and that calls during a penalty lengthen it, is what users of other bots
report. Buckets fill at those rates; beyond them a call is refused with 429.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.playground.telegram.chat import Json
from bot.playground.telegram.refusal import ApiError

COUNTED = re.compile(r"(send|edit|stop|copy|forward|delete)(?!MyCommands|Webhook).*")
"""The methods that count."""
LONGEST_PENALTY = 3600.0


@dataclass(slots=True)
class _Bucket:
    """``burst`` calls at once, then one every ``interval`` seconds."""

    interval: float
    burst: int
    spent: float = 0.0

    def wait(self, now: float) -> float:
        """Seconds until there is room for one more."""
        return max(self.spent, now) - now - (self.burst - 1) * self.interval

    def take(self, now: float) -> None:
        self.spent = max(self.spent, now) + self.interval


@dataclass(slots=True)
class _Place:
    """A chat's buckets, and its penalty."""

    buckets: list[_Bucket]
    frozen_until: float = 0.0
    penalty: float = field(default=1.0)


class Pace:
    """Counts a bot's calls, and refuses excess ones."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._all = _Bucket(1 / 30, 30)
        self._places: dict[int, _Place] = {}

    def check(self, method: str, given: Json) -> None:
        """Count a call. If it is one too many, freezes its chat and raises ApiError 429."""
        chat_id = given.get("chat_id")
        if not COUNTED.fullmatch(method) or not isinstance(chat_id, int):
            return
        now = self._clock()
        place = self._places.setdefault(chat_id, _Place(_buckets(chat_id)))
        buckets = [*place.buckets, self._all]
        if now < place.frozen_until:  # calling during a penalty makes it longer
            place.penalty = min(LONGEST_PENALTY, 2 * place.penalty)
            raise _refused(place, now, place.penalty)
        wait = max(bucket.wait(now) for bucket in buckets)
        if wait > 0:
            raise _refused(place, now, max(place.penalty, wait))
        place.penalty = 1.0
        for bucket in buckets:
            bucket.take(now)


def _buckets(chat_id: int) -> list[_Bucket]:
    return [_Bucket(1.0, 3), *([_Bucket(3.0, 20)] if chat_id < 0 else [])]


def _refused(place: _Place, now: float, seconds: float) -> ApiError:
    whole = max(1, round(seconds + 0.5))
    place.frozen_until = max(place.frozen_until, now + whole)
    return ApiError(429, f"Too Many Requests: retry after {whole}", retry_after=whole)
