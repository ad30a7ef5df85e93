"""What is in a message: its text or file, and its place in the chat."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.playground.chat import Chat, Json
from bot.playground.entities import find

_file_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as a person sends it."""

    name: str
    kind: str
    content: bytes


def written(text: str) -> Json:
    """Return the content of a text message."""
    entities = find(text)
    return {"text": text, "entities": entities} if entities else {"text": text}


def document(upload: Upload) -> Json:
    """Return a new Document."""
    return _file(file_name=upload.name, mime_type=upload.kind, file_size=len(upload.content))


def of_kind(kind: str, caption: str) -> Json:
    """Return the content of a sticker, a photo or a voice note."""
    return _KINDS[kind]() | captioned(caption)


def captioned(caption: str) -> Json:
    """Return the caption's part of a content, if there is one."""
    if not caption:
        return {}
    entities = find(caption)
    return {"caption": caption} | ({"caption_entities": entities} if entities else {})


def position(chat: Chat, reply_to: int | None, topic: int | None) -> Json:
    """Return a message's position in the chat.

    In a topic, every message that is not a reply "replies" to the message that opened the topic; in
    other supergroups a reply carries its thread's id but no ``is_topic_message``.
    """
    replied = chat.messages.get(reply_to or 0)
    if topic is None and replied and replied.get("is_topic_message"):
        topic = replied["message_thread_id"]
    fields: Json = {}
    if topic is not None and topic in chat.topics:
        replied = replied or chat.messages[topic]
        fields = {"message_thread_id": topic, "is_topic_message": True}
    elif topic is not None:
        fields = {"message_thread_id": topic}
    elif replied and chat.kind == "supergroup":
        fields = {"message_thread_id": replied.get("message_thread_id", reply_to)}
    if replied:
        inner = {key: value for key, value in replied.items() if key != "reply_to_message"}
        fields["reply_to_message"] = inner
    return fields


def _file(**more: Any) -> Json:
    number = next(_file_numbers)
    return {"file_id": f"file{number}", "file_unique_id": f"unique{number}", **more}


def _sticker() -> Json:
    look = {"type": "regular", "is_animated": False, "is_video": False, "emoji": "👍"}
    return {"sticker": _file(width=512, height=512, **look)}


_KINDS: dict[str, Callable[[], Json]] = {
    "sticker": _sticker,
    "photo": lambda: {"photo": [_file(width=90, height=90)]},
    "voice": lambda: {"voice": _file(duration=3, mime_type="audio/ogg")},
}
