"""Where a storm takes place: a local Telegram, its people, and a model that remembers."""

import asyncio
import contextlib
import itertools
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from starlette.applications import Starlette

from bot import web
from bot.playground.telegram.emulator import telegram_routes
from bot.playground.telegram.room import Room
from bot.playground.yandex.completion import CompletionServer
from handlers.texts import ENGLISH, RUSSIAN
from storage.message import Message
from tests.conftest import grows

AT_LENGTH = " at length"
LINES = 90
"""Lines of a long answer, about 100 characters each: three messages of Telegram."""
FORGOTTEN = (RUSSIAN.forgotten, ENGLISH.forgotten)

STOPPED = (RUSSIAN.stopped_mark, ENGLISH.stopped_mark)
ON_ITS_WAY = 0.2
"""Seconds in which Telegram surely takes what a process had sent when it was halted."""

_bot_ids = itertools.count(8_000_000)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it came to the model, with the history before it, and the model's answer."""

    question: str
    history: tuple[Message, ...]
    answer: str


@dataclass(frozen=True, slots=True)
class Heard:
    """A message of the bot's; ``grows`` if it is an answer that was never finished."""

    number: int
    text: str
    grows: bool


@dataclass(frozen=True, slots=True)
class Halt:
    """When a process, or the storage server, was killed or frozen, in numbers of messages."""

    start: int
    end: int


class Model:
    """Words that name their question, and are new each time it is asked."""

    def __init__(self, seconds: tuple[float, float]) -> None:
        self.asked: list[Asked] = []
        self._seconds = seconds

    async def answer(
        self, messages: Sequence[Message], *, temperature: float, max_tokens: int
    ) -> AsyncIterator[str]:
        question = messages[-1].text
        count = LINES if question.endswith(AT_LENGTH) else 1
        name = f"{question} / {len(self.asked)} / "
        lines = [f"{name}{line} / {'words ' * 14}" for line in range(count)]
        self.asked.append(Asked(question, tuple(messages[1:-1]), "\n".join(lines)))
        for piece in (lines[0], *(f"\n{line}" for line in lines[1:])):
            yield piece
            await asyncio.sleep(random.uniform(*self._seconds) / count)


@dataclass(slots=True)
class World:
    """The room, the model, and what everybody said: by the names of the replies to it."""

    room: Room
    model: Model
    environment: dict[str, str]
    said: dict[int, list[str]] = field(default_factory=dict)
    halts: list[Halt] = field(default_factory=list)

    @property
    def bot_id(self) -> int:
        """The bot's user id."""
        return int(self.room.bot["id"])

    def ask(self, chat: int, *, at_length: bool = False) -> str:
        """Let a person ask the next question; its name."""
        said = self.said.setdefault(chat, [])
        question = f"q{chat}.{len(said)}{AT_LENGTH if at_length else ''}"
        said.append(question)
        self.room.say(chat, chat, question)
        return question

    def reset(self, chat: int) -> None:
        """Let a person make the bot forget; in changing languages, to tell the replies apart."""
        said = self.said.setdefault(chat, [])
        turn = sum(name in FORGOTTEN for name in said) % 2
        said.append(FORGOTTEN[turn])
        self.room.say(chat, chat, "/reset", language=("ru", "en")[turn])

    def heard(self, chat: int) -> list[Heard]:
        """What the bot said in a chat, oldest first."""
        return [
            Heard(message["message_id"], message["text"], grows(message))
            for message in self.room.messages(chat)
            if message["from"]["id"] == self.bot_id
        ]

    @contextlib.asynccontextmanager
    async def halt(self) -> AsyncIterator[None]:
        """Note when something was halted: for as long as the block runs, and a moment more.

        In that moment Telegram still takes what was on its way.
        """
        start = self._newest()
        yield
        await asyncio.sleep(ON_ITS_WAY)
        self.halts.append(Halt(start, self._newest()))

    def _newest(self) -> int:
        # Private chats share their numbers, so these tell the time.
        return max((self.room.messages(chat)[-1]["message_id"] for chat in self.said), default=0)

    def is_answered(self, chat: int) -> bool:
        """Tell whether what was last said has its whole reply."""
        message, name = self.room.messages(chat)[-1], self.said[chat][-1]
        begin = f"{name} / " if name not in FORGOTTEN else name
        last = f" / {LINES - 1} / " if name.endswith(AT_LENGTH) else ""
        text = message["text"]
        ours = message["from"]["id"] == self.bot_id
        return bool(ours and not grows(message) and text.startswith(begin) and last in text)

    async def answered(self, chat: int, seconds: float) -> bool:
        """Wait so long for that reply; whether it came."""
        ends = self.room.clock() + seconds
        while not self.is_answered(chat) and (left := ends - self.room.clock()) > 0:
            await self.room.changed(self.room.version, left)
        return self.is_answered(chat)


@contextlib.asynccontextmanager
async def world(
    storage: dict[str, str], model_seconds: tuple[float, float] = (0.05, 0.4)
) -> AsyncIterator[World]:
    """Serve a room and a model; ``storage`` is what tells the bot where its storage is."""
    token = f"{next(_bot_ids)}:CRASH"
    room, model = Room(token), Model(model_seconds)
    server = CompletionServer(model, limit=1000, context=10**9)
    app = Starlette(routes=[*telegram_routes(room), *server.routes])
    async with web.serving(app, "127.0.0.1", 0) as url:
        environment = {
            "TELEGRAM_TOKEN": token,
            "TELEGRAM_API_URL": url,
            "COMPLETION_URL": url,
            "FOLDER_ID": "folder",
            "API_KEY": "key",
            "LISTEN": "127.0.0.1:0",
            "CONTEXT_TOKENS": "10000000",
            "COMPLETION_CONCURRENCY": "32",
        }
        yield World(room, model, environment | storage)
