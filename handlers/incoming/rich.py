"""Rich messages as text: Telegram's tree of blocks, flattened to Markdown for the model. Pure.

python-telegram-bot does not know them yet, so this reads JSON, any JSON: an unknown kind gives
whatever text is in it, and nothing raises.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from storage.message import well_formed

Json = dict[str, Any]

DEEPEST = 40
"""Levels read; Telegram allows 16."""
MOST_PARTS = 20_000
"""Parts read of one message; Telegram allows 500 blocks and 32,768 characters."""

_MEDIA = {"voice_note": "voice", "map": "location"}
"""Blocks whose kind has another name in a message."""
_NO_WORDS = re.compile(
    r".*_id|type|style|v?align|mime_type|name|.*url|language|.*_name|callback_data"
)
"""Keys whose strings are for machines."""


class Rich:
    """One rich message; ``kinds`` names photos and the like, by Telegram's names for them."""

    def __init__(self, message: Any, kinds: Mapping[str, str]) -> None:
        self._message = message
        self._kinds = kinds
        self._parts = 0
        self._ways: dict[str, Callable[[Json, int], str]] = {
            "paragraph": self._text,
            "footer": self._text,
            "thinking": self._text,
            "heading": self._heading,
            "pre": self._pre,
            "divider": lambda _block, _depth: "---",
            "mathematical_expression": self._formula,
            "list": self._list,
            "table": self._table,
            "blockquote": self._quote,
            "expandable_blockquote": self._quote,
            "pullquote": self._quote,
            "details": self._details,
            "buttons": self._buttons,
        }

    def text(self) -> str:
        """Return all its text as Markdown, without bold and the like."""
        blocks = self._message.get("blocks") if isinstance(self._message, dict) else self._message
        return well_formed(self._blocks(blocks, 0)).strip()

    def _blocks(self, blocks: Any, depth: int) -> str:
        if not isinstance(blocks, list):
            blocks = [blocks]
        if any(isinstance(block, str) for block in blocks):
            return self._inline(blocks, depth)  # one text in parts
        found = [self._block(block, depth + 1) for block in blocks]
        return "\n\n".join(text for text in found if text.strip())

    def _block(self, block: Any, depth: int) -> str:
        if not isinstance(block, dict):
            return self._inline(block, depth)
        if not self._may_go_on(depth):
            return ""
        kind = str(block.get("type"))
        kind = _MEDIA.get(kind, kind)
        if kind in self._kinds:
            return self._media(kind, block, depth)
        return self._ways.get(kind, self._anything)(block, depth)

    def _text(self, block: Json, depth: int) -> str:
        return self._inline(block.get("text"), depth)

    def _heading(self, block: Json, depth: int) -> str:
        text, size = self._text(block, depth), block.get("size")
        level = size if type(size) is int and 1 <= size <= 6 else 3
        return f"{'#' * level} {text}" if text else ""

    def _pre(self, block: Json, depth: int) -> str:
        return fenced(self._plain(block.get("text"), depth), block.get("language"))

    def _formula(self, block: Json, _depth: int) -> str:
        return f"$$\n{_str(block.get('expression'))}\n$$"

    def _details(self, block: Json, depth: int) -> str:
        summary = self._inline(block.get("summary"), depth)
        return f"{summary}\n\n{self._blocks(block.get('blocks'), depth)}".strip()

    def _buttons(self, block: Json, depth: int) -> str:
        return " ".join(self._inline(one, depth) for one in _list(block.get("buttons")))

    def _list(self, block: Json, depth: int) -> str:
        lines = []
        for item in _list(block.get("items")):
            given = item if isinstance(item, dict) else {"blocks": item}
            label = _str(given.get("label")).strip()
            mark = "-" if label in ("", "•", "-", "*") else label
            if given.get("has_checkbox"):
                mark += " [x]" if given.get("is_checked") else " [ ]"
            body = self._blocks(given["blocks"], depth) if "blocks" in given else ""
            body = body or self._anything({**given, "label": ""}, depth)
            lines.append(f"{mark} " + body.replace("\n", "\n  "))
        return "\n".join(lines)

    def _table(self, table: Json, depth: int) -> str:
        rows = [
            [self._cell(cell, depth) for cell in _list(row)] for row in _list(table.get("cells"))
        ]
        if not rows:
            return self._anything(table, depth)
        width = max(map(len, rows))
        lines = [f"| {' | '.join(row + [''] * (width - len(row)))} |" for row in rows]
        lines.insert(1, f"|{' --- |' * width}")
        caption = self._inline(table.get("caption"), depth)
        return "\n".join([*([caption, ""] if caption else []), *lines])

    def _cell(self, cell: Any, depth: int) -> str:
        text = self._inline(cell, depth)
        return " ".join(text.replace("|", r"\|").split())

    def _quote(self, block: Json, depth: int) -> str:
        body = [self._text(block, depth), self._blocks(block.get("blocks"), depth)]
        if credit := self._inline(block.get("credit"), depth):
            body.append(f"— {credit}")
        whole = "\n\n".join(part for part in body if part.strip())
        return "\n".join(f"> {line}" for line in whole.splitlines())

    def _media(self, kind: str, block: Json, depth: int) -> str:
        caption = self._anything({"caption": block.get("caption")}, depth)
        return f"[{self._kinds[kind]}: {caption}]" if caption else f"[{self._kinds[kind]}]"

    def _anything(self, part: Json, depth: int) -> str:
        """Return whatever text is in a part of an unknown kind."""
        if not self._may_go_on(depth):
            return ""
        found = [
            self._blocks(value, depth + 1)
            for key, value in part.items()
            if not _NO_WORDS.fullmatch(str(key)) and isinstance(value, str | list | dict)
        ]
        return "\n".join(text for text in found if text.strip())

    def _inline(self, node: Any, depth: int) -> str:
        if not self._may_go_on(depth):
            return ""
        if isinstance(node, str):
            return node
        if isinstance(node, list):
            return "".join(self._inline(one, depth + 1) for one in node)
        if not isinstance(node, dict):
            return ""
        return self._spoken(node, depth + 1)

    def _spoken(self, node: Json, depth: int) -> str:
        match node.get("type"):
            case "code":
                return quoted_code(self._plain(node.get("text"), depth))
            case "url":
                return linked(self._text(node, depth), node.get("url"))
            case "mathematical_expression":
                return f"${_str(node.get('expression'))}$"
            case "custom_emoji":
                return _str(node.get("alternative_text"))
        return self._text(node, depth) if "text" in node else self._anything(node, depth)

    def _plain(self, node: Any, depth: int) -> str:
        """Return text for code, without marks."""
        if not self._may_go_on(depth):
            return ""
        if isinstance(node, list):
            return "".join(self._plain(one, depth + 1) for one in node)
        if isinstance(node, dict):
            return self._plain(node.get("text"), depth + 1)
        return _str(node)

    def _may_go_on(self, depth: int) -> bool:
        self._parts += 1
        return depth <= DEEPEST and self._parts <= MOST_PARTS


