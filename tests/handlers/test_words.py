"""What messages say, in words for the model: whatever Telegram may put into them."""

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handlers.incoming.rich import DEEPEST, MOST_PARTS, Rich, nodes
from handlers.incoming.words import Span, marked, part, told, written
from handlers.texts import ENGLISH, RUSSIAN

odd = st.text("a1\n`]\ud83d😀\u2028", max_size=3)
anything = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 9) | odd,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "text", "blocks", "items", "cells", "caption", "label", "offset", "length"]
            )
            | odd,
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
KINDS = tuple(ENGLISH.kinds)
FIELDS = (*KINDS, "text", "caption", "entities", "caption_entities", "rich_message", "unread_poll")


def entity(kind: str, offset: int, length: int, **more: Any) -> dict[str, Any]:
    """Write an entity as it comes from Telegram."""
    return {"type": kind, "offset": offset, "length": length, **more}


def link(offset: int, length: int, url: str = "https://ya.ru") -> dict[str, Any]:
    """Write a hidden link."""
    return entity("text_link", offset, length, url=url)


def says(text: str, *entities: Any) -> str:
    """Give what a text with entities says."""
    return told({"text": text, "entities": list(entities)}, ENGLISH)


@pytest.mark.parametrize(
    ("text", "entities", "words"),
    [
        ("see here", [link(4, 4)], "see [here](https://ya.ru)"),
        ("😀 here 😀", [link(3, 4)], "😀 [here](https://ya.ru) 😀"),
        ("[1] a\\b", [link(0, 7)], "[\\[1\\] a\\\\b](https://ya.ru)"),
        ("x", [link(0, 1, "https://a.b/c (d)\n")], "[x](https://a.b/c%20%28d%29%0A)"),
        ("https://ya.ru", [link(0, 13)], "https://ya.ru"),
        ("ya.ru", [entity("url", 0, 5)], "ya.ru"),
        ("\u200b", [link(0, 1)], "[\u200b](https://ya.ru)"),
        ("a x=1 b", [entity("code", 2, 3)], "a `x=1` b"),
        ("a `x", [entity("code", 2, 2)], "a `` `x `` "[:-1]),
        ("a\nb", [entity("code", 0, 3)], "```\na\nb\n```"),
        (
            "run: x=1 now",
            [entity("pre", 5, 3, language="python")],
            "run: \n```python\nx=1\n```\n now",
        ),
        ("```", [entity("pre", 0, 3)], "````\n```\n````"),
        ("bold", [entity("bold", 0, 4), entity("moon", 0, 4)], "bold"),
        # In one another, and across.
        ("use f() now", [link(0, 11), entity("code", 4, 3)], "[use `f()` now](https://ya.ru)"),
        ("use f() now", [link(0, 6), entity("code", 4, 3)], "[use `f()`](https://ya.ru) now"),
        ("ab", [link(0, 2, "x:1"), link(0, 1, "x:2")], "[ab](x:1)<x:2>"),
        ("abc", [link(0, 2, "x:1"), link(1, 2, "x:2")], "[ab](x:1)[c](x:2)"),
        # What cannot be.
        (
            "ab",
            [
                link(9, 2),
                link(-1, 2),
                link(1, 0),
                None,
                {},
                {"type": "code", "offset": "0", "length": 1},
            ],
            "ab",
        ),
        ("😀", [entity("code", 1, 1)], "`😀`"),
    ],
)
def test_links_and_code_are_markdown(text: str, entities: list[Any], words: str) -> None:
    """What a person marked reaches the model; offsets count halves of UTF-16."""
    assert says(text, *entities) == words


