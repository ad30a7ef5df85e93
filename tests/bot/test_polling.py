"""Long polling: what it bears from Telegram, and from storage."""

import asyncio
import contextlib
import itertools
import json
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis
from starlette.applications import Starlette
from structlog.testing import capture_logs

from bot import web
from bot.background import beside
from bot.playground.telegram.emulator import telegram_routes
from bot.playground.telegram.room import Room
from bot.transport import transport
from bot.updates.intake import KINDS, Intake, NoRoom
from bot.updates.polling import HEAD_START, LASTING, Polling
from storage import keys
from storage.dead import DeadLetters
from storage.inbox import Inbox
from storage.lease import Lease
from storage.message import ChatKey
from storage.server.connect import StorageFull, StorageUnavailable
from storage.timing import Timing

TOKEN = "8500000:POLLING"
HURRY = Timing(poll_pause=0.01, conflict_pause=0.01, at_once=60)
"""Hardly any pauses; no pause of the machine is taken for a poll that was held open."""
USUAL = Timing(at_once=60)

Answer = httpx.Response | Exception
_bot_ids = itertools.count(8_600_000)


def updates(*found: Any) -> httpx.Response:
    """A good answer."""
    return httpx.Response(200, content=json.dumps({"ok": True, "result": list(found)}))


def update(number: int) -> dict[str, Any]:
    """A raw update, as small as can be."""
    return {"update_id": number, "message": {"chat": {"id": 5}}}


class Telegram:
    """Gives its answers one by one, then none; keeps what it was asked."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.asked: list[dict[str, str]] = []
        self.patience: list[float | None] = []
        """Seconds of silence that each call bears."""
        self.troubles: list[Exception] = []
        """What happens to those who take a webhook away."""
        self.exhausted = asyncio.Event()

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.patience.append(request.extensions["timeout"]["read"])
        if request.url.path.endswith("/deleteWebhook"):
            if self.troubles:
                raise self.troubles.pop()
            return httpx.Response(200, json={"ok": True, "result": True})
        self.asked.append(dict(httpx.QueryParams(request.content.decode())))
        if not self._answers:
            self.exhausted.set()
            await asyncio.sleep(60)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def offsets(self) -> list[str | None]:
        """What it was asked to go on from, oldest first."""
        return [asked.get("offset") for asked in self.asked]


class Odd(Intake):
    """Takes everything in, but for what a test lets fail."""

    def __init__(self, *troubles: Exception) -> None:
        self.troubles = list(troubles)
        self.taken: list[Any] = []
        self.buried: list[tuple[str, str]] = []
        self.problem: str | None = None
        self.problems: list[str | None] = []

    async def take(self, *updates: Any) -> None:
        self.problems.append(self.problem)
        if self.troubles and self.taken:
            raise self.troubles.pop(0)
        self.taken += updates

    async def bury(self, text: str, reason: str) -> None:
        self.buried.append((text, reason))

    def numbers(self) -> list[Any]:
        """Numbers of what was taken."""
        return [found.get("update_id") for found in self.taken if isinstance(found, dict)]


@pytest.fixture
def lease(redis: Redis) -> Lease:
    """The lease of a new bot's poller."""
    return Lease(redis, keys.poller(next(_bot_ids)), "process")


@contextlib.asynccontextmanager
async def polled(
    telegram: Any, intake: Intake, lease: Lease, timing: Timing = HURRY
) -> AsyncIterator[Polling]:
    """Poll while the block runs."""
    polling = Polling(httpx.MockTransport(telegram), "http://host/bot1:a", intake, timing)
    async with beside(polling.run(lease)):
        yield polling


async def poll(telegram: Telegram, intake: Intake, lease: Lease, timing: Timing = HURRY) -> None:
    """Poll until Telegram has no more answers."""
    async with polled(telegram, intake, lease, timing):
        await asyncio.wait_for(telegram.exhausted.wait(), 60)


