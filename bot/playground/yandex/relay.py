"""Requests passed on to YandexGPT itself, so that the playground sees them.

The key is in a header of the bot's request, and of the one that is passed on; it is not kept.
"""

from collections.abc import Iterable

import httpx
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bot.playground.connection import cut, unless_gone
from bot.playground.yandex.completion import BASE
from bot.playground.yandex.exchange import CLIENT_CLOSED, Exchange, Exchanges, parsed
from bot.playground.yandex.prompt import Refusal
from bot.playground.yandex.replies import error_json, line
from bot.playground.yandex.wire import Severed

_OF_A_CONNECTION = {
    *("host", "connection", "keep-alive", "transfer-encoding", "content-length", "upgrade", "te"),
    *("accept-encoding", "content-encoding", "date", "server"),
}
"""Headers that are about one connection, or about an encoding that ends here."""
_TIMEOUTS = httpx.Timeout(None, connect=10).as_dict()
"""How long an answer may take is the bot's affair, and it leaves then."""


class Relay(Exchanges):
    """Asks the completion API at ``url`` what the bot asks here, over ``connections``."""

    def __init__(self, url: str, connections: httpx.AsyncBaseTransport) -> None:
        super().__init__()
        self._url = url
        self._connections = connections
        self.routes = [
            Route(f"{BASE}/{method}", self, methods=["POST"])
            for method in ("completion", "tokenizeCompletion")
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, and its answer back as it comes: an ASGI application."""
        request = Request(scope, receive)
        content, headers = await request.body(), _passed(request.headers.items())
        shown = {name: value for name, value in headers.items() if name != "authorization"}
        with self.exchange(scope["path"], shown, parsed(content)) as exchange:
            asked = httpx.Request(
                "POST",
                f"{self._url}{scope['path']}",
                content=content,
                headers=headers,
                extensions={"timeout": _TIMEOUTS},
            )
            try:
                await unless_gone(self._ask(asked, exchange, send), receive)
            except ClientDisconnect:
                exchange.status = CLIENT_CLOSED
            except Severed:
                await cut(receive)
            except Refusal as refusal:
                await _refuse(exchange, refusal)(scope, receive, send)
            except httpx.HTTPError as error:
                if exchange.status is None:
                    unreached = Refusal(502, type(error).__name__)
                    await _refuse(exchange, unreached)(scope, receive, send)
                else:
                    await cut(receive)

    async def _ask(self, asked: httpx.Request, exchange: Exchange, send: Send) -> None:
        outage = self.outage if asked.url.path.endswith("/completion") else None
        if outage:
            await outage.strike()
        response = await self._connections.handle_async_request(asked)
        try:
            exchange.status = response.status_code
            headers = _passed(response.headers.items())
            raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
            start = {"type": "http.response.start", "status": response.status_code, "headers": raw}
            await send(start)
            async for whole in response.aiter_bytes():
                piece = whole[: len(whole) // 2] if outage and outage.cuts else whole
                exchange.record(piece)
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                if piece != whole:
                    raise Severed
        finally:
            await response.aclose()
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _refuse(exchange: Exchange, refusal: Refusal) -> Response:
    """Answer as the API refuses."""
    body = line(error_json(refusal.status, str(refusal)))
    exchange.status = refusal.status
    exchange.record(body)
    return Response(body, refusal.status, media_type="application/json")


def _passed(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {name: value for name, value in headers if name not in _OF_A_CONNECTION}
