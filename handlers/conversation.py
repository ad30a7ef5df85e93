"""One turn of the dialogue: history, question, answer. Knows nothing of Telegram."""

from collections.abc import Sequence
from contextlib import aclosing

import structlog

from handlers.completion import Answer, Completion, CompletionUnavailable, ContextTooLong
from handlers.window import Estimate, fit
from storage.history import History
from storage.inbox import Kept
from storage.message import ChatKey, Message, Role

log = structlog.get_logger()

BYTES_A_LETTER = 4
"""The most that UTF-8 takes; JSON around it is outweighed by letters that take less."""


class Conversation:
    """Asks the model with the whole history."""

    def __init__(
        self, completion: Completion, history: History, system_prompt: str, budget: int
    ) -> None:
        """``budget`` is what a request may have in tokens: the model's window less the answer."""
        self._completion = completion
        self._history = history
        self._system_prompt = system_prompt
        self._budget = budget
        self._estimate = Estimate()

    async def answer(self, chat: ChatKey, question: str) -> tuple[Answer, Kept]:
        """Ask ``question``; gives the answer, and what is to be kept of both with the reply.

        Raises a `CompletionError` or `StorageUnavailable`.
        """
        past = await self._history.newest(chat, self._most_bytes)
        answer = await self._ask(past.messages, question)
        exchange = (Message(Role.USER, question), Message(Role.ASSISTANT, answer.text))
        return answer, Kept(exchange, past.epoch, answer.prompt_tokens, answer.completion_tokens)

    async def _ask(self, past: Sequence[Message], question: str) -> Answer:
        messages = fit(self._system_prompt, past, question, self._budget, self._estimate)
        try:
            return await self._complete(messages)
        except ContextTooLong as error:
            # Our estimate was wrong, or the window is smaller than we were told.
            budget = int(0.9 * self._estimate.tokens(messages) / error.excess)
            shorter = fit(self._system_prompt, past, question, budget, self._estimate)
            if len(shorter) == len(messages):
                raise
            log.info("context_too_long", reason=str(error), left_out=len(messages) - len(shorter))
            return await self._complete(shorter)

    async def _complete(self, messages: Sequence[Message]) -> Answer:
        async with aclosing(self._completion.stream(messages)) as answers:
            async for answer in answers:
                if answer.complete:
                    self._estimate.learn(messages, answer.prompt_tokens)
                    return answer
        raise CompletionUnavailable("no complete answer")

    @property
    def _most_bytes(self) -> int:
        return int(self._budget * self._estimate.letters_a_token * BYTES_A_LETTER)
