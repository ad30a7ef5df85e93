"""The requests to a completion API as the playground keeps them: what came, and what went back."""

import contextlib
import json
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from bot.playground.yandex.outage import Outage

REQUESTS_KEPT = 10_000
CLIENT_CLOSED = 499
LONGEST = 128 * 1024
"""Most bytes kept of one answer: half from its beginning, half from its end."""


class Recording:
    """Bytes as they went over the wire; of too many, the middle is left out."""

    def __init__(self) -> None:
        self.size = 0
        self._head = bytearray()
        self._tail = bytearray()

    def add(self, data: bytes) -> None:
        """Go on recording."""
        half = LONGEST // 2
        room = half - len(self._head)
        self.size += len(data)
        self._head += data[:room]
        self._tail += data[room:]
        if len(self._tail) > 2 * half:
            del self._tail[:-half]

    @property
    def last(self) -> str:
        """The last line with something in it."""
        lines = self.parts()[1].splitlines() or self.parts()[0].splitlines()
        return next((line for line in reversed(lines) if line.strip()), "")

    def parts(self) -> tuple[str, str, int]:
        """Return the beginning, the end, and how many bytes are left out between them.

        If any are, both are whole lines, unless there is no end of a line in them.
        """
        head, tail = bytes(self._head), bytes(self._tail[-(LONGEST // 2) :])
        if len(head) + len(tail) < self.size:
            head = head[: head.rfind(b"\n") + 1] or head
            tail = tail[tail.find(b"\n") + 1 :]
        left_out = self.size - len(head) - len(tail)
        if not left_out:
            return (head + tail).decode("utf-8", "replace"), "", 0
        return head.decode("utf-8", "replace"), tail.decode("utf-8", "replace"), left_out


@dataclass(slots=True)
class Exchange:
    """One request and how it ended; ``status`` 499 means that the client went away first.

    ``begun`` is when the first words of the answer went out.
    """

    time: float
    path: str
    headers: dict[str, str]
    body: Any
    status: int | None = None
    finished: float | None = None
    begun: float | None = None
    answer: Recording = field(default_factory=Recording)

    def public(self) -> dict[str, Any]:
        """Return it as JSON, without credentials."""
        return {
            "time": self.time,
            "path": self.path,
            "headers": {k: v for k, v in self.headers.items() if k != "authorization"},
            "body": self.body,
            "status": self.status,
            "finished": self.finished,
        }

    def record(self, data: bytes) -> None:
        """Note what goes back."""
        if data and self.begun is None:
            self.begun = time.time()
        self.answer.add(data)


class Exchanges:
    """What is asked of a completion API, the newest of it, and who wants to hear of that."""

    def __init__(self) -> None:
        self.requests: deque[Exchange] = deque(maxlen=REQUESTS_KEPT)
        self.listeners: list[Callable[[Exchange], object]] = []
        """Called with each request as it comes in, and again when it is answered."""
        self.outage: Outage | None = None
        """How requests for an answer fail as long as this is set."""

    def keep(self, most: int) -> None:
        """Keep only so many requests from now on."""
        self.requests = deque(self.requests, most)

    def heard(self, exchange: Exchange) -> None:
        """Tell those who want to hear of it."""
        for listener in self.listeners:
            listener(exchange)

    @contextlib.contextmanager
    def exchange(self, path: str, headers: dict[str, str], body: Any) -> Iterator[Exchange]:
        """Keep a request that is answered in this block."""
        exchange = Exchange(time.time(), path, headers, body)
        self.requests.append(exchange)
        self.heard(exchange)
        try:
            yield exchange
        finally:
            exchange.finished = time.time()
            self.heard(exchange)


def parsed(body: bytes) -> Any:
    """Parse a request's body; one that is not JSON is a text."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body.decode("utf-8", "replace")
