"""Lua scripts: each runs as one unit, where the keys are that it is given."""

from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import structlog
from prometheus_client import Counter
from redis.asyncio import Redis, RedisCluster
from redis.exceptions import NoScriptError

from storage.sentinel import Master

log = structlog.get_logger()

UNCONFIRMED = Counter("storage_unconfirmed", "Writes that no replica confirmed in time")

REPLICA_MS = 300
"""How long replicas may take to confirm what was written; on a healthy network they take 1."""
MARK = "#!lua flags=allow-oom\nredis.call('INCR', KEYS[1])"


class Script:
    """The script ``name``.lua of this folder. It must bear repetition, for replies can be lost."""

    def __init__(self, redis: Redis, name: str) -> None:
        self._redis = redis
        self._text = files("storage").joinpath(f"{name}.lua").read_text("utf-8")
        self._script = redis.register_script(self._text)
        self._replicas = 1  # that confirm, as far as is known

    async def __call__(self, keys: Sequence[str], args: Sequence[str | int | float] = ()) -> Any:
        """Run it. Raises what redis-py raises."""
        return await self._script(keys, args)

    async def kept(self, keys: Sequence[str], args: Sequence[str | int | float], mark: str) -> Any:
        """Run it, and let the replicas confirm what it wrote, where one may follow the server.

        ``mark`` is a counter of the bot's: what is repeated writes nothing, but is confirmed too.
        Where fewer confirm than did before, they may be ill; or one of them is the master now, and
        this server will forget what it still takes. Raises what redis-py raises, ConnectionError
        also in the latter case.
        """
        if not isinstance(self._redis, Master | RedisCluster):
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
            self._replicas = confirmed
        else:
            self._replicas = max(self._replicas, replicas)
        if not confirmed:
            UNCONFIRMED.inc()
        return result

    async def _confirmed(
        self, keys: Sequence[str], args: Sequence[Any], mark: str
    ) -> tuple[Any, int, int]:
        """Give what it returned, how many replicas confirmed it, and how many there are."""
        where: dict[str, Any] = {}
        if isinstance(self._redis, RedisCluster):
            await self._redis.initialize()
            where["target_nodes"] = self._redis.get_node_from_key(mark)
        pipeline: Any
        async with self._redis.pipeline(transaction=False) as pipeline:
            # Not by the methods named so, which redis-py refuses in a cluster's pipeline.
            pipeline.execute_command("EVALSHA", self._script.sha, len(keys), *keys, *args)
            pipeline.execute_command("EVAL", MARK, 1, mark)
            pipeline.execute_command("WAIT", self._replicas, REPLICA_MS, **where)
            pipeline.execute_command("INFO", "replication", **where)
            result, _, confirmed, info = await pipeline.execute()
        online = [
            one for one in info.values() if isinstance(one, dict) and one["state"] == "online"
        ]
        return result, confirmed, len(online)
