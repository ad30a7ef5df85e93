"""Raw updates, whatever they are, into the inbox or among the dead letters."""

import asyncio
import contextlib
import itertools
import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import REGISTRY
from redis.asyncio import Redis
from structlog.testing import capture_logs

from bot.updates.intake import LARGEST, Intake, NoRoom, _interrupts, is_number, lane_of
from handlers.incoming.burst import LONG
from storage import keys
from storage.chat_settings import ChatSettings, When
from storage.dead import DeadLetters
from storage.hearing import Overheard
from storage.inbox import Inbox
from storage.lane import Entry
from storage.message import ChatKey, Message, Role, well_formed
from storage.server.connect import StorageUnavailable, connect
from storage.timing import Timing
from tests.valkey import own_valkey

_bot_ids = itertools.count(8_400_000)


class Mere:
    """Talk for nobody but a bot that answers always, or one called Alice."""

    def __init__(self, raw: Any) -> None:
        self.raw = raw

    def is_for_us(self, chosen: ChatSettings) -> bool:
        """By the settings alone."""
        called = str(self.raw.get("text")).startswith(chosen.names or ("-",))
        return chosen.when is When.ALWAYS or called

    def overheard(self, lane: ChatKey, *, edited: bool) -> Overheard:
        """Its words."""
        number, text = self.raw.get("message_id", 1), self.raw.get("text")
        said = Message(Role.USER, text, 101) if isinstance(text, str) else None
        return Overheard(lane, number, said, edited, always=True)


def unnamed(raw: Any) -> Mere | None:
    """Talk is what does not name the bot."""
    return None if "@bot" in str(raw) else Mere(raw)


class Bot:
    """A bot of a test's own that takes updates in."""

    def __init__(self, redis: Redis) -> None:
        self.redis, self.id = redis, next(_bot_ids)
        self.letters = DeadLetters(redis, self.id)
        self.inbox = Inbox(redis, self.id, "worker")
        self.intake = Intake(
            self.inbox, self.letters, lambda raw: Mere(raw) if raw == TALK else None
        )

    async def waiting(self, lane: ChatKey) -> list[Any]:
        """The updates in a mailbox."""
        entries = await self.redis.lrange(keys.mailbox(self.id, lane), 0, -1)
        return [json.loads(Entry.parse(str(entry)).update) for entry in entries]

    async def interrupting(self, lane: ChatKey) -> int:
        """How many of them may cut short what waits."""
        entries = await self.redis.lrange(keys.mailbox(self.id, lane), 0, -1)
        return sum(bool(re.match(r"\d+\*", str(entry))) for entry in entries)

    async def reasons(self) -> list[str]:
        """Why letters are dead."""
        return [letter.reason for letter in await self.letters.all()]


@pytest.fixture
def bot(redis: Redis) -> Bot:
    """A bot nobody has written to yet."""
    return Bot(redis)


TALK = {"chat": {"id": -5}, "text": "talk"}


def update(number: Any, chat: Any, **message: Any) -> dict[str, Any]:
    """A raw update."""
    return {"update_id": number, "message": {"chat": {"id": chat}, **message}}


async def test_an_update_is_stored_in_its_lane(bot: Bot) -> None:
    """It lies there as it came, and coming again changes nothing."""
    raw = update(1, 5, text="привет", odd=[1.5, None, {"": "\ud83d"}])
    await bot.intake.take(raw)
    await bot.intake.take(raw)
    (stored,) = await bot.waiting(ChatKey(5))
    assert stored == update(1, 5, text="привет", odd=[1.5, None, {"": "\ufffd"}])
    assert await bot.reasons() == []


async def test_topics_are_lanes_of_their_own(bot: Bot) -> None:
    """A thread is a lane only in a forum."""
    await bot.intake.take(update(1, -1, message_thread_id=7))
    await bot.intake.take(update(2, -1, message_thread_id=7, is_topic_message=True))
    assert len(await bot.waiting(ChatKey(-1))) == 1
    assert len(await bot.waiting(ChatKey(-1, 7))) == 1


async def test_direct_messages_are_lanes_of_their_own(bot: Bot) -> None:
    """A topic that cannot be read is none."""
    await bot.intake.take(update(1, -1, direct_messages_topic={"topic_id": 7}))
    await bot.intake.take(update(2, -1, direct_messages_topic={"topic_id": "7"}))
    assert len(await bot.waiting(ChatKey(-1, 7))) == 1
    assert len(await bot.waiting(ChatKey(-1))) == 1


