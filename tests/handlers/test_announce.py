"""Announcements: written, confirmed, told to each chat once, and cancelled."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import hypothesis
import pytest
from hypothesis import strategies as some
from redis.asyncio import Redis
from structlog.testing import capture_logs
from telegram import Message
from telegram.error import NetworkError, TimedOut

from bot.announcer import Announcer
from handlers.actions import announce
from handlers.incoming.access import Access
from handlers.outgoing.announcement import progress
from handlers.texts import ENGLISH, RUSSIAN
from handlers.turn.turn import Turn
from storage import keys
from storage.announcement import Announcement, Announcements, Words
from storage.budget import Frozen
from storage.chats import ChatRecord
from storage.lease import Lease
from storage.message import ChatKey, well_formed
from storage.timing import Timing
from tests.conftest import ANN, BORIS, GROUP
from tests.handlers.bot import SUPERGROUP, UPGRADED, Bot, message, person, press, running, said
from tests.handlers.test_owners import OWNER, pressed, toasts, under

CHANNEL, SMALL = -1_000_000_000_700, -701
QUICK = Timing(tick=0.01, announced=0, announced_again=0, progress=0, send_pauses=(0.01,) * 3)
EVERYBODY, GROUPS, PRIVATE = (ENGLISH.audiences[name] for name in ("all", "groups", "private"))
NEWS = f"News!\n\n{ENGLISH.news_line.format(name='')}"
IN_GROUPS = f"News!\n\n{ENGLISH.news_line.format(name='@demo_bot')}"


@pytest.fixture
async def bot(redis: Redis) -> AsyncIterator[Bot]:
    """A bot with an owner, and with a private chat, a group and a channel."""
    async with running(redis, Access({OWNER}, set(), set()), paced=False, timing=QUICK) as made:
        await knows(made, ANN, "private")
        await knows(made, GROUP, "supergroup")
        await knows(made, CHANNEL, "channel")
        yield made


async def knows(bot: Bot, chat: int, kind: str, **more: Any) -> None:
    """Let a chat be in the registry."""
    record = ChatRecord(f"Chat {chat}", kind, **({"language": "en"} | more))
    await bot.redis.hset(keys.chats(bot.id), str(chat), str(record))
    await bot.redis.zadd(keys.used(bot.id), {str(chat): 1000})


def announcer(bot: Bot, name: str = "one") -> Announcer:
    """A process that tells announcements."""
    lease = Lease(bot.redis, keys.announcer(bot.id), name, QUICK)
    announcements = Announcements(bot.redis, bot.id, name, QUICK)
    return Announcer(announcements, bot.application.bot, lease, None, QUICK)


async def under_way(bot: Bot) -> Announcement | None:
    """What is being announced."""
    return await Announcements(bot.redis, bot.id, "nobody").under_way()


async def goes_out(bot: Bot) -> str:
    """Let what is confirmed be announced; what the owner is told in the end."""
    telling = asyncio.create_task(announcer(bot).run())
    await ended(bot, telling)
    return bot.telegram.said()[-1]


async def ended(bot: Bot, telling: asyncio.Task[None]) -> None:
    """Wait until the announcement is over, and end who tells it."""
    async with asyncio.timeout(60):
        while await under_way(bot):  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.01)
    telling.cancel()
    await asyncio.wait([telling])


def told(bot: Bot) -> dict[int, list[str]]:
    """What was sent to each chat, but for the owner's."""
    found: dict[int, list[str]] = {}
    for _, given in bot.telegram.of("sendMessage"):
        if given["chat_id"] != OWNER:
            found.setdefault(given["chat_id"], []).append(given["text"])
    return found


def label(audience: str, number: int) -> str:
    """A button that confirms."""
    return f"{audience}: {number}"


async def confirmed(bot: Bot, text: str = "/say News!", audience: str = EVERYBODY) -> None:
    """Let an owner announce something."""
    await bot.hears(message(text, OWNER))
    (button,) = [shown for shown in under(bot) if shown.startswith(audience)]
    await pressed(bot, button)


# --- the conversation


