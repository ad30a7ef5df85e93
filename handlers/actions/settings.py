"""The settings of a chat: the menu, and what a press in it does."""

from collections.abc import Callable
from dataclasses import replace

import structlog
from telegram.error import TelegramError
from telegram.ext import ApplicationHandlerStop

from handlers.actions import menu
from handlers.actions.menu import View
from handlers.actions.naming import shown as shown_name
from handlers.actions.tools import Tools
from handlers.context import Context
from handlers.incoming.access import is_anonymous
from handlers.incoming.addressing import name_of
from handlers.outgoing.delivery import Delivery
from handlers.outgoing.pacing import Effect, Kind
from handlers.outgoing.post import post
from handlers.rendering.markup import Chunk
from handlers.texts import Texts, texts_for
from handlers.turn.press import Choice
from handlers.turn.reply import Button, Reply
from handlers.turn.where import is_company
from storage.budget import Frozen
from storage.change import Chosen, Outdated
from storage.chat_settings import ChatSettings, When
from storage.message import ChatKey

log = structlog.get_logger()

GENERAL = "1"
"""What Telegram's links call the topic that a message without one is in."""
LONGEST_TITLE = 128
"""Characters, as Telegram has it."""

Draw = Callable[[View], Reply]


async def show(tools: Tools, context: Context) -> None:
    """Show the settings; those of a group open in its admin's private chat."""
    lane, texts = context.turn.lane, context.texts
    if not is_company(context.message):
        await context.reply(menu.page(await view(tools, context, lane)))
        return
    chat = str(lane).replace(":", "_")
    link = f"https://t.me/{context.bot.username}?start=settings_{chat}"
    button = Button(texts.settings_button, link)
    await context.reply(Reply([Chunk(texts.settings_in_private, ())], [button]))


async def open_(tools: Tools, context: Context) -> None:
    """Open the settings of the group that a deep link names; in a group, its own link to them."""
    if is_company(context.message):
        if await _governs(tools, context, context.turn.lane):
            await show(tools, context)
        else:
            await context.say(context.texts.settings_are_for_admins)
        return
    chat, _, topic = (context.args or [""])[0].removeprefix("settings_").partition("_")
    number = 0 if topic == GENERAL else int(topic or 0)
    seen = await view(tools, context, ChatKey(int(chat), number))
    if await _governs(tools, context, seen.chosen.chat):
        await context.reply(menu.page(seen))
    else:
        await context.say(context.texts.settings_are_for_admins)


async def press(tools: Tools, context: Context) -> None:
    """Turn a page of the menu, or choose what a button says."""
    if choice := await pressed(context):
        await obey(tools, context, choice, lambda seen: menu.page(seen, choice.setting), menu.page)


async def pressed(context: Context) -> Choice | None:
    """Read what was pressed; None if that is no button of ours, which the person is told."""
    query = context.received.callback_query
    choice = Choice.parse(query.data) if query else None
    if choice is None:
        await context.answer_press(context.texts.old_button)
    return choice


async def view(tools: Tools, context: Context, chat: ChatKey) -> View:
    """Look at the settings of a chat, or of the supergroup that it has become."""
    message, owners = context.message, context.defaults
    chosen = await context.turn.chosen(chat)
    here = chosen.chat.chat_id == message.chat_id
    defaults = ChatSettings(
        temperature=owners.temperature,
        length=owners.max_tokens,
        when=When.ADDRESSED,
        reset="admins",
        hears=0,
        streaming=tools.streaming,
        buttons=tools.buttons,
    )
    return View(
        context.texts,
        chosen,
        defaults,
        tools.personas,
        tools.locked,
        is_company(message) if here else True,
        "" if here else await _title(context, chosen.chat.chat_id),
    )


async def summary(tools: Tools, context: Context) -> str:
    """Say what a group has chosen of what its members should know."""
    seen = await view(tools, context, context.turn.lane)
    found = [menu.find(seen, name) for name in ("when", "names", "reset")]
    return "\n".join(seen.told(one) for one in found if one and seen.value(one))


