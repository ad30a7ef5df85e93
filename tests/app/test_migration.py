"""The whole application as a group becomes a supergroup: one conversation, before and after."""

import asyncio
import json
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.app import running
from bot.operator.dead import dead
from bot.playground.yandex.replies import Say
from storage import keys
from storage.dead import DeadLetters
from storage.message import ChatKey
from storage.timing import Timing
from tests.conftest import ANN, GROUP, World, changed, grows, local_telegram, unlabelled

pytestmark = pytest.mark.slow


@pytest.fixture
def timing() -> Timing:
    """Let answers grow in groups as fast as elsewhere."""
    return Timing(group_gap=0.3, typing=0.2)


EITHER_ORDER = (("to", "from"), ("from", "to"))
ANY_WAY = (*EITHER_ORDER, ("to",), ("from",))


def asked(world: World) -> list[str]:
    """What the model was asked last, with all that was said before."""
    return [unlabelled(one["text"]) for one in world.bodies()[-1]["messages"][1:]]


async def growing(world: World, chat: int) -> None:
    """Wait until an answer has begun to be shown."""
    async with asyncio.timeout(40):
        while not any(map(grows, world.room.messages(chat))):
            await world.room.changed(world.room.version, 1)


async def left(world: World) -> list[str]:
    """Which keys of the group there are still, but for Telegram's pace."""
    tag = keys.tag(world.bot_id)
    names = [str(name) async for name in world.redis.scan_iter(f"{tag}*:{GROUP}")]
    return [name for name in names if ":pace:" not in name]


async def moved(world: World) -> None:
    """Wait until all that was kept of the group is with the supergroup."""
    async with asyncio.timeout(40):
        while await left(world):
            await world.room.changed(world.room.version, 0.01)


@pytest.mark.parametrize("told", ANY_WAY)
async def test_the_conversation_goes_on(world: World, told: tuple[str, ...]) -> None:
    """The first question in the supergroup is asked with all that was said in the group."""
    assert await world.says(GROUP, ANN, "@demo_bot one") == "echo: one"
    assert await world.says(GROUP, ANN, "@demo_bot two") == "echo: two"
    new = world.room.migrate(GROUP, told)
    assert await world.says(new, ANN, "@demo_bot three") == "echo: three"
    assert asked(world) == ["one", "echo: one", "two", "echo: two", "three"]
    assert len(await world.history(new)) == 6
    usage = await world.redis.hget(keys.usage(world.bot_id, ChatKey(new)), "answers")
    assert usage == "3"
    assert await world.says(new, ANN, "@demo_bot four") == "echo: four"
    assert len(asked(world)) == 7
    await moved(world)


@pytest.mark.parametrize("told", [*ANY_WAY, ()])
async def test_in_the_middle_of_an_answer(world: World, told: tuple[str, ...]) -> None:
    """It grows on in the supergroup and is whole there; what waits is answered behind it, once."""
    assert await world.says(GROUP, ANN, "@demo_bot one") == "echo: one"
    world.model.script(Say("slow " * 19 + "end", steps=20, delay=0.15))
    world.room.say(GROUP, ANN, "@demo_bot two")
    await growing(world, GROUP)
    world.room.say(GROUP, ANN, "@demo_bot three")
    new = world.room.migrate(GROUP, told)
    if told:
        world.room.say(new, ANN, "@demo_bot four")
    await growing(world, new)
    heard = await world.hears(new, 3 if told else 2)
    assert heard[0] == "slow " * 19 + "end"
    assert heard[1:] == ["echo: three", "echo: four"][: len(heard) - 1]
    assert await world.says(new, ANN, "@demo_bot five") == "echo: five"
    before = ["one", "echo: one", "two", heard[0], "three", "echo: three"]
    assert asked(world) == [*before, *(["four", "echo: four"] if told else []), "five"]
    assert len(world.said(GROUP)) == 1
    assert len(world.said(new)) == len(heard) + 1
    await moved(world)


async def test_a_send_says_so(world: World) -> None:
    """Without a word of Telegram's: who answers hears of it, and what was said goes along."""
    assert await world.says(GROUP, ANN, "@demo_bot one") == "echo: one"
    world.model.script(Say("late", steps=1, delay=2))
    world.room.say(GROUP, ANN, "@demo_bot two")
    while len(world.bodies()) < 2:
        await world.room.changed(world.room.version, 0.01)
    new = world.room.migrate(GROUP, ())
    assert await world.hears(new) == ["late"]
    await moved(world)  # what is asked before is answered without it
    calls = [(call["method"], call["parameters"].get("chat_id")) for call in world.room.calls]
    assert ("sendChatAction", new) in calls
    assert await world.says(new, ANN, "@demo_bot three") == "echo: three"
    assert asked(world) == ["one", "echo: one", "two", "late", "three"]
    await moved(world)


@pytest.mark.parametrize("told", [("to", "from"), ()])
async def test_its_buttons(world: World, told: tuple[str, ...]) -> None:
    """They work in the supergroup, too, once it is the last answer there."""
    assert await world.says(GROUP, ANN, "@demo_bot one") == "echo: one"
    world.model.script(Say("slow " * 19 + "end", steps=20, delay=0.15))
    world.room.say(GROUP, ANN, "@demo_bot two")
    await growing(world, GROUP)
    new = world.room.migrate(GROUP, told)
    await world.hears(new)
    await moved(world)
    (message,) = world.said(new)
    data = message["reply_markup"]["inline_keyboard"][0][0]["callback_data"]
    world.room.press(new, ANN, message["message_id"], data)
    async with asyncio.timeout(40):
        while [one["text"] for one in world.said(new)] != ["echo: two"]:
            await world.room.changed(world.room.version, 1)
    assert asked(world) == ["one", "echo: one", "two"]
    assert await world.says(new, ANN, "@demo_bot three") == "echo: three"
    assert asked(world) == ["one", "echo: one", "two", "echo: two", "three"]


