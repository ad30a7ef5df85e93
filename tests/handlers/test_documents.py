"""Documents of every kind become text for the model, or one of a few errors."""

import asyncio
import codecs
import contextlib
import io
import re
import sys
from collections.abc import AsyncIterator, Coroutine, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from telegram import Bot, Document
from telegram.error import NetworkError

from bot.playground.telegram.emulator import telegram_routes
from bot.playground.telegram.files import Upload
from bot.playground.telegram.room import Room
from bot.web import serving
from handlers.incoming import documents, pdf
from handlers.incoming.documents import (
    LARGEST_PDF,
    LARGEST_TEXT,
    Busy,
    Documents,
    Encrypted,
    Gone,
    NoText,
    TooLarge,
    TooLong,
    TooSlow,
    UnsupportedKind,
    decoded,
    enclosed,
    largest,
    pdf_text,
    text_of,
)
from storage.timing import Timing
from tests.conftest import ANN, BORIS
from tests.handlers import pdfs

LONG = 60.0
"""Seconds in which any PDF here is read."""
RUSSIAN = "Съешь же ещё этих мягких французских булок — «да», №5"
TOKEN = "7000000:TEST-TOKEN"

names = st.text() | st.sampled_from(
    ["a.txt", "A.PDF", "b.zip", "Makefile", "c.", ".", "..", ".pdf"]
)
types = st.text() | st.sampled_from(["", "text/plain", "application/pdf", "video/mp4", "image/png"])


needs_proc = pytest.mark.skipif(sys.platform != "linux", reason="asks /proc for processes")


# --- kinds


@pytest.mark.parametrize(
    ("name", "mime_type"),
    [
        ("notes.txt", ""),
        ("READ.MD", "application/octet-stream"),
        ("main.ts", "video/mp2t"),
        ("lib.rs", "application/rls-services+xml"),
        ("logo.svg", "image/svg+xml"),
        ("data.unknown", "application/octet-stream"),
        ("Makefile", ""),
        ("", "text/x-whatever"),
        ("", "Application/JSON"),
        ("book", "application/x-ipynb+json"),
        ("a", "application/x-sh"),
    ],
)
def test_texts_are_known_by_name_or_type(name: str, mime_type: str) -> None:
    """Either will do, since Telegram's apps guess the type from the name, at times wrongly."""
    assert largest(name, mime_type) == LARGEST_TEXT


@pytest.mark.parametrize(("name", "mime_type"), [("A.Pdf", ""), ("", "application/pdf")])
def test_pdfs_are_known_by_name_or_type(name: str, mime_type: str) -> None:
    """They may be larger than texts."""
    assert largest(name, mime_type) == LARGEST_PDF


@pytest.mark.parametrize(
    ("name", "mime_type"),
    [
        ("a.zip", "application/zip"),
        ("a.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("a.png", "image/png"),
        ("", "video/mp4"),
        ("a.exe", "application/x-ms-dos-executable"),
    ],
)
def test_other_kinds_are_refused_unseen(name: str, mime_type: str) -> None:
    """What is clearly something else need not be downloaded, nor is it named in the error."""
    with pytest.raises(UnsupportedKind) as refused:
        largest(name, mime_type)
    told = str(refused.value)
    assert not any(part and part in told for part in (name, mime_type, name.partition(".")[2]))


# --- texts


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1251"])
def test_the_encodings_of_russian_texts(encoding: str) -> None:
    """Nobody tells the encoding; what editors on different systems write is understood."""
    assert decoded(RUSSIAN.encode(encoding)) == RUSSIAN
    assert decoded((RUSSIAN * 50).encode(encoding)) == RUSSIAN * 50


def test_utf_16_of_either_order() -> None:
    """The mark at the beginning tells the order of the bytes."""
    assert decoded(codecs.BOM_UTF16_BE + RUSSIAN.encode("utf-16-be")) == RUSSIAN
    assert decoded(codecs.BOM_UTF16_LE + RUSSIAN.encode("utf-16-le")) == RUSSIAN
    assert decoded(codecs.BOM_UTF16_LE + "да".encode("utf-16-le")[:-1]) == "д\ufffd"


def test_a_text_cut_in_the_middle_of_a_letter() -> None:
    """The end of a log is UTF-8, though its first byte is not."""
    assert decoded(RUSSIAN.encode()[1:]) == "\ufffd" + RUSSIAN[1:]


def test_a_dash_among_english_words() -> None:
    """One odd byte among plain ones is of the old encoding."""
    assert decoded("this — that".encode("cp1251")) == "this — that"


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])))
@example("tab\tline\nreturn\rfeed\x0c bell\a back\b colour\x1b[1m")
def test_every_text_in_utf_8_is_read(text: str) -> None:
    """No letter is lost, but for a mark of the encoding."""
    assert decoded(text.encode()) == text.removeprefix("\ufeff")


