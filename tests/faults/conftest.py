"""Short leases and little patience, so that what outlasts them takes seconds."""

import pytest

import bot.updates.polling
import storage.inbox
import storage.lease
import storage.places
import storage.server.connect
from bot.completion import client
from handlers.outgoing import delivery
from storage.timing import Timing

LEASE = 2.0
HURRIED = Timing(
    lease=LEASE,
    storage_pauses=(0.05, 0.1, 0.2),
    take=0.2,
    tick=LEASE / 4,
    poll_pause=0.2,
    conflict_pause=0.1,
    send_pauses=(0.02, 0.05, 0.1),
    model_pauses=(0.02, 0.05),
)


@pytest.fixture
def timing() -> Timing:
    """Short leases, time-outs and pauses of all parts."""
    return HURRIED


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the leases, time-outs and pauses of all parts."""
    monkeypatch.setattr(storage.inbox, "LEASE", LEASE)
    monkeypatch.setattr(storage.lease, "SECONDS", LEASE)
    monkeypatch.setattr(storage.places, "LEASE", int(LEASE))
    monkeypatch.setattr(storage.server.connect, "PAUSES", (0.05, 0.1, 0.2))
    monkeypatch.setattr(bot.updates.polling, "LONGEST_PAUSE", 0.2)
    monkeypatch.setattr(bot.updates.polling, "CONFLICT_PAUSE", 0.1)
    monkeypatch.setattr(client, "PAUSES", (0.02, 0.05))
    monkeypatch.setattr(delivery, "PAUSES", (0.02, 0.05, 0.1))
