"""The transport of both outside APIs, over real sockets: proxies, and what goes wrong."""

import asyncio
import contextlib
import gc
import os
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import pytest
from aiohttp.client_reqrep import ConnectionKey, RequestInfo
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from multidict import CIMultiDict, CIMultiDictProxy
from pydantic import SecretStr
from yarl import URL

from bot.transport import transport
from tests.completion import Connection, listening, saying, until

HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def client(proxy: str | None = None, connections: int = 4) -> httpx.AsyncClient:
    """Make a client on the transport under test."""
    via = SecretStr(proxy) if proxy else None
    return httpx.AsyncClient(transport=transport(via, connections), timeout=10)


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on bytes until there are no more."""
    while data := await reader.read(4096):
        writer.write(data)
        await writer.drain()


class HttpProxy:
    """Forwards plain HTTP requests, one a connection, and keeps their heads."""

    def __init__(self) -> None:
        self.heads: list[bytes] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.heads.append(head)
        target = httpx.URL(head.split(b" ")[1].decode())
        async with connected(target.host, target.port or 80) as (there, away):
            away.write(head)
            await pump(there, writer)


@contextlib.asynccontextmanager
async def connected(
    host: str, port: int
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Connect while the block runs, and see the connection closed."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


class Forwarding:
    """An HTTP proxy for several requests a connection, all to one server."""

    def __init__(self) -> None:
        self.connections = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while data := await reader.read(4096):
            target = httpx.URL(data.split(b" ")[1].decode())
            async with connected(target.host, target.port or 80) as (there, away):
                away.write(data)
                while b"}" not in data:
                    away.write(data := await reader.read(4096))
                writer.write(await there.read(4096))


class SocksProxy:
    """Connects as SOCKS5 (RFC 1928) asks for it, with a password (RFC 1929) if one is set."""

    def __init__(self, password: bytes = b"") -> None:
        self.password = password
        self.targets: list[tuple[str, int]] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, count = await reader.readexactly(2)
        await reader.readexactly(count)
        writer.write(b"\x05\x02" if self.password else b"\x05\x00")
        if self.password and not await self._signed_in(reader, writer):
            return
        target = await self._target(reader)
        self.targets.append(target)
        async with connected(*target) as (there, away):
            writer.write(b"\x05\x00\x00\x01" + bytes(6))
            sending = asyncio.create_task(pump(reader, away))
            await pump(there, writer)
            sending.cancel()

    async def _signed_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        _, length = await reader.readexactly(2)
        await reader.readexactly(length)
        password = await reader.readexactly((await reader.readexactly(1))[0])
        writer.write(b"\x01\x00" if password == self.password else b"\x01\x01")
        return password == self.password

    async def _target(self, reader: asyncio.StreamReader) -> tuple[str, int]:
        kind = (await reader.readexactly(4))[3]
        if kind == 1:
            host = ".".join(map(str, await reader.readexactly(4)))
        else:
            host = (await reader.readexactly((await reader.readexactly(1))[0])).decode()
        return host, int.from_bytes(await reader.readexactly(2), "big")


async def other_kind(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Be a server that was not expecting SOCKS."""
    await reader.read(3)
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    await writer.drain()


