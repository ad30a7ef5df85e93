"""Lanes that `put` hands to the worker of its own process, on a real server."""

import itertools
from collections.abc import Sequence
from dataclasses import replace

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as Gone

from storage import keys
from storage.arrivals import Arrival
from storage.history import encode
from storage.inbox import Inbox
from storage.lane import Claim, Opened
from storage.message import ChatKey, Message, Role
from storage.server.connect import StorageUnavailable

LANE, OTHER = ChatKey(5), ChatKey(-6, 7)
ENOUGH = 1000

_bot_ids = itertools.count(8_950_000)
_update_ids = itertools.count(1)


class Taker:
    """Takes so many lanes, and keeps them."""

    def __init__(self, most: int = 8) -> None:
        self._most = most
        self.got: list[tuple[Claim, Opened | None]] = []

    def room(self) -> int:
        """Return how many more it takes."""
        return self._most - len(self.got)

    def most_bytes(self) -> int:
        """Return how much of a history it reads."""
        return ENOUGH

    def receive(self, claim: Claim, opened: Opened | None) -> None:
        """Keep what was handed over."""
        self.got.append((claim, opened))


@pytest.fixture
async def inbox(redis: Redis) -> Inbox:
    """The inbox of a bot that nobody has written to yet."""
    new = Inbox(redis, next(_bot_ids), "a")
    await new.begin()
    return new


async def put(inbox: Inbox, *lanes: ChatKey) -> list[str]:
    """Let an update come in for each lane, all together."""
    return await inbox.put(
        *(
            Arrival(lane, number := next(_update_ids), f'{{"update_id": {number}}}')
            for lane in lanes
        )
    )


async def free(inbox: Inbox) -> Sequence[ChatKey]:
    """Which lanes another worker can take."""
    other = Inbox(inbox._redis, inbox.bot_id, "b")
    return [claim.lane for claim in await other.take(10, 0.02)]


async def test_it_is_opened_as_by_a_worker(inbox: Inbox, redis: Redis) -> None:
    """What is handed over says all that `open` would; the lane is no longer free."""
    said = encode(Message(Role.USER, "one")), encode(Message(Role.ASSISTANT, "two"))
    await redis.rpush(keys.history(inbox.bot_id, LANE), *said)
    taker = inbox.taker = Taker()
    assert await put(inbox, LANE, LANE) == ["stored", "stored"]
    ((claim, opened),) = taker.got
    assert opened
    assert claim.lane == LANE
    assert opened.behind == 1
    assert len(opened.past) > 7  # there is something of the history
    assert replace(await inbox.open(claim, ENOUGH), asked=opened.asked) == opened
    assert await free(inbox) == []


@pytest.mark.parametrize("damage", ["a string", "no text"])
async def test_damaged_settings(inbox: Inbox, redis: Redis, damage: str) -> None:
    """Whoever opens the lane sets them aside; those of a topic come with its group's."""
    group, topic = keys.settings_of(inbox.bot_id, OTHER)
    await redis.hset(group, "hears", "20")
    await redis.hset(topic, "prompt", "Be kind.")
    taker = inbox.taker = Taker()
    await put(inbox, OTHER)
    assert taker.got[0][1]
    assert taker.got[0][1].settings == {"hears": "20", "prompt": "Be kind."}
    await inbox.done(taker.got.pop()[0])
    await redis.delete(topic)
    if damage == "a string":
        await redis.set(topic, "x")
    else:
        await redis.hset(topic, "prompt", b"\xff")
    await put(inbox, OTHER)
    assert [opened for _, opened in taker.got] == ([None] if damage == "a string" else [])
    (claim,) = await inbox.mine([])
    opened = await inbox.open(claim, ENOUGH)
    assert opened.settings in ({"hears": "20"}, {"hears": "20", "": topic})
    assert not await redis.exists(topic)


