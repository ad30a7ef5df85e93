"""Every command and every button, by every kind of person, in every kind of chat."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from handlers.actions import table
from handlers.actions.commands import explain_reset
from handlers.incoming.access import Access, Right
from handlers.incoming.addressing import ANONYMOUS_ADMIN, SOME_CHANNEL
from handlers.texts import ENGLISH, RUSSIAN
from handlers.turn.press import Choice, Press
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
CHATS = (
    "private",
    "group",
    pytest.param("topic", marks=pytest.mark.slow),
    pytest.param("direct", marks=pytest.mark.slow),
)

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
    "/reset now": EVERYBODY,
    "/settings": CHANGES,
    "/persona": CHANGES,
    "/prompt": CHANGES,
    "/prompt clear": CHANGES,
    "/prompt be brief": CHANGES,
    "/name": CHANGES,
    "/name clear": CHANGES,
    "/name Alice": CHANGES,
    "/dontlisten": EVERYBODY,
    "/listen": EVERYBODY,
    "/news off": CHANGES,
    "/news": EVERYBODY,
    "stop": EVERYBODY,
    "again": {*CHANGES, "asker"},
    "continue": EVERYBODY,
    "forget": {*CHANGES, "asker"},
    "ask": EVERYBODY,
    "set": CHANGES,
    "be": CHANGES,
    "clear": CHANGES,
    "/allow": {"owner"},
    "/allow 12": {"owner"},
    "/deny": {"owner"},
    "/deny 12": {"owner"},
    "/allow somebody": {"owner"},
    "/deny somebody": {"owner"},
    "allow": {"owner"},
    "deny": {"owner"},
    "listed": {"owner"},
    "invites": {"owner"},
    "revoke": {"owner"},
}
"""Who is obeyed in a group."""
OF_OWNERS = {act for act in MAY if MAY[act] == {"owner"}}
"""What is an owner's wherever it is."""
DEEP_LINK = f"/start settings_{GROUP}"
OF_ADMINS = ("/settings", "/persona", "/prompt", "/name", "set", "be", "clear")
OPT_OUT = ("/dontlisten", "/listen", "/news off")
"""What those may, too, whom the bot does not answer."""
RESETS = (f"/reset {OTHER}", "/reset @cats", "/reset all")
OWNERS = (
    *(*RESETS, "/chats", "/status", "/dead", "/invite", "/invites", "/say words"),
    *("chats", "dead", "replay", "drop", "everything", "say", "unsay"),
)
"""What only owners may do, and only in private."""
REFUSALS = {
    "/retry": ENGLISH.retry_is_for_the_asker,
    "/undo": ENGLISH.undo_is_for_admins,
    "/reset": ENGLISH.reset_is_for_admins,
    **dict.fromkeys(OWNERS, ENGLISH.for_owners),
    **dict.fromkeys(RESETS, ENGLISH.reset_other_is_for_owners),
    "again": ENGLISH.retry_is_for_the_asker,
    "forget": ENGLISH.forget_is_for_the_asker,
    **dict.fromkeys(OF_OWNERS, ENGLISH.for_owners),
    **dict.fromkeys(
        (act for act in MAY if act.split()[0] in OF_ADMINS), ENGLISH.settings_are_for_admins
    ),
    "/news off": ENGLISH.settings_are_for_admins,
}
"""What others hear."""


def expected(act: str, who: str, where: str) -> str:
    """What is said: "" for nothing, "obeyed" for whatever is said then."""
    if who == "other bot":
        return ""
    alone = where in ("private", "direct")  # what is said there is the person's
    if who == "stranger" and act in OPT_OUT and not alone:
        who = "member"
    elif who == "stranger" and (act, alone) != ("/news off", True):
        told = ENGLISH.stranger_asked if act.startswith("/") else ENGLISH.stranger
        return told.format(id=STRANGER)
    if act in OWNERS:
        may = "obeyed" if where == "private" else ENGLISH.only_in_private
        return may if who == "owner" else REFUSALS[act]
    if who in MAY[act] or (alone and act not in OF_OWNERS):
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
        made.telegram.results |= {"getChat": {"id": OTHER}, "getChatMemberCount": 2}
        made.telegram.members[SOME_CHANNEL] = made.telegram.members[ANONYMOUS_ADMIN] = "left"
        yield made


def can_be(act: str, who: str, where: str) -> bool:
    """Nobody is alone in a private chat but people; buttons are pressed under one's own name."""
    if who in NAMELESS:
        return act.startswith("/") and where != "private"
    return (who, where) != ("other bot", "private")


