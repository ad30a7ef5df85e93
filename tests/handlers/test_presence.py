"""The bot is added, promoted, muted, removed, blocked: what it says then, and when it is silent."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis
from telegram.error import RetryAfter

from handlers.dialogue.completion import Answer
from handlers.incoming.access import Access
from handlers.incoming.words import Json
from handlers.texts import ENGLISH, RUSSIAN
from handlers.turn.turn import Turn
from storage import keys
from storage.budget import Frozen
from storage.chats import ChatRecord
from storage.message import ChatKey
from tests.conftest import ANN, BORIS, GROUP
from tests.handlers.bot import (
    ADMINISTRATOR,
    ME,
    SUPERGROUP,
    Bot,
    message,
    person,
    press,
    running,
    said,
)
from tests.handlers.bot import chat as chat_json
from tests.handlers.test_dialogue import Death

LEFT: Json = {"status": "left"}
MEMBER: Json = {"status": "member"}
KICKED: Json = {"status": "kicked"}
ADMIN: Json = {"status": "administrator", **ADMINISTRATOR, "can_manage_topics": True}
MUTED: Json = {"status": "restricted", "is_member": True, "can_send_messages": False}
NOW = int(time.time())
ADDED = ENGLISH.membership_new.format(name="demo_bot")


def stands(
    old: Json, new: Json, where: int = GROUP, *, at: int = 0, more: Json | None = None
) -> Json:
    """An update that tells how the bot stands in a chat, ``at`` seconds from now."""
    changed = {
        "chat": chat_json(where),
        "from": person(ANN),
        "date": NOW + at,
        "old_chat_member": {"user": ME, **old},
        "new_chat_member": {"user": ME, **new},
    }
    return {"my_chat_member": changed | (more or {})}


def now(text: str, at: int, user: int = ANN, where: int | None = None) -> dict[str, Any]:
    """A message, ``at`` seconds from now; that does not depend on the numbers of updates."""
    return message(text, user, where, date=NOW + at) | {"update_id": 0}


@pytest.fixture
async def bot(redis: Redis) -> AsyncIterator[Bot]:
    """A bot that is open to all."""
    async with running(redis) as made:
        yield made


async def record(bot: Bot, where: int = GROUP) -> ChatRecord:
    """What the registry knows of a chat."""
    return await bot.inbox.record(where)


# --- what it says


async def test_it_is_added(bot: Bot) -> None:
    """It says in the group how to call it, what it sees, and what to change for more."""
    (told,) = await bot.hears(stands(LEFT, MEMBER))
    assert told == f"{ADDED}\n\n{ENGLISH.sees_addressed}\n\n{ENGLISH.needs_admin}"
    ((_, given),) = bot.telegram.of("sendMessage")
    assert given["chat_id"] == GROUP
    assert "reply_parameters" not in given
    assert (await record(bot)).can == "writes"


async def test_it_speaks_the_language_of_who_added_it(bot: Bot) -> None:
    """As to everybody else."""
    (told,) = await bot.hears(stands(LEFT, MEMBER, more={"from": person(ANN, language_code="ru")}))
    assert told.startswith(RUSSIAN.membership_new.format(name="demo_bot"))


async def test_it_is_promoted(bot: Bot) -> None:
    """Then it sees everything, and knows the other admins."""
    (told,) = await bot.hears(stands(MEMBER, ADMIN))
    assert told == f"{ENGLISH.membership_changed}\n\n{ENGLISH.sees_all}"


async def test_it_loses_a_right(bot: Bot) -> None:
    """In a forum, that to write in closed topics; which rights do not matter changes nothing."""
    forum = {"chat": chat_json(GROUP) | {"is_forum": True}}
    less = ADMIN | {"can_manage_topics": False}
    (told,) = await bot.hears(stands(ADMIN, less, more=forum))
    assert told.endswith(ENGLISH.closed_topics)
    assert await bot.hears(stands(less, less | {"can_pin_messages": True}, more=forum)) == []


async def test_news_that_do_not_matter(bot: Bot) -> None:
    """A right that the bot does not use is no news."""
    assert await bot.hears(stands(ADMIN, ADMIN | {"can_pin_messages": True})) == []


async def test_it_may_see_all_without_being_an_admin(bot: Bot) -> None:
    """Where its privacy mode is off, nothing asks to switch that off."""
    object.__setattr__(bot.application.bot.bot, "can_read_all_group_messages", True)
    (told,) = await bot.hears(stands(LEFT, MEMBER))
    assert ENGLISH.sees_all in told
    assert ENGLISH.sees_addressed not in told


@pytest.mark.parametrize("off", [True, False])
async def test_privacy_mode_may_change(bot: Bot, off: bool) -> None:
    """Whoever does as the bot says, and adds it again, is not told to do it once more."""
    me = bot.application.bot.bot
    object.__setattr__(me, "can_read_all_group_messages", not off)  # as it was at the start
    bot.telegram.results["getMe"] = ME | {"can_read_all_group_messages": off}
    (told,) = await bot.hears(stands(LEFT, MEMBER))
    assert (ENGLISH.sees_all if off else ENGLISH.sees_addressed) in told
    (told,) = await bot.hears(message("/help@demo_bot", ANN, GROUP))
    assert (ENGLISH.sees_all if off else ENGLISH.sees_addressed) in told


async def test_privacy_mode_while_telegram_fails(bot: Bot) -> None:
    """What was known at the start counts."""
    bot.telegram.refusals["getMe"] += ["Internal Server Error"]
    (told,) = await bot.hears(stands(LEFT, MEMBER))
    assert ENGLISH.sees_addressed in told


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [(MEMBER, KICKED, GROUP), (MEMBER, ADMIN, GROUP), (KICKED, MEMBER, ANN), (MEMBER, KICKED, ANN)],
)
async def test_privacy_mode_of_no_matter(bot: Bot, old: Json, new: Json, where: int) -> None:
    """Where it makes no difference nobody waits for what Telegram says of it."""
    bot.telegram.gates["getMe"] = asyncio.Event()
    async with asyncio.timeout(10):
        await bot.hears(message("hi", ANN), stands(old, new, where))
    assert bool((await record(bot, where)).away) == (new is KICKED)


async def test_a_start_that_comes_along(bot: Bot) -> None:
    """Telegram sends /start for whoever adds the bot by a link: one greeting is enough."""
    (told,) = await bot.hears(stands(LEFT, MEMBER), now("/start@demo_bot x", 1, ANN, GROUP))
    assert told.startswith(ADDED)
    for text, seconds in (("/start@demo_bot", 1), ("/start@demo_bot x", 60)):
        assert await bot.hears(now(text, seconds, ANN, GROUP)) == [ADDED]


async def test_a_start_that_comes_along_again(bot: Bot) -> None:
    """Whoever adds it once more within moments is not told the same again, but greeted."""
    await bot.hears(stands(LEFT, MEMBER), stands(MEMBER, KICKED, at=1))
    again = stands(LEFT, MEMBER, at=2), now("/start@demo_bot x", 3, ANN, GROUP)
    assert await bot.hears(*again) == [ADDED]


async def test_the_same_again_is_not_said_again(bot: Bot) -> None:
    """Who adds and removes it, or promotes and demotes it, hears each once an hour."""
    for begins, told in ((0, 2), (3700, 4)):
        for at in range(begins, begins + 40, 10):
            await bot.hears(stands(LEFT, MEMBER, at=at), stands(MEMBER, ADMIN, at=at + 1))
            await bot.hears(stands(ADMIN, KICKED, at=at + 2))
        assert len(bot.telegram.said()) == told


async def test_where_it_may_not_write(bot: Bot) -> None:
    """Whoever muted it hears in private why it is silent, and in which group."""
    (told,) = await bot.hears(stands(MEMBER, MUTED))
    assert told.startswith(ENGLISH.about_the_group.format(title="Group"))
    assert ENGLISH.membership_muted in told
    ((_, given),) = bot.telegram.of("sendMessage")
    assert given["chat_id"] == ANN


@pytest.mark.parametrize(
    ("title", "shown"), [("\u202eBad\u2066 name", "Bad name"), ("\u3164", str(GROUP))]
)
async def test_a_title_turns_nothing(bot: Bot, title: str, shown: str) -> None:
    """What is seen of it is said, or else the group's id."""
    chat = {"chat": chat_json(GROUP) | {"title": title}}
    (told,) = await bot.hears(stands(MEMBER, MUTED, more=chat))
    assert told.startswith(ENGLISH.about_the_group.format(title=shown))


