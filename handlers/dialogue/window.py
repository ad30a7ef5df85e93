"""Which part of a history the model gets: all of it, or the newest that fits its window."""

import math
from collections.abc import Sequence
from itertools import chain

from storage.message import Exchange, Message, Role

TOKENS_A_MESSAGE = 8
"""The wrapping of each message; measured: 4 to 8."""
TOKENS_A_REQUEST = 10


class Estimate:
    """How many tokens a text has, learnt from the model's counts of earlier requests.

    Measured: 5 characters a token in Russian prose, down to 2.5 in code and emoji. Long requests
    teach more than short ones, newer ones more than older.
    """

    FEWEST, MOST = 1.5, 8.0
    """Bounds of characters a token, in case a model counts strangely."""

    def __init__(self) -> None:
        # A cautious start, soon outweighed.
        self._letters, self._counted = 3000.0, 1000.0

    @property
    def letters_a_token(self) -> float:
        """Characters a token, as far as known."""
        return min(self.MOST, max(self.FEWEST, self._letters / self._counted))

    def tokens(self, messages: Sequence[Message]) -> int:
        """Estimate the tokens of messages, their wrapping included."""
        return sum(
            math.ceil(len(message.text) / self.letters_a_token) + TOKENS_A_MESSAGE
            for message in messages
        )

    def learn(self, messages: Sequence[Message], counted: int) -> None:
        """Learn that ``messages`` have ``counted`` tokens; 0 teaches nothing."""
        if counted > 0:
            self._letters = 0.9 * self._letters + sum(len(message.text) for message in messages)
            self._counted = 0.9 * self._counted + counted


def may_fit(system_prompt: str, question: str, budget: int) -> bool:
    """Tell whether a question could be within the budget, by the most generous estimate."""
    return len(system_prompt) + len(question) <= budget * Estimate.MOST


def fit(
    system_prompt: str, past: Sequence[Exchange], question: str, budget: int, estimate: Estimate
) -> Sequence[Exchange]:
    """Return the newest exchanges that fit a request of at most ``budget`` tokens, by an estimate.

    The system prompt and the question are always part of the request.
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


def room(system_prompt: str, question: str, budget: int, estimate: Estimate) -> int:
    """Return how many letters there is room for besides the system prompt and a question."""
    left = budget - TOKENS_A_REQUEST - estimate.tokens(request(system_prompt, (), question))
    return int(left * estimate.letters_a_token)


def request(system_prompt: str, past: Sequence[Exchange], question: str) -> list[Message]:
    """Put the messages of a request together."""
    system, user = Message(Role.SYSTEM, system_prompt), Message(Role.USER, question)
    return [system, *chain.from_iterable(past), user]
