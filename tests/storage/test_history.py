"""Histories on a real server."""

import itertools
import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from storage import keys
from storage.archive import Item
from storage.arrivals import Arrival
from storage.change import Change, Forgotten, Kept, Left, Restored, Undone
from storage.history import LONGEST, Past, decode, encode
from storage.inbox import Inbox
from storage.message import ChatKey, Exchange, Message, Part, Role
from storage.server.connect import StorageRefused
from tests.history import History

CHAT = ChatKey(5)
_numbers = itertools.count(9_000_000)


def exchange(number: int, size: int = 0) -> Exchange:
    """One turn."""
    return Exchange(
        Message(Role.USER, f"вопрос {number}"),
        Message(Role.ASSISTANT, f"ответ {number}" + "x" * size),
    )


class Conversations(History):
    """The histories of a new bot, and the way that exchanges come into them."""

    def __init__(self, redis: Redis) -> None:
        self.bot_id = next(_numbers)
        super().__init__(redis, self.bot_id)
        self._inbox = Inbox(redis, self.bot_id, "worker")
        self._updates = itertools.count(1)

    async def append(self, chat: ChatKey, epoch: int, said: Exchange) -> None:
        """Let a worker answer one update with an exchange."""
        await self.reply(chat, Kept(said, epoch, 1, 1))

    async def forget(self, chat: ChatKey) -> None:
        """Let a worker tell that it forgot one."""
        await self.reply(ChatKey(7), Forgotten(chat))

    async def is_forgotten(self, chat: ChatKey) -> bool:
        """Ask whether one can come back."""
        return await self._inbox.is_forgotten(chat)

    async def reply(self, lane: ChatKey, change: Change | None, answer: Sequence[int] = ()) -> None:
        await self._inbox.begin()
        await self._inbox.put(Arrival(lane, next(self._updates), "{}"))
        (claim,) = await self._inbox.take(1, 1)
        await self._inbox.commit(claim, "reply", change)
        await self._inbox.done(claim, answer_ids=answer)


@pytest.fixture
def history(redis: Redis) -> Conversations:
    """The histories of a new bot."""
    return Conversations(redis)


async def test_what_is_appended_is_read(history: Conversations) -> None:
    """Turns come back oldest first."""
    assert (await history.newest(CHAT, 10_000)).exchanges == ()
    await history.append(CHAT, 0, exchange(1))
    await history.append(CHAT, 0, exchange(2))
    assert (await history.newest(CHAT, 10_000)).exchanges == (exchange(1), exchange(2))


async def test_a_late_answer_stays_out_of_a_new_history(history: Conversations) -> None:
    """What was asked before a reset is not appended after it."""
    before = await history.newest(CHAT, 10_000)
    await history.forget(CHAT)
    await history.append(CHAT, before.epoch, exchange(1))
    after = await history.newest(CHAT, 10_000)
    assert after.exchanges == ()
    await history.append(CHAT, after.epoch, exchange(2))
    assert (await history.newest(CHAT, 10_000)).exchanges == (exchange(2),)


async def test_conversations_and_bots_are_apart(history: Conversations, redis: Redis) -> None:
    """Chats, topics of a chat and bots on one server never meet."""
    await history.append(CHAT, 0, exchange(1))
    for other in (ChatKey(6), ChatKey(5, 1), ChatKey(-5)):
        assert (await history.newest(other, 10_000)).exchanges == ()
    assert (await History(redis, next(_numbers)).newest(CHAT, 10_000)).exchanges == ()


async def test_only_the_newest_that_fit_are_read(history: Conversations) -> None:
    """Whole turns are read from the newest back, up to a number of bytes."""
    for number in range(9):
        await history.append(CHAT, 0, exchange(number, size=500))
    exchanges = (await history.newest(CHAT, 2000)).exchanges
    assert exchanges == tuple(exchange(number, 500) for number in (6, 7, 8))


async def test_what_fits_to_the_byte(history: Conversations, redis: Redis) -> None:
    """Questions and answers of any length count as they are stored."""
    for number in range(3):
        await history.append(CHAT, 0, exchange(number, size=10 * number))
    entries = await redis.lrange(keys.history(history.bot_id, CHAT), 0, -1)
    sizes = [len(str(entry).encode()) for entry in entries]
    for turns in range(1, 4):
        fits = sum(sizes[-2 * turns :])
        assert len((await history.newest(CHAT, fits)).exchanges) == turns
        assert len((await history.newest(CHAT, fits - 1)).exchanges) == turns - 1