@given(st.binary())
@example(b"\xff\xfe\x00\xd8")
@example(b"\x98\xff")
def test_any_bytes_are_a_text_or_refused(content: bytes) -> None:
    """What is called a text may be anything."""
    with contextlib.suppress(UnsupportedKind):
        assert "\x00" not in decoded(content)
        decoded(content).encode()


@pytest.mark.parametrize(
    "content",
    [b"PK\x03\x04\x14\x00\x06\x00", b"\x89PNG\r\n\x1a\n\x00\x00", b"\x7fELF\x02\x01", b"a\x00b"],
)
def test_binary_files_are_refused(content: bytes) -> None:
    """A name that promises text is not enough."""
    with pytest.raises(UnsupportedKind):
        decoded(content)


@given(names, types)
def test_any_document_is_of_a_kind_or_refused(name: str, mime_type: str) -> None:
    """Whatever it is called, it is text, a PDF, or neither."""
    with contextlib.suppress(UnsupportedKind):
        assert largest(name, mime_type) in {LARGEST_TEXT, LARGEST_PDF}


def test_a_text_without_text() -> None:
    """An empty file has nothing to be asked about."""
    for content in (b"", b" \n\t\n", codecs.BOM_UTF16_LE, codecs.BOM_UTF8):
        with pytest.raises(NoText):
            text_of(content)


# --- PDFs


async def test_the_text_of_a_pdf() -> None:
    """All pages, in their order, with any letters; blank ones leave no trace."""
    content = pdfs.pdf(RUSSIAN, "", "😀 two", "a\ud800b")
    assert await pdf_text(content, LONG) == f"{RUSSIAN}\n\n😀 two\n\na\ufffdb"


@pytest.mark.slow
async def test_a_locked_pdf() -> None:
    """One that wants a password says so; one that only must not be changed can be read."""
    with pytest.raises(Encrypted):
        await pdf_text(pdfs.locked(pdfs.pdf("secret"), "sesame"), LONG)
    assert await pdf_text(pdfs.locked(pdfs.pdf("open"), ""), LONG) == "open"


@pytest.mark.slow
@pytest.mark.parametrize(
    "content", [b"", b"text", b"%PDF-1.7\n%%EOF", pdfs.pdf(), pdfs.pdf("", "")]
)
async def test_a_pdf_without_text(content: bytes) -> None:
    """Damaged, empty, or scanned: there is nothing to give to the model."""
    with pytest.raises(NoText):
        await pdf_text(content, LONG)


