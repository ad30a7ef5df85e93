"""A text meant for the bot: to the dialogue, and its answer back."""

import asyncio
import time
from typing import TypeVar

import structlog
from telegram import Message, Update
from telegram.ext import ContextTypes

from handlers import reply
from handlers.addressing import chat_key, is_addressed, question
from handlers.conversation import Conversation
from handlers.texts import texts_for
from handlers.turn import current

log = structlog.get_logger()

T = TypeVar("T")


class Chat:
    """Answers questions with what the model says."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation

    async def on_text(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Answer a text, if it is meant for the bot."""
        message = update.message
        if message is None or not is_addressed(message, context.bot.bot):
            return
        asked = question(message, context.bot.bot)
        if not asked:
            texts = texts_for(message.from_user)
            await reply.say(message, texts.empty_question.format(name=context.bot.username))
            return
        await self._answer(message, asked)

    async def _answer(self, message: Message, asked: str) -> None:
        turn = current.get()
        started = time.monotonic()
        async with reply.typing(message):
            answering = asyncio.create_task(self._conversation.answer(chat_key(message), asked))
            found = await _unless(turn.interrupted, answering)
        if found is None:
            log.info("turn", chat=message.chat_id, outcome="interrupted")
            return
        answer, kept = found
        thought = time.monotonic()
        note = texts_for(message.from_user).truncated if answer.truncated else None
        await reply.answer(message, answer.text, note, kept)
        log.info(
            "turn",
            chat=message.chat_id,
            thought=round(thought - started, 3),
            sent=round(time.monotonic() - thought, 3),
            prompt_tokens=answer.prompt_tokens,
            completion_tokens=answer.completion_tokens,
            outcome="truncated" if answer.truncated else "answered",
        )


async def _unless(interrupted: asyncio.Event, work: asyncio.Task[T]) -> T | None:
    """Wait for ``work``; cancel it, and give None, when it is interrupted."""
    interruption = asyncio.create_task(interrupted.wait())
    try:
        await asyncio.wait({interruption, work}, return_when=asyncio.FIRST_COMPLETED)
        return None if interruption.done() else await work
    finally:
        interruption.cancel()
        work.cancel()