@pytest.mark.slow
@pytest.mark.parametrize("where", CHATS)
@pytest.mark.parametrize("act", [*MAY, *OWNERS])
async def test_who_is_obeyed(bot: Bot, act: str, where: str) -> None:
    """As the table says, in the same words, whether by a command or by a button."""
    for who in PEOPLE:
        if can_be(act, who, where):
            await is_as_expected(bot, act, who, where)


def pressed(act: str, asked: int, lane: ChatKey) -> str:
    """The data of a button."""
    match act:
        case "ask":
            return "ask:tutor:en:0"
        case "set" | "be" | "clear":
            chosen = ("prompt", "") if act == "clear" else ("persona", "tutor")
            return str(Choice(act, lane, 0, *chosen))
    return str(Press(act, asked))


async def is_as_expected(bot: Bot, act: str, who: str, where: str) -> None:
    """Let somebody do something in a new conversation, and look at what comes of it."""
    chat, more, lane = place(where, who)
    asked = keys.request(bot.id, STRANGER), keys.refused(bot.id, chat, STRANGER)
    await bot.redis.delete(*keys.kept(bot.id, lane), *asked)
    await bot.asked_before(lane, asker=ANN)
    past = await bot.history.newest(lane, 1000)
    bot.telegram.calls.clear()
    bot.model.asked.clear()
    if act.startswith("/"):
        command, _, behind = act.partition(" ")
        text = f"{command}@demo_bot {behind}" if where != "private" else act
        await bot.hears(message(text, number(who), chat, **more, **sender(who, chat)))
        sent = bot.telegram.of("sendMessage", "editMessageText")
        told = [given["text"] for _, given in sent if given["chat_id"] == chat]
    else:
        under = said("answer", 9, chat, message_id=past.answer_ids[0], **more) | {"from": ME}
        await bot.hears(press(pressed(act, past.asked, lane), under, number(who)))
        told = [given.get("text", "") for _, given in bot.telegram.of("answerCallbackQuery")]
    wanted = expected(act, who, where)
    if wanted == "obeyed":
        others = {*REFUSALS.values(), ENGLISH.not_allowed, ENGLISH.old_button}
        others.add(ENGLISH.only_in_private)
        assert told, (who, wanted)
        assert not set(told) & others, who
    elif act.startswith("/") or who != "other bot":
        assert told == ([wanted] if wanted else []), who
    kept = await bot.history.newest(lane, 1000)
    assert (kept.length == 0) == (wanted == "obeyed" and act in ("/undo", "/reset", "forget")), who
    asks = wanted == "obeyed" and act in ("/retry", "again", "continue", "ask")
    assert bool(bot.model.asked) == asks, who


def test_all_are_tried() -> None:
    """The table has nothing that is not tried above, or where deep links are."""
    tried = [act.partition(" ") for act in (*MAY, *OWNERS, DEEP_LINK) if act.startswith("/")]
    rows = [table.find(name.removeprefix("/"), words.split()) for name, _, words in tried]
    assert {id(row) for row in rows} == {id(row) for row in table.COMMANDS}
    buttons = {act for act in (*MAY, *OWNERS) if not act.startswith("/")}
    assert buttons == {*table.BUTTONS}


TABLES = ("settings", "unheard", "access", "invitations", "declined", "draft", "offered", "history")


async def kept(bot: Bot) -> dict[str, Any]:
    """All that commands could change."""
    found = {}
    async for key in bot.redis.scan_iter(f"{{{bot.id}}}:*"):
        if str(key).split(":")[1] in TABLES:
            found[str(key)] = await bot.redis.dump(key)
    return found


@pytest.mark.parametrize("where", [OWNER, GROUP])
async def test_an_edit_changes_nothing(bot: Bot, where: int) -> None:
    """Whichever command it is, whoever may: what only shows something is shown, the rest is not."""
    for act in (act for act in (*MAY, *OWNERS, DEEP_LINK) if act.startswith("/")):
        name, _, words = act.partition(" ")
        row = table.find(name.removeprefix("/"), words.split())
        await bot.asked_before(ChatKey(where), asker=OWNER)  # something to change
        before = await kept(bot)
        text = act if where > 0 else f"{name}@demo_bot {words}"
        edited = said(text, OWNER, where) | {"edit_date": 1_700_000_001}
        told = await bot.hears({"edited_message": edited})
        assert row
        assert bool(told) == row.shows, act
        assert await kept(bot) == before, act
        assert bot.model.asked == []


