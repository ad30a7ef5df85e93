"""The bot's own words: in whose language, and nothing in the catalogue that nobody says."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path

import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st
from telegram import User

import handlers
from handlers.texts import CATALOGUES, ENGLISH, RUSSIAN, Texts, texts_for
from handlers.texts.language import Counted


def test_all_texts_are_said() -> None:
    """Each is used somewhere."""
    sources = Path(handlers.__file__).parent.rglob("*.py")
    used = re.findall(r"\.(\w+)\b", "".join(path.read_text("utf-8") for path in sources))
    assert {field.name for field in fields(Texts)} <= {*used}


def person(language: str | None) -> User:
    """Somebody whose Telegram speaks this."""
    return User(1, "Ann", is_bot=False, language_code=language)


@pytest.mark.parametrize(
    ("language", "texts"),
    [
        *((tag, RUSSIAN) for tag in ("ru", "ru-RU", "RU_ru", "be", "uk", "kk-kz", "", None)),
        *((tag, ENGLISH) for tag in ("en", "en-gb", "EN", "pt-br", "zh-hans", "rup", "enm")),
    ],
)
def test_the_language_of_a_telegram(language: str | None, texts: Texts) -> None:
    """With its region or without; those we do not speak get what they more probably read."""
    assert texts_for(person(language)) is texts


def test_the_order_of_languages() -> None:
    """The chat's, the person's choice, their Telegram's, the owner's; unknown ones are left out."""
    english, german = person("en"), person("de")
    assert texts_for(english, "ru", "en") is RUSSIAN
    assert texts_for(english, None, "ru") is RUSSIAN
    assert texts_for(english, "tlh", "", default="ru") is ENGLISH
    assert texts_for(german, "en-us", default="ru") is ENGLISH
    assert texts_for(german, default="ru") is RUSSIAN
    assert texts_for(person("uk"), default="en") is ENGLISH
    assert texts_for(None, default="en") is ENGLISH
    assert texts_for(None) is RUSSIAN


@given(st.text() | st.integers() | st.none(), st.sampled_from([None, *CATALOGUES]))
def test_any_language(language: str | None, chosen: str | None) -> None:
    """Whatever an odd update says, a choice is kept."""
    texts = texts_for(person(language), chosen)
    assert chosen in (None, texts.language)


COUNTED = [field.name for field in fields(Texts) if field.type == Counted]


@pytest.mark.parametrize("texts", CATALOGUES.values(), ids=CATALOGUES)
def test_plural_forms(texts: Texts) -> None:
    """Each text that counts has all forms that whole numbers take in its language, and no other."""
    locale = Locale.parse(texts.language)
    forms = {locale.plural_form(number) for number in (*range(1001), 10**6)}
    assert COUNTED
    for name in COUNTED:
        assert {*getattr(texts, name)} == forms, name


@pytest.mark.parametrize(
    ("number", "english", "russian"),
    [
        (0, "0 questions with answers", "0 вопросов с ответами"),
        (1, "1 question with its answer", "1 вопрос с ответом"),
        (2, "2 questions with answers", "2 вопроса с ответами"),
        (5, "5 questions with answers", "5 вопросов с ответами"),
        (11, "11 questions with answers", "11 вопросов с ответами"),
        (1021, "1,021 questions with answers", "1\xa0021 вопрос с ответом"),
    ],
)
def test_a_count(number: int, english: str, russian: str) -> None:
    """A number is written, and its noun inflected, as the language does."""
    assert ENGLISH.counted(ENGLISH.context_turns, number) == f"It has {english}."
    assert RUSSIAN.counted(RUSSIAN.context_turns, number) == f"В нём {russian}."


def test_the_places_in_texts() -> None:
    """Each language fills in the same, whatever is said around it."""
    for field in fields(Texts):
        places = {frozenset(_places(getattr(texts, field.name))) for texts in CATALOGUES.values()}
        assert len(places) == 1, field.name


def _places(text: object) -> Iterator[str]:
    for part in text.values() if isinstance(text, Mapping) else [str(text)]:
        yield from re.findall(r"\{(\w+)\}", part)
