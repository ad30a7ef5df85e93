"""What is kept of a group moves to the supergroup that it becomes: once, whoever says so."""

import itertools
import json

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from storage import keys
from storage.archive import Archive
from storage.arrivals import GROUP, Arrival
from storage.change import Forgotten, Kept
from storage.history import LONGEST, MOST_BYTES, Past, encode
from storage.inbox import Inbox
from storage.lane import Claim, LaneLost, Shown
from storage.mending import Mending
from storage.message import ChatKey, Exchange, Message, Role
from storage.server.connect import StorageRefused
from tests.history import History

OLD, NEW = ChatKey(-5), ChatKey(-1000000000005)

_bot_ids = itertools.count(10_800_000)
_update_ids = itertools.count(1)


def exchange(number: int) -> Exchange:
    """A question with its answer."""
    return Exchange(Message(Role.USER, f"q{number}"), Message(Role.ASSISTANT, f"a{number}"))


class Bot:
    """A bot of a test's own, with two workers."""

    def __init__(self, redis: Redis) -> None:
        self.redis, self.id = redis, next(_bot_ids)
        self.one, self.two = (Inbox(redis, self.id, name) for name in ("one", "two"))
        self.history = History(redis, self.id)

    async def claim(self, lane: ChatKey, *, by: Inbox | None = None) -> Claim:
        """Let something come in, and a worker claim its lane."""
        await self.put(lane, "work")
        (claim,) = await (by or self.one).take(1, 1)
        assert claim.lane == lane
        return claim

    async def put(self, lane: ChatKey, text: str, *, interrupts: bool = False) -> None:
        number = next(_update_ids)
        update = json.dumps({"update_id": number, "text": text})
        await self.one.put(Arrival(lane, number, update, interrupts))

    async def said(self, lane: ChatKey, *numbers: int) -> None:
        """Let exchanges be had."""
        for number in numbers:
            claim = await self.claim(lane)
            epoch = (await self.past(lane)).epoch
            kept = Kept(
                exchange(number), epoch, 3, 4, asked=10 * number, told=True, model="gpt://f/m"
            )
            await self.one.commit(claim, "{}", kept)
            await self.one.done(claim, answer_ids=[10 * number + 1])

    async def reset(self, lane: ChatKey, *, for_good: bool = False) -> None:
        claim = await self.claim(lane)
        await self.one.commit(claim, "{}", Forgotten(lane, 7, for_good=for_good))
        await self.one.done(claim)

    async def past(self, lane: ChatKey) -> Past:
        return await self.history.newest(lane, 1_000_000)

    async def texts(self, lane: ChatKey) -> list[str]:
        return [one.text for exchange in (await self.past(lane)).exchanges for one in exchange]

    async def waiting(self, lane: ChatKey) -> list[str]:
        """The texts of what waits in a lane, the head first."""
        entries = await self.redis.lrange(keys.mailbox(self.id, lane), 0, -1)
        return [json.loads(str(entry)[str(entry).find("{") :])["text"] for entry in entries]

    async def all(self) -> dict[str, object]:
        """All that is there, but for the queue."""
        names = [str(name) async for name in self.redis.scan_iter(f"{keys.tag(self.id)}*")]
        found: dict[str, object] = {}
        for name in names:
            match await self.redis.type(name):
                case "list":
                    found[name] = await self.redis.lrange(name, 0, -1)
                case "hash":
                    found[name] = await self.redis.hgetall(name)
                case "string":
                    found[name] = await self.redis.get(name)
                case kind:
                    found[name] = kind
        return found

    async def left(self) -> set[str]:
        """What is there of the group still."""
        names = [
            *keys.kept(self.id, OLD),
            *(one(self.id, OLD) for one in (keys.mailbox, keys.outbox)),
        ]
        return {name for name in names if await self.redis.exists(name)}


@pytest.fixture
async def bot(redis: Redis) -> Bot:
    """A bot on which nobody worked yet."""
    made = Bot(redis)
    await made.one.begin()
    return made


