"""Keeps secrets inside: what is hidden, in which forms, and streams that let none of it out."""

import base64
import json
import re
import sys
from collections.abc import Iterable, Iterator
from typing import Any, TextIO
from urllib.parse import quote, quote_plus, unquote

HIDDEN = "[secret]"
_SHAPES = (
    r"(?<!\d)\d{5,}(?::|%3[aA])[\w-]{30,}",  # a bot's token
    r"\bAQVN[\w-]{20,}",  # an API key of Yandex Cloud; its IAM and OAuth tokens
    r"\bt1\.[\w=-]{8,}\.[\w=-]{8,}",
    r"\by[0-3]_[\w-]{20,}",
    r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}",  # a JWT
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*-----|\Z)",
    r"(?<=://)[^\s/\"'@]*:[^\s/\"']*(?=@)",  # a login in a URL
)
"""Secrets recognised by their looks: some appear before, or besides, the configured ones."""
_LONG = 6
"""Shortest secret that is also hidden inside words; with API_KEY=k, half the log would go."""

_known: dict[str, frozenset[str]] = {}
_pattern = re.compile("|".join(_SHAPES), re.DOTALL)


def hide(kind: str, secrets: Iterable[str]) -> None:
    """Make `redact` hide these secrets; they replace the earlier ones of this ``kind``."""
    global _pattern  # noqa: PLW0603 - it belongs to the process, as its streams do
    _known[kind] = frozenset(form for secret in secrets if secret for form in _forms(secret))
    forms = sorted({form for known in _known.values() for form in known}, key=len, reverse=True)
    _pattern = re.compile("|".join([*map(_found, forms), *_SHAPES]), re.DOTALL)


def redact(text: str) -> str:
    """Replace every secret in a text."""
    return _pattern.sub(HIDDEN, text)


def say(text: object, stream: TextIO | None = None) -> None:
    """Print a line for a person, without secrets; to standard output by default."""
    print(redact(str(text)), file=stream or sys.stdout, flush=True)


def _forms(secret: str) -> Iterator[str]:
    """All forms a secret takes in texts: in URLs, JSON, reprs and headers."""
    for plain in {secret, unquote(secret)}:
        yield plain
        yield json.dumps(plain)[1:-1]
        yield json.dumps(plain, ensure_ascii=False)[1:-1]
        yield repr(plain)[1:-1]
        for quoted in (quote(plain, safe=""), quote(plain), quote_plus(plain)):
            yield quoted
            yield re.sub("%..", lambda found: found[0].lower(), quoted)
        if len(plain) >= _LONG:
            encoded = base64.b64encode(plain.encode("utf-8", "surrogateescape"))
            yield encoded.decode().rstrip("=")
            yield encoded.decode().rstrip("=").replace("+", "-").replace("/", "_")


def _found(form: str) -> str:
    whole = re.escape(form)
    return whole if len(form) >= _LONG else rf"(?<!\w){whole}(?!\w)"


def guard() -> None:
    """Redact everything this process prints: output, tracebacks, warnings, usage messages."""
    sys.stdout, sys.stderr = guarded(sys.stdout), guarded(sys.stderr)


def guarded(stream: TextIO) -> TextIO:
    """Redact whatever is written to a stream, once."""
    return stream if isinstance(stream, _Redacted) else _Redacted(stream)  # type: ignore[return-value]


class _Redacted:
    """A text stream that redacts, line by line, what it passes on to another."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._pending = ""  # a secret may be written in pieces

    def write(self, text: str) -> int:
        """Write whole lines; the rest waits for its end, or a flush."""
        lines, end, self._pending = (self._pending + text).rpartition("\n")
        self._stream.write(redact(lines + end))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write them."""
        self.write("".join(lines))

    def flush(self) -> None:
        """Write the rest, too."""
        self._stream.write(redact(self._pending))
        self._pending = ""
        self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        """Pass everything else on to the other stream."""
        return getattr(self._stream, name)
