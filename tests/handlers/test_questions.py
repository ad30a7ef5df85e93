"""What people ask, and ask again: which words reach the model, through all handlers."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis
from telegram.error import RetryAfter

from handlers.incoming.addressing import SOME_CHANNEL
from handlers.texts import ENGLISH
from storage import keys
from storage.budget import Frozen
from storage.history import Past
from storage.message import ChatKey
from storage.timing import Timing
from tests.bot_api import CONTENT
from tests.conftest import ANN, BORIS, GROUP
from tests.handlers.bot import ME, Bot, message, running, said

FORWARD: dict[str, Any] = {
    "forward_origin": {"type": "hidden_user", "date": 1, "sender_user_name": "Vera"}
}
FROM_VERA = ENGLISH.forwarded.format(author="Vera")
FILE = {"file_id": "a.txt", "file_unique_id": "a", "file_name": "a.txt"}
ZIP = {"file_id": "a.zip", "file_unique_id": "a", "file_name": "a.zip", "mime_type": "a/zip"}
READ = "[a.txt]\n```\nsome text\n```"


@pytest.fixture
async def bot(redis: Redis) -> AsyncIterator[Bot]:
    """A bot that waits for nothing more to come, and to which somebody has sent a file."""
    async with running(redis, timing=Timing(quiet=0)) as made:
        made.telegram.files["a.txt"] = b"some text"
        yield made


async def asked(bot: Bot, *updates: dict[str, Any]) -> str | None:
    """What the model is asked after these; None if it is not."""
    before = len(bot.model.asked)
    await bot.hears(*updates)
    new = bot.model.asked[before:]
    assert len(new) <= 1
    return new[0][-1] if new else None


async def past(bot: Bot, chat: int = ANN) -> Past:
    """What is known of a conversation."""
    return await bot.history.newest(ChatKey(chat), 100_000)


def edit(old: dict[str, Any], **new: Any) -> dict[str, Any]:
    """An update that changes a message."""
    return {"edited_message": old["message"] | new}


def other(**more: Any) -> dict[str, Any]:
    """A message without a text."""
    return {"message": message("", **more)["message"] | {"text": None}}


# What is asked


async def test_what_is_said_of_a_forward_is_answered(bot: Bot) -> None:
    """The comment is known as the question, whichever of them comes first."""
    old, comment = message("old", **FORWARD), message("why?")
    words = f"{FROM_VERA}\nold\n\nwhy?"
    assert await asked(bot, old, comment) == words
    assert (await past(bot)).asked == comment["message"]["message_id"]
    comment = message("why?")
    assert await asked(bot, comment, message("old", **FORWARD)) == f"why?\n\n{FROM_VERA}\nold"
    assert (await past(bot)).asked == comment["message"]["message_id"]


async def test_a_forward_alone_is_a_question(bot: Bot) -> None:
    """So are several: they are known by the first."""
    one, two = message("one", **FORWARD), message("two", **FORWARD)
    assert await asked(bot, one, two) == f"{FROM_VERA}\none\n\n{FROM_VERA}\ntwo"
    assert (await past(bot)).asked == one["message"]["message_id"]


async def test_talk_is_not_a_question(bot: Bot) -> None:
    """Among people the bot is silent until it is named."""
    assert await bot.hears(message("hi", ANN, GROUP)) == []
    assert await bot.hears(message("@demo_bot hi", ANN, GROUP)) == ["echo: hi"]


async def test_what_has_no_words(bot: Bot) -> None:
    """A sentence says so; with a comment it is something to ask about."""
    picture = other(photo=CONTENT["photo"], **FORWARD)
    assert await bot.hears(picture) == [ENGLISH.only_text]
    assert bot.model.asked == []
    words = await asked(bot, message("why?"), picture)
    assert words
    assert words.startswith(f"why?\n\n{FROM_VERA}\n")
    assert ENGLISH.kinds["photo"] in words


async def test_an_animation_is_no_document(bot: Bot) -> None:
    """Telegram gives it as one, too, for programs that do not know animations."""
    moving = CONTENT["animation"] | {"file_name": "a.txt"}
    words = await asked(bot, message("why?"), other(animation=moving, document=moving, **FORWARD))
    assert words
    assert "some text" not in words


async def test_a_document_stands_before_its_question(bot: Bot) -> None:
    """Its caption, or what is said of it behind it."""
    assert await asked(bot, other(document=FILE, caption="why?")) == f"{READ}\n\nwhy?"
    assert await asked(bot, other(document=FILE), message("why?")) == f"{READ}\n\nwhy?"


async def test_a_document_that_is_replied_to(bot: Bot) -> None:
    """It is read, and not named beside that; one that cannot be read is only named."""
    read = await asked(bot, message("why?", reply_to_message=said("", document=FILE)))
    assert read == f"{READ}\n\nwhy?"
    named = await asked(bot, message("why?", reply_to_message=said("", document=ZIP)))
    assert named
    assert named.endswith("\n\nwhy?")
    assert named.startswith("> ")
    assert "a.zip" in named


@pytest.mark.parametrize("call", ["getFile", "a.txt"])
async def test_a_document_while_telegram_is_frozen(bot: Bot, call: str) -> None:
    """The question waits for it; that is no failure."""
    bot.telegram.refusals[call].append(RetryAfter(30))
    update = message("", document=FILE, caption="why?")
    _, turn = await bot.begins(update)
    with pytest.raises(Frozen, match="30"):
        await bot.dispatch.handle(json.dumps({"update_id": 1, **update}), turn)


async def test_two_channels_that_speak(bot: Bot) -> None:
    """Telegram names one user for all of them: what one says is no comment on another's."""
    user = {"id": SOME_CHANNEL, "is_bot": True, "first_name": "Channel"}
    one, other = ({"id": number, "type": "channel", "title": "x"} for number in (-7, -8))
    comment = message("@demo_bot why?", ANN, GROUP, **{"from": user}, sender_chat=one)
    old = message("old", ANN, GROUP, **{"from": user}, sender_chat=other, **FORWARD)
    words = await asked(bot, comment, old)
    assert words
    assert "old" not in words


