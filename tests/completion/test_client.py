"""The client over a real connection, with YandexGPT's own dialect."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any
from uuid import uuid4

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from bot.completion.client import LARGEST_LINE, Client, Endpoint, read
from bot.completion.credentials import Credentials, FetchedToken, Token, metadata
from bot.completion.native import Native, decode, encode
from bot.playground.yandex.completion import CompletionServer
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
)
from bot.transport import transport
from bot.web import serving
from handlers.dialogue.completion import (
    Answer,
    CompletionError,
    CompletionMisconfigured,
    CompletionRefused,
    CompletionUnavailable,
    ContextTooLong,
)
from storage.message import Message, well_formed
from storage.timing import Timing
from tests.completion import (
    PROFILE,
    QUESTION,
    TOO_MANY,
    Connection,
    anything,
    line,
    listening,
    saying,
    until,
)

KEY = "AQVN-sesame"


class Taken(list[bytes]):
    """A reader that takes lines and answers nothing."""

    def feed(self, lines: Sequence[bytes]) -> Sequence[Answer]:
        self.extend(lines)
        return ()

    def end(self) -> Answer:
        return Answer("", complete=True)


async def at_once() -> None:
    """Let nothing gather."""


def split(chunks: Sequence[bytes]) -> list[bytes]:
    """Let a stream of chunks be read, and give the lines."""
    taken = Taken()

    async def arriving() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    async def collect() -> None:
        assert [answer async for answer in read(arriving(), taken, at_once)] == [taken.end()]

    asyncio.run(collect())
    return taken


@st.composite
def cut(draw: st.DrawFn, data: bytes) -> list[bytes]:
    """Cut bytes into chunks, anywhere."""
    places = sorted(draw(st.lists(st.integers(0, len(data)), max_size=12)))
    return [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]


@pytest.mark.slow
@given(st.data(), st.lists(anything, min_size=1, max_size=4), st.booleans(), st.booleans())
def test_any_text_survives_any_cutting(
    data: st.DataObject, texts: list[str], escaped: bool, last_newline: bool
) -> None:
    """However the network cuts a stream, each line's text arrives as it was written."""
    written = [line(f"({text})") for text in texts]
    if escaped:
        written = [json.dumps(json.loads(one)).encode() for one in written]
    stream = b"\n".join(written) + (b"\n" if last_newline else b"")
    arrived = [decode(one).text for one in split(data.draw(cut(stream)))]
    assert arrived == [well_formed(f"({text})") for text in texts]
    assert "".join(arrived).encode()


@given(st.data(), st.text(st.sampled_from("a \n\r\t\x0b\x0c\x85\u2028é"), max_size=60))
def test_lines_end_at_newlines_only(data: st.DataObject, text: str) -> None:
    """Lines are what stands between newlines, blank ones too, whatever the chunks are."""
    stream = text.encode()
    *wanted, rest = stream.split(b"\n")
    wanted += [rest] if rest else []
    assert split(data.draw(cut(stream))) == wanted


def test_a_line_beyond_all_measure_is_refused() -> None:
    """A stream that never ends its line cannot fill the memory."""
    largest = b"0" * LARGEST_LINE
    assert split([largest, b"\nrest"]) == [largest, b"rest"]
    with pytest.raises(CompletionUnavailable, match="too long"):
        split([b"a\n" + largest, b"0", b"\n"])


async def test_nothing_is_read_beyond_a_complete_answer() -> None:
    """Whatever follows it, and whether or not anything does."""
    too_long = b"x" * (LARGEST_LINE + 1)

    async def arriving() -> AsyncIterator[bytes]:
        yield b"\n".join([line("a", "PARTIAL"), line("ab"), line("abc"), too_long])

    found = [answer async for answer in read(arriving(), Native().reader(), at_once)]
    assert found == [Answer("a"), Answer("ab", complete=True)]


