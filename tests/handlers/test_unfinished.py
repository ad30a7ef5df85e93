"""What people read of an answer that is still being made."""

import random
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.rendering.markup import Chunk, render
from tests.handlers.answers import ANSWERS, LONG
from tests.handlers.reading import assert_sendable, messages, shown
from tests.handlers.test_markup import ANYTHING, MARKDOWN

NAMES = [name for name, _, _ in ANSWERS]


def growing(markdown: str) -> list[Chunk]:
    return render(markdown, complete=False)


def marked(markdown: str) -> str:
    """Write the unfinished answer with its entities as tags."""
    return "\n\n".join(map(shown, growing(markdown)))


# -- What is shown ------------------------------------------------------------------------------

# fmt: off
UNFINISHED = [
    ("Это **ва", "Это <bold>ва</bold>"),
    ("Это **важно*", "Это <bold>важно</bold>"),
    ("Это **", "Это"),
    ("Это *курсив", "Это <italic>курсив</italic>"),
    ("Это _курсив", "Это <italic>курсив</italic>"),
    ("Это ***оба", "Это <italic><bold>оба</bold></italic>"),
    ("Это ~~не", "Это <strikethrough>не</strikethrough>"),
    ("Примерно ~5 и ~~не", "Примерно ~5 и <strikethrough>не</strikethrough>"),
    ("Это `код", "Это <code>код</code>"),
    ("Это **жирный `и *код", "Это <bold>жирный <code>и *код</code></bold>"),
    ("Это *жирный **и `код` и", "Это <italic>жирный <bold>и <code>код</code> и</bold></italic>"),
    ("||Двор", "<spoiler>Двор</spoiler>"),
    ("||Двор|", "<spoiler>Двор</spoiler>"),
    ("Кто убийца? ||Двор", "Кто убийца? <spoiler>Двор</spoiler>"),
    ("- один\n- **дв", "• один\n• <bold>дв</bold>"),
    ("> **цита", "<blockquote><bold>цита</bold></blockquote>"),
    ("# Заг **жир", "<bold><underline>Заг жир</underline></bold>"),
    ("2 * 3 *", "2 * 3"),
    ("2 * 3 * 4", "2 * 3 * 4"),
    ("a*b и 2*3", "a*b и 2*3"),
    ("(a+b)**n", "(a+b)"),
    ("(a+b)**n ", "(a+b)"),
    ("(a+b)**n -", "(a+b)**n -"),
    ("См. **/sta", "См."),
    ("См. **/start** —", "См. <bold>/start</bold> —"),
    ("См. **https://", "См. <bold>https://</bold>"),
    ("См. **https://a.ru**,", "См. <bold>https://a.ru</bold>,"),
    ("1. >=", "1."),
    ("1. >= 5", "1. >= 5"),
    ("Да\n>5.", "Да"),
    ("Да\n>5.5", "Да\n>5.5"),
    ("Да\n\n>5. а", "Да\n\n<blockquote>5. а</blockquote>"),
    ("1. Текст\n2. [x", "1. Текст\n2."),
    ("1. Текст\n2. [x] ", "1. Текст\n2."),
    ("1. Текст\n2. [x] д", "1. Текст\n2. ☑ д"),
    ("Вода \\ce", "Вода"),
    ("Система\n\\begin{cas", "Система"),
    ("Путь C:\\bind", "Путь C:\\bind"),
    ("См. *.", "См."),
    ("См. *.l", "См. *.l"),
    ("\\*не курсив", "*не курсив"),
    ("слово**«Тихий", "слово**«Тихий"),
    ("Модуль __init", "Модуль"),
    ("Модуль __init__.p", "Модуль __init__.p"),
    ("Это __важ", "Это <bold>важ</bold>"),
    ("snake_", "snake"),
    ("Текст\n-", "Текст"),
    ("Текст\n- ", "Текст"),
    ("Текст\n- [", "Текст"),
    ("Текст\n- [x] ", "Текст"),
    ("Текст\n##", "Текст"),
    ("Текст\n===", "Текст"),
    ("Текст\n---\n", "Текст"),
    ("Текст\n> ", "Текст"),
    ("Текст\n```", "Текст"),
    ("Текст\n```py", "Текст"),
    ("1. Текст\n   ~~~", "1. Текст"),
    ("Текст\n```py\nx = 1\n``", "Текст\n<pre py>x = 1</pre>"),
    ("Текст\n```py\nx = a[", "Текст\n<pre py>x = a</pre>"),
    ("Текст &l", "Текст"),
    ("Текст \\", "Текст"),
    ("См. [", "См."),
    ("См. [до", "См. до"),
    ("См. [**до", "См. <bold>до</bold>"),
    ("См. [док](", "См. док"),
    ("См. [док](https://a.ru/b_c (d", "См. [док](https://a.ru/b_c (d"),
    ("См. [док](https://a.ru/b_(c", "См. док"),
    ('См. [док](https://a.ru "Тит', "См. док"),
    ("См. [док][1", "См. док"),
    ("См. [1](https://a", "См."),
    ("![кот](https://a.ru/c", "кот"),
    ("[![знак](https://a.ru/i.png)](https://a", "<text_link https://a.ru/i.png>знак</text_link>"),
    ("[![знак](https://a", "знак"),
    ("a[0", "a[0"),
    ("Формула $x^", "Формула"),
    ("Формула **$x^", "Формула"),
    ("Формула $$\n\\frac{a", "Формула"),
    ("Формула \\(\\alpha", "Формула"),
    ("Формула\n\\[\n\\frac{a}", "Формула"),
    ("Цена $10 за", "Цена $10 за"),
    ("Строка $x " + "слово " * 20, "Строка $x " + "слово " * 19 + "слово"),
    ("| a | b", "<pre>a | b</pre>"),
    ("| a | b |\n|--", "<pre>a | b</pre>"),
    ("> | a | b |", "<blockquote><pre>a | b</pre></blockquote>"),
    ("| a | b |\n|--|--|\n| **c", "<pre>a | b\n--+--\nc |</pre>"),
    ("| a | b |\n|--|--|\n| `c |", "<pre>a | b\n--+--\nc |</pre>"),
    ("| a | b |\n|--|--|\n| `c || d", "<pre>a      | b\n-------+--\nc || d |</pre>"),
    ("| a |\n| b |", "| a |\n| b"),
    ("**не закрыт\n\nдальше", "**не закрыт\n\nдальше"),
    ("<thi", ""),
    ("<THINK>мысль", ""),
    ("<think>мысль</think>\nДа", "Да"),
    ("**", ""),
    ("", ""),
]
# fmt: on


