"""What a chat has chosen: written once, read with its turns, whatever stands there."""

import itertools
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis
from structlog.testing import capture_logs

from storage import keys
from storage.arrivals import Arrival
from storage.change import Chosen, Outdated
from storage.chat_settings import NAMES, ChatSettings, When, names
from storage.inbox import Inbox
from storage.lane import Claim
from storage.message import ChatKey

CHAT, TOPIC, MENU = ChatKey(-5), ChatKey(-5, 7), ChatKey(1)
ALL = {
    "version": "3", "persona": "tutor", "prompt": "Be\nkind.", "temperature": "0.3",
    "length": "500", "when": "always", "names": "Alice\nБот", "reset": "everybody", "hears": "20",
    "streaming": "off", "buttons": "off", "language": "ru",
}  # fmt: skip
_bot_ids = itertools.count(10_600_000)
_numbers = itertools.count(1)


class Bot:
    """A bot of a test's own."""

    def __init__(self, redis: Redis) -> None:
        self.redis, self.id = redis, next(_bot_ids)
        self.inbox = Inbox(redis, self.id, "one")

    async def claim(self, lane: ChatKey = MENU) -> Claim:
        """Let something come in, and a worker claim its lane."""
        await self.inbox.begin()
        await self.inbox.put(Arrival(lane, next(_numbers), "{}"))
        (claim,) = await self.inbox.take(1, 1)
        return claim

    async def chooses(self, version: int, **values: str | None) -> None:
        """Let somebody choose for the chat."""
        claim = await self.claim()
        try:
            await self.inbox.commit(claim, "{}", Chosen(CHAT, values, version))
        finally:
            await self.inbox.done(claim)

    async def kept(self) -> dict[Any, Any]:
        """What is kept of the chat."""
        return await self.redis.hgetall(keys.settings(self.id, CHAT))

    async def read(self, lane: ChatKey) -> dict[str, str]:
        """What is read when a turn begins there."""
        claim = await self.claim(lane)
        opened = await self.inbox.open(claim)
        await self.inbox.done(claim)
        return {**opened.settings}


@pytest.fixture
def bot(redis: Redis) -> Bot:
    """A bot that has nothing yet."""
    return Bot(redis)


def test_all_is_read_and_written() -> None:
    """Each setting, in its type, and again as it was."""
    found = ChatSettings.parse(ALL, CHAT)
    assert found == ChatSettings(
        3, "tutor", "Be\nkind.", 0.3, 500, When.ALWAYS, ("Alice", "Бот"), "everybody", 20, "off",
        buttons=False, language="ru",
    )  # fmt: skip
    assert {field.name for field in fields(found)} == {*ALL}
    assert {name: found.text(name) for name in NAMES} == {name: ALL[name] for name in NAMES}
    assert found.without(frozenset()) == found
    assert replace(found, buttons=True).text("buttons") == "on"
    assert found.without(frozenset(NAMES) | {"model"}) == ChatSettings(3)
    assert {ChatSettings().text(name) for name in NAMES} == {""}


VALUES: dict[str, tuple[list[str], list[str]]] = {
    "version": (["0", "999999999"], ["-1", "1000000000", "x"]),
    "persona": (["a", "a" * 20, "a_1"], ["A", "a" * 21, "1a"]),
    "prompt": (["x", "ы" * 2000, "a\nb"], ["x" * 2001]),
    "temperature": (["0", "1", "1.0", "0.31"], ["1.1", "-0", "x", "00", "10"]),
    "length": (["1", "999999999"], ["0", "-1", "1e3", "1000000000"]),
    "when": (["addressed", "always", "commands", "never"], ["x"]),
    "names": (
        ["a", "a,b\nc, d ,e", "x" * 32, "Big  Bot-2"],
        ["a,b,c,d,e,f", "x" * 33, ",", "<b>", "-a"],
    ),
    "reset": (["admins", "everybody"], ["nobody"]),
    "hears": (["0", "50"], ["51", "-1", "٣"]),
    "streaming": (["edits", "drafts", "off"], ["on"]),
    "buttons": (["on", "off"], ["?"]),
    "language": (["ru", "tlh"], ["r", "RU"]),
}


