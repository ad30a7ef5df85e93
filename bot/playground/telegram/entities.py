"""Text entities: found in what people write, checked in what a bot sends.

Offsets and lengths are UTF-16 code units throughout, as in the Bot API.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from bot.playground.telegram.entity import Entity, EntityError, from_tdlib, made, read, to_tdlib
from bot.playground.telegram.finding import spans

try:
    import tdjson
except ImportError:  # `make demo` installs it; elsewhere the built-in checks do alone
    tdjson = None  # type: ignore[assignment]

if tdjson is not None:
    tdjson.td_execute(b'{"@type": "setLogVerbosityLevel", "new_verbosity_level": 0}')

MOST_ENTITIES = 100
"""More are not applied, without an error (telegram-bot-api issue 820)."""

_SOLID = {"code", "pre", "text_link", "text_mention", "custom_emoji"}
"""Nothing is found inside these."""
_PARSE_MODES = {
    "html": {"@type": "textParseModeHTML"},
    "markdown": {"@type": "textParseModeMarkdown", "version": 1},
    "markdownv2": {"@type": "textParseModeMarkdown", "version": 2},
}


# A link needs a host with a dot, an IP address, or Telegram's own scheme.
_LINK = re.compile(
    r"(?:tg|ton)://.|(?:https?://)?(?:[^\s/@]*@)?[^\s/:.]*\.[^\s/:]|https?://\[", re.IGNORECASE
)
# What TDLib strips: a text of nothing else is empty.
_BLANK = "".join(map(chr, [*range(33), 0x30A, 0x333, 0x33F, *range(0x2028, 0x202F)]))


def units(text: str) -> int:
    """Return the length of ``text`` in UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def is_blank(text: str) -> bool:
    """True if nothing of ``text`` would be visible; the server calls that empty."""
    return not text.strip(_BLANK)


def is_unicode(text: str) -> bool:
    """True if ``text`` can be encoded: it has no lone surrogates."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def is_link(url: str) -> bool:
    """True if Telegram takes ``url`` as the address of a link."""
    return _LINK.match(url) is not None


def marked(message: dict[str, Any]) -> Iterator[tuple[Entity, str]]:
    """Yield each entity of a message with its text."""
    for text, entities in (("text", "entities"), ("caption", "caption_entities")):
        encoded = message.get(text, "").encode("utf-16-le")
        for entity in message.get(entities, ()):
            start, length = 2 * entity["offset"], 2 * entity["length"]
            yield entity, encoded[start : start + length].decode("utf-16-le")


def find(text: str) -> list[Entity]:
    """Find what Telegram finds in every message: commands, mentions, tags, links, addresses."""
    return [
        made(kind, units(text[:start]), units(text[start:end])) for kind, start, end in spans(text)
    ]


def sent(text: str, parse_mode: str, entities: Sequence[Entity]) -> tuple[str, list[Entity]]:
    """Return text and entities as the server keeps them; EntityError if it refuses."""
    if parse_mode:
        text, kept = _parsed(text, parse_mode)
    else:
        kept = _judged(text, entities)
    text, kept = _trimmed(text, kept[:MOST_ENTITIES])
    solid = [entity for entity in kept if entity["type"] in _SOLID]
    free = [e for e in find(text) if not any(_overlap(e, other) for other in solid)]
    return text, sorted(kept + free, key=lambda e: (e["offset"], -e["length"]))


def _overlap(one: Entity, other: Entity) -> bool:
    return bool(
        one["offset"] < other["offset"] + other["length"]
        and other["offset"] < one["offset"] + one["length"]
    )


def _parsed(text: str, parse_mode: str) -> tuple[str, list[Entity]]:
    mode = _PARSE_MODES.get(parse_mode.lower())
    if mode is None:
        raise EntityError("unsupported parse_mode")
    if tdjson is None:
        raise EntityError("can't parse entities: parse_mode needs tdjson, which is not installed")
    result = _ask({"@type": "parseTextEntities", "text": text, "parse_mode": mode})
    return result["text"], list(from_tdlib(result["entities"]))


def _judged(text: str, entities: Sequence[Entity]) -> list[Entity]:
    """Keep the entities that a bot may set; the server finds the others itself."""
    given = [known for entity in entities if (known := read(entity))]
    if not given:
        return []
    asked = {
        "@type": "formattedText",
        "text": text,
        "entities": [to_tdlib(entity) for entity in given],
    }
    edges = _edges(text)
    for entity in given:
        _check(text, edges, entity)
    if tdjson is not None:
        # The only call without a login that takes text *with* entities. Its result, with Markdown
        # parsed, is of no use here; its refusal is the one the Bot API passes on.
        _ask({"@type": "parseMarkdown", "text": asked})
    return [entity for entity in given if entity["length"] > 0]


def _ask(request: dict[str, Any]) -> dict[str, Any]:
    """Ask TDLib without a login. Source of the calls: td_api.tl, "can be called synchronously"."""
    answer = tdjson.td_execute(json.dumps(request).encode())
    result: dict[str, Any] = json.loads(answer or b"{}")
    if result.get("@type") == "error":
        raise EntityError(result["message"])
    return result


def _check(text: str, edges: set[int], entity: Entity) -> None:
    """Check what needs no TDLib: that entities lie inside the text, and links have a host."""
    begin, length = entity["offset"], entity["length"]
    if begin < 0:
        raise EntityError(f"Receive an entity with incorrect offset {begin}")
    if length < 0:
        raise EntityError(f"Receive an entity with incorrect length {length}")
    if length == 0:
        return
    last = max(edges)
    if begin > last:
        raise EntityError(f"Entity begins after the end of the text at UTF-16 offset {begin}")
    if begin + length > last:
        raise EntityError(
            f"Entity beginning at UTF-16 offset {begin} ends after the end of the text"
            f" at UTF-16 offset {begin + length}"
        )
    for verb, place in (("begins", begin), ("ends", begin + length)):
        if place not in edges:
            byte = len(text.encode("utf-16-le")[: 2 * place - 2].decode("utf-16-le").encode())
            raise EntityError(
                f"Entity {verb} in a middle of a UTF-16 symbol at byte offset {byte + 4}"
            )
    if entity["type"] == "text_link" and not is_link(url := entity["url"]):
        raise EntityError(f"Entity URL '{url}' is invalid: Wrong HTTP URL")


def _edges(text: str) -> set[int]:
    """Return the UTF-16 offsets that lie between characters."""
    place, edges = 0, {0}
    for character in text:
        place += 2 if character > "\uffff" else 1
        edges.add(place)
    return edges


def _trimmed(text: str, entities: list[Entity]) -> tuple[str, list[Entity]]:
    """Cut blanks off the end, and off the start as far as the first entity."""
    text = text.rstrip(" \n")
    size = units(text)
    kept = [
        {**entity, "length": min(entity["length"], size - entity["offset"])}
        for entity in sorted(entities, key=lambda e: int(e["offset"]))
        if entity["offset"] < size
    ]
    blank = len(text) - len(text.lstrip(" \n"))
    lead = min(blank, kept[0]["offset"]) if kept else blank
    return text[lead:], [{**entity, "offset": entity["offset"] - lead} for entity in kept]
