"""YandexGPT's own wire format, piece by piece."""

import json
from collections.abc import Sequence
from itertools import chain
from typing import Any

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.completion.native import Native, classify, decode, encode
from handlers.dialogue.completion import (
    Answer,
    CompletionError,
    CompletionMisconfigured,
    CompletionRefused,
    CompletionUnavailable,
    ContextTooLong,
)
from storage.message import Message, Role
from tests.completion import PROFILE, TOO_LONG, TOO_MANY, anything, line

statuses = st.sampled_from(
    ["PARTIAL", "UNSPECIFIED", "FINAL", "TRUNCATED_FINAL", "CONTENT_FILTER", "TOOL_CALLS", "NEW"]
)
names = st.sampled_from(
    ["result", "error", "alternatives", "message", "text", "status", "usage", "code", "httpCode"]
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | anything,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
)


def read(line: bytes) -> Answer | CompletionError:
    """Read a line; the answer, or the error."""
    try:
        return decode(line)
    except CompletionError as error:
        return error


@given(st.lists(st.builds(Message, st.sampled_from(Role), st.text(min_size=1))), st.booleans())
def test_a_request_is_the_documented_body(messages: list[Message], stream: bool) -> None:
    """Every dialogue is sent whole and in order, with the count of tokens as a string."""
    body = encode(PROFILE, messages, stream=stream)
    assert json.loads(json.dumps(body)) == {
        "modelUri": "gpt://folder/yandexgpt-lite",
        "completionOptions": {"stream": stream, "temperature": 0.6, "maxTokens": "2000"},
        "messages": [{"role": str(m.role), "text": m.text} for m in messages],
    }


@pytest.mark.slow
@given(json_values, anything, statuses)
@example(float("inf"), "text", "FINAL")
@example(float("nan"), "\ud800", "FINAL")
@example(10**400, "\ud800", "NEW")
def test_no_line_raises_anything_else(value: Any, text: str, status: str) -> None:
    """Whatever stands in a line, reading it gives an answer or one of the ways to fail."""
    candidates = [
        text.encode("utf-16", "surrogatepass"),
        json.dumps(value).encode(),
        json.dumps({"result": value}).encode(),
        json.dumps({"error": value}).encode(),
        json.dumps({"error": text}).encode(),
        json.dumps({"error": {"message": text, "httpCode": value}}).encode(),
        json.dumps({"error": {"message": value, "grpcCode": value}}).encode(),
        line(value, status),
        line(text, status, usage=value),
        line(text, status, usage={"inputTextTokens": value}),
        line(text, f"{status}{text}"),
    ]
    for outcome in map(read, candidates):
        if isinstance(outcome, Answer):
            assert outcome.text.encode() or not outcome.complete
        else:
            assert str(outcome).encode()
            assert len(str(outcome)) < 2000


@given(st.binary() | st.binary().map(lambda data: line("a")[:20] + data))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    """Bytes that are no answer are an answer that cannot be read."""
    with pytest.raises(CompletionUnavailable):
        decode(data)


@given(
    st.integers(100, 599),
    st.dictionaries(st.sampled_from(["x-request-id", "retry-after"]), st.text()),
    st.binary() | json_values.map(lambda value: json.dumps(value).encode()),
)
def test_every_response_is_told_as_an_error(
    status: int, headers: dict[str, str], body: bytes
) -> None:
    """Whatever status, headers and body there are, they make an error with a text to log."""
    error = classify(status, headers, body)
    assert str(error).startswith(f"HTTP {status}: ")
    assert len(str(error)) < 1000 + len(headers.get("x-request-id", ""))


@pytest.mark.parametrize("counter", ["12", 12, 12.0])
@pytest.mark.parametrize(
    "details", [{}, {"completionTokensDetails": {}}, {"completionTokensDetails": None}]
)
def test_counters_are_strings_or_numbers(counter: Any, details: dict[str, Any]) -> None:
    """The last line's usage is the answer's, in every form in which it was seen."""
    usage = {"inputTextTokens": counter, "completionTokens": counter, "totalTokens": "24"}
    answer = decode(line("text", usage=usage | details))
    assert answer == Answer("text", complete=True, prompt_tokens=12, completion_tokens=12)


@pytest.mark.parametrize(
    "result",
    [{}, {"usage": None}, {"usage": {}}, {"usage": {"inputTextTokens": None}}],
)
def test_counters_may_be_missing(result: dict[str, Any]) -> None:
    """A missing count is 0, as proto's JSON leaves zeros out."""
    assert decode(line("text", **result)) == Answer("text", complete=True)


