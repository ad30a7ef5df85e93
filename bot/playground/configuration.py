"""What the demo's workers are told: the environment, but for what is the demo's own."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

from bot.environment import SettingsRefused, read, variables
from bot.playground.telegram.chat import Json
from bot.settings import Settings

LONGEST_PROMPT = 20_000
"""Most characters of a system prompt that is typed into the page."""

CHOSEN = {"system_prompt": str, "temperature": float, "max_tokens": int, "streaming": str}
"""What can be changed on the page, and of which kind it is in JSON."""
_KINDS = {str: "a string", float: "a number", int: "a whole number"}
_LOCAL = {
    "completion_proxy": None,
    "model": "smollm2",
    "folder_id": "playground",
    "iam_token": None,
    "service_account_key_file": None,
    "yandex_auth": None,
}
# It speaks English, and rambles on as long as it is allowed to.
_LOCAL_DEFAULTS = {
    "system_prompt": "You are a helpful assistant.",
    "max_tokens": 500,
    "language": "en",
}


class Configuration:
    """The settings of the workers: Telegram is at ``url``, and so is the model if ``local``.

    Everything else comes from the environment, except settings that would keep the page's people
    out. ``folder`` is for the data unless ``DATA_DIR`` is set. Where YandexGPT is ``relayed``, the
    workers ask at ``url``, too; with a proxy they do not. Raises SettingsRefused.
    """

    def __init__(self, url: str, token: str, folder: Path, *, local: bool) -> None:
        self._given: Json = {
            "telegram_token": token,
            "telegram_api_url": url,
            "telegram_proxy": None,
            "listen": "127.0.0.1:0",
            "metrics_listen": None,
            "webhook_url": None,
            "role": "all",
            "allowed_users": "",
            "allowed_chats": "",
        }
        self._defaults: Json = {"data_dir": folder}
        if local:
            self._given |= _LOCAL | {"completion_url": url, "api_key": secrets.token_urlsafe()}
            self._defaults |= _LOCAL_DEFAULTS
        self._chosen: Json = {}
        self.relayed: str | None = None
        self._changing = asyncio.Lock()
        self.settings = self._read({})
        if not local and self.settings.completion_proxy is None:
            self.relayed = self.settings.completion_url
            self._given["completion_url"] = url
            self.settings = self._read({})

    def store_at(self, redis_url: str) -> None:
        """Name the storage, where the environment names none."""
        self._given["redis_url"] = redis_url

    def environment(self) -> dict[str, str]:
        """Return the environment of a worker, which has no other source of settings."""
        bot = self.settings.first
        mine = self._given | {name: getattr(bot, name) for name in (*CHOSEN, "language")}
        told = {name.upper(): str(value) for name, value in mine.items() if value is not None}
        return variables(without=mine) | told

    def json(self) -> Json:
        """Return what can be changed, and the model's name."""
        bot = self.settings.first
        return {name: getattr(bot, name) for name in CHOSEN} | {"model": model_name(self.settings)}

    @contextlib.asynccontextmanager
    async def choosing(self, given: Json) -> AsyncIterator[None]:
        """Change settings for the workers that start in the block, and later if it succeeds.

        ValueError says what is wrong.
        """
        _check(given)
        async with self._changing:
            before = self.settings, self._chosen
            try:
                settings = self._read(self._chosen | given)
            except SettingsRefused as error:
                raise ValueError(str(error)) from None
            self.settings, self._chosen = settings, self._chosen | given
            try:
                yield
            except BaseException:
                self.settings, self._chosen = before
                raise

    def _read(self, chosen: Json) -> Settings:
        return read(self._defaults, **self._given | chosen)


def _check(given: Json) -> None:
    """Raise ValueError unless these are settings with values of the right kind."""
    for name, value in given.items():
        if name not in CHOSEN:
            raise ValueError(f"unknown: {name}")
        kinds = (int, float) if CHOSEN[name] is float else (CHOSEN[name],)
        if type(value) not in kinds:
            raise ValueError(f"{name} must be {_KINDS[CHOSEN[name]]}")
    prompt = given.get("system_prompt", "-")
    if not prompt.strip() or len(prompt) > LONGEST_PROMPT or "\0" in prompt:
        raise ValueError(f"system_prompt must have 1 to {LONGEST_PROMPT} characters, none NUL")


def model_name(settings: Settings) -> str:
    """Return the model's name without the cloud folder that it is asked in."""
    return settings.first.model_uri.removeprefix("gpt://").partition("/")[2]
