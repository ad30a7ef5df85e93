"""Commands that do not ask the model."""

from handlers.actions.tools import Tools
from handlers.context import Context
from handlers.turn.where import is_company
from storage.change import Forgotten

AT_ONCE = 5
"""Seconds within which Telegram itself sends /start, with a word, when a link adds the bot."""


async def start(_tools: Tools, context: Context) -> None:
    """Greet; in a group, say how to call the bot there, unless a link has just added it."""
    texts, name = context.texts, context.bot.username
    if not is_company(context.message):
        await context.say(texts.start)
    elif not (context.args and _was_told_just_now(context)):
        await context.say(texts.membership_new.format(name=name))


def _was_told_just_now(context: Context) -> bool:
    known, now = context.turn.chat, context.message.date.timestamp()
    told = known.told.get(known.can)
    return told is not None and told == known.since and now - told < AT_ONCE


async def stop(_tools: Tools, context: Context) -> None:
    """Confirm /stop: the work before it was cut short when it came in."""
    await context.say(context.texts.stopped)


async def reset(_tools: Tools, context: Context) -> None:
    """Forget this conversation."""
    texts, turn = context.texts, context.turn
    for_good = await turn.storage_is_full()
    text = texts.forgotten_for_good if for_good else texts.forgotten
    await context.say(text, Forgotten(turn.lane, context.message.message_id, for_good=for_good))


async def explain_reset(_tools: Tools, context: Context) -> None:
    """Explain the arguments of /reset."""
    await context.say(context.texts.reset_needs_a_number)
