"""What `make mutants` does: change the safety core in one place, and see which test notices."""

import argparse
import json
import random
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatch
from operator import methodcaller
from pathlib import Path
from queue import SimpleQueue

from tests.mutants import lua, python
from tests.mutants.mutant import Mutant
from tests.mutants.trial import ROOT, Ground, Verdict

HERE = Path(__file__).parent
AT_LEAST = 95
"""Of a hundred mutants that are not equal, so many must be noticed."""
OF_A_SAMPLE = 60
"""The same of a sample, which is too small to tell more than that suites still notice anything."""


def suites() -> dict[str, list[str]]:
    """Read which tests should notice changes of which file, the fastest first."""
    found: dict[str, list[str]] = {}
    for pattern, tests in tomllib.loads((HERE / "suites.toml").read_text("utf-8")).items():
        for path in sorted(ROOT.glob(pattern)):
            found.setdefault(str(path.relative_to(ROOT)), []).extend(tests)
    return found


def mutants(file: str) -> list[Mutant]:
    """Change a file in one place after the other; those that come out alike are one."""
    source = (ROOT / file).read_text("utf-8")
    kind = lua if file.endswith(".lua") else python
    found = {mutant.source: mutant for mutant in kind.mutants(file, source)}
    return [mutant for text, mutant in found.items() if text != source]


@dataclass(frozen=True, slots=True)
class Equal:
    """Mutants that change nothing of what the program does, and the reason."""

    file: str
    was: str
    becomes: list[str]
    reason: str

    def covers(self, mutant: Mutant) -> bool:
        """Tell whether a mutant is one of them."""
        alike = fnmatch(mutant.file, self.file) and mutant.was == self.was
        return alike and mutant.becomes in self.becomes


def equal() -> list[Equal]:
    """Read the list of them."""
    entries = tomllib.loads((HERE / "equal.toml").read_text("utf-8"))
    return [Equal(**entry) for entry in entries.get("equal", [])]


class Run:
    """A run over some mutants, whose results are lines of JSON in a file."""

    def __init__(self, chosen: Sequence[Mutant], results: Path | None) -> None:
        self._results = results
        self._tests = suites()
        excused = equal()
        self.outcomes: dict[str, Counter[str]] = {}
        self._by: dict[str, Counter[str]] = {}
        """Of each file, which tests noticed how many of its mutants."""
        known = results.read_text("utf-8").splitlines() if results and results.exists() else []
        noticed = {found["name"]: found["by"] for found in map(json.loads, known) if found["by"]}
        self._left: list[Mutant] = []
        for mutant in chosen:
            if any(entry.covers(mutant) for entry in excused):
                self._count(mutant, "equal")
            elif by := noticed.get(mutant.name):
                self._notice(mutant, by)
            else:
                self._left.append(mutant)

    def go(self, at_once: int) -> None:
        """Try all that are left, so many at a time."""
        with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(at_once) as pool:
            grounds: SimpleQueue[Ground] = SimpleQueue()
            for number in range(at_once):
                grounds.put(Ground(Path(folder, str(number))))

            def on_a_ground(trial: Callable[[Ground], Verdict]) -> Verdict:
                ground = grounds.get()
                try:
                    return trial(ground)
                finally:
                    grounds.put(ground)

            suites = list({tuple(self._tests[mutant.file]) for mutant in self._left})
            sound = pool.map(on_a_ground, [methodcaller("run", tests, 900) for tests in suites])
            usual = {tests: _seconds(verdict) for tests, verdict in zip(suites, sound, strict=True)}

            def try_out(mutant: Mutant) -> Verdict:
                tests = tuple(self._tests[mutant.file])
                first = [test for test, _ in self._by.get(mutant.file, Counter()).most_common()]
                limit = 10 + 4 * usual[tests]
                return on_a_ground(methodcaller("try_out", mutant, tests, limit, first))

            for mutant, verdict in zip(self._left, pool.map(try_out, self._left), strict=True):
                self._tell(mutant, verdict)

    def _tell(self, mutant: Mutant, verdict: Verdict) -> None:
        if verdict.by:
            self._notice(mutant, verdict.by)
        else:
            self._count(mutant, "lives")
            print(f"lives: {mutant.file}:{mutant.line}: {mutant.was}\n    -> {mutant.becomes}")
        sys.stdout.flush()
        if self._results:
            with self._results.open("a", encoding="utf-8") as written:
                told = {"name": mutant.name, "by": verdict.by, "seconds": round(verdict.seconds, 1)}
                written.write(f"{json.dumps(told, ensure_ascii=False)}\n")

    def _notice(self, mutant: Mutant, by: str) -> None:
        self._count(mutant, "noticed")
        self._by.setdefault(mutant.file, Counter())[by] += 1

    def _count(self, mutant: Mutant, outcome: str) -> None:
        self.outcomes.setdefault(mutant.file, Counter())[outcome] += 1


def _seconds(verdict: Verdict) -> float:
    """Give how long suites took over what is not changed, which must pass."""
    if verdict.by:
        sys.exit(f"without any change: {verdict.by}")
    return verdict.seconds


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="tests.mutants", description=__doc__)
    parser.add_argument("files", nargs="*", help="only mutants of these")
    parser.add_argument("--sample", type=int, help="only so many, chosen at random")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--at-once", type=int, default=2)
    parser.add_argument(
        "--results", type=Path, help="write them here; what was noticed is not tried again"
    )
    parser.add_argument("--list", action="store_true", help="only name them")
    args = parser.parse_args()
    chosen = [mutant for file in args.files or suites() for mutant in mutants(file)]
    if args.sample:
        chosen = random.Random(args.seed).sample(chosen, args.sample)
    if args.list:
        print("\n".join(mutant.name for mutant in chosen))
        return 0
    run = Run(chosen, args.results)
    run.go(args.at_once)
    print(*_table(run.outcomes), sep="\n")
    total = sum(run.outcomes.values(), Counter[str]())
    tried = total["noticed"] + total["lives"]
    return int(total["noticed"] * 100 < (OF_A_SAMPLE if args.sample else AT_LEAST) * tried)


def _table(outcomes: dict[str, Counter[str]]) -> Iterator[str]:
    total = sum(outcomes.values(), Counter[str]())
    for file, found in [*outcomes.items(), ("all", total)]:
        tried = found["noticed"] + found["lives"]
        share = f"{100 * found['noticed'] / tried:.1f} %" if tried else "-"
        yield f"{file}: {found['noticed']} of {tried} noticed ({share}), {found['equal']} equal"


if __name__ == "__main__":
    sys.exit(main())
