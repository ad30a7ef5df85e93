"""Buttons that are pressed when it is too late, and commands that have nothing to act on."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from handlers.texts import ENGLISH
from storage import keys
from storage.message import ChatKey
from tests.conftest import ANN, BORIS, GROUP
from tests.handlers.bot import Bot, message, press, running, said


@pytest.fixture
async def bot(redis: Redis) -> AsyncIterator[Bot]:
    """A bot that has answered Ann's question."""
    async with running(redis) as made:
        await made.hears(message("one"))
        made.telegram.calls.clear()
        made.model.asked.clear()
        yield made


async def pressed(bot: Bot, name: str, off: int = 0) -> list[str]:
    """Let Ann press a button of the last answer's, or of another question; gives the toasts."""
    past = await bot.history.newest(ChatKey(ANN), 1000)
    data = f"{name}:{past.asked + off}:{past.revision}"
    below = said("echo: one", message_id=past.answer_ids[0] if past.answer_ids else 9)
    await bot.hears(press(data, below))
    return [given.get("text", "") for _, given in bot.telegram.of("answerCallbackQuery")]


@pytest.mark.parametrize(
    ("name", "off"),
    [
        ("again", 1),
        ("continue", -1),
        ("forget", 1),
        ("unknown", 0),
        ("?", 0),
    ],
    ids=[
        "another",
        "an earlier one",
        "forget another",
        "unknown",
        "odd",
    ],
)
async def test_an_old_button(bot: Bot, name: str, off: int) -> None:
    """It does nothing, which whoever presses it is told."""
    assert await pressed(bot, name, off) == [ENGLISH.old_button]
    assert bot.model.asked == []
    assert await bot.remembers() == ["one", "echo: one"]


@pytest.mark.parametrize("name", ["again", "continue", "forget"])
async def test_nothing_is_left(bot: Bot, name: str) -> None:
    """Of what was forgotten no button is good."""
    past = await bot.history.newest(ChatKey(ANN), 1000)
    await bot.hears(message("/reset"))
    await bot.hears(press(f"{name}:{past.asked}:{past.revision}", said("echo: one")))
    ((_, toast),) = bot.telegram.of("answerCallbackQuery")
    assert toast["text"] == ENGLISH.old_button
    assert bot.model.asked == []


async def test_the_conversation_has_ended(bot: Bot) -> None:
    """Its messages are gone before what is known of the last answer."""
    past = await bot.history.newest(ChatKey(ANN), 1000)
    await bot.redis.delete(keys.history(bot.id, ChatKey(ANN)))
    assert (await bot.history.newest(ChatKey(ANN), 1000)).asked == past.asked
    assert await pressed(bot, "again") == [ENGLISH.old_button]


async def test_forgetting_does_not_depend_on_the_answer(bot: Bot) -> None:
    """Whatever it has become meanwhile, the exchange is forgotten."""
    past = await bot.history.newest(ChatKey(ANN), 1000)
    under = said("echo: one", message_id=past.answer_ids[0])
    await bot.hears(press(f"forget:{past.asked}:{past.revision + 1}", under))
    assert await bot.remembers() == []


@pytest.mark.parametrize("off", [0, 1])
async def test_a_stop_is_of_any_question(bot: Bot, off: int) -> None:
    """What it stopped may be over already."""
    assert await pressed(bot, "stop", off) == [ENGLISH.stopped]


async def test_two_presses_at_once(bot: Bot) -> None:
    """The second one was meant for an answer that is not there any more."""
    past = await bot.history.newest(ChatKey(ANN), 1000)
    again = press(f"again:{past.asked}", said("echo: one", message_id=past.answer_ids[0]))
    await bot.hears(again, again)
    assert len(bot.model.asked) == 1
    toasts = [given.get("text") for _, given in bot.telegram.of("answerCallbackQuery")]
    assert toasts == [None, None]


async def test_nothing_to_repeat(bot: Bot) -> None:
    """Whoever asks for it is told so, where nobody has asked anything."""
    told = await bot.hears(message("/retry@demo_bot", BORIS, GROUP))
    assert told == [ENGLISH.nothing_to_repeat]


async def test_who_has_just_become_an_admin(bot: Bot) -> None:
    """What is done for good depends on what Telegram says now."""
    reset = message("/reset@demo_bot", BORIS, GROUP)
    assert await bot.hears(reset) == [ENGLISH.reset_is_for_admins]
    bot.telegram.members[BORIS] = "administrator"
    assert await bot.hears(reset) == [ENGLISH.forgotten]
