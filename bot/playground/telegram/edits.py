"""Edits: the bot changes and deletes messages.

Which errors come, and in which order, is from telegram-bot-api's Client.cpp and TDLib's
MessagesManager.
"""

from collections.abc import Iterable
from typing import Any

from bot.playground.telegram.chat import Chat, Json
from bot.playground.telegram.content import FILED, kind_of
from bot.playground.telegram.entity import introduced
from bot.playground.telegram.forwarding import CAPTION
from bot.playground.telegram.inputs import input_media
from bot.playground.telegram.media import caption_of
from bot.playground.telegram.parameters import (
    bad,
    ids_of,
    markup_of,
    number,
    open_chat,
    string,
    text_of,
)
from bot.playground.telegram.room import Room

DELETABLE = 48 * 60 * 60
"""Seconds within which a bot may delete its own message."""
DICE_SECONDS = 24 * 60 * 60
"""Seconds for which a dice in a private chat cannot be deleted."""
_EDITED_MEDIA = frozenset(["animation", "audio", "document", "photo", "text", "video"])
"""What can become another file."""
_TEXT = ("text", "entities", "link_preview_options")
_MEDIA = (*FILED, *CAPTION, *_TEXT, "has_media_spoiler")


def edit_message_text(room: Room, given: Json) -> Json | bool:
    chat, old = message_to_edit(room, given)
    if given.get("rich_message"):
        raise bad("rich_message is not served by the local Telegram")
    content = text_of(given)
    if "text" not in old:
        raise bad("there is no text in the message to edit")
    return change(room, given, chat, old, content, _TEXT)


def edit_message_caption(room: Room, given: Json) -> Json | bool:
    chat, old = message_to_edit(room, given)
    kind = kind_of(old)
    content = caption_of(given, kind)
    if kind not in FILED or kind in ("sticker", "video_note"):
        raise bad("there is no caption in the message to edit")
    return change(room, given, chat, old, content, CAPTION)


def edit_message_media(room: Room, given: Json) -> Json | bool:
    chat, old = message_to_edit(room, given)
    media = input_media(room, given, given.get("media"))
    if kind_of(old) not in _EDITED_MEDIA:
        raise bad("message media can't be edited")
    if "media_group_id" in old and not _mixes(kind_of(old), kind_of(media.content)):
        raise bad("can't change media type in the album")
    message = change(room, given, chat, old, media.content, _MEDIA)
    media.keep(room)
    return message


def edit_message_reply_markup(room: Room, given: Json) -> Json | bool:
    chat, old = message_to_edit(room, given)
    return change(room, given, chat, old, {}, ())


def message_to_edit(room: Room, given: Json, what: str = "message to edit") -> tuple[Chat, Json]:
    """Return the message that a call is about, and its chat: the bot's, or a channel's any post."""
    if is_inline(given):
        return _inline_message(room, string(given, "inline_message_id"))
    chat = open_chat(room, given)
    message_id = number(given, "message_id")
    if not message_id:
        raise bad("message identifier is not specified")
    old = chat.messages.get(message_id)
    if old is None:
        raise bad(f"{what} not found")
    others = chat.channel and chat.bot.has("can_edit_messages")
    if not (message_id in chat.own or others) or "forward_origin" in old or not kind_of(old):
        raise bad("message can't be edited")
    return chat, old


def is_inline(given: Json) -> bool:
    """True if a call is about a message that somebody sent inline, known by that id alone."""
    return given.get("chat_id") in (None, "") and not number(given, "message_id")


def _inline_message(room: Room, inline_id: str) -> tuple[Chat, Json]:
    if not inline_id:
        raise bad("message identifier is not specified")
    places = {known: place for place, known in room.inline_messages.items()}
    chat, message_id = places.get(inline_id, (0, 0))
    if chat not in room.chats or message_id not in room.chats[chat].messages:
        raise bad("MESSAGE_ID_INVALID")
    return room.chats[chat], room.chats[chat].messages[message_id]


def change(
    room: Room, given: Json, chat: Chat, old: Json, content: Json, names: Iterable[str]
) -> Json | bool:
    """Change a message's fields ``names``, and its inline keyboard to the call's.

    Returns the message, or true for one that was sent inline.
    """
    content = introduced(content, room.people) | markup_of(given, only_inline=True)
    changing = {*names, "reply_markup"}
    if all(old.get(name) == content.get(name) for name in changing):
        raise bad(
            "message is not modified: specified new message content and reply markup are exactly"
            " the same as a current content and reply markup of the message"
        )
    kept = {name: value for name, value in old.items() if name not in changing}
    message = {**kept, **content, "edit_date": int(room.clock())}
    room.keep(chat, message)
    return is_inline(given) or message


def delete_message(room: Room, given: Json) -> bool:
    chat = open_chat(room, given)
    message_id = number(given, "message_id")
    if message_id not in chat.messages:
        raise bad("message to delete not found")
    return _delete(room, chat, [message_id])


def delete_messages(room: Room, given: Json) -> bool:
    """Delete those that are there."""
    chat = open_chat(room, given)
    return _delete(room, chat, [each for each in ids_of(given) if each in chat.messages])


def _delete(room: Room, chat: Chat, message_ids: Iterable[int]) -> bool:
    if not all(_is_deletable(room, chat, chat.messages[each]) for each in message_ids):
        raise bad("message can't be deleted")
    for each in dict.fromkeys(message_ids):
        room.delete(chat, each)
    return True


def _is_deletable(room: Room, chat: Chat, message: Json) -> bool:
    age = room.clock() - message["date"]
    if "dice" in message and chat.kind == "private" and age < DICE_SECONDS:
        return False
    if "forum_topic_created" in message:
        return False
    own = message["message_id"] in chat.own or chat.kind == "private"
    return chat.bot.has("can_delete_messages") or (age < DELETABLE and own)


def _mixes(old: str, new: str) -> bool:
    """True if a file can stand in an album where another was."""
    return old == new or {old, new} <= {"photo", "video"}


METHODS: dict[str, Any] = {
    "editMessageText": edit_message_text,
    "editMessageCaption": edit_message_caption,
    "editMessageMedia": edit_message_media,
    "editMessageReplyMarkup": edit_message_reply_markup,
    "deleteMessage": delete_message,
    "deleteMessages": delete_messages,
}
