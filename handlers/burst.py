"""Messages that are one: a long text that Telegram cut into parts, forwards, an album."""

import asyncio
import json
from collections.abc import Sequence

from telegram import Message, Update

from handlers.turn import MOST_JOINED, Turn

LONG = 3900
"""Characters from which a text may have been cut; Telegram's apps do so at 4096 or before."""
CUT = 4096
QUIET_SECONDS = 0.7
"""How long nothing more must come before what came is taken as all; the apps are faster."""
LOOK_SECONDS = 0.1
SOON_SECONDS = 3
"""Between the dates of two parts of one text."""


async def collected(first: Message, turn: Turn) -> Sequence[Message]:
    """Give the message in work with all that belongs to it, which this turn then deals with.

    A message that was just typed never waits here.
    """
    parts = [first]
    clock = asyncio.get_running_loop().time
    quiet_at = clock() + QUIET_SECONDS
    while _is_open(parts[-1]) and clock() < quiet_at:
        waiting = [_message(entry.update, first) for entry in await turn.following()]
        for following in waiting[len(parts) - 1 :]:
            if following is None or not _continues(parts[-1], following):
                quiet_at = 0
                break
            parts.append(following)
            quiet_at = clock() + QUIET_SECONDS
        if len(parts) > MOST_JOINED:
            break
        await asyncio.sleep(LOOK_SECONDS)
    if len(parts) > 1:
        await turn.join(len(parts) - 1)
    return parts


def glued(parts: Sequence[Message], texts: Sequence[str]) -> str:
    """Put the texts of parts together; what was cut in the middle of a line goes on in it."""
    whole = texts[0]
    for before, text in zip(parts, texts[1:], strict=False):
        if not text:
            continue
        if before.forward_origin or before.media_group_id:
            whole += "\n\n"
        elif len(before.text or "") < CUT:
            whole += "\n"
        whole += text
    return whole.strip()


def _is_open(message: Message) -> bool:
    """Tell whether more may follow that belongs to a message."""
    forwarded_or_album = message.forward_origin or message.media_group_id
    return bool(forwarded_or_album) or len(message.text or "") >= LONG


def _continues(last: Message, following: Message) -> bool:
    if not _is_open(last) or last.from_user != following.from_user:
        return False
    if last.media_group_id or following.media_group_id:
        return last.media_group_id == following.media_group_id
    if last.forward_origin or following.forward_origin:
        return bool(last.forward_origin and following.forward_origin)
    soon = (following.date - last.date).total_seconds() <= SOON_SECONDS
    return soon and bool(following.text) and not str(following.text).startswith("/")


def _message(update: str, like: Message) -> Message | None:
    try:
        return Update.de_json(json.loads(update), like.get_bot()).message
    except Exception:  # noqa: BLE001 - it raises whatever odd JSON leads it to; its own turn says so
        return None
