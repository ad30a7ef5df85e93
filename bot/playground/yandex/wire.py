"""The response to a completion request as it goes over the wire: whole, or line by line."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from bot.playground.connection import cut
from bot.playground.yandex.replies import line


class Severed(Exception):
    """The connection was cut on purpose."""


class Wire:
    """One response, sent whole or line by line; ``record`` gets every byte of its body."""

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        headers: dict[str, str],
        record: Callable[[bytes], object],
    ) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._headers = headers
        self._record = record
        self.status: int | None = None
        self.cuts = False
        """Whether the connection is reset after the first words, or before a last line."""

    @property
    def request_id(self) -> str:
        """What the client calls the request; empty if it does not say."""
        return self._headers.get("x-client-request-id", "")

    async def whole(
        self, status: int, value: Any, headers: Mapping[str, str] | None = None
    ) -> None:
        await self.raw(status, line(value), headers or {})

    async def raw(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.status = status
        self._record(body)
        kind = "text/html" if body.startswith(b"<") else "application/json"
        response = Response(body, status, {**self._headers, **headers}, kind)
        await response(self._scope, self._receive, self._send)

    async def line(self, value: Any) -> None:
        await self.chunk(line(value))

    async def sign(self, value: Any) -> None:
        """Send a line that only shows that the server lives; it is no part of the record."""
        await self._send_on(line(value))

    async def chunk(self, data: bytes) -> None:
        if self.cuts and self.status is not None:
            await self._sever()
        self._record(data)
        await self._send_on(data)

    async def _send_on(self, data: bytes) -> None:
        if self.status is None:
            self.status = 200
            headers = {**self._headers, "content-type": "application/json"}
            raw = [(name.encode(), value.encode()) for name, value in headers.items()]
            await self._send({"type": "http.response.start", "status": 200, "headers": raw})
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def last(self, value: Any, *, stream: bool) -> None:
        if self.cuts:
            await self._sever()
        if stream or self.status is not None:
            await self.line(value)
            await self.end()
        else:
            await self.whole(value.get("error", {}).get("httpCode", 200), value)

    async def end(self) -> None:
        await self.chunk(b"")
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def reset(self) -> None:
        await cut(self._receive)

    async def _sever(self) -> None:
        await self.reset()
        raise Severed

    async def silence(self) -> None:
        await self.chunk(b"")
        await asyncio.Event().wait()  # until whoever awaits this learns that the client has left
