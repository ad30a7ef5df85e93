"""The bot in a language that nobody speaks: all it says is in a catalogue, and fits its screen."""

import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import fields, replace
from itertools import chain, cycle, product
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from handlers.actions import table
from handlers.actions.menus import publish
from handlers.dialogue.completion import (
    Answer,
    CompletionMisconfigured,
    CompletionRefused,
    CompletionUnavailable,
    ContextTooLong,
)
from handlers.dialogue.personas import Persona
from handlers.incoming.access import Access
from handlers.incoming.documents import DocumentError, Documents
from handlers.texts import CATALOGUES, Texts
from handlers.turn.press import Press
from storage.message import ChatKey
from storage.owners import OwnersMenus
from tests.conftest import ANN, BORIS, GROUP
from tests.handlers.bot import ME, Bot, message, press, running, said
from tests.handlers.pseudo import PSEUDO, unmarked

OWNER, STRANGER, ANOTHER = 103, 105, GROUP - 1
TIME = r"[A-Z][a-z]{2} \d+, \d{4}, \d+:\d+\s[AP]M"
OTHERS = re.compile(rf"echo: (one)?|demo_bot|User \d+|Group|English|Русский|{TIME}")
"""Words of the model, and names, also those of languages: no catalogue has them."""
LONGEST = {"text": 4096, "description": 256, "toast": 200, "label": 64}
"""Telegram's limits, in characters; that of a label is ours, for a phone shows no more."""
TESTS = Path(__file__).parents[1]
ERRORS = DocumentError.__subclasses__()


class Library(Documents):
    """Has something wrong with every document, always something else."""

    def __init__(self) -> None:
        super().__init__()
        self.errors = cycle(ERRORS)

    async def fetch(self, *_: Any, **__: Any) -> str:
        raise next(self.errors)("?")


@pytest.fixture
async def bot(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bot]:
    """A bot that speaks nothing else, and is not open to strangers."""
    for language in CATALOGUES:
        monkeypatch.setitem(CATALOGUES, language, PSEUDO)
    access = Access({OWNER}, {ANN, BORIS}, set())
    more: dict[str, Any] = {"documents": Library(), "streaming": "edits", "paced": False}
    one = {"en": "1"}
    more["personas"] = {"one": Persona("one", one, one, one, 1, one, {"en": ("1", "1", "1")})}
    async with running(redis, access, language="en", **more) as made:
        yield made


def screens(bot: Bot) -> Iterator[tuple[str, str]]:
    """All that people have seen of it: what kind of place each text is in, and the text."""
    for method, given in bot.telegram.calls:
        if "text" in given:
            yield "toast" if method == "answerCallbackQuery" else "text", given["text"]
        yield from (("label", button["text"]) for button in keyboard(given))
        for command in given.get("commands", []):
            yield "description", command["description"]


def keyboard(given: dict[str, Any]) -> list[dict[str, Any]]:
    """The buttons of a message."""
    return [*chain.from_iterable(given.get("reply_markup", {}).get("inline_keyboard", []))]


def pressable(bot: Bot) -> list[str]:
    """What comes back from each button shown so far, or the deep link that it is."""
    buttons = chain.from_iterable(keyboard(given) for _, given in bot.telegram.calls)
    return [button.get("callback_data") or button["url"] for button in buttons]


async def commands(bot: Bot) -> None:
    """Every command, whatever is behind it, by who may use it and who may not, asked or not."""
    names = [*dict.fromkeys(row.name for row in table.COMMANDS), "nonsense"]
    behinds = {OWNER: ("", " 1", " -1234", " @"), BORIS: ("", " 1")}
    for name, person in product(names, behinds):
        for behind in behinds[person]:
            await bot.hears(message(f"/{name}{behind}", person))
        await bot.hears(message(f"/{name}@demo_bot", person, GROUP))
    for name in names:
        await bot.hears(message("1", OWNER))
        await bot.hears(message(f"/{name}", OWNER))
    await bot.hears(message("1", STRANGER))


