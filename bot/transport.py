"""HTTP connections for both outside APIs: httpx over aiohttp's pool, through a proxy if wanted.

httpx's own pool costs CPU in proportion to its open connections (256 concurrent sends: 4.4 ms
each, over aiohttp 0.57 ms, on one core), and a bot holds many.
"""

import asyncio
import contextlib
import functools
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import aiohttp
import httpx
from aiohttp.connector import Connection
from httpx_aiohttp import AiohttpTransport
from httpx_aiohttp.transport import AiohttpResponseStream, map_aiohttp_exceptions
from pydantic import SecretStr

IDLE_SECONDS = 15
"""We close idle connections before the other side does so while a request is being sent."""

DECODED = "gzip, deflate"
"""What httpx decodes everywhere; aiohttp by itself offers what it could decode."""

BUFFER = 1024 * 1024
"""aiohttp holds up to twice as many bytes of a body until they are read; more cannot gather."""

Check = Callable[[], Awaitable[None]]


async def _unchecked() -> None:
    """Allow every request."""


def transport(
    proxy: SecretStr | None,
    connections: int,
    before_write: Check = _unchecked,
    tls: ssl.SSLContext | None = None,
) -> httpx.AsyncBaseTransport:
    """Make a transport for up to ``connections`` requests at once, via an http or socks5 proxy.

    ``before_write`` is awaited once a request has its connection, directly before it is written;
    what it raises ends the request. ``tls``, without a proxy, says whose certificates to trust
    instead of the machine's. A response has the extension ``gather``, except through SOCKS:
    ``await gather(seconds)`` lets more of its body come, to be read in one piece.
    """
    limits = httpx.Limits(max_connections=connections, keepalive_expiry=IDLE_SECONDS)
    if proxy is None:
        return _Transport(before_write, verify=tls or _tls(), limits=limits)
    through = httpx.Proxy(proxy.get_secret_value())
    if through.url.scheme.startswith("socks5"):
        return _Socks(before_write, proxy=through, limits=limits)  # aiohttp speaks no SOCKS
    return _Transport(before_write, verify=_tls(), proxy=through, limits=limits)


_tls = functools.cache(httpx.create_ssl_context)
"""Shared, because reading the machine's certificates takes 30 ms."""


class _Transport(AiohttpTransport):
    """Raises httpx errors that distinguish what was never sent from what may have arrived.

    The library calls a broken connection `ConnectTimeout`, as if nothing had been sent, lets
    aiohttp's errors about malformed responses through, and chokes on a reason that is not UTF-8.
    """

    def __init__(self, before_write: Check, **options: Any) -> None:
        super().__init__(client=self._session, **options)
        self._before_write = before_write

    def _session(self) -> aiohttp.ClientSession:
        before_write = self._before_write

        class Checked(aiohttp.ClientRequest):
            async def send(self, conn: Connection) -> aiohttp.ClientResponse:
                await before_write()
                return await super().send(conn)

        connector = aiohttp.TCPConnector(
            limit=self.limits.max_connections or 0,
            keepalive_timeout=IDLE_SECONDS,
            ssl=self.ssl_context,
        )
        return aiohttp.ClientSession(
            connector=connector, request_class=Checked, read_bufsize=BUFFER
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.headers.setdefault("Accept-Encoding", DECODED)
        if request.url.userinfo and "Authorization" in request.headers:
            # aiohttp makes a header of a name and a password itself, and refuses to replace one.
            request.url = request.url.copy_with(userinfo=b"")
        try:
            response = await super().handle_async_request(request)
        except httpx.ConnectTimeout as error:
            cause = error.__cause__
            if isinstance(cause, aiohttp.ClientConnectorError):
                raise httpx.ConnectError(str(cause), request=request) from cause
            if isinstance(cause, aiohttp.ServerTimeoutError):
                raise
            raise httpx.ReadError(str(cause), request=request) from cause
        except (aiohttp.ClientError, UnicodeError) as error:
            raise httpx.RemoteProtocolError(str(error), request=request) from error
        assert isinstance(response.stream, AiohttpResponseStream)  # noqa: S101 - what else
        body = response.stream = _Body(response.stream)
        response.extensions["gather"] = body.gather
        return response


class _Body(httpx.AsyncByteStream):
    """A response's body, in pieces of all that has come; also of what came before it broke off."""

    def __init__(self, stream: AiohttpResponseStream) -> None:
        self._stream = stream
        self._content = stream._aiohttp_response.content  # noqa: SLF001 - it has no other name

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with map_aiohttp_exceptions():
            while piece := self._left() or await self._more():
                yield piece

    async def _more(self) -> bytes:
        try:
            return await self._content.readany()
        except RuntimeError as error:  # aiohttp's, where it closed the connection while none read
            raise httpx.ReadError(str(error)) from error

    async def gather(self, seconds: float) -> None:
        """Wait for the body's end or failure, for at most ``seconds``."""
        if self._content.exception():
            return
        with contextlib.suppress(TimeoutError, aiohttp.ClientError):  # reading raises it
            async with asyncio.timeout(seconds):
                await self._content.wait_eof()

    def _left(self) -> bytes:
        """Return what aiohttp would throw away because the body broke off behind it."""
        if not (error := self._content.exception()):
            return b""
        self._content.set_exception(None)  # type: ignore[arg-type]
        left = self._content.read_nowait()
        self._content.set_exception(error)
        return left

    async def aclose(self) -> None:
        await self._stream.aclose()


class _Socks(httpx.AsyncHTTPTransport):
    """Raises httpx errors for a proxy that does not speak SOCKS, or says nothing at all.

    The library lets the first error through unchanged, and errors of TLS after its handshake; and
    it has no timeout for the handshake with the proxy.
    """

    def __init__(self, before_write: Check, **options: Any) -> None:
        super().__init__(**options)
        self._before_write = before_write

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        from socksio import SOCKSError  # noqa: PLC0415 - an extra

        async def trace(event: str, _: object) -> None:
            if event.endswith("send_request_headers.started"):
                await self._before_write()

        request.headers.setdefault("Accept-Encoding", DECODED)
        request.extensions["trace"] = trace
        timeouts = request.extensions["timeout"].values()
        try:
            async with asyncio.timeout(None if None in timeouts else sum(timeouts)):
                with _encrypted():
                    response = await super().handle_async_request(request)
        except TimeoutError as error:
            raise httpx.ReadTimeout("the SOCKS5 proxy is silent", request=request) from error
        except SOCKSError as error:
            raise httpx.ProxyError(f"not a SOCKS5 proxy: {error}", request=request) from error
        assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101 - it is no sync client
        response.stream = _Encrypted(response.stream)
        return response


class _Encrypted(httpx.AsyncByteStream):
    """A response's stream; an error of TLS is an error of reading."""

    def __init__(self, stream: httpx.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _encrypted():
            async for chunk in self._stream:
                yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


@contextlib.contextmanager
def _encrypted() -> Iterator[None]:
    try:
        yield
    except ssl.SSLError as error:
        raise httpx.ReadError(str(error)) from error
