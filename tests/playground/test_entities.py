"""Entities of the local Bot API, against TDLib as the oracle."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.playground import entities
from bot.playground.entities import EntityError, find, is_blank, sent, units

_SAME_KINDS = {
    "textEntityTypeBotCommand": "bot_command",
    "textEntityTypeMention": "mention",
    "textEntityTypeUrl": "url",
}
_ACCEPTED_LINKS = (
    "http://1.2.3.4/x",
    "https://a.bc/d?e=f",
    "HTTP://A.B",
    "http://a.b:8080/x",
    "http://а.рф/",
    "http://[::1]/",
    "http://user:pw@a.b/",
    "tg://user?id=5",
    "www.x.y",
    "README.md",
)
_REFUSED_LINKS = (
    "",
    "foo",
    "#x",
    "/path",
    "./a.md",
    "tel:1",
    "ftp://a.b",
    "javascript:alert(1)",
    "https://a",
    "http://localhost:8080/x",
)


def _link(url: str) -> list[dict[str, Any]]:
    return [{"type": "text_link", "offset": 0, "length": 5, "url": url}]


@pytest.fixture(params=["tdlib", "built in"])
def judge(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Judge with TDLib, then without it."""
    if request.param == "built in":
        monkeypatch.setattr(entities, "tdjson", None)
    return str(request.param)


# No two of these letters are a top-level domain: a link without "https://" is not found here.
@given(st.text(st.sampled_from("/@qj_1J .,\n😀й-!<>"), max_size=20))
@example("/start@demo_bot hi @demo_bot https://ex.com/a?b=c, 😀 /go")
def test_finds_what_tdlib_finds(text: str) -> None:
    """Commands, mentions and links stand where TDLib sees them, in UTF-16 units."""
    answer = entities._ask({"@type": "getTextEntities", "text": text})
    expected = [
        (_SAME_KINDS[found["type"]["@type"]], found["offset"], found["length"])
        for found in answer["entities"]
        if found["type"]["@type"] in _SAME_KINDS
    ]
    assert [(e["type"], e["offset"], e["length"]) for e in find(text)] == expected


def test_finds_hashtags_and_leaves_links_whole() -> None:
    """A hashtag needs a letter, and what is inside a link is nothing of its own."""
    found = find("#тег #12 http://a.bc/@demo_bot#x.")
    assert [(e["type"], e["offset"], e["length"]) for e in found] == [
        ("hashtag", 0, 4),
        ("url", 9, 23),
    ]


@given(st.text())
def test_counts_utf16_units(text: str) -> None:
    """Length in units is half the length in UTF-16 bytes."""
    assert units(text) == len(text.encode("utf-16-le", "surrogatepass")) // 2


@given(st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=3))
@example("\u202a")
def test_blank_is_what_tdlib_leaves_nothing_of(text: str) -> None:
    """A text is blank exactly when TDLib cleans all of it away."""
    asked = {"@type": "formattedText", "text": text, "entities": []}
    kept = entities._ask({"@type": "getMarkdownText", "text": asked})["text"]
    assert is_blank(text) == (kept.strip() == "" and is_blank(kept))


@pytest.mark.parametrize("url", _ACCEPTED_LINKS)
def test_accepts_links_with_a_host(judge: str, url: str) -> None:
    """Links to somewhere pass, by TDLib and by the built-in check."""
    assert sent("hello", "", _link(url)) == ("hello", _link(url)), judge


@pytest.mark.parametrize("url", _REFUSED_LINKS)
def test_refuses_links_to_nowhere(judge: str, url: str) -> None:
    """One bad link and the whole message is refused."""
    with pytest.raises(EntityError, match=r"^Entity URL '.*' is invalid: "):
        sent("hello", "", _link(url))
    assert judge


@pytest.mark.parametrize(
    ("offset", "length", "words"),
    [
        (1, 1, "Entity begins in a middle of a UTF-16 symbol at byte offset 4"),
        (0, 1, "Entity ends in a middle of a UTF-16 symbol at byte offset 4"),
        (4, 1, "Entity begins after the end of the text at UTF-16 offset 4"),
        (0, 9, "Entity beginning at UTF-16 offset 0 ends after the end of the text"),
        (-1, 1, "Receive an entity with incorrect offset -1"),
        (0, -1, "Receive an entity with incorrect length -1"),
    ],
)
def test_refuses_entities_out_of_place(judge: str, offset: int, length: int, words: str) -> None:
    """Offsets outside the text or inside a surrogate pair are errors, in the same words."""
    with pytest.raises(EntityError, match=words):
        sent("😀a", "", [{"type": "bold", "offset": offset, "length": length}])
    assert judge


