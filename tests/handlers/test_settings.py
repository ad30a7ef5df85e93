"""What a chat chooses for itself: conversations about it, and with those who may not."""

import json
import random
from collections.abc import AsyncIterator
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis
from telegram.error import RetryAfter

from handlers.incoming.access import Access
from handlers.incoming.addressing import ANONYMOUS_ADMIN
from handlers.texts import ENGLISH, RUSSIAN
from handlers.turn.press import Choice
from handlers.turn.reply import Reply
from handlers.turn.turn import Turn
from storage import keys
from storage.arrivals import Arrival
from storage.change import Change
from storage.chat_settings import MOST_PROMPT
from storage.message import ChatKey
from tests.conftest import ANN, BORIS, GROUP
from tests.handlers.bot import (
    PERSONAS,
    SUPERGROUP,
    Bot,
    message,
    person,
    press,
    running,
    said,
)

OWNER, TOPIC = 103, 7
IN_TOPIC = {"message_thread_id": TOPIC, "is_topic_message": True}


class Talk:
    """What a test's people do; presses are found by what is on the buttons."""

    def __init__(self, bot: Bot) -> None:
        self.bot = bot

    async def writes(self, who: int, text: str, where: int | None = None, **more: Any) -> list[str]:
        """Let somebody write; gives what the bot says to it."""
        return await self.bot.hears(message(text, who, where, **more))

    def keyboard(self) -> dict[str, str]:
        """What is on the buttons of the last message, and what they do."""
        sent = [given for _, given in self.bot.telegram.of("sendMessage", "editMessageText")]
        markup = next(given["reply_markup"] for given in reversed(sent) if "reply_markup" in given)
        rows = json.loads(markup) if isinstance(markup, str) else markup
        return {
            key["text"]: key.get("callback_data") or key["url"]
            for row in rows["inline_keyboard"]
            for key in row
        }

    async def presses(self, who: int, label: str, where: int | None = None) -> str:
        """Let somebody press the button of the last message that has this label; the toast."""
        return await self.sends(who, self.data(label), where)

    def data(self, label: str) -> str:
        """What the button that begins with this does."""
        found = self.keyboard()
        return next(data for text, data in found.items() if text.lstrip("● ").startswith(label))

    async def sends(self, who: int, data: str, where: int | None = None, **more: Any) -> str:
        """Let somebody press a button with this data, made or forged."""
        self.bot.telegram.calls.clear()
        under = said("menu", 9, who if where is None else where, message_id=4, **more)
        await self.bot.hears(press(data, under | {"from": person(9, is_bot=True)}, who))
        return next(
            (given.get("text", "") for _, given in self.bot.telegram.of("answerCallbackQuery")), ""
        )

    async def goes_on(self) -> None:
        """Let another process go on with what was in work."""
        (claim,) = await self.bot.inbox.mine([])
        found = await self.bot.inbox.open(claim)
        turn = Turn(self.bot.inbox, claim, found)
        await self.bot.dispatch.handle(found.head.update, turn)
        await self.bot.inbox.done(claim, answer_ids=turn.answer_ids)
        await self.bot._work()

    async def chosen(self, chat: int, topic: int = 0) -> dict[str, str]:
        """What a chat has chosen, but for the version."""
        found = await self.bot.redis.hgetall(keys.settings(self.bot.id, ChatKey(chat, topic)))
        return {str(name): str(value) for name, value in found.items() if name != "version"}

    def told(self, chat: int) -> list[str]:
        """What was said in a chat since the last press."""
        sent = self.bot.telegram.of("sendMessage")
        return [given["text"] for _, given in sent if given["chat_id"] == chat]


@pytest.fixture
async def talk(redis: Redis) -> AsyncIterator[Talk]:
    """A bot with an owner; Ann is the group's admin."""
    async with running(redis, Access({OWNER}, set(), set()), paced=False) as bot:
        bot.telegram.members[ANN] = "administrator"
        yield Talk(bot)


async def opened(talk: Talk, who: int = ANN, chat: str = str(GROUP)) -> list[str]:
    """Let somebody open a group's settings by its link."""
    return await talk.writes(who, f"/start settings_{chat}")


async def test_a_title_that_is_too_much_to_ask(talk: Talk) -> None:
    """The menu opens all the same, with the group's id."""
    talk.bot.telegram.refusals["getChat"].append(RetryAfter(60))
    (menu,) = await talk.writes(ANN, f"/start settings_{GROUP}")
    assert menu.startswith(ENGLISH.settings_of_group.format(title=GROUP))


HOSTILE = "\u202eBad\u2066\u200b name\u202c"
"""A name that turns the direction of writing; of it, "Bad name" is seen."""


async def test_names_turn_nothing(talk: Talk) -> None:
    """Whatever a person or a group is called, what the bot says around that reads as it is."""
    talk.bot.telegram.results["getChat"] = {"id": GROUP, "type": "supergroup", "title": HOSTILE}
    named: dict[str, Any] = {"from": person(ANN, first_name=HOSTILE)}

    async def press_as_she_is_called(label: str, where: int) -> None:
        under = said("menu", 9, where, message_id=4) | {"from": person(9, is_bot=True)}
        update = press(talk.data(label), under)
        update["callback_query"] |= named
        talk.bot.telegram.calls.clear()
        await talk.bot.hears(update)

    (menu,) = await talk.writes(ANN, f"/start settings_{GROUP}", **named)
    assert menu.startswith(ENGLISH.settings_of_group.format(title="Bad name"))
    for label in (ENGLISH.setting_reset, ENGLISH.reset_everybody):
        await press_as_she_is_called(label, ANN)
    (notice,) = talk.told(GROUP)
    assert notice.startswith(ENGLISH.settings_changed.format(name="Bad name"))
    await talk.writes(ANN, "/persona@demo_bot", GROUP)
    await press_as_she_is_called("Editor", GROUP)
    changed = [given["text"] for _, given in talk.bot.telegram.of("editMessageText")]
    assert changed[-1].startswith(notice.partition(" May ")[0])
    named["from"]["first_name"] = "\u3164"
    await talk.writes(ANN, "/persona@demo_bot", GROUP)
    await press_as_she_is_called("Tutor", GROUP)
    changed = [given["text"] for _, given in talk.bot.telegram.of("editMessageText")]
    assert changed[-1].startswith(ENGLISH.settings_changed.format(name=ANN))


