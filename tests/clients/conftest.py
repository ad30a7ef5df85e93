"""Bots of other libraries as processes, on a local Telegram, and the people who talk to them."""

import asyncio
import contextlib
import itertools
import os
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
import pytest_asyncio
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from bot.playground.door import room_routes
from bot.playground.telegram.emulator import telegram_routes
from bot.playground.telegram.room import Room
from bot.web import serving

PATIENCE = 60
"""Seconds until a bot must have answered; on a busy machine the first answer takes some."""
NODE = Path(__file__).parent.parent / "node"
LIBRARIES: dict[str, list[Any]] = {
    "aiogram": [sys.executable, "-m", "tests.clients.with_aiogram"],
    "pyTelegramBotAPI": [sys.executable, "-m", "tests.clients.with_telebot"],
    "grammY": ["node", NODE / "grammy.mjs"],
    "telegraf": ["node", NODE / "telegraf.mjs"],
}


def without_node() -> str:
    """Why no program can be run by node here, or nothing."""
    if shutil.which("node") is None:
        return "NODE IS MISSING: install it, then run make clients"
    if not (NODE / "node_modules" / "grammy").exists():
        return "NODE'S PACKAGES ARE MISSING: make clients installs them"
    return ""


_users = itertools.count(1001)
_T = TypeVar("_T")
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """A chat, as the person who writes there acts and looks over ``/room/…``."""

    http: httpx.AsyncClient
    user: int
    chat: int
    library: str

    async def act(self, act: str, **given: Any) -> Any:
        """Let something happen."""
        answer = await self.http.post(f"/room/{act}", json=given)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def do(self, act: str, **given: Any) -> Any:
        """Let something happen here."""
        return await self.act(act, chat=self.chat, **given)

    async def look(self, what: str, **query: Any) -> Any:
        answer = await self.http.get(f"/room/{what}", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def messages(self) -> list[Json]:
        return list(await self.look("messages", chat=self.chat))

    async def until(self, seen: Callable[[list[Json]], _T | None]) -> _T:
        """Wait until the chat's messages are such that ``seen`` finds something in them."""

        async def look() -> _T | None:
            return seen(await self.messages())

        return await self.found(look)

    async def found(self, look: Callable[[], Awaitable[_T | None]]) -> _T:
        """Look again after each change in the room, until there is something."""
        version = 0
        async with asyncio.timeout(PATIENCE):
            while not (found := await look()):
                version = (await self.look("changes", since=version))["version"]
        return found

    async def answers(self, text: str, count: int = 1, **more: Any) -> list[Json]:
        """Say something; the bot's next messages."""
        said = await self.do("say", user=self.user, text=text, **more)
        return await self.after(said["message_id"], count)

    async def answer(self, text: str, **more: Any) -> Json:
        (one,) = await self.answers(text, **more)
        return one

    async def after(self, message_id: int, count: int = 1) -> list[Json]:
        """Wait for the bot's messages that follow another."""

        def seen(messages: list[Json]) -> list[Json]:
            new = [m for m in messages if m["message_id"] > message_id and m["from"]["is_bot"]]
            return new[:count] if len(new) >= count else []

        return await self.until(seen)

    async def press(self, shown: Json, name: str) -> Json:
        """Press a message's inline button; the bot's answer to that."""
        buttons = [b for row in shown["reply_markup"]["inline_keyboard"] for b in row]
        (data,) = (button["callback_data"] for button in buttons if button["text"] == name)
        query = await self.do("press", user=self.user, message_id=shown["message_id"], data=data)
        return dict(await self.look("answer", query=query, wait=25))

    async def changed(self, shown: Json) -> Json:
        """Wait until a message is another than it was."""

        def seen(messages: list[Json]) -> Json | None:
            found = next(m for m in messages if m["message_id"] == shown["message_id"])
            return found if found != shown else None

        return await self.until(seen)


@dataclass(frozen=True, slots=True)
class Running:
    """A local Telegram, and a bot on it."""

    http: httpx.AsyncClient
    room: Room
    library: str

    async def person(self, name: str = "Ann") -> Place:
        user = next(_users)
        place = Place(self.http, user, user, self.library)
        await place.act("person", user=user, name=name)
        return place


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture, a voice note and a text for bots to send."""
    folder = tmp_path_factory.mktemp("files")
    (folder / "cat.png").write_bytes(bytes.fromhex(CAT))
    (folder / "hello.ogg").write_bytes(b"OggS\0\2" + bytes(22) + b"\x01\x13OpusHead\1\1" + bytes(9))
    (folder / "two.txt").write_text("two")
    return folder


CAT = (
    "89504e470d0a1a0a0000000d494844520000000100000001080600000"
    "01f15c4890000000b49444154789c63f80f040009fb03fdfb5e6b2b0000000049454e44ae426082"
)
"""A PNG of one pixel."""


@contextlib.asynccontextmanager
async def process(
    command: list[Any], **environment: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a program while the block runs; what it writes goes to the test's output."""
    running = await asyncio.create_subprocess_exec(
        *command, env={**os.environ, **environment}, stdin=asyncio.subprocess.DEVNULL
    )
    try:
        yield running
    finally:
        with contextlib.suppress(ProcessLookupError):
            running.kill()
        await running.wait()


@pytest_asyncio.fixture(
    scope="module",
    loop_scope="module",
    params=[(name, way) for name in LIBRARIES for way in ("polling", "webhook")],
    ids="-".join,
)
async def telegram(request: pytest.FixtureRequest, files: Path) -> AsyncIterator[Running]:
    """A bot of each library, by polling and by webhook."""
    library, way = request.param
    command = LIBRARIES[library]
    if command[0] == "node" and without_node():
        pytest.skip(without_node())
    room = Room("42:token")
    app = Starlette(
        routes=[
            *telegram_routes(room),
            *room_routes(room),
            Mount("/files", StaticFiles(directory=files)),
        ]
    )
    async with (
        serving(app, "127.0.0.1", 0) as url,
        room.webhook.delivering(),
        httpx.AsyncClient(base_url=url, timeout=40) as http,
        process(
            command,
            TELEGRAM_API_URL=url,
            TELEGRAM_TOKEN="42:token",
            FILES=str(files),
            FILES_URL=f"{url}/files",
            WEBHOOK="yes" if way == "webhook" else "",
        ),
    ):
        yield Running(http, room, library)
