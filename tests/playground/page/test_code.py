"""The page's code: small, in short modules, and typed; none of it is loaded from elsewhere."""

import asyncio
import os
import re
import shutil
from pathlib import Path

import pytest

from bot.playground import demo

PAGE = Path(demo.__file__).with_name("page")
NODE = Path(__file__).parents[2] / "node"
FILES = sorted(path for path in PAGE.rglob("*") if path.is_file())


def test_it_is_small() -> None:
    """All files together, the words of both languages among them, are below 250 kB."""
    assert len(FILES) > 30
    assert sum(path.stat().st_size for path in FILES) < 250_000


def test_modules_are_short() -> None:
    """Each has 300 lines at most."""
    long = {
        path.name: count
        for path in FILES
        if path.suffix in (".js", ".css", ".html")
        and (count := len(path.read_text().splitlines())) > 300
    }
    assert long == {}


def test_nothing_is_loaded_from_elsewhere() -> None:
    """No address of another website but those that people follow, and no HTML from strings."""
    for path in FILES:
        text = path.read_text()
        found = set(re.findall(r"https?://[\w.]+", text)) - {"http://www.w3.org"}
        assert found <= {"https://t.me", "https://www.openstreetmap.org"}, path
        assert not re.search(r"innerHTML|insertAdjacentHTML|document\.write|\beval\(", text), path


@pytest.mark.browser
async def test_types() -> None:
    """TypeScript's checker, at its strictest, finds nothing; a word missing in Russian, too."""
    checker = NODE / "node_modules" / ".bin" / "tsc"
    if shutil.which("node") is None or not checker.exists():
        if os.environ.get("CI") == "true":
            pytest.fail("typescript is not installed, and CI must not skip it")
        pytest.skip("NOT TESTED: typescript is not installed (npm ci in tests/node)")
    checking = await asyncio.create_subprocess_exec(
        checker, "-p", NODE / "jsconfig.json", stdout=asyncio.subprocess.PIPE
    )
    found, _ = await checking.communicate()
    assert (found.decode(), checking.returncode) == ("", 0)
