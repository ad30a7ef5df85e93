"""What people read of a model's answer, and whether Telegram would take it."""

import re
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from handlers.rendering.markup import File, render
from tests.handlers.answers import ANSWERS, LONG
from tests.handlers.reading import assert_sendable, messages, shown, words

NAMES = [name for name, _, _ in ANSWERS]


# -- Awkward answers ----------------------------------------------------------------------------


@pytest.mark.parametrize(("markdown", "expected"), [a[1:] for a in ANSWERS], ids=NAMES)
def test_an_awkward_answer_is_shown_as_a_person_would_want_it(markdown: str, expected: str) -> None:
    """Every word stays, formatting is kept, and TDLib takes it."""
    pieces = render(markdown)
    assert [shown(chunk) for chunk in messages(pieces)] == [expected]
    assert_sendable(pieces)


@pytest.mark.parametrize("markdown", LONG.values(), ids=LONG)
def test_a_long_answer_keeps_all_its_words(markdown: str) -> None:
    """The pieces of a long answer have all its letters, in order, but for links and files."""
    pieces = render(markdown)
    assert_sendable(pieces)
    texts = [chunk.text for chunk in messages(pieces)]
    for piece in pieces:
        if isinstance(piece, File):
            place = next(n for n, text in enumerate(texts) if f"📎 {piece.name}" in text)
            texts[place] = texts[place].replace(f"📎 {piece.name}", piece.text, 1)
    if "](" not in markdown:
        source = re.sub(r"```\w*", "", markdown)
        assert re.findall(r"\w", "".join(texts)) == re.findall(r"\w", source)


@pytest.mark.slow
@pytest.mark.parametrize("markdown", [a[1] for a in ANSWERS], ids=NAMES)
def test_an_answer_may_end_anywhere(markdown: str) -> None:
    """Every prefix of an answer can be sent, and is not empty once the answer has words."""
    for length in range(len(markdown) + 1):
        prefix = markdown[:length]
        pieces = render(prefix)
        assert_sendable(pieces)
        said = re.sub(r"\A(\s*<think>.*?(</think>|\Z))+", "", prefix, flags=re.DOTALL)
        assert pieces or not re.search(r"\w", said)


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
    assert [chunk.text for chunk in messages(render(literal))] == [literal.strip()]


# -- Cutting ------------------------------------------------------------------------------------


def test_a_long_answer_is_cut_at_blank_lines() -> None:
    """A message of a long answer ends where a paragraph does."""
    paragraphs = [f"Абзац {n}: " + "слово " * 60 + "конец." for n in range(55)]
    chunks = messages(render("\n\n".join(paragraphs)))
    assert_sendable(chunks)
    assert len("\n\n".join(paragraphs)) > 20_000
    assert all(chunk.text.startswith("Абзац") for chunk in chunks)
    assert all(chunk.text.endswith("конец.") for chunk in chunks)
    assert "\n\n".join(chunk.text for chunk in chunks) == "\n\n".join(paragraphs)


def test_lines_are_next_best_then_spaces() -> None:
    """Without blank lines messages end at a newline, without newlines at a space."""
    by_line = render("строка из слов\n" * 600)
    by_word = render("слово " * 1500)
    assert_sendable([*by_line, *by_word])
    assert {line for chunk in by_line for line in chunk.text.split("\n")} == {"строка из слов"}
    assert words(by_word) == ["слово"] * 1500


@pytest.mark.parametrize("letter", ["я", "😀"])
def test_a_line_without_spaces_is_cut_anywhere(letter: str) -> None:
    """Code points are counted, not UTF-16 units, and none is cut in two."""
    chunks = messages(render(f"**{letter * 9000}**"))
    assert_sendable(chunks)
    assert [len(chunk.text) for chunk in chunks] == [4000, 4000, 1000]
    assert all(shown(c) == f"<bold>{c.text}</bold>" for c in chunks)


def test_no_message_has_more_entities_than_telegram_applies() -> None:
    """150 bold words come in two messages, all of them bold."""
    chunks = messages(render(" ".join(f"**слово{n}**" for n in range(150))))
    assert_sendable(chunks)
    assert [len(chunk.entities) for chunk in chunks] == [90, 60]
    assert words(chunks) == [f"слово{n}" for n in range(150)]


def test_a_table_goes_on_in_the_next_message() -> None:
    """What is too long for one message is cut between lines, and each part is fixed-width."""
    rows = "\n".join(f"| строка {n:04} | да |" for n in range(400))
    chunks = messages(render(f"| a | b |\n|---|---|\n{rows}\n\nГотово"))
    assert_sendable(chunks)
    assert [len(chunk.entities) for chunk in chunks] == [1, 1]
    assert all(chunk.entities[0]["type"] == "pre" for chunk in chunks)
    assert chunks[0].text.endswith("да")
    assert chunks[1].text.startswith("строка")


@pytest.mark.parametrize("before", ["слово " * 500, "слово " * 110, "- пункт\n" * 300])
def test_code_is_not_cut(before: str) -> None:
    """A code block that would be cut begins the next message instead, even a long one."""
    code = "x = 1\n\n" * 480
    chunks = messages(render(f"{before}\n\n```python\n{code}```\n\n{'слово ' * 300}"))
    assert_sendable(chunks)
    assert chunks[1].text.startswith(code.strip())
    assert chunks[1].entities == (
        {"type": "pre", "offset": 0, "length": len(code.strip()), "language": "python"},
    )


