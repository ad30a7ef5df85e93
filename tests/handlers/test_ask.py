"""A question on its way to the model, and its answer back: what is kept, said and told the log."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from handlers.dialogue.completion import Answer, CompletionError, CompletionUnavailable
from handlers.rendering.markup import MAX_CHARACTERS
from handlers.texts import ENGLISH
from handlers.turn.turn import Turn
from storage import keys
from storage.history import Past
from storage.lane import Claim
from storage.message import ChatKey
from storage.timing import Timing
from tests.conftest import ANN, GROUP
from tests.handlers.bot import UPGRADED, Bot, message, press, running, said

HALF = [Answer("half an an")]
BLOCKED = "Forbidden: bot was blocked by the user"


@pytest.fixture
async def bot(redis: Redis) -> AsyncIterator[Bot]:
    """A bot that types at once, and often."""
    async with running(redis, paced=False, timing=Timing(typing_after=0, typing=0.01)) as made:
        yield made


@pytest.fixture
async def growing(redis: Redis) -> AsyncIterator[Bot]:
    """A bot that shows what there is of an answer."""
    async with running(redis, paced=False, streaming="edits") as made:
        yield made


async def work(bot: Bot, update: dict[str, Any], turn: Turn, claim: Claim) -> dict[str, Any]:
    """Deal with an update; gives what the log is to tell of that."""
    await bot.dispatch.handle(json.dumps({"update_id": 1, **update}), turn)
    await bot.inbox.done(claim, answer_ids=turn.answer_ids)
    return turn.figures


async def figures(bot: Bot, update: dict[str, Any]) -> dict[str, Any]:
    """Deal with an update that comes in."""
    claim, turn = await bot.begins(update)
    return await work(bot, update, turn, claim)


async def stopped(bot: Bot, update: dict[str, Any]) -> dict[str, Any]:
    """Stop the answer to an update as far as the model is with it."""
    claim, turn = await bot.begins(update)
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        working = tasks.create_task(work(bot, update, turn, claim))
        await bot.model.silent.wait()
        turn.interrupted.set()
    return working.result()


async def past(bot: Bot, chat: int = ANN) -> Past:
    """What is known of a conversation."""
    return await bot.history.newest(ChatKey(chat), 100_000)


def pressed(name: str, found: Past, revision: str = "") -> dict[str, Any]:
    """A button pressed under the last answer."""
    return press(f"{name}:{found.asked}{revision}", said("…", message_id=found.answer_ids[0]))


def buttons(bot: Bot) -> list[str]:
    """What is under the newest message."""
    _, given = bot.telegram.of("sendMessage", "editMessageText")[-1]
    rows = given.get("reply_markup", {"inline_keyboard": []})["inline_keyboard"]
    return [button["callback_data"] for row in rows for button in row]


async def nothing_goes_on() -> None:
    """Wait until no task is left but the test's own."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    async with asyncio.timeout(10):
        await asyncio.gather(*others, return_exceptions=True)


# What the log is told


async def test_an_answer(bot: Bot) -> None:
    """How it ended, how long it took, and what it cost."""
    for truncated, outcome in ((False, "answered"), (True, "truncated")):
        for _ in range(3):  # a time may happen to end with a nought
            cost = {"prompt_tokens": 10, "completion_tokens": 2}
            bot.model.answers.append(Answer("1", complete=True, truncated=truncated, **cost))
            told = await figures(bot, message("one"))
            times = [told.pop(name) for name in ("thought", "sent")]
            assert told == {"outcome": outcome, **cost}
            assert all(0 <= one < 1000 and one == round(one, 3) for one in times)
    await nothing_goes_on()


async def test_a_stop_while_the_model_thinks(bot: Bot) -> None:
    """What it thinks is no answer: nothing is kept of it, and nothing said."""
    bot.model.answers.append([Answer("<think>so"), Answer("<think>so and so")])
    assert await stopped(bot, message("one")) == {"outcome": "interrupted"}
    assert (await past(bot)).exchanges == ()
    assert bot.telegram.said() == []


async def test_how_long_it_took(bot: Bot) -> None:
    """First the model, and then Telegram."""
    gate = bot.telegram.gates["sendMessage"] = asyncio.Event()
    update = message("one")
    claim, turn = await bot.begins(update)
    async with asyncio.TaskGroup() as tasks:
        working = tasks.create_task(work(bot, update, turn, claim))
        await bot.telegram.until(1, "sendMessage")
        began = time.monotonic()
        await asyncio.sleep(0.05)
        seconds = time.monotonic() - began
        gate.set()
    told = working.result()
    assert told["sent"] > seconds - 0.01
    assert told["thought"] < told["sent"] + 1000  # neither is a time of day


async def test_when_it_was_answered(bot: Bot) -> None:
    """It is kept with the answer."""
    before = int(time.time())
    await figures(bot, message("one"))
    _, answer = map(json.loads, await bot.redis.lrange(keys.history(bot.id, ChatKey(ANN)), 0, -1))
    assert before <= answer["at"] <= time.time()