async def test_a_picture_that_is_replied_to(bot: Bot) -> None:
    """It is named."""
    words = await asked(bot, message("why?", reply_to_message=said("", photo=CONTENT["photo"])))
    assert words == f"> [{ENGLISH.kinds['photo']}]\n\nwhy?"


@pytest.mark.parametrize("which", ["question", "answer"])
async def test_what_the_model_knows_is_not_quoted(bot: Bot, which: str) -> None:
    """The last question and its answer are there already, whatever they are."""
    question = message("one")
    await bot.hears(question)
    number = (await past(bot)).answer_ids[0]
    known = {"question": question["message"]["message_id"], "answer": number}[which]
    replied = said("one", message_id=known, document=FILE)
    assert await asked(bot, message("why?", reply_to_message=replied)) == "why?"
    assert bot.telegram.of("getFile") == []


@pytest.mark.parametrize("which", ["question", "answer"])
async def test_just_its_name_in_reply_to_what_the_model_knows(bot: Bot, which: str) -> None:
    """It asks about those words, as it does in reply to any others."""
    question = message("@demo_bot one", BORIS, GROUP)
    await bot.hears(question)
    (number,) = (await past(bot, GROUP)).answer_ids
    answer = said("two", BORIS, GROUP, message_id=number) | {"from": ME}
    replied = {"question": question["message"] | {"text": "one"}, "answer": answer}[which]
    words = await asked(bot, message("@demo_bot", ANN, GROUP, reply_to_message=replied))
    quoted = {"question": f"> User {BORIS}:\n> one", "answer": "> Demo:\n> two"}[which]
    assert words == f"[User {ANN}]: {quoted}"


async def test_an_edit_that_nobody_sees_of_just_its_name(bot: Bot) -> None:
    """It asks nothing again; one that takes the words away does."""
    old = said("one", BORIS, GROUP)
    named = message("@demo_bot", ANN, GROUP, reply_to_message=old)
    assert await asked(bot, named)
    assert await asked(bot, edit(named, edit_date=1)) is None
    why = message("@demo_bot why?", ANN, GROUP, reply_to_message=old)
    assert await asked(bot, why)
    bare = {name: named["message"][name] for name in ("text", "entities")}
    assert await asked(bot, edit(why, **bare))


