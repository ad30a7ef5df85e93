"""Ten thousand malformed and hostile updates between good ones, which are all answered in order."""

import asyncio
import random
import re
from bisect import bisect_left
from dataclasses import replace
from typing import Any

import pytest
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from structlog.testing import capture_logs

from bot import web
from bot.app import running
from bot.playground.telegram.emulator import telegram_routes
from handlers.dispatch import Dispatch
from handlers.texts import RUSSIAN
from storage import keys
from storage.dead import DeadLetters
from storage.timing import Timing
from tests.conftest import ANN, World, local_telegram
from tests.faults.conftest import HURRIED
from tests.faults.hostile import NO_JSON, mutated, raw, valid
from tests.faults.talk import Talk, until

GOOD = range(301, 311)
HOSTILE = 10_000
FIRST = 1000
SEED = 20261124


COMMAND = {"type": "bot_command", "offset": 0, "length": 6}
ODD = {"id": ANN, "is_bot": False, "first_name": "Ann", "language_code": 7}


@pytest.fixture
def timing() -> Timing:
    """Try again at once what has failed by itself."""
    return replace(HURRIED, failure=0.01)


class Feed:
    """A getUpdates that gives whatever bytes it is told, a hundred at a time."""

    def __init__(self) -> None:
        self._numbers: list[int] = []
        self._updates: list[bytes] = []
        self.confirmed = 0

    @property
    def next(self) -> int:
        """The number of the next update."""
        return self._numbers[-1] + 1 if self._numbers else FIRST

    def add(self, update: bytes, *, again: bool = False) -> None:
        """Queue an update, under the next number or once more under the last one."""
        self._numbers.append(self.next - again)
        self._updates.append(update)

    async def get_updates(self, request: Request) -> Response:
        """Answer a poll."""
        async with request.form() as form:
            offset, limit = (int(str(form.get(name, 0))) for name in ("offset", "limit"))
        self.confirmed = bisect_left(self._numbers, offset)
        found = self._updates[self.confirmed : self.confirmed + limit]
        if not found:
            await asyncio.sleep(0.1)
        return Response(b'{"ok":true,"result":[' + b",".join(found) + b"]}")

    @property
    def is_empty(self) -> bool:
        """Tell whether all is confirmed."""
        return self.confirmed == len(self._numbers)


class Mixture:
    """What is fed, and what is to become of it, by the numbers of updates."""

    def __init__(self, talk: Talk) -> None:
        self.feed = Feed()
        self.numbered: set[int] = set()
        self.others: set[bytes] = set()
        self._talk = talk
        self._chance = random.Random(SEED)

    def pour(self) -> None:
        """Mix the good, and the bad of every kind."""
        for place in range(HOSTILE):
            if place % 50 == 0:
                self._good(GOOD[place // 50 % len(GOOD)])
            if place % 1999 == 7:
                self._no_json(NO_JSON[place // 1999 % len(NO_JSON)])
            else:
                self._bad(place)

    def _good(self, chat: int) -> None:
        message = self._talk.ask(chat)
        update = raw({"update_id": self.feed.next, "message": message})
        self.feed.add(update)
        if self._chance.random() < 0.3:
            self.feed.add(update, again=True)

    def _bad(self, place: int) -> None:
        number = self.feed.next
        update = valid(number, 100_000 + place % 2500)
        match self._chance.random():
            case chance if chance < 0.02 and 100 < place % 1999 < 1800:
                self._unnumbered(update)
                return
            case chance if chance < 0.05:
                update = {"update_id": number, self._chance.choice("abc"): update["message"]}
            case chance if chance < 0.08:
                # In a good lane: readable for nobody, and holding up nobody.
                message = {"chat": {"id": self._chance.choice(GOOD)}, "date": 10**18}
                update = {"update_id": number, "message": message}
            case _:
                update = mutated(update, self._chance)
        self.numbered.add(number)
        self.feed.add(raw(update))

    def _unnumbered(self, update: dict[str, Any]) -> None:
        wild = [True, "1", 1.5, None, [], {}]
        updates = [
            update | {"update_id": self._chance.choice(wild)},
            update["message"],
            7,
            [],
            None,
        ]
        self._add_other(raw(self._chance.choice(updates)))

    def _no_json(self, content: bytes) -> None:
        self._add_other(b'{"update_id":%d,"message":%b}' % (self.feed.next, content))

    def _add_other(self, update: bytes) -> None:
        self.others.add(update)  # what comes again is one dead letter
        self.feed.add(update)


async def test_ten_thousand_hostile_updates(
    redis: Redis, valkey: str, timing: Timing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All good ones are answered in order; each bad one is handled, ignored or a dead letter."""
    handled: set[int] = set()
    handle = Dispatch.handle

    async def noting(dispatch: Dispatch, update: str, turn: Any) -> None:
        await handle(dispatch, update, turn)
        handled.add(_number(update))

    monkeypatch.setattr(Dispatch, "handle", noting)
    async with local_telegram(redis, valkey, timing=timing, lanes=100) as world:
        talk = Talk(world)
        mixture = Mixture(talk)
        mixture.pour()
        route = Route("/bot{token}/getUpdates", mixture.feed.get_updates, methods=["POST"])
        app = Starlette(routes=[route, *telegram_routes(world.room)])
        async with web.serving(app, "127.0.0.1", 0) as url:
            with capture_logs() as logs:
                settings = world.settings.model_copy(update={"telegram_api_url": url})
                async with running(settings):
                    await talk.answered(200)
                    await until(lambda: mixture.feed.is_empty)
        letters = await DeadLetters(redis, world.bot_id).all()
        await redis.delete(keys.dead(world.bot_id))
        await talk.check()
    dead = {_number(letter.update) for letter in letters}
    ignored = {log["update"] for log in logs if log["event"] == "update_ignored"}
    assert mixture.numbered - handled - dead - ignored == set()
    reasons = [letter.reason for letter in letters]
    assert sum(r.startswith(("no update_id", "no JSON")) for r in reasons) >= len(mixture.others)


async def test_a_language_that_is_no_word(world: World) -> None:
    """It is no reason for silence."""
    message = world.room.say(ANN, ANN, "hi")
    assert await world.hears(ANN) == ["echo: hi"]
    world.room.inject(
        {"message": {**message, "text": "/start", "entities": [COMMAND], "from": ODD}}
    )
    assert await world.hears(ANN, 2) == ["echo: hi", RUSSIAN.start]
    assert await world.says(ANN, ANN, "more") == "echo: more"


def _number(update: str) -> int:
    found = re.match(r'\{"update_id":\s*(\d+),', update)
    return int(found[1]) if found else -1
