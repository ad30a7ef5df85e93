"""The examples of docs/playground.md, run as they are written there."""

import asyncio
import os
import re
import sys
from pathlib import Path

import pytest

from tests.clients.conftest import NODE, without_node

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent
TEXT = (ROOT / "docs" / "playground.md").read_text()
PYTHON, JAVASCRIPT = (
    re.search(rf"^```{kind}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    for kind in ("python", "js")
)


async def test_the_examples(tmp_path: Path) -> None:
    """Both end, twice each, without a complaint, on `python -m bot demo --no-bot`."""
    if without_node():
        pytest.skip(without_node())
    assert PYTHON
    assert JAVASCRIPT
    demo = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        "demo",
        "--no-bot",
        "--listen",
        "127.0.0.1:0",
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        environment = await told(demo)
        for _ in range(2):  # what is there already is not taken for an answer
            await runs([sys.executable, "-"], PYTHON[1], environment, tmp_path)
            await runs(["node", "--input-type=module", "-"], JAVASCRIPT[1], environment, NODE)
    finally:
        demo.terminate()
        await demo.communicate()


async def told(demo: asyncio.subprocess.Process) -> dict[str, str]:
    """The settings for a bot that the demo prints."""
    assert demo.stdout
    settings: dict[str, str] = {}
    async with asyncio.timeout(120):
        while "TELEGRAM_TOKEN" not in settings:
            name, _, value = (await demo.stdout.readline()).decode().strip().partition("=")
            settings[name] = value
    return {name: settings[name] for name in ("TELEGRAM_API_URL", "TELEGRAM_TOKEN")}


async def runs(command: list[str], program: str, environment: dict[str, str], cwd: Path) -> None:
    """Run a program from its text; it must end well."""
    running = await asyncio.create_subprocess_exec(
        *command, env={**os.environ, **environment}, cwd=cwd, stdin=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(120):
        await running.communicate(program.encode())
    assert running.returncode == 0
