"""Logs: one event per line, readable on a terminal and JSON elsewhere.

No line contains a secret, or anything that people or the model said.
"""

import logging
import sys
import traceback
from collections.abc import Iterable, Iterator

import structlog

from bot.redaction import guarded, hide


def configure(secrets: Iterable[str] = ()) -> None:
    """Send all logs, including the libraries', to stderr, with ``secrets`` replaced.

    The line is searched as it is written, so that secrets are found in tracebacks and URLs, too.
    """
    hide("settings", secrets)
    processors: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(_traceback),
    ]
    renderer: structlog.typing.Processor
    if sys.stderr.isatty():
        # Plain, because coloured tracebacks show variables and split secrets.
        renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    else:
        renderer = structlog.processors.JSONRenderer(ensure_ascii=False)
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=processors,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            renderer,
        ],
    )
    handler = logging.StreamHandler(guarded(sys.stderr))
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    for chatty in ("httpx", "httpcore", "uvicorn"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*processors, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def _traceback(exc_info: structlog.typing.ExcInfo) -> str:
    return "\n".join(_lines(exc_info[1], set()))


def _lines(error: BaseException, seen: set[int]) -> Iterator[str]:
    """Format an exception as Python does, but without its text, which may quote what was said."""
    seen.add(id(error))
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before and id(before) not in seen:
        yield from _lines(before, seen)
        yield "\nIt was the cause of:\n" if error.__cause__ else "\nWhile it was dealt with:\n"
    yield "Traceback (most recent call last):"
    yield "".join(traceback.format_tb(error.__traceback__)).rstrip()
    yield type(error).__qualname__
    for one in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
        yield "\nIn this group:\n"
        yield from _lines(one, seen)
