"""A reply on its way to Telegram, call by call."""

import contextlib
import itertools
import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY
from redis.asyncio import Redis
from telegram import Update
from telegram.error import BadRequest, Forbidden, NetworkError, RetryAfter, TelegramError

from bot.updates.intake import lane_of
from handlers.outgoing.delivery import Delivery, persistently
from handlers.rendering.markup import MAX_CHARACTERS, Chunk, File
from handlers.texts import ENGLISH
from handlers.turn.reply import Button, Piece, Reply
from handlers.turn.turn import Turn
from storage import keys
from storage.arrivals import Arrival
from storage.budget import Act, Budget
from storage.lane import Claim, Shown
from storage.timing import Timing, clock
from tests.conftest import ANN, GROUP
from tests.handlers.bot import UPGRADED, Bot, message, running
from tests.hurry import hurried

_numbers = itertools.count(1)
TIMING = Timing()
BOLD = ({"type": "bold", "offset": 0, "length": 1},)
ONE, TWO, THREE = (Chunk(text, BOLD) for text in ("one", "two", "three"))
NOTHING = Shown()
STOP, AGAIN = [Button("Stop", "stop:1")], [Button("Again", "again:1")]
BAD = "Bad Request: some words are bad"
NO_MESSAGE = "Bad Request: message to edit not found"
NO_CHAT = "Bad Request: chat not found"
NO_THREAD = "Bad Request: message thread not found"
UNHEARD, UNREACHED = httpx.ReadError("reset"), httpx.ConnectError("refused")
WAY = "sendMessage", "editMessageText", "sendDocument", "deleteMessage"


class Work:
    """An update in work, and the delivery of its reply."""

    def __init__(self, bot: Bot, claim: Claim, turn: Turn, delivery: Delivery) -> None:
        self.bot, self.claim, self.turn, self.delivery = bot, claim, turn, delivery

    async def noted(self) -> Shown:
        """What whoever goes on would know."""
        return (await self.bot.inbox.open(self.claim)).shown

    def calls(self) -> list[tuple[Any, ...]]:
        """What was called since it was last asked, in short."""
        made = [
            (name.removesuffix("Message").removesuffix("MessageText"), *_short(given))
            for name, given in self.bot.telegram.of(*WAY)
        ]
        self.bot.telegram.calls.clear()
        return made


def _short(given: dict[str, Any]) -> tuple[Any, ...]:
    """Which message, its text, and marks: * formatted, a letter for buttons, > a reply."""
    if "text" in given:
        assert given["link_preview_options"] == {"is_disabled": True}
    marks = "*" * bool(given.get("entities"))
    for row in given.get("reply_markup", {}).get("inline_keyboard", []):
        marks += "".join(button["callback_data"][0] for button in row)
    if quoted := given.get("reply_parameters"):
        assert quoted["allow_sending_without_reply"] is True
        marks += ">"
    number = (given["message_id"],) if "message_id" in given else ()
    return *number, given.get("text", ""), marks


def kinds() -> Counter[str]:
    """How many calls of which kind there were."""
    name = "telegram_waited_seconds_count"
    every = "typing", "update", "notice", "first", "final", "other"
    return Counter(
        {kind: int(REGISTRY.get_sample_value(name, {"kind": kind}) or 0) for kind in every}
    )


@pytest.fixture
async def bot(redis: Redis) -> AsyncIterator[Bot]:
    """A bot that is open to all."""
    async with running(redis, paced=False, timing=Timing(unfrozen=60)) as made:
        yield made


async def begun(bot: Bot, shown: Shown = NOTHING, where: int = GROUP, **more: Any) -> Work:
    """Let Ann ask something, of whose reply so much is shown."""
    update = message("@demo_bot hi", ANN, where, **more)
    lane = lane_of(update)
    assert lane
    text = json.dumps({"update_id": 1, **update})
    await bot.inbox.put(Arrival(lane, next(_numbers), text))
    (claim,) = await bot.inbox.take(1, 1)
    turn = Turn(bot.inbox, claim, await bot.inbox.open(claim))
    turn.texts, turn.shown = ENGLISH, shown
    asked = Update.de_json(json.loads(text), bot.application.bot).message
    assert asked
    return Work(bot, claim, turn, Delivery(asked, turn))


# An answer that grows


