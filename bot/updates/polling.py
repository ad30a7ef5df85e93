"""Long polling that no update can stall and no outage can end, by one process at a time."""

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

from bot.updates.intake import KINDS, Intake, NoRoom
from storage.lease import Lease, LeaseLost
from storage.server.connect import StorageFull, StorageUnavailable

log = structlog.get_logger()

POLL_SECONDS = 25
"""How long Telegram may hold a poll open; its servers close connections after about 39 s."""
SILENT_SECONDS = POLL_SECONDS + 15
"""After this a poll has gone silent, whatever its connection pretends, and is begun anew."""
TOO_SILENT = 120.0
"""Seconds without an answer to any poll, after which the bot is not well."""
LASTING = 3
"""Failures in a row after which intake has a problem."""
LONGEST_PAUSE = 30.0
FULL_PAUSE = 3.0
"""The longest pause while storage is full: what makes room must not wait for long."""
IDLE_PAUSE = 0.5
"""The longest pause after polls that brought nothing new, and at once."""
AT_ONCE = 0.5
"""Seconds within which Telegram answers at once; with nothing new it holds a poll open."""
TOLD_PAUSE = 90.0
"""The longest pause that Telegram's word is taken for."""
CONFLICT_PAUSE = 5.0
"""Seconds before polling again while another process does, or a webhook is set."""


