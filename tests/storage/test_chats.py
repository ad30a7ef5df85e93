"""What is known of a chat, as it is kept, and as others may have written it."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from storage.archive import Item
from storage.chats import ChatRecord
from storage.message import UNREADABLE

RECORDS = some.builds(
    ChatRecord,
    *(some.text() for _ in range(3)),
    some.booleans(),
    some.text(),
    some.text(),
    some.integers(),
    some.integers(),
    some.dictionaries(some.text(), some.integers(0, 2**40)),
    some.text(),
)
ODD = ["", "{}", "[]", "null", '{"title": 5}', str(ChatRecord()).replace("0", "null")]


@given(RECORDS)
def test_what_is_kept_is_read(record: ChatRecord) -> None:
    """Whatever Telegram calls a chat."""
    assert ChatRecord.read(str(record)) == record


@given(some.one_of(some.sampled_from(ODD), some.text()))
def test_what_others_wrote(text: str) -> None:
    """Of such a chat nothing is known."""
    assert ChatRecord.parse(text) == ChatRecord()


def test_what_an_import_takes() -> None:
    """Chats with what is known of them, and when they were used; nothing else under these names."""
    Item("chats", "hash", -1, ["-5", str(ChatRecord("Cats"))]).check()
    Item("used", "zset", -1, ["-5", "1700000000"]).check()
    for name, kind, content in (
        ("chats", "hash", ["cats", str(ChatRecord())]),
        ("chats", "hash", ["-5", "{}"]),
        ("chats", "zset", ["-5", "1"]),
        ("used", "zset", ["-5", "inf"]),
        ("chats:5", "hash", ["-5", str(ChatRecord())]),
    ):
        with pytest.raises(UNREADABLE):
            Item(name, kind, -1, content).check()
