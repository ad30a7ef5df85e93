"""Messages that are one question, and such as only lie side by side."""

import json
from typing import Any

import pytest
from telegram import Bot, Message, Update

from handlers.incoming.burst import (
    CUT,
    LONG,
    collected,
    glued,
)
from handlers.turn.turn import MOST_JOINED
from storage.lane import Entry
from storage.timing import Timing
from tests.conftest import ANN, BORIS, GROUP
from tests.handlers.bot import message

WHOLE, OPEN = "a" * CUT, "b" * LONG
ALBUM: dict[str, Any] = {"media_group_id": "7"}
_ORIGIN = {"type": "hidden_user", "date": 1, "sender_user_name": "Vera"}
FORWARD: dict[str, Any] = {"forward_origin": _ORIGIN}
BOT = Bot("9:TOKEN")
TIMING = Timing()


class Turn:
    """A turn behind whose head these updates wait."""

    timing = TIMING

    def __init__(self, *following: dict[str, Any]) -> None:
        self._following = following
        self.joined = 0

    async def following(self) -> list[Entry]:
        """Look at them."""
        return [Entry(json.dumps({"update_id": 1, **one}), flood=False) for one in self._following]

    @property
    def is_followed(self) -> bool:
        """Tell whether any were there from the start."""
        return bool(self._following)

    async def join(self, number: int) -> None:
        """Take some in."""
        assert number
        assert not self.joined
        self.joined = number


class SlowTurn(Turn):
    """One behind whose head they come one by one, after some that are there: one at each look."""

    def __init__(self, there: int, *following: dict[str, Any]) -> None:
        super().__init__(*following)
        self.looks, self._there = 0, there

    async def following(self) -> list[Entry]:
        """Look at those that have come."""
        self.looks += 1
        return (await super().following())[: self._there + self.looks - 1]


async def taken(first: dict[str, Any], *following: dict[str, Any]) -> int:
    """How many of those that follow belong to the first."""
    return await taken_in(Turn(*following), first)


async def taken_in(turn: Turn, first: dict[str, Any]) -> int:
    """How many of those behind a turn's first it takes in."""
    parsed = Update.de_json({"update_id": 1, **first}, BOT).message
    assert parsed
    parts = await collected(parsed, turn)  # type: ignore[arg-type]
    assert turn.joined == len(parts) - 1
    return turn.joined


def text(said: str, user: int = ANN, **more: Any) -> dict[str, Any]:
    """A message in a group, where several may write."""
    return message(said, user, GROUP, **more)


END = text("/end")
NO_TEXT = {"message": {**text("")["message"], "text": None}}


async def test_a_long_text_goes_on() -> None:
    """Until a part that is short enough to be the last."""
    assert await taken(text(WHOLE), text(WHOLE), text(OPEN), text("end"), text("next")) == 3


@pytest.mark.parametrize(
    "following",
    [
        text("not mine", BORIS),
        text("/help"),
        text("later", date=1_700_000_000 + int(TIMING.burst) + 1),
        text("forward", **FORWARD),
        text("album", **ALBUM),
        NO_TEXT,
        {"edited_message": text("edit")["message"]},
        {"message": {"odd": 1}},
    ],
    ids=["another's", "command", "later", "forward", "album", "no text", "edit", "odd"],
)
async def test_what_does_not_belong_to_a_text(following: dict[str, Any]) -> None:
    """It, and all that comes after it, is left for turns of their own."""
    assert await taken(text(WHOLE), following, text("end")) == 0
    assert await taken(text(WHOLE), text(WHOLE), following, text("end")) == 1


async def test_parts_may_come_a_little_apart() -> None:
    """As far as from one second into another."""
    assert await taken(text(WHOLE), text("end", date=1_700_000_000 + int(TIMING.burst))) == 1


@pytest.mark.parametrize("length", [1, LONG - 1])
async def test_a_text_that_was_just_typed(length: int) -> None:
    """It is a question of its own, however quickly the next one comes."""
    assert await taken(text("a" * length), text("next")) == 0


