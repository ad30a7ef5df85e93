"""Which servers are trusted."""

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from storage.connect import StorageUnavailable, connect, verify


async def test_a_server_that_keeps_everything(redis: Redis) -> None:
    """No eviction, on disk: nothing to say."""
    with capture_logs() as logs:
        await verify(redis)
    assert logs == []


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl"])
async def test_a_server_that_evicts_is_refused(redis: Redis, policy: str) -> None:
    """An eviction policy is named, with the remedy."""
    await redis.config_set("maxmemory-policy", policy)
    try:
        with pytest.raises(StorageUnavailable, match=f"{policy}.*noeviction"):
            await verify(redis)
    finally:
        await redis.config_set("maxmemory-policy", "noeviction")


async def test_a_server_without_a_disk_is_warned_of(redis: Redis) -> None:
    """A server that forgets at a restart is used, not silently."""
    await redis.config_set("appendonly", "no")
    try:
        with capture_logs() as logs:
            await verify(redis)
    finally:
        await redis.config_set("appendonly", "yes")
    assert [entry["event"] for entry in logs] == ["storage_not_on_disk"]


async def test_an_old_server_is_refused() -> None:
    """Redis before 7 cannot run our scripts."""

    class Old:
        async def info(self) -> dict[str, str]:
            return {"redis_version": "6.2.14"}

    with pytest.raises(StorageUnavailable, match=r"6\.2\.14.*7\.0"):
        await verify(Old())  # type: ignore[arg-type]


async def test_no_server() -> None:
    """A server that is not there is told as any other trouble with storage."""
    client = connect("redis://127.0.0.1:1", connections=1)
    with pytest.raises(StorageUnavailable, match="ConnectionError"):
        await verify(client)
    await client.aclose()