async def test_it_grows(bot: Bot) -> None:
    """Message by message: the button moves on with the last, and nothing is said twice."""
    work, before = await begun(bot), kinds()
    await work.delivery.grow([ONE], STOP)
    assert work.calls() == [("send", "one", "*s>")]
    (first,) = work.turn.shown.ids
    assert work.turn.shown == await work.noted() == Shown(0, (first,))
    await work.delivery.grow([ONE], STOP)
    assert work.calls() == []
    await work.delivery.grow([THREE, TWO], STOP)
    assert work.calls() == [("edit", first, "three", "*"), ("send", "two", "*s")]
    _, second = work.turn.shown.ids
    assert work.turn.shown == await work.noted() == Shown(0, (first, second))
    assert kinds() - before == {"first": 1, "update": 2}
    await work.delivery.finish(Reply([THREE, TWO], AGAIN))
    assert work.calls() == [("edit", second, "two", "*a")]
    assert work.turn.shown == Shown(2, (first, second))
    assert kinds() - before == {"first": 1, "update": 2, "final": 1}


@pytest.mark.parametrize("odd", [True, {}, {"message_id": "x"}])
async def test_a_result_that_names_no_message(bot: Bot, odd: Any) -> None:
    """It may have been sent: one more try, as after any answer that cannot be read."""
    work = await begun(bot)
    bot.telegram.results["sendMessage"] = odd
    with pytest.raises(NetworkError, match="Invalid server response"):
        await work.delivery.finish(Reply([ONE]))
    assert work.calls() == [("send", "one", "*>")] * 2


async def test_only_a_links_address_grows(bot: Bot) -> None:
    """Whatever Telegram would show otherwise is edited, though the text is the same."""
    work = await begun(bot)
    for url in ("https://a.ru/", "https://a.ru/b"):
        link = {"type": "text_link", "offset": 0, "length": 1, "url": url}
        await work.delivery.grow([Chunk("a", (link,))], STOP)
    (number,) = work.turn.shown.ids
    assert work.calls() == [("send", "a", "*s>"), ("edit", number, "a", "*s")]


async def test_what_is_so_already(bot: Bot) -> None:
    """It is as good as done, and not tried again."""
    work = await begun(bot, Shown(0, (11,)))
    bot.telegram.refusals["editMessageText"].append("Bad Request: message is not modified")
    for _ in range(2):
        await work.delivery.grow([ONE], STOP)
    assert work.calls() == [("edit", 11, "one", "*s")]


@pytest.mark.parametrize(("trouble", "tries"), [(UNHEARD, 2), (UNREACHED, 4)])
async def test_what_may_have_been_taken(bot: Bot, trouble: Exception, tries: int) -> None:
    """Of that there are two at most; what was never sent is tried as often as it grows."""
    work = await begun(bot)
    bot.telegram.refusals["sendMessage"].extend([trouble] * 3)
    with pytest.raises(NetworkError):
        await work.delivery.grow([ONE], STOP)
    for _ in range(3):
        with contextlib.suppress(NetworkError):
            await work.delivery.grow([ONE], STOP)
    assert len(work.calls()) == tries
    assert len(work.turn.shown.ids) == (1 if trouble is UNREACHED else 0)


# A whole reply


async def test_a_long_reply(bot: Bot) -> None:
    """The first answers the question; buttons are under the last, which goes before others."""
    work, before = await begun(bot), kinds()
    await work.delivery.finish(Reply([ONE, TWO, THREE], AGAIN))
    assert work.calls() == [("send", "one", "*>"), ("send", "two", "*"), ("send", "three", "*a")]
    assert kinds() - before == {"other": 2, "final": 1}
    assert work.turn.shown.final == 3
    assert await work.noted() == Shown(2, work.turn.shown.ids[:2])


@pytest.mark.parametrize("more", [{"where": ANN}, {"message_id": 0}])
async def test_what_quotes_nothing(bot: Bot, more: dict[str, Any]) -> None:
    """In private nobody doubts who is meant; nor is anything quoted that is not there."""
    work = await begun(bot, **more)
    await work.delivery.finish(Reply([ONE]))
    assert work.calls() == [("send", "one", "*")]


