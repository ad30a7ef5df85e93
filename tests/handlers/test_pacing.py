"""Calls to Telegram keep to their pace; on a real budget, and python-telegram-bot's own bot."""

import asyncio
import itertools
from contextlib import AsyncExitStack
from typing import Any

import pytest
from prometheus_client import REGISTRY
from redis.asyncio import Redis
from telegram.error import RetryAfter, TimedOut
from telegram.ext import ExtBot

from bot.clients import open_telegram
from bot.playground.telegram.fault import Fault
from handlers.outgoing.pacing import Effect, Hold, Kind, Shed
from storage import keys
from storage.budget import Budget, Frozen
from storage.lane import LaneLost
from storage.server.connect import connect
from storage.timing import Timing
from tests.conftest import ANN, World, changed
from tests.valkey import own_valkey

_bot_ids = itertools.count(9_800_000)


def counted(name: str, **labels: str) -> float:
    """What a metric counts."""
    return REGISTRY.get_sample_value(name, labels) or 0.0


class Paced:
    """A bot in a world, and its pace."""

    def __init__(self, world: World, redis: Redis, jitter: float = 0) -> None:
        """Nothing is added to what Telegram says, unless by ``jitter``."""
        self.world, self.redis, self.id = world, redis, next(_bot_ids)
        budget, settings = Budget(redis, self.id), changed(world.settings, jitter=jitter)
        application = open_telegram(settings, settings.bots[0], AsyncExitStack(), budget)
        self.bot: ExtBot[Any] = application.bot
        world.room.chat(ANN)

    def tries(self) -> int:
        """How many messages Telegram was asked to take."""
        return sum(call["method"] == "sendMessage" for call in self.world.room.calls)

    async def say(
        self, kind: Kind = Kind.OTHER, text: str = "hi", hold: Hold | None = None
    ) -> None:
        """Say something to Ann."""
        await self.bot.send_message(ANN, text, rate_limit_args=Effect(kind, hold))


@pytest.fixture
def paced(elsewhere: World, redis: Redis) -> Paced:
    """A bot that has said nothing yet."""
    return Paced(elsewhere, redis)


async def test_what_can_be_shed_is(paced: Paced) -> None:
    """Beyond the budget it is left out and counted; the final text goes at once."""
    async with paced.bot:
        before = counted("telegram_shed_total", kind="update")
        await paced.say(Kind.FIRST)
        await paced.say(Kind.UPDATE)
        for _ in range(2):
            with pytest.raises(Shed):
                await paced.say(Kind.UPDATE)
        waited = counted("telegram_waited_seconds_sum", kind="final")
        await paced.say(Kind.FINAL)
    assert len(paced.world.said(ANN)) == 3
    assert counted("telegram_shed_total", kind="update") == before + 2
    assert counted("telegram_waited_seconds_sum", kind="final") == waited


@pytest.mark.parametrize("kind", ["typing", "update", "notice", "first", "final", "other"])
def test_what_is_counted(kind: str) -> None:
    """Alerts name kinds, and see each from the start."""
    for name in ("telegram_shed_total", "telegram_too_many_total"):
        assert REGISTRY.get_sample_value(name, {"kind": kind}) is not None


@pytest.mark.slow
async def test_the_others_wait_in_order(paced: Paced) -> None:
    """Messages of one chat go as they came."""
    async with paced.bot, asyncio.TaskGroup() as sending:
        for number in range(2):  # for which there is room
            await paced.say(text=str(number))
        for number in range(2, 5):
            before = counted("telegram_waited_seconds_count", kind="other")
            sending.create_task(paced.say(text=str(number)))
            while counted("telegram_waited_seconds_count", kind="other") == before:  # noqa: ASYNC110
                await asyncio.sleep(0.01)  # until it has its place; nobody is told
    assert [message["text"] for message in paced.world.said(ANN)] == list("01234")


async def test_a_refusal_freezes_the_chat(paced: Paced) -> None:
    """What can be shed is; what cannot waits as long as Telegram says, and goes."""
    paced.world.room.fail("sendMessage", Fault(status=429, retry_after=1))
    names = "telegram_too_many_total", "telegram_shed_total"
    before = [counted(name, kind="update") for name in names]
    async with paced.bot:
        with pytest.raises(Shed):
            await paced.say(Kind.UPDATE)
        with pytest.raises(Shed):
            await paced.say(Kind.UPDATE)
        after = [counted(name, kind="update") for name in names]
        await paced.say(Kind.FINAL)
    assert after == [count + 1 for count in before]  # one was refused, the other not even tried
    (refused,) = (call for call in paced.world.room.calls if not call["ok"])
    (sent,) = (
        call for call in paced.world.room.calls if call["method"] == "sendMessage" and call["ok"]
    )
    assert sent["time"] - refused["time"] >= 1


