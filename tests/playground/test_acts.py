"""What programs do in the room over HTTP: everything is there, and nothing they send breaks it."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from telegram import Update

from bot.playground.door import room_routes
from bot.playground.telegram.acts import acts
from bot.playground.telegram.emulator import telegram_routes
from bot.playground.telegram.files import Upload
from bot.playground.telegram.methods import METHODS
from bot.playground.telegram.room import Room

TOKEN = "42:AAtoken"
ANN, BORIS = 7, 8
GROUP, FORUM, CHANNEL = -5, -1000000000005, -1000000000006
ACTS = acts(Room())
DOCS = Path(__file__).parents[2] / "docs" / "playground.md"


def client_of(room: Room) -> httpx.AsyncClient:
    """Return a client of the room's routes; a failure there is one here."""
    app = Starlette(routes=[*telegram_routes(room), *room_routes(room)])
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://room")


@pytest.fixture
def room() -> Room:
    return Room(TOKEN)


@pytest.fixture
async def client(room: Room) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(room) as client:
        yield client


async def does(client: httpx.AsyncClient, act: str, **given: Any) -> Any:
    """Let something be done that is allowed; what comes of it."""
    answer = await client.post(f"/room/{act}", json=given)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_forum_is_made_and_governed(room: Room, client: httpx.AsyncClient) -> None:
    """A program sets up a whole forum, from outside, and the bot is told of what concerns it."""
    assert (await does(client, "person", user=ANN, name="Ann", language="ru"))[
        "first_name"
    ] == "Ann"
    await does(client, "person", user=9, name="Other", username="other_bot", is_bot=True)
    made = await does(client, "chat", chat=FORUM, kind="forum", title="Club", bot=False)
    assert made == {"id": FORUM, "type": "supergroup", "title": "Club", "is_forum": True}
    assert (await does(client, "add", chat=FORUM, user=ANN))["status"] == "member"
    added = await does(client, "promote", chat=FORUM, user=ANN, rights=["can_manage_topics"])
    assert added["can_manage_topics"]
    assert (await does(client, "anonymous", chat=FORUM, user=ANN, on=True))["is_anonymous"]
    assert (await does(client, "add", chat=FORUM, by=ANN))["user"]["id"] == 42
    topic = await does(client, "open_topic", chat=FORUM, name="News")
    said = await does(client, "say", chat=FORUM, user=ANN, text="/start@demo_bot", topic=topic)
    assert said["from"]["username"] == "GroupAnonymousBot"
    await does(client, "close_topic", chat=FORUM, topic=topic)
    await does(client, "reopen_topic", chat=FORUM, topic=topic)
    await does(client, "permissions", chat=FORUM, permissions=["can_send_messages"])
    await does(client, "slow_mode", chat=FORUM, seconds=10)
    await does(client, "restrict", chat=FORUM, permissions=[])
    await does(client, "delete_topic", chat=FORUM, topic=topic)
    await does(client, "demote", chat=FORUM, user=ANN)
    await does(client, "kick", chat=FORUM, user=ANN)
    members = (await client.get(f"/room/members?chat={FORUM}")).json()
    assert [member["status"] for member in members] == ["restricted", "kicked"]
    updates = [Update.de_json(each, None) for each in await room.updates.poll(0, 100, 0)]
    assert all(updates)
    assert len(updates) == 8


async def test_people_a_channel_and_links(room: Room, client: httpx.AsyncClient) -> None:
    """Blocking, writing as a channel, deep links, migration, odd updates: all from outside."""
    await does(client, "say", chat=ANN, user=ANN, text="/start")
    await does(client, "block", user=ANN)
    await does(client, "unblock", user=ANN)
    await does(client, "start", user=ANN, payload="code")
    await does(client, "start", user=ANN, payload="code", chat=GROUP)
    await does(client, "chat", chat=CHANNEL, kind="channel", title="News", username="news")
    await does(client, "chat", chat=FORUM, kind="supergroup", title="Talk")
    await does(client, "link", chat=FORUM, channel=CHANNEL)
    await does(client, "send_as", chat=FORUM, user=BORIS, sender_chat=CHANNEL)
    said = await does(client, "say", chat=FORUM, user=BORIS, text="x")
    assert said["sender_chat"]["title"] == "News"
    await does(client, "say", chat=CHANNEL, user=ANN, text="posted")
    await does(client, "leave", chat=FORUM, user=BORIS)
    await does(client, "deactivate", user=BORIS)
    assert await does(client, "migrate", chat=GROUP, told=["from"]) == -1000000000005
    await does(client, "privacy", on=False)
    hidden = {"type": "hidden_user", "sender_user_name": "Boris"}
    await does(client, "forward", chat=ANN, user=ANN, text="x", origin=hidden)
    await does(client, "media", chat=ANN, user=ANN, kind="voice")
    injected = await does(client, "update", update={"poll": 5})
    assert (await room.updates.poll(-1, 1, 0)) == [injected]
    me = (await client.get(f"/bot{TOKEN}/getMe")).json()["result"]
    assert me["can_read_all_group_messages"]
    commands = [{"command": "help", "description": "Help"}]
    url = f"/bot{TOKEN}/setMyCommands"
    assert (await client.post(url, json={"commands": commands})).json()["result"]
    assert (await client.get(f"/room/menu?chat={ANN}&user={ANN}")).json() == commands
    assert (await client.get("/room/menu?chat=99&user=99")).status_code == 400


