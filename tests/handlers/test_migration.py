"""What handlers do as a group becomes a supergroup, call by call."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis
from telegram import Update

from bot.updates.intake import lane_of
from handlers.incoming.access import Access
from handlers.incoming.addressing import read_talk
from handlers.incoming.migration import FIRST_SUPERGROUP, migration, moved
from handlers.outgoing.delivery import Delivery
from handlers.rendering.markup import Chunk
from handlers.texts import ENGLISH
from handlers.turn.reply import Reply
from handlers.turn.turn import Turn
from storage.access import Listed
from storage.arrivals import Arrival
from storage.lane import Shown
from storage.message import ChatKey
from tests.conftest import ANN, BORIS, GROUP
from tests.handlers.bot import SUPERGROUP, UPGRADED, Bot, message, press, running, said

MOVED = {"migrate_to_chat_id": SUPERGROUP}, {"migrate_from_chat_id": GROUP}
SAID = [
    {"message": said("", ANN, where) | {"text": None} | more}
    for where, more in zip((GROUP, SUPERGROUP), MOVED, strict=True)
]
"""Telegram's two service messages."""


@pytest.fixture
async def bot(redis: Redis) -> AsyncIterator[Bot]:
    """A bot that is open to all."""
    async with running(redis) as made:
        yield made


# What an update says

NAMES = st.sampled_from(
    [
        *("message", "edited_message", "callback_query", "chat", "id", "sender_chat"),
        *("message_id", "migrate_to_chat_id", "migrate_from_chat_id", "data"),
    ]
)


@pytest.mark.parametrize("update", SAID)
async def test_who_says_so(bot: Bot, update: dict[str, Any]) -> None:
    """Either chat; both in the supergroup's lane, before whatever is asked there."""
    assert migration(update["message"]) == (GROUP, SUPERGROUP)
    assert lane_of(update) == ChatKey(SUPERGROUP)
    assert not read_talk(update["message"], bot.application.bot)


@pytest.mark.parametrize(
    "odd",
    [
        None, 5, [], {}, {"chat": 5}, {"chat": {"id": "5"}}, {"chat": {"id": 5}},
        {"chat": {"id": 5}, "migrate_to_chat_id": "6"},
        {"chat": {"id": 5}, "migrate_to_chat_id": 5},
        {"chat": {"id": 5}, "migrate_from_chat_id": None},
        {"chat": {"id": True}, "migrate_to_chat_id": SUPERGROUP},
        {"chat": {"id": ANN}, "migrate_to_chat_id": SUPERGROUP},
        {"chat": {"id": SUPERGROUP}, "migrate_to_chat_id": SUPERGROUP - 1},
        {"chat": {"id": GROUP}, "migrate_to_chat_id": GROUP - 1},
        {"chat": {"id": SUPERGROUP}, "migrate_from_chat_id": ANN},
        {"chat": {"id": SUPERGROUP}, "migrate_from_chat_id": 0},
        {"chat": {"id": SUPERGROUP}, "migrate_from_chat_id": FIRST_SUPERGROUP},
    ],
)  # fmt: skip
def test_what_says_nothing(odd: Any) -> None:
    """Whatever stands there."""
    assert migration(odd) is None


def test_the_first_supergroup() -> None:
    """It has the number that is next to those of groups."""
    for group in (FIRST_SUPERGROUP + 1, -1):
        said = {"chat": {"id": group}, "migrate_to_chat_id": FIRST_SUPERGROUP}
        assert migration(said) == (group, FIRST_SUPERGROUP)


def test_what_was_said_in_the_group() -> None:
    """It is as if it had been said in the supergroup; but of its number nothing is known there."""
    assert moved(message("hi", ANN, GROUP), SUPERGROUP)["message"]["chat"]["id"] == SUPERGROUP
    anonymous = {"id": GROUP, "type": "group", "title": "x"}
    update = message("hi", ANN, GROUP, sender_chat=anonymous)
    there = moved(update, SUPERGROUP)["message"]
    assert (there["chat"]["id"], there["chat"]["type"]) == (SUPERGROUP, "supergroup")
    assert there["sender_chat"] == {"id": SUPERGROUP, "type": "supergroup", "title": "x"}
    assert (there["message_id"], there["text"]) == (0, "hi")
    channel = {"sender_chat": {"id": -7, "type": "channel", "title": "x"}}
    there = moved(message("hi", ANN, GROUP, **channel), SUPERGROUP)["message"]
    assert there["sender_chat"] == channel["sender_chat"]


