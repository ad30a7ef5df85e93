"""Figures that several benches take, and how they are printed."""

import os
import statistics
from collections.abc import Sequence
from pathlib import Path

from redis.asyncio import Redis

_SCRIPTS = ("evalsha", "eval", "fcall")


def cpu_ms(pid: int) -> float:
    """CPU time of a process so far (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return 1000 * (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float:
    """Memory of a process, RSS (Linux)."""
    pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE") / 1e6


async def scripts_run(redis: Redis) -> int:
    """How many scripts a server has run."""
    stats = await redis.info("commandstats")
    return sum(int(stats.get(f"cmdstat_{name}", {}).get("calls", 0)) for name in _SCRIPTS)


def spread(figures: Sequence[float]) -> str:
    """Write the median, the lowest and the highest, in a column of 24."""
    lowest, middle, highest = (_written(f(figures)) for f in (min, statistics.median, max))
    return f"{middle:>8} {f'({lowest}–{highest})':15}"


def _written(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
