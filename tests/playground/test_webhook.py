"""The emulator's webhook: what is posted, in which order, how often, and until when."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from bot.playground.telegram.emulator import telegram_routes
from bot.playground.telegram.files import Upload
from bot.playground.telegram.methods import METHODS
from bot.playground.telegram.query import CALLBACK, SECONDS
from bot.playground.telegram.refusal import ApiError
from bot.playground.telegram.room import Room
from bot.playground.telegram.webhook import LONGEST_SECRET, Target, queue_of
from bot.web import serving
from tests.bot.test_transport import certified

TOKEN = "42:AAtoken"
ANN, BORIS, CAROL = 101, 102, 103
NO_CERTIFICATE = Upload("c.pem", "text/plain", b"x")


class Bot:
    """A bot's own web server; ``answers`` are given in turn, then 200 for ever."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.answers: list[Response] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.open = self.most_open = 0
        self.routes = [Route("/hook", self._receive, methods=["POST"])]

    @property
    def texts(self) -> list[str]:
        """What came, each time it came."""
        return [update["message"]["text"] for update in self.seen]

    async def has_seen(self, count: int) -> None:
        """Wait until so many updates came."""
        await until(lambda: len(self.seen) >= count)

    async def _receive(self, request: Request) -> Response:
        self.seen.append(json.loads(await request.body()))
        self.headers.append(dict(request.headers))
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        await self.may_answer.wait()
        self.open -= 1
        return self.answers.pop(0) if self.answers else Response()