async def test_a_history_is_cut_at_its_bound(history: Conversations, redis: Redis) -> None:
    """Beyond the bound the oldest turns go, and only then."""
    key, turns = keys.history(history.bot_id, CHAT), LONGEST // 2
    said = [encode(message) for number in range(turns - 2) for message in exchange(number)]
    await redis.rpush(key, *said)
    oldest = []
    for number in range(turns - 2, turns + 2):
        await history.append(CHAT, 0, exchange(number))
        exchanges = (await history.newest(CHAT, 1_000_000)).exchanges
        oldest.append(exchanges[0].question.text)
        assert len(exchanges) == min(number + 1, turns)
    assert oldest == ["вопрос 0", "вопрос 0", "вопрос 1", "вопрос 2"]


@pytest.mark.parametrize("others", range(6))
async def test_what_was_put_there_by_hand_is_counted(
    history: Conversations, redis: Redis, others: int
) -> None:
    """Each message and byte of it, also where one has no answer."""
    said = [message for number in range(3) for message in exchange(number)]
    entries = [encode(message) for message in said[:others]]
    if entries:
        await redis.rpush(keys.history(history.bot_id, CHAT), *entries)
    await history.append(CHAT, 0, exchange(4))
    entries += map(encode, exchange(4))
    noted = await redis.hmget(keys.state(history.bot_id, CHAT), ["length", "bytes"])
    assert noted == [str(len(entries)), str(sum(len(entry.encode()) for entry in entries))]


@pytest.mark.parametrize("change", [Undone(), Restored()], ids=str)
async def test_what_is_noted_of_another_history(
    history: Conversations, redis: Redis, change: Change
) -> None:
    """After an undo or a restoration it is counted anew, even where the length is the same."""
    key = keys.history(history.bot_id, CHAT)
    await history.append(CHAT, 0, exchange(1))
    if isinstance(change, Restored):
        await history.forget(CHAT)
        await history.append(CHAT, 1, exchange(2, size=500))
        await redis.delete(key)
    await history.reply(CHAT, change)
    if isinstance(change, Undone):
        await redis.rpush(key, *map(encode, exchange(2, size=500)))
    await history.append(CHAT, int(isinstance(change, Restored)), exchange(3))
    entries = await redis.lrange(key, 0, -1)
    noted = await redis.hmget(keys.state(history.bot_id, CHAT), ["length", "bytes"])
    assert noted == ["4", str(sum(len(str(entry).encode()) for entry in entries))]


@pytest.mark.parametrize(("more", "turns"), [(0, 2), (-1, 1)])
async def test_what_fits_the_bound_to_the_byte(
    history: Conversations, redis: Redis, more: int, turns: int
) -> None:
    """It stays whole."""
    key, said = keys.history(history.bot_id, CHAT), [*exchange(1), *exchange(2)]
    most = sum(len(encode(message).encode()) for message in said) + more
    for turn in (exchange(1), exchange(2)):
        await history.reply(CHAT, Kept(turn, 0, most_bytes=most))
    assert await redis.llen(key) == 2 * turns


async def test_what_is_replaced_takes_no_room(history: Conversations, redis: Redis) -> None:
    """Also where the history was put there by hand."""
    key, kept = keys.history(history.bot_id, CHAT), [*exchange(1), *exchange(3)]
    await redis.rpush(key, *map(encode, [*exchange(1), *exchange(2, size=500)]))
    most = sum(len(encode(message).encode()) for message in kept)
    await history.reply(CHAT, Kept(exchange(3), 0, replaces=True, most_bytes=most))
    assert await redis.lrange(key, 0, -1) == list(map(encode, kept))


async def test_a_question_is_forgotten_whose_answer_is_not_known(history: Conversations) -> None:
    """An edit of it does not bring it back."""
    await history.reply(CHAT, Kept(exchange(1), 0, asked=30))
    await history.reply(CHAT, Forgotten(CHAT))
    assert (await history.newest(CHAT, 1000)).floor == 30


