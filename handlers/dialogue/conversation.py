"""One turn of the dialogue: history, question, answer. Knows nothing of Telegram."""

from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime

import structlog

from handlers.dialogue.around import ALONE, Around
from handlers.dialogue.completion import (
    Answer,
    Completion,
    CompletionError,
    CompletionUnavailable,
    ContextTooLong,
)
from handlers.dialogue.profile import BYTES_A_LETTER, Profile
from handlers.dialogue.prompt import filled
from handlers.dialogue.window import Estimate, fit, may_fit, request, room
from storage.history import Past
from storage.message import Exchange, Message

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Outcome:
    """The model's answer, and how many past exchanges it was given."""

    answer: Answer
    remembered: int


@dataclass(frozen=True, slots=True)
class Measure:
    """How much of the window a conversation uses: tokens, and turns (a question and its answer)."""

    tokens: int
    window: int
    turns: int
    left_out: int


class Conversation:
    """Asks the model with the whole history, by each turn's profile."""

    def __init__(self, completion: Completion) -> None:
        self._completion = completion
        self._estimates: defaultdict[str, Estimate] = defaultdict(Estimate)
        """By model, because each has its own tokeniser."""

    def most_bytes(self, profile: Profile) -> int:
        """Return how much of a history may fit the model's window, in bytes, before any answer."""
        letters_a_token = self._estimates[profile.model].letters_a_token
        return int(profile.window * letters_a_token * BYTES_A_LETTER)

    async def ask(
        self,
        profile: Profile,
        chat_id: int,
        past: Sequence[Exchange],
        question: str,
        around: Around = ALONE,
    ) -> AsyncGenerator[Outcome]:
        """Ask ``question`` after ``past``; yield the answer as it grows, the last one complete.

        What was said ``around`` it comes first, as much of it as fits.

        Raises a `CompletionError`; `ContextTooLong` before the model is asked, when ``question``
        alone is more than it can read.
        """
        prompt, budget = _prompt(profile), profile.budget
        if not may_fit(prompt, question, budget):
            excess = len(question) / budget / Estimate.MOST
            raise ContextTooLong(f"a question of {len(question)} characters", excess)
        estimate = self._estimates[profile.model]
        words = around.before(question, room(prompt, question, budget, estimate))
        given = fit(prompt, past, words, budget, estimate)
        for is_last in (False, True):
            messages = request(prompt, given, words)
            try:
                async with aclosing(self._complete(profile, chat_id, messages)) as answers:
                    async for answer in answers:
                        yield Outcome(answer, len(given))
                return
            except ContextTooLong as error:
                # Our estimate was wrong, or the window is smaller than we were told.
                budget = int(0.9 * estimate.tokens(messages) / error.excess)
                fewer = fit(prompt, past, question, budget, estimate)
                if is_last or (len(fewer) == len(given) and words == question):
                    raise
                log.info("context_too_long", reason=str(error), left_out=len(given) - len(fewer))
                given, words = fewer, question

    async def measure(
        self,
        profile: Profile,
        chat_id: int,
        past: Past,
        worded: Callable[[Sequence[Exchange]], Sequence[Exchange]],
    ) -> Measure:
        """Count what the model would be given of ``past``, by the API's own tokeniser.

        ``worded`` turns past exchanges into what the model is told. Without a tokeniser, or while
        it is unavailable, the count is an estimate.
        """
        prompt, estimate = _prompt(profile), self._estimates[profile.model]
        given = fit(prompt, worded(past.exchanges), "", profile.budget, estimate)
        messages = request(prompt, given, "")[:-1]
        tokens = await self._counted(profile, chat_id, messages)
        if tokens is None:
            tokens = estimate.tokens(messages)
        return Measure(tokens, profile.budget, past.turns, past.turns - len(given))

    async def _counted(
        self, profile: Profile, chat_id: int, messages: Sequence[Message]
    ) -> int | None:
        try:
            return await self._completion.count(profile, messages, chat_id)
        except CompletionError as error:
            log.info("not_counted", reason=str(error))
            return None

    async def _complete(
        self, profile: Profile, chat_id: int, messages: Sequence[Message]
    ) -> AsyncGenerator[Answer]:
        async with aclosing(self._completion.stream(profile, messages, chat_id)) as answers:
            async for answer in answers:
                if answer.complete:
                    self._estimates[profile.model].learn(messages, answer.prompt_tokens)
                yield answer
                if answer.complete:
                    return
        raise CompletionUnavailable("no complete answer")


def _prompt(profile: Profile) -> str:
    return filled(profile.system_prompt, datetime.now(profile.zone))
