"""The bot's own profile, and how it leaves the server."""

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from telegram import ChatAdministratorRights, MenuButton

from bot.playground.telegram.chat import Json
from bot.playground.telegram.emulator import telegram_routes
from bot.playground.telegram.profile import LONGEST, UNSTARTED_SECONDS
from bot.playground.telegram.room import Room
from tests.playground.calling import call, refused
from tests.playground.clock import Clock

ANN = 7
APP = {"type": "web_app", "text": "Open", "web_app": {"url": "https://a.bc/d"}}


@pytest.fixture
def room(clock: Clock) -> Room:
    room = Room("42:token", clock=clock)
    room.say(ANN, ANN, "x")
    return room


@pytest.mark.parametrize("what", LONGEST)
def test_texts_are_kept_by_language(room: Room, what: str) -> None:
    """What is set for a language is got there, the general text elsewhere, until it is removed."""
    method = "My" + what.title().replace("_", "")
    before = call(room, f"get{method}")
    assert call(room, f"set{method}", **{what: "Helper"}) is True
    assert call(room, f"set{method}", **{what: "Помощник"}, language_code="ru") is True
    found = [call(room, f"get{method}", language_code=code)[what] for code in ("", "de", "ru")]
    assert found == ["Helper", "Helper", "Помощник"]
    assert call(room, f"set{method}", **{what: ""}, language_code="ru") is True
    assert call(room, f"get{method}", language_code="ru") == {what: "Helper"}
    words = refused(room, f"set{method}", **{what: "x" * (LONGEST[what] + 1)})
    assert words.endswith("is too long")
    assert refused(room, f"set{method}", language_code="xyz") == "invalid language code specified"
    assert call(room, f"set{method}") is True
    assert call(room, f"get{method}") == before


def test_the_name_is_shown(room: Room) -> None:
    """In getMe, and as the author of messages."""
    call(room, "setMyName", name="Helper")
    assert call(room, "getMe")["first_name"] == "Helper"
    assert call(room, "sendMessage", chat_id=ANN, text="x")["from"]["first_name"] == "Helper"


def test_the_menu_button(room: Room) -> None:
    """A person's own comes before everybody's; the default takes it away."""
    assert call(room, "getChatMenuButton") == {"type": "default"}
    assert call(room, "setChatMenuButton", menu_button={"type": "commands"}) is True
    assert call(room, "setChatMenuButton", chat_id=str(ANN), menu_button=APP) is True
    assert MenuButton.de_json(call(room, "getChatMenuButton", chat_id=ANN), None)
    assert call(room, "getChatMenuButton", chat_id=ANN) == APP
    assert call(room, "setChatMenuButton", chat_id=ANN) is True
    assert call(room, "getChatMenuButton", chat_id=ANN) == {"type": "commands"}


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"menu_button": [5]}, "can't parse menu button: MenuButton must be an Object"),
        ({"menu_button": {}}, "can't parse menu button: MenuButton has unsupported type"),
        ({"menu_button": {**APP, "text": ""}},
         "can't parse menu button: Menu button text and URL must be non-empty"),
        ({"menu_button": {**APP, "web_app": 5}},
         "can't parse menu button: Menu button text and URL must be non-empty"),
        ({"menu_button": {**APP, "web_app": {"url": "http://a.bc"}}},
         "menu button Web App URL 'http://a.bc' is invalid: Only HTTPS links are allowed"),
        ({"menu_button": APP, "chat_id": -5}, "chat not found"),
        ({"menu_button": APP, "chat_id": 99}, "chat not found"),
    ],
)  # fmt: skip
def test_a_menu_button_that_is_refused(room: Room, given: Json, why: str) -> None:
    """It has a kind, and an application a name and an address; chats with people have one."""
    assert refused(room, "setChatMenuButton", **given) == why
    assert call(room, "getChatMenuButton") == {"type": "default"}


def test_default_rights(room: Room) -> None:
    """For groups and for channels; nothing is asked for at first."""
    rights = call(room, "getMyDefaultAdministratorRights")
    assert ChatAdministratorRights.de_json(rights, None)
    assert not any(rights.values())
    asked = {"can_pin_messages": True, "can_manage_chat": True}
    assert call(room, "setMyDefaultAdministratorRights", rights=asked) is True
    rights = call(room, "getMyDefaultAdministratorRights")
    assert {name for name, value in rights.items() if value} == set(asked)
    channels = call(room, "getMyDefaultAdministratorRights", for_channels="true")
    assert not any(channels.values())
    assert "can_post_messages" in channels
    assert call(room, "setMyDefaultAdministratorRights") is True
    assert not any(call(room, "getMyDefaultAdministratorRights").values())
    assert "must be an Object" in refused(room, "setMyDefaultAdministratorRights", rights=[5])


def test_nobody_has_a_profile_photo(room: Room) -> None:
    """Nor an audio."""
    for user in (ANN, 42):
        photos = call(room, "getUserProfilePhotos", user_id=user)
        assert photos == {"total_count": 0, "photos": []}
    assert call(room, "getUserProfileAudios", user_id=ANN) == {"total_count": 0, "audios": []}
    assert refused(room, "getUserProfilePhotos") == "invalid user_id specified"
    assert refused(room, "getUserProfilePhotos", user_id=99) == "user not found"


@pytest.fixture
async def client(room: Room) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(Starlette(routes=telegram_routes(room)))
    async with httpx.AsyncClient(transport=transport, base_url="http://room/bot42:token") as client:
        yield client


async def test_a_bot_logs_out(client: httpx.AsyncClient, clock: Clock) -> None:
    """And cannot be back for ten minutes, as on Telegram's own server."""
    assert (await client.get("/logOut")).json() == {"ok": True, "result": True}
    for method in ("getMe", "getUpdates", "logOut"):
        answer = await client.get(f"/{method}")
        assert answer.json() == {"ok": False, "error_code": 400, "description": "Logged out"}
    clock.now += UNSTARTED_SECONDS
    assert (await client.get("/getMe")).json()["ok"]


async def test_a_bot_is_closed(client: httpx.AsyncClient, clock: Clock) -> None:
    """Not in the first ten minutes after its start."""
    early = (await client.get("/close")).json()
    assert (early["error_code"], early["parameters"]) == (429, {"retry_after": 600})
    clock.now += UNSTARTED_SECONDS
    assert (await client.get("/close")).json() == {"ok": True, "result": True}
