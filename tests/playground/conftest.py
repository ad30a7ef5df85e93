"""What rooms of the local Telegram are made with."""

import pytest

from tests.playground.clock import Clock


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()
