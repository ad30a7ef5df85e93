"""``python -m bot export`` and ``import``: move everything kept of a bot to another storage.

The file is JSON lines: a header; one object per key, named without the bot's tag, with its content
under the name of its Redis type; and an end, without which it is incomplete. Both commands can be
interrupted at any moment, and continue when run again.
"""

import argparse
import asyncio
import contextlib
import json
import os
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Self

from bot.clients import open_storage
from bot.redaction import say
from bot.settings import Settings
from storage.archive import Archive, Changed, Item
from storage.message import UNREADABLE

FORMAT, VERSION = "yandexgpt-telegram-bot", 1
BEGINNING = f'{{"{FORMAT}": '.encode()
AT_ONCE = 50
"""Keys read concurrently."""


class MovingRefused(Exception):
    """Refused, because something would be lost or mixed up; the message says what to do."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of both commands."""
    parser.add_argument("file", type=Path, help="JSON lines")
    parser.add_argument(
        "--anyway", action="store_true", help="even if the bot runs, or already has data there"
    )


async def export(settings: Settings, file: Path, *, anyway: bool) -> None:
    """Write everything kept of the bot to a file. Raises `MovingRefused`, `StorageUnavailable`."""
    async with AsyncExitStack() as stack:
        archive = await _archive(settings, stack, anyway=anyway)
        names = await archive.names(whole=not await archive.is_living())
        with (
            _told(file),
            contextlib.closing(
                _Written(file, settings.first.bot_id, await archive.stamp())
            ) as written,
            _Progress("exported", len(names)) as progress,
        ):
            left = [name for name in names if name not in written.names]
            progress.step(len(names) - len(left))
            for start in range(0, len(left), AT_ONCE):
                some = left[start : start + AT_ONCE]
                for item in await asyncio.gather(*(archive.read(name) for name in some)):
                    if item and _is_readable(item):
                        written.add(item)
                progress.step(len(some))
            written.end()


async def import_(settings: Settings, file: Path, *, anyway: bool) -> None:
    """Read such a file into a storage. Raises `MovingRefused`, `StorageUnavailable`."""
    header, number = _checked(file, settings.first.bot_id)
    async with AsyncExitStack() as stack:
        archive = await _archive(settings, stack, anyway=anyway)
        before = await archive.progress()
        name, _, done = before.partition(" ")
        if name != header["file"]:
            done = "0"
            if not anyway and (before or await archive.names(whole=True)):
                raise MovingRefused(
                    "There are data of this bot already. To merge, with the file's histories "
                    "replacing those there, say --anyway."
                )
        with _Progress("imported", number) as progress:
            progress.step(int(done))
            for place, item in enumerate(_items(file), 1):
                if place <= int(done):
                    continue
                after = f"{header['file']} {place}"
                try:
                    await archive.write(item, before, after)
                except Changed:
                    raise MovingRefused("Another import into this bot is under way.") from None
                before = after
                progress.step(1)
        await archive.finish()


async def _archive(settings: Settings, stack: AsyncExitStack, *, anyway: bool) -> Archive:
    if len(settings.bots) > 1:
        raise MovingRefused("One bot at a time: set TELEGRAM_TOKEN to its token alone.")
    redis = await open_storage(settings, stack)
    archive = Archive(redis, settings.first.bot_id, settings.timing)
    if not anyway and await archive.is_living():
        raise MovingRefused(
            "The bot runs, or did until a few seconds ago: stop all its processes first. "
            "For a copy of a running bot, which is not of a single moment, say --anyway."
        )
    return archive


def _is_readable(item: Item) -> bool:
    """True if `import_` would accept it; otherwise prints its name and leaves it where it is."""
    try:
        item.check()
    except UNREADABLE:
        print(f"left out {item.name}: it is damaged", file=sys.stderr)  # noqa: T201 - its job
        return False
    return True


@contextlib.contextmanager
def _told(file: Path) -> Iterator[None]:
    """Turn errors of a file into a sentence. Raises `MovingRefused`."""
    try:
        yield
    except OSError as error:
        raise MovingRefused(f"{file}: {error.strerror or error}.") from error
    except UNREADABLE as error:
        raise MovingRefused(f"{file} cannot be read; name another file.") from error


class _Progress:
    """Prints progress to stderr once a second, and the total at the end."""

    def __init__(self, what: str, total: int) -> None:
        self._what = what
        self._total = total
        self._done = 0
        self._told = time.monotonic()

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, failure: object, *_: object) -> None:
        """Print the total, whatever happened."""
        self._say()

    def step(self, number: int) -> None:
        """Advance by ``number`` keys."""
        self._done += number
        if time.monotonic() - self._told > 1:
            self._told = time.monotonic()
            self._say()

    def _say(self) -> None:
        say(f"{self._what} {self._done} of {self._total} keys", sys.stderr)