class Words:
    """A model that repeats the question, and waits before its end until ``go`` is set."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.go.set()
        self.now = self.most = 0

    async def answer(
        self, messages: Sequence[Message], *, temperature: float, max_tokens: int
    ) -> AsyncIterator[str]:
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            yield f"you said: {messages[-1].text}"
            await self.go.wait()
        finally:
            self.now -= 1


@dataclass
class Api:
    """The completion server on the wire, and clients for it."""

    server: CompletionServer
    words: Words
    connections: httpx.AsyncBaseTransport
    url: str = ""
    timing: Timing = Timing(model_pauses=(0.01,))
    ports: set[int] = field(default_factory=set)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.ports.add(scope["client"][1])
        await Starlette(routes=self.server.routes)(scope, receive, send)

    def client(
        self, credentials: Credentials | None = None, concurrency: int = 2, url: str = ""
    ) -> Client:
        """Make a client of the server, or of another address."""
        key = Credentials({"Authorization": f"Api-Key {KEY}"})
        places = asyncio.Semaphore(concurrency)
        return Client(
            Endpoint(url or self.url, self.connections),
            credentials or key,
            Native(),
            lambda: places,
            lambda _: str(uuid4()),
            self.timing,
        )

    async def ask(self, client: Client | None = None) -> list[Answer]:
        """Ask a question; all that was answered, to the end."""
        return [answer async for answer in (client or self.client()).stream(PROFILE, QUESTION, 0)]

    async def fails(self, client: Client | None = None) -> CompletionError:
        """Ask a question that gets no answer; how it failed."""
        with pytest.raises(CompletionError) as caught:
            await self.ask(client)
        assert KEY not in "".join(map(repr, (caught.value, caught.value.__cause__)))
        await until(lambda: self.server.open == 0)
        return caught.value


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    """A server that can be told what to answer."""
    words = Words()
    server = CompletionServer(words, folder="folder", keys={KEY})
    async with transport(None, 3) as connections:
        api = Api(server, words, connections)
        async with serving(api, "127.0.0.1", 0) as api.url:
            yield api


ONCE = Timing(model_pauses=(1000.0,))
"""The first try is the last, as the next would come after the deadline."""


@pytest.fixture
def once(api: Api) -> None:
    """Let no request be tried again."""
    api.timing = ONCE


async def test_an_answer_grows_and_completes(api: Api) -> None:
    """Each line is the whole text so far; the last has the counts."""
    api.server.script(Say("one two three", steps=3))
    *growing, last = await api.ask()
    assert [answer.text for answer in growing] == ["one ", "one two "]
    assert not any(answer.complete for answer in growing)
    assert last.text == "one two three"
    assert last.complete
    assert last.prompt_tokens > 0
    assert last.completion_tokens > 0


async def test_what_is_sent(api: Api) -> None:
    """The key, no logging of the dialogue, and an id of its own for each try."""
    api.server.script(Refuse(503), Say("yes"))
    await api.ask()
    first, second = api.server.requests
    assert second.body == encode(PROFILE, QUESTION, stream=True)
    assert second.headers["authorization"] == f"Api-Key {KEY}"
    assert second.headers["x-data-logging-enabled"] == "false"
    assert first.headers["x-client-request-id"] != second.headers["x-client-request-id"]


async def test_a_connection_is_used_again(api: Api) -> None:
    """Requests one after another share a connection, also for those who leave at the last word."""
    api.timing = replace(api.timing, ending=60)
    client = api.client()
    for _ in range(3):
        api.server.script(*[Lines([line("yes") + b"\n", b"\n", b""], delay=0.02)] * 2)
        assert (await api.ask(client))[-1].complete
        async with aclosing(client.stream(PROFILE, QUESTION, 0)) as answers:
            async for answer in answers:
                if answer.complete:
                    break
    assert len(api.ports) == 1


@pytest.mark.parametrize("size", [1, 7, 1000])
async def test_odd_cuts_and_many_lines_in_a_chunk(api: Api, size: int) -> None:
    """The network's chunks have nothing to do with lines or characters."""
    stream = b"\n\r\n".join([line("да\u2028", "PARTIAL"), line("да\u2028😀"[:3]), b""])
    api.server.script(Lines([stream[i : i + size] for i in range(0, len(stream), size)]))
    assert [answer.text for answer in await api.ask()] == ["да\u2028", "да\u2028"]


