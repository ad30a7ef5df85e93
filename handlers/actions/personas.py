"""Who the bot is: its personas, and the questions with which one begins."""

import re

from handlers.actions import menu, settings
from handlers.actions.ask import Question, ask
from handlers.actions.menu import View
from handlers.actions.tools import Tools
from handlers.context import Context
from handlers.dialogue.personas import spoken
from handlers.incoming.access import asked_by
from handlers.outgoing.say import without_buttons
from handlers.rendering.markup import MAX_CHARACTERS, Chunk
from handlers.turn.reply import Button, Reply
from handlers.turn.where import is_company
from storage.chat_settings import When

_FIRST = re.compile(r"ask:([a-z][a-z0-9_]*):([a-z]+):([0-2])")


async def show(tools: Tools, context: Context) -> None:
    """Show who the bot can be."""
    if "persona" in tools.locked:
        await context.say(context.texts.setting_is_locked)
    else:
        await context.reply(_offered(await settings.view(tools, context, context.turn.lane)))


async def become(tools: Tools, context: Context) -> None:
    """Become the persona that was pressed, and greet."""
    choice = await settings.pressed(context)
    if choice and choice.setting == "persona":
        await settings.obey(tools, context, choice, _offered, _greeting)
    elif choice:
        await context.answer_press(context.texts.old_button)


async def begin(tools: Tools, context: Context) -> None:
    """Ask one of a persona's first questions, as if the person had written it."""
    message, past = context.message, context.turn.past
    query = context.received.callback_query
    found = _FIRST.fullmatch(str(query.data)) if query else None
    persona = tools.personas.get(found[1]) if found else None
    # The greeting's number is the question's: of those under it, only one can be asked.
    mute = is_company(message) and context.turn.settings.when is When.COMMANDS
    if not found or not persona or mute or past.asked == message.message_id:
        await context.answer_press(context.texts.old_button)
        return
    await context.answer_press()
    await without_buttons(message, context.turn)
    text = spoken(persona.questions, found[2])[int(found[3])]
    asked = await asked_by(message, text, context.received.effective_user)
    await ask(tools, context, Question(message, asked, past, message.message_id))


def _offered(seen: View) -> Reply:
    texts = seen.texts
    words = [
        f"{spoken(one.name, texts.language)} — {spoken(one.about, texts.language)}"
        for one in seen.personas.values()
    ]
    text = "\n\n".join([texts.persona_choose, "\n".join(words)])
    if len(text) > MAX_CHARACTERS:
        text = texts.persona_choose
    return Reply([Chunk(text, ())], menu.buttons(seen, menu.PERSONA, "be"))


def _greeting(seen: View) -> Reply:
    """Say who the bot is now; by default a topic's is what its group has chosen."""
    texts = seen.texts
    persona = seen.personas.get(seen.value(menu.PERSONA))
    if prompt := seen.chosen.settings.without(seen.locked).prompt:
        return Reply([Chunk(seen.by_whom(texts.prompt_of_group.format(prompt=prompt)), ())])
    if persona is None:
        return Reply([Chunk(seen.by_whom(texts.persona_usual), ())])
    language = texts.language
    told = seen.by_whom(texts.persona_chosen.format(name=spoken(persona.name, language)))
    questions = spoken(persona.questions, language)
    keys = [
        Button(question, f"ask:{persona.key}:{language}:{place}", place)
        for place, question in enumerate(questions)
    ]
    return Reply([Chunk(f"{told}\n\n{spoken(persona.greeting, language)}", ())], keys)
