"""Signing in, against a server of tokens on loopback."""

import asyncio
import json
import re
import sys
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from bot.completion.credentials import AUDIENCE, FetchedToken, Token, key_file, metadata, sign_in
from bot.redaction import HIDDEN, redact
from bot.settings import Settings
from bot.transport import transport
from handlers.dialogue.completion import CompletionMisconfigured, CompletionUnavailable
from tests.completion import listening, saying
from tests.conftest import configured

METADATA = "/computeMetadata/v1/instance/service-accounts/default/token"
MINUTE = 60.0


class Office:
    """Gives ``answer``, whoever asks for a token, and keeps the requests."""

    def __init__(self) -> None:
        self.answer: Any = {"iamToken": "t1.one", "expiresAt": "2126-11-24T06:00:00.123456789Z"}
        self.status = 200
        self.requests: list[str] = []
        self.jwts: list[str] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        self.requests.append(request)
        if length := re.search(r"content-length: (\d+)", request):
            body = await reader.readexactly(int(length[1]))
            self.jwts.append(json.loads(body)["jwt"])
        answer = self.answer if isinstance(self.answer, bytes) else json.dumps(self.answer).encode()
        head = f"HTTP/1.1 {self.status} Said\r\nContent-Type: text/plain; charset=rot13\r\n"
        writer.write(f"{head}Content-Length: {len(answer)}\r\n\r\n".encode() + answer)
        await writer.drain()


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
async def url(office: Office) -> AsyncIterator[str]:
    """The office's address."""
    async with listening(office) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    """A client on the bot's transport."""
    async with httpx.AsyncClient(transport=transport(None, 4), timeout=10) as client:
        yield client


@pytest.fixture(scope="module")
def private_key() -> rsa.RSAPrivateKey:
    """A key as the cloud makes them."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    """Write a private key as it stands in a key file."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


@pytest.fixture
def fields(private_key: rsa.RSAPrivateKey) -> dict[str, Any]:
    """What stands in a key file."""
    return {"id": "key-id", "service_account_id": "account", "private_key": pem(private_key)}


@pytest.fixture
def file(tmp_path: Path, fields: dict[str, Any]) -> Path:
    """A key file."""
    path = tmp_path / "key.json"
    path.write_text(json.dumps(fields))
    return path


