"""What people read of a model's answer, and whether Telegram would take it."""

import re
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from handlers.markup import MAX_CHARACTERS, MAX_ENTITIES, Chunk, render
from tests.handlers.answers import ANSWERS
from tests.tdlib import refusal

NAMES = [name for name, _, _ in ANSWERS]


def shown(chunk: Chunk) -> str:
    """Write a chunk with its entities as tags, such as ``<bold>`` or ``<pre python>``."""
    tags = []
    for order, entity in enumerate(chunk.entities):
        opening = " ".join(filter(None, (entity.type, entity.url, entity.language)))
        tags.append((entity.offset, 1, order, f"<{opening}>"))
        tags.append((entity.offset + entity.length, 0, -order, f"</{entity.type}>"))
    units = chunk.text.encode("utf-16-le")
    parts: list[str] = []
    done = 0
    for offset, _, _, tag in sorted(tags):
        parts += units[2 * done : 2 * offset].decode("utf-16-le"), tag
        done = offset
    return "".join([*parts, units[2 * done :].decode("utf-16-le")])


def assert_sendable(chunks: list[Chunk]) -> None:
    for chunk in chunks:
        assert 1 <= len(chunk.text) <= MAX_CHARACTERS
        assert chunk.text == chunk.text.rstrip()
        assert not chunk.text.startswith("\n")
        assert len(chunk.entities) <= MAX_ENTITIES
        assert all(entity.length > 0 for entity in chunk.entities)
        offsets = [(entity.offset, -entity.length) for entity in chunk.entities]
        assert offsets == sorted(offsets)
        shown(chunk)  # decodes at every bound, strictly: none is inside a surrogate pair
        assert refusal(chunk.text, chunk.entities) is None


def joined(chunks: list[Chunk]) -> list[str]:
    return " ".join(chunk.text for chunk in chunks).split()


# -- Awkward answers ----------------------------------------------------------------------------


@pytest.mark.parametrize(("markdown", "expected"), [a[1:] for a in ANSWERS], ids=NAMES)
def test_an_awkward_answer_is_shown_as_a_person_would_want_it(markdown: str, expected: str) -> None:
    """Every word stays, formatting is kept, and TDLib takes it."""
    chunks = render(markdown)
    assert [shown(chunk) for chunk in chunks] == [expected]
    assert_sendable(chunks)


@pytest.mark.parametrize("markdown", [a[1] for a in ANSWERS], ids=NAMES)
def test_an_answer_can_be_shown_as_it_grows(markdown: str) -> None:
    """Every prefix of an answer can be sent, and is not empty once the answer has words."""
    for length in range(len(markdown) + 1):
        prefix = markdown[:length]
        chunks = render(prefix)
        assert_sendable(chunks)
        said = re.sub(r"^<think>.*?(</think>|\Z)", "", prefix, flags=re.DOTALL)
        assert chunks or not re.search(r"\w", said)


@pytest.mark.parametrize(
    "nothing",
    [
        "",
        " \n\t ",
        "\u200b\ufeff",
        "\u0301",
        "<think>",
        "<think>Дай\nподумаю",
        "\n<think>a</think> ",
    ],
)
def test_nothing_to_see_is_no_message(nothing: str) -> None:
    """Blank text and mere thinking give no chunk at all."""
    assert render(nothing) == []


@pytest.mark.parametrize("literal", ["#", "**", "[]()", "> ", "```\n```", "[a]: /b", "||||", "$$"])
def test_what_would_convert_to_nothing_is_shown_as_it_is(literal: str) -> None:
    """Markdown that stands for nothing is text after all."""
    assert [chunk.text for chunk in render(literal)] == [literal.strip()]


# -- Cutting ------------------------------------------------------------------------------------


def test_a_long_answer_is_cut_at_blank_lines() -> None:
    """A message of a long answer ends where a paragraph does."""
    paragraphs = [f"Абзац {n}: " + "слово " * 60 + "конец." for n in range(55)]
    chunks = render("\n\n".join(paragraphs))
    assert_sendable(chunks)
    assert len("\n\n".join(paragraphs)) > 20_000
    assert all(chunk.text.startswith("Абзац") for chunk in chunks)
    assert all(chunk.text.endswith("конец.") for chunk in chunks)
    assert "\n\n".join(chunk.text for chunk in chunks) == "\n\n".join(paragraphs)


