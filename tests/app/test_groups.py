"""Groups: what is meant for the bot, and who may make it forget."""

import asyncio

import pytest

from bot.app import running
from bot.playground.telegram.fault import Fault
from bot.playground.yandex.replies import Say
from handlers.texts import RUSSIAN
from tests.conftest import ANN, BORIS, GROUP, World, changed

pytestmark = pytest.mark.slow

ANONYMOUS = 1087968824


async def silent(world: World, chat: int) -> None:
    """Assert that nothing said so far moved the bot: a later question is answered first."""
    before = len(world.said(chat))
    assert await world.says(chat, ANN, "@demo_bot ping") == "echo: ping"
    assert len(world.said(chat)) == before + 1


async def test_talk_among_people_is_left_alone(world: World) -> None:
    """Plain messages, other bots' names and commands, and replies to people bring no answer."""
    first = world.room.say(GROUP, ANN, "hello everybody")
    world.room.say(GROUP, BORIS, "hi", reply_to=first["message_id"])
    world.room.say(GROUP, BORIS, "@other_bot what is up?")
    world.room.say(GROUP, BORIS, "/reset@other_bot")
    world.room.say(GROUP, BORIS, "/unknown")
    await silent(world, GROUP)
    assert len(world.bodies()) == 1


async def test_talk_takes_no_room_from_questions(world: World) -> None:
    """However much a busy group talks while an answer is made, a question waits and is answered."""
    world.model.script(Say("slow", delay=0.3))
    world.room.say(GROUP, ANN, "@demo_bot slow?")
    for number in range(80):
        world.room.say(GROUP, BORIS, f"talk {number}")
    world.room.say(GROUP, BORIS, "@demo_bot and mine?")
    assert await world.hears(GROUP, 2) == ["slow", "echo: and mine?"]


@pytest.mark.parametrize("text", ["@demo_bot what?", "what? @Demo_Bot", "@demo_bot, what?"])
async def test_a_mention_is_a_question(world: World, text: str) -> None:
    """The bot's name, in any case, calls it; it is not part of the question."""
    assert await world.says(GROUP, ANN, text) == "echo: what?"


async def test_the_answer_says_whom_it_answers(world: World) -> None:
    """In a group the answer is a reply to the question, whoever wrote in between."""
    asked = world.room.say(GROUP, ANN, "@demo_bot first")
    world.room.say(GROUP, BORIS, "between")
    await world.hears(GROUP)
    assert world.said(GROUP)[0]["reply_to_message"]["message_id"] == asked["message_id"]


async def test_a_reply_to_the_bot_is_a_question(world: World) -> None:
    """Replying to the bot calls it without its name, and the group has one history."""
    await world.says(GROUP, ANN, "@demo_bot one")
    answer = world.said(GROUP)[0]["message_id"]
    assert await world.says(GROUP, BORIS, "two", reply_to=answer) == "echo: two"
    assert len(await world.history(GROUP)) == 4


async def test_a_bare_mention_is_answered_with_how_to_ask(world: World) -> None:
    """The name alone asks nothing; the person is told how to go on."""
    assert "@demo_bot" in await world.says(GROUP, ANN, "@demo_bot", language="en")
    assert not world.bodies()


async def test_topics_are_conversations_of_their_own(world: World) -> None:
    """A forum topic has its own history and gets its own answers; its beginning is no reply."""
    forum = -1000000000500
    topic = world.room.open_topic(forum, by_bot=True)
    world.room.say(forum, ANN, "just talk", topic=topic)
    await world.says(forum, ANN, "@demo_bot in the topic", topic=topic)
    await world.says(forum, ANN, "@demo_bot outside")
    inside, outside = world.said(forum)[-2:]
    assert inside["message_thread_id"] == topic
    assert "is_topic_message" not in outside
    assert len(await world.history(forum, topic)) == 2
    assert len(await world.history(forum)) == 2


async def test_members_may_not_reset(world: World) -> None:
    """A member is told why not, and the history stays."""
    await world.says(GROUP, ANN, "@demo_bot one")
    world.room.set_member(GROUP, BORIS, "member")
    told = await world.says(GROUP, BORIS, "/reset@demo_bot", language="en")
    assert "Only the group's admins" in told
    assert len(await world.history(GROUP)) == 2