def test_built_in_check_words_like_tdlib() -> None:
    """The refusal of a place is TDLib's sentence to the letter."""
    bad = {"@type": "textEntity", "offset": 1, "length": 1, "type": {"@type": "textEntityTypeBold"}}
    asked = {"@type": "formattedText", "text": "😀a", "entities": [bad]}
    with pytest.raises(EntityError) as theirs:
        entities._ask({"@type": "parseMarkdown", "text": asked})
    with pytest.raises(EntityError) as ours:
        sent("😀a", "", [{"type": "bold", "offset": 1, "length": 1}])
    assert str(ours.value) == str(theirs.value)


@pytest.mark.parametrize(
    "given_entity",
    [
        {"type": "text_mention", "offset": 0, "length": 2, "user": {"id": 5}},
        {"type": "custom_emoji", "offset": 0, "length": 2, "custom_emoji_id": "5"},
        {"type": "pre", "offset": 0, "length": 2, "language": "py"},
        {"type": "pre", "offset": 0, "length": 2},
        {"type": "expandable_blockquote", "offset": 0, "length": 2},
    ],
)
def test_keeps_every_kind(given_entity: dict[str, Any]) -> None:
    """Each kind a bot may give is passed by TDLib and kept."""
    assert sent("hello", "", [given_entity]) == ("hello", [given_entity])


def test_ignores_kinds_the_server_finds_itself() -> None:
    """A url entity given by the bot counts for nothing; the server looks for itself."""
    text, found = sent("no url", "", [{"type": "url", "offset": 0, "length": 2}])
    assert (text, found) == ("no url", [])


def test_refuses_unknown_kinds_and_missing_places() -> None:
    """An entity must be of a known type and say where it stands."""
    with pytest.raises(EntityError, match="Unsupported type"):
        sent("hello", "", [{"type": "blink", "offset": 0, "length": 1}])
    with pytest.raises(EntityError, match="must be numbers"):
        sent("hello", "", [{"type": "bold"}])


def test_applies_a_hundred_entities() -> None:
    """More than a hundred entities are no error, the rest is not applied."""
    many = [{"type": "bold", "offset": 2 * number, "length": 1} for number in range(120)]
    _, kept = sent("a " * 120, "", many)
    assert kept == many[:100]


def test_trims_and_moves_entities_along() -> None:
    """Blanks around the text go, an entity keeps its words, one of blanks only goes too."""
    given_entities = [
        {"type": "bold", "offset": 2, "length": 20},
        {"type": "italic", "offset": 5, "length": 1},
        {"type": "bold", "offset": 2, "length": 0},
    ]
    text, kept = sent("  abc                 ", "", given_entities)
    assert (text, kept) == ("abc", [{"type": "bold", "offset": 0, "length": 3}])


def test_finds_links_inside_bold_but_not_inside_code() -> None:
    """The server's own finds stand beside styles, never inside code."""
    bold = {"type": "bold", "offset": 0, "length": 5}
    code = {"type": "code", "offset": 6, "length": 5}
    command = {"type": "bot_command", "offset": 0, "length": 5}
    assert sent("/help /help", "", [bold, code])[1] == [bold, command, code]


def test_parses_html_and_markdown_as_tdlib_does() -> None:
    """parse_mode is TDLib's business: its entities, its errors, bad links dropped."""
    text, kept = sent(
        "<b>b</b> <a href='http://a.bc'>l</a> <a href='foo'>n</a> <a href='tg://user?id=5'>m</a>"
        " <pre><code class='language-py'>c</code></pre> <pre>p</pre>"
        " <tg-emoji emoji-id='5'>👍</tg-emoji>",
        "HTML",
        [],
    )
    assert text == "b l n m c p 👍"
    kinds = [e["type"] for e in kept]
    assert kinds == ["bold", "text_link", "text_mention", "pre", "pre", "custom_emoji"]
    with pytest.raises(EntityError, match=r"Can't parse entities: Character '\.' is reserved"):
        sent("*x* a.b", "MarkdownV2", [])
    assert sent("*x*", "Markdown", [])[1] == [{"type": "bold", "offset": 0, "length": 1}]


def test_refuses_parse_modes_it_cannot_honour(monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown mode is refused, and without TDLib each mode is, rather than guessed at."""
    with pytest.raises(EntityError, match="unsupported parse_mode"):
        sent("x", "BBCode", [])
    monkeypatch.setattr(entities, "tdjson", None)
    with pytest.raises(EntityError, match="needs tdjson"):
        sent("x", "HTML", [])
