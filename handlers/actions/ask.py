"""A question goes to the model; its answer comes back as it grows."""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from itertools import chain

from telegram import Message

from handlers.actions.failures import not_delivered, sentence
from handlers.actions.tools import Tools
from handlers.context import Context
from handlers.dialogue.around import Around
from handlers.dialogue.completion import Answer, CompletionError
from handlers.dialogue.conversation import Outcome
from handlers.dialogue.speakers import labelling
from handlers.outgoing.preview import Preview
from handlers.outgoing.say import reply_with
from handlers.rendering import markdown
from handlers.rendering.markup import MAX_CHARACTERS, Chunk, render
from handlers.turn.press import Press
from handlers.turn.reply import Button, Piece, Reply
from handlers.turn.turn import Turn
from handlers.turn.where import is_company
from storage.change import Kept, Left
from storage.history import Past
from storage.message import Exchange, Role
from storage.message import Message as Said


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked; ``message`` is the one that is answered.

    ``asked`` is the exchange's number for buttons and edits. ``replaces``: the exchange replaces
    the last one of ``past``.
    """

    message: Message
    said: Said
    past: Past
    asked: int
    replaces: bool = False

    def worded(self, turn: Turn) -> tuple[Sequence[Exchange], str, Sequence[str]]:
        """Return the past, the question, and what was heard before it, in the model's words."""
        before = self.past.exchanges[:-1] if self.replaces else self.past.exchanges
        if not is_company(self.message):
            return before, self.said.text, ()
        heard = turn.heard(self.asked, self.said.quoted)
        label = labelling([*chain.from_iterable(before), *heard, self.said])
        past = [Exchange(*map(label, exchange)) for exchange in before]
        return past, label(self.said).text, [label(one).text for one in heard]

    @property
    def revision(self) -> int:
        """How often this question was answered before."""
        return self.past.revision + 1 if self.replaces else 0


async def ask(tools: Tools, context: Context, asked: Question) -> None:
    """Ask the model, show the answer as it grows, keep it, send it."""
    turn, started = context.turn, time.monotonic()
    heard: deque[Outcome] = deque(maxlen=1)
    turn.asks(asked.asked)
    stop = Button(turn.texts.button_stop, str(Press("stop", asked.asked)))
    preview = Preview(asked.message, turn, turn.settings.streaming or tools.streaming, stop)
    try:
        async with preview.growing() as delivery:
            listening = asyncio.create_task(_listen(tools, context, asked, preview, heard))
            stopped = not await turn.unless_interrupted(listening)
    except CompletionError as error:
        if not asked.replaces or not await _stays(tools, context, asked, error):
            raise
        return
    thought = time.monotonic()
    if turn.departed:
        turn.figures["outcome"] = "quiet"
        return
    if preview.refusal:
        not_delivered(asked.message, turn, preview.refusal)
        turn.figures["outcome"] = "not_delivered"
        return
    # An earlier worker may have shown words that this one never got.
    found = heard[0] if heard else Outcome(Answer(turn.partial), len(asked.past.exchanges))
    if stopped and not markdown.answer(found.answer.text).strip():
        turn.figures["outcome"] = "interrupted"
        return
    kept, words = _worded(tools, context, asked, found, stopped=stopped)
    await turn.keep(words, kept)
    await delivery.finish(words)
    turn.figures |= {
        "outcome": _outcome(found.answer, stopped=stopped),
        "thought": round(thought - started, 3),
        "sent": round(time.monotonic() - thought, 3),
        "prompt_tokens": found.answer.prompt_tokens,
        "completion_tokens": found.answer.completion_tokens,
    }


async def _listen(
    tools: Tools, context: Context, asked: Question, preview: Preview, heard: deque[Outcome]
) -> None:
    """Ask the model and pass on the answer so far."""
    before, question, said = asked.worded(context.turn)
    around = Around(context.texts.heard_before, said)
    chat_id = context.turn.lane.chat_id
    asking = tools.conversation.ask(context.profile, chat_id, before, question, around)
    async with aclosing(asking) as outcomes:
        async for outcome in outcomes:
            heard.append(outcome)
            if not outcome.answer.complete:
                preview.show(outcome.answer.text)


async def _stays(tools: Tools, context: Context, asked: Question, error: CompletionError) -> bool:
    """Keep the last answer where no new one came, and say so; False if there is none."""
    turn = context.turn
    told = sentence(turn.texts, error)
    if told is None:
        return False
    turn.figures |= {"outcome": type(error).__name__, "reason": str(error)}
    pieces = [*render(asked.past.exchanges[-1].answer.text), Chunk(told, ())]
    words = Reply(pieces, _under(tools, context, asked, Answer("")), is_answer=True)
    await reply_with(asked.message, turn, words, Left(asked.revision))
    return True


def _worded(
    tools: Tools, context: Context, asked: Question, found: Outcome, *, stopped: bool
) -> tuple[Kept, Reply]:
    """Make the history's entry and the chat's reply from an answer."""
    answer, texts = found.answer, context.texts
    remembered = found.remembered + asked.replaces
    told = not stopped and asked.past.is_beyond(remembered) and not asked.past.told
    notes = [
        note
        for note, due in (
            (texts.stopped_mark, stopped),
            (texts.truncated, answer.truncated),
            (texts.left_out, told),
        )
        if due
    ]
    buttons = _under(tools, context, asked, answer)
    words = Reply(_noted(render(answer.text), notes), buttons, is_answer=True)
    kept = Kept(
        Exchange(asked.said, Said(Role.ASSISTANT, answer.text, at=int(time.time()))),
        asked.past.epoch,
        answer.prompt_tokens,
        answer.completion_tokens,
        asked.asked,
        asked.replaces,
        told,
        asked.revision,
        context.profile.most_bytes,
        context.profile.model,
    )
    return kept, words


def _under(tools: Tools, context: Context, asked: Question, answer: Answer) -> list[Button]:
    chosen = context.turn.settings.buttons
    if not (tools.buttons if chosen is None else chosen):
        return []
    texts = context.texts
    # Neither number is valid once a group has become a supergroup.
    number, revision = (0, 0) if context.turn.successor else (asked.asked, asked.revision)
    labels = [("again", texts.button_again), ("forget", texts.button_forget)]
    if answer.truncated:
        labels.insert(1, ("continue", texts.button_continue))
    return [Button(label, str(Press(name, number, revision))) for name, label in labels]


def _noted(pieces: Sequence[Piece], notes: list[str]) -> list[Piece]:
    """Put notes below an answer, in its last message if they fit."""
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
