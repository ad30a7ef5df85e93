"""Who is let in and turned away in the chat: as conversations, through all handlers."""

import asyncio
import contextlib
import itertools
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from collections.abc import Set as AbstractSet
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from bot.updates.intake import lane_of
from bot.worker import Worker
from handlers.dialogue.completion import Answer
from handlers.incoming.access import Access
from handlers.incoming.addressing import ANONYMOUS_ADMIN, SOME_CHANNEL
from handlers.texts import ENGLISH, RUSSIAN
from handlers.turn.turn import Turn
from storage import access as storage_access
from storage import keys
from storage.arrivals import Arrival
from storage.message import ChatKey
from storage.timing import Timing
from tests.conftest import ANN, BORIS, GROUP
from tests.handlers.bot import ME, SUPERGROUP, Bot, chat, message, person, press, running, said

OLGA, OSCAR, NAMED, CHANNEL = 103, 104, 105, -1009
OWNERS = {OLGA, OSCAR}
ALLOW, DENY = RUSSIAN.button_allow, RUSSIAN.button_deny


def who(number: int, name: str | None = None) -> str:
    """How an owner sees somebody."""
    return f"{name or f'User {number}'} ({number})"


def asks(number: int) -> str:
    """What the owners are asked about somebody; nobody knows their language."""
    return RUSSIAN.request.format(who=who(number))


def refused(number: int, *, asked: bool = False) -> str:
    """What a stranger hears."""
    return (ENGLISH.stranger_asked if asked else ENGLISH.stranger).format(id=number)


@pytest.fixture
async def closed(redis: Redis) -> AsyncIterator[Bot]:
    """A bot that answers two owners, and whom its settings name."""
    async with running(redis, Access(OWNERS, {NAMED}, set()), paced=False) as bot:
        yield bot


@pytest.fixture
async def open_to_all(redis: Redis) -> AsyncIterator[Bot]:
    """A bot that answers everybody, with two owners."""
    access, timing = Access(OWNERS, set(), set()), Timing(quiet=0)
    async with running(redis, access, paced=False, timing=timing) as bot:
        yield bot


async def hears(bot: Bot, update: dict[str, Any]) -> list[tuple[int, str]]:
    """What is said then, and to whom."""
    before = len(bot.telegram.calls)
    await bot.hears(update)
    return [
        (given["chat_id"], given["text"])
        for name, given in bot.telegram.calls[before:]
        if name in ("sendMessage", "editMessageText")
    ]


async def presses(bot: Bot, owner: int, data: str) -> list[str]:
    """What answers a press under the newest message to somebody, then the texts it changes."""
    before = len(bot.telegram.calls)
    under = said("…", 9, owner) | {"from": ME}
    await bot.hears(press(data, under, owner))
    return [given.get("text", "") for _, given in bot.telegram.calls[before:]]


def buttons(bot: Bot) -> list[str]:
    """The data of the buttons under the newest message."""
    _, given = bot.telegram.of("sendMessage", "editMessageText")[-1]
    rows = (given.get("reply_markup") or {"inline_keyboard": [[]]})["inline_keyboard"]
    return [button["callback_data"] for row in rows for button in row]


# -- Requests


async def test_a_stranger_asks_and_an_owner_lets_them_in(closed: Bot) -> None:
    """Ann: hi. Bot to both owners: may she? Olga: yes. All see that, and Ann is answered."""
    assert await hears(closed, message("hi", ANN)) == [
        (OLGA, asks(ANN)),
        (OSCAR, asks(ANN)),
        (ANN, refused(ANN, asked=True)),
    ]
    decided = ENGLISH.request_allowed.format(who=who(ANN), owner=who(OLGA))
    assert await presses(closed, OLGA, f"allow:{ANN}") == [decided] * 3 + [ENGLISH.let_in]
    assert closed.telegram.of("sendMessage")[-1][1]["chat_id"] == ANN
    edited = [given for _, given in closed.telegram.of("editMessageText")]
    assert [given["chat_id"] for given in edited] == [OLGA, OSCAR]
    assert not any(given.get("reply_markup") for given in edited)
    assert await hears(closed, message("hi", ANN)) == [(ANN, "echo: hi")]
    assert await hears(closed, message("@demo_bot hi", ANN, GROUP)) == [(GROUP, "echo: hi")]


async def test_a_command_that_overtakes_an_invitation(closed: Bot) -> None:
    """Nobody is asked about a stranger whose /start may be on its way; what comes next asks."""
    told = refused(ANN)
    assert await closed.hears(message("/help", ANN), aside=True) == [told]
    assert (await hears(closed, message("hi", ANN)))[0] == (OLGA, asks(ANN))


async def test_who_decides_second_is_told_who_was_first(closed: Bot) -> None:
    """Oscar turns Ann away; Olga's button comes too late, however often she presses it."""
    await closed.hears(message("hi", ANN))
    decided = ENGLISH.request_denied.format(who=who(ANN), owner=who(OSCAR))
    assert (await presses(closed, OSCAR, f"deny:{ANN}"))[0] == decided
    for _ in range(2):
        assert (await presses(closed, OLGA, f"allow:{ANN}"))[0] == decided
    assert await hears(closed, message("hi", ANN)) == [(ANN, refused(ANN))]