def settings(**more: Any) -> Settings:
    """Make settings with these for signing in."""
    values = {"telegram_token": "1:T", "folder_id": "folder"} | more
    return configured(**values)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("API_KEY", "YANDEX_API_KEY", "YC_API_KEY", "IAM_TOKEN", "YC_IAM_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A monotonic clock that goes as its only entry says."""
    now = [1000.0]
    fake = SimpleNamespace(monotonic=lambda: now[0], time=time.time)
    monkeypatch.setattr("bot.completion.credentials.time", fake)
    return now


class Tokens:
    """A way to fetch tokens: numbered ones that live ten hours, or an error."""

    def __init__(self) -> None:
        self.fetched = 0
        self.error: Exception | None = None

    async def __call__(self) -> Token:
        self.fetched += 1
        await asyncio.sleep(0)
        if self.error:
            raise self.error
        return Token(f"t1.{self.fetched}", 600 * MINUTE)


async def bearer(credentials: FetchedToken) -> str:
    """Ask for the headers; the token in them."""
    return (await credentials.headers())["Authorization"].removeprefix("Bearer ")


async def test_what_is_fetched_or_read_is_secret(
    http: httpx.AsyncClient, office: Office, url: str, file: Path, fields: dict[str, Any]
) -> None:
    """No line has a token that was exchanged, nor a line of the key that signed for it."""
    office.answer["iamToken"] = "exchanged-token"
    token = await bearer(FetchedToken(key_file(file, http, url)))
    assert token == "exchanged-token"
    assert redact(f"refused: {token}") == f"refused: {HIDDEN}"
    line = fields["private_key"].splitlines()[3]
    assert redact(f"in {line}") == f"in {HIDDEN}"


async def test_an_api_key_is_written_as_such(http: httpx.AsyncClient) -> None:
    """An API key needs nothing else, not even a folder, and comes first of all ways."""
    credentials = sign_in(settings(api_key="AQVN-key", iam_token="t1.token"), http)
    assert await credentials.headers() == {"Authorization": "Api-Key AQVN-key"}
    assert not credentials.renewable
    credentials.drop()
    assert await credentials.headers() == {"Authorization": "Api-Key AQVN-key"}


@pytest.mark.parametrize("model", ["yandexgpt-lite", "gpt://folder/yandexgpt/rc"])
async def test_a_given_iam_token_names_the_folder(http: httpx.AsyncClient, model: str) -> None:
    """A user account's token needs the folder, which is that of the model's URI."""
    credentials = sign_in(settings(iam_token="t1.token", model=model), http)
    headers = {"Authorization": "Bearer t1.token", "x-folder-id": "folder"}
    assert await credentials.headers() == headers


async def test_a_key_file_signs_for_a_token(
    http: httpx.AsyncClient,
    office: Office,
    url: str,
    file: Path,
    private_key: rsa.RSAPrivateKey,
) -> None:
    """The JWT is what IAM documents: PS256, the key's id, the account, an hour at most."""
    credentials = sign_in(settings(service_account_key_file=file, iam_url=url), http)
    before = int(time.time())
    assert await credentials.headers() == {"Authorization": "Bearer t1.one"}
    assert credentials.renewable
    assert office.requests[0].startswith("post /iam/v1/tokens ")
    assert jwt.get_unverified_header(office.jwts[0]) == {
        "alg": "PS256",
        "kid": "key-id",
        "typ": "JWT",
    }
    claims = jwt.decode(
        office.jwts[0], private_key.public_key(), algorithms=["PS256"], audience=AUDIENCE
    )
    assert claims["iss"] == "account"
    assert before <= claims["iat"] <= time.time()
    assert claims["exp"] == claims["iat"] + 3600


def test_a_warning_before_the_key_is_left_out(file: Path, fields: dict[str, Any]) -> None:
    """Some exports begin with a line that asks not to delete it."""
    warning = "PLEASE DO NOT REMOVE THIS LINE! Yandex.Cloud SA Key ID <key-id>\n"
    file.write_text(json.dumps(fields | {"private_key": warning + fields["private_key"]}))
    key_file(file, httpx.AsyncClient(), "http://host")  # signs once, to see whether it can


EC_KEY = pem(ec.generate_private_key(ec.SECP256R1()))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"not JSON",
        b"[]",
        b"5",
        b"{}",
        b"[" * 100_000,
        {"private_key": None},
        {"private_key": "no key at all"},
        {"private_key": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"},
        {"private_key": EC_KEY},
        {"id": 5},
        {"service_account_id": None},
    ],
    ids=lambda content: str(content)[:20],
)
def test_a_bad_key_file_is_told_at_once(
    file: Path, fields: dict[str, Any], content: bytes | dict[str, Any]
) -> None:
    """The owner learns the setting and the file, and nothing of what stands in it."""
    file.write_bytes(
        content if isinstance(content, bytes) else json.dumps(fields | content).encode()
    )
    with pytest.raises(
        CompletionMisconfigured, match=r"SERVICE_ACCOUNT_KEY_FILE.*key\.json"
    ) as told:
        key_file(file, httpx.AsyncClient(), "http://host")
    assert fields["private_key"][40:80] not in str(told.value)


def test_a_file_that_went_away_is_told_at_once(tmp_path: Path) -> None:
    """A path that cannot be read is as bad as a file without a key."""
    with pytest.raises(CompletionMisconfigured, match="SERVICE_ACCOUNT_KEY_FILE"):
        key_file(tmp_path, httpx.AsyncClient(), "http://host")


@pytest.mark.parametrize("missing", ["jwt", "cryptography"])
def test_a_missing_extra_is_told(monkeypatch: pytest.MonkeyPatch, file: Path, missing: str) -> None:
    """Without the libraries for signing, the owner learns what to install."""
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(CompletionMisconfigured, match=r"pip install 'pyjwt\[crypto\]'"):
        key_file(file, httpx.AsyncClient(), "http://host")