async def takes_all(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer every request on a connection with 200."""
    with contextlib.suppress(asyncio.IncompleteReadError):
        while head := await reader.readuntil(b"\r\n\r\n"):
            await reader.readexactly(int(re.findall(rb"(?i)content-length: (\d+)", head)[0]))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    writer.close()


async def until(condition: Callable[[], bool]) -> None:
    """Wait until it holds."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - it tells no other way
            await asyncio.sleep(0.005)


class Clock:
    """A clock that stands still but for pauses, which take no time."""

    def __init__(self) -> None:
        self.now = 1_000_000.0
        self.pauses: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def room(clock: Clock) -> Room:
    room = Room(TOKEN, clock=clock)
    room.webhook.sleep = clock.sleep
    return room


@pytest.fixture
async def bot() -> Bot:
    return Bot()


@pytest.fixture
async def hook(bot: Bot) -> AsyncIterator[str]:
    """The address where that bot listens."""
    async with serving(Starlette(routes=bot.routes), "127.0.0.1", 0) as url:
        yield f"{url}/hook"
        bot.may_answer.set()


@pytest.fixture
async def api(room: Room) -> AsyncIterator[Callable[..., Any]]:
    """Calls a Bot API method of the room's, whose webhook delivers meanwhile."""
    app = Starlette(routes=telegram_routes(room))
    async with (
        serving(app, "127.0.0.1", 0) as url,
        httpx.AsyncClient(base_url=url, timeout=20) as client,
        room.webhook.delivering(),
    ):

        async def call(method: str, **parameters: Any) -> Any:
            response = await client.post(f"/bot{TOKEN}/{method}", json=parameters)
            body = response.json()
            return body["result"] if body["ok"] else f"{body['error_code']} {body['description']}"

        yield call


async def test_an_update_is_posted(
    room: Room, bot: Bot, hook: str, api: Callable[..., Any]
) -> None:
    """What somebody writes arrives as JSON, with the secret, and waits no longer."""
    assert await api("setWebhook", url=hook, secret_token="se-cret_1") is True
    said = room.say(ANN, ANN, "привет")
    await bot.has_seen(1)
    assert bot.seen[0]["message"] == said
    assert bot.headers[0]["content-type"] == "application/json"
    assert bot.headers[0]["x-telegram-bot-api-secret-token"] == "se-cret_1"
    await until(lambda: len(room.updates) == 0)


async def test_a_method_in_the_response(
    room: Room, bot: Bot, hook: str, api: Callable[..., Any]
) -> None:
    """What a bot calls in its response is carried out, but for what gets something or moves it."""
    boundary = {"content-type": "multipart/form-data; boundary=b"}
    form = '--b\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'
    fields = {"method": "sendMessage", "chat_id": ANN, "text": "two"}
    bot.answers = [
        JSONResponse({"method": "SENDmessage", "chat_id": ANN, "text": "one"}),
        Response(
            "".join(form.format(*each) for each in fields.items()) + "--b--\r\n", 200, boundary
        ),
        JSONResponse({"method": "deleteWebhook"}),
        JSONResponse({"method": "getMe"}),
        JSONResponse({"method": "sendMessage", "chat_id": 5, "text": "x"}),
        JSONResponse(["method", "sendMessage"]),
        Response("{", 200, {"content-type": "application/json"}),
    ]
    await api("setWebhook", url=hook)
    for text in "abcdefg":
        room.say(ANN, ANN, text)
    await until(lambda: len(room.updates) == 0)
    said = [m["text"] for m in room.messages(ANN) if m["from"]["is_bot"]]
    assert said == ["one", "two"]
    assert [(call["method"], call["ok"]) for call in room.calls] == [
        ("setWebhook", True),
        ("sendMessage", True),
        ("sendMessage", True),
        ("sendMessage", False),
    ]
    assert (await api("getWebhookInfo"))["url"] == hook


async def test_no_secret(room: Room, bot: Bot, hook: str, api: Callable[..., Any]) -> None:
    """Without a secret there is no such header."""
    await api("setWebhook", url=hook)
    room.say(ANN, ANN, "hi")
    await bot.has_seen(1)
    assert "x-telegram-bot-api-secret-token" not in bot.headers[0]


async def test_a_chat_waits_behind_what_is_refused(
    room: Room, bot: Bot, hook: str, api: Callable[..., Any]
) -> None:
    """What is not taken comes again, in its chat before all others; other chats go on."""
    may_go_on = asyncio.Event()

    async def sleep(_: float) -> None:
        await may_go_on.wait()

    room.webhook.sleep = sleep
    await api("setWebhook", url=hook)
    bot.answers = [Response(status_code=500), Response(status_code=500)]
    room.say(ANN, ANN, "one")
    await bot.has_seen(2)
    room.say(ANN, ANN, "two")
    room.say(BORIS, BORIS, "other")
    await bot.has_seen(3)
    may_go_on.set()
    await bot.has_seen(5)
    assert bot.texts == ["one", "one", "other", "one", "two"]


async def test_pauses_grow(
    room: Room, bot: Bot, hook: str, api: Callable[..., Any], clock: Clock
) -> None:
    """The first try again is at once, then pauses double, up to one or two minutes."""
    bot.answers = [Response(status_code=503) for _ in range(10)]
    await api("setWebhook", url=hook)
    room.say(ANN, ANN, "hi")
    await bot.has_seen(11)
    assert clock.pauses[:5] == [2, 4, 8, 16, 32]
    assert len(clock.pauses) == 9
    assert all(60 <= pause <= 120 for pause in clock.pauses[5:])


@pytest.mark.parametrize(
    ("asked", "pauses"),
    [("7", [7]), ("99999", [3600]), ("soon", []), ("-1", []), ("0", [])],
)
async def test_retry_after(
    room: Room, bot: Bot, hook: str, clock: Clock, asked: str, pauses: list[float]
) -> None:
    """A number of seconds that the bot asks for is kept to, an hour at the most."""
    bot.answers = [Response(status_code=503, headers={"Retry-After": asked})]
    room.webhook.point(Target(hook))
    room.say(ANN, ANN, "hi")
    async with room.webhook.delivering():
        await bot.has_seen(2)
    assert clock.pauses == pauses


@pytest.mark.parametrize(("status", "times"), [(200, 1), (204, 1), (302, 2), (403, 2), (410, 2)])
async def test_only_success_counts(
    room: Room, bot: Bot, hook: str, api: Callable[..., Any], status: int, times: int
) -> None:
    """Only 2xx means that an update is taken; redirects are not followed."""
    bot.answers = [Response(status_code=status, headers={"Location": "/elsewhere"})]
    await api("setWebhook", url=hook)
    room.say(ANN, ANN, "hi")
    await until(lambda: len(room.updates) == 0)
    assert len(bot.seen) == times


async def test_nobody_listens(room: Room, bot: Bot, hook: str, api: Callable[..., Any]) -> None:
    """A bot that is not there is told of in getWebhookInfo, and gets its updates elsewhere."""
    async with serving(Starlette(), "127.0.0.1", 0) as url:
        nowhere = f"{url}/hook"
    await api("setWebhook", url=nowhere)
    room.say(ANN, ANN, "hi")
    await until(lambda: room.webhook.failure is not None)
    info = await api("getWebhookInfo")
    assert info["pending_update_count"] == 1
    assert info["last_error_message"] == "Connection refused"
    await api("setWebhook", url=hook)
    await bot.has_seen(1)
    assert bot.texts == ["hi"]


async def test_info(room: Room, bot: Bot, hook: str, api: Callable[..., Any]) -> None:
    """The method getWebhookInfo tells what is set, what waits, and what went wrong last."""
    assert await api("getWebhookInfo") == {
        "url": "",
        "has_custom_certificate": False,
        "pending_update_count": 0,
    }
    bot.answers = [Response(status_code=503)]
    await api("setWebhook", url=hook, max_connections=3, allowed_updates=["message"])
    room.say(ANN, ANN, "hi")
    await until(lambda: len(room.updates) == 0)
    assert await api("getWebhookInfo") == {
        "url": hook,
        "has_custom_certificate": False,
        "pending_update_count": 0,
        "last_error_date": 1_000_000,
        "last_error_message": "Wrong response from the webhook: 503 Service Unavailable",
        "max_connections": 3,
        "allowed_updates": ["message"],
    }


@pytest.mark.parametrize(("given", "kept"), [({}, 40), ({"max_connections": 1000}, 100),
                                             ({"max_connections": -1}, 1)])  # fmt: skip
async def test_connections_are_bounded(
    hook: str, api: Callable[..., Any], given: dict[str, int], kept: int
) -> None:
    """Their number is 40 unless told, and never above 100."""
    await api("setWebhook", url=hook, **given)
    assert (await api("getWebhookInfo"))["max_connections"] == kept


async def test_at_most_max_connections(
    room: Room, bot: Bot, hook: str, api: Callable[..., Any]
) -> None:
    """Chats are served side by side, but no more of them than there are connections."""
    bot.may_answer.clear()
    await api("setWebhook", url=hook, max_connections=2)
    for chat in range(1, 7):
        room.say(chat, chat, "one")
        room.say(chat, chat, "two")
    await bot.has_seen(2)
    assert bot.open == 2
    bot.may_answer.set()
    await until(lambda: len(room.updates) == 0)
    assert bot.most_open == 2


async def test_one_of_a_chat_in_flight(
    room: Room, bot: Bot, hook: str, api: Callable[..., Any]
) -> None:
    """A chat's next update leaves when the one before it is taken."""
    bot.may_answer.clear()
    await api("setWebhook", url=hook)
    for number in range(4):
        room.say(ANN, ANN, f"{number}")
    room.say(BORIS, BORIS, "other")
    await bot.has_seen(2)
    assert set(bot.texts) == {"0", "other"}
    bot.may_answer.set()
    await bot.has_seen(5)
    assert [text for text in bot.texts if text != "other"] == ["0", "1", "2", "3"]


async def test_expiry(
    room: Room, bot: Bot, hook: str, api: Callable[..., Any], clock: Clock
) -> None:
    """An update is given up when its next try would come after its time, or its time is over."""
    asked = room.say(ANN, ANN, "hi")
    bot.answers = [Response(status_code=500) for _ in range(100)]
    room.press(ANN, ANN, asked["message_id"], "button")
    room.updates.remove(next(w for w in room.updates._waiting if "message" in w.update))
    await api("setWebhook", url=hook)
    await until(lambda: len(room.updates) == 0)
    assert clock.now < 1_000_000 + SECONDS[CALLBACK] < clock.now + 2 * clock.pauses[-1]
    seen = len(bot.seen)
    await api("deleteWebhook")
    room.press(ANN, ANN, asked["message_id"], "button")
    clock.now += SECONDS[CALLBACK] + 1
    await api("setWebhook", url=hook)
    await until(lambda: len(room.updates) == 0)
    assert len(bot.seen) == seen


async def test_polling_is_refused_meanwhile(room: Room, hook: str, api: Callable[..., Any]) -> None:
    """A webhook ends a poll and refuses all others; without it they are allowed again."""
    poll = asyncio.create_task(api("getUpdates", timeout=20))
    await until(lambda: room.updates._poll is not None)
    await api("setWebhook", url=hook)
    assert await poll == "409 Conflict: terminated by setWebhook request"
    assert await api("getUpdates") == (
        "409 Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to"
        " delete the webhook first"
    )
    await api("deleteWebhook")
    assert await api("getUpdates") == []


async def test_what_waits_survives_the_change(
    room: Room, bot: Bot, hook: str, api: Callable[..., Any]
) -> None:
    """Updates go on waiting from polling to the webhook, and back."""
    room.say(ANN, ANN, "one")
    await api("setWebhook", url=hook)
    await bot.has_seen(1)
    bot.answers = [Response(status_code=500) for _ in range(1000)]
    room.say(ANN, ANN, "two")
    await bot.has_seen(2)
    await api("setWebhook", url="")  # as good as deleteWebhook
    room.say(ANN, ANN, "three")
    updates = await api("getUpdates")
    assert [update["message"]["text"] for update in updates] == ["two", "three"]


@pytest.mark.parametrize("method", ["setWebhook", "deleteWebhook"])
async def test_what_waits_can_be_dropped(
    room: Room, bot: Bot, hook: str, api: Callable[..., Any], method: str
) -> None:
    """With drop_pending_updates nothing waits any more; what comes after does."""
    room.say(ANN, ANN, "old")
    await api(method, url=hook, drop_pending_updates=True)
    assert (await api("getWebhookInfo"))["pending_update_count"] == 0
    room.say(ANN, ANN, "new")
    await api("setWebhook", url=hook)
    await bot.has_seen(1)
    assert bot.texts == ["new"]


async def test_dropped_in_flight(room: Room, bot: Bot, hook: str, api: Callable[..., Any]) -> None:
    """What is dropped while it is being posted comes no more."""
    bot.may_answer.clear()
    await api("setWebhook", url=hook)
    room.say(ANN, ANN, "old")
    await bot.has_seen(1)
    room.updates.clear()
    bot.may_answer.set()
    room.say(ANN, ANN, "new")
    await until(lambda: len(room.updates) == 0)
    assert bot.texts == ["old", "new"]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"url": "nonsense"}, "invalid webhook URL specified"),
        ({"url": "ftp://example.org"}, "invalid webhook URL specified"),
        ({"url": "https://example.org:port"}, "invalid webhook URL specified"),
        (
            {"url": "http://example.org"},
            "bad webhook: An HTTPS URL must be provided for webhook",
        ),
        (
            {"url": "https://example.org:8080"},
            "bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443",
        ),
        (
            {"url": "https://example.org"},
            "bad webhook: Failed to resolve host: Name or service not known",
        ),
        (
            {"url": "https://169.254.169.254/latest"},
            "bad webhook: IP address 169.254.169.254 is reserved",
        ),
        (
            {"url": "https://example.org", "secret_token": "x" * (LONGEST_SECRET + 1)},
            "secret token is too long",
        ),
        (
            {"url": "https://example.org", "secret_token": "пароль"},
            "secret token contains unallowed characters",
        ),
        ({"url": "http://127.0.0.1:99999"}, "invalid webhook URL specified"),
        ({"url": "https://127.0.0.1", "ip_address": "nowhere"}, "invalid IP address specified"),
        (
            {"url": "https://127.0.0.1", "ip_address": "1.2.3.4"},
            "bad webhook: IP address 1.2.3.4 is reserved",
        ),
    ],
)
async def test_refusals(api: Callable[..., Any], given: dict[str, str], reason: str) -> None:
    """A webhook that Telegram would not take is refused in its words, and none is set."""
    assert await api("setWebhook", **given) == f"400 Bad Request: {reason}"
    assert (await api("getWebhookInfo"))["url"] == ""