async def test_a_command_decides_on_a_request_too(closed: Bot) -> None:
    """And changes the mind of whoever pressed before; the buttons do not bring it back."""
    await closed.hears(message("hi", ANN))
    await presses(closed, OSCAR, f"deny:{ANN}")
    decided = ENGLISH.request_allowed.format(who=who(ANN), owner=who(OLGA))
    told = ENGLISH.now_allowed.format(who=who(ANN))
    assert await hears(closed, message(f"/allow {ANN}", OLGA)) == [
        (OLGA, decided),
        (OSCAR, decided),
        (OLGA, told),
        (ANN, ENGLISH.let_in),
    ]
    assert (await presses(closed, OSCAR, f"deny:{ANN}"))[0] == decided
    again = await hears(closed, message(f"/allow {ANN}", OLGA))
    assert again[-1] == (OLGA, told)  # she knows
    assert await hears(closed, message("hi", ANN)) == [(ANN, "echo: hi")]


async def test_whoever_is_let_in_hears_it_in_their_language(closed: Bot) -> None:
    """Wherever they asked; a person whom the bot cannot write to learns it when they write."""
    russian = {"from": person(ANN, language_code="ru")}
    await closed.hears(message("@demo_bot hi", ANN, GROUP, **russian))
    closed.telegram.refusals["sendMessage"] += ["Forbidden: bot can't initiate conversation"]
    await presses(closed, OLGA, f"allow:{ANN}")
    sent = closed.telegram.of("sendMessage")[-1][1]
    assert (sent["chat_id"], sent["text"]) == (ANN, RUSSIAN.let_in)
    assert await hears(closed, message("hi", ANN)) == [(ANN, "echo: hi")]


@pytest.mark.parametrize("own", ["en", None])
async def test_it_is_their_own_language(closed: Bot, own: str | None) -> None:
    """Not that of the group in which they asked."""
    group, ann = (keys.settings(closed.id, ChatKey(chat)) for chat in (GROUP, ANN))
    await closed.redis.hset(group, "language", "ru")
    if own:
        await closed.redis.hset(ann, "language", own)
    theirs = {"from": person(ANN, language_code="ru" if own else "en")}
    await closed.hears(message("@demo_bot hi", ANN, GROUP, **theirs))
    await presses(closed, OLGA, f"allow:{ANN}")
    sent = closed.telegram.of("sendMessage")[-1][1]
    assert (sent["chat_id"], sent["text"]) == (ANN, ENGLISH.let_in)


async def test_one_request_a_day(closed: Bot) -> None:
    """However much a stranger writes, in private or in groups; the next day there is another."""
    await closed.hears(message("hi", ANN))
    assert await hears(closed, message("hello?", ANN)) == [(ANN, refused(ANN))]
    assert await hears(closed, message("@demo_bot hello?", ANN, GROUP)) == [(GROUP, refused(ANN))]
    yesterday = -storage_access.DAY
    await closed.redis.hincrby(keys.request(closed.id, ANN), "asked", yesterday)
    assert (await hears(closed, message("hi", ANN)))[:2] == [(OLGA, asks(ANN)), (OSCAR, asks(ANN))]


async def test_a_flood_of_strangers(redis: Redis) -> None:
    """Each is refused; the owners are asked about so many an hour."""
    async with running(redis, Access({OLGA}, {NAMED}, set()), paced=False) as bot:
        strangers = range(1000, 1000 + storage_access.MOST_REQUESTS + 3)
        for stranger in strangers:
            await bot.hears(message("hi", stranger))
        told = [given["chat_id"] for _, given in bot.telegram.of("sendMessage")]
        assert told.count(OLGA) == storage_access.MOST_REQUESTS
        assert set(strangers) < set(told)


async def test_a_stranger_in_a_group(closed: Bot) -> None:
    """Only who speaks to the bot is refused, and once for a while; the owners hear where."""
    assert await hears(closed, message("hi all", ANN, GROUP)) == []
    where = RUSSIAN.request_in_group.format(who=who(ANN), where=who(GROUP, "Group"))
    assert await hears(closed, message("@demo_bot hi", ANN, GROUP)) == [
        (OLGA, where),
        (OSCAR, where),
        (GROUP, refused(ANN, asked=True)),
    ]
    assert await hears(closed, message("@demo_bot hi", ANN, GROUP)) == []
    assert (await hears(closed, message("@demo_bot hi", BORIS, GROUP)))[-1][0] == GROUP
    assert await hears(closed, message("@demo_bot hi", ANN, GROUP - 1)) == [
        (GROUP - 1, refused(ANN))
    ]
    await closed.redis.delete(keys.refused(closed.id, GROUP, ANN))
    assert await hears(closed, message("@demo_bot hi", ANN, GROUP)) == [(GROUP, refused(ANN))]


@pytest.mark.parametrize(
    ("placeholder", "name"), [(ANONYMOUS_ADMIN, GROUP), (SOME_CHANNEL, CHANNEL)]
)
async def test_who_speaks_in_a_chats_name(closed: Bot, placeholder: int, name: int) -> None:
    """Is told whose id it is, about which nobody is asked; with it an owner lets the chat in."""
    sender = {"id": name, "type": "supergroup", "title": "x"}
    more = {"from": person(placeholder, is_bot=True), "sender_chat": sender}
    more["from"]["language_code"] = "en"
    update = message("@demo_bot hi", 0, GROUP, **more)
    told = ENGLISH.group_stranger.format(id=GROUP) if name == GROUP else refused(name)
    assert await hears(closed, update) == [(GROUP, told)]
    await closed.hears(message(f"/allow {name}", OLGA))
    update = message("@demo_bot hi", 0, GROUP, **more)
    assert await hears(closed, update) == [(GROUP, "echo: hi")]
    assert not await closed.redis.exists(keys.request(closed.id, name))


async def test_who_only_seems_to_be_an_owner(closed: Bot) -> None:
    """Of a message in a chat's name, the person that Telegram names is not its author."""
    more = {"sender_chat": {"id": CHANNEL, "type": "channel", "title": "Olga"}}
    update = message("@demo_bot hi", OLGA, GROUP, **more)
    assert await hears(closed, update) == [(GROUP, refused(CHANNEL))]


