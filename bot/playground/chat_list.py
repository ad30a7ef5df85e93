"""The list of chats, as one person sees it: what was said last, and how much of it is unread."""

from collections.abc import Iterator
from itertools import islice

from bot.playground.telegram.chat import GENERAL, Chat, Json
from bot.playground.telegram.privacy import is_service
from bot.playground.telegram.room import Room

EXCERPT = 160
"""Most characters of a chat's last message that the list gets."""
UNREAD_COUNTED = 100
"""A chat with so many unread messages is counted no further."""
TYPING_SECONDS = 6.0
"""How long Telegram's own apps show sendChatAction."""
_LEFT_OUT = ("entities", "caption_entities", "reply_to_message", "reply_markup", "pinned_message")


class ChatList:
    """The chats of everybody in a room, and how far each person has read them."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._read: dict[tuple[int, int, int], int] = {}

    def read(self, chat: int, user: int, message_id: int, topic: int = 0) -> None:
        """Note that somebody has seen a chat, or a forum's topic, up to a message."""
        place = chat, topic, user
        if chat in self._room.chats and message_id > self._read.get(place, 0):
            self._read[place] = message_id
            self._room.touch()

    def of(self, user: int) -> list[Json]:
        """Return the chats that somebody is in, newest first."""
        own = [chat for chat in self._room.chats.values() if _is_in(chat, user)]
        return [self._shown(chat, user) for chat in sorted(own, key=_newest, reverse=True)]

    def _shown(self, chat: Chat, user: int) -> Json:
        who = chat.member(user)
        shown = {
            **chat.json(),
            "last": _excerpt(next(reversed(chat.messages.values()), None)),
            "unread": self._unread(chat, user, 0),
            "typing": max(0.0, chat.typing + TYPING_SECONDS - self._room.clock()),
            "people": chat.present(),
            "status": who.status,
            "may_write": _may_write(chat, user),
            "bot": chat.bot.status,
        }
        if chat.person:
            shown["with"] = self._room.bot
        if chat.forum:
            shown["topics"] = [self._topic(chat, user, topic) for topic in (GENERAL, *chat.topics)]
            shown["unread"] = sum(topic["unread"] for topic in shown["topics"])
        return shown

    def _topic(self, chat: Chat, user: int, topic: int) -> Json:
        opened = chat.messages.get(topic, {}).get("forum_topic_created", {})
        return {
            "id": topic,
            "name": opened.get("name", ""),
            "closed": topic in chat.closed,
            "last": _excerpt(next(_backwards(chat, topic), None)),
            "unread": self._unread(chat, user, topic),
        }

    def _unread(self, chat: Chat, user: int, topic: int) -> int:
        if topic == 0 and chat.forum:
            return 0
        seen = self._read.get((chat.id, topic, user), 0)
        latest = islice(_backwards(chat, topic), UNREAD_COUNTED)
        return sum(
            message["message_id"] > seen
            and message.get("from", {}).get("id") != user
            and not is_service(message)
            for message in latest
        )


def thread(chat: Chat, message: Json) -> int:
    """Return the topic that a message of a forum is in; 0 in other chats."""
    if not chat.forum:
        return 0
    return int(message["message_thread_id"]) if message.get("is_topic_message") else GENERAL


def _backwards(chat: Chat, topic: int) -> Iterator[Json]:
    """Yield a topic's messages, or a chat's if it is 0, the newest first."""
    for message in reversed(chat.messages.values()):
        if not topic or thread(chat, message) == topic:
            yield message


def _is_in(chat: Chat, user: int) -> bool:
    return chat.member(user).present and chat.successor is None


def _may_write(chat: Chat, user: int) -> bool:
    who = chat.member(user)
    if chat.channel:
        return who.has("can_post_messages")
    return bool(chat.person) or who.may("can_send_messages", chat.permissions)


def _newest(chat: Chat) -> tuple[int, int]:
    last = next(reversed(chat.messages.values()), None)
    return (last["date"], chat.changes[last["message_id"]]) if last else (0, 0)


def _excerpt(message: Json | None) -> Json | None:
    """Return the beginning of a message."""
    if message is None:
        return None
    short = {name: value for name, value in message.items() if name not in _LEFT_OUT}
    for name in ("text", "caption"):
        if name in short:
            short[name] = short[name][:EXCERPT]
    return short