async def until(so: Callable[[], object]) -> None:
    """Wait until it is so."""
    async with asyncio.timeout(60):
        while not so():  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.005)


async def test_the_offset_follows_what_was_taken(lease: Lease) -> None:
    """Each poll confirms what was stored before, and asks for new messages only."""
    telegram = Telegram(updates(update(7), update(8)), updates(update(9)), updates())
    intake = Odd()
    await poll(telegram, intake, lease)
    assert intake.numbers() == [7, 8, 9]
    assert telegram.offsets() == [None, "9", "10", "10"]
    assert json.loads(telegram.asked[0]["allowed_updates"]) == list(KINDS)


async def test_numbers_may_begin_anew(lease: Lease) -> None:
    """After a quiet week they are smaller, and are confirmed all the same."""
    telegram = Telegram(updates(update(900)), updates(update(7), update(8)))
    await poll(telegram, Odd(), lease)
    assert telegram.offsets() == [None, "901", "9"]


@pytest.mark.parametrize(
    "odd",
    [
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
        httpx.ReadError("cut"),
        httpx.RemoteProtocolError("garbage"),
        httpx.Response(401, content='{"ok": false, "description": "Unauthorized"}'),
        httpx.Response(409, content='{"ok": false, "description": "Conflict"}'),
        httpx.Response(429, content='{"parameters": {"retry_after": 0.01}}'),
        httpx.Response(429, content="no JSON"),
        httpx.Response(429, content="[" * 100_000),
        httpx.Response(500),
        httpx.Response(502, content="<html>"),
        httpx.Response(200, content="<html>"),
        httpx.Response(200, content="[]"),
        httpx.Response(200, content='{"ok": true}'),
        httpx.Response(200, content='{"ok": true, "result": 5}'),
        httpx.Response(200, content="[" * 100_000),
        updates("text"),
        updates({"update_id": "7"}, {"update_id": True}, {}),
    ],
)
async def test_no_answer_ends_polling(odd: Answer, lease: Lease) -> None:
    """After whatever Telegram or a proxy says, polling goes on where it was, after a pause."""
    telegram, intake = Telegram(updates(update(7)), odd, odd, updates(update(8))), Odd()
    with capture_logs() as logs:
        await poll(telegram, intake, lease)
    assert [number for number in intake.numbers() if type(number) is int][-1] == 8
    assert telegram.offsets()[3:] == ["8", "9"]
    assert any(entry["event"] == "poll_failed" for entry in logs)


@pytest.mark.parametrize("content", ["<html>", "[" * 100_000, "{}", '["ok"]'])
async def test_an_answer_that_is_not_telegrams(lease: Lease, content: str) -> None:
    """It is no update of ours that stops it, so none is looked for."""
    telegram = Telegram(httpx.Response(200, content=content), updates(update(7)))
    with capture_logs() as logs:
        await poll(telegram, Odd(), lease)
    assert [asked["limit"] for asked in telegram.asked] == ["100"] * 3
    failed = [entry["reason"] for entry in logs if entry["event"] == "poll_failed"]
    assert failed == ["Telegram's answer cannot be read"]


