"""A growing message that was left behind: Telegram took it, and we never heard its number.

Then the answer stands in another message, and this one grows no more under its ■ Stop. When a
person presses that, or replies to it, they tell its number, and it is put right.
"""

import structlog
from telegram import MaybeInaccessibleMessage, Message
from telegram.error import TelegramError

from handlers.outgoing.delivery import extended
from handlers.outgoing.pacing import Effect, Kind
from handlers.turn.press import Press
from handlers.turn.turn import Turn
from storage.budget import Frozen
from storage.history import Past

log = structlog.get_logger()


async def put_right(found: MaybeInaccessibleMessage | None, past: Past, turn: Turn) -> None:
    """Take away what was left of the last answer; of an earlier one only its button.

    ``past`` is the conversation's now. Does nothing to any other message, and no harm if it fails.
    """
    if not isinstance(found, Message) or found.message_id in past.answer:
        return
    if not (asked := _growing(found)):
        return
    effect, bot, chat_id = Effect(Kind.OTHER, turn.hold), extended(found), found.chat_id
    try:
        if asked == past.asked and past.answer:
            await bot.delete_message(chat_id, found.message_id, rate_limit_args=effect)
        else:  # what it became is not known any more
            await bot.edit_message_reply_markup(chat_id, found.message_id, rate_limit_args=effect)
    except (TelegramError, Frozen) as error:
        log.info("leftover_stays", chat=chat_id, reason=str(error))


def _growing(message: Message) -> int:
    """Give the number of the question that a message of ours is a growing answer to, or 0."""
    me, markup = message.get_bot().id, message.reply_markup
    if not markup or not message.from_user or message.from_user.id != me:
        return 0
    buttons = (button for row in markup.inline_keyboard for button in row)
    presses = (Press.parse(button.callback_data) for button in buttons)
    return next((press.exchange for press in presses if press and press.name == "stop"), 0)