@pytest.mark.parametrize(
    "update", [press("stop:1", said("x", ANN, GROUP)), {"edited_message": said("x", ANN, GROUP)}]
)
def test_what_stays(update: dict[str, Any]) -> None:
    """Buttons and edits are about messages of the group."""
    assert moved(update, SUPERGROUP) == update


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda some: st.lists(some, max_size=3) | st.dictionaries(NAMES, some, max_size=4),
)


@pytest.mark.slow
@given(st.dictionaries(NAMES, JSON, max_size=4))
def test_any_json(update: dict[str, Any]) -> None:
    """Nothing odd fails here."""
    found = migration(update)
    assert found is None or found[0] != found[1]


# What is done about it


async def put(bot: Bot, update: dict[str, Any], lane: int = SUPERGROUP) -> None:
    text = json.dumps({"update_id": 1, **update})
    await bot.inbox.put(Arrival(ChatKey(lane), len(bot.telegram.calls) - 1000, text))


@pytest.mark.parametrize("update", SAID)
async def test_the_conversation_moves(bot: Bot, update: dict[str, Any]) -> None:
    """And nobody is told anything."""
    await bot.hears(message("@demo_bot one", ANN, GROUP))
    assert await bot.hears(update, update) == []
    assert await bot.remembers(SUPERGROUP) == ["one", "echo: one"]
    assert await bot.hears(message("/retry", ANN, SUPERGROUP)) == ["echo: one"]
    assert await bot.hears(message("/undo", ANN, SUPERGROUP)) == [ENGLISH.undo_is_for_admins]
    assert await bot.hears(press("again:1", said("echo: one", ANN, SUPERGROUP))) == []


async def test_a_question_of_the_group_is_answered(bot: Bot) -> None:
    """There, while Telegram takes the answer, and with what was said there since it moved."""
    await bot.hears(message("@demo_bot one", ANN, GROUP), SAID[0])
    assert await bot.hears(message("@demo_bot two", ANN, GROUP)) == ["echo: two"]
    _, given = bot.telegram.of("sendMessage")[-1]
    assert given["chat_id"] == GROUP
    assert len(bot.model.asked[-1]) == 1


async def test_such_a_note_asks_nothing(bot: Bot) -> None:
    """Whatever else stands in it."""
    note = message("@demo_bot hi", ANN, GROUP, migrate_to_chat_id=SUPERGROUP)
    assert await bot.hears(note) == []
    assert bot.model.asked == []


async def test_stop_buttons_of_such_a_question(bot: Bot) -> None:
    """They stop it, though it has no number; and none stops what nobody has asked yet."""
    await put(bot, message("@demo_bot two", ANN, GROUP))
    (claim,) = await bot.inbox.take(1, 1)
    turn = Turn(bot.inbox, claim, await bot.inbox.open(claim))
    assert not turn.stop("1")
    turn.asks(0)
    assert turn.stop("0")


async def test_only_where_the_group_was_allowed(redis: Redis) -> None:
    """A supergroup is what its group was; others are not."""
    async with running(redis, Access(set(), set(), {GROUP})) as bot:
        access = Access(set(), set(), {GROUP}, successors=bot.inbox.successors)
        for chat in (SUPERGROUP, SUPERGROUP - 1):
            update = Update.de_json({"update_id": 1, **message("hi", ANN, chat)}, None)
            assert not await access.allows(update, {})
        await bot.hears(SAID[1])
        for chat in (SUPERGROUP, SUPERGROUP - 1):
            update = Update.de_json({"update_id": 1, **message("hi", ANN, chat)}, None)
            assert await access.allows(update, {}) == (chat == SUPERGROUP)