class Pauses(list[float]):
    """Notes how long polling would have slept, and lets it sleep for next to nothing."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self._sleep = asyncio.sleep
        monkeypatch.setattr(random, "uniform", lambda low, high: (low + high) / 2)
        monkeypatch.setattr(asyncio, "sleep", self)

    async def __call__(self, seconds: float) -> None:
        if seconds in (HEAD_START, USUAL.lease / 5, 60):  # the lease's, an open poll's
            await self._sleep(seconds)
        else:
            self.append(seconds)
            await self._sleep(0.001)


@pytest.mark.parametrize(
    "answers",
    [
        [updates(update(7), update(8))] * 7,
        [updates(update(7), update(8)), updates(update(8)), updates(update(7))] * 2 + [updates()],
        [updates(update(7), update(8)), *[updates()] * 6],
    ],
)
async def test_nothing_new_is_not_asked_for_all_the_time(
    lease: Lease, monkeypatch: pytest.MonkeyPatch, answers: list[httpx.Response]
) -> None:
    """A server that repeats itself, or holds no poll open, is asked ever more slowly."""
    pauses = Pauses(monkeypatch)
    await poll(Telegram(*answers, updates(update(9)), updates()), Odd(), lease)
    assert pauses == [0.02, 0.04, 0.08, 0.16, 0.32, 0.5, 0.02]


async def test_what_came_goes_before_the_next_poll(lease: Lease) -> None:
    """Work on it may begin in a task of a task; all that before the processor turns to polling."""
    telegram, polls = Telegram(updates(update(7))), list[int]()

    class Working(Odd):
        async def take(self, *updates: Any) -> None:
            await super().take(*updates)
            self.work = asyncio.create_task(self.begin(3))

        async def begin(self, steps: int) -> None:
            if steps:
                self.work = asyncio.create_task(self.begin(steps - 1))
            else:
                polls.append(len(telegram.asked))

    await poll(telegram, Working(), lease)
    assert polls == [1]


async def test_what_comes_again_after_a_restart_is_no_repetition(
    lease: Lease, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was stored, but not confirmed: it is taken at once, and so is what follows."""
    pauses = Pauses(monkeypatch)
    await poll(Telegram(updates(update(7)), updates(update(8)), updates(update(9))), Odd(), lease)
    assert pauses == []


@pytest.mark.slow
async def test_an_outage_of_days(lease: Lease) -> None:
    """However often polling fails, the pause before the next try can be told."""
    broken = [httpx.ReadError("cut")] * 1100
    intake = Odd(*[StorageUnavailable("away")] * 1100)
    again = [updates(update(8))] * 1101
    telegram = Telegram(updates(update(7)), *broken, *again, updates(update(9)))
    await poll(telegram, intake, lease, Timing(poll_pause=0))
    assert intake.numbers() == [7, 8, 9]


async def test_full_storage_is_asked_often(lease: Lease, monkeypatch: pytest.MonkeyPatch) -> None:
    """What makes room waits at Telegram for the next poll, so that comes within seconds."""
    pauses = Pauses(monkeypatch)
    intake = Odd(*[StorageFull("full")] * 9)
    with capture_logs() as logs:
        telegram = Telegram(updates(update(7)), *[updates(update(8))] * 10)
        await poll(telegram, intake, lease, USUAL)
    assert pauses == [0.2, 0.4, 0.8, 1.6, *[USUAL.full_pause] * 5]
    paused = [entry["log_level"] for entry in logs if entry["event"] == "polling_paused"]
    assert paused == ["warning"] * LASTING + ["debug"] * (9 - LASTING)


async def test_updates_without_numbers_are_no_progress(lease: Lease) -> None:
    """They come again at once, so the next poll waits a while."""
    with capture_logs() as logs:
        await poll(Telegram(updates({}), updates(update(7)), updates({})), Odd(), lease)
    failed = [entry["reason"] for entry in logs if entry["event"] == "poll_failed"]
    assert failed == ["updates without numbers"] * 2


async def test_an_idle_connection_closed_is_no_news(lease: Lease) -> None:
    """Telegram closes connections after a while; once is not worth a warning, twice is."""
    with capture_logs() as logs:
        await poll(Telegram(httpx.ReadError("closed"), httpx.ReadError("closed")), Odd(), lease)
    levels = [entry["log_level"] for entry in logs if entry["event"] == "poll_failed"]
    assert levels == ["debug", "warning"]


