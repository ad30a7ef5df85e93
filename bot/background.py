"""Background work: beside a block of code, at its own pace, contained where it may fail."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import Any

import structlog

log = structlog.get_logger()


@contextlib.asynccontextmanager
async def beside(*work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run ``work`` while the block runs: its failure ends the block, the block's end cancels it."""
    async with asyncio.TaskGroup() as tasks:
        started = [tasks.create_task(one) for one in work]
        yield
        for task in started:
            task.cancel()


async def jittered(seconds: float) -> None:
    """Sleep for about so long, so that processes which start together do not go on together."""
    await asyncio.sleep(seconds * random.uniform(0.8, 1.2))


@contextlib.contextmanager
def contained(event: str, *expected: type[Exception], **about: object) -> Iterator[None]:
    """Log whatever fails in the block as ``event``, and go on: only a bug gets a traceback.

    ``expected`` are the errors that are no bugs.
    """
    try:
        yield
    except expected as error:
        log.info(event, reason=repr(error), **about)
    except Exception:  # whatever it is, it ends nothing but the block
        log.exception(event, **about)