@pytest.mark.slow
async def test_a_pdf_with_too_much_text() -> None:
    """A small file may hold more than any window."""
    page = b"BT /F 12 Tf (%s) Tj ET" % (b"\x30\x30" * (1 + pdf.MOST_CHARACTERS // 2))
    with pytest.raises(TooLarge):
        await pdf_text(pdfs.pdf_of([page, page]), LONG)


@pytest.mark.slow
async def test_a_pdf_that_takes_all_memory() -> None:
    """A page may unpack to more than there is; the process that reads it is ended, not ours."""
    with pytest.raises(NoText):
        await pdf_text(pdfs.pdf_of([b" " * 100_000_000]), LONG)


@pytest.fixture
def endless(tmp_path: Path) -> Path:
    """A reader that says much, and never ends."""
    program = tmp_path / "endless.py"
    program.write_text("while True: print('a' * 100_000)")
    return program


@pytest.mark.slow
async def test_a_pdf_that_takes_for_ever(endless: Path) -> None:
    """When the time is over, reading is ended."""
    with pytest.raises(TooSlow, match="not read in"):
        await pdf_text(pdfs.pdf("text"), 0.2, endless)


@pytest.mark.slow
async def test_a_pdf_with_too_many_pages() -> None:
    """They are counted before any is read, however few bytes write them."""
    with pytest.raises(TooLong, match="exit status 5"):
        await pdf_text(pdfs.many_pages(pdf.MOST_PAGES + 1), LONG)
    with pytest.raises(NoText):  # it is read, and has none
        await pdf_text(pdfs.many_pages(pdf.MOST_PAGES), LONG)


@pytest.mark.slow
@needs_proc
async def test_the_reader_knows_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """What reads foreign files has an empty environment, whatever the bot's holds."""
    monkeypatch.setenv("TELEGRAM_TOKEN", TOKEN)
    reading = asyncio.create_task(pdf_text(pdfs.slow(), LONG))
    await running_readers(1)
    assert [(reader / "environ").read_bytes() for reader in readers()] == [b""]
    reading.cancel()
    await asyncio.wait([reading])


@pytest.mark.slow
async def test_stopping_ends_the_reader(endless: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person who no longer wants to know leaves no process behind."""
    started: list[asyncio.subprocess.Process] = []
    start = asyncio.create_subprocess_exec

    async def noted(*args: Any, **named: Any) -> asyncio.subprocess.Process:
        started.append(await start(*args, **named))
        return started[0]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", noted)
    reading = asyncio.create_task(pdf_text(pdfs.pdf("text"), LONG, endless))
    async with asyncio.timeout(60):
        while not started:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)
    reading.cancel()
    await asyncio.wait([reading])
    assert reading.cancelled()
    assert started[0].returncode is not None


@pytest.mark.slow
@given(st.data())
@settings(max_examples=8)
def test_any_damaged_pdf_is_read_or_refused(data: st.DataObject) -> None:
    """Whatever is cut out of a PDF or put into it, there is a text or a reason."""
    content = pdfs.pdf(RUSSIAN)
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, len(content)))
    damaged = content[:start] + data.draw(st.binary(max_size=20)) + content[end:]
    with contextlib.suppress(NoText, Encrypted):
        assert asyncio.run(pdf_text(damaged, LONG))


@pytest.mark.parametrize(
    ("content", "status", "text"),
    [
        (pdfs.pdf("yes\ud800"), 0, "yes\ud800"),
        (pdfs.locked(pdfs.pdf("no"), "sesame"), 3, ""),
        (pdfs.pdf("long!"), 4, ""),
    ],
)
def test_what_the_reader_says(
    monkeypatch: pytest.MonkeyPatch, content: bytes, status: int, text: str
) -> None:
    """The program tells its result by the exit status and the text."""
    out = SimpleNamespace(buffer=io.BytesIO())
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(content)))
    monkeypatch.setattr("sys.stdout", out)
    assert pdf.main(most=4) == status
    assert out.buffer.getvalue().decode("utf-16", "surrogatepass") == text


# --- what the model gets


def test_a_document_stands_before_its_question() -> None:
    """Its name, its text in a fence, and then what was asked."""
    assert enclosed("a.txt", "  some\n", "why?") == "[a.txt]\n```\n  some\n```\n\nwhy?"
    assert enclosed("a\nb", "some", "") == "[a b]\n```\nsome\n```"


@given(st.text() | st.just("```"), st.text(st.sampled_from("`~\na")), st.text())
@example("```", "````", "```")
def test_no_document_can_end_its_fence(name: str, text: str, question: str) -> None:
    """A text with fences of its own stays in one piece, and any name stays on its line."""
    title, fence, rest = enclosed(name, text, question).split("\n", 2)
    assert re.fullmatch(r"\[.*\]", title)
    assert re.fullmatch("````*", fence)
    inside, _, after = rest.partition(fence)
    assert inside == f"{text.rstrip()}\n"
    assert after.strip() == question.strip()


# --- from Telegram


@dataclass
class Files:
    """The part of the Bot API that gives files."""

    content: bytes = b"some text"
    pdf: bytes = b""
    refusal: str = ""
    told: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def routes(self) -> list[Route]:
        """Return the two addresses: where a file is, and the file."""
        return [
            Route(f"/bot{TOKEN}/getFile", self._where, methods=["POST"]),
            Route(f"/file/bot{TOKEN}/documents/1.txt", self._file),
            Route(f"/file/bot{TOKEN}/documents/1.pdf", self._pdf),
        ]

    async def _where(self, request: Request) -> Response:
        self.asked.append("getFile")
        if self.refusal:
            code = 400 if self.refusal.startswith("Bad Request") else 500
            told = {"ok": False, "error_code": code, "description": self.refusal}
            return JSONResponse(told, code)
        name = "1.pdf" if (await request.form())["file_id"] == "a.pdf" else "1.txt"
        place = {"file_id": "a", "file_unique_id": "b", "file_path": f"documents/{name}"}
        return JSONResponse({"ok": True, "result": place | self.told})

    async def _file(self, _request: Request) -> Response:
        self.asked.append("file")
        return Response(self.content)

    async def _pdf(self, _request: Request) -> Response:
        self.asked.append("pdf")
        return Response(self.pdf)


@pytest.fixture
def files() -> Files:
    """A file that lies on Telegram's server."""
    return Files()


@contextlib.asynccontextmanager
async def calling(url: str) -> AsyncIterator[Bot]:
    """A bot whose Telegram is at ``url``."""
    bot = Bot(TOKEN, base_url=f"{url}/bot", base_file_url=f"{url}/file/bot")
    for request in bot._request:
        await request.initialize()
    yield bot
    for request in bot._request:
        await request.shutdown()


@pytest.fixture
async def bot(files: Files) -> AsyncIterator[Bot]:
    """A bot whose Telegram has that file."""
    async with (
        serving(Starlette(routes=files.routes()), "127.0.0.1", 0) as url,
        calling(url) as bot,
    ):
        yield bot


def document(bot: Bot, name: str | None = "a.txt", **more: Any) -> Document:
    """Make a document as a message has it."""
    sent = Document(name or "a", "b", file_name=name, **more)
    sent.set_bot(bot)
    return sent


@pytest.mark.slow
async def test_a_pdf_in_the_local_telegram() -> None:
    """What a person sent there is fetched by the same calls as from Telegram."""
    room = Room(TOKEN)
    sent = room.store(Upload("a.pdf", "application/pdf", pdfs.pdf(RUSSIAN)))
    app = Starlette(routes=telegram_routes(room))
    async with serving(app, "127.0.0.1", 0) as url, calling(url) as bot:
        found = await Documents().fetch(Document.de_json(sent, bot), "why?", ANN)
    assert found == f"[a.pdf]\n```\n{RUSSIAN}\n```\n\nwhy?"


async def test_a_document_is_fetched(bot: Bot, files: Files) -> None:
    """It is downloaded once, read, and put before the question."""
    found = await Documents().fetch(document(bot, file_size=9), "why?", ANN)
    assert found == "[a.txt]\n```\nsome text\n```\n\nwhy?"
    assert files.asked == ["getFile", "file"]


async def test_a_document_may_have_no_name(bot: Bot) -> None:
    """Its name and type are optional."""
    assert await Documents().fetch(document(bot, None), "", ANN) == "[file]\n```\nsome text\n```"


async def test_what_is_too_large_is_not_downloaded(bot: Bot, files: Files) -> None:
    """The message tells the size; if not, the file's place does; if not, the file."""
    with pytest.raises(TooLarge):
        await Documents().fetch(document(bot, file_size=LARGEST_TEXT + 1), "", ANN)
    assert files.asked == []
    files.told = {"file_size": LARGEST_TEXT + 1}
    with pytest.raises(TooLarge):
        await Documents().fetch(document(bot), "", ANN)
    assert files.asked == ["getFile"]
    files.told, files.content = {}, b"a" * (LARGEST_TEXT + 1)
    with pytest.raises(TooLarge):
        await Documents().fetch(document(bot), "", ANN)


async def test_other_kinds_are_not_downloaded(bot: Bot, files: Files) -> None:
    """The name and the type tell enough."""
    with pytest.raises(UnsupportedKind):
        await Documents().fetch(document(bot, "a.zip", mime_type="application/zip"), "", ANN)
    assert files.asked == []


async def test_what_telegram_does_not_give(bot: Bot, files: Files) -> None:
    """A file may be forgotten on the way; that leaves the place to the next."""
    fetching = Documents()
    files.told = {"file_path": "documents/gone.txt"}
    for _ in range(documents.HELD + 1):
        with pytest.raises(Gone):
            await fetching.fetch(document(bot, "a.pdf"), "", ANN)
    files.refusal = "Bad Request: wrong file_id or the file is temporarily unavailable"
    with pytest.raises(Gone):
        await fetching.fetch(document(bot), "", ANN)


async def test_a_download_that_fails(bot: Bot, files: Files) -> None:
    """What passes is the caller's business."""
    files.refusal = "Internal Server Error"
    with pytest.raises(NetworkError, match="Internal Server Error"):
        await Documents().fetch(document(bot), "", ANN)


# --- many of them


def readers() -> list[Path]:
    """Give the folders in /proc of the processes that read PDFs for this one."""
    lists = [task.read_text().split() for task in Path("/proc/self/task").glob("*/children")]
    children = [Path("/proc", child) for some in lists for child in some]
    return [child for child in children if b"pdf.py" in (child / "cmdline").read_bytes()]


async def running_readers(count: int) -> None:
    """Wait until there are so many."""
    async with asyncio.timeout(60):
        while len(readers()) < count:  # noqa: ASYNC110 - they tell nobody
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def asked(
    fetches: Iterable[Coroutine[Any, Any, str]],
) -> AsyncIterator[list[asyncio.Task[str]]]:
    """Let people ask about documents while the block runs."""
    tasks = [asyncio.create_task(fetch) for fetch in fetches]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


@pytest.mark.slow
@needs_proc
async def test_a_text_waits_for_no_pdf(bot: Bot, files: Files) -> None:
    """Ten people send small PDFs that take for ever; what is no PDF is read at once."""
    files.pdf = pdfs.slow()
    fetching = Documents(Timing(pdf_quick=300))
    hostile = (fetching.fetch(document(bot, "a.pdf"), "", person) for person in range(10))
    async with asked(hostile) as tasks:
        await running_readers(documents.AT_ONCE)
        assert await fetching.fetch(document(bot), "", ANN)
        assert not any(task.done() for task in tasks)


@pytest.mark.slow
async def test_a_quick_pdf_goes_before_slow_ones(bot: Bot, files: Files) -> None:
    """Those that take long wait for each other, and leave a place to the others."""
    files.pdf = pdfs.slow()
    fetching = Documents(Timing(pdf_quick=1, pdf=300, pdf_wait=300))
    hostile = (fetching.fetch(document(bot, "a.pdf"), "", person) for person in range(3))
    async with asked(hostile) as tasks:
        async with asyncio.timeout(60):
            # Until one of them has a second try.
            while files.asked.count("pdf") <= len(tasks):  # noqa: ASYNC110 - nobody is told
                await asyncio.sleep(0.01)
        fetching._timing = Timing(
            pdf_quick=300
        )  # so much is quick on a machine that has other things to do
        files.pdf = pdfs.pdf("quick")
        assert "quick" in await fetching.fetch(document(bot, "a.pdf"), "", ANN)
        assert not any(task.done() for task in tasks)


@pytest.mark.slow
@needs_proc
async def test_one_person_has_one_place(bot: Bot, files: Files) -> None:
    """Who sends many PDFs, in many chats, leaves the other place to other people."""
    files.pdf = pdfs.slow()
    fetching = Documents(Timing(pdf_quick=300))
    many = (fetching.fetch(document(bot, "a.pdf"), "", BORIS) for _ in range(10))
    async with asked(many) as tasks:
        await running_readers(1)
        files.pdf = pdfs.pdf("other")
        assert "other" in await fetching.fetch(document(bot, "a.pdf"), "", ANN)
        assert files.asked.count("pdf") == 2
        assert not any(task.done() for task in tasks)


@pytest.mark.slow
async def test_the_place_of_a_person_is_free_again(bot: Bot, files: Files) -> None:
    """The next PDF of the same person is read, and nothing remembers who asked."""
    files.pdf = pdfs.pdf("text")
    fetching = Documents()
    two = [fetching.fetch(document(bot, "a.pdf"), str(number), ANN) for number in range(2)]
    assert [found[-1] for found in await asyncio.gather(*two)] == ["0", "1"]
    assert not fetching._shares


@pytest.mark.slow
@needs_proc
async def test_waiting_for_a_place_has_an_end(bot: Bot, files: Files) -> None:
    """Rather than wait for ever, a person is told that there are too many."""
    files.pdf = pdfs.slow()
    fetching = Documents(Timing(pdf_quick=300, pdf_wait=0.1))
    first = (
        fetching.fetch(document(bot, "a.pdf"), "", person) for person in range(documents.AT_ONCE)
    )
    async with asked(first):
        await running_readers(documents.AT_ONCE)
        for person in (ANN, 0):  # no place for a new person, and none for one who has one
            with pytest.raises(Busy):
                await fetching.fetch(document(bot, "a.pdf"), "", person)


@pytest.mark.slow
async def test_a_slow_pdf_has_a_second_try(bot: Bot, files: Files) -> None:
    """One that only takes long is read; one that takes longer than any may is given up."""
    files.pdf = pdfs.pdf(*["text"] * 5)
    found = await Documents(Timing(pdf_quick=0.01, pdf=300)).fetch(document(bot, "a.pdf"), "", ANN)
    assert found.count("text") == 5
    files.pdf = pdfs.slow()
    with pytest.raises(TooSlow):
        await Documents(Timing(pdf_quick=0.01, pdf=0.5)).fetch(document(bot, "a.pdf"), "", ANN)


@pytest.mark.slow
@needs_proc
async def test_few_pdfs_are_in_memory(bot: Bot, files: Files) -> None:
    """However many people send PDFs, only so many are held while they wait to be read."""
    files.pdf = pdfs.slow()
    fetching = Documents(Timing(pdf_quick=300))
    many = (fetching.fetch(document(bot, "a.pdf"), "", person) for person in range(10))
    async with asked(many):
        await running_readers(documents.AT_ONCE)
        for _ in range(3):  # as many requests, one by one, as the others need side by side
            await fetching.fetch(document(bot), "", ANN)
        assert files.asked.count("pdf") <= documents.HELD