@pytest.mark.slow
async def test_a_refusal_again_and_again(paced: Paced) -> None:
    """In the end it is told."""
    paced.world.room.fail("sendMessage", *[Fault(status=429, retry_after=1)] * 3)
    async with paced.bot:
        with pytest.raises(Frozen):
            await paced.say(Kind.FINAL)


async def test_a_question_that_is_too_much(paced: Paced) -> None:
    """What is asked for an update in work lets it wait; the rest is the asker's business."""
    faults = Fault(status=429, retry_after=7)
    for method in ("getChat", "getChatMember", "getFile", "getChatMemberCount"):
        paced.world.room.fail(method, faults)
    async with paced.bot:
        for asking in (
            paced.bot.get_chat(ANN),
            paced.bot.get_chat_member(ANN, ANN),
            paced.bot.get_file("x"),
        ):
            with pytest.raises(Frozen) as caught:
                await asking
            assert caught.value.seconds == 7
        with pytest.raises(RetryAfter):
            await paced.bot.get_chat_member_count(ANN)


async def test_what_has_no_pace(paced: Paced) -> None:
    """Questions about a chat, and answers to presses, neither wait nor count."""
    async with paced.bot:
        for _ in range(9):
            await paced.bot.get_chat(ANN)
        await paced.say(Kind.UPDATE)


@pytest.mark.slow
async def test_who_lost_the_lane_says_nothing(paced: Paced) -> None:
    """It is asked after the pause of the pace, before every try, and again before the write."""
    for last, tries in enumerate((0, 0, 1, 1, 2)):
        questions = itertools.count()

        async def hold(questions: Any = questions, last: int = last) -> None:
            if next(questions) == last:
                raise LaneLost

        paced.world.room.fail("sendMessage", *[Fault(status=429, retry_after=1)] * tries)
        async with paced.bot:
            with pytest.raises(LaneLost):
                await paced.say(Kind.FINAL, hold=hold)
        assert paced.tries() == tries
        assert paced.world.said(ANN) == []
        paced.world.room.calls.clear()
        paced = Paced(paced.world, paced.redis)


async def test_an_effect_says_for_which_lane_it_is(paced: Paced) -> None:
    """One that says nothing is a mistake, whatever it does; reading needs no lane."""
    async with paced.bot:
        for effect in (
            paced.bot.send_message(ANN, "hi"),
            paced.bot.answer_callback_query("1"),
            paced.bot.set_my_commands([]),
            paced.bot.delete_message(ANN, 1),
        ):
            with pytest.raises(TypeError, match="lane"):
                await effect
        await paced.bot.get_chat(ANN)


async def test_a_long_freeze_is_told_and_not_waited_for(paced: Paced) -> None:
    """Also one that begins during a short one; it takes no place in the budget."""
    for before in ([], [Fault(status=429, retry_after=1)]):
        paced.world.room.fail("sendMessage", *before, Fault(status=429, retry_after=3600))
        async with paced.bot:
            told = counted("telegram_frozen_seconds_total")
            with pytest.raises(Frozen) as caught:
                await paced.say(Kind.FINAL)
            assert caught.value.seconds > 3000
            said = 3600 + sum(fault.retry_after or 0 for fault in before)
            assert counted("telegram_frozen_seconds_total") - told == pytest.approx(said)
            for kind in (Kind.FIRST, Kind.OTHER):
                with pytest.raises(Frozen):
                    await paced.say(kind)
            with pytest.raises(Shed):
                await paced.say(Kind.NOTICE)
        paced = Paced(paced.world, paced.redis)


async def test_a_freeze_is_no_shorter_than_told(elsewhere: World, redis: Redis) -> None:
    """What is added by chance makes it longer, by a second at most."""
    paced = Paced(elsewhere, redis, Timing().jitter)
    told = counted("telegram_frozen_seconds_total")
    paced.world.room.fail("sendMessage", Fault(status=429, retry_after=3600))
    async with paced.bot:
        with pytest.raises(Frozen):
            await paced.say(Kind.FINAL)
    assert 3600 <= counted("telegram_frozen_seconds_total") - told <= 3601


async def test_what_a_call_is_given_reaches_the_wire(paced: Paced) -> None:
    """Its own time to wait, say, whether it asks or says something."""
    for method in ("getChat", "sendMessage"):
        paced.world.room.fail(method, Fault(hang=True))
    async with paced.bot, asyncio.timeout(4):  # less than it waits otherwise
        with pytest.raises(TimedOut):
            await paced.bot.get_chat(ANN, read_timeout=0.1)
        with pytest.raises(TimedOut):
            await paced.bot.send_message(
                ANN, "hi", read_timeout=0.1, rate_limit_args=Effect(Kind.FINAL, None)
            )


