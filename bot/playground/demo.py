"""The demo: a local Telegram with its page, a model and the bot, in one process on one address."""

import argparse
import asyncio
import contextlib
import secrets
import tempfile
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from bot import log
from bot.app import running
from bot.environment import SettingsRefused, read
from bot.playground.arguments import HOST, PORT
from bot.playground.chat import Json, Person, Status
from bot.playground.completion import CompletionServer, Words
from bot.playground.door import room_routes
from bot.playground.emulator import telegram_routes
from bot.playground.model import LocalModel, ModelMissing
from bot.playground.prompt import Refusal
from bot.playground.room import Room
from bot.playground.same_origin import SameOrigin
from bot.playground.view import View
from bot.settings import Settings
from bot.web import serving
from storage.message import Message
from storage.timing import Timing

ANNA, BORIS = Person(101, "Anna"), Person(102, "Boris")
GROUP = -1_000_000_000_100

_LOCAL = (
    "Answers come from a tiny model on this machine, which speaks English and knows little. "
    "Set FOLDER_ID and API_KEY to talk to YandexGPT itself."
)
_YANDEXGPT = "Answers come from YandexGPT."
_UNSEEN = "Requests go straight to YandexGPT and are not seen here."
_NO_BOT = "No bot runs here: point yours to this address, as the terminal says."
_UNASKED = "Nothing yet: write to the bot."
_PAGE_ONLY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@contextlib.asynccontextmanager
async def demo(arguments: argparse.Namespace) -> AsyncIterator[None]:
    """Serve the local Telegram, and the bot on it, while the block runs.

    The first address printed is the page's. Leaving the block drops work in hand: everything said
    is forgotten then. Raises SettingsRefused if the address cannot be had, the environment has a
    mistake, or there is no model; and what `bot.app.running` raises.
    """
    log.configure()
    async with AsyncExitStack() as stack:
        await (_without_bot if arguments.no_bot else _with_bot)(arguments, stack)
        yield


async def _without_bot(arguments: argparse.Namespace, stack: AsyncExitStack) -> None:
    try:
        words, model, about = await _local_model(), "local", f"{_NO_BOT} {_LOCAL}"
    except SettingsRefused as error:
        words, model, about = _Silent(str(error)), "missing", f"{_NO_BOT} {error}"
    room = Room(arguments.token)
    facts = {"bot": False, "model": model, "about": about, "unasked": _UNASKED}
    app = application(room, CompletionServer(words), facts, hosts_of(arguments))
    url, note = await stack.enter_async_context(_served(app, arguments.listen))
    await stack.enter_async_context(room.webhook.delivering())
    _say(f"{url}/ is the page{note}. {about}")
    _say(f"TELEGRAM_API_URL={url}\nTELEGRAM_TOKEN={arguments.token or '1:any'}")
    _say(f"COMPLETION_URL={url}\nFOLDER_ID=any\nAPI_KEY=any")


async def _with_bot(arguments: argparse.Namespace, stack: AsyncExitStack) -> None:
    token = arguments.token or f"{secrets.randbelow(10**9) + 1}:{secrets.token_urlsafe(26)}"
    local = not _signs_in(token)
    words = await _local_model() if local else _Silent(_UNSEEN)
    about, unasked = (_LOCAL, _UNASKED) if local else (_YANDEXGPT, _UNSEEN)
    model = "local" if local else "yandexgpt"
    facts = {"bot": True, "model": model, "about": about, "unasked": unasked}
    room = Room(token)
    app = application(room, CompletionServer(words), facts, hosts_of(arguments))
    url, note = await stack.enter_async_context(_served(app, arguments.listen))
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="demo-"))
    settings = demo_settings(url, token, Path(folder), local=local)
    log.configure(settings.secrets)
    await stack.enter_async_context(running(settings))
    _say(f"Open {url}/ and write to the bot{note}. {about}")