async def test_a_password_in_the_address(
    room: Room, bot: Bot, hook: str, api: Callable[..., Any]
) -> None:
    """The bot gets it as authorization, and its updates."""
    assert await api("setWebhook", url=hook.replace("://", "://me:pass@")) is True
    room.say(ANN, ANN, "привет")
    await bot.has_seen(1)
    assert bot.headers[0]["authorization"] == "Basic bWU6cGFzcw=="


@pytest.mark.parametrize(
    "url", ["http://localhost:1/x", "http://LOCALHOST", "http://[::1]:1", "https://127.0.0.1:1",
            "http://example.org@127.0.0.1"],
)  # fmt: skip
async def test_addresses_that_are_taken(api: Callable[..., Any], url: str) -> None:
    """Anything on the loopback."""
    assert await api("setWebhook", url=url) is True
    assert (await api("getWebhookInfo"))["url"] == url


async def test_an_address_and_a_certificate(
    api: Callable[..., Any], room: Room, tmp_path: Path
) -> None:
    """Both are told of afterwards; that a refused webhook asked for is not."""
    where = {"url": "https://localhost", "ip_address": "127.0.0.1"}
    await api("setWebhook", **where, allowed_updates=["message"])
    assert (await api("getWebhookInfo"))["ip_address"] == "127.0.0.1"
    await api("setWebhook", url="nonsense", allowed_updates=["poll"], drop_pending_updates=True)
    info = await api("getWebhookInfo")
    assert (info["url"], info["allowed_updates"]) == (where["url"], ["message"])
    assert not info["has_custom_certificate"]
    certified(tmp_path)
    certificate = Upload("c.pem", "text/plain", (tmp_path / "cert.pem").read_bytes())
    assert METHODS["setWebhook"](room, {"url": "https://localhost", "certificate": certificate})
    info = await api("getWebhookInfo")
    assert info["has_custom_certificate"]
    assert "ip_address" not in info
    with pytest.raises(ApiError, match="bad webhook: SSL error"):
        METHODS["setWebhook"](room, {"url": "https://localhost", "certificate": NO_CERTIFICATE})