async def test_nobody_to_ask(redis: Redis) -> None:
    """Without owners, or where none can be reached, a stranger is told only whom to ask."""
    async with running(redis, Access(set(), {NAMED}, set())) as bot:
        assert await hears(bot, message("hi", ANN)) == [(ANN, refused(ANN))]
    async with running(redis, Access({OLGA}, {NAMED}, set())) as bot:
        bot.telegram.refusals["sendMessage"].append("Forbidden: bot can't initiate conversation")
        assert (await hears(bot, message("hi", ANN)))[-1] == (ANN, refused(ANN))


async def test_an_owner_whom_telegram_does_not_reach(redis: Redis) -> None:
    """The others are asked and shown the decision all the same, and the stranger hears of it."""
    timing = Timing(send_pauses=(0,), unreachable_pauses=(0,))
    async with running(redis, Access(OWNERS, {NAMED}, set()), paced=False, timing=timing) as bot:
        bot.telegram.refusals["sendMessage"].extend(["Bad Gateway"] * 2)
        assert (await hears(bot, message("hi", ANN)))[-2:] == [
            (OSCAR, asks(ANN)),
            (ANN, refused(ANN, asked=True)),
        ]
        await bot.redis.hset(keys.request(bot.id, ANN), f"told:{OLGA}", "7")
        bot.telegram.refusals["editMessageText"].extend(["Bad Gateway"] * 2)
        await presses(bot, OSCAR, f"allow:{ANN}")
        shown = [given for _, given in bot.telegram.of("editMessageText")]
        assert {each["chat_id"] for each in shown if "let in" in each["text"]} == OWNERS
        assert await hears(bot, message("hi", ANN)) == [(ANN, "echo: hi")]


async def test_no_owner_can_be_reached(redis: Redis) -> None:
    """The stranger is not told that they are asked; the next message asks again, in a while."""
    timing = Timing(send_pauses=(0,), unreachable_pauses=(0,))
    async with running(redis, Access(OWNERS, {NAMED}, set()), paced=False, timing=timing) as bot:
        bot.telegram.refusals["sendMessage"].extend(["Bad Gateway"] * 4)
        assert (await hears(bot, message("hi", ANN)))[-1] == (ANN, refused(ANN))
        assert (await hears(bot, message("hi", ANN))) == [(ANN, refused(ANN))]
        request, pause = keys.request(bot.id, ANN), storage_access.UNREACHED_PAUSE
        await bot.redis.hincrby(request, "asked", -pause)
        expected = [(OLGA, asks(ANN)), (OSCAR, asks(ANN)), (ANN, refused(ANN, asked=True))]
        assert await hears(bot, message("hi", ANN)) == expected
        await bot.redis.hincrby(request, "asked", -pause)
        assert (await hears(bot, message("hi", ANN))) == [(ANN, refused(ANN))]


async def test_a_request_too_old(closed: Bot) -> None:
    """Its buttons decide nothing, since nobody knows what was decided; the command does."""
    assert await presses(closed, OLGA, f"allow:{ANN}") == [ENGLISH.request_gone]
    assert await hears(closed, message("hi", ANN)) != [(ANN, "echo: hi")]


async def test_a_name_is_only_a_name(closed: Bot) -> None:
    """It is bounded, on one line, in the direction of the rest, and stands before the id."""
    name = "\u202e)301( agLO\n" * 20
    await closed.hears(message("hi", ANN, **{"from": person(ANN, first_name=name)}))
    text = closed.telegram.said()[0]
    assert text.isprintable()
    assert len(text) < 150
    assert f"… ({ANN})" in text
    assert await closed.hears(message("hi", BORIS, **{"from": person(BORIS, first_name="\u202e")}))
    assert RUSSIAN.request.format(who=BORIS) in closed.telegram.said()


async def test_a_stranger_without_a_name(closed: Bot) -> None:
    """As a deleted account has none: their id says who it is; and once let in, they are heard."""
    nobody = person(ANN, first_name="")
    await closed.hears(message("hi", ANN, **{"from": nobody}))
    assert RUSSIAN.request.format(who=ANN) in closed.telegram.said()
    await closed.hears(message(f"/allow {ANN}", OLGA, **{"from": person(OLGA, first_name="")}))
    assert await hears(closed, message("hi", ANN, **{"from": nobody})) == [(ANN, "echo: hi")]


# -- Commands


async def test_by_an_id(open_to_all: Bot) -> None:
    """A person is turned away, and let in again; and so is a group, with all who are in it."""
    bot = open_to_all
    assert await bot.hears(message("hi", ANN)) == ["echo: hi"]
    assert await bot.hears(message(f"/deny {ANN}", OLGA)) == [ENGLISH.now_denied.format(who=ANN)]
    assert await bot.hears(message("hi", ANN)) == [refused(ANN)]
    assert await bot.hears(message(f"/allow {ANN}", OSCAR)) == [ENGLISH.now_allowed.format(who=ANN)]
    assert await bot.hears(message("hi", ANN)) == ["echo: hi"]
    assert await bot.hears(message(f"/deny {GROUP}", OLGA)) == [
        ENGLISH.now_denied.format(who=GROUP)
    ]
    assert await bot.hears(message("@demo_bot hi", ANN, GROUP)) == [refused(ANN)]
    assert await bot.hears(message("@demo_bot hi", OLGA, GROUP)) == ["echo: hi"]
    assert await bot.hears(message("hi", ANN)) == ["echo: hi"]


