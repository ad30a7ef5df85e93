"""The whole application behind a webhook: the local Telegram posts to it over real HTTP."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from bot.app import running
from bot.playground.telegram.fault import Fault
from bot.playground.telegram.webhook import Target
from bot.redaction import HIDDEN, redact
from bot.updates import webhook
from bot.updates.intake import KINDS, LARGEST
from handlers.texts import RUSSIAN
from storage import keys
from storage.dead import DeadLetters
from storage.secret import shared_secret
from storage.server.connect import connect
from tests.conftest import ANN, BORIS, World, changed, local_telegram
from tests.forms import free_port
from tests.valkey import own_valkey

pytestmark = pytest.mark.slow


async def until(condition: Callable[[], bool]) -> None:
    """Wait until it holds."""
    async with asyncio.timeout(40):
        while not condition():  # noqa: ASYNC110 - it tells no other way
            await asyncio.sleep(0.01)


def behind_a_webhook(world: World, **settings: Any) -> None:
    """Let the bot of a world listen on a free port, where Telegram is to post."""
    port = free_port()
    settings = {"webhook_url": f"http://127.0.0.1:{port}/telegram"} | settings
    world.settings = changed(world.settings, **{"listen": ("127.0.0.1", port)} | settings)


@pytest.fixture
async def hooked(elsewhere: World) -> AsyncIterator[World]:
    """A world with a Telegram that posts, and no bot yet."""
    behind_a_webhook(elsewhere)
    elsewhere.room.chat(ANN)
    async with posting(elsewhere):
        yield elsewhere


@contextlib.asynccontextmanager
async def posting(world: World) -> AsyncIterator[None]:
    """Let the world's Telegram post while the block runs, without long pauses."""
    sleep = asyncio.sleep
    world.room.webhook.sleep = lambda seconds: sleep(seconds / 50)
    async with world.room.webhook.delivering():
        yield


async def post(
    world: World, body: bytes | dict[str, Any], secret: str | None = None, url: str | None = None
) -> httpx.Response:
    """Post something to the bot as Telegram would, by default with what it was told."""
    await until(lambda: world.room.webhook.target is not None)
    shown = the_target(world).secret if secret is None else secret
    async with httpx.AsyncClient(timeout=20) as http:
        return await http.post(
            url or the_target(world).url,
            content=body if isinstance(body, bytes) else json.dumps(body).encode(),
            headers={webhook.HEADER.encode(): shown.encode()},
        )


def the_target(world: World) -> Target:
    """What the bot has told Telegram."""
    target = world.room.webhook.target
    assert target is not None
    return target


def text_update(number: int, text: str, chat: int = ANN) -> dict[str, Any]:
    """An update as Telegram makes it."""
    person = {"id": chat, "is_bot": False, "first_name": "Somebody"}
    return {
        "update_id": number,
        "message": {
            "message_id": number,
            "date": 1_700_000_000,
            "chat": {"id": chat, "type": "private", "first_name": "Somebody"},
            "from": person,
            "text": text,
        },
    }


def dead_letters(world: World) -> DeadLetters:
    return DeadLetters(world.redis, world.bot_id)


async def test_messages_are_answered_in_order(hooked: World) -> None:
    """What people write is posted, and answered chat by chat in its order."""
    async with running(hooked.settings):
        for number in range(5):
            for chat in (ANN, BORIS):
                hooked.room.say(chat, chat, f"{number}")
        for chat in (ANN, BORIS):
            assert await hooked.hears(chat, 5) == [f"echo: {number}" for number in range(5)]
        await until(lambda: len(hooked.room.updates) == 0)
        assert hooked.room.updates.allowed == sorted(KINDS)
    assert not any(call["method"] == "getUpdates" for call in hooked.room.calls)


async def test_what_waited_before(hooked: World) -> None:
    """What was written while no bot ran is answered when it does."""
    hooked.room.say(ANN, ANN, "hi")
    async with running(hooked.settings):
        assert await hooked.hears(ANN) == ["echo: hi"]


