"""A bot's process, with short leases; if so arranged, it kills or freezes itself at a step."""

import functools
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from telegram.ext import ExtBot

import storage.inbox
import storage.lease
import storage.places
from bot import __main__ as program
from bot.updates.polling import Polling
from handlers.actions import ask
from storage.inbox import Inbox
from storage.timing import Timing

LEASE = 2.0
"""Seconds, instead of 15: a storm is to see many of them end."""
TICK_SECONDS = 0.5

STEPS: dict[str, tuple[Any, str]] = {
    "put": (Inbox, "put"),
    "confirm": (Polling, "_fetch"),
    "take": (Inbox, "take"),
    "open": (Inbox, "open"),
    "ask": (ask, "_listen"),
    "commit": (Inbox, "commit"),
    "send": (ExtBot, "send_message"),
    "edit": (ExtBot, "edit_message_text"),
    "note": (Inbox, "note"),
    "done": (Inbox, "done"),
}
"""The steps in the life of a message, and what takes them."""


@dataclass(frozen=True, slots=True)
class Boundary:
    """An instant in the life of a process: just before or after a step, the ``call``-th time."""

    step: str
    after: bool
    call: int = 1

    def __str__(self) -> str:
        number = f" {self.call}" if self.call > 1 else ""
        return f"{'after' if self.after else 'before'} {self.step}{number}"


@dataclass(frozen=True, slots=True)
class Fate:
    """What a process does to itself at a boundary: SIGKILL, or SIGSTOP."""

    boundary: Boundary
    signal: signal.Signals


def run(environment: Mapping[str, str], folder: str, log: str, fate: Fate | None) -> None:
    """Be ``python -m bot run`` with this environment, in this folder; ends the process."""
    os.environ.update(environment)
    os.chdir(folder)
    with open(log, "ab") as written:  # noqa: PTH123 - a descriptor is what is needed
        os.dup2(written.fileno(), 2)
    _shorten_leases()
    if fate:
        _arrange(fate)
    sys.argv = ["bot", "run"]
    sys.exit(program.main())


def _shorten_leases() -> None:
    storage.inbox.LEASE = storage.lease.SECONDS = LEASE
    storage.places.LEASE = int(LEASE)
    read = program.read
    timing = Timing(lease=LEASE, tick=TICK_SECONDS)
    program.read = lambda: read().model_copy(update={"timing": timing})


def _arrange(fate: Fate) -> None:
    boundary = fate.boundary
    owner, name = STEPS[boundary.step]
    real: Callable[..., Awaitable[Any]] = getattr(owner, name)
    left = boundary.call

    def meet_it_in_turn() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), fate.signal)

    @functools.wraps(real)
    async def step(*args: Any, **named: Any) -> Any:
        if not boundary.after:
            meet_it_in_turn()
        result = await real(*args, **named)
        if boundary.after and result != []:  # a claim or a poll that brought nothing is no step
            meet_it_in_turn()
        return result

    setattr(owner, name, step)
