"""The dialogue, with a model that notes what it is asked."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from handlers.dialogue.completion import Answer, ContextTooLong
from handlers.dialogue.conversation import Conversation
from handlers.dialogue.profile import Profile
from handlers.dialogue.prompt import filled
from storage.history import Past
from storage.message import Message

PROMPT = "system"
BUDGET = 100
NOTHING = Past((), epoch=0)
PROFILE = Profile("model", PROMPT, 0.6, 50, BUDGET + 50)


class Model:
    """Answers anything, however long."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.prompts: list[str] = []
        self.prompt_tokens, self.counts = 0, True

    async def stream(
        self, profile: Profile, messages: Sequence[Message], chat_id: int
    ) -> AsyncGenerator[Answer]:
        """Note the question, and answer it."""
        self.asked.append(messages[-1].text)
        self.prompts.append(messages[0].text)
        yield Answer("answer", complete=True, prompt_tokens=self.prompt_tokens)

    async def count(
        self, profile: Profile, messages: Sequence[Message], chat_id: int
    ) -> int | None:
        """Count nothing, but note what was to be counted."""
        self.prompts.append(messages[0].text)
        return len(messages) if self.counts else None


@pytest.mark.parametrize(("beyond", "is_asked"), [(0, True), (1, False), (10_000, False)])
async def test_what_cannot_fit_is_not_asked(beyond: int, is_asked: bool) -> None:
    """The model sees whatever might fit its window, were all letters cheap, and nothing else."""
    model = Model()
    conversation = Conversation(model)
    question = "x" * (BUDGET * 8 - len(PROMPT) + beyond)
    if is_asked:
        [_ async for _ in conversation.ask(PROFILE, 1, [], question)]
    else:
        with pytest.raises(ContextTooLong, match="characters"):
            [_ async for _ in conversation.ask(PROFILE, 1, [], question)]
    assert model.asked == [question] * is_asked


async def test_the_prompt_is_of_the_moment() -> None:
    """What is asked and what /context counts has the zone's date in it."""
    model = Model()
    zone = timezone(timedelta(hours=14))
    profile = replace(PROFILE, system_prompt="{date} {time}", zone=zone, window=10_000)
    conversation = Conversation(model)
    before = filled("{date} {time}", datetime.now(zone))
    [_ async for _ in conversation.ask(profile, 1, [], "?")]
    await conversation.measure(profile, 1, NOTHING, tuple)
    assert set(model.prompts) <= {before, filled("{date} {time}", datetime.now(zone))}
    assert len(model.prompts) == 2


async def test_each_model_has_its_estimate() -> None:
    """What one counts tells nothing of another."""
    model = Model()
    conversation = Conversation(model)
    profile, other = replace(PROFILE, window=10_000), replace(PROFILE, model="other", window=10_000)
    model.counts, model.prompt_tokens = False, 1000
    before = (await conversation.measure(profile, 1, NOTHING, tuple)).tokens
    for _ in range(3):
        [_ async for _ in conversation.ask(profile, 1, [], "x" * 1500)]
    after = (await conversation.measure(profile, 1, NOTHING, tuple)).tokens
    assert after > before
    assert (await conversation.measure(other, 1, NOTHING, tuple)).tokens == before


async def test_what_nobody_counts_is_estimated() -> None:
    """An API may have no tokeniser; one that has is believed."""
    model = Model()
    conversation = Conversation(model)
    counted = await conversation.measure(PROFILE, 1, NOTHING, tuple)
    model.counts = False
    estimated = await conversation.measure(PROFILE, 1, NOTHING, tuple)
    assert (counted.tokens, estimated.tokens) == (1, 2 + 8)  # the prompt, three letters a token
    assert estimated.window == BUDGET
