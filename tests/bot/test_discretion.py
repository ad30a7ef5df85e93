"""What was said stays out of errors; what they are about stays in them."""

import base64
import json
import re
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.discretion import discreet_refusal, without_echo
from handlers.outgoing import refusals

SAID = "мой пароль Zebra,\nномер 4512998"
WORDS = ("пароль", "zebra", "4512998")


def quoted(text: str) -> str:
    """A sentence in which an API repeats something."""
    return f"HTTP 400: Invalid message text: {text} (x-request-id 7-7)"


@pytest.mark.parametrize(
    "echo",
    [
        SAID,
        SAID.upper(),
        SAID[4:13],
        f"<{SAID}>",
        repr(SAID),
        json.dumps(SAID),
        json.dumps(json.dumps(SAID)),
        json.dumps(SAID, ensure_ascii=False),
        quote(SAID),
        str(SAID.encode()),
        base64.b64encode(SAID.encode()).decode(),
        "&#1087;&#1072;&#1088;&#1086;&#1083;&#1100; zebra",
    ],
    ids=range(12),
)
def test_an_echo_is_left_out(echo: str) -> None:
    """However it is written; what the API itself says stays."""
    told = without_echo(quoted(echo), [SAID])
    assert told.startswith("HTTP 400: Invalid message text: ")
    assert told.endswith("(x-request-id 7-7)")
    assert not any(word in told.casefold() for word in WORDS)
    assert base64.b64encode(SAID.encode()).decode() not in told
    assert "\\x" not in told


@pytest.mark.slow
@given(st.lists(st.text(st.characters(categories=["Ll"]), min_size=3, max_size=12), min_size=1))
def test_any_words(words: list[str]) -> None:
    """No word that was said stays, unless such errors are made of it."""
    said = " ".join(words)
    ours = set(re.findall(r"[^\W\d_]+", quoted("").casefold()))
    told = set(re.findall(r"[^\W\d_]+", without_echo(quoted(said), [said]).casefold()))
    assert all(without_echo(word, [word]) == word for word in told - ours)


def phrases() -> list[str]:
    """All by which the bot knows what Telegram means."""
    groups = [value for value in vars(refusals).values() if isinstance(value, tuple)]
    assert len(groups) >= 3
    found = [phrase for group in groups for phrase in group]
    return [*found, "message is not modified", "can't parse entities", "terminated by other"]


@pytest.mark.parametrize("phrase", phrases())
def test_what_telegram_means_is_still_known(phrase: str) -> None:
    """Somebody may say just what Telegram says: it stays what it means."""
    assert without_echo(f"Bad Request: {phrase}", [phrase]) == f"Bad Request: {phrase}"


def test_identifiers_stay() -> None:
    """A request's number is for the support, and tells nothing."""
    number = "fade0000-0bad-4bad-8bad-0000deadbeef"
    assert without_echo(f"HTTP 500 ({number})", ["bad fade deadbeef 0000"]).endswith(f"({number})")


@pytest.mark.parametrize("value", ["x", "3", None, True, 1e300, float("nan"), [], -(2.0**70)])
def test_parameters_that_nobody_can_use(value: object) -> None:
    """They are left out, as if Telegram had not said for how long, or where the chat is now."""
    parameters = {"retry_after": value, "migrate_to_chat_id": value}
    told = json.loads(discreet_refusal(json.dumps({"parameters": parameters}).encode(), []))
    assert told["parameters"] == {}


def test_a_refusal() -> None:
    """Of Telegram's refusal stays what its reader needs; without JSON nothing does."""
    body = {"ok": False, "error_code": 400, "description": f"Bad Request: {SAID}", "more": SAID}
    body["parameters"] = {"retry_after": 3, "text": SAID}
    told = json.loads(discreet_refusal(json.dumps(body).encode(), [SAID]))
    assert told["parameters"] == {"retry_after": 3}
    assert told["description"].startswith("Bad Request: ")
    assert not any(word in str(told).casefold() for word in WORDS)
    for odd in (b"<html>", b"[1]", b"[" * 100_000, b'{"parameters": 1}'):
        assert discreet_refusal(odd, []) == b""
