"""The Bot API over HTTP, from plain requests and from python-telegram-bot."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from telegram import Bot, LinkPreviewOptions
from telegram.error import BadRequest, NetworkError

from bot.playground.door import room_routes
from bot.playground.telegram.emulator import telegram_routes
from bot.playground.telegram.fault import Fault
from bot.playground.telegram.room import Room
from bot.playground.yandex.exchange import Exchange
from bot.web import serving

TOKEN = "42:AAtoken-x_y"
GROUP = -5
SUPERGROUP = -1000000000005
UNCLOSED = "Bad Request: can't parse entities: Can't find end tag corresponding to start tag \"b\""


@pytest.fixture
def room() -> Room:
    return Room(TOKEN)


@pytest.fixture
async def client(room: Room) -> AsyncIterator[httpx.AsyncClient]:
    """Serve the room; yields a client of it."""
    exchange = Exchange(1.0, "/x/completion", {"authorization": "secret", "x-y": "z"}, {}, 200, 2.0)
    app = Starlette(routes=telegram_routes(room) + room_routes(room, [exchange]))
    async with (
        serving(app, "127.0.0.1", 0) as url,
        httpx.AsyncClient(base_url=url, timeout=20) as client,
    ):
        yield client


async def call(client: httpx.AsyncClient, method: str, **parameters: Any) -> Any:
    """Call a method with a JSON body; its result, or its error without ``ok``."""
    content = json.dumps(parameters)  # in ASCII, so that half a surrogate pair passes
    headers = {"content-type": "application/json"}
    response = await client.post(f"/bot{TOKEN}/{method}", content=content, headers=headers)
    body = response.json()
    assert response.status_code == (200 if body["ok"] else body["error_code"])
    return body["result"] if body.pop("ok") else body


async def refused(client: httpx.AsyncClient, method: str, **parameters: Any) -> str:
    """Call a method that fails; why it did."""
    return str((await call(client, method, **parameters))["description"])


async def polled(room: Room, wanted: bool) -> None:
    """Wait until a poll is open, or until none is."""
    while (room.updates._poll is not None) is not wanted:  # noqa: ASYNC110 -- nobody tells
        await asyncio.sleep(0.001)


async def test_takes_parameters_from_everywhere(room: Room, client: httpx.AsyncClient) -> None:
    """Query, forms, JSON and multipart mean the same, and methods have no case."""
    room.say(7, 7, "x")
    url = f"/bot{TOKEN}/SENDmessage"
    fields = {"chat_id": "7", "text": "hé", "entities": '[{"type":"bold","offset":0,"length":2}]'}
    answers = [
        await client.get(url, params=fields),
        await client.post(url, data=fields),
        await client.post(url, json={**fields, "chat_id": 7}),
        await client.post(url, files={name: (None, value) for name, value in fields.items()}),
        await client.post(url, params=fields, content=b"whatever"),
    ]
    for answer in answers:
        sent = answer.json()["result"]
        assert (sent["text"], sent["entities"][0]["type"]) == ("hé", "bold")
    assert [entry["method"] for entry in room.calls] == ["sendMessage"] * 5


@pytest.mark.parametrize(
    ("body", "description"),
    [
        (b"{", "Bad Request: can't parse request body JSON object"),
        (b"[]", "Bad Request: JSON object expected"),
        (b'{"entities": "{"}', "Bad Request: can't parse entities JSON object"),
    ],
)
async def test_refuses_bodies_that_cannot_be_read(
    client: httpx.AsyncClient, body: bytes, description: str
) -> None:
    """What is no JSON object is a bad request, not a server's failure."""
    headers = {"content-type": "application/json"}
    answer = await client.post(f"/bot{TOKEN}/sendMessage", content=body, headers=headers)
    assert answer.json() == {"ok": False, "error_code": 400, "description": description}


