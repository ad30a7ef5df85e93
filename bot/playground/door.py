"""The room's door over HTTP: what people do goes in, what happened comes out."""

import asyncio
import contextlib
import json
import re
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.playground.attachment import attachment
from bot.playground.connection import unless_gone
from bot.playground.inspector.inspector import Inspector
from bot.playground.telegram.acts import Act, acts
from bot.playground.telegram.chat import Json
from bot.playground.telegram.commands import menu
from bot.playground.telegram.entities import is_unicode
from bot.playground.telegram.files import Upload
from bot.playground.telegram.keyboards import shown_to
from bot.playground.telegram.room import Room
from bot.playground.telegram.uploads import received
from bot.playground.telegram.world import world
from bot.playground.view import Place, View
from bot.playground.yandex.exchange import Exchange

_CHANGES_WAIT = 25.0
"""Seconds after which the page has to ask again."""

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

_Handler = Callable[[Request], Awaitable[Response]]


def room_routes(
    room: Room, completions: Iterable[Exchange] = (), view: View | None = None
) -> list[Route]:
    """Return the routes: POST what a person does, GET what there is to see.

    ``completions`` are the requests to a completion server, for the log; ``view`` serves the page.
    """
    routes = [
        *(_post(act) for act in acts(room)),
        _get("messages", lambda request: room.messages(_number(request, "chat"))),
        _get("drafts", lambda request: room.drafts(_number(request, "chat"))),
        _get("members", lambda request: room.members(_number(request, "chat"))),
        _get("menu", lambda request: menu(room, *(_number(request, n) for n in ("chat", "user")))),
        _get("reactions", lambda request: room.reactions(_number(request, "chat"))),
        _get("keyboard", lambda request: _keyboard(room, request)),
        Route("/room/file", _told(_file(room))),
        _get("world", lambda _: world(room)),
        _get("chats", lambda _: [chat.json() for chat in room.chats.values()]),
        _get("log", lambda _: {"calls": list(room.calls), "completions": _public(completions)}),
        Route("/room/changes", _told(_changes(room))),
        Route("/room/answer", _told(_answer(room))),
        *(_of_page(view) if view else []),
    ]
    return [*routes, otherwise("/room/", routes)]


def answer_routes(inspector: Inspector) -> list[Route]:
    """Return the routes of the inspector: which answers there are, and one of them."""

    async def answers(request: Request) -> Response:
        chat, since = (_number(request, name) for name in ("chat", "since"))
        run = request.query_params.get("run", "")
        waiting = inspector.news(chat, run, since, _wait(request, _CHANGES_WAIT))
        return _RoomJson(await unless_gone(waiting, request.receive))

    async def answer(request: Request) -> Response:
        return _RoomJson(inspector.answer(_number(request, "chat"), _number(request, "number")))

    return [Route("/demo/answers", _told(answers)), Route("/demo/answer", _told(answer))]


def otherwise(start: str, routes: Iterable[Route]) -> Route:
    """Return the route that says what is wrong with any other path from ``start``, or method."""
    known = [(route.path, "POST" if "POST" in (route.methods or ()) else "GET") for route in routes]

    async def other(request: Request) -> Response:
        methods = [method for path, method in known if path == request.url.path]
        if methods:
            why = f"the method is {' or '.join(methods)}"
            return _RoomJson({"error": why}, 405, {"Allow": ", ".join(methods)})
        return _RoomJson({"error": "there is nothing under this path"}, 404)

    return Route(f"{start}{{path:path}}", other, methods=_METHODS)


def _keyboard(room: Room, request: Request) -> Json | None:
    chat, user = (_number(request, name) for name in ("chat", "user"))
    return shown_to(room.chats[chat], user) if chat in room.chats else None


def _file(room: Room) -> _Handler:
    async def file(request: Request) -> Response:
        found = room.files.get(request.query_params.get("id", ""))
        if found is None:
            return _RoomJson({"error": "there is no file with that id, or no longer"}, 404)
        return attachment(found.upload, request.headers.get("range", ""))

    return file


def _public(completions: Iterable[Exchange]) -> list[Json]:
    """Leave out requests that only count tokens: the bot makes them by itself."""
    return [each.public() for each in completions if each.path.endswith("/completion")]


def _changes(room: Room) -> _Handler:
    async def changes(request: Request) -> Response:
        waiting = room.changed(_number(request, "since"), _CHANGES_WAIT)
        try:
            version = await unless_gone(waiting, request.receive)
        except ClientDisconnect:
            version = room.version
        return _RoomJson({"version": version})

    return changes


