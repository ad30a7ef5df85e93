"""Markdown laid out as Telegram shows it."""

import re
from itertools import pairwise
from typing import Any

from handlers.rendering.formatting import FILE, Formatted, is_visible, spelled_out
from handlers.rendering.formula import as_text
from handlers.rendering.literal import hidden, unmasked, verbatim
from handlers.rendering.markdown import FORMULA, Formula, Masked, events, is_costly, masked
from handlers.rendering.page import Page
from handlers.rendering.table import laid_out

MAX_CODE = 3500
"""Code points of code in a chat: a phone's screen shows about a thousand."""


def formatted(source: str) -> Formatted:
    """Lay out Markdown; what would take too long to read stays as it is."""
    if not is_visible(source) or is_costly(source):
        return Formatted(source, ())
    return _Reader(masked(source)).read()


_KINDS = {
    "Strong": ("bold",),
    "Emphasis": ("italic",),
    "Strikethrough": ("strikethrough",),
    "BlockQuote": ("blockquote",),
    "H1": ("bold", "underline"),
    "H2": ("bold", "underline"),
    "H3": ("bold",),
    "H4": ("bold",),
    "H5": ("italic",),
    "H6": ("italic",),
}
_BLOCKS = {"Heading", "BlockQuote", "CodeBlock", "Table"}
_BLOCKS_BUT_IN_LISTS = {"Paragraph", "List"}


class _Reader:
    """Reads the parser's events and writes pages: one for the text, one for each table cell."""

    def __init__(self, source: Masked) -> None:
        self._source = source
        self._raw = source.text.encode()
        self._formulas = _placed(source)
        self._page = self._main = Page()
        self._began = -1  # where the newest block began
        self._counted: dict[int, int] = {}
        self._counts: list[int | None] = []  # for each open list its next number, None for bullets
        self._indent = ""
        self._is_numbered = False
        self._links: list[tuple[str, int, bool]] = []
        self._code: list[str] | None = None
        self._info = ""
        self._after_display = False
        self._rows: list[list[Formatted]] = []
        self._cell_end = 0

    def read(self) -> Formatted:
        read = list(events(self._source.text))
        self._counted = _counted(read, self._raw)
        for event, start, end in read:
            match event:
                case {"Start": tag}:
                    self._start(*_named(tag), start)
                case {"End": tag}:
                    self._end(*_named(tag), end)
                case {"Text": text}:
                    self._text(text, start)
                case {"InlineHtml": text} | {"Html": text}:  # after an escaped backslash
                    self._page.write(verbatim(text))
                case {"Code": code}:
                    self._page.code("code", unmasked(code))
                case "SoftBreak" | "HardBreak":
                    self._page.write("\n")
                case "Rule":
                    self._begin(start)
                    self._page.write("————————")
                case {"TaskListMarker": done}:
                    self._task(done=done)
        return self._main.finished()

    def _start(self, name: str, detail: Any, start: int) -> None:
        if name in _BLOCKS or (name in _BLOCKS_BUT_IN_LISTS and not self._counts):
            self._begin(start)
        elif name in _BLOCKS_BUT_IN_LISTS:
            self._page.line(0)
        match name:
            case "List":
                self._counts.append(self._counted.get(start))
            case "CodeBlock":
                self._code = []
                self._info = unmasked(detail["Fenced"]) if "Fenced" in detail else ""
            case "Item":
                self._item(start)
            case "TableHead" | "TableRow":
                self._rows.append([])
            case "TableCell":
                self._page = Page()
            case "Link" | "Image":
                self._link(detail)
        for kind in _KINDS.get(detail["level"] if name == "Heading" else name, ()):
            self._page.begin(kind)

    def _end(self, name: str, detail: Any, end: int) -> None:
        for _ in _KINDS.get(detail if name == "Heading" else name, ()):
            self._page.end()
        match name:
            case "Paragraph" if self._counts:
                self._page.line()
            case "Item":
                self._page.line()
            case "List":
                self._counts.pop()
            case "CodeBlock":
                self._end_code()
            case "TableCell":
                self._rows[-1].append(self._page.finished())
                self._page, self._cell_end = self._main, end
            case "TableHead" | "TableRow":
                self._rows[-1] += self._beyond_the_head(end)
            case "Table":
                self._end_table()
            case "Link" | "Image":
                self._end_link()

    # -- Blocks ---------------------------------------------------------------------------------

    def _begin(self, start: int) -> None:
        """Begin a block, after an empty line if the source has one."""
        self._page.line(2 if self._is_after_blank_line(start) else 1)
        self._began = start

    def _is_after_blank_line(self, start: int) -> bool:
        newlines = 0
        for place in range(start - 1, self._began, -1):
            if self._raw[place] not in b" \t>\n":
                break
            newlines += self._raw[place] == ord("\n")
            if newlines == 2:
                return True
        return False

    def _item(self, start: int) -> None:
        self._page.line()
        self._indent = "  " * (len(self._counts) - 1)
        self._is_numbered = (written := _NUMBER.match(self._raw, start)) is not None
        mark = f"{written[1].decode()}{written[2].decode()}" if written else "•"
        count = self._counts[-1]
        if written and count is not None:
            mark = f"{count}{written[2].decode()}"
            self._counts[-1] = count + 1
        self._page.write(f"{self._indent}{mark} ")

    def _task(self, *, done: bool) -> None:
        if not self._is_numbered:
            self._page.erase()
            self._page.write(self._indent)
        self._page.write("☑ " if done else "☐ ")

    def _end_code(self) -> None:
        code = unmasked("".join(self._code or ()).removesuffix("\n"))
        self._code = None
        if self._info == "math" and (text := as_text(code, lines=True)):
            self._page.code("pre", text)
        else:
            self._page.code(FILE if len(code) > MAX_CODE else "pre", code, self._info)

    # -- Tables ---------------------------------------------------------------------------------

    def _beyond_the_head(self, end: int) -> list[Formatted]:
        """Read a row's cells beyond the columns of the head, which Markdown drops."""
        rest = self._raw[self._cell_end : end].decode().rstrip()
        if not rest.strip("| \t>"):
            return []
        first = len(self._raw[: self._cell_end].decode())
        bars = [first + bar.start() for bar in _BAR.finditer(rest)]
        bounds = pairwise([*bars, first + len(rest)])
        cells = [self._source.source[start + 1 : stop].strip() for start, stop in bounds]
        return list(map(formatted, cells if cells[-1] else cells[:-1]))

    def _end_table(self) -> None:
        rows, self._rows = self._rows, []
        columns = max(map(len, rows))
        padded = [[*row, *[Formatted("", ())] * (columns - len(row))] for row in rows]
        self._page.paste(laid_out(padded))

    # -- In a line ------------------------------------------------------------------------------

    def _text(self, text: str, start: int) -> None:
        if self._code is not None:
            self._code.append(text)
            return
        done = 0
        is_escaped = start > 0 and self._raw[start - 1] == ord("\\")
        if is_escaped or (self._raw[start] == ord("&") and text[0] != "&"):
            self._words(verbatim(text[0]))
            done = 1
        for found in FORMULA.finditer(text):
            self._words(text[done : found.start()])
            done = found.end()
            self._formula(start + len(text[: found.start()].encode()))
        self._words(text[done:])

    def _words(self, text: str) -> None:
        if self._after_display and text[:1].isspace():
            text = "\n" + text.lstrip()
        if text:
            self._after_display = False
            self._page.write(text)

    def _formula(self, start: int) -> None:
        formula = self._formulas[start]
        on_its_own = formula.display and self._page is self._main
        text = as_text(formula.latex, lines=on_its_own) or formula.latex.strip()
        if on_its_own:
            self._begin(start)
        self._page.code("pre" if on_its_own else "code", text)
        self._after_display = on_its_own

    def _link(self, tag: dict[str, str]) -> None:
        url = unmasked(tag["dest_url"])
        before = self._page.last
        is_code = before.isalnum() and tag["link_type"] == "Inline" and not _ADDRESS.fullmatch(url)
        self._links.append((url, self._page.size, is_code))
        if is_code:  # a[i](x)
            self._page.write("[")

    def _end_link(self) -> None:
        url, start, is_code = self._links.pop()
        label = unmasked(self._page.since(start))
        if is_code:
            self._page.write(hidden(f"]({url})"))
        elif not label:
            self._page.write(hidden(url))
        elif _ADDRESS.fullmatch(url):
            self._page.span("text_link", start, url)
        else:
            self._page.write(hidden(spelled_out(url, label)))