async def test_what_a_comment_in_a_group_is_on(bot: Bot) -> None:
    """It names nobody, and comes right behind the comment or before it; the rest is mere talk."""
    ann, group = {"id": 1}, {"id": -5, "type": "group"}
    sent: list[tuple[Any, dict[str, Any]]] = [
        (ann, {"text": "older", "forward_origin": {}}),
        (ann, {"text": "talk"}),
        (ann, {"text": "old", "forward_origin": {}}),
        (ann, {"document": {}}),
        (ann, {"text": "@bot is it true?"}),
        (ann, {"text": "the earth is flat", "forward_origin": {}}),
        (ann, {"document": {}}),
        (ann, {"text": "talk"}),
        ({"id": 2}, {"text": "the moon is cheese", "forward_origin": {}}),
        (ann, {"text": "@bot and you?"}),
        (ann, {"document": {}}),
        (ann, {"text": "talk", "forward_origin": {}}),
        (ann, {"text": "@bot in a channel's name", "sender_chat": {"id": -7}}),
        (ann, {"text": "another's", "forward_origin": {}, "sender_chat": {"id": -8}}),
    ]
    bot.intake = Intake(bot.inbox, bot.letters, unnamed)
    await bot.intake.take(
        *(
            {"update_id": number, "message": {"chat": group, "from": who, **fields}}
            for number, (who, fields) in enumerate(sent)
        )
    )
    assert [raw["update_id"] for raw in await bot.waiting(ChatKey(-5))] == [
        2,
        3,
        4,
        5,
        6,
        9,
        10,
        11,
        12,
    ]


ANN, BORIS = {"id": 1}, {"id": 2}
NAMED = "@bot " + "a" * (LONG - 5)
"""As short as what an app has cut may be."""


def in_group(number: int, text: Any, who: Any = ANN, **more: Any) -> dict[str, Any]:
    """Something said in a group, or elsewhere."""
    chat = {"id": -5, "type": "group"}
    return {"update_id": number, "message": {"chat": chat, "from": who, "text": text, **more}}


PHOTO: dict[str, Any] = {"text": None, "photo": []}
ALBUM = {"media_group_id": "1"}
SUPER = {"chat": {"id": -5, "type": "supergroup"}}


@pytest.mark.parametrize(
    ("first", "then", "belongs"),
    [
        (in_group(1, NAMED), in_group(2, "b"), True),
        (in_group(1, NAMED, **SUPER), in_group(2, "b", **SUPER), True),
        (in_group(1, NAMED), in_group(2, "b", BORIS), False),
        (in_group(1, NAMED), in_group(2, "b", chat={"id": -6, "type": "group"}), False),
        (in_group(1, NAMED, chat={"id": -5, "type": "channel"}), in_group(2, "b"), False),
        (in_group(1, NAMED[:-1]), in_group(2, "b"), False),
        (in_group(1, NAMED[:-1]), in_group(2, "b", forward_origin={}), True),
        (in_group(1, NAMED[:-1]), in_group(2, "b", BORIS, forward_origin={}), False),
        (in_group(1, "@bot", **ALBUM), in_group(2, **PHOTO, **ALBUM), True),
        (in_group(1, "@bot"), in_group(2, **PHOTO), False),
        (
            {"update_id": 1, "edited_message": in_group(1, NAMED)["message"]},
            in_group(2, "b"),
            False,
        ),
        (in_group(1, NAMED, chat=5), in_group(2, "b"), False),
        (in_group(1, "a", forward_origin={}), in_group(2, "@bot b"), False),
    ],
)
async def test_what_goes_on(
    bot: Bot, first: dict[str, Any], then: dict[str, Any], belongs: bool
) -> None:
    """The further parts of what was said to the bot in a group name nobody, and come apart."""
    bot.intake = Intake(bot.inbox, bot.letters, unnamed)
    await bot.intake.take(first)
    before = {raw["update_id"] for raw in await bot.waiting(ChatKey(-5))}
    await bot.intake.take(then)
    after = {raw["update_id"] for raw in await bot.waiting(ChatKey(-5))}
    assert (after - before == {2}) == (belongs or "@bot" in str(then))
    assert "@bot" in str(first) or not before


