"""What Telegram finds by itself in every text: commands, mentions, tags, links, addresses, numbers.

The common part of TDLib's own rules (MessageEntity.cpp), with the top-level domains that people
use, and phone numbers in international form, which the server alone finds.
"""

import re
from collections.abc import Callable, Iterator

from babel import Locale

Span = tuple[str, int, int]
"""Kind, start and end, in code points."""

_GENERIC = """
aero agency app art asia biz blog bot cat chat click cloud club codes com coop design dev
digital edu email expert finance fun games global gov group guru host icu info int jobs life
link live ltd media mil mobi museum name net network news one online org page photo post press
pro pub shop site space store studio systems team tech tel today tools top travel video vip
website wiki work works world xyz бел дети ком москва онлайн орг рус рф сайт укр қаз
"""
_COUNTRIES = {str(code).lower() for code in Locale("en").territories}  # and numbers of continents
_DOMAINS = {"uk", "su", *_GENERIC.split(), *filter(str.isalpha, _COUNTRIES)}

_AFTER = ".,:;!?'\"…"
_BRACKETS = {")": "(", "]": "[", "}": "{"}
_LINK = re.compile(
    r"(?<![\w@.-])(?:(?P<scheme>https?|ftp|tonsite)://)?"
    r"(?P<host>(?:[^\W_](?:[^\W_]|-){0,62}\.){1,10}(?P<top>[^\W_](?:[^\W_]|-){0,62}))(?![\w@-])"
    r"(?::\d{1,5}(?!\d))?(?P<path>[/?#][^\s<>\"«»]*)?",
    re.IGNORECASE,
)
_OWN_LINK = re.compile(r"(?<!\w)(?:tg|ton)://[a-z0-9_-]+(?:[/?#][^\s<>\"«»]*)?", re.IGNORECASE)
_ADDRESS = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}")
_EMAIL = re.compile(
    r"(?<![\w.+@:-])(?:[a-z0-9_-]{1,26}[.+]){0,10}[a-z0-9_-]{1,35}"
    r"@(?:[a-z0-9](?:[a-z0-9-]{0,28}[a-z0-9])?\.){1,6}(?P<top>[a-z]{2,8})(?![\w@-])",
    re.IGNORECASE,
)
_PHONE = re.compile(
    r"(?<![\w+])\+\d{1,3}[ -]?(?:\(\d{2,4}\)|\d{2,4})(?:[ -]?\d{2,4}){1,4}(?!\w)", re.ASCII
)
_MARKED = {
    "hashtag": r"(?<!\w)#(?=\w*[^\W\d_])\w{1,256}(?:@[A-Za-z0-9_]{3,32})?(?![\w#])",
    "cashtag": r"(?<![\w$])\$(?:1INCH|[A-Z]{1,8})(?:@[A-Za-z0-9_]{3,32})?(?![\w$])",
    "mention": r"(?<!\w)@[A-Za-z0-9_]{4,32}(?!\w)",
    "bot_command": r"(?<![\w/<>])/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?(?![\w/<>@])",
}


def spans(text: str) -> list[Span]:
    """Return what Telegram finds in ``text``, in order; a link hides the marks inside it."""
    found: list[Span] = []
    for finder in _FINDERS:
        for kind, start, end in finder(text):
            if not any(start < t_end and t_start < end for _, t_start, t_end in found):
                found.append((kind, start, end))
    return sorted(found, key=lambda span: span[1])


def _emails(text: str) -> Iterator[Span]:
    for match in _EMAIL.finditer(text):
        if match["top"].lower() in _DOMAINS:
            yield "email", *match.span()


def _own_links(text: str) -> Iterator[Span]:
    for match in _OWN_LINK.finditer(text):
        yield "url", match.start(), match.start() + len(match[0].rstrip(_AFTER))


def _links(text: str) -> Iterator[Span]:
    for match in _LINK.finditer(text):
        if _is_host(match):
            before = match.start("path") - match.start() if match["path"] else len(match[0])
            path = _trimmed(match["path"]) if match["path"] else ""
            yield "url", match.start(), match.start() + before + len(path)


def _is_host(match: re.Match[str]) -> bool:
    top = match["top"]
    if _ADDRESS.fullmatch(match["host"]):
        return all(int(number) < 256 for number in match["host"].split("."))
    if top.lower().startswith("xn--"):
        return True
    if match["scheme"]:
        return len(top) > 1 and top.isalpha()
    # "end.In the beginning" is a missing space, not India.
    return top.lower() in _DOMAINS and not (top[0].isupper() and top[1:].islower())


def _trimmed(path: str) -> str:
    """Cut off punctuation, and brackets that were opened before the link."""
    while path and (
        path[-1] in _AFTER
        or (path[-1] in _BRACKETS and path.count(path[-1]) > path.count(_BRACKETS[path[-1]]))
    ):
        path = path[:-1]
    return path


def _phones(text: str) -> Iterator[Span]:
    for match in _PHONE.finditer(text):
        if 7 <= sum(character.isdigit() for character in match[0]) <= 15:
            yield "phone_number", *match.span()


def _marks(kind: str, pattern: str) -> Callable[[str], Iterator[Span]]:
    mark = re.compile(pattern)
    return lambda text: ((kind, *match.span()) for match in mark.finditer(text))


_FINDERS = (
    _emails,
    _own_links,
    _links,
    _phones,
    *(_marks(kind, pattern) for kind, pattern in _MARKED.items()),
)
