"""Long polling by one process at a time; no update can stall it, and no outage ends it."""

import asyncio
import contextlib
import json
import random
import re
import time
from collections import deque
from typing import Any

import httpx
import structlog

from bot.request import TIMEOUTS, answered, form
from bot.updates.intake import KINDS, Intake, NoRoom, is_number
from storage.lease import Lease, LeaseLost
from storage.server.connect import StorageFull, StorageUnavailable
from storage.timing import Timing

log = structlog.get_logger()

HELD_OPEN = httpx.Timeout(None).as_dict()
"""Telegram holds polls open; `Timing.poll_silence` ends them."""
HEAD_START = 0.001
"""Seconds in which what came goes to the model, before the next poll takes the processor."""
LASTING = 3
"""Failures in a row that count as a problem of the intake."""


class Polling:
    """Fetches updates as they come; each is stored before it is confirmed to Telegram."""

    def __init__(
        self,
        transport: httpx.AsyncBaseTransport,
        bot_url: str,
        intake: Intake,
        timing: Timing = Timing(),
    ) -> None:
        """``bot_url`` is the prefix of all methods' URLs, including the bot's token."""
        self._transport = transport
        self._url = bot_url
        self._intake = intake
        self._timing = timing
        self._offset: int | None = None
        self._taken: deque[int] = deque(maxlen=1000)
        """Ids of the newest updates that were taken in."""
        self._heard_at: float | None = None
        """When Telegram last answered; None while this process does not poll."""
        self.restarts = 0

    async def check_room(self) -> None:
        """Raise `StorageUnavailable` if polled updates could not be stored now."""
        await self._intake.check_room()

    @property
    def is_silent(self) -> bool:
        """True if this process polls and Telegram has not answered for long."""
        heard_at = self._heard_at
        return heard_at is not None and time.monotonic() - heard_at > self._timing.polls_silence

    async def run(self, lease: Lease) -> None:
        """Poll whenever this process holds the lease, until cancelled."""
        while True:
            try:
                async with lease.leading():
                    log.info("polling")
                    self._heard_at = time.monotonic()
                    await self._without_webhook()
                    await self._poll()
            except LeaseLost as error:
                log.warning("polling_handed_over", reason=str(error))
            finally:
                self._heard_at = None
                self._intake.problem = None  # it is the next leader's

    async def _without_webhook(self) -> None:
        """Remove the webhook: while one is set, Telegram refuses polls.

        Only once we lead, because until then a process with a webhook may have led.
        """
        with contextlib.suppress(httpx.HTTPError):  # polling will fail too, and report it
            request = form(f"{self._url}/deleteWebhook", {}, TIMEOUTS)
            await answered(self._transport, request)

    async def _poll(self) -> None:
        failures = idle = 0
        timing = self._timing
        while True:
            began = time.monotonic()
            try:
                news = await self._take(await self._fetch(timing.poll))
                failures = 0
                self._intake.problem = None
                # A server may repeat confirmed updates, or not hold polls open.
                idle = 0 if news or time.monotonic() - began > timing.at_once else idle + 1
                if not idle:
                    await asyncio.sleep(HEAD_START)
                    continue
                pause = _pause(0.02, idle, timing.idle_pause)
            except StorageUnavailable as error:
                failures += 1
                full = isinstance(error, StorageFull)
                pause = _pause(0.2, failures, timing.full_pause if full else timing.poll_pause)
                self._intake.problem = str(error)
                level = "debug" if full and failures > LASTING else "warning"
                getattr(log, level)("polling_paused", reason=str(error), seconds=pause)
            except _PollFailed as error:
                failures += 1
                pause = error.pause or _pause(0.5, failures, timing.poll_pause)
                if failures >= LASTING:
                    self._intake.problem = str(error)
                # One closed connection is routine; repeated ones are logged.
                level = "debug" if failures == 1 and error.passing else "warning"
                getattr(log, level)("poll_failed", reason=str(error), seconds=pause)
            await asyncio.sleep(pause * random.uniform(0.75, 1.25))

    async def _take(self, updates: list[Any]) -> bool:
        """Take in the result of a poll; returns whether any of it was new."""
        try:
            await self._intake.take(*updates)
        except NoRoom as error:
            self._confirm(_numbers(updates[: error.taken]))
            raise
        numbers = _numbers(updates)
        if updates and not numbers:
            # They cannot be confirmed, so Telegram will send them again at once.
            raise _PollFailed("updates without numbers")
        return self._confirm(numbers)

    def _confirm(self, numbers: list[int]) -> bool:
        """Have the next poll confirm these; returns whether any of them is new."""
        if numbers:
            # It may get smaller: after a quiet week, ids restart at a random number.
            self._offset = numbers[-1] + 1
        news = not set(numbers) <= set(self._taken)
        self._taken.extend(numbers)
        return news

    async def _fetch(self, seconds: int, limit: int = 100) -> list[Any]:
        fields: dict[str, str | int] = {
            "timeout": seconds,
            "limit": limit,
            "allowed_updates": json.dumps(KINDS),
        }
        if self._offset is not None:
            fields["offset"] = self._offset
        request = form(f"{self._url}/getUpdates", fields, HELD_OPEN)
        try:
            async with asyncio.timeout(self._timing.poll_silence):
                code, body = await answered(self._transport, request)
        except TimeoutError:
            self.restarts += 1
            raise _PollFailed(f"silent for {self._timing.poll_silence:.0f} s, restarted") from None
        except httpx.HTTPError as error:
            passing = isinstance(error, httpx.ReadError)
            raise _PollFailed(f"{type(error).__name__}: {error}", passing=passing) from error
        if code != 200:
            raise _refused(code, body, self._timing)
        self._heard_at = time.monotonic()
        try:
            updates = json.loads(body)["result"]
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            return await self._without_the_unreadable(body, limit, error)
        if not isinstance(updates, list):
            raise _PollFailed("Telegram's answer is not a list")
        return updates

    async def _without_the_unreadable(
        self, content: bytes, limit: int, error: Exception
    ) -> list[Any]:
        """If no JSON parser can read a batch, go on one by one, and bury what stops it."""
        if not content.lstrip().startswith(b'{"ok":'):
            raise _PollFailed("Telegram's answer cannot be read") from error
        if limit > 1:
            return await self._fetch(0, limit=1)
        number = re.search(rb'"update_id"\s*:\s*(\d{1,18})\b', content)
        if number is None:
            raise _PollFailed("an update without a number") from error
        if int(number[1]) not in self._taken:  # else a server repeats confirmed updates
            await self._intake.bury(content[:1000].decode("utf-8", "replace"), f"no JSON: {error}")
        self._confirm([int(number[1])])
        return []


