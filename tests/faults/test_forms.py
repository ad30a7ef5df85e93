"""Redis in every form: the inbox keeps what it has taken, whatever becomes of the server."""

import asyncio
import contextlib
import gc
import itertools
import json
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from bot.background import beside
from bot.worker import Worker
from handlers.turn.reply import Reply
from handlers.turn.turn import Turn
from storage import keys
from storage.arrivals import MOST_WAITING, Arrival
from storage.change import Forgotten, Kept
from storage.dead import DeadLetters
from storage.history import encode
from storage.inbox import Inbox
from storage.lease import Lease
from storage.message import ChatKey, Exchange, Message, Role
from storage.places import Places
from storage.server.connect import StorageUnavailable, connect, patiently, reach, verify
from storage.server.script import UNCONFIRMED
from tests.faults.conftest import HURRIED
from tests.faults.talk import until
from tests.forms import FORMS, Form, cluster, debian_redis, encrypted, free_port, watched
from tests.history import History

BOT, LANE = 5, ChatKey(7)
hurriedly = partial(patiently, pauses=HURRIED.storage_pauses)
EXCHANGE = Exchange(Message(Role.USER, "вопрос"), Message(Role.ASSISTANT, "ответ"))


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
    inbox, letters = Inbox(client, BOT, "one", HURRIED), DeadLetters(client, BOT)
    other = Inbox(client, BOT + 1, "one", HURRIED)
    await inbox.begin()
    await other.begin()
    assert await inbox.put(Arrival(LANE, 1, '{"update_id": 1}')) == ["stored"]
    await letters.add("{}", "odd")
    (claim,) = await inbox.take(1, 1)
    assert await other.put(Arrival(LANE, 1, '{"update_id": 2}')) == ["stored"]
    await inbox.commit(claim, "[]", Kept(EXCHANGE, 0, 3, 4))
    await form.strike()
    await hurriedly(inbox.begin)
    assert await inbox.put(Arrival(LANE, 1, '{"update_id": 1}')) == ["known"]
    await inbox.commit(claim, "[]", Kept(EXCHANGE, 0, 3, 4))
    assert (await inbox.open(claim)).reply == "[]"
    await inbox.done(claim)
    (claim,) = await other.take(5, 1)
    assert (await other.open(claim)).head.update == '{"update_id": 2}'
    assert (await History(client, BOT).newest(LANE, 1000)).exchanges == (EXCHANGE,)
    assert [letter.update for letter in await letters.all()] == ["{}"]
    assert not await client.exists(keys.mailbox(BOT, LANE), keys.outbox(BOT, LANE))
    supergroup = ChatKey(-1007)  # as if that had been a group
    await inbox.put(Arrival(supergroup, 3, "{}"))
    (claim,) = await inbox.take(1, 1)
    assert await inbox.inherit(claim, LANE.chat_id)
    assert (await History(client, BOT).newest(supergroup, 1000)).exchanges == (EXCHANGE,)
    assert not await client.exists(*keys.kept(BOT, LANE))
    assert await inbox.successors([LANE.chat_id]) == {supergroup.chat_id}


async def test_what_goes_on_beside_it(form: Form, client: Redis) -> None:
    """Interrupts are heard again, and the lease and the places held on, after a failover."""
    inbox, heard = Inbox(client, BOT, "one", HURRIED), asyncio.Queue[ChatKey | None]()

    async def listen() -> None:
        while True:
            with contextlib.suppress(StorageUnavailable):
                async for lane, _ in inbox.interruptions():
                    await heard.put(lane)

    listening = asyncio.create_task(listen())
    one, another = (Places(client, keys.generations(BOT), 1, name) for name in ("one", "another"))
    # No shorter leases than in life: a failover takes some seconds of them.
    leading = Lease(client, keys.poller(BOT), "one").leading()
    async with beside(one.renewing()), leading, one.place():
        for number in (1, 2):
            async with asyncio.timeout(20):
                while await heard.get() is not None:  # listening, from now on
                    pass
                arrival = Arrival(LANE, number, f'{{"update_id": {number}}}', interrupts=True)
                await hurriedly(lambda: inbox.put(arrival))  # noqa: B023 - awaited
                # Or that some may have been missed, as a connection broke: then all are looked at.
                assert await heard.get() in ((LANE,) if number == 1 else (LANE, None))
            if number == 1:
                await form.strike()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5), another.place():
                pass
    listening.cancel()


