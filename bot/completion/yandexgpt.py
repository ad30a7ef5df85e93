"""YandexGPT's own completion API: its wire format as pure functions, and a thin client.

From the API's reference and recorded traffic: a stream is newline-delimited JSON (not SSE), each
line holds the whole text so far, and counters are strings.
"""

import asyncio
import contextlib
import json
import random
import re
import uuid
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any

import httpx
import structlog

from bot.completion.credentials import UNREADABLE, Credentials
from bot.completion.measured import TOO_MANY, measured
from bot.discretion import without_echo
from handlers.dialogue.completion import (
    Answer,
    CompletionError,
    CompletionMisconfigured,
    CompletionRefused,
    CompletionUnavailable,
    ContextTooLong,
)
from storage.message import Message, well_formed

log = structlog.get_logger()

COMPLETION, TOKENISER = (
    f"/foundationModels/v1/{method}" for method in ("completion", "tokenizeCompletion")
)
COUNT_SECONDS = 10.0
"""How long the tokeniser may take."""
SILENCE = 45.0
"""Seconds without a line from the model after which we give up, tries and pauses together."""
LONGEST = 600.0
"""Seconds an answer may take in all, in case a stream drips forever."""
LARGEST_LINE = 4 * 1024 * 1024
"""Most bytes in a line of a stream; each repeats the whole text, but real ones are far smaller."""
PAUSES = (0.5, 1, 2, 4, 8)
"""Seconds before each retry, plus jitter; the last one repeats."""

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

HTTP_OF_GRPC: dict[Any, int] = {
    2: 500, 3: 400, 4: 504, 5: 404, 7: 403, 8: 429, 12: 501, 13: 500, 14: 503, 16: 401
}  # fmt: skip
"""An error inside a stream may carry only a gRPC code (google.rpc.Code)."""


@dataclass(frozen=True, slots=True)
class Model:
    """Which model to ask, and how: ``uri`` is ``gpt://<folder>/<name>``."""

    uri: str
    temperature: float
    max_tokens: int