async def test_an_announcement(bot: Bot) -> None:
    """A sample, a choice, then each chat gets it, in its own language; and the owner the totals."""
    await knows(bot, BORIS, "private", language="ru")
    sample, asked = await bot.hears(message("/say News!", OWNER))
    assert sample == NEWS
    all_of_it = {"audience": EVERYBODY, "told": 4, "skipped": 0}
    assert ENGLISH.say_audience.format(**all_of_it) in asked
    assert [*under(bot)] == [
        label(PRIVATE, 2),
        label(GROUPS, 1),
        label(ENGLISH.audiences["channels"], 1),
        label(EVERYBODY, 4),
        ENGLISH.button_cancel,
    ]
    assert told(bot) == {}
    (begun,) = await pressed(bot, label(EVERYBODY, 4))
    assert begun == ENGLISH.say_begun.format(audience=EVERYBODY)
    over = await goes_out(bot)
    assert over.splitlines() == [
        ENGLISH.announcement_done,
        # The owner's own chat was not known when the announcement was written.
        ENGLISH.announcement_sent.format(sent=5, total=5),
    ]
    assert told(bot) == {
        ANN: [NEWS],
        BORIS: [f"News!\n\n{RUSSIAN.news_line.format(name='')}"],
        GROUP: [IN_GROUPS],
        CHANNEL: ["News!"],
    }
    assert under(bot) == {}
    assert not await bot.redis.exists(keys.announcement(bot.id), keys.announcing(bot.id))


async def test_formatting_is_kept(bot: Bot) -> None:
    """In the sample and in what is sent; what Telegram finds by itself is left to it."""
    text = "/say 👍 bold #tag"
    entities = [
        {"type": "bot_command", "offset": 0, "length": 4},
        {"type": "bold", "offset": 0, "length": 12},
        {"type": "hashtag", "offset": 13, "length": 4},
    ]
    await bot.hears(message(text, OWNER, entities=entities))
    await pressed(bot, label(GROUPS, 1))
    await goes_out(bot)
    sample, _, sent, *_ = [given for _, given in bot.telegram.of("sendMessage")]
    sent = next(g for _, g in bot.telegram.of("sendMessage") if g["chat_id"] == GROUP)
    bold = [{"type": "bold", "offset": 0, "length": 7}]
    assert sample["text"].startswith("👍 bold #tag\n\n")
    assert [*sample["entities"]] == [*sent["entities"]] == bold
    assert sample["link_preview_options"] == sent["link_preview_options"]


async def test_in_reply_to_a_message(bot: Bot) -> None:
    """That one's words are announced; words behind the command come before them."""
    replied = said("News!", OWNER)
    assert (await bot.hears(message("/say", OWNER, reply_to_message=replied)))[0] == NEWS
    other = message("/say Other", OWNER, reply_to_message=replied)
    assert (await bot.hears(other))[0].startswith("Other\n")


@pytest.mark.parametrize(
    ("text", "entities", "error"),
    [
        ("/say", 0, ENGLISH.say_needs_text),
        ("/say \u2060", 0, ENGLISH.say_needs_text),
        (f"/say {'x' * 4091}", 0, ENGLISH.say_too_long),
        (f"/say {'x' * 200}", 101, ENGLISH.say_too_formatted),
    ],
)
async def test_what_cannot_be_announced(bot: Bot, text: str, entities: int, error: str) -> None:
    """Nothing, too much, too much formatting: the owner hears which."""
    update = message(text, OWNER)
    update["message"]["entities"] += [
        {"type": "bold", "offset": 5 + number, "length": 1} for number in range(entities)
    ]
    (heard,) = await bot.hears(update)
    assert heard == error.format(
        number=ENGLISH.number(announce._longest()) if "x" * 999 in text else 100
    )


async def test_the_longest(bot: Bot) -> None:
    """With the line behind it, it is one message, in any language."""
    (sample, _) = await bot.hears(message(f"/say {'x' * announce._longest()}", OWNER))
    assert len(sample) <= 4096
    await bot.hears(message("/say x", OWNER))


async def test_nobody_to_tell(redis: Redis) -> None:
    """Without chats there is no choice."""
    async with running(redis, Access({OWNER}, set(), set())) as bot:
        assert await bot.hears(message("/say News!", OWNER)) == [ENGLISH.say_nobody]


async def test_who_is_skipped(bot: Bot) -> None:
    """Who is gone or has opted out, also in between; other kinds are no part of it."""
    await knows(bot, BORIS, "private", away="blocked")
    await bot.hears(message("/news off", ANN))
    await bot.hears(message("/news", OWNER))
    _, asked = await bot.hears(message("/say News!", OWNER))
    one = {"audience": PRIVATE, "told": 1, "skipped": 2}
    assert ENGLISH.say_audience.format(**one) in asked
    await bot.hears(message("/news on", ANN))
    await pressed(bot, label(PRIVATE, 1))
    await bot.hears(message("/news выкл", ANN))
    over = await goes_out(bot)
    assert over.splitlines()[1:] == [
        ENGLISH.announcement_sent.format(sent=1, total=3),
        ENGLISH.announcement_skipped.format(number=2),
    ]


