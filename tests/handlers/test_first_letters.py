"""Patterns that first ask whether a letter can begin a match: the question hides no match."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.rendering import literal, markdown, page, unfinished

_KNOWN = (
    *("a < b", "2*3", "x**2", "src/**/*.ts", "/* **/a", "*.log", '("_")', "(*)", "__main__", "~5"),
    *("[^1]", "**a** (1+r)**n", "n*(n-1)", "1. >", "1. [x", "a *.", r"\beg", "**/a", "__ini", "<b"),
    *("a&am", "(a)**n", "!", "![", "a[", "a*", "a_", "a~", "a`", "a$", "a|", "a\\", "a "),
    *(f"{page._LESS}br>", f"{page._LESS}https://a.ru>", f"a{page._LESS}b>", "||a||"),
    *(f"{mark * 10}a" for mark in ("- ", "+ ", "* ", "1. ", "2)\t")),
)
_TEXTS = st.lists(st.sampled_from([*_KNOWN, *"*_~`$|<>!&[]()\\ \na5.:/"]), max_size=6).map("".join)
_PATTERNS = pytest.mark.parametrize(
    "pattern",
    [
        markdown._LIST_IN_LIST,
        literal._LITERAL,
        literal._PRODUCT,
        unfinished._UNDECIDED,
        page._MARK,
    ],
    ids=["list in list", "literal", "product", "undecided", "mark"],
)


def check(pattern: re.Pattern[str], text: str) -> None:
    rest, number = re.subn(r"\A\(\?=\[.*?\]\)", "", pattern.pattern)
    assert number == 1
    without = re.compile(rest, pattern.flags)
    assert [m.span() for m in pattern.finditer(text)] == [m.span() for m in without.finditer(text)]


@_PATTERNS
def test_the_first_letter_rules_out_no_known_match(pattern: re.Pattern[str]) -> None:
    for text in _KNOWN:
        check(pattern, text)


@_PATTERNS
@given(text=_TEXTS)
def test_the_first_letter_rules_out_no_match(pattern: re.Pattern[str], text: str) -> None:
    check(pattern, text)


@given(text=_TEXTS)
def test_a_token_has_one_of_its_signs(text: str) -> None:
    for one in (text, "https://a_b", "www.a_b", "C:\\a_b"):
        found = literal._TOKEN.search(one)
        assert not found or any(sign in found[0] for sign in literal._SIGNS_OF_TOKENS)
