"""Settings from the environment: all mistakes at once, no secret shown, their tables in step."""

import os
import re
import zoneinfo
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

import bot
from bot.environment import (
    Environment,
    SettingsRefused,
    misspelt,
    read,
    read_without_model,
    variables,
)

ENOUGH = {"TELEGRAM_TOKEN": "123:secret-token", "FOLDER_ID": "b1g", "API_KEY": "secret-key"}
ROOT = Path(__file__).parents[2]
TABLE = ROOT / "docs/settings.md"
ROW = re.compile(r"^\| `[A-Z].*\|$", re.MULTILINE)


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Begin with none of our names in the environment, and no `.env`."""
    for field_name, field in Environment.model_fields.items():
        for name in getattr(field.validation_alias, "choices", [field_name.upper()]):
            monkeypatch.delenv(name, raising=False)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.chdir(tmp_path)


def give(monkeypatch: pytest.MonkeyPatch, **names: str) -> None:
    """Put names into the environment."""
    for name, value in names.items():
        monkeypatch.setenv(name, value)


def test_the_package_is_the_product() -> None:
    """The tests' own packages do not shadow the bot's."""
    assert Path(bot.__file__).parent == ROOT / "bot"


def test_the_least(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three names are enough."""
    give(monkeypatch, **ENOUGH)
    settings = read()
    assert settings.bots[0].model_uri == "gpt://b1g/yandexgpt-lite"
    assert settings.bots[0].bot_id == 123
    assert settings.listen == ("127.0.0.1", 8080)


def test_several_bots(monkeypatch: pytest.MonkeyPatch) -> None:
    """They differ by their tokens, and by where each has its webhook; one has it at the address."""
    url = "https://bot.example.org/hook"
    give(monkeypatch, **ENOUGH, MODEL="gpt://f/m", ADMINS="7", WEBHOOK_URL=url)
    alone = read()
    give(monkeypatch, TELEGRAM_TOKEN="1:a, 2:b")
    settings = read()
    assert [one.bot_id for one in settings.bots] == [1, 2]
    assert {one.profile.model for one in settings.bots} == {"gpt://f/m"}
    [one] = alone.bots
    for other in settings.bots:
        assert other == one.model_copy(update={"telegram_token": other.telegram_token})
    assert [settings.webhook_of(one) for one in settings.bots] == [f"{url}/1", f"{url}/2"]
    assert alone.webhook_of(one) == url
    assert (settings.folder, settings.lanes) == ("f", 64)


def test_names_people_have_exported_already(monkeypatch: pytest.MonkeyPatch) -> None:
    """The API's users know other names; those work as well."""
    give(monkeypatch, BOT_TOKEN="1:a", YC_FOLDER_ID="f", YANDEX_API_KEY="k", ADMINS="1, 2,")
    settings = read()
    assert settings.bots[0].admins == {1, 2}
    assert settings.api_key
    assert settings.api_key.get_secret_value() == "k"


def test_a_dotenv_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What the environment does not say, `.env` may; the environment wins."""
    lines = [f"{name}={value}" for name, value in ENOUGH.items()]
    (tmp_path / ".env").write_text("\n".join([*lines, "SYSTEM_PROMPT=Ты поэт", "LANES=3"]))
    give(monkeypatch, LANES="5", TEMPERATURE="")
    settings = read()
    assert (settings.bots[0].system_prompt, settings.lanes, settings.bots[0].temperature) == (
        "Ты поэт",
        5,
        0.6,
    )


ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1251", "koi8-r"]


@pytest.mark.parametrize("prompt", ["", "Ты поэт"])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_dotenv_file_of_any_encoding(tmp_path: Path, encoding: str, prompt: str) -> None:
    """It is read, or one sentence says that it cannot be."""
    lines = [f"{name}={value}" for name, value in ENOUGH.items()]
    (tmp_path / ".env").write_text("\r\n".join([*lines, f"SYSTEM_PROMPT={prompt}"]), encoding)
    if encoding.startswith("utf-8") or (not prompt and encoding in ("cp1251", "koi8-r")):
        assert read().bots[0].system_prompt == (prompt or "Ты умный ассистент")
    else:
        with pytest.raises(SettingsRefused, match=r"^\.env: is not in UTF-8\. [^.]*\.$"):
            read()


EXAMPLES = {
    name: str((field.examples or [""])[0])
    for field_name, field in Environment.model_fields.items()
    for name in getattr(field.validation_alias, "choices", [field_name.upper()])
    if name not in ("SERVICE_ACCOUNT_KEY_FILE", "PERSONAS")  # are to be there
}


AROUND = ["{}\n", " {}\r\n", "\t{} ", '"{}"', "'{}'\n", '" {} "']


@pytest.mark.slow
@pytest.mark.parametrize("name", EXAMPLES)
def test_what_is_around_a_value(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Blanks, the end of a line and quotes are no part of any value."""
    needed = {name: value for name, value in ENOUGH.items() if name != "TELEGRAM_TOKEN"}
    give(monkeypatch, BOT_TOKEN="1:a", **needed)
    give(monkeypatch, **{name: EXAMPLES[name]})
    expected = read()
    for around in AROUND:
        give(monkeypatch, **{name: around.format(EXAMPLES[name])})
        assert read() == expected
    spare = {"TELEGRAM_TOKEN": "1:a", "YC_FOLDER_ID": "f", "YC_API_KEY": "k"}
    for around in AROUND:
        give(monkeypatch, **spare | {name: around.format("")})
        read()  # an empty one is not set