@pytest.mark.parametrize("way", ["typing", "growing"])
async def test_nobody_is_there(bot: Bot, growing: Bot, way: str) -> None:
    """The model is stopped, nothing is kept, and the log knows why."""
    its = {"typing": bot, "growing": growing}[way]
    its.telegram.refusals["sendChatAction" if way == "typing" else "sendMessage"].append(BLOCKED)
    its.model.answers.append([] if way == "typing" else HALF)
    with capture_logs() as logs:
        told = await figures(its, message("one"))
    assert told == {"outcome": "not_delivered"}
    assert "not_delivered" in [entry["event"] for entry in logs]
    assert await its.remembers() == []
    assert its.telegram.said() == (["half an an"] if way == "growing" else [])


# What is stopped


async def test_it_is_stopped_before_a_word(bot: Bot) -> None:
    """There is nothing to keep or to say."""
    bot.model.answers.append([Answer(" ")])
    assert await stopped(bot, message("one")) == {"outcome": "interrupted"}
    assert bot.telegram.said() == []
    assert await bot.remembers() == []


async def test_it_is_stopped_in_the_middle(bot: Bot) -> None:
    """What there is becomes the answer; the model is not asked any more."""
    bot.model.answers.append([Answer("half"), *HALF])
    told = await stopped(bot, message("one"))
    assert told["outcome"] == "stopped"
    assert bot.telegram.said() == [f"half an an\n\n{ENGLISH.stopped_mark}"]
    assert await bot.remembers() == ["one", "half an an"]
    assert [name.split(":")[0] for name in buttons(bot)] == ["again", "forget"]
    await nothing_goes_on()


async def test_it_was_stopped_before_it_was_asked(bot: Bot) -> None:
    """By a button under what an earlier worker has shown of it: that stays."""
    update = message("one")
    for partial, outcome in (("half", "stopped"), ("", "interrupted")):
        bot.model.answers.append([])
        claim, turn = await bot.begins(update)
        turn.partial = partial
        turn.stop(str(update["message"]["message_id"]))
        assert (await work(bot, update, turn, claim))["outcome"] == outcome
    assert await bot.remembers() == ["one", "half"]


async def test_an_answer_that_is_left_out_of_the_question(bot: Bot) -> None:
    """A stop says nothing of what the model was not told; it had no time to miss it."""
    bot.profile = replace(bot.profile, window=110, max_tokens=10)
    for number in range(9):
        await bot.hears(message(f"{number}" * 30))
    bot.telegram.calls.clear()
    bot.model.answers.append(HALF)
    await bot.redis.hdel(keys.state(bot.id, ChatKey(ANN)), "told")
    await stopped(bot, message("one"))
    assert bot.telegram.said() == [f"half an an\n\n{ENGLISH.stopped_mark}"]


# What grows


async def test_it_grows(growing: Bot) -> None:
    """With a button to stop it, which names the question."""
    growing.model.answers.append(HALF)
    update = message("one")
    claim, turn = await growing.begins(update)
    working = asyncio.create_task(work(growing, update, turn, claim))
    (given,) = await growing.telegram.until(1, "sendMessage")
    assert given["text"] == "half an an"
    assert buttons(growing) == [f"stop:{update['message']['message_id']}"]
    assert turn.partial == "half an an"
    assert turn.stop(str(update["message"]["message_id"]))
    turn.interrupted.set()
    await working


async def test_what_is_complete_is_not_shown_before_it_is_kept(bot: Bot) -> None:
    """Only what still grows is."""
    bot.model.answers.append([Answer("half"), Answer("half and half", complete=True)])
    update = message("one")
    claim, turn = await bot.begins(update)
    await work(bot, update, turn, claim)
    assert turn.partial == "half"
    assert bot.telegram.said() == ["half and half"]


async def test_a_kept_answer_is_sent(bot: Bot) -> None:
    """It is kept first, for whoever goes on; and it is told when it has been sent."""
    gate = bot.telegram.gates["sendMessage"] = asyncio.Event()
    update = message("one")
    claim, turn = await bot.begins(update)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(work(bot, update, turn, claim))
        await bot.telegram.until(1, "sendMessage")
        assert await bot.remembers() == ["one", "echo: one"]
        assert turn.figures == {}
        gate.set()
    assert turn.figures["outcome"] == "answered"


# What is asked again


async def test_the_buttons_of_an_answer(bot: Bot) -> None:
    """They name its question, and how often it was answered before."""
    update = message("one")
    await bot.hears(update)
    number = update["message"]["message_id"]
    assert buttons(bot) == [f"again:{number}", f"forget:{number}"]
    for revision in (1, 2):
        before = f":{revision - 1}" if revision > 1 else ""
        bot.model.answers.append(Answer(str(revision), complete=True, truncated=True))
        await bot.hears(pressed("again", await past(bot), before))
        assert buttons(bot) == [
            f"{name}:{number}:{revision}" for name in ("again", "continue", "forget")
        ]


