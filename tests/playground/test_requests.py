"""What is no call of a method that is served: each answered in JSON, in Telegram's words."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from bot.playground.telegram.emulator import LARGEST_BODY, telegram_routes
from bot.playground.telegram.methods import METHODS
from bot.playground.telegram.names import BOT_API
from bot.playground.telegram.parameters import DEEPEST
from bot.playground.telegram.room import Room

TOKEN = "42:AAtoken"
API = f"/bot{TOKEN}"
UNSERVED = "Bad Request: method is not served by the local Telegram"
IS_JSON = {"content-type": "application/json"}


@pytest.fixture
def room() -> Room:
    room = Room(TOKEN)
    room.say(7, 7, "x")
    return room


@pytest.fixture
async def client(room: Room) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(Starlette(routes=telegram_routes(room)))
    async with httpx.AsyncClient(transport=transport, base_url="http://room") as client:
        yield client


def refusal(answer: httpx.Response) -> tuple[int, str]:
    """Return code and words of a refusal, which must be the Bot API's JSON."""
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert (body["ok"], body["error_code"]) == (False, answer.status_code)
    return answer.status_code, body["description"]


@pytest.mark.parametrize(
    ("path", "code", "description"),
    [
        (f"{API}/getNothing", 404, "Not Found: method not found"),
        (f"{API}/", 404, "Not Found"),
        (API, 404, "Not Found"),
        (f"{API}/getMe/x", 404, "Not Found"),
        ("/bot/getMe", 404, "Not Found"),
        ("/bot42/getMe", 404, "Not Found"),
        ("/bot43:other/getMe", 401, "Unauthorized"),
        (f"/file{API}/documents", 404, "Not Found"),
        (f"/file{API}/documents/none", 404, "Not Found"),
        (f"{API}/getStarTransactions", 400, UNSERVED),
    ],
)
async def test_what_is_not_there(
    client: httpx.AsyncClient, path: str, code: int, description: str
) -> None:
    """No path under the Bot API's is answered in plain text; each says what is missing."""
    assert refusal(await client.get(path)) == (code, description)


async def test_only_get_and_post(room: Room, client: httpx.AsyncClient) -> None:
    """Another HTTP method is refused, and does nothing."""
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS"):
        sent = await client.request(method, f"{API}/sendMessage?chat_id=7&text=y")
        assert refusal(sent) == (405, "Method Not Allowed")
    assert len(room.messages(7)) == 1
    assert (await client.get(f"{API}/GETME")).json()["ok"]


@pytest.mark.parametrize(
    "body",
    [
        b'{"chat_id": 7, "text": NaN}',
        b'{"chat_id": 7, "text": "x", "entities": "[NaN]"}',
        b'{"chat_id": 7, "text": "x", "y": ' + b"[" * DEEPEST + b"1" + b"]" * DEEPEST + b"}",
        json.dumps({"chat_id": 7, "text": "x", "entities": "[" * 100_000}).encode(),
    ],
)
async def test_json_that_is_none(room: Room, client: httpx.AsyncClient, body: bytes) -> None:
    """NaN and what is nested without end are not JSON, in the body and in a parameter."""
    answer = await client.post(f"{API}/sendMessage", content=body, headers=IS_JSON)
    code, description = refusal(answer)
    assert code == 400
    assert "can't parse" in description
    assert len(room.messages(7)) == 1