@pytest.mark.parametrize("secret", ["", "wrong", "é"])
async def test_a_wrong_secret(hooked: World, secret: str) -> None:
    """Who does not show the secret gets 403, and nothing of it is stored."""
    async with running(hooked.settings):
        await until(lambda: hooked.room.webhook.target is not None)
        assert (await post(hooked, text_update(1, "forged"), secret)).status_code == 403
        assert (await post(hooked, b"{", secret)).status_code == 403
        assert await hooked.says(ANN, ANN, "hi") == "echo: hi"
    assert len(hooked.said(ANN)) == 1
    assert await dead_letters(hooked).all() == []


async def test_only_post(hooked: World) -> None:
    """Other methods, and other paths, find nothing."""
    async with running(hooked.settings), httpx.AsyncClient() as http:
        url = str(hooked.settings.webhook_url)
        assert (await http.get(url)).status_code == 405
        assert (await http.post(f"{url}/x")).status_code == 404


async def test_the_secret_is_shared(hooked: World) -> None:
    """Processes that are given none have the same one, made once, whoever sets the webhook."""
    first = hooked.settings
    behind_a_webhook(hooked, webhook_url=first.webhook_url)  # as if behind one balancer
    second = hooked.settings
    async with running(first), running(second):
        for number, settings in enumerate((first, second)):
            host, port = settings.listen
            url = f"http://{host}:{port}/telegram"
            response = await post(hooked, text_update(number, f"{number}"), url=url)
            assert response.status_code == 200
        assert await hooked.hears(ANN, 2) == ["echo: 0", "echo: 1"]
        secret = the_target(hooked).secret
        assert len(secret) >= 32
        assert redact(f"it is {secret}") == f"it is {HIDDEN}"
    async with running(first):
        await until(lambda: hooked.room.webhook.target is not None)
        assert the_target(hooked).secret == secret


async def test_the_secret_is_made_though_memory_is_full() -> None:
    """A bot begins, for what makes room comes in by its webhook."""
    async with own_valkey() as server:
        redis = connect(server.url, connections=4)
        await redis.config_set("maxmemory", "1")
        secret = await shared_secret(redis, 1)
        assert len(secret) >= 32
        assert await shared_secret(redis, 1) == secret
        await redis.aclose()


async def test_what_makes_room_is_taken(hooked: World) -> None:
    """While memory is full a command is stored, and Telegram hears so; a question is not."""
    async with running(hooked.settings):
        await hooked.redis.config_set("maxmemory", "1")
        try:
            command = text_update(1, "/reset")
            command["message"]["entities"] = [{"type": "bot_command", "offset": 0, "length": 6}]
            assert (await post(hooked, text_update(2, "hi", BORIS))).status_code == 503
            assert (await post(hooked, command)).status_code == 200
            assert await hooked.hears(ANN) == [RUSSIAN.forgotten_for_good]
        finally:
            await hooked.redis.config_set("maxmemory", "0")


async def test_a_given_secret(hooked: World) -> None:
    """The secret that is configured is the one that counts, and no other is made."""
    given = {"webhook_secret": SecretStr("given_1")}
    async with running(hooked.settings.model_copy(update=given)):
        assert await hooked.says(ANN, ANN, "hi") == "echo: hi"
        assert the_target(hooked).secret == "given_1"
    assert not await hooked.redis.exists(keys.webhook_secret(hooked.bot_id))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "no JSON"),
        (b"{", "no JSON"),
        (b"\xff\xfe\x00", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"[]", "no update_id"),
        (b'{"update_id": "1"}', "no update_id"),
        (b'{"update_id": 7, "message": {"chat": 5}}', "no readable chat"),
        (b'{"update_id": 7, "x": "' + b"x" * LARGEST, "no JSON"),
        (b'{"update_id": 7, "x": "' + b"x" * LARGEST + b'"}', "(no JSON|.* characters long)"),
    ],
)
async def test_what_cannot_be_read(hooked: World, body: bytes, reason: str) -> None:
    """It is a dead letter and taken, or it would come again and hold up its chat; life goes on."""
    async with running(hooked.settings):
        assert (await post(hooked, body)).status_code == 200
        assert await hooked.says(ANN, ANN, "hi") == "echo: hi"
    [letter] = await dead_letters(hooked).all()
    assert re.match(reason, letter.reason)
    assert len(letter.update) <= 1000


