"""Who may speak with the bot, and who may make it forget: through all handlers."""

from typing import Any

import pytest
from redis.asyncio import Redis
from telegram import Update

from handlers.incoming.access import Access, Right
from handlers.incoming.addressing import ANONYMOUS_ADMIN, SOME_CHANNEL
from handlers.texts import ENGLISH
from storage.message import ChatKey
from tests.conftest import ANN, BORIS, GROUP
from tests.handlers.bot import Bot, chat, message, person, press, running, said

OWNER, CHANNEL = 103, -1009


def stranger(number: int) -> str:
    """What one hears whom nobody has let in, where nobody can be asked to."""
    return ENGLISH.stranger.format(id=number)


async def with_history(bot: Bot, where: int) -> dict[str, Any]:
    """Let Ann ask in a chat, and give the bot's answer."""
    await bot.hears(message("@demo_bot one", ANN, where))
    number = (await bot.history.newest(ChatKey(where), 1000)).answer_ids[0]
    return said("echo: one", 9, where, message_id=number) | {"from": person(9, is_bot=True)}


# --- who is answered


async def test_outsiders_are_told_and_not_answered(redis: Redis) -> None:
    """What they write to the bot gets a sentence; what they edit, or say among others, nothing."""
    async with running(redis, Access({OWNER}, {ANN}, set())) as bot:
        bot.telegram.refusals["sendMessage"].append("Forbidden: bot was blocked by the user")
        assert (await bot.hears(message("hi", BORIS)))[1:] == [stranger(BORIS)]
        assert await bot.hears(message("@demo_bot hi", BORIS, GROUP)) == [stranger(BORIS)]
        assert await bot.hears(message("hi", BORIS, GROUP)) == []
        assert await bot.hears({"edited_message": said("hi", BORIS)}) == []
        assert await bot.hears(message("/reset", BORIS)) == [stranger(BORIS)]
        assert bot.model.asked == []
        assert await bot.hears(message("hi", ANN)) == ["echo: hi"]
        assert await bot.hears(message("hi", OWNER)) == ["echo: hi"]


async def test_outsiders_buttons_do_nothing(redis: Redis) -> None:
    """Whoever may not speak may not press either, and is told so; whoever may, may."""
    async with running(redis, Access({OWNER}, {ANN}, set())) as bot:
        answer = await with_history(bot, GROUP)
        question = (await bot.history.newest(ChatKey(GROUP), 1000)).asked
        bot.telegram.calls.clear()
        assert await bot.hears(press(f"again:{question}", answer, BORIS)) == []
        (toast,) = bot.telegram.of("answerCallbackQuery")
        assert toast[1]["text"] == stranger(BORIS)
        assert len(bot.model.asked) == 1
        for user in (ANN, OWNER):
            revision = (await bot.history.newest(ChatKey(GROUP), 1000)).revision
            await bot.hears(press(f"again:{question}:{revision}", answer, user))
        assert len(bot.model.asked) == 3


async def test_a_press_that_telegram_has_forgotten(redis: Redis) -> None:
    """That it cannot be answered any more harms nobody."""
    async with running(redis, Access(set(), {ANN}, set())) as bot:
        answer = await with_history(bot, GROUP)
        bot.telegram.refusals["answerCallbackQuery"].append("Bad Request: query is too old")
        assert await bot.hears(press("again:1", answer, BORIS)) == []


async def test_only_the_listed_chats(redis: Redis) -> None:
    """Others are told, but for an owner, who is answered everywhere."""
    async with running(redis, Access({OWNER}, set(), {GROUP})) as bot:
        assert await bot.hears(message("@demo_bot hi", ANN, GROUP)) == ["echo: hi"]
        assert (await bot.hears(message("hi", ANN)))[-1] == ENGLISH.stranger_asked.format(id=ANN)
        assert await bot.hears(message("@demo_bot hi", OWNER, -501)) == ["echo: hi"]


async def test_both_lists_hold(redis: Redis) -> None:
    """A listed person in a chat that is not is not answered, nor the other way round."""
    async with running(redis, Access(set(), {ANN}, {GROUP})) as bot:
        assert await bot.hears(message("hi", ANN)) == [stranger(ANN)]
        assert await bot.hears(message("@demo_bot hi", BORIS, GROUP)) == [stranger(BORIS)]
        assert await bot.hears(message("@demo_bot hi", ANN, GROUP)) == ["echo: hi"]


@pytest.mark.parametrize(
    "more",
    [{"from": person(77, is_bot=True, username="other_bot")}, {"is_automatic_forward": True}],
)
async def test_other_bots_are_left_alone(redis: Redis, more: dict[str, Any]) -> None:
    """And so is what a linked channel posts by itself; neither is told anything."""
    async with running(redis) as bot:
        assert await bot.hears(message("@demo_bot hi", ANN, GROUP, **more)) == []
        assert await bot.hears({"edited_message": said("@demo_bot hi", ANN, GROUP, **more)}) == []
        assert await bot.hears(message("/reset", ANN, GROUP, **more)) == []
    assert bot.model.asked == []
    assert bot.telegram.calls == []


