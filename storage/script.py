"""Lua scripts: each runs as one unit, where the keys are that it is given."""

from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import structlog
from prometheus_client import Counter
from redis.asyncio import Redis, RedisCluster
from redis.exceptions import NoScriptError

from storage.connect import Master

log = structlog.get_logger()

UNCONFIRMED = Counter("storage_unconfirmed", "Writes that no replica confirmed in time")

REPLICA_MS = 300
"""How long a replica may take to confirm what was written; on a healthy network it takes 1."""
MARK = "#!lua flags=allow-oom\nredis.call('INCR', KEYS[1])"


class Script:
    """The script ``name``.lua of this folder. It must bear repetition, for replies can be lost."""

    def __init__(self, redis: Redis, name: str) -> None:
        self._redis = redis
        self._text = files("storage").joinpath(f"{name}.lua").read_text("utf-8")
        self._script = redis.register_script(self._text)
        self._alone = False

    async def __call__(self, keys: Sequence[str], args: Sequence[str | int | float] = ()) -> Any:
        """Run it. Raises what redis-py raises."""
        return await self._script(keys, args)

    async def kept(self, keys: Sequence[str], args: Sequence[str | int | float], mark: str) -> Any:
        """Run it, and let a replica confirm what it wrote, where one may take the server's place.

        ``mark`` is a counter of the bot's: what is repeated writes nothing, but is confirmed too.
        Where no replica confirms, it is not undone. Raises what redis-py raises, ConnectionError
        when the server is the master no longer.
        """
        if not isinstance(self._redis, Master | RedisCluster):
            return await self(keys, args)
        server = self._redis.server if isinstance(self._redis, Master) else None
        try:
            result, _, replicas = await self._confirmed(keys, args, mark)
        except NoScriptError:
            await self._redis.script_load(self._text)
            result, _, replicas = await self._confirmed(keys, args, mark)
        if not replicas:
            # No replica is left; or this server was deposed, and will forget what it still takes.
            if isinstance(self._redis, Master):
                await self._redis.confirm(server)
            UNCONFIRMED.inc()
            if not self._alone:
                log.warning("storage_not_replicated", remedy="see that its replicas are well")
        self._alone = not replicas
        return result

    async def _confirmed(self, keys: Sequence[str], args: Sequence[Any], mark: str) -> list[Any]:
        where: dict[str, Any] = {}
        if isinstance(self._redis, RedisCluster):
            await self._redis.initialize()
            where["target_nodes"] = self._redis.get_node_from_key(mark)
        pipeline: Any
        async with self._redis.pipeline(transaction=False) as pipeline:
            # Not by the methods named so, which redis-py refuses in a cluster's pipeline.
            pipeline.execute_command("EVALSHA", self._script.sha, len(keys), *keys, *args)
            pipeline.execute_command("EVAL", MARK, 1, mark)
            pipeline.execute_command("WAIT", 1, REPLICA_MS, **where)
            return list(await pipeline.execute())
