"""What a completion server can be told to answer, instead of a model's words."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_GRPC_CODES = {
    400: 3, 401: 16, 403: 7, 404: 5, 429: 8, 499: 1, 500: 13, 501: 12, 502: 14, 503: 14, 504: 4,
}  # fmt: skip
_PHRASES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    429: "Too Many Requests",
    500: "Internal Server Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}
_FILTERED = "Я не могу обсуждать эту тему. Давайте поговорим о чём-нибудь ещё."


@dataclass(frozen=True, slots=True)
class Say:
    """An answer in ``steps`` lines of growing text; the last one is final.

    ``delay`` is the pause before each line, in seconds. ``cut`` sends the bytes in chunks of that
    size, which break anywhere: inside a line, inside a character.
    """

    text: str
    steps: int = 3
    delay: float = 0.0
    cut: int | None = None


@dataclass(frozen=True, slots=True)
class Truncated:
    """An answer that ran into maxTokens."""

    text: str


@dataclass(frozen=True, slots=True)
class Filtered:
    """The content filter's refusal after ``after`` was sent; it can look like a plain FINAL."""

    as_final: bool = False
    after: str = ""
    text: str = _FILTERED


@dataclass(frozen=True, slots=True)
class Refuse:
    """An error instead of an answer, in the API's own shape or as ``body``."""

    status: int
    message: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Cut:
    """A stream that ends without a final status, by a reset or as if it were complete."""

    after: str = ""
    reset: bool = True


@dataclass(frozen=True, slots=True)
class ErrorLine:
    """An error in mid-stream, after HTTP has said 200."""

    after: str = ""
    status: int = 500
    message: str = "internal error"


@dataclass(frozen=True, slots=True)
class Silence:
    """A stream that stops and stays open."""

    after: str = ""


@dataclass(frozen=True, slots=True)
class Lines:
    """Arbitrary bytes, each in a network chunk of its own."""

    chunks: Sequence[bytes]
    delay: float = 0.0


Reply = Say | Truncated | Filtered | Refuse | Cut | ErrorLine | Silence | Lines


def error_json(status: int, message: str) -> dict[str, Any]:
    """Return an error as the native REST API writes it."""
    return {
        "error": {
            "grpcCode": _GRPC_CODES.get(status, 2),
            "httpCode": status,
            "message": message,
            "httpStatus": _PHRASES.get(status, "Error"),
            "details": [],
        }
    }


def line(value: Any) -> bytes:
    """Encode one line of a stream; characters are not escaped, so that readers meet them raw."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"


def growing(text: str, steps: int) -> Iterator[str]:
    """Yield ``steps`` prefixes of ``text``, the last one whole."""
    for step in range(1, steps + 1):
        yield text[: len(text) * step // steps]