async def test_where_nobody_may_write(bot: Bot) -> None:
    """If Telegram refuses it in the group, it is said in private."""
    bot.telegram.refusals["sendMessage"].append("Bad Request: have no rights to send a message")
    told = await bot.hears(stands(LEFT, MEMBER))
    assert [given["chat_id"] for _, given in bot.telegram.of("sendMessage")] == [GROUP, ANN]
    assert told[1].startswith(ENGLISH.about_the_group.format(title="Group"))


async def test_where_it_answers_never(bot: Bot) -> None:
    """The group stays quiet; whoever changed it hears in private, or only the log has it."""
    await bot.redis.hset(keys.settings(bot.id, ChatKey(GROUP)), "when", "never")
    bot.telegram.refusals["sendMessage"] += [None, "Forbidden: bot can't initiate conversation"]
    for old, new in ((MEMBER, ADMIN), (ADMIN, MEMBER)):
        (told,) = await bot.hears(stands(old, new))
        assert told.startswith(ENGLISH.about_the_group.format(title="Group"))
    assert [given["chat_id"] for _, given in bot.telegram.of("sendMessage")] == [ANN, ANN]


async def test_where_the_owner_has_locked_when_it_answers(redis: Redis) -> None:
    """What the group had chosen before does not count."""
    async with running(redis, locked=frozenset({"when"})) as bot:
        await redis.hset(keys.settings(bot.id, ChatKey(GROUP)), "when", "never")
        await bot.hears(stands(LEFT, MEMBER))
        assert [given["chat_id"] for _, given in bot.telegram.of("sendMessage")] == [GROUP]


