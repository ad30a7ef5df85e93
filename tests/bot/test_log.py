"""Logs: one event a line, and no secret whichever way it comes."""

import io
import json
import logging
import sys
from collections.abc import Iterator
from urllib.parse import quote

import pytest
import structlog

from bot import log
from bot.redaction import HIDDEN

SECRET = "123:secret/token"


class Terminal(io.StringIO):
    """Standard error, of a terminal or not."""

    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


@pytest.fixture(params=[False, True], ids=["file", "terminal"])
def stderr(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[io.StringIO]:
    """Standard error with logs configured to go there; all is as before afterwards."""
    stream = Terminal(terminal=request.param)
    monkeypatch.setattr(sys, "stderr", stream)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    settings = structlog.get_config()
    log.configure([SECRET])
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**settings)


def test_no_secret_is_written(stderr: io.StringIO) -> None:
    """Events, libraries' messages, URLs and tracebacks are searched."""
    logger = structlog.get_logger()
    logger.info("event", url=f"https://host/bot{SECRET}/getMe")
    logging.getLogger("library").warning("asked %s", quote(SECRET, safe=""))
    try:
        int(SECRET)
    except ValueError:
        logger.exception("failed")
    written = stderr.getvalue()
    assert written.count(HIDDEN) == 2
    assert SECRET not in written
    assert quote(SECRET, safe="") not in written


def test_locals_are_not_shown(stderr: io.StringIO) -> None:
    """A traceback shows code, not what people wrote."""

    def fail(text: str) -> None:
        raise ValueError(len(text))

    try:
        fail("what a person wrote".upper())
    except ValueError:
        structlog.get_logger().exception("failed")
    assert "ValueError" in stderr.getvalue()
    assert "WHAT A PERSON WROTE" not in stderr.getvalue()


@pytest.mark.parametrize("stderr", [False], indirect=True)
def test_one_json_object_a_line(stderr: io.StringIO) -> None:
    """Where no person looks on, each line is an object with its level and time."""
    structlog.get_logger().warning("event", chat=1, reason="причина")
    logging.getLogger("library").warning("hello")
    logging.getLogger("httpx").info("HTTP Request: too chatty")
    first, second = (json.loads(line) for line in stderr.getvalue().splitlines())
    assert (first["event"], first["chat"], first["level"]) == ("event", 1, "warning")
    assert "причина" in stderr.getvalue()
    assert second["event"] == "hello"
    assert "timestamp" in second
