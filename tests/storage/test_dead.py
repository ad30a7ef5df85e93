"""Dead letters on a real server."""

import itertools
import json
import re
from typing import Any

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from storage import keys
from storage.arrivals import Arrival
from storage.dead import MOST, DeadLetter, DeadLetters
from storage.inbox import Inbox
from storage.message import ChatKey
from storage.server.connect import StorageRefused, StorageUnavailable, connect
from tests.valkey import own_valkey

LANE = ChatKey(5)

_bot_ids = itertools.count(8_100_000)


@pytest.fixture
def letters(redis: Redis) -> DeadLetters:
    """The dead letters of a new bot."""
    return DeadLetters(redis, next(_bot_ids))


async def test_letters_are_kept_in_order(letters: DeadLetters) -> None:
    """Each has its reason and its update, whatever that was, the oldest first."""
    assert await letters.all() == []
    await letters.add('{"update_id": 1}', "odd")
    await letters.add('не "JSON"\n', "no JSON")
    assert [(letter.reason, letter.update) for letter in await letters.all()] == [
        ("odd", '{"update_id": 1}'),
        ("no JSON", 'не "JSON"\n'),
    ]


ODD = ("no JSON", "5", "{}", '{"reason": 5, "update": "x"}', '{"reason": "x", "update": 5}')


@pytest.mark.parametrize("odd", [*ODD, "[" * 9999])
async def test_what_is_no_letter(letters: DeadLetters, redis: Redis, odd: str) -> None:
    """It is told like the others, and can be thrown away."""
    await letters.add("one", "odd")
    await redis.rpush(keys.dead(letters._bot_id), odd)
    one, other = await letters.all()
    assert (one.update, other.update) == ("one", odd)
    assert other.reason == "none of the bot's letters"
    await letters.drop(other)
    assert await letters.all() == [one]


async def test_a_letter_can_be_read(letters: DeadLetters, redis: Redis) -> None:
    """Also in redis-cli, and a Cyrillic letter takes two bytes."""
    await letters.add("не JSON", "odd")
    (letter,) = await redis.lrange(keys.dead(letters._bot_id), 0, -1)
    assert "не JSON" in str(letter)


async def test_of_two_that_are_alike_one_is_dropped(letters: DeadLetters, redis: Redis) -> None:
    """An older version made letters that do not differ."""
    letter = json.dumps({"reason": "odd", "update": "{}"})
    await redis.rpush(keys.dead(letters._bot_id), letter, letter)
    await letters.drop((await letters.all())[0])
    assert len(await letters.all()) == 1


async def test_what_is_whole_is_not_set_aside(letters: DeadLetters, redis: Redis) -> None:
    """A mailbox stays what it is though the letters are damaged."""
    mailbox = keys.mailbox(letters._bot_id, LANE)
    await redis.rpush(mailbox, "5 {}")
    await redis.set(keys.dead(letters._bot_id), "odd")
    with pytest.raises(StorageRefused):
        await letters.replay(DeadLetter("odd", "{}", "{}"), LANE)
    assert await redis.lrange(mailbox, 0, -1) == ["5 {}"]


async def test_letters_stay_where_none_may_be_added() -> None:
    """A right that is missing is no damage."""
    async with own_valkey() as server:
        owner: Any = connect(server.url, connections=1)
        await DeadLetters(owner, 5).add("{}", "odd")
        rights = ("on", ">pw", "~*", "&*", "+@all", "-rpush")
        await owner.execute_command("ACL", "SETUSER", "bot", *rights)
        client = connect(f"{server.url}?username=bot&password=pw", connections=1)
        with pytest.raises(StorageRefused):
            await DeadLetters(client, 5).add("{}", "odd")
        assert len(await DeadLetters(owner, 5).all()) == 1
        await client.aclose()
        await owner.aclose()


async def test_no_server() -> None:
    """Whatever is asked, storage that is away is told as that."""
    client = connect("redis://127.0.0.1:1", connections=1)
    letters, letter = DeadLetters(client, 5), DeadLetter("odd", "{}", "{}")
    for call in (
        letters.all(),
        letters.add("{}", "odd"),
        letters.replay(letter, LANE),
        letters.drop(letter),
    ):
        with pytest.raises(StorageUnavailable):
            await call
    await client.aclose()


async def test_replayed_into_a_key_of_another_type(letters: DeadLetters, redis: Redis) -> None:
    """That is set aside, and the letter queued."""
    mailbox = keys.mailbox(letters._bot_id, LANE)
    await redis.set(mailbox, "word")
    await letters.add("{}", "odd")
    (letter,) = await letters.all()
    before, _ = await redis.time()
    with capture_logs() as logs:
        await letters.replay(letter, LANE)
    after, _ = await redis.time()
    assert [(log["event"], log["keys"]) for log in logs] == [("keys_set_aside", [mailbox])]
    assert await letters.all() == []
    assert int(await redis.llen(keys.mailbox(letters._bot_id, LANE))) == 1
    tag = keys.tag(letters._bot_id)
    (aside,) = [key async for key in redis.scan_iter(f"{tag}aside:*")]
    times = range(before, after + 1)
    assert aside in {mailbox.replace(tag, f"{tag}aside:{time}:", 1) for time in times}
    assert await redis.get(aside) == "word"


