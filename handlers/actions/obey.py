"""Commands and presses, by the table: who is allowed, and what still applies."""

from telegram import Message
from telegram.ext import ApplicationHandlerStop

from handlers.actions import table
from handlers.actions.tools import Tools
from handlers.context import Context
from handlers.incoming.access import Right
from handlers.incoming.addressing import command, is_addressed, is_from_a_person
from handlers.turn.press import Press


async def guard(tools: Tools, context: Context) -> None:
    """Ignore other bots; tell people who are not allowed, if they spoke to the bot."""
    update = context.received
    if query := update.callback_query:
        if not await tools.access.allows(query.from_user, query.message):
            await context.answer_press(context.texts.not_allowed)
            raise ApplicationHandlerStop
    elif message := update.message or update.edited_message:
        person = is_from_a_person(message)
        if person and await tools.access.allows(message.from_user, message):
            return
        if person and update.message and is_addressed(message, context.bot.bot):
            await context.say(context.texts.not_allowed)
        raise ApplicationHandlerStop


async def obey(tools: Tools, context: Context) -> None:
    """Run a command, or say why not."""
    name, *arguments = command(context.message, context.bot.bot)
    row = table.find(name, arguments)
    if row is None:
        await unknown(tools, context)
    elif await _may(tools, context, row.right):
        await row.act(tools, context)
    else:
        await context.say(row.refusal(context.texts))


async def unknown(_tools: Tools, context: Context) -> None:
    """Say that there is no such command, if it was for this bot."""
    if is_addressed(context.message, context.bot.bot):
        await context.say(context.texts.unknown_command)


async def press(tools: Tools, context: Context) -> None:
    """Run a button's action, if it is under the last answer."""
    query, texts = context.received.callback_query, context.texts
    said = Press.parse(query.data) if query else None
    button = table.BUTTONS.get(said.name) if said else None
    if not query or not said or not button or not isinstance(query.message, Message):
        await context.answer_press(texts.old_button)
        return
    past = context.turn.past
    if not button.interrupts and (past.asked != said.exchange or not past.exchanges):
        await context.answer_press(texts.old_button)
    elif button.once and past.revision != said.revision:
        await context.answer_press()  # pressed before the answer changed
    elif await _may(tools, context, button.right):
        await button.act(tools, context)
    else:
        await context.answer_press(button.refusal(texts))


async def _may(tools: Tools, context: Context, right: Right) -> bool:
    past = context.turn.past if right is Right.ASKER else None
    asker = past.exchanges[-1].question.sender if past and past.exchanges else 0
    query = context.received.callback_query
    person = query.from_user if query else None
    return await tools.access.permits(right, context.message, person, asker=asker)