async def test_it_is_dropped(bot: Bot) -> None:
    """Before it is confirmed."""
    await bot.hears(message("/say News!", OWNER))
    yes = under(bot)[label(GROUPS, 1)]
    assert await pressed(bot, ENGLISH.button_cancel) == [ENGLISH.say_dropped]
    assert await bot.hears(press(yes, said("", OWNER, message_id=5), OWNER)) == []
    assert toasts(bot)[-1] == ENGLISH.say_is_over
    assert await under_way(bot) is None


async def test_it_is_cancelled(bot: Bot) -> None:
    """While it is on its way: who has not got it does not; the owner hears who has."""
    for number in range(20):
        await knows(bot, 1000 + number, "private")
    bot.telegram.gates["sendMessage"] = gate = asyncio.Event()
    gate.set()
    await confirmed(bot)
    gate.clear()
    telling = asyncio.create_task(announcer(bot).run())
    await bot.telegram.until(3, "sendMessage")  # the sample, its choice, how far it is
    gate.set()
    await bot.telegram.until(8, "sendMessage")
    await pressed(bot, ENGLISH.button_cancel)
    assert toasts(bot)[-1] == ENGLISH.say_cancelled
    await ended(bot, telling)
    over, number = bot.telegram.said()[-1], len(told(bot))
    assert 4 <= number < 23  # one of five may be the owner's own chat
    assert over.startswith(ENGLISH.announcement_cancelled)
    assert all(len(texts) == 1 for texts in told(bot).values())


async def test_one_at_a_time(bot: Bot) -> None:
    """A second one is not begun; it is offered to cancel the first."""
    await bot.hears(message("/say Other!", OWNER))
    other = under(bot)[label(EVERYBODY, 3)]
    await confirmed(bot)
    assert await bot.hears(message("/say More!", OWNER)) == [ENGLISH.say_is_busy]
    assert [*under(bot)] == [ENGLISH.button_cancel_it]
    assert await bot.hears(press(other, said("", OWNER, message_id=5), OWNER)) == []
    await pressed(bot, ENGLISH.button_cancel_it)
    assert (await goes_out(bot)).startswith(ENGLISH.announcement_cancelled)
    assert told(bot) == {}


async def test_two_drafts_of_two_owners(redis: Redis) -> None:
    """Whoever confirms second hears that the first is under way."""
    both = Access({OWNER, ANN}, set(), set())
    async with running(redis, both, paced=False, timing=QUICK) as bot:
        await knows(bot, GROUP, "supergroup")
        await bot.hears(message("/say One", ANN))
        sent = [given for _, given in bot.telegram.of("sendMessage")][-1]
        data = sent["reply_markup"]["inline_keyboard"][0][0]["callback_data"]
        await confirmed(bot)
        heard = await bot.hears(press(data, said("", ANN, message_id=5), ANN))
        assert heard == [ENGLISH.say_is_busy]
        # Another owner's offer is nobody else's, wherever its button is said to be.
        assert await bot.hears(press(data, said("", ANN, message_id=5), OWNER)) == []
        assert toasts(bot)[-1] == ENGLISH.say_is_over


async def test_a_button_serves_once(bot: Bot) -> None:
    """Not again, not when it has expired, nor one that nobody was given."""
    await bot.hears(message("/say News!", OWNER))
    assert 0 < await bot.redis.ttl(keys.draft(bot.id, ChatKey(OWNER))) <= 300
    yes = under(bot)[label(GROUPS, 1)]
    await pressed(bot, label(GROUPS, 1))
    await goes_out(bot)
    for data in (yes, "say:5:1", "say:5:77", "say:5", "unsay:5"):
        assert await bot.hears(press(data, said("", OWNER, message_id=5), OWNER)) == []
        assert toasts(bot)[-1] == ENGLISH.say_is_over
    assert told(bot) == {GROUP: [IN_GROUPS]}


