"""Who is left out of what the bot hears in a group."""

from handlers.actions.tools import Tools
from handlers.context import Context
from handlers.turn.where import is_company
from storage.change import Heard


async def dont_listen(_tools: Tools, context: Context) -> None:
    """Leave out whoever says so, from now on and in what was kept."""
    await _hear(context, context.texts.left_unheard, is_kept=False)


async def listen(_tools: Tools, context: Context) -> None:
    """Hear them again."""
    await _hear(context, context.texts.heard_again, is_kept=True)


async def _hear(context: Context, told: str, *, is_kept: bool) -> None:
    message = context.message
    writer = message.sender_chat or message.from_user
    if is_company(message) and writer:
        await context.say(told, Heard(writer.id, is_kept))
    else:
        await context.say(context.texts.hearing_is_for_groups)
