"""Telegram and the model for a bench: HTTP on a bare asyncio protocol, so that they do not limit.

Private chats ask one question at a time each; in one group people talk to each other. The model
writes its lines on time, whoever asks; each holds the whole text so far, as YandexGPT's do.
"""

import asyncio
import contextlib
import itertools
import json
import re
import time
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

TOKEN = "42:BENCH"
GROUP = -1_000_000_000_042
LINES = 40
_BOT = {"id": 42, "is_bot": True, "first_name": "Bench", "username": "bench_bot"}
_PATIENCE = 120.0
_MOST_AT_ONCE = 100
"""Updates in a response to getUpdates, as in Telegram."""


@dataclass(slots=True, eq=False)
class Question:
    """A question and when it got on, in seconds of `time.perf_counter`."""

    text: str
    said: float
    requested: float = 0.0
    """When the completion request came."""
    began: float = 0.0
    """When the model wrote the first line."""
    finished: float = 0.0
    """When it wrote the last one."""
    shown: float = 0.0
    """When the first text came to the chat."""
    answered: float = 0.0
    """When the whole answer did."""
    whole: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def seconds(self) -> float:
        """From the question to the whole answer."""
        return self.answered - self.said


class Upstream:
    """See the module. An answer takes the model ``seconds`` and has ``lines`` lines."""

    def __init__(self, seconds: float, lines: int = LINES) -> None:
        self.calls = 0
        """Calls of the Bot API, except getUpdates."""
        self._seconds = seconds
        self._lines = lines
        self._questions: dict[int, Question] = {}
        self._ids = itertools.count(1)
        self._updates: deque[tuple[int, str]] = deque()
        self._taken = asyncio.Event()
        self._poll: asyncio.Transport | None = None
        self._patience: asyncio.TimerHandle | None = None

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Serve while the block runs; yields the base URL of both."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Connection(self), "127.0.0.1", 0, backlog=2048)
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()

    async def ask(self, chat: int) -> Question:
        """Let a chat ask; returns when it has the whole answer, or raises TimeoutError."""
        number = next(self._ids)
        question = Question(f"q{chat}-{number}", time.perf_counter())
        self._questions[chat] = question
        person = {"id": chat, "is_bot": False, "first_name": "Ann", "language_code": "en"}
        message = _message(chat, number) | {"from": person, "text": question.text}
        self._updates.append((number, json.dumps({"update_id": number, "message": message})))
        asyncio.get_running_loop().call_soon(self._deliver)
        async with asyncio.timeout(_PATIENCE):
            await question.whole.wait()
        return question

    async def talk(self, number: int) -> None:
        """Let people in a group say so much to each other; returns when all is confirmed."""
        for update in itertools.islice(self._ids, number):
            person = {"id": 100 + update % 20, "is_bot": False, "first_name": "Ann"}
            group = {"id": GROUP, "type": "supergroup", "title": "Friends"}
            said = {"from": person, "chat": group, "text": f"{update} " + "and so on " * 8}
            message = _message(GROUP, update) | said
            self._updates.append((update, json.dumps({"update_id": update, "message": message})))
        asyncio.get_running_loop().call_soon(self._deliver)
        async with asyncio.timeout(_PATIENCE):
            while self._updates:
                self._taken.clear()
                await self._taken.wait()

    def receive(self, target: bytes, body: bytes, to: asyncio.Transport) -> None:
        """Answer a request to ``to``, now or later."""
        method = target.rpartition(b"/")[2].decode()
        if method == "completion":
            self._complete(json.loads(body)["messages"][-1]["text"], to)
        elif method == "getUpdates":
            self._get_updates(_parameters(body), to)
        else:
            self.calls += 1
            _respond(to, json.dumps({"ok": True, "result": self._result(method, body)}))

    def gone(self, client: asyncio.Transport) -> None:
        """Forget the poll of a client that has closed its connection."""
        if self._poll is client:
            self._poll = None

    # Telegram.

    def _result(self, method: str, body: bytes) -> Any:
        if method == "getMe":
            return _BOT
        if method not in {"sendMessage", "editMessageText"}:
            return True
        given = _parameters(body)
        chat, text = given["chat_id"], given["text"]
        self._show(self._questions[chat], stoppable="stop:" in str(given.get("reply_markup")))
        message = _message(chat, given.get("message_id") or next(self._ids))
        also = {name: given[name] for name in ("entities", "reply_markup") if name in given}
        return message | {"from": _BOT, "text": text} | also

    def _show(self, question: Question, *, stoppable: bool) -> None:
        question.shown = question.shown or time.perf_counter()
        if not stoppable:
            question.answered = time.perf_counter()
            question.whole.set()

    def _get_updates(self, given: dict[str, Any], to: asyncio.Transport) -> None:
        while self._updates and self._updates[0][0] < given.get("offset", 0):
            self._updates.popleft()
        self._taken.set()
        if self._patience:
            self._patience.cancel()
        self._poll = to
        seconds = given.get("timeout", 0)
        self._patience = asyncio.get_running_loop().call_later(seconds, self._deliver, True)
        self._deliver()

    def _deliver(self, at_once: bool = False) -> None:
        if self._poll and (self._updates or at_once):
            updates = (update for _, update in itertools.islice(self._updates, _MOST_AT_ONCE))
            _respond(self._poll, f'{{"ok": true, "result": [{", ".join(updates)}]}}')
            self._poll = None

    # The model.

    def _complete(self, text: str, to: asyncio.Transport) -> None:
        question = self._questions[int(text[1:].partition("-")[0])]
        question.requested = time.perf_counter()
        to.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        self._plan(question, to, 1, asyncio.get_running_loop().time())

    def _plan(self, question: Question, to: asyncio.Transport, line: int, started: float) -> None:
        due = started + line * self._seconds / self._lines
        asyncio.get_running_loop().call_at(due, self._write, question, to, line, started)

    def _write(self, question: Question, to: asyncio.Transport, line: int, started: float) -> None:
        """Write a line, the first is 1, and plan the next."""
        is_last = line == self._lines
        data = _line(question.text, line, last=is_last)
        to.write(b"%x\r\n%b\r\n%b" % (len(data), data, b"0\r\n\r\n" if is_last else b""))
        question.began = question.began or time.perf_counter()
        if is_last:
            question.finished = time.perf_counter()
        else:
            self._plan(question, to, line + 1, started)


