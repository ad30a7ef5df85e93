"""What the bot says in a chat by itself, because of what somebody has done elsewhere."""

from datetime import UTC, datetime

import structlog
from telegram import Chat, Message
from telegram.constants import ChatType
from telegram.error import BadRequest, Forbidden
from telegram.ext import ExtBot

from handlers.outgoing.delivery import Delivery
from handlers.outgoing.refusals import is_final
from handlers.rendering.markup import Chunk
from handlers.turn.reply import Reply
from handlers.turn.turn import Turn
from storage.change import Notice
from storage.message import ChatKey

log = structlog.get_logger()


async def on_notice(turn: Turn, notice: Notice, bot: ExtBot[None]) -> None:
    """Say it in the turn's chat; where the bot may not, or the topic is gone, only the log has it.

    Raises TelegramError if Telegram fails meanwhile.
    """
    reply = turn.reply or Reply([Chunk(notice.text, ())])
    if turn.reply is None:
        await turn.keep(reply)
    try:
        message = _message(turn.lane, bot)
        await Delivery(message, turn, about_the_topic=True).finish(reply)
    except (Forbidden, BadRequest) as refusal:
        if not is_final(refusal):
            raise
        await give_up(turn, notice, refusal.message)
        return
    if notice.untold:
        await turn.told(notice.untold)


async def give_up(turn: Turn, notice: Notice, reason: str) -> None:
    """Note that it cannot be said: what people were not told of is not heard."""
    log.warning("notice_not_sent", chat=turn.lane.chat_id, reason=reason)
    if notice.untold:
        await turn.told(notice.untold, reached=False)


def _message(lane: ChatKey, bot: ExtBot[None]) -> Message:
    """Return a message of no number in a lane, to which the bot answers there."""
    chat = Chat(lane.chat_id, ChatType.PRIVATE if lane.chat_id > 0 else ChatType.SUPERGROUP)
    at, topic = datetime.fromtimestamp(0, UTC), lane.topic_id or None
    message = Message(0, at, chat, message_thread_id=topic, is_topic_message=bool(topic))
    message.set_bot(bot)
    return message
