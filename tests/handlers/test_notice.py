"""What a group is told of a change made elsewhere: kept until it is told, and not heard before."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs
from telegram.error import NetworkError, RetryAfter, TimedOut

from handlers.incoming.access import Access
from handlers.incoming.parsing import Unreadable
from handlers.texts import ENGLISH, RUSSIAN
from handlers.turn.turn import Turn
from storage import keys
from storage.budget import Frozen
from storage.change import Chosen, Notice
from storage.chat_settings import ChatSettings
from storage.hearing import Overheard
from storage.lane import Entry
from storage.message import ChatKey, Message, Role
from tests.conftest import ANN, BORIS, GROUP
from tests.handlers.bot import ME, UPGRADED, message, press, running, said
from tests.handlers.test_presence import KICKED, MEMBER, stands
from tests.handlers.test_settings import OWNER, TOPIC, Talk, opened

TEN = "the last 10 messages"


@pytest.fixture
async def talk(redis: Redis) -> AsyncIterator[Talk]:
    """A bot with an owner; Ann is the group's admin."""
    async with running(redis, Access({OWNER}, set(), set()), paced=False) as bot:
        bot.telegram.members[ANN] = "administrator"
        yield Talk(bot)


async def hears(talk: Talk, number: int, topic: int = 0) -> bool:
    """Tell whether the bot keeps what Boris says to the others."""
    lane, words = ChatKey(GROUP, topic), Message(Role.USER, "lunch is at noon", BORIS, "Boris", 5)
    await talk.bot.inbox.hear(Overheard(lane, number, words))
    key = keys.heard(talk.bot.id, lane)
    return await talk.bot.redis.zcount(key, number, number) == 1


async def switches_on(talk: Talk, label: str = TEN) -> None:
    """Let Ann switch on that the bot hears."""
    await opened(talk)
    await talk.presses(ANN, "I hear")
    await talk.presses(ANN, label)


def unsure() -> NetworkError:
    """A time-out: Telegram may have taken it."""
    error = TimedOut()
    error.__cause__ = httpx.ReadTimeout("?")
    return error


@pytest.mark.parametrize("refusals", [[RetryAfter(60)] * 3, [unsure()] * 2], ids=["429", "silence"])
async def test_it_hears_once_the_group_knows(talk: Talk, refusals: list[Any]) -> None:
    """If Telegram lets nothing through just then, the menu is there, and the line comes later."""
    talk.bot.telegram.refusals["sendMessage"] += [None, *refusals]  # the first is the menu
    with pytest.raises((Frozen, NetworkError)):
        await switches_on(talk)
    assert "I hear: the last 10 messages" in talk.keyboard()
    assert await talk.chosen(GROUP) == {"hears": "10", "untold": "1"}
    assert not await hears(talk, 7)
    await talk.writes(ANN, "hi")  # her own chat waits for nothing
    talk.bot.telegram.calls.clear()
    await talk.goes_on()
    (told,) = talk.told(GROUP)
    assert told.endswith(ENGLISH.hears_from_now_on.format(number=10))
    assert await hears(talk, 8)
    assert await talk.chosen(GROUP) == {"hears": "10"}


async def test_it_is_told_as_often_as_it_changes(talk: Talk) -> None:
    """A line that tells of an older choice lets the bot hear nothing."""
    talk.bot.telegram.refusals["sendMessage"] += [None, *[RetryAfter(60)] * 3]
    with pytest.raises(Frozen):
        await switches_on(talk)
    await talk.presses(ANN, "I hear")
    await talk.presses(ANN, "the last 20 messages")
    assert talk.told(GROUP) == []  # it waits behind the first one
    with pytest.raises(Frozen):  # the chat still is
        await talk.goes_on()
    assert not await hears(talk, 7)
    await talk.goes_on()
    numbers = [ENGLISH.hears_from_now_on.format(number=number) for number in (10, 20)]
    sent = [given for _, given in talk.bot.telegram.of("sendMessage")]
    told = [given["text"] for given in sent if given["chat_id"] == GROUP]
    assert all(line.endswith(words) for line, words in zip(told, numbers, strict=True))
    assert await hears(talk, 8)


