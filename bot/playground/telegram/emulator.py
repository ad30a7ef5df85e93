"""The Bot API over HTTP, as a server of one room."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

import httpx
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from bot.playground.connection import cut, gone, unless_gone
from bot.playground.telegram.chat import Json
from bot.playground.telegram.fault import Fault
from bot.playground.telegram.fetching import fetched
from bot.playground.telegram.files import Upload
from bot.playground.telegram.methods import METHODS
from bot.playground.telegram.names import BOT_API, RENAMED
from bot.playground.telegram.parameters import number, parsed, typed
from bot.playground.telegram.refusal import ApiError
from bot.playground.telegram.room import Room
from bot.playground.telegram.updates import MOST_AT_ONCE, PollTaken
from bot.playground.telegram.uploads import received

LARGEST_BODY = 64 * 2**20
"""Most bytes in a request: the largest file, and room for what comes with it."""
_NAMES = {old.lower(): name for old, name in ({name: name for name in BOT_API} | RENAMED).items()}
_CHANGES_WAIT = 25.0
"""Seconds after which the page asks again."""
TEXT_LOGGED = 8192
"""Bytes of a file that the log keeps."""
_NOT_IN_RESPONSES = frozenset(["close", "deletewebhook", "logout", "setwebhook"])
_WEBHOOK = (
    "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete"
    " the webhook first"
)


def telegram_routes(room: Room) -> list[Route]:
    """Return the Bot API: ``/bot<token>/<method>``, GET and POST, methods in any case.

    Whatever else begins with ``/bot`` is answered in the Bot API's JSON, too.
    """
    api = _BotApi(room)
    room.webhook.carry_out = api.carry_out_response
    return [
        Route("/file/bot{token}/{path:path}", _file(room)),
        Route("/file/bot{path:path}", _lost),
        Route("/bot{path:path}", api),
    ]


def _file(room: Room) -> Callable[[Request], Awaitable[Response]]:
    async def fetch(request: Request) -> Response:
        found = room.files.at(request.path_params["path"])
        if request.path_params["token"] != room.token or found is None:
            return await _lost(request)
        return Response(found.upload.content, media_type="application/octet-stream")

    return fetch


async def _lost(_request: Request) -> Response:
    return _refusal(ApiError(404, "Not Found").error())


class _BotApi:
    """An ASGI application, so that it can answer late, never, or with a reset."""

    def __init__(self, room: Room) -> None:
        self._room = room

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        room = self._room
        token, _, method = scope["path_params"]["path"].partition("/")
        name = _NAMES.get(method.lower(), method)
        call: Json = {"time": room.clock(), "method": name, "parameters": {}}
        fault = None
        try:
            self._authorize(token, method)
            if scope["method"] not in ("GET", "HEAD", "POST"):
                raise ApiError(405, "Method Not Allowed")  # noqa: TRY301 -- refused as all others
            given = await _parameters(scope, _limited(receive))
            call["parameters"] = _logged(given)
            await unless_gone(asyncio.sleep(room.delay), receive)
            fault = room.next_fault(name, of_chat="chat_id" in given)
            if fault and not fault.after_accept:
                call |= {"ok": False, "error": fault.error()}
            else:
                call |= {"ok": True, "result": await self._carry_out(name, given, receive)}
        except ApiError as error:
            call |= {"ok": False, "error": error.error()}
        except ClientDisconnect:
            return
        with room.answering(call, _status(call, fault)):
            if fault:
                await _fail(fault, scope, receive, send)
            else:
                await _answer(call)(scope, receive, send)

    async def carry_out_response(self, response: httpx.Response) -> None:
        """Carry out what a bot calls in its response to the webhook; its result goes to nobody.

        Methods that get something, and those that move the bot, are ignored, as in telegram-bot-api
        (WebhookActor.cpp).
        """
        headers = [(name.lower(), value) for name, value in response.headers.raw]
        scope: Json = {"type": "http", "method": "POST", "query_string": b"", "headers": headers}
        try:
            given = await _parameters(scope, _body(response))
        except ApiError:
            return
        method = str(given.get("method", "")).lower()
        if method and method not in _NOT_IN_RESPONSES and not method.startswith("get"):
            path = f"{self._room.token}/{method}"
            scope["path"], scope["path_params"] = f"/bot{path}", {"path": path}
            await self(scope, _body(response), _to_nobody)

    def _authorize(self, token: str, method: str) -> None:
        if not method or "/" in method:
            raise ApiError(404, "Not Found")
        try:
            known = self._room.claim(token)
        except ValueError:
            raise ApiError(404, "Not Found") from None
        if not known:
            raise ApiError(401, "Unauthorized")

    async def _carry_out(self, name: str, given: Json, receive: Receive) -> Any:
        if name not in BOT_API:
            raise ApiError(404, "Not Found: method not found")
        if self._room.clock() < self._room.logged_out_until:
            raise ApiError(400, "Logged out")
        if name == "getUpdates":
            return await self._get_updates(given, receive)
        if name not in METHODS:
            raise ApiError(400, "Bad Request: method is not served by the local Telegram")
        if self._room.pace:
            self._room.pace.check(name, given)
        given = await fetched(name, given)
        return METHODS[name](self._room, given)

    async def _get_updates(self, given: Json, receive: Receive) -> list[Json]:
        offset, timeout = number(given, "offset"), number(given, "timeout")
        limit = number({"limit": MOST_AT_ONCE} | given, "limit")
        if self._room.webhook.target is not None:
            raise ApiError(409, _WEBHOOK)
        updates = self._room.updates
        if isinstance(given.get("allowed_updates"), list):
            updates.allow(given["allowed_updates"])
        poll = updates.poll(offset, min(max(limit, 1), MOST_AT_ONCE), timeout)
        try:
            return await (unless_gone(poll, receive) if timeout > 0 else poll)
        except PollTaken as error:
            raise ApiError(409, f"Conflict: {error}") from None


def _body(response: httpx.Response) -> Receive:
    """Receive a response's body as if it were a request's."""
    messages = iter([{"type": "http.request", "body": response.content}])

    async def receive() -> Message:
        return next(messages, {"type": "http.disconnect"})

    return receive


async def _to_nobody(_message: Message) -> None:
    pass


def _limited(receive: Receive) -> Receive:
    """Receive no more than a request may have; ApiError beyond that."""
    size = 0

    async def limited() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > LARGEST_BODY:
            raise ApiError(413, "Request Entity Too Large")
        return message

    return limited


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
        given |= await _form(request)
    else:
        await request.body()
    return typed(given)


async def _form(request: Request) -> Json:
    try:
        async with request.form() as form:
            return {
                name: value if isinstance(value, str) else await received(value)
                for name, value in form.items()
            }
    except HTTPException as error:
        raise ApiError(400, f"Bad Request: {error.detail}") from None


def _logged(given: Json) -> Json:
    """Return parameters as the log keeps them: of a file, what it is and how it begins."""
    return {
        name: {
            "file_name": value.name,
            "mime_type": value.kind,
            "file_size": len(value.content),
            "text": value.content[:TEXT_LOGGED].decode("utf-8", "replace"),
        }
        if isinstance(value, Upload)
        else value
        for name, value in given.items()
    }


def _object(body: bytes) -> Json:
    try:
        value = parsed(body or b"{}")
    except ValueError:
        raise ApiError(400, "Bad Request: can't parse request body JSON object") from None
    if not isinstance(value, dict):
        raise ApiError(400, "Bad Request: JSON object expected")
    return value


def _status(call: Json, fault: Fault | None) -> int | None:
    if fault:
        return None if fault.hang else fault.status
    return 200 if call["ok"] else int(call["error"]["error_code"])


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
