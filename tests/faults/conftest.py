"""Short leases and little patience, so that what outlasts them takes seconds."""

import pytest

import bot.updates.polling
import bot.worker
import storage.inbox
import storage.lease
import storage.places
import storage.server.connect
from bot.completion import client

LEASE = 2.0


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the leases, time-outs and pauses of all parts."""
    monkeypatch.setattr(storage.inbox, "LEASE", LEASE)
    monkeypatch.setattr(storage.lease, "SECONDS", LEASE)
    monkeypatch.setattr(storage.places, "LEASE", int(LEASE))
    monkeypatch.setattr(storage.server.connect, "PAUSES", (0.05, 0.1, 0.2))
    monkeypatch.setattr(bot.worker, "BEAT_SECONDS", LEASE / 4)
    monkeypatch.setattr(bot.worker, "TICK_SECONDS", LEASE / 4)
    monkeypatch.setattr(bot.worker, "WAIT_SECONDS", 0.2)
    monkeypatch.setattr(bot.worker, "PAUSES", (0.05, 0.1, 0.2))
    monkeypatch.setattr(bot.updates.polling, "LONGEST_PAUSE", 0.2)
    monkeypatch.setattr(bot.updates.polling, "CONFLICT_PAUSE", 0.1)
    monkeypatch.setattr(client, "PAUSES", (0.02, 0.05))