async def test_a_body_of_the_largest_size(hooked: World) -> None:
    """An update as large as allowed is dealt with as any other."""
    update = text_update(1, "hi")
    update["message"]["padding"] = ""
    update["message"]["padding"] = "x" * (LARGEST - len(json.dumps(update)))
    async with running(hooked.settings):
        assert (await post(hooked, update)).status_code == 200
        assert await hooked.hears(ANN) == ["echo: hi"]


async def test_a_post_that_breaks_off(hooked: World, caplog: pytest.LogCaptureFixture) -> None:
    """Half an update is none: it is neither stored nor buried, and no error of ours."""
    async with running(hooked.settings):
        await until(lambda: hooked.room.webhook.target is not None)
        secret = the_target(hooked).secret
        _, writer = await asyncio.open_connection(*hooked.settings.listen)
        head = f"POST /telegram HTTP/1.1\r\nHost: x\r\nContent-Length: 999\r\n{webhook.HEADER}: "
        writer.write(f'{head}{secret}\r\n\r\n{{"update_id": 1'.encode())
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        assert await hooked.says(ANN, ANN, "hi") == "echo: hi"
    assert await dead_letters(hooked).all() == []
    assert not caplog.records


async def test_half_requests_shut_nobody_out(hooked: World) -> None:
    """While hundreds hold half a request each, Telegram's posts and health are answered."""
    async with running(hooked.settings):
        await until(lambda: hooked.room.webhook.target is not None)
        host, port = hooked.settings.listen
        line = b"POST /telegram HTTP/1.1\r\n"
        head = line + f"Host: x\r\n{webhook.HEADER}: {the_target(hooked).secret}\r\n".encode()
        held = []
        for number in range(300):
            reader, writer = await asyncio.open_connection(host, port)
            writer.write((line[:-4], head, head + b'Content-Length: 99\r\n\r\n{"up')[number % 3])
            held.append((reader, writer))
        assert await hooked.says(ANN, ANN, "hi") == "echo: hi"
        async with httpx.AsyncClient(timeout=20) as http:
            assert (await http.get(f"http://{host}:{port}/healthz")).status_code == 200
        async with asyncio.timeout(40):
            for reader, writer in held:
                with contextlib.suppress(ConnectionError):
                    await reader.read()
                writer.close()
    assert await dead_letters(hooked).all() == []


async def test_a_redelivered_update(hooked: World) -> None:
    """Telegram repeats what it was not heard to have been taken; it is answered once."""
    async with running(hooked.settings):
        for _ in range(3):
            assert (await post(hooked, text_update(1, "hi"))).status_code == 200
        assert (await post(hooked, text_update(2, "more"))).status_code == 200
        assert await hooked.hears(ANN, 2) == ["echo: hi", "echo: more"]
    assert len(hooked.said(ANN)) == 2


async def test_storage_down() -> None:
    """Without storage Telegram hears 503 and when to come again; nothing is lost."""
    async with own_valkey() as server:
        redis = connect(server.url, connections=4)
        async with local_telegram(redis, server.url) as world, posting(world):
            behind_a_webhook(world)
            host, port = world.settings.listen
            readyz = f"http://{host}:{port}/readyz"
            async with running(world.settings), httpx.AsyncClient(timeout=20) as http:
                assert await world.says(ANN, ANN, "before") == "echo: before"
                server.kill()
                for number in range(3):
                    world.room.say(ANN, ANN, f"{number}")
                await until(lambda: world.room.webhook.failure is not None)
                response = await post(world, text_update(1, "x", BORIS))
                assert response.status_code == 503
                assert response.headers["retry-after"] == "5"
                ready = await http.get(readyz)
                assert ready.status_code == 503
                assert [problem.partition(":")[0] for problem in ready.json()["problems"]] == [
                    "storage",
                    "intake",
                ]
                await server.start()
                assert await world.hears(ANN, 4) == [
                    f"echo: {text}" for text in ("before", "0", "1", "2")
                ]
                assert (await http.get(readyz)).json() == {"problems": []}
        await redis.aclose()