@pytest.mark.parametrize(
    "refusal", ["Forbidden: bot was kicked", "Bad Request: not enough rights to send", UPGRADED]
)
async def test_where_it_cannot_be_told(talk: Talk, refusal: str) -> None:
    """Nothing is heard there, as the menu says, and the log says why; a supergroup can be told."""
    talk.bot.telegram.refusals["sendMessage"] += [None, refusal]
    with capture_logs() as logs:
        await switches_on(talk)
    lost = [entry["event"] for entry in logs if entry["log_level"] == "warning"]
    assert lost == ([] if refusal == UPGRADED else ["notice_not_sent"])
    if refusal != UPGRADED:
        assert not await hears(talk, 7)
        assert await talk.chosen(GROUP) == {"hears": "0"}
        key = keys.settings(talk.bot.id, ChatKey(GROUP))
        assert await talk.bot.redis.hget(key, "version") == "2"  # menus drawn before are old
        await opened(talk)
        assert "I hear: nothing else" in talk.keyboard()
        await switches_on(talk)  # by now it can be
        assert await hears(talk, 8)


async def test_a_group_that_it_has_left(talk: Talk) -> None:
    """It is quiet there."""
    await talk.bot.hears(stands(MEMBER, KICKED))
    with capture_logs() as logs:
        await switches_on(talk)
    assert talk.told(GROUP) == []
    assert "notice_not_sent" in [entry["event"] for entry in logs]
    assert not await hears(talk, 7)
    assert await talk.chosen(GROUP) == {"hears": "0"}


async def test_a_group_that_it_may_write_in_again(talk: Talk) -> None:
    """Only trying tells, as Telegram does not."""
    talk.bot.telegram.refusals["sendMessage"].append("Bad Request: CHAT_WRITE_FORBIDDEN")
    await talk.writes(BORIS, "@demo_bot one", GROUP)
    await switches_on(talk)
    assert talk.told(GROUP)
    assert await hears(talk, 7)


async def test_what_is_given_up(talk: Talk) -> None:
    """If it fails whatever is tried, nothing is heard, and the menu says so."""
    talk.bot.telegram.refusals["sendMessage"] += [None, *[RetryAfter(60)] * 3]
    with pytest.raises(Frozen):
        await switches_on(talk)
    (claim,) = await talk.bot.inbox.mine([])
    opened = await talk.bot.inbox.open(claim)
    turn = Turn(talk.bot.inbox, claim, opened)
    with capture_logs() as logs:
        await talk.bot.dispatch.apologize(opened.head.update, turn)
    assert [entry["event"] for entry in logs] == ["notice_not_sent"]
    assert await talk.chosen(GROUP) == {"hears": "0"}


async def test_a_later_choice_is_not_given_up(talk: Talk) -> None:
    """Only what the line that cannot be said tells of."""
    talk.bot.telegram.refusals["sendMessage"] += [None, *[RetryAfter(60)] * 3]
    with pytest.raises(Frozen):
        await switches_on(talk)
    await talk.presses(ANN, "I hear")
    await talk.presses(ANN, "the last 20 messages")
    talk.bot.telegram.refusals["sendMessage"] += ["Forbidden: bot was kicked"]
    with pytest.raises(Frozen):  # the chat still is
        await talk.goes_on()
    assert await talk.chosen(GROUP) == {"hears": "20", "untold": "2"}
    await talk.goes_on()
    assert await talk.chosen(GROUP) == {"hears": "20"}
    assert await hears(talk, 7)


