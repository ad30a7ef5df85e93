"""How a language counts, and writes numbers and dates: CLDR's rules, by Babel."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from babel import Locale
from babel.dates import format_date, format_time
from babel.numbers import format_decimal

Counted = Mapping[Literal["zero", "one", "two", "few", "many", "other"], str]
"""A text about ``{number}`` of something, in those of CLDR's plural forms that its language has."""


@dataclass(frozen=True, slots=True)
class Language:
    """A language by its code in ISO 639-1, such as ``en``."""

    language: str

    @property
    def own_name(self) -> str:
        """The language's name for itself, as on a button."""
        name = str(Locale.parse(self.language).get_display_name(self.language))
        return name[:1].upper() + name[1:]

    def number(self, number: float) -> str:
        """Write a number as the language does."""
        return format_decimal(number, locale=self.language)

    def moment(self, when: datetime) -> str:
        """Write a date and a time, to the minute, in their own zone."""
        date = format_date(when, "medium", locale=self.language)
        zone, locale = when.tzinfo, self.language
        return f"{date}, {format_time(when, 'short', tzinfo=zone, locale=locale)}"

    def counted(self, text: Counted, number: int, **more: object) -> str:
        """Fill in a text that counts something, in the plural form that the number takes."""
        form = Locale.parse(self.language).plural_form(number)
        words = next(words for name, words in text.items() if name == form)
        return words.format(number=self.number(number), **more)
