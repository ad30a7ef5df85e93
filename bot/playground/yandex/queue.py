"""Who waits for a model that answers only some at once."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable


class Queue:
    """Lets so many ``at_once`` have a turn, None for all; the others wait in the order they come.

    Each is known by a name, which need not be unique.
    """

    def __init__(self, at_once: int | None) -> None:
        self.changed: Callable[[], object] = lambda: None
        """Called whenever somebody begins to wait, has a turn, or leaves."""
        self._turns = asyncio.Semaphore(at_once) if at_once else contextlib.nullcontext()
        self._waiting: dict[object, str] = {}
        self._in_turn: dict[object, str] = {}

    @property
    def in_turn(self) -> list[str]:
        """Who has a turn, longest first."""
        return list(self._in_turn.values())

    @property
    def waiting(self) -> list[str]:
        """Who waits for one, next first."""
        return list(self._waiting.values())

    @contextlib.asynccontextmanager
    async def turn(self, name: str) -> AsyncIterator[None]:
        """Wait for a turn, and have it while the block runs."""
        me = object()
        self._waiting[me] = name
        self.changed()
        try:
            async with self._turns:
                self._in_turn[me] = self._waiting.pop(me)
                self.changed()
                yield
        finally:
            self._waiting.pop(me, None)
            self._in_turn.pop(me, None)
            self.changed()
