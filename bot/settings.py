"""Everything configurable: of the process, and of the bots in it."""

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, SecretStr
from pydantic_settings import NoDecode

from bot import values
from bot.bot_settings import BotSettings, setting
from bot.proxies import without_login
from storage.server import address
from storage.timing import Timing

LEAST_CONNECTIONS = 4
"""To Redis, for each bot: one waits for messages, one for interrupts, two do the work."""

Url = Annotated[str, BeforeValidator(values.api_url)]
Secret = Annotated[SecretStr, BeforeValidator(values.credential)]
ProxyUrl = Annotated[SecretStr, BeforeValidator(values.proxy_url)]


class ProcessSettings(BaseModel):
    """What all bots of a process share, named as in the environment but in lower case."""

    model_config = ConfigDict(frozen=True)

    telegram_api_url: Url = setting(
        "another Bot API server", "http://127.0.0.1:8081", default="https://api.telegram.org"
    )
    api_key: Secret | None = setting(
        "sign in with a service account's API key (the usual way)",
        "AQVNexample",
        "API_KEY",
        "YANDEX_API_KEY",
        "YC_API_KEY",
        default=None,
    )
    iam_token: Secret | None = setting(
        "sign in with an IAM token; it lives 12 hours, so for trials only",
        "t1.example",
        "IAM_TOKEN",
        "YC_IAM_TOKEN",
        default=None,
    )
    service_account_key_file: Annotated[Path | None, AfterValidator(values.readable)] = setting(
        "sign in with an authorized key (needs the extra `keyfile`)", "key.json", default=None
    )
    yandex_auth: Literal["metadata"] | None = setting(
        "sign in as the service account of the cloud machine this runs on",
        "metadata",
        default=None,
    )
    metadata_address: Annotated[str, BeforeValidator(values.host)] = setting(
        "where the cloud machine's metadata service is",
        "169.254.169.254",
        "YC_METADATA_ADDR",
        default="169.254.169.254",
    )
    completion_url: Url = setting(
        "the completion API's host",
        "http://127.0.0.1:8082",
        default="https://llm.api.cloud.yandex.net",
    )
    iam_url: Url = setting(
        "the host where key files are exchanged for tokens",
        "http://127.0.0.1:8083",
        default="https://iam.api.cloud.yandex.net",
    )
    completion_concurrency: int = setting(
        "answers being generated at once, over all processes and bots",
        "8",
        default=8,
        gt=0,
        le=10_000,
    )
    redis_url: Annotated[SecretStr, BeforeValidator(values.redis_url)] | None = setting(
        "`redis://`, `rediss://`, `unix://`, `redis+sentinel://` or `redis+cluster://`; unset: a "
        "server of the bot's own in `DATA_DIR`",
        "redis://localhost:6379/0",
        default=None,
    )
    redis_connections: int | None = setting(
        "connections to Redis that this process opens at most, in a cluster to each of its "
        "servers; at least 4 for each bot. Unset: 14, or 4 for each bot where that is more",
        "14",
        default=None,
        le=10_000,
    )
    data_dir: Path = setting(
        "where the embedded server keeps its data", "/var/lib/bot", default=Path("data")
    )
    embedded_memory: Annotated[str, BeforeValidator(values.memory)] = setting(
        "how much the embedded server may hold; what is beyond stays at Telegram",
        "2gb",
        default="512mb",
    )
    telegram_proxy: ProxyUrl | None = setting(
        "proxy for Telegram, `http://` or `socks5://`; unset: `HTTPS_PROXY` or `ALL_PROXY`, as "
        "`NO_PROXY` allows",
        "socks5://127.0.0.1:1080",
        default=None,
    )
    completion_proxy: ProxyUrl | None = setting(
        "proxy for the completion API; unset: likewise", "http://127.0.0.1:3128", default=None
    )
    webhook_url: Annotated[str, BeforeValidator(values.base_url)] | None = setting(
        "where Telegram is to post updates (https, reaching `LISTEN`); unset: long polling. With "
        "several bots, `/<bot id>` is added for each",
        "https://bot.example.org/telegram",
        default=None,
    )
    webhook_secret: Annotated[SecretStr, BeforeValidator(values.webhook_secret)] | None = setting(
        "what Telegram shows there; unset: made once, and kept in Redis for all processes",
        "any-letters_and-digits",
        default=None,
    )
    role: Literal["all", "intake", "worker"] = setting(
        "what this process does: take updates in, answer them, or both (`all`)",
        "worker",
        default="all",
    )
    listen: Annotated[tuple[str, int], NoDecode, BeforeValidator(values.listening)] = setting(
        "where `/healthz`, `/readyz`, `/metrics` and the webhook are served",
        "127.0.0.1:8080",
        default=("127.0.0.1", 8080),
    )
    metrics_listen: Annotated[
        tuple[str, int] | None, NoDecode, BeforeValidator(values.listening)
    ] = setting(
        "where `/metrics` is served instead; unset: at `LISTEN`, but not beside a webhook. "
        "With `LISTEN`'s own value it is served there in any case",
        "127.0.0.1:9464",
        default=None,
    )
    lanes: int = setting(
        "chats being answered at once by this process, for each bot",
        "64",
        default=64,
        gt=0,
        le=10_000,
    )

    @property
    def reached(self) -> dict[str, str]:
        """What is reached over each of the proxies, by their names among the settings."""
        return {
            "telegram_proxy": self.telegram_api_url,
            "completion_proxy": self.completion_url,
        }