async def test_a_key_of_another_type(history: Conversations, redis: Redis) -> None:
    """It is no outage: nobody waits for it to be mended."""
    await redis.set(keys.history(history.bot_id, CHAT), "not a list")
    with pytest.raises(StorageRefused, match="WRONGTYPE"):
        await history.newest(CHAT, 1000)


@pytest.mark.parametrize(
    "broken",
    [
        "no JSON", "[" * 9999, "5", "{}", '{"role": "user"}', '{"text": "x"}', "",
        '{"role": "tool", "text": "x"}', '{"role": "user", "text": ["x"]}',
        '{"role": "user", "text": ""}',
    ],
)  # fmt: skip
async def test_what_nobody_can_read(history: Conversations, redis: Redis, broken: str) -> None:
    """An exchange that somebody else wrote so is left out; what is before and after it is there."""
    key = keys.history(history.bot_id, CHAT)
    for number in (1, 2, 3):
        await history.reply(CHAT, Kept(exchange(number), 0, asked=number), answer=[number])
    await redis.lset(key, 2, broken)
    with capture_logs() as logs:
        past = await history.newest(CHAT, 100_000)
    assert past.exchanges == (exchange(1), exchange(3))
    assert (past.length, past.asked, past.answer_ids) == (6, 3, (3,))
    assert [entry["event"] for entry in logs] == ["history_unreadable"]
    await redis.lset(key, 5, broken)  # then nothing is known of the last one
    past = await history.newest(CHAT, 100_000)
    assert (past.exchanges, past.asked, past.answer_ids) == ((exchange(1),), 0, ())


async def test_the_last_exchange_is_known(history: Conversations) -> None:
    """By its question's number and the messages of its answer, until it is taken back."""
    chat = ChatKey(1)
    await history.reply(chat, Kept(exchange(1), 0, asked=11), answer=[12, 13])
    past = await history.newest(chat, 1000)
    assert (past.length, past.asked, past.answer_ids, past.told) == (2, 11, (12, 13), False)
    await history.reply(chat, Kept(exchange(2), 0, asked=14, told=True))
    past = await history.newest(chat, 10)
    assert (past.length, past.asked, past.answer_ids, past.told) == (4, 14, (), True)
    await history.reply(chat, Kept(exchange(3), 0, asked=15), answer=[16])
    past = await history.newest(chat, 10)
    assert (past.length, past.asked, past.answer_ids, past.told) == (6, 15, (16,), True)
    await history.reply(chat, Undone(), answer=[17])
    past = await history.newest(chat, 1000)
    assert past.exchanges == (exchange(1), exchange(2))
    assert (past.asked, past.answer_ids, past.told) == (0, (), True)


async def test_what_is_no_answer_leaves_the_last_one_known(history: Conversations) -> None:
    """/help, say, is a reply that answers nothing, though it has messages."""
    chat = ChatKey(1)
    await history.reply(chat, Kept(exchange(1), 0, asked=11), answer=[12, 13])
    await history.reply(chat, None)
    past = await history.newest(chat, 1000)
    assert (past.asked, past.answer_ids) == (11, (12, 13))


async def test_an_exchange_is_replaced(history: Conversations) -> None:
    """The last one gives way to the new one; what was before stays."""
    chat = ChatKey(1)
    for number in (1, 2):
        await history.append(chat, 0, exchange(number))
    await history.reply(chat, Kept(exchange(3), 0, replaces=True))
    assert (await history.newest(chat, 1000)).exchanges == (exchange(1), exchange(3))
    await history.forget(chat)
    await history.reply(chat, Kept(exchange(4), 0, replaces=True))
    assert (await history.newest(chat, 1000)).length == 0


async def test_what_somebody_else_noted_stays(history: Conversations, redis: Redis) -> None:
    """Whatever happens to the exchanges around it, an entry is the same to the byte."""
    key, forgotten = (name(history.bot_id, CHAT) for name in (keys.history, keys.forgotten))
    question = '{"text": "q", "role": "user", "voice": {"id": "\\ud800"}}'
    entries = [question, encode(Message(Role.ASSISTANT, "a"))]
    await redis.rpush(key, *entries)
    await history.append(CHAT, 0, exchange(1))
    await history.reply(CHAT, Kept(exchange(2), 0, replaces=True))
    await history.reply(CHAT, Undone())
    assert await redis.lrange(key, 0, -1) == entries
    await history.forget(CHAT)
    assert await redis.lrange(forgotten, 0, -1) == entries
    await history.reply(CHAT, Restored())
    assert await redis.lrange(key, 0, -1) == entries
    [read] = (await history.newest(CHAT, 1000)).exchanges
    assert read.question.more == {"voice": {"id": "\ud800"}}


