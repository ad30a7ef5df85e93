"""The demo: a local Telegram with its page, a model and the bot, in one process on one address."""

import argparse
import asyncio
import contextlib
import logging
import secrets
import socket
import tempfile
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from bot import log
from bot.background import contained
from bot.environment import SettingsRefused, read
from bot.playground.arguments import HOST, PORT
from bot.playground.browser import open_browser
from bot.playground.configuration import Configuration
from bot.playground.controls import Controls
from bot.playground.door import answer_routes, otherwise, room_routes
from bot.playground.faults import Faults
from bot.playground.furniture import GROUP, PEOPLE, furnish
from bot.playground.inspector.answer import Model
from bot.playground.inspector.inspector import Inspector
from bot.playground.inspector.lanes import Lanes
from bot.playground.model import SLOTS, LocalModel, ModelMissing
from bot.playground.outlet import Outlet
from bot.playground.same_origin import SameOrigin
from bot.playground.telegram.chat import Json
from bot.playground.telegram.chats import TOKEN
from bot.playground.telegram.emulator import telegram_routes
from bot.playground.telegram.room import Room
from bot.playground.terminal import say
from bot.playground.view import View
from bot.playground.workers import CannotStart, Workers
from bot.playground.yandex.completion import CompletionServer, Words
from bot.playground.yandex.prompt import Refusal
from bot.playground.yandex.relay import Relay
from bot.transport import transport
from bot.web import listening, serving_at, url_of
from storage.message import Message
from storage.server.connect import StorageUnavailable, connect, translated
from storage.server.embedded import embedded_server

_REQUESTS_KEPT = 200
"""Of the requests to the model, in the log; each has a whole history in it."""
_RELAYED = 100
"""Most requests to YandexGPT at once; the bot has a limit of its own."""
_SIGN_IN = frozenset(["FOLDER_ID", "API_KEY"])
"""Without both, the local model answers; one alone is a mistake."""
_TINY = "a tiny model on this machine, which speaks English and knows little."
_INSTEAD = "Set FOLDER_ID and API_KEY to talk to YandexGPT itself."
_LOCAL = f"Answers come from {_TINY} {_INSTEAD}"
_YANDEXGPT = "Answers come from YandexGPT ({})."
_UNSEEN = "Requests go straight to YandexGPT and are not seen here."
_NO_BOT = "No bot runs here: point yours to this address, as the terminal says."
_COMPLETIONS = f"The completion API here is {_TINY}"
_REDIS_SECONDS = 3.0
"""How long the server at REDIS_URL may take to answer before it is told that it does not."""
_PAGE_ONLY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data: blob:; media-src 'self' blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@contextlib.asynccontextmanager
async def demo(arguments: argparse.Namespace) -> AsyncIterator[None]:
    """Serve the local Telegram, and the bot on it, while the block runs.

    The first address printed is the page's. Leaving the block drops work in hand; what was said is
    forgotten then, unless the environment says where to keep it. Raises SettingsRefused if the
    address cannot be had, the environment has a mistake, there is no model, or the bot cannot
    start; and `StorageUnavailable`.
    """
    log.configure()
    logging.getLogger("storage.server").setLevel(logging.WARNING)  # its start is no news here
    async with AsyncExitStack() as stack:
        await (_without_bot if arguments.no_bot else _with_bot)(arguments, stack)
        yield


async def _without_bot(arguments: argparse.Namespace, stack: AsyncExitStack) -> None:
    room = Room(_checked(arguments.token))
    try:
        words: Words = await asyncio.to_thread(LocalModel)
        model, about = "local", f"{_NO_BOT} {_COMPLETIONS}"
    except ModelMissing as error:
        words, model, about = _Silent(str(error)), "missing", f"{_NO_BOT} {error}"
    facts = {"bot": False, "model": model, "about": about}
    server = CompletionServer(words, at_once=SLOTS)
    controls = Controls(room, server.queue, Faults(room, server))
    app = application(room, server, facts, hosts_of(arguments), controls)
    listener, note = _listening(arguments.listen)
    url = await stack.enter_async_context(serving_at(listener, app))
    await stack.enter_async_context(room.webhook.delivering())
    say(f"{url}/ is the page{note}. {about}")
    say(f"TELEGRAM_API_URL={url}\nTELEGRAM_TOKEN={arguments.token or '1:any'}")
    say(f"COMPLETION_URL={url}\nFOLDER_ID=any\nAPI_KEY=any")