async def test_a_master_that_is_deposed() -> None:
    """What is taken while a living server is deposed is kept by the one that follows it."""
    stored: set[str] = set()

    async def store(inbox: Inbox, first: int) -> None:
        for number in itertools.count(first, 4):
            arrival = Arrival(ChatKey(number + 1), number, "{}")
            await hurriedly(lambda: inbox.put(arrival))  # noqa: B023 - awaited
            stored.add(str(number))

    async with watched() as form:
        dead = form.url.replace("://", f"://127.0.0.1:{free_port()},")  # a Sentinel, the first one
        client = connect(dead, connections=16)
        inbox = Inbox(client, BOT, "one", HURRIED)
        await inbox.begin()
        async with beside(*(store(inbox, first) for first in range(4))):
            await until(lambda: len(stored) > 100, 60)
            await form.depose()
        kept = await client.zrange(keys.seen(BOT), 0, -1)
        await client.aclose()
    assert stored <= set(kept)


async def test_only_its_own_replicas_confirm() -> None:
    """In a cluster too, what no replica has is known not to be confirmed, whatever breaks."""
    numbers = itertools.count(1)

    async def unconfirmed(inbox: Inbox) -> float:
        before = UNCONFIRMED._value.get()
        number = next(numbers)
        arrival = Arrival(ChatKey(number), number, "{}")
        assert await hurriedly(lambda: inbox.put(arrival)) in (["stored"], ["known"])
        return float(UNCONFIRMED._value.get() - before)

    async with cluster() as form:
        client = connect(form.url, connections=4)
        inbox = Inbox(client, BOT, "one", HURRIED)
        await inbox.begin()
        assert await unconfirmed(inbox) == 0
        async with form.without_replica() as master:
            assert await unconfirmed(inbox) == 1
            await master.execute_command("CLIENT KILL TYPE normal SKIPME yes")
            assert await unconfirmed(inbox) == 1
        await client.aclose()


async def test_a_client_that_only_writes() -> None:
    """In a cluster it needs no other call of its client: to find its server, or a way to it."""
    numbers = itertools.count(1)

    async def put() -> list[str]:
        number = next(numbers)
        return await inbox.put(Arrival(ChatKey(number), number, "{}"))

    async with cluster() as form:
        client = connect(form.url, connections=4)
        inbox = Inbox(client, BOT, "one", HURRIED)
        assert await put() == ["stored"]
        assert await asyncio.gather(*(put() for _ in range(30))) == [["stored"]] * 30
        async with form.moving(keys.ready(BOT)):
            pass
        async with asyncio.timeout(20):
            assert await hurriedly(put) == ["stored"]
        await client.aclose()


async def test_each_server_of_a_cluster_is_judged() -> None:
    """One that would throw histories away is one too many."""
    async with cluster() as form:
        client: Any = connect(form.url, connections=4)
        await client.initialize()
        for node in client.get_primaries():
            await client.config_set("maxmemory-policy", "allkeys-lru", target_nodes=node)
            with pytest.raises(StorageUnavailable, match="allkeys-lru"):
                await verify(client)
            await client.config_set("maxmemory-policy", "noeviction", target_nodes=node)
        await verify(client)
        await client.aclose()


class Repeats:
    """Stands in for `Dispatch`: keeps an exchange for every update, and sends nothing."""

    def most_bytes(self) -> int:
        """Read no history."""
        return 0

    async def handle(self, update: str, turn: Turn) -> None:
        """Keep it."""
        exchange = Exchange(Message(Role.USER, update), Message(Role.ASSISTANT, update))
        await turn.keep(Reply([]), Kept(exchange, 0, 1, 1))


@pytest.fixture
def swept() -> Iterator[None]:
    """Let what a test has lost be found in that test."""
    yield
    gc.collect()