@pytest.mark.parametrize("name", ALL)
def test_what_can_be_read(name: str) -> None:
    """Anything else counts as not chosen, and is logged without the value; so is nothing."""
    good, wrong = VALUES[name]
    default = getattr(ChatSettings(), name)
    with capture_logs() as logs:
        for value in good:
            read = ChatSettings.parse({name: value}, CHAT)
            assert getattr(read, name) != default or value == "0"
            assert ChatSettings.parse({name: read.text(name)}, CHAT) == read
        assert ChatSettings.parse({name: ""}, CHAT) == ChatSettings()
    assert logs == []
    with capture_logs() as logs:
        for value in wrong:
            assert ChatSettings.parse({name: value}, CHAT) == ChatSettings()
    assert [(entry["event"], entry["setting"]) for entry in logs] == [
        ("setting_unreadable", name)
    ] * len(wrong)


@given(st.dictionaries(st.sampled_from([*ALL, "other"]), st.text() | st.integers().map(str)))
def test_anything_may_stand_there(found: dict[str, str]) -> None:
    """What cannot be read counts as not chosen; what can, is written as it can be read again."""
    read = ChatSettings.parse(found, CHAT)
    again = {name: text for name in NAMES if (text := read.text(name))}
    assert ChatSettings.parse(again, CHAT).without(frozenset()) == ChatSettings(
        0, *(getattr(read, name) for name in NAMES)
    )


@given(st.text())
def test_names_of_any_text(text: str) -> None:
    """They are names, or refused; as they are kept, they are read the same."""
    try:
        found = names(text)
    except ValueError:
        return
    assert names("\n".join(found)) == found
    assert all(found)


async def test_a_choice_happens_once(bot: Bot) -> None:
    """However often it is repeated, with the reply that was kept first."""
    claim = await bot.claim()
    for value in ("0.3", "1"):
        await bot.inbox.commit(claim, value, Chosen(CHAT, {"temperature": value}, 0))
    assert await bot.kept() == {"version": "1", "temperature": "0.3"}
    assert (await bot.inbox.open(claim)).reply == "0.3"


async def test_an_old_version(bot: Bot) -> None:
    """Nothing is kept, neither the choice nor the reply, which can be another then."""
    await bot.chooses(0, hears="20")
    claim = await bot.claim()
    for version in (0, 2):
        with pytest.raises(Outdated):
            await bot.inbox.commit(claim, "{}", Chosen(CHAT, {"hears": "50"}, version))
    assert (await bot.inbox.open(claim)).reply == ""
    assert await bot.kept() == {"version": "1", "hears": "20"}
    await bot.inbox.commit(claim, "{}", Chosen(CHAT, {"hears": None, "names": "x"}, 1))
    assert await bot.kept() == {"version": "2", "names": "x"}


async def test_what_is_not_chosen_anew_stays(bot: Bot) -> None:
    """Each change counts; an empty value is one, too."""
    await bot.chooses(0, hears="20")
    await bot.chooses(1, prompt="=", persona="")
    assert await bot.kept() == {"version": "2", "hears": "20", "prompt": "=", "persona": ""}


@pytest.mark.parametrize("odd", ["many", "-1", "9999999999", "", "1.5"])
async def test_an_odd_version(bot: Bot, odd: str) -> None:
    """It is the first."""
    await bot.redis.hset(keys.settings(bot.id, CHAT), "version", odd)
    await bot.chooses(0, hears="20")
    assert await bot.kept() == {"version": "1", "hears": "20"}


async def test_a_key_of_another_type(bot: Bot) -> None:
    """It is set aside when something is chosen."""
    await bot.redis.set(keys.settings(bot.id, CHAT), "x")
    await bot.chooses(0, hears="20")
    assert await bot.kept() == {"version": "1", "hears": "20"}


async def test_a_damaged_history_is_no_reason(bot: Bot) -> None:
    """Not to choose something in its chat."""
    await bot.redis.set(keys.history(bot.id, MENU), "x")
    await bot.chooses(0, hears="20")
    assert await bot.kept() == {"version": "1", "hears": "20"}


async def test_what_a_topic_has_chosen(bot: Bot) -> None:
    """It is over what its group has; the version is its own; other topics follow the group."""
    group: Any = {"version": "5", "hears": "20", "prompt": "Be kind."}
    await bot.redis.hset(keys.settings(bot.id, CHAT), mapping=group)
    assert await bot.read(CHAT) == group
    assert await bot.read(TOPIC) == {"hears": "20", "prompt": "Be kind."}
    topic: Any = {"version": "2", "prompt": "", "language": "ru"}
    await bot.redis.hset(keys.settings(bot.id, TOPIC), mapping=topic)
    assert await bot.read(TOPIC) == {"hears": "20", **topic}
    assert await bot.read(ChatKey(CHAT.chat_id, 8)) == {"hears": "20", "prompt": "Be kind."}
    assert await bot.inbox.settings(TOPIC) == topic
