"""A bot's process, with short leases; if so arranged, it kills or freezes itself at a step."""

import functools
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot import announcer
from bot.__main__ import main
from bot.environment import Environment
from bot.settings import Settings
from bot.updates.polling import Polling
from bot.worker import Worker
from handlers.actions import ask
from handlers.outgoing import delivery
from storage.access import Admission
from storage.announcement import Announcements
from storage.arrivals import Arrivals
from storage.inbox import Inbox
from storage.timing import Timing

LEASE = 2.0
"""Seconds, fewer than in life: a storm is to see many of them end."""
TICK_SECONDS = 0.5

STEPS: dict[str, tuple[Any, str] | tuple[Any, str, str]] = {
    "put": (Inbox, "put"),
    "confirm": (Polling, "_fetch"),
    "hand over": (Arrivals, "_give"),
    "open": (Worker, "_opened"),
    "ask": (ask, "_listen"),
    "commit": (Inbox, "commit"),
    "send": (delivery, "post", "sendMessage"),
    "edit": (delivery, "post", "editMessageText"),
    "note": (Inbox, "note"),
    "done": (Inbox, "done"),
    "hear": (Inbox, "hear"),
    "invite": (Admission, "invite"),
    "redeem": (Admission, "redeem"),
    "decide": (Admission, "decide"),
    "collect": (Inbox, "collect"),
    "reset": (Inbox, "reset_some"),
    "announce": (Inbox, "announce"),
    "shown": (Announcements, "shown"),
    "begin": (Announcements, "begin"),
    "hold": (Announcements, "hold"),
    "tell": (announcer, "tell"),
    "settle": (Announcements, "settle"),
    "finish": (Announcements, "finish"),
}
"""The steps of a message, of what changes the company of a bot, a reset of all chats or an
announcement, and what takes them; by which method."""


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
    sys.exit(main())


def _shorten_leases() -> None:
    real = Environment.settings
    timing = Timing(lease=LEASE, tick=TICK_SECONDS)

    def settings(environment: Environment) -> Settings:
        return real(environment).model_copy(update={"timing": timing})

    Environment.settings = settings  # type: ignore[assignment, method-assign]


def _arrange(fate: Fate) -> None:
    boundary = fate.boundary
    owner, name, *method = STEPS[boundary.step]
    real: Callable[..., Awaitable[Any]] = getattr(owner, name)
    left = boundary.call

    def meet_it_in_turn() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), fate.signal)

    @functools.wraps(real)
    async def step(*args: Any, **named: Any) -> Any:
        is_step = not method or args[1] == method[0]
        if is_step and not boundary.after:
            meet_it_in_turn()
        result = await real(*args, **named)
        if (
            is_step and boundary.after and result != []
        ):  # a claim or a poll that brought nothing is no step
            meet_it_in_turn()
        return result

    setattr(owner, name, step)
