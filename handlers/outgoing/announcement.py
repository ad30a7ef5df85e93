"""An announcement as people get it, and one chat that is told; how far it is, as its owner sees."""

import asyncio
from dataclasses import dataclass

from telegram.constants import ChatType
from telegram.error import (
    BadRequest,
    ChatMigrated,
    InvalidToken,
    NetworkError,
    TelegramError,
)
from telegram.ext import ExtBot

from handlers.outgoing.delivery import NEVER_SENT, NO_PREVIEW
from handlers.outgoing.pacing import Effect, Hold, Kind
from handlers.outgoing.post import post
from handlers.outgoing.refusals import away
from handlers.texts import Texts
from storage.announcement import Announcement, Outcome
from storage.budget import Frozen
from storage.lane import LaneLost
from storage.timing import Timing


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a chat; ``away`` as in `storage.chats.ChatRecord`, if it is news.

    ``successor`` is the supergroup that must be told instead, 0 if none.
    """

    outcome: Outcome
    away: str = ""
    successor: int = 0


def announced(texts: Texts, text: str, kind: str, name: str) -> str:
    """Add to an announcement how to have no more, where somebody can say so: not in a channel.

    ``name`` is the bot's, for groups, where there may be others.
    """
    if kind == ChatType.CHANNEL:
        return text
    command = "" if kind == ChatType.PRIVATE else f"@{name}"
    return f"{text}\n\n{texts.news_line.format(name=command)}"


async def tell(
    bot: ExtBot[None], chat_id: int, text: str, entities: object, hold: Hold, timing: Timing
) -> Told:
    """Send an announcement to a chat, in a forum to its general topic; says what became of it.

    ``hold`` raises `LaneLost` if it must not be sent any more. Nothing is sent twice: where
    Telegram may have taken it without telling us, nobody is sure. A 404, which no chat should
    cause, is tried again for a moment.
    """
    fields = {"text": text, "entities": entities, "link_preview_options": NO_PREVIEW}
    for pause in (*timing.send_pauses, 0.0):
        try:
            effect = Effect(Kind.OTHER, hold)
            await post(bot, "sendMessage", {"chat_id": chat_id, **fields}, effect)
        except (LaneLost, Frozen, TelegramError) as error:
            if told := _meaning(error):
                return told
        else:
            return Told("sent")
        await asyncio.sleep(pause)
    return Told("refused")


def _meaning(error: Exception) -> Told | None:
    """Return what a failed send means for its chat; None if it is tried again at once."""
    match error:
        case LaneLost():
            return Told("left")
        case InvalidToken() if "unauthorized" not in error.message.lower():
            return None
        case Frozen() | InvalidToken():
            return Told("again")
        case ChatMigrated():
            return Told("left", successor=error.new_chat_id)
        case NetworkError() if not isinstance(error, BadRequest):
            return Told("unsure" if may_be_sent(error) else "again")
        case TelegramError():
            return Told("refused", away(error))
    raise error


def may_be_sent(error: Exception) -> bool:
    """Tell whether Telegram may have taken what was sent: it said nothing, or that it failed."""
    if not isinstance(error, NetworkError) or isinstance(error, BadRequest):
        return False
    return not isinstance(error.__cause__, NEVER_SENT)


def progress(texts: Texts, announcement: Announcement, *, over: bool = False) -> str:
    """Say how far an announcement is, or, once it is ``over``, what became of it."""
    done = texts.announcement_cancelled if announcement.cancelled else texts.announcement_done
    lines = [
        done if over else texts.announcement_under_way,
        texts.announcement_sent.format(
            sent=texts.number(announcement.sent), total=texts.number(announcement.total)
        ),
    ]
    figures = {
        texts.announcement_skipped: announcement.skipped,
        texts.announcement_refused: announcement.refused,
        texts.announcement_unsure: announcement.unsure,
    }
    lines += [text.format(number=texts.number(n)) for text, n in figures.items() if n]
    return "\n".join(lines)