async def test_a_group_is_let_in(closed: Bot) -> None:
    """Then all in it are answered there, and nowhere else; but not whom an owner turned away."""
    await closed.hears(message(f"/allow {GROUP}", OLGA))
    assert await closed.hears(message("@demo_bot hi", ANN, GROUP)) == ["echo: hi"]
    assert (await closed.hears(message("hi", ANN)))[-1] == refused(ANN, asked=True)
    await closed.hears(message(f"/deny {ANN}", OLGA))
    assert await closed.hears(message("@demo_bot hi", ANN, GROUP)) == [refused(ANN)]


async def test_a_group_by_the_id_that_it_had(redis: Redis) -> None:
    """What an owner decides holds in the supergroup that it has become."""

    async def successors(chats: AbstractSet[int]) -> AbstractSet[int]:
        return {SUPERGROUP} if GROUP in chats else frozenset()

    access = Access(OWNERS, {NAMED}, set(), successors=successors)
    async with running(redis, access, paced=False) as bot:
        told = ENGLISH.now_allowed.format(who=SUPERGROUP)
        assert await bot.hears(message(f"/allow {GROUP}", OLGA)) == [told]
        assert await bot.hears(message("@demo_bot hi", ANN, SUPERGROUP)) == ["echo: hi"]
        told = ENGLISH.now_denied.format(who=SUPERGROUP)
        assert await bot.hears(message(f"/deny {GROUP}", OLGA)) == [told]
        assert await bot.hears(message("@demo_bot hi", ANN, SUPERGROUP)) == [refused(ANN)]


async def test_whom_nobody_can_turn_away(closed: Bot) -> None:
    """Owners, and whom the settings name, whatever was said before that."""
    told = ENGLISH.named_in_settings.format(who=NAMED)
    assert await closed.hears(message(f"/deny {NAMED}", OLGA)) == [told]
    told = ENGLISH.owner_is_allowed.format(who=OSCAR)
    assert await closed.hears(message(f"/deny {OSCAR}", OLGA)) == [told]
    assert await closed.hears(message(f"/allow {OSCAR}", OLGA)) == [told]
    listed: dict[Any, Any] = dict.fromkeys((NAMED, OSCAR), "deny 1 1 x")
    await closed.redis.hset(keys.access(closed.id), mapping=listed | {"version": "1"})
    for one in (NAMED, OSCAR):
        assert await closed.hears(message("hi", one)) == ["echo: hi"]


async def test_in_reply_to_a_person(open_to_all: Bot) -> None:
    """In a group their message, in private a forward of it; they are named then."""
    bot, annoying = open_to_all, said("buy", ANN, GROUP)
    told = ENGLISH.now_denied.format(who=who(ANN))
    deny = message("/deny@demo_bot", OLGA, GROUP, reply_to_message=annoying)
    assert await bot.hears(deny) == [told]
    assert await bot.hears(message("hi", ANN)) == [refused(ANN)]
    origin = {"type": "user", "date": 1, "sender_user": person(BORIS)}
    forward = said("buy", OLGA, forward_origin=origin)
    told = ENGLISH.now_denied.format(who=who(BORIS))
    assert await bot.hears(message("/deny", OLGA, reply_to_message=forward)) == [told]
    assert await bot.hears(message("hi", BORIS)) == [refused(BORIS)]
    # What somebody else has forwarded is theirs.
    theirs = said("buy", BORIS, GROUP, forward_origin=origin | {"sender_user": person(NAMED)})
    told = ENGLISH.now_allowed.format(who=who(BORIS))
    allow = message("/allow@demo_bot", OLGA, GROUP, reply_to_message=theirs)
    assert await bot.hears(allow) == [told]


HIDDEN = {"type": "hidden_user", "sender_user_name": "Vera", "date": 1}
TOPIC = {"forum_topic_created": {"name": "x", "icon_color": 1}}
NOBODY = {
    "the bot": said("x", 9, GROUP) | {"from": ME},
    "a chat's name": said("x", ANONYMOUS_ADMIN, GROUP, sender_chat=chat(GROUP)),
    "an own forward of a hidden person": said("x", OLGA, GROUP, forward_origin=HIDDEN),
    "a topic's beginning": said("x", ANN, GROUP, **TOPIC),
    "nobody": said("x", ANN, GROUP, **{"from": None}),
}


@pytest.mark.parametrize("replied", NOBODY.values(), ids=NOBODY)
async def test_in_reply_to_nobody(open_to_all: Bot, replied: dict[str, Any]) -> None:
    """Where nobody knows who is meant, nothing happens but an explanation."""
    deny = message("/deny@demo_bot", OLGA, GROUP, reply_to_message=replied)
    no_reply = "forum_topic_created" in replied
    told = ENGLISH.allow_usage if no_reply else ENGLISH.nobody_meant
    assert await open_to_all.hears(deny) == [told]
    assert not await open_to_all.redis.exists(keys.access(open_to_all.id))


@pytest.mark.parametrize("what", ["0", "-0", "007", "@ann", "1 2", "1.5", "9" * 16, "all"])
async def test_not_an_id(open_to_all: Bot, what: str) -> None:
    """It is explained what one is."""
    for act in ("allow", "deny"):
        assert await open_to_all.hears(message(f"/{act} {what}", OLGA)) == [ENGLISH.allow_usage]
    assert not await open_to_all.redis.exists(keys.access(open_to_all.id))