async def test_the_end_of_life_is_read_to_the_nanosecond(
    http: httpx.AsyncClient, office: Office, url: str, file: Path
) -> None:
    """IAM writes nine digits of a second; the token's life is counted from now."""
    end = datetime.fromtimestamp(time.time() + 3600, UTC)
    office.answer["expiresAt"] = f"{end:%Y-%m-%dT%H:%M:%S.%f}789Z"
    token = await key_file(file, http, url)()
    assert 3000 < token.lifetime <= 3600


async def test_metadata_is_asked_as_the_cloud_wants_it(
    http: httpx.AsyncClient, office: Office, url: str
) -> None:
    """The request carries the header against forged ones; the answer's seconds are its life."""
    office.answer = {"access_token": "t1.vm", "expires_in": 43200, "token_type": "Bearer"}
    address = url.removeprefix("http://")
    chosen = settings(yandex_auth="metadata", metadata_address=address)
    assert await sign_in(chosen, http).headers() == {"Authorization": "Bearer t1.vm"}
    assert office.requests[0].startswith(f"get {METADATA} ".lower())
    assert "\r\nmetadata-flavor: google\r\n" in office.requests[0]
    assert (await metadata(http, address)()).lifetime == 43200


@pytest.mark.parametrize(
    "answer",
    [
        b"no JSON",
        b"[" * 100_000,
        [],
        5,
        {},
        {"access_token": "t1.x"},
        {"access_token": None, "expires_in": 5},
        {"access_token": "t1.x\r\nX-Injected: 1", "expires_in": 5},
        {"access_token": "токен", "expires_in": 5},
        {"access_token": "", "expires_in": 5},
        {"access_token": "t1.x", "expires_in": "soon"},
        {"access_token": "t1.x", "expires_in": None},
        b'{"access_token": "t1.x", "expires_in": 1' + b"0" * 400 + b"}",
    ],
    ids=lambda answer: str(answer)[:60],
)
async def test_an_unreadable_answer_of_the_metadata(
    http: httpx.AsyncClient, office: Office, url: str, answer: Any
) -> None:
    """No answer but a token that a header can carry is taken."""
    office.answer = answer
    with pytest.raises(CompletionUnavailable, match="cannot be read"):
        await metadata(http, url.removeprefix("http://"))()


@pytest.mark.parametrize("moment", [5, None, "soon", "2126", "0001-01-01T00:00:00"])
async def test_an_unreadable_end_of_life(
    http: httpx.AsyncClient, office: Office, url: str, file: Path, moment: Any
) -> None:
    """A moment of another form is an answer that cannot be read."""
    office.answer["expiresAt"] = moment
    with pytest.raises(CompletionUnavailable, match="cannot be read"):
        await key_file(file, http, url)()


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, CompletionMisconfigured),
        (401, CompletionMisconfigured),
        (404, CompletionMisconfigured),
        (302, CompletionMisconfigured),
        (429, CompletionUnavailable),
        (500, CompletionUnavailable),
        (503, CompletionUnavailable),
    ],
)
async def test_a_refusal_to_sign_in(
    http: httpx.AsyncClient,
    office: Office,
    url: str,
    file: Path,
    status: int,
    kind: type[Exception],
) -> None:
    """What may pass is told apart from what the owner must mend; the JWT is never told."""
    office.status, office.answer = status, "Служебный аккаунт удалён".encode("cp1251")
    with pytest.raises(kind, match=f"signing in: HTTP {status}: ") as told:
        await key_file(file, http, url)()
    assert office.jwts[0] not in str(told.value)


