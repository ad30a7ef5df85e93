"""Who may use the demo: programs, and its own page; nothing that another website sends."""

import argparse
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Mount, Route

from bot.playground.arguments import add_arguments
from bot.playground.demo import application, hosts_of
from bot.playground.same_origin import SameOrigin
from bot.playground.telegram.room import Room
from bot.playground.yandex.completion import CompletionServer
from tests.conftest import Echo

HOST = "127.0.0.1:8090"
OWN = f"http://{HOST}"
FILLED = {
    "/bot{path:path}": "/bot1:any/setWebhook",
    "{token}": "1:any",
    "{path:path}": "documents/x",
}
QUERY = "?url=http://127.0.0.1:1/x&chat=1&since=-1"
MULTIPART = (
    '--x\r\nContent-Disposition: form-data; name="chat_id"\r\n\r\n101\r\n'
    '--x\r\nContent-Disposition: form-data; name="text"\r\n\r\nhi\r\n--x--\r\n'
)
SAID = '{"chat": 1, "user": 1, "text": "hi"}'

FOREIGN = [
    {"origin": "https://example.org"},
    {"origin": "null"},
    {"origin": ""},
    {"origin": "http://127.0.0.1:8091"},
    {"origin": "http://127.0.0.1"},
    {"origin": f"{OWN}.example.org"},
    {"origin": "http://localhost:8090"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "whatever comes next"},
    {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"},
    {"sec-fetch-site": "same-origin", "origin": "https://example.org"},
    {"sec-fetch-site": "cross-site", "origin": OWN},
    {"host": "example.org"},
    {"host": "example.org:8090"},
    {"host": "example.org", "origin": "http://example.org", "sec-fetch-site": "same-origin"},
    {"host": "127.0.0.1.example.org:8090"},
    {"host": "localhost.example.org"},
    {"host": "example.org:80@localhost"},
    {"host": "localhost.:8090"},
    {"host": "192.168.1.7:8090"},
    {"host": "0.0.0.0:8090"},
    {"host": "[fe80::1]:8090"},
    {"host": "[::1"},
    {"host": ""},
]
OF_OURS = [
    {},
    {"host": "localhost:8090"},
    {"host": "LOCALHOST"},
    {"host": "127.0.0.1:9999"},
    {"host": "[::1]:8090"},
    {"origin": OWN, "sec-fetch-site": "same-origin"},
    {"host": "localhost:8090", "origin": "http://localhost:8090"},
    {"sec-fetch-site": "none"},
]


def app_of(room: Room, *argv: str) -> Starlette:
    """The demo's whole application, as it is with these arguments."""
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    hosts = hosts_of(parser.parse_args(argv))
    return application(room, CompletionServer(Echo()), {}, hosts)


def calls() -> Iterator[tuple[str, str]]:
    """Every method and path that is served: none is left out, whatever will be added."""
    for route in app_of(Room()).routes:
        if isinstance(route, Mount):
            yield from (("GET", f"{route.path}/{file}") for file in ("", "main.js", "nothing"))
            continue
        assert isinstance(route, Route)
        path = route.path
        for name, value in FILLED.items():
            path = path.replace(name, value)
        assert "{" not in path
        yield from ((method, path) for method in sorted(route.methods or {"GET", "POST"}))


CALLS = sorted(set(calls()))


async def call(
    app: Starlette, method: str, path: str, headers: dict[str, str], body: str = SAID
) -> httpx.Response:
    """Call the application as from the network."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url=OWN) as http:
        content = body if method == "POST" else None
        headers = {"metadata-flavor": "Google", **headers}  # as a cloud's metadata service wants it
        return await http.request(method, path + QUERY, headers=headers, content=content)


def test_there_are_routes() -> None:
    """All kinds are among them."""
    paths = {path for _, path in CALLS}
    assert {"/", "/about.json", "/room/say", "/room/changes", "/room/log"} <= paths
    assert {"/bot1:any/setWebhook", "/foundationModels/v1/completion"} <= paths
    assert ("GET", "/bot1:any/setWebhook") in CALLS


@pytest.mark.slow
@pytest.mark.parametrize("headers", FOREIGN, ids=str)
async def test_websites_get_nothing(headers: dict[str, str]) -> None:
    """Every route refuses what a foreign page sends, with a sentence, and nothing happens."""
    room = Room()
    app = app_of(room)
    before = room.version
    for method, path in CALLS:
        for kind in ("application/json", "text/plain", "application/x-www-form-urlencoded"):
            refused = await call(app, method, path, {"content-type": kind, **headers})
            assert refused.status_code == 403, (method, path)
            if method != "HEAD":
                assert "demo" in refused.json()["description"]
    assert (room.version, room.token, room.webhook.target, list(room.calls)) == (
        before, None, None, []
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("headers", OF_OURS, ids=str)
async def test_programs_and_the_page_are_served(headers: dict[str, str]) -> None:
    """Programs, which tell nothing of where they come from, and the page get everything."""
    for method, path in CALLS:
        served = await call(app_of(Room("1:any")), method, path, headers)
        assert served.status_code not in (403, 415), (method, path)
    assert {"POST", "GET"} <= {method for method, _ in CALLS}


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted({path for _, path in CALLS}))
async def test_no_preflight_is_granted(path: str) -> None:
    """A browser that asks on behalf of another page hears no permission."""
    asks = {"origin": "https://example.org", "access-control-request-method": "POST"}
    answer = await call(app_of(Room()), "OPTIONS", path, asks)
    assert answer.status_code == 403
    assert not [name for name in answer.headers if name.startswith("access-control")]


FIREFOX_3 = {"user-agent": "Mozilla/5.0 (X11; U; Linux i686; rv:1.9) Gecko Firefox/3.0"}


@pytest.mark.parametrize("kind", ["text/plain", "TEXT/PLAIN;charset=UTF-8", "multipart/form-data"])
async def test_what_is_no_json_is_not_read_as_json(kind: str) -> None:
    """Old browsers tell nothing of where a form comes from, but a form never says JSON."""
    for method, path in CALLS:
        if method == "POST":
            headers = {"content-type": kind, **FIREFOX_3}
            answer = await call(app_of(Room("1:any")), method, path, headers)
            refused = not path.startswith(("/bot", "/file"))
            assert (answer.status_code == 415) == refused, path
            if refused:
                assert "application/json" in answer.json()["error"]


@pytest.mark.parametrize(
    "whose", [{}, {"sec-fetch-site": "same-origin", **FIREFOX_3}, {"origin": OWN, **FIREFOX_3}]
)
async def test_files_of_programs_and_of_the_page(whose: dict[str, str]) -> None:
    """Files come as forms, from whoever is no old browser."""
    headers = {"content-type": "multipart/form-data; boundary=x", **whose}
    body = MULTIPART.replace("chat_id", "chat").replace('"text"', '"kind"').replace("hi", "voice")
    body = body.replace(
        "--x--", '--x\r\nContent-Disposition: form-data; name="user"\r\n\r\n101\r\n--x--'
    )
    sent = await call(app_of(Room("1:any")), "POST", "/room/media", headers, body)
    assert sent.json()["voice"]["duration"] == 3


@pytest.mark.parametrize(
    "kind", [None, "application/json", "application/json; charset=utf-8",
             "application/x-www-form-urlencoded"],
)  # fmt: skip
async def test_json_of_programs(kind: str | None) -> None:
    """Programs need not say that it is JSON; curl says of everything that it is a form."""
    headers = {"content-type": kind} if kind else {}
    said = await call(app_of(Room()), "POST", "/room/say", headers)
    assert said.json()["text"] == "hi"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/x-www-form-urlencoded", "chat_id=101&text=hi"),
        ("application/json", '{"chat_id": 101, "text": "hi"}'),
        ("multipart/form-data; boundary=x", MULTIPART),
    ],
)
async def test_forms_of_bots(kind: str, body: str) -> None:
    """The Bot API takes forms, as the real one does."""
    room = Room("1:any")
    app = app_of(room)
    room.chat(101)
    sent = await call(app, "POST", "/bot1:any/sendMessage", {"content-type": kind}, body)
    assert sent.json()["result"]["text"] == "hi"


@pytest.mark.parametrize(
    ("argv", "host", "served"),
    [
        (["--listen", "192.168.1.7:80"], "192.168.1.7", True),
        (["--listen", "192.168.1.7:80"], "192.168.1.8", False),
        (["--listen", "MyBox.lan:80"], "mybox.lan:80", True),
        (["--listen", "[fe80::1]:80"], "[fe80:0::1]:80", True),
        (["--listen", "0.0.0.0:80"], "192.168.1.8:80", True),
        (["--listen", "0.0.0.0:80"], "0.0.0.0:80", True),
        (["--listen", "0.0.0.0:80"], "example.org", False),
        (["--listen", "[::]:80"], "[fe80::1]:80", True),
        (["--listen", "[::]:80"], "example.org", False),
        (["--allow-host", "telegram", "--allow-host", "a.example.org"], "telegram:8090", True),
        (["--allow-host", "telegram", "--allow-host", "a.example.org"], "a.example.org", True),
        (["--allow-host", "demo.example.org"], "example.org", False),
    ],
)  # fmt: skip
async def test_where_it_is_told_to_be(argv: list[str], host: str, served: bool) -> None:
    """It is served where it listens, and under the names that it was told."""
    answer = await call(app_of(Room(), *argv), "GET", "/about.json", {"host": host})
    assert answer.status_code == (200 if served else 403)


async def test_an_own_page_behind_a_proxy() -> None:
    """The page's own requests are its own under such a name, too, and over https."""
    own = {"host": "demo.example.org", "origin": "https://demo.example.org"}
    answer = await call(
        app_of(Room(), "--allow-host", "demo.example.org"), "POST", "/room/say", own
    )
    assert answer.status_code == 200


async def test_headers_that_come_twice() -> None:
    """One that is right does not hide one that is wrong."""
    for name, right, wrong in (
        (b"host", HOST, "example.org"),
        (b"origin", OWN, "https://example.org"),
        (b"sec-fetch-site", "same-origin", "cross-site"),
    ):
        for values in ((right, wrong), (wrong, right)):
            others = [] if name == b"host" else [(b"host", HOST.encode())]
            headers = [*others, *((name, value.encode()) for value in values)]
            assert await _status({"headers": headers}) == 403


@given(st.from_regex(r"[a-z0-9@.-]{0,9}[g-z][a-z0-9@.-]{0,9}", fullmatch=True))
async def test_no_other_name_is_ours(name: str) -> None:
    """What has letters in it is a name, and only one of those is ours."""
    assume(name != "localhost")
    for host in (f"{name}127.0.0.1", f"localhost{name}", f"{name}.localhost", f"[::1]{name}", name):
        for port in ("", ":8090"):
            assert await _status({"headers": [(b"host", (host + port).encode())]}) == 403, host


async def _status(request: dict[str, Any]) -> int:
    """The middleware's status for a request, of a page that would say 200 to all."""
    statuses = []

    async def send(message: Any) -> None:
        statuses.append(message.get("status"))

    scope = {"type": "http", "method": "GET", "path": "/", **request}
    await SameOrigin(Response())(scope, _nothing, send)
    return int(statuses[0])


async def _nothing() -> Any:
    raise AssertionError