async def test_the_list(closed: Bot) -> None:
    """Page by page, in the owner's private chat alone."""
    assert await closed.hears(message("/allow", OLGA)) == [
        f"{ENGLISH.access_closed}\n\n{ENGLISH.listed_in_settings.format(who=NAMED)}"
    ]
    assert buttons(closed) == []
    assert await closed.hears(message("/allow", OLGA, GROUP)) == [ENGLISH.allow_usage]
    for number in range(1, 21):
        act = "deny" if number == 20 else "allow"
        await closed.hears(message(f"/{act} {number}", OLGA))
    (first,) = await closed.hears(message("/deny", OLGA))
    assert [line.split(",")[0] for line in first.split("\n")[2:]] == [
        str(NAMED), *map(str, range(1, 20))
    ]  # fmt: skip
    assert buttons(closed) == ["listed:1"]
    _, second = await presses(closed, OLGA, "listed:1")
    assert second.split("\n")[2:] == [ENGLISH.listed_denied.format(who=20)]
    assert buttons(closed) == ["listed:0"]
    _, beyond = await presses(closed, OLGA, "listed:7")
    assert beyond == second


async def test_the_list_keeps_names(closed: Bot) -> None:
    """An owner who turns somebody away by their id, and lets them in again, sees who it is."""
    replied = said("hi", ANN, GROUP)
    await closed.hears(message("/allow", OLGA, GROUP, reply_to_message=replied))
    who = f"User {ANN} ({ANN})"
    told = await closed.hears(message(f"/deny {ANN}", OLGA))
    assert told == [ENGLISH.now_denied.format(who=who)]
    (listed,) = await closed.hears(message("/allow", OLGA))
    assert listed.endswith(ENGLISH.listed_denied.format(who=who))


async def test_an_empty_list(open_to_all: Bot) -> None:
    """Is said to be empty."""
    text = f"{ENGLISH.access_open}\n\n{ENGLISH.listed_nobody}"
    assert await open_to_all.hears(message("/deny", OLGA)) == [text]


@pytest.mark.parametrize(
    ("closed", "users", "chats", "answers"),
    [
        (None, set(), set(), True),
        (None, {NAMED}, set(), False),
        (None, set(), {GROUP}, False),
        (True, set(), set(), False),
        (False, {NAMED}, {GROUP}, True),
    ],
)
async def test_open_or_closed(
    redis: Redis, closed: bool | None, users: set[int], chats: set[int], answers: bool
) -> None:
    """As `ACCESS` says; if it says nothing, a bot whose settings name anybody is closed."""
    async with running(redis, Access(OWNERS, users, chats, closed)) as bot:
        assert (await bot.hears(message("hi", ANN)) == ["echo: hi"]) == answers
        assert await bot.hears(message("hi", OLGA)) == ["echo: hi"]


# -- Invitations


async def invited(bot: Bot, text: str = "/invite") -> str:
    """Let an owner invite; gives the code."""
    (told,) = await bot.hears(message(text, OLGA))
    found = re.search(r"https://t\.me/demo_bot\?start=([A-Za-z0-9_-]{14,64})$", told)
    assert found, told
    return found[1]


async def test_an_invitation_for_one(closed: Bot) -> None:
    """Whoever comes first is greeted and answered; nobody else, and once is enough."""
    code = await invited(closed)
    assert await hears(closed, message(f"/start {code}", ANN)) == [(ANN, ENGLISH.start)]
    assert await closed.hears(message("hi", ANN)) == ["echo: hi"]
    assert await closed.hears(message(f"/start {code}", ANN)) == [ENGLISH.start]
    wrong = ENGLISH.invitation_wrong.format(id=BORIS)
    assert await hears(closed, message(f"/start {code}", BORIS)) == [(BORIS, wrong)]
    assert (await closed.hears(message("hi", BORIS)))[-1] == refused(BORIS, asked=True)
    assert (await closed.hears(message("/allow", OLGA)))[0].endswith(f"\n{who(ANN)}")


async def test_an_invitation_for_several(closed: Bot) -> None:
    """Each counts once, however often they come; it is listed until it is used up."""
    code = await invited(closed, "/invite 2 3h")
    for _ in range(3):
        assert await closed.hears(message(f"/start {code}", ANN)) == [ENGLISH.start]
    (told,) = await closed.hears(message("/invites", OLGA))
    assert "For 1 more person" in told
    assert await closed.hears(message(f"/start {code}", BORIS)) == [ENGLISH.start]
    assert await closed.hears(message("/invites", OLGA)) == [ENGLISH.no_invitations]


async def test_an_invitation_where_it_is_not_needed(closed: Bot, open_to_all: Bot) -> None:
    """Who is answered anyway takes nobody's place."""
    code = await invited(closed)
    for one in (NAMED, OLGA):
        assert await closed.hears(message(f"/start {code}", one)) == [ENGLISH.start]
    assert await closed.hears(message(f"/start {code}", ANN)) == [ENGLISH.start]
    assert await open_to_all.hears(message("/start whatever", ANN)) == [ENGLISH.start]


async def test_an_invitation_in_a_group(closed: Bot) -> None:
    """Is good for nothing there."""
    code = await invited(closed)
    told = await hears(closed, message(f"/start@demo_bot {code}", ANN, GROUP))
    assert told[-1] == (GROUP, refused(ANN, asked=True))
    assert await closed.hears(message("/invite", OLGA, GROUP)) == [ENGLISH.only_in_private]
    assert await closed.hears(message("/invites", OLGA, GROUP)) == [ENGLISH.only_in_private]


async def test_an_invitation_that_has_ended(closed: Bot) -> None:
    """Lets nobody in, and is not listed."""
    code = await invited(closed)
    await closed.redis.hset(keys.invitations(closed.id), code, f"1 1000 {OLGA} 1")
    assert await closed.hears(message(f"/start {code}", ANN)) == [
        ENGLISH.invitation_wrong.format(id=ANN)
    ]
    assert await closed.hears(message("/invites", OLGA)) == [ENGLISH.no_invitations]


