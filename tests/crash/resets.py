"""Every step of a reset of all chats: whoever does it dies, or freezes, just before and after it.

Another process goes on. Each conversation is forgotten once, and nothing that is said afterwards.
"""

import re
import signal
from pathlib import Path

from redis.asyncio import Redis

from handlers.texts import ENGLISH
from storage import keys
from storage.history import encode
from storage.message import ChatKey, Message, Role
from storage.resets import STEP
from tests.crash.launch import Boundary, Fate
from tests.crash.process import BotProcess, connected
from tests.crash.relay import PATIENCE, all_fates, handed_on, until
from tests.crash.verdict import Verdict
from tests.crash.world import World, world

OWNER, ASKER = 1, 2
CHATS = range(1000, 1000 + 2 * STEP + STEP // 2)
"""As many as three scripts forget."""

BOUNDARIES = [
    Boundary(step, after, call)
    for step, call in (("collect", 1), ("reset", 1), ("reset", 2), ("reset", 3), ("commit", 2))
    for after in (False, True)
]
"""The first reply that is kept is the question whether to; the second one, that all is done."""


async def all_boundaries(halt: signal.Signals, form: str) -> list[Verdict]:
    """Pass through them."""
    return await all_fates(BOUNDARIES, halt, form, _pass)


async def _pass(fate: Fate, url: str, folder: Path) -> Verdict:
    async with world({"REDIS_URL": url, "ADMINS": str(OWNER)}) as place, connected(url) as redis:
        await _remember(redis, place)
        first = BotProcess(place.environment, folder, fate)
        place.room.say(OWNER, OWNER, "/reset all", language="en")
        place.room.press(OWNER, OWNER, *await _button(place), language="en")

        async def done() -> None:
            await until(lambda: _is_over(place, redis))
            place.ask(ASKER)
            await place.answered(ASKER, PATIENCE)

        return await handed_on(first, place, folder, fate, done, lambda: _judge(place, redis))


async def _remember(redis: Redis, place: World) -> None:
    """Let all these chats have a conversation."""
    said = encode(Message(Role.USER, "one")), encode(Message(Role.ASSISTANT, "echo: one"))
    for chat in CHATS:
        history = keys.history(place.bot_id, ChatKey(chat))
        await redis.rpush(history, *said)
        await redis.ltrim(history, 0, 1)  # a reply that was late: then the first ran twice


async def _button(place: World) -> tuple[int, str]:
    """Wait for the button that says yes: its message, and its data."""
    while True:
        for message in place.room.messages(OWNER):
            for row in message.get("reply_markup", {}).get("inline_keyboard", []):
                return message["message_id"], row[0]["callback_data"]
        await place.room.changed(place.room.version, 1)


async def _is_over(place: World, redis: Redis) -> bool:
    return bool(_totals(place)) and not await redis.xlen(keys.ready(place.bot_id))


def _totals(place: World) -> list[int]:
    """How many conversations the owner is told that were forgotten, by each message that tells."""
    pattern = re.escape(ENGLISH.all_forgotten).replace(re.escape("{number}"), r"(\d+)")
    found = (re.fullmatch(pattern, message.text) for message in place.heard(OWNER))
    return [int(one[1]) for one in found if one]


async def _judge(place: World, redis: Redis) -> Verdict:
    verdict, counted = Verdict(), dict[str, int]()
    for chat in CHATS:
        lane = ChatKey(chat)
        epoch = int(await redis.get(keys.epoch(place.bot_id, lane)) or 0)
        remembered = await redis.llen(keys.history(place.bot_id, lane))
        kept = await redis.llen(keys.forgotten(place.bot_id, lane))
        state = f"{epoch} resets, {remembered} messages, {kept} that can come back"
        counted[state] = counted.get(state, 0) + 1
    if counted != {"1 resets, 0 messages, 2 that can come back": len(CHATS)}:
        verdict.others.append(f"conversations: {counted}")
    if len(totals := _totals(place)) != 1 or not 0 <= totals[0] - len(CHATS) <= 1:
        verdict.others.append(f"the owner is told of {totals} of {len(CHATS)}")
    if await redis.llen(keys.history(place.bot_id, ChatKey(ASKER))) != 2:
        verdict.others.append("what was said afterwards is forgotten, too")
    return verdict