async def test_knows_its_token(client: httpx.AsyncClient) -> None:
    """Another token is unauthorized, a malformed one and an unknown method are not found."""
    other = await client.get("/bot43:other/getMe")
    assert other.json() == {"ok": False, "error_code": 401, "description": "Unauthorized"}
    malformed = await client.get("/botnonsense/getMe")
    assert malformed.json() == {"ok": False, "error_code": 404, "description": "Not Found"}
    assert await call(client, "getUnknown") == {
        "error_code": 404,
        "description": "Not Found: method not found",
    }


async def test_older_names(room: Room, client: httpx.AsyncClient) -> None:
    """A method that has another name now is still known by the older one."""
    room.say(7, 7, "x")
    assert await call(client, "getChatMembersCount", chat_id=7) == 2
    assert room.calls[-1]["method"] == "getChatMemberCount"


async def test_first_token_becomes_the_bots(room: Room, client: httpx.AsyncClient) -> None:
    """A room without a token takes the first to call; what was said before waits for it."""
    room.token = None
    room.say(7, 7, "early")
    updates = (await client.get("/bot99:new/getUpdates")).json()["result"]
    assert updates[0]["message"]["text"] == "early"
    assert (await client.get("/bot99:new/getMe")).json()["result"]["id"] == 99
    assert (await client.get(f"/bot{TOKEN}/getMe")).status_code == 401


async def test_long_poll_wakes_up_and_conflicts(room: Room, client: httpx.AsyncClient) -> None:
    """A new poll ends the older one with 409; news end the new one at once."""
    older = asyncio.create_task(call(client, "getUpdates", timeout=50))
    await polled(room, True)
    newer = asyncio.create_task(
        call(client, "getUpdates", timeout=50, limit=0, allowed_updates=["message"])
    )
    assert await older == {
        "error_code": 409,
        "description": "Conflict: terminated by other getUpdates request; make sure that only one"
        " bot instance is running",
    }
    room.say(7, 7, "x")
    assert [update["message"]["text"] for update in await newer] == ["x"]
    assert (await call(client, "getWebhookInfo"))["allowed_updates"] == ["message"]


async def test_a_poll_whose_client_left_is_over(room: Room, client: httpx.AsyncClient) -> None:
    """When the client hangs up, its poll ends, and nothing is lost or logged."""
    leaving = asyncio.create_task(client.get(f"/bot{TOKEN}/getUpdates?timeout=50"))
    await polled(room, True)
    leaving.cancel()
    await polled(room, False)
    room.say(7, 7, "x")
    assert len(await call(client, "getUpdates")) == 1
    assert [entry["method"] for entry in room.calls] == ["getUpdates"]


async def test_empty_polls_are_not_logged(room: Room, client: httpx.AsyncClient) -> None:
    """Polls without news would flood the log."""
    assert await call(client, "getUpdates") == []
    assert await call(client, "deleteWebhook") is True
    assert [entry["method"] for entry in room.calls] == ["deleteWebhook"]


async def test_serves_python_telegram_bot(room: Room, client: httpx.AsyncClient) -> None:
    """The bot's own library starts, reads, writes, edits and deletes here."""
    room.say(7, 7, "/start")
    async with Bot(TOKEN, base_url=f"{client.base_url}/bot") as bot:
        assert bot.username == "demo_bot"
        assert bot.bot.can_read_all_group_messages
        (update,) = await bot.get_updates()
        assert update.message is not None
        assert update.message.text == "/start"
        sent = await bot.send_message(
            7, "<b>hi</b>", parse_mode="HTML", link_preview_options=LinkPreviewOptions(True)
        )
        edited = await bot.edit_message_text("hello", 7, sent.message_id)
        assert getattr(edited, "text", None) == "hello"
        assert await bot.send_chat_action(7, "typing")
        assert await bot.delete_message(7, sent.message_id)
        assert (await bot.get_chat(7)).first_name == "User 7"
        assert await bot.delete_webhook(drop_pending_updates=True)
    assert len(room.updates) == 0


