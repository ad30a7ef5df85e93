"""Keeps websites out: refuses, on every route, what a browser sends on behalf of another page.

A page of any website can make its visitor's browser send requests to this machine and, with a name
that resolves to 127.0.0.1 (DNS rebinding), read the answers, too. Browsers say who asks: in
``Host``, ``Origin`` and ``Sec-Fetch-Site``. Programs do not send the latter two and are served.
"""

import re
from collections.abc import Collection
from ipaddress import ip_address

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_FILES = "multipart/form-data"
"""Taken from browsers that say who asks, and from programs."""
_HOST = re.compile(r"(\[[^]]*]|[^:]*)(:\d*)?")
_JSON = ("application/json", "application/x-www-form-urlencoded", "")
"""Content types of JSON; curl sends the second by default, the last means none."""

_NO_SUCH_HOST = (
    "The demo is not served under this name. If it is yours, start the demo with --allow-host NAME."
)
_FOREIGN = (
    "Other websites may not use the demo. To open it yourself, type its address into your browser."
)
_NOT_JSON = "Send JSON, with the content type application/json."


class SameOrigin:
    """ASGI middleware that lets through only programs and pages of ``app`` itself.

    It is served under ``hosts``, names or addresses without a port, and always on loopback. If one
    of them is 0.0.0.0 or ::, it is served under every IP address, but under no further name. The
    port does not matter, because it may be forwarded.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str] = ()) -> None:
        self._app = app
        self._hosts = {"localhost", *map(_canonical, hosts)}
        self._everywhere = not self._hosts.isdisjoint({"0.0.0.0", "::"})  # noqa: S104 - compared

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._refusal(scope, Headers(scope=scope)) or self._app
        await app(scope, receive, send)

    def _refusal(self, scope: Scope, headers: Headers) -> JSONResponse | None:
        hosts = [host.lower() for host in headers.getlist("host")]
        if len(hosts) != 1 or not self._serves(hosts[0]):
            return _refused(403, _NO_SUCH_HOST)
        origins = {origin.lower().partition("//")[2] for origin in headers.getlist("origin")}
        sites = set(headers.getlist("sec-fetch-site"))
        if not (origins <= {hosts[0]} and sites <= {"same-origin", "none"}):
            return _refused(403, _FOREIGN)
        # An old browser's form sends no origin and can write JSON as text/plain. The Bot API does
        # not accept JSON in that.
        if scope["method"] == "POST" and not scope["path"].startswith("/bot"):
            kind = headers.get("content-type", "").partition(";")[0].strip().lower()
            is_safe = kind in _JSON or (
                kind == _FILES and (origins or sites or _is_program(headers))
            )
            return None if is_safe else _refused(415, _NOT_JSON)
        return None

    def _serves(self, host: str) -> bool:
        parts = _HOST.fullmatch(host)
        name = _canonical(parts[1]) if parts else ""
        try:
            address = ip_address(name)
        except ValueError:
            return name in self._hosts
        return self._everywhere or address.is_loopback or name in self._hosts


def _is_program(headers: Headers) -> bool:
    """True if this is no browser: all of them say that they are Mozilla."""
    return "mozilla/" not in headers.get("user-agent", "").lower()


def _canonical(host: str) -> str:
    name = host.strip("[]").lower()
    try:
        return str(ip_address(name))
    except ValueError:
        return name


def _refused(status: int, sentence: str) -> JSONResponse:
    """Say why, in the format of the Bot API and in that of the room."""
    return JSONResponse(
        {"ok": False, "error_code": status, "description": sentence, "error": sentence}, status
    )
