"""Every step of an announcement: whoever tells it dies, or freezes, just before and after it.

Another process goes on. Nobody gets it twice, and who does not get it is counted as unsure.
"""

import re
import signal
from pathlib import Path

from redis.asyncio import Redis

from handlers.texts import ENGLISH
from storage import keys
from tests.crash.launch import Boundary, Fate
from tests.crash.process import BotProcess, connected
from tests.crash.relay import all_fates, handed_on, until
from tests.crash.verdict import Verdict
from tests.crash.world import World, world

OWNER, CHATS = 1, range(1, 9)
TEXT = "News!"

UNSURE = {
    **{Boundary("announce", after): (0, 0) for after in (False, True)},
    **{Boundary("shown", after): (0, 0) for after in (False, True)},
    # The third chat is the one that is being told; a call of `hold` is also made for the owner.
    **{Boundary("begin", after, 3): (int(after), int(after)) for after in (False, True)},
    **{Boundary("hold", after, 9): (1, 1) for after in (False, True)},
    Boundary("tell", after=False, call=3): (1, 1),
    Boundary("tell", after=True, call=3): (1, 0),
    Boundary("settle", after=False, call=3): (1, 0),
    Boundary("settle", after=True, call=3): (0, 0),
    Boundary("begin", after=True, call=9): (0, 0),
    **{Boundary("finish", after): (0, 0) for after in (False, True)},
}
"""How many are unsure after a death at each step, and how many of them did not get it."""


async def all_boundaries(halt: signal.Signals, form: str) -> list[Verdict]:
    """Pass through them."""
    return await all_fates(UNSURE, halt, form, _pass)


async def _pass(fate: Fate, url: str, folder: Path) -> Verdict:
    async with world({"REDIS_URL": url, "ADMINS": str(OWNER)}) as place, connected(url) as redis:
        first = BotProcess(place.environment, folder, fate)
        for chat in CHATS:
            place.room.say(chat, chat, "/start", language="en")
        await until(lambda: _all_known(place, redis))
        place.room.say(OWNER, OWNER, f"/say {TEXT}", language="en")
        button = await _button(place)
        place.room.press(OWNER, OWNER, *button, language="en")

        async def done() -> None:
            await until(lambda: _is_over(place, redis))
            place.room.say(OWNER, OWNER, "/news", language="en")
            await until(lambda: _is_answered(place))

        async def judge() -> Verdict:
            return _judge(place, fate)

        return await handed_on(first, place, folder, fate, done, judge)


async def _all_known(place: World, redis: Redis) -> bool:
    return bool(await redis.hlen(keys.chats(place.bot_id)) == len(CHATS))


async def _button(place: World) -> tuple[int, str]:
    """Wait for the button that tells everybody: its message, and its data."""
    while True:
        for message in place.room.messages(OWNER):
            for row in message.get("reply_markup", {}).get("inline_keyboard", []):
                if row[0]["text"].startswith(ENGLISH.audiences["all"]):
                    return message["message_id"], row[0]["callback_data"]
        await place.room.changed(place.room.version, 1)


async def _is_over(place: World, redis: Redis) -> bool:
    waits = await redis.exists(keys.announcement(place.bot_id)) or await redis.xlen(
        keys.ready(place.bot_id)
    )
    return not waits and bool(_totals(place))


async def _is_answered(place: World) -> bool:
    return any(message.text == ENGLISH.news_are_on for message in place.heard(OWNER))


def _totals(place: World) -> list[str]:
    """What the owner is told in the end; if the telling of it was lost, more than once."""
    texts = [message.text for message in place.heard(OWNER)]
    return [text for text in texts if text.startswith(ENGLISH.announcement_done)]


def _judge(place: World, fate: Fate) -> Verdict:
    verdict, told = Verdict(), []
    sample = 1  # the owner has seen one before
    for chat in CHATS:
        got = sum(message.text.startswith(TEXT) for message in place.heard(chat))
        told.append(got - (sample if chat == OWNER else 0))
    totals = _totals(place)[-1]
    sent, unsure = (
        _figure(totals, ENGLISH.announcement_sent),
        _figure(totals, ENGLISH.announcement_unsure),
    )
    missed = told.count(0)
    if max(told) > 1:
        verdict.others.append(f"somebody got it {max(told)} times")
    if sent + unsure != len(CHATS) or missed > unsure:
        verdict.others.append(f"{missed} missed it, and the owner is told: {totals!r}")
    if fate.signal == signal.SIGKILL and (unsure, missed) != UNSURE[fate.boundary]:
        verdict.others.append(f"{unsure} unsure, {missed} missed, not {UNSURE[fate.boundary]}")
    return verdict


def _figure(totals: str, text: str) -> int:
    pattern = re.sub(r"\\\{\w+\\\}", r"(\\d+)", re.escape(text))
    found = re.search(pattern, totals)
    return int(found[1]) if found else 0
