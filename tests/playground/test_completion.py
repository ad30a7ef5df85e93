"""The completion server, on the wire as YandexGPT's native API is described and recorded."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.applications import Starlette

from bot.playground.yandex.completion import CompletionServer
from bot.playground.yandex.prompt import Prompt, Refusal, count, pieces, read
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
    growing,
)
from bot.web import serving
from storage.message import Message, Role

COMPLETION = "/foundationModels/v1/completion"
TOKENS = "/iam/v1/tokens"
METADATA = "/computeMetadata/v1/instance/service-accounts/default/token"


class Echo:
    """Words that repeat the last message in pieces of three characters."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, float]] = []
        self.pause = 0.0
        self.closed = 0

    async def answer(
        self, messages: Sequence[Message], *, temperature: float, max_tokens: int
    ) -> AsyncIterator[str]:
        self.asked.append((max_tokens, temperature))
        text = messages[-1].text
        try:
            for start in range(0, len(text), 3):
                await asyncio.sleep(self.pause)
                yield text[start : start + 3]
        finally:
            self.closed += 1


@pytest.fixture
def words() -> Echo:
    return Echo()


@pytest.fixture
def server(words: Echo) -> CompletionServer:
    return CompletionServer(words, folder="folder", keys={"key"}, limit=2, context=100)


@pytest.fixture
async def client(server: CompletionServer) -> AsyncIterator[httpx.AsyncClient]:
    """Serve it; yields a client with a good key."""
    headers = {"authorization": "Api-Key key"}
    async with (
        serving(Starlette(routes=server.routes), "127.0.0.1", 0) as url,
        httpx.AsyncClient(base_url=url, headers=headers, timeout=20) as client,
    ):
        yield client


def body(*texts: str, stream: bool = True, **options: Any) -> dict[str, Any]:
    """Make a completion request of user messages."""
    return {
        "modelUri": "gpt://folder/yandexgpt-lite",
        "completionOptions": {"stream": stream, **options},
        "messages": [{"role": "user", "text": text} for text in texts],
    }


async def lines(client: httpx.AsyncClient, request: dict[str, Any]) -> list[Any]:
    """Ask for a stream; its lines."""
    answer = await client.post(COMPLETION, json=request)
    assert answer.status_code == 200
    return [json.loads(line) for line in answer.content.split(b"\n") if line]


def texts(results: list[Any]) -> list[tuple[str, str]]:
    """Read text and status of each line."""
    alternatives = [line["result"]["alternatives"][0] for line in results]
    return [
        (a["message"]["text"], a["status"].removeprefix("ALTERNATIVE_STATUS_"))
        for a in alternatives
    ]


async def test_streams_the_whole_text_so_far(client: httpx.AsyncClient) -> None:
    """Each line holds all of the text, counters are growing strings, the last line is final."""
    text = "Съешь ещё этих мягких французских булок 😀 да выпей чаю"
    results = await lines(client, body(text))
    shown = texts(results)
    assert shown[-1] == (text, "FINAL")
    assert len(shown) > 1
    assert all(status == "PARTIAL" and text.startswith(part) for part, status in shown[:-1])
    usages = [line["result"]["usage"] for line in results]
    counters = [int(usage["completionTokens"]) for usage in usages]
    assert counters == sorted(counters)
    assert usages[-1]["totalTokens"] == str(int(usages[-1]["inputTextTokens"]) + counters[-1])


async def test_answers_whole_when_no_stream_is_asked(client: httpx.AsyncClient) -> None:
    """Without stream there is one object; "ping" counts 15 tokens as was recorded."""
    answer = await client.post(COMPLETION, json=body("ping", stream=False))
    assert texts([answer.json()]) == [("ping", "FINAL")]
    assert answer.json()["result"]["usage"]["inputTextTokens"] == "15"


async def test_details_of_usage_come_in_three_shapes(client: httpx.AsyncClient) -> None:
    """CompletionTokensDetails is missing, empty or filled, in turn."""
    usages = [(await lines(client, body("x")))[-1]["result"]["usage"] for _ in range(3)]
    details = [usage.get("completionTokensDetails", "missing") for usage in usages]
    assert sorted(map(str, details)) == ["missing", "{'reasoningTokens': '0'}", "{}"]