async def test_what_goes_on_too_late(bot: Bot) -> None:
    """After a while it is mere talk, and nobody is remembered any more."""
    bot.intake = Intake(bot.inbox, bot.letters, unnamed)
    await bot.intake.take(in_group(3, NAMED, chat={"id": -6, "type": "group"}))
    bot.inbox.timing = Timing(burst=-1)
    await bot.intake.take(in_group(1, NAMED), in_group(2, "b"))
    assert [raw["update_id"] for raw in await bot.waiting(ChatKey(-5))] == [1]
    assert len(bot.intake._groups.begun) == 2
    await bot.intake.take(in_group(4, NAMED, chat={"id": -7, "type": "group"}))
    assert bot.intake._groups.begun.keys() == {ChatKey(-6), ChatKey(-7)}


async def test_who_speaks_in_private_is_not_remembered(bot: Bot) -> None:
    """What they say is for the bot anyway."""
    await bot.intake.take(update(1, 5, text=NAMED))
    assert bot.intake._groups.begun == {}


class Broken(DeadLetters):
    """Fails at first, and keeps what it is given then."""

    def __init__(self) -> None:
        self.troubles = 1
        self.kept: list[str] = []

    async def add(self, update: str, reason: str) -> None:
        if self.troubles:
            self.troubles -= 1
            raise StorageUnavailable("away")
        self.kept.append(update)


async def test_what_could_not_be_buried(bot: Bot) -> None:
    """It is buried when it comes again; a thousand are known, and no more."""
    letters = Broken()
    intake = Intake(bot.inbox, letters, lambda _: None)
    with pytest.raises(StorageUnavailable):
        await intake.bury("0", "odd")
    for number in range(1001):
        await intake.bury(str(number), "odd")
    await intake.bury("1", "odd")
    assert len(letters.kept) == 1001
    await intake.bury("0", "odd")
    assert len(letters.kept) == 1002


def counted() -> Counter[str]:
    """How many updates became what, so far."""
    (metric,) = (one for one in REGISTRY.collect() if one.name == "intake_updates")
    samples = [one for one in metric.samples if one.name.endswith("_total")]
    return Counter({one.labels["outcome"]: int(one.value) for one in samples})


async def test_all_are_counted(bot: Bot) -> None:
    """By what became of them."""
    before = counted()
    await bot.intake.take(update(1, 5), update(1, 5), "odd", *(update(n, 6) for n in range(2, 55)))
    assert counted() - before == {"stored": 51, "known": 1, "flood": 1, "dropped": 2, "dead": 1}


@pytest.mark.parametrize(
    ("raw", "lane"),
    [
        ({"stopped_message_generation": {"chat": {"id": 7}}}, ChatKey(7)),
        (
            {"stopped_message_generation": {"chat": {"id": 7}, "message_thread_id": 3}},
            ChatKey(7, 3),
        ),
        (
            {
                "callback_query": {
                    "message": {
                        "chat": {"id": -7},
                        "message_thread_id": 3,
                        "is_topic_message": True,
                    }
                }
            },
            ChatKey(-7, 3),
        ),
        ({"callback_query": {"chat": {"id": 7}}}, None),
        (
            {"edited_message": {"chat": {"id": -5}, "migrate_to_chat_id": -1_000_000_000_005}},
            ChatKey(-5),
        ),
        (
            {"message": {"chat": {"id": -5}, "migrate_to_chat_id": -1_000_000_000_005}},
            ChatKey(-1_000_000_000_005),
        ),
    ],
)
def test_lanes(raw: dict[str, Any], lane: ChatKey | None) -> None:
    """Of what is no plain message."""
    assert lane_of(raw) == lane


@pytest.mark.parametrize("chat", [{"id": -5, "type": "group"}, 5, None])
@pytest.mark.parametrize("behind", [5, None, "message", [], {}, {"message": 5}])
async def test_what_is_behind_a_forward(bot: Bot, chat: Any, behind: Any) -> None:
    """It may be anything, and so may the forward."""
    bot.intake = Intake(bot.inbox, bot.letters, Mere)
    await bot.intake.take({"update_id": 1, "message": {"chat": chat, "forward_origin": 5}}, behind)
    assert await bot.waiting(ChatKey(-5)) == []


@pytest.mark.parametrize("text", ["/stop", "/RESET", "/stop@some_bot now", "/stop\nplease"])
async def test_commands_that_interrupt(bot: Bot, text: str) -> None:
    """A command that may cut short is stored as such."""
    await bot.intake.take(update(1, 5, text=text))
    assert await bot.interrupting(ChatKey(5)) == 1


@pytest.mark.parametrize("text", ["/stopping", "stop", " /stop", "/start", 5, None, ["/stop"]])
async def test_words_that_do_not_interrupt(bot: Bot, text: Any) -> None:
    """Nothing else is, whatever its type."""
    await bot.intake.take(update(1, 5, text=text))
    assert len(await bot.waiting(ChatKey(5))) == 1
    assert await bot.interrupting(ChatKey(5)) == 0


