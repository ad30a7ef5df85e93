"""What python-telegram-bot cannot read kills no question."""

import copy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from telegram import Bot, Update, User

from handlers.incoming.addressing import has_words, read_talk
from handlers.incoming.parsing import MOST, Unreadable, read, read_message, reading
from handlers.incoming.talk import Talk
from handlers.incoming.words import UNREAD, told
from handlers.texts import ENGLISH
from storage.chat_settings import ChatSettings, When
from storage.message import ChatKey
from tests.bot_api import ANN, BESIDE, CONTENT, POLL, SERVICE, message

BOT = Bot("7:TEST")
BOT._bot_user = User(7, "Robot", is_bot=True, username="bench_bot")
CHAT = {"id": 101, "type": "private", "first_name": "Ann"}
GROUP = {"id": -500, "type": "supergroup", "title": "Friends"}
FIELDS = CONTENT | SERVICE | BESIDE
OLD_POLL = POLL | {"options": [{"text": "yes", "voter_count": 1}]}
"""A poll as a server of an older version writes it."""


def readable(raw: Any) -> bool:
    """Tell whether the library reads it by itself."""
    try:
        Update.de_json(copy.deepcopy(raw), BOT)
    except Exception:  # noqa: BLE001 - it raises whatever odd JSON leads it to
        return False
    return True


def asking(**fields: Any) -> dict[str, Any]:
    """Write an update with a question and something beside it."""
    return {"update_id": 1, "message": message(9, CHAT, text="why?", **fields)}


def damaged(value: Any) -> list[Any]:
    """Damage a value in ways in which a newer or older server may differ."""
    if isinstance(value, dict):
        fewer = [{k: v for k, v in value.items() if k != name} for name in value]
        return [*fewer, {name: {"moon": 1} for name in value}, "word"]
    if isinstance(value, list):
        return [[*value, "word"], 5, [None]]
    return [{"moon": 1}]


@pytest.mark.parametrize("name", FIELDS)
def test_a_question_outlives_any_part_of_it(name: str) -> None:
    """Whatever is the matter with one part, its words are read, alone and in a reply."""
    for bad in damaged(FIELDS[name]):
        for beside in ({name: bad}, {"reply_to_message": message(5, CHAT, **{name: bad})}):
            update = read(asking(**beside), BOT)
            assert update.message
            assert update.message.text == "why?"
            assert update.message.from_user
            assert update.message.from_user.id == ANN["id"]
            assert told(update.message.to_dict(), ENGLISH)


def test_some_parts_are_unreadable() -> None:
    """Else the test above would say nothing."""
    broken = [
        name
        for name, value in FIELDS.items()
        if not all(readable(asking(**{name: bad})) for bad in damaged(value))
    ]
    assert len(broken) > 20


def test_what_is_unreadable_is_the_least() -> None:
    """Beside a poll of another version the rest of a reply is there, and the poll's words."""
    replied = message(5, GROUP, poll=OLD_POLL, caption="see", entities=[])
    raw = asking(reply_to_message=replied)
    assert not readable(raw)
    update = read(raw, BOT)
    assert update.message
    assert update.message.reply_to_message
    assert update.message.reply_to_message.message_id == 5
    assert update.message.reply_to_message.caption == "see"
    assert told(update.message.reply_to_message.to_dict(), ENGLISH).startswith(
        "Poll: Tea?\n- yes (1)"
    )


def test_entities_are_dropped_one_by_one() -> None:
    """A new kind of entity that lacks something leaves the others."""
    good = {"type": "bold", "offset": 0, "length": 2}
    update = read(asking(entities=[good, {"type": "moon"}]), BOT)
    assert update.message
    assert [entity.type for entity in update.message.entities] == ["bold"]


@pytest.mark.parametrize("part", ["message_id", "date", "from", "chat"])
@pytest.mark.parametrize("kind", ["message", "edited_message"])
def test_a_message_needs_little(kind: str, part: str) -> None:
    """Of who wrote it and where, what is readable is enough."""
    for bad in damaged(message(9, CHAT)[part]):
        raw = {"update_id": 1, kind: {**message(9, CHAT, text="why?"), part: bad}}
        if part == "chat" and (not isinstance(bad, dict) or bad.get("id") != CHAT["id"]):
            continue  # it is nowhere: the intake takes none such
        found = read(raw, BOT).effective_message
        assert found
        assert found.text == "why?"
        assert found.chat.id == CHAT["id"]


def test_a_press_outlives_its_message() -> None:
    """A button is known by its data; what stands above it may be unreadable."""
    pressed = message(5, CHAT, text="answer", poll=OLD_POLL)
    query = {"id": "1", "from": ANN, "chat_instance": "1", "data": "stop:5", "message": pressed}
    update = read({"update_id": 1, "callback_query": query}, BOT)
    assert update.callback_query
    assert update.callback_query.data == "stop:5"
    assert update.callback_query.message