async def test_what_no_parser_reads_is_isolated(lease: Lease) -> None:
    """A batch that cannot be read is fetched one by one, and only what stops it is buried."""
    deep = b'{"ok":true,"result":[{"update_id": 8, "x": "\xff", "y": ' + b"[" * 100_000
    batch = httpx.Response(200, content=deep)
    telegram = Telegram(batch, updates(update(7)), batch, batch, updates(update(9)))
    intake = Odd()
    await poll(telegram, intake, lease)
    assert intake.numbers() == [7, 9]
    ((text, reason),) = intake.buried
    assert len(text) == 1000
    assert reason.startswith("no JSON")
    assert telegram.offsets() == [None, None, "8", "8", "9", "10"]
    assert [asked["limit"] for asked in telegram.asked] == ["100", "1", "100", "1", "100", "100"]
    assert [asked["timeout"] for asked in telegram.asked] == ["25", "0", "25", "0", "25", "25"]


async def test_what_no_parser_reads_is_buried_once(lease: Lease) -> None:
    """However often a server repeats it, and whatever follows in its answers."""
    deep = b'{"ok":true,"result":[{"update_id": 8, "x": ' + b"[" * 100_000
    answers = [httpx.Response(200, content=deep + b"," * number) for number in range(8)]
    telegram = Telegram(updates(update(7)), *answers, updates(update(9)))
    intake = Odd()
    await poll(telegram, intake, lease)
    assert intake.numbers() == [7, 9]
    assert len(intake.buried) == 1
    assert telegram.offsets()[-2:] == ["9", "10"]


@pytest.mark.parametrize(
    ("told", "pause"),
    [
        *[(told, 0.5) for told in ("-5", "0", "0.001", "NaN", "-Infinity", "null", '"x"', "[5]")],
        ("1" + "0" * 400, 0.5),
        ("1", 1),
        ("3", 3),
        ("1000000", USUAL.told_pause),
        ("Infinity", USUAL.told_pause),
    ],
)
async def test_how_long_telegram_may_tell_us_to_wait(
    lease: Lease, monkeypatch: pytest.MonkeyPatch, told: str, pause: float
) -> None:
    """What is no time is as if nothing were told, and a longer one than any is cut."""
    pauses = Pauses(monkeypatch)
    busy = httpx.Response(429, content=f'{{"parameters": {{"retry_after": {told}}}}}')
    await poll(Telegram(busy, updates(update(7))), Odd(), lease, USUAL)
    assert pauses == [pause]


async def test_what_has_not_even_a_number(lease: Lease) -> None:
    """What can be neither read nor confirmed is waited out."""
    bad = httpx.Response(200, content=b'{"ok":true,"result":[' + b"[" * 100_000)
    intake = Odd()
    with capture_logs() as logs:
        await poll(Telegram(bad, bad, updates(update(7))), intake, lease)
    assert intake.numbers() == [7]
    assert intake.buried == []
    failed = [entry["reason"] for entry in logs if entry["event"] == "poll_failed"]
    assert failed == ["an update without a number"]


async def test_storage_that_refuses(lease: Lease) -> None:
    """What was not stored is not confirmed, comes again, and the reason can be asked for."""
    telegram = Telegram(updates(update(7)), *[updates(update(8), update(9))] * 3)
    intake = Odd(StorageUnavailable("full"), StorageUnavailable("still full"))
    with capture_logs() as logs:
        await poll(telegram, intake, lease)
    assert intake.numbers() == [7, 8, 9]
    assert telegram.offsets() == [None, "8", "8", "8", "10"]
    assert intake.problems == [None, None, "full", "still full"]
    assert intake.problem is None
    reasons = [entry["reason"] for entry in logs if entry["event"] == "polling_paused"]
    assert reasons == ["full", "still full"]


async def test_what_is_stored_of_a_batch_is_confirmed(lease: Lease) -> None:
    """So that the next poll brings what is behind it."""
    batch = updates(*map(update, range(8, 12)))
    rest = updates(*map(update, range(10, 12)))
    telegram = Telegram(updates(update(7)), batch, rest, rest, updates())
    intake = Odd(NoRoom("full", 2), NoRoom("full", 0))
    await poll(telegram, intake, lease)
    assert telegram.offsets() == [None, "8", "10", "10", "12", "12"]
    assert intake.numbers() == [7, 10, 11]


