"""What is posted, request by request, without a server; the whole is in tests/app."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from starlette.requests import Request
from telegram.ext import ExtBot

from bot.updates.intake import LARGEST
from bot.updates.webhook import HEADER, Webhook
from storage.server.connect import StorageUnavailable


class Intake:
    """Takes in, unless it cannot."""

    def __init__(self) -> None:
        self.taken: list[Any] = []
        self.buried: list[tuple[str, str]] = []
        self.trouble: Exception | None = None
        self.problem: str | None = None

    async def take(self, update: Any) -> None:
        if self.trouble:
            raise self.trouble
        self.taken.append(update)

    async def bury(self, text: str, reason: str) -> None:
        self.buried.append((text, reason))


class Post:
    """A request whose body comes in chunks, and never ends by itself if ``endless``."""

    def __init__(self, *chunks: bytes, endless: bool = False, secret: str = "secret") -> None:
        self._chunks = list(chunks)
        self._endless = endless
        self._secret = secret
        self.read = 0
        """How many bytes were asked for."""

    async def to(self, intake: Intake) -> Any:
        """Post it; gives the response."""
        bot: ExtBot[None] = ExtBot("9:TOKEN")
        webhook = Webhook(bot, intake, "https://bot.example/hook", "secret")  # type: ignore[arg-type]
        headers = [(HEADER.lower().encode(), self._secret.encode())]
        scope = {"type": "http", "method": "POST", "path": "/hook", "headers": headers}
        receive: Callable[[], Any] = self._receive
        return await webhook._receive(Request(scope, receive))

    async def _receive(self) -> dict[str, Any]:
        chunk = self._chunks[0] if self._endless else self._chunks.pop(0)
        self.read += len(chunk)
        more = self._endless or bool(self._chunks)
        return {"type": "http.request", "body": chunk, "more_body": more}


@pytest.fixture
def intake() -> Intake:
    """One that can take in."""
    return Intake()


async def test_an_update_comes_in_chunks(intake: Intake) -> None:
    """It is put together, and taken."""
    response = await Post(b'{"update', b'_id": 1', b"}").to(intake)
    assert response.status_code == 200
    assert intake.taken == [{"update_id": 1}]


async def test_a_body_without_end(intake: Intake) -> None:
    """No more of it is read than an update may have; its beginning becomes a dead letter."""
    post = Post(b"x" * 65_536, endless=True)
    assert (await post.to(intake)).status_code == 200
    assert LARGEST < post.read <= LARGEST + 65_536
    ((text, reason),) = intake.buried
    assert text == "x" * 1000
    assert "no JSON" in reason


async def test_a_body_of_the_largest_size(intake: Intake) -> None:
    """It is read to its end; whether an update may be so large is not judged here."""
    body = json.dumps({"update_id": 1, "text": "x" * LARGEST}).encode()
    await Post(body[:LARGEST], body[LARGEST:]).to(intake)
    assert [update["update_id"] for update in intake.taken] == [1]


@pytest.mark.parametrize("secret", ["", "secre", "Secret", "secret "])
async def test_a_wrong_secret(intake: Intake, secret: str) -> None:
    """Nothing is read of what is not Telegram's."""
    post = Post(b"{}", secret=secret)
    assert (await post.to(intake)).status_code == 403
    assert post.read == 0
    assert intake.taken == []


async def test_storage_down(intake: Intake) -> None:
    """Telegram is told to come again, and operators why; well again, both hear of it."""
    intake.trouble = StorageUnavailable("away")
    response = await Post(b"{}").to(intake)
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert intake.problem == "away"
    intake.trouble = None
    assert (await Post(b"{}").to(intake)).status_code == 200
    assert intake.problem is None
