"""Answers as models write them: what people read of them, and of their beginnings."""

import pytest

from handlers.rendering.markup import render
from tests.handlers.answers import ANSWERS
from tests.handlers.corpus import CORPUS
from tests.handlers.reading import assert_sendable, messages, shown
from tests.handlers.test_unfinished import growing, letters

NAMES = [name for name, _, _ in CORPUS]

BECOMES = {
    "code 23": "a name may begin like what is italic",
    "history 6": "whether a table fits is known when its rows are",
    "tables 1": "whether a table fits is known when its rows are",
    "tables 4": "whether a table fits is known when its rows are",
    "tables 9": "whether a table fits is known when its rows are",
    "tables 12": "whether a table fits is known when its rows are",
    "talk 20": "whether numbers repeat is known when there is a second one",
}
"""Answers that are not foreseen, and why not."""


@pytest.mark.parametrize(("markdown", "expected"), [a[1:] for a in CORPUS], ids=NAMES)
def test_an_answer_reads_well(markdown: str, expected: str) -> None:
    """Each was read by eye once, and TDLib takes it."""
    pieces = render(markdown)
    assert_sendable(pieces)
    assert "\n\n".join(map(shown, messages(pieces))) == expected


def assert_grows(name: str, markdown: str, step: int) -> None:
    final = letters(messages(render(markdown)))
    for length in range(1, len(markdown) + 1, step):
        chunks = growing(markdown[:length])
        assert_sendable(chunks)
        found = letters(chunks)
        assert name in BECOMES or found == final[: len(found)]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "markdown"), [a[:2] for a in CORPUS], ids=NAMES)
def test_an_answer_grows_into_what_it_is(name: str, markdown: str) -> None:
    """What is shown of a beginning can be sent, and is the beginning of what is shown later."""
    assert_grows(name, markdown, 17)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "markdown"), [a[:2] for a in CORPUS], ids=NAMES)
def test_an_answer_grows_letter_by_letter(name: str, markdown: str) -> None:
    """The same at every letter."""
    assert_grows(name, markdown, 1)


def test_the_corpus_is_large() -> None:
    """There are at least 200 answers, no two the same."""
    assert len({markdown for _, markdown, _ in [*ANSWERS, *CORPUS]}) >= 200