async def obey(tools: Tools, context: Context, choice: Choice, shown: Draw, done: Draw) -> None:
    """Choose what was pressed, and draw ``done``; without a change, draw what is ``shown``.

    Whether the person may is asked when there is nothing else to wait for.
    """
    texts, seen = context.texts, await view(tools, context, choice.chat)
    if choice.value is not None:
        seen = replace(seen, person=await _person(context, seen))
    await context.turn.replaces((context.message.message_id,))
    if not await _governs(tools, context, seen.chosen.chat):
        await context.answer_press(texts.settings_are_for_admins)
        return
    setting, version = menu.find(seen, choice.setting), seen.chosen.version
    if choice.value is None:
        await _draw(context, shown(seen))
    elif setting is None or (values := menu.change(seen, setting, choice.value)) is None:
        await context.answer_press(texts.old_button)
    elif setting.name in tools.locked:
        await context.answer_press(texts.setting_is_locked)
    elif choice.version != version or not await _changed(tools, context, seen, values, done):
        now = seen if choice.version != version else await view(tools, context, choice.chat)
        await _draw(context, shown(now), texts.settings_outdated)


async def _person(context: Context, seen: View) -> str:
    """Return the name of who has pressed; "" if they are anonymous among the others there."""
    person, chat = context.received.effective_user, seen.chosen.chat.chat_id
    if person is None or (seen.company and await is_anonymous(context.bot, chat, person)):
        return ""
    return shown_name(name_of(person)) or str(person.id)


async def _governs(tools: Tools, context: Context, chat: ChatKey) -> bool:
    """Ask whether the person may set up a chat, unless an owner shuts them out meanwhile."""
    query = context.received.callback_query
    may = await tools.access.governs(chat, context.message, query.from_user if query else None)
    if context.turn.barred:
        raise ApplicationHandlerStop
    return may


async def _draw(context: Context, reply: Reply, toast: str | None = None) -> None:
    await context.reply(reply)
    await context.answer_press(toast)


async def _changed(
    tools: Tools, context: Context, seen: View, values: menu.Values, done: Draw
) -> bool:
    """Change settings, unless they have changed since they were ``seen``, and say so."""
    chosen, new = seen.chosen, seen.changed(values)
    if chosen.chat.chat_id == context.message.chat_id:
        new = replace(new, texts=_texts_there(tools, context, new))
    reply, notice = done(new), _notice(tools, context, new, next(iter(values)))
    inherited = ChatSettings.parse(chosen.above, chosen.chat).hears or 0
    change = Chosen(chosen.chat, values, chosen.version, notice, inherited, _by(context))
    try:
        await context.turn.keep(reply, change)
    except Outdated:
        return False
    note(context, chosen.chat, values)
    await context.answer_press(context.texts.settings_saved)
    await Delivery(context.message, context.turn).finish(reply)
    return True


def note(context: Context, chat: ChatKey, values: menu.Values) -> None:
    """Log who has changed what; never what was written."""
    chat_id, topic, by = chat.chat_id, chat.topic_id, _by(context)
    log.info("settings_changed", chat=chat_id, topic=topic, by=by, settings=[*values])


def _by(context: Context) -> int:
    person = context.received.effective_user
    return person.id if person else 0


def _notice(tools: Tools, context: Context, seen: View, name: str) -> str:
    """Return what a group is told when its settings are changed elsewhere; "" if that is here."""
    setting = menu.find(seen, name)
    if seen.chosen.chat.chat_id == context.message.chat_id or not setting:
        return ""
    texts = _texts_there(tools, context, seen)
    there = replace(seen, texts=texts)
    line = there.by_whom(f"{there.told(setting)}.")
    number = seen.chosen.settings.without(tools.locked).hears
    if name == "hears" and number:
        line += " " + texts.hears_from_now_on.format(number=number)
    return line


def _texts_there(tools: Tools, context: Context, seen: View) -> Texts:
    """Return the words in which the person is spoken to in the chat whose settings are seen.

    If that has not chosen a language, it is theirs; their own chat may be choosing one just now.
    """
    language = seen.chosen.settings.without(tools.locked).language
    own = context.texts.language if seen.company else None
    person = context.received.effective_user
    return texts_for(person, language, own, default=tools.language)


async def _title(context: Context, chat_id: int) -> str:
    """Return a group's name, or its id where Telegram does not say it, or nothing of it is seen."""
    effect = Effect(Kind.OTHER, hold=None)
    try:
        # As JSON: the library refuses an answer in which anything is missing.
        found = await post(context.bot, "getChat", {"chat_id": chat_id}, effect)
    except (TelegramError, Frozen) as error:
        log.info("no_title", chat=chat_id, reason=str(error))
        found = None
    title = found.get("title") if isinstance(found, dict) else None
    return (isinstance(title, str) and shown_name(title, LONGEST_TITLE)) or str(chat_id)