@pytest.mark.parametrize("refused", ["", "Bad Request: no", "Forbidden: no", "Not Found"])
async def test_what_an_earlier_one_leaves(bot: Bot, refused: str) -> None:
    """What is there for good stays, what follows is edited, and what is too much goes."""
    work = await begun(bot, Shown(1, (11, 12, 13, 14, 15)))
    bot.telegram.refusals["deleteMessage"].extend([refused] * bool(refused))
    await work.delivery.finish(Reply([ONE, TWO, THREE], AGAIN))
    assert work.calls() == [
        ("edit", 12, "two", "*"),
        ("edit", 13, "three", "*a"),
        ("delete", 14, "", ""),
        ("delete", 15, "", ""),
    ]
    assert await work.noted() == Shown(3, (11, 12, 13, 14, 15))
    assert work.turn.shown == Shown(3, (11, 12, 13))


async def test_a_file_takes_the_place_of_a_message(bot: Bot) -> None:
    """A message cannot become one: it goes when the file is there."""
    work = await begun(bot, Shown(0, (11,)))
    await work.delivery.finish(Reply([File("a.py", "code")], AGAIN))
    assert work.calls() == [("sendDocument", "", "a>"), ("delete", 11, "", "")]
    assert 11 not in work.turn.shown.ids


# Refusals


LESS = [("send", "one", "*a>"), ("send", "one", "a>"), ("send", "one", "")]
LESS += [("send", ENGLISH.piece_refused, "")]


@pytest.mark.parametrize("times", range(5))
async def test_less_and_less(bot: Bot, times: int) -> None:
    """Plain, bare, a sentence; then it has failed."""
    work = await begun(bot)
    bot.telegram.refusals["sendMessage"].extend([BAD] * times)
    if times == len(LESS):
        with pytest.raises(BadRequest):
            await work.delivery.finish(Reply([ONE], AGAIN))
    else:
        await work.delivery.finish(Reply([ONE], AGAIN))
    assert work.calls() == LESS[: times + 1]
    assert ("reason" in work.turn.figures) == (2 <= times < len(LESS))


async def test_what_is_plain_is_not_tried_twice(bot: Bot) -> None:
    """Without formatting there is less that can be less."""
    work = await begun(bot)
    bot.telegram.refusals["sendMessage"].extend([BAD] * 2)
    await work.delivery.finish(Reply([Chunk("one", ())], AGAIN))
    assert work.calls() == LESS[1:]


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("refusal", [NO_CHAT, "Forbidden: bot was blocked by the user"])
async def test_nobody_is_there(bot: Bot, refusal: str, place: int) -> None:
    """Then nothing else is tried, whether it is to be sent or edited."""
    work = await begun(bot, Shown(0, (11,) * place))
    bot.telegram.refusals["editMessageText" if place else "sendMessage"].append(refusal)
    with pytest.raises((BadRequest, Forbidden)):
        await work.delivery.finish(Reply([ONE], AGAIN))
    assert len(work.calls()) == 1


async def test_nobody_is_there_any_more(bot: Bot) -> None:
    """Between two tries."""
    work = await begun(bot, Shown(0, (11,)))
    bot.telegram.refusals["editMessageText"].extend([BAD, BAD, NO_CHAT])
    with pytest.raises(BadRequest):
        await work.delivery.finish(Reply([ONE], AGAIN))
    assert len(work.calls()) == 3


TOO_LONG = "x" * (MAX_CHARACTERS + 1)
SENTENCE = ENGLISH.piece_refused


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("code", "code"),
        (" \n", SENTENCE),
        (TOO_LONG[1:], TOO_LONG[1:]),
        (TOO_LONG, f"{TOO_LONG[: MAX_CHARACTERS - len(SENTENCE) - 3]}…\n\n{SENTENCE}"),
    ],
    ids=["short", "blank", "as long as a message", "longer"],
)
@pytest.mark.parametrize("refusal", [BAD, "Bad Request: not enough rights to send documents"])
async def test_a_refused_file(bot: Bot, code: str, text: str, refusal: str) -> None:
    """As much of it as fits a message comes in one."""
    work = await begun(bot)
    bot.telegram.refusals["sendDocument"].append(refusal)
    await work.delivery.finish(Reply([File("a.py", code)], AGAIN))
    assert work.calls() == [("sendDocument", "", "a>"), ("send", text, "a>")]
    assert len(text) <= MAX_CHARACTERS


