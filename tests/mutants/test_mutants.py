"""Mutants: what is changed, and that no list of theirs goes stale."""

import ast
from pathlib import Path

import pytest
from redis.asyncio import Redis

from tests.mutants import lua, python
from tests.mutants.__main__ import equal, mutants, suites
from tests.mutants.trial import ROOT, Ground


def becomes(language: object, source: str) -> set[str]:
    """What the lines of a source become."""
    find = lua.mutants if language is lua else python.mutants
    return {mutant.becomes for mutant in find("file", source)}


def test_what_is_changed_in_python() -> None:
    """Comparisons, conditions, figures, arguments, statements and their order."""
    source = "async def f(a):\n    if a < 2 and not b():\n        await c(a, d=1)\n"
    assert becomes(python, source) == {
        "if (a <= 2) and not b():",
        "if (a >= 2) and not b():",
        "if a < 3 and not b():",
        "if (not b()):",
        "if (a < 2):",
        "if a < 2 and b():",
        "await c(a, d=2)",
        "await c(a)",
        "pass",
    }
    assert "e(a) g(a)" in becomes(python, "def f(a):\n    g(a)\n    e(a)\n")
    assert becomes(python, "def f(a):\n    with g():\n        a = 0\n") >= {"if True: a = 0"}
    assert becomes(python, "try:\n    f(1)\nexcept E:\n    f(1)\n") >= {"except ():"}


def test_what_is_not_changed_in_python() -> None:
    """What is only said or counted, and figures at the top, which are a matter of choice."""
    source = 'A = 1\n"""So many."""\ndef f(a: int):\n    """Say."""\n    log.info("a", b=1)\n'
    source += "    A.inc(1)\n"
    assert becomes(python, source) == set()


def test_what_is_changed_in_lua() -> None:
    """The same, and flags."""
    source = (
        "#!lua flags=allow-oom\n-- Words, 1.\nlocal a = 1\n"
        "if a < 2 then redis.call('SET', KEYS[1], 'b', 'NX') end\nreturn a\n"
    )
    assert becomes(lua, source) == {
        "#!lua",
        "local a = 2",
        "if a <= 2 then redis.call('SET', KEYS[1], 'b', 'NX') end",
        "if a >= 2 then redis.call('SET', KEYS[1], 'b', 'NX') end",
        "if a < 3 then redis.call('SET', KEYS[1], 'b', 'NX') end",
        "if a < 2 then redis.call('SET', KEYS[2], 'b', 'NX') end",
        "if a < 2 then redis.call('SET', KEYS[1], 'bx', 'NX') end",
        "if a < 2 then redis.call('SET', KEYS[1], 'b', 'NXx') end",
        "if a < 2 then redis.call('SET', KEYS[1], 'b') end",
        "",
    }


@pytest.mark.slow
async def test_all_can_be_run(redis: Redis) -> None:
    """A mutant that cannot even be read would be noticed by anything."""
    for file in suites():
        for mutant in mutants(file):
            if file.endswith(".lua"):
                await redis.script_load(mutant.source)
            else:
                ast.parse(mutant.source)


def test_the_list_of_suites() -> None:
    """Every script has some; all of them are there."""
    found = suites()
    scripts = (ROOT / "storage").rglob("*.lua")
    assert {str(path.relative_to(ROOT)) for path in scripts} <= found.keys()
    assert all(
        (ROOT / path.partition("::")[0]).is_file() for paths in found.values() for path in paths
    )


@pytest.mark.slow
def test_the_list_of_equal_ones() -> None:
    """Whoever changes a line that a reason was given for gives another, or takes it out."""
    every = [mutant for file in suites() for mutant in mutants(file)]
    for entry in equal():
        found = {mutant.becomes for mutant in every if entry.covers(mutant)}
        assert found == set(entry.becomes), entry.was


@pytest.mark.slow
def test_a_trial(tmp_path: Path) -> None:
    """A mutant is noticed by the suite that knows better, and not by another; then it is gone."""
    ground = Ground(tmp_path)
    mutant = next(one for one in mutants("storage/parts/past.lua") if one.was == "return found")
    assert "test_history" in ground.try_out(mutant, ["tests/storage/test_history.py"], 90).by
    assert ground.try_out(mutant, ["tests/storage/test_address.py"], 90).by == ""
    assert ground.run(["tests/storage/test_history.py"], 90).by == ""
    assert ground.run(["tests/storage/test_history.py"], 0.01).by == "no end"
