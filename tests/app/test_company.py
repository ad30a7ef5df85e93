"""Groups that have chosen when the bot answers and what it hears, with the whole bot in a room."""

import json

import pytest

from handlers.texts import ENGLISH
from storage import keys
from storage.message import ChatKey
from tests.app.conftest import Pair
from tests.conftest import ANN, BORIS, GROUP, World

pytestmark = pytest.mark.slow


async def choose(world: World, **values: str) -> None:
    """Let the group have chosen."""
    for name, value in values.items():
        await world.redis.hset(keys.settings(world.bot_id, ChatKey(GROUP)), name, value)


async def kept(world: World) -> list[str]:
    """What was heard, oldest first."""
    found = await world.redis.zrange(keys.heard(world.bot_id, ChatKey(GROUP)), 0, -1)
    return [json.loads(str(one).split(" ", 2)[2])["text"] for one in found]


async def test_a_group_that_lets_it_hear(world: World) -> None:
    """What people say is before a question; who does not want that is left out."""
    await choose(world, hears="10", names="Алиса", language="en")
    world.room.say(GROUP, ANN, "at five")
    world.room.say(GROUP, BORIS, "at six")
    await world.says(GROUP, ANN, "Алиса, when?")
    (body,) = world.bodies()
    asked = body["messages"][-1]["text"]
    assert asked.startswith(ENGLISH.heard_before)
    assert [line[-5:] for line in asked.split("\n")[1:]] == [" five", "t six", "", "when?"]
    assert await world.says(GROUP, BORIS, "/dontlisten@demo_bot") == ENGLISH.left_unheard
    world.room.say(GROUP, BORIS, "at seven")
    await world.says(GROUP, ANN, "Алиса, when?")
    assert await kept(world) == ["at five"]


async def test_a_group_that_is_always_answered(world: World) -> None:
    """Until it is not."""
    await choose(world, when="always")
    assert await world.says(GROUP, BORIS, "one") == "echo: one"
    await choose(world, when="commands")
    world.room.say(GROUP, BORIS, "two")
    world.room.say(GROUP, BORIS, "@demo_bot three")
    assert "tokens" in await world.says(GROUP, BORIS, "/context@demo_bot", language="en")
    await choose(world, when="addressed")
    assert await world.says(GROUP, BORIS, "@demo_bot four") == "echo: four"


ROUNDS = 6


async def test_processes_that_die_and_freeze(elsewhere: World, pair: Pair) -> None:
    """All that was said is kept once and in order, and each question is answered once."""
    world = elsewhere
    await choose(world, hears="50", names="Alice")
    said = list[str]()
    for number in range(ROUNDS):
        for more in "abcde":
            said.append(f"{number}{more}")
            world.room.say(GROUP, BORIS, said[-1])
        world.room.say(GROUP, ANN, f"Alice, {number}?")
        await pair.strike()
    await world.hears(GROUP, ROUNDS, seconds=60)
    await pair.finish()
    assert await kept(world) == said
    entries = await world.redis.lrange(keys.history(world.bot_id, ChatKey(GROUP)), 0, -1)
    asked = [json.loads(str(one))["text"] for one in entries[::2]]
    assert asked == [f"{number}?" for number in range(ROUNDS)]