async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Be a server that never answers."""
    await reader.read()
    await asyncio.Event().wait()


@pytest.fixture
async def hello() -> AsyncIterator[str]:
    """URL of a server that says hello."""
    async with listening(saying(HELLO)) as port:
        yield f"http://127.0.0.1:{port}/"


@pytest.fixture
async def nowhere() -> str:
    """An address that nobody listens at."""
    async with listening(saying()) as port:
        return f"127.0.0.1:{port}"


async def fails(connection: Connection, proxy: str | None = None) -> httpx.HTTPError:
    """Post to a server or through a proxy that behaves like this; how that failed."""
    async with listening(connection) as port:
        address = f"127.0.0.1:{port}"
        via = proxy.format(address) if proxy else None
        async with client(via) as http:
            with pytest.raises(httpx.HTTPError) as caught:
                await http.post("http://127.0.0.1:9/" if proxy else f"http://{address}", json={})
            return caught.value


async def test_an_http_proxy_is_used(hello: str) -> None:
    """Requests go to the HTTP proxy, which is told the whole address."""
    proxy = HttpProxy()
    async with listening(proxy) as port, client(f"http://127.0.0.1:{port}") as http:
        assert (await http.get(hello)).text == "hello"
    assert [head.split(b" ")[1].decode() for head in proxy.heads] == [hello]


@pytest.mark.filterwarnings("ignore:.*(BasicAuth|proxy_auth).*:DeprecationWarning")
async def test_an_http_proxy_learns_the_password_and_the_target_does_not(hello: str) -> None:
    """What stands before the @ of the proxy's URL is sent as its authorization."""
    proxy = HttpProxy()
    async with listening(proxy) as port, client(f"http://me:pass@127.0.0.1:{port}") as http:
        assert (await http.get(hello)).text == "hello"
    assert b"proxy-authorization: basic bwu6cgfzcw==" in proxy.heads[0].lower()


@pytest.mark.parametrize("scheme", ["socks5", "SOCKS5", "socks5h"])
async def test_a_socks_proxy_is_used(hello: str, scheme: str) -> None:
    """Connections are opened by the SOCKS5 proxy."""
    proxy = SocksProxy()
    async with listening(proxy) as port, client(f"{scheme}://127.0.0.1:{port}") as http:
        assert (await http.get(hello)).text == "hello"
    assert proxy.targets == [("127.0.0.1", httpx.URL(hello).port)]


async def test_a_socks_proxy_learns_the_password(hello: str) -> None:
    """What stands before the @ of the proxy's URL signs in there."""
    proxy = SocksProxy(password=b"pass")
    async with listening(proxy) as port, client(f"socks5://me:pass@127.0.0.1:{port}") as http:
        assert (await http.get(hello)).text == "hello"


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # httpcore forgets the connection
@pytest.mark.parametrize("connection", [SocksProxy(password=b"other"), other_kind])
async def test_a_socks_proxy_that_refuses(connection: Connection) -> None:
    """A password that is not right, or a proxy of another kind, is an error of httpx's."""
    error = await fails(connection, "socks5://me:sesame@{}")
    assert isinstance(error, httpx.ProxyError)
    assert "sesame" not in str(error)
    del error  # its traceback holds the connection
    gc.collect()  # while the warning is ignored


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # httpcore forgets the connection
async def test_a_socks_proxy_that_is_silent() -> None:
    """A proxy that takes the connection and says nothing does not hold a request for ever."""
    async with listening(silent) as port, client(f"socks5://127.0.0.1:{port}") as http:
        with pytest.raises(httpx.ReadTimeout):
            await http.get("http://127.0.0.1:9", timeout=httpx.Timeout(0.05, connect=0.5))
    gc.collect()  # while the warning is ignored


@pytest.mark.filterwarnings("ignore:.*(BasicAuth|proxy_auth).*:DeprecationWarning")
@pytest.mark.parametrize("proxy", [None, "http://me:sesame@{}", "socks5://me:sesame@{}"])
async def test_a_refused_connection(nowhere: str, proxy: str | None) -> None:
    """Nothing was sent when nobody listens, neither there nor at the proxy's; no secret is told."""
    async with client(proxy.format(nowhere) if proxy else None) as http:
        with pytest.raises(httpx.ConnectError) as caught:
            await http.post(f"http://{nowhere}", json={})
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize(
    "sent",
    [
        (),
        (b"HTTP/1.1 20",),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello",),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",),
    ],
    ids=["at once", "in the status line", "in the body", "between chunks"],
)
@pytest.mark.parametrize("reset", [False, True])
async def test_a_connection_cut_after_the_request(sent: tuple[bytes, ...], reset: bool) -> None:
    """It is a `ReadError` wherever it is cut, never one that means "was not sent"."""

    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await saying(*sent)(reader, writer)
        if reset:
            writer.transport.abort()

    assert isinstance(await fails(cut), httpx.ReadError)


