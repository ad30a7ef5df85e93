"""The one try of the model at the start."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Sequence
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
from handlers.dialogue.completion import Answer
from handlers.dialogue.profile import Profile
from storage.message import Message
from tests.completion import PROFILE
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


async def test_a_bug_ends_nothing() -> None:
    """Whatever happens in it is logged, and is all that happens."""

    class Broken:
        """A completion API of ours that is broken."""

        def stream(
            self, profile: Profile, messages: Sequence[Message], chat_id: int
        ) -> AsyncGenerator[Answer]:
            raise NotImplementedError

        async def count(self, profile: Profile, messages: Sequence[Message], chat_id: int) -> int:
            raise RuntimeError

    with capture_logs() as events:
        await probe(Broken(), PROFILE)
    assert [event["event"] for event in events] == ["probe_failed"]


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