def test_a_caption_is_marked_too() -> None:
    """It is a text like any other."""
    photo = {"photo": [{"file_id": "1"}], "caption": "see", "caption_entities": [link(0, 3)]}
    assert told(photo, ENGLISH) == "[photo: [see](https://ya.ru)]"


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (
            {
                "poll": {
                    "question": "Tea?",
                    "options": [{"text": "yes", "voter_count": 2}, {"text": "no"}],
                }
            },
            "Poll: Tea?\n- yes (2)\n- no",
        ),
        (
            {
                "checklist": {
                    "title": "Shop",
                    "tasks": [{"text": "milk", "completion_date": 1}, {"text": "bread"}],
                }
            },
            "Checklist: Shop\n[x] milk\n[ ] bread",
        ),
        (
            {"contact": {"first_name": "Ann", "last_name": "Lee", "phone_number": "+7 1"}},
            "Contact: Ann Lee, +7 1",
        ),
        ({"location": {"latitude": 55.7, "longitude": 37.6}}, "Location: 55.7, 37.6"),
        (
            {
                "location": {"latitude": 55.7, "longitude": 37.6},
                "venue": {
                    "title": "Museum",
                    "address": "Street 1",
                    "location": {"latitude": 55.7, "longitude": 37.6},
                },
            },
            "Place: Museum, Street 1 (55.7, 37.6)",
        ),
        ({"photo": [{"file_id": "1"}]}, "[photo]"),
        ({"photo": [{"file_id": "1"}], "caption": "a cat"}, "[photo: a cat]"),
        ({"voice": {"duration": 3}}, "[voice message]"),
        ({"sticker": {"emoji": "👍"}}, "[sticker 👍]"),
        ({"dice": {"emoji": "🎲", "value": 4}}, "[dice 🎲 4]"),
        ({"document": {"file_name": "a\nb.txt"}, "caption": "look"}, "[file a b.txt: look]"),
        (
            {"audio": {"performer": "Ann", "title": "Song", "file_name": "1.mp3"}},
            "[audio Ann Song]",
        ),
        (
            {"animation": {"file_name": "a.mp4"}, "document": {"file_name": "a.mp4"}},
            "[animation a.mp4]",
        ),
        ({"unread_poll": {"question": "Tea?", "options": 5}}, "Poll: Tea?"),
        ({"pinned_message": {}}, ""),
    ],
)
def test_every_kind_has_words(message: dict[str, Any], words: str) -> None:
    """Polls and the like are text; of what is none the kind and the caption are told."""
    assert told(message, ENGLISH) == words


@pytest.mark.parametrize("kind", KINDS)
def test_no_kind_is_silent(kind: str) -> None:
    """Each is told of in both languages, whatever is in it."""
    for texts in (ENGLISH, RUSSIAN):
        assert texts.kinds[kind] in told({kind: {"x": 1}}, texts).lower()


def test_languages_have_the_same_kinds() -> None:
    """In the same order: what tells most comes first."""
    assert tuple(RUSSIAN.kinds) == KINDS


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(FIELDS), anything))
def test_no_message_is_too_odd(message: dict[str, Any]) -> None:
    """Nothing raises, and what is told can be written."""
    assert told(message, RUSSIAN).encode() is not None


entities = st.builds(
    entity,
    st.sampled_from(["text_link", "code", "pre", "bold", "mention"]),
    st.integers(0, 12),
    st.integers(0, 12),
    url=st.sampled_from(["https://a.b/1", "https://a.b/2"]),
)


@given(st.text("abc 😀`[]\\\n", max_size=12), st.lists(entities, max_size=5))
def test_nothing_is_lost_by_marking(text: str, found: list[dict[str, Any]]) -> None:
    """All letters stay, in their order, and every hidden address stands there."""
    words = says(text, *found)
    rest = iter(re.sub(r"https://a.b/\d", "", words))
    assert all(letter in rest for letter in text if letter not in "\n \\")
    _, spans = written({"text": text, "entities": found})
    for span in spans:
        if span.kind == "text_link":
            assert span.more in words


@given(st.text("ab\n😀`", max_size=9), st.integers(0, 9), st.integers(0, 9))
def test_a_part_keeps_its_spans(text: str, start: int, end: int) -> None:
    """What is marked in a text is marked in a part of it."""
    cut, spans = part(text, [Span("code", 0, len(text))], start, end)
    assert cut == text[start:end]
    assert all(text[start:end][span.start : span.end] == cut for span in spans)
    assert marked(cut, spans).strip("` \n") == cut.strip("` \n")


def rich(*blocks: Any) -> str:
    """Give what a rich message says."""
    return told({"rich_message": {"blocks": list(blocks)}}, ENGLISH)


def paragraph(*text: Any) -> dict[str, Any]:
    """Write a paragraph."""
    return {"type": "paragraph", "text": list(text)}


