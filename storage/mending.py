"""Keys of the wrong type: set aside under another name, so that work goes on.

Another program wrote them. Keys that everybody needs are mended here. A conversation's own are not:
its turns fail until somebody resets it.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

import structlog
from redis.asyncio import Redis

from storage.server.connect import StorageRefused, translated
from storage.server.script import Script

log = structlog.get_logger()

T = TypeVar("T")


class Mending:
    """Mends keys of one server. Methods raise `StorageUnavailable`."""

    def __init__(self, redis: Redis) -> None:
        self._mend = Script(redis, "mend")

    async def mend(self, kinds: Mapping[str, str]) -> None:
        """Set aside the keys that do not have the type named for each."""
        with translated():
            aside = await self._mend([*kinds], [*kinds.values()])
        if aside:
            log.error("keys_set_aside", keys=aside)

    async def mended(self, call: Callable[[], Awaitable[T]], kinds: Mapping[str, str]) -> T:
        """Make a call that needs keys of these types; if it is refused, mend them and repeat."""
        try:
            with translated():
                return await call()
        except StorageRefused:
            if not kinds:
                raise
            await self.mend(kinds)
        with translated():
            return await call()