async def test_a_groups_own_talk_is_left(bot: Bot) -> None:
    """It takes no room from questions."""
    await bot.intake.take({"update_id": 1, "message": TALK}, update(2, -5, text="question"))
    assert [raw["update_id"] for raw in await bot.waiting(ChatKey(-5))] == [2]
    assert await bot.reasons() == []


async def chosen(bot: Bot, **values: str) -> None:
    """Let a group have chosen."""
    for name, value in values.items():
        await bot.redis.hset(keys.settings(bot.id, ChatKey(-5)), name, value)


def numbered(*updates: dict[str, Any]) -> list[dict[str, Any]]:
    """Messages with numbers of their own."""
    return [one | {"message": one["message"] | {"message_id": one["update_id"]}} for one in updates]


async def kept(bot: Bot) -> list[str]:
    """The numbers of what was heard in a group."""
    found = await bot.redis.zrange(keys.heard(bot.id, ChatKey(-5)), 0, -1)
    return [str(one).split(" ")[1] for one in found]


async def scripts(bot: Bot) -> int:
    """How many scripts the server has run."""
    stats: Any = await bot.redis.info("commandstats")
    return sum(int(stats.get(f"cmdstat_{one}", {}).get("calls", 0)) for one in ("evalsha", "eval"))


async def test_talk_costs_one_script_and_no_lane(bot: Bot) -> None:
    """However much of it a batch has; without any, there is none."""
    bot.intake = Intake(bot.inbox, bot.letters, unnamed)
    talk = numbered(*(in_group(number, "talk") for number in range(1, 51)))
    await bot.intake.take(in_group(200, "@bot"))
    one, both = [in_group(201, "@bot")], [*talk, in_group(202, "@bot")]
    for batch, cost in ((talk, 1), (one, 1), (both, 2)):
        before = await scripts(bot)
        await bot.intake.take(*batch)
        assert await scripts(bot) - before == cost
    assert [raw["update_id"] for raw in await bot.waiting(ChatKey(-5))] == [200, 201, 202]
    assert await kept(bot) == []


async def test_a_group_that_is_always_answered(bot: Bot) -> None:
    """All is a question there, and nothing is overheard."""
    bot.intake = Intake(bot.inbox, bot.letters, unnamed)
    await chosen(bot, when="always", hears="10")
    other = in_group(3, "talk", chat={"id": -6, "type": "group"})
    await bot.intake.take(*numbered(in_group(1, "a"), in_group(2, "@bot b"), other))
    assert [raw["update_id"] for raw in await bot.waiting(ChatKey(-5))] == [1, 2]
    assert await bot.waiting(ChatKey(-6)) == []
    assert await kept(bot) == []


async def test_what_goes_on_behind_a_name(bot: Bot) -> None:
    """Its further parts and what it comments on belong to it, and are not overheard."""
    bot.intake = Intake(bot.inbox, bot.letters, unnamed)
    await chosen(bot, names="Alice", hears="10")
    long = "Alice, " + "a" * LONG
    await bot.intake.take(
        *numbered(
            in_group(1, "talk"),
            in_group(2, "forward", forward_origin={}),
            in_group(3, long),
            in_group(4, "the rest"),
            in_group(5, "talk", BORIS),
        )
    )
    assert [raw["update_id"] for raw in await bot.waiting(ChatKey(-5))] == [2, 3, 4]
    assert await kept(bot) == ["1", "5"]


async def test_what_was_said_before_does_not_go_on(bot: Bot) -> None:
    """Though its batch is read twice; and what was begun elsewhere goes on there."""
    bot.intake = Intake(bot.inbox, bot.letters, unnamed)
    await chosen(bot, names="Alice", hears="10")
    there = {"chat": {"id": -6, "type": "group"}}
    await bot.intake.take(*numbered(in_group(1, NAMED, **there), in_group(2, NAMED)))
    await bot.intake.take(
        *numbered(
            in_group(3, "talk", BORIS),
            in_group(4, NAMED, BORIS),
            in_group(5, "Alice, hi", {"id": 3}),
        )
    )
    assert [raw["update_id"] for raw in await bot.waiting(ChatKey(-5))] == [2, 4, 5]
    assert await kept(bot) == ["3"]
    await bot.intake.take(*numbered(in_group(6, "the rest", **there)))
    assert [raw["update_id"] for raw in await bot.waiting(ChatKey(-6))] == [1, 6]