async def test_an_invitation_taken_back(closed: Bot) -> None:
    """By its button, which shows the rest."""
    codes = [await invited(closed) for _ in range(6)]
    (told,) = await closed.hears(message("/invites", OLGA))
    assert [code in told for code in codes] == [True] * 5 + [False]
    revoking, *others = buttons(closed)
    assert others[-1] == "invites:1"
    toast, told = await presses(closed, OSCAR, revoking)
    assert toast == ENGLISH.revoked
    assert [code in told for code in codes] == [False] + [True] * 5
    assert (await presses(closed, OSCAR, revoking))[1] == told
    assert await closed.hears(message(f"/start {codes[0]}", ANN)) == [
        ENGLISH.invitation_wrong.format(id=ANN)
    ]
    assert await closed.hears(message(f"/start {codes[1]}", ANN)) == [ENGLISH.start]


async def test_an_invitation_for_one_turned_away(closed: Bot) -> None:
    """No link helps; and it does not help to have had one."""
    code = await invited(closed, "/invite 9")
    await closed.hears(message(f"/start {code}", ANN))
    for one in (ANN, BORIS):
        await closed.hears(message(f"/deny {one}", OLGA))
        assert await closed.hears(message(f"/start {code}", one)) == [refused(one)]


async def test_guesses(closed: Bot) -> None:
    """After five wrong codes even a right one has to wait; others do not wait with them."""
    code, wrong = await invited(closed, "/invite 2"), ENGLISH.invitation_wrong.format(id=ANN)
    for guess in range(storage_access.MOST_GUESSES):
        for _ in range(2):  # the same one again is no further guess
            assert await closed.hears(message(f"/start guess{guess}", ANN)) == [wrong]
    wait = ENGLISH.counted(ENGLISH.invitation_wait, 60)
    assert await closed.hears(message("/start guess9", ANN)) == [wait]
    assert await closed.hears(message(f"/start {code}", ANN)) == [wait]
    assert await closed.hears(message(f"/start {code}", BORIS)) == [ENGLISH.start]
    await closed.redis.delete(keys.guesses(closed.id, ANN))
    assert await closed.hears(message(f"/start {code}", ANN)) == [ENGLISH.start]


@pytest.mark.parametrize(
    "what", ["0", "1001", "x", "5 5", "3d 3d", "59", "0d", "366d", "-1", "1 day", "1 3d x", "53w"]
)
async def test_what_is_no_invitation(closed: Bot, what: str) -> None:
    """It is explained what one is."""
    if what == "59":  # people; nothing is wrong with that
        assert await invited(closed, f"/invite {what}")
    else:
        assert await closed.hears(message(f"/invite {what}", OLGA)) == [ENGLISH.invite_usage]


@pytest.mark.parametrize(
    ("what", "uses", "seconds"),
    [
        ("", 1, 7 * 86_400),
        ("5", 5, 7 * 86_400),
        ("12H", 1, 12 * 3600),
        ("3d 2", 2, 3 * 86_400),
        ("1000 1м", 1000, 60),
        ("2н", 1, 14 * 86_400),
    ],
)
async def test_what_an_invitation_is_for(closed: Bot, what: str, uses: int, seconds: int) -> None:
    """So many people, and so long, in any order, in either language."""
    code = await invited(closed, f"/invite {what}")
    now = int((await closed.redis.time())[0])
    kept = str(await closed.redis.hget(keys.invitations(closed.id), code)).split()
    assert int(kept[0]) == uses
    assert abs(int(kept[1]) - now - seconds) < 10


async def test_too_many_invitations(closed: Bot) -> None:
    """Only so many are open at a time; those that have ended make room."""
    key, most = keys.invitations(closed.id), storage_access.MOST_INVITATIONS
    await closed.redis.hset(key, mapping={f"c{n}": f"1 9999999999 1 {n}" for n in range(most)})
    assert await closed.hears(message("/invite", OLGA)) == [ENGLISH.too_many_invitations]
    await closed.redis.hset(key, "c1", "1 1 1 1")
    assert await invited(closed)
    assert not await closed.redis.hexists(key, "c1")


# -- While an answer is being made


async def put(bot: Bot, update: dict[str, Any], number: int, *, interrupts: bool = False) -> None:
    """Let an update come in, for a worker."""
    lane, text = lane_of(update), json.dumps({"update_id": number, **update})
    assert lane
    await bot.inbox.put(Arrival(lane, number, text, interrupts))


@pytest.mark.parametrize("where", [ANN, GROUP])
async def test_turned_away_in_the_middle_of_an_answer(redis: Redis, where: int) -> None:
    """It stops, as if somebody had pressed ■ Stop; others' answers go on."""
    access = Access({OLGA}, set(), set())
    async with running(redis, access, streaming="edits", paced=False) as bot:
        worker = Worker(bot.inbox, bot.dispatch, 5)
        async with worker.working():
            bot.model.answers += [[Answer("for Ann")], [Answer("for Boris")]]
            await put(bot, message("@demo_bot one", ANN, where), 1)
            await bot.telegram.until(1, "sendMessage")
            await put(bot, message("one", BORIS), 2)
            await bot.telegram.until(2, "sendMessage")
            await put(bot, message(f"/deny {ANN}", OLGA), 3)
            (edited,) = await bot.telegram.until(1, "editMessageText")
            assert edited["chat_id"] == where
            assert edited["text"] == f"for Ann\n\n{ENGLISH.stopped_mark}"
            await put(bot, message("@demo_bot two", ANN, where), 4)
            *_, last = await bot.telegram.until(4, "sendMessage")
            assert (last["chat_id"], last["text"]) == (where, refused(ANN))
            assert len(bot.model.asked) == 2
            assert len(bot.telegram.of("editMessageText")) == 1
            await put(bot, message("/stop", BORIS), 5, interrupts=True)
            await bot.telegram.until(2, "editMessageText")


