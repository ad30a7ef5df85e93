"""Work on storage ends when it is cancelled, whatever moment it is in."""

import asyncio

import pytest
from redis.asyncio import Redis

from storage.server.connect import StorageUnavailable, connect, patiently, translated


async def test_no_moment_is_missed(redis: Redis) -> None:
    """Cancelled at any step of the event loop, a loop of calls ends."""

    async def work() -> None:
        while True:
            with translated():
                await redis.ping()

    for steps in range(150):
        await redis.ping()  # a connection that is open already
        task = asyncio.create_task(work())
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task}, timeout=60)
        ended, _ = task.done(), task.cancel()
        assert ended, steps


@pytest.mark.parametrize("steps", range(12))
async def test_patience_ends_too(steps: int) -> None:
    """Waiting for a server that is not there can be cancelled."""
    redis = connect("unix:///nowhere", connections=1)
    task = asyncio.create_task(patiently(redis.ping))
    for _ in range(steps):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 60)
    await redis.aclose()


async def test_cleaning_up_is_no_new_cancellation(redis: Redis) -> None:
    """A task that was cancelled before may still use storage while it ends."""
    cleaned = False

    async def work() -> None:
        nonlocal cleaned
        try:
            await asyncio.sleep(60)
        finally:
            with translated():
                await redis.ping()
            cleaned = True

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert cleaned


async def test_a_time_out_stays_one() -> None:
    """A time-out around storage is told as that, and a failure as what it is."""
    redis = connect("unix:///nowhere", connections=1)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await patiently(redis.ping)
    with pytest.raises(StorageUnavailable), translated():
        await redis.ping()
    await redis.aclose()
