"""Calls to Telegram: python-telegram-bot's requests over our transport, without httpx's client.

What that client adds (cookies, redirects, authentication) the Bot API does not use.
"""

import asyncio
import json
from collections.abc import Iterable
from typing import Any

import httpx
from telegram.error import NetworkError, TimedOut
from telegram.request import BaseRequest, RequestData

from bot.discretion import discreet_refusal, strings, without_echo

_UNREAD = {"date": 1, "chat": {"id": 0, "type": ""}}
"""Fields that a message must have."""
TIMEOUTS = httpx.Timeout(20, connect=10, pool=30).as_dict()


class Request(BaseRequest):
    """Makes calls that take at most ``seconds`` as a whole: a response can drip for ever.

    Errors never quote what was sent, and unreadable responses are not logged.
    """

    def __init__(self, transport: httpx.AsyncBaseTransport, seconds: float) -> None:
        self._transport = transport
        self._seconds = seconds

    @property
    def read_timeout(self) -> float | None:
        """Seconds between two reads of a response."""
        return TIMEOUTS["read"]

    async def initialize(self) -> None:
        """Nothing to do: the transport connects when needed."""

    async def shutdown(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        *_positional: Any,
        **timeouts: Any,
    ) -> tuple[int, bytes]:
        """Make one call; returns status and body. Raises `TimedOut` or `NetworkError`."""
        given = {
            name.removesuffix("_timeout"): seconds
            for name, seconds in timeouts.items()
            if seconds is not self.DEFAULT_NONE
        }
        request = httpx.Request(
            method,
            url,
            headers={"User-Agent": self.USER_AGENT},
            data=request_data and request_data.json_parameters,
            files=request_data and request_data.multipart_data,
            extensions={"timeout": TIMEOUTS | given},
        )
        try:
            async with asyncio.timeout(self._seconds):
                code, body = await self._answered(request)
        except (TimeoutError, httpx.TimeoutException) as error:
            raise TimedOut from error
        except httpx.HTTPError as error:
            reason = without_echo(f"{type(error).__name__}: {error}", _said(request_data))
            raise NetworkError(reason) from error
        return code, body if 200 <= code <= 299 else discreet_refusal(body, _said(request_data))

    async def _answered(self, request: httpx.Request) -> tuple[int, bytes]:
        response = await self._transport.handle_async_request(request)
        try:
            return response.status_code, await response.aread()
        finally:
            await response.aclose()

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """Parse a response. Raises `NetworkError`: Telegram may have done what it was asked.

        Of a message that was sent or edited only the id is read; python-telegram-bot would take
        0.3 ms to make objects of the rest.
        """
        try:
            parsed: dict[str, Any] = json.loads(payload.decode("utf-8", "replace"))
            refused = parsed.get("ok") is False or "description" in parsed
            result = None if refused else parsed["result"]
        except (ValueError, LookupError, AttributeError, RecursionError) as error:
            raise NetworkError("Invalid server response") from error
        if isinstance(result, dict) and "message_id" in result:
            parsed["result"] = {**_UNREAD, "message_id": result["message_id"]}
        return parsed


def _said(data: RequestData | None) -> Iterable[str]:
    """All texts in a call to Telegram, including names and contents of files."""
    if data is None:
        return ()
    files = data.multipart_data.values() if data.contains_files else ()
    parts = [part for file in files for part in file[:2]]
    texts = [part.decode("utf-8", "replace") if isinstance(part, bytes) else part for part in parts]
    return [*strings(data.parameters), *(text for text in texts if isinstance(text, str))]
