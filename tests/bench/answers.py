"""Added latency and CPU per answer, beside the floor in the same run: see `tests.bench.floor`.

One chat, 100 and 1,000 talk at once, each asking again as soon as it is answered. The model takes a
second; its time is taken out: what counts is update → completion request, its first words → first
text shown, and completion end → whole answer. The bot runs as a process of its own, as the floor
does; the local Telegram runs here.
"""

import asyncio
import os
import random
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from redis.asyncio import Redis
from starlette.applications import Starlette

from bot import web
from bot.playground.chat import Json
from bot.playground.completion import CompletionServer
from bot.playground.emulator import telegram_routes
from bot.playground.room import Room
from storage.message import Message
from storage.server.connect import connect
from tests.valkey import own_valkey

ROUNDS = {1: 10, 100: 5, 1000: 1}
"""How often each of so many chats asks."""
MODEL_SECONDS, TOKENS = 1.0, 40
FIRST_LINE = 12
"""Tokens after which the completion server writes its first line."""
SLOW_CHATS, SLOW_SECONDS = 20, 10.0
TOKEN = "42:BENCH"
SCRIPTS = ("evalsha", "eval", "fcall")
BOT = ("-m", "bot", "run")
FLOOR = ("-m", "tests.bench.floor")


class SteadyModel:
    """Words that take as long, whoever asks; it notes when each answer begins."""

    def __init__(self, seconds: float) -> None:
        self.began: dict[str, float] = {}
        self._seconds = seconds

    async def answer(
        self, messages: Sequence[Message], *, temperature: float, max_tokens: int
    ) -> AsyncIterator[str]:
        for token in range(TOKENS):
            await asyncio.sleep(self._seconds / TOKENS)
            if token < FIRST_LINE:
                self.began[messages[-1].text] = time.time()
            yield f"**{messages[-1].text}** " if token == 0 else "words "


@dataclass(frozen=True, slots=True)
class Figures:
    """What one contender took, in ms: per answer, the model's time taken out."""

    median: float
    p95: float
    first: float
    cpu: float
    calls: float
    scripts: float


async def answers() -> None:
    """Measure the bot and the floor, and print both."""
    for chats, rounds in ROUNDS.items():
        floor = await measure(MODEL_SECONDS, chats, rounds, FLOOR)
        ours = await measure(MODEL_SECONDS, chats, rounds, BOT)
        print(f"{chats} chats at once, {chats * rounds} answers, a model of {MODEL_SECONDS:.0f} s")
        print(f"{'':26}{'bot':>10}{'floor':>12}{'ratio':>8}")
        for name, one, other in (
            ("added latency, median, ms", ours.median, floor.median),
            ("added latency, p95, ms", ours.p95, floor.p95),
            ("first words shown, ms", ours.first, floor.first),
            ("CPU per answer, ms", ours.cpu, floor.cpu),
            ("Bot API calls per answer", ours.calls, floor.calls),
        ):
            print(f"{name:26}{one:10.2f}{other:12.2f}{one / other:8.2f}")
        print(f"{'script calls per answer':26}{ours.scripts:10.2f}")
    slow = await measure(SLOW_SECONDS, SLOW_CHATS, 1, BOT)
    print(f"of {SLOW_SECONDS:.0f} s: {slow.calls:.1f} calls per answer, {slow.cpu:.1f} ms of CPU")


async def measure(seconds: float, chats: int, rounds: int, arguments: Sequence[str]) -> Figures:
    """Let a contender serve the room, and take its figures."""
    words = SteadyModel(seconds)
    room, model = Room(TOKEN), CompletionServer(words, limit=10_000)
    app = Starlette(routes=[*telegram_routes(room), *model.routes])
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(own_valkey())
        redis = connect(server.url, connections=1)
        stack.push_async_callback(redis.aclose)
        url = await stack.enter_async_context(web.serving(app, "127.0.0.1", 0))
        more = {"LANES": "1000", "COMPLETION_CONCURRENCY": "1000", "REDIS_URL": server.url}
        serving = contender(url, sys.executable, *arguments, **more)
        process = await stack.enter_async_context(serving)
        await _round(room, chats, 0)  # connections opened, code warm
        room.calls.clear()
        cpu, scripts = cpu_ms(process.pid), await _scripts(redis)
        asked = await _round(room, chats, rounds)
        cpu = (cpu_ms(process.pid) - cpu) / len(asked)
        run = await _scripts(redis) - scripts
    requests = {exchange.body["messages"][-1]["text"]: exchange for exchange in model.requests}
    calls = [call for call in room.calls if call["method"] != "getUpdates"]
    times: dict[str, list[float]] = defaultdict(list)
    for call in calls:
        if text := call["parameters"].get("text"):
            times[text.replace("*", "").split()[0]].append(call["time"])
    added = sorted(
        1000 * (requests[text].time - said + times[text][-1] - (requests[text].finished or 0))
        for text, said in asked.items()
    )
    first = statistics.median(1000 * (times[text][0] - words.began[text]) for text in asked)
    p95 = added[int(0.95 * len(added))]
    median, each = statistics.median(added), 1 / len(asked)
    return Figures(median, p95, first, cpu, len(calls) * each, run * each)


async def _scripts(redis: Redis) -> int:
    """How many scripts a server has run."""
    stats = await redis.info("commandstats")
    return sum(int(stats.get(f"cmdstat_{name}", {}).get("calls", 0)) for name in SCRIPTS)


async def _round(room: Room, chats: int, rounds: int) -> dict[str, float]:
    """Let chats ask ``rounds`` times (0: once, unmeasured); the time of each question."""
    asked: dict[str, float] = {}

    async def talk(chat: int) -> None:
        await asyncio.sleep(random.uniform(0, MODEL_SECONDS))
        for number in range(rounds or 1):
            text = f"q{chat}-{number}-{rounds}"
            asked[text] = room.clock()
            room.say(chat, chat, text)
            while not is_answered(room.messages(chat)[-1], text):
                await room.changed(room.version, 5)

    await asyncio.gather(*(talk(chat) for chat in range(1, chats + 1)))
    return asked


def is_answered(message: Json, text: str) -> bool:
    ours = message["from"]["is_bot"] and text in message["text"]
    return ours and "stop:" not in str(message.get("reply_markup"))


@asynccontextmanager
async def contender(
    url: str, *command: str, **more: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run one against the Telegram and the model at ``url``, with ``more`` settings."""
    root = str(Path(__file__).parents[2])
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {
            "PYTHONPATH": root,
            "TELEGRAM_TOKEN": TOKEN,
            "TELEGRAM_API_URL": url,
            "COMPLETION_URL": url,
            "FOLDER_ID": "f",
            "API_KEY": "k",
            "LISTEN": "127.0.0.1:0",
            "LANES": "200",
            "COMPLETION_CONCURRENCY": "200",
        }
        environment |= more
        process = await asyncio.create_subprocess_exec(
            *command, cwd=folder, env=environment, stderr=asyncio.subprocess.DEVNULL
        )
        try:
            async with asyncio.TaskGroup() as tasks:
                watching = tasks.create_task(_alive(process, command))
                yield process
                watching.cancel()
        finally:
            if process.returncode is None:
                process.terminate()
                await process.wait()


async def _alive(process: asyncio.subprocess.Process, command: Sequence[str]) -> None:
    """Raise when a contender ends, or all would wait for it for ever."""
    raise RuntimeError(f"{command} ended with {await process.wait()}")


def cpu_ms(pid: int) -> float:
    """CPU time of a process so far (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return 1000 * (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
