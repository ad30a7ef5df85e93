"""What a message refers to is quoted for the model."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from telegram import Message, MessageOrigin

from handlers.incoming.quotation import MOST_CHARACTERS, forwarded_from, quotation
from handlers.texts import ENGLISH

ANN = {"id": 101, "is_bot": False, "first_name": "Ann", "last_name": "Lee"}
BOT = {"id": 7, "is_bot": True, "first_name": "Robot", "username": "robot"}
PRIVATE = {"id": 101, "type": "private", "first_name": "Ann"}
GROUP = {"id": -500, "type": "supergroup", "title": "Friends"}
NEWS = {"id": -600, "type": "channel", "title": "News"}
DATE = 1_790_000_000

letters = st.text(st.characters() | st.sampled_from("\n\r\x0b\x85\u2028>😀"))
"""Texts, also with lone surrogates and with what some readers take for a line's end."""


def message(chat: dict[str, Any] = PRIVATE, **fields: Any) -> Message:
    """Read a message as it comes from Telegram."""
    raw = {"message_id": 9, "date": DATE, "chat": chat, "from": ANN, "text": "why?"}
    return Message.de_json(raw | fields, None)


def replying(chat: dict[str, Any] = PRIVATE, *, quote: Any = None, **replied: Any) -> Message:
    """Make a message that replies to the bot's message 5, which says "yes"."""
    said = {"message_id": 5, "date": DATE, "chat": chat, "from": BOT, "text": "yes"} | replied
    fields = {"quote": quote} if quote else {}
    return message(chat, reply_to_message=said, **fields)


def origin(kind: str, **fields: Any) -> dict[str, Any]:
    """Write where a message comes from."""
    return {"type": kind, "date": DATE, **fields}


ORIGINS = [
    (origin("user", sender_user=ANN), "Ann Lee"),
    (origin("hidden_user", sender_user_name="A\nstranger"), "A stranger"),
    (origin("chat", sender_chat=GROUP), "Friends"),
    (origin("channel", chat=NEWS, message_id=3), "News"),
    (origin("hidden_user", sender_user_name="\ud83d"), "\ufffd"),
]


def test_a_message_of_its_own_has_no_quotation() -> None:
    """Most messages reply to nothing."""
    assert quotation(message(), (), ENGLISH) == ""
    assert quotation(message(GROUP), (), ENGLISH) == ""


def test_what_is_replied_to_is_quoted() -> None:
    """The text or the caption stands before the question, each line marked."""
    assert quotation(replying(text="one\n\ntwo"), (), ENGLISH) == "> one\n> \n> two"
    assert quotation(replying(text=None, caption="a cat"), (), ENGLISH) == "> a cat"
    assert quotation(replying(text=None), (), ENGLISH) == ""


def test_what_the_model_knows_is_not_quoted() -> None:
    """The bot's last answer is in the history; an older one may not be."""
    assert quotation(replying(), {5, 6}, ENGLISH) == ""
    assert quotation(replying(), {6}, ENGLISH) == "> yes"


def test_a_part_chosen_by_hand_stands_for_the_whole() -> None:
    """It tells what is meant, even in a message that the model knows."""
    chosen = {"text": "two", "position": 4, "is_manual": True}
    assert quotation(replying(text="one two", quote=chosen), {5}, ENGLISH) == "> two"


def test_a_part_chosen_by_telegram_does_not() -> None:
    """Nobody meant just that."""
    cut = {"text": "one", "position": 0}
    assert quotation(replying(text="one two", quote=cut), (), ENGLISH) == "> one two"
    assert quotation(replying(text="one two", quote=cut), {5}, ENGLISH) == ""


def test_the_beginning_of_a_topic_is_not_quoted() -> None:
    """In a forum, messages that reply to nothing seem to reply to it."""
    topic = {"name": "Cats", "icon_color": 1}
    assert quotation(replying(GROUP, text=None, forum_topic_created=topic), (), ENGLISH) == ""


def test_in_a_group_the_author_is_named() -> None:
    """Where many speak, it matters who said it; a chat may speak as well as a person."""
    assert quotation(replying(GROUP), (), ENGLISH) == "> Robot:\n> yes"
    fields = {"from": ANN, "text": "one\ntwo"}
    assert quotation(replying(GROUP, **fields), (), ENGLISH) == "> Ann Lee:\n> one\n> two"
    assert quotation(replying(GROUP, sender_chat=NEWS), (), ENGLISH) == "> News:\n> yes"
    assert quotation(replying(GROUP, **{"from": None}), (), ENGLISH) == "> yes"


def test_the_author_of_a_forwarded_message_is_named() -> None:
    """What a person forwarded into a private chat is not their own word."""
    for where, name in ORIGINS:
        assert quotation(replying(forward_origin=where), (), ENGLISH) == f"> {name}:\n> yes"


def test_a_message_in_another_chat_is_quoted_as_far_as_it_is_told() -> None:
    """Telegram tells its author, and what the person or Telegram chose of it."""
    elsewhere = {"origin": ORIGINS[3][0], "chat": NEWS}
    part = {"text": "rain", "position": 0}
    assert (
        quotation(message(external_reply=elsewhere, quote=part), (), ENGLISH) == "> News:\n> rain"
    )
    assert quotation(message(external_reply=elsewhere), (), ENGLISH) == ""
    assert quotation(message(quote=part), (), ENGLISH) == "> rain"


def test_a_forward_tells_from_whom() -> None:
    """Each kind of origin has a name, on one line."""
    for where, name in ORIGINS:
        assert forwarded_from(message(forward_origin=where)) == name
    assert forwarded_from(message()) == ""


def test_an_origin_of_another_kind_has_no_name() -> None:
    """Telegram may have kinds of which the library knows nothing."""
    unknown = MessageOrigin("moon", datetime.fromtimestamp(DATE, UTC))
    forward = Message(1, datetime.fromtimestamp(DATE, UTC), message().chat, forward_origin=unknown)
    assert forwarded_from(forward) == ""


def test_a_long_quotation_is_cut() -> None:
    """The question is what matters, so a quotation has a greatest length."""
    quoted = quotation(replying(text="😀" * (MOST_CHARACTERS + 1)), (), ENGLISH)
    assert quoted == "> " + "😀" * (MOST_CHARACTERS - 1) + "…"
    assert (
        quotation(replying(text="a" * MOST_CHARACTERS), (), ENGLISH) == "> " + "a" * MOST_CHARACTERS
    )


@given(letters, letters, st.booleans(), st.sampled_from([PRIVATE, GROUP]))
def test_any_text_is_quoted(text: str, name: str, manual: bool, chat: dict[str, Any]) -> None:
    """Every line of it is marked, nothing is lost but the space around, and it can be written."""
    quote = {"text": text, "position": 0, "is_manual": True} if manual else None
    author = {"id": 3, "is_bot": False, "first_name": name}
    quoted = quotation(replying(chat, text=text, quote=quote, **{"from": author}), (), ENGLISH)
    assert quoted.encode() or not quoted
    lines = quoted.splitlines()
    assert all(line.startswith("> ") for line in lines)
    if chat is GROUP and quoted and name.strip():
        assert lines.pop(0).endswith(":")
    written = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").strip()
    assert [line.removeprefix("> ") for line in lines] == written.splitlines()
