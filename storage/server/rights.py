"""What the Redis user may do: everything the bot needs is tried before it starts."""

import contextlib
import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import NoPermissionError, RedisClusterException, RedisError, ResponseError

from storage import keys
from storage.server.connect import StorageUnavailable, causes, translated
from storage.server.pool import Cluster
from storage.server.script import MARK, Script
from storage.server.sentinel import Master

CALLED = frozenset(
    {
        *(
            "DEL",
            "EXISTS",
            "GET",
            "HGETALL",
            "HSCAN",
            "LRANGE",
            "LREM",
            "PEXPIRE",
            "SCAN",
            "SCARD",
            "SET",
        ),
        "SRANDMEMBER",
        *("XAUTOCLAIM", "XCLAIM", "XINFO CONSUMERS", "XLEN", "XPENDING", "XREADGROUP"),
        *("ZCARD", "ZRANGE", "ZREM", "ZSCORE"),
    }
)
"""Commands called outside our scripts, except those that `_refusals` tries by itself."""

_CALL = re.compile(r"redis\.p?call\('(X(?:INFO|GROUP)', '\w+|\w+)'")
_COMMAND = re.compile(r"run the '(?P<name>[^']+)'|run this command|Unknown \w+ command")
_NAME = re.compile(r"(?:access|publish to)\b.*\b(?P<kind>key|channel)")
"""How servers since Redis 7.0 name a refused command, key or channel."""
_SIGNS = {"key": "~", "channel": "&"}
"""As in ``ACL SETUSER``."""


async def require(redis: Redis, user: str, bot_id: int) -> None:
    """Check that everything one bot needs is permitted; changes nothing.

    Raises `StorageUnavailable`, which names every right that ``user`` lacks, and the remedy.
    """
    with translated():
        refused = await _refusals(redis, bot_id)
    if refused:
        raise StorageUnavailable(_sentence(user, keys.tag(bot_id), refused))


def commands() -> list[str]:
    """Name the commands that our scripts and this package call, subcommands after a space."""
    scripts = (file for file in files("storage").iterdir() if file.name.endswith(".lua"))
    texts = [MARK, *(script.read_text("utf-8") for script in scripts)]
    found = (match for text in texts for match in _CALL.finditer(text))
    return sorted(CALLED | {match[1].replace("', '", " ") for match in found})


async def _refusals(redis: Redis, bot_id: int) -> set[str]:
    """Try everything; return refused commands, plus "~" for keys and "&" for channels."""
    refused: set[str] = set()
    # No key ever has this name, and the channel is the real one.
    name, tried = keys.interrupts(bot_id), commands()
    with _noting(refused):
        await redis.initialize()
    if refused:  # the servers of a cluster cannot even be found
        return refused
    with _noting(refused):
        await redis.script_load(files("storage").joinpath("rights.lua").read_text("utf-8"))
    for declared in ([name], []):  # without keys more can be learned if only keys are refused
        with _noting(refused):
            said = await Script(redis, "rights")(declared, [name, *tried])
            refused |= {_meant(*one) for one in zip(said, tried, strict=True)}
            break
    with _noting(refused):
        await redis.info()
    with _noting(refused):
        async with redis.pubsub() as channel:
            await channel.subscribe(name)
            await channel.get_message(timeout=5)
    if isinstance(redis, Master | Cluster):
        await _try_for_replicas(redis, name, refused)
    return refused - {""}


async def _try_for_replicas(redis: Any, name: str, refused: set[str]) -> None:
    """Try what `Script.kept` does in addition."""
    with _noting(refused):
        await redis.eval("#!lua flags=no-writes\nreturn 1", 1, name)
    with _noting(refused):
        at: dict[str, Any] = {}
        if isinstance(redis, Cluster):
            at["target_nodes"] = redis.get_node_from_key(name)
        await redis.execute_command("WAIT", 0, 1, **at)


@contextlib.contextmanager
def _noting(refused: set[str]) -> Iterator[None]:
    """Note what is not permitted. Other refusals are ignored: a replica's, or lack of memory."""
    try:
        yield
    except (RedisError, RedisClusterException) as error:
        found = [str(one) for one in causes(error) if isinstance(one, NoPermissionError)]
        if not (found or isinstance(error, ResponseError)):
            raise
        refused |= {_meant(text, "") for text in found}


def _meant(said: str, command: str) -> str:
    """Parse why a server refuses a command: what is not permitted, or '' for other reasons."""
    if found := _COMMAND.search(said):
        return (found["name"] or command).replace("|", " ").upper()
    return _SIGNS[found["kind"]] if (found := _NAME.search(said)) else ""


def _sentence(user: str, tag: str, refused: set[str]) -> str:
    named = sorted(refused - {*_SIGNS.values()})
    lacks = [f"run {', '.join(named)}"] * bool(named)
    lacks += [f"use {kind}s {tag}*" for kind, sign in _SIGNS.items() if sign in refused]
    remedy = [f"+{name.lower().replace(' ', '|')}" for name in named]
    remedy += [f"{sign}{tag}*" for sign in _SIGNS.values() if sign in refused]
    return (
        f"The Redis user {user!r} may not {' or '.join(lacks)}; "
        f"this allows it: ACL SETUSER {user} {' '.join(remedy)}"
    )
