"""TDLib, the library inside Telegram's Bot API server, as the judge of a text with entities."""

import json
from collections.abc import Iterable
from typing import Any

import tdjson

from handlers.rendering.markup import Entity

_KINDS = {
    "bold": "Bold",
    "italic": "Italic",
    "underline": "Underline",
    "strikethrough": "Strikethrough",
    "spoiler": "Spoiler",
    "code": "Code",
    "pre": "Pre",
    "blockquote": "BlockQuote",
    "text_link": "TextUrl",
}


def refusal(text: str, entities: Iterable[Entity]) -> str | None:
    """Return why Telegram would refuse to send this, None if it would not.

    ``getMarkdownText`` needs neither network nor login, and checks and mends the entities it is
    given (``get_message_entities``, ``fix_formatted_text``) as sending does; only an empty text,
    and one that becomes empty, it lets pass.
    """
    formatted = {"@type": "formattedText", "text": text, "entities": list(map(_entity, entities))}
    answer = _execute({"@type": "getMarkdownText", "text": formatted})
    if answer["@type"] == "error":
        return str(answer["message"])
    return None if answer["text"].strip() else "message text is empty"


def _entity(entity: Entity) -> dict[str, Any]:
    kind = {"@type": f"textEntityType{_KINDS[entity['type']]}"}
    if "url" in entity:
        kind["url"] = entity["url"]
    if "language" in entity:
        kind = {"@type": "textEntityTypePreCode", "language": entity["language"]}
    return {
        "@type": "textEntity",
        "offset": entity["offset"],
        "length": entity["length"],
        "type": kind,
    }


def _execute(request: dict[str, Any]) -> dict[str, Any]:
    answer = tdjson.td_execute(json.dumps(request).encode())
    assert answer is not None
    loaded: dict[str, Any] = json.loads(answer)
    return loaded


_execute({"@type": "setLogVerbosityLevel", "new_verbosity_level": 0})