def test_a_message_does_not_end_in_code_when_it_could_end_after_it() -> None:
    """Empty lines in code are worse places than any place after the code."""
    code = "x = 1\n\n" * 400 + "y = 1"
    chunks = messages(render(f"{'слово ' * 50}\n\n```\n{code}\n```\n{'слово ' * 500}"))
    assert_sendable(chunks)
    assert chunks[0].entities[0]["length"] == len(code)


@pytest.mark.parametrize(
    "letter",
    [
        "👨\u200d👩\u200d👧",
        "🇷🇺",
        "и\u0306\u0301",
        "👍🏽",
        "1\ufe0f\u20e3",
        "🏴\U000e0067\U000e007f",
    ],
)
@pytest.mark.parametrize("before", range(6))
def test_what_people_see_as_one_letter_is_not_cut(letter: str, before: int) -> None:
    """Emoji families, flags and letters with marks stay whole where there is no better place."""
    chunks = messages(render("a" * before + letter * 2500))
    assert_sendable(chunks)
    assert all(chunk.text.startswith(letter) for chunk in chunks[1:])
    assert "".join(chunk.text for chunk in chunks) == "a" * before + letter * 2500


def test_marks_without_end_are_cut_all_the_same() -> None:
    """A letter longer than any real one does not go over the limit."""
    chunks = messages(render("a" + "\u0301" * 9000))
    assert [len(chunk.text) for chunk in chunks[:1]] == [4000]


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


@pytest.mark.slow
@settings(max_examples=300)
@given(MARKDOWN | st.text(ANYTHING), st.integers(1, 40))
def test_any_text_can_be_sent(text: str, times: int) -> None:
    """No text raises, passes a limit or is refused by TDLib, and none with letters is lost."""
    chunks = messages(render(text * times))
    assert_sendable(chunks)
    assert chunks or "<think>" in text or not re.search(r"[^\W_]", text)


@pytest.mark.slow
@given(st.lists(st.text(st.characters(categories=["L"]), min_size=1), min_size=1))
@example(["слово"] * 3000)
def test_plain_words_stay_as_they_are(said: list[str]) -> None:
    """Words without Markdown come unchanged, in order, with no entities."""
    chunks = messages(render(" ".join(said)))
    assert_sendable(chunks)
    assert words(chunks) == said
    assert not any(chunk.entities for chunk in chunks)


@pytest.mark.slow
@settings(max_examples=300)
@given(
    st.lists(st.sampled_from([*"*_#>-+.|<!()=: \n", "**", "\n\n", "|-|\n", "a", "б", "😀", "c d"])),
    st.integers(1, 30),
)
def test_markdown_hides_no_letter(parts: list[str], times: int) -> None:
    """Whatever emphasis, lists, quotes, tables and false HTML do, every letter is still there."""
    markdown = "".join(parts) * times
    shown_text = "".join(chunk.text for chunk in render(markdown))
    assert re.findall(r"[^\W\d_]|😀", shown_text) == re.findall(r"[^\W\d_]|😀", markdown)


@pytest.mark.slow
@settings(max_examples=300)
@given(
    st.sampled_from(
        ["http://", "https://", "https://a.b", "http://1.2.3.4", "tg://", "ftp://", ""]
    ),
    st.lists(st.sampled_from([*"aB1-_.:/?#@%&=~ſ", "..", ":80", ":99999", "пример.рф", "😀"])),
)
def test_no_link_makes_telegram_refuse_the_message(scheme: str, rest: list[str]) -> None:
    """A link is one that TDLib takes, or text."""
    url = scheme + "".join(rest)
    chunks = messages(render(f"До [слово]({url}) после"))
    assert_sendable(chunks)
    links = [entity["url"] for chunk in chunks for entity in chunk.entities if "url" in entity]
    assert links == [url] or "слово" in chunks[0].text


# -- Cost ---------------------------------------------------------------------------------------

# fmt: off
LOOPS = [
    "<", "*", "**", "**a", "**a** ", "*a ", "_a", "[", "[a](", "![", "[]()", "[a]", "]", "> ", ">",
    "`", "`a", "||", "|| ", "||a", "\\[", "\\(", "\\[x^2\\]", "$", "$1 ", "$a$1", "$$a", "~a",
    "$\\alpha{", "$\\frac", "{", "- ", "- a\n", "1. ", "|a", "|a\n|-|\n", "\n", " ", "```\n",
    "```\n\n", "~~~\n", "# h\n", "<a>", "<div>\n", "<!--", "[1]: /u\n", "[^1]: a\n", "---\n",
    "a\n", "\\*", "&", "<think>", "&_", "[a](b", "[1", "((a", "__a", "[x]((a", "~~", "$x ", "\\[a ",
]
# fmt: on


def cost(text: str, *, complete: bool) -> float:
    """Seconds of CPU, at best of two: those of other processes do not count, nor their noise."""
    times = []
    for _ in range(2):
        start = time.process_time()
        if complete:
            render(text)
        else:
            render(text, complete=False)
        times.append(time.process_time() - start)
    return min(times)


@pytest.mark.slow
@pytest.mark.parametrize("complete", [True, False])
@pytest.mark.parametrize("loop", LOOPS)
def test_a_model_caught_in_a_loop_costs_in_proportion(loop: str, *, complete: bool) -> None:
    """Ten times the text takes about ten times as long, not a hundred."""
    short, long = (loop * (size // len(loop)) + "a" for size in (2_000, 20_000))
    assert cost(long, complete=complete) < 40 * max(cost(short, complete=complete), 0.001)


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
