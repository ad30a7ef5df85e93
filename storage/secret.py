"""The webhook's secret: all processes share the one that the first of them made."""

import secrets

from redis.asyncio import Redis

from storage import keys
from storage.server.connect import translated
from storage.server.script import Script


async def shared_secret(redis: Redis, bot_id: int) -> str:
    """Return the secret, made now if there is none. Raises `StorageUnavailable`."""
    with translated():
        agreed = await Script(redis, "agree")(
            [keys.webhook_secret(bot_id)], [secrets.token_urlsafe(32)]
        )
    return str(agreed)
