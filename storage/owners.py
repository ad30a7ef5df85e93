"""Which chats have an owner's menu: Telegram tells nobody where it has one."""

import time
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from redis.asyncio import Redis

from storage import keys
from storage.mending import Mending
from storage.server.connect import StorageUnavailable, textual

log = structlog.get_logger()


class OwnersMenus:
    """One bot's. While storage is away or full nothing is noted: no start waits for that."""

    def __init__(self, redis: Redis, bot_id: int) -> None:
        self._redis = redis
        self._key = keys.menus(bot_id)
        self._mending = Mending(redis)

    async def chats(self) -> set[int]:
        """Return the chats in which a menu was set."""
        found = await self._noted(lambda: self._redis.zrange(self._key, 0, -1)) or []
        return {int(chat) for chat in map(str, found) if chat.isascii() and chat.isdigit()}

    async def add(self, chat: int) -> None:
        """Note that a menu is about to be set in a chat."""
        noted = {str(chat): int(time.time())}
        await self._noted(lambda: self._redis.zadd(self._key, noted))

    async def remove(self, chat: int) -> None:
        """Note that a chat has none any more."""
        await self._noted(lambda: self._redis.zrem(self._key, str(chat)))

    async def _noted(self, call: Callable[[], Awaitable[Any]]) -> Any:
        try:
            with textual():
                return await self._mending.mended(call, {self._key: "zset"})
        except StorageUnavailable as error:
            log.warning("menu_not_noted", reason=str(error))
            return None
