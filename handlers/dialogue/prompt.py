"""The system prompt, with today's date and time filled in."""

import re
from datetime import datetime

_RUSSIAN_MONTHS = (
    "января", "февраля", "марта", "апреля", "мая", "июня",
    "июля", "августа", "сентября", "октября", "ноября", "декабря",
)  # fmt: skip
_RUSSIAN_DAYS = (
    "понедельник", "вторник", "среда", "четверг", "пятница", "суббота", "воскресенье"
)  # fmt: skip


def filled(prompt: str, now: datetime) -> str:
    """Replace ``{date}``, ``{time}`` and ``{weekday}`` by ``now``; other braces stay.

    In Russian if the prompt has a Cyrillic letter, else in English.
    """
    if re.search("[а-яё]", prompt, re.IGNORECASE):
        date = f"{now.day} {_RUSSIAN_MONTHS[now.month - 1]} {now.year} года"
        weekday = _RUSSIAN_DAYS[now.weekday()]
    else:
        date, weekday = f"{now.day} {now:%B} {now.year}", f"{now:%A}"
    values = {"{date}": date, "{time}": f"{now:%H:%M}", "{weekday}": weekday}
    return re.sub(r"\{(?:date|time|weekday)\}", lambda place: values[place[0]], prompt)