def _line(text: str, line: int, *, last: bool) -> bytes:
    """One of the model's lines; as JSON by hand, for there are 40,000 in a second."""
    return (
        '{"result": {"alternatives": [{"message": {"role": "assistant", "text": '
        f'"**{text}** {"words " * (line - 1)}"}}, "status": "ALTERNATIVE_STATUS_'
        f'{"FINAL" if last else "PARTIAL"}"}}], "usage": {{"inputTextTokens": "10", '
        f'"completionTokens": "{line}", "totalTokens": "{line + 10}"}}, '
        '"modelVersion": "18.01.2024"}}\n'
    ).encode()


def _message(chat: int, number: int) -> dict[str, Any]:
    private = {"id": chat, "type": "private", "first_name": "Ann"}
    return {"message_id": number, "date": int(time.time()), "chat": private}


def _parameters(body: bytes) -> dict[str, Any]:
    """Read parameters, as JSON or as a form; in a form all but texts are JSON, too."""
    if body.startswith(b"{"):
        return dict(json.loads(body))
    form = parse_qsl(body.decode())
    return {name: value if name == "text" else _value(value) for name, value in form}


def _value(written: str) -> Any:
    with contextlib.suppress(ValueError):
        return json.loads(written)
    return written


def _respond(to: asyncio.Transport, body: str) -> None:
    head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
    data = body.encode()
    to.write(f"{head}{len(data)}\r\n\r\n".encode() + data)


_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


class _Connection(asyncio.Protocol):
    """Cuts what arrives into requests."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._arrived = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._upstream.gone(self._transport)

    def data_received(self, data: bytes) -> None:
        self._arrived += data
        while (end := self._arrived.find(b"\r\n\r\n")) >= 0:
            head = self._arrived[:end]
            length = _LENGTH.search(head)
            stop = end + 4 + (int(length[1]) if length else 0)
            if len(self._arrived) < stop:
                return
            body, self._arrived = self._arrived[end + 4 : stop], self._arrived[stop:]
            self._upstream.receive(head.split(b" ", 2)[1], body, self._transport)