@pytest.mark.parametrize(
    ("given", "description"),
    [
        ({"text": "x"}, "Bad Request: chat_id is empty"),
        ({"chat_id": 8, "text": "x"}, "Bad Request: chat not found"),
        (
            {"chat_id": 7, "text": "x", "business_connection_id": "b"},
            "Bad Request: business connection not found",
        ),
        ({"chat_id": "@nobody", "text": "x"}, "Bad Request: chat not found"),
        ({"chat_id": 7}, "Bad Request: message text is empty"),
        ({"chat_id": 7, "text": " \n\t"}, "Bad Request: message text is empty"),
        ({"chat_id": 7, "text": "\ud800"}, "Bad Request: strings must be encoded in UTF-8"),
        ({"chat_id": 7, "text": "😀" * 4097}, "Bad Request: message is too long"),
        ({"chat_id": 7, "text": "😀" * 8193}, "Bad Request: text is too long"),
        (
            {"chat_id": 7, "text": "<b></b>", "parse_mode": "HTML"},
            "Bad Request: message text is empty",
        ),
        (
            {"chat_id": 7, "text": "<b>", "parse_mode": "HTML"},
            UNCLOSED,
        ),
        (
            {
                "chat_id": 7,
                "text": "x",
                "entities": [{"type": "text_link", "offset": 0, "length": 1, "url": "foo"}],
            },
            "Bad Request: entity URL 'foo' is invalid: Wrong HTTP URL",
        ),
        (
            {"chat_id": 7, "text": "x", "entities": [5]},
            "Bad Request: can't parse entities JSON object",
        ),
        (
            {"chat_id": 7, "text": "x", "reply_parameters": {"message_id": 99}},
            "Bad Request: message to be replied not found",
        ),
        (
            {"chat_id": 7, "text": "x", "message_thread_id": 1},
            "Bad Request: message thread not found",
        ),
    ],
)
async def test_refuses_messages_in_telegrams_words(
    room: Room, client: httpx.AsyncClient, given: dict[str, Any], description: str
) -> None:
    """Each refusal of sendMessage has the text clients look for."""
    room.say(7, 7, "x")
    assert await refused(client, "sendMessage", **given) == description
    assert len(room.messages(7)) == 1


async def test_as_many_updates_as_are_asked_for(room: Room, client: httpx.AsyncClient) -> None:
    """At least one and at most a hundred; a negative offset keeps the last."""
    for number in range(103):
        room.say(7, 7, str(number))
    for limit, got in ((None, 100), (500, 100), ("2", 2), (0, 1), (-5, 1), ("x", 1)):
        asked = {} if limit is None else {"limit": limit}
        assert len(await call(client, "getUpdates", **asked)) == got
    assert [each["message"]["text"] for each in await call(client, "getUpdates", offset="-2")] == [
        "101",
        "102",
    ]


async def test_link_previews(room: Room, client: httpx.AsyncClient) -> None:
    """Are as the bot says, in the old way, too; only what the Bot API knows of them is kept."""
    room.say(7, 7, "x")
    given = {"chat_id": 7, "text": "https://a.bc"}
    for said, kept in (
        ({"link_preview_options": {"is_disabled": "true", "x": 5, "url": "https://d.ef"}},
         {"is_disabled": True, "url": "https://d.ef"}),
        ({"disable_web_page_preview": True}, {"is_disabled": True}),
        ({"link_preview_options": {}}, None),
    ):  # fmt: skip
        sent = await call(client, "sendMessage", **given, **said)
        assert sent.get("link_preview_options") == kept
    words = await refused(client, "sendMessage", **given, link_preview_options=[5])
    assert words.endswith("object expected as link preview options")


async def test_takes_4096_code_points(room: Room, client: httpx.AsyncClient) -> None:
    """The limit counts code points after trimming, not UTF-16 units."""
    room.say(7, 7, "x")
    sent = await call(client, "sendMessage", chat_id=7, text="😀" * 4096 + " \n")
    assert len(sent["text"]) == 4096


