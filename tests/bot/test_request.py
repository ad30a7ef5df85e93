"""Calls to Telegram on the wire: what comes back, however odd, and what is sent with each."""

import gzip
from collections.abc import AsyncIterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request as Posted
from starlette.responses import Response
from starlette.routing import Route
from telegram import Bot
from telegram.error import NetworkError

from bot.request import Request
from bot.transport import transport
from bot.web import serving


class Server:
    """A Bot API that answers every call with one body."""

    body = b""
    packed = False

    def __init__(self) -> None:
        self.accepted: list[str | None] = []

    async def respond(self, request: Posted) -> Response:
        self.accepted.append(request.headers.get("accept-encoding"))
        body = gzip.compress(self.body) if self.packed else self.body
        return Response(body, headers={"content-encoding": "gzip"} if self.packed else None)


@pytest.fixture
def server() -> Server:
    """One that can be told what to answer."""
    return Server()


@pytest.fixture
async def bot(server: Server) -> AsyncIterator[Bot]:
    """A bot that calls it."""
    app = Starlette(routes=[Route("/{path:path}", server.respond, methods=["POST"])])
    async with serving(app, "127.0.0.1", 0) as url:
        request = Request(transport(None, 2), 5)
        yield Bot("1:TOKEN", base_url=f"{url}/bot", request=request, get_updates_request=request)
        await request.shutdown()


@pytest.mark.parametrize("more", [b"", b', "date": 5, "chat": {"id": 1, "type": "private"}'])
@pytest.mark.parametrize("packed", [False, True])
async def test_a_message_that_was_sent(
    bot: Bot, server: Server, more: bytes, *, packed: bool
) -> None:
    """Its id is known, whatever else is told of it, and however it is packed."""
    server.packed, server.body = packed, b'{"ok": true, "result": {"message_id": 7%s}}' % more
    assert (await bot.send_message(1, "hi")).message_id == 7


@pytest.mark.parametrize(
    "body",
    [b"", b"5", b"[]", b"null", b"{}", b'{"ok": true}', b"<html>", b"\xff", b"[" * 100_000],
    ids=lambda body: repr(body[:12]),
)
async def test_what_is_no_answer(bot: Bot, server: Server, body: bytes) -> None:
    """It says nothing of what became of the message: a connection that broke says the same."""
    server.body = body
    with pytest.raises(NetworkError, match="Invalid server response") as caught:
        await bot.send_message(1, "hi")
    assert caught.value.__cause__


async def test_what_is_accepted(bot: Bot, server: Server) -> None:
    """Only what httpx can unpack on every machine."""
    server.body = b'{"ok": true, "result": true}'
    await bot.delete_message(1, 2)
    assert server.accepted == ["gzip, deflate"]
