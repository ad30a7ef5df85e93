"""Clients of the demo that go away in the middle of a request."""

import asyncio
from urllib.parse import urlsplit

import httpx
import pytest

from bot.playground.demo import application
from bot.playground.telegram.room import Room
from bot.playground.yandex.completion import CompletionServer
from bot.web import serving
from tests.conftest import Echo

PATHS = [
    "/room/say",
    "/room/press",
    "/room/document",
    "/bot42:token/sendMessage",
    "/foundationModels/v1/completion",
    "/iam/v1/tokens",
]


@pytest.mark.parametrize("leaves", ["client", "server"])
async def test_half_a_request_is_no_error(caplog: pytest.LogCaptureFixture, leaves: str) -> None:
    """Nobody is told of it, whoever ends the connection."""
    demo = application(Room("42:token"), CompletionServer(Echo()), {}, ["127.0.0.1"])
    async with serving(demo, "127.0.0.1", 0) as url:
        place, writers = urlsplit(url), []
        for path in PATHS:
            _, writer = await asyncio.open_connection(place.hostname, place.port)
            head = f"POST {path} HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Type: application/json"
            writer.write(f"{head}\r\nContent-Length: 100\r\n\r\n{{".encode())
            writers.append(writer)
        async with httpx.AsyncClient() as client:  # what was sent before has been read then
            assert (await client.get(f"{url}/about.json")).status_code == 200
        if leaves == "client":
            for writer in writers:
                writer.close()
    for writer in writers:
        writer.close()
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []
