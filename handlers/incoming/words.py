"""What a message says, in words for the model. Pure: it reads JSON, any JSON.

Hidden links become Markdown links, code keeps its fences. Polls, checklists, contacts and places
become text; pictures, voice and the like their kind and caption.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from handlers.incoming.rich import Rich, fenced, linked, quoted_code
from handlers.texts import Texts
from storage.message import well_formed

Json = dict[str, Any]

UNREAD = "unread_"
"""Prefix of the names of parts that python-telegram-bot cannot read."""


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a text with a meaning; positions count Python's characters.

    ``more`` is a link's address, code's language, or a mentioned person's id.
    """

    kind: str
    start: int
    end: int
    more: str = ""


def written(message: Json) -> tuple[str, list[Span]]:
    """Return the text or the caption of a message, and its spans."""
    for text, entities in (("text", "entities"), ("caption", "caption_entities")):
        if isinstance(message.get(text), str):
            found = well_formed(message[text])
            given = message.get(entities, message.get(UNREAD + entities))
            return found, list(_spans(found, given))
    return "", []


def part(text: str, spans: Sequence[Span], start: int, end: int) -> tuple[str, list[Span]]:
    """Cut a part out of a text."""
    inside = [
        replace(span, start=max(span.start, start) - start, end=min(span.end, end) - start)
        for span in spans
        if span.start < end and span.end > start
    ]
    return text[start:end], inside


def marked(text: str, spans: Sequence[Span]) -> str:
    """Write a text as Markdown, with its hidden links and its code."""
    codes = _apart([span for span in spans if span.kind in ("code", "pre")])
    links = [_around(span, codes) for span in spans if span.kind == "text_link"]
    written, at = "", 0
    for link in sorted(links, key=lambda span: (span.start, -span.end)):
        written = _with_codes(written, text, at, link.start, codes)
        start = max(at, link.start)
        label = _with_codes("", text, start, link.end, codes, escaped=True)
        hidden = linked(label, link.more)
        # A link that only names itself needs no label.
        plain = text[start : max(start, link.end)]
        written += hidden if linked(plain, link.more) != plain else plain
        at = max(at, link.end)
    return _with_codes(written, text, at, len(text), codes)


def told(message: Json, texts: Texts) -> str:
    """Return all that a message says, or a part of one; "" for nothing."""
    found = {name.removeprefix(UNREAD): value for name, value in message.items()}
    kinds = texts.kinds
    words = marked(*written(message))
    if "rich_message" in found:
        words = words or Rich(found["rich_message"], kinds).text()
    for name, kind in kinds.items():
        given = found.get(name)
        if given:
            as_text = _AS_TEXT.get(name)
            if as_text:
                text = _joined("\n", as_text(given if isinstance(given, dict) else {}), words)
                return well_formed(f"{_capital(kind)}: {text}")
            label = _joined(" ", [kind, _named(given)])
            return well_formed(f"[{label}: {words}]" if words else f"[{label}]")
    return words


def _spans(text: str, entities: Any) -> Iterator[Span]:
    wide = text.encode("utf-16-le")
    for entity in entities if isinstance(entities, list | tuple) else ():
        if not isinstance(entity, dict):
            continue
        offset, length, user = (entity.get(name) for name in ("offset", "length", "user"))
        if type(offset) is not int or type(length) is not int or offset < 0 or length < 0:
            continue
        # Telegram counts UTF-16 code units.
        start, end = (
            len(wide[: 2 * place].decode("utf-16-le", "ignore"))
            for place in (offset, offset + length)
        )
        more = user.get("id") if isinstance(user, dict) else entity.get("url")
        more = more or entity.get("language") or ""
        if start < end:
            yield Span(str(entity.get("type")), start, end, well_formed(str(more)))


def _apart(spans: Sequence[Span]) -> list[Span]:
    """Drop spans that overlap an earlier one."""
    apart: list[Span] = []
    for span in sorted(spans, key=lambda one: (one.start, -one.end)):
        if not apart or span.start >= apart[-1].end:
            apart.append(span)
    return apart


def _around(link: Span, codes: Sequence[Span]) -> Span:
    """Widen a link to whole pieces of code, inside which nothing can be marked."""
    for code in codes:
        if code.start < link.end and link.start < code.end:
            start, end = min(link.start, code.start), max(link.end, code.end)
            link = replace(link, start=start, end=end)
    return link


def _with_codes(
    before: str, text: str, start: int, end: int, codes: Sequence[Span], *, escaped: bool = False
) -> str:
    """Append a part of a text to ``before``, with its code."""

    def plain(start: int, end: int) -> str:
        return re.sub(r"([\[\]\\])", r"\\\1", text[start:end]) if escaped else text[start:end]

    for code in codes:
        if code.start < start or code.end > end:
            continue
        before += plain(start, code.start)
        body = text[code.start : code.end]
        if code.kind == "code" and "\n" not in body:
            before += quoted_code(body)
        else:
            newline = "\n" if before and not before.endswith("\n") else ""
            follows = "\n" if code.end < len(text) and text[code.end] != "\n" else ""
            before += f"{newline}{fenced(body, code.more)}{follows}"
        start = code.end
    return before + plain(start, max(start, end))


def _poll(poll: Json) -> list[str]:
    lines = [_str(poll, "question")]
    for option in _list(poll, "options"):
        votes = option.get("voter_count")
        lines.append(f"- {_str(option, 'text')}" + (f" ({votes})" if votes else ""))
    return [*lines, _str(poll, "description"), _str(poll, "explanation")]


def _checklist(checklist: Json) -> list[str]:
    tasks = [
        f"[{'x' if task.get('completion_date') else ' '}] {_str(task, 'text')}"
        for task in _list(checklist, "tasks")
    ]
    return [_str(checklist, "title"), *tasks]


def _contact(contact: Json) -> list[str]:
    name = _joined(" ", [_str(contact, "first_name"), _str(contact, "last_name")])
    return [_joined(", ", [name, _str(contact, "phone_number")])]


def _location(place: Json) -> list[str]:
    return [_joined(", ", [str(place.get(name, "")) for name in ("latitude", "longitude")])]


def _venue(venue: Json) -> list[str]:
    place = venue.get("location")
    where = _location(place)[0] if isinstance(place, dict) else ""
    named = _joined(", ", [_str(venue, "title"), _str(venue, "address")])
    return [_joined(" ", [named, f"({where})" if where else ""])]


_AS_TEXT = {
    "poll": _poll,
    "checklist": _checklist,
    "contact": _contact,
    "venue": _venue,
    "location": _location,
}


def _named(given: Any) -> str:
    """Return what names a thing, such as a file's name, on one line."""
    if not isinstance(given, dict):
        return ""
    names = [_str(given, name) for name in ("performer", "title", "file_name", "emoji")]
    if any(names[:2]):
        names[2] = ""  # a song's title says more than its file name
    value = given.get("value")
    names.append(str(value) if type(value) is int else "")
    return " ".join(_joined(" ", names).split())


def _joined(between: str, parts: Sequence[str], last: str = "") -> str:
    return between.join(one for one in [*parts, last] if one)


def _capital(word: str) -> str:
    return word[:1].upper() + word[1:]


def _str(given: Json, name: str) -> str:
    value = given.get(name)
    return value if isinstance(value, str) else ""


def _list(given: Json, name: str) -> list[Json]:
    value = given.get(name)
    return (
        [one for one in value if isinstance(one, dict)] if isinstance(value, list | tuple) else []
    )
