"""The bot's own words: nothing in the catalogue that nobody says."""

import re
from dataclasses import fields
from pathlib import Path

import handlers
from handlers.texts.catalogue import Texts


def test_all_texts_are_said() -> None:
    """Each is used somewhere."""
    sources = Path(handlers.__file__).parent.rglob("*.py")
    used = re.findall(r"\.(\w+)\b", "".join(path.read_text("utf-8") for path in sources))
    assert {field.name for field in fields(Texts)} <= {*used}