def _answer(room: Room) -> _Handler:
    async def answer(request: Request) -> Response:
        query = request.query_params.get("query", "")
        seconds = _wait(request, 0)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while room.answer(query) is None:
                    await unless_gone(room.changed(room.version, seconds), request.receive)
        return _RoomJson(room.answer(query))

    return answer


def _of_page(view: View) -> list[Route]:
    """Return the routes that only the page uses."""
    place: dict[str, type] = {"chat": int, "user": int, "message_id": int}
    return [
        Route("/room/news", _told(_news(view))),
        _get("earlier", lambda request: view.earlier(_place(request), _number(request, "before"))),
        _post(Act("read", view.chats.read, place, {"topic": int})),
    ]


def _news(view: View) -> _Handler:
    async def news(request: Request) -> Response:
        run, version = request.query_params.get("run", ""), _number(request, "version")
        waiting = view.news(_place(request), run, version, _CHANGES_WAIT)
        return _RoomJson(await unless_gone(waiting, request.receive))

    return news


def _place(request: Request) -> Place:
    user, chat, topic = (_number(request, name) for name in ("user", "chat", "topic"))
    return Place(user, chat, topic)


class _RoomJson(JSONResponse):
    """Readable JSON; lone surrogates become "?"."""

    def render(self, content: Any) -> bytes:
        text = json.dumps(content, ensure_ascii=False)
        return text.encode("utf-8", "replace")


def _post(act: Act) -> Route:
    async def handle(request: Request) -> Response:
        return _RoomJson(act.do(**_checked(await _given(request, act), act)))

    return Route(f"/room/{act.name}", _told(handle), methods=["POST"])


def _get(name: str, look: Callable[[Request], Any]) -> Route:
    async def handle(request: Request) -> Response:
        return _RoomJson(look(request))

    return Route(f"/room/{name}", _told(handle))


def _told(handler: _Handler) -> _Handler:
    """Answer a wrong request with the message of its ValueError."""

    async def handle(request: Request) -> Response:
        try:
            return await handler(request)
        except ValueError as error:
            return _RoomJson({"error": str(error)}, 400)

    return handle


def _wait(request: Request, otherwise: float) -> float:
    """Return the seconds that a request wants to wait for what it asks for."""
    given = "wait" in request.query_params
    return min(_number(request, "wait"), _CHANGES_WAIT) if given else otherwise


def _number(request: Request, name: str) -> int:
    text = request.query_params.get(name, "")
    if not re.fullmatch(r"-?\d{1,19}", text):
        raise ValueError(f"{name} must be a whole number")
    return int(text)


async def _given(request: Request, act: Act) -> Any:
    """Read what somebody does: JSON, or, where it may have a file, a form."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if Upload in act.more.values() and kind == "multipart/form-data":
        return await _form(request, act.wanted | act.more)
    try:
        return json.loads(await request.body())
    except (ValueError, RecursionError):
        raise ValueError("the body is not JSON") from None


async def _form(request: Request, kinds: dict[str, type]) -> Json:
    try:
        async with request.form() as form:
            return {
                name: _from_text(value, kinds.get(name))
                if isinstance(value, str)
                else await received(value)
                for name, value in form.items()
            }
    except HTTPException as error:
        raise ValueError(error.detail) from None


def _from_text(text: str, kind: type | None) -> Any:
    """Return a form's field as what it should be; as it is, if it is none."""
    number = re.fullmatch(r"-?\d{1,19}(\.\d{1,19})?", text)
    if number and kind is float:
        return float(text)
    return int(text) if number and kind is int and not number[1] else text


def _checked(given: Any, act: Act) -> Json:
    """Check what somebody does; ValueError says what is wrong with it."""
    kinds = act.wanted | act.more
    if not isinstance(given, dict):
        raise ValueError("the body is not a JSON object")  # noqa: TRY004 -- one error for all of it
    if not is_unicode(json.dumps(given, ensure_ascii=False, default=lambda file: file.name)):
        raise ValueError("there is half a surrogate pair in the body")
    known: Json = {name: value for name, value in given.items() if value is not None}
    if unknown := known.keys() - kinds.keys():
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
    for name, kind in kinds.items():
        if not _is(known.get(name), kind) and (name in known or name in act.wanted):
            raise ValueError(f"{name} must be {_KINDS[kind]}")
    return known


def _is(value: Any, kind: type) -> bool:
    words = not isinstance(value, list) or all(isinstance(word, str) for word in value)
    number = kind is float and type(value) is int  # JSON has one kind of number
    return (type(value) is kind or number) and words


_KINDS = {
    int: "a whole number",
    str: "a string",
    bool: "true or false",
    float: "a number",
    Upload: "a file",
    list: "a list of strings",
    dict: "an object",
}