@pytest.mark.parametrize("more", [{}, FORWARD, ALBUM], ids=["long", "forward", "album"])
async def test_parts_are_waited_for(more: dict[str, Any]) -> None:
    """For as long as each may be followed by another one."""
    part = text("a" if more else OPEN, **more)
    end = text("end") if part["message"]["text"] == OPEN else part
    turn = SlowTurn(0, part, end, END)
    assert await taken_in(turn, part) == 2
    assert turn.looks == 3 if end != part else turn.looks > 3


@pytest.mark.parametrize("first", [text(WHOLE), text("1", **FORWARD)], ids=["long", "forward"])
async def test_what_does_not_come(first: dict[str, Any]) -> None:
    """It is looked for a few times, and then no more."""
    turn = SlowTurn(0)
    assert await taken_in(turn, first) == 0
    assert 1 < turn.looks <= TIMING.quiet / TIMING.burst_look + 2


async def test_forwards_and_albums() -> None:
    """They go together by themselves; with forwards also what is said of them."""
    assert await taken(text("1", **FORWARD), text("2", **FORWARD), text("3"), END) == 2
    assert await taken(text("1", **FORWARD), text("2", BORIS, **FORWARD), END) == 0
    assert await taken(text("1", **ALBUM), text("2", **ALBUM), text("3"), END) == 1
    assert await taken(text("1", **ALBUM), text("2", media_group_id="8"), END) == 0
    assert await taken(text("1", **ALBUM), text("2", **FORWARD), END) == 0
    assert await taken(text("1", **FORWARD), text("2", **ALBUM, **FORWARD), END) == 0
    assert await taken(text(WHOLE, **FORWARD), text(OPEN), END) == 0
    assert await taken(text(OPEN), text("1", **FORWARD), END) == 0


async def test_what_one_turn_takes_has_a_bound() -> None:
    """Somebody may forward without end."""
    many = [text(str(number), **FORWARD) for number in range(2 * MOST_JOINED)]
    assert await taken(text("0", **FORWARD), *many[:MOST_JOINED]) == MOST_JOINED
    slow = SlowTurn(MOST_JOINED - 1, *many[:MOST_JOINED])
    assert await taken_in(slow, text("0", **FORWARD)) == MOST_JOINED
    assert slow.looks == 2


def parts(*said: dict[str, Any]) -> list[Message]:
    """Messages as they were parsed."""
    found = [Update.de_json({"update_id": 1, **one}, BOT).message for one in said]
    return [one for one in found if one]


@pytest.mark.parametrize(
    ("said", "texts", "whole"),
    [
        ([text(WHOLE), text("b")], ["a", "b"], "ab"),
        ([text(WHOLE[1:]), text("b")], ["a", "b"], "a\nb"),
        ([text(OPEN), text("b")], ["a", "b"], "a\nb"),
        ([text(WHOLE, **FORWARD), text("b")], ["a", "b"], "a\n\nb"),
        ([text(WHOLE), text("b", **FORWARD)], ["a", "b"], "a\n\nb"),
        ([NO_TEXT, text("b")], ["a", "b"], "a\n\nb"),
        ([text("a", **FORWARD), text("b", **FORWARD)], ["a", "b"], "a\n\nb"),
        ([text(WHOLE, **FORWARD), text("b", **FORWARD)], ["a", "b"], "a\n\nb"),
        ([text("a", **ALBUM), text("b", **ALBUM)], ["a", "b"], "a\n\nb"),
        ([text("a", **ALBUM)] * 3, ["a", "", "c"], "a\n\nc"),
        ([text("a", **ALBUM)] * 2, ["", "c"], "c"),
    ],
)
def test_how_they_are_put_together(said: list[Any], texts: list[str], whole: str) -> None:
    """What was cut goes on in its line; the rest is set apart; what says nothing leaves no gap."""
    joined, places = glued(parts(*said), texts)
    assert joined == whole
    assert [joined[place.start : place.end] for place in places] == texts