class _Written:
    """A file being written, new or continued; ``names`` are the keys already in it."""

    def __init__(self, file: Path, bot_id: int, stamp: str) -> None:
        """Raises `MovingRefused` if it is complete, another bot's, or of another ``stamp``."""
        self.names: set[str] = set()
        self._path = file
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, mode=0o600)
        self._file = os.fdopen(descriptor, "r+b")  # bytes: it may end inside a character
        try:
            self._read_on(bot_id, stamp)
        except BaseException:
            self._file.close()
            raise

    def _read_on(self, bot_id: int, stamp: str) -> None:
        header, whole = self._file.readline(), 0
        if not BEGINNING.startswith(header[: len(BEGINNING)]):
            raise MovingRefused(f"{self._path} is something else; name another file.")
        if header.endswith(b"\n"):
            if _judge_header(header, bot_id)["stamp"] != stamp:
                raise MovingRefused(
                    f"The bot has run since {self._path} was begun; name another file."
                )
            whole = self._file.tell()
            while (line := self._file.readline()).endswith(b"\n"):
                fields = json.loads(line)
                if "end" in fields:
                    raise MovingRefused(f"{self._path} is whole already; name another file.")
                self.names.add(fields["key"])
                whole = self._file.tell()
        self._be_private()
        self._file.seek(whole)
        self._file.truncate()  # drop what was being written when it was interrupted
        if not whole:
            name = secrets.token_hex(8)
            self._line({FORMAT: VERSION, "bot": bot_id, "file": name, "stamp": stamp})

    def _be_private(self) -> None:
        """Make an existing file private, too: histories are nobody else's business."""
        if sys.platform == "win32":
            return
        if os.fstat(self._file.fileno()).st_uid != os.geteuid():
            raise MovingRefused(f"{self._path} is somebody else's; name another file.")
        os.fchmod(self._file.fileno(), 0o600)

    def close(self) -> None:
        """Close it."""
        self._file.close()

    def add(self, item: Item) -> None:
        """Write a key's content."""
        fields: dict[str, Any] = {"key": item.name, item.kind: _nested(item)}
        if item.expires >= 0:
            fields["expires"] = item.expires
        self._line(fields)
        self.names.add(item.name)

    def end(self) -> None:
        """Mark it as complete, on disk."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._line({"end": len(self.names)})
        self._file.flush()
        os.fsync(self._file.fileno())

    def _line(self, fields: dict[str, Any]) -> None:
        self._file.write(json.dumps(fields, ensure_ascii=False).encode() + b"\n")


def _nested(item: Item) -> Any:
    match item.kind:
        case "string":
            return item.content[0]
        case "hash" | "zset":
            return dict(zip(item.content[::2], item.content[1::2], strict=True))
    return item.content


def _item(line: str) -> Item:
    fields = json.loads(line)
    name, expires = fields.pop("key"), fields.pop("expires", -1)
    [(kind, content)] = fields.items()
    match kind:
        case "string":
            content = [content]
        case "hash" | "zset":
            content = [part for pair in content.items() for part in pair]
        case "list":
            pass
        case _:
            raise ValueError(kind)
    item = Item(name, kind, expires, content)
    item.check()
    return item


def _items(file: Path) -> Iterator[Item]:
    with file.open(encoding="utf-8", newline="\n") as lines:
        next(lines)
        for line in lines:
            if not line.startswith('{"end"'):
                yield _item(line)


def _checked(file: Path, bot_id: int) -> tuple[dict[str, Any], int]:
    """Read the whole file before anything is done; returns its header and number of keys."""
    with _told(file), file.open(encoding="utf-8", newline="\n") as lines:
        header = _judge_header(next(lines, ""), bot_id)
        for number, line in enumerate(lines):
            if not line.endswith("\n"):
                break
            if line.startswith('{"end"'):
                if json.loads(line) != {"end": number} or next(lines, None) is not None:
                    raise MovingRefused(f"{file}: line {number + 2} is not the end of this file.")
                return header, number
            try:
                _item(line)
            except UNREADABLE as error:
                raise MovingRefused(f"{file}: line {number + 2} cannot be read.") from error
    raise MovingRefused(f"{file} is not whole: its export was interrupted. Run that again first.")


def _judge_header(line: str | bytes, bot_id: int) -> dict[str, Any]:
    try:
        header: dict[str, Any] = json.loads(line)
        version, whose, _, _ = (header[name] for name in (FORMAT, "bot", "file", "stamp"))
    except (ValueError, LookupError, TypeError, RecursionError):
        raise MovingRefused("The file is not one of our exports.") from None
    if version != VERSION:
        raise MovingRefused(f"The file is of version {version}, and this bot knows {VERSION}.")
    if whose != bot_id:
        raise MovingRefused(f"The file is of bot {whose}, and TELEGRAM_TOKEN of bot {bot_id}.")
    return header
