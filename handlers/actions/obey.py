"""Commands and presses, by the table: who is allowed, and what still applies."""

from dataclasses import replace

from telegram import Chat, Message, User
from telegram.ext import ApplicationHandlerStop

from handlers.actions import strangers, table
from handlers.actions.menus import publish_to
from handlers.actions.tools import Tools
from handlers.context import Context
from handlers.incoming.access import Right, Standing
from handlers.incoming.addressing import command, is_from_a_person, is_spoken_to
from handlers.incoming.membership import met
from handlers.turn.press import Press
from handlers.turn.where import is_company, is_private


async def guard(tools: Tools, context: Context) -> None:
    """Ignore other bots, and all where the bot is silent; tell people who are not allowed.

    Only if they spoke to the bot.
    """
    update = context.received
    query, message = update.callback_query, update.message or update.edited_message
    pressed = query.message if query else None
    if isinstance(pressed, Message) and table.is_silent(pressed, context.turn.settings):
        await context.answer_press()
        raise ApplicationHandlerStop
    if message and not is_from_a_person(message):
        raise ApplicationHandlerStop
    standing = Standing.ALLOWED
    if query or message:
        listed = await context.turn.admission.listed()
        standing = await tools.access.standing(update, listed)
    if standing is not Standing.ALLOWED:
        if update.message and _opts_out(update.message, context.bot.bot, standing):
            return
        if query:
            await context.answer_press(context.texts.stranger.format(id=query.from_user.id))
        if query or not update.message or not await strangers.receive(tools, context, standing):
            raise ApplicationHandlerStop
    if chat := update.effective_chat:
        await _use(tools, context, chat)


def _opts_out(message: Message, me: User, standing: Standing) -> bool:
    """Tell whether a message only says what the bot is to spare somebody whom it does not answer.

    A chat with somebody who is shut out is spared everything already.
    """
    name, *arguments = command(message, me) or [""]
    row = table.find(name, arguments)
    if row is None or not row.opts_out:
        return False
    return is_company(message) or (row.menus != table.IN_GROUPS and standing is Standing.STRANGER)


async def _use(tools: Tools, context: Context, chat: Chat) -> None:
    """Note that the bot is used in a chat; an owner's gets its menu, if that waits for it."""
    known = met(chat, context.turn.chat)
    context.turn.use(replace(known, language=context.texts.language))
    if is_private(chat) and chat.id in tools.menuless:
        tools.menuless.discard(chat.id)
        if not await publish_to(context.bot, chat.id, tools.operation.menus, tools.language):
            tools.menuless.add(chat.id)


async def obey(tools: Tools, context: Context) -> None:
    """Run a command, or say why not."""
    name, *arguments = command(context.message, context.bot.bot)
    row = table.find(name, arguments)
    message, chosen = context.message, context.turn.settings
    if row is None:
        await unknown(tools, context)
    elif not row.is_heard(message, chosen):
        return
    elif not (row.judges or await _may(tools, context, row.right)):
        if not table.is_silent(message, chosen):
            await context.say(row.refusal(context.texts))
    elif row.private and not is_private(context.message.chat):
        await context.say(context.texts.only_in_private)
    else:
        await row.act(tools, context)


async def unknown(_tools: Tools, context: Context) -> None:
    """Say that there is no such command, if it was for this bot."""
    message, me, chosen = context.message, context.bot.bot, context.turn.settings
    if is_spoken_to(message, me, chosen):
        await context.say(context.texts.unknown_command)


async def press(tools: Tools, context: Context) -> None:
    """Run a button's action, if it still applies."""
    query, texts = context.received.callback_query, context.texts
    button = table.BUTTONS.get(str(query.data).partition(":")[0]) if query else None
    if not query or not button or not isinstance(query.message, Message):
        await context.answer_press(texts.old_button)
    elif button.judges:
        await button.act(tools, context)
    elif said := Press.parse(query.data):
        await _press_under_an_answer(tools, context, button, said)
    else:
        await context.answer_press(texts.old_button)


async def _press_under_an_answer(
    tools: Tools, context: Context, button: table.Button, said: Press
) -> None:
    texts = context.texts
    past = context.turn.past
    if button.about_the_last and (past.asked != said.exchange or not past.exchanges):
        await context.answer_press(texts.old_button)
    elif button.once and past.revision != said.revision:
        await context.answer_press()  # pressed before the answer changed
    elif not await _may(tools, context, button.right):
        await context.answer_press(button.refusal(texts))
    elif button.private and not is_private(context.message.chat):
        await context.answer_press(texts.only_in_private)
    else:
        await button.act(tools, context)


async def _may(tools: Tools, context: Context, right: Right) -> bool:
    past = context.turn.past if right is Right.ASKER else None
    asker = past.exchanges[-1].question.sender if past and past.exchanges else 0
    query = context.received.callback_query
    person = query.from_user if query else None
    everybody = context.turn.settings.reset == "everybody"
    may = await tools.access.permits(
        right, context.message, person, asker=asker, everybody=everybody
    )
    if context.turn.barred:  # while Telegram said who is an admin
        raise ApplicationHandlerStop
    return may