def test_lines_are_next_best_then_spaces() -> None:
    """Without blank lines messages end at a newline, without newlines at a space."""
    lines = render("строка из слов\n" * 600)
    words = render("слово " * 1500)
    assert_sendable([*lines, *words])
    assert {line for chunk in lines for line in chunk.text.split("\n")} == {"строка из слов"}
    assert joined(words) == ["слово"] * 1500


@pytest.mark.parametrize("letter", ["я", "😀"])
def test_a_line_without_spaces_is_cut_anywhere(letter: str) -> None:
    """Code points are counted, not UTF-16 units, and none is cut in two."""
    chunks = render(f"**{letter * 9000}**")
    assert_sendable(chunks)
    assert [len(chunk.text) for chunk in chunks] == [4000, 4000, 1000]
    assert all(shown(c) == f"<bold>{c.text}</bold>" for c in chunks)


def test_no_message_has_more_entities_than_telegram_applies() -> None:
    """150 bold words come in two messages, all of them bold."""
    chunks = render(" ".join(f"**слово{n}**" for n in range(150)))
    assert_sendable(chunks)
    assert [len(chunk.entities) for chunk in chunks] == [90, 60]
    assert joined(chunks) == [f"слово{n}" for n in range(150)]


def test_code_goes_on_in_the_next_message_with_its_language() -> None:
    """A long code block is cut between lines, indentation stays, and each part is code."""
    code = "\n".join(f"    print({n})" for n in range(800))
    chunks = render(f"Вот:\n\n```python\n{code}\n```\n\nГотово")
    assert_sendable(chunks)
    text = "\n".join(chunk.text for chunk in chunks)
    assert text == f"Вот:\n\n{code}\n\nГотово"
    assert [chunk.entities[0].language for chunk in chunks] == ["python"] * len(chunks)


def test_code_that_fits_one_message_is_not_cut() -> None:
    """A code block that would be cut begins the next message instead."""
    before, code = "слово " * 500, "x = 1\n\n" * 300
    chunks = render(f"{before}\n\n```\n{code}```")
    assert_sendable(chunks)
    assert [chunk.text for chunk in chunks] == [before.strip(), code.strip()]


# -- Any text -----------------------------------------------------------------------------------

# fmt: off
TOKENS = st.sampled_from([
    "*", "**", "_", "__", "`", "```", "~~~", "~~", "||", "[", "](", "]", "(", ")", "![", "[^1]",
    "[a](http://a.b)", "[x](foo)", "[](y)", "![](x)", "[1]: http://a.b\n", "][1]", "<", ">",
    "<div>", "</div>", "<think>", "</think>", "> ", "- ", "1. ", "- [ ] ", "# ", "===\n", "---\n",
    "\n", "\n\n", "    ", "  ", " ", "\t", "|", "|-|\n", "| a | b |\n|---|---|\n", "$", "$$",
    "\\(", "\\)", "\\[", "\\]", "\\", "\\frac{a}{b}", "\\alpha", "{", "}", "^", "&lt;", "&", "2*3",
    "a", "б", "слово ", "😀", "👨\u200d👩\u200d👧", "\u200b", "\u0301", "\x00", "\r", "\ufeff",
    "\u2028", "\u202e", "\ufdd0", "\ud800",
])
# fmt: on
MARKDOWN = st.lists(TOKENS | st.text(max_size=3), max_size=60).map("".join)
ANYTHING = st.characters(exclude_categories=()) | st.sampled_from("*_`|<[]\n ")


@settings(deadline=None, max_examples=300)
@given(MARKDOWN | st.text(ANYTHING), st.integers(1, 40))
def test_any_text_can_be_sent(text: str, times: int) -> None:
    """No text raises, passes a limit or is refused by TDLib, and none with letters is lost."""
    chunks = render(text * times)
    assert_sendable(chunks)
    assert chunks or "<think>" in text or not re.search(r"[^\W_]", text)