async def test_replies(room: Room, client: httpx.AsyncClient) -> None:
    """A reply shows what it replies to, old style and new; to nothing only when allowed."""
    first = room.say(7, 7, "x")["message_id"]
    new = await call(
        client, "sendMessage", chat_id=7, text="y", reply_parameters={"message_id": first}
    )
    old = await call(client, "sendMessage", chat_id=7, text="y", reply_to_message_id=first)
    lost = await call(
        client,
        "sendMessage",
        chat_id=7,
        text="y",
        reply_to_message_id=99,
        allow_sending_without_reply=True,
    )
    assert new["reply_to_message"]["text"] == old["reply_to_message"]["text"] == "x"
    assert "reply_to_message" not in lost


async def test_sends_into_topics_and_threads(room: Room, client: httpx.AsyncClient) -> None:
    """Topics take their id, ordinary threads too; General's 1 and a deleted topic do not."""
    topic = room.open_topic(SUPERGROUP)
    into = {"chat_id": SUPERGROUP, "text": "x"}
    sent = await call(client, "sendMessage", **into, message_thread_id=topic)
    assert (sent["message_thread_id"], sent["is_topic_message"]) == (topic, True)
    lost = "Bad Request: message thread not found"
    assert await refused(client, "sendMessage", **into, message_thread_id=1) == lost
    room.delete_topic(SUPERGROUP, topic)
    assert await refused(client, "sendMessage", **into, message_thread_id=topic) == lost
    other = SUPERGROUP - 1
    thread = room.say(other, 7, "x")["message_id"]
    sent = await call(client, "sendMessage", chat_id=other, text="x", message_thread_id=thread)
    assert "is_topic_message" not in sent


async def test_forbidden_where_the_bot_is_not_wanted(room: Room, client: httpx.AsyncClient) -> None:
    """Blocked, kicked and gone are 403s that say which."""
    for chat in (7, GROUP, SUPERGROUP):
        room.say(chat, 7, "x")
    room.block(7)
    room.kick(GROUP)
    room.kick(SUPERGROUP)
    words = [
        await refused(client, "sendMessage", chat_id=c, text="x") for c in (7, GROUP, SUPERGROUP)
    ]
    room.set_bot(GROUP, "left")
    words.append(await refused(client, "sendChatAction", chat_id=GROUP, action="typing"))
    assert words == [
        "Forbidden: bot was blocked by the user",
        "Forbidden: bot was kicked from the group chat",
        "Forbidden: bot was kicked from the supergroup chat",
        "Forbidden: bot is not a member of the group chat",
    ]
    assert (await call(client, "getChat", chat_id=7))["id"] == 7


async def test_a_migrated_group_names_its_successor(room: Room, client: httpx.AsyncClient) -> None:
    """Sending to the old id fails with the new one."""
    room.say(GROUP, 7, "x")
    new = room.migrate(GROUP)
    assert await call(client, "sendMessage", chat_id=GROUP, text="x") == {
        "error_code": 400,
        "description": "Bad Request: group chat was upgraded to a supergroup chat",
        "parameters": {"migrate_to_chat_id": new},
    }


async def test_edits(room: Room, client: httpx.AsyncClient) -> None:
    """Own texts can be edited, if anything changes; every other edit says why not."""
    theirs = room.say(7, 7, "x")["message_id"]
    markup = {"inline_keyboard": [[{"text": "b", "callback_data": "d"}]]}
    own = await call(client, "sendMessage", chat_id=7, text="y", reply_markup=markup)
    place = {"chat_id": 7, "message_id": own["message_id"]}
    same = await refused(client, "editMessageText", **place, text="y ", reply_markup=markup)
    assert same == (
        "Bad Request: message is not modified: specified new message content and reply markup are"
        " exactly the same as a current content and reply markup of the message"
    )
    bare = await call(client, "editMessageText", **place, text="y")
    assert "reply_markup" not in bare
    again = await call(client, "editMessageText", **place, text="z", reply_markup=markup)
    assert (again["text"], again["reply_markup"]) == ("z", markup)
    assert room.messages(7)[-1] == again
    for message_id, why in (
        (None, "message identifier is not specified"),
        (99, "message to edit not found"),
        (theirs, "message can't be edited"),
    ):
        words = await refused(client, "editMessageText", chat_id=7, message_id=message_id, text="q")
        assert words == f"Bad Request: {why}"


