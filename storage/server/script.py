"""Lua scripts: each runs as one unit, on the server that has its keys."""

import functools
import re
import time
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import structlog
from prometheus_client import Counter
from redis.asyncio import Redis
from redis.asyncio.cluster import PipelineCommand
from redis.exceptions import NoScriptError, RedisError

from storage.server.batch import Alone, Command
from storage.server.pool import Cluster, Pool
from storage.server.sentinel import Master

log = structlog.get_logger()

UNCONFIRMED = Counter("storage_unconfirmed", "Writes that no replica confirmed in time")

REPLICA_MS = 300
"""How long replicas may take to confirm a write; on a healthy network they take 1 ms."""
DOUBT_SECONDS = 60.0
"""How long a replica that did not confirm is not counted on, even if the server lists it."""
MARK = "#!lua flags=allow-oom\nreturn redis.call('SET', KEYS[1], redis.call('TIME')[1])"


@functools.cache
def text(name: str) -> str:
    """Return a script of ``storage``, with the parts that its lines ``--include`` name."""
    folder = files("storage")

    def part(found: re.Match[str]) -> str:
        return folder.joinpath("parts", f"{found[1]}.lua").read_text("utf-8").rstrip()

    plain = folder.joinpath(f"{name}.lua").read_text("utf-8")
    return re.sub(r"^--include (\w+)$", part, plain, flags=re.MULTILINE)


class Script:
    """The script ``name``.lua of this folder; safe to repeat, because replies can be lost."""

    def __init__(self, redis: Redis, name: str, *, allow_oom: bool = False) -> None:
        """``allow_oom`` runs a plain script even while memory is full."""
        self._redis = redis
        self._text = text(name)
        if allow_oom:
            self._text = self._text.replace("#!lua", "#!lua flags=allow-oom", 1)
        self._script = redis.register_script(self._text)
        pool = getattr(redis, "connection_pool", None)  # a cluster has one for each server
        self._batch = pool.batch if isinstance(pool, Pool) else None
        self._replicas = 1  # known to confirm
        self._patience = REPLICA_MS
        self._doubted = float("-inf")

    async def __call__(self, keys: Sequence[str], args: Sequence[str | int | float] = ()) -> Any:
        """Run it, with others that are run in the same moment. Raises what redis-py raises."""
        try:
            if self._batch:
                command = "EVALSHA", self._script.sha, len(keys), *keys, *args
                return await self._batch.reply(command)
        except (Alone, NoScriptError):
            pass
        return await self._script(keys, args)

    async def kept(self, keys: Sequence[str], args: Sequence[str | int | float], mark: str) -> Any:
        """Run it, and have replicas confirm what it wrote, if one may take the server's place.

        ``mark`` is a key of the bot, written after the script: so a repeated run, which writes
        nothing itself, is confirmed too. If fewer replicas confirm than before, they may be unwell;
        or one of them is the master now, and this server will lose what it still accepts. Raises
        what redis-py raises, and ConnectionError also in the latter case.
        """
        if not isinstance(self._redis, Master | Cluster):
            return await self(keys, args)
        server = self._redis.server if isinstance(self._redis, Master) else None
        try:
            result, confirmed, replicas = await self._confirmed(keys, args, mark)
        except NoScriptError:
            await self._redis.script_load(self._text)
            result, confirmed, replicas = await self._confirmed(keys, args, mark)
        if confirmed < self._replicas:
            log.warning("storage_not_replicated", replicas=self._replicas, confirmed=confirmed)
            if isinstance(self._redis, Master):
                await self._redis.confirm(server)
            self._replicas, self._doubted = confirmed, time.monotonic()
        elif time.monotonic() - self._doubted > DOUBT_SECONDS:
            self._replicas = max(self._replicas, replicas)
        if not confirmed:
            UNCONFIRMED.inc()
        return result

    async def _confirmed(
        self, keys: Sequence[str], args: Sequence[Any], mark: str
    ) -> tuple[Any, int, int]:
        """Return its result, how many replicas confirmed it, and how many there are."""
        commands: list[Command] = [
            ("EVALSHA", self._script.sha, len(keys), *keys, *args),
            ("EVAL", MARK, 1, mark),
            ("WAIT", self._replicas, self._patience),
            ("INFO", "replication"),
        ]
        if isinstance(self._redis, Cluster):
            found = await _on_one_node(self._redis, mark, commands)
        else:
            pipeline: Any
            async with self._redis.pipeline(transaction=False) as pipeline:
                for command in commands:
                    pipeline.execute_command(*command)
                found = await pipeline.execute()
        result, _, confirmed, info = found
        online = [
            one for one in info.values() if isinstance(one, dict) and one["state"] == "online"
        ]
        return result, confirmed, len(online)


async def _on_one_node(cluster: Cluster, key: str, commands: Sequence[Command]) -> list[Any]:
    """Send commands to the node of ``key``, over one connection.

    Not with redis-py's pipeline: it retries and redirects to other nodes, where replicas would
    confirm something else than what was written here.
    """
    sent = [PipelineCommand(place, *command) for place, command in enumerate(commands)]
    try:
        async with cluster.call():
            await cluster.initialize()
            node: Any = cluster.get_node_from_key(key)
            await node.execute_pipeline(sent)
        for one in sent:
            if isinstance(one.result, Exception):
                raise one.result
    except (RedisError, OSError):
        await cluster.exists(key)  # redis-py's own way, which learns the new layout
        raise
    return [one.result for one in sent]
