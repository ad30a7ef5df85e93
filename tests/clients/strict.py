"""A pytest plugin: aiogram's types read every response and update of the local Telegrams in a run.

aiogram declares the Bot API's methods with the types that they return. A response is right if its
type reads it, if that leaves no field over that the Bot API does not have, and if writing it again
gives the same JSON, so that no "1" or True has passed for a 1.

``pytest -p tests.clients.strict``; not in the fast suite, as loading those types takes seconds.
"""

import functools
import importlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from aiogram import methods
from aiogram.methods.base import Response, TelegramMethod
from aiogram.types import Update
from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.types import Message, Receive, Scope, Send

_RETURNED = {
    name.lower(): method.__returning__
    for name, method in vars(methods).items()
    if isinstance(method, type) and issubclass(method, TelegramMethod)
}


@functools.cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def complaints(kind: Any, content: bytes) -> Iterator[str]:
    """Yield what is wrong with the JSON of a value of this type."""
    try:
        value = _adapter(kind).validate_json(content)
    except ValidationError as error:
        yield str(error)
        return
    yield from _unknown(value, "")
    written = _adapter(kind).dump_json(value, by_alias=True, exclude_unset=True)
    if not _same(json.loads(content), json.loads(written)):
        yield f"read as {written.decode()}"


def _unknown(value: Any, path: str) -> Iterator[str]:
    """Yield the fields, however deep, that the Bot API does not have."""
    if isinstance(value, list):
        for each in value:
            yield from _unknown(each, f"{path}[]")
    elif isinstance(value, BaseModel):
        for name in value.model_extra or {}:
            yield f"{type(value).__name__} has no {name}: {path}.{name}"
        for name in value.model_fields_set:
            yield from _unknown(getattr(value, name), f"{path}.{name}")


def _same(one: Any, other: Any) -> bool:
    """Compare JSON; a whole number may stand for a float, but True is no number."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if type(one) is int and isinstance(
        other, str
    ):  # a video's start, of which aiogram makes a date
        return other == f"{datetime.fromtimestamp(one, UTC):%Y-%m-%dT%H:%M:%SZ}"
    return bool(one == other) and isinstance(one, bool) is isinstance(other, bool)


class _Reader:
    """What it has read since it was asked, and what was wrong with that."""

    def __init__(self) -> None:
        self.count = 0
        self.wrong: list[str] = []

    def read(self, what: str, kind: Any, content: bytes) -> None:
        self.count += 1
        found = list(complaints(kind, content))
        if found:
            self.wrong.append(f"{what}: {content.decode()}: {'; '.join(found)}")

    def response(self, method: str, content: bytes) -> None:
        """Read a response; updates were read when they were made."""
        returned: Any = Any if method == "getupdates" else _RETURNED.get(method, Any)
        self.read(method, Response.__class_getitem__(returned), content)
        body = json.loads(content)
        if body["ok"] is ("description" in body) or body["ok"] is ("error_code" in body):
            self.wrong.append(f"{method}: {content.decode()}")

    def update(self, kind: str, content: dict[str, Any]) -> None:
        update = {"update_id": 1, kind: content}
        self.read(kind, Update, json.dumps(update, default=str).encode())


READER = _Reader()


@pytest.fixture(scope="session", autouse=True)
def _observed() -> Iterator[None]:
    """Read each response as it is sent, and each update as it is made; what tests inject, not."""
    # Plugins are loaded before coverage is measured: what one imports counts as never run.
    emulator = importlib.import_module("bot.playground.telegram.emulator")
    updates = importlib.import_module("bot.playground.telegram.updates")
    answer, add = emulator._BotApi.__call__, updates.Updates.add

    async def answered(self: Any, scope: Scope, receive: Receive, send: Send) -> None:
        content, is_json = b"", False

        async def sending(message: Message) -> None:
            nonlocal content, is_json
            if message["type"] == "http.response.start":
                is_json = (b"content-type", b"application/json") in message["headers"]
            else:
                content += message.get("body", b"")
            await send(message)

        await answer(self, scope, receive, sending)
        if is_json and content:  # a HEAD request has none
            READER.response(scope["path"].rpartition("/")[2].lower(), content)

    def added(self: Any, kind: str, content: dict[str, Any]) -> None:
        READER.update(kind, content)
        add(self, kind, content)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(emulator._BotApi, "__call__", answered)
        patch.setattr(updates.Updates, "add", added)
        yield
    assert not READER.wrong, "\n".join(READER.wrong)


@pytest.fixture(autouse=True)
def _read() -> Iterator[None]:
    """Fail a test in which a local Telegram has said something that aiogram cannot read."""
    yield
    wrong, READER.wrong = READER.wrong, []
    assert not wrong, "\n".join(wrong)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tell the process that prints the summary how much a process of pytest-xdist has read."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["read"] = READER.count


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    READER.count += node.workeroutput["read"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.write_line(f"aiogram has read {READER.count} responses and updates")
