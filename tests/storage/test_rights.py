"""A Redis user without all its rights: what it lacks is named, and how to give it."""

import ast
import asyncio
import re
from collections.abc import AsyncIterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.asyncio.lock import Lock

import storage
from storage import keys
from storage.server.connect import StorageUnavailable, connect, reach
from storage.server.rights import commands, require
from tests.forms import debian_redis
from tests.valkey import Valkey

BOT = 5
ENOUGH = f"~{{{BOT}}}:* &{{{BOT}}}:* +@all"
BY_ITSELF = ["EVALSHA", "INFO", "SCRIPT LOAD", "SUBSCRIBE"]
"""What is not tried in the script."""


@pytest.fixture(scope="module", params=["valkey", pytest.param("redis", marks=pytest.mark.slow)])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A server for all tests here."""
    binary = debian_redis() if request.param == "redis" else None
    if request.param == "redis" and binary is None:
        pytest.skip("NO redis-server IS INSTALLED HERE: Redis itself is not tried")
    server = Valkey(tmp_path_factory.mktemp("valkey"), binary=binary)
    asyncio.run(server.start())
    yield server
    server.kill()


@pytest.fixture
async def owner(server: Valkey) -> AsyncIterator[Any]:
    """Who may do everything there."""
    async with Redis.from_url(server.url, decode_responses=True) as redis:
        yield redis
        await redis.config_set("maxmemory", 0)


async def said(owner: Any, server: Valkey, rights: str) -> str:
    """What is said against a user with these rights; '' if nothing."""
    await owner.execute_command("ACL", "SETUSER", "bot", "reset", "on", ">pw", *rights.split())
    client = connect(f"{server.url}?username=bot&password=pw", connections=4)
    try:
        async with asyncio.timeout(10):
            await reach(client, keys.ready(BOT))
            await require(client, "bot", BOT)
    except StorageUnavailable as error:
        return str(error)
    finally:
        await client.aclose()
    return ""


async def test_enough(owner: Any, server: Valkey) -> None:
    """Rights on the bot's own keys and channels are enough, and nothing is left behind."""
    assert await said(owner, server, ENOUGH) == ""
    assert await owner.keys("*") == []


async def test_what_is_documented(owner: Any, server: Valkey) -> None:
    """The user in the documentation may do what is needed, for its own bot only."""
    text = Path(storage.__file__).parents[1].joinpath("docs/operations.md").read_text("utf-8")
    rights = re.findall(r"^ACL SETUSER bot on >password (.*)$", text, re.MULTILINE)[0]
    assert await said(owner, server, rights.replace("123456", str(BOT))) == ""
    assert "use keys {5}:* or use channels {5}:*;" in await said(owner, server, rights)


@pytest.mark.slow
@pytest.mark.parametrize("command", [*commands(), *BY_ITSELF, "CLIENT SETNAME"])
async def test_each_command(owner: Any, server: Valkey, command: str) -> None:
    """Whichever is taken away is named, with what gives it back, and nothing else."""
    name = command.lower().replace(" ", "|")
    assert await said(owner, server, f"{ENOUGH} -{name}") == (
        f"The Redis user 'bot' may not run {command}; this allows it: ACL SETUSER bot +{name}"
    )
    assert await said(owner, server, f"{ENOUGH} -{name} +{name}") == ""


@pytest.mark.parametrize(
    ("rights", "lacks", "remedy"),
    [
        ("~* +@all", "use channels {5}:*", "&{5}:*"),
        ("~{5}:* &{5}:interrupts +@all", "", ""),
        ("~other:* &* +@all", "use keys {5}:*", "~{5}:*"),
        ("%R~* &* +@all", "use keys {5}:*", "~{5}:*"),
        ("&* +@all", "use keys {5}:*", "~{5}:*"),
        ("+@all -xadd", "run XADD or use keys {5}:* or use channels {5}:*", "+xadd ~{5}:* &{5}:*"),
        (
            f"{ENOUGH} -xadd -xinfo -time",
            "run TIME, XADD, XINFO CONSUMERS",
            "+time +xadd +xinfo|consumers",
        ),
    ],
)
async def test_keys_and_channels(
    owner: Any, server: Valkey, rights: str, lacks: str, remedy: str
) -> None:
    """They are named as well, all in one sentence."""
    told = f"The Redis user 'bot' may not {lacks}; this allows it: ACL SETUSER bot {remedy}"
    assert await said(owner, server, rights) == (told if lacks else "")
    assert await said(owner, server, f"{rights} {remedy}") == ""


