"""Whom a message is meant for, and what it asks."""

from typing import Any

import pytest
from telegram import Message, User

from handlers.incoming.addressing import is_addressed, question, said
from handlers.texts import ENGLISH
from handlers.turn.where import chat_key, is_company, topic_of
from storage.message import ChatKey

ME = User(7, "Robot", is_bot=True, username="bench_bot")
ANN = {"id": 101, "is_bot": False, "first_name": "Ann"}
GROUP = {"id": -500, "type": "supergroup", "title": "Friends"}
PRIVATE = {"id": 101, "type": "private", "first_name": "Ann"}
ROBOT = {"id": 7, "is_bot": True, "first_name": "Robot", "username": "bench_bot"}


def message(text: str = "", *entities: Any, chat: dict[str, Any] = GROUP, **fields: Any) -> Message:
    """Read a message as it comes from Telegram."""
    raw = {"message_id": 9, "date": 1, "chat": chat, "from": ANN, **fields}
    if text:
        raw |= {"text": text, "entities": list(entities)}
    return Message.de_json(raw, None)


def mention(offset: int, length: int, kind: str = "mention", **more: Any) -> dict[str, Any]:
    """Write an entity that names somebody."""
    return {"type": kind, "offset": offset, "length": length, **more}


@pytest.mark.parametrize(
    ("text", "entities", "asked"),
    [
        ("@bench_bot what?", [mention(0, 10)], "what?"),
        ("  @Bench_Bot, what?", [mention(2, 10)], "what?"),
        ("what? @BENCH_BOT \n", [mention(6, 10)], "what?"),
        ("@bench_bot", [mention(0, 10)], ""),
        ("@bench_bot @bench_bot hi", [mention(0, 10), mention(11, 10)], "hi"),
        ("Robot: what?", [mention(0, 5, "text_mention", user=ROBOT)], "what?"),
        ("ask @bench_bot now", [mention(4, 10)], "ask @bench_bot now"),
        ("😀 @bench_bot", [mention(3, 10)], "😀"),
        # Names of others that begin or end like ours.
        ("@bench_bot_test is down", [mention(0, 15)], "@bench_bot_test is down"),
        ("why is it @bench_bot_test", [mention(10, 15)], "why is it @bench_bot_test"),
        ("me@bench_bot", [mention(0, 12, "email")], "me@bench_bot"),
        ("@bench_bot", [mention(0, 10, "code")], "`@bench_bot`"),
        # What is marked stays marked, wherever it moves.
        (
            "@bench_bot see here",
            [mention(0, 10), mention(15, 4, "text_link", url="https://ya.ru")],
            "see [here](https://ya.ru)",
        ),
    ],
)
def test_the_name_of_the_bot_is_no_part_of_a_question(
    text: str, entities: list[Any], asked: str
) -> None:
    """It is taken off where Telegram says that it is named, and nowhere else."""
    assert question(message(text, *entities), ME, ENGLISH) == asked


def rich(*text: Any, **fields: Any) -> Message:
    """Read a rich message with one paragraph."""
    blocks = [{"type": "paragraph", "text": list(text)}]
    return message(rich_message={"blocks": blocks}, **fields)


NAME = {"type": "mention", "text": "@Bench_Bot", "username": "bench_bot"}


@pytest.mark.parametrize(
    ("asking", "asked"),
    [
        (rich(NAME, " make ", {"type": "bold", "text": "three"}, " points"), "make three points"),
        (rich("@bench_bot, hi"), "hi"),
        (rich("hi ", NAME), "hi"),
        (rich("hi", {"type": "text_mention", "text": "!", "user": ROBOT}), "hi!"),
    ],
)
def test_a_rich_message_names_the_bot(asking: Message, asked: str) -> None:
    """Wherever in it that stands."""
    assert is_addressed(asking, ME)
    assert question(asking, ME, ENGLISH) == asked


@pytest.mark.parametrize(
    "talk",
    [
        rich("@bench_bot_test hi"),
        rich("me@bench_bot"),
        rich({"type": "code", "text": "@bench_bot"}),
        message("@bench_bot_test hi", mention(0, 15)),
        message("/ask@bench_bot_test", mention(0, 19, "bot_command")),
        message("hello"),
    ],
)
def test_talk_is_not_for_the_bot(talk: Message) -> None:
    """Other names are not ours."""
    assert not is_addressed(talk, ME)


REPLIED = {"message_id": 5, "date": 1, "chat": GROUP, "from": ROBOT, "text": "yes"}
OTHER = {"id": 8, "is_bot": True, "first_name": "Other"}


@pytest.mark.parametrize(
    ("reply", "ours"),
    [
        (message("and you?", reply_to_message=REPLIED), True),
        (message("ask @ann", mention(4, 4), reply_to_message=REPLIED), True),
        (message("@other_bot and you?", mention(0, 10), reply_to_message=REPLIED), False),
        (message("/ask@other_bot", mention(0, 14, "bot_command"), reply_to_message=REPLIED), False),
        (
            message("Other?", mention(0, 5, "text_mention", user=OTHER), reply_to_message=REPLIED),
            False,
        ),
        (
            message(
                "@other_bot or @bench_bot",
                mention(0, 10),
                mention(14, 10),
                reply_to_message=REPLIED,
            ),
            True,
        ),
        (rich("@other_bot?", reply_to_message=REPLIED), False),
        (message("@other_bot", mention(0, 10), chat=PRIVATE), True),
    ],
)
def test_a_reply_that_names_another_bot_is_for_that_one(reply: Message, *, ours: bool) -> None:
    """Nobody wants two answers; a person who is named changes nothing."""
    assert is_addressed(reply, ME) is ours


def test_who_wrote_it_is_kept() -> None:
    """A person, or the chat in whose name somebody writes; when that was, too."""
    asked = said(message("hi"), "hi")
    assert (asked.text, asked.sender, asked.name, asked.at) == ("hi", 101, "Ann", 1)
    assert said(message("hi", sender_chat=GROUP), "hi").name == "Friends"
    pressed = said(message("hi"), "on", User(5, "Boris", is_bot=False, last_name="B"))
    assert (pressed.sender, pressed.name) == (5, "Boris B")
    nobody: dict[str, Any] = {"from": None}
    assert said(message("hi", **nobody), "hi").sender == 0


def test_a_topic_is_a_conversation() -> None:
    """In a forum, and in a channel's direct messages, where a person has one each."""
    forum = message("hi", message_thread_id=5, is_topic_message=True)
    assert (chat_key(forum), topic_of(forum)) == (ChatKey(-500, 5), {"message_thread_id": 5})
    direct = message("hi", message_thread_id=5, direct_messages_topic={"topic_id": 101})
    assert chat_key(direct) == ChatKey(-500, 101)
    assert topic_of(direct) == {"direct_messages_topic_id": 101}
    assert not is_company(direct)
    plain = message("hi", message_thread_id=5)
    assert (chat_key(plain), topic_of(plain)) == (ChatKey(-500), {})
    assert is_company(plain)
