"""Storms: people talk, and processes are killed and frozen at random instants."""

import asyncio
import contextlib
import random
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.background import beside
from storage import keys
from tests.crash.launch import LEASE, Boundary, Fate
from tests.crash.process import BotProcess, connected
from tests.crash.verdict import Verdict, judge, waiting
from tests.crash.world import World, world
from tests.forms import FORMS, Form

CHATS = 40
PATIENCE = 60.0
"""Seconds after a storm in which all must have been answered."""
SERVER = "server"
MOST_STEPS = 3
"""How often a process comes to a step before it dies there."""


class Crowd(Protocol):
    """The people of a storm."""

    async def people(self) -> list[Coroutine[Any, Any, None]]:
        """Prepare what each of them does until the storm is over."""
        ...

    async def judge(self, redis: Redis) -> Verdict:
        """Judge what has become of all that, once nothing is to be done any more."""
        ...


class Talkers:
    """They ask, each in their own chat."""

    def __init__(self, place: World, _redis: Redis) -> None:
        self._place = place

    async def people(self) -> list[Coroutine[Any, Any, None]]:
        """Prepare them all."""
        return [_talk(self._place, chat) for chat in range(1, CHATS + 1)]

    async def judge(self, redis: Redis) -> Verdict:
        """Judge by the transcripts."""
        return await judge(self._place, redis)


@dataclass(frozen=True, slots=True)
class Storm:
    """Which processes there are, by their roles, and which of them are killed; who lives there.

    It takes at least so many kills. ``settings`` are more of the bot's. A process whose role has
    ``steps`` also dies by itself, at one of them.
    """

    name: str
    roles: tuple[str, ...]
    victims: tuple[str, ...]
    freezes: bool = False
    embedded: bool = False
    least: int = 1
    crowd: Callable[[World, Redis], Crowd] = Talkers
    settings: Mapping[str, str] = field(default_factory=dict)
    steps: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


STORMS = (
    Storm("workers", ("intake", "worker", "worker", "worker"), ("worker",), freezes=True),
    Storm("intake", ("intake", "intake", "worker", "worker"), ("intake",)),
    Storm("storage server", ("all", "all"), (SERVER,)),
    Storm(
        "all three",
        ("all", "intake", "worker", "worker"),
        ("all", "intake", "worker", SERVER),
        freezes=True,
    ),
    # Most of these lives are too short for any answer.
    Storm("embedded, alone", ("all",), ("all",), embedded=True),
    Storm("embedded, two", ("all", "all"), ("all",), embedded=True),
)


@dataclass(frozen=True, slots=True)
class Result:
    """A row of the table."""

    name: str
    kills: int
    freezes: int
    seconds: float
    verdict: Verdict


