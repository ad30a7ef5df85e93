"""Entities of the local Bot API, against TDLib as the oracle."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.playground.telegram import entities
from bot.playground.telegram.entities import find, is_blank, sent, units
from bot.playground.telegram.entity import EntityError

ROOT = Path(__file__).parents[2]
_SAME_KINDS = {
    "textEntityTypeBotCommand": "bot_command",
    "textEntityTypeMention": "mention",
    "textEntityTypeUrl": "url",
    "textEntityTypeHashtag": "hashtag",
    "textEntityTypeCashtag": "cashtag",
    "textEntityTypeEmailAddress": "email",
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


_WORDS = (
    *(
        "ya.ru",
        "example.org/путь?x=1#y",
        "https://a.bc/d_(e)",
        "HTTP://A.BC",
        "http://1.2.3.4:80/x",
    ),
    *("пример.рф", "README.md", "tg://resolve?domain=x", "ftp://a.bc", "xn--e1afmkfd.xn--p1ai"),
    *(
        "ann@mail.example.co.uk",
        "a_b-c@d.io",
        "$USD",
        "$1INCH",
        "$usd",
        "$LONGEST_X",
        "#тег",
        "#12",
    ),
    *(
        "@demo_bot",
        "@abc",
        "/start",
        "/start@demo_bot",
        "a/b",
        "end.In",
        "3.14",
        "1.150",
        "v1.2",
        "и.о.",
        "x",
    ),
)


def _theirs(text: str) -> list[tuple[str, int, int]]:
    """Return what TDLib finds, of the kinds that are found here."""
    return [
        (_SAME_KINDS[found["type"]["@type"]], found["offset"], found["length"])
        for found in entities._ask({"@type": "getTextEntities", "text": text})["entities"]
        if found["type"]["@type"] in _SAME_KINDS
    ]


def _ours(text: str) -> list[tuple[str, int, int]]:
    return [(each["type"], each["offset"], each["length"]) for each in find(text)]


@given(
    st.lists(st.tuples(st.sampled_from(_WORDS), st.sampled_from([" ", "\n", ", ", ". ", "! 😀 "])))
)
def test_finds_in_prose_what_tdlib_finds(words: list[tuple[str, str]]) -> None:
    """Links with and without their scheme, addresses, tags, commands, between other words."""
    text = "".join(word + after for word, after in words)
    assert _ours(text) == _theirs(text)


@pytest.mark.parametrize("word", _WORDS)
@pytest.mark.parametrize("around", ["({})", "«{}»", '"{}".', "x: {}; y", "{}…", "[{}],"])
def test_finds_in_brackets_what_tdlib_finds(word: str, around: str) -> None:
    """Brackets and punctuation around it are not of it."""
    text = around.format(word)
    assert _ours(text) == _theirs(text)


def test_finds_phone_numbers() -> None:
    """In international form: those are the server's, not TDLib's."""
    text = "+7 926 123-45-67, +12125550123. +1 (212) 555-0123; 8 800 555 35 35, +12, 2+2345678"
    assert [text[start : start + length] for kind, start, length in _ours(text)] == [
        "+7 926 123-45-67",
        "+12125550123",
        "+1 (212) 555-0123",
    ]
    assert {kind for kind, *_ in _ours(text)} == {"phone_number"}


# No two of these letters are a top-level domain.
@given(st.text(st.sampled_from("/@qj_1J .,\n😀й-!<>"), max_size=20))
@example("/start@demo_bot hi @demo_bot https://ex.com/a?b=c, 😀 /go")
def test_finds_what_tdlib_finds(text: str) -> None:
    """Commands, mentions and links stand where TDLib sees them, in UTF-16 units."""
    assert _ours(text) == _theirs(text)


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
    with pytest.raises(match=r"^Entity URL '.*' is invalid: "):
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
    with pytest.raises(match=words):
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
    with pytest.raises(match="Unsupported type"):
        sent("hello", "", [{"type": "blink", "offset": 0, "length": 1}])
    with pytest.raises(match='Can\'t find field "offset"'):
        sent("hello", "", [{"type": "bold"}])


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"offset": True}, 'Field "offset" must be of type Number'),
        ({"offset": 0.0}, 'Field "offset" must be a valid Number'),
        ({"length": 2**31}, 'Field "length" must be a valid Number'),
        ({"type": ["bold"]}, 'Field "type" must be of type String'),
        ({"type": "text_link"}, 'Can\'t find field "url"'),
        ({"type": "text_mention", "user": 5}, 'Field "user" must be of type Object'),
        ({"type": "text_mention", "user": {"id": 2**70}}, 'Field "id" must be a valid Number'),
        ({"type": "custom_emoji", "custom_emoji_id": "x"}, "must be a valid Number"),
        ({"type": "pre", "language": {}}, 'Field "language" must be of type String'),
        ({"type": "date_time", "unix_time": 1, "date_time_format": "x"}, "Invalid date format"),
    ],
)
def test_refuses_what_is_no_entity(judge: str, more: dict[str, Any], why: str) -> None:
    """Telegram's words say which field is wrong; none of TDLib's own protocol."""
    with pytest.raises(match=f"can't parse MessageEntity: .*{why}"):
        sent("hello", "", [{"type": "bold", "offset": 0, "length": 2, **more}])
    assert judge


def test_numbers_as_strings_and_nothing_else_is_kept(judge: str) -> None:
    """An entity has the fields of its kind, however they were given."""
    given_entity = {
        "type": "custom_emoji",
        "offset": "0",
        "length": "2",
        "custom_emoji_id": 5,
        "x": 1,
    }
    kept = [{"type": "custom_emoji", "offset": 0, "length": 2, "custom_emoji_id": "5"}]
    assert sent("hello", "", [given_entity]) == ("hello", kept), judge


@pytest.mark.parametrize("form", ["", "r", "w", "wDT", "dt", "t", "D"])
def test_dates(form: str) -> None:
    """A date is kept as it is to be shown, given as an entity or in a parse mode."""
    look = {"date_time_format": form} if form else {}
    date = {"type": "date_time", "offset": 0, "length": 5, "unix_time": 1647531900, **look}
    assert sent("22:45", "", [date]) == ("22:45", [date])
    html = f'<tg-time unix="1647531900" format="{form}">22:45</tg-time>'
    assert sent(html, "HTML", []) == ("22:45", [date])
    link = f"tg://time?unix=1647531900&format={form}" if form else "tg://time?unix=1647531900"
    assert sent(f"![22:45]({link})", "MarkdownV2", []) == ("22:45", [date])


def test_the_last_letter_of_a_kind_counts() -> None:
    """As TDLib reads a date's format."""
    date = {
        "type": "date_time",
        "offset": 0,
        "length": 1,
        "unix_time": 1,
        "date_time_format": "Ttw",
    }
    assert sent("x", "", [date])[1][0]["date_time_format"] == "wt"


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
    with pytest.raises(match=r"Can't parse entities: Character '\.' is reserved"):
        sent("*x* a.b", "MarkdownV2", [])
    assert sent("*x*", "Markdown", [])[1] == [{"type": "bold", "offset": 0, "length": 1}]


def test_make_demo_installs_the_parser() -> None:
    """Whoever tests a bot on the demo gets TDLib with it, the one that these tests know."""
    locked = [
        re.search(r"^tdjson==\S+", (ROOT / f"requirements-{name}.txt").read_text(), re.MULTILINE)
        for name in ("demo", "dev")
    ]
    demo, dev = (found and found[0] for found in locked)
    assert demo == dev is not None


def test_refuses_parse_modes_it_cannot_honour(monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown mode is refused, and without TDLib each mode is, rather than guessed at."""
    with pytest.raises(match="unsupported parse_mode"):
        sent("x", "BBCode", [])
    monkeypatch.setattr(entities, "tdjson", None)
    with pytest.raises(match="needs tdjson"):
        sent("x", "HTML", [])
