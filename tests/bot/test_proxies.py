"""Which proxy the environment names for an address."""

import pytest

from bot.environment import lower
from bot.proxies import proxy_for, without_login

TELEGRAM = "https://api.telegram.org"
PROXY = "http://proxy:3128"


@pytest.mark.parametrize(
    ("url", "names", "expected"),
    [
        (TELEGRAM, {}, None),
        (TELEGRAM, {"https_proxy": PROXY, "all_proxy": "http://other"}, ("HTTPS_PROXY", PROXY)),
        (TELEGRAM, {"http_proxy": PROXY}, None),
        ("http://model:8080", {"http_proxy": PROXY}, ("HTTP_PROXY", PROXY)),
        ("http://model:8080", {"https_proxy": PROXY}, None),
        (TELEGRAM, {"https_proxy": "", "all_proxy": PROXY}, ("ALL_PROXY", PROXY)),
        (TELEGRAM, {"https_proxy": "proxy:3128"}, ("HTTPS_PROXY", PROXY)),
        (TELEGRAM, {"all_proxy": "me:pass@proxy:1"}, ("ALL_PROXY", "http://me:pass@proxy:1")),
    ],
)
def test_which(url: str, names: dict[str, str], expected: tuple[str, str] | None) -> None:
    """That for the kind of address wins over that for all."""
    assert proxy_for(url, names) == expected


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:8081",
        "http://LOCALHOST",
        "http://bot.localhost:1",
        "http://127.0.0.1:8081",
        "http://127.8.9.1",
        "http://[::1]:8081",
        "http://169.254.169.254",
        "http://[fe80::1]",
    ],
)
def test_what_is_near(url: str) -> None:
    """No proxy stands between the bot and its own machine."""
    assert proxy_for(url, {"http_proxy": PROXY, "all_proxy": PROXY}) is None


@pytest.mark.parametrize(
    ("no_proxy", "url", "is_direct"),
    [
        ("*", TELEGRAM, True),
        ("localhost, *", TELEGRAM, True),
        ("api.telegram.org", TELEGRAM, True),
        ("API.Telegram.org", TELEGRAM, True),
        ("localhost,127.0.0.1,telegram.org", TELEGRAM, True),
        (".telegram.org", TELEGRAM, True),
        ("*.telegram.org", TELEGRAM, True),
        ("localhost telegram.org", TELEGRAM, True),
        ("telegram.org:443", "https://api.telegram.org:443", True),
        ("telegram.org:444", "https://api.telegram.org:443", False),
        ("gram.org", TELEGRAM, False),
        ("api.telegram.org.example", TELEGRAM, False),
        ("org.example", TELEGRAM, False),
        ("", TELEGRAM, False),
        (" , ", TELEGRAM, False),
        ("192.168.0.0/16", "http://192.168.3.4:8081", True),
        ("192.168.0.0/16", "http://192.169.3.4:8081", False),
        ("192.168.3.4", "http://192.168.3.4:8081", True),
        ("[fd00::1]", "http://[fd00::1]:8081", True),
        ("fd00::/8", "http://[fd00::1]:8081", True),
    ],
)
def test_exemptions(no_proxy: str, url: str, is_direct: bool) -> None:
    """NO_PROXY has names, ends of names, networks, or a star."""
    found = proxy_for(url, {"all_proxy": PROXY, "no_proxy": no_proxy})
    assert (found is None) == is_direct


def test_of_two_names_the_lower_one_wins() -> None:
    """As other programs have it; and the environment wins over a file."""
    assert lower({"https_proxy": "file"}, {"HTTPS_PROXY": "upper"}) == {"https_proxy": "upper"}
    both = {"https_proxy": "'lower'\n", "HTTPS_PROXY": "upper"}
    assert lower({}, both) == {"https_proxy": "lower"}


@pytest.mark.parametrize("login", ["", "me@", "me:pass@", "me:p%40ss@", "me:p@ss@"])
def test_what_may_be_told(login: str) -> None:
    """Neither a name nor a password."""
    assert without_login(f"http://{login}proxy:3128/") == PROXY
