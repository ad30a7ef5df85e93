"""What the inbox carries: updates a second, round trips, memory, and turns of long histories.

One process, one server that writes every command to disk before it answers; the model says
something at once, and there is no Telegram.
"""

import asyncio
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from storage.change import Kept
from storage.inbox import Arrival, Inbox
from storage.lane import Claim
from storage.message import ChatKey, Exchange, Message, Role
from storage.server.connect import connect
from storage.server.embedded import embedded_server
from tests.history import History

CHATS, UPDATES, SLOTS = 500, 20_000, 50
IDLE_CHATS, TURNS = 2_000, 20
BOT = 42
EXCHANGE = Exchange(Message(Role.USER, "вопрос " * 10), Message(Role.ASSISTANT, "ответ " * 60))


async def inbox() -> None:
    """Measure, and print."""
    with tempfile.TemporaryDirectory() as folder:
        async with embedded_server(Path(folder)) as url:
            redis = connect(url, connections=SLOTS + 8)
            calls = _counting(redis)
            await _throughput(redis, calls)
            await _memory(redis)
            await _long_history(redis)
            await redis.aclose()


def _counting(redis: Redis) -> list[int]:
    """Count the round trips of a client from now on."""
    calls = [0]
    execute: Any = redis.execute_command

    async def counted(*args: Any, **options: Any) -> Any:
        calls[0] += 1
        return await execute(*args, **options)

    redis.execute_command = counted  # type: ignore[method-assign]
    return calls


async def _throughput(redis: Redis, calls: list[int]) -> None:
    box = Inbox(redis, BOT, "bench")
    await box.begin()
    started, before = time.perf_counter(), calls[0]
    update = json.dumps({"update_id": 0, "message": {"text": "x" * 500}})
    for start in range(0, UPDATES, 100):
        batch = range(start, start + 100)  # as many as a poll brings
        await box.put(*(Arrival(ChatKey(number % CHATS + 1), number, update) for number in batch))
    stored = time.perf_counter()

    done, running = 0, 0
    room = asyncio.Event()

    async def answer(claim: Claim) -> None:
        nonlocal done, running
        await box.open(claim)
        await box.commit(claim, '[["answer", []]]', Kept(EXCHANGE, 0, 10, 10))
        await box.done(claim)
        done, running = done + 1, running - 1
        room.set()

    async with asyncio.TaskGroup() as tasks:
        while done < UPDATES:
            for claim in await box.take(SLOTS - running, 0.1):
                running += 1
                tasks.create_task(answer(claim))
            if running == SLOTS:
                room.clear()
                await room.wait()
    seconds = time.perf_counter() - started
    print(f"inbox: {UPDATES} updates of {CHATS} chats, {SLOTS} at once")
    print(f"  put                      {UPDATES / (stored - started):8.0f} updates/s")
    print(f"  claim, open, commit, done{UPDATES / (seconds - (stored - started)):8.0f} updates/s")
    print(f"  all of it                {UPDATES / seconds:8.0f} updates/s")
    print(f"  of Telegram's 30 messages/s {UPDATES / seconds / 30:5.0f} times")
    print(f"  round trips per update   {(calls[0] - before) / UPDATES:8.2f}")


async def _memory(redis: Redis) -> None:
    before = (await redis.info("memory"))["used_memory"]
    entry = [json.dumps({"role": m.role, "text": m.text}, ensure_ascii=False) for m in EXCHANGE]
    for chat in range(IDLE_CHATS):
        await redis.rpush(f"{{{BOT}}}:history:{10_000 + chat}", *entry * TURNS)
    used = (await redis.info("memory"))["used_memory"] - before
    kilobytes = used / IDLE_CHATS / 1024
    print(f"  memory per idle chat     {kilobytes:8.1f} KiB, with {TURNS} turns")
    print(f"  of 10,000 such chats     {kilobytes * 10_000 / 1024:8.0f} MiB")


async def _long_history(redis: Redis) -> None:
    history = History(redis, BOT)
    entry = [json.dumps({"role": m.role, "text": m.text}, ensure_ascii=False) for m in EXCHANGE]
    took = {}
    for turns in (20, 500):
        await redis.rpush(f"{{{BOT}}}:history:{turns}", *entry * turns)
        samples = []
        for _ in range(200):
            started = time.perf_counter()
            await history.newest(ChatKey(turns), 10_000)
            samples.append(1000 * (time.perf_counter() - started))
        took[turns] = sorted(samples)[100]
    print(
        f"  reading what fits        {took[20]:8.2f} ms of 20 turns, {took[500]:.2f} ms of 500 "
        f"(ratio {took[500] / took[20]:.2f})"
    )
