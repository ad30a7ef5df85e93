"""The Bot API over HTTP, as a server of one room."""

import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

from starlette.datastructures import UploadFile
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bot.playground.chat import Json
from bot.playground.connection import cut, gone, unless_gone
from bot.playground.content import Upload
from bot.playground.fault import Fault
from bot.playground.methods import METHODS
from bot.playground.parameters import typed
from bot.playground.refusal import ApiError
from bot.playground.room import Room
from bot.playground.updates import MOST_AT_ONCE, PollTaken

_NAMES = {name.lower(): name for name in (*METHODS, "getUpdates")}
_CHANGES_WAIT = 25.0
"""Seconds after which the page asks again."""
_WEBHOOK = (
    "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete"
    " the webhook first"
)


def telegram_routes(room: Room) -> list[Route]:
    """Return the Bot API: ``/bot<token>/<method>``, GET and POST, methods in any case."""
    return [
        Route("/file/bot{token}/documents/{file_id}", _file(room)),
        Route("/bot{token}/{method}", _BotApi(room), methods=["GET", "POST"]),
    ]


def _file(room: Room) -> Callable[[Request], Awaitable[Response]]:
    async def fetch(request: Request) -> Response:
        found = room.files.get(request.path_params["file_id"])
        if request.path_params["token"] != room.token or found is None:
            return _refusal(ApiError(404, "Not Found").error())
        return Response(found.content, media_type="application/octet-stream")

    return fetch


class _BotApi:
    """An ASGI application, so that it can answer late, never, or with a reset."""

    def __init__(self, room: Room) -> None:
        self._room = room

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        room, path = self._room, scope["path_params"]
        name = _NAMES.get(path["method"].lower(), path["method"])
        call: Json = {"time": room.clock(), "method": name, "parameters": {}}
        fault = None
        try:
            self._authorize(path["token"])
            call["parameters"] = await _parameters(scope, receive)
            fault = room.next_fault(name)
            if fault and not fault.after_accept:
                call |= {"ok": False, "error": fault.error()}
            else:
                call |= {"ok": True, "result": await self._carry_out(call, receive)}
        except ApiError as error:
            call |= {"ok": False, "error": error.error()}
        except ClientDisconnect:
            return
        if name != "getUpdates" or not call["ok"] or call["result"]:
            room.calls.append(call)
        if fault:
            await _fail(fault, scope, receive, send)
        else:
            await _answer(call)(scope, receive, send)

    def _authorize(self, token: str) -> None:
        try:
            known = self._room.claim(token)
        except ValueError:
            raise ApiError(404, "Not Found") from None
        if not known:
            raise ApiError(401, "Unauthorized")

    async def _carry_out(self, call: Json, receive: Receive) -> Any:
        if call["method"] == "getUpdates":
            return await self._get_updates(call["parameters"], receive)
        if call["method"] not in METHODS:
            raise ApiError(404, "Not Found: method not found")
        if self._room.pace:
            self._room.pace.check(call["method"], call["parameters"])
        return METHODS[call["method"]](self._room, call["parameters"])

    async def _get_updates(self, given: Json, receive: Receive) -> list[Json]:
        offset, limit, timeout = (
            value if isinstance(value := given.get(name), int) else default
            for name, default in (("offset", 0), ("limit", MOST_AT_ONCE), ("timeout", 0))
        )
        if self._room.webhook.target is not None:
            raise ApiError(409, _WEBHOOK)
        updates = self._room.updates
        if isinstance(given.get("allowed_updates"), list):
            updates.allow(given["allowed_updates"])
        if not 1 <= limit <= MOST_AT_ONCE:
            limit = MOST_AT_ONCE
        poll = updates.poll(offset, limit, timeout)
        try:
            return await (unless_gone(poll, receive) if timeout > 0 else poll)
        except PollTaken as error:
            raise ApiError(409, f"Conflict: {error}") from None


async def _parameters(scope: Scope, receive: Receive) -> Json:
    """Read parameters from the query and from a body of any of the three kinds."""
    given: Json = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
    request = Request(scope, receive)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        given |= _object(await request.body())
    elif kind == "application/x-www-form-urlencoded":
        given |= parse_qsl(
            (await request.body()).decode("utf-8", "replace"), keep_blank_values=True
        )
    elif kind == "multipart/form-data":
        async with request.form() as form:
            for name, value in form.items():
                given[name] = value if isinstance(value, str) else await _upload(value)
    else:
        await request.body()
    return typed(given)


async def _upload(file: UploadFile) -> Upload:
    kind = file.content_type or "application/octet-stream"
    return Upload(file.filename or "file", kind, await file.read())


def _object(body: bytes) -> Json:
    try:
        value = json.loads(body or b"{}")
    except ValueError:
        raise ApiError(400, "Bad Request: can't parse request body JSON object") from None
    if not isinstance(value, dict):
        raise ApiError(400, "Bad Request: JSON object expected")
    return value


def _answer(call: Json) -> Response:
    if call["ok"]:
        return _api_json({"ok": True, "result": call["result"]})
    return _refusal(call["error"])


def _refusal(error: Json) -> Response:
    return _api_json({"ok": False, **error}, error["error_code"])


def _api_json(body: Json, status: int = 200) -> Response:
    """Write JSON as the Bot API does, in ASCII."""
    return Response(json.dumps(body), status, media_type="application/json")


async def _fail(fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
    if fault.hang:
        await gone(receive)
    elif fault.status is None:
        await cut(receive)
    elif fault.html is not None:
        await Response(fault.html, fault.status, media_type="text/html")(scope, receive, send)
    else:
        await _refusal(fault.error())(scope, receive, send)
