"""Names and values as they come from outside: the environment, and a ``.env`` beside the bot."""

import difflib
from collections.abc import Iterable, Mapping

from pydantic_settings import EnvSettingsSource, PydanticBaseSettingsSource

ALIKE = 0.85
"""How alike a name is to one of ours that is misspelt: one letter of seven may be another."""


def bare(source: PydanticBaseSettingsSource) -> PydanticBaseSettingsSource:
    """Take blanks, line ends and quotes (Docker keeps those) off all values of a source.

    What is nothing then is not set. Raises UnicodeError for what is no text in UTF-8.
    """
    if isinstance(source, EnvSettingsSource):
        texts = {name: _text(value) for name, value in source.env_vars.items()}
        if any("\0" in part for pair in texts.items() for part in pair):
            raise UnicodeError("NUL")
        source.env_vars = {name: text for name, text in texts.items() if text}
    return source


def _text(given: str | None) -> str:
    value = (given or "").strip()
    inside = value[1:-1]
    if value[:1] in ("'", '"') and value == f"{value[0]}{inside}{value[0]}" != value[0]:
        return value if value[0] in inside else inside.strip()
    return value


def lower(file: Mapping[str, str | None], environ: Mapping[str, str]) -> dict[str, str]:
    """All names in lower case; of two the one that was, and the environment before a file."""
    # Capitals are sorted to the front, and overwritten.
    pairs = [*file.items(), *sorted(environ.items())]
    return {name.lower(): _text(value) for name, value in pairs}


def misspelt(names: Iterable[str], ours: Iterable[str]) -> dict[str, str]:
    """Find names that are none of ours and look like one; each with that one."""
    known = set(ours)
    strange = {name.upper(): name for name in names if name.upper() not in known}
    found = {}
    for upper, name in strange.items():
        swapped = [our for our in known if sorted(our) == sorted(upper)]
        if like := swapped or difflib.get_close_matches(upper, known, n=1, cutoff=ALIKE):
            found[name] = like[0]
    return found