async def test_a_death_between_hearing_and_storing(bot: Bot) -> None:
    """All comes again: what was heard is known, and the question is stored once."""
    bot.intake = Intake(bot.inbox, bot.letters, unnamed)
    await chosen(bot, names="Alice", hears="10")
    batch = numbered(in_group(1, "talk"), in_group(2, "Alice, hi"), in_group(3, "more"))
    talk = (Mere(one["message"]).overheard(ChatKey(-5), edited=False) for one in batch)
    await bot.inbox.hear(*talk)
    assert await kept(bot) == ["1", "2", "3"]
    for _ in range(2):
        await bot.intake.take(*batch)
        assert await kept(bot) == ["1", "3"]
        assert [raw["update_id"] for raw in await bot.waiting(ChatKey(-5))] == [2]


async def test_an_edit_of_talk_is_left(bot: Bot) -> None:
    """It is talk as before."""
    await bot.intake.take({"update_id": 1, "edited_message": TALK})
    assert await bot.waiting(ChatKey(-5)) == []


async def test_what_is_no_message_is_no_talk(bot: Bot) -> None:
    """A press, and a stop of a draft, are for the bot."""
    bot.intake = Intake(bot.inbox, bot.letters, Mere)
    stop = {"update_id": 2, "stopped_message_generation": {"chat": {"id": 5}}}
    await bot.intake.take(press(1, 5, "stop:1"), stop)
    assert [raw["update_id"] for raw in await bot.waiting(ChatKey(5))] == [1, 2]


async def test_a_press_behind_a_forward(bot: Bot) -> None:
    """It is no comment, and what follows it is none on the forward."""
    bot.intake = Intake(bot.inbox, bot.letters, unnamed)
    forward, comment = in_group(1, "a", forward_origin={}), in_group(3, "@bot b")
    await bot.intake.take(forward, press(2, -5, "stop:1"), comment)
    assert [raw["update_id"] for raw in await bot.waiting(ChatKey(-5))] == [2, 3]


async def test_what_was_not_asked_for_is_left(bot: Bot) -> None:
    """Other kinds of updates are neither stored nor buried."""
    await bot.intake.take({"update_id": 1, "poll": {}})
    assert await bot.redis.keys(f"{{{bot.id}}}:*") == []


def nested(depth: int) -> Any:
    """A list in a list, and so on."""
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (None, "no update_id"),
        ([update(1, 5)], "no update_id"),
        ("text", "no update_id"),
        ({"message": {"chat": {"id": 5}}}, "no update_id"),
        (update("1", 5), "no update_id"),
        (update(True, 5), "no update_id"),
        (update(1.0, 5), "no update_id"),
        (update(-1, 5), "no update_id"),
        (update(2**63, 5), "no update_id"),
        (update(1, None), "no readable chat"),
        (update(1, True), "no readable chat"),
        (update(1, 5.0), "no readable chat"),
        (update(1, 5, is_topic_message=True), "no readable chat"),
        (update(1, 5, is_topic_message=True, message_thread_id="7"), "no readable chat"),
        ({"update_id": 1, "message": None}, "no readable chat"),
        ({"update_id": 1, "message": [{"chat": {"id": 5}}]}, "no readable chat"),
        (nested(100_000), "nested too deep"),
        (update(1, 5, text=nested(100_000)), "nested too deep"),
    ],
)
async def test_what_cannot_be_queued_is_buried(bot: Bot, raw: Any, reason: str) -> None:
    """An update without a number or a chat of its own becomes a dead letter, and is told of."""
    with capture_logs() as logs:
        await bot.intake.take(raw)
    assert await bot.reasons() == [reason]
    assert [entry["event"] for entry in logs] == ["update_unreadable"]
    assert not await bot.redis.exists(keys.ready(bot.id))


@pytest.mark.parametrize("kind", ["message", "edited_message"])
async def test_talk_in_no_readable_chat_is_kept_nowhere(bot: Bot, kind: str) -> None:
    """It is nobody's business, wherever it is said."""
    bot.intake = Intake(bot.inbox, bot.letters, Mere)
    await bot.intake.take({"update_id": 1, kind: {"chat": {"id": "x"}, "text": "talk"}})
    assert await bot.reasons() == []