async def buttons(bot: Bot) -> None:
    """Every button, under the last answer and under none, by everybody."""
    for name in table.BUTTONS:
        for person in (OWNER, BORIS, STRANGER):
            await bot.asked_before(ChatKey(ANOTHER), ANN)
            past = await bot.history.newest(ChatKey(ANOTHER), 1000)
            under = said("1", 9, ANOTHER, message_id=past.answer_ids[0]) | {"from": ME}
            await bot.hears(press(str(Press(name, past.asked)), under, person))
            await bot.hears(press(str(Press(name, 1)), under, person))


async def screens_behind(bot: Bot) -> None:
    """Every button that any screen has, one of each form, and those of the screens behind it."""
    seen: set[str] = set()
    while new := [data for data in pressable(bot) if re.sub(r"\d+", "1", data) not in seen]:
        seen.add(re.sub(r"\d+", "1", new[0]))
        if "?start=" in new[0]:
            await bot.hears(message(f"/start {new[0].partition('=')[2]}", OWNER))
        else:
            await bot.hears(press(new[0], said("1", OWNER) | {"from": ME}, OWNER))


async def failures(bot: Bot) -> None:
    """All that can go wrong with a question, a document, and what Telegram takes."""
    for error in (CompletionMisconfigured, CompletionRefused, CompletionUnavailable):
        bot.model.answers.append(error("?"))
        await bot.hears(message("1"))
    bot.model.answers += [ContextTooLong("?", 1.0)] * 2
    await bot.hears(message("1"))
    file = {"file_id": "1", "file_unique_id": "1", "file_name": "1.txt"}
    for _ in ERRORS:
        await bot.hears(message("", document=file, caption="1"))
    await bot.hears(message("1"))
    bot.telegram.refusals["sendMessage"].extend(["Bad Request: ?"] * 2)
    await bot.hears(message("1"))


async def answers(bot: Bot) -> None:
    """Answers that are cut, go on, and do not know the beginning."""
    bot.model.answers.append(Answer("1", complete=True, truncated=True))
    await bot.hears(message("1"))
    past = await bot.history.newest(ChatKey(ANN), 1000)
    under = said("1", message_id=past.answer_ids[0])
    await bot.hears(press(str(Press("continue", past.asked)), under))
    bot.profile = replace(bot.profile, window=2020)  # and the answer may take 2000 of it
    await bot.hears(message("1"))
    await bot.hears(message("/context"))


async def odd(bot: Bot) -> None:
    """What has no words, comes in too quickly, takes too long, or cannot be handled at all."""
    await bot.hears(message("@demo_bot", ANN, GROUP))
    await bot.hears(message("", ANN, dice={"emoji": "", "value": 1}))
    for what in ("flood", "apology", "late"):
        update = message("1", BORIS)
        claim, turn = await bot.begins(update)
        text = json.dumps({"update_id": 1, **update})
        if what == "flood":
            turn.flood = True
            await bot.dispatch.handle(text, turn)
        elif what == "apology":
            await bot.dispatch.apologize(text, turn)
        else:
            await bot.waits(update)
        await bot.inbox.done(claim)


@pytest.mark.slow
async def test_all_it_says_is_in_a_catalogue(bot: Bot) -> None:
    """And fits its screen, though half as long again as in English."""
    await publish(bot.application.bot, {OWNER}, OwnersMenus(bot.redis, bot.id), "en")
    for script in (commands, buttons, screens_behind, failures, answers, odd):
        await script(bot)
    seen = [*screens(bot)]
    for place, text in seen:
        assert not re.findall(r"[^\W\d]", unmarked(OTHERS.sub("", text))), text
        assert len(text) <= LONGEST[place], (place, text)
    heard = "\n".join(text for _, text in seen)
    tests = "".join(path.read_text("utf-8") for path in TESTS.rglob("test_*.py"))
    names = {field.name for field in fields(Texts)}
    others = {name for name in names if not is_in(heard, getattr(PSEUDO, name))}
    assert {name for name in others if f".{name}" not in tests} == set(), "neither heard nor tested"


def is_in(heard: str, text: str | Mapping[str, str]) -> bool:
    """Tell whether a text of the catalogue was said, whatever was filled in."""
    if isinstance(text, Mapping):
        return any(is_in(heard, part) for part in text.values())
    return bool(re.search(re.sub(r"\\\{\w+\\\}", ".*", re.escape(text)), heard, re.DOTALL))