async def _with_bot(arguments: argparse.Namespace, stack: AsyncExitStack) -> None:
    token = (
        _checked(arguments.token) or f"{secrets.randbelow(10**9) + 1}:{secrets.token_urlsafe(26)}"
    )
    local = not _signs_in(token)
    listener, note = _listening(arguments.listen)
    stack.callback(listener.close)
    url = url_of(listener)
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="demo-")))
    configuration = Configuration(url, token, folder, local=local)
    log.configure(configuration.settings.secrets)
    outlet = await _storage(configuration, folder, stack)
    room = Room(token)
    written = (configuration.settings.data_dir if outlet else folder) / "bot.log"
    workers = Workers(configuration.environment, folder, written, room.touch)
    await stack.enter_async_context(workers.working())
    worker = await workers.add()  # it starts while the model is read
    words = await _local_model() if local else _Silent(_UNSEEN)
    about = _LOCAL if local else _YANDEXGPT.format(configuration.json()["model"])
    facts = {
        "bot": True,
        "model": "local" if local else "yandexgpt",
        "model_name": None if local else configuration.json()["model"],
        "about": about,
    }
    server = CompletionServer(words, at_once=SLOTS)
    asked: CompletionServer | Relay = server
    if configuration.relayed:
        connections = await stack.enter_async_context(transport(None, _RELAYED))
        asked = Relay(configuration.relayed, connections)
    seen = asked if local or configuration.relayed else None
    controls = Controls(room, server.queue, Faults(room, seen, outlet), workers, configuration)
    app = application(room, asked, facts, hosts_of(arguments), controls)
    await stack.enter_async_context(serving_at(listener, app))
    app.state.inspector.model = _model(configuration)
    try:
        await workers.ready(worker)
    except CannotStart as error:
        raise SettingsRefused(str(error)) from None
    await stack.enter_async_context(_watched(app.state.inspector, configuration, outlet))
    say(f"Telegram on your own machine, with the bot in it: open {url}/ and write to it{note}.")
    say(about)
    forgets = " and forgets what was said here" if written.parent == folder and outlet else ""
    say(f"Ctrl-C stops it{forgets}. The bot's log: {written}")
    if not arguments.no_open:
        await open_browser(f"{url}/")


def _model(configuration: Configuration) -> Model:
    """What the inspector knows of the model."""
    bot, relayed = configuration.settings.first, configuration.relayed
    folder_id = bot.folder_id if relayed else None
    return Model(relayed, folder_id, bot.context_tokens, any_key=not relayed)


@contextlib.asynccontextmanager
async def _watched(
    inspector: Inspector, configuration: Configuration, outlet: Outlet | None
) -> AsyncIterator[None]:
    """Let the inspector look into the storage while the block runs, also when workers cannot."""
    settings = configuration.settings
    given = settings.redis_url
    url = outlet.server_url if outlet else given.get_secret_value() if given else ""
    redis = connect(url, connections=2)
    lanes = Lanes(redis, settings.first.bot_id, settings.timing)
    # Not in a task group, which would wrap whatever ends the demo.
    watching = asyncio.create_task(_watch(inspector, lanes))
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.wait({watching})
        await redis.aclose()


async def _watch(inspector: Inspector, lanes: Lanes) -> None:
    with contained("inspector_failed"):  # the bot works without it
        await inspector.watch(lanes)


