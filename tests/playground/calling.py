"""Calls of the Bot API in a room, without HTTP."""

from typing import Any

import pytest

from bot.playground.telegram.methods import METHODS
from bot.playground.telegram.parameters import typed
from bot.playground.telegram.refusal import ApiError
from bot.playground.telegram.room import Room


def call(room: Room, method: str, **given: Any) -> Any:
    """Call a method with parameters as a client may send them; returns its result."""
    return METHODS[method](room, typed(given))


def refused(room: Room, method: str, **given: Any) -> str:
    """Call a method that is refused as a bad request; returns why."""
    with pytest.raises(ApiError) as refusal:
        call(room, method, **given)
    assert refusal.value.code == 400
    return refusal.value.description.removeprefix("Bad Request: ")