def test_what_is_left_of_an_unreadable_message() -> None:
    """It has no words of its own, and is known by its kind."""
    raw = {"update_id": 1, "message": message(9, CHAT, poll=OLD_POLL)}
    update = read(raw, BOT)
    assert update.message
    assert not has_words(update.message)
    assert f"{UNREAD}poll" in update.message.api_kwargs


@pytest.mark.parametrize("raw", [{}, {"update_id": 1, "message": "x"}])
def test_where_nothing_is_left_it_says_so(raw: dict[str, Any]) -> None:
    """What is no update at all is unreadable."""
    with pytest.raises(Unreadable):
        read(raw, BOT)
    with pytest.raises(Unreadable):
        read_message("x", BOT)


def test_what_is_unreadable_is_not_quoted() -> None:
    """Whoever logs it knows nothing of what was said, whatever the library's error quotes."""
    with pytest.raises(Unreadable, match=r"^KeyError$"), reading():
        raise KeyError("what was said")


def test_a_huge_message_is_read_in_no_time() -> None:
    """What is damaged and too large to be tried part by part is left out."""
    many = [{"type": "bold", "offset": 0, "length": 2}] * 2_000
    update = read(asking(entities=[*many, {}], **{f"x{n}": n for n in range(300)}), BOT)
    assert update.message
    assert len(update.message.entities) <= MOST


def test_a_groups_talk_is_talk_though_it_is_unreadable() -> None:
    """It takes no room from questions."""
    raw = message(9, GROUP, text="hi", poll=OLD_POLL)
    assert read_talk(raw, BOT)  # type: ignore[arg-type] # of any bot


odd = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "a", "private"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["id", "type", "chat", "date", *FIELDS]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


@settings(max_examples=40)
@given(st.dictionaries(st.sampled_from([*FIELDS, "from", "date", "message_id"]), odd, max_size=6))
def test_any_message_in_a_chat_is_read(fields: dict[str, Any]) -> None:
    """There is somebody to be answered wherever there is a chat."""
    found = read({"update_id": 1, "message": {"chat": CHAT, **fields}}, BOT)
    assert found.message
    assert found.message.chat.id == CHAT["id"]


@settings(max_examples=60)
@given(
    odd
    | st.fixed_dictionaries(
        {"chat": st.just(GROUP) | odd},
        optional=dict.fromkeys(
            ("message_id", "date", "from", "text", "entities", "rich_message"), odd
        ),
    )
)
def test_anything_is_talk_or_not(raw: Any) -> None:
    """Whatever stands in the place of a message, the intake goes on, and can hear it."""
    bot: Any = BOT
    talk = Talk.read(raw, bot, frozenset(), None)
    assert (talk is None) == (read_talk(raw, bot) is None)
    if talk:
        overheard = talk.overheard(ChatKey(-5), edited=False)
        assert all(isinstance(one, str | int) for one in overheard.arguments())
        assert overheard.always is talk.is_for_us(ChatSettings(when=When.ALWAYS))


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        ({"message_id": 1}, True),
        ({"message_id": 2**53 - 1}, True),
        ({"message_id": 2**53}, False),
        ({"message_id": 0}, False),
        ({"message_id": "1"}, False),
        ({"message_id": True}, False),
        ({"sender_chat": {"id": 1, "type": "channel", "title": {"a": 1}}}, False),
    ],
)
def test_what_can_be_kept_of_talk(fields: dict[str, Any], kept: bool) -> None:
    """What has a number that Redis can tell from others, and an author who can be named."""
    bot: Any = BOT
    raw = message(9, GROUP, text="hi") | fields
    talk = Talk.read(raw, bot, frozenset(), None)
    assert talk
    assert bool(talk.overheard(ChatKey(-5), edited=False).entry) is kept
    assert not talk.is_for_us(ChatSettings())
    locked = Talk.read(raw, bot, frozenset({"hears", "when"}), None)
    assert locked
    assert not locked.overheard(ChatKey(-5), edited=False).entry
    assert not locked.is_for_us(ChatSettings(when=When.ALWAYS))


def test_talk_that_turns_out_to_be_unreadable() -> None:
    """Where all is answered, somebody has to look at it."""
    bot: Any = BOT
    talk = Talk.read(message(9, GROUP, text="hi", rich_message={"blocks": []}), bot, set(), None)
    assert talk
    broken = replace(talk, message=None)  # type: ignore[arg-type] # stands for anything odd
    assert broken.is_for_us(ChatSettings(when=When.ALWAYS))
    assert not broken.is_for_us(ChatSettings())


COMMAND = {"type": "bot_command", "offset": 0, "length": 2}


@pytest.mark.parametrize(
    "raw", [None, {"chat": []}, message(9, GROUP, text=["hi"], entities=[COMMAND])]
)
def test_what_nobody_can_read_is_not_talk(raw: Any) -> None:
    """Somebody has to look at it."""
    assert not read_talk(raw, BOT)  # type: ignore[arg-type] # of any bot
