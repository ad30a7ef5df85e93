"""Calls to Telegram: python-telegram-bot's requests over our transport, without httpx's client.

What that client adds (cookies, redirects, authentication) the Bot API does not use.
"""

import asyncio
import functools
import json
from collections.abc import Iterable, Mapping
from typing import Any

import httpx
import yarl
from telegram.error import NetworkError, TimedOut
from telegram.request import BaseRequest, RequestData

from bot.discretion import discreet_refusal, strings, without_echo

TIMEOUTS = httpx.Timeout(20, connect=10, pool=30).as_dict()
_AGENT = {"User-Agent": BaseRequest.USER_AGENT}
_FORM = {**_AGENT, "Content-Type": "application/x-www-form-urlencoded"}
_UNREAD = {"date": 1, "chat": {"id": 0, "type": ""}}
"""Fields that a message must have."""

Timeouts = Mapping[str, float | None]
"""What httpx's transports wait for, in seconds."""

_parsed = functools.lru_cache(maxsize=100)(httpx.URL)
"""A method's URL is the same in each call, and takes as long to parse as a form to encode."""


def form(url: str, fields: Mapping[str, str | int], timeouts: Timeouts) -> httpx.Request:
    """Make a request that posts ``fields`` to a method's ``url``."""
    # Of a text in Russian, yarl encodes in 10 µs what takes urllib 75.
    content = yarl.URL.build(query=fields).raw_query_string.encode()
    extensions = {"timeout": timeouts}
    return httpx.Request(
        "POST", _parsed(url), headers=_FORM, content=content, extensions=extensions
    )


async def answered(
    transport: httpx.AsyncBaseTransport, request: httpx.Request
) -> tuple[int, bytes]:
    """Make a request; returns status and body. Raises `httpx.HTTPError`."""
    response = await transport.handle_async_request(request)
    try:
        return response.status_code, await response.aread()
    finally:
        await response.aclose()


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
        request = _request(method, url, request_data, TIMEOUTS | given)
        try:
            async with asyncio.timeout(self._seconds):
                code, body = await answered(self._transport, request)
        except (TimeoutError, httpx.TimeoutException) as error:
            raise TimedOut from error
        except httpx.HTTPError as error:
            reason = without_echo(f"{type(error).__name__}: {error}", _said(request_data))
            raise NetworkError(reason) from error
        code = _status(code, body)
        if not 200 <= code <= 299:
            body = discreet_refusal(body, _said(request_data))
        return code, _Edited(body) if "/editMessage" in url else body

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """Parse a response. Raises `NetworkError`: Telegram may have done what it was asked.

        Of a message that was sent only the id is read, and of an edited one nothing;
        python-telegram-bot would take 0.3 ms to make objects of the rest.
        """
        try:
            parsed: dict[str, Any] = json.loads(payload.decode("utf-8", "replace"))
            refused = parsed.get("ok") is False or "description" in parsed
            result = None if refused else parsed["result"]
        except (ValueError, LookupError, AttributeError, RecursionError) as error:
            raise NetworkError("Invalid server response") from error
        if isinstance(result, dict) and "message_id" in result:
            sent = {**_UNREAD, "message_id": result["message_id"]}
            parsed["result"] = True if isinstance(payload, _Edited) else sent
        return parsed


class _Edited(bytes):
    """What Telegram answers to an edit."""


def _status(code: int, body: bytes) -> int:
    """Return a response's status: a refusal's own, if what passes it on calls it a success."""
    if not 200 <= code <= 299 or b'"result"' in body:
        return code
    try:
        fields = json.loads(body)
        if fields["ok"] is not False:
            return code
    except (ValueError, LookupError, TypeError, RecursionError):
        return code
    told = fields.get("error_code")
    return told if type(told) is int and 400 <= told <= 599 else 502


def _request(method: str, url: str, data: RequestData | None, timeouts: Timeouts) -> httpx.Request:
    if data and not data.contains_files:
        return form(url, data.json_parameters, timeouts)
    return httpx.Request(
        method,
        url,
        headers=_AGENT,
        data=data and data.json_parameters,
        files=data and data.multipart_data,
        extensions={"timeout": timeouts},
    )


def _said(data: RequestData | None) -> Iterable[str]:
    """All texts in a call to Telegram, including names and contents of files."""
    if data is None:
        return ()
    files = data.multipart_data.values() if data.contains_files else ()
    parts = [part for file in files for part in file[:2]]
    texts = [part.decode("utf-8", "replace") if isinstance(part, bytes) else part for part in parts]
    return [*strings(data.parameters), *(text for text in texts if isinstance(text, str))]