def test_the_documentation_has_every_act_and_method() -> None:
    """Whoever writes a program finds each in docs/playground.md, with its parameters."""
    text = DOCS.read_text()
    rows = dict(re.findall(r"^\| `POST /room/(\w+)` \| (.*?) \|", text, re.MULTILINE))
    told = {name: set(re.findall(r"`(\w+)`", parameters)) for name, parameters in rows.items()}
    assert told == {act.name: act.wanted.keys() | act.more.keys() for act in ACTS}
    assert {*METHODS, "getUpdates"} <= set(re.findall(r"`(\w+)`", text))


@pytest.mark.parametrize(
    ("act", "given", "error"),
    [
        ("privacy", {"on": 1}, "on must be true or false"),
        ("person", {"user": 9, "name": " "}, "the name is empty"),
        ("person", {"user": 9, "name": "X", "username": "Demo_Bot"}, "@Demo_Bot is taken"),
        ("open_topic", {"chat": FORUM, "name": ""}, "a topic's name has 1 to 128 characters"),
        ("promote", {"chat": GROUP, "title": "x" * 17}, "a title is up to 16 characters"),
        (
            "permissions",
            {"chat": GROUP, "permissions": "x"},
            "permissions must be a list of strings",
        ),
        (
            "permissions",
            {"chat": GROUP, "permissions": [1]},
            "permissions must be a list of strings",
        ),
        ("update", {"update": []}, "update must be an object"),
        ("update", {"update": {"update_id": []}}, "update_id must be a whole number above 0"),
        ("media", {"chat": 7, "user": 7, "kind": "x"}, "kind is one of sticker, photo, voice"),
        (
            "media",
            {"chat": 7, "user": 7, "kind": "photo", "options": [], "latitude": 1},
            "a photo has no latitude, options",
        ),
        ("say", {"chat": 7, "user": 7, "text": "\ud800"}, "half a surrogate pair in the body"),
        (
            "edit",
            {"chat": GROUP, "user": ANN, "message_id": 1, "text": "x"},
            "no message 1 in chat -5",
        ),
        ("block", {"user": -1}, "a person's id is a whole number above 0"),
        ("migrate", {"chat": GROUP, "told": ["up"]}, 'told is of "to" and "from"'),
        (
            "forward",
            {"chat": ANN, "user": ANN, "text": "x", "origin": {"type": "hidden_user"}},
            "origin has a type and what belongs to it: user: sender_user;",
        ),
        *(
            ("forward", {"chat": ANN, "user": ANN, "text": "x", "origin": origin}, error)
            for origin, error in [
                ({"type": []}, "origin has a type"),
                (
                    {"type": "channel", "chat": 5, "message_id": 1},
                    "origin has an object as chat",
                ),
                (
                    {"type": "channel", "chat": {"id": -5, "type": "channel"}, "message_id": "1"},
                    "origin has a whole number as message_id",
                ),
                (
                    {"type": "chat", "sender_chat": {"id": "-5", "type": "channel"}},
                    "origin's sender_chat has a whole number as id",
                ),
                ({"type": "user", "sender_user": {"id": 5}}, "origin's sender_user has a string"),
                (
                    {"type": "hidden_user", "sender_user_name": {}},
                    "origin has a string as sender_user_name",
                ),
                (
                    {"type": "hidden_user", "sender_user_name": "B", "date": "tomorrow"},
                    "origin has a whole number as date",
                ),
            ]
        ),
    ],
)
async def test_a_wrong_act_says_what_is_wrong(
    client: httpx.AsyncClient, act: str, given: dict[str, Any], error: str
) -> None:
    """One sentence, and 400."""
    answer = await client.post(f"/room/{act}", content=json.dumps(given))
    assert answer.status_code == 400
    assert error in answer.json()["error"]


async def test_a_wrong_path_or_method_is_told_in_json(client: httpx.AsyncClient) -> None:
    """Like everything else that is wrong."""
    assert (await client.get("/room/nothing")).json() == {
        "error": "there is nothing under this path"
    }
    for method, path, right in (("GET", "say", "POST"), ("POST", "chats", "GET")):
        answer = await client.request(method, f"/room/{path}")
        assert answer.status_code == 405
        assert answer.headers["allow"] == right
        assert answer.json() == {"error": f"the method is {right}"}


async def test_a_refused_text_makes_nobody(room: Room, client: httpx.AsyncClient) -> None:
    """Who wanted to write it need not be there."""
    before = set(room.people)
    for wrong in ({"chat": 7771, "user": 7772}, {"chat": 7771, "user": 7771, "reply_to": 3}):
        answer = await client.post("/room/say", json={"text": "x", **wrong})
        assert answer.status_code == 400
    assert set(room.people) == before


