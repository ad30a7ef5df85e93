"""Keeps what people and the model say out of logs: errors are quoted only without those words."""

import html
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from storage.message import well_formed

OMITTED = "…"
_KNOWN = frozenset(
    """
    a access account action active admin administrator ai an and api apikey are args argument
    arguments as at author authorization bad banned base be been before billing blocked body bot
    bots broken but button by callback can cannot cant channel characters chat closed cloud code
    command completion conflict connect connection content could current deactivated delete deleted
    demoted
    denied describe description disabled document does edit edited edits empty enough entities
    entity error exceeded exception expected expired failed failure field file folder for forbidden
    format found from gateway generation get getupdates group guest has have host http https id
    identifier in inactive incorrect initiate input instance internal invalid is it json key kicked
    known large later left length limit line literal long make manager many mark match matched
    member message messages method migrated missing model modified more must name need no not number
    occurred of offset old on only open operation options or other out outside parameter parameters
    parse peer per permission photo plain please private prompt proxy query quota range rate reached
    read ready reason refused reply request requested requests required reset resource response
    restricted retry rights role running same seconds send sent server service short size specified
    started stop stream string such suitable supergroup supported sure tag temperature temporarily
    terminated text than that the there this thread time timed timeout to token tokens too topic
    type unauthorized unavailable unexpected unknown unmatched unsupported updates upgraded uri url
    user users value wait was webhook window with without write wrong yandexgpt you your
    """.split()  # noqa: SIM905 - a list of them would be as many lines
)
"""Words that these APIs' own errors consist of; they give away nothing that anyone said."""
_PARAMETERS: Mapping[str, Callable[[Any], bool]] = {
    "migrate_to_chat_id": lambda value: type(value) is int and -(2**63) <= value < 0,
    "retry_after": lambda value: type(value) in (int, float) and 0 <= value <= 10**9,
}
"""The parameters of Telegram's refusals that are read, and which values of theirs can be used."""
_ESCAPED = re.compile(r"\\+u([0-9a-fA-F]{4})")
_BLANK = re.compile(r"\\+[bfnrt]")
_BYTES = r"(?:\\+x[0-9a-fA-F]{2}|\\+[0-7]{3})+"
_BLOB = r"[A-Za-z0-9+/=]{40,}"
_UUID = r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b"
_WORD = r"[^\W\d_]+|\d{4,}"
_PARTS = re.compile(f"(?P<opaque>{_BYTES}|{_BLOB})|(?P<id>{_UUID})|{_WORD}")


def without_echo(text: str, said: Iterable[str]) -> str:
    """Remove from an error's text all words that were ``said``, except the APIs' own.

    Anything opaque, such as base64, is removed too.
    """
    heard = "\n".join(said).casefold()
    plain = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    plain = well_formed(html.unescape(unquote(_BLANK.sub(" ", plain))))

    def judged(found: re.Match[str]) -> str:
        word = found[0].casefold()
        tells_nothing = found["id"] or word in _KNOWN or (len(word) < 3 and word.isascii())
        if tells_nothing or not (found["opaque"] or word in heard):
            return found[0]
        return OMITTED

    return _PARTS.sub(judged, plain)


def strings(value: Any) -> Iterator[str]:
    """Find all strings in a JSON value, except names of fields."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from strings(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from strings(one)


def discreet_refusal(body: bytes, asked: Iterable[str]) -> bytes:
    """Remove from Telegram's refusal what it repeats of what it was ``asked``.

    Only what python-telegram-bot reads remains: its errors would quote anything else.
    """
    try:
        fields = json.loads(body)
        kept = {name: fields[name] for name in ("ok", "error_code") if name in fields}
        kept["description"] = without_echo(str(fields.get("description") or ""), asked)
        told = fields.get("parameters") or {}
        kept["parameters"] = {
            name: told[name] for name, is_usable in _PARAMETERS.items() if is_usable(told.get(name))
        }
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return b""
    return json.dumps(kept).encode()