@pytest.mark.parametrize("by_anonymous", [True, False])
async def test_where_nobody_can_be_told(bot: Bot, by_anonymous: bool) -> None:
    """An anonymous admin has no private chat, and who never wrote to it none with the bot."""
    who = {"from": person(1087968824, is_bot=True)} if by_anonymous else {}
    bot.telegram.refusals["sendMessage"].append("Forbidden: bot can't initiate conversation")
    await bot.hears(stands(MEMBER, MUTED, more=who))
    assert len(bot.telegram.of("sendMessage")) == (not by_anonymous)
    assert (await record(bot)).away == "muted"


async def test_whom_it_does_not_answer(redis: Redis) -> None:
    """Who may not use it is told that, and the id to pass on, not how to."""
    async with running(redis, Access({BORIS}, {BORIS}, set())) as bot:
        told = ENGLISH.group_stranger.format(id=GROUP)
        assert await bot.hears(stands(LEFT, MEMBER)) == [told]


async def test_a_channel_and_a_person_hear_nothing(bot: Bot) -> None:
    """Nobody calls it in a channel, and in private nobody adds it."""
    channel = {"chat": {"id": SUPERGROUP, "type": "channel", "title": "News"}}
    assert await bot.hears(stands(LEFT, ADMIN, SUPERGROUP, more=channel)) == []
    assert await bot.hears(stands(KICKED, MEMBER, ANN)) == []
    assert (await record(bot, SUPERGROUP)).kind == "channel"
    assert await record(bot, ANN) == ChatRecord()  # who never used it is none of its chats


async def test_a_death_before_it_was_said(bot: Bot) -> None:
    """Whoever goes on says it in the words that were kept, and notes that it was said."""
    bot.telegram.refusals["sendMessage"].append(Death())
    with pytest.raises(Death):
        await bot.hears(stands(LEFT, MEMBER))
    bot.telegram.calls.clear()
    (claim,) = await bot.inbox.mine([])
    turn = Turn(bot.inbox, claim, await bot.inbox.open(claim))
    object.__setattr__(bot.application.bot.bot, "can_read_all_group_messages", True)
    await bot.dispatch.handle(json.dumps({"update_id": 1, **stands(LEFT, MEMBER)}), turn)
    await bot.inbox.done(claim, chat=turn.learned)
    assert await bot.hears(stands(LEFT, MEMBER, at=5)) == []
    (told,) = bot.telegram.said()
    assert ENGLISH.sees_addressed in told


async def test_it_could_not_be_told(bot: Bot) -> None:
    """When that is given up, how the bot stands is noted all the same."""
    news = stands(MEMBER, MUTED)
    claim, turn = await bot.begins(news)
    await bot.dispatch.apologize(json.dumps({"update_id": 1, **news}), turn)
    await bot.inbox.done(claim, "dead", chat=turn.learned)
    assert bot.telegram.calls == []
    assert (await record(bot)).away == "muted"


