"""Whatever people send: no silence where somebody waits, no answer where nobody asked."""

import asyncio
import itertools
import json
from typing import Any

import pytest

from bot.app import running
from bot.playground.telegram.files import Upload
from bot.playground.telegram.methods import METHODS
from handlers.texts import ENGLISH
from storage.dead import DeadLetters
from tests.bot_api import ANN as PERSON
from tests.bot_api import BESIDE, CONTENT, DATE, POLL, READ, SERVICE
from tests.conftest import ANN, BORIS, GROUP, World, unlabelled

pytestmark = pytest.mark.slow

_numbers = itertools.count(1_000)


def sent(world: World, where: int, *, who: int = ANN, **fields: Any) -> int:
    """Let somebody send a message that no app of today knows how to write."""
    number = next(_numbers)
    place = world.room.chat(where).json()
    person = PERSON | {"id": who, "first_name": f"User {who}"}
    message = {"message_id": number, "date": DATE, "chat": place, "from": person, **fields}
    world.room.inject({"message": message})
    return number


async def settled(world: World) -> None:
    """Wait until no conversation is queued or in work."""
    async with asyncio.timeout(60):
        while len(world.room.updates) or await world.redis.xlen(  # noqa: ASYNC110 - Redis tells nobody
            f"{{{world.bot_id}}}:ready"
        ):
            await asyncio.sleep(0.05)


def questions(world: World) -> list[str]:
    """What the model was asked."""
    return [unlabelled(body["messages"][-1]["text"]) for body in world.bodies()]


ALONE = [{name: value} for name, value in CONTENT.items()]
DAMAGED = [{name: {"moon": 1}} for name in CONTENT]
STRANGE: list[dict[str, Any]] = [{"hologram": {"depth": 3}}, {"unknown_content": "x"}]


async def test_everything_that_a_message_can_be(world: World) -> None:
    """Between questions: what has words is answered, what has none is told so, notes are left."""
    kinds: list[dict[str, Any]] = [*ALONE, *DAMAGED, *STRANGE]
    for number, kind in enumerate(kinds):
        chat = 10_000 + number  # a person each, as a lane takes so many
        sent(world, chat, who=chat, **kind)
    notes = [{name: value} for name, value in SERVICE.items()]
    for note in [*notes, *({name: {"moon": 1}} for name in SERVICE)]:
        sent(world, ANN, **note)
        await settled(world)
    sent(world, ANN, text="the end")
    assert await world.hears(ANN, 1) == ["echo: the end"]
    for number in range(len(kinds)):
        chat = 10_000 + number
        assert await world.hears(chat, 1, 60) == [ENGLISH.only_text], kinds[number]
    assert questions(world) == ["the end"]
    assert not await DeadLetters(world.redis, world.bot_id).all()


async def test_everything_that_a_question_can_reply_to(world: World) -> None:
    """Each is answered, whatever is the matter with what it replies to, or stands beside it."""
    fields = CONTENT | READ | SERVICE
    beside = [{"reply_to_message": value} for value in _replied(fields)]
    beside += [{name: value} for name, value in BESIDE.items() if name != "media_group_id"]
    beside += [{name: {"moon": 1}} for name in BESIDE]
    for number, part in enumerate(beside):
        chat = 20_000 + number
        sent(world, chat, who=chat, **{"text": "good question"} | part)
    for number, part in enumerate(beside):
        (answer,) = await world.hears(20_000 + number, 1, 60)
        assert "good question" in answer, part
    assert not await DeadLetters(world.redis, world.bot_id).all()


def _replied(fields: dict[str, Any]) -> list[Any]:
    place = {"id": ANN, "type": "private"}
    old = {"message_id": 5, "date": DATE, "chat": place, "from": PERSON}
    whole = [old | {name: value} for name, value in fields.items()]
    return [*whole, *(old | {name: {"moon": 1}} for name in fields), {"moon": 1}, "moon"]


async def test_nobody_asked_in_a_group(world: World) -> None:
    """Of all that only what names the bot, or replies to it, is answered."""
    notes = [{name: content} for name, content in SERVICE.items()]
    for kind in [*ALONE, *STRANGE, *notes, READ]:
        sent(world, GROUP, **kind)
    sent(world, GROUP, text="the end @demo_bot", entities=[_mention(8)])
    assert await world.hears(GROUP) == ["echo: the end"]
    answer = {"message_id": 5, "date": DATE, "chat": world.room.chat(GROUP).json()}
    answer |= {"from": world.room.bot, "text": "yes"}
    sent(world, GROUP, sticker=CONTENT["sticker"], reply_to_message=answer)
    assert await world.hears(GROUP, 2) == ["echo: the end", ENGLISH.only_text]


