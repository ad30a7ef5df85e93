"""What only shows something is answered beside an answer that is being made."""

import asyncio

import pytest

from bot.playground.yandex.replies import Say, Silence
from handlers.texts import RUSSIAN
from handlers.turn.press import Choice
from storage.message import ChatKey
from tests.conftest import ANN, World, grows

pytestmark = pytest.mark.slow


async def growing(world: World) -> None:
    """Wait until an answer grows."""
    async with asyncio.timeout(40):
        while not any(map(grows, world.room.messages(ANN))):
            await world.room.changed(world.room.version, 1)


async def test_commands_do_not_wait_for_the_model(world: World) -> None:
    """They are answered while it is silent; the answer goes on behind them."""
    world.model.script(Silence(after="Well"))
    world.room.say(ANN, ANN, "a question")
    await growing(world)
    assert "/help — " in await world.says(ANN, ANN, "/help")
    assert RUSSIAN.settings_of_chat in await world.says(ANN, ANN, "/settings")
    keyboard = world.said(ANN)[-1]["reply_markup"]["inline_keyboard"]
    choices = [Choice.parse(button["callback_data"]) for row in keyboard for button in row]
    assert {choice.chat for choice in choices if choice} == {ChatKey(ANN)}
    await world.says(ANN, ANN, "/stop")
    assert "Well" in [message["text"].split("\n")[0] for message in world.said(ANN)]


async def test_what_changes_something_stays_in_order(world: World) -> None:
    """A question behind it is asked with it."""
    world.model.script(Say("first", steps=3, delay=0.3))
    for text in ("one", "/prompt Rhyme.", "two"):
        world.room.say(ANN, ANN, text)
    assert "first" in (await world.hears(ANN, 3))[0]
    assert "Rhyme." in world.bodies()[1]["messages"][0]["text"]
