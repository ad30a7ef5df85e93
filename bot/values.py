"""Parsers for values of settings; a bad value raises ValueError in plain words."""

import re
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

import httpx

from handlers.dialogue.personas import Persona, load
from handlers.texts import CATALOGUES
from storage.chat_settings import NAMES
from storage.server import address

LOCKABLE = ("model", *NAMES)
"""Chats choose no model as yet, so that is the owner's in any case."""
BUILT_IN = Path(__file__).parent / "personas"


def tokens(value: str) -> str:
    """Parse bot tokens, separated by commas."""
    each = [token.strip() for token in value.split(",")]
    if not all(re.fullmatch(r"[0-9]{1,19}:[A-Za-z0-9_-]+", token) for token in each):
        raise ValueError("is not a token from BotFather, nor several separated by commas")
    if len({token.partition(":")[0] for token in each}) < len(each):
        raise ValueError("names a bot twice")
    return ",".join(each)


def base_url(value: str) -> str:
    """Parse a base URL."""
    _require_url(value, ("http", "https"))
    return value.rstrip("/")


def api_url(value: str) -> str:
    """Parse an API's base URL; a login in it is refused, as no client of ours could send it."""
    url = base_url(value)
    if "@" in urlsplit(url).netloc:
        raise ValueError("must have no login in it")
    if "?" in url or "#" in url:
        raise ValueError("must end before the ? or # in it, as methods' names are added")
    return url


def redis_url(value: str) -> str:
    """Parse the URL of Redis."""
    address.parse(value)
    return value


def proxy_url(value: str) -> str:
    """Parse the URL of a proxy."""
    _require_url(value, ("http", "socks5", "socks5h"))
    if value.startswith("socks5") and find_spec("socksio") is None:
        raise ValueError("needs the extra socks: pip install socksio")
    return value


def host(value: str) -> str:
    """Parse a host name or address, with or without a port."""
    try:
        url = urlsplit(api_url(f"http://{value}"))
    except ValueError:
        url = None
    if url is None or url.netloc != value:
        raise ValueError("is neither a host nor HOST:PORT")
    return value


def _require_url(value: str, schemes: tuple[str, ...]) -> None:
    wanted = " or ".join(f"{scheme}://host" for scheme in schemes)
    try:
        parts = urlsplit(value)
        usable = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
        usable = usable and not re.search(r"\s", value)
        str(parts.hostname).encode("idna")
        httpx.URL(value)
    except (ValueError, httpx.InvalidURL):
        usable = False
    if not usable:
        raise ValueError(f"is not a URL that begins like {wanted}")


def webhook_secret(value: str) -> str:
    """Parse a webhook secret that Telegram accepts."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", value):
        raise ValueError("must be 1 to 256 of the characters A-Z, a-z, 0-9, _ and -")
    return value


def memory(value: str) -> str:
    """Parse an amount of memory."""
    if not re.fullmatch(r"[1-9][0-9]{0,5}[mg]b", value.lower()):
        raise ValueError("is not an amount of memory in mb or gb")
    return value.lower()


def listening(value: object) -> object:
    """See `host_and_port`; anything but text is left alone."""
    return host_and_port(value) if isinstance(value, str) else value


def host_and_port(value: str) -> tuple[str, int]:
    """Parse an address to listen on; a port alone means loopback."""
    found = re.fullmatch(r"(?:([\w.-]+|\[[0-9A-Fa-f:.]+\])?:)?([0-9]{1,5})", value, re.ASCII)
    if not found or int(found[2]) > 65535:
        raise ValueError("is neither HOST:PORT nor a port")
    return (found[1] or "127.0.0.1").strip("[]"), int(found[2])


def ids(value: object) -> object:
    """Parse ids of people or chats, separated by commas."""
    if not isinstance(value, str):
        return value
    parts = [part.strip() for part in value.split(",") if part.strip()]
    if wrong := [part for part in parts if not re.fullmatch(r"-?[0-9]{1,20}", part)]:
        raise ValueError(f"must be numeric ids separated by commas, and {wrong[0]!r} is not one")
    return frozenset(int(part) for part in parts)


def users(value: object) -> object:
    """Parse ids of people, separated by commas."""
    found = ids(value)
    if isinstance(found, frozenset) and (groups := sorted(one for one in found if one <= 0)):
        raise ValueError(
            f"names people, and {groups[0]} is nobody's id; those of groups are below 0"
        )
    return found


def locked(value: object) -> object:
    """Parse names of settings, separated by commas."""
    if not isinstance(value, str):
        return value
    found = {part.strip().lower() for part in value.split(",") if part.strip()}
    if unknown := sorted(found - {*LOCKABLE}):
        raise ValueError(f"names {unknown[0]!r}, which is none of {', '.join(LOCKABLE)}")
    return frozenset(found)


def credential(value: object) -> object:
    """Parse a secret that goes into a header."""
    if isinstance(value, str) and not re.fullmatch(r"[!-~]+", value):
        raise ValueError("holds a character that no such secret has")
    return value


def readable(path: Path | None) -> Path | None:
    """Check that a file is there and can be read."""
    try:
        found = path is None or path.is_file()
    except OSError:  # as of a name that is too long
        found = False
    if not found:
        raise ValueError("names no readable file")
    return path


def zone(value: object) -> object:
    """Find a time zone by its name, or by its file as in ``TZ=:/etc/localtime``."""
    if not isinstance(value, str):
        return value
    name = value.removeprefix(":")
    try:
        if name.startswith("/"):
            with Path(name).open("rb") as file:
                return ZoneInfo.from_file(file)
        return ZoneInfo(name)
    except (ValueError, LookupError, OSError):
        problem = "names no time zone"
        if not available_timezones():
            problem += ": this machine has none; pip install tzdata"
        raise ValueError(problem) from None


def language(value: str | None) -> str | None:
    """Parse the code of a language that the bot speaks."""
    if value is not None and value not in CATALOGUES:
        raise ValueError(f"is none of the languages the bot speaks: {', '.join(CATALOGUES)}")
    return value


def personas(folder: str | None) -> dict[str, Persona]:
    """Read the bot's personas, and those of a folder."""
    return load(BUILT_IN, *([Path(folder)] if folder else []))
