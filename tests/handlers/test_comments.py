"""Which messages are one question."""

import json
from typing import Any, cast

import pytest
from telegram import Bot

from handlers.incoming.burst import LONG, collected, glued
from handlers.incoming.parsing import read_message
from handlers.turn.turn import Turn
from storage.lane import Entry
from storage.timing import Timing
from tests.bot_api import CONTENT, DATE, message

BOT = Bot("7:TEST")
CHAT = {"id": 101, "type": "private", "first_name": "Ann"}
ORIGIN = {"type": "hidden_user", "date": DATE, "sender_user_name": "Vera"}
FILE = {"file_id": "f", "file_unique_id": "u", "file_name": "a.txt"}
BORIS = {"id": 102, "is_bot": False, "first_name": "Boris"}

TEXT: dict[str, Any] = {"text": "what is it?"}
RICH = {"rich_message": {"blocks": [{"type": "paragraph", "text": "what is it?"}]}}
FORWARD = {"text": "old", "forward_origin": ORIGIN}
PICTURE = {"photo": CONTENT["photo"], "forward_origin": ORIGIN}
DOCUMENT = {"document": FILE}
CAPTIONED = {"document": FILE, "caption": "and this?"}


class Mailbox:
    """A turn with these messages behind its own."""

    timing = Timing(quiet=0.0)

    def __init__(self, *behind: dict[str, Any]) -> None:
        self.looks, self.joined = 0, 0
        self._behind = [
            Entry(json.dumps({"update_id": 1, "message": one}), False) for one in behind
        ]

    @property
    def is_followed(self) -> bool:
        """Tell whether there are any."""
        return bool(self._behind)

    async def following(self) -> list[Entry]:
        """Count a look."""
        self.looks += 1
        return self._behind

    async def join(self, number: int) -> None:
        """Take them in."""
        self.joined = number


async def together(*fields: dict[str, Any]) -> Mailbox:
    """Let messages lie in a mailbox at once, and tell how many of them belong to the first."""
    first, *behind = [message(9 + place, CHAT) | more for place, more in enumerate(fields)]
    mailbox = Mailbox(*behind)
    parts = await collected(read_message(first, BOT), cast("Turn", mailbox))
    assert len(parts) == mailbox.joined + 1
    return mailbox


@pytest.mark.parametrize(
    ("fields", "joined"),
    [
        ([TEXT, FORWARD], 1),
        ([TEXT, FORWARD, FORWARD, TEXT], 2),
        ([TEXT, PICTURE], 1),
        ([TEXT, DOCUMENT], 1),
        ([DOCUMENT, TEXT], 1),
        ([FORWARD, TEXT], 1),
        ([FORWARD, FORWARD, TEXT, TEXT], 2),
        ([RICH, FORWARD], 1),
        ([FORWARD, RICH], 1),
        ([PICTURE, TEXT], 1),
        ([TEXT, FORWARD | {"text": "/reset"}, FORWARD | {"text": "/stop"}], 2),
        ([TEXT, DOCUMENT | {"media_group_id": "1"}, DOCUMENT | {"media_group_id": "1"}], 2),
        # Questions of their own.
        ([TEXT, TEXT], 0),
        ([RICH, TEXT], 0),
        ([TEXT, CAPTIONED], 0),
        ([CAPTIONED, TEXT], 0),
        ([DOCUMENT, DOCUMENT], 0),
        ([TEXT, {"photo": CONTENT["photo"]}], 0),
        ([{"photo": CONTENT["photo"]}, TEXT], 0),
        ([FORWARD, {"text": "/reset"}], 0),
        ([TEXT, FORWARD | {"date": DATE + 60}], 0),
        ([TEXT, FORWARD | {"from": BORIS}], 0),
        ([{"text": "x" * LONG}, TEXT], 1),
    ],
)
async def test_a_comment_and_what_it_is_on(fields: list[dict[str, Any]], joined: int) -> None:
    """In either order they are one question, if they came together."""
    assert (await together(*fields)).joined == joined


@pytest.mark.parametrize("alone", [TEXT, DOCUMENT, CAPTIONED])
async def test_a_single_message_never_waits(alone: dict[str, Any]) -> None:
    """It was known when the lane was opened that nothing came with it."""
    assert (await together(alone)).looks == 0
    assert (await together(TEXT, FORWARD)).looks > 0


def test_a_comment_stands_apart() -> None:
    """An empty line parts it from what it is on."""
    parts = [read_message(message(9, CHAT) | more, BOT) for more in (TEXT, FORWARD, DOCUMENT)]
    assert glued(parts, ["a", "b", "c"])[0] == "a\n\nb\n\nc"
    cut = [read_message(message(9, CHAT, text="x" * size), BOT) for size in (LONG, 4096, 5)]
    assert glued(cut, ["a", "b", "c"])[0] == "a\nbc"
