"""Date and time in the system prompt."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.dialogue.prompt import filled

NOW = datetime(2026, 11, 25, 21, 5, tzinfo=UTC)
PLACES = ("{date}", "{time}", "{weekday}")


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("Сегодня {weekday}, {date}, {time}.", "Сегодня среда, 25 ноября 2026 года, 21:05."),
        ("It is {weekday}, {date}, {time}.", "It is Wednesday, 25 November 2026, 21:05."),
        ("{date}{date}", "25 November 202625 November 2026"),
        ("{{date}}, {Date}, {day}, {}, {date", "{25 November 2026}, {Date}, {day}, {}, {date"),
        ('Отвечай в JSON: {"a": {}}, %d, {0}', 'Отвечай в JSON: {"a": {}}, %d, {0}'),
    ],
)
def test_places(prompt: str, expected: str) -> None:
    """Three places are filled, in the prompt's language; every other brace stays."""
    assert filled(prompt, NOW) == expected


def test_a_year() -> None:
    """Each day has its own words, without zeros before it."""
    days = [NOW.replace(month=1, day=1) + timedelta(days=number) for number in range(365)]
    russian = {filled("Дата: {date}", day) for day in days}
    english = {filled("{date}", day) for day in days}
    assert len(russian) == len(english) == 365
    assert {"Дата: 1 января 2026 года", "Дата: 31 декабря 2026 года"} < russian
    assert {"1 January 2026", "31 May 2026"} < english
    assert len({filled("День: {weekday}", day) for day in days}) == 7


@given(st.text().filter(lambda text: not any(place in text for place in PLACES)))
def test_nothing_else_changes(prompt: str) -> None:
    """A prompt without these places is sent as it is."""
    assert filled(prompt, NOW) == prompt
