"""A second dialect through the same client, over a real connection: events with pieces of text."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request as Asked
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from bot.completion.client import LARGEST_LINE, Client, Endpoint
from bot.completion.credentials import FetchedToken, Token
from bot.completion.dialect import Capabilities, Dialect, Reader, Request
from bot.completion.probe import probe
from bot.transport import transport
from bot.web import serving
from handlers.dialogue.completion import (
    Answer,
    CompletionError,
    CompletionMisconfigured,
    CompletionUnavailable,
)
from handlers.dialogue.conversation import Conversation
from handlers.dialogue.profile import Profile
from storage.history import Past
from storage.message import Message
from storage.timing import Timing
from tests.completion import PROFILE, QUESTION

PATH = "/v2/pieces"


class PiecesReader(Reader):
    """Puts an answer together; what has a reason to finish is complete once all is read."""

    def __init__(self) -> None:
        self._text = ""
        self._tokens = 0
        self._ended = False

    def feed(self, lines: Sequence[bytes]) -> Iterator[Answer]:
        """Read lines of events; comments and blank lines tell nothing."""
        for line in lines:
            name, _, value = line.partition(b": ")
            if name != b"data":
                continue
            if value == b"[DONE]":
                yield self.end()
                continue
            event = json.loads(value)
            if "error" in event:
                raise CompletionUnavailable(event["error"])
            self._tokens = event.get("tokens", 0)
            self._ended |= "end" in event
            self._text += event.get("piece", "")
            yield Answer(self._text)

    def end(self) -> Answer:
        """It is whole if the model said so."""
        if not self._ended:
            raise CompletionUnavailable("the pieces broke off")
        return Answer(self._text, complete=True, prompt_tokens=self._tokens)


class Pieces(Dialect):
    """The dialect of an API that has no tokeniser."""

    capabilities = Capabilities(counts=False)

    def completion(self, profile: Profile, messages: Sequence[Message], *, stream: bool) -> Request:
        """Ask for an answer."""
        said = [[message.role.value, message.text] for message in messages]
        body = {"model": profile.model, "stream": stream, "said": said}
        return Request(PATH, body, {"x-project": "folder"})

    def reader(self) -> Reader:
        """Begin to read an answer."""
        return PiecesReader()

    def answer(self, body: bytes) -> Answer:
        """Read an answer in one piece."""
        return Answer(json.loads(body)["whole"], complete=True)

    def tokens(self, profile: Profile, messages: Sequence[Message]) -> Request:
        """Nobody asks for that."""
        raise AssertionError

    def counted(self, body: bytes) -> int:
        """Nor reads it."""
        raise AssertionError

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> CompletionError:
        """Tell what may pass by the status."""
        kind = CompletionUnavailable if status >= 500 else CompletionMisconfigured
        return kind(f"{status} {body.decode()}")


class Server:
    """Says what it is told to, event by event; knows one token."""

    def __init__(self) -> None:
        self.token = "t1"
        self.asked: list[tuple[Mapping[str, str], Any]] = []
        self.answers: deque[Response] = deque()

    async def respond(self, request: Asked) -> Response:
        """Answer one request."""
        self.asked.append((request.headers, await request.json()))
        if request.headers["authorization"] != f"Bearer {self.token}":
            return Response("who?", 401)
        return self.answers.popleft()

    @property
    def ids(self) -> list[str]:
        """The ids of all requests."""
        return [headers["x-client-request-id"] for headers, _ in self.asked]


def events(*lines: str, then: asyncio.Event | None = None, newline: str = "\n") -> Response:
    """Say these lines, and then nothing until ``then``."""

    async def told() -> AsyncIterator[bytes]:
        for line in lines:
            yield f"{line}{newline}".encode()
        if then:
            await then.wait()

    return StreamingResponse(told())


def pieces(*texts: str, end: Iterable[str] = ('data: {"end": 1}', "data: [DONE]")) -> Response:
    """Say a text in pieces, with a comment before each."""
    told = [json.dumps({"piece": text}) for text in texts]
    return events(*(line for piece in told for line in (": ping", f"data: {piece}", "")), *end)


@pytest.fixture
async def server() -> Server:
    """A server that has not been asked yet."""
    return Server()


HURRY = Timing(model_pauses=(0.01,))


@pytest.fixture
def timing() -> Timing:
    """How long the client waits."""
    return HURRY


@pytest.fixture
async def client(server: Server, timing: Timing) -> AsyncIterator[Client]:
    """A client of that server, with tokens that the server can refuse."""

    async def fetch() -> Token:
        return Token(server.token, 600)

    app = Starlette(routes=[Route(PATH, server.respond, methods=["POST"])])
    async with (
        serving(app, "127.0.0.1", 0) as url,
        transport(None, 2) as connections,
    ):
        number = iter(range(100))
        yield Client(
            Endpoint(url, connections),
            FetchedToken(fetch),
            Pieces(),
            nullcontext,
            lambda chat: f"{chat}-{next(number)}",
            timing,
        )


async def ask(client: Client) -> list[Answer]:
    """Ask a question in the chat 7; all that was answered."""
    return [answer async for answer in client.stream(PROFILE, QUESTION, 7)]


async def test_an_answer_in_pieces(client: Client, server: Server) -> None:
    """Its path, headers and body are the dialect's own, and so is what a line means."""
    server.answers.append(
        pieces("one ", "two", end=['data: {"end": 1, "tokens": 5}', "data: [DONE]"])
    )
    *growing, last = await ask(client)
    assert [answer.text for answer in growing] == ["one ", "one two", "one two"]
    assert last == Answer("one two", complete=True, prompt_tokens=5)
    [(headers, body)] = server.asked
    assert body == {"model": PROFILE.model, "stream": True, "said": [["user", "hello"]]}
    assert headers["x-project"] == "folder"
    assert "x-data-logging-enabled" not in headers
    assert server.ids == ["7-0"]


