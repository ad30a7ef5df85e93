"""A growing message that was left behind: Telegram took it, but its id never reached us.

The answer is in another message then, and this one keeps its ■ Stop and grows no more. A press or a
reply tells us its id, and it is put right.
"""

import structlog
from telegram import MaybeInaccessibleMessage, Message
from telegram.error import TelegramError

from handlers.outgoing.delivery import bot_of
from handlers.outgoing.pacing import Effect, Kind
from handlers.turn.press import Press
from handlers.turn.turn import Turn
from storage.budget import Frozen
from storage.history import Past

log = structlog.get_logger()


async def put_right(found: MaybeInaccessibleMessage | None, past: Past, turn: Turn) -> None:
    """Delete a leftover of the last answer; from one of an earlier answer remove the button.

    ``past`` is the conversation's, as it is now. Other messages stay; failing does no harm.
    """
    if not isinstance(found, Message) or found.message_id in past.answer_ids:
        return
    if not (asked := _growing(found)):
        return
    effect, bot, chat_id = Effect(Kind.OTHER, turn.hold), bot_of(found), found.chat_id
    try:
        if asked == past.asked and past.answer_ids:
            await bot.delete_message(chat_id, found.message_id, rate_limit_args=effect)
        else:  # nobody knows any more what became of it
            await bot.edit_message_reply_markup(chat_id, found.message_id, rate_limit_args=effect)
    except (TelegramError, Frozen) as error:
        log.info("leftover_stays", chat=chat_id, reason=str(error))


def _growing(message: Message) -> int:
    """Return the number of the question that a growing message answers, or 0."""
    me, markup = message.get_bot().id, message.reply_markup
    if not markup or not message.from_user or message.from_user.id != me:
        return 0
    buttons = (button for row in markup.inline_keyboard for button in row)
    presses = (Press.parse(button.callback_data) for button in buttons)
    return next((press.exchange for press in presses if press and press.name == "stop"), 0)
