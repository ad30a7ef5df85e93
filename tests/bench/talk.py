"""What a group's own talk costs: messages that are not addressed, beside the floor's answers.

A thousand of them, in polls of a hundred, with the window of what the bot hears off and on.
"""

import statistics

from storage import keys
from storage.message import ChatKey
from tests.bench.answers import BOT, FLOOR, Run, running
from tests.bench.figures import spread
from tests.bench.upstream import GROUP

ROUNDS, MESSAGES = 3, 1000
CHATS, VOLLEYS, SECONDS = 100, 5, 1.0
_ID = 42


async def talk() -> None:
    """Measure, and print."""
    floor = await _floor()
    print(f"{MESSAGES:,} messages of a group that are not addressed, of {ROUNDS} rounds")
    print(f"{'floor: CPU of an answer, ms':40}{floor:8.3g}")
    for hears in ("0", "50"):
        rounds = [await _talk(hears) for _ in range(ROUNDS)]
        cpu, scripts, lanes = zip(*rounds, strict=True)
        name = f"hears {hears}: CPU of a message, ms"
        ratio = statistics.median(cpu) / floor
        print(f"{name:40}{spread(cpu)}  ratio {ratio:.2f} ≤ 0.4")
        print(f"{'  scripts of a message':40}{spread(scripts)}")
        print(f"{'  lanes':40}{max(lanes):8}  0")


async def _floor() -> float:
    """CPU of the floor for an answer, in ms."""
    async with running(SECONDS, FLOOR) as run:
        await run.volley(CHATS)  # connections opened, code warm
        costs = [await run.cost(run.volley(CHATS)) for _ in range(VOLLEYS)]
    return statistics.median(cost.cpu for cost in costs)


async def _talk(hears: str) -> tuple[float, float, int]:
    """Return ms of CPU and scripts, each of a message, and how many lanes there were."""
    async with running(SECONDS, BOT) as run:
        await run.volley(1)  # the process is up
        await run.redis.hset(keys.settings(_ID, ChatKey(GROUP)), "hears", hears)
        await run.upstream.talk(MESSAGES)
        cpu, _, scripts = await _spent(run)
        return cpu, scripts, len(await run.redis.keys(f"{keys.mailboxes(_ID)}*"))


async def _spent(run: Run) -> tuple[float, float, float]:
    before = await run.spent()
    await run.upstream.talk(MESSAGES)
    cpu, calls, scripts = (
        (after - was) / MESSAGES for was, after in zip(before, await run.spent(), strict=True)
    )
    return cpu, calls, scripts