async def test_a_last_line_without_a_newline(api: Api) -> None:
    """The end of the stream ends its last line as well."""
    api.server.script(Lines([line("yes")]))
    assert (await api.ask())[-1] == Answer("yes", complete=True)


PASSING: list[Reply] = [
    Refuse(429, "quota"),
    Refuse(500),
    Refuse(502, body=b"<html>Bad Gateway</html>"),
    Refuse(503),
    Refuse(504),
    Cut(),
    Cut("begun"),
    Cut("begun", reset=False),
    Cut(reset=False),
    ErrorLine("begun"),
    ErrorLine(status=503),
    Lines([b"<html>\n"]),
    Lines([line("")]),
]


async def test_what_may_pass_is_tried_again(api: Api) -> None:
    """Each try starts the text anew, until one gets to the end."""
    api.server.script(*PASSING, Say("yes", steps=1))
    *begun, last = await api.ask()
    assert [answer.text for answer in begun] == ["begun"] * 3
    assert last.text == "yes"
    assert len(api.server.requests) == len(PASSING) + 1


@pytest.mark.parametrize(
    ("reply", "kind", "reason"),
    [
        (Refuse(400, "invalid model_uri"), CompletionMisconfigured, "invalid model_uri"),
        (Refuse(400, TOO_MANY), ContextTooLong, "32768"),
        (Refuse(401, "Unknown api key"), CompletionMisconfigured, "Unknown api key"),
        (Refuse(403), CompletionMisconfigured, "billing"),
        (Refuse(404, body=b"<html>"), CompletionMisconfigured, "<html>"),
        (Refuse(302, headers={"location": "http://[::1"}), CompletionMisconfigured, "302"),
        (Refuse(501), CompletionMisconfigured, "501"),
        (ErrorLine("begun", 403, "denied"), CompletionMisconfigured, "denied"),
        (Filtered(), CompletionRefused, "content filter"),
        (Filtered(as_final=True, after="begun"), CompletionRefused, "content filter"),
    ],
    ids=str,
)
@pytest.mark.usefixtures("once")
async def test_what_does_not_pass_is_told_at_once(
    api: Api, reply: Any, kind: type[Exception], reason: str
) -> None:
    """Asking again would be of no use, and the error says why."""
    api.server.script(reply)
    error = await api.fails()
    assert type(error) is kind
    assert reason in str(error)
    assert len(api.server.requests) == 1


@pytest.mark.usefixtures("once")
@pytest.mark.parametrize(
    "reply",
    [
        Refuse(400, "bad words: Hello"),
        Refuse(403, body=b"no hello\nfor you"),
        ErrorLine("you said: hello", 400, "hello, you SAID hello"),
    ],
    ids=str,
)
async def test_no_error_repeats_what_was_said(api: Api, reply: Any) -> None:
    """What the API quotes of a question or an answer is in no error; what is its own stays."""
    api.server.script(reply)
    told = str(await api.fails())
    assert told.startswith(f"HTTP {reply.status}: ")
    assert not re.search("hello|said", told, re.IGNORECASE)


@pytest.mark.parametrize("status", [b"400 Bad", b"200 Fine"])
async def test_nor_does_one_without_a_stream(api: Api, status: bytes) -> None:
    """So it is with what is asked for in one piece: answers, and counts."""
    refusal = b'{"error": {"httpCode": 400, "message": "not Hello"}}'
    async with listening(saying(b"HTTP/1.1 " + status + b"\r\n\r\n", refusal)) as port:
        client = api.client(url=f"http://127.0.0.1:{port}")
        for ask in (client.answer, partial(client.count, chat_id=0)):
            with pytest.raises(CompletionError) as caught:
                await ask(PROFILE, QUESTION)
            assert "hello" not in str(caught.value).lower()