async def test_a_silent_poll_is_begun_anew(lease: Lease) -> None:
    """A connection that says nothing is given up, which is counted; then it can be told."""

    async def silent(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/getUpdates"):
            await asyncio.sleep(60)
        return updates()

    async with polled(silent, Odd(), lease, replace(HURRY, poll_silence=0.02)) as polling:
        assert not polling.is_silent
        await until(lambda: polling.restarts)
        assert polling.restarts == 1
        await until(lambda: polling.restarts == 2)
        assert not polling.is_silent
        age(polling)
        assert polling.is_silent
    assert not polling.is_silent


def age(polling: Polling) -> None:
    """Let it be long ago that Telegram answered."""
    assert polling._heard_at
    polling._heard_at -= USUAL.polls_silence


async def test_an_answer_ends_the_silence(lease: Lease) -> None:
    """However long there was none."""
    answers = asyncio.Queue[httpx.Response]()

    async def slow(request: httpx.Request) -> httpx.Response:
        return await answers.get() if request.url.path.endswith("/getUpdates") else updates()

    async with polled(slow, Odd(), lease) as polling:
        await until(lambda: polling._heard_at)
        age(polling)
        assert polling.is_silent
        answers.put_nowait(updates())
        await until(lambda: not polling.is_silent)


async def test_a_webhook_that_does_not_go_away(lease: Lease) -> None:
    """While Telegram is asked for that, it can be silent as well."""
    asked = asyncio.Event()

    async def hang(_request: httpx.Request) -> httpx.Response:
        asked.set()
        await asyncio.sleep(60)
        raise AssertionError

    async with polled(hang, Odd(), lease) as polling:
        await asked.wait()
        age(polling)
        assert polling.is_silent


async def test_who_loses_the_lease_stops_polling(redis: Redis) -> None:
    """Another process polls then; its problems are not ours."""
    lease = Lease(redis, keys.poller(next(_bot_ids)), "process", Timing(lease=1.5))
    telegram, intake = Telegram(updates(update(7))), Odd()
    with capture_logs() as logs:
        async with polled(telegram, intake, lease) as polling:
            await asyncio.wait_for(telegram.exhausted.wait(), 60)
            intake.problem = "full"
            await redis.set(lease._lock.name, "another", ex=100)
            await until(lambda: polling._heard_at is None)
            assert intake.problem is None
            asked = len(telegram.asked)
            await asyncio.sleep(0.05)
            assert len(telegram.asked) == asked
    assert [entry["event"] for entry in logs][:2] == ["polling", "polling_handed_over"]


async def test_a_poll_may_stay_open_for_long(redis: Redis) -> None:
    """What is silence to an HTTP client is an open poll to Telegram, and no failure."""
    room = Room(TOKEN)
    inbox = Inbox(redis, room.bot["id"], "worker")
    intake = Intake(inbox, DeadLetters(redis, room.bot["id"]), lambda _: None)
    async with (
        web.serving(Starlette(routes=telegram_routes(room)), "127.0.0.1", 0) as url,
        transport(None, 1) as connections,
    ):
        polling = Polling(connections, f"{url}/bot{TOKEN}", intake)
        lease = Lease(redis, keys.poller(room.bot["id"]), "process")
        with capture_logs() as logs:
            async with beside(polling.run(lease)):
                await asyncio.sleep(0.5)
                room.say(1, 1, "hello")
                while not await redis.exists(  # noqa: ASYNC110 - it tells no other way
                    keys.mailbox(room.bot["id"], ChatKey(1))
                ):
                    await asyncio.sleep(0.01)
    assert [entry["event"] for entry in logs] == ["polling"]


async def test_a_webhook_is_taken_away_first(lease: Lease) -> None:
    """Whether that succeeds or not; it may take a while, and a poll as long as Telegram likes."""
    telegram = Telegram(updates(update(7)))
    telegram.troubles = [httpx.ConnectError("refused")]
    await poll(telegram, Odd(), lease)
    assert telegram.patience == [20, None, None]


async def test_who_does_not_poll_is_not_silent(lease: Lease) -> None:
    """Another process does, and has its own problems."""
    intake = Odd()
    polling = Polling(httpx.MockTransport(Telegram()), "http://host/bot1:a", intake)
    assert not polling.is_silent
    assert polling.restarts == 0
    failing = Telegram(*[httpx.Response(500)] * LASTING)
    async with polled(failing, intake, lease):
        await failing.exhausted.wait()
        assert intake.problem
    assert intake.problem is None


async def test_storage_that_is_away_is_asked_ever_more_slowly(
    lease: Lease, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until it is there, when all begins anew."""
    pauses = Pauses(monkeypatch)
    intake = Odd(*[StorageUnavailable("away")] * 9)
    with capture_logs() as logs:
        telegram = Telegram(*[updates(update(number)) for number in (7, *[8] * 10)])
        await poll(telegram, intake, lease, USUAL)
    assert pauses == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30]
    paused = [entry["log_level"] for entry in logs if entry["event"] == "polling_paused"]
    assert paused == ["warning"] * 9


async def test_failures_in_a_row_are_a_problem(
    lease: Lease, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not one or two; each success begins anew."""
    pauses, intake = Pauses(monkeypatch), Odd()
    told = httpx.Response(401, content='{"ok": false, "description": "Unauthorized"}')
    cut = httpx.ReadError("cut")
    answers: list[Answer] = [httpx.Response(500), httpx.Response(502, content="<html>")]
    answers += [updates(update(7)), told, cut, httpx.Response(409), updates(update(8))]
    answers += [cut, updates(update(9)), cut, updates(update(10))]
    with capture_logs() as logs:
        await poll(Telegram(*answers), intake, lease, USUAL)
    failed = [
        (entry["log_level"], entry["reason"]) for entry in logs if entry["event"] == "poll_failed"
    ]
    conflict = "another process polls for this bot, or a webhook is set: HTTP 409"
    assert failed == [
        *[("warning", "HTTP 500"), ("warning", "HTTP 502")],
        *[("warning", "HTTP 401: Unauthorized"), ("warning", "ReadError: cut")],
        *[("warning", conflict), ("debug", "ReadError: cut"), ("debug", "ReadError: cut")],
    ]
    assert pauses == [0.5, 1, 0.5, 1, USUAL.conflict_pause, 0.5, 0.5]
    assert intake.problems == [None, conflict, None, None]


async def test_a_poll_that_was_held_open(lease: Lease, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is followed by the next one, though it brought nothing."""
    pauses = Pauses(monkeypatch)

    class Slow(Telegram):
        async def __call__(self, request: httpx.Request) -> httpx.Response:
            await pauses._sleep(0.02)
            return await super().__call__(request)

    telegram = Slow(updates(), updates(), updates())
    await poll(telegram, Odd(), lease, Timing(at_once=0.01))
    assert pauses == []


async def test_what_is_remembered_has_a_bound(lease: Lease) -> None:
    """A thousand numbers are enough to tell what comes again."""
    batches = [updates(*map(update, range(start, start + 100))) for start in range(0, 1200, 100)]
    telegram = Telegram(*batches)
    async with polled(telegram, Odd(), lease) as polling:
        await telegram.exhausted.wait()
        assert len(polling._taken) == 1000


async def test_room_is_asked_for(lease: Lease) -> None:
    """Whoever asks hears what storage says."""

    class Full(Odd):
        async def check_room(self) -> None:
            raise StorageFull("full")

    async with polled(Telegram(), Full(), lease) as polling:
        with pytest.raises(StorageFull):
            await polling.check_room()
