"""Personas: ways for the bot to be, each a TOML file."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

T = TypeVar("T")

FALLBACK = "en"
MOST = 50
"""All of them must fit into one menu."""

Temperature = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


@dataclass(frozen=True, slots=True)
class Persona:
    """What the model is told to be, and how the bot introduces that.

    ``key`` is the name of its file. Words are by the language's code; what `FALLBACK` names is
    always there, in another language if the file has no such words. ``prompt`` may hold
    ``{date}``, ``{time}`` and ``{weekday}``.
    """

    key: str
    name: Mapping[str, str]
    about: Mapping[str, str]
    prompt: Mapping[str, str]
    temperature: float
    greeting: Mapping[str, str]
    questions: Mapping[str, tuple[str, str, str]]


def _words(longest: int) -> StringConstraints:
    return StringConstraints(strip_whitespace=True, min_length=1, max_length=longest)


_Label = Annotated[str, _words(48)]
"""Fits on a button as wide as a phone."""


class _Words(BaseModel):
    """A persona in one language; each text must fit into a message of Telegram's."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str, _words(24)]
    about: Annotated[str, _words(80)]
    prompt: Annotated[str, _words(4000)]
    greeting: Annotated[str, _words(1000)]
    questions: Annotated[tuple[_Label, _Label, _Label], Field(strict=False)]  # TOML has lists


class _File(BaseModel):
    """A persona's file: a table for each language."""

    model_config = ConfigDict(extra="allow", strict=True)
    __pydantic_extra__: dict[str, _Words]

    temperature: Temperature


def load(*folders: Path) -> dict[str, Persona]:
    """Read all personas, by their keys; one in a later folder replaces one in an earlier.

    Raises ValueError with every mistake in them.
    """
    found: dict[str, Persona] = {}
    mistakes: list[str] = []
    for path in (path for folder in folders for path in _files(folder, mistakes)):
        try:
            found[path.stem] = _read(path)
        except ValidationError as error:
            mistakes += [f"{path.name}: {said}" for said in _in_plain_words(error)]
        except OSError as error:
            mistakes.append(f"{path.name}: {error.strerror}")
        except UnicodeDecodeError:
            mistakes.append(f"{path.name}: is not in UTF-8")
        except ValueError as error:  # not TOML, or ours
            mistakes.append(f"{path.name}: {error}")
    if len(found) > MOST:
        mistakes.append(f"{len(found)} personas; {MOST} at most fit into a menu")
    if mistakes:
        raise ValueError("; ".join(mistakes))
    return found


def spoken(words: Mapping[str, T], language: str) -> T:
    """Return a persona's words in a language, or those that stand for it."""
    return words[language] if language in words else words[FALLBACK]


def _files(folder: Path, mistakes: list[str]) -> list[Path]:
    try:
        found = [path for path in folder.iterdir() if path.suffix == ".toml"]
    except OSError as error:
        mistakes.append(f"{folder}: {error.strerror}")
        return []
    return sorted(path for path in found if not path.name.startswith("."))


def _read(path: Path) -> Persona:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,19}", path.stem):  # it must fit into a button's data
        raise ValueError(
            "a persona's file, of at most 20 letters, is named in small Latin letters, digits and _"
        )
    if path.exists() and not path.is_file():  # reading a pipe would never end
        raise ValueError("is no file")
    file = _File.model_validate(tomllib.loads(path.read_text("utf-8-sig")))
    words = file.__pydantic_extra__
    if not words:
        raise ValueError("has no language; begin one with a line such as [en]")
    if strange := [code for code in words if not re.fullmatch("[a-z]{2,3}", code)]:
        raise ValueError(f"{strange[0]} is no language's code, such as en")
    words = {FALLBACK: next(iter(words.values())), **words}
    return Persona(
        path.stem,
        {code: said.name for code, said in words.items()},
        {code: said.about for code, said in words.items()},
        {code: said.prompt for code, said in words.items()},
        file.temperature,
        {code: said.greeting for code, said in words.items()},
        {code: said.questions for code, said in words.items()},
    )


def _in_plain_words(error: ValidationError) -> Iterator[str]:
    for mistake in error.errors():
        where = ".".join(map(str, mistake["loc"]))
        match mistake["type"]:
            case "missing":
                problem = "is missing"
            case "extra_forbidden" | "model_type":
                problem = "means nothing here"
            case _:
                problem = re.sub("^.* should", "should", mistake["msg"])
        yield f"{where} {problem}"
