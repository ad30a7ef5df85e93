"""A language that nobody speaks, made from English: every text longer, and marked."""

import re
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from handlers.texts import ENGLISH, Texts

KEPT = re.compile(r"(\{\w+\}|/\w+)")
"""Places to fill in, and commands: the same in every language."""
ACCENTS = str.maketrans("aceinosuyACEINOSUY", "áçéíñöšüýÁÇÉÍÑÖŠÜÝ")
LONGER = 0.5
"""What many languages need beside English; short texts grow by even more."""


def pseudo(texts: Texts) -> Texts:
    """Make the catalogue; its plural forms and numbers are those of ``texts``."""
    names = [field.name for field in fields(Texts) if field.name != "language"]
    return replace(texts, **{name: _marked(getattr(texts, name)) for name in names})


def _marked(text: Any) -> Any:
    if isinstance(text, Mapping):
        return {name: _marked(part) for name, part in text.items()}
    assert isinstance(text, str), text
    parts = [part if KEPT.fullmatch(part) else part.translate(ACCENTS) for part in KEPT.split(text)]
    return f"⟦{''.join(parts)}{'·' * (4 + int(len(text) * LONGER))}⟧"


def unmarked(said: str) -> str:
    """Leave out what comes from the catalogue, also within one another."""
    while (less := re.sub("⟦[^⟦⟧]*⟧", "", said)) != said:
        said = less
    return said


PSEUDO = pseudo(ENGLISH)