@pytest.mark.parametrize("most", ["2", 2])
async def test_truncates_at_max_tokens(client: httpx.AsyncClient, words: Echo, most: Any) -> None:
    """maxTokens, a string or a number, ends the answer and its words."""
    request = body("abcdefghi", maxTokens=most, temperature=1)
    assert texts(await lines(client, request)) == [("abcdef", "TRUNCATED_FINAL")]
    assert words.asked == [(2, 1.0)]
    assert words.closed == 1


async def test_slow_words_go_out_one_by_one(
    client: httpx.AsyncClient, server: CompletionServer, words: Echo
) -> None:
    """A slow model's pieces do not wait until a line is long."""
    server.longest_line = 0
    words.pause = 0.001
    assert len(await lines(client, body("abcdefghi"))) == 4


async def test_echoes_ids_and_records_the_request(
    client: httpx.AsyncClient, server: CompletionServer
) -> None:
    """Ids come back in headers; headers and body are kept, in public without the credentials."""
    answer = await client.post(
        COMPLETION, json=body("x"), headers={"x-client-request-id": "id", "x-folder-id": "folder"}
    )
    assert answer.headers["x-client-request-id"] == "id"
    assert answer.headers["x-request-id"]
    assert answer.headers["x-server-trace-id"]
    (exchange,) = server.requests
    assert exchange.headers["authorization"] == "Api-Key key"
    public = exchange.public()
    assert public["headers"]["x-folder-id"] == "folder"
    assert "authorization" not in public["headers"]
    assert (public["body"], public["status"]) == (body("x"), 200)
    assert public["finished"] >= public["time"]


def _with(**changes: Any) -> dict[str, Any]:
    return {**body("x"), **changes}


@pytest.mark.parametrize(
    ("request_body", "message"),
    [
        (_with(modelUri="yandexgpt"), "invalid model_uri"),
        (_with(modelUri=None), "invalid model_uri"),
        (_with(completionOptions=5), "invalid completion options"),
        (_with(messages=[]), "empty messages"),
        (_with(messages=["x"]), "invalid message role"),
        (_with(messages=[{"role": "bot", "text": "x"}]), "invalid message role"),
        (_with(messages=[{"role": ["user"], "text": "x"}]), "invalid message role"),
        (body("x", ""), "empty message text"),
        (_with(messages=[{"role": "user"}]), "empty message text"),
        (_with(messages=[{"role": "user", "text": "\ud800"}]), "message text is not valid UTF-8"),
        (body("x", temperature=1.1), "Invalid temperature value"),
        (body("x", temperature="hot"), "Invalid temperature value"),
        (body("x", maxTokens=0), "invalid maximum text generation size"),
        (body("x", maxTokens=True), "invalid maximum text generation size"),
        (body("x" * 400), "number of input tokens must be no more than 100, got 114"),
        (
            _with(modelUri="gpt://other/yandexgpt/latest"),
            "Specified folder ID 'other' does not match with service account folder ID 'folder'",
        ),
        ([], "the body is not a JSON object"),
    ],
)
async def test_refuses_what_the_api_refuses(
    client: httpx.AsyncClient, server: CompletionServer, request_body: Any, message: str
) -> None:
    """Each bad request is a 400 in the native envelope, and costs no scripted reply."""
    server.script(Say("scripted"))
    content = json.dumps(request_body)
    answer = await client.post(COMPLETION, content=content)
    assert answer.status_code == 400
    assert answer.json() == {
        "error": {
            "grpcCode": 3,
            "httpCode": 400,
            "message": message,
            "httpStatus": "Bad Request",
            "details": [],
        }
    }
    assert server.requests[-1].status == 400
    assert texts(await lines(client, body("x")))[-1] == ("scripted", "FINAL")


@pytest.mark.parametrize("uri", ["gpt://folder/m/rc", "gpt://folder/m/latest@tuned"])
async def test_takes_every_shape_of_model_uri(client: httpx.AsyncClient, uri: str) -> None:
    """Branches and tunings are part of a URI."""
    assert texts(await lines(client, _with(modelUri=uri)))[-1] == ("x", "FINAL")


