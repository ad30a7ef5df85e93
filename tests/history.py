"""The histories of a bot, as its turns read them."""

from importlib.resources import files

from redis.asyncio import Redis

from storage import keys
from storage.history import Past
from storage.message import ChatKey
from storage.server.connect import translated

PAST = files("storage").joinpath("parts", "past.lua").read_text("utf-8")


class History:
    """Reads them without a turn."""

    def __init__(self, redis: Redis, bot_id: int) -> None:
        self._redis, self._bot_id = redis, bot_id

    async def newest(self, chat: ChatKey, most_bytes: int) -> Past:
        """Read the newest exchanges that fit ``most_bytes``. Raises what `Past.parse` raises."""
        names = [name(self._bot_id, chat) for name in (keys.history, keys.epoch, keys.state)]
        call = "return past(KEYS[1], KEYS[2], KEYS[3], tonumber(ARGV[1]))"
        script = f"#!lua flags=no-writes\n{PAST}\n{call}"
        with translated():
            found = await self._redis.eval(script, 3, *names, str(most_bytes))
        return Past.parse(found, chat)