async def test_a_truncated_answer(api: Api) -> None:
    """An answer at the limit of tokens is one."""
    api.server.script(Truncated("as far as"))
    assert (await api.ask())[-1].truncated


async def test_tries_end_at_the_deadline(api: Api) -> None:
    """When nothing gets better, the last error is told, with the request's id."""
    api.timing = replace(api.timing, model_pauses=(0.01, 0.01, 1000))
    api.server.script(*[Refuse(503, "down")] * 1000)
    error = await api.fails()
    assert "HTTP 503: down (x-request-id " in str(error)
    assert len(api.server.requests) == 3


async def test_retry_after_is_waited_for(api: Api) -> None:
    """The next try comes no sooner than the API wants it."""
    api.server.script(Refuse(429, headers={"Retry-After": "0.2"}), Say("yes"))
    await api.ask()
    first, second = api.server.requests
    assert second.time - first.time >= 0.2


async def test_a_retry_after_beyond_the_deadline_is_told(api: Api) -> None:
    """Whoever asked learns how long to wait, and need not wait for the news."""
    api.server.script(Refuse(429, headers={"Retry-After": "3600"}))
    error = await api.fails()
    assert isinstance(error, CompletionUnavailable)
    assert error.retry_after == 3600


async def hush(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Take a request, and say nothing."""
    await reader.read()


def drip(*pieces: bytes) -> Connection:
    """Make a server that sends the first piece and then the second, for ever."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + pieces[0])
        while True:
            writer.write(pieces[1])
            await writer.drain()
            await asyncio.sleep(0.005)

    return answer


def corrupt(begun: bytes, go: asyncio.Event | None = None) -> Connection:
    """Make a server that breaks the framing of its own chunks; soon, or when it is to ``go``."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        writer.write(b"%x\r\n%s\r\n" % (len(begun), begun))
        await writer.drain()
        await (go.wait() if go else asyncio.sleep(0.05))
        writer.write(b"no length\r\n")
        await reader.read()

    return answer


BEGUN = line("begun", "PARTIAL") + b"\n"
OK = b"HTTP/1.1 200 OK\r\n\r\n"


@pytest.mark.parametrize(
    "connection",
    [
        hush,
        drip(b"", b"\n"),
        drip(b"", b" "),
        drip(BEGUN, b"\n"),
        drip(BEGUN, b" "),
        corrupt(BEGUN),
    ],
    ids=["silent", "blank lines", "no line", "then blank lines", "then no line", "then corrupt"],
)
async def test_a_server_that_says_nothing(api: Api, connection: Connection) -> None:
    """What keeps a connection open without a line is given up like silence."""
    api.timing = replace(api.timing, model_silence=0.2)
    async with listening(connection) as port:
        error = await api.fails(api.client(url=f"http://127.0.0.1:{port}"))
    assert isinstance(error, CompletionUnavailable)
    assert "silent" in str(error)


@pytest.mark.usefixtures("once")
async def test_a_stream_that_is_corrupt_while_it_gathers(api: Api) -> None:
    """It is broken at once, however long silence may last."""
    api.timing = replace(api.timing, model_silence=100, gather=0.2)
    go = asyncio.Event()
    async with listening(corrupt(BEGUN, go)) as port, asyncio.timeout(60):
        client = api.client(url=f"http://127.0.0.1:{port}")
        answers = client.stream(PROFILE, QUESTION, 0)
        assert (await anext(answers)).text == "begun"
        go.set()
        with pytest.raises(CompletionUnavailable, match="ReadError"):
            await anext(answers)


@pytest.mark.parametrize("reply", [Silence(), Silence("begun")])
async def test_silence_frees_the_generation(api: Api, reply: Silence) -> None:
    """A stream that stops is closed, so that the API's gauge counts it no more."""
    api.timing = replace(api.timing, model_silence=0.2)
    api.server.script(reply)
    assert "silent" in str(await api.fails())


@pytest.mark.slow
async def test_empty_texts_are_a_sign_of_life(api: Api) -> None:
    """A server that has yet to find time for the question is waited for, as long as it says so."""
    api.timing = replace(api.timing, model_silence=3)
    waiting = [line("", "PARTIAL") + b"\n"] * 9
    api.server.script(Lines([*waiting, line("yes") + b"\n"], delay=0.4))
    assert (await api.ask())[-1].text == "yes"


@pytest.mark.usefixtures("once")
async def test_an_endless_answer_is_given_up(api: Api) -> None:
    """A stream that goes on saying something does not go on for ever."""
    api.timing = replace(api.timing, answer=0.2)
    async with listening(drip(BEGUN, BEGUN)) as port:
        error = await api.fails(api.client(url=f"http://127.0.0.1:{port}"))
    assert isinstance(error, CompletionUnavailable)


@pytest.mark.parametrize(
    "after",
    [b"", b"more\n", b"x" * 100, b"HTTP"],
)
async def test_whatever_follows_the_last_line_spoils_nothing(api: Api, after: bytes) -> None:
    """A complete answer is given once, though its connection ends badly or not at all."""
    final = line("yes") + b"\n"
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head + final + after)
        await writer.drain()
        if after == b"":
            await reader.read()  # hold it open

    async with listening(answer) as port:
        answers = await api.ask(api.client(url=f"http://127.0.0.1:{port}"))
    assert answers == [Answer("yes", complete=True)]