async def test_not_json_is_refused_and_recorded(
    client: httpx.AsyncClient, server: CompletionServer
) -> None:
    """A body that is no JSON is kept as text."""
    answer = await client.post(COMPLETION, content=b"{")
    assert answer.json()["error"]["message"] == "the body is not a JSON object"
    assert server.requests[-1].body == "{"


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("", "Unauthenticated"),
        ("Basic key", "Unauthenticated"),
        ("Api-Key other", "Unknown api key"),
        ("Bearer other", "The token has expired/is invalid"),
    ],
)
async def test_refuses_unknown_credentials(
    client: httpx.AsyncClient, header: str, message: str
) -> None:
    """Who is not known gets a 401."""
    answer = await client.post(COMPLETION, json=body("x"), headers={"authorization": header})
    assert answer.status_code == 401
    assert answer.json()["error"]["message"] == message
    assert answer.json()["error"]["grpcCode"] == 16


async def test_other_paths_are_not_found(client: httpx.AsyncClient) -> None:
    """Elsewhere there is a 404 that is no JSON."""
    answer = await client.post("/foundationModels/v1/other", json=body("x"))
    assert (answer.status_code, answer.text) == (404, "Not Found")


async def test_the_gauge_frees_when_a_generation_ends(
    client: httpx.AsyncClient, server: CompletionServer
) -> None:
    """One generation above the limit is a 429; when a client leaves, there is room again."""
    server.script(Silence("a"), Silence())
    silent = [asyncio.create_task(client.post(COMPLETION, json=body("x"))) for _ in range(2)]
    while server.open < 2:  # noqa: ASYNC110 -- nobody tells
        await asyncio.sleep(0.001)
    refused = await client.post(COMPLETION, json=body("x"))
    assert refused.status_code == 429
    assert refused.json()["error"]["message"].endswith("limit exceed: allowed 2 requests")
    assert "retry-after" not in refused.headers
    for task in silent:
        task.cancel()
    while server.open:  # noqa: ASYNC110 -- nobody tells
        await asyncio.sleep(0.001)
    assert texts(await lines(client, body("x"))) == [("x", "FINAL")]
    assert [exchange.status for exchange in server.requests] == [499, 499, 429, 200]


async def test_words_stop_when_the_client_leaves(client: httpx.AsyncClient, words: Echo) -> None:
    """A model does not go on for nobody."""
    words.pause = 0.02
    leaving = asyncio.create_task(client.post(COMPLETION, json=body("x" * 300, stream=False)))
    while not words.asked:  # noqa: ASYNC110 -- nobody tells
        await asyncio.sleep(0.001)
    leaving.cancel()
    while not words.closed:  # noqa: ASYNC110 -- nobody tells
        await asyncio.sleep(0.001)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Say("ab", steps=2), [("a", "PARTIAL"), ("ab", "FINAL")]),
        (Say("при\u2028вет😀", steps=1, cut=1), [("при\u2028вет😀", "FINAL")]),
        (Truncated("ab"), [("ab", "TRUNCATED_FINAL")]),
        (Filtered(text="no", after="a"), [("a", "PARTIAL"), ("no", "CONTENT_FILTER")]),
        (Filtered(text="no", as_final=True), [("no", "FINAL")]),
        (Cut("ab", reset=False), [("ab", "PARTIAL")]),
    ],
)
async def test_scripted_streams(
    client: httpx.AsyncClient, server: CompletionServer, reply: Reply, expected: list[Any]
) -> None:
    """Scripted replies come line by line as they were told."""
    server.script(reply)
    assert texts(await lines(client, body("x"))) == expected


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Say("ab", steps=2), ("ab", "FINAL")),
        (Truncated("ab"), ("ab", "TRUNCATED_FINAL")),
        (Filtered(text="no", after="a"), ("no", "CONTENT_FILTER")),
    ],
)
async def test_scripted_answers_without_stream(
    client: httpx.AsyncClient, server: CompletionServer, reply: Reply, expected: Any
) -> None:
    """The same replies answer a request that wants no stream, whole."""
    server.script(reply)
    answer = await client.post(COMPLETION, json=body("x", stream=False))
    assert texts([answer.json()]) == [expected]