async def test_a_process_that_stops(bot: Bot) -> None:
    """It waits for the call in hand, so nobody is unsure; another process tells the others."""
    await confirmed(bot)
    await bot.redis.hset(keys.announcement(bot.id), "message", "5")
    before = len(bot.telegram.of("sendMessage"))
    bot.telegram.gates["sendMessage"] = gate = asyncio.Event()
    telling = asyncio.create_task(announcer(bot).run())
    await bot.telegram.until(before + 1, "sendMessage")
    telling.cancel()
    await asyncio.sleep(0)
    gate.set()
    await asyncio.wait([telling])
    assert len(bot.telegram.of("sendMessage")) == before + 1
    over = await goes_out(bot)
    assert over.splitlines()[1:] == [ENGLISH.announcement_sent.format(sent=4, total=4)]


async def test_the_message_of_the_progress_is_gone(bot: Bot) -> None:
    """Another one takes its place."""
    await confirmed(bot, audience=GROUPS)
    bot.telegram.refusals["editMessageText"] += ["Bad Request: message to edit not found"] * 2
    before = len(bot.telegram.of("sendMessage"))
    over = await goes_with(bot)
    assert over.startswith(ENGLISH.announcement_done)
    sent = [given["chat_id"] for _, given in bot.telegram.of("sendMessage")[before:]]
    assert sent == [OWNER, GROUP, OWNER]


def unsure() -> NetworkError:
    """A time-out: Telegram may have taken it."""
    error = TimedOut()
    error.__cause__ = httpx.ReadTimeout("?")
    return error


@pytest.mark.parametrize("totals", [False, True], ids=["progress", "totals, too"])
@pytest.mark.parametrize("failure", [unsure(), "Bad Gateway"], ids=["silence", "502"])
async def test_progress_that_may_be_there(bot: Bot, failure: Any, *, totals: bool) -> None:
    """It is not sent twice, nor are the totals, which come as a message of their own."""
    await confirmed(bot, audience=GROUPS)
    bot.telegram.calls.clear()
    bot.telegram.refusals["sendMessage"] += [failure, None, *([failure] if totals else [])]
    await goes_out(bot)
    sent = [given for _, given in bot.telegram.of("sendMessage", "editMessageText")]
    shown = [given["text"].splitlines()[0] for given in sent if given["chat_id"] == OWNER]
    assert shown == [ENGLISH.announcement_under_way, ENGLISH.announcement_done]
    assert len(told(bot)[GROUP]) == 1


async def test_progress_that_was_not_sent(bot: Bot) -> None:
    """It is sent when it can be, and then edited."""
    await confirmed(bot, audience=GROUPS)
    never = NetworkError("?")
    never.__cause__ = httpx.ConnectError("?")
    bot.telegram.refusals["sendMessage"] += [never]
    bot.telegram.calls.clear()
    over = await goes_out(bot)
    assert over.startswith(ENGLISH.announcement_done)
    assert len(told(bot)[GROUP]) == 1


async def test_a_number_that_cannot_be_read(bot: Bot) -> None:
    """Then nobody knows which message it is."""
    await confirmed(bot, audience=GROUPS)
    bot.telegram.results["sendMessage"] = {"message_id": None}
    bot.telegram.calls.clear()
    await goes_out(bot)
    sent = [given["chat_id"] for _, given in bot.telegram.of("sendMessage")]
    assert sent == [OWNER, GROUP, OWNER]


