"""Added latency and CPU per answer, beside a bare httpx loop in the same run.

100 chats talk at once, each asking again as soon as it is answered. The model takes a second;
its time is taken out: what counts is update → completion request, its first words → first text
shown, and completion end → whole answer. The bot runs as a process of its own, as the bare loop
does; the local Telegram runs here.
"""

import asyncio
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from starlette.applications import Starlette

from bot import web
from bot.playground.chat import Json
from bot.playground.completion import CompletionServer
from bot.playground.emulator import telegram_routes
from bot.playground.room import Room
from storage.message import Message

CHATS, ROUNDS = 100, 10
MODEL_SECONDS, TOKENS = 1.0, 40
FIRST_LINE = 12
"""Tokens after which the completion server writes its first line."""
SLOW_CHATS, SLOW_SECONDS = 20, 10.0
TOKEN = "42:BENCH"
COMPLETION = "/foundationModels/v1/completion"


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


async def answers() -> None:
    """Measure the bot and the bare loop, and print both."""
    ours = await measure(MODEL_SECONDS, CHATS, ROUNDS, sys.executable, "-m", "bot", "run")
    slow = await measure(SLOW_SECONDS, SLOW_CHATS, 1, sys.executable, "-m", "bot", "run")
    bare = await measure(MODEL_SECONDS, CHATS, ROUNDS, sys.executable, "-m", "tests.bench.answers")
    print(f"{CHATS} chats in parallel, {CHATS * ROUNDS} answers, a model of {MODEL_SECONDS:.0f} s")
    print(f"{'':26}{'bot':>10}{'bare loop':>12}{'ratio':>8}")
    for name, one, other in (
        ("added latency, median, ms", ours.median, bare.median),
        ("added latency, p95, ms", ours.p95, bare.p95),
        ("first words shown, ms", ours.first, bare.first),
        ("CPU per answer, ms", ours.cpu, bare.cpu),
        ("Bot API calls per answer", ours.calls, bare.calls),
    ):
        print(f"{name:26}{one:10.2f}{other:12.2f}{one / other:8.3f}")
    print(f"of {SLOW_SECONDS:.0f} s: {slow.calls:.1f} calls per answer, {slow.cpu:.1f} ms of CPU")


async def measure(seconds: float, chats: int, rounds: int, *command: str) -> Figures:
    """Let a contender serve the room, and take its figures."""
    words = SteadyModel(seconds)
    room, model = Room(TOKEN), CompletionServer(words, limit=10_000)
    app = Starlette(routes=[*telegram_routes(room), *model.routes])
    async with web.serving(app, "127.0.0.1", 0) as url, contender(url, *command) as process:
        await _round(room, chats, 0)  # connections opened, code warm
        room.calls.clear()
        before = cpu_ms(process.pid)
        asked = await _round(room, chats, rounds)
        cpu = (cpu_ms(process.pid) - before) / len(asked)
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
    return Figures(statistics.median(added), p95, first, cpu, len(calls) / len(asked))


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
        yield process
        process.terminate()
        await process.wait()


def cpu_ms(pid: int) -> float:
    """CPU time of a process so far (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return 1000 * (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def bare() -> None:
    """Answer with nothing but httpx: no history, no order, no formatting, no care."""
    base = f"{os.environ['TELEGRAM_API_URL']}/bot{os.environ['TELEGRAM_TOKEN']}"
    completion = os.environ["COMPLETION_URL"] + COMPLETION
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    offset = 0
    async with httpx.AsyncClient(limits=limits, timeout=60) as http, asyncio.TaskGroup() as tasks:

        async def answer(message: dict[str, object], chat: int) -> None:
            body = {
                "modelUri": "gpt://f/yandexgpt-lite",
                "completionOptions": {"stream": True, "temperature": 0.6, "maxTokens": "2000"},
                "messages": [{"role": "user", "text": message["text"]}],
            }
            line = b""
            headers = {"Authorization": "Api-Key k"}
            async with http.stream("POST", completion, json=body, headers=headers) as response:
                async for chunk in response.aiter_bytes():
                    line = chunk
            text = json.loads(line)["result"]["alternatives"][0]["message"]["text"]
            await http.post(f"{base}/sendMessage", json={"chat_id": chat, "text": text})

        while True:
            asked = {"offset": offset, "timeout": 25}
            for update in (await http.post(f"{base}/getUpdates", json=asked)).json()["result"]:
                offset = update["update_id"] + 1
                message = update["message"]
                tasks.create_task(answer(message, message["chat"]["id"]))


if __name__ == "__main__":
    asyncio.run(bare())
