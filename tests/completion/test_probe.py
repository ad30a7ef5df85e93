"""The one try of the model at the start."""

import asyncio
import contextlib
import json
from contextlib import AsyncExitStack
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from structlog.testing import capture_logs

from bot import web
from bot.app import running
from bot.clients import open_completion
from bot.completion.probe import probe
from tests.completion import listening, saying
from tests.conftest import World, configured

FOREIGN = "Specified folder ID 'a' does not match with service account folder ID 'b'"


def error(status: int, message: str) -> bytes:
    """A refusal as the API puts it."""
    return json.dumps({"error": {"httpCode": status, "message": message}}).encode()


@pytest.mark.parametrize(
    ("status", "body", "level", "told"),
    [
        (200, b'{"tokens": []}', None, ""),
        (401, error(401, "Unknown api key"), "error", "the key or token is wrong"),
        (403, error(403, "Permission denied"), "error", "ai.languageModels.user"),
        (403, error(403, "Permission denied"), "error", "billing"),
        (400, error(400, FOREIGN), "error", "FOLDER_ID"),
        (400, error(400, "Failed to get model"), "error", "MODEL may be misspelt"),
        (400, error(400, "two\nlines\r\n"), "error", "two lines"),
        (404, b"<html>Not Found</html>", None, ""),
        (405, b"", None, ""),
        (501, b"", None, ""),
        (429, error(429, "quota"), "warning", "quota"),
        (500, b"", "warning", "HTTP 500"),
        (503, b"<html>\n", "warning", "HTTP 503"),
        (200, b"hello", "warning", "unreadable"),
    ],
)
async def test_what_is_said(status: int, body: bytes, level: str | None, told: str) -> None:
    """A fault of the settings is an error, an outage a warning, no tokeniser is nothing."""

    async def refuse(_: Request) -> Response:
        return Response(body, status)

    app = Starlette(routes=[Route("/{path:path}", refuse, methods=["POST"])])
    async with web.serving(app, "127.0.0.1", 0) as url:
        events = await probed(url)
    assert [event["log_level"] for event in events] == ([level] if level else [])
    for event in events:
        assert told in event["reason"]
        assert len(event["reason"].splitlines()) == 1


async def probed(url: str) -> list[dict[str, Any]]:
    """Probe the server at ``url``; what was logged."""
    settings = configured(telegram_token="1:a", folder_id="f", api_key="k", completion_url=url)
    async with AsyncExitStack() as stack:
        completion = await open_completion(settings, stack, contextlib.nullcontext)
        with capture_logs() as events:
            await probe(completion, settings.bots[0].profile)
    return [dict(event) for event in events]


async def test_nobody_there() -> None:
    """An outage is a warning."""
    [event] = await probed("http://127.0.0.1:1")
    assert event["log_level"] == "warning"


OK = b"HTTP/1.1 200 OK\r\n"
ODD = {
    "nothing": b"",
    "no HTTP": b"\x16\x03\x01 this is no HTTP\r\n\r\n",
    "another version": b"HTTP/2 200\r\n\r\n",
    "no status": b"HTTP/1.1 99999 Odd\r\n\r\n",
    "another protocol": b"HTTP/1.1 101 Switching\r\nUpgrade: odd\r\nConnection: Upgrade\r\n\r\n",
    "nothing but a promise": b"HTTP/1.1 100 Continue\r\n\r\n",
    "a reason in no letters": b"HTTP/1.1 400 \xff\xfe\r\nContent-Length: 0\r\n\r\n",
    "a way to nowhere": b"HTTP/1.1 302 Found\r\nLocation: http://[::1\r\n\r\n",
    "a header without a name": OK + b"\xff\xff: 1\r\n\r\n{}",
    "a header without end": OK + b"X: " + b"x" * 100_000,
    "headers without end": OK + b"X: 1\r\n" * 2000,
    "cookies": OK + b"Set-Cookie: a\x01b=c; Max-Age=" + b"9" * 30 + b"\r\n\r\n{}",
    "a charset": OK + b"Content-Type: text/html; charset=rot13\r\n\r\n{}",
    "no length": OK + b"Content-Length: -5\r\n\r\n{}",
    "two lengths": OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
    "half a body": OK + b"Content-Length: 5000\r\n\r\n{",
    "no chunk": OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    "half a chunk": OK + b"Transfer-Encoding: chunked\r\n\r\nffffff\r\n{",
    "no gzip": OK + b"Content-Encoding: gzip\r\n\r\nnone",
    "no encoding": OK + b"Content-Encoding: odd, br\r\n\r\nnone",
    "no letters": OK + b"\r\n\xff\xfe",
    "a list": OK + b"\r\n[]",
    "no list": OK + b'\r\n{"tokens": Infinity}',
    "too large a number": OK + b'\r\n{"tokens": ' + b"9" * 10_000 + b"}",
    "too deep": OK + b"\r\n" + b"[" * 100_000,
    "too deep an error": b"HTTP/1.1 403 No\r\n\r\n" + b"[" * 100_000,
    "an odd error": b'HTTP/1.1 400 No\r\n\r\n{"error": {"message": "\\ud800"}}',
    "an odd pause": b"HTTP/1.1 429 No\r\nRetry-After: \xb2\r\n\r\n",
}


@pytest.mark.parametrize("answer", ODD.values(), ids=ODD)
async def test_whatever_a_server_says(answer: bytes) -> None:
    """It is a line in the log; nothing else comes of it."""
    async with listening(saying(answer)) as port:
        [event] = await probed(f"http://127.0.0.1:{port}")
    assert event["event"] in ("model_misconfigured", "model_unreachable")


@pytest.mark.slow
async def test_it_delays_nothing(elsewhere: World) -> None:
    """The bot starts, answers and stops while the tokeniser is silent; it is asked once."""
    asked: list[Request] = []
    over = asyncio.Event()

    async def silent(request: Request) -> Response:
        asked.append(request)
        await over.wait()
        return Response()

    path = "/foundationModels/v1/tokenizeCompletion"
    app = Starlette(routes=[Route(path, silent, methods=["POST"]), *elsewhere.model.routes])
    async with web.serving(app, "127.0.0.1", 0) as url:
        settings = elsewhere.settings.model_copy(update={"completion_url": url})
        async with running(settings):
            assert await elsewhere.says(101, 101, "hi") == "echo: hi"
        over.set()
    assert len(asked) == 1