NUMBERS = st.sampled_from([ANN, BORIS, 9, 42, 1087968824, GROUP, FORUM, CHANNEL, 0, 1, 2, 3, -1])
VALUES = st.one_of(
    NUMBERS,
    st.sampled_from(["x", "", "kick", "forum", "channel", "voice", "\ud800", "/start"]),
    st.booleans(),
    st.lists(st.sampled_from(["can_send_messages", "can_manage_topics", "to", 5]), max_size=2),
    st.integers(),
    st.none(),
    st.dictionaries(st.sampled_from(["update_id", "message", "type"]), st.integers(), max_size=2),
    st.floats(),
)
RIGHT = {
    int: NUMBERS,
    str: st.sampled_from(
        ["x", "forum", "channel", "supergroup", "group", "voice", "photo", "location", "dice"]
    ),
    bool: st.booleans(),
    list: st.lists(st.sampled_from(["can_send_messages", "can_manage_topics"]), max_size=2),
    dict: st.just({}),
    float: st.sampled_from([55.7, 1, -200.5, float("nan")]),
    Upload: st.none(),
}


@st.composite
def happenings(draw: st.DrawFn) -> list[tuple[str, dict[str, Any]]]:
    """Draw what a program does: nearly right, so that much of it happens, or quite wrong."""
    done = []
    for act in draw(st.lists(st.sampled_from(ACTS), max_size=12)):
        kinds = {**act.wanted, **{name: act.more[name] for name in act.more if draw(st.booleans())}}
        body = {
            name: draw(st.one_of(RIGHT[kind], RIGHT[kind], VALUES)) for name, kind in kinds.items()
        }
        done.append((act.name, body))
    return done


@pytest.mark.slow
@settings(max_examples=50)
@given(happenings())
@example([("chat", {"chat": CHANNEL, "kind": "channel", "title": "x"}),
          ("say", {"chat": CHANNEL, "user": ANN, "text": "x"}),
          ("edit", {"chat": CHANNEL, "user": ANN, "message_id": 2, "text": "x",
                    "language": "x"})])  # fmt: skip
async def test_nothing_that_programs_do_breaks_the_room(
    happenings: list[tuple[str, dict[str, Any]]],
) -> None:
    """Whatever JSON comes in whatever order, the room acts or refuses, and then answers the bot."""
    room = Room(TOKEN)
    async with client_of(room) as client:
        for name, body in happenings:
            answer = await client.post(f"/room/{name}", content=json.dumps(body))
            assert answer.status_code in (200, 400), (name, body)
            assert answer.status_code == 200 or answer.json()["error"]
        for chat in list(room.chats):
            for method in ("getChat", "getChatAdministrators", "getChatMemberCount", "sendMessage"):
                given = {"chat_id": chat, "text": "x"}
                answer = await client.post(f"/bot{TOKEN}/{method}", json=given)
                assert answer.json()["ok"] or answer.json()["description"]
            assert (await client.get(f"/room/members?chat={chat}")).status_code == 200


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"x":' * 100_000, b"\xff", b"null", b"1" * 9999]
)
async def test_bodies_that_nobody_can_read(client: httpx.AsyncClient, body: bytes) -> None:
    """However deep or broken: 400, at the room's door and at the Bot API."""
    for path in ("/room/say", f"/bot{TOKEN}/sendMessage"):
        headers = {"content-type": "application/json"}
        assert (await client.post(path, content=body, headers=headers)).status_code == 400
    broken = {"content-type": "multipart/form-data; boundary=x"}
    answer = await client.post(f"/bot{TOKEN}/sendMessage", content=b"--y\r\n", headers=broken)
    assert (answer.status_code, answer.json()["ok"]) == (400, False)


async def test_odd_kinds_of_updates_are_ignored(room: Room, client: httpx.AsyncClient) -> None:
    """Neither what is no name nor what nobody knows is a kind; names are so in any case."""
    for asked, kept in (
        (["Message", 5, None, ["x"], "nope", "chat_boost"], ["chat_boost", "message"]),
        (["nope"], None),
    ):
        given = {"allowed_updates": asked}
        assert (await client.post(f"/bot{TOKEN}/getUpdates", json=given)).json()["ok"]
        assert room.updates.allowed == kept


async def test_an_answer_is_waited_for(room: Room, client: httpx.AsyncClient) -> None:
    """Who asks for the answer to a press gets null at once, or waits for it."""
    said = room.say(ANN, ANN, "x")
    press = {"chat": ANN, "user": ANN, "message_id": said["message_id"], "data": "x"}
    query = (await client.post("/room/press", json=press)).json()
    path = f"/room/answer?query={query}"
    assert (await client.get(path)).json() is None
    waiting = asyncio.create_task(client.get(f"{path}&wait=20"))
    await asyncio.sleep(0)
    answer = {"callback_query_id": query, "text": "Done"}
    await client.post(f"/bot{TOKEN}/answerCallbackQuery", json=answer)
    async with asyncio.timeout(60):
        assert (await waiting).json()["text"] == "Done"
    assert (await client.get("/room/answer?query=none&wait=20")).status_code == 400
