"""Logs: one event a line, readable on a terminal and JSON elsewhere, without any secret."""

import logging
import sys
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

import structlog

HIDDEN = "[secret]"


def configure(secrets: Iterable[str] = ()) -> None:
    """Send all logs, the libraries' too, to stderr; replace each of ``secrets`` wherever it stands.

    The finished line is searched, so that a secret is found in tracebacks and in URLs as well
    (httpx logs requests with the bot's token in the path).
    """
    processors: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.typing.Processor
    if sys.stderr.isatty():
        # Plain, because coloured tracebacks show variables, and break secrets up.
        renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    else:
        processors.append(structlog.processors.format_exc_info)
        renderer = structlog.processors.JSONRenderer(ensure_ascii=False)
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=processors,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            renderer,
            _redaction(secrets),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    for chatty in ("httpx", "httpcore", "uvicorn"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # It calls every formula that it cannot read an error.
    logging.getLogger("telegramify_markdown").setLevel(logging.CRITICAL)
    structlog.configure(
        processors=[*processors, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def _redaction(secrets: Iterable[str]) -> structlog.typing.Processor:
    forms = {form for secret in secrets for form in (secret, quote(secret, safe=""))}
    hidden = sorted(forms, key=len, reverse=True)  # the whole before its parts

    def redact(_logger: Any, _method: str, line: Any) -> str:
        text = str(line)
        for form in hidden:
            text = text.replace(form, HIDDEN)
        return text

    return redact