async def test_a_growing_answer_that_was_left_behind(bot: Bot) -> None:
    """Who replies to one reveals it, and it goes."""
    await bot.hears(message("one"))
    known = await past(bot)
    button = {"text": "Stop", "callback_data": f"stop:{known.asked}"}
    left = said("ech", message_id=known.answer_ids[0] + 10_000, reply_markup=keyboard(button))
    await bot.hears(message("two", reply_to_message=left | {"from": ME}))
    ((_, given),) = bot.telegram.of("deleteMessage")
    assert given["message_id"] == left["message_id"]


def keyboard(button: dict[str, Any]) -> dict[str, Any]:
    """One button."""
    return {"inline_keyboard": [[button]]}


async def test_an_empty_question(bot: Bot) -> None:
    """The name alone asks nothing."""
    (told,) = await bot.hears(message("@demo_bot", ANN, GROUP))
    assert told == ENGLISH.empty_question.format(name="demo_bot")
    assert bot.model.asked == []


class Sharing:
    """Documents of which somebody notes who asks for them."""

    def __init__(self) -> None:
        self.persons: list[int] = []

    async def fetch(self, _document: object, question: str, person: int) -> str:
        self.persons.append(person)
        return question


async def test_whose_document_it_is(redis: Redis) -> None:
    """A person's, or a channel's in whose name somebody writes."""
    documents = Sharing()
    channel = {"id": -7, "type": "channel", "title": "News"}
    async with running(redis, timing=Timing(quiet=0), documents=documents) as bot:
        replied = said("", BORIS, GROUP, document=FILE)
        for more in ({}, {"sender_chat": channel}):
            asking = message("@demo_bot why?", ANN, GROUP, reply_to_message=replied, **more)
            await bot.hears(asking)
    assert documents.persons == [ANN, -7]


# What is changed


async def test_the_last_question_is_changed(bot: Bot) -> None:
    """The new answer stands where the old one stood."""
    question = message("one")
    await bot.hears(message("zero"), question)
    number = (await past(bot)).answer_ids[0]
    assert await asked(bot, edit(question, text="two")) == "two"
    ((_, given),) = bot.telegram.of("editMessageText")
    assert given["message_id"] == number
    assert await bot.remembers() == ["zero", "echo: zero", "two", "echo: two"]


async def test_an_older_question_is_changed(bot: Bot) -> None:
    """What is old stays as it is."""
    old, new = message("one"), message("two")
    await bot.hears(old, new)
    assert await asked(bot, edit(old, text="three")) is None
    assert await bot.remembers() == ["one", "echo: one", "two", "echo: two"]


async def test_what_nobody_answered_is_changed(bot: Bot) -> None:
    """It is asked then; also if it has the words of the last question."""
    await bot.hears(message("one"))
    for words in ("one", "two"):
        mute = other(photo=CONTENT["photo"])
        await bot.hears(mute)
        assert await asked(bot, edit(mute, text=words)) == words
    assert len(await bot.remembers()) == 6


async def test_what_was_forgotten_is_changed(bot: Bot) -> None:
    """It does not come back, however it was forgotten."""
    for way in ("/undo", "/reset", ""):
        question = message("one")
        await bot.hears(question)
        if way:
            await bot.hears(message(way))
        else:  # somebody else did it
            await bot.redis.delete(keys.history(bot.id, ChatKey(ANN)))
        assert await asked(bot, edit(question, text="two")) is None


async def test_talk_is_changed(bot: Bot) -> None:
    """It is talk as before, unless it names the bot now, and says something beside that."""
    talk = message("hi", ANN, GROUP)
    await bot.hears(talk)
    assert await bot.hears(edit(talk, text="hello")) == []
    named = said("@demo_bot", ANN, GROUP)["entities"]
    assert await bot.hears(edit(talk, text="@demo_bot", entities=named)) == []
    assert await bot.hears(edit(talk, text="@demo_bot hi", entities=named)) == ["echo: hi"]