@pytest.mark.parametrize(
    "head",
    [
        b"hello\r\n",
        b"HTTP/1.1 99999 OK",
        b"HTTP/1.1 200 OK\r\nno colon",
        b"HTTP/1.1 200 OK\r\nContent-Length: many",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz",
        b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 100_000,
        "HTTP/1.1 502 Плохой шлюз\r\nContent-Length: 0".encode("cp1251"),
    ],
    ids=["no HTTP", "status", "header", "length", "chunk", "too long", "reason not in UTF-8"],
)
async def test_a_malformed_response(head: bytes) -> None:
    """What is no HTTP is a `RemoteProtocolError`."""
    assert isinstance(await fails(saying(head + b"\r\n\r\n")), httpx.RemoteProtocolError)


async def test_no_answer_in_time() -> None:
    """Silence is a `ReadTimeout`."""
    async with listening(silent) as port, client() as http:
        with pytest.raises(httpx.ReadTimeout):
            await http.get(f"http://127.0.0.1:{port}", timeout=httpx.Timeout(10, read=0.05))


@pytest.mark.parametrize("scheme", [None, "socks5"])
async def test_no_more_connections_than_allowed(scheme: str | None) -> None:
    """Requests beyond the limit wait for a connection; one that waits too long was never sent."""
    connected: list[asyncio.StreamWriter] = []

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.append(writer)
        await reader.read()

    proxy = SocksProxy()
    async with listening(slow) as port, listening(proxy) as via, asyncio.TaskGroup() as tasks:
        through = f"{scheme}://127.0.0.1:{via}" if scheme else None
        async with client(through, connections=2) as http:
            url = f"http://127.0.0.1:{port}"
            busy = [tasks.create_task(http.get(url)) for _ in range(2)]
            await until(lambda: len(connected) == 2)
            with pytest.raises((httpx.PoolTimeout, httpx.ConnectTimeout)):
                await http.get(url, timeout=httpx.Timeout(10, pool=0.05))
            assert len(connected) == 2
            for task in busy:
                task.cancel()


def subclasses(kind: type[Exception]) -> list[type[Exception]]:
    """Find all kinds of an error, at any depth."""
    deeper = [found for sub in kind.__subclasses__() for found in subclasses(sub)]
    return list(dict.fromkeys([kind, *deeper]))


def example(kind: type[Exception]) -> Exception:
    """Make an error of one of aiohttp's classes, each of which wants other arguments."""
    key = ConnectionKey("host", 80, False, True, None, None, None)
    url = URL("http://host")
    arguments: dict[type[Exception], tuple[Any, ...]] = {
        aiohttp.ClientResponseError: (
            RequestInfo(url, "POST", CIMultiDictProxy(CIMultiDict()), url),
            (),
        ),
        aiohttp.client_exceptions.UnixClientConnectorError: ("path", key, OSError(1, "no")),
        aiohttp.ClientConnectorCertificateError: (key, ssl.SSLCertVerificationError("no")),
        aiohttp.ClientConnectorError: (key, OSError(1, "no")),
        aiohttp.ServerFingerprintMismatch: (b"a", b"b", "host", 80),
        aiohttp.InvalidURL: ("http://host",),
    }
    fitting = (given for base, given in arguments.items() if issubclass(kind, base))
    return kind(*next(fitting, ()))


class Lost(Exception):
    """What a check before the write raises."""


class Server:
    """Answers every request of a connection, and keeps what it has read."""

    def __init__(self) -> None:
        self.connections = 0
        self.read = b""

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while data := await reader.read(4096):
            self.read += data
            if b"}" in data:
                writer.write(HELLO)


