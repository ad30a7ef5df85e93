"""How much of a conversation is kept, against a model: whatever changes it, and whoever."""

import itertools
import json
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from storage import keys
from storage.archive import Archive, Item
from storage.arrivals import Arrival
from storage.change import Change, Forgotten, Kept, Restored, Undone
from storage.history import encode
from storage.inbox import Inbox
from storage.message import ChatKey, Exchange, Message, Role

CHAT = ChatKey(5)
MOST = 1000
_bot_ids = itertools.count(9_400_000)

sizes = st.integers(1, 700)
exchanges = st.tuples(sizes, sizes)
steps = st.one_of(
    st.tuples(st.sampled_from(["keep", "keep", "replace"]), exchanges),
    st.tuples(st.sampled_from(["undo", "forget", "forget for good", "restore", "drop"]), st.none()),
    st.tuples(st.sampled_from(["push", "import"]), st.lists(exchanges, min_size=1, max_size=6)),
)


def said(exchange: tuple[int, int]) -> Exchange:
    """A question and an answer of these lengths, in letters of two bytes."""
    question, answer = exchange
    return Exchange(Message(Role.USER, "в" * question), Message(Role.ASSISTANT, "о" * answer))


def encoded(exchanges: Sequence[tuple[int, int]]) -> list[str]:
    """Those as they stand in a list."""
    return [encode(message) for exchange in exchanges for message in said(exchange)]


class Conversation:
    """A bot's conversation, and what it should hold."""

    def __init__(self, redis: Redis) -> None:
        self.redis, self.id = redis, next(_bot_ids)
        self.history: list[str] = []
        self.forgotten: list[str] = []
        self.epoch = 0
        self._inbox = Inbox(redis, self.id, "worker")
        self._numbers = itertools.count(1)

    async def take(self, step: str, exchanges: Sequence[tuple[int, int]]) -> None:
        """Let one thing happen, to both."""
        match step:
            case "keep" | "replace":
                await self._keep(exchanges[0], replaces=step == "replace")
            case "undo":
                await self._reply(Undone())
                self.history = self.history[:-2]
            case "forget" | "forget for good":
                await self._forget(for_good=step == "forget for good")
            case "restore":
                await self._reply(Restored())
                if not self.history:
                    self.history, self.forgotten = self.forgotten, []
            case _:
                await self._by_hand(step, encoded(exchanges))

    async def _forget(self, *, for_good: bool) -> None:
        await self._reply(Forgotten(CHAT, for_good=for_good))
        if self.history or for_good:
            self.forgotten = [] if for_good else self.history
        self.history = []
        self.epoch += 1

    async def _by_hand(self, step: str, entries: list[str]) -> None:
        """Let the owner change the list, by a program of theirs or of ours."""
        key = keys.history(self.id, CHAT)
        match step:
            case "push":
                self.history += entries
                await self.redis.rpush(key, *entries)
            case "drop":
                self.history = self.history[2:]
                await self.redis.ltrim(key, 2, -1)
            case "import":
                self.history = entries
                noted = ["asked", "1", "length", str(len(entries)), "bytes", "1"]
                archive = Archive(self.redis, self.id)
                for item in (
                    Item(f"history:{CHAT}", "list", -1, entries),
                    Item(f"state:{CHAT}", "hash", -1, noted),
                ):
                    await archive.write(item, await archive.progress(), str(next(self._numbers)))

    async def _keep(self, exchange: tuple[int, int], *, replaces: bool) -> None:
        kept = Kept(said(exchange), self.epoch, replaces=replaces, most_bytes=MOST)
        await self._reply(kept)
        before = self.history[:-2] if replaces else self.history
        self.history = before + encoded([exchange])
        while len(self.history) > 2 and sum(len(one.encode()) for one in self.history) > MOST:
            self.history = self.history[2:]

    async def _reply(self, change: Change) -> None:
        await self._inbox.begin()
        await self._inbox.put(Arrival(CHAT, next(self._numbers), "{}"))
        (claim,) = await self._inbox.take(1, 1)
        await self._inbox.commit(claim, "reply", change)
        await self._inbox.done(claim)


SMALL, LARGE, MORE = (1, 1), (200, 200), (100, 100)


@pytest.mark.slow
@given(st.lists(steps, max_size=12))
@example(
    [
        ("keep", LARGE),
        ("forget", None),
        ("keep", SMALL),
        ("drop", None),
        ("restore", None),
        ("keep", MORE),
    ]
)
@example([("keep", SMALL), ("undo", None), ("push", [LARGE]), ("keep", MORE)])
@example([("keep", SMALL), ("import", [LARGE]), ("keep", MORE)])
@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_a_history_is_what_its_model_is(
    redis: Redis, steps: list[tuple[str, list[tuple[int, int]] | tuple[int, int] | None]]
) -> None:
    """Whole exchanges leave, the oldest first, as many as must, and never the newest."""
    conversation = Conversation(redis)
    for step, given_ in steps:
        exchanges = [given_] if isinstance(given_, tuple) else given_ or []
        await conversation.take(step, exchanges)
        found = await redis.lrange(keys.history(conversation.id, CHAT), 0, -1)
        assert found == conversation.history
    await redis.delete(*await redis.keys(f"{{{conversation.id}}}:*"), "none")


async def test_half_an_exchange(redis: Redis) -> None:
    """Where somebody left one, it goes before the newest exchange loses anything."""
    conversation = Conversation(redis)
    key = keys.history(conversation.id, CHAT)
    await redis.rpush(key, *encoded([SMALL])[:1])
    await conversation._reply(Kept(said((500, 500)), 0, most_bytes=MOST))
    assert await redis.lrange(key, 0, -1) == encoded([(500, 500)])


async def test_a_long_history_costs_no_more(redis: Redis) -> None:
    """What a turn reads of a history does not grow with it, once it has been counted."""
    read = []
    for exchanges in (5, 400):
        conversation = Conversation(redis)
        key = keys.history(conversation.id, CHAT)
        await redis.rpush(key, *[json.dumps({"role": "user", "text": "x" * 900})] * 2 * exchanges)
        for _ in range(2):
            before = (await redis.info("commandstats")).get("cmdstat_lrange", {"calls": 0})["calls"]
            await conversation._reply(Kept(said((9, 9)), 0, most_bytes=10**6))
            after = (await redis.info("commandstats"))["cmdstat_lrange"]["calls"]
        read.append(after - before)
    assert read == [0, 0]
