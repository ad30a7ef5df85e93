"""Background work while a block of code runs."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from typing import Any


@contextlib.asynccontextmanager
async def beside(*work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run ``work`` while the block runs: its failure ends the block, the block's end cancels it."""
    async with asyncio.TaskGroup() as tasks:
        started = [tasks.create_task(one) for one in work]
        yield
        for task in started:
            task.cancel()
