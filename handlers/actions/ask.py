"""A text meant for the bot: to the dialogue, and its answer back as it grows."""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from telegram import Message, Update, User
from telegram.ext import ContextTypes

from handlers.actions.failures import not_delivered, sentence
from handlers.dialogue.completion import Answer, CompletionError
from handlers.dialogue.conversation import Conversation, Outcome
from handlers.dialogue.speakers import labelled
from handlers.incoming.addressing import has_words, is_addressed, question, said
from handlers.incoming.burst import collected, glued, is_own
from handlers.incoming.documents import DocumentError, Documents
from handlers.incoming.quotation import forwarded_from, quotation
from handlers.incoming.words import told
from handlers.outgoing.leftover import put_right
from handlers.outgoing.preview import Preview, Streaming
from handlers.outgoing.say import reply_with, say
from handlers.rendering.markup import MAX_CHARACTERS, Chunk, render
from handlers.texts import Texts, texts_for
from handlers.turn import Button, Piece, Reply, current
from handlers.where import chat_key, is_company
from storage.change import Kept, Left
from storage.history import Past
from storage.message import Message as Said
from storage.message import Role

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, by whom and where: ``message`` is the one that is answered.

    ``asked`` is the number by which the exchange is known under buttons and edits; ``replaces``
    says that it takes the place of the last exchange of ``past``.
    """

    message: Message
    texts: Texts
    said: Said
    past: Past
    asked: int
    replaces: bool = False

    def worded(self) -> tuple[Sequence[Said], str]:
        """Give what was said before it, and the question, as the model is told them."""
        before = self.past.messages[:-2] if self.replaces else self.past.messages
        if not is_company(self.message):
            return before, self.said.text
        *told, asked = labelled([*before, self.said])
        return told, asked.text

    @property
    def revision(self) -> int:
        """How often it was answered before."""
        return self.past.revision + 1 if self.replaces else 0


@dataclass(frozen=True, slots=True)
class Words:
    """What a message asks, and the quotation of what it refers to; each may be ""."""

    quoted: str
    own: str

    def __str__(self) -> str:
        return f"{self.quoted}\n\n{self.own}".strip() if self.quoted else self.own


class Chat:
    """Answers questions with what the model says."""

    def __init__(self, conversation: Conversation, streaming: Streaming, *, buttons: bool) -> None:
        """``buttons`` says whether there are any under an answer."""
        self.conversation = conversation
        self._documents = Documents()
        self._streaming = streaming
        self._buttons = buttons

    async def on_message(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Answer a message that is meant for the bot; if there are no words in it, say so."""
        if update.message is None:
            return
        # What a comment is on may come first; in a group it is the comment that is addressed.
        parts = await collected(update.message, current.get())
        addressed = [part for part in parts if is_addressed(part, context.bot.bot)]
        if not addressed:
            return
        message = next(filter(is_own, addressed), addressed[0])
        texts = texts_for(message.from_user)
        past = await self.conversation.recall(chat_key(message))
        await put_right(message.reply_to_message, past, current.get())
        if not any(map(has_words, parts)):
            await say(message, texts.only_text)
            return
        words = [await self._words(part, context.bot.bot, texts, past) for part in parts]
        asked = glued(parts, list(map(str, words)))
        if not asked:
            await say(message, texts.empty_question.format(name=context.bot.username))
            return
        await self.ask(Question(message, texts, said(message, asked), past, message.message_id))

    async def _words(self, message: Message, me: User, texts: Texts, past: Past) -> Words:
        """Give what one message asks, with what is attached to it. Raises a `DocumentError`."""
        known, without_file = {past.asked, *past.answer}, False
        own = question(message, me, texts) if has_words(message) else told(message.to_dict(), texts)
        if author := forwarded_from(message):
            own = f"{texts.forwarded.format(author=author)}\n{own}"
        if message.document and has_words(message):
            own = await self._documents.fetch(message.document, own, _writer(message))
        elif (
            (replied := message.reply_to_message)
            and replied.document
            and replied.message_id not in known
        ):
            with contextlib.suppress(DocumentError):  # it is the reply that is asked
                own = await self._documents.fetch(replied.document, own, _writer(message))
                without_file = True
        return Words(quotation(message, known, texts, without_file=without_file), own)

    async def on_edit(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Ask again what was changed in the last question; the new answer takes the old place."""
        message = update.edited_message
        if message is None or not is_addressed(message, context.bot.bot):
            return
        texts = texts_for(message.from_user)
        past = await self.conversation.recall(chat_key(message))
        is_last = message.message_id == past.asked and bool(past.messages)
        if not is_last and not _is_newest(message, past):
            return  # what is old stays as it is, and what was forgotten must not come back
        words = await self._words(message, context.bot.bot, texts, past)
        # Telegram also tells of edits that nobody sees; what it quotes may be another by now.
        changed = not is_last or not _says(past.messages[-2].text, words.own)
        if (asked := str(words)) and changed:
            if is_last:
                await current.get().replaces(past.answer)
            new, number = said(message, asked), message.message_id
            await self.ask(Question(message, texts, new, past, number, replaces=is_last))

    async def on_edited_command(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Obey a command that was mistyped at first, if nothing was asked or forgotten since."""
        if message := update.edited_message:
            past = await self.conversation.recall(chat_key(message))
            if message.message_id == past.asked or _is_newest(message, past):
                corrected = Update(update.update_id, message=message)
                await context.application.process_update(corrected)

    async def ask(self, asked: Question) -> None:
        """Ask the model, show its answer as it grows, keep it, and send it in the end."""
        turn, started = current.get(), time.monotonic()
        turn.asks(asked.asked)
        stop = Button(asked.texts.button_stop, f"stop:{asked.asked}")
        growth = Preview(asked.message, turn, self._streaming, stop)
        try:
            async with growth.growing() as delivery:
                before, question = asked.worded()
                asking = self.conversation.ask(before, question, growth.show)
                found = await _unless(turn.interrupted, asyncio.create_task(asking))
        except CompletionError as error:
            told = sentence(asked.texts, error)
            if not asked.replaces or told is None:
                raise
            turn.figures |= {"outcome": type(error).__name__, "reason": str(error)}
            # What stands there stays.
            pieces = [*render(asked.past.messages[-1].text), Chunk(told, ())]
            words = Reply(pieces, self._under(asked, Answer("")), answers=True)
            await reply_with(asked.message, words, Left(asked.revision))
            return
        thought, stopped = time.monotonic(), found is None
        if growth.refusal:
            not_delivered(asked.message, growth.refusal)
            turn.figures["outcome"] = "not_delivered"
            return
        if found is None:
            if not turn.partial.strip():
                turn.figures["outcome"] = "interrupted"
                return
            found = Outcome(Answer(turn.partial), remembered=asked.past.length)
        kept, words = self._worded(asked, found, stopped=stopped)
        await turn.keep(words, kept)
        await delivery.finish(words)
        turn.figures |= {
            "outcome": _outcome(found.answer, stopped=stopped),
            "thought": round(thought - started, 3),
            "sent": round(time.monotonic() - thought, 3),
            "prompt_tokens": found.answer.prompt_tokens,
            "completion_tokens": found.answer.completion_tokens,
        }

    def _worded(self, asked: Question, found: Outcome, *, stopped: bool) -> tuple[Kept, Reply]:
        """Put an answer into words for the history, and for the chat."""
        answer, texts = found.answer, asked.texts
        length = asked.past.length - (2 if asked.replaces else 0)
        told = found.remembered < length and not asked.past.told
        notes = [
            note
            for note, due in (
                (texts.stopped_mark, stopped),
                (texts.truncated, answer.truncated),
                (texts.left_out, told),
            )
            if due
        ]
        buttons = self._under(asked, answer)
        words = Reply(_noted(render(answer.text), notes), buttons, answers=True)
        kept = Kept(
            (asked.said, Said(Role.ASSISTANT, answer.text, at=int(time.time()))),
            asked.past.epoch,
            answer.prompt_tokens,
            answer.completion_tokens,
            asked.asked,
            asked.replaces,
            told,
            asked.revision,
            self.conversation.most_bytes,
        )
        return kept, words

    def _under(self, asked: Question, answer: Answer) -> list[Button]:
        if not self._buttons:
            return []
        texts = asked.texts
        # By the revision, presses that waited behind another are known to be repeated.
        # Neither goes along when a group becomes a supergroup.
        moved = current.get().successor
        number, revision = (0, 0) if moved else (asked.asked, asked.revision)
        exchange = f"{number}:{revision}" if revision else f"{number}"
        labels = [("again", texts.button_again), ("forget", texts.button_forget)]
        if answer.truncated:
            labels.insert(1, ("continue", texts.button_continue))
        return [Button(label, f"{act}:{exchange}") for act, label in labels]


def _writer(message: Message) -> int:
    """Give the number of who wrote a message: a person, or a chat in whose name somebody writes."""
    return (message.sender_chat or message.from_user or message.chat).id


def _is_newest(message: Message, past: Past) -> bool:
    """Tell whether a message came after the last question, and after what was forgotten."""
    return message.message_id > max(past.asked, past.floor)


def _says(asked: str, words: str) -> bool:
    """Tell whether a question has these words, alone or as a comment.

    What it is on may stand before it: a quotation, a forward or a file; the latter two also after.
    """
    before = asked.startswith(("> ", "(", "[")) and asked.endswith(f"\n\n{words}")
    after = asked.startswith((f"{words}\n\n(", f"{words}\n\n["))
    return asked == words or before or after


def _noted(pieces: Sequence[Piece], notes: list[str]) -> list[Piece]:
    """Put notes below an answer, in its last message if there is room."""
    messages: list[Piece] = [piece for piece in pieces if isinstance(piece, Chunk)]
    files = [piece for piece in pieces if not isinstance(piece, Chunk)]
    note, last = "\n\n".join(notes), messages[-1] if messages else None
    if note and isinstance(last, Chunk) and len(last.text) + len(note) + 2 <= MAX_CHARACTERS:
        messages[-1] = Chunk(f"{last.text}\n\n{note}", last.entities)
    elif note or not pieces:
        messages.append(Chunk(note or "…", ()))
    return [*messages, *files]


def _outcome(answer: Answer, *, stopped: bool) -> str:
    if stopped:
        return "stopped"
    return "truncated" if answer.truncated else "answered"


async def _unless(interrupted: asyncio.Event, work: asyncio.Task[T]) -> T | None:
    """Wait for ``work``; cancel it, and give None, when it is interrupted."""
    interruption = asyncio.create_task(interrupted.wait())
    try:
        await asyncio.wait({interruption, work}, return_when=asyncio.FIRST_COMPLETED)
        return None if interruption.done() else await work
    finally:
        interruption.cancel()
        work.cancel()
