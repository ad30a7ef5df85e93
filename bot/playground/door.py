"""The room's door over HTTP: what people do goes in, what happened comes out."""

import json
import re
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.playground.chat import Json
from bot.playground.completion import Exchange
from bot.playground.connection import unless_gone
from bot.playground.content import Upload
from bot.playground.room import Room
from bot.playground.view import View

_CHANGES_WAIT = 25.0
"""Seconds after which the page has to ask again."""

_Handler = Callable[[Request], Awaitable[Response]]


def room_routes(
    room: Room, completions: Iterable[Exchange] = (), view: View | None = None
) -> list[Route]:
    """Return the routes: POST what a person does, GET what there is to see.

    ``completions`` are the requests to a completion server, for the log; ``view`` serves the page.
    """
    person, file = {"chat": int, "user": int}, {"name": str, "text": str}
    return [
        _post("say", room.say, {**person, "text": str}, reply_to=int, topic=int, language=str),
        _post("edit", room.edit, {"chat": int, "message_id": int, "text": str}, language=str),
        _post("press", room.press, {**person, "message_id": int, "data": str}, language=str),
        _post("stop", room.stop, {"chat": int, "draft_id": int}),
        _post("document", _sent_by(room), {**person, **file}, caption=str, language=str),
        _get("messages", lambda request: room.messages(_number(request, "chat"))),
        _get("drafts", lambda request: room.drafts(_number(request, "chat"))),
        _get("chats", lambda _: [chat.json() for chat in room.chats.values()]),
        _get("log", lambda _: {"calls": list(room.calls), "completions": _public(completions)}),
        Route("/room/changes", _told(_changes(room))),
        *([Route("/room/news", _told(_news(view)))] if view else []),
    ]


def _sent_by(room: Room) -> Callable[..., Json]:
    def send(*, chat: int, user: int, name: str, text: str, **more: str) -> Json:
        return room.send_document(chat, user, Upload(name, "text/plain", text.encode()), **more)

    return send


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


def _news(view: View) -> _Handler:
    async def news(request: Request) -> Response:
        chat, version, asked = (_number(request, name) for name in ("chat", "version", "request"))
        run = request.query_params.get("run", "")
        waiting = view.news(chat, run, version, asked, _CHANGES_WAIT)
        return _RoomJson(await unless_gone(waiting, request.receive))

    return news


class _RoomJson(JSONResponse):
    """Readable JSON; lone surrogates become "?"."""

    def render(self, content: Any) -> bytes:
        text = json.dumps(content, ensure_ascii=False, default=_described)
        return text.encode("utf-8", "replace")


def _described(upload: Upload) -> Json:
    return {"file_name": upload.name, "text": upload.content.decode("utf-8", "replace")}


def _post(name: str, act: Callable[..., Any], wanted: dict[str, type], **more: type) -> Route:
    async def handle(request: Request) -> Response:
        return _RoomJson(act(**_read(await request.body(), wanted, more)))

    return Route(f"/room/{name}", _told(handle), methods=["POST"])


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


def _number(request: Request, name: str) -> int:
    text = request.query_params.get(name, "")
    if not re.fullmatch(r"-?\d{1,19}", text):
        raise ValueError(f"{name} must be a whole number")
    return int(text)


def _read(body: bytes, wanted: dict[str, type], more: dict[str, type]) -> Json:
    """Parse what somebody does; ValueError says what is wrong with it."""
    kinds = wanted | more
    try:
        given = json.loads(body)
    except ValueError:
        raise ValueError("the body is not JSON") from None
    if not isinstance(given, dict):
        raise ValueError("the body is not a JSON object")  # noqa: TRY004 -- one error for all of it
    given = {name: value for name, value in given.items() if value is not None}
    if unknown := given.keys() - kinds.keys():
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
    for name, kind in kinds.items():
        if type(given.get(name)) is not kind and (name in given or name in wanted):
            raise ValueError(f"{name} must be {'a whole number' if kind is int else 'a string'}")
    return given