@pytest.mark.parametrize("raw", ["text", update(1, None), update(1, 5, text=nested(100_000))])
async def test_what_comes_again_is_buried_once(bot: Bot, raw: Any) -> None:
    """A server may repeat itself; others are buried all the same."""
    for _ in range(3):
        await bot.intake.take(raw, update(2, 5))
    await bot.intake.take("other")
    assert len(await bot.reasons()) == 2


async def test_what_is_too_large_is_buried(bot: Bot) -> None:
    """Of an update beyond the bound only the beginning is kept."""
    room = LARGEST - len(json.dumps(update(1, 5, text="")))
    await bot.intake.take(update(1, 5, text="x" * room))
    await bot.intake.take(update(2, 5, text="x" * (room + 1)))
    assert [raw["update_id"] for raw in await bot.waiting(ChatKey(5))] == [1]
    (letter,) = await bot.letters.all()
    assert len(letter.update) == 1000


PERSON, OWNER, CHANNEL = {"id": 66}, {"id": 5}, {"id": -1007}


@pytest.mark.parametrize("is_full", [False, True])
@pytest.mark.parametrize(
    ("by", "also"), [("press", [72]), ("command", [73]), ("channel", [72, 73])]
)
async def test_a_stranger_shuts_out_nobody(
    full: Bot, is_full: bool, by: str, also: list[int]
) -> None:
    """However often somebody interrupts, others can, and they themselves in the other way."""
    await full.redis.config_set("maxmemory", str(int(is_full)))
    sent: dict[str, Callable[[int], dict[str, Any]]] = {
        "press": lambda number: press(number, -5, "stop:1", PERSON),
        "command": lambda number: update(number, -5, text="/reset", **{"from": PERSON}),
        "channel": lambda number: update(
            number, -5, text="/reset", sender_chat=CHANNEL, **{"from": OWNER}
        ),
    }
    batch = [sent[by](number) for number in range(70)]
    for number, who in ((70, OWNER), (72, PERSON)):
        batch.append(update(number, -5, text="/stop", **{"from": who}))
        batch.append(press(number + 1, -5, "stop:1", who))
    with contextlib.suppress(StorageUnavailable):
        await full.intake.take(*batch)
    stored = [raw["update_id"] for raw in await full.waiting(ChatKey(-5))]
    assert stored == [*range(10), 70, 71, *also]


async def test_a_flood_is_told_of(bot: Bot) -> None:
    """What a lane has no room for is a line in the log."""
    with capture_logs() as logs:
        for number in range(53):
            await bot.intake.take(update(number, 5))
    assert [entry["update"] for entry in logs] == ["flood", "dropped", "dropped"]


async def test_nothing_is_taken_without_storage() -> None:
    """While storage is away, whoever brings an update hears so, for a good one as for a bad one."""
    async with own_valkey() as server:
        client = connect(server.url, connections=2)
        server.kill()
        bot = Bot(client)
        for raw in (update(1, 5), "odd"):
            with pytest.raises(StorageUnavailable):
                await bot.intake.take(raw)
        await client.aclose()


@pytest.fixture
async def full() -> AsyncIterator[Bot]:
    """A bot whose storage has no room for anything new."""
    async with own_valkey() as server:
        client = connect(server.url, connections=4)
        await client.config_set("maxmemory", "1")
        yield Bot(client)
        await client.aclose()


def press(number: int, chat: int, data: str, person: Any = None) -> dict[str, Any]:
    """A raw press of a button."""
    pressed = {"data": data, "from": person, "message": {"chat": {"id": chat}}}
    return {"update_id": number, "callback_query": pressed}


async def test_what_makes_room_gets_in(full: Bot) -> None:
    """Commands and presses are stored though the rest is refused; all of it comes again."""
    batch = [
        update(1, 5, text="question"),
        update(2, 5, text="/reset"),
        "odd",
        press(3, 6, "stop:1"),
        update(4, 6, text="question"),
        update(5, 7, text="/help"),
        update(8, 7, text="/reset", forward_origin={}),
        {"update_id": 6, "stopped_message_generation": {"chat": {"id": 7}, "draft_id": 1}},
        {"update_id": 7, "edited_message": {"chat": {"id": 7}, "text": "/reset"}},
    ]
    for _ in range(2):
        with pytest.raises(StorageUnavailable, match="OutOfMemory"):
            await full.intake.take(*batch)
    lanes = [*(ChatKey(chat) for chat in (5, 6, 7)), ChatKey(7).aside]
    waiting = [[raw["update_id"] for raw in await full.waiting(lane)] for lane in lanes]
    assert waiting == [[2], [3], [6], [5]]
    assert await full.reasons() == []
    await full.redis.config_set("maxmemory", "0")
    await full.intake.take(*batch)
    waiting = [[raw["update_id"] for raw in await full.waiting(lane)] for lane in lanes]
    assert waiting == [[2, 1], [3, 4], [6, 8, 7], [5]]
    assert await full.reasons() == ["no update_id"]


