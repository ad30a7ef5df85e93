"""Everything the bot says by itself, in every language that it speaks."""

import re

from telegram import User

from handlers.texts.catalogue import Texts
from handlers.texts.english import ENGLISH
from handlers.texts.russian import RUSSIAN

__all__ = ["CATALOGUES", "ENGLISH", "RUSSIAN", "Texts", "texts_for"]

CATALOGUES = {texts.language: texts for texts in (ENGLISH, RUSSIAN)}
"""Every language the bot speaks, by its code."""
_READ_RUSSIAN = ("", "be", "kk", "uk")


def texts_for(person: User | None, *chosen: str | None, default: str | None = None) -> Texts:
    """Return the words for a person, in the first of these languages that the bot speaks.

    Those ``chosen`` for the chat or by the person, the most important first; that of their
    Telegram, which an anonymous admin, for one, does not have; ``default``. Without a default,
    Russian if Telegram does not say or says a language whose speakers read Russian, else English.
    """
    theirs = person.language_code if person else None
    spoken = (CATALOGUES.get(_language(tag)) for tag in (*chosen, theirs, default))
    guess = RUSSIAN if _language(theirs) in _READ_RUSSIAN else ENGLISH
    return next((texts for texts in spoken if texts), guess)


def _language(tag: object) -> str:
    """Return the language of an IETF tag, ``pt`` of ``pt-BR``; odd updates may have any object."""
    return re.split("[-_]", tag.lower())[0] if isinstance(tag, str) else ""