@pytest.mark.parametrize("by", ["inherit", "hand_over", "both", "both the other way round"])
async def test_all_moves_once(bot: Bot, by: str) -> None:
    """Whichever chat's lane moves it, and however often; numbers of messages stay behind."""
    await bot.said(OLD, 1, 2)
    await bot.said(NEW, 3)
    new, old = await bot.claim(NEW), None
    if by != "inherit":
        old = await bot.claim(OLD, by=bot.two)
    for _ in range(2):
        if by == "both the other way round":
            assert old
            await bot.two.hand_over(old, NEW.chat_id)
        if by != "hand_over":
            assert await bot.one.inherit(new, OLD.chat_id) == (by == "inherit")
        if by in ("hand_over", "both"):
            assert old
            await bot.two.hand_over(old, NEW.chat_id)
            by = by.replace("both", "hand_over")
    if old:
        await bot.two.done(old)
    assert await bot.texts(NEW) == ["q1", "a1", "q2", "a2", "q3", "a3"]
    assert await bot.left() == set()
    past = await bot.past(NEW)
    assert (past.asked, past.answer_ids, past.told) == (30, (31,), True)
    usage = await bot.redis.hgetall(keys.usage(bot.id, NEW))
    counted = {"answers": "3", "prompt_tokens": "9", "completion_tokens": "12"}
    of_the_model = {f"completion:gpt://f/m:{field}": number for field, number in counted.items()}
    assert usage == counted | of_the_model
    assert await bot.one.successors({OLD.chat_id, 7}) == {NEW.chat_id}
    await bot.one.done(new)
    await bot.said(NEW, 4)  # which counts what there is, and goes on
    assert await bot.redis.hget(keys.state(bot.id, NEW), "length") == "8"


async def test_an_entry_moves_as_it_is(bot: Bot, redis: Redis) -> None:
    """With what somebody else noted in it."""
    entry = '{"text": "q", "role": "user", "voice": {"id": 1.0}}'
    await redis.rpush(keys.history(bot.id, OLD), entry, entry)
    assert await bot.one.inherit(await bot.claim(NEW), OLD.chat_id)
    assert await redis.lrange(keys.history(bot.id, NEW), 0, -1) == [entry, entry]


async def test_to_where_nothing_is(bot: Bot) -> None:
    """Then nothing is known of the last exchange: its numbers were another chat's."""
    await bot.said(OLD, 1)
    assert await bot.one.inherit(await bot.claim(NEW), OLD.chat_id)
    past = await bot.past(NEW)
    assert past.exchanges == (exchange(1),)
    assert (past.asked, past.answer_ids, past.revision, past.floor) == (0, (), 0, 0)
    assert past.told


async def test_from_where_nothing_is(bot: Bot) -> None:
    """A group with which nobody spoke leaves nothing but its number."""
    claim = await bot.claim(NEW)
    assert await bot.one.inherit(claim, OLD.chat_id)
    assert await bot.one.successors({OLD.chat_id}) == {NEW.chat_id}
    await bot.one.done(claim)
    assert [name async for name in bot.redis.scan_iter(f"{keys.tag(bot.id)}*{NEW}")] == []


async def test_what_is_in_work_is_waited_for(bot: Bot) -> None:
    """A turn under way, and what waits behind it, come first; then all is there."""
    await bot.said(OLD, 1)
    old, new = await bot.claim(OLD), await bot.claim(NEW)
    await bot.put(OLD, "next")
    assert not await bot.two.inherit(await stolen(bot, new), OLD.chat_id)
    await bot.one.commit(old, "{}", Kept(exchange(2), 0))
    await bot.one.done(old)
    (old,) = await bot.one.take(1, 1)
    assert not await bot.two.inherit(await stolen(bot, new), OLD.chat_id)
    await bot.one.done(old)
    assert await bot.two.inherit(await stolen(bot, new), OLD.chat_id)
    assert await bot.texts(NEW) == ["q1", "a1", "q2", "a2"]


async def stolen(bot: Bot, claim: Claim) -> Claim:
    """Let the other worker have a lane."""
    await bot.redis.xclaim(keys.ready(bot.id), GROUP, "two", 0, [claim.entry])
    return claim