async def test_nobody_is_nobody() -> None:
    """What nobody in no chat has sent is allowed only where all are."""
    nothing = Update(1)
    assert await Access(set(), set(), set()).allows(nothing, {})
    for number in (0, 1):
        for access in (Access({number}, {9}, set()), Access(set(), {number}, set())):
            assert await access.allows(nothing, {}) == (number == 0)
        assert await Access(set(), set(), {number}).allows(nothing, {}) == (number == 0)
    nobody = Update.de_json({"update_id": 1, **message("hi", **{"from": None})}, None).message
    assert nobody
    for owner in (0, 1):
        assert await Access({owner}, set(), set()).permits(Right.OWNER, nobody) == (owner == 0)
    in_a_group = said("hi", ANN, GROUP, **{"from": None})
    nobody = Update.de_json({"update_id": 1, "message": in_a_group}, None).message
    assert nobody
    assert not await Access(set(), set(), set()).permits(Right.CHANGE, nobody)
    assert await Access(set(), set(), set()).permits(Right.ASKER, nobody)


# --- who may make it forget


def in_the_name_of(number: int, stand_in: int) -> dict[str, Any]:
    """How a message comes that is written in a chat's name."""
    title = chat(number) | {"type": "channel" if number == CHANNEL else "supergroup"}
    return {"from": person(stand_in, is_bot=True), "sender_chat": title}


@pytest.mark.parametrize(
    ("user", "more", "may"),
    [
        (ANN, {}, True),
        (BORIS, {}, False),
        (OWNER, {}, True),
        (ANONYMOUS_ADMIN, in_the_name_of(GROUP, ANONYMOUS_ADMIN), True),
        (SOME_CHANNEL, in_the_name_of(CHANNEL, SOME_CHANNEL), False),
    ],
    ids=["admin", "member", "owner", "anonymous admin", "some channel"],
)
@pytest.mark.parametrize("command", ["/reset", "/undo"])
async def test_who_may_make_a_group_forget(
    redis: Redis, user: int, more: dict[str, Any], may: bool, command: str
) -> None:
    """Its admins, under their names or not, and the bot's owners; no other, in whatever name."""
    async with running(redis, Access({OWNER}, set(), set())) as bot:
        bot.telegram.members[ANN] = "administrator"
        bot.telegram.members[SOME_CHANNEL] = "administrator"
        await with_history(bot, GROUP)
        await bot.hears(message(command, user, GROUP, **more))
        assert await bot.remembers(GROUP) == ([] if may else ["one", "echo: one"])


@pytest.mark.parametrize("status", ["creator", "member", "left"])
async def test_only_admins_are_admins(redis: Redis, status: str) -> None:
    """Of all that Telegram may call somebody."""
    async with running(redis) as bot:
        bot.telegram.members[ANN] = status
        await with_history(bot, GROUP)
        await bot.hears(message("/reset", ANN, GROUP))
        assert (await bot.remembers(GROUP) == []) == (status == "creator")


@pytest.mark.parametrize(
    "trouble", ["Forbidden: bot was kicked", "Bad Request: user not found", "Not Found"]
)
async def test_no_telling_means_no(redis: Redis, trouble: str) -> None:
    """Where Telegram will not say who somebody is, nothing is forgotten."""
    async with running(redis) as bot:
        await with_history(bot, GROUP)
        bot.telegram.refusals["getChatMember"].append(trouble)
        assert await bot.hears(message("/reset", ANN, GROUP)) == [ENGLISH.reset_is_for_admins]
        assert await bot.remembers(GROUP) == ["one", "echo: one"]


@pytest.mark.parametrize("status", ["creator", "administrator", "member", ""])
async def test_only_the_status_counts(redis: Redis, status: str) -> None:
    """Other Bot API servers say less of an admin, or more, than the library knows."""
    async with running(redis) as bot:
        await with_history(bot, GROUP)
        bot.telegram.results["getChatMember"] = {"status": status, "can_fly": True}
        await bot.hears(message("/reset", ANN, GROUP))
        assert (await bot.remembers(GROUP) == []) == (status in ("creator", "administrator"))


async def test_a_private_chat_is_its_persons(redis: Redis) -> None:
    """Nobody else's word is asked for."""
    async with running(redis) as bot:
        await bot.hears(message("one"))
        await bot.hears(message("/reset"))
        assert await bot.remembers(ANN) == []
        assert bot.telegram.of("getChatMember") == []


async def test_whose_forget_button_is_obeyed(redis: Redis) -> None:
    """In a group it depends on who presses it, not on who wrote what it is under."""
    async with running(redis) as bot:
        bot.telegram.members[ANN] = "administrator"
        answer = await with_history(bot, GROUP)
        question = (await bot.history.newest(ChatKey(GROUP), 1000)).asked
        await bot.hears(press(f"forget:{question}", answer, BORIS))
        assert await bot.remembers(GROUP) == ["one", "echo: one"]
        await bot.hears(press(f"forget:{question}", answer, ANN))
        assert await bot.remembers(GROUP) == []


async def test_only_owners_reset_other_chats(redis: Redis) -> None:
    """An admin of one group rules no other."""
    async with running(redis, Access({OWNER}, set(), set())) as bot:
        bot.telegram.members[ANN] = "administrator"
        await with_history(bot, GROUP)
        told = await bot.hears(message(f"/reset {GROUP}", ANN))
        assert told == [ENGLISH.reset_other_is_for_owners]
        assert await bot.remembers(GROUP) == ["one", "echo: one"]
        channel = in_the_name_of(CHANNEL, SOME_CHANNEL)
        await bot.hears(message(f"/reset {GROUP}", SOME_CHANNEL, GROUP, **channel))
        assert await bot.remembers(GROUP) == ["one", "echo: one"]
        await bot.hears(message(f"/reset {GROUP}", OWNER))
        assert await bot.remembers(GROUP) == []