async def test_less_or_nothing(talk: Talk) -> None:
    """Nothing more is heard at once, told or not; nor is the line about it in anybody's way."""
    await switches_on(talk)
    assert await hears(talk, 7)
    await talk.presses(ANN, "I hear")
    await talk.presses(ANN, "nothing else")
    assert talk.told(GROUP)[-1].endswith("I hear: nothing else.")
    assert await talk.chosen(GROUP) == {"hears": "0"}
    assert not await hears(talk, 8)


async def test_a_topics_own(talk: Talk) -> None:
    """It is told there, and is not heard there before."""
    await talk.bot.redis.hset(keys.settings(talk.bot.id, ChatKey(GROUP)), "hears", "20")
    await opened(talk, ANN, f"{GROUP}_{TOPIC}")
    await talk.presses(ANN, "I hear")
    talk.bot.telegram.refusals["sendMessage"] += [*[RetryAfter(60)] * 3]
    with pytest.raises(Frozen):
        await talk.presses(ANN, TEN)
    assert not await hears(talk, 7, TOPIC)
    assert await hears(talk, 7)
    await talk.goes_on()
    sent = talk.bot.telegram.of("sendMessage")[-1][1]
    assert (sent["chat_id"], sent["message_thread_id"]) == (GROUP, TOPIC)
    assert await hears(talk, 8, TOPIC)


async def test_a_topic_that_is_gone(talk: Talk) -> None:
    """The others in the group hear nothing of its settings, as if those were theirs."""
    await opened(talk, ANN, f"{GROUP}_{TOPIC}")
    await talk.presses(ANN, "I hear")
    talk.bot.telegram.refusals["sendMessage"] += ["Bad Request: message thread not found"]
    with capture_logs() as logs:
        await talk.presses(ANN, TEN)
    (sent,) = (given for _, given in talk.bot.telegram.of("sendMessage"))
    assert sent["message_thread_id"] == TOPIC
    assert "notice_not_sent" in [entry["event"] for entry in logs]
    assert await talk.chosen(GROUP, TOPIC) == {"hears": "0"}


@pytest.mark.parametrize("refusal", [None, "Bad Request: not enough rights to send"])
async def test_a_topic_hears_as_its_group_again(talk: Talk, refusal: str | None) -> None:
    """It is told so first; if it cannot be, it still hears nothing."""
    for topic, number in ((0, "20"), (TOPIC, "0")):
        key = keys.settings(talk.bot.id, ChatKey(GROUP, topic))
        await talk.bot.redis.hset(key, "hears", number)
    await opened(talk, ANN, f"{GROUP}_{TOPIC}")
    await talk.presses(ANN, "I hear")
    talk.bot.telegram.refusals["sendMessage"] += [*[RetryAfter(60)] * 3, refusal]
    with pytest.raises(Frozen):
        await talk.presses(ANN, ENGLISH.setting_default)
    assert not await hears(talk, 7, TOPIC)
    await talk.goes_on()
    assert talk.told(GROUP)[-1].endswith(ENGLISH.hears_from_now_on.format(number=20))
    assert await hears(talk, 8, TOPIC) == (refusal is None)
    assert await talk.chosen(GROUP, TOPIC) == ({"hears": "0"} if refusal else {})


async def test_it_waits_behind_what_was_asked(talk: Talk) -> None:
    """A question in work in the group comes first; nothing is put into the queue twice."""
    await opened(talk)
    await talk.presses(ANN, "May reset")
    data = talk.data("everybody")
    claim, turn = await talk.bot.begins(message("@demo_bot one", BORIS, GROUP))
    menu = said("menu", 9, ANN, message_id=4) | {"from": ME}
    private, pressed = await talk.bot.begins(press(data, menu))
    await talk.bot.dispatch.handle(pressed.head.update, pressed)
    await talk.bot.inbox.done(private)
    assert [entry.is_notice for entry in await turn.following()] == [True]
    assert await talk.bot.redis.xlen(keys.ready(talk.bot.id)) == 1
    await talk.bot.dispatch.handle(turn.head.update, turn)
    await talk.bot.inbox.done(claim)
    await talk.bot._work()
    assert [text[:8] for text in talk.told(GROUP)] == ["echo: on", f"User {ANN}"]


