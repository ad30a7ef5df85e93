"""Questions, answers and what people do with them: through all handlers, onto the last call."""

import json
from dataclasses import replace
from typing import Any

import pytest
from redis.asyncio import Redis

from handlers.actions.table import COMMANDS
from handlers.dialogue.completion import Answer, CompletionMisconfigured, CompletionUnavailable
from handlers.texts import ENGLISH, RUSSIAN, Texts
from handlers.turn.turn import Turn
from storage import keys
from storage.message import ChatKey
from tests.conftest import ANN, BORIS, GROUP
from tests.handlers.bot import Bot, message, person, press, running, said

CHANGING = ("retry", "undo", "reset")
"""Commands that change a conversation; the others only tell something."""


async def test_what_the_model_is_given(redis: Redis) -> None:
    """All that was said, oldest first, and then the question."""
    async with running(redis) as bot:
        assert await bot.hears(message("one")) == ["echo: one"]
        assert await bot.hears(message("two")) == ["echo: two"]
        assert bot.model.asked == [["one"], ["one", "echo: one", "two"]]
        assert await bot.remembers() == ["one", "echo: one", "two", "echo: two"]


@pytest.mark.parametrize("way", ["/retry", "again", "edit"])
async def test_a_question_asked_again(redis: Redis, way: str) -> None:
    """The model sees no answer that the new one takes the place of; nor does anybody later."""
    async with running(redis) as bot:
        await bot.hears(message("one"))
        question = message("two")
        await bot.hears(question)
        past = await bot.history.newest(ChatKey(ANN), 1000)
        bot.model.answers.append(Answer("better", complete=True))
        updates = {
            "/retry": message("/retry"),
            "again": press(f"again:{past.asked}", said("echo: two", message_id=past.answer_ids[0])),
            "edit": {"edited_message": question["message"] | {"text": "two, but better"}},
        }
        assert await bot.hears(updates[way]) == ["better"]
        asked = "two, but better" if way == "edit" else "two"
        assert bot.model.asked[-1] == ["one", "echo: one", asked]
        assert await bot.remembers() == ["one", "echo: one", asked, "better"]


async def test_a_question_asked_again_in_vain(redis: Redis) -> None:
    """What stands in its place stays, there and in mind, and the person hears why."""
    async with running(redis) as bot:
        await bot.hears(message("one"))
        past = await bot.history.newest(ChatKey(ANN), 1000)
        bot.model.answers.append(CompletionMisconfigured("no key"))
        under = said("echo: one", message_id=past.answer_ids[0])
        assert await bot.hears(press(f"again:{past.asked}", under)) == [
            "echo: one",
            ENGLISH.misconfigured,
        ]
        assert await bot.remembers() == ["one", "echo: one"]


@pytest.mark.parametrize("way", ["/retry", "again"])
async def test_what_is_noted_beside_a_question_stays(redis: Redis, way: str) -> None:
    """Though its entry is written anew when it is asked again."""
    async with running(redis) as bot:
        key = keys.history(bot.id, ChatKey(ANN))
        question = {"role": "user", "text": "one", "at": 5, "voice": {"id": [1, "ы"]}}
        answer = {"role": "assistant", "text": "1", "model": "old"}
        await redis.rpush(key, json.dumps(question), json.dumps(answer))
        await redis.hset(keys.state(bot.id, ChatKey(ANN)), "asked", "7")
        under = said("1", message_id=8)
        await bot.hears(message(way) if way == "/retry" else press("again:7", under))
        kept, new = map(json.loads, await redis.lrange(key, 0, -1))
        assert kept == question
        assert (new["text"], "model" in new) == ("echo: one", False)


ODD = {
    "an answer first": ["assistant 1", "user 2", "assistant 3"],
    "two answers first": ["assistant 1", "assistant 2", "user 3", "assistant 4"],
    "two questions": ["user 1", "user 2", "user 3", "assistant 4"],
    "no answer last": ["user 1", "assistant 2", "user 3"],
    "one": ["user 1"],
}