# -- One's own chat


async def test_a_menu_of_one_message(talk: Talk) -> None:
    """Ann sets up her chat; the one menu is edited, and the next answer is as she wished."""
    (told,) = await talk.writes(ANN, "/settings")
    assert told == f"{ENGLISH.settings_of_chat}\n\n{ENGLISH.settings_hint}"
    assert "Temperature: 0.6" in talk.keyboard()
    assert not any(label.startswith("May reset") for label in talk.keyboard())  # she is alone here
    assert await talk.presses(ANN, "Temperature") == ""
    assert talk.bot.telegram.said() == [f"Temperature: 0.6\n\n{ENGLISH.setting_temperature_about}"]
    assert [*talk.keyboard()] == ["0", "0.3", "● 0.6", "1", ENGLISH.setting_back]
    assert await talk.presses(ANN, "0.3") == ENGLISH.settings_saved
    assert not talk.bot.telegram.of("getChatMember")  # nobody else is there
    assert "Temperature: 0.3" in talk.keyboard()
    for label, value in (("Longest", "500"), ("Buttons", "off"), ("Language", "Русский")):
        await talk.presses(ANN, label)
        await talk.presses(ANN, value)
    assert f"{RUSSIAN.setting_language}: Русский" in talk.keyboard()
    assert talk.bot.telegram.of("sendMessage") == []
    assert await talk.chosen(ANN) == {
        "temperature": "0.3", "length": "500", "buttons": "off", "language": "ru",
    }  # fmt: skip
    await talk.writes(ANN, "hi")
    profile, _ = talk.bot.model.profiles[-1]
    assert (profile.temperature, profile.max_tokens) == (0.3, 500)
    assert talk.bot.telegram.calls[-1][1].get("reply_markup") is None
    assert await talk.writes(ANN, "/stop") == [RUSSIAN.stopped]


async def test_back_to_the_owners(talk: Talk) -> None:
    """What is unset follows the owner again, whatever that is by then."""
    await talk.writes(ANN, "/settings")
    await talk.presses(ANN, "Temperature")
    await talk.presses(ANN, "1")
    await talk.presses(ANN, "Temperature")
    assert await talk.presses(ANN, ENGLISH.setting_default) == ENGLISH.settings_saved
    assert await talk.chosen(ANN) == {}
    await talk.writes(ANN, "hi")
    assert talk.bot.model.profiles[-1][0] == talk.bot.profile


async def test_the_owner_bounds_the_length(talk: Talk) -> None:
    """More than that is neither offered nor taken, and one chosen before is cut."""
    await talk.writes(ANN, "/settings")
    await talk.presses(ANN, "Longest")
    assert "4,000 tokens" not in talk.keyboard()
    data = talk.data("1,000").replace("1000", "4000")
    assert await talk.sends(ANN, data) == ENGLISH.old_button
    await talk.bot.redis.hset(keys.settings(talk.bot.id, ChatKey(ANN)), "length", "4000")
    await talk.writes(ANN, "hi")
    assert talk.bot.model.profiles[-1][0].max_tokens == 2000


async def test_an_old_menu(talk: Talk) -> None:
    """A press on it changes nothing, says so, and draws it anew; that one works."""
    await talk.writes(ANN, "/settings")
    await talk.presses(ANN, "Temperature")
    old = talk.data("0.3")
    await talk.presses(ANN, "1")
    assert await talk.sends(ANN, old) == ENGLISH.settings_outdated
    assert await talk.chosen(ANN) == {"temperature": "1"}
    await talk.presses(ANN, ENGLISH.setting_back)
    await talk.presses(ANN, "Temperature")
    await talk.presses(ANN, "0.3")
    assert await talk.chosen(ANN) == {"temperature": "0.3"}


@pytest.mark.parametrize("name", ["set", "be", "clear"])
async def test_odd_data(talk: Talk, name: str) -> None:
    """No button of ours has it."""
    for data in ("", ":", ":0", ":0:x:y:1:2:3", ":0:temperature:0.3:one", ":0::?:007"):
        assert await talk.sends(ANN, name + data) == ENGLISH.old_button, data


async def test_what_no_menu_offers(talk: Talk) -> None:
    """A forged press chooses nothing that a menu does not offer there."""
    offered = ("temperature", "0.31"), ("model", "x"), ("prompt", "x"), ("reset", "everybody")
    for name, (setting, value) in product(("set", "be", "clear"), (*offered, ("", "1"))):
        data = str(Choice(name, ChatKey(ANN), 0, setting, value))
        assert await talk.sends(ANN, data) == ENGLISH.old_button, data
    assert await talk.chosen(ANN) == {}


async def test_odd_questions(talk: Talk) -> None:
    """Nobody has such first questions."""
    for data in ("ask:nobody:en:0", "ask:tutor:en:3", "ask:tutor", "ask:tutor:en:0:1"):
        assert await talk.sends(ANN, data) == ENGLISH.old_button
    assert talk.bot.model.asked == []


# -- A group's


async def test_a_group_stays_quiet(talk: Talk) -> None:
    """Its admin gets a link there, sets it up in private, and the group hears one line of it."""
    (told,) = await talk.writes(ANN, "/settings@demo_bot", GROUP)
    assert told == ENGLISH.settings_in_private
    link = talk.keyboard()[ENGLISH.settings_button]
    assert link == f"https://t.me/demo_bot?start=settings_{GROUP}"
    (told,) = await talk.writes(ANN, "/start " + link.partition("start=")[2])
    assert told.startswith(ENGLISH.settings_of_group.format(title="Group"))
    await talk.presses(ANN, "May reset")
    assert await talk.presses(ANN, "everybody") == ENGLISH.settings_saved
    name = f"User {ANN}"
    assert talk.told(GROUP) == [
        f"{ENGLISH.settings_changed.format(name=name)} May reset: everybody."
    ]
    assert await talk.chosen(GROUP) == {"reset": "everybody"}
    assert await talk.chosen(ANN) == {}
    await talk.writes(BORIS, "@demo_bot one", GROUP)
    assert await talk.writes(BORIS, "/reset@demo_bot", GROUP) == [ENGLISH.forgotten]