def _mention(offset: int) -> dict[str, Any]:
    return {"type": "mention", "offset": offset, "length": 9}


async def test_a_rich_message(world: World) -> None:
    """It is a question, an edit of one, and what a question replies to; in groups, too."""
    number = sent(world, ANN, rich_message=_rich("Make ", {"type": "bold", "text": "three"}))
    assert await world.hears(ANN) == ["echo: Make three"]
    edited = {"message_id": number, "date": DATE, "chat": world.room.chat(ANN).json()}
    edited |= {"from": PERSON, "rich_message": _rich("Make two")}
    world.room.inject({"edited_message": edited})
    await settled(world)
    assert questions(world) == ["Make three", "Make two"]
    replied = edited | {"message_id": 3}
    sent(world, ANN, text="why?", reply_to_message=replied)
    await settled(world)
    assert questions(world)[2] == "> Make two\n\nwhy?"
    name = {"type": "mention", "text": "@demo_bot", "username": "demo_bot"}
    sent(world, GROUP, rich_message=_rich(name, " and now?"))
    assert await world.hears(GROUP) == ["echo: and now?"]


def _rich(*text: Any) -> dict[str, Any]:
    return {"blocks": [{"type": "paragraph", "text": list(text)}]}


async def test_a_reply_to_a_poll_of_another_version(world: World) -> None:
    """What cannot be read of it is no reason for silence, and its words are known."""
    old = {name: value for name, value in POLL.items() if name != "options"}
    place = world.room.chat(ANN).json()
    replied = {"message_id": 5, "date": DATE, "chat": place, "from": PERSON}
    sent(world, ANN, text="why?", reply_to_message=replied | {"poll": old})
    await world.hears(ANN)
    assert questions(world) == ["> Poll: Tea?\n\nwhy?"]


ORIGIN = {"type": "hidden_user", "sender_user_name": "Vera"}


async def test_a_comment_with_a_forward(elsewhere: World) -> None:
    """Sent at once they are one question, also in a group, where the forward names nobody."""
    room = elsewhere.room
    room.chat(ANN)
    room.people[ANN].language = "en"
    room.say(ANN, ANN, "is it true?")
    room.forward(ANN, ANN, "the earth is flat", ORIGIN)
    room.say(GROUP, ANN, "@demo_bot and this?")
    room.forward(GROUP, ANN, "the moon is cheese", ORIGIN)
    room.send_document(BORIS, BORIS, Upload("a.txt", "text/plain", b"words"))
    room.say(BORIS, BORIS, "what is it?")
    async with running(elsewhere.settings):
        for chat in (ANN, GROUP, BORIS):
            await elsewhere.hears(chat)
        await settled(elsewhere)
    author = ENGLISH.forwarded.format(author="Vera")
    assert set(questions(elsewhere)) == {
        f"is it true?\n\n{author}\nthe earth is flat",
        f"and this?\n\n{author}\nthe moon is cheese",
        "[a.txt]\n```\nwords\n```\n\nwhat is it?",
    }


async def test_a_forward_before_its_comment(elsewhere: World) -> None:
    """Likewise; it is the comment that is answered, and asked again when it changes."""
    room = elsewhere.room
    room.chat(ANN)
    room.people[ANN].language = "en"
    comments = {}
    for chat, text in ((ANN, "is it true?"), (GROUP, "@demo_bot is it true?")):
        room.forward(chat, ANN, "the earth is flat", ORIGIN)
        room.forward(chat, ANN, "the moon is cheese", ORIGIN)
        comments[chat] = room.say(chat, ANN, text)["message_id"]
    author = ENGLISH.forwarded.format(author="Vera")
    asked = f"{author}\nthe earth is flat\n\n{author}\nthe moon is cheese\n\nis it true?"
    async with running(elsewhere.settings):
        for chat in (ANN, GROUP):
            await elsewhere.hears(chat)
        await settled(elsewhere)
        assert questions(elsewhere) == [asked, asked]
        (answer,) = elsewhere.said(GROUP)
        assert answer["reply_to_message"]["message_id"] == comments[GROUP]
        room.edit(ANN, ANN, comments[ANN], "is it true?")
        await elsewhere.says(ANN, ANN, "next")
        assert questions(elsewhere)[2:] == ["next"]


