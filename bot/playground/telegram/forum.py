"""How a bot makes, changes, closes and deletes the topics of a forum.

Errors are TDLib's (ForumTopicManager) and, in capitals, the server's own.
"""

from collections.abc import Callable
from typing import Any

from bot.playground.telegram.chat import GENERAL, Chat, Json
from bot.playground.telegram.parameters import bad, number, open_chat, string
from bot.playground.telegram.room import Room
from bot.playground.telegram.topics import ICON_COLORS, LONGEST_NAME, can


def create_forum_topic(room: Room, given: Json) -> Json:
    chat = _forum(room, given)
    if not can(chat, chat.bot, "can_manage_topics"):
        raise bad("not enough rights to create a topic")
    name, color = _name(given), number(given, "icon_color") or ICON_COLORS[0]
    if color not in ICON_COLORS:
        raise bad("TOPIC_ICON_COLOR_INVALID")
    icon: Json = {"icon_color": color, **_emoji(given)}
    topic = room.open_topic(chat.id, name, by_bot=True, icon=icon)
    return {"message_thread_id": topic, "name": name, **icon}


def edit_forum_topic(room: Room, given: Json) -> bool:
    chat, topic = _topic(room, given)
    changed = {"name": _name(given)} if string(given, "name") else {}
    return _edit(room, chat, topic, changed | _emoji(given))


def edit_general_forum_topic(room: Room, given: Json) -> bool:
    return _edit(room, _managed(_forum(room, given)), GENERAL, {"name": _name(given)})


def close_forum_topic(room: Room, given: Json) -> bool:
    return _close(room, *_topic(room, given))


def close_general_forum_topic(room: Room, given: Json) -> bool:
    return _close(room, _managed(_forum(room, given)), GENERAL)


def reopen_forum_topic(room: Room, given: Json) -> bool:
    return _reopen(room, *_topic(room, given))


def reopen_general_forum_topic(room: Room, given: Json) -> bool:
    return _reopen(room, _managed(_forum(room, given)), GENERAL)


def delete_forum_topic(room: Room, given: Json) -> bool:
    chat = _forum(room, given)
    topic = _number(chat, given)
    if not chat.bot.has("can_delete_messages") and topic not in _made(room, chat):
        raise bad("not enough rights to delete a topic")
    room.delete_topic(chat.id, topic)
    return True


def hide_general_forum_topic(room: Room, given: Json) -> bool:
    """Hide General, which closes it, too."""
    chat = _managed(_forum(room, given))
    _check_changed(not chat.general_hidden)
    chat.general_hidden = True
    chat.closed.add(GENERAL)
    room.tell(chat, room.bot["id"], {"general_forum_topic_hidden": {}})
    return True


def unhide_general_forum_topic(room: Room, given: Json) -> bool:
    chat = _managed(_forum(room, given))
    _check_changed(chat.general_hidden)
    chat.general_hidden = False
    room.tell(chat, room.bot["id"], {"general_forum_topic_unhidden": {}})
    return True


def unpin_all_forum_topic_messages(room: Room, given: Json) -> bool:
    chat = _forum(room, given)
    return _unpin(room, chat, _number(chat, given))


def unpin_all_general_forum_topic_messages(room: Room, given: Json) -> bool:
    return _unpin(room, _forum(room, given), None)


def get_forum_topic_icon_stickers(_room: Room, _given: Json) -> list[Json]:
    """Return none: there are no custom emoji here."""
    return []


def _forum(room: Room, given: Json) -> Chat:
    chat = open_chat(room, given)
    if not chat.forum:
        raise bad("the chat is not a forum")
    return chat


def _number(chat: Chat, given: Json) -> int:
    topic = number(given, "message_thread_id")
    if topic not in chat.topics:
        raise bad("TOPIC_ID_INVALID")
    return topic


def _topic(room: Room, given: Json) -> tuple[Chat, int]:
    """Return a topic that the bot may change: one of its own, or any if it manages topics."""
    chat = _forum(room, given)
    topic = _number(chat, given)
    return (chat if topic in _made(room, chat) else _managed(chat)), topic


def _made(room: Room, chat: Chat) -> set[int]:
    """Return the topics that the bot has opened."""
    author = room.bot["id"]
    return {topic for topic in chat.topics if _author(chat.messages.get(topic)) == author}


def _author(message: Json | None) -> int:
    found: int = message.get("from", {}).get("id", 0) if message else 0
    return found


def _managed(chat: Chat) -> Chat:
    if not chat.bot.has("can_manage_topics"):
        raise bad("not enough rights to manage the topic")
    return chat


def _name(given: Json) -> str:
    name = string(given, "name")
    if not name:
        raise bad("TOPIC_TITLE_EMPTY")
    return name[:LONGEST_NAME]


def _emoji(given: Json) -> Json:
    emoji = string(given, "icon_custom_emoji_id")
    return {"icon_custom_emoji_id": emoji} if emoji else {}


def _edit(room: Room, chat: Chat, topic: int, changed: Json) -> bool:
    _check_changed(bool(changed))
    room.tell(chat, room.bot["id"], {"forum_topic_edited": changed}, topic)
    return True


def _close(room: Room, chat: Chat, topic: int) -> bool:
    _check_changed(topic not in chat.closed)
    room.close_topic(chat.id, topic, room.bot["id"])
    return True


def _reopen(room: Room, chat: Chat, topic: int) -> bool:
    _check_changed(topic in chat.closed)
    room.reopen_topic(chat.id, topic, room.bot["id"])
    return True


def _check_changed(change: bool) -> None:
    if not change:
        raise bad("TOPIC_NOT_MODIFIED")


def _unpin(room: Room, chat: Chat, topic: int | None) -> bool:
    if not can(chat, chat.bot, "can_pin_messages"):
        raise bad("not enough rights to manage pinned messages in the chat")
    pins = [number for number in chat.pins if number in chat.messages]
    room.take_pins(chat, [number for number in pins if _thread(chat.messages[number]) == topic])
    return True


def _thread(message: Json) -> int | None:
    return message["message_thread_id"] if message.get("is_topic_message") else None


METHODS: dict[str, Callable[[Room, Json], Any]] = {
    "createForumTopic": create_forum_topic,
    "editForumTopic": edit_forum_topic,
    "closeForumTopic": close_forum_topic,
    "reopenForumTopic": reopen_forum_topic,
    "deleteForumTopic": delete_forum_topic,
    "editGeneralForumTopic": edit_general_forum_topic,
    "closeGeneralForumTopic": close_general_forum_topic,
    "reopenGeneralForumTopic": reopen_general_forum_topic,
    "hideGeneralForumTopic": hide_general_forum_topic,
    "unhideGeneralForumTopic": unhide_general_forum_topic,
    "unpinAllForumTopicMessages": unpin_all_forum_topic_messages,
    "unpinAllGeneralForumTopicMessages": unpin_all_general_forum_topic_messages,
    "getForumTopicIconStickers": get_forum_topic_icon_stickers,
}
