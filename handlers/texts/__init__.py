"""Everything the bot says by itself, in Russian and in English."""

from telegram import User

from handlers.texts.catalogue import Texts
from handlers.texts.english import ENGLISH
from handlers.texts.russian import RUSSIAN

__all__ = ["ENGLISH", "RUSSIAN", "Texts", "texts_for"]


def texts_for(person: User | None) -> Texts:
    """Choose the language of a person's Telegram; Russian where it does not say.

    An anonymous admin, for one, has no language.
    """
    language = (person.language_code if person else None) or "ru"
    if not isinstance(language, str):  # an odd update has been read as it is
        return RUSSIAN
    return RUSSIAN if language.lower().startswith(("ru", "be", "uk", "kk")) else ENGLISH