async def test_turned_away_while_telegram_says_who_is_an_admin(redis: Redis) -> None:
    """Then that is not done any more for which it was asked."""
    async with running(redis, Access({OLGA}, set(), set()), paced=False) as bot:
        bot.telegram.members[ANN] = "administrator"
        await bot.hears(message("@demo_bot one", ANN, GROUP))
        gate = bot.telegram.gates["getChatMember"] = asyncio.Event()
        worker = Worker(bot.inbox, bot.dispatch, 5)
        async with worker.working():
            await put(bot, message("/undo@demo_bot", ANN, GROUP), 10)
            await bot.telegram.until(1, "getChatMember")
            (lane,) = worker._running.values()
            assert lane.turn
            await put(bot, message(f"/deny {ANN}", OLGA), 11)
            await asyncio.wait_for(lane.turn.interrupted.wait(), 10)
            gate.set()
        assert await bot.remembers(GROUP) != []


async def test_every_process_knows(redis: Redis, closed: Bot) -> None:
    """What was decided with one of them holds in the others, for whatever begins then."""
    other = Bot(redis, Access(OWNERS, {NAMED}, set()))
    other.id = closed.id
    other.inbox = type(closed.inbox)(redis, closed.id, "other")
    async with other.application:
        for act, told in (("allow", "echo: hi"), ("deny", refused(ANN)), ("allow", "echo: hi")):
            await closed.hears(message(f"/{act} {ANN}", OLGA))
            assert (await other.hears(message("hi", ANN)))[-1] == told