async def test_a_filtered_answer_costs_nothing(
    client: httpx.AsyncClient, server: CompletionServer
) -> None:
    """The filter's refusal has zero usage and no model version."""
    server.script(Filtered())
    (line,) = await lines(client, body("x"))
    assert set(line["result"]["usage"].values()) == {"0"}
    assert line["result"]["modelVersion"] == ""
    assert "не могу обсуждать" in texts([line])[0][0]


async def test_errors_in_mid_stream(client: httpx.AsyncClient, server: CompletionServer) -> None:
    """After a 200 an error is a line; without a stream it is a status."""
    server.script(ErrorLine("ab", 503, "gone"), ErrorLine())
    first, second = await lines(client, body("x"))
    assert texts([first]) == [("ab", "PARTIAL")]
    assert (second["error"]["grpcCode"], second["error"]["message"]) == (14, "gone")
    answer = await client.post(COMPLETION, json=body("x", stream=False))
    assert answer.status_code == answer.json()["error"]["httpCode"] == 500


@pytest.mark.parametrize("reply", [Cut("ab"), Cut()])
async def test_resets(client: httpx.AsyncClient, server: CompletionServer, reply: Reply) -> None:
    """A connection can break, before the first word or after it."""
    server.script(reply)
    with pytest.raises(httpx.TransportError):
        await client.post(COMPLETION, json=body("x"))
    assert texts(await lines(client, body("x"))) == [("x", "FINAL")]


async def test_refusals_have_any_shape(client: httpx.AsyncClient, server: CompletionServer) -> None:
    """A refusal has a status, a message, headers on request, or another service's body."""
    server.script(
        Refuse(429, "quota", {"retry-after": "3"}),
        Refuse(502, body=b"<html>bad gateway</html>"),
        Refuse(403, body=b'{"code": 7, "message": "Permission denied", "details": []}'),
    )
    quota, proxy, iam = [await client.post(COMPLETION, json=body("x")) for _ in range(3)]
    assert (quota.status_code, quota.headers["retry-after"]) == (429, "3")
    assert quota.json()["error"]["message"] == "quota"
    assert (proxy.status_code, proxy.headers["content-type"]) == (502, "text/html; charset=utf-8")
    assert (iam.status_code, iam.json()["code"]) == (403, 7)
    assert [exchange.status for exchange in server.requests] == [429, 502, 403]


async def test_any_bytes_can_be_sent(client: httpx.AsyncClient, server: CompletionServer) -> None:
    """Lines are passed as they are, and a cleared script is forgotten."""
    server.script(Lines([b"\n", b"{", b"}\n"]), Say("never"))
    assert (await client.post(COMPLETION, json=body("x"))).content == b"\n{}\n"
    server.clear_script()
    assert texts(await lines(client, body("x"))) == [("x", "FINAL")]


async def test_tokenizers_count_what_the_completion_bills(client: httpx.AsyncClient) -> None:
    """Both tokenizers answer unwrapped, and the chat's count is that of its completion."""
    answer = await client.post("/foundationModels/v1/tokenizeCompletion", json=body("ping"))
    tokens = answer.json()["tokens"]
    assert len(tokens) == 15
    assert tokens[-1] == {"id": "14", "text": "ping", "special": False}
    assert tokens[0]["special"]
    text = {"modelUri": "gpt://folder/yandexgpt-lite", "text": "привет"}
    answer = await client.post("/foundationModels/v1/tokenize", json=text)
    assert [token["text"] for token in answer.json()["tokens"]] == ["прив", "ет"]


@given(st.text(), st.integers(1, 9))
def test_texts_are_cut_without_loss(text: str, steps: int) -> None:
    """Tokens join to the text, steps grow to it."""
    assert "".join(pieces(text)) == text
    assert len(pieces(text)) == count(text)
    parts = list(growing(text, steps))
    assert parts[-1] == text
    assert all(text.startswith(part) for part in parts)


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["stream", "temperature", "maxTokens", "role", "text"]),
            inner | st.sampled_from(["user", "1"]),
        )
    ),
    max_leaves=8,
)


@pytest.mark.slow
@given(st.dictionaries(st.sampled_from(["modelUri", "messages", "completionOptions"]), _JSON))
@example({"completionOptions": {"maxTokens": "1" * 5000}})
def test_odd_requests_are_read_or_refused(odd: dict[str, Any]) -> None:
    """Whatever JSON comes, it is a prompt or a 400."""
    with contextlib.suppress(Refusal):
        assert read({**body("x"), **odd}, "folder").tokens > 0