def encode(model: Model, messages: Sequence[Message], *, stream: bool) -> dict[str, Any]:
    """Build a request's body. ``maxTokens`` is a string: int64 in proto's JSON mapping."""
    return {
        "modelUri": model.uri,
        "completionOptions": {
            "stream": stream,
            "temperature": model.temperature,
            "maxTokens": str(model.max_tokens),
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
        prompt_tokens = int(usage.get("inputTextTokens") or 0)
        completion_tokens = int(usage.get("completionTokens") or 0)
    except UNREADABLE as error:
        # It may contain somebody's answer, which must not be logged.
        reason = f"unreadable answer of {len(line)} bytes: {type(error).__name__}"
        raise CompletionUnavailable(reason) from error
    return _answer(status, text, prompt_tokens, completion_tokens)


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


async def lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Split a stream of bytes at newlines only; skips blank lines.

    httpx's line decoder also splits at U+2028 and the like, which JSON allows in a string.
    Raises `CompletionUnavailable` for a line that is far too long.
    """
    pending = b""
    async for chunk in chunks:
        *whole, pending = (pending + chunk).split(b"\n")
        for line in whole:
            if line.strip():
                yield line
        if len(pending) > LARGEST_LINE:
            raise CompletionUnavailable("a line of the answer is too long")
    if pending.strip():
        yield pending


class YandexGPT:
    """The completion API with retries, a deadline, and a limit on concurrent answers."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        credentials: Credentials,
        url: str,
        model: Model,
        place: Callable[[], AbstractAsyncContextManager[None]],
        request_id: Callable[[], object] = uuid.uuid4,
    ) -> None:
        """Each answer is generated within a ``place()``, which limits how many there are.

        ``request_id()`` makes the id of each try.
        """
        self._http = http
        self._credentials = credentials
        self._url = url
        self._model = model
        self._place = place
        self._request_id = request_id

    async def stream(self, messages: Sequence[Message]) -> AsyncGenerator[Answer]:
        """Yield the answer as it grows; see `handlers.dialogue.completion.Completion`.

        A try that fails for a temporary reason is followed by another, which starts the text over,
        until `SILENCE` seconds after the first one began.
        """
        body = encode(self._model, messages, stream=True)
        async with self._place(), aclosing(measured(self._tries(body))) as answers:
            async for answer in answers:
                yield answer

    async def _tries(self, body: dict[str, Any]) -> AsyncGenerator[Answer]:
        clock = asyncio.get_running_loop().time
        deadline = clock() + SILENCE
        said = [message["text"] for message in body["messages"]]
        for pause in chain(PAUSES, repeat(PAUSES[-1])):
            try:
                with _without_echo(said):
                    async with aclosing(self._attempt(body, deadline)) as answers:
                        async for answer in answers:
                            said[len(body["messages"]) :] = [answer.text]
                            yield answer
                        return
            except CompletionUnavailable as error:
                wait = max(pause * random.uniform(0.5, 1.5), error.retry_after or 0)
                if clock() + wait > deadline - SILENCE / 10:
                    raise  # too little time is left for an answer to begin
                log.info("completion_retried", reason=str(error), seconds=round(wait, 1))
            await asyncio.sleep(wait)

    async def answer(self, messages: Sequence[Message]) -> Answer:
        """Ask once, without streaming. Raises a `CompletionError`."""
        with _without_echo(message.text for message in messages):
            return decode(await self._told(COMPLETION, messages, SILENCE))

    async def count(self, messages: Sequence[Message]) -> int:
        """Count the tokens of a request with the API's tokeniser. Raises a `CompletionError`."""
        with _without_echo(message.text for message in messages):
            told = await self._told(TOKENISER, messages, COUNT_SECONDS)
        try:
            return len(json.loads(told)["tokens"])
        except UNREADABLE as error:
            raise CompletionUnavailable(f"unreadable count: {type(error).__name__}") from error

    async def _told(self, path: str, messages: Sequence[Message], seconds: float) -> bytes:
        """Ask once, without streaming; returns the response's body."""
        body = encode(self._model, messages, stream=False)
        try:
            async with AsyncExitStack() as connection, asyncio.timeout(seconds):
                return await (await self._open(connection, path, body)).aread()
        except TimeoutError as error:
            raise CompletionUnavailable(f"silent for {seconds:.0f} s") from error
        except httpx.HTTPError as error:
            raise CompletionUnavailable(f"{type(error).__name__}: {error}") from error

    async def _attempt(self, body: dict[str, Any], deadline: float) -> AsyncGenerator[Answer]:
        clock = asyncio.get_running_loop().time
        end = clock() + LONGEST
        try:
            async with AsyncExitStack() as connection:
                async with asyncio.timeout_at(deadline):
                    response = await self._open(connection, COMPLETION, body)
                    told = lines(response.aiter_bytes())
                    line = await anext(told, None)
                while line is not None:
                    answer = decode(line)
                    if answer.complete:
                        await _drain(
                            told
                        )  # first, because the caller may stop once it has the answer
                        yield answer
                        return
                    yield answer
                    async with asyncio.timeout_at(min(clock() + SILENCE, end)):
                        line = await anext(told, None)
        except TimeoutError as error:
            reason = f"silent for {SILENCE:.0f} s, or not done in {LONGEST:.0f} s"
            raise CompletionUnavailable(reason) from error
        except httpx.HTTPError as error:
            raise CompletionUnavailable(f"{type(error).__name__}: {error}") from error
        raise CompletionUnavailable("the answer broke off")

    async def _open(
        self, connection: AsyncExitStack, path: str, body: dict[str, Any]
    ) -> httpx.Response:
        response = await self._post(connection, path, body)
        if response.status_code == 401 and self._credentials.renewable:
            self._credentials.drop()
            await response.aclose()  # or each request would hold two of the pool's connections
            response = await self._post(connection, path, body)
        if response.status_code == 429:
            TOO_MANY.inc()
        if response.status_code != 200:
            raise classify(response.status_code, response.headers, await response.aread())
        return response

    async def _post(
        self, connection: AsyncExitStack, path: str, body: dict[str, Any]
    ) -> httpx.Response:
        headers = {
            **await self._credentials.headers(),
            "x-client-request-id": str(self._request_id()),
            "x-data-logging-enabled": "false",
        }
        request = self._http.stream("POST", self._url + path, json=body, headers=headers)
        return await connection.enter_async_context(request)


@contextlib.contextmanager
def _without_echo(said: Iterable[str]) -> Iterator[None]:
    """Remove from the API's errors what they repeat of a request or an answer."""
    try:
        yield
    except CompletionError as error:
        error.args = (without_echo(str(error), said),)
        raise


async def _drain(told: AsyncIterator[bytes]) -> None:
    """Read to the end, so that the connection can be reused; a missing end is not an error."""
    with contextlib.suppress(TimeoutError, httpx.HTTPError, CompletionUnavailable):
        async with asyncio.timeout(0.1):
            await anext(told, None)
