"""Forwarding: what of a message goes with it to another chat, and where it says it is from.

Source: core.telegram.org/bots/api#messageorigin.
"""

from bot.playground.telegram.chat import Chat, Json
from bot.playground.telegram.content import FILED, kind_of

CAPTION = ("caption", "caption_entities", "show_caption_above_media")
"""The fields of a message that its caption has."""
_CONTENT = (
    *(*FILED, "venue", "location", "contact", "poll", "dice", "text", "entities"),
    *(*CAPTION, "link_preview_options", "has_media_spoiler"),
)
"""The fields of a message that go with it."""


def forwarded(chat: Chat, message: Json) -> Json | None:
    """Return the content of a message forwarded, with where it is from; None if it cannot be."""
    content = content_of(message)
    if content is None:
        return None
    return content | {"forward_origin": message.get("forward_origin") or _origin(chat, message)}


def content_of(message: Json) -> Json | None:
    if not kind_of(message) or message.get("has_protected_content"):
        return None
    return {name: message[name] for name in _CONTENT if name in message}


def _origin(chat: Chat, message: Json) -> Json:
    """Return the MessageOrigin of a message that is no forward itself."""
    date, signature = {"date": message["date"]}, _signature(message)
    sender = message.get("sender_chat")
    if chat.channel:
        post = {"chat": chat.json(), "message_id": message["message_id"]}
        return {"type": "channel", **date, **post, **signature}
    if sender:
        return {"type": "chat", **date, "sender_chat": sender, **signature}
    return {"type": "user", **date, "sender_user": message["from"]}


def _signature(message: Json) -> Json:
    name = message.get("author_signature")
    return {"author_signature": name} if name else {}