async def room_for(bot: Bot, size: int) -> None:
    """Leave a server's memory room for so many bytes."""
    used = (await bot.redis.info("memory"))["used_memory"]
    await bot.redis.config_set("maxmemory", str(used + size))


async def test_as_much_is_stored_as_there_is_room_for(full: Bot) -> None:
    """Of a batch the first ones are, in their order, and may be confirmed; and what is urgent."""
    await full.redis.config_set("maxmemory", "0")
    await full.intake.take(update(1, 5, text="question"))  # all scripts are known to the server
    await room_for(full, 3_000_000)
    batch: list[Any] = [update(number, 5, text="x" * 200_000) for number in range(10, 40)]
    batch.insert(3, "odd")
    batch.append(update(40, 6, text="/reset"))
    with pytest.raises(NoRoom, match=r"^OutOfMemory") as refused:
        await full.intake.take(*batch)
    stored = [raw["update_id"] for raw in await full.waiting(ChatKey(5))]
    assert stored == [1, *range(10, 9 + refused.value.taken)]
    assert 5 <= refused.value.taken <= 15
    assert [raw["update_id"] for raw in await full.waiting(ChatKey(6))] == [40]
    assert await full.reasons() == ["no update_id"]
    assert await full.inbox.is_full()
    await full.inbox.check_room()  # for something small
    await full.redis.config_set("maxmemory", "0")
    await full.intake.take(*batch[refused.value.taken :])
    stored = [raw["update_id"] for raw in await full.waiting(ChatKey(5))]
    assert stored == [1, *range(10, 40)]


async def test_nothing_is_refused_that_is_urgent(full: Bot) -> None:
    """Where all of a batch gets in, it may be confirmed; and room can be asked for."""
    await full.intake.take(update(1, 5, text="/start"), update(2, 5, text="/reset"))
    assert await full.interrupting(ChatKey(5)) == 2
    with pytest.raises(StorageUnavailable, match="OutOfMemory"):
        await full.intake.check_room()


async def test_many_commands_do_not_fill_what_is_full(full: Bot) -> None:
    """In each conversation some wait, and the rest is not confirmed."""
    before = counted()
    with pytest.raises(StorageUnavailable, match="OutOfMemory"):
        await full.intake.take(*(update(number, 5, text="/help") for number in range(20)))
    assert counted() - before == {"stored": 10}
    assert "full" not in counted()
    await full.intake.take(update(20, 6, text="/help"))
    assert [len(await full.waiting(ChatKey(chat).aside)) for chat in (5, 6)] == [10, 1]


@pytest.mark.parametrize("text", ["/help", "/settings", "/persona@demo_bot", "/status", "/HELP me"])
async def test_what_only_shows_something_goes_aside(bot: Bot, text: str) -> None:
    """In private it waits for nothing else; in a group it stays in order."""
    await bot.intake.take(update(1, 5, text="question"), update(2, 5, text=text))
    assert [len(await bot.waiting(lane)) for lane in (ChatKey(5), ChatKey(5).aside)] == [1, 1]
    await bot.intake.take(update(3, -5, text=text))
    assert len(await bot.waiting(ChatKey(-5))) == 1


@pytest.mark.parametrize("text", ["/prompt Be brief.", "/reset", "/context", "/start", "no /help"])
async def test_everything_else_stays_in_order(bot: Bot, text: str) -> None:
    await bot.intake.take(update(1, 5, text="question"), update(2, 5, text=text))
    assert len(await bot.waiting(ChatKey(5))) == 2


@pytest.mark.parametrize("text", ["/undo", "/retry@demo_bot", "/UNDO please"])
async def test_what_is_about_a_question_stays_behind_it(full: Bot, text: str) -> None:
    """Before it, these would take back or repeat another exchange; in other chats nothing waits."""
    batch = [update(1, 5, text="question"), update(2, 5, text=text), update(3, 6, text=text)]
    with pytest.raises(StorageUnavailable, match="OutOfMemory"):
        await full.intake.take(*batch)
    assert [len(await full.waiting(ChatKey(chat))) for chat in (5, 6)] == [0, 1]