async def test_the_end_of_the_body_may_complete_it(client: Client, server: Server) -> None:
    """Some say no last word."""
    server.answers.append(pieces("all", end=['data: {"end": 1}']))
    assert (await ask(client))[-1] == Answer("all", complete=True)


async def test_what_may_pass_is_tried_again(client: Client, server: Server) -> None:
    """A refusal, an error between the pieces, a stream that breaks off; each try begins anew."""
    server.answers += [
        Response("busy", 503),
        pieces("be", end=['data: {"error": "down"}']),
        pieces("be", end=[]),
        pieces("begun"),
    ]
    assert [answer.text for answer in await ask(client)] == ["be", "be", *["begun"] * 3]
    assert server.ids == ["7-0", "7-1", "7-2", "7-3"]


async def test_what_does_not_pass_is_told_at_once(client: Client, server: Server) -> None:
    """By the dialect's own judgement, and without what was said."""
    server.answers.append(Response("no hello here", 400))
    with pytest.raises(CompletionMisconfigured, match=r"^400 no … here$"):
        await ask(client)
    assert len(server.asked) == 1


@pytest.mark.parametrize("timing", [replace(HURRY, model_silence=0.3)])
async def test_comments_are_silence(client: Client, server: Server) -> None:
    """A server that only keeps the connection open is given up."""
    over = asyncio.Event()
    server.answers.append(events(": ping", "", ": ping", then=over))
    with pytest.raises(CompletionUnavailable, match="silent"):
        await ask(client)
    over.set()


async def test_a_line_beyond_all_measure(client: Client, server: Server) -> None:
    """It is refused whatever the dialect would make of it."""
    over = asyncio.Event()
    server.answers += [events("x" * (LARGEST_LINE + 1), then=over, newline=""), pieces("short")]
    assert (await ask(client))[-1].text == "short"
    assert len(server.asked) == 2
    over.set()


async def test_a_refused_token_is_renewed_once(client: Client, server: Server) -> None:
    """With a new id, and the same question."""
    server.answers += [pieces("one"), pieces("two")]
    await ask(client)
    server.token = "t2"
    assert (await ask(client))[-1].text == "two"
    assert [headers["authorization"] for headers, _ in server.asked] == [
        "Bearer t1",
        "Bearer t1",
        "Bearer t2",
    ]
    assert len(set(server.ids)) == 3


async def test_a_whole_answer_in_one_piece(client: Client, server: Server) -> None:
    """As it is asked for without a stream."""
    server.answers.append(JSONResponse({"whole": "yes"}))
    assert (await client.answer(PROFILE, QUESTION)).text == "yes"
    assert server.asked[0][1]["stream"] is False


async def test_what_cannot_be_counted_is_not_asked_for(client: Client, server: Server) -> None:
    """The conversation goes by its estimate, which learns from what the answers tell."""
    conversation, past = Conversation(client), Past((), epoch=0)
    before = await conversation.measure(PROFILE, 7, past, tuple)
    await probe(client, PROFILE)
    assert server.asked == []
    server.answers.append(pieces("a", end=['data: {"end": 1, "tokens": 9999}', "data: [DONE]"]))
    [_ async for _ in conversation.ask(PROFILE, 7, [], "hello " * 1000)]
    after = await conversation.measure(PROFILE, 7, past, tuple)
    assert 0 < before.tokens < after.tokens
    assert server.ids == ["7-0"]
