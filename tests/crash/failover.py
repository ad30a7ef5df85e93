"""What a failover loses: writes that were acknowledged, and are not there afterwards.

Replication is asynchronous. So what must not be lost is confirmed by a replica first (see
`storage.server.script`), and that is compared with bare writes.
"""

import asyncio
from dataclasses import dataclass

from redis.asyncio import Redis

from bot.background import beside
from storage import keys
from storage.arrivals import Arrival
from storage.inbox import Inbox
from storage.message import ChatKey
from storage.server.connect import StorageUnavailable, connect, patiently, translated
from tests.forms import FORMS

BOT, WRITERS = 9_000_001, 4


@dataclass(frozen=True, slots=True)
class Loss:
    """Of so many acknowledged writes, how many were lost over all failovers."""

    name: str
    written: int
    lost: int


async def losses(form: str, failovers: int) -> list[Loss]:
    """Count them: confirmed, and bare."""
    return [
        await _count("confirmed by a replica", form, failovers, confirmed=True),
        await _count("not confirmed", form, failovers, confirmed=False),
    ]


async def _count(name: str, form: str, failovers: int, *, confirmed: bool) -> Loss:
    written: set[str] = set()
    async with FORMS[form]() as server:
        redis = connect(server.url, connections=WRITERS + 2)
        await Inbox(redis, BOT, "one").begin()
        async with beside(
            *(_write(redis, number, written, confirmed) for number in range(WRITERS))
        ):
            for _ in range(failovers):
                await asyncio.sleep(1)
                await server.strike()
        kept = await patiently(lambda: redis.zrange(keys.seen(BOT), 0, -1))
        await redis.aclose()
    return Loss(name, len(written), len(written - {str(one) for one in kept}))


async def _write(redis: Redis, writer: int, written: set[str], confirmed: bool) -> None:
    inbox, number = Inbox(redis, BOT, "one"), writer
    while True:
        try:
            if confirmed:
                await inbox.put(Arrival(ChatKey(number + 1), number, "{}"))
            else:
                with translated():
                    await redis.zadd(keys.seen(BOT), {str(number): number})
            written.add(str(number))
            number += WRITERS
        except StorageUnavailable:
            await asyncio.sleep(0.05)
