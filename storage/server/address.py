"""Where Redis is: the URL in `REDIS_URL`, for every form of Redis or Valkey.

| form | meaning |
|---|---|
| ``redis://user:password@host:6379/0`` | one server |
| ``unix:///path/to/socket`` | the same, on this machine |
| ``redis+sentinel://host:26379,host:26379/service/0`` | the one that Sentinels call the master |
| ``redis+cluster://host:6379,host:6379`` | a cluster; name any of its nodes |

``rediss`` instead of ``redis`` encrypts the connection and checks the server's certificate.
"""

import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from redis.asyncio.connection import parse_url

DEFAULT_PORTS = {"": 6379, "sentinel": 26379, "cluster": 6379}
QUERY = frozenset(
    {
        "db",
        "health_check_interval",
        "password",
        "socket_connect_timeout",
        "socket_timeout",
        "username",
    }
)
"""Options of redis-py that may follow as ``?name=value``."""
WITH_TLS = frozenset(
    {"ssl_ca_certs", "ssl_cert_reqs", "ssl_certfile", "ssl_check_hostname", "ssl_keyfile"}
)
CERTIFICATE = ("none", "optional", "required")
"""What ``ssl_cert_reqs`` may ask for of the server's certificate."""
WITH_SENTINELS = frozenset({"sentinel_password", "sentinel_username"})
"""The Sentinels' own login."""

_URL = re.compile(
    r"(?P<tls>rediss?)(\+(?P<form>sentinel|cluster))?://((?P<login>[^/?]*)@)?"
    r"(?P<hosts>[^/?@]+)(/(?P<path>[^?]*))?(\?(?P<query>.*))?"
)


@dataclass(frozen=True, slots=True)
class Address:
    """``form`` is "" for one server; ``service`` is what Sentinels call the one they watch.

    ``hosts`` are pairs of host and port, none for a socket; ``options`` are redis-py's, for
    each connection.
    """

    form: str
    hosts: tuple[tuple[str, int], ...]
    service: str
    options: dict[str, Any]


def parse(url: str) -> Address:
    """Parse a URL. Raises ValueError; its message continues after the name of a setting."""
    if re.match(r"unix:///[^?]", url):
        return Address("", (), "", _options(url, QUERY))
    found = _URL.fullmatch(url)
    if found is None:
        raise ValueError(
            "is not a URL that begins like redis://host, rediss://host, unix:///path/to/socket, "
            "redis+sentinel://host:26379,host:26379/service or redis+cluster://host,host"
        )
    form, path = found["form"] or "", found["path"] or ""
    hosts = tuple(_host(host, DEFAULT_PORTS[form]) for host in found["hosts"].split(","))
    service, _, database = path.partition("/") if form == "sentinel" else ("", "", path)
    if form == "sentinel" and not service:
        raise ValueError("must end in /service, as the Sentinels call it")
    if form == "" and len(hosts) > 1:
        raise ValueError("names several hosts, so it must say +sentinel or +cluster")
    if not re.fullmatch(r"\d*", database):
        raise ValueError("must end in a database's number")
    known = QUERY | (WITH_TLS if found["tls"] == "rediss" else set())
    known |= WITH_SENTINELS if form == "sentinel" else set()
    login = f"{found['login']}@" if found["login"] else ""
    options = _options(f"{found['tls']}://{login}host/{database}?{found['query'] or ''}", known)
    if form == "cluster" and options.get("db"):
        raise ValueError("names a database, but a cluster has only one, 0")
    return Address(form, hosts, service, options)


def _host(host: str, default: int) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{host}")
        port = default if parts.port is None else parts.port
        name = parts.hostname or ""
        usable = bool(name and name.encode("idna") and port)
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("names an impossible host or port")
    return name, port


def _options(url: str, known: AbstractSet[str]) -> dict[str, Any]:
    options = dict(parse_url(url))
    asked_for = options.keys() - {"connection_class", "host", "port", "path"}
    if unknown := asked_for - known:
        raise ValueError(f"has unknown options: {', '.join(sorted(unknown))}")
    if options.get("ssl_cert_reqs", "none") not in CERTIFICATE:
        raise ValueError(f"has an ssl_cert_reqs that is none of {', '.join(CERTIFICATE)}")
    return options
