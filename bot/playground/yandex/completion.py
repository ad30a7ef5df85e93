"""A completion server that speaks YandexGPT's native wire format; the words come from elsewhere.

Sources: the public API reference and its protos, and recorded traffic of the official SDK. The
stream is newline-delimited JSON, each line holds the whole text so far, counters are strings.
"""

import asyncio
import uuid
from collections import deque
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Collection,
    Coroutine,
    Mapping,
    Sequence,
)
from typing import Any, Protocol

from starlette.requests import ClientDisconnect, Request
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bot.playground.connection import unless_gone
from bot.playground.yandex.exchange import CLIENT_CLOSED, Exchanges, parsed
from bot.playground.yandex.iam import Iam
from bot.playground.yandex.prompt import (
    Prompt,
    Refusal,
    check_model,
    check_text,
    count,
    pieces,
    read,
)
from bot.playground.yandex.queue import Queue
from bot.playground.yandex.replies import (
    Cut,
    ErrorLine,
    Filtered,
    Lines,
    Refuse,
    Reply,
    Say,
    Silence,
    Truncated,
    error_json,
    growing,
    line,
)
from bot.playground.yandex.wire import Severed, Wire
from storage.message import Message

MODEL_VERSION = "18.01.2024"

BASE = "/foundationModels/v1"
_PIECES_A_LINE = 12
"""Recorded lines grew by 10 to 15 tokens."""
_GAUGE = (
    "ai.textGenerationCompletionSessionsCount.count gauge quota limit exceed: allowed {} requests"
)
_DETAILS: tuple[dict[str, Any], ...] = (
    {},
    {"completionTokensDetails": {}},
    {"completionTokensDetails": {"reasoningTokens": "0"}},
)
"""All three were recorded, in different years; requests get them in turn."""


class Words(Protocol):
    """Whatever produces the words: a model, an echo."""

    def answer(
        self, messages: Sequence[Message], *, temperature: float, max_tokens: int
    ) -> AsyncIterator[str]:
        """Yield the answer in pieces of about a token."""
        ...