async def test_deletes(room: Room, client: httpx.AsyncClient) -> None:
    """Own young messages can be deleted, others only by an administrator."""
    theirs = room.say(GROUP, 7, "x")["message_id"]
    own = (await call(client, "sendMessage", chat_id=GROUP, text="y"))["message_id"]
    place = {"chat_id": GROUP}
    assert await call(client, "deleteMessage", **place, message_id=own) is True
    gone = await refused(client, "deleteMessage", **place, message_id=own)
    assert gone == "Bad Request: message to delete not found"
    foreign = await refused(client, "deleteMessage", **place, message_id=theirs)
    assert foreign == "Bad Request: message can't be deleted"
    room.set_bot(GROUP, "administrator")
    assert await call(client, "deleteMessage", **place, message_id=theirs) is True


async def test_refuses_unknown_actions(room: Room, client: httpx.AsyncClient) -> None:
    """SendChatAction takes the known actions only."""
    room.say(7, 7, "x")
    words = await refused(client, "sendChatAction", chat_id=7, action="dance")
    assert words == "Bad Request: wrong parameter action in request"


async def test_commands_are_kept_by_scope_and_language(client: httpx.AsyncClient) -> None:
    """What was set for one scope and language is got there, and nowhere else."""
    commands = [{"command": "help", "description": "Help"}]
    scope = {"type": "all_private_chats"}
    assert await call(client, "setMyCommands", commands=commands, scope=scope, language_code="ru")
    got = await call(client, "getMyCommands", scope=scope, language_code="ru")
    assert got == commands
    assert await call(client, "getMyCommands") == []
    assert await call(client, "deleteMyCommands", scope=scope, language_code="ru") is True
    assert await call(client, "getMyCommands", scope=scope, language_code="ru") == []


@pytest.mark.parametrize(
    "commands",
    [
        None,
        [{"command": "Help", "description": "x"}],
        [{"command": "help", "description": ""}],
        [{"command": "help", "description": "x"}] * 101,
    ],
)
async def test_refuses_commands_telegram_would_not_show(
    client: httpx.AsyncClient, commands: Any
) -> None:
    """Names are small letters, descriptions are not empty, a hundred is the most."""
    assert (await call(client, "setMyCommands", commands=commands))["error_code"] == 400


async def test_what_is_said_besides_the_content(room: Room, client: httpx.AsyncClient) -> None:
    """An effect, in private; nothing that was meant for one person is shown to a whole group."""
    room.say(7, 7, "x")
    room.say(GROUP, 7, "x")
    sent = await call(client, "sendMessage", chat_id=7, text="hi", message_effect_id="51048")
    assert sent["effect_id"] == "51048"
    assert "effect_id" not in await call(client, "sendMessage", chat_id=7, text="hi")
    for given, why in (
        ({"message_effect_id": "51048"}, "can't use message effects in the chat"),
        ({"receiver_user_id": 7}, "ephemeral messages are not served by the local Telegram"),
        (
            {"ephemeral_message_parameters": {"receiver_user_id": 7}},
            "ephemeral messages are not served by the local Telegram",
        ),
    ):
        said = {"chat_id": GROUP, "text": "hi", **given}
        assert await refused(client, "sendMessage", **said) == f"Bad Request: {why}"
    assert len(room.messages(GROUP)) == 1
    rich = {"chat_id": 7, "message_id": sent["message_id"], "rich_message": {"markdown": "x"}}
    why = "Bad Request: rich_message is not served by the local Telegram"
    assert await refused(client, "editMessageText", **rich) == why