async def test_settings_are_for_admins(talk: Talk) -> None:
    """Others get neither the link nor the menu by it, nor anything by their own words."""
    for text in (
        "/settings",
        "/persona",
        "/prompt be rude",
        "/prompt",
        "/name Alice",
        "/name clear",
    ):
        command, _, behind = text.partition(" ")
        told = await talk.writes(BORIS, f"{command}@demo_bot {behind}".strip(), GROUP)
        assert told == [ENGLISH.settings_are_for_admins], text
    assert await opened(talk, BORIS) == [ENGLISH.settings_are_for_admins]
    assert await talk.chosen(GROUP) == {}


async def test_an_admin_demoted_a_second_ago(talk: Talk) -> None:
    """The menu is still open; a press in it is refused, and so is a page."""
    await opened(talk)
    await talk.presses(ANN, "May reset")
    data, back = talk.data("everybody"), talk.data(ENGLISH.setting_back)
    talk.bot.telegram.members[ANN] = "member"
    for one in (data, back):
        assert await talk.sends(ANN, one) == ENGLISH.settings_are_for_admins
        assert talk.bot.telegram.said() == []
    assert await talk.chosen(GROUP) == {}


FORGED = {"set": ("temperature", "1"), "be": ("persona", "tutor"), "clear": ("prompt", "")}


@pytest.mark.parametrize("name", FORGED)
async def test_a_forged_press(talk: Talk, name: str) -> None:
    """With another chat's id, from a private chat or from a group, Boris chooses nothing."""
    for chat in (ChatKey(ANN), ChatKey(GROUP), ChatKey(GROUP, TOPIC), ChatKey(-501)):
        await talk.bot.redis.hset(keys.settings(talk.bot.id, chat), "prompt", "mine")
        for where in (BORIS, GROUP, -502):
            data = str(Choice(name, chat, 0, *FORGED[name]))
            assert await talk.sends(BORIS, data, where) == ENGLISH.settings_are_for_admins
        assert await talk.chosen(chat.chat_id, chat.topic_id) == {"prompt": "mine"}


ODD_SENDERS: tuple[dict[str, Any], ...] = (
    {},
    {"from": person(BORIS, first_name=f"User {ANN}", username="demo_bot")},
    {
        "from": person(ANONYMOUS_ADMIN, is_bot=True),
        "sender_chat": {"id": -501, "type": "supergroup"},
    },
    {"sender_chat": {"id": -1009, "type": "channel", "title": "x"}},
    {"via_bot": person(9, is_bot=True)},
    {"forward_origin": {"type": "user", "date": 1, "sender_user": person(ANN)}},
    {"reply_to_message": said("/settings", ANN, GROUP)},
    {"caption": "/prompt@demo_bot Be rude.", "text": None},
    IN_TOPIC,
)
WORDS = ("/prompt Be rude.", "/prompt clear", "/name x", "/persona", "/settings")


@pytest.mark.slow
async def test_nobody_else_has_a_say(talk: Talk) -> None:
    """Whatever Boris sends or presses, wherever, under whatever name: it is none of his."""
    chance, bot = random.Random(14), talk.bot
    mine = [ChatKey(GROUP), ChatKey(GROUP, TOPIC), ChatKey(ANN), ChatKey(-501)]
    for _ in range(60):
        where, odd = chance.choice([GROUP, -501, BORIS]), chance.choice(ODD_SENDERS)
        if chance.random() < 0.5:
            name, (setting, value) = chance.choice([*FORGED.items()])
            data = str(Choice(name, chance.choice(mine), chance.randrange(2), setting, value))
            await bot.hears(press(data, said("menu", BORIS, where) | odd, BORIS))
        else:
            deep = f"/start settings_{chance.choice(mine)}".replace(":", "_")
            text = chance.choice([*WORDS, deep])
            sent = said(text, BORIS, where) | odd
            kind = chance.choice(["message", "edited_message"])
            await bot.hears({kind: {field: one for field, one in sent.items() if one is not None}})
    for chat in mine:
        assert not await bot.redis.exists(keys.settings(bot.id, chat)), chat


async def test_a_press_in_a_private_chat_of_another(talk: Talk) -> None:
    """Telegram brings none, but who would be there has no say."""
    data = str(Choice("set", ChatKey(ANN), 0, "temperature", "1"))
    assert await talk.sends(BORIS, data, ANN) == ENGLISH.settings_are_for_admins


async def test_an_admin_of_one_group_rules_no_other(talk: Talk) -> None:
    """From the chat of one group, a press chooses nothing for another."""
    data = str(Choice("set", ChatKey(-501), 0, "temperature", "1"))
    assert await talk.sends(ANN, data, GROUP) == ENGLISH.settings_are_for_admins
    assert await talk.chosen(-501) == {}


async def test_a_channels_direct_messages(talk: Talk) -> None:
    """Each person there sets up their own conversation, and no other's."""
    direct = -1_000_000_000_900
    more: dict[str, Any] = {"direct_messages_topic": {"topic_id": 8}}
    for topic, toast in ((7, ENGLISH.settings_are_for_admins), (8, ENGLISH.settings_saved)):
        data = str(Choice("set", ChatKey(direct, topic), 0, "temperature", "1"))
        assert await talk.sends(BORIS, data, direct, **more) == toast
    assert await talk.chosen(direct, 7) == {}


async def test_an_owner_sets_up_any_group(talk: Talk) -> None:
    """As an owner may do everything in it; a person's own chat is theirs all the same."""
    await opened(talk, OWNER)
    await talk.presses(OWNER, "May reset")
    assert await talk.presses(OWNER, "everybody") == ENGLISH.settings_saved
    data = str(Choice("set", ChatKey(ANN), 0, "temperature", "1"))
    assert await talk.sends(OWNER, data) == ENGLISH.settings_are_for_admins


async def test_an_anonymous_admin(talk: Talk) -> None:
    """Gets the link, and gives instructions, as an admin of the group."""
    group = {"id": GROUP, "type": "supergroup", "title": "x"}
    anonymous = {"from": person(ANONYMOUS_ADMIN, is_bot=True), "sender_chat": group}
    told = await talk.writes(ANN, "/settings@demo_bot", GROUP, **anonymous)
    assert told == [ENGLISH.settings_in_private]
    await talk.writes(ANN, "/prompt@demo_bot Be kind.", GROUP, **anonymous)
    assert await talk.chosen(GROUP) == {"prompt": "Be kind."}