def demo_settings(url: str, token: str, folder: Path, *, local: bool) -> Settings:
    """Make the bot's settings: Telegram is at ``url``, and so is the model if ``local``.

    Everything else comes from the environment, except settings that would keep the page's people
    out. ``folder`` is for the data unless ``DATA_DIR`` is set.
    """
    given: dict[str, Any] = {
        "telegram_token": token,
        "telegram_api_url": url,
        "telegram_proxy": None,
        "listen": (HOST, 0),
        "metrics_listen": None,
        "webhook_url": None,
        "role": "all",
        "allowed_users": frozenset(),
        "allowed_chats": frozenset(),
    }
    defaults: dict[str, Any] = {"data_dir": folder}
    if local:
        given |= {
            "completion_url": url,
            "completion_proxy": None,
            "model": "smollm2",
            "folder_id": "playground",
            "api_key": secrets.token_urlsafe(),
            "iam_token": None,
            "service_account_key_file": None,
            "yandex_auth": None,
        }
        # It speaks English, and rambles on as long as it is allowed to.
        defaults |= {"system_prompt": "You are a helpful assistant.", "max_tokens": 500}
    settings = read(defaults, **given)
    return settings.model_copy(update={"timing": Timing(grace=0)})  # nothing is kept anyway


def _signs_in(token: str) -> bool:
    """True if the environment has what YandexGPT needs."""
    try:
        read(telegram_token=token)
    except SettingsRefused as error:
        if error.only_missing:
            return False
        raise
    return True


async def _local_model() -> Words:
    try:
        return await asyncio.to_thread(LocalModel)
    except ModelMissing as error:
        raise SettingsRefused(str(error)) from None


class _Silent:
    """Stands in for a missing model: refuses every request with the reason."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    async def answer(
        self, messages: Sequence[Message], *, temperature: float, max_tokens: int
    ) -> AsyncIterator[str]:
        del messages, temperature, max_tokens
        raise Refusal(503, self._reason)
        yield


def hosts_of(arguments: argparse.Namespace) -> list[str]:
    """Return the host names that the demo is served under, by its arguments."""
    host, _ = arguments.listen or (HOST, PORT)
    return [host, *arguments.allow_host]


def application(
    room: Room, completions: CompletionServer, facts: Json, hosts: Collection[str]
) -> Starlette:
    """Make the application served at the one address, under ``hosts``: see `SameOrigin`.

    ``facts`` are for the page: ``model`` (local, missing or yandexgpt), whether a ``bot`` runs
    here, and both in words, in English.
    """
    _furnish(room)
    view = View(room, completions, secrets.token_hex(4))
    facts = {
        **facts,
        "run": view.run,
        "username": room.username,
        "people": [{"id": person.id, "name": person.first_name} for person in (ANNA, BORIS)],
        "group": GROUP,
    }

    async def about_json(_: Request) -> Response:
        return JSONResponse(facts)

    page = _Page(directory=Path(__file__).with_name("page"), html=True)
    return Starlette(
        routes=[
            *telegram_routes(room),
            *room_routes(room, completions.requests, view),
            *completions.routes,
            Route("/about.json", about_json),
            Mount("/", page),
        ],
        middleware=[Middleware(SameOrigin, hosts)],
        exception_handlers={ClientDisconnect: _to_nobody},
    )


async def _to_nobody(_request: Request, _error: Exception) -> Response:
    return Response(status_code=400)


def _furnish(room: Room) -> None:
    """Create the page's people and chats: Anna owns the group, so she may /reset there."""
    for person, status in ((ANNA, Status.CREATOR), (BORIS, Status.MEMBER)):
        room.people[person.id] = person
        room.set_member(GROUP, person.id, status)
    room.chat(GROUP).title = "Group"


class _Page(StaticFiles):
    async def get_response(self, path: str, scope: Scope) -> Response:
        """Serve a file; a browser runs only these, whatever people and models write."""
        response = await super().get_response(path, scope)
        response.headers["Content-Security-Policy"] = _PAGE_ONLY
        response.headers["Cache-Control"] = "no-cache"
        return response


@contextlib.asynccontextmanager
async def _served(
    app: Starlette, address: tuple[str, int] | None
) -> AsyncIterator[tuple[str, str]]:
    """Serve at the address, or at a free one; yields the URL, and a note if it is another."""
    async with AsyncExitStack() as stack:
        host, port = address or (HOST, PORT)
        note = ""
        try:
            url = await stack.enter_async_context(serving(app, host, port))
        except OSError as error:
            if address is not None:
                raise SettingsRefused(f"--listen {host}:{port}: {error.strerror}") from None
            url = await stack.enter_async_context(serving(app, host, 0))
            note = f" (port {port} is taken)"
        yield url, note


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - output for whoever started it
