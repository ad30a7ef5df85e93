"""Every command and every button, by every kind of person, in every kind of chat."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from handlers.actions import table
from handlers.actions.commands import explain_reset
from handlers.incoming.access import Access
from handlers.incoming.addressing import ANONYMOUS_ADMIN, SOME_CHANNEL
from handlers.texts import ENGLISH, RUSSIAN
from handlers.turn.press import Press
from storage import keys
from storage.message import ChatKey
from tests.conftest import ANN, BORIS, GROUP
from tests.handlers.bot import ME, Bot, message, person, press, running, said

OWNER, ADMIN, STRANGER, OTHER_BOT, CHANNEL, TOPIC = 103, 104, 105, 77, -1009, 7
DIRECT = -1_000_000_000_900
"""A channel's direct messages, where each person has a topic."""
OTHER = -1234
"""A chat for which an owner's /reset can be meant."""

NAMELESS = ("anonymous admin", "channel")
PEOPLE = ("owner", "admin", "asker", "member", "stranger", "other bot", *NAMELESS)
CHATS = ("private", "group", "topic", "direct")

CHANGES = {"owner", "admin", "anonymous admin"}
EVERYBODY = {*CHANGES, "asker", "member", "channel"}
MAY = {
    "/start": EVERYBODY,
    "/help": EVERYBODY,
    "/stop": EVERYBODY,
    "/retry": {*CHANGES, "asker"},
    "/undo": CHANGES,
    "/context": EVERYBODY,
    "/reset": CHANGES,
    f"/reset {OTHER}": {"owner"},
    "/reset now": EVERYBODY,
    "stop": EVERYBODY,
    "again": {*CHANGES, "asker"},
    "continue": EVERYBODY,
    "forget": CHANGES,
}
"""Who is obeyed in a group."""
REFUSALS = {
    "/retry": ENGLISH.retry_is_for_the_asker,
    "/undo": ENGLISH.undo_is_for_admins,
    "/reset": ENGLISH.reset_is_for_admins,
    f"/reset {OTHER}": ENGLISH.reset_other_is_for_owners,
    "again": ENGLISH.retry_is_for_the_asker,
    "forget": ENGLISH.undo_is_for_admins,
}
"""What others hear."""


def expected(act: str, who: str, where: str) -> str:
    """What is said: "" for nothing, "obeyed" for whatever is said then."""
    if who == "other bot":
        return ""
    if who == "stranger":
        return ENGLISH.not_allowed
    alone = where in ("private", "direct")  # what is said there is the person's
    if who in MAY[act] or (alone and act != f"/reset {OTHER}"):
        return "obeyed"
    return REFUSALS[act]


def sender(who: str, where: int) -> dict[str, Any]:
    """How a message of theirs comes."""
    group = {"id": where, "type": "supergroup", "title": "x"}
    match who:
        case "anonymous admin":
            return {"from": person(ANONYMOUS_ADMIN, is_bot=True), "sender_chat": group}
        case "channel":
            channel = {"id": CHANNEL, "type": "channel", "title": "x"}
            return {"from": person(SOME_CHANNEL, is_bot=True), "sender_chat": channel}
        case "other bot":
            return {"from": person(OTHER_BOT, is_bot=True, username="other_bot")}
    return {"from": person(number(who))}


def number(who: str) -> int:
    """Telegram's number of a person."""
    people = {"owner": OWNER, "admin": ADMIN, "asker": ANN, "member": BORIS, "stranger": STRANGER}
    return people.get(who, OTHER_BOT)


def place(where: str, who: str) -> tuple[int, dict[str, Any], ChatKey]:
    """A chat, what a message there has besides, and the conversation's name."""
    match where:
        case "private":
            return number(who), {}, ChatKey(number(who))
        case "topic":
            more = {"message_thread_id": TOPIC, "is_topic_message": True}
            return GROUP, more, ChatKey(GROUP, TOPIC)
        case "direct":
            return DIRECT, {"direct_messages_topic": {"topic_id": TOPIC}}, ChatKey(DIRECT, TOPIC)
    return GROUP, {}, ChatKey(GROUP)


@pytest.fixture
async def bot(redis: Redis) -> AsyncIterator[Bot]:
    """A bot with an owner, that answers all but strangers."""
    allowed = {ADMIN, ANN, BORIS, ANONYMOUS_ADMIN, SOME_CHANNEL}
    async with running(redis, Access({OWNER}, allowed, set())) as made:
        made.telegram.members[ADMIN] = "administrator"
        made.telegram.members[SOME_CHANNEL] = made.telegram.members[ANONYMOUS_ADMIN] = "left"
        yield made