@pytest.mark.parametrize(
    "counter", ["many", "9" * 5000, -5, [], float("inf"), 2**70], ids=lambda value: repr(value)[:9]
)
def test_counters_that_nobody_can_read(counter: Any) -> None:
    """They are 0: the answer is there, and asking again would cost it again."""
    answer = decode(line("text", usage={"inputTextTokens": counter, "completionTokens": "12"}))
    assert answer == Answer("text", complete=True, completion_tokens=12)
    assert decode(line("text", usage=counter)).text == "text"


def told(batches: Sequence[Sequence[bytes]]) -> tuple[list[str], str]:
    """Let a stream be read in these batches; the texts, and how it ended."""
    reader, texts = Native().reader(), []
    try:
        for answer in chain.from_iterable(map(reader.feed, batches)):
            texts.append(answer.text)
            if answer.complete:
                return texts, "complete"
    except CompletionError as error:
        return texts, str(error)
    return texts, "open"


@given(
    st.lists(
        st.builds(
            line,
            st.sampled_from(["one", "two", 'of "error" and FINAL', " "]),
            st.sampled_from(
                ["PARTIAL", "UNSPECIFIED", "FINAL", "TRUNCATED_FINAL", "CONTENT_FILTER"]
            ),
        )
        | st.sampled_from([b"", b"\r", b'{"error": "down"}', b'{ "error" : {"httpCode": 429}}']),
        max_size=6,
    )
)
def test_lines_that_come_at_once_say_the_same(lines: list[bytes]) -> None:
    """They end as they would one by one, by the first end, behind the same words."""
    texts, end = told([lines])
    every_text, every_end = told([[line] for line in lines])
    assert (texts[-1:], end) == (every_text[-1:], every_end)


def test_what_nobody_will_see_is_not_read() -> None:
    """Of several lines the last one tells all."""
    assert told([[line("a", "PARTIAL"), b"nonsense", line("abc", "PARTIAL"), b""]])[0] == ["abc"]


def test_an_error_member_without_an_error_is_none() -> None:
    """A gateway may write every member of a message, also the one that is not set."""
    whole = json.loads(line("text")) | {"error": None}
    assert decode(json.dumps(whole).encode()).text == "text"


@pytest.mark.parametrize("status", ["PARTIAL", "UNSPECIFIED"])
@pytest.mark.parametrize("text", ["so far", "so far\ufffd", "so far\ufffd\ufffd\ufffd"])
def test_a_partial_text_is_shown_without_half_an_emoji(status: str, text: str) -> None:
    """What stands for a character that was cut in two is left out until it is whole."""
    assert decode(line(text, status)) == Answer("so far")
    assert decode(line("so far\ufffd")).text == "so far\ufffd"


def test_an_answer_cut_at_the_limit_says_so() -> None:
    """TRUNCATED_FINAL is complete, as far as it goes."""
    assert decode(line("text", "TRUNCATED_FINAL")) == Answer("text", complete=True, truncated=True)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("", "CONTENT_FILTER"),
        ("anything", "CONTENT_FILTER"),
        ("Я не могу обсуждать эту тему. Давайте поговорим о чём-нибудь ещё.", "FINAL"),
        ("В интернете есть много сайтов с информацией на эту тему. [Посмотрите]", "FINAL"),
    ],
)
def test_a_refusal_is_known_by_status_and_by_phrase(text: str, status: str) -> None:
    """The content filter's answer is no answer, though it may call itself one."""
    with pytest.raises(CompletionRefused, match="content filter"):
        decode(line(text, status))


@pytest.mark.parametrize(
    ("text", "status", "reason"),
    [
        ("", "FINAL", "nothing"),
        (" \n", "TRUNCATED_FINAL", "nothing"),
        (None, "FINAL", "nothing"),
        (None, "TOOL_CALLS", "unexpected status 'TOOL_CALLS'"),
        ("text", "NEW\ud800", "unexpected status"),
    ],
)
def test_no_answer_in_a_last_line(text: str | None, status: str, reason: str) -> None:
    """An empty text, or a status nobody asked for, is a failure that another try may mend."""
    with pytest.raises(CompletionUnavailable, match=reason) as told:
        decode(line(text, status))
    assert str(told.value).encode()