anything = st.text(st.characters(codec=None, categories=None), max_size=9)
numbers = st.integers() | st.integers(-(10**400), 10**400)
values = st.recursive(
    st.none() | st.booleans() | numbers | st.floats() | anything,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(anything, inner, max_size=3),
    max_leaves=8,
)
chats = values | st.fixed_dictionaries({"id": numbers | values})
senders = values | st.fixed_dictionaries({"id": numbers | values})
messages = values | st.fixed_dictionaries(
    {"chat": chats},
    optional={
        "from": senders,
        "sender_chat": senders,
        "is_topic_message": values,
        "message_thread_id": values | numbers,
        "text": anything | st.sampled_from(["/stop", "/reset@bot"]) | values,
    },
)
updates = values | st.fixed_dictionaries(
    {"update_id": numbers | values}, optional={"message": messages, "poll": values}
)


@pytest.mark.slow
@given(raws=st.lists(updates, max_size=9))
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_json_is_taken(raws: list[Any], redis: Redis) -> None:
    """Whatever comes is stored in its lane, buried, known or not ours; each of them is counted."""
    bot = Bot(redis)
    lanes: dict[ChatKey, list[int]] = {}
    buried: set[str] = set()
    seen = set()
    for raw in raws:
        number = raw.get("update_id") if isinstance(raw, dict) else None
        lane = lane_of(raw) if isinstance(raw, dict) else None
        if is_number(number) and lane:
            if number not in seen:
                lanes.setdefault(lane, []).append(number)
            seen.add(number)
        elif not is_number(number) or "message" in raw:
            buried.add(well_formed(json.dumps(raw, ensure_ascii=False)))
        await bot.intake.take(raw)
    assert len(await bot.letters.all()) == len(buried)
    for lane, expected in lanes.items():
        assert [raw["update_id"] for raw in await bot.waiting(lane)] == expected
    assert await redis.xlen(keys.ready(bot.id)) == len(lanes)
    if used := await redis.keys(f"{{{bot.id}}}:*"):
        await redis.delete(*used)


@given(values | updates)
def test_any_value_has_a_lane_or_none(raw: Any) -> None:
    """Finding a lane does not fail, and never invents one."""
    lane = lane_of(raw)
    if lane is not None:
        assert raw["message"]["chat"]["id"] == lane.chat_id
        assert lane.topic_id in (0, raw["message"].get("message_thread_id"))


def test_a_stopped_draft_interrupts() -> None:
    """An edit does not, whatever is in it."""
    assert _interrupts("stopped_message_generation", {})
    assert not _interrupts("edited_message", {"text": "/stop"})


def test_a_forwarded_command_interrupts_nothing() -> None:
    """It is what somebody else wrote."""
    assert _interrupts("message", {"text": "/reset"})
    assert not _interrupts("message", {"text": "/reset", "forward_origin": {"type": "user"}})


@given(anything)
def test_interruptions_are_commands(text: str) -> None:
    """Only what begins with one of two commands interrupts."""
    if _interrupts("message", {"text": text}):
        assert text.lower().startswith(("/stop", "/reset"))


@pytest.mark.parametrize(
    ("text", "interrupts"),
    [
        ("/stop", True), ("/stop please", True), ("/stop@any_bot now", True), ("/STOP", True),
        ("/reset", True), ("/reset ", True), ("/reset@any_bot", True), ("/reset\n", True),
        ("/reset -100", False), ("/reset now", False), ("/stopping", False), ("/stop-it", False),
        ("stop", False), (" /stop", False), ("/retry", False), ("/start", False), ("/stop@", False),
    ],
)  # fmt: skip
def test_what_interrupts(text: str, interrupts: bool) -> None:
    """What it is given decides: /reset of another chat leaves this one's answer alone."""
    assert _interrupts("message", {"text": text}) == interrupts


@pytest.mark.parametrize(
    ("data", "interrupts"),
    [
        ("stop:5", True), ("stop:5:1", True), ("again:5", False), ("stop", False),
        ("stop:", False), ("stop:x", False), ("stopper:5", False), (None, False), ({}, False),
    ],
)  # fmt: skip
def test_which_press_interrupts(data: Any, interrupts: bool) -> None:
    """The one of a stop button; a press may bring anything."""
    assert _interrupts("callback_query", {"data": data}) == interrupts


async def test_taking_in_at_once(bot: Bot) -> None:
    """The same update by two ways at one time is stored once."""
    await asyncio.gather(*(bot.intake.take(update(1, 5)) for _ in range(9)))
    assert len(await bot.waiting(ChatKey(5))) == 1
