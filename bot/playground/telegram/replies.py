"""What a message of the bot replies to: in its chat or another one, and what it quotes of that.

Sources: core.telegram.org/bots/api#replyparameters, telegram-bot-api's get_reply_parameters and
check_reply_parameters. ``QUOTE_TEXT_INVALID`` is the server's own.
"""

from dataclasses import dataclass, field

from bot.playground.telegram.chat import Chat, Json
from bot.playground.telegram.content import quoted
from bot.playground.telegram.fields import whole_number
from bot.playground.telegram.parameters import bad, number, open_chat, words_of
from bot.playground.telegram.room import Room

LONGEST_QUOTE = 1024
_QUOTED = frozenset(
    [
        "bold",
        "italic",
        "underline",
        "strikethrough",
        "spoiler",
        "custom_emoji",
        "date_time",
    ]
)
_SHOWN = (
    "link_preview_options",
    "has_media_spoiler",
    "animation",
    "audio",
    "document",
    "photo",
    "sticker",
    "video",
    "video_note",
    "voice",
    "contact",
    "dice",
    "location",
    "poll",
    "venue",
)


@dataclass(frozen=True, slots=True)
class Reply:
    """The message of the same chat that is replied to, and what else the new message tells."""

    to: int | None = None
    fields: Json = field(default_factory=dict)


def reply_of(room: Room, chat: Chat, given: Json) -> Reply:
    """Return what a call's message replies to. ApiError if that is not there, or not so quoted."""
    asked = given.get("reply_parameters")
    if asked is None:
        asked = {
            "message_id": number(given, "reply_to_message_id"),
            "allow_sending_without_reply": given.get("allow_sending_without_reply"),
        }
    elif not isinstance(asked, dict):
        raise bad("object expected as reply parameters")
    elif asked:
        _check_message_id(asked)
    there = _chat_of(room, chat, asked)
    replied = there.messages.get(wanted := number(asked, "message_id"))
    lenient = asked.get("allow_sending_without_reply") is True and there is chat
    if wanted <= 0 or (replied is None and lenient):
        return Reply()
    if replied is None:
        raise bad("message to be replied not found")
    fields = _quote(replied, asked)
    if there is chat:
        return Reply(wanted, fields)
    return Reply(None, {"external_reply": _external(there, replied)} | fields)


def _check_message_id(asked: Json) -> None:
    try:
        whole_number(asked, "message_id")
    except ValueError as error:
        raise bad(f"can't parse reply parameters: {error}") from None


def _chat_of(room: Room, chat: Chat, asked: Json) -> Chat:
    if asked.get("chat_id") in (None, ""):
        return chat
    return open_chat(room, {"chat_id": asked["chat_id"]})


def _quote(replied: Json, asked: Json) -> Json:
    if not asked.get("quote"):
        return {}
    names = {"quote": "quote", "parse_mode": "quote_parse_mode", "entities": "quote_entities"}
    given = {name: asked.get(theirs) for name, theirs in names.items()}
    quote = words_of(given, "quote", "entities", LONGEST_QUOTE)
    try:
        made = quoted(replied, quote["quote"], number(asked, "quote_position"))
    except ValueError:
        raise bad("QUOTE_TEXT_INVALID") from None
    entities = [entity for entity in quote.get("entities", ()) if entity["type"] in _QUOTED]
    return {"quote": made | ({"entities": entities} if entities else {})}


def _external(chat: Chat, replied: Json) -> Json:
    """Return the ExternalReplyInfo of a message of another chat."""
    info: Json = {"origin": _origin(replied)}
    if chat.kind in ("supergroup", "channel"):
        info |= {"chat": chat.json(), "message_id": replied["message_id"]}
    return info | {name: replied[name] for name in _SHOWN if name in replied}


def _origin(message: Json) -> Json:
    """Return the MessageOrigin of a message."""
    date = message["date"]
    if message["chat"]["type"] == "channel":
        there = {"chat": message["chat"], "message_id": message["message_id"]}
        return {"type": "channel", "date": date, **there}
    if "sender_chat" in message:
        return {"type": "chat", "date": date, "sender_chat": message["sender_chat"]}
    return {"type": "user", "date": date, "sender_user": message["from"]}
