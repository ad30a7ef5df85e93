"""What people say, and what they are called, is in no line of the log: whatever fails."""

import asyncio
import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from bot import log
from bot.app import running
from bot.playground.telegram.fault import Fault
from bot.playground.telegram.files import Upload
from bot.playground.yandex.replies import ErrorLine, Lines, Refuse, Reply
from handlers.context import Context
from storage import keys
from storage.dead import DeadLetters
from storage.timing import Timing
from tests.conftest import ANN, GROUP, World, changed

pytestmark = pytest.mark.slow

MARK = "зебра"
"""What is in every text, name and file; letters that JSON may escape."""
ECHO = f"cannot work with «{MARK.upper()} один», nor with echo: {MARK}"
DETAILS = json.dumps({"details": [{"text": f"\n{MARK}"}], "error": {}}).encode()


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What the log has, as it is configured for the program; all is as before afterwards."""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    root = logging.getLogger()
    handlers, level, settings = root.handlers[:], root.level, structlog.get_config()
    log.configure()
    structlog.configure(cache_logger_on_first_use=False)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**settings)


@pytest.fixture
def timing() -> Timing:
    """Shorten the pauses of all parts, so that tests need no patience."""
    return Timing(model_pauses=(0.01,), failure=0.01, send_pauses=(0.01, 0.01, 0.01))


@pytest.fixture
def named(elsewhere: World) -> World:
    """A world in which everybody and everything is called so."""
    elsewhere.room.chat(ANN)
    elsewhere.room.people[ANN].first_name = MARK
    elsewhere.room.chat(GROUP).title = MARK
    return elsewhere


def events(logged: io.StringIO) -> list[str]:
    """The events that are in the log by now, which has no word of what was said."""
    text = logged.getvalue()
    lines = [json.loads(line) for line in text.splitlines()]
    assert MARK not in json.dumps(lines, ensure_ascii=False).casefold()
    assert json.dumps(MARK)[1:-1] not in text.replace("\\\\", "\\")
    return [line["event"] for line in lines]


@pytest.mark.parametrize(
    "failure",
    [
        Refuse(400, ECHO),
        Refuse(403, ECHO),
        Refuse(500, ECHO),
        Refuse(400, body=ECHO.encode()),
        Refuse(502, body=f"<html>{ECHO}</html>".encode()),
        Refuse(400, body=DETAILS),
        Refuse(400, f"number of input tokens must be no more than 9, got 10 in {MARK}"),
        ErrorLine("", 403, ECHO),
        ErrorLine(f"echo: {MARK} один", 500, ECHO),
        Lines([json.dumps({"error": ECHO}).encode()]),
        Lines([b'{"result": "' + ECHO.encode()]),
    ],
    ids=range(11),
)
async def test_the_model_repeats_it(named: World, failure: Reply, logged: io.StringIO) -> None:
    """An error that quotes the question, or the answer so far, is logged without that."""
    named.model.script(*[failure] * 50)
    async with running(changed(named.settings, model_silence=0.6)):
        await named.says(ANN, ANN, f"{MARK} один")
        named.model.clear_script()
        await named.says(ANN, ANN, f"{MARK} два")
    assert events(logged).count("turn") == 2


@pytest.mark.parametrize("method", ["sendMessage", "editMessageText"])
@pytest.mark.parametrize(
    "fault",
    [
        Fault(400, f"Bad Request: can't parse entities: {ECHO}"),
        Fault(400, f"Bad Request: {ECHO}"),
        Fault(403, f"Forbidden: {ECHO}"),
        Fault(404, ECHO),
        Fault(500, ECHO),
        Fault(502, html=f"<html>{ECHO}</html>"),
    ],
    ids=["parse", "400", "403", "404", "500", "502"],
)
async def test_telegram_repeats_it(
    named: World, method: str, fault: Fault, logged: io.StringIO
) -> None:
    """So is what Telegram, or a proxy before it, says of what was sent."""
    async with running(named.settings):
        await named.says(ANN, ANN, f"{MARK} один")
        # One after the other, and no more refusals than a piece bears: words about a failure, which
        # follow then, are not these that Telegram could repeat.
        asked = (ANN, f"{MARK} два", 2), (GROUP, f"@{named.room.username} {MARK} три", 1)
        for turns, (chat, text, times) in enumerate(asked, 2):
            named.room.fail(method, *[fault] * times)
            named.room.say(chat, ANN, text)
            async with asyncio.timeout(40):
                while events(logged).count("turn") < turns:  # noqa: ASYNC110 - it tells no other way
                    await asyncio.sleep(0.02)
            named.room.pardon()
        await named.says(ANN, ANN, f"{MARK} четыре")
    assert events(logged).count("turn") == 4


@pytest.mark.parametrize(
    ("name", "kind", "content"),
    [
        (MARK, "application/x-" + MARK, b"x"),
        (f"x.{MARK}", "application/zip", b"x"),
        (f"{MARK}.txt", "text/plain", b"\x00\x01"),
        (f"{MARK}.pdf", "application/pdf", b"no PDF"),
        (f"{MARK}.txt", "text/plain", b""),
        (f"{MARK}.txt", "text/plain", MARK.encode()),
    ],
    ids=range(6),
)
async def test_a_file(
    named: World, name: str, kind: str, content: bytes, logged: io.StringIO
) -> None:
    """Neither its name nor what is in it is told, whatever is the matter with it."""
    named.room.fail("getFile", Fault(400, f"Bad Request: wrong file {MARK}"))
    async with running(named.settings):
        for _ in range(2):
            before = len(named.said(ANN))
            named.room.send_document(ANN, ANN, Upload(name, kind, content), caption=MARK)
            await named.hears(ANN, before + 1)
    assert events(logged).count("turn") == 2


async def test_what_nobody_can_read(named: World, logged: io.StringIO) -> None:
    """Updates of odd shapes are told of, and so are forwards, without what is in them."""
    chat = {"id": ANN, "type": "private", "first_name": MARK}
    message = {"message_id": 1, "date": 1, "chat": chat, "from": {"id": ANN, "is_bot": False}}
    odd: list[dict[str, Any]] = [
        {"message": message | {"date": MARK}},
        {"message": message | {"text": MARK, "entities": [{"type": MARK, "offset": MARK}]}},
        {"message": message | {"poll": {"question": MARK, "id": MARK}}},
        {"message": {"chat": MARK, "text": MARK}},
        {"callback_query": {"id": MARK, "message": message, "data": MARK}},
        {MARK: MARK},
    ]
    async with running(named.settings):
        for update in odd:
            named.room.inject(update)
        origin = {"type": "hidden_user", "sender_user_name": MARK}
        named.room.forward(ANN, ANN, MARK, origin)
        named.room.say(ANN, ANN, MARK)
        ready = keys.ready(named.bot_id)
        # What is odd brings answers, too, and is buried behind them.
        async with asyncio.timeout(40):
            while len(named.room.updates) or await named.redis.xlen(ready):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    told = events(logged)
    assert "update_unreadable" in told
    letters = await DeadLetters(named.redis, named.bot_id).all()
    assert letters
    assert not any(MARK in letter.reason for letter in letters)


async def test_a_mistake_of_ours(
    named: World, monkeypatch: pytest.MonkeyPatch, logged: io.StringIO
) -> None:
    """A traceback has its lines, and a dead letter its reason, without what an error quotes."""

    async def fail(*_: object) -> None:
        try:
            int(f"{MARK} один")
        except ValueError as error:
            raise KeyError(f"/reset {MARK}") from error

    monkeypatch.setattr(Context, "say", fail)
    async with running(named.settings):
        await named.says(ANN, ANN, f"/reset {MARK} один")
    told = events(logged)
    assert told.count("update_failed") == 3
    assert "ValueError" in logged.getvalue()
    [letter] = await DeadLetters(named.redis, named.bot_id).all()
    assert "KeyError" in letter.reason
    assert MARK not in letter.reason