@pytest.mark.parametrize("entries", ODD.values(), ids=ODD)
@pytest.mark.parametrize("where", [ANN, GROUP])
async def test_what_somebody_else_wrote(redis: Redis, entries: list[str], where: int) -> None:
    """It is sent as it stands, two and two from the end; a rest at the beginning is left out."""
    async with running(redis) as bot:
        key = keys.history(bot.id, ChatKey(where))
        for entry in entries:
            role, text = entry.split()
            await redis.rpush(key, json.dumps({"role": role, "text": text}))
        [told] = await bot.hears(message("@demo_bot what?", where=where))
        numbers = [entry.split()[1] for entry in entries]
        *given, asked = bot.model.asked[-1]
        assert given == numbers[len(numbers) % 2 :]
        assert asked.endswith("what?")
        assert (ENGLISH.left_out in told) == (len(numbers) % 2 == 1)
        await bot.hears(message("/context@demo_bot", where=where))
        turns = ENGLISH.counted(ENGLISH.context_turns, len(entries) // 2 + 1)
        assert turns in bot.telegram.said()[-1]
        await bot.hears(message("/retry@demo_bot", where=where))
        assert bot.model.asked[-1] == [*given, asked]


async def test_each_turn_has_its_profile(redis: Redis) -> None:
    """It is asked for when a turn begins, and what it costs is counted for its model."""
    async with running(redis) as bot:
        first, second = bot.profile, replace(bot.profile, model="other", system_prompt="?")
        bot.model.answers += [
            Answer("1", complete=True, prompt_tokens=10, completion_tokens=1),
            Answer("2", complete=True, prompt_tokens=20, completion_tokens=2),
        ]
        await bot.hears(message("one"))
        bot.profile = second
        await bot.hears(message("two"))
        assert bot.model.profiles == [(first, ANN), (second, ANN)]
        assert await redis.hgetall(keys.usage(bot.id, ChatKey(ANN))) == {
            "answers": "2",
            "prompt_tokens": "30",
            "completion_tokens": "3",
            "completion:model:answers": "1",
            "completion:model:prompt_tokens": "10",
            "completion:model:completion_tokens": "1",
            "completion:other:answers": "1",
            "completion:other:prompt_tokens": "20",
            "completion:other:completion_tokens": "2",
        }


class Death(BaseException):
    """The process ends here."""


@pytest.mark.slow
async def test_a_death_between_two_messages(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever goes on sends what Telegram has not taken yet, and nothing twice."""
    async with running(redis) as bot:
        paragraphs = [f"{number} " + "words " * 500 for number in range(4)]
        bot.model.answers.append(Answer("\n\n".join(paragraphs), complete=True))
        takes = bot.telegram.do_request

        async def dies(url: str, *args: Any, **more: Any) -> tuple[int, bytes]:
            if url.endswith("sendMessage") and len(bot.telegram.said()) == 2:
                raise Death
            return await takes(url, *args, **more)

        monkeypatch.setattr(bot.telegram, "do_request", dies)
        with pytest.raises(Death):
            await bot.hears(message("one"))
        monkeypatch.undo()
        (claim,) = await bot.inbox.mine([])
        opened = await bot.inbox.open(claim)
        await bot.dispatch.handle(opened.head.update, Turn(bot.inbox, claim, opened))
        assert [text[:6] for text in bot.telegram.said()] == [f"{n} word" for n in range(4)]
        assert len(bot.model.asked) == 1


async def test_no_answer(redis: Redis) -> None:
    """A sentence says so, and the question is not kept."""
    async with running(redis) as bot:
        bot.model.answers.append(CompletionUnavailable("503"))
        assert await bot.hears(message("one")) == [ENGLISH.unavailable]
        assert await bot.remembers() == []


async def test_whom_an_answer_in_a_group_answers(redis: Redis) -> None:
    """Also when that message is gone meanwhile; in private there is no doubt."""
    async with running(redis) as bot:
        question = message("@demo_bot one", ANN, GROUP)
        await bot.hears(question)
        await bot.hears(message("two"))
        (_, in_group), (_, in_private) = bot.telegram.of("sendMessage")
        assert in_group["reply_parameters"]["message_id"] == question["message"]["message_id"]
        assert in_group["reply_parameters"]["allow_sending_without_reply"] is True
        assert "reply_parameters" not in in_private


async def test_several_that_are_one(redis: Redis) -> None:
    """A long text in parts is one question; somebody else's, behind it, is another."""
    long = "@demo_bot " + "a" * 4086
    async with running(redis) as bot:
        heard = await bot.hears(
            message(long, ANN, GROUP),
            message("and the end", ANN, GROUP),
            message("@demo_bot mine", BORIS, GROUP),
        )
        assert len(heard) == 3  # the first one is too long for one message
        assert [asked[-1] for asked in bot.model.asked] == [
            f"[User {ANN}]: {'a' * 4086}and the end",
            f"[User {BORIS}]: mine",
        ]


async def test_a_truncated_answer_goes_on(redis: Redis) -> None:
    """It has a button for that, which asks for the rest as the next exchange."""
    async with running(redis) as bot:
        bot.model.answers.append(Answer("it begins", complete=True, truncated=True))
        (first,) = await bot.hears(message("tell"))
        assert first == f"it begins\n\n{ENGLISH.truncated}"
        assert buttons(bot) == ["again", "continue", "forget"]
        past = await bot.history.newest(ChatKey(ANN), 1000)
        await bot.hears(press(f"continue:{past.asked}", said(first, message_id=past.answer_ids[0])))
        assert bot.model.asked[-1] == ["tell", "it begins", ENGLISH.continue_question]
        assert not bot.telegram.of("getChatMember")  # in private nobody else reads it
        assert buttons(bot) == ["again", "forget"]


def buttons(bot: Bot) -> list[str]:
    """What the buttons under the newest message do."""
    _, given = bot.telegram.of("sendMessage", "editMessageText")[-1]
    rows = given.get("reply_markup", {"inline_keyboard": [[]]})["inline_keyboard"]
    return [button["callback_data"].partition(":")[0] for row in rows for button in row]


async def test_no_buttons(redis: Redis) -> None:
    """They can be left out."""
    async with running(redis, buttons=False) as bot:
        await bot.hears(message("one"))
        assert buttons(bot) == []


@pytest.mark.parametrize(
    "name", [*{row.name: row for row in COMMANDS if row.name not in CHANGING}, "nonsense"]
)
async def test_commands_change_nothing(redis: Redis, name: str) -> None:
    """What only tells something leaves the last answer known, and its buttons good."""
    async with running(redis) as bot:
        await bot.hears(message("one"))
        before = await bot.history.newest(ChatKey(ANN), 1000)
        assert len(await bot.hears(message(f"/{name}"))) == 1
        assert await bot.history.newest(ChatKey(ANN), 1000) == before
        assert before.answer_ids


async def test_a_reset_where_nothing_was_said(redis: Redis) -> None:
    """There is nothing to forget, and nothing to bring back."""
    async with running(redis) as bot:
        assert await bot.hears(message("/reset")) == [ENGLISH.forgotten]
        assert await bot.hears(message("/undo")) == [ENGLISH.nothing_to_undo]
        assert await bot.hears(message("one")) == ["echo: one"]
        assert await bot.hears(message("/reset")) == [ENGLISH.forgotten]
        assert await bot.hears(message("/reset")) == [ENGLISH.forgotten]
        assert await bot.hears(message("/undo")) == [ENGLISH.restored]
        assert await bot.remembers() == ["one", "echo: one"]


async def test_a_start_in_a_group(redis: Redis) -> None:
    """It says how to call the bot there."""
    async with running(redis) as bot:
        told = ENGLISH.membership_new.format(name="demo_bot")
        assert await bot.hears(message("/start@demo_bot", ANN, GROUP)) == [told]


@pytest.mark.parametrize(("language", "texts"), [("ru", RUSSIAN), (None, ENGLISH)])
async def test_whose_language_is_not_spoken(
    redis: Redis, language: str | None, texts: Texts
) -> None:
    """They are answered as the owner says, else in English."""
    async with running(redis, language=language) as bot:
        german = person(ANN, language_code="de")
        assert await bot.hears(message("/start", **{"from": german})) == [texts.start]
        await bot.waits(message("?", **{"from": german}))
        assert bot.telegram.said()[-1] == texts.takes_longer