class _PollFailed(Exception):
    """A poll brought nothing; ``pause`` is how long Telegram told us to wait, in seconds."""

    def __init__(self, reason: str, pause: float | None = None, *, passing: bool = False) -> None:
        super().__init__(reason)
        self.pause = pause
        self.passing = passing


def _numbers(updates: list[Any]) -> list[int]:
    ids = [update.get("update_id") for update in updates if isinstance(update, dict)]
    return [number for number in ids if is_number(number)]


def _pause(first: float, times: int, longest: float) -> float:
    """Exponential pause after ``times`` in a row, up to the longest."""
    return min(longest, first * 2.0 ** min(times - 1, 20))


def _refused(code: int, body: bytes, timing: Timing) -> _PollFailed:
    reason = f"HTTP {code}{_described(body)}"
    if code == 429:
        return _PollFailed(reason, _told(body, timing.told_pause))
    if code == 409:
        reason = f"another process polls for this bot, or a webhook is set: {reason}"
        return _PollFailed(reason, timing.conflict_pause)
    return _PollFailed(reason)


def _told(body: bytes, longest: float) -> float | None:
    """Read for how many seconds Telegram told us to wait; None if it is not a usable number."""
    try:
        seconds = float(json.loads(body)["parameters"]["retry_after"])
    except (ValueError, LookupError, TypeError, OverflowError, RecursionError):
        return None
    return min(seconds, longest) if seconds >= 1 else None


def _described(body: bytes) -> str:
    """Find Telegram's own description; anything else in a response may be what people said."""
    try:
        return f": {json.loads(body)['description'][:300]}"
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""