ODD = [
    {"chat": {"id": GROUP, "type": "supergroup"}},
    {"chat": {"id": GROUP}, "from": None, "date": "x"},
    stands(LEFT, {"status": ["member"]})["my_chat_member"],
    stands(LEFT, MEMBER, more={"date": float("inf")})["my_chat_member"],
    stands(LEFT, {"status": "administrator"}, more={"chat": {"id": GROUP, "type": 5}})[
        "my_chat_member"
    ],
]


@pytest.mark.parametrize("odd", ODD)
async def test_odd_news(bot: Bot, odd: dict[str, Any]) -> None:
    """What cannot be read changes nothing."""
    assert await bot.hears({"my_chat_member": odd}) == []


async def test_news_of_another_chat(bot: Bot) -> None:
    """An update of two kinds is dealt with in one chat, and changes no other."""
    both = message("hi", ANN) | stands(LEFT, MEMBER)
    assert await bot.hears(both) == []
    assert await record(bot) == ChatRecord()


# --- when it is silent


async def test_it_is_blocked(bot: Bot) -> None:
    """Nothing is sent until the person is back; what was said before is remembered."""
    await bot.hears(now("one", -5))
    await bot.hears(stands(MEMBER, KICKED, ANN))
    bot.telegram.calls.clear()
    assert await bot.hears(now("late", -1)) == []
    assert bot.telegram.calls == []
    assert (await record(bot, ANN)).away == "blocked"
    await bot.hears(stands(KICKED, MEMBER, ANN, at=1))
    assert await bot.hears(now("two", 2)) == ["echo: two"]
    assert bot.model.asked[-1] == ["one", "echo: one", "two"]


async def test_nobody_said_that_it_is_back(bot: Bot) -> None:
    """A newer message says so; what waited for too long at Telegram does not."""
    await bot.hears(now("one", -5))
    await bot.hears(stands(MEMBER, KICKED, ANN))
    assert await bot.hears(now("two", 1)) == ["echo: two"]
    assert (await record(bot, ANN)).away == ""
    assert await bot.hears(stands(MEMBER, KICKED, ANN, at=5), now("three", 2)) == []


@pytest.mark.parametrize(
    ("refusal", "away"),
    [
        ("Forbidden: bot was blocked by the user", "blocked"),
        ("Forbidden: user is deactivated", "deleted"),
        ("Forbidden: bot can't send messages to the user", ""),
        ("Bad Request: chat not found", "deleted"),
        ("Bad Request: TOPIC_CLOSED", ""),
    ],
)
async def test_what_a_refusal_says_of_a_chat(bot: Bot, refusal: str, away: str) -> None:
    """Who is gone is noted, too, until there is something newer from them."""
    bot.telegram.refusals["sendMessage"].append(refusal)
    await bot.hears(now("one", 0))
    assert (await record(bot, ANN)).away == away
    assert await bot.hears(now("late", -1)) == ([] if away else ["echo: late"])
    assert await bot.hears(now("two", 1)) == ["echo: two"]
    assert (await record(bot, ANN)).away == ""


async def test_it_is_back_within_a_second(bot: Bot) -> None:
    """Then the numbers of the updates tell which is newer."""
    await bot.hears(now("one", 0))
    await bot.hears(stands(MEMBER, KICKED, ANN) | {"update_id": 7})
    assert await bot.hears(now("two", 0) | {"update_id": 6}) == []
    assert await bot.hears(now("three", 0) | {"update_id": 8}) == ["echo: three"]


@pytest.mark.parametrize("pressed", [False, True])
async def test_whoever_blocked_it_is_back_within_a_second(bot: Bot, *, pressed: bool) -> None:
    """What a refusal says of a chat has the number of what it refused."""
    bot.telegram.refusals["sendMessage"].append("Forbidden: bot was blocked by the user")
    await bot.hears(now("one", 0) | {"update_id": 6})
    assert (await record(bot, ANN)).away == "blocked"
    if pressed:
        await bot.hears(press("again:1", said("x", 9, ANN) | {"from": ME}) | {"update_id": 7})
        assert bot.telegram.of("answerCallbackQuery")
    else:
        assert await bot.hears(now("two", 0) | {"update_id": 7}) == ["echo: two"]