class Death(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("act", ["confirm", "cancel", "drop"])
async def test_a_death_between_the_press_and_its_reply(bot: Bot, act: str) -> None:
    """Whoever goes on says what was done, though it may have ended by then."""
    if act == "cancel":
        await confirmed(bot)
        await bot.hears(message("/say More", OWNER))
    else:
        await bot.hears(message("/say News!", OWNER))
    wanted, said_then = {
        "confirm": (label(EVERYBODY, 3), ENGLISH.say_begun.format(audience=EVERYBODY)),
        "cancel": (ENGLISH.button_cancel_it, ENGLISH.say_cancelled),
        "drop": (ENGLISH.button_cancel, ENGLISH.say_dropped),
    }[act]
    bot.telegram.refusals["answerCallbackQuery"].append(Death())
    with pytest.raises(Death):
        await pressed(bot, wanted)
    if act != "drop":
        await goes_out(bot)
    (claim,) = await bot.inbox.mine([])
    turn = Turn(bot.inbox, claim, await bot.inbox.open(claim))
    await bot.dispatch.handle(turn.head.update, turn)
    await bot.inbox.done(claim)
    assert said_then in (bot.telegram.said()[-1], toasts(bot)[-1])
    assert ENGLISH.say_is_over not in toasts(bot)


async def test_an_owner_who_cannot_be_told(bot: Bot) -> None:
    """The announcement goes out all the same; the log has what became of it."""
    await confirmed(bot, audience=GROUPS)
    blocked = ["Forbidden: bot was blocked by the user"] * 3
    bot.telegram.refusals["editMessageText"] += blocked
    with capture_logs() as logs:
        await goes_with(bot)
    assert told(bot) == {GROUP: [IN_GROUPS]}
    (over,) = [entry for entry in logs if entry["event"] == "announcement_over"]
    assert (over["sent"], over["total"]) == (1, 1)


@pytest.mark.parametrize(
    ("who", "where"), [(BORIS, OWNER), (BORIS, BORIS), (BORIS, GROUP), (OWNER, GROUP)]
)
async def test_a_forged_press(bot: Bot, who: int, where: int) -> None:
    """Only an owner's, and only in their own chat, begins or cancels anything."""
    await bot.hears(message("/say News!", OWNER))
    yes, no = under(bot)[label(EVERYBODY, 3)], under(bot)[ENGLISH.button_cancel]
    for data in (yes, no):
        assert await bot.hears(press(data, said("", where, where, message_id=5), who)) == []
    assert await under_way(bot) is None
    await pressed(bot, label(EVERYBODY, 3))
    await bot.hears(press(no, said("", where, where, message_id=5), who))
    found = await under_way(bot)
    assert found
    assert not found.cancelled


# --- what Telegram says


async def test_who_is_gone_is_noted(bot: Bot) -> None:
    """A refusal ends nothing; and who has blocked the bot is skipped the next time."""
    await confirmed(bot, audience=GROUPS)
    over = await goes_with(bot, "Forbidden: bot was kicked from the supergroup chat")
    assert ENGLISH.announcement_refused.format(number=1) in over
    assert (await bot.inbox.record(GROUP)).away == "kicked"
    _, asked = await bot.hears(message("/say News!", OWNER))
    assert GROUPS not in asked


async def test_where_members_may_not_write(bot: Bot) -> None:
    """That is noted; but as nobody tells when they may again, it is tried the next time."""
    await confirmed(bot, audience=GROUPS)
    over = await goes_with(bot, "Bad Request: not enough rights to send text messages to the chat")
    assert ENGLISH.announcement_refused.format(number=1) in over
    assert (await bot.inbox.record(GROUP)).away == "muted"
    await confirmed(bot, audience=GROUPS)
    assert ENGLISH.announcement_sent.format(sent=1, total=1) in await goes_out(bot)


async def goes_with(bot: Bot, *refusals: Any) -> str:
    """Let sends to chats meet this, after the message that shows how far it is."""
    await bot.redis.hset(keys.announcement(bot.id), "message", "5")
    bot.telegram.refusals["sendMessage"] += refusals
    return await goes_out(bot)


@pytest.mark.parametrize(
    ("refusals", "figure"),
    [
        (["Bad Request: odd"], ENGLISH.announcement_refused),
        (["Not Found"] * 4, ENGLISH.announcement_refused),
        (["Bad Gateway"], ENGLISH.announcement_unsure),
        (["Internal Server Error"], ENGLISH.announcement_unsure),
        ([TimedOut()], ENGLISH.announcement_unsure),
    ],
)
async def test_a_chat_that_does_not_get_it(bot: Bot, refusals: list[Any], figure: str) -> None:
    """It is counted, and told to the owner; nothing is sent to it again."""
    for error in refusals:
        if isinstance(error, NetworkError):
            error.__cause__ = httpx.ReadTimeout("?")
    await confirmed(bot, audience=GROUPS)
    before = len(bot.telegram.of("sendMessage"))
    over = await goes_with(bot, *refusals)
    assert figure.format(number=1) in over
    assert ENGLISH.announcement_sent.format(sent=0, total=1) in over
    assert len(bot.telegram.of("sendMessage")) == before + len(refusals)
    assert (await bot.inbox.record(GROUP)).away == ""


@pytest.mark.parametrize(
    "refusals",
    [["Not Found"] * 3, [NetworkError("?")], ["Unauthorized"]],
    ids=["404", "is away", "token"],
)
async def test_a_chat_is_told_later(bot: Bot, refusals: list[Any]) -> None:
    """Where certainly nothing was sent, it is tried again."""
    for error in refusals:
        if isinstance(error, NetworkError):
            error.__cause__ = httpx.ConnectError("?")
    await confirmed(bot, audience=GROUPS)
    over = await goes_with(bot, *refusals)
    assert ENGLISH.announcement_sent.format(sent=1, total=1) in over


async def test_a_frozen_chat_comes_last(bot: Bot) -> None:
    """The others do not wait for it."""
    await confirmed(bot)
    bot.plenty.none += [None, Frozen(60)]
    over = await goes_with(bot)
    assert ENGLISH.announcement_sent.format(sent=4, total=4) in over
    assert all(len(texts) == 1 for texts in told(bot).values())


@pytest.mark.parametrize("known", [True, False])
async def test_a_group_that_has_become_a_supergroup(bot: Bot, known: bool) -> None:
    """It gets it there, once, also if the supergroup is known by itself."""
    await bot.redis.delete(keys.chats(bot.id), keys.used(bot.id))
    await knows(bot, SMALL, "group")
    if known:
        await knows(bot, SUPERGROUP, "supergroup")
        await bot.redis.zadd(keys.used(bot.id), {str(SUPERGROUP): 2000})
    await confirmed(bot, audience=GROUPS)
    await goes_with(bot, *([None] if known else []), UPGRADED)
    assert len(told(bot)[SUPERGROUP]) == 1


async def test_a_group_that_had_become_one_before(bot: Bot) -> None:
    """Once what is kept of it has moved, it is not even tried there; declining moves, too."""
    for declines in (False, True):
        await knows(bot, SMALL, "group")
        await confirmed(bot, audience=GROUPS)
        if declines:
            await bot.redis.zadd(keys.declined(bot.id), {str(SMALL): 1})
        await bot.hears({"message": said("", ANN, SUPERGROUP) | {"migrate_from_chat_id": SMALL}})
        await goes_with(bot)
        assert len(told(bot)[SUPERGROUP]) == 1
        assert SMALL not in told(bot)


# --- opting out


async def test_news(bot: Bot) -> None:
    """Anybody hears how it is; in a group, its admins decide."""
    assert await bot.hears(message("/news", ANN)) == [ENGLISH.news_are_on]
    assert await bot.hears(message("/news OFF", ANN)) == [ENGLISH.news_off]
    assert await bot.hears(message("/news", ANN)) == [ENGLISH.news_are_off]
    assert await bot.hears(message("/news вкл", ANN)) == [ENGLISH.news_on]
    assert await bot.hears(message("/news perhaps", ANN)) == [ENGLISH.news_are_on]
    heard = await bot.hears(message("/news off", BORIS, GROUP))
    assert heard == [ENGLISH.settings_are_for_admins]
    bot.telegram.members[ANN] = "administrator"
    assert await bot.hears(message("/news off", ANN, GROUP)) == [ENGLISH.news_off]
    assert await bot.redis.zrange(keys.declined(bot.id), 0, -1) == [str(GROUP)]


# --- words


def test_progress() -> None:
    """What there is none of is not told."""
    announcement = Announcement(1, Words("x", ()), OWNER, "en", 1234, sent=1, unsure=2)
    assert progress(ENGLISH, announcement).splitlines() == [
        ENGLISH.announcement_under_way,
        ENGLISH.announcement_sent.format(sent="1", total="1,234"),
        ENGLISH.announcement_unsure.format(number="2"),
    ]


@hypothesis.given(some.text(), some.text(), some.integers(0, 40), some.integers(1, 40))
def test_entities_stay_where_they_are(head: str, body: str, offset: int, length: int) -> None:
    """Whatever is before and behind: the same letters are formatted, but for space at the ends."""
    units = well_formed(f"/say{head} {body}").encode("utf-16-le")
    length = min(length, len(units) // 2 - offset)
    if length <= 0:
        return
    raw = {
        **said("", OWNER),
        "text": f"/say{head} {body}",
        "entities": [
            {"type": "bot_command", "offset": 0, "length": 4},
            {"type": "bold", "offset": offset, "length": length},
        ],
    }
    raw["from"] = person(OWNER)
    found = announce.words(Message.de_json(raw, None))
    marked = units[2 * max(4, offset) : 2 * (offset + length)].decode("utf-16-le", "replace")
    text = found.text.encode("utf-16-le")
    shown = "".join(
        text[2 * one["offset"] : 2 * (one["offset"] + one["length"])].decode("utf-16-le", "replace")
        for one in found.entities
    )
    assert shown.strip() == marked.strip()