@pytest.mark.parametrize("refusal", [NO_MESSAGE, "Not Found: no such method"])
async def test_what_cannot_be_edited(bot: Bot, refusal: str) -> None:
    """It comes as a message of its own; the old one goes, where Telegram knows how to."""
    work = await begun(bot, Shown(0, (11,)))
    bot.telegram.refusals["editMessageText"].append(refusal)
    await work.delivery.finish(Reply([ONE], AGAIN))
    gone = [("delete", 11, "", "")] if refusal == NO_MESSAGE else []
    assert work.calls() == [("edit", 11, "one", "*a"), ("send", "one", "*a>"), *gone]
    assert 11 not in work.turn.shown.ids


@pytest.mark.parametrize("piece", [ONE, File("a.py", "code")])
async def test_nothing_is_deleted_in_another_chat(bot: Bot, piece: Piece) -> None:
    """When the group moves meanwhile, its numbers are anybody's there."""
    work = await begun(bot, Shown(0, (11,)))
    bot.telegram.refusals["editMessageText"].append(NO_MESSAGE)
    for method in ("sendMessage", "sendDocument"):
        bot.telegram.refusals[method].append(UPGRADED)
    await work.delivery.finish(Reply([piece]))
    assert bot.telegram.of("deleteMessage") == []


async def test_no_edit_is_taken(bot: Bot) -> None:
    """Bare it comes as a message of its own at last."""
    work = await begun(bot, Shown(0, (11,)))
    bot.telegram.refusals["editMessageText"].extend([BAD] * 3)
    await work.delivery.finish(Reply([ONE], AGAIN))
    assert work.calls() == [
        ("edit", 11, "one", "*a"),
        ("edit", 11, "one", "a"),
        ("edit", 11, "one", ""),
        ("send", "one", ""),
        ("delete", 11, "", ""),
    ]


TOPIC = {"message_thread_id": 7, "is_topic_message": True}
DIRECT = {"direct_messages_topic": {"topic_id": 7}}


@pytest.mark.parametrize(
    ("more", "refusal", "second"),
    [
        (TOPIC, NO_THREAD, {"entities": True}),
        (TOPIC, BAD, {"message_thread_id": True}),
        (DIRECT, NO_THREAD, {"direct_messages_topic_id": True}),
        ({}, NO_THREAD, {}),
    ],
)
async def test_a_topic_is_gone(
    bot: Bot, more: dict[str, Any], refusal: str, second: dict[str, bool]
) -> None:
    """The same comes without it, and so do others; any other refusal is one of the piece."""
    work = await begun(bot, **more)
    bot.telegram.refusals["sendMessage"].append(refusal)
    await work.delivery.finish(Reply([ONE, TWO]))
    _, again, other = (given for _, given in bot.telegram.of("sendMessage"))
    names = "message_thread_id", "direct_messages_topic_id"
    assert {name: True for name in (*names, "entities") if again.get(name)} == second
    assert {name for name in names if name in other} == second.keys() & {*names}
    assert "reply_parameters" in again


# Failures that pass


async def tries(troubles: Sequence[Exception]) -> int:
    """How often something is called that fails so; Telegram takes it in the end."""
    count = 0

    async def call() -> None:
        nonlocal count
        count += 1
        if count <= len(troubles):
            raise troubles[count - 1]

    try:
        await persistently(call, TIMING)
    except TelegramError:
        return -count
    return count


def failed(cause: Exception | None) -> NetworkError:
    """How a failure comes."""
    error = NetworkError("failed")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("cause", "pauses"),
    [
        (None, TIMING.send_pauses),
        (UNREACHED, TIMING.unreachable_pauses),
        (UNHEARD, TIMING.send_pauses[:1]),
    ],
    ids=["failing", "unreachable", "unheard"],
)
def test_how_long_it_is_tried(cause: Exception | None, pauses: tuple[float, ...]) -> None:
    """So often, with these pauses and a little by chance."""
    number, seconds = hurried(tries([failed(cause)] * len(pauses)))
    assert number == len(pauses) + 1
    assert sum(pauses) <= seconds <= sum(pauses) + 0.5 * len(pauses) + 1
    number, _ = hurried(tries([failed(cause)] * (len(pauses) + 1)))
    assert number == -len(pauses) - 1


def test_ten_minutes_of_patience() -> None:
    """For a Telegram that cannot be reached; each kind of failure is counted for itself."""
    assert sum(TIMING.unreachable_pauses) >= 600
    mixed = [*[failed(None)] * len(TIMING.send_pauses), failed(UNHEARD), *[failed(UNREACHED)] * 9]
    number, _ = hurried(tries(mixed))
    assert number == len(mixed) + 1