async def test_it_is_muted(bot: Bot) -> None:
    """It does not answer, and asks Telegram only when somebody waits for an answer."""
    bot.telegram.members[9] = "restricted"
    await bot.hears(stands(MEMBER, MUTED))
    bot.telegram.calls.clear()
    assert await bot.hears(now("@demo_bot hi", 1, where=GROUP)) == []
    assert [name for name, _ in bot.telegram.calls] == ["getChatMember"]
    bot.telegram.members[9] = "member"
    assert await bot.hears(now("@demo_bot hi", 2, where=GROUP)) == ["echo: hi"]
    assert (await record(bot)).away == ""


@pytest.mark.parametrize(
    "refusal",
    [
        "not enough rights to send text messages to the chat",
        "have no rights to send a message",
        "CHAT_WRITE_FORBIDDEN",
        "CHAT_SEND_PLAIN_FORBIDDEN",
    ],
)
async def test_members_may_not_write(bot: Bot, refusal: str) -> None:
    """Telegram tells that only by refusing an answer: the next ones do not cost the model's."""
    bot.telegram.refusals["sendMessage"].append(f"Bad Request: {refusal}")
    await bot.hears(now("@demo_bot one", 0, where=GROUP))
    assert (await record(bot)).away == "muted"
    bot.telegram.members[9] = "member"
    bot.telegram.results["getChat"] = {"permissions": {"can_send_messages": False}}
    assert await bot.hears(now("@demo_bot two", 1, where=GROUP)) == []
    assert len(bot.model.asked) == 1
    assert (await record(bot)).away == "muted"
    bot.telegram.members[9] = "administrator"
    assert await bot.hears(now("@demo_bot three", 2, where=GROUP)) == ["echo: three"]
    assert (await record(bot)).away == ""


async def test_a_press_where_members_could_not_write(bot: Bot) -> None:
    """Whether they may again is asked for whoever presses a button, too."""
    bot.telegram.refusals["sendMessage"].append("Bad Request: CHAT_WRITE_FORBIDDEN")
    await bot.hears(now("@demo_bot one", 0, where=GROUP))
    bot.telegram.results["getChat"] = {"permissions": {"can_send_messages": False}}
    pressed = press("again:1", said("x", 9, GROUP) | {"from": ME})
    await bot.hears(pressed)
    assert not bot.telegram.of("answerCallbackQuery")
    bot.telegram.results["getChat"] = {"permissions": {"can_send_messages": True}}
    await bot.hears(pressed)
    assert bot.telegram.of("answerCallbackQuery")
    assert (await record(bot)).away == ""


@pytest.mark.parametrize("method", ["getChatMember", "getChat"])
async def test_whether_it_is_muted_cannot_be_asked(bot: Bot, method: str) -> None:
    """Where Telegram says that this is too much, the question waits; it does not fail."""
    bot.telegram.refusals["sendMessage"].append("Bad Request: CHAT_WRITE_FORBIDDEN")
    await bot.hears(now("@demo_bot one", 0, where=GROUP))
    bot.telegram.refusals[method].append(RetryAfter(60))
    claim, turn = await bot.begins(now("@demo_bot two", 1, where=GROUP))
    with pytest.raises(Frozen):
        await bot.dispatch.handle((await bot.inbox.open(claim)).head.update, turn)


async def test_an_older_removal_comes_later(bot: Bot) -> None:
    """By a webhook they may; what is newer holds."""
    await bot.hears(stands(LEFT, MEMBER, at=10))
    await bot.hears(stands(MEMBER, KICKED, at=5))
    assert (await record(bot)).away == ""


async def test_an_answer_in_work_ends(bot: Bot) -> None:
    """A removal behind it cuts it short: nothing more is said or kept."""
    claim, turn = await bot.begins(now("@demo_bot one", 0, where=GROUP))
    removed = {"update_id": 1, **stands(MEMBER, KICKED, at=1)}
    assert await bot.dispatch.may_interrupt(json.dumps(removed), turn)
    opened = await bot.inbox.open(claim)
    await bot.dispatch.handle(opened.head.update, turn)
    assert bot.telegram.calls == []
    assert bot.model.asked == []
    _, other = await bot.begins(now("@demo_bot one", 0, BORIS))
    other.chat = ChatRecord(since=NOW)
    for news in (stands(MEMBER, ADMIN, at=2), stands(MEMBER, KICKED, at=-1)):
        assert not await bot.dispatch.may_interrupt(json.dumps({"update_id": 2, **news}), other)


