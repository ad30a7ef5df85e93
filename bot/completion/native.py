"""YandexGPT's own dialect: its wire format as pure functions.

From the API's reference and recorded traffic: a stream is newline-delimited JSON (not SSE), each
line holds the whole text so far, and counters are strings.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from bot.completion.dialect import Capabilities, Dialect, Reader, Request
from handlers.dialogue.completion import (
    Answer,
    CompletionError,
    CompletionMisconfigured,
    CompletionRefused,
    CompletionUnavailable,
    ContextTooLong,
)
from handlers.dialogue.profile import Profile
from storage.message import UNREADABLE, Message, well_formed

COMPLETION, TOKENISER = (
    f"/foundationModels/v1/{method}" for method in ("completion", "tokenizeCompletion")
)
UNLOGGED = {"x-data-logging-enabled": "false"}
"""Otherwise the API keeps requests."""

REFUSALS = (
    "Я не могу обсуждать эту тему",
    "В интернете есть много сайтов с информацией на эту тему",
)
"""How the content filter's answers begin; sometimes they have an ordinary final status."""

REMEDIES = (
    (401, "", "the key or token is wrong, or has expired"),
    (403, "", "the role ai.languageModels.user may be missing, or billing is not active"),
    (400, "folder id", "FOLDER_ID must be the folder of the key's service account"),
    (400, "model", "MODEL may be misspelt, or no longer exist"),
)
"""Hints for the owner by status and a word of the message; the first match is used."""

ENDS = (b'"error"', b"FINAL", b"CONTENT_FILTER")
"""A line that ends a stream has one of these; others may have them in their text."""

HTTP_OF_GRPC: dict[Any, int] = {
    2: 500, 3: 400, 4: 504, 5: 404, 7: 403, 8: 429, 12: 501, 13: 500, 14: 503, 16: 401
}  # fmt: skip
"""An error inside a stream may carry only a gRPC code (google.rpc.Code)."""


def encode(profile: Profile, messages: Sequence[Message], *, stream: bool) -> dict[str, Any]:
    """Build a request's body. ``maxTokens`` is a string: int64 in proto's JSON mapping."""
    return {
        "modelUri": profile.model,
        "completionOptions": {
            "stream": stream,
            "temperature": profile.temperature,
            "maxTokens": str(profile.max_tokens),
        },
        "messages": [{"role": message.role, "text": message.text} for message in messages],
    }


def decode(line: bytes) -> Answer:
    """Parse one line of a stream, or the whole body of an answer that is not streamed.

    Raises the `CompletionError` that it reports, or `CompletionUnavailable` if it is unreadable.
    """
    try:
        fields = json.loads(line)
        if error := fields.get("error"):
            raise _told_in_stream(error)
        result = fields["result"]
        alternative = result["alternatives"][0]
        text = well_formed(alternative.get("message", {}).get("text") or "")
        status = str(alternative["status"]).removeprefix("ALTERNATIVE_STATUS_")
        usage = result.get("usage") or {}
        prompt_tokens = _counter(usage, "inputTextTokens")
        completion_tokens = _counter(usage, "completionTokens")
    except UNREADABLE as error:
        # It may contain somebody's answer, which must not be logged.
        reason = f"unreadable answer of {len(line)} bytes: {type(error).__name__}"
        raise CompletionUnavailable(reason) from error
    return _answer(status, text, prompt_tokens, completion_tokens)


def _counter(usage: Any, name: str) -> int:
    """Read a counter; 0 is what nobody can read, because the answer is there all the same."""
    try:
        number = int(usage.get(name) or 0)
    except UNREADABLE:
        return 0
    return number if 0 <= number < 2**31 else 0


def _answer(status: str, text: str, prompt_tokens: int, completion_tokens: int) -> Answer:
    if status == "CONTENT_FILTER" or (status == "FINAL" and text.startswith(REFUSALS)):
        raise CompletionRefused("content filter")
    if status in ("FINAL", "TRUNCATED_FINAL"):
        if not text.strip():
            raise CompletionUnavailable("the model answered with nothing")
        truncated = status == "TRUNCATED_FINAL"
        return Answer(
            text,
            complete=True,
            truncated=truncated,
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
        )
    if status in ("PARTIAL", "UNSPECIFIED"):
        # An emoji may be cut in two; the next line will have all of it.
        return Answer(text.rstrip("\ufffd"))
    raise CompletionUnavailable(f"unexpected status {status[:100]!r}")