@given(st.lists(st.text(min_size=1), min_size=1, max_size=5))
def test_every_billed_token_has_a_text(contents: list[str]) -> None:
    """The tokenizer's list is as long as the count."""
    messages = tuple(Message(Role.USER, text) for text in contents)
    prompt = Prompt(messages, stream=True, temperature=0, max_tokens=1)
    assert len(prompt.token_texts()) == prompt.tokens


async def _bearer(client: httpx.AsyncClient, token: str) -> int:
    headers = {"authorization": f"Bearer {token}"}
    return (await client.post(COMPLETION, json=body("x"), headers=headers)).status_code


async def test_account_tokens_are_good_until_they_expire(
    client: httpx.AsyncClient, server: CompletionServer
) -> None:
    """A token for a Yandex account signs requests in until it is expired."""
    answer = await client.post(TOKENS, json={"yandexPassportOauthToken": "y0_x"})
    token = answer.json()["iamToken"]
    expires = answer.json()["expiresAt"]
    assert len(expires.partition(".")[2]) == len("123456789Z")
    assert datetime.fromisoformat(expires[:26] + "+00:00") > datetime.now(UTC)
    assert await _bearer(client, token) == 200
    server.iam.expire()
    assert await _bearer(client, token) == 401
    server.keys = None
    assert await _bearer(client, token) == 401
    assert await _bearer(client, "t1.from-elsewhere") == 200


async def test_metadata_wants_its_header(client: httpx.AsyncClient) -> None:
    """The metadata service gives tokens to who says Metadata-Flavor: Google."""
    assert (await client.get(METADATA)).status_code == 403
    answer = (await client.get(METADATA, headers={"metadata-flavor": "Google"})).json()
    assert answer["expires_in"] == 12 * 60 * 60
    assert await _bearer(client, answer["access_token"]) == 200


async def test_jwts_are_checked(words: Echo) -> None:
    """A JWT signed by the key is changed for a token, another one is refused."""
    good, bad = (rsa.generate_private_key(65537, 2048) for _ in range(2))

    def check(token: str) -> None:
        try:
            jwt.decode(token, good.public_key(), algorithms=["PS256"])
        except jwt.InvalidTokenError as error:
            raise ValueError(str(error)) from error

    server = CompletionServer(words, check_jwt=check)
    async with (
        serving(Starlette(routes=server.routes), "127.0.0.1", 0) as url,
        httpx.AsyncClient(base_url=url) as client,
    ):
        signed = [jwt.encode({"iss": "x"}, key, "PS256") for key in (good, bad)]
        answers = [await client.post(TOKENS, json={"jwt": token}) for token in signed]
        assert await _bearer(client, answers[0].json()["iamToken"]) == 200
        assert (answers[1].status_code, answers[1].json()["code"]) == (401, 16)
        for nothing in (b"{", b"[]", b"{}"):
            answer = await client.post(TOKENS, content=nothing)
            assert (answer.status_code, answer.json()["code"]) == (400, 3)


@pytest.mark.slow
async def test_who_waits_for_a_turn_hears_that_the_server_lives(words: Echo) -> None:
    """Empty texts come while others are answered; what is kept of the request has none of them."""
    words.pause = 0.2
    server = CompletionServer(words, at_once=1)
    server.sign = 0.05
    headers = {"authorization": "Api-Key key"}
    async with (
        serving(Starlette(routes=server.routes), "127.0.0.1", 0) as url,
        httpx.AsyncClient(base_url=url, headers=headers, timeout=20) as client,
        asyncio.TaskGroup() as group,
    ):
        begun = asyncio.Event()
        server.queue.changed = lambda: begun.set() if server.queue.in_turn else None
        group.create_task(client.post(COMPLETION, json=body("the first one")))
        await begun.wait()
        second = (await client.post(COMPLETION, json=body("two"))).text.splitlines()
        texts = [
            json.loads(line)["result"]["alternatives"][0]["message"]["text"] for line in second
        ]
        assert texts[0] == ""
        assert texts[-1] == "two"
        assert server.requests[-1].answer.parts()[0].count("\n") == len([t for t in texts if t])