async def test_a_lane_that_is_lost_hinders_nothing_else(paced: Paced) -> None:
    """What is asked afterwards has no lane."""
    owned = True

    async def hold() -> None:
        if not owned:
            raise LaneLost

    async with paced.bot:
        await paced.say(Kind.FINAL, hold=hold)
        owned = False
        await paced.bot.get_chat(ANN)


@pytest.mark.slow
async def test_storage_is_lost_during_a_pause(elsewhere: World) -> None:
    """The pause is made, and what waited goes."""
    async with own_valkey() as server:
        redis = connect(server.url, connections=2)
        paced = Paced(elsewhere, redis)
        async with paced.bot, asyncio.TaskGroup() as sending:
            for _ in range(2):  # for which there is room
                await paced.say()
            before = counted("telegram_waited_seconds_count", kind="other")
            sending.create_task(paced.say(text="late"))
            while counted("telegram_waited_seconds_count", kind="other") == before:  # noqa: ASYNC110
                await asyncio.sleep(0.01)  # until it has its place; nobody is told
            server.kill()
            assert (await elsewhere.hears(ANN, 3))[-1] == "late"
        await redis.aclose()


@pytest.mark.slow
async def test_without_storage(elsewhere: World) -> None:
    """Sending does not fail for its sake; what can be shed is."""
    async with own_valkey() as server:
        redis = connect(server.url, connections=2)
        paced = Paced(elsewhere, redis)
        server.kill()
        async with paced.bot:
            waited = counted("telegram_waited_seconds_sum", kind="final")
            await paced.say(Kind.FINAL)
            assert counted("telegram_waited_seconds_sum", kind="final") == waited
            with pytest.raises(Shed):
                await paced.say(Kind.TYPING)
            elsewhere.room.fail("sendMessage", Fault(status=429, retry_after=1))
            await paced.say(Kind.FINAL)
            *_, refused, sent = (call["time"] for call in elsewhere.room.calls)
            assert sent - refused >= 1  # it is waited for here, at least
            elsewhere.room.fail("sendMessage", Fault(status=429, retry_after=3600))
            with pytest.raises(Frozen):
                await paced.say(Kind.FINAL)
        await redis.aclose()


async def test_what_was_granted_serves_once(paced: Paced) -> None:
    """It needs no place in the budget; a second try does."""
    async with paced.bot:
        await paced.bot.send_message(ANN, "hi", rate_limit_args=Effect(Kind.FIRST, None, 0.0))
        assert not await paced.redis.keys(f"{{{paced.id}}}:pace*")
        paced.world.room.fail("sendMessage", Fault(status=429, retry_after=1))
        await paced.bot.send_message(ANN, "hi", rate_limit_args=Effect(Kind.FINAL, None, 0.0))
        assert await paced.redis.hget(keys.pace(paced.id, ANN), "spent")
    refused, sent = [call for call in paced.world.room.calls if call["method"] == "sendMessage"][1:]
    assert sent["time"] - refused["time"] >= 1


async def test_a_grant_ends_with_a_freeze(paced: Paced) -> None:
    """What this process knows of a chat since then counts; of that chat only."""
    paced.world.room.fail("sendMessage", Fault(status=429, retry_after=1))
    async with paced.bot:
        with pytest.raises(Shed):
            await paced.say(Kind.TYPING)
        await paced.bot.send_message(ANN, "hi", rate_limit_args=Effect(Kind.FIRST, None, 0.0))
        spent = await paced.redis.hget(keys.pace(paced.id, ANN), "spent")
        await paced.bot.send_message(ANN, "hi", rate_limit_args=Effect(Kind.FINAL, None, 0.0))
        assert await paced.redis.hget(keys.pace(paced.id, ANN), "spent") == spent  # it is over
    refused, sent, _ = [call for call in paced.world.room.calls if call["method"] == "sendMessage"]
    assert sent["time"] - refused["time"] >= 1


async def test_how_long_a_grant_waits(paced: Paced) -> None:
    """It may come later; the chat may be frozen meanwhile."""
    before = counted("telegram_waited_seconds_sum", kind="final")
    async with paced.bot:
        await paced.bot.send_message(ANN, "hi", rate_limit_args=Effect(Kind.FINAL, None, 0.05))
        waits = paced.bot.send_message(ANN, "hi", rate_limit_args=Effect(Kind.FINAL, None, 0.05))
        await Budget(paced.redis, paced.id).freeze(ANN, 60)
        with pytest.raises(Frozen):
            await waits
    assert counted("telegram_waited_seconds_sum", kind="final") == pytest.approx(before + 0.1)
