"""What people send: a question with its attachments, or something that cannot be read."""

import contextlib
import re
from dataclasses import dataclass

from telegram import Message, Update

from handlers.actions.ask import Question, ask
from handlers.actions.tools import Tools
from handlers.context import Context, process
from handlers.incoming.addressing import has_words, is_addressed, question, said
from handlers.incoming.burst import collected, glued, is_own
from handlers.incoming.documents import DocumentError
from handlers.incoming.quotation import forwarded_from, quotation
from handlers.incoming.words import told
from handlers.outgoing.leftover import put_right
from handlers.outgoing.say import say
from storage.history import Past

ATTACHED = re.compile(r"\(.+\)\n|\[.+\]\n`{3}")
"""How a forward and a file begin in a question."""


@dataclass(frozen=True, slots=True)
class Words:
    """What a message asks, and a quotation of what it refers to; each may be ""."""

    quoted: str
    own: str

    def __str__(self) -> str:
        return f"{self.quoted}\n\n{self.own}".strip() if self.quoted else self.own


async def on_message(tools: Tools, context: Context) -> None:
    """Answer a message for the bot; if it has no words, say so."""
    turn, texts, me = context.turn, context.texts, context.bot.bot
    # A forward may come before its comment; in a group only the comment names the bot.
    parts = await collected(context.message, turn)
    addressed = [part for part in parts if is_addressed(part, me)]
    if not addressed:
        return
    message = next(filter(is_own, addressed), addressed[0])
    past = turn.past
    await put_right(message.reply_to_message, past, turn)
    if not any(map(has_words, parts)):
        await say(message, turn, texts.only_text)
        return
    words = [str(await _words(tools, context, part, past)) for part in parts]
    if asked := glued(parts, words):
        new = said(message, asked)
        await ask(tools, context, Question(message, new, past, message.message_id))
    else:
        await say(message, turn, texts.empty_question.format(name=me.username))


async def on_edit(tools: Tools, context: Context) -> None:
    """Ask the edited last question again; the new answer replaces the old one."""
    message, turn = context.message, context.turn
    if not is_addressed(message, context.bot.bot):
        return
    past = turn.past
    is_last = message.message_id == past.asked and bool(past.exchanges)
    if not is_last and not _is_newest(message, past):
        return  # older questions stay as they are, and forgotten ones must not come back
    words = await _words(tools, context, message, past)
    # Telegram also reports edits that nobody sees, and what it quotes may have changed.
    changed = not is_last or not _says(past.exchanges[-1].question.text, words.own)
    if (asked := str(words)) and changed:
        if is_last:
            await turn.replaces(past.answer_ids)
        new, number = said(message, asked), message.message_id
        await ask(tools, context, Question(message, new, past, number, replaces=is_last))


async def on_edited_command(_tools: Tools, context: Context) -> None:
    """Run a command that was mistyped at first, if nothing was asked or forgotten since."""
    message = context.message
    past = context.turn.past
    if message.message_id == past.asked or _is_newest(message, past):
        corrected = Update(context.received.update_id, message=message)
        await process(context.application, corrected, context.turn, context.profile)


async def _words(tools: Tools, context: Context, message: Message, past: Past) -> Words:
    """Return what one message asks, with its attachments. Raises a `DocumentError`."""
    known, without_file, texts = {past.asked, *past.answer_ids}, False, context.texts
    if has_words(message):
        own = question(message, context.bot.bot, texts)
    else:
        own = told(message.to_dict(), texts)
    if author := forwarded_from(message):
        own = f"{texts.forwarded.format(author=author)}\n{own}"
    replied = message.reply_to_message
    if message.document and has_words(message):
        own = await tools.documents.fetch(message.document, own, _writer(message))
    elif replied and replied.document and replied.message_id not in known:
        with contextlib.suppress(DocumentError):  # the reply is the question
            own = await tools.documents.fetch(replied.document, own, _writer(message))
            without_file = True
    return Words(quotation(message, known, texts, without_file=without_file), own)


def _writer(message: Message) -> int:
    """Return the id of a message's author: a person, or a chat in whose name somebody writes."""
    return (message.sender_chat or message.from_user or message.chat).id


def _is_newest(message: Message, past: Past) -> bool:
    """Tell whether a message came after the last question, and after what was forgotten."""
    return message.message_id > max(past.asked, past.floor)


def _says(asked: str, words: str) -> bool:
    """Tell whether a question has these words, alone or as a comment.

    A quotation, a forward or a file may be before it; the latter two also after it.
    """
    before, after = asked.removesuffix(f"\n\n{words}"), asked.removeprefix(f"{words}\n\n")
    if before != asked and (before.startswith("> ") or ATTACHED.match(before)):
        return True
    return asked == words or (after != asked and bool(ATTACHED.match(after)))