# --- words that gather


@dataclass
class Steps:
    """A server that sends a head and a first line, and the rest once it is told to ``go``."""

    rest: list[bytes]
    breaks: bool = False
    head: bytes = b"Content-Length: 4000000"
    go: asyncio.Event = field(default_factory=asyncio.Event)
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n" + self.head + b"\r\n\r\n" + BEGUN)
        await self.go.wait()
        for each in self.rest:
            writer.write(each + b"\n")
            await writer.drain()
            await asyncio.sleep(0.01)
        if self.breaks:
            writer.close()
            self.gone.set()
        await reader.read()


def ending(*lines: bytes) -> Steps:
    """Make a server that tells where its body ends, and keeps the connection open."""
    size = len(BEGUN) + sum(len(line) + 1 for line in lines)
    return Steps([*lines], head=b"Content-Length: %d" % size)


@pytest.fixture
def gathering(api: Api) -> None:
    """Let words gather for longer than a model may be silent: who waits for them gets nothing."""
    api.timing = replace(ONCE, gather=1000, model_silence=60)


async def stepwise(api: Api, server: Steps, *, late: bool = False) -> list[Answer]:
    """Have the first words, and then the rest; ``late``: it is there before it is asked for."""
    async with listening(server) as port:
        client = api.client(url=f"http://127.0.0.1:{port}")
        async with aclosing(client.stream(PROFILE, QUESTION, 0)) as answers:
            first = await anext(answers)
            server.go.set()
            if late:
                await server.gone.wait()
                await asyncio.sleep(0.1)  # nobody tells when it has got here
            return [first, *[answer async for answer in answers]]


MORE = [line("begun, and more", "PARTIAL"), line("begun, and more words", "PARTIAL")]
DONE = line("begun and done")


@pytest.mark.usefixtures("gathering")
async def test_what_gathers_is_read_at_its_end(api: Api) -> None:
    """The first words come at once, and so does the end; what gathered before it is not told."""
    answers = await stepwise(api, ending(*MORE, DONE))
    assert [answer.text for answer in answers] == [
        "begun",
        "begun, and more words",
        "begun and done",
    ]


@pytest.mark.usefixtures("gathering")
async def test_nothing_gathers_before_the_first_words(api: Api) -> None:
    """A line without words delays those in the next one not at all."""
    go = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK + line(" ", "PARTIAL") + b"\n")
        await go.wait()
        writer.write(BEGUN)
        await reader.read()

    async with listening(answer) as port:
        client = api.client(url=f"http://127.0.0.1:{port}")
        async with aclosing(client.stream(PROFILE, QUESTION, 0)) as answers:
            assert (await anext(answers)).text == " "
            go.set()
            assert (await anext(answers)).text == "begun"


