"""What owners do in their private chat: see the bot's chats and its state, reset others."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis

from handlers.actions import owners
from handlers.actions.menus import publish
from handlers.actions.table import Menu, menu
from handlers.dialogue.completion import Speed
from handlers.incoming.access import Access
from handlers.texts import ENGLISH, RUSSIAN
from handlers.turn.turn import Turn
from storage import keys
from storage.chats import ChatRecord
from storage.message import ChatKey
from storage.owners import OwnersMenus
from storage.resets import STEP
from storage.server.connect import connect
from tests.conftest import ANN, BORIS, GROUP
from tests.handlers.bot import SUPERGROUP, Bot, message, person, press, running, said
from tests.handlers.test_dialogue import Death

OWNER = 103


@pytest.fixture
async def bot(redis: Redis) -> AsyncIterator[Bot]:
    """A bot with an owner, open to all."""
    async with running(redis, Access({OWNER}, set(), set())) as made:
        made.telegram.results["getChatMemberCount"] = 12
        yield made


def under(bot: Bot) -> dict[str, str]:
    """The buttons under the newest message to the owner: their labels and data."""
    sent = (given for _, given in bot.telegram.of("sendMessage", "editMessageText"))
    given = [one for one in sent if one["chat_id"] == OWNER][-1]
    rows = given.get("reply_markup", {"inline_keyboard": [[]]})["inline_keyboard"]
    return {button["text"]: button["callback_data"] for row in rows for button in row}


async def pressed(bot: Bot, label: str, user: int = OWNER) -> list[str]:
    """Let a button under the newest message be pressed; what the message says then."""
    return await bot.hears(press(under(bot)[label], said("", user, message_id=5), user))


def toasts(bot: Bot) -> list[str]:
    """What was said to presses."""
    return [given.get("text", "") for _, given in bot.telegram.of("answerCallbackQuery")]


# --- /chats


async def test_chats(bot: Bot) -> None:
    """The last used first: how each is called, how many are there, how much was said."""
    await bot.hears(message("hi", ANN))
    await bot.hears(message("@demo_bot hi", BORIS, GROUP))
    await bot.redis.zincrby(keys.used(bot.id), -60, str(ANN))
    (told,) = await bot.hears(message("/chats", OWNER))
    title, group, ann = told.split("\n\n")
    assert title == ENGLISH.chats.format(total=2, page=1, pages=1)
    name, facts = group.splitlines()
    assert name == "Group"
    assert facts.startswith(f"{GROUP} · {ENGLISH.chat_members.format(number=12)} · ")
    assert facts.endswith(" · messages: 2 · 1 KB")
    assert ann.startswith(f"User {ANN}\n{ANN} · ")
    assert [given["chat_id"] for _, given in bot.telegram.of("getChatMemberCount")] == [GROUP]


async def test_titles_turn_nothing(bot: Bot) -> None:
    """A chat is listed with what is seen of its name; numbers and times as the reader writes."""
    where = {"id": ANN, "type": "private", "first_name": "\u202eAn\u2066n"}
    await bot.hears(message("hi", ANN, chat=where))
    await bot.redis.zadd(keys.used(bot.id), {str(ANN): 1_700_000_000})
    await bot.redis.hset(keys.settings(bot.id, ChatKey(OWNER)), "language", "ru")
    (told,) = await bot.hears(message("/chats", OWNER))
    name, facts = told.split("\n\n")[1].splitlines()
    assert name == "Ann"
    assert " нояб. 2023" in facts


async def test_numbers_as_the_owner_writes_them(bot: Bot) -> None:
    """A comma in Russian, spaces between thousands."""
    bot.speed = Speed(0.52, 12.34, 1234)
    await bot.redis.hset(keys.settings(bot.id, ChatKey(OWNER)), "language", "ru")
    (told,) = await bot.hears(message("/status", OWNER))
    assert RUSSIAN.status_speed.format(first="0,5", whole="12,3", number="1\u00a0234") in told


async def test_chats_without_any(bot: Bot) -> None:
    """The owner's own is noted once the first answer is done."""
    assert await bot.hears(message("/chats", OWNER)) == [ENGLISH.no_chats]


