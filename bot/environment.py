"""The settings as they come from outside: the environment and ``.env``.

They are read once, and refused as a whole, with every mistake.
"""

import difflib
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticCustomError
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from bot import values
from bot.bot_settings import BotSettings
from bot.proxies import proxy_for
from bot.settings import LEAST_CONNECTIONS, ProcessSettings, Settings
from storage.message import well_formed

FOLDER = r"[A-Za-z0-9._-]+"
"""A folder's id; it also goes into a header."""
ALIKE = 0.85
"""How similar a name must be to count as one of ours misspelt: one letter in seven may differ."""
_PATHS = frozenset({"DATA_DIR", "PERSONAS", "SERVICE_ACCOUNT_KEY_FILE"})
"""Settings that are paths."""


class SettingsRefused(Exception):
    """The configuration cannot be used; the text names every mistake, and no secret.

    ``missing`` names the settings that are not there; ``wrong`` is the text without these.
    """

    def __init__(
        self, mistakes: str, *, missing: frozenset[str] = frozenset(), wrong: str | None = None
    ) -> None:
        super().__init__(mistakes)
        self.missing = missing
        self.wrong = mistakes if wrong is None else wrong


def _missing(name: str, remedy: str) -> PydanticCustomError:
    return PydanticCustomError("missing", "is missing ({remedy})", {"name": name, "remedy": remedy})