class Polling:
    """Fetches updates as they come; each is stored before Telegram may forget it."""

    def __init__(self, http: httpx.AsyncClient, bot_url: str, intake: Intake) -> None:
        """``bot_url`` is what the URLs of all methods begin with, the bot's token in it."""
        self._http = http
        self._url = bot_url
        self._intake = intake
        self._offset: int | None = None
        self._taken: deque[int] = deque(maxlen=1000)
        """Numbers of the newest updates that were taken."""
        self._polling = False
        self._heard_at = 0.0
        self.restarts = 0

    async def check_room(self) -> None:
        """Raise `StorageUnavailable` if what is polled could not be stored now."""
        await self._intake.check_room()

    @property
    def is_silent(self) -> bool:
        """Tell whether Telegram has not answered for long, though it is this process that polls."""
        return self._polling and time.monotonic() - self._heard_at > TOO_SILENT

    async def run(self, lease: Lease) -> None:
        """Poll whenever this process holds the lease, until cancelled."""
        while True:
            try:
                async with lease.leading():
                    log.info("polling")
                    self._polling, self._heard_at = True, time.monotonic()
                    await self._without_webhook()
                    await self._poll()
            except LeaseLost as error:
                log.warning("polling_handed_over", reason=str(error))
            finally:
                self._polling = False
                self._intake.problem = None  # it is the next leader's

    async def _without_webhook(self) -> None:
        """Take the webhook away: while one is set, Telegram refuses to be polled.

        Only now that we lead: processes with a webhook may have led until now.
        """
        with contextlib.suppress(httpx.HTTPError):  # then polling fails too, and says so
            await self._http.post(f"{self._url}/deleteWebhook", timeout=20)

    async def _poll(self) -> None:
        failures = idle = 0
        while True:
            began = time.monotonic()
            try:
                news = await self._take(await self._fetch(POLL_SECONDS))
                failures = 0
                self._intake.problem = None
                # A server may repeat what was confirmed, or hold no poll open.
                idle = 0 if news or time.monotonic() - began > AT_ONCE else idle + 1
                if not idle:
                    continue
                pause = _pause(0.02, idle, IDLE_PAUSE)
            except StorageUnavailable as error:
                failures += 1
                full = isinstance(error, StorageFull)
                pause = _pause(0.2, failures, FULL_PAUSE if full else LONGEST_PAUSE)
                self._intake.problem = str(error)
                level = "debug" if full and failures > LASTING else "warning"
                getattr(log, level)("polling_paused", reason=str(error), seconds=pause)
            except _PollFailed as error:
                failures += 1
                pause = error.pause or _pause(0.5, failures, LONGEST_PAUSE)
                if failures >= LASTING:
                    self._intake.problem = str(error)
                # A connection that Telegram closed is nothing to tell; one that stays closed is.
                level = "debug" if failures == 1 and error.passing else "warning"
                getattr(log, level)("poll_failed", reason=str(error), seconds=pause)
            await asyncio.sleep(pause * random.uniform(0.75, 1.25))

    async def _take(self, updates: list[Any]) -> bool:
        """Take in what a poll brought; tells whether anything of it was new."""
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
        """Let the next poll confirm these; tells whether any of them is new."""
        if numbers:
            # It may be smaller than before: after a quiet week numbers begin anew at random.
            self._offset = numbers[-1] + 1
        news = not set(numbers) <= set(self._taken)
        self._taken.extend(numbers)
        return news

    async def _fetch(self, seconds: int, limit: int = 100) -> list[Any]:
        parameters = {"timeout": seconds, "limit": limit, "allowed_updates": json.dumps(KINDS)}
        if self._offset is not None:
            parameters["offset"] = self._offset
        try:
            async with asyncio.timeout(SILENT_SECONDS):
                # httpx's own 5 seconds of silence are less than Telegram's 25.
                response = await self._http.post(
                    f"{self._url}/getUpdates", data=parameters, timeout=None
                )
        except TimeoutError:
            self.restarts += 1
            raise _PollFailed(f"silent for {SILENT_SECONDS} s, begun anew") from None
        except httpx.HTTPError as error:
            passing = isinstance(error, httpx.ReadError)
            raise _PollFailed(f"{type(error).__name__}: {error}", passing=passing) from error
        if response.status_code != 200:
            raise _refused(response)
        self._heard_at = time.monotonic()
        try:
            updates = json.loads(response.content)["result"]
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            return await self._without_the_unreadable(response.content, limit, error)
        if not isinstance(updates, list):
            raise _PollFailed("Telegram's answer is no list")
        return updates

    async def _without_the_unreadable(
        self, content: bytes, limit: int, error: Exception
    ) -> list[Any]:
        """Go on one by one when no JSON parser can read a batch; leave out what stops it."""
        if not content.lstrip().startswith(b'{"ok":'):
            raise _PollFailed("Telegram's answer cannot be read") from error
        if limit > 1:
            return await self._fetch(0, limit=1)
        number = re.search(rb'"update_id"\s*:\s*(\d{1,18})\b', content)
        if number is None:
            raise _PollFailed("an update without a number") from error
        if int(number[1]) not in self._taken:  # or a server repeats what was confirmed
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
    return [number for number in ids if type(number) is int]


def _pause(first: float, times: int, longest: float) -> float:
    """How long to wait after so many times in a row, doubled each time up to the longest."""
    return min(longest, first * 2.0 ** min(times - 1, 20))


def _refused(response: httpx.Response) -> _PollFailed:
    reason = f"HTTP {response.status_code}{_described(response)}"
    if response.status_code == 429:
        return _PollFailed(reason, _told(response))
    if response.status_code == 409:
        reason = f"another process polls for this bot, or a webhook is set: {reason}"
        return _PollFailed(reason, CONFLICT_PAUSE)
    return _PollFailed(reason)


def _told(response: httpx.Response) -> float | None:
    """Read how long Telegram told us to wait, in whole seconds; None if that is no time to wait."""
    try:
        seconds = float(response.json()["parameters"]["retry_after"])
    except (ValueError, LookupError, TypeError, OverflowError, RecursionError):
        return None
    return min(seconds, TOLD_PAUSE) if seconds >= 1 else None


def _described(response: httpx.Response) -> str:
    """Find Telegram's own sentence; whatever else an answer holds may be what people say."""
    try:
        return f": {response.json()['description'][:300]}"
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""