@pytest.mark.parametrize("way", ["straight", "http", "socks5"])
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # httpcore forgets the connection
async def test_the_last_check_is_made_with_the_connection_in_hand(way: str) -> None:
    """Every request is checked anew, after its connection is there and before a byte of it is."""
    server, checks = Server(), list[tuple[int, int]]()
    forwarding = Forwarding()
    proxies: dict[str, Connection] = {"http": forwarding, "socks5": SocksProxy()}

    async def check() -> None:
        await asyncio.sleep(0.05)  # in which a byte written before would have arrived
        checks.append((server.connections + forwarding.connections, len(server.read)))
        if len(checks) == 3:
            raise Lost

    async with contextlib.AsyncExitStack() as stack:
        url = f"http://127.0.0.1:{await stack.enter_async_context(listening(server))}/"
        via = None
        if proxy := proxies.get(way):
            port = await stack.enter_async_context(listening(proxy))
            via = SecretStr(f"{way}://127.0.0.1:{port}")
        connections = transport(via, 4, check)
        http = await stack.enter_async_context(httpx.AsyncClient(transport=connections))
        lengths = [0]
        for _ in range(2):
            assert (await http.post(url, json={})).text == "hello"
            lengths.append(len(server.read))
        with pytest.raises(Lost):
            await http.post(url, json={})
        await asyncio.sleep(0.05)
        assert len(server.read) == lengths[-1]
    assert [length for _, length in checks] == lengths
    assert all(connected for connected, _ in checks)


def certified(folder: Path) -> ssl.SSLContext:
    """Make a server's context, with a certificate that vouches for itself in ``cert.pem``."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(1))
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = builder.add_extension(address, critical=False).sign(key, hashes.SHA256())
    form = Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(*form))
    (folder / "cert.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhell"])
async def test_tls_that_goes_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    """A server behind SOCKS that stops to encrypt is a connection that broke."""
    context = certified(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))

    async def stops_to_encrypt(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        await writer.drain()
        os.write(writer.get_extra_info("socket").fileno(), b"HTTP/1.1 400 in plain text\r\n\r\n")
        await reader.read()

    server = await asyncio.start_server(stops_to_encrypt, "127.0.0.1", 0, ssl=context)
    async with server, listening(SocksProxy()) as port:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        async with client(f"socks5://127.0.0.1:{port}") as http:
            with pytest.raises(httpx.ReadError):
                await http.get(url)


class Broken:
    """In the place of aiohttp's session: every request ends in one error."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.trace_configs: list[object] = []

    def __call__(self) -> "Broken":
        return self

    def request(self, **_request: Any) -> Any:
        raise self.error


@pytest.mark.parametrize("by_client", [True, False])
async def test_a_password_in_the_address(by_client: bool) -> None:
    """What stands before the @ of the address is sent as authorization, as httpx does."""
    head = asyncio.get_running_loop().create_future()

    async def hears(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head.set_result(await reader.readuntil(b"\r\n\r\n"))
        writer.write(HELLO)

    async with listening(hears) as port, client() as http:
        url = f"http://me:pass@127.0.0.1:{port}/x"
        if by_client:
            assert (await http.get(url)).text == "hello"
        else:  # as calls to Telegram and to the model are made
            response = await http._transport.handle_async_request(httpx.Request("GET", url))
            assert await response.aread() == b"hello"
            await response.aclose()
    assert head.result().startswith(b"GET /x HTTP/1.1")
    assert b"authorization: basic bwu6cgfzcw==" in head.result().lower()


@pytest.mark.parametrize("kind", subclasses(aiohttp.ClientError))
async def test_no_error_of_aiohttp_gets_out(kind: type[Exception]) -> None:
    """Whatever aiohttp may raise becomes an error of httpx's; only connecting is "never sent"."""
    connections = transport(None, 1)
    vars(connections)["client"] = Broken(example(kind))
    async with httpx.AsyncClient(transport=connections) as http:
        with pytest.raises(httpx.HTTPError) as caught:
            await http.post("http://host")
    never_sent = isinstance(caught.value, httpx.ConnectError | httpx.ConnectTimeout)
    connecting = (aiohttp.ClientConnectorError, aiohttp.ServerTimeoutError)
    assert never_sent <= issubclass(kind, connecting)