async def test_a_chat_it_was_removed_from(bot: Bot) -> None:
    """It is listed, with why; nobody is asked how many are there, and a refusal is no failure."""
    for chat, away in ((GROUP, "kicked"), (SUPERGROUP, "")):
        record = ChatRecord("Cats", "supergroup", "cats", away=away)
        await bot.redis.hset(keys.chats(bot.id), str(chat), str(record))
        await bot.redis.zadd(keys.used(bot.id), {str(chat): 1})
    bot.telegram.refusals["getChatMemberCount"].append("Bad Request: chat not found")
    (told,) = await bot.hears(message("/chats", OWNER))
    assert f"Cats (@cats)\n{GROUP} · Jan 1, 1970" in told
    assert told.count(ENGLISH.away["kicked"]) == 1
    assert len(bot.telegram.of("getChatMemberCount")) == 1


async def test_a_forum_has_topics(bot: Bot) -> None:
    """What was said in them counts."""
    topic = {"message_thread_id": 7, "is_topic_message": True}
    forum = {"id": GROUP, "type": "supergroup", "title": "Forum", "is_forum": True}
    await bot.hears(message("@demo_bot hi", ANN, GROUP, chat=forum))
    await bot.hears(message("@demo_bot " + "hi" * 1500, ANN, GROUP, chat=forum, **topic))
    await bot.redis.rpush(keys.history(bot.id, ChatKey(GROUP, 7)).encode() + b"\xff", "x")
    (told,) = await bot.hears(message("/chats", OWNER))
    assert told.endswith("messages: 4 · 7 KB")


@pytest.mark.parametrize("where", ["field", "value", "used", "declined", "access"])
async def test_what_is_no_text_in_the_registry(redis: Redis, where: str) -> None:
    """Another program put it there; it goes as soon as somebody looks, and nothing else does."""
    cats = ChatRecord("Cats", "supergroup", "cats")
    expected = {
        "/chats": f"Cats (@cats)\n{GROUP}",
        "/reset @cats": ENGLISH.other_chat_forgotten.format(chat=GROUP),
        "/say News!": ENGLISH.audiences["groups"],
    }
    async with running(redis, Access({OWNER}, set(), set()), paced=False) as bot:
        bot.telegram.results["getChatMemberCount"] = 12
        bot.telegram.refusals["getChat"].append("Bad Request: chat not found")
        await redis.hset(keys.chats(bot.id), str(GROUP), str(cats))
        await redis.zadd(keys.used(bot.id), {str(GROUP): 1})
        for look, found in expected.items():
            if where in ("used", "declined"):
                await redis.zadd(getattr(keys, where)(bot.id), {b"5\xff": 2})
            else:
                odd: Any = {"5": b"\xff"} if where == "value" else {b"5\xff": str(cats)}
                key = keys.access if where == "access" else keys.chats
                await redis.hset(key(bot.id), mapping=odd)
            assert found in (await bot.hears(message(look, OWNER)))[-1]


async def test_many_chats(bot: Bot) -> None:
    """They come on pages, which take each other's place."""
    for number in range(2 * owners.CHATS_A_PAGE + 1):
        await bot.redis.hset(keys.chats(bot.id), str(number + 1), str(ChatRecord(f"N{number}")))
        await bot.redis.zadd(keys.used(bot.id), {str(number + 1): number})
    await bot.hears(message("/chats", OWNER))
    assert under(bot) == {"›": "chats:1"}
    (second,) = await pressed(bot, "›")
    assert bot.telegram.of("editMessageText")[-1][1]["message_id"] == 5
    assert f"N{owners.CHATS_A_PAGE}\n" in second
    assert under(bot) == {"‹": "chats:0", "›": "chats:2"}
    (third,) = await pressed(bot, "›")
    assert third.startswith(ENGLISH.chats.format(total=18, page=3, pages=3))
    assert under(bot) == {"‹": "chats:1"}
    for page in (99, 10**19 - 1):
        (beyond,) = await bot.hears(press(f"chats:{page}", said("", OWNER, message_id=5), OWNER))
        assert beyond == third
    assert await bot.hears(press(f"dead:{10**19 - 1}", said("", OWNER, message_id=5), OWNER)) == [
        ENGLISH.no_dead
    ]


# --- /status


