"""Whom a message is meant for, and what it asks."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telegram import Message, User

from handlers.incoming.addressing import (
    behind_name,
    is_addressed,
    is_answered,
    question,
    read_talk,
    said,
)
from handlers.incoming.talk import Talk
from handlers.texts import ENGLISH
from handlers.turn.where import chat_key, is_company, topic_of
from storage.chat_settings import ChatSettings, When
from storage.chat_settings import names as read_names
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
    assert said(message("hi", **{"from": ANN | {"first_name": ""}}), "hi").name == ""
    assert said(message("hi"), "on", User(5, "", is_bot=False)).name == ""
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


# -- Names of its own


letters = st.characters(categories=["Lu", "Ll", "Nd"])
names = st.sampled_from(["Alice", "Алиса", "R2-D2", "Dear Alice", "Али", "7", "é"])
called = st.lists(names, min_size=1, max_size=3).map(lambda some: read_names(",".join(some)))


@given(called, st.data())
def test_a_name_at_the_beginning_calls(given_names: tuple[str, ...], data: st.DataObject) -> None:
    """In any case, with anything behind it that ends a word; what is asked is the rest."""
    name = data.draw(st.sampled_from(given_names))
    behind = data.draw(st.sampled_from([" ", ", ", ": ", "! ", "? ", "… ", " — ", "\n", ",", ";"]))
    rest = data.draw(st.sampled_from(["what?", "(what)", "-5 + 3", ".net", "«и»"]))
    before = data.draw(st.sampled_from(["", " ", "\n"]))
    written = data.draw(st.sampled_from([name, name.upper(), name.lower(), name.title()]))
    text = before + written + behind + rest
    end = behind_name(text, given_names)
    # Another, longer name may begin with this one.
    assert text[end:] == rest or any(
        len(other) > len(name) and other.lower().startswith(name.lower()) for other in given_names
    )


@given(called, st.text(letters, min_size=1, max_size=3), st.data())
def test_a_part_of_a_word_calls_nobody(
    given_names: tuple[str, ...], more: str, data: st.DataObject
) -> None:
    """Neither the beginning of a word nor its end is a name, nor is a word's first half."""
    name = data.draw(st.sampled_from(given_names))
    others = [one for one in given_names if one != name]
    for text in (name + more, f"{more}{name}", f"{name}-{more}", f"{name}'{more}", f"@{name}"):
        if not any(text.lower().startswith(one.lower()) for one in others):
            assert behind_name(text, (name,)) == 0 or text[: len(name)] != name, text


@given(st.lists(st.text(min_size=1), max_size=3), st.text())
def test_any_text_and_any_names(odd: list[str], text: str) -> None:
    """Where it goes on is in the text."""
    assert 0 <= behind_name(text, [name for name in odd if name.strip()]) <= len(text)


@pytest.mark.parametrize(
    ("given_name", "text", "rest"),
    [
        ("अलिशा", "अलिशा, नमस्ते", "नमस्ते"),
        ("अल", "अलिशा, नमस्ते", None),
        ("อลิสา", "อลิสา สวัสดี", "สวัสดี"),
        ("Иорик", "И\u0306орик, привет", None),
        ("Йорик", "И\u0306орик, привет", "привет"),
        ("И\u0306орик", "Йорик, привет", "привет"),
        ("Rene", "Rene\u0301, ça va ?", None),
        ("爱丽丝，小爱", "小爱，你好", "你好"),
        ("آلیسا، علی", "علی، سلام", "سلام"),
    ],
)
def test_names_in_any_script(given_name: str, text: str, rest: str | None) -> None:
    """A letter has its marks, however they are written; each script has commas of its own."""
    end = behind_name(text, read_names(given_name))
    assert (text[end:] if end else None) == rest


# -- When it answers: the same rule for what comes in and for what is answered


STRANGERS = [
    ANN,
    {"id": 8, "is_bot": True, "first_name": "Other", "username": "other_bot"},
    {"id": 1087968824, "is_bot": True, "first_name": "Group"},
    {"id": 777000, "is_bot": False, "first_name": "Telegram"},
]
SAID = st.fixed_dictionaries(
    {
        "chat": st.sampled_from([GROUP, PRIVATE]),
        "from": st.sampled_from(STRANGERS),
        "text": st.sampled_from(
            ["hi", "Alice, hi", "Malice", "@bench_bot hi", "@other_bot hi", "/stop", "/stop@x_bot"]
        ),
    },
    optional={
        "reply_to_message": st.just(REPLIED),
        "is_automatic_forward": st.just(True),
        "forward_origin": st.just({"type": "hidden_user", "date": 1, "sender_user_name": "x"}),
    },
)
CHOSEN = st.builds(
    ChatSettings,
    when=st.sampled_from([None, *When]),
    names=st.sampled_from([None, ("Alice",)]),
)


def entities(text: str) -> list[dict[str, Any]]:
    """What Telegram marks at a text's beginning."""
    word = text.split(maxsplit=1)[0]
    kind = {"@": "mention", "/": "bot_command"}.get(word[0])
    return [mention(0, len(word), kind)] if kind else []


@given(SAID, CHOSEN)
def test_both_sides_decide_alike(fields: dict[str, Any], chosen: ChatSettings) -> None:
    """Nothing that would be answered is left out on its way in; and no bot is ever answered."""
    raw = {"message_id": 9, "date": 1, **fields, "entities": entities(fields["text"])}
    bot: Any = SimpleNamespace(bot=ME, defaults=None)
    asked = is_answered(Message.de_json(raw, None), ME, chosen)
    talk = Talk.read(raw, bot, frozenset(), None)
    assert (talk is None) == (read_talk(raw, bot) is None)
    assert talk is None or talk.is_for_us(chosen) is asked
    if fields["from"]["id"] == 8 or fields.get("is_automatic_forward"):
        assert not asked
    if chosen.when is When.NEVER and fields["chat"] is GROUP:
        assert not asked