async def test_ready_again_by_itself(hooked: World) -> None:
    """A balancer posts nothing to who is not ready, so that must not wait for a post to end."""
    settings = changed(hooked.settings, webhook_retry=0.2)
    async with running(settings), httpx.AsyncClient() as http:
        await hooked.redis.config_set("maxmemory", "1")
        try:
            assert (await post(hooked, text_update(1, "hi"))).status_code == 503
        finally:
            await hooked.redis.config_set("maxmemory", "0")
        host, port = hooked.settings.listen
        async with asyncio.timeout(30):
            url = f"http://{host}:{port}/readyz"
            while (await http.get(url)).status_code != 200:  # noqa: ASYNC110 - as a balancer does
                await asyncio.sleep(0.05)
    assert not hooked.said(ANN)


async def test_set_and_removed(hooked: World) -> None:
    """The webhook is set while the bot runs, and not after it."""
    async with running(hooked.settings):
        await until(lambda: hooked.room.webhook.target is not None)
        assert the_target(hooked).url == hooked.settings.webhook_url
    assert hooked.room.webhook.target is None


async def test_another_process_goes_on(hooked: World) -> None:
    """The webhook stays while another process waits to keep it; the last one removes it."""
    waiting = f"{keys.poller(hooked.bot_id)}:waiting"
    first = running(changed(hooked.settings, lease=3.0))
    behind_a_webhook(hooked, webhook_url=hooked.settings.webhook_url)  # it has a port of its own
    second = running(changed(hooked.settings, lease=3.0))
    await first.__aenter__()
    await until(lambda: hooked.room.webhook.target is not None)
    await second.__aenter__()
    await exists(hooked, waiting, 1)
    await first.__aexit__(None, None, None)
    assert hooked.room.webhook.target is not None
    await exists(hooked, waiting, 0)
    await second.__aexit__(None, None, None)
    assert hooked.room.webhook.target is None


async def exists(world: World, key: str, wanted: int) -> None:
    """Wait until a key exists (1), or no longer (0)."""
    async with asyncio.timeout(40):
        while await world.redis.exists(key) != wanted:  # noqa: ASYNC110 - it tells no other way
            await asyncio.sleep(0.01)


async def test_who_lost_the_lease_removes_nothing(hooked: World) -> None:
    """A process that was away too long leaves the webhook to the one that keeps it by now."""
    with capture_logs() as logs:
        async with running(changed(hooked.settings, lease=3.0)):
            await until(lambda: hooked.room.webhook.target is not None)
            await hooked.redis.set(keys.poller(hooked.bot_id), "another", px=60_000)
            await until(lambda: any(log["event"] == "webhook_handed_over" for log in logs))
            assert hooked.room.webhook.target is not None


@pytest.mark.parametrize("other", [None, Target("http://127.0.0.1:9/other")])
async def test_somebody_changed_it(hooked: World, other: Target | None) -> None:
    """A webhook that somebody removed, or set to another place, is set again."""
    async with running(changed(hooked.settings, webhook_look=0.05)):
        assert await hooked.says(ANN, ANN, "hi") == "echo: hi"
        hooked.room.webhook.point(other)
        assert await hooked.says(ANN, ANN, "again") == "echo: again"


async def test_telegram_refuses(hooked: World) -> None:
    """Setting is tried again until Telegram takes it; a removal that fails is only told."""
    hooked.room.fail("setWebhook", Fault(status=500), Fault(status=429, retry_after=1), Fault())
    with capture_logs() as logs:
        async with running(changed(hooked.settings, webhook_retry=0.01)):
            assert await hooked.says(ANN, ANN, "hi") == "echo: hi"
            hooked.room.fail("deleteWebhook", Fault(status=500))
    events = [log["event"] for log in logs]
    assert events.count("webhook_not_set") == 3
    assert events.count("webhook_not_removed") == 1


async def test_polling_after_a_webhook(hooked: World) -> None:
    """Who goes back to polling has the webhook removed, whoever left it there."""
    hooked.room.webhook.point(Target("http://127.0.0.1:9/left"))
    polling = hooked.settings.model_copy(update={"webhook_url": None})
    async with running(polling):
        assert await hooked.says(ANN, ANN, "hi") == "echo: hi"