@pytest.mark.parametrize(("markdown", "expected"), UNFINISHED)
def test_what_is_open_is_shown_as_it_will_be(markdown: str, expected: str) -> None:
    """Formatting goes up to the end, and what may still become anything is not shown yet."""
    assert marked(markdown) == expected


BECOMES = {
    "unclosed": "it stays text, against all likelihood",
    "underlined heading": "the line above is a paragraph until then",
    "link references": "whether it is a link is said at the very end",
    "words like references": "it might have been a link",
    "json": "it might have been a link",
    "all ones": "the number is another than the one that was written",
    "wide table": "whether it fits is known when its rows are",
    "table of links": "whether it fits is known when its rows are",
    "table too narrow": "a row without a bar before it is a paragraph until then",
    "bold link refused": "an address that is no link comes only with its last character",
}
"""Answers that are not foreseen, and why not."""


def letters(chunks: list[Chunk]) -> list[tuple[str, frozenset[str]]]:
    """Return all signs but spaces and the lines of tables, with their formatting but for links."""
    found = []
    for chunk in chunks:
        units = chunk.text.encode("utf-16-le")
        place = 0
        for letter in chunk.text:
            kinds = {
                entity["type"]
                for entity in chunk.entities
                if 0 <= place - entity["offset"] < entity["length"]
            }
            if not letter.isspace() and letter not in "|-+—":
                found.append((letter, frozenset(map(str, kinds - {"text_link"}))))
            place += 1 + (letter > "\uffff")
        assert place * 2 == len(units)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("markdown", [a[1] for a in ANSWERS], ids=NAMES)
def test_an_answer_can_be_shown_as_it_grows(markdown: str, request: pytest.FixtureRequest) -> None:
    """Every prefix can be sent, and is the beginning of the whole, formatted as the whole is."""
    name = request.node.callspec.id
    final = letters(messages(render(markdown)))
    for length in range(len(markdown) + 1):
        chunks = growing(markdown[:length])
        assert_sendable(chunks)
        found = letters(chunks)
        if not name.startswith(tuple(BECOMES)):
            assert found == final[: len(found)]
        assert found or _is_undecided(markdown[:length])


