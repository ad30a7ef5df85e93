"""Documents that people send: which can be read, and their text for the model."""

import asyncio
import codecs
import contextlib
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path, PurePath
from weakref import WeakValueDictionary

from telegram import Document
from telegram.error import BadRequest, InvalidToken

from handlers.outgoing.pacing import asked
from storage.message import well_formed
from storage.timing import Timing

LARGEST_TEXT = 1_000_000
"""Bytes of a text file: about the largest window of a model behind the API."""
LARGEST_PDF = 20 * 1024 * 1024
"""Bytes of a PDF, most of them pictures: the most that Telegram gives to bots (getFile)."""
AT_ONCE = 2
"""PDFs read at the same time; each may take much memory."""
HELD = 4
"""PDFs in memory at the same time: those being read, and the next ones."""

_TEXT_NAME = re.compile(
    r"""
    asm|bat|bib|c|cc|cfg|clj|cmake|cmd|conf|cpp|cs|css|csv|cxx|dart|diff|dockerfile|el|ex|exs|f90|
    fs|go|gradle|graphql|groovy|h|hpp|hs|htm|html|ini|ipynb|java|jl|js|json|jsonl|jsx|kt|kts|less|
    lisp|log|lua|m|makefile|markdown|md|mjs|ml|mm|nim|nix|pas|patch|php|pl|pm|properties|proto|ps1|
    py|pyi|r|rb|rs|rst|sass|scala|scss|sh|sol|sql|srt|svelte|svg|swift|tcl|tex|text|tf|toml|ts|tsv|
    tsx|txt|vb|vim|vtt|vue|xml|yaml|yml|zig
    """,
    re.VERBOSE,
)
_TEXT_TYPE = re.compile(
    r"text/.*|.*\+(json|xml)|application/(x-)?"
    r"(json|jsonlines|ndjson|xml|yaml|toml|javascript|typescript|sql|sh|httpd-php|tex|subrip)"
)
_UNKNOWN_TYPES = ("", "application/octet-stream")
"""What Telegram's apps say for a name they do not know; the content decides."""

_BINARY = re.compile(r"[\x00-\x06\x0e-\x1a\x1c-\x1f\x7f]")
"""Control characters, except those of printers and terminals."""
READER = Path(__file__).with_name("pdf.py")


class DocumentError(Exception):
    """A document that cannot be given to the model; the subclasses say why."""


class UnsupportedKind(DocumentError):
    """Neither text nor a PDF."""


class TooLarge(DocumentError):
    """Larger than `LARGEST_TEXT` or `LARGEST_PDF`, or with too much text in it."""


class NoText(DocumentError):
    """No text in it: empty, damaged, or made of pictures."""


class Encrypted(DocumentError):
    """A PDF with a password."""


class TooLong(DocumentError):
    """A PDF with too many pages, or too much on them; a part of it may do."""


class TooSlow(TooLong):
    """A PDF that was not read in time."""


class Busy(DocumentError):
    """Too many other PDFs are being read; it may be read later."""


class Gone(DocumentError):
    """Telegram does not have it, or no longer; sending it again may help."""


_EXITS = {3: Encrypted, 4: TooLarge, 5: TooLong}
"""Exit statuses of `pdf.py`; importing it here would cost every process 20 MB."""


class Documents:
    """Fetches documents from Telegram. PDFs wait for each other, and nothing else for them."""

    def __init__(self, timing: Timing = Timing()) -> None:
        self._timing = timing
        self._held = asyncio.Semaphore(HELD)
        self._readers = asyncio.Semaphore(AT_ONCE)
        self._slow = asyncio.Lock()
        self._shares: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def fetch(self, document: Document, question: str, person: int) -> str:
        """Download a document and put its text before the question that ``person`` asks about it.

        Raises a `DocumentError`, before the download if possible, or a passing TelegramError.
        """
        name, mime_type = document.file_name or "", document.mime_type or ""
        _check_size(document.file_size, largest(name, mime_type))
        if _is_pdf(name, mime_type):
            text = await self._read_pdf(document, person)
        else:
            text = text_of(await _download(document, LARGEST_TEXT))
        return enclosed(name, text, question)

    async def _read_pdf(self, document: Document, person: int) -> str:
        """Read one PDF of each person at a time, and one slow PDF at a time."""
        until = asyncio.get_running_loop().time() + self._timing.pdf_wait
        share = self._shares.setdefault(person, asyncio.Lock())
        async with _place(share, until):
            with contextlib.suppress(TooSlow):
                async with _place(self._held, until):
                    content = await _download(document, LARGEST_PDF)
                    async with _place(self._readers, until):
                        return await pdf_text(content, self._timing.pdf_quick)
            async with _place(self._slow, until):
                # Downloaded again: kept while it waited, it would take a place in memory.
                content = await _download(document, LARGEST_PDF)
                async with _place(self._readers, until):
                    return await pdf_text(content, self._timing.pdf)


