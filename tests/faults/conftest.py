"""Short leases and little patience, so that what outlasts them takes seconds."""

import pytest

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
