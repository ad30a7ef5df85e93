"""What people do with answers: retry, continue, undo, forget; by commands and buttons."""

from handlers.actions.ask import Question, ask
from handlers.actions.tools import Tools
from handlers.context import Context
from handlers.dialogue.speakers import labelled
from handlers.incoming.access import asked_by
from handlers.outgoing.leftover import put_right
from handlers.turn.reply import Reply
from handlers.turn.where import is_company
from storage.change import Restored, Undone
from storage.history import Past

# -- Commands


async def retry(tools: Tools, context: Context) -> None:
    """Ask the last question again; the new answer replaces the old one."""
    past = context.turn.past
    if past.exchanges:
        await ask(tools, context, _again(context, past, past.asked or context.message.message_id))
    else:
        await context.say(context.texts.nothing_to_repeat)


async def undo(_tools: Tools, context: Context) -> None:
    """Take back the last exchange; without one, restore what was forgotten."""
    number = context.message.message_id
    if context.turn.past.length:
        await context.say(context.texts.undone, Undone(number))
    elif await context.turn.can_be_restored():
        await context.say(context.texts.restored, Restored(number))
    else:
        await context.say(context.texts.nothing_to_undo)


async def measure(tools: Tools, context: Context) -> None:
    """Tell how much of the model's window the conversation uses, and what is left out."""
    texts, named = context.texts, labelled if is_company(context.message) else tuple
    chat_id, past = context.turn.lane.chat_id, context.turn.past
    found = await tools.conversation.measure(context.profile, chat_id, past, named)
    tokens = texts.number(found.tokens)
    text = texts.counted(texts.context, found.window, tokens=tokens)
    text += " " + texts.counted(texts.context_turns, found.turns)
    if found.left_out:
        text += "\n" + texts.counted(texts.context_left_out, found.left_out)
    await context.say(text)


# -- Buttons, under the last answer


async def stopped(_tools: Tools, context: Context) -> None:
    """Confirm a press of ■ Stop: the answer was cut short when it came in."""
    await context.answer_press(context.texts.stopped)
    past = context.turn.past
    await put_right(context.message, past, context.turn)


async def again(tools: Tools, context: Context) -> None:
    """Ask the last question again; the new answer replaces the old one on the screen, too."""
    past = context.turn.past
    await context.answer_press()
    await context.turn.replaces(past.answer_ids or (context.message.message_id,))
    await ask(tools, context, _again(context, past, past.asked))


async def go_on(tools: Tools, context: Context) -> None:
    """Let the model continue an answer that was cut."""
    past = context.turn.past
    await context.answer_press()
    person = context.received.effective_user
    more = await asked_by(context.message, context.texts.continue_question, person)
    # No message asks it, so its number is that of the answer it continues.
    await ask(tools, context, Question(context.message, more, past, context.message.message_id))


async def forget(_tools: Tools, context: Context) -> None:
    """Take back the last exchange, on the screen, too."""
    past = context.turn.past
    await context.answer_press(context.texts.undone)
    await context.turn.replaces(past.answer_ids or (context.message.message_id,))
    await context.reply(Reply([]), Undone(context.message.message_id))


def _again(context: Context, past: Past, asked: int) -> Question:
    question = past.exchanges[-1].question
    return Question(context.message, question, past, asked, replaces=True)