class CompletionServer(Exchanges):
    """See the module.

    ``limit`` generations may be open at once. ``folder`` is the key's folder; None accepts any.
    ``keys`` are the known credentials; None accepts all but expired tokens. ``context`` is the
    model's window in tokens. The words answer so many ``at_once``, None for all; others wait.
    ``check_jwt`` is for signing in, see ``Iam``.
    """

    def __init__(  # noqa: PLR0913 - what a real server is configured with
        self,
        words: Words,
        *,
        limit: int = 10,
        folder: str | None = None,
        keys: Collection[str] | None = None,
        context: int = 32768,
        at_once: int | None = None,
        check_jwt: Callable[[str], object] | None = None,
    ) -> None:
        super().__init__()
        self.limit = limit
        self.folder = folder
        self.keys = keys
        self.context = context
        self.iam = Iam(check_jwt)
        self.longest_line = 0.5
        """Seconds after which a slow model's pieces are sent even if the line is short."""
        self.sign = 10.0
        """Seconds between two signs of life to a request that waits for its turn."""
        self.queue = Queue(at_once)
        self.open = 0
        self._words = words
        self._script: deque[Reply] = deque()
        self._answered = 0
        self.routes = [
            Route(f"{BASE}/completion", _Endpoint(self, self._complete), methods=["POST"]),
            Route(f"{BASE}/tokenizeCompletion", _Endpoint(self, self._measure), methods=["POST"]),
            Route(f"{BASE}/tokenize", _Endpoint(self, self._tokenize), methods=["POST"]),
            *self.iam.routes,
        ]

    def script(self, *replies: Reply) -> None:
        """Answer the next well-formed completion requests with these, in order."""
        self._script.extend(replies)

    def clear_script(self) -> None:
        """Answer requests with the words again; drop the rest of the script."""
        self._script.clear()

    def authorize(self, header: str) -> None:
        """Raise Refusal (401) if the Authorization header is not valid."""
        scheme, _, credential = header.partition(" ")
        known = bool(credential) and (self.keys is None or credential in self.keys)
        if scheme == "Api-Key":
            if not known:
                raise Refusal(401, "Unknown api key")
        elif scheme != "Bearer":
            raise Refusal(401, "Unauthenticated")
        elif not (self.iam.accepts(credential) or (known and not self.iam.issued(credential))):
            raise Refusal(401, "The token has expired/is invalid")

    async def _complete(self, body: Mapping[str, Any], wire: Wire) -> None:
        prompt = read(body, self.folder)
        if prompt.tokens > self.context:
            text = f"number of input tokens must be no more than {self.context}"
            raise Refusal(400, f"{text}, got {prompt.tokens}")
        if self.outage:
            wire.cuts = self.outage.cuts
            await self.outage.strike()
        if self.open >= self.limit:
            raise Refusal(429, _GAUGE.format(self.limit))
        self.open += 1
        self._answered += 1
        try:
            if self._script:
                await self._recite(self._script.popleft(), prompt, wire)
            else:
                await self._generate_in_turn(prompt, wire)
        finally:
            self.open -= 1

    async def _generate_in_turn(self, prompt: Prompt, wire: Wire) -> None:
        come = asyncio.Event()
        waiting = asyncio.create_task(self._give_signs(come, prompt, wire))
        try:
            async with self.queue.turn(wire.request_id):
                come.set()
                await waiting  # a sign that is under way goes out whole
                await self._generate(prompt, wire)
        finally:
            waiting.cancel()

    async def _give_signs(self, come: asyncio.Event, prompt: Prompt, wire: Wire) -> None:
        """Stream an empty text now and then until its turn has ``come``: silence is given up."""
        while prompt.stream and not wire.cuts:
            try:
                async with asyncio.timeout(self.sign):
                    await come.wait()
            except TimeoutError:
                await wire.sign(self._answer(prompt, "", "PARTIAL", 0))
            else:
                return

    async def _measure(self, body: Mapping[str, Any], wire: Wire) -> None:
        await wire.whole(200, _token_list(read(body, self.folder).token_texts()))

    async def _tokenize(self, body: Mapping[str, Any], wire: Wire) -> None:
        check_model(body.get("modelUri"), self.folder)
        await wire.whole(200, _token_list(pieces(check_text(body.get("text")))))

    async def _generate(self, prompt: Prompt, wire: Wire) -> None:
        loop = asyncio.get_running_loop()
        text, tokens, shown, shown_at = "", 0, 0, loop.time()
        words = self._words.answer(
            prompt.messages, temperature=prompt.temperature, max_tokens=prompt.max_tokens
        )
        try:
            async for piece in words:
                text, tokens = text + piece, tokens + 1
                if tokens == prompt.max_tokens:
                    break
                long = (
                    tokens - shown >= _PIECES_A_LINE or loop.time() - shown_at >= self.longest_line
                )
                if prompt.stream and long:
                    shown, shown_at = tokens, loop.time()
                    await wire.line(self._answer(prompt, text, "PARTIAL", tokens))
        finally:
            if isinstance(words, AsyncGenerator):
                await words.aclose()
        status = "TRUNCATED_FINAL" if tokens == prompt.max_tokens else "FINAL"
        await wire.last(self._answer(prompt, text, status, tokens), stream=prompt.stream)

    async def _recite(self, reply: Reply, prompt: Prompt, wire: Wire) -> None:
        after = getattr(reply, "after", "")
        if after and prompt.stream:
            await wire.line(self._answer(prompt, after, "PARTIAL", count(after)))
        match reply:
            case Say():
                await self._say(reply, prompt, wire)
            case Truncated(text):
                value = self._answer(prompt, text, "TRUNCATED_FINAL", count(text))
                await wire.last(value, stream=prompt.stream)
            case Filtered(as_final=as_final, text=text):
                await wire.last(_filtered(text, as_final=as_final), stream=prompt.stream)
            case _:
                await self._spoil(reply, prompt, wire)

    async def _spoil(
        self, reply: Refuse | Cut | ErrorLine | Silence | Lines, prompt: Prompt, wire: Wire
    ) -> None:
        match reply:
            case Refuse(status, message, headers, body):
                if body is None:
                    await wire.whole(status, error_json(status, message), headers)
                else:
                    await wire.raw(status, body, headers)
            case Cut(reset=reset):
                await (wire.reset() if reset else wire.end())
            case ErrorLine(status=status, message=message):
                await wire.last(error_json(status, message), stream=prompt.stream)
            case Silence():
                await wire.silence()
            case Lines(chunks, delay):
                for chunk in chunks:
                    await asyncio.sleep(delay)
                    await wire.chunk(chunk)
                await wire.end()

    async def _say(self, reply: Say, prompt: Prompt, wire: Wire) -> None:
        *begun, whole = growing(reply.text, reply.steps if prompt.stream else 1)
        answers = [self._answer(prompt, text, "PARTIAL", count(text)) for text in begun]
        for answer in [*answers, self._answer(prompt, whole, "FINAL", count(whole))]:
            await asyncio.sleep(reply.delay)
            data = line(answer)
            size = reply.cut or len(data)
            for start in range(0, len(data), size):
                await wire.chunk(data[start : start + size])
                await asyncio.sleep(0)
        await wire.end()

    def _answer(self, prompt: Prompt, text: str, status: str, tokens: int) -> dict[str, Any]:
        usage = {
            "inputTextTokens": str(prompt.tokens),
            "completionTokens": str(tokens),
            "totalTokens": str(prompt.tokens + tokens),
        }
        details = _DETAILS[self._answered % len(_DETAILS)]
        return _result(text, status, usage | details, MODEL_VERSION)