def _is_undecided(source: str) -> bool:
    """Tell whether there is nothing but the beginning of something that may be anything."""
    said = re.sub(r"\A(\s*<think>.*?(</think>|\Z))+", "", source, flags=re.DOTALL | re.IGNORECASE)
    undecided = r"\W*|<\w*|(`{3,}|~{3,})[^\n]*\W*(```\w*\W*)?|!?\[\]\(\S*|&#?\w{0,10}|__\w+"
    return re.fullmatch(undecided, said.strip()) is not None


@pytest.mark.slow
@pytest.mark.parametrize("markdown", LONG.values(), ids=LONG)
def test_a_long_answer_can_be_shown_as_it_grows(markdown: str) -> None:
    """A message with another one after it does not change any more, and is as in the end."""
    before: list[Chunk] = []
    for length in [*range(0, len(markdown), 83), len(markdown)]:
        chunks = growing(markdown[:length])
        assert_sendable(chunks)
        assert chunks[: len(before[:-1])] == before[:-1]
        before = chunks
    whole = messages(render(markdown))
    assert before[:-1] == whole[: len(before[:-1])]


@pytest.mark.slow
@settings(max_examples=300)
@given(MARKDOWN | st.text(ANYTHING), st.integers(1, 40))
def test_any_text_can_be_shown_as_it_grows(text: str, times: int) -> None:
    """Whatever a model writes, it raises nothing, and what is shown can be sent."""
    assert_sendable(growing(text * times))


@pytest.mark.slow
@settings(max_examples=300)
@given(
    st.lists(st.sampled_from([*"*_#>-+.|<!()=: \n", "**", "\n\n", "|-|\n", "a", "б", "😀", "c d"])),
    st.integers(1, 30),
)
def test_growing_hides_but_the_end(parts: list[str], times: int) -> None:
    """Every letter is shown, in order, but for at most the last eighty."""
    markdown = "".join(parts) * times
    found = "".join(re.findall(r"[^\W\d_]|😀", "".join(c.text for c in growing(markdown))))
    whole = "".join(re.findall(r"[^\W\d_]|😀", markdown))
    assert whole.startswith(found)
    assert len(whole) - len(found) <= 80


# -- Sections -----------------------------------------------------------------------------------

MIXED = [
    markdown
    for name, markdown, _ in ANSWERS
    if not name.startswith(("unclosed", "link references", "thinking", "lone", "list first"))
]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_parts_make_the_same_whole(seed: int) -> None:
    """A long text read in parts looks as if read at once."""
    chosen = random.Random(seed).choices(MIXED, k=120)
    markdown = "\n\n".join([*chosen, "конец"])
    assert len(markdown) > 4000
    assert growing(markdown) == messages(render(markdown))


@pytest.mark.slow
@settings(max_examples=15)
@given(st.lists(st.sampled_from(MIXED), min_size=50, max_size=90), st.integers(90, 400))
def test_a_message_before_others_is_left_alone(chosen: list[str], step: int) -> None:
    """Growing text changes the last message only, but where it is a mark's breadth too long."""
    markdown = "\n\n".join(chosen)
    before: list[Chunk] = []
    for length in range(0, len(markdown), step):
        chunks = growing(markdown[:length])
        shrunk = len(chunks) < len(before)  # by a mark that is known now, and not shown any more
        assert shrunk or chunks[: len(before[:-1])] == before[:-1]
        before = chunks


def test_a_list_counted_by_the_parser_is_not_parted() -> None:
    """Where all items say 1, the numbers are those of the whole list."""
    lines = marked("1. слово\n" * 500 + "конец").replace("\n\n", "\n").split("\n")
    assert lines[:500] == [f"{n}. слово" for n in range(1, 501)]


def test_long_answers_cost_little_more_than_short_ones() -> None:
    """What has been read once is not read again: a text fifteen times as long, about thrice."""
    advice = "\n\n".join(f"{n}. **Совет {n}.** " + "Пишите *просто*. " * 9 for n in range(1, 200))
    short, long = (_cost(advice[:size]) for size in (2_000, 30_000))
    assert long < 8 * max(short, 0.002)


def _cost(markdown: str) -> float:
    """Seconds of CPU that the last characters of a growing text cost, each."""
    growing(markdown[:-20])
    start = time.process_time()
    for length in range(len(markdown) - 20, len(markdown)):
        growing(markdown[:length])
    return (time.process_time() - start) / 20
