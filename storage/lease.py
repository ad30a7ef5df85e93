"""Leadership: one process among many, under a lease in Redis."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import structlog
from redis.asyncio import Redis
from redis.exceptions import LockError

from storage.server.connect import StorageUnavailable, translated
from storage.server.script import Script
from storage.timing import Timing

log = structlog.get_logger()


class LeaseLost(Exception):
    """Another process may lead by now."""


class Lease:
    """One key; one process at a time holds it."""

    def __init__(self, redis: Redis, key: str, name: str, timing: Timing = Timing()) -> None:
        """``name`` is this process's; restarted under the same name, it has the lease at once."""
        self._redis = redis
        self._name = name
        self._lead = Script(redis, "lead")
        self._seconds = timing.lease
        self._lock = redis.lock(key, timeout=self._seconds)
        self._waiting = f"{key}:waiting"
        self.problem: str | None = None
        """Why storage does not say who leads; None once it does."""

    @contextlib.asynccontextmanager
    async def leading(self) -> AsyncIterator[None]:
        """Wait for the lease and hold it while the block runs. Raises `LeaseLost` into it."""
        while (ends := await self._acquire()) is None:  # noqa: ASYNC110 - it is freed elsewhere
            await asyncio.sleep(self._seconds / 8)
        try:
            async with asyncio.TaskGroup() as tasks:
                renewal = tasks.create_task(self._renew(ends))
                yield
                renewal.cancel()
        except BaseExceptionGroup as group:
            # Before Python 3.13, a failing task group swallows a cancellation of its task.
            if (task := asyncio.current_task()) and task.cancelling():
                raise asyncio.CancelledError from group
            raise group.exceptions[0] from None
        finally:
            with contextlib.suppress(StorageUnavailable, LockError), translated():
                await self._lock.release()

    async def is_awaited(self) -> bool:
        """True if another process waits for the lease or has it, or storage cannot say."""
        with contextlib.suppress(StorageUnavailable), translated():
            holder = await self._redis.get(self._lock.name)
            return holder != self._name or bool(await self._redis.exists(self._waiting))
        return True

    async def _acquire(self) -> float | None:
        """Ask for the lease; gives when it ends by the loop's clock, or None: not ours."""
        asked = asyncio.get_running_loop().time()
        names = [str(self._lock.name), self._waiting]
        try:
            with translated():
                ours = bool(await self._lead(names, [self._name, int(self._seconds * 1000)]))
        except StorageUnavailable as error:
            log.warning("storage_unavailable", reason=str(error))
            self.problem = str(error)
            return None
        self.problem = None
        self._lock.local.token = self._name  # what renews and releases it checks that
        return asked + self._seconds if ours else None

    async def _renew(self, ends: float) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            try:
                # Neither a silent server nor a pause must keep us leading beyond the lease's end.
                async with asyncio.timeout_at(ends):
                    await asyncio.sleep(self._seconds / 5)
                    asked = clock()
                    with translated():
                        await self._lock.reacquire()
                ends = asked + self._seconds
            except TimeoutError:
                raise LeaseLost("storage is silent") from None
            except StorageUnavailable as error:
                if isinstance(error.__cause__, LockError):
                    raise LeaseLost(str(error)) from error
