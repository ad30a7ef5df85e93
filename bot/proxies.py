"""The proxies that the environment sets for all programs: HTTPS_PROXY, ALL_PROXY, NO_PROXY."""

import ipaddress
import re
from collections.abc import Mapping
from urllib.parse import urlsplit


def proxy_for(url: str, names: Mapping[str, str]) -> tuple[str, str] | None:
    """Find the variable that names the proxy for ``url``, and its value; None: connect directly.

    ``names`` are in lower case. Loopback and link-local addresses need no proxy.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if _is_near(host) or _is_exempt(host, parts.port, names.get("no_proxy", "")):
        return None
    for name in (f"{parts.scheme}_proxy", "all_proxy"):
        if value := names.get(name):
            return name.upper(), value if "://" in value else f"http://{value}"
    return None


def without_login(url: str) -> str:
    """Reduce a proxy's address to what may be shown: scheme, host and port."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _is_near(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
    return address.is_loopback or address.is_link_local


def _is_exempt(host: str, port: int | None, no_proxy: str) -> bool:
    """True if NO_PROXY covers this host: by name, domain, network, or ``*``."""
    for entry in re.split(r"[\s,]+", no_proxy.strip().lower()):
        end = entry.removeprefix("*").removeprefix(".")
        if entry == "*" or (end and f".{host}:{port}".endswith((f".{end}:{port}", f".{end}"))):
            return True
        try:
            if ipaddress.ip_address(host) in ipaddress.ip_network(end.strip("[]"), strict=False):
                return True
        except ValueError:
            continue
    return False