@pytest.mark.parametrize("told", [("to", "from"), ()])
@pytest.mark.parametrize("by", ["button", "command"])
async def test_it_is_stopped(world: World, told: tuple[str, ...], by: str) -> None:
    """In the supergroup, where it goes on; what was said so far stays."""
    world.model.script(Say("slow " * 100, steps=100, delay=0.15))
    world.room.say(GROUP, ANN, "@demo_bot one")
    await growing(world, GROUP)
    new = world.room.migrate(GROUP, told)
    await growing(world, new)
    (message,) = filter(grows, world.room.messages(new))
    if by == "button":
        data = message["reply_markup"]["inline_keyboard"][0][0]["callback_data"]
        world.room.press(new, ANN, message["message_id"], data)
    else:
        world.room.say(new, ANN, "/stop@demo_bot")
    heard = await world.hears(new, 1 if by == "button" else 2)
    assert heard[0].startswith("slow")
    assert len(heard[0]) < 400
    await moved(world)
    assert await world.says(new, ANN, "@demo_bot two") == "echo: two"
    assert asked(world)[0] == "one"
    assert asked(world)[1].startswith("slow")


@pytest.mark.parametrize("command", ["/stop", "/reset"])
async def test_it_is_stopped_before_it_has_moved(redis: Redis, valkey: str, command: str) -> None:
    """Who answers hears of the supergroup only afterwards, from the next call to Telegram."""
    timing = Timing(group_gap=2, typing=0.2)
    async with local_telegram(redis, valkey, timing=timing) as world, running(world.settings):
        world.room.set_member(GROUP, ANN, "administrator")
        world.model.script(Say("slow " * 100, steps=100, delay=0.15))
        world.room.say(GROUP, ANN, "@demo_bot one")
        await growing(world, GROUP)
        new = world.room.migrate(GROUP, ())
        assert "slow" not in await world.says(new, ANN, f"{command}@demo_bot")
        said, answer = await world.hears(new, 2)
        assert "slow" not in said
        assert len(answer) < 400


async def test_a_death_in_the_middle(elsewhere: World) -> None:
    """Who takes it over edits the message in the supergroup on, and posts nothing anew."""
    elsewhere.model.script(Say("slow " * 40, steps=40, delay=0.2))
    async with running(changed(elsewhere.settings, grace=0)):
        elsewhere.room.say(GROUP, ANN, "@demo_bot one")
        await growing(elsewhere, GROUP)
        new = elsewhere.room.migrate(GROUP, ())
        await growing(elsewhere, new)
        while not await _is_noted(elsewhere, new):
            await elsewhere.room.changed(elsewhere.room.version, 0.01)
    async with running(elsewhere.settings):
        assert await elsewhere.hears(new) == ["echo: one"]
        assert await elsewhere.says(new, ANN, "@demo_bot two") == "echo: two"
    mine = [one for one in elsewhere.room.messages(new) if one["from"]["is_bot"] and "text" in one]
    assert [one["text"] for one in mine] == ["echo: one", "echo: two"]


async def _is_noted(world: World, new: int) -> bool:
    outbox = keys.outbox(world.bot_id, ChatKey(GROUP))
    return str(new) in str(await world.redis.hget(outbox, "shown"))


async def test_a_dead_letter_of_the_group(world: World) -> None:
    """Queued again, it is answered in the supergroup, with what was said there."""
    assert await world.says(GROUP, ANN, "@demo_bot one") == "echo: one"
    message: dict[str, Any] = world.room.say(GROUP, ANN, "@demo_bot buried")
    await world.hears(GROUP, 2)
    new = world.room.migrate(GROUP)
    assert await world.says(new, ANN, "@demo_bot two") == "echo: two"
    letters = DeadLetters(world.redis, world.bot_id)
    await letters.add(json.dumps({"update_id": 1, "message": message}), "failed")
    await dead(world.settings, "replay")
    assert await world.hears(new, 2) == ["echo: two", "echo: buried"]
    assert len(asked(world)) == 7
    assert await world.says(new, ANN, "@demo_bot three") == "echo: three"
    assert len(await world.history(new)) == 10
    await moved(world)


@pytest.mark.parametrize("told", ANY_WAY)
async def test_where_a_group_is_allowed(redis: Redis, valkey: str, told: tuple[str, ...]) -> None:
    """So is its supergroup, also after a restart; others are not."""
    async with local_telegram(redis, valkey, allowed_chats=str(GROUP)) as world:
        async with running(world.settings):
            assert await world.says(GROUP, ANN, "@demo_bot one") == "echo: one"
            new = world.room.migrate(GROUP, told)
            assert await world.says(new, ANN, "@demo_bot two") == "echo: two"
        async with running(world.settings):
            assert await world.says(new, ANN, "@demo_bot three") == "echo: three"
            assert "echo" not in await world.says(new - 1, ANN, "@demo_bot hi")
