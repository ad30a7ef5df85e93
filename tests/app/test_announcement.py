"""The whole bot announces something to chats of every kind."""

import asyncio

import pytest

from bot.app import running
from handlers.texts import RUSSIAN
from storage import keys
from tests.conftest import ANN, BORIS, GROUP, World, changed

pytestmark = pytest.mark.slow

OWNER, FORUM, CHANNEL = 103, -1_000_000_000_600, -1_000_000_000_700
NEWS = f"News!\n\n{RUSSIAN.news_line.format(name='')}"
IN_GROUPS = f"News!\n\n{RUSSIAN.news_line.format(name='@demo_bot')}"


async def confirms(world: World, audience: str) -> None:
    """Let the owner write an announcement, and choose to whom it goes."""
    before = len(world.said(OWNER))
    world.room.say(OWNER, OWNER, "/say News!")
    await world.hears(OWNER, before + 2)
    asked = world.said(OWNER)[-1]
    rows = asked["reply_markup"]["inline_keyboard"]
    (data,) = [row[0]["callback_data"] for row in rows if row[0]["text"].startswith(audience)]
    world.room.press(OWNER, OWNER, asked["message_id"], data)


async def over(world: World) -> str:
    """Wait until the owner hears what became of it."""
    while True:
        for message in world.said(OWNER):
            if message["text"].startswith(RUSSIAN.announcement_done):
                return str(message["text"])
        await world.room.changed(world.room.version, 1)


async def test_every_kind_of_chat(elsewhere: World) -> None:
    """People, groups, a forum's general topic, a channel; not who has blocked the bot."""
    async with running(changed(elsewhere.settings, admins=frozenset({OWNER}))):
        room, topic = elsewhere.room, elsewhere.room.open_topic(FORUM)
        for person in (OWNER, ANN, BORIS):
            await elsewhere.says(person, person, "/start")
        await elsewhere.says(GROUP, ANN, "@demo_bot hi")
        await elsewhere.says(FORUM, ANN, "@demo_bot hi", topic=topic)
        room.make_chat(CHANNEL, "channel", "News")
        room.set_bot(CHANNEL, "administrator")
        room.block(BORIS)
        chats = keys.chats(elsewhere.bot_id)
        while "blocked" not in str(await elsewhere.redis.hget(chats, str(BORIS))) or not (
            await elsewhere.redis.hexists(chats, str(CHANNEL))
        ):
            await room.changed(room.version, 0.05)
        await confirms(elsewhere, RUSSIAN.audiences["all"])
        async with asyncio.timeout(40):
            totals = await over(elsewhere)
    assert RUSSIAN.announcement_sent.format(sent=5, total=6) in totals
    assert RUSSIAN.announcement_skipped.format(number=1) in totals
    heard = {chat: elsewhere.said(chat)[-1] for chat in (ANN, GROUP, FORUM)}
    assert [one["text"] for one in heard.values()] == [NEWS, IN_GROUPS, IN_GROUPS]
    assert "message_thread_id" not in heard[FORUM]
    assert elsewhere.room.messages(CHANNEL)[-1]["text"] == "News!"
    assert not any("News" in message["text"] for message in elsewhere.said(BORIS))


async def test_it_goes_on_after_a_restart(elsewhere: World) -> None:
    """Each person gets it once, and nobody is unsure."""
    people = range(1001, 1013)
    settings = changed(elsewhere.settings, admins=frozenset({OWNER}))
    async with running(settings):
        for person in (OWNER, *people):
            await elsewhere.says(person, person, "/start")
        await confirms(elsewhere, RUSSIAN.audiences["private"])
        while not any(news(elsewhere, person) for person in people):
            await elsewhere.room.changed(elsewhere.room.version, 1)
    assert sum(news(elsewhere, person) for person in people) < len(people)
    async with running(settings), asyncio.timeout(30):
        totals = await over(elsewhere)
    assert totals.splitlines()[1:] == [RUSSIAN.announcement_sent.format(sent=13, total=13)]
    assert [news(elsewhere, person) for person in people] == [1] * len(people)


def news(world: World, person: int) -> int:
    """How often somebody got it."""
    return sum(message["text"] == NEWS for message in world.said(person))