async def test_a_forum_is_forgotten_with_its_topics(elsewhere: World) -> None:
    """By its number; an answer under way in a topic stays out. From inside, a topic is one."""
    forum, other = -1000000000500, -1000000000501
    settings = changed(elsewhere.settings, admins=frozenset({BORIS}))
    async with running(settings):
        topics = [0, *(elsewhere.room.open_topic(forum, name) for name in ("one", "two", "three"))]
        for topic in topics[:-1]:
            await elsewhere.says(forum, ANN, "@demo_bot hi", topic=topic or None)
        await elsewhere.says(other, ANN, "@demo_bot hi")
        elsewhere.room.say(forum, BORIS, "/reset", topic=topics[1])
        await elsewhere.hears(forum, 4)
        assert [len(await elsewhere.history(forum, topic)) for topic in topics] == [2, 0, 2, 0]
        elsewhere.model.script(Say("slow", delay=1))
        elsewhere.room.say(forum, ANN, "@demo_bot slow?", topic=topics[-1])
        async with asyncio.timeout(30):
            while len(elsewhere.bodies()) < 5:
                await elsewhere.room.changed(elsewhere.room.version, 0.02)
        assert str(forum) in await elsewhere.says(BORIS, BORIS, f"/reset {forum}")
        await elsewhere.hears(forum, 5)
        assert [len(await elsewhere.history(forum, topic)) for topic in topics] == [0, 0, 0, 0]
        assert len(await elsewhere.history(other)) == 2


async def test_a_forwarded_command_is_no_command(elsewhere: World) -> None:
    """Whoever forwards it: it is a text of somebody else's, which is asked about."""
    settings = changed(elsewhere.settings, admins=frozenset({ANN}))
    origin = {"type": "hidden_user", "sender_user_name": "Vera"}
    async with running(settings):
        await elsewhere.says(BORIS, BORIS, "one")
        elsewhere.model.script(Say("slow", delay=0.5))
        elsewhere.room.say(ANN, ANN, "slow?")
        async with asyncio.timeout(40):  # what comes with a question is part of it
            while len(elsewhere.bodies()) < 2:
                await elsewhere.room.changed(elsewhere.room.version, 0.05)
        for text in (f"/reset {BORIS}", "/reset", "/stop", "/undo", "/nonsense"):
            elsewhere.room.forward(ANN, ANN, text, origin)
        slow, echo = await elsewhere.hears(ANN, 2)
        assert slow == "slow"
        author = RUSSIAN.forwarded.format(author="Vera")
        assert echo.startswith(f"echo: {author}\n/reset {BORIS}\n\n{author}\n/reset\n\n")
        assert echo.endswith("/nonsense")
        assert len(await elsewhere.history(BORIS)) == 2
        assert len(await elsewhere.history(ANN)) == 4


@pytest.mark.parametrize("status", ["creator", "administrator"])
async def test_admins_may_reset(world: World, status: str) -> None:
    """Telegram's own roles decide; `/reset@name` is the same command."""
    await world.says(GROUP, ANN, "@demo_bot one")
    world.room.set_member(GROUP, ANN, status)
    await world.says(GROUP, ANN, "/reset@demo_bot", language="en")
    assert await world.history(GROUP) == []


async def test_anonymous_admins_may_reset(world: World) -> None:
    """An admin who hides behind the group's name is one all the same."""
    await world.says(GROUP, ANN, "@demo_bot one")
    await world.says(GROUP, ANONYMOUS, "/reset")
    assert await world.history(GROUP) == []


async def test_no_telling_who_is_admin_means_no(world: World) -> None:
    """Where Telegram will not tell a member's role, nobody's history is cleared."""
    await world.says(GROUP, ANN, "@demo_bot one")
    world.room.fail(
        "getChatMember", Fault(status=403, description="Forbidden: bot is not a member")
    )
    assert "admins" in await world.says(GROUP, ANN, "/reset", language="en")
    assert len(await world.history(GROUP)) == 2


async def test_owners_reset_from_anywhere(elsewhere: World) -> None:
    """An owner clears another chat by its number; everybody else is told why not."""
    settings = changed(elsewhere.settings, admins=frozenset({BORIS}))
    async with running(settings):
        await elsewhere.says(GROUP, ANN, "@demo_bot one")
        told = await elsewhere.says(ANN, ANN, f"/reset {GROUP}", language="en")
        assert "owner" in told
        assert "number" in await elsewhere.says(BORIS, BORIS, "/reset @group", language="en")
        assert len(await elsewhere.history(GROUP)) == 2
        assert str(GROUP) in await elsewhere.says(BORIS, BORIS, f"/reset {GROUP}")
        assert await elsewhere.history(GROUP) == []
        await elsewhere.says(GROUP, ANN, "@demo_bot two")
        await elsewhere.says(GROUP, BORIS, "/reset")
        assert await elsewhere.history(GROUP) == []


async def test_a_closed_bot(elsewhere: World) -> None:
    """Only the listed people and chats are answered; others are told once they speak to it."""
    allowed = {"allowed_users": frozenset({ANN}), "allowed_chats": frozenset({ANN, GROUP})}
    async with running(changed(elsewhere.settings, **allowed)):
        assert await elsewhere.says(ANN, ANN, "hi") == "echo: hi"
        assert "owner" in await elsewhere.says(BORIS, BORIS, "hi", language="en")
        assert "owner" in await elsewhere.says(-501, ANN, "@demo_bot hi", language="en")
        elsewhere.room.say(GROUP, BORIS, "not for the bot")
        assert await elsewhere.says(GROUP, ANN, "@demo_bot hi") == "echo: hi"
        assert len(elsewhere.said(GROUP)) == 1
