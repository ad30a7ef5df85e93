"""What somebody sends, and what Telegram notes by itself."""

from typing import Any

import pytest

from handlers.incoming.kinds import is_note
from handlers.incoming.parsing import read_message
from tests.bot_api import BESIDE, CONTENT, READ, SERVICE, message

CHAT = {"id": 101, "type": "private", "first_name": "Ann"}


def note(**fields: Any) -> bool:
    """Tell whether a message with these is a note, as it is and where it is damaged."""
    whole = is_note(read_message(message(9, CHAT, **fields), None))
    damaged = {name: {"moon": 1} for name in fields}
    assert is_note(read_message(message(9, CHAT, **damaged), None)) is whole
    return whole


@pytest.mark.parametrize("name", [*SERVICE, "wallpaper_changed", "new_chat_colour", "trip_ended"])
def test_notes(name: str) -> None:
    """Of those that are newer than the bot the name tells."""
    assert note(**{name: SERVICE.get(name, {})})


@pytest.mark.parametrize("name", [*CONTENT, "hologram", "video_call"])
def test_what_a_person_sends(name: str) -> None:
    """Whatever stands beside it, and of any kind that there may ever be."""
    assert not note(**{name: CONTENT.get(name, {})})
    assert not is_note(read_message(message(9, CHAT, **READ, **BESIDE), None))