async def test_status(bot: Bot) -> None:
    """Whether all is well, who waits, how fast the model is, what is dead."""
    await bot.letters.add("{}", "odd")
    (told,) = await bot.hears(message("/status", OWNER))
    assert told.split("\n\n") == [
        ENGLISH.status_ready,
        ENGLISH.status_lanes.format(waiting=0, oldest=0, in_work=1, frozen=0),
        ENGLISH.status_no_speed,
        ENGLISH.status_dead.format(number=1),
    ]
    bot.problems, bot.speed = ["storage: away"], Speed(0.52, 2.0, 7)
    (told,) = await bot.hears(message("/status", OWNER))
    assert told.startswith(f"{ENGLISH.status_problems}\n• storage: away\n\n")
    assert ENGLISH.status_speed.format(first="0.5", whole="2", number=7) in told


# --- /dead


def dropping(number: int) -> str:
    """The button that deletes a letter."""
    return ENGLISH.button_drop.format(number=number)


def replaying(number: int) -> str:
    """The button that has it answered after all."""
    return ENGLISH.button_replay.format(number=number)


async def test_dead_letters(bot: Bot) -> None:
    """Each can be answered after all, or deleted; what was said is not shown."""
    for number in range(owners.LETTERS_A_PAGE):
        update = {"update_id": number, **message(f"secret {number}", ANN)}
        await bot.letters.add(json.dumps(update), f"failed {number}")
    await bot.letters.add("{}", "no chat")
    (told,) = await bot.hears(message("/dead", OWNER))
    assert f"1. {ENGLISH.dead_chat.format(chat=ANN)}: failed 0" in told
    assert "secret" not in told
    (told,) = await pressed(bot, "›")
    assert f"5. {ENGLISH.dead_nowhere}: no chat" in told
    assert [*under(bot)] == [dropping(5), "‹"]
    (told,) = await pressed(bot, dropping(5))  # the page is gone with its last letter
    assert told.startswith(ENGLISH.dead.format(total=4, page=1, pages=1))
    heard = await pressed(bot, replaying(2))
    assert heard[0].startswith(ENGLISH.dead.format(total=3, page=1, pages=1))
    assert heard[1] == "echo: secret 1"
    for left in (2, 1):
        (told,) = await pressed(bot, dropping(1))
        assert told.startswith(ENGLISH.dead.format(total=left, page=1, pages=1))
    (told,) = await pressed(bot, dropping(1))
    assert told == ENGLISH.no_dead
    assert under(bot) == {}


async def test_a_dead_letter_pressed_twice(bot: Bot) -> None:
    """The second press finds it gone, whoever else it is that waits there now."""
    for number in range(2):
        await bot.letters.add(json.dumps({"update_id": 1, **message("one", ANN)}), str(number))
    await bot.hears(message("/dead", OWNER))
    again = press(under(bot)[replaying(1)], said("", OWNER, message_id=5), OWNER)
    await bot.hears(again)
    await bot.hears(again)
    assert len(bot.model.asked) == 1
    assert [letter.reason for letter in await bot.letters.all()] == ["1"]


# --- /reset of others


@pytest.mark.parametrize("known_to", ["telegram", "registry", "nobody"])
async def test_a_group_is_reset_by_its_name(bot: Bot, known_to: str) -> None:
    """Telegram says whose name it is; if it does not, the registry may."""
    await bot.hears(message("@demo_bot hi", ANN, GROUP))
    if known_to == "telegram":
        bot.telegram.results["getChat"] = {"id": GROUP}
    else:
        bot.telegram.refusals["getChat"].append("Bad Request: chat not found")
    if known_to == "registry":
        record = ChatRecord("Cats", "supergroup", "Cats")
        await bot.redis.hset(keys.chats(bot.id), str(GROUP), str(record))
    (told,) = await bot.hears(message("/reset @cats", OWNER))
    forgotten = ENGLISH.other_chat_forgotten.format(chat=GROUP)
    unknown = ENGLISH.no_such_chat.format(name="@cats")
    assert told == (unknown if known_to == "nobody" else forgotten)
    assert bool(await bot.remembers(GROUP)) == (known_to == "nobody")
    assert bot.telegram.of("getChat")[0][1] == {"chat_id": "@cats"}