@settings(deadline=None)
@given(st.lists(st.text(st.characters(categories=["L"]), min_size=1), min_size=1))
@example(["слово"] * 3000)
def test_plain_words_stay_as_they_are(words: list[str]) -> None:
    """Words without Markdown come unchanged, in order, with no entities."""
    chunks = render(" ".join(words))
    assert_sendable(chunks)
    assert joined(chunks) == words
    assert not any(chunk.entities for chunk in chunks)


@settings(deadline=None, max_examples=300)
@given(
    st.lists(st.sampled_from([*"*_#>-+.|<!()=: \n", "**", "\n\n", "|-|\n", "a", "б", "😀", "c d"])),
    st.integers(1, 30),
)
def test_markdown_hides_no_letter(parts: list[str], times: int) -> None:
    """Whatever emphasis, lists, quotes, tables and false HTML do, every letter is still there."""
    markdown = "".join(parts) * times
    shown_text = "".join(chunk.text for chunk in render(markdown))
    assert re.findall(r"[^\W\d_]|😀", shown_text) == re.findall(r"[^\W\d_]|😀", markdown)


@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from(
        ["http://", "https://", "https://a.b", "http://1.2.3.4", "tg://", "ftp://", ""]
    ),
    st.lists(st.sampled_from([*"aB1-_.:/?#@%&=~ſ", "..", ":80", ":99999", "пример.рф", "😀"])),
)
def test_no_link_makes_telegram_refuse_the_message(scheme: str, rest: list[str]) -> None:
    """A link is one that TDLib takes, or text."""
    url = scheme + "".join(rest)
    chunks = render(f"До [слово]({url}) после")
    assert_sendable(chunks)
    links = [entity.url for chunk in chunks for entity in chunk.entities if entity.url]
    assert links == [url] or "слово" in chunks[0].text


# -- Cost ---------------------------------------------------------------------------------------

# fmt: off
LOOPS = [
    "<", "*", "**", "**a", "**a** ", "*a ", "_a", "[", "[a](", "![", "[]()", "[a]", "]", "> ", ">",
    "`", "`a", "||", "|| ", "||a", "\\[", "\\(", "\\[x^2\\]", "$", "$1 ", "$a$1", "$$a", "~a",
    "$\\alpha{", "$\\frac", "{", "- ", "- a\n", "1. ", "|a", "|a\n|-|\n", "\n", " ", "```\n",
    "```\n\n", "~~~\n", "# h\n", "<a>", "<div>\n", "<!--", "[1]: /u\n", "[^1]: a\n", "---\n",
    "a\n", "\\*", "&", "<think>",
]
# fmt: on


def cost(text: str) -> float:
    """Seconds of CPU, those of other processes not counted."""
    start = time.process_time()
    render(text)
    return time.process_time() - start


@pytest.mark.parametrize("loop", LOOPS)
def test_a_model_caught_in_a_loop_costs_in_proportion(loop: str) -> None:
    """Ten times the text takes about ten times as long, not a hundred."""
    short, long = (loop * (size // len(loop)) + "a" for size in (2_000, 20_000))
    assert cost(long) < 40 * max(cost(short), 0.001)


@pytest.mark.parametrize(
    "bomb",
    [
        "- " * 10_000 + "a",
        "|a" * 1000 + "|\n" + "|-" * 1000 + "|\n" + "|b\n" * 1000,
        "|" + "a" * 10_000 + "|\n|-|\n" + "|b|\n" * 1000,
    ],
    ids=["list in list", "wide table", "long cell"],
)
def test_a_little_markdown_does_not_become_a_flood(bomb: str) -> None:
    """What would be indented or padded to megabytes is shown as it is."""
    assert sum(len(chunk.text) for chunk in render(bomb)) <= len(bomb)


def test_formulas_are_not_followed_into_the_depths(caplog: pytest.LogCaptureFixture) -> None:
    """The converter recurses into braces until Python stops it, so it is not asked to."""
    bomb = "$\\alpha" + "{" * 5000 + "}" * 5000 + "$"
    assert "".join(chunk.text for chunk in render(bomb)) == bomb
    assert not caplog.records
