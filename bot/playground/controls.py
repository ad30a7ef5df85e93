"""The demo's controls over HTTP, under ``/demo/``: faults, workers, settings, who waits."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.completion.request_id import chat_of
from bot.playground.configuration import Configuration
from bot.playground.faults import Faults
from bot.playground.telegram.chat import Json
from bot.playground.telegram.room import Room
from bot.playground.workers import CannotStart, Workers
from bot.playground.yandex.queue import Queue


class Controls:
    """What can be controlled; without a bot, ``workers`` and ``configuration`` are None."""

    def __init__(
        self,
        room: Room,
        queue: Queue,
        faults: Faults,
        workers: Workers | None = None,
        configuration: Configuration | None = None,
    ) -> None:
        self.faults = faults
        self._room = room
        self._queue = queue
        self._workers = workers
        self._configuration = configuration
        queue.changed = room.touch

    def json(self) -> Json:
        """Return everything that there is to see."""
        return {
            "faults": self.faults.json(),
            "workers": self._workers.json() if self._workers else [],
            "settings": self._configuration.json() if self._configuration else None,
            "queue": self._who_waits(),
        }

    @property
    def routes(self) -> list[Route]:
        """GET tells what there is, POST changes it; the answer is what there is then."""
        routes = [
            Route("/demo/state", _got(self.json)),
            Route("/demo/faults", _got(self.faults.json)),
            Route("/demo/faults", _posted(self._put_faults), methods=["POST"]),
            Route("/demo/heal", _posted(self._heal), methods=["POST"]),
        ]
        if self._workers and self._configuration:
            routes += [
                Route("/demo/workers", _got(self._workers.json)),
                Route("/demo/workers", _posted(self._act), methods=["POST"]),
                Route("/demo/settings", _got(self._configuration.json)),
                Route("/demo/settings", _posted(self._choose), methods=["POST"]),
            ]
        return routes

    async def _put_faults(self, given: Json) -> Json:
        await self.faults.put(given)
        return self.faults.json()

    async def _heal(self, given: Json) -> Json:
        _know(given, ())
        await self.faults.heal()
        if self._workers:
            await self._workers.heal()
        return self.json()

    async def _act(self, given: Json) -> list[Json]:
        workers = self._workers
        assert workers  # noqa: S101 - the route is there only with them
        acts = {name: getattr(workers, name) for name in ("kill", "freeze", "thaw", "end")}
        act, pid = given.get("act"), given.get("pid")
        if act == "start":
            _know(given, ("act",))
            await workers.add()
        elif isinstance(act, str) and act in acts:
            _know(given, ("act", "pid"))
            if type(pid) is not int:
                raise ValueError("pid must be a whole number")
            acts[act](pid)
        else:
            raise ValueError(f"act must be one of start, {', '.join(acts)}")
        return workers.json()

    async def _choose(self, given: Json) -> Json:
        workers, configuration = self._workers, self._configuration
        assert workers and configuration  # noqa: S101, PT018 - likewise
        async with configuration.choosing(given):
            await workers.replace()
        self._room.touch()
        return configuration.json()

    def _who_waits(self) -> Json:
        """Return the chats that the model answers now, and those that wait, next first.

        A chat is None if the program that asks did not say which it is.
        """
        token, chats = self._room.token or "", self._room.chats
        names = {"answering": self._queue.in_turn, "waiting": self._queue.waiting}
        return {
            what: [chat_of(name, token, chats) for name in those] for what, those in names.items()
        }


def _know(given: Json, names: tuple[str, ...]) -> None:
    """Raise ValueError if there is anything else."""
    if unknown := given.keys() - {*names}:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}")


def _got(look: Callable[[], Any]) -> Callable[[Request], Awaitable[Response]]:
    async def handle(_: Request) -> Response:
        return JSONResponse(look())

    return handle


def _posted(act: Callable[[Json], Awaitable[Any]]) -> Callable[[Request], Awaitable[Response]]:
    async def handle(request: Request) -> Response:
        try:
            return JSONResponse(await act(_object(await request.body())))
        except (ValueError, CannotStart) as error:
            return JSONResponse({"error": str(error)}, 400)

    return handle


def _object(body: bytes) -> Json:
    try:
        given = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        raise ValueError("the body is not JSON") from None
    if not isinstance(given, dict):
        raise ValueError("the body is not a JSON object")  # noqa: TRY004 -- one error for all of it
    return given