async def test_the_buttons_where_a_group_has_moved(bot: Bot) -> None:
    """What they name does not go along."""
    bot.telegram.refusals["sendMessage"].append(UPGRADED)
    bot.telegram.refusals["sendChatAction"].append(UPGRADED)
    bot.model.answers.append([])
    update = message("@demo_bot one", ANN, GROUP)
    claim, turn = await bot.begins(update)
    turn.partial = "half"
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(work(bot, update, turn, claim))
        await bot.telegram.until(2, "sendChatAction")
        turn.interrupted.set()
    assert buttons(bot) == ["again:0", "forget:0"]


async def test_what_stays_where_no_other_came(bot: Bot) -> None:
    """The last answer, and a sentence that is no part of it; its buttons go on."""
    await bot.hears(message("zero"), message("one"))
    before = await past(bot)
    bot.model.answers.append(CompletionUnavailable("503"))
    told = await figures(bot, pressed("again", before))
    assert told == {"outcome": "CompletionUnavailable", "reason": "503"}
    assert bot.telegram.said()[-2:] == ["echo: one", ENGLISH.unavailable]
    assert buttons(bot) == [f"again:{before.asked}:1", f"forget:{before.asked}:1"]
    after = await past(bot)
    assert (after.asked, after.revision) == (before.asked, 1)
    assert after.exchanges == before.exchanges
    assert len(after.answer_ids) == 2


@pytest.mark.parametrize("again", [True, False])
async def test_a_failure_without_a_sentence(bot: Bot, again: bool) -> None:
    """It is the worker's business."""
    await bot.hears(message("one"))
    bot.model.answers.append(CompletionError("odd"))
    update = pressed("again", await past(bot)) if again else message("two")
    with pytest.raises(CompletionError, match="odd"):
        await figures(bot, update)
    assert bot.telegram.said() == ["echo: one"]


async def test_a_failure_of_a_new_question(bot: Bot) -> None:
    """Nothing of the last one is said again."""
    await bot.hears(message("one"))
    bot.model.answers.append(CompletionUnavailable("503"))
    assert await bot.hears(message("two")) == [ENGLISH.unavailable]


# What is said beside an answer


async def test_what_the_model_was_not_told(bot: Bot) -> None:
    """It is said once, when it begins."""
    bot.profile = replace(bot.profile, window=110, max_tokens=10)
    said_so = [
        ENGLISH.left_out in text
        for number in range(9)
        for text in await bot.hears(message(f"{number}" * 30))
    ]
    assert said_so.count(True) == 1
    assert not said_so[0]
    await bot.hears(message("/reset"))
    for words in ("one", "/retry"):
        assert ENGLISH.left_out not in (await bot.hears(message(words)))[0]


@pytest.mark.parametrize("over", [0, 1])
async def test_a_note_below_a_long_answer(bot: Bot, over: int) -> None:
    """It is in the same message as long as there is room."""
    room = MAX_CHARACTERS - len(ENGLISH.truncated) - 2
    answer = ("word " * MAX_CHARACTERS)[: room + over - 1] + "."
    bot.model.answers.append(Answer(answer, complete=True, truncated=True))
    together = [f"{answer}\n\n{ENGLISH.truncated}"]
    assert await bot.hears(message("one")) == ([answer, ENGLISH.truncated] if over else together)


async def test_two_notes(bot: Bot) -> None:
    """One stands below the other."""
    bot.model.answers.append([Answer("half", truncated=True)])
    await stopped(bot, message("one"))
    notes = f"{ENGLISH.stopped_mark}\n\n{ENGLISH.truncated}"
    assert bot.telegram.said() == [f"half\n\n{notes}"]


@pytest.mark.parametrize("truncated", [True, False])
async def test_no_answer_but_a_note(bot: Bot, truncated: bool) -> None:
    """Something is said, in any case."""
    bot.model.answers.append(Answer("", complete=True, truncated=truncated))
    assert await bot.hears(message("one")) == [ENGLISH.truncated if truncated else "…"]


async def test_a_note_and_a_file(bot: Bot) -> None:
    """The note belongs to the words, which come before the file."""
    code = "\n".join(f"print({number})" for number in range(1000))
    text = f"**First** this:\n\n```python\n{code}\n```\n\nand then that"
    bot.model.answers.append(Answer(text, complete=True, truncated=True))
    await bot.hears(message("one"))
    names = [name for name, _ in bot.telegram.of("sendMessage", "sendDocument")]
    assert names[-1] == "sendDocument"
    assert names.count("sendDocument") == 1
    *_, last = bot.telegram.said()
    assert last.endswith(ENGLISH.truncated)
    (_, first), *_ = bot.telegram.of("sendMessage")
    assert "bold" in {entity["type"] for entity in first["entities"]}