def test_quotes_within_a_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a pair that is around the whole is taken off."""
    give(monkeypatch, **ENOUGH)
    for prompt in ('"A" and "B"', "it's", '"', "'A\"", '"A'):
        give(monkeypatch, SYSTEM_PROMPT=prompt)
        assert read().bots[0].system_prompt == prompt


def test_a_port_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is one of this machine's own programs."""
    give(monkeypatch, **ENOUGH, LISTEN="8090", METRICS_LISTEN=":9464")
    settings = read()
    assert (settings.listen, settings.metrics_listen) == (("127.0.0.1", 8090), ("127.0.0.1", 9464))


MISSPELT = {
    "TELEGRAM_TOKEM": "TELEGRAM_TOKEN",
    "TELEGRAM_BOT_TOKEN": "TELEGRAM_TOKEN",
    "YANDEX_API_KEYS": "YANDEX_API_KEY",
    "YANDEX_FOLDER": "YANDEX_FOLDER_ID",
    "REDIS_URI": "REDIS_URL",
    "SYSTEMPROMPT": "SYSTEM_PROMPT",
    "ALLOWED_USER": "ALLOWED_USERS",
    "MODLE": "MODEL",
    "TEMPRATURE": "TEMPERATURE",
}
STRANGERS = (
    "PATH LINES LANG TERM HOME HTTPS_PROXY NO_PROXY OPENAI_API_KEY GITHUB_TOKEN NPM_TOKEN "
    "AWS_ACCESS_KEY_ID LISTEN_FDS LISTEN_PID REDIS_HOST REDIS_PASSWORD TELEGRAM_API_ID TMP "
    "XDG_DATA_DIRS POSTGRES_URL YC_TOKEN PYTHONUNBUFFERED KUBERNETES_SERVICE_HOST"
)


@pytest.mark.parametrize("where", ["environment", ".env"])
def test_misspelt_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, where: str) -> None:
    """Each is told with the name that was meant, and without its value; others are not."""
    names = dict.fromkeys([*MISSPELT, *STRANGERS.split()], "secret-value")
    give(monkeypatch, **ENOUGH)
    if where == ".env":
        lines = [f"{name}={value}" for name, value in names.items()]
        (tmp_path / ".env").write_text("\n".join(lines))
    else:
        give(monkeypatch, **names)
    told = misspelt()
    assert {sentence.partition(":")[0] for sentence in told} == set(MISSPELT)
    assert all(MISSPELT[sentence.partition(":")[0]] + " meant" in sentence for sentence in told)
    assert "secret-value" not in str(told)
    monkeypatch.delenv("API_KEY")
    with pytest.raises(SettingsRefused, match="YANDEX_API_KEYS: there is no such setting"):
        read()