@contextlib.asynccontextmanager
async def _place(places: asyncio.Lock | asyncio.Semaphore, until: float) -> AsyncIterator[None]:
    """Hold one of the places while the block runs. Raises `Busy` if none is free in time."""
    try:
        async with asyncio.timeout_at(until):
            await places.acquire()
    except TimeoutError as error:
        raise Busy("others are read") from error
    try:
        yield
    finally:
        places.release()


async def _download(document: Document, most: int) -> bytes:
    try:
        file = await document.get_file()
        _check_size(file.file_size, most)
        content = bytes(await asked("getFile", file.download_as_bytearray()))
    except (BadRequest, InvalidToken) as error:  # the latter for a file that is not found
        raise Gone("Telegram refuses it") from error
    _check_size(len(content), most)
    return content


def _check_size(size: int | None, most: int) -> None:
    if size is not None and size > most:
        raise TooLarge(f"{size} bytes")


def largest(name: str, mime_type: str) -> int:
    """Return how many bytes a document of this kind may have. Raises `UnsupportedKind`."""
    if _is_pdf(name, mime_type):
        return LARGEST_PDF
    extension, kind = _extension(name), mime_type.lower()
    if _TEXT_NAME.fullmatch(extension) or kind in _UNKNOWN_TYPES or _TEXT_TYPE.fullmatch(kind):
        return LARGEST_TEXT
    raise UnsupportedKind("neither text nor a PDF, by its name and type")


def text_of(content: bytes) -> str:
    """Return the text of a text file. Raises `UnsupportedKind` or `NoText`."""
    return _some(decoded(content))


def decoded(content: bytes) -> str:
    """Decode a text file of unknown encoding. Raises `UnsupportedKind`."""
    text = content.decode(_encoding(content), "replace")
    if _BINARY.search(text):
        raise UnsupportedKind("control characters")
    return text


def enclosed(name: str, text: str, question: str) -> str:
    """Put a document's text, fenced under its name, before the question; each may be empty."""
    title = " ".join(well_formed(name).split())[:255] or "file"
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    # In brackets, since a name could be a fence.
    return f"[{title}]\n{fence}\n{text.rstrip()}\n{fence}\n\n{question}".rstrip()


def _some(text: str) -> str:
    if not text.strip():
        raise NoText("nothing but space")
    return text


def _is_pdf(name: str, mime_type: str) -> bool:
    return mime_type.lower() == "application/pdf" or _extension(name) == "pdf"


def _extension(name: str) -> str:
    """Return a name's extension, or the whole of a name such as ``Makefile``."""
    path = PurePath(name.lower())
    return path.suffix[1:] or path.name


def _encoding(content: bytes) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    text = content.decode("utf-8", "replace")
    damaged = text.count("\ufffd")
    # A log cut in the middle of a letter is still UTF-8.
    intact = len(text) - len(text.encode("ascii", "ignore")) - damaged
    return "utf-8-sig" if intact >= damaged else "cp1251"


async def pdf_text(content: bytes, seconds: float, reader: Path = READER) -> str:
    """Return the text of a PDF, if it is read within so many seconds. Raises a `DocumentError`."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",  # else modules beside the program would shadow the standard library's
        reader,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={},  # what reads foreign files gets no secrets
        start_new_session=True,  # Ctrl-C is for the bot, which finishes its work
    )
    try:
        async with asyncio.timeout(seconds):
            text, _ = await process.communicate(content)
    except TimeoutError as error:
        raise TooSlow(f"not read in {seconds:.0f} s") from error
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.communicate()
    if process.returncode:
        raise _EXITS.get(process.returncode, NoText)(f"exit status {process.returncode}")
    return _some(text.decode("utf-16", "replace"))  # surrogates replaced
