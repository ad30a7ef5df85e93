"""The completion API's client; and raw connections, for what no web framework would send."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from hypothesis import strategies as st

from handlers.dialogue.profile import Profile
from storage.message import Message, Role

PROFILE = Profile("gpt://folder/yandexgpt-lite", "prompt", 0.6, 2000, 32000)
QUESTION = [Message(Role.USER, "hello")]
TOO_MANY = "number of input tokens must be no more than 32768, got 65536"
TOO_LONG = "text length is 300000, which is outside the range (0, 100000]"
anything = st.text(st.characters() | st.sampled_from("\n\r\x0b\x1c\x85\u2028\u2029\ufeff\ufffd😀"))
"""Texts, also with lone surrogates and with what some readers take for a line's end."""
Connection = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def listening(connection: Connection) -> AsyncIterator[int]:
    """Let ``connection`` handle what connects to a free port; yields the port."""
    tasks: list[asyncio.Task[None]] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError), contextlib.closing(writer):
            await connection(reader, writer)

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.create_task(handle(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


def saying(*pieces: bytes) -> Connection:
    """Make a server that reads a request's head, sends these and hangs up."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for piece in pieces:
            writer.write(piece)
            await writer.drain()

    return answer


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition, for long enough that a slow machine meets it too."""
    async with asyncio.timeout(40):
        while not condition():  # noqa: ASYNC110 - whoever brings it about tells nobody
            await asyncio.sleep(0.005)


def line(text: Any, status: str = "FINAL", **result: Any) -> bytes:
    """Write a line as the API does, its characters raw."""
    message = {"role": "assistant", "text": text}
    alternative = {"message": message, "status": f"ALTERNATIVE_STATUS_{status}"}
    value = {"result": {"alternatives": [alternative], "modelVersion": "", **result}}
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