async def test_a_reset_is_taken_back(history: Conversations, redis: Redis) -> None:
    """For half an hour, and only where nothing new was said."""
    chat, key = ChatKey(1), keys.forgotten(history.bot_id, ChatKey(1))
    await history.append(chat, 0, exchange(1))
    assert not await history.is_forgotten(chat)
    await history.forget(chat)
    assert await history.is_forgotten(chat)
    assert 1790 < await redis.ttl(key) <= 1800
    await history.append(chat, 1, exchange(2))
    await history.reply(chat, Restored())
    assert (await history.newest(chat, 1000)).exchanges == (exchange(2),)
    await history.reply(chat, Undone())
    for _ in range(2):
        await history.reply(chat, Restored())
        assert (await history.newest(chat, 1000)).exchanges == (exchange(1),)
    assert await redis.ttl(keys.history(history.bot_id, chat)) == -1


async def test_the_newest_message_there_was(history: Conversations) -> None:
    """Whatever is forgotten, it is noted, and only ever grows."""
    chat, floors = ChatKey(1), []
    for change, answer in (
        (Forgotten(chat), ()),
        (Kept(exchange(1), 1, asked=11), (12, 13)),
        (Undone(), ()),
        (Kept(exchange(2), 1, asked=14), (15,)),
        (Undone(20), ()),
        (Forgotten(chat, 17), ()),
        (Kept(exchange(3), 1, asked=21), ()),
        (Restored(22), ()),
        (Forgotten(chat, 9007199254740991), ()),
    ):
        await history.reply(chat, change, answer)
        floors.append((await history.newest(chat, 1000)).floor)
    assert floors == [0, 0, 13, 13, 20, 20, 21, 22, 9007199254740991]


async def test_how_often_a_question_was_answered(history: Conversations) -> None:
    """It is known until another is asked; one that failed again is counted, too."""
    chat = ChatKey(1)
    for change, revision in (
        (Left(5), 0),
        (Kept(exchange(1), 0, asked=11), 0),
        (Kept(exchange(2), 0, asked=11, replaces=True, revision=1), 1),
        (Left(2), 2),
        (Kept(exchange(3), 0, asked=14), 0),
        (Kept(exchange(3), 0, asked=14, replaces=True, revision=1), 1),
        (Undone(), 0),
        (Kept(exchange(3), 0, asked=14, replaces=True, revision=1), 1),
        (Forgotten(chat), 0),
    ):
        await history.reply(chat, change)
        assert (await history.newest(chat, 1000)).revision == revision


async def test_a_forum_is_forgotten(history: Conversations, redis: Redis) -> None:
    """With every topic that has a history, had one, or in which something waits."""
    forum = ChatKey(-6)
    others = [ChatKey(-66, 2), ChatKey(6, 2), ChatKey(-5, 6)]
    for chat in (forum, ChatKey(-6, 2), *others):
        await history.append(chat, 0, exchange(1))
    await history.reply(ChatKey(-6, 3), Kept(exchange(1), 0, asked=30), answer=[31])
    await redis.rpush(keys.mailbox(history.bot_id, ChatKey(-6, 4)), "0 {}")
    await redis.rpush(keys.history(history.bot_id, ChatKey(-6, 5)).encode() + b"\xff", "x")
    await history.reply(ChatKey(7), Forgotten(forum, 5, with_topics=True))
    found = [await history.newest(ChatKey(-6, topic), 999) for topic in range(6)]
    assert [past.length for past in found] == [0] * 6
    assert [past.epoch for past in found] == [1, 0, 1, 1, 1, 0]
    assert [past.floor for past in found] == [5, 0, 5, 31, 5, 0]
    assert [(await history.newest(chat, 999)).length for chat in others] == [2, 2, 2]
    await history.reply(forum, Forgotten(forum))
    assert (await history.newest(ChatKey(-6, 2), 999)).epoch == 1