async def test_no_more_than_there_is_room_for(inbox: Inbox) -> None:
    """The first come first; the others are for whoever takes them."""
    lanes = [ChatKey(number) for number in range(1, 6)]
    taker = inbox.taker = Taker(2)
    await put(inbox, *lanes)
    assert [claim.lane for claim, opened in taker.got if opened] == lanes[:2]
    await put(inbox, ChatKey(6))
    assert len(taker.got) == 2
    assert await free(inbox) == [*lanes[2:], ChatKey(6)]


async def test_who_waits_longest_goes_first(inbox: Inbox) -> None:
    """A lane from before is handed over instead; it is opened later."""
    await put(inbox, OTHER)
    taker = inbox.taker = Taker(1)
    await put(inbox, LANE)
    assert [(claim.lane, opened) for claim, opened in taker.got] == [(OTHER, None)]
    assert await free(inbox) == [LANE]


async def test_what_is_in_work_stays_there(inbox: Inbox) -> None:
    """An update behind another is handed to nobody."""
    await put(inbox, LANE)
    assert await free(inbox) == [LANE]
    taker = inbox.taker = Taker()
    assert await put(inbox, LANE) == ["stored"]
    assert taker.got == []


async def test_without_a_group(redis: Redis) -> None:
    """Somebody deleted it: what comes in is stored all the same."""
    inbox, taker = Inbox(redis, next(_bot_ids), "a"), Taker()
    inbox.taker = taker
    assert await put(inbox, LANE) == ["stored"]
    assert taker.got == []
    await inbox.begin()
    assert await free(inbox) == [LANE]


@pytest.mark.parametrize("key", [keys.outbox, keys.state, keys.history, keys.epoch])
async def test_a_damaged_lane(inbox: Inbox, redis: Redis, key: object) -> None:
    """It is stored and handed over; whoever works on it sees what `open` says of it."""
    await redis.geoadd(key(inbox.bot_id, LANE), (1, 2, "x"))  # type: ignore[operator]
    taker = inbox.taker = Taker()
    assert await put(inbox, LANE) == ["stored"]
    ((claim, opened),) = taker.got
    assert claim.lane == LANE
    if opened:
        assert replace(await inbox.open(claim, ENOUGH), asked=opened.asked) == opened
    assert (opened is None) == (key is keys.outbox)


async def test_numbers_that_are_none(inbox: Inbox, redis: Redis) -> None:
    """What cannot be read of a lane is left to `open` to say."""
    await redis.hset(keys.outbox(inbox.bot_id, LANE), "failures", "x")
    taker = inbox.taker = Taker()
    assert await put(inbox, LANE) == ["stored"]
    assert [(claim.lane, opened) for claim, opened in taker.got] == [(LANE, None)]


async def test_a_history_that_is_no_text(inbox: Inbox, redis: Redis) -> None:
    """What is stored can be confirmed; the lane is found as one that nobody heard of."""
    history = keys.history(inbox.bot_id, LANE)
    await redis.rpush(history, b"\xff", b"\xff")
    taker = inbox.taker = Taker()
    assert await put(inbox, LANE) == ["known"]
    assert taker.got == []
    assert [claim.lane for claim in await inbox.mine([])] == [LANE]


async def test_what_another_program_put_there(inbox: Inbox, redis: Redis) -> None:
    """It is no lane, and goes."""
    ready = keys.ready(inbox.bot_id)
    await redis.xadd(ready, {"x": "y"})
    await redis.xadd(ready, {"lane": "nonsense", "x": "y"})
    taker = inbox.taker = Taker()
    await put(inbox, LANE)
    assert [claim.lane for claim, _ in taker.got] == [LANE]
    assert await redis.xlen(ready) == 1


async def test_storage_goes_away_meanwhile(
    inbox: Inbox, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That is said as everywhere; what is stored comes again, and is known."""

    async def gone(*_: object) -> None:
        raise Gone

    await redis.xadd(keys.ready(inbox.bot_id), {"x": "y"})
    inbox.taker = Taker()
    with monkeypatch.context() as patch:
        patch.setattr(redis, "xack", gone)
        with pytest.raises(StorageUnavailable):
            await put(inbox, LANE)
    assert LANE in [claim.lane for claim in await inbox.mine([])]
