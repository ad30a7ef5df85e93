"""What people send: a question with its attachments, or something that cannot be read."""

import asyncio
import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from telegram import Document, Message, Update

from handlers.actions import table
from handlers.actions.ask import Question, ask
from handlers.actions.tools import Tools
from handlers.context import Context, process
from handlers.incoming.addressing import (
    command,
    has_words,
    is_answered,
    question,
    said,
    writer,
)
from handlers.incoming.burst import collected, glued, is_own
from handlers.incoming.documents import DocumentError
from handlers.incoming.quotation import forwarded_from, quotation
from handlers.incoming.words import told
from handlers.outgoing.leftover import put_right
from handlers.outgoing.say import say
from storage.history import Past
from storage.message import Message as Said
from storage.message import Part

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
    addressed = [part for part in parts if is_answered(part, me, turn.settings)]
    if not addressed:
        return
    message = next(filter(is_own, addressed), addressed[0])
    past = turn.past
    await put_right(message.reply_to_message, past, turn)
    if not any(map(has_words, parts)):
        await say(message, turn, texts.only_text)
        return
    words = [str(await _words(tools, context, part, past)) for part in parts]
    asked, joined = glued(parts, words)
    if asked:
        new = replace(_said(message, asked, parts), parts=joined if joined[1:] else ())
        await ask(tools, context, Question(message, new, past, message.message_id))
    else:
        await say(message, turn, texts.empty_question.format(name=me.username))


async def on_edit(tools: Tools, context: Context) -> None:
    """Ask the edited last question again; the new answer replaces the old one."""
    message, turn = context.message, context.turn
    if not is_answered(message, context.bot.bot, turn.settings):
        return
    past = turn.past
    part = _part_of_last(message, past)
    if part is None and not _is_newest(message, past):
        return  # older questions stay as they are, and forgotten ones must not come back
    words = await _words(tools, context, message, past)
    if not (asked := str(words)):
        return
    new, number = _said(message, asked, [message]), message.message_id
    if part is not None:
        last, number = past.exchanges[-1].question, past.asked
        # Telegram also reports edits that nobody sees, and what it quotes may have changed.
        if _says(last.text[part.start : part.end], words.own):
            return
        if last.parts:
            new = replace(new, quoted=last.quoted, **_with(last, part, asked))
        await turn.replaces(past.answer_ids)
    await ask(tools, context, Question(message, new, past, number, replaces=part is not None))


def _part_of_last(message: Message, past: Past) -> Part | None:
    """Return which part of the last question a message is; None if it is none."""
    if not past.exchanges or not past.asked:
        return None
    last = past.exchanges[-1].question
    parts = last.parts or (Part(past.asked, 0, len(last.text)),)
    return next((part for part in parts if part.number == message.message_id), None)


def _with(last: Said, edited: Part, words: str) -> dict[str, Any]:
    """Return the text and the parts of a question in which one part has other words now."""
    before, after = last.text[: edited.start], last.text[edited.end :]
    if edited.start == edited.end:  # it had none, and so is not set apart yet
        before, after = (f"{before}\n\n", after) if before else ("", f"\n\n{after}")
    text, start = before + words + after, len(before)
    at, grown = last.parts.index(edited), len(text) - len(last.text)
    behind = (
        Part(part.number, part.start + grown, part.end + grown) for part in last.parts[at + 1 :]
    )
    changed = Part(edited.number, start, start + len(words))
    return {"text": text, "parts": (*last.parts[:at], changed, *behind)}


async def on_edited_command(_tools: Tools, context: Context) -> None:
    """Run a command that was mistyped at first, if nothing was asked or forgotten since.

    Not one that changes anything: see `table.Command.shows`.
    """
    message, past = context.message, context.turn.past
    name, *arguments = command(message, context.bot.bot) or [""]
    row = table.find(name, arguments)
    if row and not row.shows:
        return
    if message.message_id == past.asked or _is_newest(message, past):
        corrected = Update(context.received.update_id, message=message)
        profiles = context.profile, context.defaults
        await process(context.application, corrected, context.turn, *profiles)


async def _words(tools: Tools, context: Context, message: Message, past: Past) -> Words:
    """Return what one message asks, with its attachments. Raises a `DocumentError`."""
    known, without_file, texts = {past.asked, *past.answer_ids}, False, context.texts
    if has_words(message):
        own = question(message, context.bot.bot, texts, context.turn.settings.names)
    else:
        own = told(message.to_dict(), texts)
    if author := forwarded_from(message):
        own = f"{texts.forwarded.format(author=author)}\n{own}"
    if not own:  # just the bot's name, which asks about what it replies to
        known = set()
    replied = message.reply_to_message
    if message.document and has_words(message):
        own = await _with_file(tools, context, message.document, own)
    elif replied and replied.document and replied.message_id not in known:
        with contextlib.suppress(DocumentError):  # the reply is the question
            own = await _with_file(tools, context, replied.document, own)
            without_file = True
    return Words(quotation(message, known, texts, without_file=without_file), own)


async def _with_file(tools: Tools, context: Context, file: Document, question: str) -> str:
    """Put a file's text before a question, unless the turn is cut short meanwhile."""
    fetch = tools.documents.fetch(file, question, writer(context.message))
    fetching = asyncio.create_task(fetch)
    return fetching.result() if await context.turn.unless_interrupted(fetching) else question


def _said(message: Message, asked: str, parts: Sequence[Message]) -> Said:
    """Make the history's entry for what messages ask together; they quote what they reply to."""
    replied = [part.reply_to_message for part in parts if part.reply_to_message]
    # In a topic, what replies to nothing "replies" to the topic's first message.
    quoted = tuple(one.message_id for one in replied if not one.forum_topic_created)
    return replace(said(message, asked), quoted=quoted)


def _is_newest(message: Message, past: Past) -> bool:
    """Tell whether a message came after the last question, and after what was forgotten."""
    return message.message_id > max(past.asked, past.floor)


def _says(asked: str, words: str) -> bool:
    """Tell whether a question has these words, alone or as a comment.

    A quotation, a forward or a file may be before it; the latter two also after it.
    """
    if not words:  # just the bot's name: a quotation was all there was
        return all(line.startswith("> ") for line in asked.split("\n"))
    before, after = asked.removesuffix(f"\n\n{words}"), asked.removeprefix(f"{words}\n\n")
    if before != asked and (before.startswith("> ") or ATTACHED.match(before)):
        return True
    return asked == words or (after != asked and bool(ATTACHED.match(after)))