async def test_two_admins_at_once(talk: Talk) -> None:
    """Boris changes something between Ann's look and her press: hers is an old menu's."""
    talk.bot.telegram.members[BORIS] = "administrator"
    await opened(talk)
    await talk.presses(ANN, "May reset")
    data = talk.data("everybody")
    await opened(talk, BORIS)
    await talk.presses(BORIS, "I hear")
    await talk.presses(BORIS, "the last 20 messages")
    assert await talk.sends(ANN, data) == ENGLISH.settings_outdated
    assert await talk.chosen(GROUP) == {"hears": "20"}


async def test_between_look_and_change(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another's change in the last moment is kept, and the menu shows it."""
    await opened(talk)
    await talk.presses(ANN, "May reset")
    key = keys.settings(talk.bot.id, ChatKey(GROUP))

    async def governs(*_: Any) -> bool:
        await talk.bot.redis.hset(key, mapping={"version": 1, "hears": "20"})
        return True

    monkeypatch.setattr(Access, "governs", governs)
    assert await talk.presses(ANN, "everybody") == ENGLISH.settings_outdated
    assert await talk.chosen(GROUP) == {"hears": "20"}
    assert talk.told(GROUP) == []
    await talk.presses(ANN, ENGLISH.setting_back)
    assert "I hear: the last 20 messages" in talk.keyboard()


async def test_between_look_and_command(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    """/prompt clear drops no persona that is chosen in a menu in the last moment."""
    await talk.writes(ANN, "/prompt@demo_bot Be kind.", GROUP)
    key, keep = keys.settings(talk.bot.id, ChatKey(GROUP)), Turn.keep

    async def late(turn: Turn, reply: Reply, change: Change | None = None) -> None:
        monkeypatch.undo()
        await talk.bot.redis.hset(key, mapping={"version": 2, "persona": "editor"})
        await talk.bot.redis.hdel(key, "prompt")
        await keep(turn, reply, change)

    monkeypatch.setattr(Turn, "keep", late)
    assert await talk.writes(ANN, "/prompt@demo_bot clear", GROUP) == [ENGLISH.prompt_cleared]
    assert await talk.chosen(GROUP) == {"persona": "editor"}


async def test_a_menu_of_a_group_that_has_moved(talk: Talk) -> None:
    """A press in it shows the supergroup's, which can be chosen then."""
    await opened(talk)
    await talk.presses(ANN, "May reset")
    await talk.bot.redis.hset(keys.successors(talk.bot.id), str(GROUP), str(SUPERGROUP))
    await talk.bot.redis.hset(keys.settings(talk.bot.id, ChatKey(SUPERGROUP)), "version", "1")
    assert await talk.presses(ANN, "everybody") == ENGLISH.settings_outdated
    assert str(SUPERGROUP) in talk.data("everybody")
    assert await talk.presses(ANN, "everybody") == ENGLISH.settings_saved
    assert await talk.chosen(SUPERGROUP) == {"reset": "everybody"}
    assert await talk.chosen(GROUP) == {}


@pytest.mark.parametrize("refusal", ["Forbidden: bot was kicked", "Bad Request: chat not found"])
async def test_a_group_that_cannot_be_told(talk: Talk, refusal: str) -> None:
    """The change holds, and the menu shows it."""
    await opened(talk)
    await talk.presses(ANN, "May reset")
    talk.bot.telegram.refusals["sendMessage"].append(refusal)
    assert await talk.presses(ANN, "everybody") == ENGLISH.settings_saved
    assert await talk.chosen(GROUP) == {"reset": "everybody"}


class Death(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("place", range(7))
async def test_a_death_at_any_call(
    talk: Talk, monkeypatch: pytest.MonkeyPatch, place: int, *, after: bool
) -> None:
    """Whoever goes on ends what was begun: one change, told once, or twice if it had been sent."""
    await opened(talk)
    await talk.presses(ANN, "May reset")
    data, told = talk.data("everybody"), []
    takes, left = talk.bot.telegram.do_request, [place]

    async def mortal(url: str, *args: Any, **more: Any) -> tuple[int, bytes]:
        left[0] -= 1
        if left[0] == -1 and not after:
            raise Death
        took = await takes(url, *args, **more)
        told.append(url.rpartition("/")[2])
        if left[0] == -1:
            raise Death
        return took

    monkeypatch.setattr(talk.bot.telegram, "do_request", mortal)
    try:
        await talk.sends(ANN, data)
    except Death:
        await talk.goes_on()
    else:
        assert told == [
            *("getChat", "getChatMember", "getChatMember"),
            *("answerCallbackQuery", "editMessageText", "sendMessage"),
        ]
    found = await talk.bot.redis.hgetall(keys.settings(talk.bot.id, ChatKey(GROUP)))
    assert found == {"reset": "everybody", "version": "1"}
    assert len(talk.told(GROUP)) == 1 + (after and place == 5)
    assert "May reset: everybody" in talk.keyboard()


async def test_an_anonymous_admin_stays_so(talk: Talk) -> None:
    """Whoever is known by the group's name alone is not named where they change something."""
    hidden = {"status": "administrator", "is_anonymous": True}
    talk.bot.telegram.results["getChatMember"] = hidden
    await opened(talk)
    await talk.presses(ANN, ENGLISH.setting_reset)
    await talk.presses(ANN, ENGLISH.reset_everybody)
    (told,) = talk.told(GROUP)
    assert told.startswith(f"{ENGLISH.an_admin} has changed the settings.")
    await talk.writes(ANN, "/persona@demo_bot", GROUP)
    await talk.presses(ANN, "Editor", GROUP)
    shown = [given["text"] for _, given in talk.bot.telegram.of("editMessageText")]
    assert shown[-1].startswith(f"{ENGLISH.an_admin} has changed the settings. ")
    pressed = "ask:editor:en:0"
    for number in (1, 2):
        await talk.sends(ANN, pressed, GROUP)
        past = await talk.bot.history.newest(ChatKey(GROUP), 1000)
        assert len(past.exchanges) == number
        asked = past.exchanges[-1].question
        assert (asked.sender, asked.name) == (GROUP, "Group")
        pressed = f"continue:{past.asked}"
    await talk.writes(ANN, "/prompt@demo_bot Be kind.", GROUP)
    await talk.writes(ANN, "/prompt@demo_bot", GROUP)
    await talk.presses(ANN, ENGLISH.clear_button, GROUP)
    shown = [given["text"] for _, given in talk.bot.telegram.of("editMessageText")]
    assert shown[-1] == f"{ENGLISH.an_admin} has changed the settings. {ENGLISH.prompt_cleared}"


async def test_admins_who_choose_while_the_group_is_busy(talk: Talk) -> None:
    """Each of them is named there afterwards, and each only with their last choice."""
    talk.bot.telegram.members[BORIS] = "administrator"
    await talk.bot.inbox.put(Arrival(ChatKey(GROUP), 999, "{}"))
    (held,) = await talk.bot.inbox.take(1, 1)
    for who, choices in ((ANN, ("0", "1")), (BORIS, ("0.3", "0.6"))):
        await opened(talk, who)
        await talk.presses(who, "Temperature")
        for value in choices:
            await talk.sends(who, talk.data(value))
            await talk.presses(who, "Temperature")
    assert talk.told(GROUP) == []
    await talk.bot.inbox.done(held)
    await talk.bot._work()
    assert talk.told(GROUP) == [
        f"{ENGLISH.settings_changed.format(name=f'User {who}')} Temperature: {value}."
        for who, value in ((ANN, "1"), (BORIS, "0.6"))
    ]


async def test_a_link_followed_in_a_group(talk: Talk) -> None:
    """Whoever may set it up gets its link, whatever group is named; who may not hears that."""
    link = f"/start@demo_bot settings_{GROUP - 7}"
    assert await talk.writes(ANN, link, GROUP) == [ENGLISH.settings_in_private]
    assert talk.keyboard()[ENGLISH.settings_button].endswith(f"=settings_{GROUP}")
    assert await talk.writes(BORIS, link, GROUP) == [ENGLISH.settings_are_for_admins]


async def test_general_is_the_group(talk: Talk) -> None:
    """Telegram's links call it topic 1, but its messages are in no topic."""
    (told,) = await opened(talk, chat=f"{GROUP}_1")
    assert told.startswith(ENGLISH.settings_of_group.format(title="Group"))


async def test_a_topic_inherits_its_group(talk: Talk) -> None:
    """What it chooses for itself is its own; the rest follows the group, also later."""
    await opened(talk)
    await talk.presses(ANN, "Temperature")
    await talk.presses(ANN, "1")
    (told,) = await talk.writes(ANN, "/settings@demo_bot", GROUP, **IN_TOPIC)
    link = talk.keyboard()[ENGLISH.settings_button]
    (told,) = await talk.writes(ANN, "/start " + link.partition("start=")[2])
    assert told.startswith(ENGLISH.settings_of_topic.format(title="Group"))
    assert "Temperature: 1" in talk.keyboard()
    await talk.presses(ANN, "Longest")
    await talk.presses(ANN, "250")
    notice = talk.bot.telegram.of("sendMessage")[-1][1]
    assert (notice["chat_id"], notice["message_thread_id"]) == (GROUP, TOPIC)
    assert await talk.chosen(GROUP, TOPIC) == {"length": "250"}
    await talk.writes(BORIS, "@demo_bot one", GROUP, **IN_TOPIC)
    profile, _ = talk.bot.model.profiles[-1]
    assert (profile.temperature, profile.max_tokens) == (1.0, 250)
    await talk.writes(BORIS, "@demo_bot one", GROUP)
    profile, _ = talk.bot.model.profiles[-1]
    assert (profile.temperature, profile.max_tokens) == (1.0, 2000)


async def test_a_topic_with_a_persona_of_its_own(talk: Talk) -> None:
    """It hides the group's instruction there, until the topic is as the group again."""
    await talk.writes(ANN, "/prompt@demo_bot Be kind.", GROUP)
    await talk.writes(ANN, "/persona@demo_bot", GROUP, **IN_TOPIC)
    data = talk.data("Tutor")
    assert await talk.sends(ANN, data, GROUP, **IN_TOPIC) == ENGLISH.settings_saved
    await talk.writes(BORIS, "@demo_bot one", GROUP, **IN_TOPIC)
    assert talk.bot.model.profiles[-1][0].system_prompt == PERSONAS["tutor"].prompt["en"]
    await talk.writes(BORIS, "@demo_bot one", GROUP)
    assert talk.bot.model.profiles[-1][0].system_prompt == "Be kind."
    await talk.writes(ANN, "/persona@demo_bot", GROUP, **IN_TOPIC)
    await talk.sends(ANN, talk.data(ENGLISH.setting_default), GROUP, **IN_TOPIC)
    await talk.writes(BORIS, "@demo_bot one", GROUP, **IN_TOPIC)
    assert talk.bot.model.profiles[-1][0].system_prompt == "Be kind."


async def test_a_topic_that_chooses_no_longer(talk: Talk) -> None:
    """What its group has chosen holds there again, and is said."""
    await talk.writes(ANN, "/prompt@demo_bot Be kind.", GROUP)
    await talk.writes(ANN, "/name@demo_bot Alice", GROUP)
    instruction = ENGLISH.prompt_of_group.format(prompt="Be kind.")
    names = ENGLISH.names_of_group.format(names="Alice")
    for command, own, told in (("prompt", "Rhyme.", instruction), ("name", "Bob", names)):
        for word in (own, "clear", own, ""):
            said_now = await talk.writes(ANN, f"/{command}@demo_bot {word}", GROUP, **IN_TOPIC)
            assert (said_now == [told]) == (word == "clear")
        await talk.sends(ANN, talk.data(ENGLISH.clear_button), GROUP, **IN_TOPIC)
        assert talk.bot.telegram.said() == [f"User {ANN} has changed the settings. {told}"]
    await talk.writes(ANN, "/persona@demo_bot", GROUP, **IN_TOPIC)
    await talk.sends(ANN, talk.data("Tutor"), GROUP, **IN_TOPIC)
    await talk.writes(ANN, "/persona@demo_bot", GROUP, **IN_TOPIC)
    await talk.sends(ANN, talk.data(ENGLISH.setting_default), GROUP, **IN_TOPIC)
    assert talk.bot.telegram.said() == [f"User {ANN} has changed the settings. {instruction}"]


async def test_a_topic_with_the_persona_of_its_group(talk: Talk) -> None:
    """One of its own takes its place, and it comes back."""
    for where, name in (({}, "Tutor"), (IN_TOPIC, "Editor"), (IN_TOPIC, ENGLISH.setting_default)):
        await talk.writes(ANN, "/persona@demo_bot", GROUP, **where)
        await talk.sends(ANN, talk.data(name), GROUP, **where)
    introduced = ENGLISH.persona_chosen.format(name="Tutor")
    assert talk.bot.telegram.said()[0].startswith(
        f"User {ANN} has changed the settings. {introduced}"
    )
    await talk.writes(BORIS, "@demo_bot one", GROUP, **IN_TOPIC)
    assert talk.bot.model.profiles[-1][0].system_prompt == PERSONAS["tutor"].prompt["en"]


async def test_a_topics_settings_are_asked_for_its_group(talk: Talk) -> None:
    """Who is no admin of the group opens none of its topics'."""
    assert await opened(talk, BORIS, f"{GROUP}_{TOPIC}") == [ENGLISH.settings_are_for_admins]


# -- Who may make it forget


async def test_who_may_reset(talk: Talk) -> None:
    """By default the admins; ✕ also is for whoever asked; once left to everybody, everybody."""
    await talk.writes(BORIS, "@demo_bot one", GROUP)
    past = await talk.bot.history.newest(ChatKey(GROUP), 1000)
    assert await talk.writes(BORIS, "/undo@demo_bot", GROUP) == [ENGLISH.undo_is_for_admins]
    forget = f"forget:{past.asked}"
    assert await talk.sends(OWNER + 1, forget, GROUP) == ENGLISH.forget_is_for_the_asker
    assert await talk.sends(BORIS, forget, GROUP) == ENGLISH.undone
    await talk.bot.redis.hset(keys.settings(talk.bot.id, ChatKey(GROUP)), "reset", "everybody")
    told = await talk.writes(BORIS, "/settings@demo_bot", GROUP)
    assert told == [ENGLISH.settings_are_for_admins]  # these stay the admins'
    for act in ("/undo", "/retry", "again", "forget"):
        await talk.writes(BORIS, "@demo_bot one", GROUP)
        if act.startswith("/"):
            told = await talk.writes(OWNER + 1, f"{act}@demo_bot", GROUP)
            assert told in ([ENGLISH.undone], ["echo: one"])
        else:
            past = await talk.bot.history.newest(ChatKey(GROUP), 1000)
            toast = await talk.sends(OWNER + 1, f"{act}:{past.asked}", GROUP)
            assert toast in (ENGLISH.undone, "")


@pytest.mark.parametrize("reset", ["admins", "everybody"])
@pytest.mark.parametrize("locked", [False, True])
async def test_whose_reset_stops_an_answer(redis: Redis, reset: str, *, locked: bool) -> None:
    """Of a group's members, if that is left to them, and the owner has not locked it."""
    names = frozenset({"reset"} if locked else set())
    async with running(redis, paced=False, locked=names) as bot:
        await redis.hset(keys.settings(bot.id, ChatKey(GROUP)), "reset", reset)
        _, turn = await bot.begins(message("@demo_bot one", ANN, GROUP))
        update = json.dumps({"update_id": 1, **message("/reset@demo_bot", BORIS, GROUP)})
        stops = await bot.dispatch.may_interrupt(update, turn)
        assert stops == (reset == "everybody" and not locked)


# -- What the owner locks


async def test_what_is_locked(redis: Redis) -> None:
    """It is shown as such, and neither a button nor a command changes it, nor counts any more."""
    locked = frozenset({"temperature", "persona", "prompt", "names"})
    async with running(redis, locked=locked) as bot:
        talk = Talk(bot)
        bot.telegram.members[ANN] = "administrator"
        before: Any = {"temperature": "1", "prompt": "Be rude.", "persona": "tutor"}
        await redis.hset(keys.settings(bot.id, ChatKey(ANN)), mapping=before)
        await talk.writes(ANN, "/settings")
        assert ENGLISH.setting_locked.format(setting="Temperature: 0.6") in talk.keyboard()
        await talk.presses(ANN, "Temperature")
        assert ENGLISH.setting_is_locked in bot.telegram.said()[-1]
        assert [*talk.keyboard()] == [ENGLISH.setting_back]
        for name, setting, value in (
            ("set", "temperature", "0.3"), ("set", "temperature", ""), ("set", "persona", "brief"),
            ("be", "persona", "brief"), ("clear", "prompt", ""),
        ):  # fmt: skip
            data = str(Choice(name, ChatKey(ANN), 0, setting, value))
            assert await talk.sends(ANN, data) == ENGLISH.setting_is_locked, (name, setting)
        for text in ("/prompt Be kind.", "/prompt clear", "/prompt", "/persona"):
            assert await talk.writes(ANN, text) == [ENGLISH.setting_is_locked]
        for text in ("/name@demo_bot Alice", "/name@demo_bot"):
            assert await talk.writes(ANN, text, GROUP) == [ENGLISH.setting_is_locked]
        assert await talk.chosen(ANN) == before
        await talk.writes(ANN, "hi")
        assert bot.model.profiles[-1][0] == bot.profile


# -- Personas


async def test_a_persona(talk: Talk) -> None:
    """It greets with three questions, keeps the history, and says so; a press asks one."""
    await talk.writes(ANN, "one")
    (told,) = await talk.writes(ANN, "/persona")
    assert "Tutor — Asks back, until you find it yourself" in told
    assert await talk.presses(ANN, "Tutor") == ENGLISH.settings_saved
    tutor = PERSONAS["tutor"]
    introduced = ENGLISH.persona_chosen.format(name="Tutor")
    assert talk.bot.telegram.said() == [f"{introduced}\n\n{tutor.greeting['en']}"]
    assert [*talk.keyboard()] == [*tutor.questions["en"]]
    question = tutor.questions["en"][1]
    await talk.presses(ANN, question)
    profile, _ = talk.bot.model.profiles[-1]
    assert (profile.system_prompt, profile.temperature) == (tutor.prompt["en"], tutor.temperature)
    assert talk.bot.model.asked[-1] == ["one", "echo: one", question]
    assert await talk.bot.remembers() == ["one", "echo: one", question, f"echo: {question}"]
    assert talk.bot.telegram.of("editMessageReplyMarkup")
    await talk.writes(ANN, "/persona")
    assert "● Tutor" in talk.keyboard()
    await talk.presses(ANN, ENGLISH.setting_default)
    assert talk.bot.telegram.said() == [ENGLISH.persona_usual]
    assert await talk.chosen(ANN) == {}


async def test_a_first_question_is_asked_once(talk: Talk) -> None:
    """Two presses under one greeting are one question."""
    await talk.sends(ANN, "ask:tutor:en:0")
    assert await talk.sends(ANN, "ask:tutor:en:1") == ENGLISH.old_button
    assert len(talk.bot.model.asked) == 1


async def test_a_persona_in_a_group(talk: Talk) -> None:
    """An admin chooses it there, with their name; anybody may ask its first questions."""
    await talk.writes(ANN, "/persona@demo_bot", GROUP)
    data = talk.data("Tutor")
    assert await talk.sends(BORIS, data, GROUP) == ENGLISH.settings_are_for_admins
    assert await talk.sends(ANN, data, GROUP) == ENGLISH.settings_saved
    assert talk.bot.telegram.said()[-1].startswith(f"User {ANN} has changed the settings. ")
    await talk.presses(BORIS, PERSONAS["tutor"].questions["en"][0], GROUP)
    assert len(talk.bot.model.asked) == 1
    await talk.writes(ANN, "/persona@demo_bot", GROUP)
    await talk.presses(ANN, ENGLISH.setting_default, GROUP)
    assert talk.bot.telegram.said() == [
        f"User {ANN} has changed the settings. {ENGLISH.persona_usual}"
    ]


async def test_a_persona_by_the_menu(talk: Talk) -> None:
    """It takes the place of an instruction, and the other way round."""
    await talk.writes(ANN, "/prompt Be kind.")
    await talk.writes(ANN, "/settings")
    await talk.presses(ANN, "Persona")
    await talk.presses(ANN, "Editor")
    assert await talk.chosen(ANN) == {"persona": "editor"}
    assert "Temperature: 0.3" in talk.keyboard() or PERSONAS["editor"].temperature != 0.3
    await talk.writes(ANN, "/prompt Be kind.")
    assert await talk.chosen(ANN) == {"prompt": "Be kind."}


async def test_a_persona_and_a_locked_temperature(redis: Redis) -> None:
    """The owner's holds, in the menu, too."""
    async with running(redis, locked=frozenset({"temperature"})) as bot:
        talk = Talk(bot)
        await talk.writes(ANN, "/persona")
        await talk.presses(ANN, "Tutor")
        await talk.writes(ANN, "hi")
        profile, _ = bot.model.profiles[-1]
        assert profile.system_prompt == PERSONAS["tutor"].prompt["en"]
        assert profile.temperature == bot.profile.temperature
        await talk.writes(ANN, "/settings")
        assert ENGLISH.setting_locked.format(setting="Temperature: 0.6") in talk.keyboard()


async def test_a_persona_that_is_gone(talk: Talk) -> None:
    """The owner has taken it away: the bot is as usual."""
    await talk.bot.redis.hset(keys.settings(talk.bot.id, ChatKey(ANN)), "persona", "cook")
    await talk.writes(ANN, "hi")
    assert talk.bot.model.profiles[-1][0] == talk.bot.profile
    await talk.writes(ANN, "/settings")
    assert f"Persona: {ENGLISH.setting_usual}" in talk.keyboard()


# -- Words of one's own


async def test_an_instruction(talk: Talk) -> None:
    """It is taken as it is written, shown, and cleared by a word or by the button."""
    await talk.writes(ANN, "one")
    assert await talk.writes(ANN, "/prompt") == [ENGLISH.prompt_none]
    prompt = "Answer in verse,\n  with *rhymes*: {date}"
    assert await talk.writes(ANN, f"/prompt {prompt}") == [ENGLISH.prompt_set]
    await talk.writes(ANN, "two")
    assert talk.bot.model.profiles[-1][0].system_prompt == prompt
    assert talk.bot.model.asked[-1] == ["one", "echo: one", "two"]
    assert await talk.writes(ANN, "/prompt") == [ENGLISH.prompt_shown.format(prompt=prompt)]
    assert await talk.presses(ANN, ENGLISH.clear_button) == ENGLISH.settings_saved
    assert talk.bot.telegram.said() == [ENGLISH.prompt_cleared]
    for word in ("clear", "Сброс"):
        await talk.writes(ANN, f"/prompt {prompt}")
        assert await talk.writes(ANN, f"/prompt {word}") == [ENGLISH.prompt_cleared]
        assert await talk.chosen(ANN) == {}


@pytest.mark.parametrize("where", [{}, IN_TOPIC])
async def test_clearing_no_instruction(talk: Talk, where: dict[str, Any]) -> None:
    """A persona stays as it is, and what it hides stays hidden."""
    await talk.writes(ANN, "/prompt@demo_bot Be kind.", GROUP)
    await talk.writes(ANN, "/persona@demo_bot", GROUP, **where)
    await talk.sends(ANN, talk.data("Tutor"), GROUP, **where)
    told = await talk.writes(ANN, "/prompt@demo_bot clear", GROUP, **where)
    assert told == [ENGLISH.prompt_cleared]
    await talk.writes(BORIS, "@demo_bot one", GROUP, **where)
    assert talk.bot.model.profiles[-1][0].system_prompt == PERSONAS["tutor"].prompt["en"]


async def test_an_instruction_outlives_a_reset(talk: Talk) -> None:
    """Settings are no part of what is forgotten."""
    await talk.writes(ANN, "/prompt Be kind.")
    await talk.writes(ANN, "one")
    await talk.writes(ANN, "/reset")
    assert await talk.chosen(ANN) == {"prompt": "Be kind."}


@pytest.mark.parametrize("length", [MOST_PROMPT, MOST_PROMPT + 1, MOST_PROMPT + 3])
async def test_how_long_an_instruction_may_be(talk: Talk, length: int) -> None:
    """Nothing is cut off in silence."""
    (told,) = await talk.writes(ANN, f"/prompt {'ы' * length}")
    fits = length == MOST_PROMPT
    long = ENGLISH.counted(ENGLISH.prompt_too_long, length, longest="2,000")
    assert told == (ENGLISH.prompt_set if fits else long)
    assert len((await talk.chosen(ANN)).get("prompt", "")) == (length if fits else 0)
    if fits:
        await talk.writes(ANN, "hi")
        assert len(talk.bot.model.profiles[-1][0].system_prompt) == length


@pytest.mark.parametrize(
    ("length", "counted"),
    [(2001, "2 001 символ,"), (2002, "2 002 символа,"), (2011, "2 011 символов,")],
)
async def test_a_length_is_counted_as_one_speaks(talk: Talk, length: int, counted: str) -> None:
    """In Russian one says 2,001 as one says 1."""
    await talk.bot.redis.hset(keys.settings(talk.bot.id, ChatKey(ANN)), "language", "ru")
    (told,) = await talk.writes(ANN, f"/prompt {'ы' * length}")
    assert counted in told.replace("\u00a0", " ")


async def test_names(talk: Talk) -> None:
    """A group gives the bot some; alone with somebody it needs none."""
    for name in ("Alice", "<Alice>"):
        assert await talk.writes(ANN, f"/name {name}") == [ENGLISH.names_are_for_groups]
    assert await talk.writes(ANN, "/name") == [ENGLISH.names_are_for_groups]
    assert await talk.writes(ANN, "/name@demo_bot", GROUP) == [ENGLISH.names_none]
    (told,) = await talk.writes(ANN, "/name@demo_bot Алиса, Big  Bot,алиса", GROUP)
    assert told == ENGLISH.names_set.format(names="алиса, Big Bot")
    assert await talk.chosen(GROUP) == {"names": "алиса\nBig Bot"}
    for wrong in ("x" * 33, "/alice", "a,b,c,d,e,f", ",", "<b>"):
        (told,) = await talk.writes(ANN, f"/name@demo_bot {wrong}", GROUP)
        assert told == ENGLISH.names_wrong.format(longest=32, most=5), wrong
    shown = ENGLISH.names_shown.format(names="алиса, Big Bot")
    assert await talk.writes(ANN, "/name@demo_bot", GROUP) == [shown]
    await talk.presses(ANN, ENGLISH.clear_button, GROUP)
    assert talk.bot.telegram.said() == [
        f"User {ANN} has changed the settings. {ENGLISH.names_cleared}"
    ]
    assert await talk.chosen(GROUP) == {}


# -- Damage

ODD: Any = {"temperature": "warm", "length": "-1", "hears": "99", "version": "many", "buttons": "?",
       "streaming": "", "when": "later", "names": "<>", "persona": "No!",
       "language": "12"}  # fmt: skip


async def test_values_that_cannot_be_read(talk: Talk) -> None:
    """They count as not chosen; the bot answers, and the menu repairs them."""
    key = keys.settings(talk.bot.id, ChatKey(ANN))
    await talk.bot.redis.hset(key, mapping=ODD)
    assert await talk.writes(ANN, "hi") == ["echo: hi"]
    assert talk.bot.model.profiles[-1][0] == talk.bot.profile
    await talk.writes(ANN, "/settings")
    await talk.presses(ANN, "Temperature")
    assert await talk.presses(ANN, "0.3") == ENGLISH.settings_saved
    assert (await talk.bot.redis.hmget(key, "temperature", "version")) == ["0.3", "1"]


@pytest.mark.parametrize("damage", ["a string", "no text"])
@pytest.mark.parametrize("topic", [0, TOPIC])
async def test_a_key_that_cannot_be_read(talk: Talk, damage: str, topic: int) -> None:
    """It is set aside, whether at a question or in the menu, and something else can be chosen."""
    more = IN_TOPIC if topic else {}
    for words in ("@demo_bot hi", "/prompt@demo_bot Be kind."):
        key = keys.settings(talk.bot.id, ChatKey(GROUP, topic))
        await talk.bot.redis.delete(key)
        if damage == "a string":
            await talk.bot.redis.set(key, "x")
        else:
            await talk.bot.redis.hset(key, "prompt", b"\xff")
        (told,) = await talk.writes(ANN, words, GROUP, **more)
        assert told in ("echo: hi", ENGLISH.prompt_set)
        aside = await talk.bot.redis.keys(f"{{{talk.bot.id}}}:aside:*")
        assert aside
        await talk.bot.redis.delete(*aside)
    assert (await talk.chosen(GROUP, topic))["prompt"] == "Be kind."


# -- Their data

chats = st.builds(ChatKey, st.integers(-(10**15), 10**15), st.integers(0, 10**9))


@given(
    st.sampled_from(["set", "be", "clear"]), chats, st.integers(0, 10**9 - 1),
    st.from_regex("[a-z]{0,11}", fullmatch=True),
    st.none() | st.from_regex("[a-z0-9_.]{0,20}", fullmatch=True),
)  # fmt: skip
def test_a_press_comes_back_as_it_was(
    name: str, chat: ChatKey, version: int, setting: str, value: str | None
) -> None:
    """Whatever it is about."""
    choice = Choice(name, chat, version, setting, value)
    assert Choice.parse(str(choice)) == choice


def test_data_fits_a_button() -> None:
    """Telegram takes 64 bytes; the longest there are in a topic of a supergroup of today."""
    longest = Choice("be", ChatKey(-1_009_999_999_999, 2**31), 999, "persona", "p" * 20)
    assert len(str(longest)) <= 64


@given(st.text() | st.from_regex("set:[0-9]+:[a-z]*:[a-z?]*:-?[0-9:]+"))
def test_any_data(data: str) -> None:
    """It is ours or it is not."""
    choice = Choice.parse(data)
    assert choice is None or Choice.parse(str(choice)) == choice


async def test_a_persons_own_language_goes_along(redis: Redis) -> None:
    """What they have chosen in private holds in groups, where the group has not chosen."""
    async with running(redis) as bot:
        own = keys.settings(bot.id, ChatKey(ANN))
        await redis.hset(own, mapping={"version": 1, "language": "ru"})
        asked = message("/undo@demo_bot", ANN, GROUP)
        bot.telegram.members[ANN] = "administrator"
        assert await bot.hears(asked) == [RUSSIAN.nothing_to_undo]
        of_group = keys.settings(bot.id, ChatKey(GROUP))
        await redis.hset(of_group, mapping={"version": 1, "language": "en"})
        assert await bot.hears(asked) == [ENGLISH.nothing_to_undo]
    async with running(redis, locked=frozenset({"language"})) as bot:
        own = keys.settings(bot.id, ChatKey(ANN))
        await redis.hset(own, mapping={"version": 1, "language": "ru"})
        bot.telegram.members[ANN] = "administrator"
        assert await bot.hears(asked) == [ENGLISH.nothing_to_undo]
