"""Commands that do not ask the model."""

import structlog

from handlers.actions.tools import Tools
from handlers.context import Context
from storage.change import Forgotten
from storage.message import ChatKey

log = structlog.get_logger()


async def start(_tools: Tools, context: Context) -> None:
    """Greet."""
    await context.say(context.texts.start)


async def stop(_tools: Tools, context: Context) -> None:
    """Confirm /stop: the work before it was cut short when it came in."""
    await context.say(context.texts.stopped)


async def reset(_tools: Tools, context: Context) -> None:
    """Forget this conversation."""
    texts, turn = context.texts, context.turn
    for_good = await turn.storage_is_full()
    text = texts.forgotten_for_good if for_good else texts.forgotten
    await context.say(text, Forgotten(turn.lane, context.message.message_id, for_good=for_good))


async def reset_other(_tools: Tools, context: Context) -> None:
    """Forget the conversation of the chat whose id is given, for an owner."""
    chat = ChatKey(int((context.args or [])[0]))
    for_good = await context.turn.storage_is_full()
    floor = context.message.message_id if chat.chat_id == context.message.chat_id else 0
    text = context.texts.other_chat_forgotten.format(chat=chat.chat_id)
    await context.say(text, Forgotten(chat, floor, for_good=for_good, with_topics=True))
    log.info("reset_by_owner", chat=chat.chat_id)


async def explain_reset(_tools: Tools, context: Context) -> None:
    """Explain the arguments of /reset."""
    await context.say(context.texts.reset_needs_a_number)
