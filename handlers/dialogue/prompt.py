"""The system prompt, with today's date and time filled in."""

import re
from datetime import datetime

from babel.dates import format_datetime

_DATES = {"ru": "d MMMM y 'года'", "en": "d MMMM y"}
"""A date in each language, as a pattern of CLDR."""


def filled(prompt: str, now: datetime) -> str:
    """Replace ``{date}``, ``{time}`` and ``{weekday}`` by ``now``; other braces stay.

    In Russian if the prompt has a Cyrillic letter, else in English.
    """
    language = "ru" if re.search("[а-яё]", prompt, re.IGNORECASE) else "en"
    patterns = {"date": _DATES[language], "time": "HH:mm", "weekday": "EEEE"}
    return re.sub(
        r"\{(date|time|weekday)\}",
        lambda place: format_datetime(now, patterns[place[1]], locale=language),
        prompt,
    )
