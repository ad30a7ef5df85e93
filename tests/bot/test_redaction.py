"""Secrets stay inside, in whatever form and by whatever way they would leave."""

import base64
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import redaction
from bot.redaction import HIDDEN, hide, redact, say

ROOT = Path(__file__).parents[2]
SECRET = 'pä"ss\\wörd/ +:@%'


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Nothing is hidden afterwards."""
    yield
    hide("test", [])


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        quote(SECRET),
        quote(SECRET, safe=""),
        quote(SECRET, safe="").lower(),
        quote_plus(SECRET),
        json.dumps(SECRET),
        json.dumps(SECRET, ensure_ascii=False),
        repr(SECRET),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
        f"x{SECRET}x",
    ],
)
def test_every_form(form: str) -> None:
    """A secret is found in URLs, JSON, reprs and headers, and within words."""
    hide("test", [SECRET])
    assert redact(f"a {form} b").strip("a bx\"'=") == HIDDEN


@given(st.text(min_size=6), st.text(), st.text())
def test_any_secret(secret: str, before: str, after: str) -> None:
    """Whatever it is made of, and whatever is around it."""
    hide("test", [secret])
    assert secret not in redact(before + secret + after).replace(HIDDEN, "\0")


def test_a_short_one_is_hidden_as_a_word() -> None:
    """A key of one letter, as in trials, does not make the rest unreadable."""
    hide("test", ["k", "any"])
    assert redact("works, any company: k") == f"works, {HIDDEN} company: {HIDDEN}"


def test_a_secret_takes_the_place_of_the_last() -> None:
    """A token that is fetched every hour is one secret of its kind."""
    hide("test", ["first-token"])
    hide("test", ["second-token"])
    assert redact("first-token second-token") == f"first-token {HIDDEN}"


@pytest.mark.parametrize(
    "text",
    [
        "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw",
        "/file/bot123456789%3AAAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw/x",
        "AQVNxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "t1.9euelZqQyMmQyZCd.pfnwQ1n0nPz8nJyc",
        "eyJhbGciOiJQUzI1.eyJpc3MiOiJhamU.c2lnbmF0dXJl",
        "-----BEGIN PRIVATE KEY-----\nMIIEvQ\nabc\n-----END PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\\nMIIEvQ\\nabc",
        "redis://user:hunter2@host:6379",
        "socks5://:p@ss@host",
    ],
)
def test_what_looks_like_a_secret(text: str) -> None:
    """It need not be configured: what is refused was not, what is fetched is not yet."""
    told = redact(f"before {text} after")
    assert HIDDEN in told
    assert (told[:7], told[-5:]) == ("before ", "after") or "BEGIN" in text
    for part in ("AAHdq", "AQVN", "9euel", "c2ln", "MIIE", "hunter2", "p@ss"):
        assert part not in told


@pytest.mark.parametrize("text", ["10:20:30", "chat -100123:456", "http://h:80/a@b", "1:any"])
def test_what_does_not(text: str) -> None:
    """Times, conversations and addresses stay what they are."""
    assert redact(text) == text


def test_a_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret that is written in pieces is found; what has no end yet comes with a flush."""
    out, err = io.StringIO(), io.StringIO()
    monkeypatch.setattr("sys.stdout", out)
    monkeypatch.setattr("sys.stderr", err)
    hide("test", ["long-secret"])
    redaction.guard()
    print("long-", end="")
    print("secret", "rest", end="")
    assert out.getvalue() == ""
    say("!")
    assert out.getvalue() == f"{HIDDEN} rest!\n"


UNCAUGHT = """
import threading, warnings
from bot import redaction
redaction.hide("test", ["long-secret"])
redaction.guard()
warnings.warn("long-secret")
thread = threading.Thread(target=lambda: int("long-secret"))
thread.start()
thread.join()
raise RuntimeError("long-secret")
"""


def test_what_nobody_catches() -> None:
    """Tracebacks and warnings of a process are searched, too; the end of one is not lost."""
    done = subprocess.run(
        [sys.executable, "-c", UNCAUGHT], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 1
    assert done.stderr.count(HIDDEN) == 3
    assert done.stderr.endswith(f"RuntimeError: {HIDDEN}\n")
    assert "long-secret" not in done.stderr