class Weather:
    """A storm under way: its processes, each brought back whenever it ends, and their ends."""

    def __init__(self, storm: Storm, place: World, folder: Path, server: Form | None) -> None:
        self._storm = storm
        self._world = place
        self._folder = folder
        self._server = server
        self._processes: dict[asyncio.Task[None], BotProcess] = {}
        self._is_over = False
        self.kills = self.freezes = 0

    @contextlib.asynccontextmanager
    async def gathered(self, faults: list[str]) -> AsyncIterator[None]:
        """Run the processes while the block does; they must stop as asked, or it is a fault."""
        async with asyncio.TaskGroup() as tasks:
            supervisors = [tasks.create_task(self._supervise(role)) for role in self._storm.roles]
            yield
            for supervisor in supervisors:
                supervisor.cancel()
        codes = await asyncio.gather(*(process.stop() for process in self._processes.values()))
        faults += [f"a process ended with {code} when asked to stop" for code in codes if code]
        if None in codes:
            faults.append("a process did not stop when asked to")

    async def blow(self, kills: int) -> None:
        """Kill so often."""
        freezing = [self._freeze()] if self._storm.freezes else []
        async with beside(*freezing):
            while self.kills < kills:
                await self._instant()
                if await self._strike(random.choice(self._storm.victims)):
                    self.kills += 1
        self._is_over = True

    async def _supervise(self, role: str) -> None:
        task = asyncio.current_task()
        assert task
        while True:
            environment = self._world.environment | {"ROLE": role}
            process = BotProcess(environment, self._folder, self._fate(role))
            self._processes[task] = process
            await process.ended()
            del self._processes[task]
            await asyncio.sleep(random.uniform(0, 0.5))

    def _fate(self, role: str) -> Fate | None:
        steps = self._storm.steps.get(role)
        if self._is_over or not steps:
            return None
        after, call = random.random() < 0.5, random.randint(1, MOST_STEPS)
        return Fate(Boundary(random.choice(steps), after, call), signal.SIGKILL)

    async def _instant(self) -> None:
        """Wait for any instant, or for one just after somebody has said something."""
        await asyncio.sleep(random.uniform(0.1, 0.6))
        if random.random() < 0.5:
            await self._world.room.changed(self._world.room.version, 1)
            await asyncio.sleep(random.uniform(0, 0.005))

    async def _strike(self, victim: str) -> bool:
        if victim == SERVER and self._server:
            async with self._world.halt():
                await self._server.strike()
            return True
        process = self._any(victim)
        if process:
            async with self._world.halt():
                process.kill(whole=self._storm.embedded and random.random() < 0.5)
        return process is not None

    async def _freeze(self) -> None:
        """Freeze a worker for longer than its lease, again and again."""
        while True:
            await self._instant()
            if process := self._any("worker"):
                self.freezes += 1
                async with self._world.halt():
                    process.freeze()
                    try:
                        await asyncio.sleep(LEASE * random.uniform(1.1, 1.6))
                    finally:
                        process.thaw()

    def _any(self, role: str) -> BotProcess | None:
        """Choose a process that lives."""
        living = [one for one in self._processes.values() if one.role == role and one.is_well]
        return random.choice(living) if living else None


async def blow(storm: Storm, kills: int, form: str) -> Result:
    """Let a storm pass over a Redis in some form, and judge what it has done."""
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="crash-"))
    async with (
        _storage(storm, folder, form) as (server, settings),
        world({**settings, **storm.settings}) as place,
    ):
        weather, stopping = Weather(storm, place, folder, server), list[str]()
        url = settings.get("REDIS_URL", f"unix://{folder}/data/server.sock")
        async with weather.gathered(stopping), connected(url) as redis:
            crowd = storm.crowd(place, redis)
            async with beside(*await crowd.people()):
                await weather.blow(kills)
            await rest(place, redis)
            verdict = await crowd.judge(redis)
        verdict.others += stopping
    if verdict.faults:
        verdict.others.append(f"the logs are in {folder}")
    else:
        shutil.rmtree(folder)
    return Result(storm.name, weather.kills, weather.freezes, time.monotonic() - began, verdict)


@contextlib.asynccontextmanager
async def _storage(
    storm: Storm, folder: Path, form: str
) -> AsyncIterator[tuple[Form | None, dict[str, str]]]:
    if storm.embedded:
        yield None, {"DATA_DIR": f"{folder}/data"}
        return
    async with FORMS[form]() as server:
        yield server, {"REDIS_URL": server.url}


async def _talk(place: World, chat: int) -> None:
    """Be a person: ask, one by one or in bursts; every third also makes the bot forget."""
    await asyncio.sleep(random.uniform(0, 1))
    while True:
        if chat % 3 == 0 and random.random() < 0.2:
            place.reset(chat)
        for _ in range(random.choice((1, 1, 1, 2, 4))):
            place.ask(chat, at_length=random.random() < 0.1)
        await place.answered(chat, random.choice((0.3, 2.0, 10.0)))
        await asyncio.sleep(random.uniform(0.1, 1.5))


async def rest(place: World, redis: Redis) -> None:
    """Wait until nothing is to be done any more, or for as long as must do."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            while not await _is_at_rest(place, redis):  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.1)


async def _is_at_rest(place: World, redis: Redis) -> bool:
    try:
        queued = await redis.xlen(keys.ready(place.bot_id))
        return not (queued or len(place.room.updates) or await waiting(redis, place.bot_id))
    except RedisError:
        return False  # an embedded server comes back with its process
