"""Fields of the objects inside a call's JSON, as Telegram reads them.

A number may be given as a string, and a string as a number. ValueError has the words of TDLib's
JsonObject.
"""

import re

from bot.playground.telegram.chat import Json


def whole_number(given: Json, name: str, bits: int = 32) -> int:
    """Return a field that has to be there, as a signed number of so many bits."""
    found = _field(given, name, "Number")
    is_whole = re.fullmatch(r"-?[0-9]{1,19}", found)
    if not is_whole or not -(2 ** (bits - 1)) <= int(found) < 2 ** (bits - 1):
        raise ValueError(f'Field "{name}" must be a valid Number')
    return int(found)


def text(given: Json, name: str, default: str | None = None) -> str:
    """Return a field; it has to be there unless it has a ``default``."""
    if given.get(name) is None and default is not None:
        return default
    return _field(given, name, "String")


def _field(given: Json, name: str, kind: str) -> str:
    if name not in given:
        raise ValueError(f'Can\'t find field "{name}"')
    value = given[name]
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f'Field "{name}" must be of type {kind}')  # noqa: TRY004 -- one error for all
    return str(value)