_NUMBER = re.compile(rb"[ \t>]*(\d+)([.)])")
_BAR = re.compile(r"(?<!\\)\|")

# Addresses that Telegram takes for a link; with any other it refuses the whole message.
_ADDRESS = re.compile(
    r"https?://[\w-]+(\.[\w-]+)+(:[1-9][0-9]{0,3}|:[1-5][0-9]{4})?([/?#]\S*)?"
    r"|tg://(?!emoji\?)[a-z0-9]+(\?\S*)?"  # bots cannot send custom emoji
)


def _named(tag: Any) -> tuple[str, Any]:
    return (tag, "") if isinstance(tag, str) else next(iter(tag.items()))


def _placed(source: Masked) -> dict[int, Formula]:
    """Map the byte where each formula begins in the masked text to the formula."""
    place = done = 0
    placed = {}
    for formula in source.formulas:
        place += len(source.text[done : formula.start].encode())
        done = formula.start
        placed[place] = formula
    return placed


def _counted(read: list[tuple[Any, int, int]], raw: bytes) -> dict[int, int]:
    """Find lists whose items all have one number: their places, and that number."""
    counted = {}
    lists: list[tuple[int, list[bytes]]] = []
    for event, start, _ in read:
        match event:
            case {"Start": {"List": _}}:
                lists.append((start, []))
            case {"Start": "Item"} if number := _NUMBER.match(raw, start):
                lists[-1][1].append(number[1])
            case {"End": {"List": _}}:
                first, numbers = lists.pop()
                if len(numbers) > 1 and len(set(numbers)) == 1:
                    counted[first] = int(numbers[0])
    return counted
