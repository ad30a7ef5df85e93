"""One turn of the dialogue: history, question, answer. Knows nothing of Telegram."""

from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, tzinfo

import structlog

from handlers.dialogue.completion import (
    Answer,
    Completion,
    CompletionError,
    CompletionUnavailable,
    ContextTooLong,
)
from handlers.dialogue.prompt import filled
from handlers.dialogue.window import Estimate, fit, may_fit
from storage.history import History, Past
from storage.message import ChatKey, Message

log = structlog.get_logger()

BYTES_A_LETTER = 4
"""The most that UTF-8 takes; JSON around it is outweighed by letters that take less."""
WINDOWS_KEPT = 3
"""How many times as much is kept of a conversation as the model's window could ever hold."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The model's answer, and how many messages of the past it was given."""

    answer: Answer
    remembered: int


@dataclass(frozen=True, slots=True)
class Measure:
    """What of its window a conversation uses, in tokens and in turns (questions with answers)."""

    tokens: int
    window: int
    turns: int
    left_out: int


class Conversation:
    """Asks the model with the whole history."""

    def __init__(
        self,
        completion: Completion,
        history: History,
        system_prompt: str,
        budget: int,
        zone: tzinfo | None = None,
    ) -> None:
        """``budget`` is what a request may have in tokens: the model's window less the answer.

        ``zone`` is where the prompt's date and time are told; None is the machine's own zone.
        """
        self._completion = completion
        self._history = history
        self._system_prompt = system_prompt
        self._zone = zone
        self._budget = budget
        self._estimate = Estimate()
        self.most_bytes = int(WINDOWS_KEPT * budget * Estimate.MOST * BYTES_A_LETTER)
        """What is to be kept of a conversation at most."""

    async def recall(self, chat: ChatKey) -> Past:
        """Read of a conversation's past what may fit the model's window."""
        most_bytes = int(self._budget * self._estimate.letters_a_token * BYTES_A_LETTER)
        return await self._history.newest(chat, most_bytes)

    async def can_be_restored(self, chat: ChatKey) -> bool:
        """Tell whether a forgotten conversation can come back."""
        return await self._history.is_forgotten(chat)

    async def ask(
        self, past: Sequence[Message], question: str, show: Callable[[str], None]
    ) -> Outcome:
        """Ask ``question`` after ``past``; ``show`` hears the answer as it grows.

        Raises a `CompletionError`; `ContextTooLong` before the model is asked, when ``question``
        alone is more than it can read.
        """
        prompt = self._prompt()
        if not may_fit(prompt, question, self._budget):
            excess = len(question) / self._budget / Estimate.MOST
            raise ContextTooLong(f"a question of {len(question)} characters", excess)
        messages = fit(prompt, past, question, self._budget, self._estimate)
        try:
            answer = await self._complete(messages, show)
        except ContextTooLong as error:
            # Our estimate was wrong, or the window is smaller than we were told.
            budget = int(0.9 * self._estimate.tokens(messages) / error.excess)
            shorter = fit(prompt, past, question, budget, self._estimate)
            if len(shorter) == len(messages):
                raise
            log.info("context_too_long", reason=str(error), left_out=len(messages) - len(shorter))
            messages = shorter
            answer = await self._complete(messages, show)
        return Outcome(answer, remembered=len(messages) - 2)  # the prompt and the question

    async def measure(
        self, chat: ChatKey, worded: Callable[[Sequence[Message]], Sequence[Message]]
    ) -> Measure:
        """Count what the model would be given of a conversation, by the API's own tokeniser.

        ``worded`` gives what is remembered as the model is told it. While the tokeniser is not to
        be had, it is an estimate.
        """
        past = await self.recall(chat)
        said = worded(past.messages)
        messages = fit(self._prompt(), said, "", self._budget, self._estimate)[:-1]
        try:
            tokens = await self._completion.count(messages)
        except CompletionError as error:
            log.info("not_counted", reason=str(error))
            tokens = self._estimate.tokens(messages)
        left_out = past.length - (len(messages) - 1)
        return Measure(tokens, self._budget, past.length // 2, left_out // 2)

    def _prompt(self) -> str:
        return filled(self._system_prompt, datetime.now(self._zone))

    async def _complete(self, messages: Sequence[Message], show: Callable[[str], None]) -> Answer:
        async with aclosing(self._completion.stream(messages)) as answers:
            async for answer in answers:
                if answer.complete:
                    self._estimate.learn(messages, answer.prompt_tokens)
                    return answer
                show(answer.text)
        raise CompletionUnavailable("no complete answer")
