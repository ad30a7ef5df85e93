"""Calls to Telegram on the wire: what comes back, however odd, and what is sent with each."""

import gzip
from collections.abc import AsyncIterator
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request as Posted
from starlette.responses import Response
from starlette.routing import Route
from telegram import Bot
from telegram.error import BadRequest, Forbidden, NetworkError, TelegramError

from bot.request import TIMEOUTS, Request, form
from bot.transport import transport
from bot.web import serving

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


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


MORE = b"", b', "date": 5, "edit_date": 6, "chat": {"id": 1, "type": "private"}'


@pytest.mark.parametrize("more", MORE)
@pytest.mark.parametrize("packed", [False, True])
async def test_a_message_that_was_sent(
    bot: Bot, server: Server, more: bytes, *, packed: bool
) -> None:
    """Its id is known, whatever else is told of it, and however it is packed."""
    server.packed, server.body = packed, b'{"ok": true, "result": {"message_id": 7%s}}' % more
    assert (await bot.send_message(1, "hi")).message_id == 7


@pytest.mark.parametrize("more", MORE)
async def test_a_message_that_was_edited(bot: Bot, server: Server, more: bytes) -> None:
    """Nothing of it is read: who edits it knows its id."""
    server.body = b'{"ok": true, "result": {"message_id": 7%s}}' % more
    assert await bot.edit_message_text("hi", 1, 7) is True


@pytest.mark.parametrize(
    "body",
    [b"", b"5", b"[]", b"null", b"{}", b'{"ok": true}', b"<html>", b"\xff", b"[" * 100_000],
    ids=lambda body: repr(body[:12]),
)
async def test_what_is_no_answer(bot: Bot, server: Server, body: bytes) -> None:
    """It says nothing of what became of the message: a connection that broke says the same."""
    server.body = body
    for call in (bot.send_message(1, "hi"), bot.edit_message_text("hi", 1, 7)):
        with pytest.raises(NetworkError, match="Invalid server response") as caught:
            await call
        assert caught.value.__cause__


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (b'"error_code": 403, ', Forbidden),
        (b'"error_code": 400, ', BadRequest),
        (b'"error_code": 200, ', NetworkError),
        (b'"error_code": "x", ', NetworkError),
        (b"", NetworkError),
    ],
)
async def test_a_refusal_called_a_success(
    bot: Bot, server: Server, code: bytes, error: type[TelegramError]
) -> None:
    """Some servers answer 200 to everything: what they say in it counts, and nothing was sent."""
    server.body = b'{"ok": false, %s"description": "no"}' % code
    for call in (bot.send_message(1, "hi"), bot.edit_message_text("hi", 1, 7)):
        with pytest.raises(error, match=r"(?i)no") as caught:
            await call
        assert caught.value.__cause__ is None


async def test_what_is_accepted(bot: Bot, server: Server) -> None:
    """Only what httpx can unpack on every machine."""
    server.body = b'{"ok": true, "result": true}'
    await bot.delete_message(1, 2)
    assert server.accepted == ["gzip, deflate"]


@given(st.dictionaries(TEXTS, TEXTS))
def test_any_text_can_be_posted(fields: dict[str, str]) -> None:
    """A form gives it back as it was, in the order of its fields."""
    posted = form("http://host/bot1:a/sendMessage", fields, TIMEOUTS)
    assert parse_qsl(posted.content.decode("ascii"), keep_blank_values=True) == [*fields.items()]
    assert posted.headers["content-type"] == "application/x-www-form-urlencoded"
