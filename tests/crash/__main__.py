"""``python -m tests.crash``: the storms one after another, and a table of what they did."""

import argparse
import asyncio
import random
import signal
import statistics
import sys
import time
from collections.abc import Awaitable, Callable

from storage.timing import Timing
from tests.crash import announcement, failover, recovery, resets, rolling, thaw
from tests.crash.boundary import all_boundaries
from tests.crash.company import STORM
from tests.crash.launch import LEASE
from tests.crash.storm import STORMS, blow
from tests.crash.verdict import Verdict
from tests.forms import FORMS

Boundaries = Callable[[signal.Signals, str], Awaitable[list[Verdict]]]
"""Passes through the steps of something, in a form of Redis, with one such halt at each."""
FAILOVERS = 3
COLUMNS = (
    "kills",
    "freezes",
    "questions",
    "lost",
    "disordered",
    "broken",
    "repeats",
    "model +",
    "seconds",
)


class Report:
    """The table, and the faults that are told below it."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        print(f"{'':18}" + "".join(f"{column:>11}" for column in COLUMNS), flush=True)

    def row(
        self, name: str, kills: int, freezes: int, seconds: float, verdicts: list[Verdict]
    ) -> None:
        """Print what a storm did."""
        self.faults += [f"{name}: {fault}" for verdict in verdicts for fault in verdict.faults]
        figures = (
            kills,
            freezes,
            sum(verdict.questions for verdict in verdicts),
            sum(len(verdict.lost) for verdict in verdicts),
            sum(len(verdict.disordered) for verdict in verdicts),
            sum(len(verdict.broken) for verdict in verdicts),
            sum(verdict.repeats for verdict in verdicts),
            sum(verdict.model_calls - verdict.questions for verdict in verdicts),
            round(seconds),
        )
        print(f"{name:18}" + "".join(f"{figure:11}" for figure in figures), flush=True)

    def times(self, name: str, times: list[float], most: float) -> None:
        """Print how long recoveries took, and at most may."""
        median, longest = statistics.median(times), max(times)
        print(f"{name:50} median {median:5.1f} s, max {longest:5.1f} s", flush=True)
        if longest > most:
            self.faults.append(f"{name}: {longest:.1f} s are more than {most:.1f} s")


async def main() -> int:
    """Let everything pass; the exit code is 0 if all of it held."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--kills", type=int, default=300, help="in all storms together")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--storage", choices=FORMS, default="valkey", help="a Redis in which form")
    parser.add_argument("--only", metavar="NAME", default="", help="storms that are named so")
    arguments = parser.parse_args()
    kills, seed, form = arguments.kills, arguments.seed, arguments.storage
    print(f"--kills {kills} --seed {seed} --storage {form}")
    report = Report()
    # The embedded server is a form of its own.
    storms = [
        storm
        for storm in (*STORMS, STORM)
        if (form == "valkey" or not storm.embedded) and storm.name.startswith(arguments.only)
    ]
    for number, storm in enumerate(storms):
        random.seed(f"{seed} {number}")
        result = await blow(storm, max(storm.least, kills // len(storms)), form)
        halts = (result.kills, result.freezes)
        report.row(storm.name, *halts, result.seconds, [result.verdict])
    if not arguments.only:
        await _by_name(report, "killed at steps", signal.SIGKILL, form)
        await _by_name(report, "frozen at steps", signal.SIGSTOP, form)
        await _thawed(report, form)
        for halt in (signal.SIGKILL, signal.SIGSTOP):
            await _in_steps(report, "announcing", announcement.all_boundaries, halt, form)
            await _in_steps(report, "resetting all", resets.all_boundaries, halt, form)
        await _restarted(report, form)
        if form == "valkey":
            await _recoveries(report)
        if form in ("sentinel", "cluster"):
            await _losses(report, form)
    for fault in report.faults[:50]:
        print(fault)
    return 1 if report.faults else 0


async def _by_name(report: Report, name: str, halt: signal.Signals, form: str) -> None:
    began = time.monotonic()
    passages = await all_boundaries(halt, form)
    seconds = time.monotonic() - began
    verdicts = [passage.verdict for passage in passages]
    halts = (len(passages), 0) if halt == signal.SIGKILL else (0, len(passages))
    report.row(name, *halts, seconds, verdicts)
    times = [passage.recovery for passage in passages]
    report.times(f"halt to reply, lease {LEASE:.0f} s", times, float("inf"))


async def _thawed(report: Report, form: str) -> None:
    began = time.monotonic()
    verdicts = await thaw.all_freezes(form)
    seconds = time.monotonic() - began
    report.row("frozen in pauses", 0, len(verdicts), seconds, verdicts)


async def _in_steps(
    report: Report, name: str, boundaries: Boundaries, halt: signal.Signals, form: str
) -> None:
    began = time.monotonic()
    verdicts = await boundaries(halt, form)
    halts = (len(verdicts), 0) if halt == signal.SIGKILL else (0, len(verdicts))
    report.row(name, *halts, time.monotonic() - began, verdicts)


async def _losses(report: Report, form: str) -> None:
    confirmed, *others = await failover.losses(form, FAILOVERS)
    for loss in (confirmed, *others):
        print(f"{FAILOVERS} failovers, writes {loss.name}: {loss.lost} of {loss.written} lost")
    if confirmed.lost:
        report.faults.append(f"{confirmed.lost} confirmed writes were lost")


async def _restarted(report: Report, form: str) -> None:
    began = time.monotonic()
    roll = await rolling.restart(form)
    seconds = time.monotonic() - began
    report.row("rolling restart", 0, 0, seconds, [roll.verdict])
    name = f"question to answer while {rolling.PROCESSES} processes are replaced"
    report.times(name, roll.waits, rolling.IN_TIME)


async def _recoveries(report: Report) -> None:
    embedded, one_lease = await asyncio.gather(recovery.embedded(), recovery.one_lease())
    report.times("restart to reply, embedded server", embedded, recovery.EMBEDDED_IN_TIME)
    name = f"restart to reply, another process, lease {Timing().lease:.0f} s"
    report.times(name, one_lease, recovery.IN_TIME)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