def _told_in_stream(error: Any) -> CompletionError:
    if not isinstance(error, dict):
        return CompletionUnavailable(f"error in the stream: {well_formed(str(error)[:300])}")
    status = error.get("httpCode") or HTTP_OF_GRPC.get(error.get("grpcCode", error.get("code")))
    return classify(int(status or 500), {}, json.dumps({"error": error}).encode())


def classify(status: int, headers: Mapping[str, str], body: bytes) -> CompletionError:
    """Name an unsuccessful response by what can be done about it."""
    message = _message(body)
    reason = f"HTTP {status}: {message}"
    if request_id := headers.get("x-request-id"):
        reason += f" (x-request-id {request_id})"
    if status == 400 and (excess := _excess(message)):
        return ContextTooLong(reason, excess)
    if status in (408, 429, 499) or (status >= 500 and status != 501):
        return CompletionUnavailable(reason, _seconds(headers.get("retry-after")))
    for code, about, remedy in REMEDIES:
        if status == code and about in message.lower():
            return CompletionMisconfigured(f"{reason} - {remedy}", status)
    return CompletionMisconfigured(reason, status)


def _message(body: bytes) -> str:
    """Find the message in any of the shapes in which this API and its gateways report errors."""
    text = body.decode("utf-8", "replace")
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return text[:300]
    if not isinstance(fields, dict):
        return text[:300]
    error = fields.get("error")
    found = (
        (error.get("message") if isinstance(error, dict) else error)
        or fields.get("message")
        or fields.get("error_message")
        or text
    )
    return well_formed(str(found)[:300])


def _excess(message: str) -> float | None:
    tokens = re.search(r"number of input tokens must be no more than (\d+), got (\d+)", message)
    letters = re.search(r"text length is (\d+), which is outside the range \(\d+, (\d+)\]", message)
    if tokens:
        return _ratio(tokens[2], tokens[1])
    if letters:
        return _ratio(letters[1], letters[2])
    if "number of input tokens must be no more than" in message:
        return 2.0
    return 2.0 if "text length is" in message and "outside the range" in message else None


def _ratio(got: str, limit: str) -> float:
    return max(1.0, int(got) / max(1, int(limit)))


def _seconds(retry_after: str | None) -> float | None:
    if retry_after and re.fullmatch(r"\d{1,6}(\.\d{1,6})?", retry_after):
        return float(retry_after)
    return None


def _may_end(line: bytes) -> bool:
    return any(mark in line for mark in ENDS)


class _Reader(Reader):
    def feed(self, lines: Sequence[bytes]) -> Iterator[Answer]:
        """Each line has the whole text, so most need not be read: only the last, and an end.

        What came before an end is read, too, because an error may repeat its words. Whatever else
        is wrong with a line that is not read, nobody hears of it.
        """
        told = [line for line in lines if line.strip()]
        for line, following in zip_longest(told, told[1:]):
            if following is None or _may_end(line) or _may_end(following):
                yield decode(line)

    def end(self) -> Answer:
        raise CompletionUnavailable("the answer broke off")


class Native(Dialect):
    """The dialect, for the client."""

    capabilities = Capabilities(counts=True)

    def completion(self, profile: Profile, messages: Sequence[Message], *, stream: bool) -> Request:
        """Return the request for an answer."""
        return Request(COMPLETION, encode(profile, messages, stream=stream), UNLOGGED)

    def reader(self) -> Reader:
        """Return a reader for one streamed answer."""
        return _Reader()

    def answer(self, body: bytes) -> Answer:
        """Read an answer that is not streamed: a stream of one line."""
        return decode(body)

    def tokens(self, profile: Profile, messages: Sequence[Message]) -> Request:
        """Return the request for the number of tokens."""
        return Request(TOKENISER, encode(profile, messages, stream=False), UNLOGGED)

    def counted(self, body: bytes) -> int:
        """Read the number of tokens. Raises `CompletionUnavailable`."""
        try:
            return len(json.loads(body)["tokens"])
        except UNREADABLE as error:
            raise CompletionUnavailable(f"unreadable count: {type(error).__name__}") from error

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> CompletionError:
        """Name an unsuccessful response by what can be done about it."""
        return classify(status, headers, body)
