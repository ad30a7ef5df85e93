"""Tables, as they can be read on a phone."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.rendering.markup import Chunk, render
from handlers.rendering.table import MAX_WIDTH, width
from tests.handlers.reading import assert_sendable, shown

WIDE = (
    "| Язык | Год | Автор | Парадигма | Применение |\n"
    "|---|---|---|---|---|\n"
    "| Python | 1991 | Гвидо ван Россум | **мульти**парадигменный | наука, веб, автоматизация |\n"
    "| [C](https://a.ru) | 1972 | Деннис Ритчи | императивный | |"
)


def text_of(markdown: str) -> str:
    pieces = render(markdown)
    assert_sendable(pieces)
    return "\n\n".join(shown(piece) for piece in pieces if isinstance(piece, Chunk))


def test_a_wide_table_is_a_block_for_each_row() -> None:
    """A phone would wrap its lines; so each value has its header, and keeps its formatting."""
    assert text_of(f"Вот:\n\n{WIDE}\n\nВсё") == (
        "Вот:\n\n"
        "<bold>Язык:</bold> Python\n"
        "<bold>Год:</bold> 1991\n"
        "<bold>Автор:</bold> Гвидо ван Россум\n"
        "<bold>Парадигма:</bold> <bold>мульти</bold>парадигменный\n"
        "<bold>Применение:</bold> наука, веб, автоматизация\n\n"
        "<bold>Язык:</bold> <text_link https://a.ru>C</text_link>\n"
        "<bold>Год:</bold> 1972\n"
        "<bold>Автор:</bold> Деннис Ритчи\n"
        "<bold>Парадигма:</bold> императивный\n"
        "<bold>Применение:</bold> —\n\n"
        "Всё"
    )


# fmt: off
TABLES = [
    # Forty letters fit, one more does not.
    (f"| a | b |\n|-|-|\n| {'x' * 20} | {'y' * 17} |",
     f"<pre>a{' ' * 19} | b\n{'-' * 21}+{'-' * 18}\n{'x' * 20} | {'y' * 17}</pre>"),
    (f"| a | b |\n|-|-|\n| {'x' * 20} | {'y' * 18} |",
     f"<bold>a:</bold> {'x' * 20}\n<bold>b:</bold> {'y' * 18}"),
    # What has no header stands for itself.
    (f"| | Раз |\n|-|-|\n| Два | {'слово ' * 7}|",
     "<bold>Два</bold>\n<bold>Раз:</bold> " + "слово " * 6 + "слово"),
    (f"| a: | b |\n|-|-|\n| {'x' * 30} | y<br>`z` | {'w' * 9} |",
     f"<bold>a:</bold> {'x' * 30}\n<bold>b:</bold> y\n<code>z</code>\n<bold>{'w' * 9}</bold>"),
    # A head alone.
    (f"| {'x' * 30} | {'y' * 30} |\n|-|-|",
     f"<bold>{'x' * 30}</bold> | <bold>{'y' * 30}</bold>"),
    # Chinese and emoji are twice as wide, marks take no room.
    ("| 语言 | b |\n|-|-|\n| и\u0306 | c |\n| 👍 | d |",
     "<pre>语言 | b\n-----+--\nи\u0306    | c\n👍   | d</pre>"),
    # In a list, and in a quotation.
    (f"> | a | b |\n> |-|-|\n> | {'x' * 40} | y |",
     f"<blockquote><bold>a:</bold> {'x' * 40}\n<bold>b:</bold> y</blockquote>"),
    (f"- Вот:\n\n  | a | b |\n  |-|-|\n  | {'x' * 40} | ||y|| |\n- z",
     f"• Вот:\n\n<bold>a:</bold> {'x' * 40}\n<bold>b:</bold> —\n<bold>y</bold>\n• z"),
]
# fmt: on


@pytest.mark.parametrize(("markdown", "expected"), TABLES)
def test_a_table_is_what_fits(markdown: str, expected: str) -> None:
    """Columns where they fit, else blocks."""
    assert text_of(markdown) == expected


CELLS = st.lists(
    st.sampled_from(["слово", "a", "語", "👍", "1991", "и\u0306", "two words", "x" * 12, "№"]),
    max_size=4,
).map(" ".join)


@pytest.mark.slow
@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=2, max_size=5))
def test_no_line_of_columns_is_too_wide_and_no_word_is_lost(rows: list[list[str]]) -> None:
    """Whatever the cells hold, all of it is there, and columns are only where they fit."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    chunks = [
        p for p in render("\n".join([lines[0], "|-|-|-|", *lines[1:]])) if isinstance(p, Chunk)
    ]
    text = "\n".join(chunk.text for chunk in chunks)
    assert_sendable(chunks)
    if any(entity["type"] == "pre" for chunk in chunks for entity in chunk.entities):
        assert max(map(width, text.split("\n"))) <= MAX_WIDTH
    for row in rows[1:]:
        for cell in row:
            assert cell in text
    assert set(re.findall(r"\w+", " ".join(rows[0]))) <= set(re.findall(r"\w+", text))
