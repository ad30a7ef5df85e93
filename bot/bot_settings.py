"""What is configurable of each bot."""

from collections.abc import Mapping
from datetime import tzinfo
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    SecretStr,
)
from pydantic_settings import NoDecode

from bot import values
from handlers.dialogue.personas import Persona
from handlers.dialogue.profile import Profile
from handlers.texts import CATALOGUES

Ids = Annotated[frozenset[int], NoDecode, BeforeValidator(values.ids)]
Users = Annotated[frozenset[int], NoDecode, BeforeValidator(values.users)]


def setting(meaning: str, example: str, *names: str, **more: Any) -> Any:
    """Declare a setting: its meaning, an example, and ``names`` if it has others than its field."""
    alias = AliasChoices(*names) if names else None
    return Field(description=meaning, examples=[example], validation_alias=alias, **more)


class BotSettings(BaseModel):
    """What is a bot's own, named as in the environment but in lower case. Secrets mask themselves.

    As it is read, ``telegram_token`` is all bots' tokens, with commas between; then one.
    """

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    telegram_token: Annotated[SecretStr, BeforeValidator(values.tokens)] = setting(
        "the bot's token, from BotFather; several, with commas between, are several bots",
        "123456:ABC-DEF",
        "TELEGRAM_TOKEN",
        "BOT_TOKEN",
    )
    model: str = setting(
        "a model's name, or a whole `gpt://…` URI",
        "yandexgpt-5.1",
        default="yandexgpt-lite",
    )
    folder_id: str | None = setting(
        "the cloud folder; required unless `MODEL` is a full URI",
        "b1gexample",
        "FOLDER_ID",
        "YANDEX_FOLDER_ID",
        "YC_FOLDER_ID",
        default=None,
    )
    system_prompt: str = setting(
        "what every dialogue begins with; `{date}`, `{time}` and `{weekday}` in it become those of "
        "the moment, in its own language (Russian or English)",
        "Отвечай кратко. Сегодня {weekday}, {date}.",
        default="Ты умный ассистент",
    )
    personas: Annotated[Mapping[str, Persona], NoDecode, PlainValidator(values.personas)] = setting(
        "a folder with personas of your own, which add to the bot's or replace them; see "
        "[personas.md](personas.md)",
        "/etc/bot/personas",
        default=None,
        repr=False,
        exclude=True,
    )
    language: Annotated[str | None, AfterValidator(values.language)] = setting(
        "what the bot speaks to people whose own language it does not know; one of "
        f"{', '.join(f'`{code}`' for code in CATALOGUES)}. Unset: Russian where Telegram does not "
        "say theirs, else English",
        "ru",
        default=None,
    )
    tz: Annotated[tzinfo | None, BeforeValidator(values.zone)] = setting(
        "the time zone of that date and time; unset: the machine's own",
        "Europe/Moscow",
        default=None,
    )
    temperature: float = setting(
        "0 (dry) to 1 (inventive)", "0.3", default=0.6, ge=0, le=1, allow_inf_nan=False
    )
    context_tokens: int = setting(
        "the model's window, question and answer together, in tokens", "32000", default=32000, gt=0
    )
    max_tokens: int = setting("the longest answer, in tokens", "4000", default=2000, gt=0)
    streaming: Literal["edits", "drafts", "off"] = setting(
        "how an answer is shown while it grows: by edits of a message, by Telegram's drafts "
        "(private chats only), or not at all",
        "drafts",
        default="edits",
    )
    buttons: bool = setting(
        "whether an answer has buttons under it: again, continue, forget", "off", default=True
    )
    locked: Annotated[frozenset[str], NoDecode, BeforeValidator(values.locked)] = setting(
        "what chats may not choose for themselves with `/settings`: names of settings, with commas "
        f"between, of {', '.join(f'`{name}`' for name in values.LOCKABLE)}",
        "model,temperature",
        default=frozenset(),
    )
    admins: Users = setting(
        "users who own the bot: `/chats`, `/status`, `/dead`, `/reset` of any chat",
        "1234567,7654321",
        default=frozenset(),
    )
    access: Literal["open", "closed"] | None = setting(
        "who is answered: everybody (`open`), or only owners and those whom `ALLOWED_USERS`, "
        "`ALLOWED_CHATS`, `/allow` or an invitation lets in (`closed`); unset: closed if "
        "`ALLOWED_USERS` or `ALLOWED_CHATS` is set",
        "closed",
        default=None,
    )
    allowed_users: Users = setting(
        "users who are answered, besides owners and those whom a command lets in",
        "1234567",
        default=frozenset(),
    )
    allowed_chats: Ids = setting(
        "chats that are answered in (a private chat's id is its user's; a group's also means the "
        "supergroup that it becomes); with `ALLOWED_USERS`, only these users in these chats",
        "-1001234567890",
        default=frozenset(),
    )

    @property
    def bot_id(self) -> int:
        """The bot's user id, which its token begins with."""
        return int(self.telegram_token.get_secret_value().partition(":")[0])

    @property
    def model_uri(self) -> str:
        """The model in the API's own form, ``gpt://<folder>/<model>``."""
        if self.model.startswith("gpt://"):
            return self.model
        return f"gpt://{self.folder_id}/{self.model}"

    @property
    def profile(self) -> Profile:
        """How the model is asked."""
        return Profile(
            model=self.model_uri,
            system_prompt=self.system_prompt,
            temperature=self.temperature,
            max_tokens=self.max_tokens,
            window=self.context_tokens,
            zone=self.tz,
        )
