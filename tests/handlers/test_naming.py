"""Names as the bot shows them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.actions.naming import named, shown

UNSEEN = "\u115f\u1160\u200b\u202e\u2066\u2800\u3164\ufeff\uffa0"
"""Of each of these, people make names of which nothing is seen."""


@pytest.mark.parametrize("name", ["", " ", *UNSEEN, "\u200b \u200b", "\u3164\n\u2800"])
def test_a_name_of_which_nothing_is_seen(name: str) -> None:
    """It is none."""
    assert shown(name) == ""
    assert named(name, 7) == "7"


@given(st.text(st.sampled_from(f"ab \n\u3000{UNSEEN}")))
def test_what_is_seen_of_a_name(name: str) -> None:
    """Words with one space between them, on one line."""
    seen = shown(name, len(name))
    assert seen == " ".join(seen.split())
    assert seen.replace(" ", "") == "".join(letter for letter in name if letter in "ab")
