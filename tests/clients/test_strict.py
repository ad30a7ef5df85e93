"""The reader itself: what it lets pass, and what it does not."""

from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from bot.playground.telegram.emulator import telegram_routes
from bot.playground.telegram.room import Room
from bot.web import serving

pytestmark = pytest.mark.slow

MESSAGE = (
    '{"message_id": 1, "date": 5, "chat": {"id": 7, "type": "private", "first_name": "Ann"}%s}'
)


@pytest.fixture(scope="module")
def strict() -> Any:
    """Load aiogram only when it is needed."""
    from aiogram.types import Message  # noqa: PLC0415

    from tests.clients.strict import complaints  # noqa: PLC0415

    return lambda more: list(complaints(Message, (MESSAGE % more).encode()))


@pytest.mark.parametrize(
    "more", ["", ', "text": "x"', ', "location": {"latitude": 1, "longitude": 2}']
)
def test_what_is_right(strict: Any, more: str) -> None:
    """A message as the Bot API describes it; a whole number is a float, too."""
    assert strict(more) == []


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (', "unknown": 1', "Message has no unknown: .unknown"),
        (', "location": {"latitude": 1, "longitude": 2, "x": 1}', "Location has no x: .location.x"),
        (', "location": {"latitude": 1}', "location.longitude"),
        (', "message_thread_id": "5"', "read as"),
        (', "edit_date": true', "edit_date"),
        (', "is_topic_message": 1', "read as"),
        (', "photo": [{"file_id": "1"}]', "photo.0.width"),
        (', "reply_markup": {"keyboard": []}', "reply_markup.inline_keyboard"),
    ],
)
def test_what_is_wrong(strict: Any, more: str, why: str) -> None:
    """Unknown fields however deep, missing ones, other types, and what is only nearly the same."""
    assert why in "\n".join(strict(more))


async def test_what_a_local_telegram_says_is_read(request: pytest.FixtureRequest) -> None:
    """Its responses and its updates: what is wrong there would fail the test."""
    if not request.config.pluginmanager.has_plugin("tests.clients.strict"):
        pytest.skip("the reader is not loaded: pytest -p tests.clients.strict")
    from tests.clients.strict import READER  # noqa: PLC0415

    room = Room("42:token")
    room.say(7, 7, "x")
    room.people[7].first_name = None  # type: ignore[assignment]  # which nobody is without
    room.updates.add("message", {"message_id": 1})
    async with (
        serving(Starlette(routes=telegram_routes(room)), "127.0.0.1", 0) as url,
        httpx.AsyncClient(base_url=url) as http,
    ):
        await http.get("/bot42:token/getChatMember?chat_id=7&user_id=7")
    update, response = READER.wrong
    READER.wrong.clear()
    assert "message.chat" in update
    assert "first_name" in response