async def test_an_answer_that_grows_ends(bot: Bot) -> None:
    """What the model has said until then is neither said nor kept."""
    bot.model.answers.append([Answer("it begins")])
    question = now("@demo_bot one", 0, where=GROUP)
    _, turn = await bot.begins(question)
    work = asyncio.create_task(bot.dispatch.handle(json.dumps(question), turn))
    await bot.model.silent.wait()
    turn.depart()
    await work
    assert bot.telegram.said() == []
    assert await bot.remembers(GROUP) == []


async def test_what_else_is_in_work_ends(bot: Bot) -> None:
    """Each call to Telegram is refused from then on, without a failure."""
    bot.telegram.gates["getChatMember"] = asyncio.Event()
    asked = now("/help@demo_bot", 0, where=GROUP)
    _, turn = await bot.begins(asked)
    work = asyncio.create_task(bot.dispatch.handle(json.dumps(asked), turn))
    await bot.telegram.until(1, "getChatMember")
    turn.depart()
    bot.telegram.gates["getChatMember"].set()
    await work
    assert bot.telegram.said() == []


async def test_a_topics_turn_that_ends_later(bot: Bot) -> None:
    """It notes nothing of what it knew before the bot was removed."""
    topic = {"message_thread_id": 7, "is_topic_message": True}
    question = message("@demo_bot one", ANN, GROUP, date=NOW, **topic)
    claim, turn = await bot.begins(question)
    await bot.dispatch.handle(json.dumps({"update_id": 1, **question}), turn)
    other, removal = await bot.begins(stands(MEMBER, KICKED))
    news = json.dumps({"update_id": 2, **stands(MEMBER, KICKED)})
    await bot.dispatch.handle(news, removal)
    await bot.inbox.done(other, chat=removal.learned)
    await bot.inbox.done(claim, chat=turn.learned)
    assert (await record(bot)).away == "kicked"


# --- the registry


async def test_what_is_noted_of_a_chat(bot: Bot) -> None:
    """Its title, its kind, its name, and when it was used; once it has another, that."""
    before = int(time.time())
    await bot.hears(message("hi", ANN))
    group = chat_json(GROUP) | {"title": "Cats", "username": "Cats"}
    await bot.hears({"message": said("@demo_bot hi", ANN, GROUP, chat=group)})
    assert await record(bot) == ChatRecord("Cats", "supergroup", "Cats", language="en")
    assert (await record(bot, ANN)).title == f"User {ANN}"
    used = await bot.redis.zscore(keys.used(bot.id), str(GROUP))
    assert used is not None
    assert used >= before
    await bot.hears({"message": said("@demo_bot hi", ANN, GROUP)})
    assert (await record(bot)).title == "Group"


async def test_strangers_are_not_noted(redis: Redis) -> None:
    """Who is only told that the bot is not theirs makes it no chat."""
    async with running(redis, Access({BORIS}, {BORIS}, set())) as bot:
        assert ENGLISH.stranger_asked.format(id=ANN) in await bot.hears(message("hi", ANN))
        assert not await redis.exists(keys.chats(bot.id), keys.used(bot.id))


async def test_a_group_becomes_a_supergroup(bot: Bot) -> None:
    """Then it is one chat, whatever Telegram says afterwards of the old one."""
    small = -700
    await bot.hears(stands(LEFT, MEMBER, small))
    moved = said("", ANN, SUPERGROUP) | {"migrate_from_chat_id": small}
    await bot.hears({"message": moved})
    await bot.hears(stands(MEMBER, LEFT, small, at=5))
    assert await bot.redis.hkeys(keys.chats(bot.id)) == [str(SUPERGROUP)]
    assert await bot.redis.zrange(keys.used(bot.id), 0, -1) == [str(SUPERGROUP)]
    assert await bot.hears(stands(LEFT, MEMBER, SUPERGROUP, at=6)) == []
    assert (await record(bot, SUPERGROUP)).away == ""


async def test_it_leaves_a_group_that_becomes_a_supergroup(bot: Bot) -> None:
    """Telegram may say so before it says why; the bot is in the supergroup all the same."""
    small = -700
    await bot.hears(stands(LEFT, MEMBER, small), stands(MEMBER, LEFT, small, at=1))
    await bot.hears({"message": said("", ANN, SUPERGROUP) | {"migrate_from_chat_id": small}})
    assert (await record(bot, SUPERGROUP)).away == ""
    assert (await record(bot, small)) == ChatRecord()