async def test_what_gathered_is_read_in_time(api: Api) -> None:
    """Words come while the model goes on."""
    server = Steps(MORE)
    async with listening(server) as port:
        client = api.client(url=f"http://127.0.0.1:{port}")
        async with aclosing(client.stream(PROFILE, QUESTION, 0)) as answers:
            await anext(answers)
            server.go.set()
            while (await anext(answers)).text != "begun, and more words":
                pass


@pytest.mark.usefixtures("gathering")
@pytest.mark.parametrize("late", [False, True])
async def test_a_stream_that_breaks_while_words_gather(api: Api, late: bool) -> None:
    """That is noticed at once, too; nobody waits for what cannot come."""
    with pytest.raises(CompletionUnavailable, match="ReadError"):
        await stepwise(api, Steps([], breaks=True), late=late)


@pytest.mark.usefixtures("gathering")
@pytest.mark.parametrize("late", [False, True])
async def test_an_answer_is_not_lost_with_its_connection(api: Api, late: bool) -> None:
    """What has come is read, whatever happens behind it."""
    answers = await stepwise(api, Steps([DONE], breaks=True), late=late)
    assert answers[-1] == Answer("begun and done", complete=True)


@pytest.mark.usefixtures("gathering")
async def test_much_gathers_without_a_pause(api: Api) -> None:
    """A long answer that comes at once fills no buffer that must be emptied before it goes on."""
    long = [line(f"begun {'x' * 50_000} {number}", "PARTIAL") for number in range(30)]
    assert (await stepwise(api, ending(*long, DONE)))[-1].complete


@pytest.mark.usefixtures("gathering")
async def test_an_error_among_what_gathered_repeats_none_of_it(api: Api) -> None:
    """The words before it are known, so that they can be taken out of it."""
    error = b'{"error": {"httpCode": 400, "message": "you must not say purple"}}'
    with pytest.raises(CompletionMisconfigured) as caught:
        await stepwise(api, ending(*MORE, line("say purple", "PARTIAL"), error, DONE))
    assert "400" in str(caught.value)
    assert "purple" not in str(caught.value)


@pytest.mark.usefixtures("once")
async def test_a_refused_connection(api: Api) -> None:
    """Nobody there is a reason to try later."""
    async with listening(hush) as port:
        pass
    error = await api.fails(api.client(url=f"http://127.0.0.1:{port}"))
    assert isinstance(error, CompletionUnavailable)
    assert "ConnectError" in str(error)


async def test_cancelling_frees_the_generation_at_once(api: Api) -> None:
    """Who stops waiting closes the connection, and makes room for the next."""
    client = api.client(concurrency=1)
    api.server.script(Silence("begun"), Say("yes"))
    begun = asyncio.Event()

    async def wait() -> None:
        async for _ in client.stream(PROFILE, QUESTION, 0):
            begun.set()

    task = asyncio.create_task(wait())
    await begun.wait()
    assert api.server.open == 1
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    await until(lambda: api.server.open == 0)
    assert (await api.ask(client))[-1].text == "yes"


async def test_leaving_frees_the_generation_at_once(api: Api) -> None:
    """So does who has heard enough."""
    client = api.client(concurrency=1)
    api.server.script(Silence("begun"), Say("yes"))
    async with aclosing(client.stream(PROFILE, QUESTION, 0)) as answers:
        assert await anext(answers) == Answer("begun")
    await until(lambda: api.server.open == 0)
    assert (await api.ask(client))[-1].text == "yes"


async def test_no_more_generations_than_allowed(api: Api) -> None:
    """Requests beyond the bound wait for their turn, and all are answered."""
    api.words.go.clear()
    client = api.client(concurrency=2)
    async with asyncio.TaskGroup() as tasks:
        asking = [tasks.create_task(api.ask(client)) for _ in range(5)]
        await until(lambda: api.words.now == 2)
        await asyncio.sleep(0.05)
        assert len(api.server.requests) == 2
        api.words.go.set()
    assert all(task.result()[-1].complete for task in asking)
    assert api.words.most == 2


