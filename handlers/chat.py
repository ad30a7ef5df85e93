"""A text meant for the bot: to the dialogue, and its answer back."""

import time

import structlog
from telegram import Message, Update, User
from telegram.ext import ContextTypes

from handlers import reply
from handlers.addressing import chat_key, is_addressed, is_from_a_person, question
from handlers.conversation import Conversation
from handlers.texts import texts_for

log = structlog.get_logger()


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
        await self._answer(message, str(update.update_id), asked)

    async def on_late(self, update: Update, me: User) -> None:
        """Tell who has waited long for an answer that it takes longer."""
        message = update.message
        if message and is_from_a_person(message) and is_addressed(message, me):
            await reply.say(message, texts_for(message.from_user).takes_longer)

    async def _answer(self, message: Message, turn: str, asked: str) -> None:
        started = time.monotonic()
        async with reply.typing(message):
            answer = await self._conversation.answer(chat_key(message), turn, asked)
        thought = time.monotonic()
        note = texts_for(message.from_user).truncated if answer.truncated else None
        await reply.answer(message, answer.text, note)
        log.info(
            "turn",
            chat=message.chat_id,
            thought=round(thought - started, 3),
            sent=round(time.monotonic() - thought, 3),
            prompt_tokens=answer.prompt_tokens,
            completion_tokens=answer.completion_tokens,
            outcome="truncated" if answer.truncated else "answered",
        )