async def test_all_are_reset(bot: Bot) -> None:
    """Once it is confirmed; each can be brought back, and the button serves once."""
    topic = {"message_thread_id": 7, "is_topic_message": True}
    await bot.hears(message("one", ANN))
    await bot.hears(message("@demo_bot two", ANN, GROUP, **topic))
    (asked,) = await bot.hears(message("/reset all", OWNER))
    assert asked == ENGLISH.reset_all.format(number=3)  # the owner's own waits, too
    assert await bot.remembers() == ["one", "echo: one"]
    yes = under(bot)[ENGLISH.button_reset_all]
    told = await bot.hears(press(yes, said("", OWNER, message_id=5), OWNER))
    assert told[-1] == ENGLISH.all_forgotten.format(number=3)
    assert await bot.remembers() == []
    assert not await bot.redis.exists(keys.history(bot.id, ChatKey(GROUP, 7)))
    assert await bot.hears(message("/undo", ANN)) == [ENGLISH.restored]
    assert await bot.hears(press(yes, said("", OWNER, message_id=5), OWNER)) == []
    assert toasts(bot)[-1] == ENGLISH.reset_all_is_over
    assert await bot.remembers() == ["one", "echo: one"]


async def test_only_the_newest_confirmation_is_valid(bot: Bot) -> None:
    """Not an older one, nor one that nobody was given, nor one that has expired."""
    await bot.hears(message("one", ANN))
    await bot.hears(message("/reset all", OWNER))
    old = under(bot)[ENGLISH.button_reset_all]
    await bot.hears(message("/reset all", OWNER))
    new = under(bot)[ENGLISH.button_reset_all]
    assert 0 < await bot.redis.ttl(keys.offered(bot.id, ChatKey(OWNER))) <= 300
    for data in (old, "everything:0", "everything:7:7"):
        assert await bot.hears(press(data, said("", OWNER, message_id=5), OWNER)) == []
    await bot.redis.delete(keys.offered(bot.id, ChatKey(OWNER)))
    assert await bot.hears(press(new, said("", OWNER, message_id=5), OWNER)) == []
    assert toasts(bot) == [ENGLISH.reset_all_is_over] * 4
    assert await bot.remembers() == ["one", "echo: one"]


async def test_an_answer_in_work_is_not_kept(bot: Bot) -> None:
    """What was asked before the reset stays out of the history after it."""
    claim, turn = await bot.begins(message("one", ANN))
    await deals(bot, message("/reset all", OWNER))
    yes = under(bot)[ENGLISH.button_reset_all]
    await deals(bot, press(yes, said("", OWNER, message_id=5), OWNER))
    await bot.dispatch.handle((await bot.inbox.open(claim)).head.update, turn)
    assert bot.telegram.said()[-1] == "echo: one"
    assert await bot.remembers() == []


async def deals(bot: Bot, update: dict[str, Any]) -> None:
    """Deal with an update while another is in work."""
    claim, turn = await bot.begins(update)
    await bot.dispatch.handle((await bot.inbox.open(claim)).head.update, turn)
    await bot.inbox.done(claim)


async def test_a_reset_of_all_goes_on_after_a_death(bot: Bot) -> None:
    """Chats that were reset before it, and went on since, are not reset again."""
    chats = [ChatKey(1000 + place) for place in range(2 * STEP)]
    entry = '{"role": "user", "text": "x"}'
    for chat in chats:
        await bot.redis.rpush(keys.history(bot.id, chat), entry, entry)
    await bot.hears(message("/reset all", OWNER))
    bot.telegram.refusals["editMessageText"] += [Death()]
    with pytest.raises(Death):  # while it shows how far it is
        await pressed(bot, ENGLISH.button_reset_all)
    left = {ChatKey.parse(str(chat)) for chat in await bot.redis.smembers(keys.resetting(bot.id))}
    assert 0 < len(left) < len(chats)
    gone = next(chat for chat in chats if chat not in left)
    await bot.redis.rpush(keys.history(bot.id, gone), entry, entry)
    await bot.redis.delete(keys.offered(bot.id, ChatKey(OWNER)))
    (claim,) = await bot.inbox.mine([])
    opened = await bot.inbox.open(claim, 1000)
    await bot.dispatch.handle(opened.head.update, Turn(bot.inbox, claim, opened))
    assert bot.telegram.said()[-1] == ENGLISH.all_forgotten.format(number=len(chats) + 1)
    for chat in chats:
        assert await bot.redis.exists(keys.history(bot.id, chat)) == (chat == gone), chat
        assert await bot.redis.get(keys.epoch(bot.id, chat)) == "1"