async def test_a_request_that_is_too_large(room: Room, client: httpx.AsyncClient) -> None:
    """Is refused before it fills the memory, whatever its kind."""

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(LARGEST_BODY // 2**22 + 1):
            yield b"x" * 2**22

    kinds: list[dict[str, Any]] = [
        IS_JSON,
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
    ]
    for headers in kinds:
        answer = await client.post(f"{API}/sendMessage", content=endless(), headers=headers)
        assert refusal(answer) == (413, "Request Entity Too Large")
    assert len(room.messages(7)) == 1


def test_every_served_method_is_one_of_telegrams() -> None:
    """None is made up, and those that are not served are known."""
    assert {*METHODS, "getUpdates"} < BOT_API
    assert len(BOT_API) > 180


async def test_former_names_are_known(client: httpx.AsyncClient) -> None:
    """Bots that are some years old still call methods by them."""
    assert (await client.get(f"{API}/getChatMembersCount?chat_id=7")).json()["result"] == 2
    words = (await client.get(f"{API}/kickChatMember?chat_id=7")).json()["description"]
    assert words == "Bad Request: invalid user_id specified"


async def call(client: httpx.AsyncClient, method: str, **given: Any) -> Any:
    """Call a method with JSON; its result, or the words of its refusal."""
    body = (await client.post(f"{API}/{method}", json=given)).json()
    return body["result"] if body["ok"] else body["description"].removeprefix("Bad Request: ")


@pytest.mark.parametrize(("value", "text"), [(5, "5"), (0, "0"), (1.5, "1.5"), (True, "true")])
async def test_a_number_as_a_text(client: httpx.AsyncClient, value: object, text: str) -> None:
    """A parameter's text may come as another JSON value, whose text it then is."""
    assert (await call(client, "sendMessage", chat_id=7, text=value))["text"] == text
    poll = await call(client, "sendPoll", chat_id=7, question=value, options=[{"text": "a"}])
    assert poll["poll"]["question"] == text


async def test_numbers_as_strings_and_the_reverse(room: Room, client: httpx.AsyncClient) -> None:
    """Inside of objects, too."""
    command = {"command": "a", "description": 5}
    assert await call(client, "setMyCommands", commands=[command])
    assert await call(client, "getMyCommands") == [{"command": "a", "description": "5"}]
    bold = {"type": "bold", "offset": "0", "length": "1"}
    told = await call(client, "sendMessage", chat_id=7, text="xy", entities=[bold])
    assert told["entities"] == [{"type": "bold", "offset": 0, "length": 1}]
    buttons = {"inline_keyboard": [[{"text": 1.5, "callback_data": 7}]]}
    told = await call(client, "sendMessage", chat_id=7, text="x", reply_markup=buttons)
    assert told["reply_markup"]["inline_keyboard"] == [[{"text": "1.5", "callback_data": "7"}]]
    query = room.ask_inline(7, "x")
    article = {"type": "article", "id": 1, "title": 5, "input_message_content": {"message_text": 5}}
    assert await call(client, "answerInlineQuery", inline_query_id=query, results=[article])
    assert room.choose(7, 7, query, "1")["text"] == "5"


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        ({"message_id": "x"}, 'Field "message_id" must be a valid Number'),
        ({"message_id": []}, 'Field "message_id" must be of type Number'),
        ({"chat_id": 7}, 'Can\'t find field "message_id"'),
    ],
)
async def test_replies_to_no_number(client: httpx.AsyncClient, reply: Any, why: str) -> None:
    """What is no number is refused, and no message goes out that replies to none."""
    told = await call(client, "sendMessage", chat_id=7, text="x", reply_parameters=reply)
    assert told == f"can't parse reply parameters: {why}"


@pytest.mark.parametrize("mode", ["entity", "HTML"])
async def test_a_mention_has_its_user(room: Room, client: httpx.AsyncClient, mode: str) -> None:
    """A mention is of somebody known; one of nobody is plain text, and an edit to it no change."""
    ann = room.people[7].json()

    async def say(method: str, user: int, **more: Any) -> Any:
        mention = {"type": "text_mention", "offset": 0, "length": 3, "user": {"id": user}}
        given: Any = {"text": "Ann", "entities": [mention]}
        if mode == "HTML":
            given = {"text": f'<a href="tg://user?id={user}">Ann</a>', "parse_mode": mode}
        return await call(client, method, chat_id=7, **given, **more)

    told = await say("sendMessage", 7)
    assert [entity["user"] for entity in told["entities"]] == [ann]
    assert "is not modified" in await say("editMessageText", 7, message_id=told["message_id"])
    assert "entities" not in await say("editMessageText", 99, message_id=told["message_id"])
    assert "entities" not in await say("sendMessage", 99)


async def test_mentions_in_a_poll(room: Room, client: httpx.AsyncClient) -> None:
    """Those in an explanation have their User, too, and those of nobody go."""
    words = '<a href="tg://user?id=7">A</a> <a href="tg://user?id=99">B</a>'
    explained = {"explanation": words, "explanation_parse_mode": "HTML"}
    asked = {"question": "?", "options": ["a", "b"], "type": "quiz", "correct_option_ids": [0]}
    poll = (await call(client, "sendPoll", chat_id=7, **asked, **explained))["poll"]
    mention = {"type": "text_mention", "offset": 0, "length": 1, "user": room.people[7].json()}
    assert poll["explanation_entities"] == [mention]


async def test_kinds_of_updates_that_cannot_be_read(client: httpx.AsyncClient) -> None:
    """They are ignored, as by Telegram: the kinds stay as they were."""
    given = await client.get(f"{API}/getUpdates?allowed_updates=message")
    assert given.json()["ok"]
    assert "allowed_updates" not in await call(client, "getWebhookInfo")
