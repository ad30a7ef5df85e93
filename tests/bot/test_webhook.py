"""What is posted, request by request, without a server; the whole is in tests/app."""

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from redis.asyncio import Redis
from starlette.requests import Request
from structlog.testing import capture_logs
from telegram import WebhookInfo
from telegram.error import TelegramError
from telegram.ext import ExtBot

from bot.background import beside
from bot.updates.intake import KINDS, LARGEST
from bot.updates.webhook import HEADER, Webhook
from handlers.outgoing.pacing import Effect
from storage import keys
from storage.lease import Lease
from storage.secret import shared_secret
from storage.server.connect import StorageUnavailable, connect
from storage.timing import Timing

URL = "https://bot.example/hook"

_bot_ids = itertools.count(8_550_000)


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

    def __init__(
        self,
        *chunks: bytes | None,
        endless: bool = False,
        secret: str = "secret",
        timing: Timing = Timing(),
    ) -> None:
        self._chunks = list(chunks)
        self._endless = endless
        self._secret = secret
        self._timing = timing
        self.read = 0
        """How many bytes were asked for."""

    async def to(self, intake: Intake) -> Any:
        """Post it; gives the response."""
        bot: ExtBot[None] = ExtBot("9:TOKEN")
        webhook = Webhook(bot, intake, URL, "secret", self._timing)  # type: ignore[arg-type]
        headers = [(HEADER.lower().encode(), self._secret.encode())]
        scope = {"type": "http", "method": "POST", "path": "/hook", "headers": headers}
        receive: Callable[[], Any] = self._receive
        return await webhook._receive(Request(scope, receive))

    async def _receive(self) -> dict[str, Any]:
        chunk = self._chunks[0] if self._endless else self._chunks.pop(0)
        if chunk is None:
            return {"type": "http.disconnect"}
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


async def test_storage_stays_away(intake: Intake) -> None:
    """Operators hear of it once, and that all is well when nothing has been refused for a while."""
    soon = Timing(webhook_retry=0.05)
    intake.trouble = StorageUnavailable("away")
    with capture_logs() as logs:
        for _ in range(3):
            assert (await Post(b"{}", timing=soon).to(intake)).status_code == 503
    assert [entry["event"] for entry in logs] == ["webhook_refuses"]
    assert intake.problem == "away"
    async with asyncio.timeout(30):
        while intake.problem:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)


async def test_a_post_that_breaks_off(intake: Intake) -> None:
    """It is answered to nobody, and nothing of it is taken."""
    assert (await Post(None).to(intake)).status_code == 400
    assert intake.taken == intake.buried == []


async def test_letters_that_are_none(intake: Intake) -> None:
    """They are replaced where no parser reads a body."""
    await Post(b"\xff").to(intake)
    ((text, _),) = intake.buried
    assert text == "\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(
    ("url", "path"), [("https://bot.example/hook", "/hook"), ("https://bot.example", "/")]
)
def test_where_it_is_posted(intake: Intake, url: str, path: str) -> None:
    """At the path of the URL, and by no other method."""
    route = Webhook(ExtBot("9:TOKEN"), intake, url, "secret").route  # type: ignore[arg-type]
    assert (route.path, route.methods) == (path, {"POST"})


# The keeper


class Telegram:
    """Keeps a webhook, and lists what is called."""

    def __init__(self, *troubles: TelegramError) -> None:
        self.calls: list[str] = []
        self.given: dict[str, Any] = {}
        self.url = ""
        self._troubles = list(troubles)

    async def set_webhook(self, url: str, **given: Any) -> None:
        self._called("set")
        self.url, self.given = url, given

    async def get_webhook_info(self) -> WebhookInfo:
        self._called("look")
        return WebhookInfo(self.url, has_custom_certificate=False, pending_update_count=0)

    async def delete_webhook(self, rate_limit_args: Effect) -> None:
        assert rate_limit_args.hold is None
        self._called("delete")
        self.url = ""

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if self._troubles:
            raise self._troubles.pop(0)

    async def until(self, *calls: str) -> None:
        """Wait until it was called so."""
        async with asyncio.timeout(30):
            while self.calls[: len(calls)] != list(calls):  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def kept(telegram: Telegram, redis: Redis, timing: Timing = Timing()) -> AsyncIterator[Lease]:
    """Keep the webhook while the block runs."""
    lease = Lease(redis, keys.poller(next(_bot_ids)), "process", timing)
    webhook = Webhook(telegram, Intake(), URL, "secret", timing)  # type: ignore[arg-type]
    async with beside(webhook.run(lease)):
        yield lease


async def test_it_is_set_and_removed(redis: Redis) -> None:
    """With the secret, for what we read; nobody looks at once whether it still is."""
    telegram = Telegram()
    async with kept(telegram, redis):
        await telegram.until("set")
        await asyncio.sleep(0)
    assert telegram.calls == ["set", "delete"]
    assert telegram.given["secret_token"] == "secret"
    assert telegram.given["allowed_updates"] == KINDS
    assert telegram.given["rate_limit_args"].hold is None


async def test_it_is_set_again(redis: Redis) -> None:
    """When somebody has changed it; else it is only looked at."""
    telegram = Telegram()
    async with kept(telegram, redis, Timing(webhook_look=0.01)):
        await telegram.until("set", "look", "look")
        telegram.url = "https://other.example"
        async with asyncio.timeout(30):
            while telegram.url != URL:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.005)
    assert telegram.calls.count("set") == 2


async def test_telegram_refuses(redis: Redis) -> None:
    """It is tried again, after a pause; and what cannot be removed stays."""
    telegram = Telegram(TelegramError("no"))
    async with kept(telegram, redis):
        await telegram.until("set")
        await asyncio.sleep(0)
    assert telegram.calls == ["set", "delete"]
    telegram = Telegram(TelegramError("no"), TelegramError("no"))
    async with kept(telegram, redis, Timing(webhook_retry=0.01)):
        await telegram.until("set", "set", "set")
        telegram._troubles.append(TelegramError("no"))
    assert telegram.url == URL


async def test_another_process_keeps_it(redis: Redis) -> None:
    """Whoever waits goes on with the webhook as it is."""
    telegram = Telegram()
    async with kept(telegram, redis) as lease:
        await telegram.until("set")
        await redis.set(lease._waiting, "another", px=60_000)
    assert telegram.calls == ["set"]


async def test_who_has_lost_the_lease(redis: Redis) -> None:
    """He leaves the webhook alone, and waits for his turn."""
    telegram = Telegram()
    async with kept(telegram, redis, Timing(lease=0.5)) as lease:
        await telegram.until("set")
        await redis.set(lease._lock.name, "another", px=700)
        await telegram.until("set", "set")
    assert telegram.calls[:2] == ["set", "set"]


async def test_no_secret_without_storage() -> None:
    """Whoever asks for it hears so, and can wait."""
    redis = connect("unix:///nowhere", connections=1)
    with pytest.raises(StorageUnavailable):
        await shared_secret(redis, 1)
    await redis.aclose()


async def test_the_secret_of_all(redis: Redis) -> None:
    """The first one makes it; it cannot be guessed."""
    number = next(_bot_ids)
    secret = await shared_secret(redis, number)
    assert len(secret) >= 43
    assert await shared_secret(redis, number) == secret
    assert await shared_secret(redis, next(_bot_ids)) != secret