class Environment(BaseSettings, ProcessSettings, BotSettings):
    """All settings by their names in the environment, checked against each other."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        arbitrary_types_allowed=True,
        populate_by_name=True,
        validate_default=True,
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let what is given go first, then the environment, then `.env`."""
        del settings_cls, file_secret_settings
        return init_settings, _bare(env_settings), _bare(dotenv_settings)

    @field_validator("*", mode="before")
    @classmethod
    def _is_text(cls, value: object) -> object:
        if isinstance(value, str) and value != well_formed(value):
            raise ValueError("is not in UTF-8")  # such bytes of the environment come as surrogates
        return value

    @field_validator("model")
    @classmethod
    def _model_shape(cls, value: str) -> str:
        if not re.fullmatch(rf"gpt://{FOLDER}/\S+|[^/\s:]+(/[^/\s]+)?", value):
            raise ValueError("is neither a model's name nor a gpt:// URI")
        return value

    @field_validator("folder_id")
    @classmethod
    def _folder_known(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None and not info.data.get("model", "gpt://").startswith("gpt://"):
            raise _missing("FOLDER_ID", "unless MODEL is a full gpt:// URI")
        if value is not None and not re.fullmatch(FOLDER, value):
            raise ValueError("is not a folder's id")
        return value

    @field_validator("yandex_auth")
    @classmethod
    def _signs_in(cls, value: str | None, info: ValidationInfo) -> str | None:
        others = ("api_key", "iam_token", "service_account_key_file")
        # A name that is not in the data at all was given, and refused for its own reason.
        if value is None and all(info.data.get(name, "refused") is None for name in others):
            raise _missing(
                "API_KEY", "or IAM_TOKEN, SERVICE_ACCOUNT_KEY_FILE, YANDEX_AUTH=metadata"
            )
        return value

    @field_validator("redis_connections")
    @classmethod
    def _connections_for_all(cls, value: int | None, info: ValidationInfo) -> int | None:
        token = info.data.get("telegram_token")
        least = LEAST_CONNECTIONS * (token.get_secret_value().count(",") + 1 if token else 1)
        if value is not None and value < least:
            raise ValueError(f"must be at least {least}, {LEAST_CONNECTIONS} for each bot")
        return value

    @field_validator("max_tokens")
    @classmethod
    def _room_for_a_question(cls, value: int, info: ValidationInfo) -> int:
        if value >= info.data.get("context_tokens", value + 1):
            raise ValueError("must be smaller than CONTEXT_TOKENS")
        return value

    def settings(self) -> Settings:
        """Sort them into the process's and each bot's; bots differ only by their tokens."""
        own = {name: getattr(self, name) for name in BotSettings.model_fields}
        shared = {name: getattr(self, name) for name in ProcessSettings.model_fields}
        tokens = self.telegram_token.get_secret_value().split(",")
        bots = [
            BotSettings.model_construct(**own | {"telegram_token": SecretStr(token)})
            for token in tokens
        ]
        return Settings.model_construct(**shared, bots=tuple(bots))


def read(defaults: Mapping[str, Any] | None = None, **given: Any) -> Settings:
    """Read the settings, but for those ``given`` by their fields' names.

    ``defaults`` take the place of our own. Raises `SettingsRefused`, with a line for every mistake.
    """
    try:
        found = Environment(**given)
        unset = (defaults or {}).keys() - found.model_fields_set
        more = {name: value for name, value in (defaults or {}).items() if name in unset}
        return found.model_copy(update=_proxies_of_all(found) | more).settings()
    except UnicodeError:
        raise SettingsRefused(".env: is not in UTF-8. Save it anew in that encoding.") from None
    except OSError as error:
        raise SettingsRefused(f".env: {error.strerror}.") from None
    except ValidationError as error:
        mistakes = error.errors()
        raise SettingsRefused(
            "\n".join([*map(_in_plain_words, mistakes), *misspelt()]),
            missing=frozenset(_name(each) for each in mistakes if each["type"] == "missing"),
            wrong="\n".join(
                _in_plain_words(each) for each in mistakes if each["type"] != "missing"
            ),
        ) from None


def read_without_model() -> Settings:
    """Read the settings for what asks no model: nothing of that is needed, or looked at."""
    unread = dict.fromkeys(("folder_id", "api_key", "iam_token", "service_account_key_file"))
    return read(**unread, model="gpt://none/none", yandex_auth="metadata", completion_proxy=None)


def variables(without: Iterable[str]) -> dict[str, str]:
    """Return the environment with what `.env` adds to it, as for a process that has no `.env`.

    What is said of the fields ``without`` is left out. Relative paths become absolute.
    """
    names = {name.lower() for field in without for name in _names(field)}
    environ = {name: value for name, value in os.environ.items() if name.lower() not in names}
    said = {name.lower() for name, value in environ.items() if _text(value)}
    for name, value in DotEnvSettingsSource(Environment).env_vars.items():
        if value and name.lower() not in said | names:
            environ[name.upper()] = value
    for name in _PATHS & environ.keys():
        environ[name] = str(Path(_text(environ[name])).absolute())
    return environ


def _proxies_of_all(found: Environment) -> dict[str, SecretStr]:
    """Take from the environment the proxies that the bot has no setting of its own for."""
    names = lower(DotEnvSettingsSource(Environment).env_vars, os.environ)
    proxies = {}
    for field, url in found.reached.items():
        if getattr(found, field) is None and (proxy := proxy_for(url, names)):
            name, value = proxy
            try:
                proxies[field] = SecretStr(values.proxy_url(value))
            except ValueError as error:
                text = f"{name}: {error}. Example: {name}={_example(field.upper())}"
                raise SettingsRefused(text) from None
    return proxies


def misspelt() -> list[str]:
    """Say of names in the environment and in `.env` which look like ours and are not."""
    names = [*os.environ, *map(str.upper, DotEnvSettingsSource(Environment).env_vars)]
    return [
        f"{name}: there is no such setting. Was {ours} meant?"
        for name, ours in _like_ours(names, _fields()).items()
    ]


def _name(error: ErrorDetails) -> str:
    return str(error.get("ctx", {}).get("name") or error["loc"][0]).upper()


def _in_plain_words(error: ErrorDetails) -> str:
    name = _name(error)
    if error["type"] == "missing" and "ctx" not in error:
        problem = "is missing"
    else:
        problem = error["msg"].removeprefix("Value error, ").replace("Input should", "should")
    return f"{name}: {problem}. Example: {name}={_example(name)}"


def _example(name: str) -> str:
    return str((_fields()[name].examples or [""])[0])


def _names(field: str) -> list[str]:
    """Return the names that a field has in the environment."""
    alias = Environment.model_fields[field].validation_alias
    return list(getattr(alias, "choices", [field.upper()]))


def _fields() -> dict[str, FieldInfo]:
    """All settings by each of their names in the environment."""
    return {
        name: field
        for field_name, field in Environment.model_fields.items()
        for name in _names(field_name)
    }


def _bare(source: PydanticBaseSettingsSource) -> PydanticBaseSettingsSource:
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


def _like_ours(names: Iterable[str], ours: Iterable[str]) -> dict[str, str]:
    """Find names that look like one of ours but are not; each with the one it resembles."""
    known = set(ours)
    strange = {name.upper(): name for name in names if name.upper() not in known}
    found = {}
    for upper, name in strange.items():
        swapped = [our for our in known if sorted(our) == sorted(upper)]
        if like := swapped or difflib.get_close_matches(upper, known, n=1, cutoff=ALIKE):
            found[name] = like[0]
    return found