async def test_how_far_a_reset_of_all_is(redis: Redis) -> None:
    """The message says so while it changes, as often as there is room for that."""
    async with running(redis, Access({OWNER}, set(), set()), paced=False) as bot:
        for place in range(2 * STEP):
            await bot.redis.rpush(keys.history(bot.id, ChatKey(1000 + place)), "{}", "{}")
        await bot.hears(message("/reset all", OWNER))
        told = await pressed(bot, ENGLISH.button_reset_all)
    total = 2 * STEP + 1
    assert told == [
        ENGLISH.resetting_all.format(done=STEP, total=total),
        ENGLISH.resetting_all.format(done=2 * STEP, total=total),
        ENGLISH.all_forgotten.format(number=total),
    ]


# --- who is no owner

ODD: list[dict[str, Any]] = [
    {"forward_origin": {"type": "user", "date": 1, "sender_user": person(OWNER)}},
    {"sender_chat": {"id": OWNER, "type": "private", "first_name": "x"}},
    {"via_bot": person(OWNER, is_bot=True)},
    {"from": person(BORIS, username="owner", first_name=f"User {OWNER}")},
    {"from": person(BORIS), "reply_to_message": said("yes", OWNER)},
    {"from": None},
]


@pytest.mark.slow
@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("kind", ["message", "edited_message"])
async def test_who_only_looks_like_an_owner(redis: Redis, kind: str, odd: dict[str, Any]) -> None:
    """Whatever else a message is or brings, only its author counts."""
    async with running(redis, Access({OWNER}, set(), set()), paced=False) as bot:
        await looks_like_an_owner(bot, kind, odd)


async def looks_like_an_owner(bot: Bot, kind: str, odd: dict[str, Any]) -> None:
    """Let somebody try all that is only an owner's."""
    for text in (
        "/reset all",
        "/chats",
        f"/reset {ANN}",
        "/reset @cats",
        "/dead",
        "/status",
        "/say x",
    ):
        heard = await bot.hears({kind: said(text, BORIS) | odd})
        others = {ENGLISH.for_owners, ENGLISH.reset_other_is_for_owners}
        assert all(told in others or told.startswith("echo") for told in heard), text
    assert not await bot.redis.exists(keys.offered(bot.id, ChatKey(BORIS)))


@pytest.mark.parametrize(
    ("who", "where"), [(BORIS, OWNER), (BORIS, BORIS), (BORIS, GROUP), (OWNER, GROUP)]
)
async def test_a_forged_press(bot: Bot, who: int, where: int) -> None:
    """Only an owner's, and only in their own chat, does anything."""
    await bot.hears(message("one", ANN))
    await bot.letters.add(json.dumps({"update_id": 1, **message("two", ANN)}), "failed")
    (letter,) = await bot.letters.all()
    await bot.hears(message("/reset all", OWNER))
    yes = under(bot)[ENGLISH.button_reset_all]
    for data in (yes, f"drop:{letter.number}", f"replay:{letter.number}", "chats:0", "dead:0"):
        await bot.hears(press(data, said("", where, where, message_id=5), who))
    assert await bot.remembers() == ["one", "echo: one"]
    if where == GROUP or who == BORIS:
        assert len(await bot.letters.all()) == 1
        assert set(toasts(bot)) == {ENGLISH.for_owners if who == BORIS else ENGLISH.only_in_private}


# --- menus


def menus(bot: Bot) -> dict[tuple[str, Any, str], list[str]]:
    """The menus set so far, by scope, chat and language."""
    found = {}
    for _, given in bot.telegram.of("setMyCommands"):
        scope = given["scope"]
        names = [command["command"] for command in given["commands"]]
        found[scope["type"], scope.get("chat_id"), given.get("language_code", "")] = names
    return found


