"""Fetching: files that a call names by HTTP URLs, from loopback only.

Limits and errors: core.telegram.org/bots/api#sending-files, telegram-bot-api's Client.cpp.
"""

import asyncio
from typing import Any

import httpx

from bot.playground.telegram import images
from bot.playground.telegram.chat import Json
from bot.playground.telegram.files import Upload, mime_of
from bot.playground.telegram.uploads import Unfetched
from bot.playground.telegram.webhook import is_loopback
from bot.transport import transport

LARGEST_PHOTO, LARGEST_OTHER = 5 * 2**20, 20 * 2**20
"""Most bytes that are fetched."""
SECONDS = 20.0
"""For one file."""
_SENT = {
    "sendAnimation": "animation",
    "sendAudio": "audio",
    "sendDocument": "document",
    "sendPhoto": "photo",
    "sendSticker": "sticker",
    "sendVideo": "video",
    "sendVideoNote": "video_note",
    "sendVoice": "voice",
}
_FAILED = Unfetched("Failed to get HTTP URL content")
_WRONG = Unfetched("Wrong type of the web page content")


async def fetched(method: str, given: Json) -> Json:
    """Return a call's parameters with the file of each URL, or why there is none, in its place."""
    if kind := _SENT.get(method):
        return given | {kind: await _file(kind, given.get(kind)), **await _cover(given)}
    media = given.get("media")
    if method == "sendMediaGroup" and isinstance(media, list):
        return given | {"media": [await _media(each) for each in media]}
    return given | ({"media": await _media(media)} if method == "editMessageMedia" else {})


async def _media(said: Any) -> Any:
    if not isinstance(said, dict):
        return said
    media = await _file(str(said.get("type")), said.get("media"))
    return said | {"media": media, **await _cover(said)}


async def _cover(said: Json) -> Json:
    return {"cover": await _file("photo", said["cover"])} if "cover" in said else {}


async def _file(kind: str, value: Any) -> Any:
    if not isinstance(value, str) or value.startswith("attach://"):
        return value
    if "." not in value and not value.startswith(("http://", "https://")):
        return value
    try:
        url = httpx.URL(value if "://" in value else f"http://{value}")
        if url.scheme not in ("http", "https") or not is_loopback(url.raw_host.decode()):
            return _FAILED
        async with asyncio.timeout(SECONDS):
            upload = await _download(url, LARGEST_PHOTO if kind == "photo" else LARGEST_OTHER)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, TimeoutError):
        return _FAILED
    return _WRONG if kind == "photo" and not images.read(upload.content) else upload


async def _download(url: httpx.URL, most: int) -> Upload:
    """Fetch a file; ValueError if there is none, or one that is too large."""
    content = bytearray()
    async with (
        httpx.AsyncClient(transport=transport(None, 1), timeout=SECONDS) as http,
        http.stream("GET", url) as response,
    ):
        if response.status_code != httpx.codes.OK:
            raise ValueError("no file there")
        async for part in response.aiter_bytes():
            content += part
            if len(content) > most:
                raise ValueError("too large")
    name = url.path.rpartition("/")[2] or "file"
    said = response.headers.get("content-type", "").partition(";")[0].strip()
    return Upload(name, mime_of(name, said), bytes(content))