@pytest.mark.parametrize("own", ["ru", None])
@pytest.mark.parametrize("of_group", ["ru", "en", None])
async def test_its_language(talk: Talk, own: str | None, of_group: str | None) -> None:
    """The group's, else that which the person has chosen for themselves."""
    for chat, language in ((ANN, own), (GROUP, of_group)):
        if language:
            key = keys.settings(talk.bot.id, ChatKey(chat))
            await talk.bot.redis.hset(key, mapping={"version": 1, "language": language})
    await opened(talk)
    texts = RUSSIAN if own else ENGLISH
    await talk.presses(ANN, texts.setting_reset)
    await talk.presses(ANN, texts.reset_everybody)
    there = RUSSIAN if (of_group or own) == "ru" else ENGLISH
    setting = f"{there.setting_reset}: {there.reset_everybody}"
    name = f"User {ANN}"
    assert talk.told(GROUP) == [f"{there.settings_changed.format(name=name)} {setting}."]


async def test_a_notice_is_nobodys_message(talk: Talk) -> None:
    """Nobody can be turned away for it, and nobody hears that it could not be handled."""
    _, turn = await talk.bot.begins(message("@demo_bot one", BORIS, GROUP))
    turn.head = Entry("[]", flood=False, is_notice=True)
    assert await talk.bot.dispatch.is_allowed("[]", turn)
    with pytest.raises(Unreadable):
        await talk.bot.dispatch.handle("[]", turn)
    with pytest.raises(Unreadable):
        await talk.bot.dispatch.apologize("[]", turn)
    assert talk.bot.telegram.calls == []


@pytest.mark.parametrize("sender", ["", "1#", "x1#"])
def test_only_scripts_make_a_notice(sender: str) -> None:
    """Nothing that comes in can look like one."""
    update = str(Notice("hello", 1))
    for mark in (" ", "!", f"*{sender}"):
        assert not Entry.parse(f"5{mark}{update}").is_notice
    assert Entry.parse(f"5#{update}").is_notice
    assert json.loads(update) == {"text": "hello", "untold": 1, "setting": "", "by": 0}


def test_a_notice_of_an_earlier_version() -> None:
    """It named no setting, or nobody; after an update of the bot it is said all the same."""
    assert Notice.parse('{"text": "hello", "untold": 1}') == Notice("hello", 1)
    told = '{"text": "hello", "untold": 1, "setting": "hears"}'
    assert Notice.parse(told) == Notice("hello", 1, "hears")


def test_what_waits_until_it_is_told() -> None:
    """Only more that is heard, and only where somebody is told."""
    for values, notice, inherited, untold in (
        ({"hears": "10"}, "x", 0, 4),
        ({"hears": "10"}, "", 0, 0),
        ({"hears": "0"}, "x", 20, 0),
        ({"hears": ""}, "x", 20, 0),
        ({"hears": None}, "x", 0, 0),
        ({"hears": None}, "x", 20, 4),
        ({"reset": "everybody"}, "x", 20, 0),
    ):
        change = Chosen(ChatKey(GROUP), values, 3, notice, inherited)
        assert change.untold == untold
        assert change.written.get("untold", "") == (
            "" if "hears" not in values else str(untold) if untold else None
        )


async def test_takes_longer_in_ones_own_language(talk: Talk) -> None:
    """As all that somebody is told in a group; what the group has chosen comes first."""
    question = message("@demo_bot hi", ANN, GROUP)
    key = keys.settings(talk.bot.id, ChatKey(ANN))
    await talk.bot.redis.hset(key, mapping={"version": 1, "language": "ru"})
    await talk.bot.waits(question)
    await talk.bot.waits(question, ChatSettings(language="en"))
    assert talk.bot.telegram.said() == [RUSSIAN.takes_longer, ENGLISH.takes_longer]