async def test_nobody_to_sign_in_with(http: httpx.AsyncClient) -> None:
    """A connection that is refused or cut may be better later; an address that is none, never."""
    async with listening(saying()) as port:
        with pytest.raises(CompletionUnavailable, match="signing in: ReadError"):
            await metadata(http, f"127.0.0.1:{port}")()
    with pytest.raises(CompletionUnavailable, match="signing in: ConnectError"):
        await metadata(http, f"127.0.0.1:{port}")()
    with pytest.raises(CompletionMisconfigured, match="signing in: Invalid port"):
        await metadata(http, ":::")()


async def test_one_fetch_serves_all_who_wait() -> None:
    """Many requests that come while there is no token cause one to be fetched."""
    tokens = Tokens()
    credentials = FetchedToken(tokens)
    assert set(await asyncio.gather(*(bearer(credentials) for _ in range(50)))) == {"t1.1"}
    assert tokens.fetched == 1


async def test_a_token_is_renewed_after_a_tenth_of_its_life(clock: list[float]) -> None:
    """Until then it is used, then a new one is."""
    credentials = FetchedToken(Tokens())
    assert await bearer(credentials) == "t1.1"
    clock[0] += 59 * MINUTE
    assert await bearer(credentials) == "t1.1"
    clock[0] += 1 * MINUTE
    assert await bearer(credentials) == "t1.2"


async def test_an_old_token_lives_on_when_renewal_fails_for_now(clock: list[float]) -> None:
    """It is used until its own end, and the others are asked once a minute at most."""
    tokens = Tokens()
    credentials = FetchedToken(tokens)
    await bearer(credentials)
    tokens.error = CompletionUnavailable("down")
    clock[0] += 60 * MINUTE
    assert [await bearer(credentials) for _ in range(3)] == ["t1.1"] * 3
    assert tokens.fetched == 2
    clock[0] += 1 * MINUTE
    assert await bearer(credentials) == "t1.1"
    assert tokens.fetched == 3
    clock[0] += 539 * MINUTE
    with pytest.raises(CompletionUnavailable, match="down"):
        await bearer(credentials)
    tokens.error = None
    assert await bearer(credentials) == "t1.5"


async def test_an_old_token_lives_on_when_iam_hangs(
    http: httpx.AsyncClient,
    office: Office,
    file: Path,
    clock: list[float],
) -> None:
    """A request does not spend its own patience on a server of tokens that says nothing."""
    office.answer["expiresAt"] = "2126-11-24T06:00:00Z"
    hanging = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if hanging.is_set():
            await reader.read()
        await office(reader, writer)

    async with listening(answer) as port:
        url = f"http://127.0.0.1:{port}"
        patient, hasty = (key_file(file, http, url, seconds) for seconds in (60, 0.3))
        credentials = FetchedToken(lambda: hasty() if hanging.is_set() else patient())
        assert await bearer(credentials) == "t1.one"
        hanging.set()
        clock[0] += 11 * 365 * 24 * 60 * MINUTE
        assert await bearer(credentials) == "t1.one"
    assert len(office.requests) == 1


async def test_a_renewal_refused_for_good_is_told(clock: list[float]) -> None:
    """A key that was deleted is for the owner to know, though its last token still lives."""
    tokens = Tokens()
    credentials = FetchedToken(tokens)
    await bearer(credentials)
    tokens.error = CompletionMisconfigured("deleted")
    clock[0] += 60 * MINUTE
    with pytest.raises(CompletionMisconfigured, match="deleted"):
        await bearer(credentials)


async def test_a_dropped_token_is_never_used_again() -> None:
    """After the API refused it, a new one is fetched, and the old one is no way out."""
    tokens = Tokens()
    credentials = FetchedToken(tokens)
    await bearer(credentials)
    credentials.drop()
    tokens.error = CompletionUnavailable("down")
    with pytest.raises(CompletionUnavailable):
        await bearer(credentials)
    tokens.error = None
    assert await bearer(credentials) == "t1.3"


async def test_a_waiter_that_gives_up_holds_up_nobody() -> None:
    """When whoever was fetching is cancelled, the next one fetches."""
    tokens = Tokens()
    credentials = FetchedToken(tokens)
    first = asyncio.create_task(bearer(credentials))
    second = asyncio.create_task(bearer(credentials))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == "t1.2"
