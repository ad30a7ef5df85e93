"""Raw updates into the bot: long polling that no update can stall and no outage can end."""

import asyncio
import json
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import structlog

log = structlog.get_logger()

KINDS = ("message",)
"""What we ask Telegram for. Edits, channel posts and the rest would only be thrown away."""
POLL_SECONDS = 25
"""How long Telegram may hold a poll open; its servers close connections after about 39 s."""
LONGEST_PAUSE = 30.0
CONFLICT_PAUSE = 5.0
"""Seconds before polling again while another process does, or a webhook is set."""

Put = Callable[[Any], Awaitable[None]]


class Polling:
    """Fetches updates as they come, each given to ``put`` before Telegram may forget it."""

    def __init__(self, http: httpx.AsyncClient, method_url: str, put: Put) -> None:
        """``method_url`` is that of ``getUpdates``, with the bot's token in it."""
        self._http = http
        self._url = method_url
        self._put = put
        self._offset: int | None = None
        self._heard_at = time.monotonic()

    @property
    def silence(self) -> float:
        """Seconds since Telegram last answered a poll."""
        return time.monotonic() - self._heard_at

    async def run(self) -> None:
        """Poll until cancelled."""
        failures = 0
        while True:
            try:
                await self._take(await self._fetch(POLL_SECONDS))
                failures = 0
            except _PollFailed as error:
                failures += 1
                pause = error.pause or min(LONGEST_PAUSE, 0.5 * 2 ** (failures - 1))
                # A connection that Telegram closed is nothing to tell; one that stays closed is.
                level = "debug" if failures == 1 and error.passing else "warning"
                getattr(log, level)("poll_failed", reason=str(error), seconds=pause)
                await asyncio.sleep(pause * random.uniform(0.75, 1.25))

    async def confirm(self) -> None:
        """Tell Telegram what was taken, so that it does not send it to the next process again."""
        if self._offset is not None:
            try:
                await self._fetch(0, limit=1)
            except _PollFailed as error:
                log.warning("poll_not_confirmed", reason=str(error))

    async def _take(self, updates: list[Any]) -> None:
        numbered = [update for update in updates if type(_number(update)) is int]
        for update in numbered:
            await self._put(update)
            self._offset = max(self._offset or 0, _number(update) + 1)
        if len(numbered) < len(updates):
            # They cannot be confirmed by themselves, so Telegram may send them again at once.
            raise _PollFailed("an update without a number")

    async def _fetch(self, seconds: int, limit: int = 100) -> list[Any]:
        parameters = {"timeout": seconds, "limit": limit, "allowed_updates": json.dumps(KINDS)}
        if self._offset is not None:
            parameters["offset"] = self._offset
        try:
            # A broken body can stall where no time-out of the connection's own looks.
            async with asyncio.timeout(seconds + 15):
                response = await self._http.post(
                    self._url, data=parameters, timeout=httpx.Timeout(10, read=seconds + 10)
                )
        except TimeoutError as error:
            raise _PollFailed("silent") from error
        except httpx.HTTPError as error:
            passing = isinstance(error, httpx.ReadError)
            raise _PollFailed(f"{type(error).__name__}: {error}", passing=passing) from error
        if response.status_code != 200:
            raise _refused(response)
        try:
            updates = response.json()["result"]
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            raise _PollFailed("Telegram's answer cannot be read") from error
        self._heard_at = time.monotonic()
        if not isinstance(updates, list):
            raise _PollFailed("Telegram's answer is no list")
        return updates


def _number(update: Any) -> Any:
    return update.get("update_id") if isinstance(update, dict) else None


class _PollFailed(Exception):
    """A poll brought nothing; ``pause`` is how long Telegram told us to wait, in seconds."""

    def __init__(self, reason: str, pause: float | None = None, *, passing: bool = False) -> None:
        super().__init__(reason)
        self.pause = pause
        self.passing = passing


def _refused(response: httpx.Response) -> _PollFailed:
    reason = f"HTTP {response.status_code}: {response.text[:300]}"
    if response.status_code == 429:
        try:
            return _PollFailed(reason, float(response.json()["parameters"]["retry_after"]))
        except (ValueError, LookupError, TypeError):
            return _PollFailed(reason)
    if response.status_code == 409:
        return _PollFailed(
            f"another process polls for this bot, or a webhook is set: {reason}", CONFLICT_PAUSE
        )
    return _PollFailed(reason)