@pytest.mark.parametrize(
    ("block", "words"),
    [
        (paragraph("Make ", {"type": "bold", "text": "three"}, " points"), "Make three points"),
        ({"type": "paragraph", "text": "plain"}, "plain"),
        (
            paragraph({"type": "italic", "text": ["a", {"type": "code", "text": "b"}]}),
            "a`b`",
        ),
        (
            paragraph({"type": "url", "text": "here", "url": "https://ya.ru"}),
            "[here](https://ya.ru)",
        ),
        (
            paragraph("E = ", {"type": "mathematical_expression", "expression": "mc^2"}),
            "E = $mc^2$",
        ),
        (paragraph({"type": "custom_emoji", "alternative_text": "👍"}), "👍"),
        (paragraph({"type": "glow", "text": "new"}), "new"),
        ({"type": "heading", "size": 2, "text": "Title"}, "## Title"),
        (
            {"type": "pre", "language": "c", "text": ["int ", {"type": "bold", "text": "x;"}]},
            "```c\nint x;\n```",
        ),
        ({"type": "mathematical_expression", "expression": "x^2"}, "$$\nx^2\n$$"),
        ({"type": "blockquote", "blocks": [paragraph("a"), paragraph("b")]}, "> a\n> \n> b"),
        ({"type": "pullquote", "text": "wise", "credit": "Ann"}, "> wise\n> \n> — Ann"),
        ({"type": "details", "summary": "More", "blocks": [paragraph("x")]}, "More\n\nx"),
        (
            {
                "type": "list",
                "items": [
                    {"label": "1.", "blocks": [paragraph("a"), paragraph("b")]},
                    {"label": "•", "blocks": [paragraph("c")]},
                    {
                        "label": "•",
                        "has_checkbox": True,
                        "is_checked": True,
                        "blocks": [paragraph("d")],
                    },
                    {"label": "•", "has_checkbox": True, "blocks": [paragraph("e")]},
                ],
            },
            "1. a\n  \n  b\n- c\n- [x] d\n- [ ] e",
        ),
        (
            {"type": "table", "cells": [[{"text": "a", "is_header": True}, {"text": "b|c"}], [{}]]},
            "| a | b\\|c |\n| --- | --- |\n|  |  |",
        ),
        ({"type": "photo", "photo": [], "caption": {"text": ["a ", "cat"]}}, "[photo: a cat]"),
        ({"type": "voice_note", "voice_note": {}}, "[voice message]"),
        ({"type": "buttons", "buttons": [{"text": "Yes"}, {"text": "No"}]}, "Yes No"),
        ({"type": "hologram", "parts": [{"words": ["of ", "light"]}]}, "of light"),
        ("only a string", "only a string"),
        ({"type": "divider"}, "---"),
        ({"type": "anchor", "name": "top"}, ""),
    ],
)
def test_every_block_has_words(block: Any, words: str) -> None:
    """What is known becomes Markdown; of what is not, whatever text is in it."""
    assert rich(block) == words


def test_blocks_stand_apart() -> None:
    """Each begins anew, after an empty line."""
    assert rich(paragraph("a"), {"type": "anchor"}, paragraph("b")) == "a\n\nb"


words = st.text("abcdef", min_size=1, max_size=6)
inline = st.recursive(
    words,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.fixed_dictionaries(
            {"type": st.sampled_from(["bold", "url", "mention", "new"]), "text": inner}
        )
    ),
    max_leaves=6,
)
block = st.recursive(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["paragraph", "heading", "footer", "pre", "new"]), "text": inline}
    ),
    lambda inner: (
        st.fixed_dictionaries(
            {"type": st.sampled_from(["blockquote", "details", "new"]), "blocks": st.lists(inner)}
        )
        | st.fixed_dictionaries(
            {
                "type": st.just("list"),
                "items": st.lists(st.fixed_dictionaries({"blocks": st.lists(inner)})),
            }
        )
    ),
    max_leaves=6,
)


def strings(part: Any) -> list[str]:
    """All texts in a tree, in their order."""
    if isinstance(part, str):
        return [part]
    if isinstance(part, list):
        return [text for one in part for text in strings(one)]
    return [text for name, value in part.items() if name != "type" for text in strings(value)]


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(block, max_size=4))
def test_nothing_of_a_rich_message_is_lost(blocks: list[Any]) -> None:
    """Every text in it is there, in its order."""
    written_words = re.sub(r"[^a-f]", "", rich(*blocks))
    assert written_words == "".join(strings(blocks))


@given(anything)
def test_no_rich_message_is_too_odd(tree: Any) -> None:
    """Whatever it is, it says something that can be written, or nothing."""
    assert Rich(tree, ENGLISH.kinds).text().encode() is not None
    assert all(isinstance(node, dict) for node in nodes(tree))


def test_a_rich_message_is_bounded() -> None:
    """One deeper or larger than Telegram allows costs no more than those it does."""
    deep: Any = "deep"
    for _ in range(DEEPEST * 20):
        deep = {"type": "bold", "text": deep}
    assert rich(paragraph("top"), deep) == "top"
    many = Rich([["x"] * MOST_PARTS * 3], {}).text()
    assert 0 < len(many) <= MOST_PARTS
    assert sum(1 for _ in nodes([{}] * MOST_PARTS * 3)) < MOST_PARTS