async def test_members_and_administrators(room: Room, client: httpx.AsyncClient) -> None:
    """Rights are what the room was told; the bot counts itself when it is an administrator."""
    room.say(GROUP, 7, "x")
    room.set_member(GROUP, 8, "creator")
    room.set_member(GROUP, 9, "kicked")
    room.set_bot(GROUP, "administrator")
    room.say(10, 10, "elsewhere")
    statuses = [
        (await call(client, "getChatMember", chat_id=GROUP, user_id=user))["status"]
        for user in (7, 8, 9, 10, 42)
    ]
    assert statuses == ["member", "creator", "kicked", "left", "administrator"]
    admins = await call(client, "getChatAdministrators", chat_id=GROUP)
    assert [admin["user"]["id"] for admin in admins] == [8, 42]
    room.set_bot(GROUP, "member")
    assert len(await call(client, "getChatAdministrators", chat_id=GROUP)) == 1
    for method, asked, why in (
        ("getChatMember", {"chat_id": GROUP, "user_id": 11}, "user not found"),
        ("getChatMember", {"chat_id": GROUP}, "invalid user_id specified"),
        (
            "getChatAdministrators",
            {"chat_id": 10},
            "there are no administrators in the private chat",
        ),
    ):
        assert await refused(client, method, **asked) == f"Bad Request: {why}"


async def test_callbacks_are_answered_once(room: Room, client: httpx.AsyncClient) -> None:
    """A pressed button's query can be answered, a second time it is too old."""
    room.say(7, 7, "x")
    own = (await call(client, "sendMessage", chat_id=7, text="y"))["message_id"]
    query = room.press(7, 7, own, "data")
    updates = await call(client, "getUpdates", offset=-1)
    assert updates[0]["callback_query"]["data"] == "data"
    assert await call(client, "answerCallbackQuery", callback_query_id=query) is True
    words = await refused(client, "answerCallbackQuery", callback_query_id=query)
    assert words.startswith("Bad Request: query is too old")


