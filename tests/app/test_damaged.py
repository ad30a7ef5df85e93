"""Keys that somebody else has overwritten: nobody waits for ever, and nobody else notices."""

import asyncio
import json
from typing import Any, cast

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from bot.app import running
from bot.playground.yandex.replies import Say
from handlers.texts import ENGLISH
from storage.dead import DeadLetters
from storage.timing import Timing
from tests.conftest import ANN, BORIS, World

pytestmark = pytest.mark.slow


@pytest.fixture
def timing() -> Timing:
    """Fail quickly, and look often."""
    return Timing(failure=0.01, tick=0.1)


async def idle(world: World) -> None:
    """Wait until no conversation is queued or in work."""
    async with asyncio.timeout(60):
        while await world.redis.xlen(f"{{{world.bot_id}}}:ready"):  # noqa: ASYNC110 - Redis tells nobody
            await asyncio.sleep(0.02)


async def damage(world: World, name: str, *command: Any) -> None:
    """Write over a key when nothing is in work: a string, or as a command says."""
    await idle(world)
    await overwrite(world, name, *command)


async def overwrite(world: World, name: str, *command: Any) -> None:
    """Do so at once."""
    key, redis = f"{{{world.bot_id}}}:{name}", cast("Any", world.redis)
    act, *more = command or ("SET", "word")
    await redis.execute_command(act, key, *more)


async def letters(world: World) -> list[str]:
    """The reasons of dead letters."""
    return [one.reason for one in await DeadLetters(world.redis, world.bot_id).all()]


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("history", ()),
        ("epoch", ()),
        ("epoch", ("RPUSH", "x")),
        ("state", ()),
        ("state", ("HSET", "asked", "word")),
        ("state", ("HSET", "answer", "1 word")),
        ("state", ("HSET", "floor", "word")),
        ("outbox", ()),
        ("outbox", ("HSET", "begun", "word")),
        ("outbox", ("HSET", "failures", "word")),
        ("outbox", ("HSET", "shown", "0 word")),
        ("outbox", ("HSET", "reply", "{")),
        ("outbox", ("HSET", "reply", '{"pieces": 5}')),
    ],
)
async def test_a_conversation_is_told(world: World, name: str, command: tuple[str, ...]) -> None:
    """Its message is a dead letter, with the reason; after a reset it goes on, as others do."""
    await world.says(ANN, ANN, "/start", language="en")
    await damage(world, f"{name}:{ANN}", *command)
    with capture_logs() as logs:
        assert await world.says(ANN, ANN, "one") == ENGLISH.unexpected
    assert await world.says(BORIS, BORIS, "two") == "echo: two"
    await idle(world)  # its person is told before it is one
    (reason,) = await letters(world)
    assert reason.startswith("failed 3 times: ")
    assert any(entry["log_level"] == "error" for entry in logs)
    assert await world.says(ANN, ANN, "/reset") == ENGLISH.forgotten
    assert await world.says(ANN, ANN, "three") == "echo: three"
    assert len(await world.history(ANN)) == 2
    await idle(world)


@pytest.mark.parametrize(
    ("name", "command"),
    [
        (f"usage:{ANN}", ()),
        (f"usage:{ANN}", ("HSET", "answers", "word")),
        (f"forgotten:{ANN}", ()),
        (f"mailbox:{ANN}", ()),
        (f"mailbox:{ANN}", ("HSET", "a", "b")),
        (f"outbox:{ANN}", ("HSET", "joined", "word")),
        (f"pace:{ANN}", ()),
        (f"pace:{ANN}", ("HSET", "frozen", "word", "spent", "word", "at", "word")),
        ("seen", ()),
        ("dead", ()),
        ("parked", ()),
        ("generations", ()),
        ("pace", ()),
        ("mark", ("RPUSH", "x")),
    ],
)
async def test_what_harms_nobody(world: World, name: str, command: tuple[str, ...]) -> None:
    """It is set aside, or made anew; everybody is answered, streams of words and all."""
    await damage(world, name, *command)
    assert await world.says(ANN, ANN, "one") == "echo: one"
    assert await world.says(BORIS, BORIS, "two") == "echo: two"
    assert len(await world.history(ANN)) == 2
    await idle(world)  # it may be mended at the end of a turn, when that is answered already
    assert await letters(world) == []
    await world.says(ANN, ANN, "/nonsense")
    assert await world.says(ANN, ANN, "/reset", language="en") == ENGLISH.forgotten


async def test_a_lease_that_never_ends(elsewhere: World) -> None:
    """A word where a lease is kept holds nobody back."""
    await damage(elsewhere, "poller")
    async with running(elsewhere.settings):
        assert await elsewhere.says(ANN, ANN, "one") == "echo: one"


@pytest.mark.parametrize("command", [(), ("DEL",)])
async def test_the_mailbox_is_taken_away(world: World, command: tuple[str, ...]) -> None:
    """While its head is in work: that is answered, the lane given up, and the next is answered."""
    world.model.script(Say("slow", delay=0.2))
    world.room.say(ANN, ANN, "one")
    async with asyncio.timeout(60):
        while not world.bodies():
            await world.room.changed(world.room.version, 0.02)
    await overwrite(world, f"mailbox:{ANN}", *command)
    assert not world.said(ANN)
    assert await world.hears(ANN) == ["slow"]
    await idle(world)
    assert await world.says(ANN, ANN, "two") == "echo: two"


@pytest.mark.parametrize(
    ("entry", "told"), [("garbage", "garbage"), ("5 {", "{"), (b"\xff\xfe", "\ufffd\ufffd")]
)
async def test_an_entry_of_somebody_elses(
    elsewhere: World, valkey: str, entry: str | bytes, told: str
) -> None:
    """It is a dead letter, and what waits behind it is answered."""
    world, dead = elsewhere, cast("Any", Redis.from_url(valkey))
    await damage(world, f"mailbox:{ANN}", "RPUSH", entry)
    await damage(world, "ready", "XADD", "*", "lane", ANN)
    async with running(world.settings):
        assert await world.says(ANN, ANN, "one") == "echo: one"
        await idle(world)
    (letter,) = await dead.lrange(f"{{{world.bot_id}}}:dead", 0, -1)
    assert json.loads(letter.decode(errors="replace"))["update"] == told
    await dead.aclose()
