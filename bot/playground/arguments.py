"""The arguments of ``python -m bot demo``: all that a bot in production loads of it."""

import argparse

from bot.values import host_and_port

HOST, PORT = "127.0.0.1", 8090


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``python -m bot demo``."""
    parser.add_argument(
        "--no-bot", action="store_true", help="serve Telegram and the model for a bot elsewhere"
    )
    parser.add_argument(
        "--listen",
        type=_address,
        metavar="HOST:PORT",
        help=f"default {HOST}:{PORT}, or a free port",
    )
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="another host name it is served under, such as a proxy's; may be repeated",
    )
    parser.add_argument(
        "--no-open", action="store_true", help="do not open the page in the browser"
    )
    parser.add_argument("--token", help="the only token that is accepted")


def _address(value: str) -> tuple[str, int]:
    try:
        return host_and_port(value)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{value} {error}, such as {HOST}:{PORT}") from None