async def test_a_certificate_of_its_own(
    room: Room, api: Callable[..., Any], tmp_path: Path
) -> None:
    """Who vouches for themselves gets updates once their certificate is uploaded, not before."""
    context = certified(tmp_path)
    server = await asyncio.start_server(takes_all, "127.0.0.1", 0, ssl=context)
    async with server:
        where = {"url": f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/"}
        await api("setWebhook", **where)
        room.say(ANN, ANN, "hi")
        await until(lambda: room.webhook.failure is not None)
        why = (await api("getWebhookInfo"))["last_error_message"]
        assert why.startswith("SSL error {")
        assert "self-signed" in why
        certificate = Upload("c.pem", "text/plain", (tmp_path / "cert.pem").read_bytes())
        METHODS["setWebhook"](room, {**where, "certificate": certificate})
        await until(lambda: len(room.updates) == 0)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    "host", ["example.org", "localhost.example.org", "127.0.0.1.example.org", "localhost@1.1.1.1",
             "localhost:80@example.org", "example.org#@localhost", "example.org?@localhost",
             "localhost\\.example.org", "localhost.", "127.1", "0x7f.0.0.1", "2130706433",
             "0.0.0.0", "10.0.0.1", "192.168.1.1", "[fe80::1]", "[::]", "xn--", "①②⑦.0.0.1",
             "locаlhost"],
)  # fmt: skip
def test_addresses_elsewhere(scheme: str, host: str) -> None:
    """Nothing leads away from this machine: no name but localhost, no address but its loopback."""
    with pytest.raises(ValueError, match=r"^(bad webhook: .*|invalid webhook URL specified)$"):
        Target(f"{scheme}://{host}")


