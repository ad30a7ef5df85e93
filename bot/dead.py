"""``python -m bot dead``: look at dead letters, replay them, throw them away."""

import argparse
import json
from contextlib import AsyncExitStack

from bot.clients import open_storage
from bot.intake import lane_of
from bot.redaction import say
from bot.settings import Settings
from storage.dead import DeadLetter, DeadLetters
from storage.message import ChatKey


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what ``python -m bot dead`` takes."""
    parser.add_argument("act", nargs="?", choices=["list", "replay", "drop"], default="list")


async def dead(settings: Settings, act: str) -> None:
    """Do so with all dead letters, and say of each what it is; never what a person wrote.

    Raises `StorageUnavailable`.
    """
    async with AsyncExitStack() as stack:
        redis = await open_storage(settings, stack)
        for bot in settings.bots:
            letters = DeadLetters(redis, bot.bot_id)
            which = f"bot {bot.bot_id}, " if len(settings.bots) > 1 else ""
            for letter in await letters.all():
                lane = _lane(letter)
                done = await _done(letters, letter, lane, act)
                say(f"{which}chat {lane or 'unknown'}: {letter.reason}{done}")


async def _done(letters: DeadLetters, letter: DeadLetter, lane: ChatKey | None, act: str) -> str:
    if act == "drop":
        await letters.drop(letter)
        return " - dropped"
    if act == "replay" and lane:
        await letters.replay(letter, lane)
        return " - queued again"
    return " - cannot be queued, kept" if act == "replay" else ""


def _lane(letter: DeadLetter) -> ChatKey | None:
    try:
        return lane_of(json.loads(letter.update))
    except (ValueError, RecursionError):
        return None
