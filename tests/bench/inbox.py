"""What the inbox carries: updates a second, scripts, memory, and turns of long histories.

One process, one server that writes every command to disk before it answers; bare writes to it are
the floor. The model says something at once, and there is no Telegram.
"""

import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Awaitable
from pathlib import Path

from redis.asyncio import Redis

from storage.arrivals import Arrival
from storage.change import Kept
from storage.inbox import Inbox
from storage.lane import Claim
from storage.message import ChatKey, Exchange, Message, Role
from storage.server.connect import connect
from storage.server.embedded import embedded_server
from tests.bench.figures import scripts_run, spread
from tests.history import History

CHATS, UPDATES, SLOTS, ROUNDS = 500, 5_000, 50, 3
UPDATE = json.dumps({"update_id": 0, "message": {"text": "x" * 500}})
ALONE = 500
IDLE_CHATS, TURNS = 2_000, 20
BOT = 42
EXCHANGE = Exchange(Message(Role.USER, "вопрос " * 10), Message(Role.ASSISTANT, "ответ " * 60))


async def inbox() -> None:
    """Measure, and print."""
    with tempfile.TemporaryDirectory() as folder:
        async with embedded_server(Path(folder)) as url:
            redis = connect(url, connections=SLOTS + 8)
            await _throughput(redis)
            await _memory(redis)
            await _long_history(redis)
            await redis.aclose()


async def _throughput(redis: Redis) -> None:
    box = Inbox(redis, BOT, "bench")
    await box.begin()
    bare, put, dealt, both = list[float](), list[float](), list[float](), list[float]()
    scripts = 0
    for number in range(ROUNDS):
        bare.append(UPDATES / await _timed(_pushes(redis, UPDATES, SLOTS)))
        before = await scripts_run(redis)
        updates = range(number * UPDATES, (number + 1) * UPDATES)
        took = await _timed(_put(box, updates)), await _timed(_deal(box, UPDATES))
        scripts += await scripts_run(redis) - before
        put.append(UPDATES / took[0])
        dealt.append(UPDATES / took[1])
        both.append(UPDATES / sum(took))
    print(f"inbox: {UPDATES:,} updates of {CHATS} chats, {SLOTS} at once, each command on disk;")
    print(f"updates/s, median (lowest–highest) of {ROUNDS} rounds")
    print(f"  put                      {spread(put)}")
    print(f"  claim, open, commit, done{spread(dealt)}")
    print(f"  all of it                {spread(both)} (≥ 2,000)")
    print(f"  floor: RPUSH of an update{spread(bare)}")
    ratio = statistics.median(bare) / statistics.median(both)
    alone = 1000 * await _timed(_pushes(redis, ALONE, 1)) / ALONE
    print(f"  ratio                    {ratio:8.2f}")
    print(f"  scripts per update       {scripts / ROUNDS / UPDATES:8.2f}")
    print(f"  one RPUSH, nothing else  {alone:8.2f} ms, with its fsync")


async def _timed(work: Awaitable[None]) -> float:
    started = time.perf_counter()
    await work
    return time.perf_counter() - started


async def _pushes(redis: Redis, number: int, at_once: int) -> None:
    """Write each update by one command: what the disk and the client can do."""

    async def push() -> None:
        for _ in range(number // at_once):
            await redis.rpush(f"{{{BOT}}}:bare", UPDATE)

    await asyncio.gather(*(push() for _ in range(at_once)))


async def _put(box: Inbox, numbers: range) -> None:
    for start in range(0, len(numbers), 100):  # as many as a poll brings
        batch = numbers[start : start + 100]
        await box.put(*(Arrival(ChatKey(number % CHATS + 1), number, UPDATE) for number in batch))


async def _deal(box: Inbox, number: int) -> None:
    """Claim, open, commit and finish as many updates."""
    done, running = 0, 0
    room = asyncio.Event()

    async def answer(claim: Claim) -> None:
        nonlocal done, running
        await box.open(claim, 10_000)  # as a worker does
        await box.commit(claim, '[["answer", []]]', Kept(EXCHANGE, 0, 10, 10))
        await box.done(claim)
        done, running = done + 1, running - 1
        room.set()

    async with asyncio.TaskGroup() as tasks:
        while done < number:
            for claim in await box.take(SLOTS - running, 0.1):
                running += 1
                tasks.create_task(answer(claim))
            if running == SLOTS:
                room.clear()
                await room.wait()


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