REPLIED = {"reply_to_message": said("old", 1, ANN)}
ASKED: dict[str, list[dict[str, Any]]] = {
    "alone": [message("why?")],
    "a reply": [message("why?", **REPLIED)],
    "with a forward": [message("why?"), message("old", **FORWARD)],
    "behind a forward": [message("old", **FORWARD), message("why?")],
    "a caption": [other(document=FILE, caption="why?")],
    "behind a file": [other(document=FILE), message("why?")],
    "with a file": [message("why?"), other(document=FILE)],
}


@pytest.mark.parametrize("updates", ASKED.values(), ids=ASKED)
async def test_an_edit_that_nobody_sees(bot: Bot, updates: list[dict[str, Any]]) -> None:
    """Only other words are another question, whatever these are on."""
    await bot.hears(*updates)
    question = next(one for one in updates if "why?" in str(one))
    assert await asked(bot, edit(question)) is None
    field = "caption" if "caption" in question["message"] else "text"
    changed = await asked(bot, edit(question, **{field: "what?"}))
    assert changed
    assert "what?" in changed


async def test_a_part_of_the_last_question_is_changed(bot: Bot) -> None:
    """All of it is asked again, with the other words of that part."""
    question, *forwards = message("why?"), message("b", **FORWARD), message("c", **FORWARD)
    await bot.hears(question, *forwards)
    between = f"\n\n{FROM_VERA}\n"
    whole = ["why?", between, "b", between, "c"]
    assert await bot.remembers() == ["".join(whole), f"echo: {''.join(whole)}"]
    parts = {0: question, 2: forwards[0], 4: forwards[1]}
    for part in parts.values():
        assert await asked(bot, edit(part)) is None
    for place in (2, 4, 0, 2):
        whole[place] = f"{len(whole[place])} other words"
        assert await asked(bot, edit(parts[place], text=whole[place])) == "".join(whole)
        assert await asked(bot, edit(parts[place], text=whole[place])) is None
    assert await bot.remembers() == ["".join(whole), f"echo: {''.join(whole)}"]
    await bot.hears(message("more"))
    assert await asked(bot, edit(forwards[0], text="late")) is None


@pytest.mark.parametrize(("first", "then"), [("file", "why?"), ("why?", "file")])
async def test_a_part_without_words_gets_some(bot: Bot, first: str, then: str) -> None:
    """What the others say is not lost."""
    said = {"file": other(document=FILE), "why?": message("@demo_bot")}
    await bot.hears(said[first], said[then])
    (before, _) = await bot.remembers()
    assert await asked(bot, edit(said["why?"])) is None
    changed = await asked(bot, edit(said["why?"], text="why?"))
    assert changed == (f"why?\n\n{before}" if first == "why?" else f"{before}\n\nwhy?")
    again = await asked(bot, edit(said["why?"], text="what?"))
    assert again == changed.replace("why?", "what?")


@pytest.mark.parametrize("end", [False, True])
@pytest.mark.parametrize(
    "other", ["so", "(so", "[so", "(so)", "[so]", "> so", "(so)\nso", "[so]\n```\nso\n```"]
)
async def test_an_edit_that_leaves_one_end(bot: Bot, other: str, *, end: bool) -> None:
    """What is cut off may look like what the bot puts there itself; else it is a real edit."""
    question = message(f"why?\n\n{other}" if end else f"{other}\n\nwhy?")
    await bot.hears(question)
    changed = await asked(bot, edit(question, text="why?"))
    attached = "\n" in other or (other[0] == ">" and not end)
    assert changed == (None if attached else "why?")


# What is no question any more


async def test_a_mistyped_command(bot: Bot) -> None:
    """It is obeyed once it is one, unless something was asked since."""
    entities = said("/help")["entities"]
    mistyped = message("help")
    assert await bot.hears(mistyped) == ["echo: help"]
    (told,) = await bot.hears(edit(mistyped, text="/help", entities=entities))
    assert "@demo_bot" in told
    unknown = other(photo=CONTENT["photo"])
    await bot.hears(unknown)
    assert len(await bot.hears(edit(unknown, text="/help", entities=entities))) == 1
    await bot.hears(message("one"))
    assert await bot.hears(edit(unknown, text="/help", entities=entities)) == []
    assert len(bot.model.asked) == 2