async def _storage(
    configuration: Configuration, folder: Path, stack: AsyncExitStack
) -> Outlet | None:
    """Start a server in the data folder, unless the environment names one."""
    settings = configuration.settings
    if settings.redis_url:
        await _try(settings.redis_url.get_secret_value())
        return None
    server = embedded_server(settings.data_dir, memory=settings.embedded_memory)
    outlet = Outlet(await stack.enter_async_context(server), folder / "s")
    await stack.enter_async_context(outlet.serving())
    configuration.store_at(outlet.url)
    return outlet


async def _try(redis_url: str) -> None:
    """Say so if the server does not answer; the workers wait until it does."""
    redis = connect(redis_url, connections=1)
    try:
        async with asyncio.timeout(_REDIS_SECONDS):
            with translated():
                await redis.ping()
    except (StorageUnavailable, TimeoutError) as error:
        why = str(error) or f"silent for {_REDIS_SECONDS:.0f} s"
        say(f"REDIS_URL: the server does not answer ({why}). The bot waits for it.")
    finally:
        await redis.aclose()


def _checked(token: str | None) -> str | None:
    if token is not None and not TOKEN.fullmatch(token):
        raise SettingsRefused("--token: is not a bot's token. Example: --token 1:any")
    return token


def _signs_in(token: str) -> bool:
    """True if the environment has what YandexGPT needs, False if it has nothing of that."""
    try:
        read(telegram_token=token)
    except SettingsRefused as error:
        if error.missing != _SIGN_IN:
            raise
        if error.wrong:
            raise SettingsRefused(error.wrong) from None
        return False
    return True


async def _local_model() -> Words:
    try:
        return await asyncio.to_thread(LocalModel)
    except ModelMissing as error:
        raise SettingsRefused(f"{error} {_INSTEAD}") from None


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
    room: Room,
    completions: CompletionServer | Relay,
    facts: Json,
    hosts: Collection[str],
    controls: Controls | None = None,
) -> Starlette:
    """Make the application served at the one address, under ``hosts``: see `SameOrigin`.

    ``facts`` are for the page: ``model`` (local, missing or yandexgpt), whether a ``bot`` runs
    here, and both in words, in English.
    """
    furnish(room)
    view = View(room, secrets.token_hex(4))
    view.controls = controls.json if controls else None
    completions.keep(_REQUESTS_KEPT)
    inspector = Inspector(room, completions, view.run)
    facts = {
        **facts,
        "run": view.run,
        "username": room.username,
        "people": [{"id": person.id, "name": person.first_name} for person in PEOPLE],
        "group": GROUP,
    }

    async def about_json(_: Request) -> Response:
        return JSONResponse(facts)

    inside = [*answer_routes(inspector), *(controls.routes if controls else [])]
    page = _Page(directory=Path(__file__).with_name("page"), html=True)
    app = Starlette(
        routes=[
            *telegram_routes(room),
            *room_routes(room, completions.requests, view),
            *inside,
            otherwise("/demo/", inside),
            *completions.routes,
            Route("/about.json", about_json),
            Mount("/", page),
        ],
        middleware=[Middleware(SameOrigin, hosts)],
        exception_handlers={ClientDisconnect: _to_nobody},
    )
    app.state.inspector = inspector
    return app


async def _to_nobody(_request: Request, _error: Exception) -> Response:
    return Response(status_code=400)


class _Page(StaticFiles):
    async def get_response(self, path: str, scope: Scope) -> Response:
        """Serve a file; a browser runs only these, whatever people and models write."""
        response = await super().get_response(path, scope)
        response.headers["Content-Security-Policy"] = _PAGE_ONLY
        response.headers["Cache-Control"] = "no-cache"
        return response


def _listening(address: tuple[str, int] | None) -> tuple[socket.socket, str]:
    """Bind the address, or a free one; returns a note, too, if it is not the usual one."""
    if address is not None:
        try:
            return listening(*address), ""
        except OSError as error:
            host, port = address
            raise SettingsRefused(f"--listen {host}:{port}: {error.strerror}") from None
    try:
        return listening(HOST, PORT), ""
    except OSError:
        return listening(HOST, 0), f" (port {PORT} is taken)"
