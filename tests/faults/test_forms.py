"""Redis in every form: the inbox keeps what it has taken, whatever becomes of the server."""

import asyncio
import contextlib
import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from bot.background import beside
from storage import connect as patience
from storage import keys, lease, places
from storage.change import Kept
from storage.connect import StorageUnavailable, connect, reach, verify
from storage.dead import DeadLetters
from storage.history import History
from storage.inbox import Arrival, Inbox
from storage.lease import Lease
from storage.message import ChatKey, Message, Role
from storage.places import Places
from storage.script import UNCONFIRMED
from tests.forms import FORMS, Form, cluster, debian_redis, free_port, watched
from tests.valkey import own_valkey

BOT, LANE = 5, ChatKey(7)
EXCHANGE = [Message(Role.USER, "вопрос"), Message(Role.ASSISTANT, "ответ")]


@pytest.fixture(params=FORMS)
async def form(request: pytest.FixtureRequest) -> AsyncIterator[Form]:
    """One form after another."""
    if request.param == "redis" and debian_redis() is None:
        pytest.skip("NO redis-server IS INSTALLED HERE: Redis itself is not tried")
    async with FORMS[request.param]() as running:
        yield running


@pytest.fixture
async def client(form: Form) -> AsyncIterator[Redis]:
    """A client of it, as the bot has one."""
    client = connect(form.url, connections=16)
    await reach(client, keys.ready(BOT))
    yield client
    await client.aclose()


async def test_the_life_of_a_message(form: Form, client: Redis) -> None:
    """From its coming to its answer, with the server killed on the way; beside another bot's."""
    with capture_logs() as logs:
        await verify(client)
    assert logs == []
    inbox, letters = Inbox(client, BOT, "one"), DeadLetters(client, BOT)
    other = Inbox(client, BOT + 1, "one")
    await inbox.begin()
    await other.begin()
    assert await inbox.put(Arrival(LANE, 1, '{"update_id": 1}')) == ["stored"]
    await letters.add("{}", "odd")
    (claim,) = await inbox.take(1, 1)
    assert await other.put(Arrival(LANE, 1, '{"update_id": 2}')) == ["stored"]
    await inbox.commit(claim, "[]", Kept(EXCHANGE, 0, 3, 4))
    await form.strike()
    await patience.patiently(inbox.begin)
    assert await inbox.put(Arrival(LANE, 1, '{"update_id": 1}')) == ["known"]
    await inbox.commit(claim, "[]", Kept(EXCHANGE, 0, 3, 4))
    assert (await inbox.open(claim)).reply == "[]"
    await inbox.done(claim)
    (claim,) = await other.take(5, 1)
    assert (await other.open(claim)).head.update == '{"update_id": 2}'
    assert (await History(client, BOT).newest(LANE, 1000)).messages == tuple(EXCHANGE)
    assert [letter.update for letter in await letters.all()] == ["{}"]
    assert not await client.exists(keys.mailbox(BOT, LANE), keys.outbox(BOT, LANE))


async def test_what_goes_on_beside_it(
    form: Form, client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Interrupts are heard again, and the lease and the places held on, after a failover."""
    monkeypatch.setattr(lease, "SECONDS", 12.0)  # a failover takes some of them
    monkeypatch.setattr(places, "LEASE", 12)
    inbox, heard = Inbox(client, BOT, "one"), asyncio.Queue[ChatKey | None]()

    async def listen() -> None:
        while True:
            with contextlib.suppress(StorageUnavailable):
                async for lane in inbox.interruptions():
                    await heard.put(lane)

    listening = asyncio.create_task(listen())
    one, another = (Places(client, keys.generations(BOT), 1, name) for name in ("one", "another"))
    leading = Lease(client, keys.poller(BOT), "one").leading()
    async with beside(one.renewing()), leading, one.place():
        for number in (1, 2):
            async with asyncio.timeout(20):
                while await heard.get() is not None:  # listening, from now on
                    pass
                arrival = Arrival(LANE, number, f'{{"update_id": {number}}}', interrupts=True)
                await patience.patiently(lambda: inbox.put(arrival))  # noqa: B023 - awaited
                # Or that some may have been missed, as a connection broke: then all are looked at.
                assert await heard.get() in ((LANE,) if number == 1 else (LANE, None))
            if number == 1:
                await form.strike()
        assert not await another._try("another:0")
    listening.cancel()


async def test_a_master_that_is_deposed() -> None:
    """What is taken while a living server is deposed is kept by the one that follows it."""
    stored: set[str] = set()

    async def store(inbox: Inbox, first: int) -> None:
        for number in itertools.count(first, 4):
            arrival = Arrival(ChatKey(number + 1), number, "{}")
            await patience.patiently(lambda: inbox.put(arrival))  # noqa: B023 - awaited
            stored.add(str(number))

    async with watched() as form:
        dead = form.url.replace("://", f"://127.0.0.1:{free_port()},")  # a Sentinel, the first one
        client = connect(dead, connections=16)
        inbox = Inbox(client, BOT, "one")
        await inbox.begin()
        async with beside(*(store(inbox, first) for first in range(4))):
            await asyncio.sleep(0.5)
            await form.depose()
        kept = await client.zrange(keys.seen(BOT), 0, -1)
        await client.aclose()
    assert len(stored) > 100
    assert stored <= set(kept)


async def test_only_its_own_replicas_confirm() -> None:
    """In a cluster too, what no replica has is known not to be confirmed, whatever breaks."""
    numbers = itertools.count(1)

    async def unconfirmed(inbox: Inbox) -> float:
        before = UNCONFIRMED._value.get()
        number = next(numbers)
        arrival = Arrival(ChatKey(number), number, "{}")
        assert await patience.patiently(lambda: inbox.put(arrival)) in (["stored"], ["known"])
        return float(UNCONFIRMED._value.get() - before)

    async with cluster() as form:
        client = connect(form.url, connections=4)
        inbox = Inbox(client, BOT, "one")
        await inbox.begin()
        assert await unconfirmed(inbox) == 0
        async with form.without_replica() as master:
            assert await unconfirmed(inbox) == 1
            await master.execute_command("CLIENT KILL TYPE normal SKIPME yes")
            assert await unconfirmed(inbox) == 1
        await client.aclose()


async def test_tls() -> None:
    """``rediss://`` talks to a server whose certificate it can check, and to no other."""
    if (redis := debian_redis()) is None or not shutil.which("openssl"):
        pytest.skip("NO redis-server OR openssl IS INSTALLED HERE: TLS is not tried")
    port = free_port()
    async with own_valkey(binary=redis) as plain, _certificate() as folder:
        server = connect(plain.url, connections=1)
        for name, value in (
            ("tls-ca-cert-file", f"{folder}/cert.pem"),
            ("tls-cert-file", f"{folder}/cert.pem"),
            ("tls-key-file", f"{folder}/key.pem"),
            ("tls-auth-clients", "no"),
            ("tls-port", str(port)),
        ):
            await server.config_set(name, value)
        await server.aclose()
        trusting = connect(
            f"rediss://localhost:{port}?ssl_ca_certs={folder}/cert.pem", connections=1
        )
        await verify(trusting)
        await trusting.aclose()
        wary = connect(f"rediss://localhost:{port}", connections=1)
        with pytest.raises(StorageUnavailable, match="certificate verify failed"):
            await verify(wary)
        await wary.aclose()


@contextlib.asynccontextmanager
async def _certificate() -> AsyncIterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        files = ("-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem")
        names = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
        process = await asyncio.create_subprocess_exec(
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *files, *names,
            stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        assert await process.wait() == 0
        yield Path(folder)