@pytest.mark.parametrize("act", ["/prompt be brief", "/chats"])
async def test_an_edited_message_that_is_new(bot: Bot, act: str) -> None:
    """Edited before the bot has seen it, it is a message like any other."""
    assert await bot.hears(message(act, OWNER, edit_date=1_700_000_001))


def test_all_are_told_of() -> None:
    """Each is in /help, in a menu, and in the README with its button."""
    readme = Path("README.md").read_text("utf-8")
    for row in table.COMMANDS:
        assert re.search(rf"`/{row.name}[` ]", readme), row.name
        for texts in (ENGLISH, RUSSIAN):
            assert any(row.name in table.menu(texts, menu) for menu in table.Menu)
    for label in (ENGLISH.button_stop, ENGLISH.button_again, ENGLISH.button_continue):
        assert label in readme
    assert ENGLISH.button_forget in readme


def test_which_menu_has_what() -> None:
    """What is an owner's, or in a group an admin's, is shown to nobody else."""
    rows = {row.name: row.right for row in table.COMMANDS if row.menu}
    owners, private, admins, group = (set(table.menu(ENGLISH, menu)) for menu in table.Menu)
    of_groups = {row.name for row in table.COMMANDS if row.menus == table.IN_GROUPS}
    assert owners == rows.keys() - of_groups
    assert private == {name for name in owners if rows[name] is not Right.OWNER}
    assert admins == private | of_groups
    assert group == {name for name in admins if rows[name] is not Right.CHANGE}


def test_a_refusal_without_words_of_its_own() -> None:
    """Who adds a row with a right need not think of a sentence."""
    for row in (table.Command("new", explain_reset), table.Button("new", explain_reset)):
        assert row.refusal(ENGLISH) == ENGLISH.not_allowed


@pytest.mark.parametrize(
    ("who", "where", "menu"),
    [
        ("owner", "private", table.Menu.OWNER),
        ("asker", "private", table.Menu.PRIVATE),
        ("owner", "group", table.Menu.ADMINS),
        ("member", "topic", table.Menu.ADMINS),
    ],
)
async def test_help(bot: Bot, who: str, where: str, menu: table.Menu) -> None:
    """It names every command that is of use here, each in a line below another."""
    chat, more, _ = place(where, who)
    (told,) = await bot.hears(message("/help", number(who), chat, **more))
    named = re.findall(r"^/(\w+) — [a-z]", told, re.MULTILINE)
    assert named == list(table.menu(ENGLISH, menu))
    lines = [line.startswith("/") for line in told.splitlines()]
    assert all(lines[lines.index(True) :][: len(named)])
    assert "@demo_bot" in told
    assert (ENGLISH.help_for_owners in told) == (menu is table.Menu.OWNER)


@pytest.mark.parametrize("sees", ["its privacy mode is off", "it is an admin", ""])
async def test_help_in_a_group(bot: Bot, sees: str) -> None:
    """It says what the bot sees there, and so when it must be called by its name."""
    if sees == "it is an admin":
        bot.telegram.members[9] = "administrator"
    off = sees == "its privacy mode is off"
    object.__setattr__(bot.application.bot.bot, "can_read_all_group_messages", off)
    (told,) = await bot.hears(message("/help", ANN, GROUP))
    assert (ENGLISH.sees_all in told) == bool(sees)
    assert (ENGLISH.sees_addressed in told) == (not sees)


async def test_help_where_a_group_has_chosen(bot: Bot) -> None:
    """It says what holds there, and nothing else."""
    (told,) = await bot.hears(message("/help", ANN, GROUP))
    assert told.endswith("I answer: when addressed\nMay reset: admins")
    await bot.redis.hset(
        keys.settings(bot.id, ChatKey(GROUP)),
        mapping={"version": "1", "when": "always", "names": "Alice\nBob", "reset": "everybody"},
    )
    (told,) = await bot.hears(message("/help", ANN, GROUP))
    assert told.endswith("I answer: always\nMy name: Alice, Bob\nMay reset: everybody")
    assert ENGLISH.sees_all not in told
    assert ENGLISH.sees_addressed not in told


async def test_where_nobody_knows_who_asked(bot: Bot) -> None:
    """In histories that know no names, everybody may have the last question answered again."""
    await bot.asked_before(ChatKey(GROUP), asker=0)
    assert await bot.hears(message("/retry", BORIS, GROUP)) == ["echo: one"]
