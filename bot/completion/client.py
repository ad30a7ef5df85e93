"""The client of a completion API, in any dialect: retries, deadlines, places, signing in."""

import asyncio
import contextlib
import functools
import random
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Sequence,
)
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing
from dataclasses import dataclass
from itertools import chain, repeat

import httpx
import structlog

from bot.completion.credentials import Credentials
from bot.completion.dialect import Dialect, Reader, Request
from bot.completion.measured import TOO_MANY, measured
from bot.discretion import without_echo
from handlers.dialogue.completion import Answer, CompletionError, CompletionUnavailable
from handlers.dialogue.profile import Profile
from storage.message import Message
from storage.timing import Timing

log = structlog.get_logger()

TIMEOUTS = httpx.Timeout(None, connect=10).as_dict()
"""For the transport; how long a response may take is the client's affair."""
LARGEST_LINE = 4 * 1024 * 1024
"""Most bytes in a line of a stream; it may repeat the whole text, but real ones are far smaller."""

_url = functools.lru_cache(httpx.URL)
"""Two addresses are all there are, and reading one takes 50 µs."""


async def read(
    chunks: AsyncIterator[bytes], reader: Reader, gather: Callable[[], Awaitable[None]]
) -> AsyncGenerator[Answer]:
    """Yield the answer as its bytes arrive; the last one is complete.

    After the first words, ``gather()`` is awaited before more is read. Lines end at newlines only:
    httpx's line decoder also splits at U+2028 and the like, which JSON allows in a string. Raises a
    `CompletionError`.
    """
    pending, begun = b"", False
    async for chunk in chunks:
        *whole, pending = (pending + chunk).split(b"\n")
        for answer in reader.feed(whole):
            yield answer
            if answer.complete:
                return
            begun = begun or bool(answer.text.strip())
        if len(pending) > LARGEST_LINE:
            raise CompletionUnavailable("a line of the answer is too long")
        if begun:
            await gather()
    for answer in reader.feed([pending] if pending else []):
        yield answer
        if answer.complete:
            return
    yield reader.end()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where an API is, and what reaches it: httpx's client would add nothing to that but CPU."""

    url: str
    transport: httpx.AsyncBaseTransport