async def test_redirects_are_not_followed(room: Room, bot: Bot, hook: str) -> None:
    """A webhook that sends Telegram elsewhere has failed."""

    async def elsewhere(_: Request) -> Response:
        return RedirectResponse(hook, 307)

    app = Starlette(routes=[Route("/", elsewhere, methods=["POST"])])
    async with serving(app, "127.0.0.1", 0) as url, room.webhook.delivering():
        room.webhook.point(Target(url))
        room.say(ANN, ANN, "hi")
        await until(lambda: room.webhook.failure is not None)
    assert room.webhook.failure
    assert "307 Temporary Redirect" in room.webhook.failure.message
    assert bot.seen == []


async def test_the_end_waits_for_nobody(room: Room, bot: Bot, hook: str) -> None:
    """The block ends though a bot never answers, and the update is delivered by the next one."""
    bot.may_answer.clear()
    async with asyncio.timeout(60):
        async with room.webhook.delivering():
            room.webhook.point(Target(hook))
            room.say(ANN, ANN, "hi")
            await bot.has_seen(1)
        bot.may_answer.set()
        async with room.webhook.delivering():
            await bot.has_seen(2)
    assert bot.texts == ["hi", "hi"]


def test_queues() -> None:
    """Messages and edits of a chat are one queue; the rest have queues of their own."""
    of_ann = {"chat": {"id": ANN}, "from": {"id": BORIS}}
    assert queue_of({"update_id": 1, "message": of_ann}) == ("message", "101")
    assert queue_of({"update_id": 1, "edited_message": of_ann}) == ("message", "101")
    assert queue_of({"update_id": 1, "my_chat_member": of_ann}) == ("my_chat_member", "101")
    pressed = {"id": "7", "from": {"id": CAROL}, "message": of_ann}
    assert queue_of({"update_id": 1, "callback_query": pressed}) == ("callback_query", "103")
    assert queue_of({"update_id": 1}) == ("", "None")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["chat", "from", "id"]), inner),
    max_leaves=8,
)


@pytest.mark.slow
@given(st.dictionaries(st.sampled_from(["update_id", "message", "callback_query"]), json_values))
def test_anything_has_a_queue(update: dict[str, Any]) -> None:
    """Whatever is injected has a queue; one message has the same always."""
    assert queue_of(update) == queue_of(json.loads(json.dumps(update)))
