"""A semaphore in Redis: places that all processes share, each held under a lease."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

from redis.asyncio import Redis

from storage.server.connect import StorageUnavailable, patiently, translated
from storage.server.script import Script
from storage.timing import Timing, clock


class Places:
    """``number`` places under one key. `renewing` must run as long as any is held.

    While at least half of all places are free, a process keeps a used one for whoever needs one
    next, for `Timing.place_kept` at least and twice that at most. So a token is free (without a
    place), waiting for one, held in use, then spare (held for nobody), and free again.
    """

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
        self._waiting: dict[str, asyncio.Future[None]] = {}
        """Tokens that need a place, in their order."""
        self._held: dict[str, float] = {}
        """Tokens that have one, and when that was last asked for."""
        self._spare: list[str] = []
        """Those of the held ones that nobody uses now."""
        self._plenty = False
        # Within the process: first come, first served, and one task asks Redis, for all.
        self._here = asyncio.Semaphore(number)
        self._asking: asyncio.Task[None] | None = None
        self._one_ask = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Wait for a place, however long it takes, and hold it while the block runs."""
        async with self._here:
            token = self._spare.pop() if self._spare else self._free.pop()
            try:
                # A kept one may be anybody's by now, if this process was frozen.
                if clock() - self._held.get(token, float("-inf")) > self._timing.lease / 2:
                    await self._wait(token)
                yield
            finally:
                if self._plenty and token in self._held:
                    self._spare.append(token)
                else:
                    await self._give_back([token])

    async def renewing(self) -> None:
        """Renew what is held, and give back what is kept for nobody; never returns."""
        try:
            while True:
                kept = list(self._spare)
                await asyncio.sleep(min(self._timing.place_kept, self._timing.lease / 3))
                await self._free_spare(kept)
                due = clock() - self._timing.lease / 3
                old = [token for token, asked in self._held.items() if asked <= due]
                with contextlib.suppress(StorageUnavailable), translated():
                    await self._ask(old or self._spare[:1])  # also to hear whether there are plenty
        finally:
            await self._free_spare(list(self._spare))

    async def _free_spare(self, tokens: Sequence[str]) -> None:
        for token in tokens:
            # Not where all of them are wanted here: whoever comes in must find one.
            if token in self._spare and not self._here.locked():
                async with self._here:
                    self._spare.remove(token)
                    await self._give_back([token])

    async def _wait(self, token: str) -> None:
        granted = self._waiting[token] = asyncio.get_running_loop().create_future()
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask_on())
        try:
            await granted
        finally:
            self._waiting.pop(token, None)

    async def _ask_on(self) -> None:
        """Ask until nobody waits."""
        try:
            while asked := list(self._waiting):
                await patiently(lambda: self._ask(asked), self._timing.storage_pauses)
                if any(token in self._waiting for token in asked):
                    await asyncio.sleep(self._timing.place_look)
        except Exception as error:  # noqa: BLE001 - whatever it is, whoever waits hears of it
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(error)
        finally:
            self._asking = None

    async def _ask(self, tokens: Sequence[str]) -> None:
        """Ask for places, or for longer ones."""
        if not tokens:
            return
        async with self._one_ask:
            waiting, asked = dict(self._waiting), clock()
            free, *granted = await self._occupy(
                [self._key], [self._number, self._timing.lease, *tokens]
            )
            self._plenty = 2 * free >= self._number
            for token in granted:
                if token in self._held:
                    self._held[token] = asked
                future = self._waiting.get(token)
                if future and future is waiting.get(token) and not future.done():
                    self._held[token] = asked
                    future.set_result(None)
                    del self._waiting[token]
            # Who gave up meanwhile, or gave back, did so perhaps before the server knew of this.
            known = self._held.keys() | self._waiting.keys()
            await self._remove([token for token in granted if token not in known])

    async def _give_back(self, tokens: Sequence[str]) -> None:
        for token in tokens:
            self._held.pop(token, None)
        try:
            await self._remove(tokens)
        finally:
            self._free += tokens

    async def _remove(self, tokens: Sequence[str]) -> None:
        if tokens:
            with contextlib.suppress(StorageUnavailable), translated():
                await self._redis.zrem(self._key, *tokens)
