"""The bot beside the floor: what is added to the model's time, and what that costs.

Both take turns on one machine. Bounds are printed as a note: nothing here is asserted.
"""

import asyncio
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench.answers import BOT, FLOOR, Cost, Run, added_ms, first_ms, measure, running
from tests.bench.figures import resident_mb, spread
from tests.bench.upstream import LINES, Question

ROUNDS = 3
MESSAGES, HUNDREDS, THOUSANDS = 8, 5, 2
"""What a round has: single messages, then volleys of 100 chats, then of 1,000."""
SECONDS = 1.0
SLOW_SECONDS, SLOW_CHATS = 10.0, 20
_REST_SECONDS = 0.3  # by then nothing is left to do for an answer

_FIGURES = (
    ("one message: added, ms", "≤ 3.5 times"),
    ("  first line to first text, ms", ""),
    ("100 chats at once: median, s", "≤ 1.06 times"),
    ("  max, s", ""),
    ("  first line to first text, ms", ""),
    ("  CPU of an answer, ms", "≤ 3.3 times"),
    ("  scripts of an answer", "≤ 5"),
    ("  Bot API calls of an answer", ""),
    ("1,000 chats at once: median, s", "≤ 1.7 times"),
    ("  max, s", "≤ 2.3 times"),
    ("  CPU of an answer, ms", ""),
    ("  cores that Telegram and the model take", ""),
    ("RSS at the start, MB", "≤ 100"),
    ("  after 100 chats, MB", "≤ 107"),
    ("  after 1,000, MB", "≤ 138"),
)
"""What a round measures, in its order, and the bound of each; of RSS it is what it once was."""


async def table() -> None:
    """Measure, and print."""
    floor, ours = [], []
    for _ in range(ROUNDS):
        floor.append(await _round(FLOOR))
        ours.append(await _round(BOT))
    print(
        f"answers of {SECONDS:.0f} s in {LINES} lines, median (lowest–highest) of {ROUNDS} rounds"
    )
    print(f"{'':40}{'bot':>8}{'floor':>24}{'ratio':>22}  bound")
    columns = zip(zip(*ours, strict=True), zip(*floor, strict=True), _FIGURES, strict=True)
    for one, other, (name, bound) in columns:
        base = statistics.median(other)
        ratio = f"{statistics.median(one) / base:6.2f}" if base else f"{'–':>6}"
        print(f"{name:40}{spread(one)}{spread(other)}{ratio}  {bound}".rstrip())
    slow = await measure(SLOW_SECONDS, SLOW_CHATS, 1, BOT)
    print(f"of {SLOW_SECONDS:.0f} s: {slow.calls:.1f} calls per answer, {slow.cpu:.1f} ms of CPU")


@dataclass(frozen=True, slots=True)
class _Volleys:
    """Some volleys: seconds to the whole answer, cores that the bench itself took, the cost."""

    median: float
    longest: float
    cores: float
    cost: Cost


async def _round(arguments: Sequence[str]) -> tuple[float, ...]:
    async with running(SECONDS, arguments) as run:
        await run.volley(1)  # the process is up
        await run.volley(1)
        one = (await _volleys(run, 1, MESSAGES)).cost.asked
        started = resident_mb(run.pid)
        await run.volley(100)  # connections opened, code warm
        hundred = await _volleys(run, 100, HUNDREDS)
        after_hundred = resident_mb(run.pid)
        thousand = await _volleys(run, 1000, THOUSANDS)
        after_thousand = resident_mb(run.pid)
    return (
        statistics.median(added_ms(one)),
        statistics.median(first_ms(one)),
        hundred.median,
        hundred.longest,
        statistics.median(first_ms(hundred.cost.asked)),
        hundred.cost.cpu,
        hundred.cost.scripts,
        hundred.cost.calls,
        thousand.median,
        thousand.longest,
        thousand.cost.cpu,
        thousand.cores,
        started,
        after_hundred,
        after_thousand,
    )


async def _volleys(run: Run, chats: int, number: int) -> _Volleys:
    """Fire volleys, each after a rest; the longest is the median of what each one's longest is."""
    longest, cores = [], []

    async def fire() -> list[Question]:
        asked = []
        for _ in range(number):
            wall, cpu = time.perf_counter(), time.process_time()
            volley = await run.volley(chats)
            cores.append((time.process_time() - cpu) / (time.perf_counter() - wall))
            longest.append(max(question.seconds for question in volley))
            asked += volley
            await asyncio.sleep(_REST_SECONDS)
        return asked

    cost = await run.cost(fire())
    median = statistics.median(question.seconds for question in cost.asked)
    return _Volleys(median, statistics.median(longest), statistics.mean(cores), cost)
