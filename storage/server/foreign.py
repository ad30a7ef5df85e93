"""What other programs have put beside the bot's own, and is not UTF-8: redis-py cannot read it."""

from collections.abc import AsyncIterator
from typing import Any

from redis.asyncio import Redis
from redis.client import NEVER_DECODE

RAW: dict[str, Any] = {NEVER_DECODE: True}
"""Makes a command of redis-py return bytes."""


async def names(redis: Redis, pattern: str) -> AsyncIterator[str]:
    """Find keys by a pattern, except those that have no readable name."""
    async for name in redis.scan_iter(pattern, count=1000, **RAW):
        if _is_text(name):
            yield name.decode()


async def remove_fields(redis: Redis, key: str) -> None:
    """Remove a hash's fields that are not UTF-8, or whose values are not."""
    found = await _raw(redis, "HGETALL", key)
    if odd := [name for name, value in found.items() if not (_is_text(name) and _is_text(value))]:
        await redis.hdel(key, *odd)


async def remove_members(redis: Redis, key: str) -> None:
    """Remove a sorted set's members that are not UTF-8."""
    found = await _raw(redis, "ZRANGE", key, 0, -1)
    if odd := [member for member in found if not _is_text(member)]:
        await redis.zrem(key, *odd)


async def _raw(redis: Any, *command: str | int) -> Any:
    return await redis.execute_command(*command, **RAW)


def _is_text(name: bytes) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True