async def test_each_place_has_its_menu(bot: Bot) -> None:
    """Private chats, groups, their admins, each owner's chat; in each language."""
    assert (
        await publish(bot.application.bot, {OWNER}, OwnersMenus(bot.redis, bot.id), "ru") == set()
    )
    places = {
        "all_private_chats": Menu.PRIVATE,
        "all_group_chats": Menu.GROUP,
        "all_chat_administrators": Menu.ADMINS,
        "chat": Menu.OWNER,
    }
    assert menus(bot) == {
        (scope, OWNER if scope == "chat" else None, language): list(menu(texts, where))
        for scope, where in places.items()
        for language, texts in (("", RUSSIAN), ("en", ENGLISH), ("ru", RUSSIAN))
    }
    cleared = [
        (given.get("scope"), given.get("language_code", ""))
        for _, given in bot.telegram.of("deleteMyCommands")
    ]
    assert cleared == [(None, ""), (None, "en"), (None, "ru")]


async def test_an_owner_who_never_wrote(bot: Bot) -> None:
    """Telegram knows no chat with them; their menu is set when they first write."""
    # What a place for all refuses is no owner's affair.
    bot.telegram.refusals["setMyCommands"] += ["Bad Request: chat not found"] * 10
    bot.menuless |= await publish(bot.application.bot, {OWNER}, OwnersMenus(bot.redis, bot.id))
    assert bot.menuless == {OWNER}
    bot.telegram.calls.clear()
    await bot.hears(message("hi", ANN))
    assert menus(bot) == {}
    await bot.hears(message("hi", OWNER))
    assert {key[:2] for key in menus(bot)} == {("chat", OWNER)}
    bot.telegram.calls.clear()
    await bot.hears(message("hi", OWNER))
    assert menus(bot) == {}


async def test_a_former_owner(bot: Bot) -> None:
    """Their menu is taken back at the next start, once; if that fails, at the one after it."""
    noted = OwnersMenus(bot.redis, bot.id)
    assert await publish(bot.application.bot, {OWNER, ANN}, noted) == set()

    async def taken() -> list[int]:
        bot.telegram.calls.clear()
        await publish(bot.application.bot, {OWNER}, noted)
        scopes = [given.get("scope") for _, given in bot.telegram.of("deleteMyCommands")]
        read = (json.loads(one) if isinstance(one, str) else one for one in scopes if one)
        return [one["chat_id"] for one in read]

    bot.telegram.refusals["deleteMyCommands"] += [None] * 3 + ["Internal Server Error"]
    assert await taken() == [ANN]
    assert await taken() == [ANN] * 3  # with the other languages
    assert await taken() == []
    await noted.add(ANN)
    bot.telegram.refusals["deleteMyCommands"] += [None] * 3 + ["Bad Request: chat not found"]
    assert await taken() == [ANN]  # who is gone has none
    assert await taken() == []


async def test_former_owners_hold_nobody_up(bot: Bot) -> None:
    """Where Telegram is slow, no start waits for one of them after another."""
    noted, gates = OwnersMenus(bot.redis, bot.id), bot.telegram.gates
    for former in (ANN, BORIS):
        await noted.add(former)
    first, others = asyncio.Event(), asyncio.Event()
    gates["deleteMyCommands"] = first
    start = asyncio.create_task(publish(bot.application.bot, {OWNER}, noted))
    everywhere = len(await bot.telegram.until(3, "deleteMyCommands"))
    gates["deleteMyCommands"] = others
    first.set()
    await bot.telegram.until(everywhere + 2, "deleteMyCommands")
    await bot.telegram.until(4 * everywhere, "setMyCommands")
    others.set()
    assert await start == set()


async def test_menus_while_storage_is_away(bot: Bot) -> None:
    """They are set all the same."""
    nowhere = connect("redis://127.0.0.1:1", connections=1)
    noted = OwnersMenus(nowhere, bot.id)
    assert await publish(bot.application.bot, {OWNER}, noted) == set()
    assert {key[:2] for key in menus(bot)} >= {("chat", OWNER)}
    await noted.remove(OWNER)
    await nowhere.aclose()


async def test_menus_while_storage_is_odd(bot: Bot) -> None:
    """What another program has put there harms no start."""
    await bot.redis.set(keys.menus(bot.id), "odd")
    noted = OwnersMenus(bot.redis, bot.id)
    assert await publish(bot.application.bot, {OWNER}, noted) == set()
    await bot.redis.zadd(keys.menus(bot.id), {"odd": 1})
    assert await noted.chats() == {OWNER}