async def test_only_the_owner_moves_anything(bot: Bot) -> None:
    """Whoever lost the lane hears of it, and nothing has changed."""
    await bot.said(OLD, 1)
    old, new = await bot.claim(OLD), await bot.claim(NEW)
    for move in (bot.two.inherit(new, OLD.chat_id), bot.two.hand_over(old, NEW.chat_id)):
        with pytest.raises(LaneLost):
            await move
    assert await bot.texts(OLD) == ["q1", "a1"]
    assert await bot.waiting(OLD) == ["work"]
    assert await bot.one.successors({OLD.chat_id}) == set()


async def test_what_waits_is_answered_first(bot: Bot) -> None:
    """Where it was asked, with what was said there; what is dealt with together counts as one."""
    await bot.said(OLD, 1)
    old = await bot.claim(OLD)
    await bot.put(OLD, "joined")
    await bot.put(OLD, "next")
    await bot.one.joined(old, 1)
    await bot.one.hand_over(old, NEW.chat_id)
    assert await bot.texts(OLD) == ["q1", "a1"]
    assert await bot.one.successors({OLD.chat_id}) == set()
    await bot.one.done(old)
    (old,) = await bot.one.take(1, 1)
    await bot.put(OLD, "joined")
    await bot.one.hand_over(old, NEW.chat_id)
    assert await bot.texts(OLD) == ["q1", "a1"]
    await bot.one.joined(old, 1)
    await bot.one.hand_over(old, NEW.chat_id)
    await bot.one.done(old)
    assert await bot.texts(NEW) == ["q1", "a1"]
    assert await bot.left() == set()


@pytest.mark.parametrize("for_good", [False, True])
async def test_a_reset_in_the_supergroup_means_all(bot: Bot, for_good: bool) -> None:
    """What was said in the group before does not come back by moving; only as the rest may."""
    await bot.said(OLD, 1)
    await bot.said(NEW, 2)
    await bot.reset(NEW, for_good=for_good)
    await bot.said(NEW, 3)
    assert await bot.one.inherit(await bot.claim(NEW), OLD.chat_id)
    assert await bot.texts(NEW) == ["q3", "a3"]
    forgotten = keys.forgotten(bot.id, NEW)
    assert await bot.redis.llen(forgotten) == (0 if for_good else 4)
    assert await bot.redis.ttl(forgotten) > 1700 or for_good
    assert await bot.left() == set()


async def test_what_was_forgotten_can_come_back(bot: Bot) -> None:
    """As long as it could have in the group."""
    await bot.said(OLD, 1)
    await bot.reset(OLD)
    assert await bot.one.inherit(await bot.claim(NEW), OLD.chat_id)
    assert await bot.one.is_forgotten(NEW)
    assert await bot.redis.ttl(keys.forgotten(bot.id, NEW)) > 1700
    assert (await bot.past(NEW)).epoch == 0  # so that an answer under way there is kept
    assert await bot.left() == set()


