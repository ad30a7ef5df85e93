"""What is in a message: its text or file, and its place in the chat."""

from bot.playground.telegram.chat import Chat, Json
from bot.playground.telegram.entities import find, units
from bot.playground.telegram.files import File

FILED = ("animation", "audio", "document", "photo", "sticker", "video", "video_note", "voice")
"""The fields of a message that has a file, an animation's before its document's."""
_DOCUMENT = ("file_id", "file_unique_id", "thumbnail", "file_name", "mime_type", "file_size")
_KINDS = (*FILED, "venue", "location", "contact", "poll", "dice", "text")


def kind_of(message: Json) -> str:
    """Return what a message has in it: the name of its field, empty for a service message."""
    return next((kind for kind in _KINDS if kind in message), "")


def written(text: str) -> Json:
    """Return the content of a text message."""
    entities = find(text)
    return {"text": text, "entities": entities} if entities else {"text": text}


def shown(file: File) -> Json:
    """Return a file as a message has it."""
    made: Json = {file.kind: file.shown}
    if file.kind == "animation":  # "for backward compatibility": core.telegram.org/bots/api#message
        made["document"] = {name: file.shown[name] for name in _DOCUMENT if name in file.shown}
    return made


def captioned(caption: str) -> Json:
    """Return the caption's part of a content, if there is one."""
    if not caption:
        return {}
    entities = find(caption)
    return {"caption": caption} | ({"caption_entities": entities} if entities else {})


def permission_for(content: Json) -> str:
    """Return the permission that somebody needs to send this."""
    return _PERMISSIONS.get(kind_of(content), _TEXT)


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


def quoted(message: Json, text: str, near: int = 0) -> Json:
    """Return a TextQuote of the ``text`` of a message that is nearest to a place.

    ``near`` and its position are in UTF-16 units. ValueError if the message does not have it.
    """
    words: str = message.get("text") or message.get("caption") or ""
    places = [
        units(words[:place])
        for place in range(len(words) - len(text) + 1)
        if text and words.startswith(text, place)
    ]
    if not places:
        raise ValueError("the message that is replied to does not have this quote")
    nearest = min(places, key=lambda place: abs(place - near))
    return {"text": text, "position": nearest, "is_manual": True}


_TEXT = "can_send_messages"
_PERMISSIONS = {
    "animation": "can_send_other_messages",
    "audio": "can_send_audios",
    "dice": "can_send_other_messages",
    "document": "can_send_documents",
    "photo": "can_send_photos",
    "poll": "can_send_polls",
    "sticker": "can_send_other_messages",
    "video": "can_send_videos",
    "video_note": "can_send_video_notes",
    "voice": "can_send_voice_notes",
}