async def test_the_oldest_go_first(letters: DeadLetters, redis: Redis) -> None:
    """Beyond the bound the oldest are forgotten."""
    await redis.rpush(keys.dead(letters._bot_id), *map(str, range(MOST - 1)))
    for number in range(3):
        await letters.add(f"new {number}", "odd")
    found = [letter.update for letter in await letters.all()]
    assert found == [*map(str, range(2, MOST - 1)), "new 0", "new 1", "new 2"]


async def test_a_letter_is_replayed_once(letters: DeadLetters, redis: Redis) -> None:
    """It lies in its mailbox as if it had just come, although its number was seen."""
    inbox = Inbox(redis, letters._bot_id, "a")
    await inbox.begin()
    first, again = (json.dumps({"update_id": number}) for number in (2, 1))
    await inbox.put(Arrival(LANE, 2, first))
    await letters.add(again, "failed")
    (letter,) = await letters.all()
    await letters.replay(letter, LANE)
    await letters.replay(letter, LANE)
    assert await letters.all() == []
    updates = []
    for _ in range(2):
        (claim,) = await inbox.take(1, 1)
        updates.append((await inbox.open(claim)).head.update)
        await inbox.done(claim)
    assert updates == [first, again]
    assert await redis.xlen(keys.ready(letters._bot_id)) == 0


async def test_a_letter_wakes_its_lane(letters: DeadLetters, redis: Redis) -> None:
    """In a lane that is idle, a replayed letter is queued."""
    inbox = Inbox(redis, letters._bot_id, "a")
    await inbox.begin()
    await letters.add("{}", "failed")
    await letters.replay((await letters.all())[0], LANE)
    (claim,) = await inbox.take(1, 1)
    opened = await inbox.open(claim)
    assert (opened.head.update, opened.head.flood, opened.failures) == ("{}", False, 0)


async def test_one_letter_is_dropped(letters: DeadLetters) -> None:
    """Of two that are alike one stays."""
    await letters.add("{}", "odd")
    await letters.add("{}", "odd")
    await letters.drop((await letters.all())[0])
    assert len(await letters.all()) == 1


async def test_one_letter_is_added_once(
    letters: DeadLetters, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Repeated, because the reply was lost, an addition changes nothing."""
    bury = letters._bury.kept

    async def twice(*args: Any) -> Any:
        await bury(*args)
        return await bury(*args)

    monkeypatch.setattr(letters._bury, "kept", twice)
    for reason in ("odd", "odd", "other"):
        await letters.add("{}", reason)
    assert [letter.reason for letter in await letters.all()] == ["odd", "odd", "other"]


async def test_a_replayed_letter_came_just_now(letters: DeadLetters, redis: Redis) -> None:
    """It has not waited since it was buried; and its lane is queued once, however much waits."""
    inbox = Inbox(redis, letters._bot_id, "a")
    await inbox.begin()
    for number in range(3):
        await letters.add(json.dumps({"update_id": number}), "failed")
    for letter in await letters.all():
        await letters.replay(letter, LANE)
    for entry in await redis.lrange(keys.mailbox(letters._bot_id, LANE), 0, -1):
        assert re.fullmatch(r"\d+ \{.*\}", str(entry))
    (claim,) = await inbox.take(9, 1)
    opened = await inbox.open(claim)
    assert (opened.head.update, opened.head.flood) == ('{"update_id": 0}', False)
    assert 0 <= opened.waited <= 5
    assert [one.update for one in await inbox.following(claim, 9)] == [
        '{"update_id": 1}',
        '{"update_id": 2}',
    ]


async def test_of_two_that_are_alike_one_is_replayed(letters: DeadLetters, redis: Redis) -> None:
    """An older version made letters that do not differ."""
    letter = json.dumps({"reason": "odd", "update": "{}"})
    await redis.rpush(keys.dead(letters._bot_id), letter, letter)
    await letters.replay((await letters.all())[0], LANE)
    assert len(await letters.all()) == 1
    assert await redis.llen(keys.mailbox(letters._bot_id, LANE)) == 1


async def test_a_letter_far_back_is_added_again(letters: DeadLetters, redis: Redis) -> None:
    """To know it, the newest hundred are looked at, from the newest back."""
    for number in range(150):
        await letters.add(str(number), "odd")
    stored = [str(letter) for letter in await redis.lrange(keys.dead(letters._bot_id), 0, -1)]
    names, mark = [keys.dead(letters._bot_id)], keys.mark(letters._bot_id)
    await letters._bury.kept(names, [stored[50], 1000], mark)
    assert len(await letters.all()) == 150
    await letters._bury.kept(names, [stored[49], 1000], mark)
    assert len(await letters.all()) == 151