class Settings(ProcessSettings):
    """The settings of a process, and of its ``bots``; there is at least one."""

    bots: tuple[BotSettings, ...]
    timing: Timing = Timing()

    @property
    def first(self) -> BotSettings:
        """The bot whose id, token and model stand for what all bots of the process share."""
        return self.bots[0]

    @property
    def folder(self) -> str:
        """The cloud folder whose models are asked; it is the same for all bots."""
        return self.first.model_uri.removeprefix("gpt://").partition("/")[0]

    def webhook_of(self, bot: BotSettings) -> str | None:
        """Where Telegram is to post a bot's updates, if it is."""
        if self.webhook_url is None or len(self.bots) == 1:
            return self.webhook_url
        return f"{self.webhook_url}/{bot.bot_id}"

    @property
    def is_posted_to(self) -> bool:
        """Tell whether Telegram posts updates to this process, so that strangers may reach it."""
        return self.webhook_url is not None and self.role != "worker"

    @property
    def metrics_address(self) -> tuple[str, int] | None:
        """Where `/metrics` is served; None for nowhere."""
        return self.metrics_listen or (None if self.is_posted_to else self.listen)

    @property
    def proxies(self) -> dict[str, str]:
        """What is reached over a proxy, and where that is; without the login."""
        used = {url: getattr(self, field) for field, url in self.reached.items()}
        return {
            url: without_login(proxy.get_secret_value()) for url, proxy in used.items() if proxy
        }

    @property
    def secrets(self) -> frozenset[str]:
        """Every secret among them: whole values, what signs in URLs, and halves of tokens."""
        fields = (getattr(self, name) for name in type(self).model_fields)
        values = {field.get_secret_value() for field in fields if isinstance(field, SecretStr)}
        tokens = {bot.telegram_token.get_secret_value() for bot in self.bots}
        values |= tokens
        values |= {half for token in tokens if len(half := token.partition(":")[2]) >= 8}
        proxies = [urlsplit(value) for value in values if value.startswith(("http", "socks"))]
        passwords = {unquote(proxy.password) for proxy in proxies if proxy.password}
        # As in the header in which a proxy hears of it.
        passwords |= {
            f"{unquote(proxy.username or '')}:{unquote(proxy.password)}"
            for proxy in proxies
            if proxy.password
        }
        if self.redis_url:
            options = address.parse(self.redis_url.get_secret_value()).options
            passwords |= {str(options[name]) for name in options if name.endswith("password")}
        return frozenset(value for value in values | passwords if value)

    @property
    def most_connections(self) -> int:
        """How many connections to Redis this process opens at most."""
        # Two processes, as when one replaces the other, fit into the 30 of a free plan.
        return self.redis_connections or max(14, LEAST_CONNECTIONS * len(self.bots))