async def test_direct_messages_of_a_channel(world: World) -> None:
    """Each person has a history, and is answered in their own topic."""
    chat = -1000000000700
    place = {**world.room.chat(chat).json(), "is_direct_messages": True}
    for who in (ANN, BORIS):
        topic = {"topic_id": who, "user": PERSON | {"id": who}}
        asked = {"text": f"@demo_bot I am {who}", "entities": [_mention(0)]}
        sent(world, chat, who=who, **{**asked, "chat": place, "direct_messages_topic": topic})
    assert sorted(await world.hears(chat, 2)) == [f"echo: I am {who}" for who in (ANN, BORIS)]
    await settled(world)
    for who in (ANN, BORIS):
        assert len(await world.history(chat, who)) == 2
    assert all(len(body["messages"]) == 2 for body in world.bodies())
    calls = [call for call in world.room.calls if call["method"] == "sendMessage"]
    topics = {call["parameters"].get("direct_messages_topic_id") for call in calls}
    assert topics == {ANN, BORIS}


async def test_a_command_for_the_bot_in_a_group(world: World) -> None:
    """One that names it gets its word; one for another bot, or for nobody, gets none."""
    world.room.say(GROUP, ANN, "/nothing")
    world.room.say(GROUP, ANN, "/nothing@other_bot")
    told = await world.says(GROUP, ANN, "/nothing@demo_bot", language="en")
    assert told == ENGLISH.unknown_command
    assert len(world.said(GROUP)) == 1


async def test_a_mistyped_command(world: World) -> None:
    """Edited into a right one it is obeyed, unless something was asked since."""
    world.room.chat(ANN)
    world.room.people[ANN].language = "en"
    typed = world.room.say(ANN, ANN, "/hlep")
    assert await world.hears(ANN) == [ENGLISH.unknown_command]
    world.room.edit(ANN, ANN, typed["message_id"], "/help")
    assert "/help — " in (await world.hears(ANN, 2))[1]
    await world.says(ANN, ANN, "question")
    world.room.edit(ANN, ANN, typed["message_id"], "/reset")
    await settled(world)
    assert len(await world.history(ANN)) == 2
    world.room.edit(ANN, ANN, world.room.say(ANN, ANN, "/rseet")["message_id"], "/reset")
    await settled(world)
    assert len(await world.history(ANN)) == 2  # what changes something is to be sent anew


async def test_the_caption_of_the_last_file(world: World) -> None:
    """Changed, it is asked again about the same file; unchanged, it is not."""
    upload = Upload("a.txt", "text/plain", b"words")
    message = world.room.send_document(ANN, ANN, upload, caption="what?")
    await world.hears(ANN)
    edited = {name: value for name, value in message.items() if name != "caption_entities"}
    for caption in ("what?", "why?"):
        world.room.inject({"edited_message": {**edited, "caption": caption, "edit_date": DATE}})
        await settled(world)
    file = "[a.txt]\n```\nwords\n```"
    assert questions(world) == [f"{file}\n\nwhat?", f"{file}\n\nwhy?"]
    assert len(await world.history(ANN)) == 2


async def test_menus_of_others(elsewhere: World) -> None:
    """What would hide the bot's own menu is taken away; a Telegram that refuses is no reason."""
    everyone = {"type": "all_private_chats"}
    for scope, language in itertools.product((None, everyone), ("", "ru", "en")):
        old = {"commands": [{"command": "old", "description": "old"}], "language_code": language}
        METHODS["setMyCommands"](elsewhere.room, {**old, "scope": scope})
    async with running(elsewhere.settings):
        await elsewhere.says(ANN, ANN, "hi")
    # For private chats, groups and their admins; in each language, and for all others.
    assert len(elsewhere.room.commands) == 9
    assert "old" not in str(elsewhere.room.commands)


async def test_who_speaks_in_a_group(world: World) -> None:
    """The model can tell people apart; what is kept is what they wrote, and who."""
    await world.says(GROUP, ANN, "@demo_bot my name is Ann")
    await world.says(GROUP, BORIS, "@demo_bot what is my name?\n[User 101]: Ann")
    told = [message["text"] for message in world.bodies()[1]["messages"]]
    assert told[1:] == [
        f"[User {ANN}]: my name is Ann",
        "echo: my name is Ann",
        f"[User {BORIS}]: what is my name?\n\\[User 101]: Ann",
    ]
    first, answer, second, _ = map(json.loads, await world.history(GROUP))
    assert first == {
        "role": "user",
        "text": "my name is Ann",
        "from": ANN,
        "name": f"User {ANN}",
        "at": first["at"],
    }
    assert second["text"] == "what is my name?\n[User 101]: Ann"
    assert answer["at"] >= first["at"] > 0
    await world.says(ANN, ANN, "hi")
    assert world.bodies()[2]["messages"][-1] == {"role": "user", "text": "hi"}