def test_a_full_model_uri_needs_no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder is in it."""
    give(monkeypatch, TELEGRAM_TOKEN="1:a", MODEL="gpt://f/m/latest", YANDEX_AUTH="metadata")
    assert read().bots[0].model_uri == "gpt://f/m/latest"


def test_everything_missing_is_told_at_once() -> None:
    """An empty environment names all that is needed, each with an example."""
    with pytest.raises(SettingsRefused) as refused:
        read()
    lines = str(refused.value).splitlines()
    assert [line.partition(":")[0] for line in lines] == ["TELEGRAM_TOKEN", "FOLDER_ID", "API_KEY"]
    assert all("is missing" in line and "Example: " in line for line in lines)


WRONG = {
    "TELEGRAM_TOKEN": "no-token",
    "TELEGRAM_API_URL": "example.com",
    "MODEL": "a b",
    "FOLDER_ID": "a/b",
    "API_KEY": "пароль",
    "SERVICE_ACCOUNT_KEY_FILE": "/nowhere/key.json",
    "YANDEX_AUTH": "magic",
    "YC_METADATA_ADDR": ":::",
    "COMPLETION_URL": "ftp://example.com",
    "IAM_URL": "http://",
    "TEMPERATURE": "nan",
    "TZ": "Mars/Olympus",
    "CONTEXT_TOKENS": "-1",
    "MAX_TOKENS": "many",
    "COMPLETION_CONCURRENCY": "0",
    "REDIS_URL": "http://user:secret-password@host",
    "EMBEDDED_MEMORY": "lots",
    "REDIS_CONNECTIONS": "3",
    "TELEGRAM_PROXY": "socks4://host:1",
    "COMPLETION_PROXY": "http://user:secret-password@host:port",
    "LISTEN": "localhost",
    "ADMINS": "ann",
    "ALLOWED_USERS": "1;2",
    "ALLOWED_CHATS": "@group",
    "PERSONAS": "/nowhere",
    "LANGUAGE": "fr",
    "LOCKED": "temperature,colour",
    "LANES": "1.5",
}


def test_all_mistakes_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each wrong value has its line: which name, what is wrong, an example. No secret is told."""
    give(monkeypatch, **WRONG)
    with pytest.raises(SettingsRefused) as refused:
        read()
    text = str(refused.value)
    named = [line.partition(":")[0] for line in text.splitlines()]
    assert sorted(named) == sorted(WRONG)
    for secret in ("no-token", "пароль", "secret-password"):
        assert secret not in text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MAX_TOKENS", "32000"),
        ("ADMINS", "7,-1001234567890"),
        ("ALLOWED_USERS", "-1001234567890"),
        ("ALLOWED_USERS", "0"),
        ("LISTEN", "localhost:70000"),
        ("LISTEN", "localhost:²"),
        ("LISTEN", "http://localhost:80"),
        ("LISTEN", "::1"),
        ("SYSTEM_PROMPT", os.fsdecode("Ты поэт".encode("cp1251"))),
        ("REDIS_URL", "unix://"),
        ("COMPLETION_URL", "http://[::1"),
        ("COMPLETION_URL", "http://a\tb"),
        ("COMPLETION_URL", "http://☃.net"),
        ("COMPLETION_URL", "http://user:secret@host"),
        ("TELEGRAM_API_URL", "http://user@host"),
        ("YC_METADATA_ADDR", "user@host"),
        ("YC_METADATA_ADDR", "http://host"),
        ("YC_METADATA_ADDR", "a b"),
        ("COMPLETION_URL", "http://a b"),
        ("COMPLETION_URL", "http://host/?key=secret"),
        ("TELEGRAM_API_URL", "http://host/#secret"),
        ("SERVICE_ACCOUNT_KEY_FILE", "x" * 5000),
        ("TELEGRAM_TOKEN", "1" * 5000 + ":secret"),
        ("WEBHOOK_URL", "https://host/" + "x" * 70_000),
        ("COMPLETION_PROXY", "http://a\tb"),
        ("MODEL", "gpt://папка/yandexgpt-lite"),
        ("TEMPERATURE", "1.1"),
        ("EMBEDDED_MEMORY", "0mb"),
        ("EMBEDDED_MEMORY", "512"),
        ("TZ", "UTC+3"),
        ("TZ", "Europe"),
        ("TZ", "../etc/passwd"),
        ("TZ", "/etc/passwd"),
        ("TZ", "/nowhere"),
    ],
)
def test_one_mistake(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """A single wrong value is one line."""
    give(monkeypatch, **ENOUGH | {name: value})
    with pytest.raises(SettingsRefused, match=f"^{name}: ") as refused:
        read()
    assert len(str(refused.value).splitlines()) == 1
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("name", ["Europe/Moscow", ":Europe/Moscow", "{folder}/Europe/Moscow"])
def test_a_time_zone(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """It is named as the C library takes it, too."""
    [folder] = [path for path in zoneinfo.TZPATH if Path(path, "Europe").is_dir()][:1]
    give(monkeypatch, **ENOUGH, TZ=name.format(folder=folder))
    assert datetime(2026, 1, 1, tzinfo=read().bots[0].tz).utcoffset() == timedelta(hours=3)


def test_personas(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The bot's own, and those of a folder; all that is wrong with its files is told at once."""
    give(monkeypatch, **ENOUGH)
    ours = read().bots[0].personas
    assert len(ours) == 7
    text = (Path(bot.__file__).parent / "personas/tutor.toml").read_text("utf-8")
    (tmp_path / "coach.toml").write_text(text, "utf-8")
    give(monkeypatch, PERSONAS=str(tmp_path))
    assert {*read().bots[0].personas} == {*ours, "coach"}
    (tmp_path / "coach.toml").write_text(text.replace("name", "nmae"), "utf-8")
    (tmp_path / "cook.toml").write_text("")
    with pytest.raises(SettingsRefused, match=r"^PERSONAS: .* PERSONAS=/etc/bot/personas$") as told:
        read()
    assert str(told.value).count("coach.toml: ") == 4
    assert str(told.value).count("cook.toml: ") == 1


def test_connections_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several bots need more connections to Redis, and have them unless told otherwise."""
    give(monkeypatch, **ENOUGH)
    assert read().most_connections == 14
    give(monkeypatch, TELEGRAM_TOKEN=",".join(f"{number}:a" for number in range(1, 6)))
    assert read().most_connections == 20
    give(monkeypatch, REDIS_CONNECTIONS="30")
    assert read().most_connections == 30
    give(monkeypatch, REDIS_CONNECTIONS="19")
    with pytest.raises(SettingsRefused, match="must be at least 20, 4 for each"):
        read()


def test_secrets_hide_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither repr nor str nor a dump shows one; the log is told all of them."""
    password = "redis://:secret-password@host"
    give(monkeypatch, **ENOUGH, REDIS_URL=password, IAM_TOKEN="secret-iam")
    settings = read()
    shown = repr(settings) + str(settings) + str(settings.model_dump())
    assert not any(f"secret-{what}" in shown for what in ("token", "key", "iam", "password"))
    assert {"123:secret-token", "secret-key", "secret-iam", password} < settings.secrets
    assert "secret-password" in settings.secrets


def test_parts_of_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """What of them could stand alone is secret too: a token's half, what signs in at a proxy."""
    tokens = "1:first-half,2:second-half"
    proxy = "http://user:pass%2Fword@host:1"
    give(monkeypatch, **ENOUGH | {"TELEGRAM_TOKEN": tokens}, COMPLETION_PROXY=proxy)
    secrets = read().secrets
    assert {"1:first-half", "2:second-half", "first-half", "second-half"} < secrets
    assert {proxy, "pass/word", "user:pass/word"} < secrets


PROXY = "http://user:secret-password@proxy:3128"


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
@pytest.mark.parametrize("where", ["environment", ".env"])
def test_proxies_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, where: str
) -> None:
    """They serve where the bot's own settings are unset; what signs in there is a secret."""
    give(monkeypatch, **ENOUGH, TELEGRAM_PROXY="socks5h://own:1")
    if where == ".env":
        (tmp_path / ".env").write_text(f"{name}={PROXY}")
    else:
        give(monkeypatch, **{name: PROXY})
    settings = read()
    assert settings.proxies == {
        "https://api.telegram.org": "socks5h://own:1",
        "https://llm.api.cloud.yandex.net": "http://proxy:3128",
    }
    assert settings.completion_proxy == SecretStr(PROXY)
    assert {PROXY, "secret-password", "user:secret-password"} < settings.secrets
    give(monkeypatch, NO_PROXY="yandex.net", TELEGRAM_PROXY="")
    assert read().proxies == {"https://api.telegram.org": "http://proxy:3128"}
    assert "secret-password" not in repr(read())


@pytest.mark.parametrize("value", ["socks4://secret:1", "https://secret", "http://secret:port"])
def test_a_proxy_of_the_environment_that_cannot_be_used(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    """It is a mistake with a sentence where it would be used, and none of ours elsewhere."""
    give(monkeypatch, **ENOUGH, ALL_PROXY=value)
    with pytest.raises(SettingsRefused, match=r"^ALL_PROXY: is not a URL") as refused:
        read()
    assert "secret" not in str(refused.value)
    give(monkeypatch, HTTPS_PROXY="http://proxy:1")
    assert len(read().proxies) == 2


def test_a_socks_proxy_of_the_environment_without_the_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is to be installed is said."""
    give(monkeypatch, **ENOUGH, ALL_PROXY="socks5://proxy:1")
    monkeypatch.setattr("bot.values.find_spec", lambda _: None)
    with pytest.raises(SettingsRefused, match="ALL_PROXY: needs the extra socks: pip install"):
        read()


def test_what_asks_no_model_needs_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither missing nor wrong settings of the model are told; the token is needed."""
    give(monkeypatch, TELEGRAM_TOKEN="1:a")
    assert read_without_model().bots[0].bot_id == 1
    wrong = {"FOLDER_ID", "API_KEY", "MODEL", "SERVICE_ACCOUNT_KEY_FILE", "YANDEX_AUTH"}
    give(monkeypatch, **{name: WRONG[name] for name in wrong})
    assert read_without_model().bots[0].bot_id == 1
    monkeypatch.delenv("TELEGRAM_TOKEN")
    with pytest.raises(SettingsRefused, match=r"^TELEGRAM_TOKEN: is missing\. .*$"):
        read_without_model()


def test_variables_of_another_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """They say what the environment and `.env` say together, but for what is left out."""
    text = "api_key=file\nMODEL=file\nTZ=Europe/Moscow\nPERSONAS=mine\nHTTPS_PROXY=http://proxy\n"
    (tmp_path / ".env").write_text(text)
    for name, value in (("MODEL", "environment"), ("TZ", ""), ("YC_FOLDER_ID", "b1g")):
        monkeypatch.setenv(name, value)
    found = variables(without=["api_key", "folder_id"])
    names = ("API_KEY", "YC_FOLDER_ID", "MODEL", "TZ", "PERSONAS", "HTTPS_PROXY")
    assert [found.get(name) for name in names] == [
        *(None, None, "environment", "Europe/Moscow", str(tmp_path / "mine"), "http://proxy")
    ]


def test_all_settings_are_documented() -> None:
    """The table has every setting with its meaning and default, in the order of the code."""
    write = "write it by: .venv/bin/python -m tests.bot.test_settings"
    assert ROW.findall(TABLE.read_text("utf-8")) == _rows(), write


def test_all_settings_are_read() -> None:
    """Each is used outside of the settings themselves, or by what these work out from it."""
    used = re.findall(
        r"""[."]([a-z_]+)\b""",
        "".join(path.read_text("utf-8") for path in (ROOT / "bot").rglob("*.py")),
    )
    assert {*Environment.model_fields} <= {*used}


def test_the_readme_shows_some_of_them() -> None:
    """Its rows are rows of the whole table, and those that are required are among them."""
    shown = ROW.findall((ROOT / "README.md").read_text("utf-8"))
    assert set(shown) <= set(_rows()), "the README's rows are copies of rows in docs/settings.md"
    assert {row for row in _rows() if "| required |" in row} <= set(shown)


def _rows() -> list[str]:
    rows = []
    for field_name, field in Environment.model_fields.items():
        names = getattr(field.validation_alias, "choices", [field_name.upper()])
        default = _default(field.get_default(), required=field.is_required())
        shown = ", ".join(f"`{name}`" for name in names)
        rows.append(f"| {shown} | {default} | {field.description} |")
    return rows


def _default(value: object, *, required: bool) -> str:
    if required:
        return "required"
    if value in (None, frozenset()):
        return ""
    return f"`{'{}:{}'.format(*value) if isinstance(value, tuple) else value}`"


if __name__ == "__main__":  # python -m tests.bot.test_settings writes the rows of the whole table
    head, rule, _ = TABLE.read_text("utf-8").partition("|---|---|---|\n")
    TABLE.write_text(head + rule + "\n".join(_rows()) + "\n", "utf-8")
