"""What is known of a lane, as it is read; and the clock by which it is held."""

import sys
import time

import pytest

from storage.lane import Entry
from storage.timing import clock


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ('1790000000 {"update_id": 1}', Entry('{"update_id": 1}', flood=False)),
        ('1790000000!{"text": "{!{"}', Entry('{"text": "{!{"}', flood=True)),
        ('1790000000*101{"text": "!"}', Entry('{"text": "!"}', flood=False)),
        ("word", Entry("word", flood=False)),
        ("{}", Entry("{}", flood=False)),
        ("", Entry("", flood=False)),
    ],
)
def test_an_entry_of_a_mailbox(text: str, entry: Entry) -> None:
    """Behind its time and its mark is the update; what has neither is all update."""
    assert Entry.parse(text) == entry


def test_a_clock_that_runs_while_the_machine_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Linux has one; elsewhere it is the usual one."""
    monkeypatch.setattr(time, "CLOCK_BOOTTIME", 7, raising=False)
    monkeypatch.setattr(time, "clock_gettime", {7: 9.0}.__getitem__, raising=False)
    monkeypatch.setattr(time, "monotonic", lambda: 5.0)
    for platform, seconds in (("linux", 9.0), ("darwin", 5.0)):
        monkeypatch.setattr(sys, "platform", platform)
        assert clock() == seconds
