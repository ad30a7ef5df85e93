"""``python -m bot``: arguments, signals, exit codes."""

import argparse
import asyncio
import gc
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any

import structlog

from bot import log as logs
from bot.app import AddressTaken, TokenRefused, running
from bot.environment import SettingsRefused, misspelt, read, read_without_model
from bot.operator import dead, transfer
from bot.operator.check import check
from bot.playground import arguments as of_demo
from bot.redaction import guard, say
from bot.settings import Settings
from handlers.dialogue.completion import CompletionMisconfigured
from storage.server.connect import StorageUnavailable

if sys.platform == "win32":
    from asyncio import run
else:
    from uvloop import run

log = structlog.get_logger()

FAILED = 1
MISCONFIGURED = 2
DEMO_SECONDS = 1.3
"""How long the demo may take to stop; all that it keeps is stored."""
CUT_SECONDS = 0.5
"""How long a forced stop may take before the process exits: redis-py can swallow a cancellation."""


def main() -> int:
    """Entry point: run one of the commands; returns the exit code."""
    try:
        return _act(_parser().parse_args())
    except SettingsRefused as error:
        say(error, sys.stderr)  # for a person, before there are logs
        return MISCONFIGURED
    except KeyboardInterrupt:
        return FAILED  # export and import continue when run again
    except transfer.MovingRefused as error:
        say(error, sys.stderr)
        return FAILED
    except (TokenRefused, AddressTaken, CompletionMisconfigured, StorageUnavailable) as error:
        log.critical("cannot_start", reason=str(error))
        return FAILED if isinstance(error, StorageUnavailable) else MISCONFIGURED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bot", description="A chatbot on YandexGPT.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run", help="run the bot, configured by the environment or .env")
    commands.add_parser("check", help="try storage, Telegram and the model once")
    dead.add_arguments(
        commands.add_parser("dead", help="list, replay or drop what could not be answered")
    )
    transfer.add_arguments(
        commands.add_parser("export", help="write everything kept of the bot to a file")
    )
    transfer.add_arguments(commands.add_parser("import", help="read such a file into a storage"))
    of_demo.add_arguments(commands.add_parser("demo", help="try it with a local Telegram"))
    return parser


def _act(arguments: argparse.Namespace) -> int:
    if arguments.command == "demo":
        code = _finished(_demo(arguments))
        os._exit(code)  # the local model's threads would hold us up, and nothing can be lost
    asks_the_model = arguments.command in ("run", "check")
    settings = read() if asks_the_model else read_without_model()
    logs.configure(settings.secrets)
    for sentence in misspelt():
        log.warning("unknown_setting", reason=sentence)
    match arguments.command:
        case "check":
            return 0 if run(check(settings)) else FAILED
        case "dead":
            run(dead.dead(settings, arguments.act))
        case "export":
            run(transfer.export(settings, arguments.file, anyway=arguments.anyway))
        case "import":
            run(transfer.import_(settings, arguments.file, anyway=arguments.anyway))
        case _:
            return _finished(_run(settings))
    return 0


def _finished(work: Coroutine[Any, Any, None]) -> int:
    """Run ``work``; a signal is not a failure."""
    try:
        run(work)
    except asyncio.CancelledError:
        log.info("stopped_at_once")
    return 0


async def _run(settings: Settings) -> None:
    await _until_stopped(running(settings), "finishing what came in")


async def _demo(arguments: argparse.Namespace) -> None:
    from bot.playground.demo import demo  # noqa: PLC0415 - 8 MB that a bot in production never needs

    await _until_stopped(demo(arguments), "closing the local Telegram", DEMO_SECONDS)


async def _until_stopped(
    work: AbstractAsyncContextManager[None], then: str, seconds: float | None = None
) -> None:
    """Run ``work`` until a signal; a second one, or ``seconds`` after the first, forces the end."""
    task = _this_task()
    stop = asyncio.Event()
    _on_signal(task.cancel)  # not begun yet, so there is nothing to finish
    async with work:
        _collect_rarely()
        _on_signal(stop.set)
        await stop.wait()
        _on_signal(partial(_cut_off, task))
        log.info("stopping", then=f"{then}; a second signal stops at once")
        if seconds is not None:
            asyncio.get_running_loop().call_later(seconds, _cut_off, task)


def _collect_rarely() -> None:
    """Spare the collector what is there for good; collecting took a tenth of a busy bot's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def _cut_off(task: asyncio.Task[Any]) -> None:
    """Cancel the task, and exit if even that takes long. Nothing it has needs to be saved."""
    task.cancel()
    asyncio.get_running_loop().call_later(CUT_SECONDS, os._exit, 0)


def _this_task() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - a coroutine always runs in one
    return task


def _on_signal(act: Callable[[], object]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, act)
        except NotImplementedError:  # Windows: Ctrl-C raises KeyboardInterrupt there
            return


if __name__ == "__main__":
    guard()
    sys.exit(main())
