"""A closed bot: who is let in and turned away, in every process at once."""

import asyncio
from typing import Any

import pytest

from bot.app import running
from bot.playground.yandex.replies import Say
from handlers.texts import ENGLISH, RUSSIAN
from storage import keys
from tests.app.conftest import Pair
from tests.conftest import ANN, BORIS, World, changed

pytestmark = pytest.mark.slow

OWNER = BORIS


async def presses(world: World, label: str) -> None:
    """Let the owner press a button under the bot's newest message to them, and see it change."""
    newest = world.said(OWNER)[-1]
    (row,) = newest["reply_markup"]["inline_keyboard"]
    data = next(button["callback_data"] for button in row if button["text"] == label)
    world.room.press(OWNER, OWNER, newest["message_id"], data, language="en")
    await until(world, lambda: "reply_markup" not in world.said(OWNER)[-1])


async def until(world: World, true: Any) -> None:
    """Wait until something is so in the room."""
    async with asyncio.timeout(60):
        while not true():
            await world.room.changed(world.room.version, 1)


async def test_from_a_stranger_to_a_guest_and_out_again(elsewhere: World) -> None:
    """With two processes: it holds in both at once, also for an answer that is being made."""
    world = elsewhere
    settings = changed(world.settings, admins=frozenset({OWNER}), access="closed")
    async with running(settings), running(changed(settings, role="worker")):
        assert await world.says(OWNER, OWNER, "hello") == "echo: hello"
        refusal = await world.says(ANN, ANN, "hello", language="en")
        assert refusal == ENGLISH.stranger_asked.format(id=ANN)
        await presses(world, RUSSIAN.button_allow)
        assert (await world.hears(ANN, 2))[-1] == ENGLISH.let_in
        assert await world.says(ANN, ANN, "hello") == "echo: hello"
        world.model.script(Say("word " * 200, steps=200, delay=0.2))
        world.room.say(ANN, ANN, "a long one", language="en")
        await until(world, lambda: len(world.room.messages(ANN)) == 7)
        await world.says(OWNER, OWNER, f"/deny {ANN}")
        stopped = (await world.hears(ANN, 4))[-1]
        assert stopped.endswith(ENGLISH.stopped_mark)
        for _ in range(5):
            told = await world.says(ANN, ANN, "hello", language="en")
            assert told == ENGLISH.stranger.format(id=ANN)


ROUNDS = 6


@pytest.fixture
def environment() -> dict[str, str]:
    """Let the bot be closed."""
    return {"ADMINS": str(OWNER), "ACCESS": "closed"}


async def test_processes_that_die_and_freeze(elsewhere: World, pair: Pair) -> None:
    """Each command happens once, in its order, and owners hear of every stranger."""
    world = elsewhere
    await world.says(OWNER, OWNER, "hello")
    for number in range(1, ROUNDS + 1):
        for text in ("/invite", f"/allow {number}", f"/deny {number}", f"/allow {-number}"):
            world.room.say(OWNER, OWNER, text)
        world.room.say(1000 + number, 1000 + number, "hello")
        await pair.strike()
    strangers = [1000 + number for number in range(1, ROUNDS + 1)]
    await until(world, lambda: all(map(world.said, strangers)))
    await pair.finish()
    listed = await world.redis.hgetall(keys.access(world.bot_id))
    del listed["version"]
    verdicts = {number: text.split()[0] for number, text in listed.items()}
    assert verdicts == {
        str(sign * number): "allow" if sign < 0 else "deny"
        for number in range(1, ROUNDS + 1)
        for sign in (1, -1)
    }
    assert await world.redis.hlen(keys.invitations(world.bot_id)) == ROUNDS
    heard = [message["text"] for message in world.said(OWNER)]
    for stranger in strangers:
        assert any(f"({stranger})" in text for text in heard)
