"""A semaphore in Redis: places that all processes share, each held under a lease."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from redis.asyncio import Redis

from storage.server.connect import StorageUnavailable, patiently, translated
from storage.server.script import Script
from storage.timing import Timing


class Places:
    """``number`` places under one key. `renewing` must run as long as any is held."""

    def __init__(
        self, redis: Redis, key: str, number: int, name: str, timing: Timing = Timing()
    ) -> None:
        """``name`` is the process's; restarted under the same name, it has its places at once."""
        self._redis = redis
        self._key = key
        self._number = number
        self._timing = timing
        self._occupy = Script(redis, "occupy")
        self._free = [f"{name}:{place}" for place in range(number)]
        self._held: set[str] = set()
        # Within the process: first come, first served, and one at a time asks Redis.
        self._here = asyncio.Semaphore(number)
        self._asking = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Wait for a place, however long it takes, and hold it while the block runs."""
        async with self._here:
            token = self._free.pop()
            try:
                async with self._asking:
                    while not await patiently(  # noqa: ASYNC110 - not of here
                        lambda: self._try(token), self._timing.storage_pauses
                    ):
                        await asyncio.sleep(self._timing.place_look)
                self._held.add(token)
                yield
            finally:
                self._held.discard(token)
                try:
                    with contextlib.suppress(StorageUnavailable), translated():
                        await self._redis.zrem(self._key, token)
                finally:
                    self._free.append(token)

    async def renewing(self) -> None:
        """Renew the places that are held; never returns."""
        while True:
            await asyncio.sleep(self._timing.lease / 3)
            for token in list(self._held):
                with contextlib.suppress(StorageUnavailable), translated():
                    if token in self._held:  # not released meanwhile
                        await self._try(token)

    async def _try(self, token: str) -> bool:
        return bool(await self._occupy([self._key], [token, self._number, self._timing.lease]))