async def test_it_is_bounded(bot: Bot, redis: Redis) -> None:
    """Whole exchanges, the newest."""
    older = [encode(message) for number in range(LONGEST // 2) for message in exchange(number)]
    newer = [*older[:2], "odd"]
    await redis.rpush(keys.history(bot.id, OLD), *older)
    await redis.rpush(keys.history(bot.id, NEW), *newer)
    assert await bot.one.inherit(await bot.claim(NEW), OLD.chat_id)
    entries = await redis.lrange(keys.history(bot.id, NEW), 0, -1)
    assert entries == [*older[4:], *newer]


@pytest.mark.parametrize(("more", "kept"), [(0, 10), (1, 8)])
async def test_it_is_bounded_by_bytes(bot: Bot, redis: Redis, more: int, kept: int) -> None:
    """What fits to the byte moves."""
    await redis.rpush(keys.history(bot.id, NEW), *["x" * (MOST_BYTES // 10)] * 2)
    older = ["x" * (MOST_BYTES // 10 + more), *["x" * (MOST_BYTES // 10)] * 7]
    await redis.rpush(keys.history(bot.id, OLD), *older)
    assert await bot.one.inherit(await bot.claim(NEW), OLD.chat_id)
    assert await redis.llen(keys.history(bot.id, NEW)) == kept


@pytest.mark.slow
@pytest.mark.parametrize("lane", [OLD, NEW])
async def test_damaged_keys(bot: Bot, redis: Redis, lane: ChatKey) -> None:
    """They are set aside, each for itself, and all else moves."""
    waiting = keys.mailbox(bot.id, OLD), keys.outbox(bot.id, OLD)
    for name in [*keys.kept(bot.id, lane), *waiting, keys.successors(bot.id)]:
        await redis.delete(*await bot.all())
        await bot.one.begin()
        await bot.said(OLD, 1)
        claim = await bot.claim(NEW)
        await redis.delete(name)
        await redis.sadd(name, "odd")
        before = await bot.all()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Mending, "mend", _refused)
            with pytest.raises(StorageRefused, match="nobody mends"):
                await bot.one.inherit(claim, OLD.chat_id)
        assert await bot.all() == before
        with capture_logs() as logs:
            assert await bot.one.inherit(claim, OLD.chat_id)
        assert [entry["keys"] for entry in logs] == [[name]]
        lost = name == keys.history(bot.id, OLD)
        assert await bot.texts(NEW) == ([] if lost else ["q1", "a1"])
        assert await redis.exists(keys.usage(bot.id, NEW)) == (name != keys.usage(bot.id, OLD))
        assert await bot.left() == set()


async def _refused(*_: object) -> None:
    raise StorageRefused("nobody mends")


async def test_where_nobody_can_tell(bot: Bot, redis: Redis) -> None:
    """A damaged list of what groups have become holds up nobody."""
    await redis.set(keys.successors(bot.id), "odd")
    assert await bot.one.successors({OLD.chat_id}) == set()


async def test_what_was_chosen_moves(bot: Bot, redis: Redis) -> None:
    """What the supergroup has chosen by now counts; no menu of either is a present one."""
    old, new = (keys.settings(bot.id, chat) for chat in (OLD, NEW))
    await redis.hset(old, mapping={"version": 7, "hears": "20", "prompt": "Be kind."})
    await redis.hset(new, mapping={"version": 3, "hears": "50"})
    for _ in range(2):
        assert await bot.one.inherit(await bot.claim(NEW), OLD.chat_id)
        await redis.delete(keys.ready(bot.id), keys.mailbox(bot.id, NEW))
        await bot.one.begin()
        assert await redis.hgetall(new) == {"version": "8", "hears": "50", "prompt": "Be kind."}
    assert await bot.left() == set()


async def test_odd_numbers_of_usage(bot: Bot, redis: Redis) -> None:
    """What is no number is not counted; the rest is."""
    await redis.hset(keys.usage(bot.id, OLD), mapping={"answers": "many", "prompt_tokens": "5"})
    assert await bot.one.inherit(await bot.claim(NEW), OLD.chat_id)
    assert await redis.hgetall(keys.usage(bot.id, NEW)) == {"prompt_tokens": "5"}


async def test_an_owner_names_the_old_number(bot: Bot) -> None:
    """What is to be forgotten of a group is its supergroup's by now."""
    await bot.said(OLD, 1)
    claim = await bot.claim(NEW)
    assert await bot.one.inherit(claim, OLD.chat_id)
    await bot.one.done(claim)
    claim = await bot.claim(ChatKey(1))
    await bot.one.commit(claim, "{}", Forgotten(OLD, with_topics=True))
    assert await bot.texts(NEW) == []


async def test_it_is_exported(bot: Bot, redis: Redis) -> None:
    """What became of groups moves house with all else."""
    assert await bot.one.inherit(await bot.claim(NEW), OLD.chat_id)
    there = Bot(redis)
    item = await Archive(redis, bot.id).read("successors")
    assert item
    assert "successors" in await Archive(redis, bot.id).names(whole=True)
    item.check()
    await Archive(redis, there.id).write(item, "", "1")
    assert await there.one.successors({OLD.chat_id}) == {NEW.chat_id}


@pytest.mark.parametrize(
    "shown", [Shown(), Shown(1, (5, 6)), Shown(1, (5, 6), -1005), Shown(0, (), -7)]
)
def test_where_a_reply_is_shown(shown: Shown) -> None:
    """It is read as it was written."""
    assert Shown.parse(str(shown)) == shown
