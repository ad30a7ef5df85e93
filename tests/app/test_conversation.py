"""The whole application in a room: what people write and what they get."""

import json

import pytest

from tests.conftest import ANN, BORIS, World

pytestmark = pytest.mark.slow


async def test_a_private_chat(world: World) -> None:
    """A person writes and is answered; the exchange stands in Redis as role and text."""
    assert await world.says(ANN, ANN, "hi") == "echo: hi"
    entries = [json.loads(entry) for entry in await world.history(ANN)]
    assert [(entry["role"], entry["text"]) for entry in entries] == [
        ("user", "hi"),
        ("assistant", "echo: hi"),
    ]


async def test_two_chats_at_once(world: World) -> None:
    """Two people have a dialogue each, and neither hears of the other's."""
    world.room.say(ANN, ANN, "I am Ann")
    world.room.say(BORIS, BORIS, "I am Boris")
    assert await world.hears(ANN) == ["echo: I am Ann"]
    assert await world.hears(BORIS) == ["echo: I am Boris"]
    await world.says(ANN, ANN, "who am I?")
    assert [message["text"] for message in world.bodies()[-1]["messages"][1:]] == [
        "I am Ann",
        "echo: I am Ann",
        "who am I?",
    ]


async def test_five_quick_messages(world: World) -> None:
    """Messages that come quickly are answered one by one, in order, each with all before it."""
    for number in range(5):
        world.room.say(ANN, ANN, f"{number}")
    assert await world.hears(ANN, 5) == [f"echo: {number}" for number in range(5)]
    assert [len(body["messages"]) for body in world.bodies()] == [2, 4, 6, 8, 10]
    assert len(await world.history(ANN)) == 10


async def test_reset(world: World) -> None:
    """/reset clears the history, and the next question is asked without it."""
    await world.says(ANN, ANN, "hi", language="en")
    assert "forgotten" in await world.says(ANN, ANN, "/reset")
    assert await world.history(ANN) == []
    await world.says(ANN, ANN, "again")
    assert [message["text"] for message in world.bodies()[-1]["messages"][1:]] == ["again"]