def can_be(act: str, who: str, where: str) -> bool:
    """Nobody is alone in a private chat but people; buttons are pressed under one's own name."""
    if who in NAMELESS:
        return act.startswith("/") and where != "private"
    return (who, where) != ("other bot", "private")


@pytest.mark.parametrize("where", CHATS)
@pytest.mark.parametrize("act", MAY)
async def test_who_is_obeyed(bot: Bot, act: str, where: str) -> None:
    """As the table says, in the same words, whether by a command or by a button."""
    for who in PEOPLE:
        if can_be(act, who, where):
            await is_as_expected(bot, act, who, where)


async def is_as_expected(bot: Bot, act: str, who: str, where: str) -> None:
    """Let somebody do something in a new conversation, and look at what comes of it."""
    chat, more, lane = place(where, who)
    await bot.redis.delete(*keys.kept(bot.id, lane))
    await bot.asked_before(lane, asker=ANN)
    past = await bot.history.newest(lane, 1000)
    bot.telegram.calls.clear()
    bot.model.asked.clear()
    if act.startswith("/"):
        command, _, behind = act.partition(" ")
        text = f"{command}@demo_bot {behind}" if where != "private" else act
        told = await bot.hears(message(text, number(who), chat, **more, **sender(who, chat)))
    else:
        under = said("answer", 9, chat, message_id=past.answer_ids[0], **more) | {"from": ME}
        await bot.hears(press(str(Press(act, past.asked)), under, number(who)))
        told = [given.get("text", "") for _, given in bot.telegram.of("answerCallbackQuery")]
    wanted = expected(act, who, where)
    if wanted == "obeyed":
        others = {*REFUSALS.values(), ENGLISH.not_allowed, ENGLISH.old_button}
        assert told, (who, wanted)
        assert not set(told) & others, who
    elif act.startswith("/") or who != "other bot":
        assert told == ([wanted] if wanted else []), who
    kept = await bot.history.newest(lane, 1000)
    assert (kept.length == 0) == (wanted == "obeyed" and act in ("/undo", "/reset", "forget")), who
    asks = wanted == "obeyed" and act in ("/retry", "again", "continue")
    assert bool(bot.model.asked) == asks, who


def test_all_are_tried() -> None:
    """The table has nothing that is not tried above."""
    forms = {"": "/reset", r"-?[0-9]{1,19}( .*)?": f"/reset {OTHER}"}
    commands = {
        forms.get(row.arguments, "/reset now") if row.name == "reset" else f"/{row.name}"
        for row in table.COMMANDS
    }
    assert {*commands, *table.BUTTONS} == {*MAY}, "MAY names everything that is tried"


def test_all_are_told_of() -> None:
    """Each is in /help, in the menu, and in the README with its button."""
    readme = Path("README.md").read_text("utf-8")
    for row in table.COMMANDS:
        assert re.search(rf"`/{row.name}[` ]", readme), row.name
        for texts in (ENGLISH, RUSSIAN):
            assert row.name in table.menu(texts)
    for label in (ENGLISH.button_stop, ENGLISH.button_again, ENGLISH.button_continue):
        assert label in readme
    assert ENGLISH.button_forget in readme


def test_a_refusal_without_words_of_its_own() -> None:
    """Who adds a row with a right need not think of a sentence."""
    for row in (table.Command("new", explain_reset), table.Button("new", explain_reset)):
        assert row.refusal(ENGLISH) == ENGLISH.not_allowed


async def test_help(bot: Bot) -> None:
    """It names every command, each in a line below another."""
    (told,) = await bot.hears(message("/help"))
    named = re.findall(r"^/(\w+) — [a-z]", told, re.MULTILINE)
    assert named == list(table.menu(ENGLISH))
    lines = [line.startswith("/") for line in told.splitlines()]
    assert all(lines[lines.index(True) :][: len(named)])
    assert "@demo_bot" in told


async def test_where_nobody_knows_who_asked(bot: Bot) -> None:
    """In histories that know no names, everybody may have the last question answered again."""
    await bot.asked_before(ChatKey(GROUP), asker=0)
    assert await bot.hears(message("/retry", BORIS, GROUP)) == ["echo: one"]