async def test_a_whole_answer_in_one_piece(api: Api) -> None:
    """A question can also be asked without a stream."""
    answer = await api.client().answer(PROFILE, QUESTION)
    assert answer.text == "you said: hello"
    assert answer.complete
    assert api.server.requests[0].body["completionOptions"]["stream"] is False


async def test_a_whole_answer_is_asked_for_once(api: Api) -> None:
    """Then a failure of any kind is told at once."""
    api.server.script(Refuse(503), Cut(), Filtered(), Silence())
    for kind, reason, silence in [
        (CompletionUnavailable, "HTTP 503", 60),
        (CompletionUnavailable, "ReadError", 60),
        (CompletionRefused, "content filter", 60),
        (CompletionUnavailable, "silent", 1),
    ]:
        api.timing = replace(api.timing, model_silence=silence)
        client = api.client()
        with pytest.raises(kind, match=reason):
            await client.answer(PROFILE, QUESTION)
    assert len(api.server.requests) == 4


async def test_tokens_are_counted_as_they_are_billed(api: Api) -> None:
    """The tokeniser gets the same dialogue, and says what the completion will."""
    tokens = await api.client().count(PROFILE, QUESTION, 0)
    request = api.server.requests[0]
    assert request.path == "/foundationModels/v1/tokenizeCompletion"
    assert request.body == encode(PROFILE, QUESTION, stream=False)
    assert request.headers["authorization"] == f"Api-Key {KEY}"
    assert tokens == (await api.ask())[-1].prompt_tokens


async def test_counting_takes_no_place(api: Api) -> None:
    """While all generations are busy, the tokens of another dialogue can be counted."""
    api.words.go.clear()
    client = api.client(concurrency=1)
    asking = asyncio.create_task(api.ask(client))
    await until(lambda: api.words.now == 1)
    assert (await client.count(PROFILE, QUESTION, 0) or 0) > 0
    api.words.go.set()
    assert (await asking)[-1].complete


async def test_a_token_refused_to_the_tokeniser_is_renewed_once(api: Api) -> None:
    """Counting signs in as asking does."""
    client = api.client(machine(api))
    await client.count(PROFILE, QUESTION, 0)
    api.server.iam.expire()
    assert (await client.count(PROFILE, QUESTION, 0) or 0) > 0
    assert tries(api) == [200, 401, 200]
    api.server.iam.lifetime = 0
    with pytest.raises(CompletionMisconfigured):
        await api.client(machine(api)).count(PROFILE, QUESTION, 0)


@pytest.mark.parametrize(
    ("connection", "reason"),
    [
        (saying(OK, b"{}"), "unreadable count"),
        (saying(OK, b'{"tokens": null}'), "unreadable count"),
        (saying(OK, b'["tokens"]'), "unreadable count"),
        (saying(OK, b"<html>"), "unreadable count"),
        (saying(b"HTTP/1.1 503 Down\r\n\r\n", b"later"), "HTTP 503: later"),
        (saying(), "Server disconnected"),
        (hush, "silent for 1 s"),
    ],
)
async def test_a_count_that_fails(api: Api, connection: Connection, reason: str) -> None:
    """It is asked for once, and no answer is an ordinary error."""
    api.timing = Timing(count=1 if connection is hush else 60)
    async with listening(connection) as port:
        client = api.client(url=f"http://127.0.0.1:{port}")
        with pytest.raises(CompletionUnavailable, match=reason):
            await client.count(PROFILE, QUESTION, 0)


# --- credentials and the client


def machine(api: Api) -> FetchedToken:
    """Sign in by the metadata of a machine, which the same server has."""
    http = httpx.AsyncClient(transport=api.connections)
    return FetchedToken(metadata(http, api.url.removeprefix("http://")))


