"""``python -m bot dead``: list dead letters, replay them, delete them."""

import argparse
import json
from contextlib import AsyncExitStack
from dataclasses import replace

from bot.clients import open_storage
from bot.redaction import say
from bot.settings import Settings
from bot.updates.intake import lane_of
from handlers.incoming.migration import moved
from storage.dead import DeadLetter, DeadLetters
from storage.inbox import Inbox
from storage.message import ChatKey


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what ``python -m bot dead`` takes."""
    parser.add_argument("act", nargs="?", choices=["list", "replay", "drop"], default="list")


async def dead(settings: Settings, act: str) -> None:
    """Do that with all dead letters, and print a line for each; never what a person wrote.

    Raises `StorageUnavailable`.
    """
    async with AsyncExitStack() as stack:
        redis = await open_storage(settings, stack)
        for bot in settings.bots:
            letters, inbox = DeadLetters(redis, bot.bot_id), Inbox(redis, bot.bot_id, "")
            which = f"bot {bot.bot_id}, " if len(settings.bots) > 1 else ""
            for found in await letters.all():
                letter, lane = await addressed(found, inbox)
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


async def addressed(letter: DeadLetter, inbox: Inbox) -> tuple[DeadLetter, ChatKey | None]:
    """Find a letter's conversation; for a group that has become a supergroup, the new one."""
    try:
        update = json.loads(letter.update)
        lane = lane_of(update)
    except (ValueError, RecursionError):
        return letter, None
    for supergroup in await inbox.successors({lane.chat_id}) if lane else ():
        update = moved(update, supergroup)
        there = replace(letter, update=json.dumps(update, ensure_ascii=False))
        return there, lane_of(update)
    return letter, lane
