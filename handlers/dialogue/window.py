"""What of a history the model gets: all that fits its window, and only then not the oldest."""

import math
from collections.abc import Sequence
from itertools import chain

from storage.message import Exchange, Message, Role

TOKENS_A_MESSAGE = 8
"""Wrapping around each message; 4 to 8 were measured."""
TOKENS_A_REQUEST = 10


class Estimate:
    """How many tokens a text has, learnt from what the model counted in earlier requests.

    The API publishes no tokeniser: from 5 characters a token in Russian prose down to 2.5 in
    code and emoji. Long requests teach more than short ones, and newer ones more than older.
    """

    FEWEST, MOST = 1.5, 8.0
    """Bounds of characters a token, against a model that counts strangely."""

    def __init__(self) -> None:
        # Cautious to begin with, and soon outweighed.
        self._letters, self._counted = 3000.0, 1000.0

    @property
    def letters_a_token(self) -> float:
        """Characters a token, as far as is known."""
        return min(self.MOST, max(self.FEWEST, self._letters / self._counted))

    def tokens(self, messages: Sequence[Message]) -> int:
        """Estimate the tokens of messages, their wrapping included."""
        return sum(
            math.ceil(len(message.text) / self.letters_a_token) + TOKENS_A_MESSAGE
            for message in messages
        )

    def learn(self, messages: Sequence[Message], counted: int) -> None:
        """Take in that the model counted ``counted`` tokens in ``messages``; 0 tells nothing."""
        if counted > 0:
            self._letters = 0.9 * self._letters + sum(len(message.text) for message in messages)
            self._counted = 0.9 * self._counted + counted


def may_fit(system_prompt: str, question: str, budget: int) -> bool:
    """Tell whether a question could be within the budget, by the most generous estimate."""
    return len(system_prompt) + len(question) <= budget * Estimate.MOST


def fit(
    system_prompt: str, past: Sequence[Exchange], question: str, budget: int, estimate: Estimate
) -> Sequence[Exchange]:
    """Give the newest exchanges that fit a request of at most ``budget`` tokens, by an estimate.

    The system prompt and the question are always in it.
    """
    frame = request(system_prompt, (), question)
    left = budget - TOKENS_A_REQUEST - estimate.tokens(frame)
    first = len(past)
    while first > 0:
        left -= estimate.tokens([*past[first - 1]])
        if left < 0:
            break
        first -= 1
    return past[first:]


def request(system_prompt: str, past: Sequence[Exchange], question: str) -> list[Message]:
    """Put together what the model is asked."""
    system, user = Message(Role.SYSTEM, system_prompt), Message(Role.USER, question)
    return [system, *chain.from_iterable(past), user]
