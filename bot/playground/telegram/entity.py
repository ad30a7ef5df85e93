"""One text entity: as a bot gives it, as TDLib knows it, and as a message has it.

Fields and errors are those of get_text_entity in telegram-bot-api's Client.cpp and of
core.telegram.org/bots/api#messageentity.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Protocol

from bot.playground.telegram.fields import text, whole_number

Entity = dict[str, Any]

_STYLES = {
    "bold": "Bold",
    "italic": "Italic",
    "underline": "Underline",
    "strikethrough": "Strikethrough",
    "spoiler": "Spoiler",
    "blockquote": "BlockQuote",
    "expandable_blockquote": "ExpandableBlockQuote",
    "code": "Code",
}
_PLAIN = {f"textEntityType{td}": style for style, td in _STYLES.items()}
_IGNORED = {"mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number"}
_PRECISIONS = {"None": "", "Short": "dt", "Long": "DT"}
"""TDLib's words for how a date and a time are shown, and the letters for that."""


class EntityError(ValueError):
    """The server would refuse this text; the message is TDLib's."""


class Somebody(Protocol):
    """Whom a mention is of."""

    def json(self) -> Entity:
        """Return the User."""


def read(given: Entity) -> Entity | None:
    """Return an entity as a message has it, None if it is of a kind that Telegram finds itself.

    EntityError if it is none.
    """
    try:
        place = whole_number(given, "offset"), whole_number(given, "length")
        kind = text(given, "type")
        return None if kind in _IGNORED else made(kind, *place, **_more(kind, given))
    except ValueError as error:
        raise EntityError(f"can't parse MessageEntity: {error}") from None


def made(kind: str, offset: int, length: int, **more: Any) -> Entity:
    return {"type": kind, "offset": offset, "length": length, **more}


def _more(kind: str, given: Entity) -> Entity:
    """Return what an entity of this kind has besides its place."""
    match kind:
        case "text_link":
            return {"url": text(given, "url")}
        case "text_mention":
            user = given.get("user")
            if not isinstance(user, dict):
                raise ValueError('Field "user" must be of type Object')  # noqa: TRY004 -- see read
            return {"user": {"id": whole_number(user, "id", 64)}}
        case "custom_emoji":
            return {"custom_emoji_id": str(whole_number(given, "custom_emoji_id", 64))}
        case "pre":
            language = text(given, "language", "")
            return {"language": language} if language else {}
        case "date_time":
            look = _look(text(given, "date_time_format", ""))
            return {"unix_time": whole_number(given, "unix_time"), **look}
        case style if style in _STYLES:
            return {}
    raise ValueError("Unsupported type specified")


def _look(form: str) -> Entity:
    """Return how a date is shown, of each letter's kind the last; nothing is Telegram's choice."""
    if not re.fullmatch("r|[wdDtT]*", form):
        raise ValueError("Invalid date format used")
    last = ([letter for letter in form if letter in kind][-1:] for kind in ("rw", "dD", "tT"))
    return {"date_time_format": "".join(chain.from_iterable(last))} if form else {}


def to_tdlib(entity: Entity) -> Entity:
    return {
        "@type": "textEntity",
        "offset": entity["offset"],
        "length": entity["length"],
        "type": _tdlib_type(entity),
    }


def _tdlib_type(entity: Entity) -> Entity:
    match entity["type"]:
        case "text_link":
            return {"@type": "textEntityTypeTextUrl", "url": entity["url"]}
        case "text_mention":
            return {"@type": "textEntityTypeMentionName", "user_id": entity["user"]["id"]}
        case "custom_emoji":
            emoji = entity["custom_emoji_id"]
            return {"@type": "textEntityTypeCustomEmoji", "custom_emoji_id": emoji}
        case "pre":
            return {"@type": "textEntityTypePreCode", "language": entity.get("language", "")}
        case "date_time":
            return {"@type": "textEntityTypeDateTime", "unix_time": entity["unix_time"]}
        case style:
            return {"@type": f"textEntityType{_STYLES[style]}"}


def from_tdlib(entities: Sequence[Entity]) -> Iterator[Entity]:
    for entity in entities:
        place = entity["offset"], entity["length"]
        kind = entity["type"]
        match kind["@type"]:
            case "textEntityTypeTextUrl":
                yield made("text_link", *place, url=kind["url"])
            case "textEntityTypeMentionName":
                yield made("text_mention", *place, user={"id": kind["user_id"]})
            case "textEntityTypeCustomEmoji":
                yield made("custom_emoji", *place, custom_emoji_id=kind["custom_emoji_id"])
            case "textEntityTypePreCode":
                yield made("pre", *place, language=kind["language"])
            case "textEntityTypePre":
                yield made("pre", *place)
            case "textEntityTypeDateTime":
                look = _look(_letters(kind.get("formatting_type")))
                yield made("date_time", *place, unix_time=kind["unix_time"], **look)
            case name if name in _PLAIN:
                yield made(_PLAIN[name], *place)


def _letters(look: Entity | None) -> str:
    """Return the letters for a DateTimeFormattingType of TDLib's."""
    if look is None:
        return ""
    if look["@type"] == "dateTimeFormattingTypeRelative":
        return "r"
    date, time = (
        _PRECISIONS[look[name]["@type"].removeprefix("dateTimePartPrecision")][place:][:1]
        for place, name in enumerate(("date_precision", "time_precision"))
    )
    return ("w" if look["show_day_of_week"] else "") + date + time


def introduced(content: Entity, people: Mapping[int, Somebody]) -> Entity:
    """Return a message's content whose mentions have their User; those of nobody known go.

    So do those in its poll.
    """
    kept = dict(content)
    for name in content:
        if name.endswith("entities"):
            kept[name] = list(_introduced(content[name], people))
            if not kept[name]:
                del kept[name]
    if "poll" in content:
        kept["poll"] = introduced(content["poll"], people)
    if "options" in content:
        kept["options"] = [introduced(option, people) for option in content["options"]]
    return kept


def _introduced(entities: Sequence[Entity], people: Mapping[int, Somebody]) -> Iterator[Entity]:
    for entity in entities:
        if entity["type"] != "text_mention":
            yield entity
        elif (somebody := people.get(entity["user"]["id"])) is not None:
            yield {**entity, "user": somebody.json()}
