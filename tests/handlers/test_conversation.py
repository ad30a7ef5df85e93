"""The dialogue, with a model that notes what it is asked."""

import itertools
from collections.abc import AsyncGenerator, Sequence
from datetime import datetime, timedelta, timezone

import pytest
from redis.asyncio import Redis

from handlers.dialogue.completion import Answer, ContextTooLong
from handlers.dialogue.conversation import Conversation
from handlers.dialogue.prompt import filled
from storage.history import History
from storage.message import ChatKey, Message

_bot_ids = itertools.count(9_500_000)
PROMPT = "system"
BUDGET = 100


class Model:
    """Answers anything, however long."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.prompts: list[str] = []

    async def stream(self, messages: Sequence[Message]) -> AsyncGenerator[Answer]:
        """Note the question, and answer it."""
        self.asked.append(messages[-1].text)
        self.prompts.append(messages[0].text)
        yield Answer("answer", complete=True)

    async def count(self, messages: Sequence[Message]) -> int:
        """Count nothing, but note what was to be counted."""
        self.prompts.append(messages[0].text)
        return len(messages)


@pytest.mark.parametrize(("beyond", "is_asked"), [(0, True), (1, False), (10_000, False)])
async def test_what_cannot_fit_is_not_asked(redis: Redis, beyond: int, is_asked: bool) -> None:
    """The model sees whatever might fit its window, were all letters cheap, and nothing else."""
    model = Model()
    conversation = Conversation(model, History(redis, next(_bot_ids)), PROMPT, BUDGET)
    question = "x" * (BUDGET * 8 - len(PROMPT) + beyond)
    if is_asked:
        await conversation.ask([], question, lambda _: None)
    else:
        with pytest.raises(ContextTooLong, match="characters"):
            await conversation.ask([], question, lambda _: None)
    assert model.asked == [question] * is_asked


async def test_the_prompt_is_of_the_moment(redis: Redis) -> None:
    """What is asked and what /context counts has the zone's date in it."""
    model = Model()
    history = History(redis, next(_bot_ids))
    zone = timezone(timedelta(hours=14))
    conversation = Conversation(model, history, "{date} {time}", 10_000, zone)
    before = filled("{date} {time}", datetime.now(zone))
    await conversation.ask([], "?", lambda _: None)
    await conversation.measure(ChatKey(1), tuple)
    assert set(model.prompts) <= {before, filled("{date} {time}", datetime.now(zone))}
    assert len(model.prompts) == 2