@pytest.mark.parametrize("change", [Kept(exchange(1), 0), Undone(), Left(1), Restored()], ids=str)
@pytest.mark.parametrize("name", ["history", "state", "epoch", "forgotten"])
async def test_a_change_that_is_refused(
    history: Conversations, redis: Redis, change: Change, name: str
) -> None:
    """No reply is kept then, which would be sent; a reset is never refused."""
    key = f"{keys.tag(history.bot_id)}{name}:{CHAT}"
    await redis.xadd(key, {"another": "type"})
    if name == "forgotten" and not isinstance(change, Restored):
        await history.reply(CHAT, change)
    else:
        with pytest.raises(StorageRefused, match="WRONGTYPE"):
            await history.reply(CHAT, change)
        assert not await redis.exists(keys.outbox(history.bot_id, CHAT))
    await history.forget(CHAT)
    assert (await history.newest(CHAT, 1000)).length == 0
    if name == "history":
        assert not await history.is_forgotten(CHAT)


@pytest.mark.parametrize("name", ["history", "state", "epoch", "forgotten"])
async def test_a_reply_that_changes_nothing(
    history: Conversations, redis: Redis, name: str
) -> None:
    """It is kept whatever is the matter with the history."""
    await redis.xadd(f"{keys.tag(history.bot_id)}{name}:{CHAT}", {"another": "type"})
    await history.reply(CHAT, None)


def test_how_much_there_is() -> None:
    """In exchanges, and whether it is more than so many, even by half of one."""
    past = [Past((), 0, length) for length in range(9)]
    assert [one.turns for one in past] == [0, 0, 1, 1, 2, 2, 3, 3, 4]
    assert [one.is_beyond(3) for one in past] == [False] * 7 + [True] * 2


def test_an_entry_tells_who_wrote_it() -> None:
    """Beside the role and the text as it was written; an old one tells nothing, nor an odd one."""
    said = Message(Role.USER, "[Ann]: hi", 101, "Ann\n😀", 1_790_000_000, quoted=(7, 8))
    entry = encode(said)
    assert json.loads(entry) == {
        "role": "user",
        "text": "[Ann]: hi",
        "from": 101,
        "name": "Ann\n😀",
        "at": 1_790_000_000,
        "quoted": [7, 8],
    }
    assert decode(entry) == said
    old = Message(Role.USER, "hi")
    assert encode(old) == '{"role": "user", "text": "hi"}'
    assert encode(Message(Role.USER, "да")) == '{"role": "user", "text": "да"}'
    assert decode(encode(old)) == old
    odd = '{"role": "user", "text": "hi", "from": "x", "name": 5, "at": null, "more": []}'
    assert decode(odd) == replace(old, more={"more": []})
    assert json.loads(encode(decode(odd))) == {"role": "user", "text": "hi", "more": []}
    for numbers in ("7", '{"7": 8}', '["7"]', "[7.5]", "[null]", "[true]"):
        fields = f'{{"role": "user", "text": "hi", "quoted": {numbers}}}'
        assert {*decode(fields).quoted} <= {0}
    torn = '{"role": "user", "text": "hi", "voice": "\\ud800"}'
    assert "\ufffd" in encode(decode(torn))  # which Redis can take
    for kept in (entry, odd, torn):  # an archive takes them all
        Item("history:5", "list", -1, [kept]).check()


def test_it_can_be_read_in_redis_cli() -> None:
    """A Cyrillic letter takes two bytes, not six."""
    assert encode(Message(Role.USER, "вопрос")) == '{"role": "user", "text": "вопрос"}'


@pytest.mark.parametrize(
    "parts",
    [5, "parts", [5], [[9, 0]], [[9, 0, 2], [9, 1, 3]], [[9, 0, 7]], [[9, -1, 2]], {"9": 0}],
)
def test_parts_that_make_no_sense(parts: object) -> None:
    """A question from whose entry nobody can tell what it is joined from is a single one."""
    entry = {"role": "user", "text": "hello", "parts": parts}
    assert decode(json.dumps(entry)) == Message(Role.USER, "hello")
    entry["parts"] = [[9, 0, 2], [10, 3, 5]]
    assert decode(json.dumps(entry)).parts == (Part(9, 0, 2), Part(10, 3, 5))