@pytest.mark.parametrize("refusal", [BadRequest("no"), Forbidden("no")])
def test_a_refusal_is_not_tried_again(refusal: TelegramError) -> None:
    """Telegram means it."""
    assert hurried(tries([refusal]))[0] == -1


# Its places in the budget


class Counting(Budget):
    """A budget that notes for what it is asked."""

    def __init__(self, redis: Redis, bot_id: int) -> None:
        super().__init__(redis, bot_id)
        self.asked: list[str] = []

    async def take(self, chat_id: int, act: Act) -> float | None:
        """Note it, and take a place."""
        self.asked.append(act)
        return await super().take(chat_id, act)


async def _answered(bot: Bot, work: Work, places: int = 2) -> list[str]:
    """Let an answer grow to its end, which takes places; gives what the budget was asked for.

    So much was spent before that no time which goes by meanwhile makes room.
    """
    budget, key = Counting(bot.redis, bot.id), keys.pace(bot.id, work.claim.lane.chat_id)
    bot.application.bot.rate_limiter._budget = budget
    now = (await bot.redis.time())[0] * 1000
    await bot.redis.hset(key, mapping={"at": now, "spent": now + 15_000})
    await work.delivery.grow([ONE], STOP)
    await work.turn.keep(reply := Reply([TWO], AGAIN))
    await work.delivery.finish(reply)
    assert int(await bot.redis.hget(key, "spent") or 0) == now + 15_000 + places * 1100
    return budget.asked


async def test_an_answer_asks_for_no_places(bot: Bot) -> None:
    """In a private chat its ends take theirs as they are noted and kept."""
    assert await _answered(bot, await begun(bot, where=ANN)) == []


async def test_an_answer_in_a_group_asks_once(bot: Bot) -> None:
    """Others may have frozen the chat since the lane was opened."""
    assert await _answered(bot, await begun(bot)) == ["end"]


@pytest.mark.parametrize("opened", [{"frozen": 0.1}, {"frozen": None}, {"asked": clock() - 1000}])
async def test_an_answer_asks_in_doubt(bot: Bot, opened: dict[str, Any]) -> None:
    """Where the chat was frozen when the lane was opened, or that was long ago."""
    work = await begun(bot, where=ANN)
    work.turn._opened = replace(work.turn._opened, **opened)
    assert await _answered(bot, work) == ["end"]


async def test_a_long_answer_asks_for_each_message(bot: Bot) -> None:
    """By the time its last one comes, the chat may be frozen."""
    work, budget = await begun(bot, where=ANN), Counting(bot.redis, bot.id)
    bot.application.bot.rate_limiter._budget = budget
    await work.turn.keep(reply := Reply([ONE, TWO]))
    await work.delivery.finish(reply)
    assert budget.asked == ["wait", "end"]


async def test_a_kept_reply_asks_for_its_place(bot: Bot) -> None:
    """Whoever goes on with it was granted nothing; nor is anything for a second try."""
    work, budget = await begun(bot, where=ANN), Counting(bot.redis, bot.id)
    bot.application.bot.rate_limiter._budget = budget
    await work.turn.keep(reply := Reply([ONE]))
    bot.telegram.refusals["sendMessage"].append(BAD)
    await work.delivery.finish(reply)
    assert budget.asked == ["end"]
    turn = Turn(bot.inbox, work.claim, await bot.inbox.open(work.claim))
    assert turn.reply
    assert turn.reply.pieces == [ONE]
    assert turn.granted is None


async def test_a_grant_that_took_long_does_not_hold(redis: Redis) -> None:
    """The chat may be frozen by the time replicas have confirmed the reply."""
    async with running(redis, paced=False, timing=Timing(unfrozen=0)) as bot:
        assert await _answered(bot, await begun(bot, where=ANN), 3) == ["end", "end"]


@pytest.mark.slow
async def test_first_words_that_were_too_many_pay_once(redis: Redis) -> None:
    """They take their place before the next try, and none when they are noted."""
    async with running(redis) as bot:
        work = await begun(bot, where=ANN)
        bot.telegram.refusals["sendMessage"].append(RetryAfter(1))
        await work.delivery.grow([ONE], STOP)
        spent, frozen = await redis.hmget(keys.pace(bot.id, ANN), "spent", "frozen")
        assert int(spent or 0) - int(frozen or 0) == 2200  # after a freeze they are dearer