class Client:
    """A completion API with retries, a deadline, and a limit on concurrent answers.

    It is a `handlers.dialogue.completion.Completion`.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        credentials: Credentials,
        dialect: Dialect,
        place: Callable[[], AbstractAsyncContextManager[None]],
        request_id: Callable[[int], str],
        timing: Timing = Timing(),
    ) -> None:
        """Each answer is generated within a ``place()``, which limits how many there are.

        ``request_id(chat)`` makes the id of each try.
        """
        self._endpoint = endpoint
        self._credentials = credentials
        self._dialect = dialect
        self._place = place
        self._request_id = request_id
        self._timing = timing

    async def stream(
        self, profile: Profile, messages: Sequence[Message], chat_id: int
    ) -> AsyncGenerator[Answer]:
        """Yield the answer as it grows; see `Completion`.

        A try that fails for a temporary reason is followed by another, which starts the text over,
        until `Timing.model_silence` after the first one began.
        """
        request = self._dialect.completion(profile, messages, stream=True)
        said = [*(message.text for message in messages), ""]  # and the answer
        tries = measured(self._tries(request, said, chat_id))
        async with self._place(), aclosing(tries) as answers:
            async for answer in answers:
                yield answer

    async def answer(self, profile: Profile, messages: Sequence[Message]) -> Answer:
        """Ask once, without streaming. Raises a `CompletionError`."""
        request = self._dialect.completion(profile, messages, stream=False)
        with _without_echo(message.text for message in messages):
            return self._dialect.answer(await self._told(request, 0, self._timing.model_silence))

    async def count(
        self, profile: Profile, messages: Sequence[Message], chat_id: int
    ) -> int | None:
        """Count a request's tokens with the API's tokeniser; see `Completion`."""
        if not self._dialect.capabilities.counts:
            return None
        request = self._dialect.tokens(profile, messages)
        with _without_echo(message.text for message in messages):
            return self._dialect.counted(await self._told(request, chat_id, self._timing.count))

    async def _tries(
        self, request: Request, said: list[str], chat_id: int
    ) -> AsyncGenerator[Answer]:
        clock = asyncio.get_running_loop().time
        silence, pauses = self._timing.model_silence, self._timing.model_pauses
        deadline = clock() + silence
        for pause in chain(pauses, repeat(pauses[-1])):
            try:
                with _without_echo(said):
                    async with aclosing(self._attempt(request, chat_id, deadline)) as answers:
                        async for answer in answers:
                            said[-1] = answer.text
                            yield answer
                        return
            except CompletionUnavailable as error:
                wait = max(pause * random.uniform(0.5, 1.5), error.retry_after or 0)
                if clock() + wait > deadline - silence / 10:
                    raise  # too little time is left for an answer to begin
                log.info("completion_retried", reason=str(error), seconds=round(wait, 1))
            await asyncio.sleep(wait)

    async def _told(self, request: Request, chat_id: int, seconds: float) -> bytes:
        """Ask once, without streaming; returns the response's body."""
        try:
            async with AsyncExitStack() as connection, asyncio.timeout(seconds):
                return await (await self._open(connection, request, chat_id)).aread()
        except TimeoutError as error:
            raise CompletionUnavailable(f"silent for {seconds:.0f} s") from error
        except httpx.HTTPError as error:
            raise CompletionUnavailable(f"{type(error).__name__}: {error}") from error

    async def _attempt(
        self, request: Request, chat_id: int, deadline: float
    ) -> AsyncGenerator[Answer]:
        clock = asyncio.get_running_loop().time
        silence, longest = self._timing.model_silence, self._timing.answer
        end = clock() + longest
        try:
            async with AsyncExitStack() as connection:
                async with asyncio.timeout_at(deadline):
                    response = await self._open(connection, request, chat_id)
                    chunks = response.aiter_bytes()
                    gather = functools.partial(_gather, response, self._timing.gather)
                    reading = aclosing(read(chunks, self._dialect.reader(), gather))
                    answers = await connection.enter_async_context(reading)
                    answer = await anext(answers)
                while not answer.complete:
                    yield answer
                    # aiohttp's own time-out does not notice every way in which a stream can stall.
                    async with asyncio.timeout_at(min(clock() + silence, end)):
                        answer = await anext(answers)
                # First, because the caller may stop once it has the answer.
                await _drain(chunks, self._timing.ending)
                yield answer
        except TimeoutError as error:
            reason = f"silent for {silence:.0f} s, or not done in {longest:.0f} s"
            raise CompletionUnavailable(reason) from error
        except httpx.HTTPError as error:
            raise CompletionUnavailable(f"{type(error).__name__}: {error}") from error

    async def _open(
        self, connection: AsyncExitStack, request: Request, chat_id: int
    ) -> httpx.Response:
        response = await self._post(connection, request, chat_id)
        if response.status_code == 401 and self._credentials.renewable:
            self._credentials.drop()
            await response.aclose()  # or each request would hold two of the pool's connections
            response = await self._post(connection, request, chat_id)
        if response.status_code == 429:
            TOO_MANY.inc()
        if response.status_code != 200:
            body = await response.aread()
            raise self._dialect.error(response.status_code, response.headers, body)
        return response

    async def _post(
        self, connection: AsyncExitStack, request: Request, chat_id: int
    ) -> httpx.Response:
        headers = {
            **await self._credentials.headers(),
            "x-client-request-id": self._request_id(chat_id),
            **request.headers,
        }
        posted = httpx.Request(
            "POST",
            _url(f"{self._endpoint.url}{request.path}"),
            json=request.body,
            headers=headers,
            extensions={"timeout": TIMEOUTS},
        )
        response = await self._endpoint.transport.handle_async_request(posted)
        connection.push_async_callback(response.aclose)
        return response


@contextlib.contextmanager
def _without_echo(said: Iterable[str]) -> Iterator[None]:
    """Remove from the API's errors what they repeat of a request or an answer."""
    try:
        yield
    except CompletionError as error:
        error.args = (without_echo(str(error), said),)
        raise


async def _gather(response: httpx.Response, seconds: float) -> None:
    """Let more of a body come before it is read, if the transport can; it sees the end at once."""
    if gather := response.extensions.get("gather"):
        await gather(seconds)


async def _drain(chunks: AsyncIterator[bytes], seconds: float) -> None:
    """Read to the end, so that the connection can be reused; a missing end is not an error."""
    with contextlib.suppress(TimeoutError, httpx.HTTPError):
        async with asyncio.timeout(seconds):
            async for _ in chunks:
                pass