async def test_full_memory(owner: Any, server: Valkey) -> None:
    """It is no lack of rights, and hides none."""
    await owner.config_set("maxmemory", 1)
    await owner.script_flush()
    assert await said(owner, server, ENOUGH) == ""
    assert "run XADD;" in await said(owner, server, f"{ENOUGH} -xadd")


async def test_a_replica(owner: Any, server: Valkey) -> None:
    """Nor is that the server may not be written to at the moment."""
    await owner.execute_command("REPLICAOF", "127.0.0.1", "1")
    try:
        assert await said(owner, server, ENOUGH) == ""
        assert "run XADD;" in await said(owner, server, f"{ENOUGH} -xadd")
        await owner.config_set("replica-serve-stale-data", "no")  # then it runs no script at all
        assert await said(owner, server, ENOUGH) == ""
    finally:
        await owner.execute_command("REPLICAOF", "NO", "ONE")


async def test_beside_a_running_bot(owner: Any, server: Valkey) -> None:
    """What it has is not touched: not even a script, or an import, is made by trying."""
    await owner.rpush(f"{{{BOT}}}:history:1", "a")
    await owner.xgroup_create(keys.ready(BOT), "workers", "0", mkstream=True)
    before = {key: await owner.dump(key) for key in await owner.keys("*")}
    assert await said(owner, server, ENOUGH) == ""
    assert {key: await owner.dump(key) for key in await owner.keys("*")} == before
    await owner.flushall()


def test_every_command_of_a_script_is_known() -> None:
    """A call that does not name its command is in a script of which we know."""
    others = {
        file.name
        for file in files("storage").iterdir()
        if file.name.endswith(".lua")
        for call in re.findall(r"redis\.p?call\((.)", file.read_text("utf-8"))
        if call != "'"
    }
    assert others == {"import.lua", "rights.lua"}
    assert {"SET", "RPUSH", "HSET", "ZADD"} <= set(commands())  # which import.lua calls
    assert {"XGROUP CREATE", "XGROUP DELCONSUMER", "XINFO CONSUMERS"} <= set(commands())


CALLS = {
    "delete": "DEL",
    "hscan_iter": "HSCAN",
    "pubsub": "SUBSCRIBE",
    "register_script": "EVALSHA",
    "scan_iter": "SCAN",
    "script_load": "SCRIPT LOAD",
    "xinfo_consumers": "XINFO CONSUMERS",
    "xpending_range": "XPENDING",
}
"""Commands by redis-py's methods, where the names differ."""
OTHERWISE = {
    *("aclose", "get_node_from_key", "get_primaries", "initialize", "pipeline"),  # no commands
    *("confirm", "server"),  # our own
    *("eval", "execute_command"),  # what is for replicas, tried where there may be some
    "lock",  # `LOCK`
}
LOCK = Lock.LUA_REACQUIRE_SCRIPT + Lock.LUA_RELEASE_SCRIPT


def test_every_command_of_python_is_known() -> None:
    """So are those that are called by redis-py's methods, and within its locks."""
    root = Path(storage.__file__).parents[1]
    called = set(re.findall(r"redis\.call\('(\w+)'", LOCK)) | {"SET"}
    for file in [*root.glob("storage/*.py"), *root.glob("bot/*.py")]:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value).endswith("redis"):
                called.add(node.attr)
    assert "XREADGROUP" in {name.upper() for name in called}
    known = {CALLS.get(name, name.upper()) for name in called - OTHERWISE}
    assert known <= {*commands(), *BY_ITSELF}
