"""HTTP connections for both outside APIs: httpx over aiohttp's pool, through a proxy if wanted.

httpx's own pool costs CPU in proportion to its open connections (256 concurrent sends: 4.4 ms
each, over aiohttp 0.57 ms, on one core), and a bot holds many.
"""

import asyncio
import functools

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport
from pydantic import SecretStr

IDLE_SECONDS = 15
"""An idle connection is closed before the other side does it under a request being sent."""


def transport(proxy: SecretStr | None, connections: int) -> httpx.AsyncBaseTransport:
    """Make a transport for up to ``connections`` requests at once, via an http or socks5 proxy."""
    limits = httpx.Limits(max_connections=connections, keepalive_expiry=IDLE_SECONDS)
    if proxy is None:
        return _Transport(verify=_tls(), limits=limits)
    through = httpx.Proxy(proxy.get_secret_value())
    if through.url.scheme == "socks5":
        return _Socks(proxy=through, limits=limits)  # aiohttp speaks no SOCKS
    return _Transport(verify=_tls(), proxy=through, limits=limits)


_tls = functools.cache(httpx.create_ssl_context)
"""One for all: to read the machine's certificates takes 30 ms."""


class _Transport(AiohttpTransport):
    """Tells apart, in httpx's own errors, what was never sent from what may have arrived.

    The library calls a broken connection `ConnectTimeout`, as if nothing had been sent, and lets
    aiohttp's errors about malformed responses through; it chokes on a reason that is not UTF-8.
    """

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

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        from socksio import SOCKSError  # noqa: PLC0415 - an extra

        timeouts = request.extensions["timeout"].values()
        try:
            async with asyncio.timeout(None if None in timeouts else sum(timeouts)):
                return await super().handle_async_request(request)
        except TimeoutError as error:
            raise httpx.ReadTimeout("the SOCKS5 proxy is silent", request=request) from error
        except SOCKSError as error:
            raise httpx.ProxyError(f"not a SOCKS5 proxy: {error}", request=request) from error
