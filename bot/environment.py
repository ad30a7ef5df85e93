"""Names and values from outside: the environment and ``.env``."""

import difflib
from collections.abc import Iterable, Mapping

from pydantic_settings import EnvSettingsSource, PydanticBaseSettingsSource

ALIKE = 0.85
"""How similar a name must be to count as one of ours misspelt: one letter in seven may differ."""


def bare(source: PydanticBaseSettingsSource) -> PydanticBaseSettingsSource:
    """Strip blanks, line ends and quotes (Docker keeps those) from all values of a source.

    A value that is empty then counts as unset. Raises UnicodeError for what is not UTF-8 text.
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
    """Lower-case all names; originally lower-case ones win, and the environment over a file."""
    # Capitals sort first, so they are overwritten.
    pairs = [*file.items(), *sorted(environ.items())]
    return {name.lower(): _text(value) for name, value in pairs}


def misspelt(names: Iterable[str], ours: Iterable[str]) -> dict[str, str]:
    """Find names that look like one of ours but are not; each with the one it resembles."""
    known = set(ours)
    strange = {name.upper(): name for name in names if name.upper() not in known}
    found = {}
    for upper, name in strange.items():
        swapped = [our for our in known if sorted(our) == sorted(upper)]
        if like := swapped or difflib.get_close_matches(upper, known, n=1, cutoff=ALIKE):
            found[name] = like[0]
    return found
