"""Settings of a chat, with the whole bot in a room: set up by its people, and told there."""

import asyncio
from functools import partial
from itertools import groupby
from typing import Any

import pytest

from bot.app import running
from handlers.actions.menu import SETTINGS
from handlers.texts import ENGLISH, Texts
from handlers.turn.press import Choice
from storage import keys
from storage.message import ChatKey
from tests.app.conftest import Pair
from tests.conftest import ANN, BORIS, World

pytestmark = pytest.mark.slow

FORUM = -1000000000500


def keys_of(message: dict[str, Any]) -> dict[str, str]:
    """What is on the buttons of a message, and what they do."""
    rows = message["reply_markup"]["inline_keyboard"]
    return {key["text"]: key.get("callback_data") or key["url"] for row in rows for key in row}


async def pressed(world: World, chat: int, label: str, user: int = ANN) -> dict[str, Any]:
    """Let somebody press a button of the bot's last message; gives what that is edited to."""
    message = world.said(chat)[-1]
    before, data = message["text"], next(d for k, d in keys_of(message).items() if label in k)
    keys = keys_of(message)
    world.room.press(chat, user, message["message_id"], data, language="en")
    async with asyncio.timeout(40):
        while True:
            now = world.said(chat)[-1]
            if now["text"] != before or keys_of(now) != keys:
                return now
            await world.room.changed(world.room.version, 1)


async def test_a_group_is_set_up(elsewhere: World) -> None:
    """By its admin, in private; the group hears one line of it, also after a restart."""
    world, texts = elsewhere, ENGLISH
    world.room.set_member(FORUM, ANN, "administrator")
    world.room.set_member(FORUM, BORIS, "member")
    topic = world.room.open_topic(FORUM)
    async with running(world.settings):
        told = await world.says(FORUM, ANN, "/settings@demo_bot", topic=topic, language="en")
        assert told == texts.settings_in_private
        link = keys_of(world.said(FORUM)[-1])[texts.settings_button]
        assert link.endswith(f"?start=settings_{FORUM}_{topic}")
        menu = await world.says(ANN, ANN, "/start " + link.partition("=")[2], language="en")
        assert menu.startswith("Settings of a topic")
        await pressed(world, ANN, "May reset")
    async with running(world.settings):
        now = await pressed(world, ANN, texts.reset_everybody)
        assert "May reset: everybody" in keys_of(now)
        (line,) = (await world.hears(FORUM, 2))[1:]
        assert "May reset: everybody" in line
        assert world.said(FORUM)[-1]["message_thread_id"] == topic
        more = {"topic": topic, "language": "en"}
        await world.says(FORUM, ANN, "@demo_bot one", **more)
        assert await world.says(FORUM, BORIS, "/reset@demo_bot", **more) == texts.forgotten
        await world.says(FORUM, ANN, "@demo_bot one", language="en")
        refused = await world.says(FORUM, BORIS, "/reset@demo_bot", language="en")
        assert refused == texts.reset_is_for_admins  # the topic's are not the group's


async def test_a_persona_is_met(world: World) -> None:
    """It greets, and one of its first questions is asked by a press."""
    await world.says(ANN, ANN, "/persona", language="en")
    greeting = await pressed(world, ANN, "Tutor")
    texts: Texts = ENGLISH
    assert greeting["text"].startswith(texts.persona_chosen.format(name="Tutor"))
    question = next(iter(keys_of(greeting)))
    world.room.press(ANN, ANN, greeting["message_id"], keys_of(greeting)[question], language="en")
    assert (await world.hears(ANN, 2))[-1] == f"echo: {question}"
    (body,) = world.bodies()
    assert body["messages"][0]["text"].startswith("You are a patient tutor")
    assert body["completionOptions"]["temperature"] == 0.4


CHANGES = {
    "hears": "10",
    "reset": "everybody",
    "temperature": "0.3",
    "length": "500",
    "buttons": "off",
    "streaming": "off",
}
"""One of each setting: of several that wait, only the last of the same one is told."""


async def test_processes_that_die_and_freeze(elsewhere: World, pair: Pair) -> None:
    """Each change happens once, in its order, whoever ends it; each group hears of it."""
    world = elsewhere
    world.room.set_member(FORUM, ANN, "administrator")
    menu = await world.says(ANN, ANN, f"/start settings_{FORUM}", language="en")
    assert menu.startswith("Settings of the group")
    shown = world.said(ANN)[-1]["message_id"]
    for number, (setting, value) in enumerate(CHANGES.items()):
        world.room.say(BORIS, BORIS, f"/prompt {number}", language="en")
        choice = Choice("set", ChatKey(FORUM), number, setting, value)
        world.room.press(ANN, ANN, shown, str(choice), language="en")
        await pair.strike()
    rounds = len(CHANGES)
    await world.hears(BORIS, rounds, seconds=60)
    await world.hears(FORUM, rounds, seconds=60)
    await pair.finish()
    key = partial(keys.settings, world.bot_id)
    chosen = await world.redis.hgetall(key(ChatKey(BORIS)))
    assert chosen == {"version": str(rounds), "prompt": str(rounds - 1)}
    chosen = await world.redis.hgetall(key(ChatKey(FORUM)))
    assert chosen == {"version": str(rounds)} | CHANGES
    told = [message["text"].split(". ")[1].split(":")[0] for message in world.said(FORUM)]
    titles = {setting.name: setting.title(ENGLISH) for setting in SETTINGS}
    # But for sends that nobody noted.
    assert [line for line, _ in groupby(told)] == [titles[name] for name in CHANGES]
