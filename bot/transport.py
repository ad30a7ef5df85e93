"""HTTP connections for both outside APIs: httpx over aiohttp's pool, through a proxy if wanted.

httpx's own pool costs CPU in proportion to its open connections (256 concurrent sends: 4.4 ms
each, over aiohttp 0.57 ms, on one core), and a bot holds many.
"""

import asyncio
import functools
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport
from pydantic import SecretStr

IDLE_SECONDS = 15
"""An idle connection is closed before the other side does it under a request being sent."""

Check = Callable[[], Awaitable[None]]


async def _unchecked() -> None:
    """Let every request be written."""


def transport(
    proxy: SecretStr | None, connections: int, before_write: Check = _unchecked
) -> httpx.AsyncBaseTransport:
    """Make a transport for up to ``connections`` requests at once, via an http or socks5 proxy.

    ``before_write`` is awaited once a request has its connection, directly before it is written;
    what it raises ends the request.
    """
    limits = httpx.Limits(max_connections=connections, keepalive_expiry=IDLE_SECONDS)
    if proxy is None:
        return _Transport(before_write, verify=_tls(), limits=limits)
    through = httpx.Proxy(proxy.get_secret_value())
    if through.url.scheme.startswith("socks5"):
        return _Socks(before_write, proxy=through, limits=limits)  # aiohttp speaks no SOCKS
    return _Transport(before_write, verify=_tls(), proxy=through, limits=limits)


_tls = functools.cache(httpx.create_ssl_context)
"""One for all: to read the machine's certificates takes 30 ms."""


class _Transport(AiohttpTransport):
    """Tells apart, in httpx's own errors, what was never sent from what may have arrived.

    The library calls a broken connection `ConnectTimeout`, as if nothing had been sent, and lets
    aiohttp's errors about malformed responses through; it chokes on a reason that is not UTF-8.
    """

    def __init__(self, before_write: Check, **options: Any) -> None:
        super().__init__(**options)
        self._before_write = before_write

    def get_client(self) -> aiohttp.ClientSession:
        """Make the session, which asks ``before_write``."""

        async def check(*_: object) -> None:
            await self._before_write()

        # In spite of its name aiohttp calls this before it writes anything.
        tracing = aiohttp.TraceConfig()
        tracing.on_request_headers_sent.append(check)
        tracing.freeze()
        session = super().get_client()
        session.trace_configs.append(tracing)
        return session

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return await super().handle_async_request(request)
        except httpx.ConnectTimeout as error:
            cause = error.__cause__
            if isinstance(cause, aiohttp.ClientConnectorError):
                raise httpx.ConnectError(str(cause), request=request) from cause
            if isinstance(cause, aiohttp.ServerTimeoutError):
                raise
            raise httpx.ReadError(str(cause), request=request) from cause
        except (aiohttp.ClientError, UnicodeError) as error:
            raise httpx.RemoteProtocolError(str(error), request=request) from error


class _Socks(httpx.AsyncHTTPTransport):
    """Tells in httpx's own errors of a proxy that speaks no SOCKS, or nothing at all.

    The library lets the first kind through, and for its handshake knows no time-out.
    """

    def __init__(self, before_write: Check, **options: Any) -> None:
        super().__init__(**options)
        self._before_write = before_write

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        from socksio import SOCKSError  # noqa: PLC0415 - an extra

        async def trace(event: str, _: object) -> None:
            if event.endswith("send_request_headers.started"):
                await self._before_write()

        request.extensions["trace"] = trace
        timeouts = request.extensions["timeout"].values()
        try:
            async with asyncio.timeout(None if None in timeouts else sum(timeouts)):
                return await super().handle_async_request(request)
        except TimeoutError as error:
            raise httpx.ReadTimeout("the SOCKS5 proxy is silent", request=request) from error
        except SOCKSError as error:
            raise httpx.ProxyError(f"not a SOCKS5 proxy: {error}", request=request) from error