async def test_what_costs_nothing(open_to_all: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list is read once after a change, not for each answer."""
    bot, read = open_to_all, []
    hgetall = bot.redis.hgetall

    async def counting(key: str) -> Any:
        read.append(key)
        return await hgetall(key)

    monkeypatch.setattr(bot.redis, "hgetall", counting)
    for _ in range(2):
        await bot.hears(message("hi", ANN))
    assert read == []
    await bot.hears(message(f"/deny {BORIS}", OLGA))
    for _ in range(3):
        assert await bot.hears(message("hi", ANN)) == ["echo: hi"]
    assert read == [keys.access(bot.id)]


# -- Damage, and crashes


async def test_keys_that_somebody_has_damaged(closed: Bot) -> None:
    """They are set aside, and everybody is answered as if there had been none."""
    for key in (keys.access, keys.invitations, keys.requests):
        await closed.redis.lpush(key(closed.id), "x")
    await closed.redis.lpush(keys.request(closed.id, ANN), "x")
    assert await closed.hears(message("hi", OLGA)) == ["echo: hi"]
    assert (await closed.hears(message("hi", ANN)))[-1] == refused(ANN, asked=True)
    assert await closed.hears(message("/invites", OLGA)) == [ENGLISH.no_invitations]
    await closed.redis.hset(
        keys.access(closed.id),
        mapping={"x": "y", "5": "deny", "version": "1", str(ANN): "allow 1 1 "},
    )
    assert await closed.hears(message("hi", ANN)) == ["echo: hi"]


class Death(BaseException):
    """The process ends here."""


async def _code(bot: Bot) -> dict[str, Any]:
    return message(f"/start {await invited(bot)}", ANN)


async def _plain(update: dict[str, Any]) -> dict[str, Any]:
    return update


ACTS: dict[str, Callable[[Bot], Awaitable[dict[str, Any]]]] = {
    "a stranger": lambda _bot: _plain(message("hi", ANN)),
    "a stranger in a group": lambda _bot: _plain(message("@demo_bot hi", ANN, GROUP)),
    "/allow": lambda _bot: _plain(message("/allow 7", OLGA)),
    "/deny": lambda _bot: _plain(message("/deny 7", OLGA)),
    "/invite": lambda _bot: _plain(message("/invite", OLGA)),
    "a link": _code,
    "a wrong link": lambda _bot: _plain(message("/start wrong", ANN)),
}


@pytest.mark.parametrize("act", ACTS)
async def test_a_death_at_any_call(closed: Bot, act: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever goes on says the rest, and nothing twice; what is made is made once."""
    takes, heard = closed.telegram.do_request, []
    for place in range(4):
        await closed.redis.delete(
            keys.request(closed.id, ANN),
            keys.refused(closed.id, GROUP, ANN),
            keys.access(closed.id),
        )
        update, before = (
            await ACTS[act](closed),
            await closed.redis.hgetall(keys.invitations(closed.id)),
        )
        closed.telegram.calls.clear()
        calls = itertools.count()

        async def dies(
            *args: Any, calls: Iterator[int] = calls, place: int = place, **more: Any
        ) -> tuple[int, bytes]:
            if next(calls) == place:
                raise Death
            return await takes(*args, **more)

        monkeypatch.setattr(closed.telegram, "do_request", dies)
        claim, turn = await closed.begins(update)
        with contextlib.suppress(Death):
            await closed.dispatch.handle(turn.head.update, turn)
        monkeypatch.undo()
        if next(calls) > place:  # it died
            again = Turn(closed.inbox, claim, await closed.inbox.open(claim))
            await closed.dispatch.handle(turn.head.update, again)
        await closed.inbox.done(claim)
        sent = closed.telegram.of("sendMessage")
        heard.append([(given["chat_id"], given["text"].split("https")[0]) for _, given in sent])
        after = await closed.redis.hgetall(keys.invitations(closed.id))
        assert len(after.keys() - before.keys()) <= 1
    assert heard == [heard[-1]] * 4
    assert len(heard[0]) == (3 if "stranger" in act else 1)


@pytest.mark.parametrize("place", range(4))
async def test_a_death_in_the_middle_of_a_decision(
    closed: Bot, place: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stands, and whoever goes on shows it to all; a later command is the last word."""
    await closed.hears(message("hi", ANN))
    takes, calls = closed.telegram.do_request, itertools.count()

    async def dies(*args: Any, **more: Any) -> tuple[int, bytes]:
        if next(calls) == place:
            raise Death
        return await takes(*args, **more)

    monkeypatch.setattr(closed.telegram, "do_request", dies)
    claim, turn = await closed.begins(press(f"allow:{ANN}", said("…", 9, OLGA), OLGA))
    with contextlib.suppress(Death):
        await closed.dispatch.handle(turn.head.update, turn)
    monkeypatch.undo()
    again = Turn(closed.inbox, claim, await closed.inbox.open(claim))
    await closed.dispatch.handle(turn.head.update, again)
    decided = ENGLISH.request_allowed.format(who=who(ANN), owner=who(OLGA))
    edited = [given for _, given in closed.telegram.of("editMessageText")]
    assert {given["chat_id"] for given in edited[-2:]} == OWNERS
    assert {given["text"] for given in edited} == {decided}
    await closed.inbox.done(claim)
    await closed.hears(message(f"/deny {ANN}", OSCAR))
    assert await closed.hears(message("hi", ANN)) == [refused(ANN)]


# -- Nobody has an owner's power but an owner

OWN = ("/allow 7", "/deny 7", "/invite", "/allow@demo_bot 7", "/start x")
OTHERS = st.sampled_from([ANN, BORIS, NAMED, ANONYMOUS_ADMIN, SOME_CHANNEL, 0])


def _somebody(number: int) -> dict[str, Any]:
    named = {"first_name": f"User {OLGA}", "username": "olga"}  # a look-alike
    return person(number, is_bot=number in (ANONYMOUS_ADMIN, SOME_CHANNEL), **named)


@st.composite
def forged(draw: st.DrawFn) -> dict[str, Any]:
    """An update that is no owner's own command or press, however much it looks like one."""
    text, where = draw(st.sampled_from(OWN)), draw(st.sampled_from([OLGA, ANN, GROUP, GROUP - 1]))
    ways = ("press", "other", "in a chat's name", "forwarded", "via a bot", "edited", "caption")
    way = draw(st.sampled_from(ways))
    if way == "press":
        names = st.sampled_from(["allow", "deny", "revoke", "listed", "invites"])
        numbers = st.sampled_from([ANN, OLGA, 7, 0, 10**18])
        data = f"{draw(names)}:{draw(numbers)}"
        under = said("…", 9, where) | {"from": draw(st.sampled_from([ME, person(OLGA)]))}
        return press(data, under, OLGA) | {
            "callback_query": press(data, under)["callback_query"]
            | {"from": _somebody(draw(OTHERS))}
        }
    update = message(text, OLGA, where)
    more: dict[str, Any] = {}
    match way:
        case "other":
            more = {"from": _somebody(draw(OTHERS))}
        case "in a chat's name":
            group = draw(st.sampled_from([where, GROUP - 5, CHANNEL]))
            more = {"sender_chat": {"id": group, "type": "supergroup", "title": "Olga"}}
        case "forwarded":
            origin = {"type": "user", "date": 1, "sender_user": person(OLGA)}
            more = {"forward_origin": draw(st.sampled_from([origin, HIDDEN]))}
        case "via a bot":
            more = {"via_bot": person(77, is_bot=True, username="other_bot")}
        case "edited":
            update = {"edited_message": update["message"] | {"edit_date": 1_700_000_001}}
        case "caption":
            entities = update["message"].pop("entities")
            more = {
                "caption": update["message"].pop("text"),
                "caption_entities": entities,
                "photo": [{"file_id": "x", "file_unique_id": "x", "width": 1, "height": 1}],
            }
    (kind,) = update
    if draw(st.booleans()):
        more["reply_to_message"] = said("x", BORIS, where)
    return {kind: update[kind] | more}


def examples(number: int) -> settings:
    """Try so many; what one of them leaves behind is the next one's past."""
    allowed = [HealthCheck.function_scoped_fixture]
    return settings(max_examples=number, suppress_health_check=allowed)


@examples(20)
@given(forged())
async def test_nobody_has_an_owners_power(open_to_all: Bot, update: dict[str, Any]) -> None:
    """By odd updates nobody is let in or turned away, and no invitation is made or taken back."""
    await changes_nothing(open_to_all, update)


@pytest.mark.slow
@examples(1000)
@given(forged())
async def test_nobody_at_all_has_it(open_to_all: Bot, update: dict[str, Any]) -> None:
    """However often one tries."""
    await changes_nothing(open_to_all, update)


async def changes_nothing(bot: Bot, update: dict[str, Any]) -> None:
    """Let an update come in, and look at what it has changed."""
    key = keys.invitations(bot.id)
    await bot.redis.hset(key, mapping={"abc": f"1 9999999999 {OLGA} 7"})
    await bot.redis.hset(keys.request(bot.id, ANN), mapping={"asked": 1, "name": "x"})
    await bot.hears(update)
    assert await bot.redis.hgetall(key) == {"abc": f"1 9999999999 {OLGA} 7"}
    assert not await bot.redis.exists(keys.access(bot.id))
    assert "verdict" not in await bot.redis.hgetall(keys.request(bot.id, ANN))