ERRORS = [
    (400, 3, "invalid model_uri", CompletionMisconfigured),
    (400, 3, "Failed to parse model URI", CompletionMisconfigured),
    (400, 3, "Failed to get model", CompletionMisconfigured),
    (400, 3, "Specified folder ID 'a' does not match", CompletionMisconfigured),
    (400, 3, TOO_MANY, ContextTooLong),
    (400, 3, TOO_LONG, ContextTooLong),
    (400, 3, "empty message text", CompletionMisconfigured),
    (400, 3, "Invalid temperature value", CompletionMisconfigured),
    (401, 16, "Unknown api key", CompletionMisconfigured),
    (401, 16, "The token has expired/is invalid", CompletionMisconfigured),
    (403, 7, "Permission denied", CompletionMisconfigured),
    (404, 5, "not found", CompletionMisconfigured),
    (429, 8, "gauge quota limit exceed: allowed 10 requests", CompletionUnavailable),
    (500, 13, "internal", CompletionUnavailable),
    (500, 2, "unknown", CompletionUnavailable),
    (503, 14, "unavailable", CompletionUnavailable),
    (501, 12, "not implemented", CompletionMisconfigured),
    (504, 4, "deadline", CompletionUnavailable),
]


@pytest.mark.parametrize(("status", "grpc", "message", "kind"), ERRORS)
def test_each_error_says_what_can_be_done(
    status: int, grpc: int, message: str, kind: type[CompletionError]
) -> None:
    """The documented errors, as responses and in mid-stream, with either code or both."""
    both = {"grpcCode": grpc, "httpCode": status, "message": message, "details": []}
    error = classify(status, {"x-request-id": "7-7"}, json.dumps({"error": both}).encode())
    assert type(error) is kind
    assert str(error).startswith(f"HTTP {status}: {message} (x-request-id 7-7)")
    for told in (both, {"grpcCode": grpc, "message": message}, {"code": grpc, "message": message}):
        with pytest.raises(kind, match=f"HTTP {status}: "):
            decode(json.dumps({"error": told}).encode())


def test_missing_rights_name_the_remedy() -> None:
    """A 403 tells the role, and that billing may be the reason."""
    told = str(classify(403, {}, b"{}"))
    assert "ai.languageModels.user" in told
    assert "billing" in told


@pytest.mark.parametrize("status", [408, 499, 502])
def test_gateways_errors_pass(status: int) -> None:
    """What a balancer says in HTML may be better later."""
    error = classify(status, {}, b"<html>Bad Gateway</html>")
    assert isinstance(error, CompletionUnavailable)
    assert "<html>Bad Gateway" in str(error)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("0.5", 0.5), ("", None), ("Tue, 24 Nov 2026", None), ("-1", None), ("inf", None)],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_heard(status: int, header: str, seconds: float | None) -> None:
    """Seconds are taken, anything else is as if it were not there."""
    error = classify(status, httpx.Headers({"Retry-After": header}), b"")
    assert isinstance(error, CompletionUnavailable)
    assert error.retry_after == seconds


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"grpcCode": 8, "httpCode": 429, "message": "why"}},
        {"code": 16, "message": "why", "details": []},
        {"error": "why"},
        {"error_code": "UNAUTHORIZED", "error_message": "why"},
        {"error": {}, "message": "why"},
        "why",
        ["why"],
    ],
)
def test_the_reason_is_found_in_every_shape(body: Any) -> None:
    """Each of this API's gateways writes its errors in another shape."""
    assert "why" in str(classify(401, {}, json.dumps(body).encode()))


@pytest.mark.parametrize(
    ("message", "excess"),
    [
        (TOO_MANY, 2.0),
        (TOO_LONG, 3.0),
        ("number of input tokens must be no more than 8192", 2.0),
        ("text length is huge, which is outside the range", 2.0),
        ("number of input tokens must be no more than 0, got 0", 1.0),
    ],
)
def test_the_excess_is_taken_from_the_words(message: str, excess: float) -> None:
    """How much too long a dialogue is, is told in the error's text only."""
    error = classify(400, {}, json.dumps({"error": {"message": message}}).encode())
    assert isinstance(error, ContextTooLong)
    assert error.excess == excess


@pytest.mark.parametrize("error", ["why", ["why"], {"message": "why"}, {"code": 99}, {"code": []}])
def test_an_error_line_of_another_shape_passes(error: Any) -> None:
    """An error in mid-stream that names no known code may be better at the next try."""
    with pytest.raises(CompletionUnavailable):
        decode(json.dumps({"error": error}).encode())
