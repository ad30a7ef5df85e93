"""Signing in to the completion API: an API key, or an IAM token, given or fetched."""

import asyncio
import contextlib
import json
import re
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx

from bot.redaction import hide
from bot.settings import Settings
from handlers.dialogue.completion import CompletionMisconfigured, CompletionUnavailable
from storage.message import UNREADABLE
from storage.timing import Timing

AUDIENCE = "https://iam.api.cloud.yandex.net/iam/v1/tokens"
JWT_SECONDS = 3600
"""Longest lifetime that IAM accepts for the signed request for a token."""


@dataclass(frozen=True, slots=True)
class Token:
    """An IAM token and the seconds it had to live when it was fetched."""

    value: str
    lifetime: float

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[!-~]+", self.value):
            raise ValueError("no header can carry this")


Fetch = Callable[[], Awaitable[Token]]


class Credentials:
    """The headers that sign requests; these never change."""

    renewable = False

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers

    async def headers(self) -> Mapping[str, str]:
        """Return the headers that sign a request.

        Raises `CompletionUnavailable` or `CompletionMisconfigured` if no token can be had.
        """
        return self._headers

    def drop(self) -> None:
        """Forget the token: the API refused it."""


class FetchedToken(Credentials):
    """A fetched IAM token, renewed after a tenth of its lifetime, as Yandex advises."""

    renewable = True

    def __init__(self, fetch: Fetch) -> None:
        super().__init__({})
        self._fetch = fetch
        self._lock = asyncio.Lock()
        self._renew_at = self._dead_at = 0.0

    async def headers(self) -> Mapping[str, str]:
        """Return the headers; fetches a token when due, and one fetch serves all who wait."""
        async with self._lock:
            if time.monotonic() >= self._renew_at:
                await self._renew()
            return self._headers

    def drop(self) -> None:
        """Fetch a new token before the next request."""
        self._renew_at = self._dead_at = 0.0

    async def _renew(self) -> None:
        now = time.monotonic()
        try:
            token = await self._fetch()
        except CompletionUnavailable:
            if now >= self._dead_at:
                raise
            self._renew_at = now + 60  # the old one still works; do not ask at every request
            return
        hide("fetched token", [token.value])
        self._headers = {"Authorization": f"Bearer {token.value}"}
        self._renew_at = now + token.lifetime / 10
        self._dead_at = now + token.lifetime


def sign_in(settings: Settings, http: httpx.AsyncClient) -> Credentials:
    """Choose the configured way to sign in; of several, the first in docs/settings.md wins.

    Raises `CompletionMisconfigured` if a key file cannot be used.
    """
    if settings.api_key:
        return Credentials({"Authorization": f"Api-Key {settings.api_key.get_secret_value()}"})
    if settings.iam_token:
        # A user account's token names no folder; with a service account's the header is ignored.
        bearer = f"Bearer {settings.iam_token.get_secret_value()}"
        return Credentials({"Authorization": bearer, "x-folder-id": settings.folder})
    if settings.service_account_key_file:
        file, url = settings.service_account_key_file, settings.iam_url
        return FetchedToken(key_file(file, http, url, settings.timing.token))
    return FetchedToken(metadata(http, settings.metadata_address, settings.timing.token))


def key_file(
    path: Path, http: httpx.AsyncClient, iam_url: str, seconds: float = Timing().token
) -> Fetch:
    """Exchange a JWT signed with an authorized key for a token, within ``seconds``.

    Raises `CompletionMisconfigured` if the file, or the library for signing, cannot be used.
    """
    sign = _signer(path)

    async def fetch() -> Token:
        url, body = f"{iam_url}/iam/v1/tokens", {"jwt": sign()}
        response = await _answered(http.post(url, json=body, timeout=seconds))
        with _readable():
            fields = response.json()
            return Token(fields["iamToken"], _seconds_until(fields["expiresAt"]))

    return fetch


def _signer(path: Path) -> Callable[[], str]:
    try:
        # An extra that only this way of signing in needs; jwt is of no use without cryptography.
        import cryptography  # noqa: F401, PLC0415
        import jwt  # noqa: PLC0415
    except ImportError:
        raise CompletionMisconfigured(
            "SERVICE_ACCOUNT_KEY_FILE needs the extra keyfile: pip install 'pyjwt[crypto]'"
        ) from None

    def sign() -> str:
        now = int(time.time())
        claims = {"iss": account, "aud": AUDIENCE, "iat": now, "exp": now + JWT_SECONDS}
        return jwt.encode(claims, private_key, algorithm="PS256", headers={"kid": key_id})

    try:
        key = json.loads(path.read_text(encoding="utf-8-sig"))
        account, key_id, private_key = key["service_account_id"], key["id"], key["private_key"]
        # Some exports have a line of warning before the key itself.
        private_key = private_key[private_key.index("-----BEGIN") :]
        hide("private key", (line for line in private_key.splitlines() if len(line) > 20))
        sign()
    except (OSError, *UNREADABLE, jwt.PyJWTError) as error:
        raise CompletionMisconfigured(
            f"SERVICE_ACCOUNT_KEY_FILE: {path} is not an authorized key in JSON"
        ) from error
    return sign


def metadata(http: httpx.AsyncClient, address: str, seconds: float = Timing().token) -> Fetch:
    """Ask the metadata service of the cloud machine, container or function this runs on.

    It may take ``seconds``.
    """
    url = f"http://{address}/computeMetadata/v1/instance/service-accounts/default/token"

    async def fetch() -> Token:
        headers = {"Metadata-Flavor": "Google"}
        response = await _answered(http.get(url, headers=headers, timeout=seconds))
        with _readable():
            fields = response.json()
            return Token(fields["access_token"], float(fields["expires_in"]))

    return fetch


async def _answered(request: Awaitable[httpx.Response]) -> httpx.Response:
    try:
        response = await request
    except httpx.HTTPError as error:
        raise CompletionUnavailable(f"signing in: {type(error).__name__}: {error}") from error
    except httpx.InvalidURL as error:
        raise CompletionMisconfigured(f"signing in: {error}") from error
    if response.status_code == 200:
        return response
    text = response.content[:300].decode("utf-8", "replace")
    reason = f"signing in: HTTP {response.status_code}: {text}"
    if response.status_code == 429 or response.status_code >= 500:
        raise CompletionUnavailable(reason)
    raise CompletionMisconfigured(reason)


@contextlib.contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except UNREADABLE as error:
        raise CompletionUnavailable("signing in: the answer cannot be read") from error


def _seconds_until(moment: str) -> float:
    # Nanoseconds have nine digits; `datetime` reads six.
    moment = re.sub(r"(\.\d{6})\d+", r"\1", moment.replace("Z", "+00:00"))
    return datetime.fromisoformat(moment).timestamp() - time.time()