def _result(text: str, status: str, usage: dict[str, Any], version: str) -> dict[str, Any]:
    message = {"role": "assistant", "text": text}
    alternative = {"message": message, "status": f"ALTERNATIVE_STATUS_{status}"}
    return {"result": {"alternatives": [alternative], "usage": usage, "modelVersion": version}}


def _filtered(text: str, *, as_final: bool) -> dict[str, Any]:
    """Return the content filter's refusal, which costs nothing and names no model."""
    usage = dict.fromkeys(("inputTextTokens", "completionTokens", "totalTokens"), "0")
    return _result(text, "FINAL" if as_final else "CONTENT_FILTER", usage, "")


def _token_list(texts: Sequence[str]) -> dict[str, Any]:
    tokens = [
        {"id": str(number), "text": text, "special": not text} for number, text in enumerate(texts)
    ]
    return {"tokens": tokens, "modelVersion": MODEL_VERSION}


class _Endpoint:
    """What all endpoints do around their own work, as an ASGI application."""

    def __init__(
        self,
        server: CompletionServer,
        work: Callable[[Mapping[str, Any], Wire], Coroutine[Any, Any, None]],
    ) -> None:
        self._server = server
        self._work = work

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        body = parsed(await request.body())
        headers = dict(request.headers)
        with self._server.exchange(scope["path"], headers, body) as exchange:
            wire = Wire(scope, receive, send, _response_headers(headers), exchange.record)
            try:
                self._server.authorize(headers.get("authorization", ""))
                await unless_gone(self._work(_object(body), wire), receive)
                exchange.status = wire.status
            except Refusal as refusal:
                exchange.status = refusal.status
                await wire.whole(refusal.status, error_json(refusal.status, str(refusal)))
            except Severed:
                exchange.status = wire.status
            except ClientDisconnect:
                exchange.status = CLIENT_CLOSED


def _object(body: Any) -> Mapping[str, Any]:
    if not isinstance(body, dict):
        raise Refusal(400, "the body is not a JSON object")
    return body


def _response_headers(headers: Mapping[str, str]) -> dict[str, str]:
    ids = {"x-request-id": str(uuid.uuid4()), "x-server-trace-id": uuid.uuid4().hex}
    if client_id := headers.get("x-client-request-id"):
        ids["x-client-request-id"] = client_id
    return ids
