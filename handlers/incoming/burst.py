"""Messages that belong together: a long text, forwards, an album, a comment and its forward."""

import asyncio
from collections.abc import Sequence

from telegram import Message

from handlers.incoming.addressing import rich_message
from handlers.incoming.parsing import Unreadable, load, read
from handlers.turn.turn import MOST_JOINED, Turn
from storage.message import Part

LONG = 3900
"""A text of so many characters may be cut; Telegram's apps cut at 4096 or before."""
CUT = 4096


async def collected(first: Message, turn: Turn) -> Sequence[Message]:
    """Return the message in work with all that belongs to it; this turn deals with them all.

    A single typed message never waits here: only what has already come behind it is read.
    """
    if not turn.is_followed and not _is_open(first):
        return [first]
    parts, timing = [first], turn.timing
    clock = asyncio.get_running_loop().time
    quiet_at = clock() + timing.quiet
    while len(parts) <= MOST_JOINED:
        waiting = [_message(entry.update, first) for entry in await turn.following()]
        for following in waiting[len(parts) - 1 :]:
            if following is None or not _continues(parts, following, timing.burst):
                quiet_at = 0
                break
            parts.append(following)
            quiet_at = clock() + timing.quiet
        if not _is_open(parts[-1]) or clock() >= quiet_at:
            break
        await asyncio.sleep(timing.burst_look)
    if len(parts) > 1:
        await turn.join(len(parts) - 1)
    return parts


def glued(messages: Sequence[Message], texts: Sequence[str]) -> tuple[str, tuple[Part, ...]]:
    """Join the texts of messages, and tell which is where; a line that was cut stays one line."""
    whole, parts = "", []
    for before, message, text in zip([messages[0], *messages], messages, texts, strict=False):
        if text and whole:
            whole += _seam(before, message)
        parts.append(Part(message.message_id, len(whole), len(whole) + len(text)))
        whole += text
    return whole, tuple(parts)


def _seam(before: Message, after: Message) -> str:
    length = len(before.text or "")
    if before.forward_origin or after.forward_origin or length < LONG:
        return "\n\n"
    return "\n" if length < CUT else ""


def is_own(message: Message) -> bool:
    """Tell whether a person wrote it: no forward, no file without a caption."""
    return not (message.forward_origin or (message.document and not message.caption))


def _is_open(message: Message) -> bool:
    """Tell whether more that belongs to a message may follow."""
    forwarded_or_album = message.forward_origin or message.media_group_id
    return bool(forwarded_or_album) or len(message.text or "") >= LONG


def _continues(parts: Sequence[Message], following: Message, soon: float) -> bool:
    last, text = parts[-1], following.text or ""
    if (last.from_user, last.sender_chat) != (following.from_user, following.sender_chat):
        return False  # all who write in the name of a chat share one user
    same_album = last.media_group_id == following.media_group_id
    if same_album and (last.media_group_id or (last.forward_origin and following.forward_origin)):
        return True
    late = abs((following.date - last.date).total_seconds()) > soon
    if late or (text.startswith("/") and not following.forward_origin):
        return False
    typed = same_album and not last.forward_origin and not following.forward_origin
    was_cut = typed and text and len(last.text or "") >= LONG
    return bool(was_cut) or _comment_and_commented([*parts, following])


def _comment_and_commented(parts: Sequence[Message]) -> bool:
    """Tell whether just one part has the person's own words: the comment on the others."""
    spoken = list(filter(is_own, parts))
    if len(spoken) != 1 or spoken[0].media_group_id:
        return False
    said = spoken[0].text
    return rich_message(spoken[0]) is not None if said is None else len(said) < LONG


def _message(update: str, like: Message) -> Message | None:
    try:
        return read(load(update), like.get_bot()).message
    except Unreadable:  # its own turn tells the person
        return None