# redis-py 8.1 loses connections to a server that several commands hear of at once.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.usefixtures("swept")
async def test_a_slot_that_moves() -> None:
    """While all keys move to a new server, and on, work waits; each update is kept once."""
    lanes = {ChatKey(number): 0 for number in range(1, 9)}

    async def ask(client: Redis, inbox: Inbox, lane: ChatKey) -> None:
        mailbox = keys.mailbox(BOT, lane)
        while True:
            number = lanes[lane] * len(lanes) + lane.chat_id
            arrival = Arrival(lane, number, f'{{"update_id": {number}}}')
            await hurriedly(lambda: inbox.put(arrival))  # noqa: B023 - awaited
            lanes[lane] += 1
            await asyncio.sleep(0.02)  # a history has room for 500 exchanges
            # On a busy machine more would wait than a mailbox takes.
            while await hurriedly(lambda: client.llen(mailbox)) > MOST_WAITING / 2:  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    async with cluster() as form, AsyncExitStack() as stack:
        client = connect(form.url, connections=16)
        inboxes = [Inbox(client, BOT, name, HURRIED) for name in ("intake", "one", "another")]
        works = [Worker(inbox, Repeats(), 4).working() for inbox in inboxes[1:]]  # type: ignore[arg-type]
        await inboxes[0].begin()
        async with works[0], works[1]:
            async with beside(*(ask(client, inboxes[0], lane) for lane in lanes)):
                newcomer = await stack.enter_async_context(form.grown())
                for server in (newcomer, 0, 0, 0):
                    await asyncio.sleep(0.5)
                    async with form.moving(keys.ready(BOT), server):
                        await asyncio.sleep(0.2)
                await asyncio.sleep(0.5)
            async with asyncio.timeout(30):
                while await client.xlen(keys.ready(BOT)):  # noqa: ASYNC110 - it tells nobody
                    await asyncio.sleep(0.1)
        for lane, asked in lanes.items():
            exchanges = (await History(client, BOT).newest(lane, 1_000_000)).exchanges
            kept = [json.loads(one.question.text)["update_id"] for one in exchanges]
            assert kept == [number * len(lanes) + lane.chat_id for number in range(len(kept))]
            assert len(kept) - asked in (0, 1)  # the last one was stored, but not counted any more
        await client.aclose()


async def test_no_step_is_half_done_while_a_slot_moves() -> None:
    """Not even where all keys are there as it begins, and one is gone before its end."""
    numbers = itertools.count(1)

    async def come(inbox: Inbox) -> None:
        number = next(numbers)
        await inbox.put(Arrival(LANE, number, f'{{"update_id": {number}}}', interrupts=True))

    async with cluster() as form:
        client = connect(form.url, connections=4)
        inbox = Inbox(client, BOT, "one", HURRIED)
        await inbox.begin()
        await DeadLetters(client, BOT).add("{}", "odd")
        for change in (Kept(EXCHANGE, 0), Forgotten(LANE), Kept(EXCHANGE, 1)):
            await come(inbox)
            (claim,) = await inbox.take(1, 1)
            await inbox.commit(claim, "[]", change)
            await inbox.done(claim)
        await come(inbox)
        await come(inbox)
        (claim,) = await inbox.take(1, 1)
        await inbox.joined(claim, 1)
        again = Exchange(EXCHANGE.question, Message(Role.ASSISTANT, "другой ответ"))
        replaced = Kept(again, 1, replaces=True)
        moved = ChatKey(-1007)
        for name, kind in keys.kept(BOT, moved).items():
            if kind == "string":
                await client.set(name, "5")
            elif kind == "hash":
                await client.hset(name, "some", "5")
            else:
                await client.rpush(name, "5")
        await client.hset(keys.successors(BOT), "-5", "-1005")
        steps = inbox.commit(claim, "[]", replaced), inbox.hand_over(claim, moved.chat_id)
        for step in (*steps, inbox.done(claim)):
            async with form.moving(keys.ready(BOT)):
                stepping = asyncio.create_task(step)
                await asyncio.sleep(0.5)
            await stepping
        # As a reset is known of there, what was said before it is forgotten, too.
        forgotten = await client.lrange(keys.forgotten(BOT, moved), 0, -1)
        assert forgotten == [*map(encode, again), "5"]
        assert not await client.exists(*keys.kept(BOT, LANE))
        assert not await client.xlen(keys.ready(BOT))
        await client.aclose()


@pytest.mark.skipif(
    not (debian_redis() and shutil.which("openssl")),
    reason="NO redis-server OR openssl IS INSTALLED HERE: TLS is not tried",
)
@pytest.mark.parametrize("form", ["", "sentinel", "cluster"])
async def test_tls(form: str) -> None:
    """The bot talks to servers whose certificates it can check, and to no others."""
    async with encrypted(form) as (url, certificate):
        trusting = connect(f"{url}?ssl_ca_certs={certificate}", connections=2)
        await verify(trusting)
        inbox = Inbox(trusting, BOT, "one", HURRIED)
        await inbox.begin()
        assert await inbox.put(Arrival(LANE, 1, '{"update_id": 1}')) == ["stored"]
        assert len(await inbox.take(1, 1)) == 1
        await trusting.aclose()
        wary = connect(url, connections=1)
        with pytest.raises(StorageUnavailable, match="certificate verify failed"):
            await verify(wary)
        await wary.aclose()
