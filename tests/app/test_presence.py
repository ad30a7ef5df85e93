"""The whole bot in chats that it comes to and goes from."""

import asyncio

import pytest

from bot.app import running
from bot.playground.telegram.commands import menu
from bot.playground.yandex.replies import Say
from handlers.texts import RUSSIAN
from storage import keys
from storage.dead import DeadLetters
from storage.inbox import Inbox
from tests.conftest import ANN, BORIS, GROUP, World, changed

pytestmark = pytest.mark.slow

FORUM = -1_000_000_000_600


@pytest.mark.parametrize("topic", [False, True])
async def test_it_is_removed_while_it_answers(world: World, topic: bool) -> None:
    """The answer ends at once, wherever in the chat: nothing is left of it, and nothing dies."""
    chat = FORUM if topic else GROUP
    where = world.room.open_topic(FORUM) if topic else None
    world.model.script(Say("word " * 50, steps=50, delay=0.5))
    world.room.say(chat, ANN, "@demo_bot hi", topic=where)
    while not any("word" in one.get("text", "") for one in world.room.messages(chat)):
        await world.room.changed(world.room.version, 1)
    world.room.kick(chat)
    ready = keys.ready(world.bot_id)
    inbox = Inbox(world.redis, world.bot_id, "test")
    async with asyncio.timeout(20):  # the answer would take 25 s
        while (await inbox.record(chat)).away != "kicked" or await world.redis.xlen(ready):
            await world.room.changed(world.room.version, 0.02)
    assert await DeadLetters(world.redis, world.bot_id).all() == []
    assert await world.history(chat, where or 0) == []
    world.room.set_bot(chat, "member")
    world.model.script(Say("again"))
    world.room.say(chat, BORIS, "@demo_bot hi", topic=where)
    hello = RUSSIAN.membership_new.format(name="demo_bot")
    said = await world.hears(chat, 2)
    assert {"again"} < {*said}
    assert sum(text.startswith(hello) for text in said) == 1


async def test_where_members_may_not_write(world: World) -> None:
    """The model is asked once in vain, and again when they may."""
    world.room.say(GROUP, ANN, "x")
    world.room.set_member(GROUP, ANN, "administrator")
    world.room.permit(GROUP, [])
    for text in ("one", "two", "three"):
        world.room.say(GROUP, ANN, f"@demo_bot {text}")
        async with asyncio.timeout(40):
            while len(world.room.updates) or await world.redis.xlen(keys.ready(world.bot_id)):
                await world.room.changed(world.room.version, 0.02)
    assert len(world.bodies()) == 1
    world.room.permit(GROUP, ["can_send_messages"])
    assert await world.says(GROUP, ANN, "@demo_bot four") == "echo: four"
    assert len(world.bodies()) == 2


async def test_a_menu_for_each_place(elsewhere: World) -> None:
    """As the whole bot sets them when it starts; what owners see is theirs."""
    settings = changed(elsewhere.settings, admins=frozenset({ANN}))
    async with running(settings):
        text = await elsewhere.says(ANN, ANN, "/chats")
        assert RUSSIAN.no_chats in text
        text = await elsewhere.says(ANN, ANN, "/status")
        assert text.startswith(RUSSIAN.status_ready)
        assert RUSSIAN.for_owners in await elsewhere.says(BORIS, BORIS, "/status")
    room, names = elsewhere.room, []
    room.set_member(GROUP, BORIS, "administrator")
    room.say(GROUP, ANN, "hi")
    for chat, user in ((ANN, ANN), (BORIS, BORIS), (GROUP, BORIS), (GROUP, ANN)):
        shown = {command["command"] for command in menu(room, chat, user)}
        names.append(shown & {"chats", "reset", "help"})
    everybody, admin = {"help"}, {"help", "reset"}
    assert names == [admin | {"chats"}, admin, admin, everybody]