async def test_whoever_sets_up_a_group_that_was_let_in(redis: Redis) -> None:
    """A link or menu from before names the group; whom nobody let in may set it up all the same."""
    async with running(redis, Access(set(), set(), set(), closed=True)) as bot:
        access = Access(set(), set(), set(), closed=True, successors=bot.inbox.successors)
        opens = message(f"/start settings_{GROUP}", ANN)
        pressed = press(f"set:0:when:always:{GROUP}", said("menu", 9, ANN), ANN)
        opened = [Update.de_json({"update_id": 1, **one}, None) for one in (opens, pressed)]
        listed = {SUPERGROUP: Listed(True, 1, 1)}
        assert not any([await access.allows(update, listed) for update in opened])
        await bot.hears(SAID[1])
        assert all([await access.allows(update, listed) for update in opened])
        turned_away = {SUPERGROUP: Listed(False, 1, 1)}
        assert not any([await access.allows(update, turned_away) for update in opened])


async def test_admins_are_asked_for_in_the_supergroup(bot: Bot) -> None:
    """As soon as Telegram says that the group is one."""
    bot.telegram.members = {ANN: "administrator"}
    for who, told in ((ANN, ENGLISH.forgotten), (BORIS, ENGLISH.reset_is_for_admins)):
        bot.telegram.refusals["getChatMember"].append(UPGRADED)
        assert await bot.hears(message("/reset", who, GROUP)) == [told]
        asked = [given["chat_id"] for _, given in bot.telegram.of("getChatMember")]
        assert asked[-2:] == [GROUP, SUPERGROUP]


async def test_a_notice_finds_its_way(bot: Bot) -> None:
    """Who waits is told so in the supergroup."""
    bot.telegram.refusals["sendMessage"].append(UPGRADED)
    await bot.waits(message("@demo_bot x", ANN, GROUP))
    sent = [given["chat_id"] for _, given in bot.telegram.of("sendMessage")]
    assert sent == [GROUP, SUPERGROUP]


@pytest.mark.parametrize(
    ("refused", "shown"),
    [
        ("editMessageText", Shown(1, (11, 12, 13, 14))),
        ("sendMessage", Shown(1, (11,))),
        ("sendMessage", Shown()),
    ],
)
async def test_numbers_of_the_group_mean_nothing(bot: Bot, refused: str, shown: Shown) -> None:
    """What stood there stays there: in the supergroup they may be anybody's."""
    await put(bot, message("@demo_bot x", ANN, GROUP), GROUP)
    (claim,) = await bot.inbox.take(1, 1)
    turn = Turn(bot.inbox, claim, await bot.inbox.open(claim))
    turn.shown = shown
    raw = json.loads((await bot.inbox.open(claim)).head.update)
    asked = Update.de_json(raw, bot.application.bot).message
    assert asked
    bot.telegram.refusals[refused].append(UPGRADED)
    await Delivery(asked, turn).finish(Reply([Chunk(text, ()) for text in "abc"]))
    there = [(name, given["text"]) for name, given in bot.telegram.calls[1:]]
    assert there == [("sendMessage", text) for text in "abc"[shown.final :]]
    assert {given["chat_id"] for _, given in bot.telegram.calls[1:]} == {SUPERGROUP}
    assert not any("reply_parameters" in given for _, given in bot.telegram.calls[1:])
    assert turn.shown.ids[: shown.final] == shown.ids[: shown.final]
    assert not {12, 13, 14} & {*turn.shown.ids}
    assert (await bot.inbox.open(claim)).shown.chat == SUPERGROUP


async def test_what_cannot_be_deleted_there(bot: Bot) -> None:
    """What is too much of a reply stays in the group, and the reply is done."""
    await put(bot, message("@demo_bot x", ANN, GROUP), GROUP)
    (claim,) = await bot.inbox.take(1, 1)
    turn = Turn(bot.inbox, claim, opened := await bot.inbox.open(claim))
    turn.shown = Shown(0, (11, 12))
    asked = Update.de_json(json.loads(opened.head.update), bot.application.bot).message
    assert asked
    bot.telegram.refusals["deleteMessage"].append(UPGRADED)
    await Delivery(asked, turn).finish(Reply([Chunk("a", ())]))
    assert turn.shown == Shown(1, (11,))
