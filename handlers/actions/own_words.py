"""What a chat gives the bot in its own words: an instruction, and names."""

from handlers.actions import menu, settings
from handlers.actions.menu import View
from handlers.actions.tools import Tools
from handlers.context import Context
from handlers.rendering.markup import Chunk
from handlers.turn.press import Choice
from handlers.turn.reply import Button, Reply
from handlers.turn.where import is_company
from storage.change import Chosen, Outdated
from storage.chat_settings import LONGEST_NAME, MOST_NAMES, MOST_PROMPT, names


async def show_prompt(tools: Tools, context: Context) -> None:
    """Show the chat's own instruction."""
    await context.reply(_prompt(await settings.view(tools, context, context.turn.lane)))


async def set_prompt(tools: Tools, context: Context) -> None:
    """Take an instruction of the chat's own."""
    texts, prompt = context.texts, _given(context)
    if len(prompt) > MOST_PROMPT:
        longest = texts.number(MOST_PROMPT)
        await context.say(texts.counted(texts.prompt_too_long, len(prompt), longest=longest))
    else:
        await _set(tools, context, "prompt", prompt, texts.prompt_set)


async def clear_prompt(tools: Tools, context: Context) -> None:
    """Drop the instruction."""
    await _set(tools, context, "prompt", "")


async def show_names(tools: Tools, context: Context) -> None:
    """Show the names that the bot also answers to."""
    if is_company(context.message):
        await context.reply(_names(await settings.view(tools, context, context.turn.lane)))
    else:
        await context.say(context.texts.names_are_for_groups)


async def set_names(tools: Tools, context: Context) -> None:
    """Take names for the bot."""
    texts = context.texts
    try:
        found = names(_given(context))
    except ValueError:
        wrong = texts.names_wrong.format(longest=LONGEST_NAME, most=MOST_NAMES)
        await context.say(wrong if is_company(context.message) else texts.names_are_for_groups)
        return
    told = texts.names_set.format(names=", ".join(found))
    await _set(tools, context, "names", "\n".join(found), told)


async def clear_names(tools: Tools, context: Context) -> None:
    """Drop the names."""
    await _set(tools, context, "names", "")


async def clear(tools: Tools, context: Context) -> None:
    """Drop what the button is under."""
    texts, choice = context.texts, await settings.pressed(context)
    if choice is None:
        return
    shown = {"prompt": _prompt, "names": _names}.get(choice.setting)
    if shown is None or choice.value:
        await context.answer_press(texts.old_button)
    else:

        def done(seen: View) -> Reply:
            return Reply([Chunk(seen.by_whom(_cleared(seen, choice.setting)), ())])

        await settings.obey(tools, context, choice, shown, done)


async def _set(tools: Tools, context: Context, name: str, value: str, told: str = "") -> None:
    """Change a setting of this conversation, whatever it was; without a value, say what holds."""
    if name in tools.locked:
        await context.say(context.texts.setting_is_locked)
    elif name == "names" and not is_company(context.message):
        await context.say(context.texts.names_are_for_groups)
    else:
        chat = context.turn.lane
        seen = await settings.view(tools, context, chat)
        values = menu.written(seen.chosen, name, value)
        change = Chosen(chat, values, seen.chosen.version)
        try:
            await context.say(told or _cleared(seen.changed(values), name), change)
        except Outdated:  # in a menu, meanwhile: what is written with the value may be another
            await _set(tools, context, name, value, told)
        else:
            settings.note(context, chat, values)


def _given(context: Context) -> str:
    """Return the text behind a command, as it was written."""
    _, *given = (context.message.text or "").split(maxsplit=1)
    return given[0].strip() if given else ""


def _prompt(seen: View) -> Reply:
    texts, prompt = seen.texts, seen.chosen.settings.without(seen.locked).prompt
    told = texts.prompt_shown.format(prompt=prompt) if prompt else texts.prompt_none
    return _shown(seen, "prompt", told)


def _names(seen: View) -> Reply:
    texts, found = seen.texts, seen.chosen.settings.without(seen.locked).names
    told = texts.names_shown.format(names=", ".join(found)) if found else texts.names_none
    return _shown(seen, "names", told)


def _cleared(seen: View, name: str) -> str:
    """Say that this is cleared, or what a topic has of its group then."""
    texts, holds = seen.texts, seen.chosen.settings.without(seen.locked)
    if name == "names":
        of_group = texts.names_of_group.format(names=", ".join(holds.names or ()))
        return of_group if holds.names else texts.names_cleared
    return (
        texts.prompt_of_group.format(prompt=holds.prompt) if holds.prompt else texts.prompt_cleared
    )


def _shown(seen: View, name: str, told: str) -> Reply:
    """Show something that can be cleared if it is this chat's own."""
    if name in seen.locked:
        return Reply([Chunk(seen.texts.setting_is_locked, ())])
    data = Choice("clear", seen.chosen.chat, seen.chosen.version, name, "")
    button = Button(seen.texts.clear_button, str(data))
    return Reply([Chunk(told, ())], [button] if seen.chosen.own.get(name) else [])