async def test_faults_come_call_by_call(room: Room, client: httpx.AsyncClient) -> None:
    """Planned failures hit the named method in order, then it works again."""
    room.say(7, 7, "x")
    room.fail(
        "sendMessage",
        Fault(status=429, retry_after=3),
        None,
        Fault(status=403),
        Fault(status=502, html="<html>oops</html>"),
        Fault(status=400, description="Bad Request: odd"),
    )
    url, message = f"/bot{TOKEN}/sendMessage", {"chat_id": 7, "text": "y"}
    answers = [await client.post(url, json=message) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [429, 200, 403, 502, 400, 200]
    assert answers[0].json()["parameters"] == {"retry_after": 3}
    assert answers[0].json()["description"] == "Too Many Requests: retry after 3"
    assert answers[3].text == "<html>oops</html>"
    assert answers[4].json()["description"] == "Bad Request: odd"
    assert len(room.messages(7)) == 3


async def test_connections_can_be_cut_before_and_after(
    room: Room, client: httpx.AsyncClient
) -> None:
    """A reset leaves the caller in the dark: once nothing happened, once the message is there."""
    room.say(7, 7, "x")
    room.fail(
        "sendMessage", Fault(), Fault(after_accept=True), Fault(after_accept=True, status=504)
    )
    for left in (1, 2):
        with pytest.raises(httpx.TransportError):
            await call(client, "sendMessage", chat_id=7, text="y")
        assert len(room.messages(7)) == left
    assert (await call(client, "sendMessage", chat_id=7, text="z"))["error_code"] == 504
    assert [m["text"] for m in room.messages(7)] == ["x", "y", "z"]
    assert [entry["ok"] for entry in room.calls] == [False, True, True]


async def test_a_hanging_call_is_never_answered(room: Room, client: httpx.AsyncClient) -> None:
    """Only the client's patience ends a hanging call."""
    room.fail("getMe", Fault(hang=True))
    with pytest.raises(httpx.ReadTimeout):
        await client.get(f"/bot{TOKEN}/getMe", timeout=httpx.Timeout(20, read=0.1))
    assert (await call(client, "getMe"))["is_bot"]


async def test_python_telegram_bot_sees_faults_as_its_errors(
    room: Room, client: httpx.AsyncClient
) -> None:
    """A cut connection is a NetworkError there, a bad link a BadRequest."""
    room.say(7, 7, "x")
    room.fail("sendMessage", Fault())
    async with Bot(TOKEN, base_url=f"{client.base_url}/bot") as bot:
        with pytest.raises(NetworkError):
            await bot.send_message(7, "x")
        with pytest.raises(BadRequest, match="thread not found"):
            await bot.send_message(7, "x", message_thread_id=1)


async def test_people_speak_through_the_door(room: Room, client: httpx.AsyncClient) -> None:
    """POST /room/say answers with the Message."""
    said = {"chat": 7, "user": 7, "text": "привет", "language": "ru", "topic": None}
    answer = await client.post("/room/say", json=said)
    assert answer.json() == room.messages(7)[0]
    assert "привет" in answer.text


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"{", "the body is not JSON"),
        (b"[]", "the body is not a JSON object"),
        (b'{"user": 7, "text": "x"}', "chat must be a whole number"),
        (b'{"chat": true, "user": 7, "text": "x"}', "chat must be a whole number"),
        (b'{"chat": 7, "user": 7, "text": 5}', "text must be a string"),
        (b'{"chat": 7, "user": 7, "text": "x", "topic": "1"}', "topic must be a whole number"),
        (b'{"chat": 7, "user": 7, "text": "x", "say": 1}', "unknown: say"),
        (b'{"chat": 7, "user": 7, "text": ""}', "the text is empty"),
        (
            json.dumps({"chat": 7, "user": 7, "text": "x" * 4097}).encode(),
            "the text is longer than 4096 characters",
        ),
    ],
)
async def test_the_door_says_what_is_wrong(
    client: httpx.AsyncClient, body: bytes, error: str
) -> None:
    """A wrong request is a 400 with one sentence."""
    answer = await client.post("/room/say", content=body)
    assert (answer.status_code, answer.json()) == (400, {"error": error})


async def test_the_room_shows_what_happened(room: Room, client: httpx.AsyncClient) -> None:
    """Log, messages, chats and changes tell everything; credentials they do not."""
    room.say(7, 7, "x")
    await call(client, "sendMessage", chat_id=7, text="y")
    log = (await client.get("/room/log")).json()
    (entry,) = log["calls"]
    assert (entry["method"], entry["ok"]) == ("sendMessage", True)
    assert entry["parameters"]["text"] == entry["result"]["text"] == "y"
    assert log["completions"][0]["headers"] == {"x-y": "z"}
    shown = (await client.get("/room/messages?chat=7")).json()
    assert [message["text"] for message in shown] == ["x", "y"]
    assert (await client.get("/room/messages?chat=8")).json() == []
    assert (await client.get("/room/chats")).json()[0]["id"] == 7
    assert (await client.get("/room/messages?chat=x")).status_code == 400
    assert (await client.get("/room/changes?since=0")).json() == {"version": 2}
    waiting = asyncio.create_task(client.get("/room/changes?since=2"))
    with pytest.raises(httpx.ReadTimeout):
        await client.get("/room/changes?since=2", timeout=httpx.Timeout(20, read=0.1))
    await asyncio.sleep(0.02)  # the server has seen by now that this one left
    room.say(7, 7, "z")
    assert (await waiting).json() == {"version": 3}