def tries(api: Api) -> list[int | None]:
    """How the requests for completions ended."""
    return [exchange.status for exchange in api.server.requests]


async def test_a_refused_token_is_renewed_once(api: Api) -> None:
    """When a token died before its time, a new one serves the same question."""
    client = api.client(machine(api))
    await api.ask(client)
    api.server.iam.expire()
    assert (await api.ask(client))[-1].complete
    assert tries(api) == [200, 401, 200]


async def test_many_refused_tokens_are_renewed_at_once(api: Api) -> None:
    """As many requests as there may be get through, though each connection is wanted twice."""
    client = api.client(machine(api), concurrency=3)
    await api.ask(client)
    api.server.iam.expire()
    answers = await asyncio.gather(*(api.ask(client) for _ in range(6)))
    assert all(answer[-1].complete for answer in answers)


async def test_a_token_that_is_always_refused(api: Api) -> None:
    """A second refusal is for the owner; there is no third try."""
    api.server.iam.lifetime = 0
    error = await api.fails(api.client(machine(api)))
    assert isinstance(error, CompletionMisconfigured)
    assert tries(api) == [401, 401]


async def test_a_key_that_is_refused_is_not_tried_again(api: Api) -> None:
    """A key never changes."""
    api.server.keys = {"another"}
    assert isinstance(await api.fails(), CompletionMisconfigured)
    assert tries(api) == [401]


async def test_signing_in_is_tried_again(api: Api) -> None:
    """When no token can be had for now, the next try may have one."""
    problems = [CompletionUnavailable("down")]

    async def fetch() -> Token:
        if problems:
            raise problems.pop()
        return Token(KEY, 600)

    assert (await api.ask(api.client(FetchedToken(fetch))))[-1].complete


# --- every error of the HTTP client


def kinds_of(kind: type[Exception]) -> list[type[Exception]]:
    """Find an error and all kinds of it, at any depth."""
    return [kind, *(deeper for sub in kind.__subclasses__() for deeper in kinds_of(sub))]


def make(kind: type[Exception]) -> Exception:
    """Make one of httpx's errors."""
    request = httpx.Request("POST", "http://host")
    if issubclass(kind, httpx.HTTPStatusError):
        return kind("told", request=request, response=httpx.Response(500))
    return kind("told")


class BreaksOff(httpx.AsyncByteStream):
    """A body of one line, and then an error."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield BEGUN
        raise self.error


def unsent(error: Exception) -> Callable[[httpx.Request], httpx.Response]:
    """Fail to send any request."""

    def handle(_request: httpx.Request) -> httpx.Response:
        raise error

    return handle


def midway(error: Exception) -> Callable[[httpx.Request], httpx.Response]:
    """Fail in the middle of every response."""
    return lambda _request: httpx.Response(200, stream=BreaksOff(error))


@pytest.mark.slow
@pytest.mark.parametrize("moment", [unsent, midway])
@pytest.mark.parametrize("signing_in", [False, True])
@pytest.mark.parametrize("kind", kinds_of(httpx.HTTPError))
async def test_no_error_of_httpx_gets_out(
    kind: type[Exception],
    signing_in: bool,
    moment: Callable[[Exception], Callable[[httpx.Request], httpx.Response]],
) -> None:
    """Whatever the HTTP client raises, and whenever, there is no answer for now."""
    failing = httpx.MockTransport(moment(make(kind)))
    async with httpx.AsyncClient(transport=failing) as http:
        fetched = FetchedToken(metadata(http, "host"))
        credentials = fetched if signing_in else Credentials({})
        places = contextlib.nullcontext
        client = Client(Endpoint("http://host", failing), credentials, Native(), places, str, ONCE)
        with pytest.raises(CompletionUnavailable, match="told"):
            _ = [answer async for answer in client.stream(PROFILE, QUESTION, 0)]
        with pytest.raises(CompletionUnavailable, match="told"):
            await client.count(PROFILE, QUESTION, 0)