def nodes(message: Any) -> Iterator[dict[str, Any]]:
    """Yield all objects in a rich message, each before those inside it."""
    waiting, left = [message], MOST_PARTS
    while waiting and left:
        left -= 1
        part = waiting.pop()
        if isinstance(part, dict):
            yield part
            waiting += reversed(part.values())
        elif isinstance(part, list):
            waiting += reversed(part)


def linked(label: str, url: Any) -> str:
    """Write a link whose label may hide its address."""
    if not isinstance(url, str) or not url or label.strip() in (url, url.removesuffix("/")):
        return label
    # Spaces and parentheses would end the address.
    address = re.sub(r"[\s()<>]", lambda found: quote(found[0], safe=""), well_formed(url))
    return f"[{label}]({address})" if label.strip() else f"{label}<{address}>"


def quoted_code(code: str) -> str:
    """Write code inline, or in a fence if it has several lines."""
    if "\n" in code:
        return f"\n{fenced(code, '')}\n"
    ticks = "`" * (1 + longest_run(code))
    space = " " if code.startswith("`") or code.endswith("`") else ""
    return f"{ticks}{space}{code}{space}{ticks}" if code else ""


def fenced(code: str, language: Any) -> str:
    """Write code between fences that it does not contain."""
    fence = "`" * max(3, 1 + longest_run(code))
    name, body = re.sub(r"[\s`]", "", _str(language)), code.strip("\n")
    return f"{fence}{name}\n{body}\n{fence}"


def longest_run(code: str) -> int:
    """Return the length of the longest run of backticks."""
    return max(map(len, re.findall("`+", code)), default=0)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _str(value: Any) -> str:
    return value if isinstance(value, str) else ""
