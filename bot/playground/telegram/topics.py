"""Forum topics: opened, closed and deleted by a forum's people, and the rules for writing there."""

from bot.playground.telegram.chat import ANONYMOUS_ADMIN, GENERAL, Chat, Json, Person
from bot.playground.telegram.entities import is_blank
from bot.playground.telegram.member import Member
from bot.playground.telegram.membership import Membership

LONGEST_NAME = 128
ICON_COLORS = (7322096, 16766590, 13338331, 9367192, 16749490, 16478047)


class Topics(Membership):
    """See the module. A topic is named by its thread id, General by 1."""

    def open_topic(
        self,
        chat: int,
        name: str = "Topic",
        *,
        by_bot: bool = False,
        icon: Json | None = None,
    ) -> int:
        """Open a forum topic, which makes the supergroup a forum; returns its thread id.

        ``icon`` has its ``icon_color``, or an ``icon_custom_emoji_id``, too.
        ValueError if the name or the chat is none for that.
        """
        if is_blank(name) or len(name) > LONGEST_NAME:
            raise ValueError(f"a topic's name has 1 to {LONGEST_NAME} characters")
        place = self.chat(chat)
        author = None if by_bot else self._person(ANONYMOUS_ADMIN)
        return self._open_topic(place, self._next_id(place), name, author, icon)

    def close_topic(self, chat: int, topic: int, by: int | None = None) -> None:
        """Close a topic: only administrators who manage topics write there from now on."""
        place = self._forum(chat, topic)
        if topic not in place.closed:
            place.closed.add(topic)
            self.tell(place, by, {"forum_topic_closed": {}}, topic)

    def reopen_topic(self, chat: int, topic: int, by: int | None = None) -> None:
        place = self._forum(chat, topic)
        if topic in place.closed:
            place.closed.remove(topic)
            self.tell(place, by, {"forum_topic_reopened": {}}, topic)

    def delete_topic(self, chat: int, topic: int) -> None:
        """Delete a topic with its messages, of which the bot is not told."""
        place = self._forum(chat, topic)
        if topic == GENERAL:
            raise ValueError("General cannot be deleted")
        place.topics.remove(topic)
        place.deleted.add(topic)
        for number, message in list(place.messages.items()):
            if message.get("is_topic_message") and message["message_thread_id"] == topic:
                self.delete(place, number)

    # Inside.

    def _forum(self, chat: int, topic: int) -> Chat:
        place = self.chats.get(chat)
        if place is None or not place.forum or topic not in {GENERAL, *place.topics}:
            raise ValueError(f"no topic {topic} in chat {chat}")
        return place

    def _open_topic(
        self, chat: Chat, topic: int, name: str, author: Person | None, icon: Json | None = None
    ) -> int:
        if chat.kind != "supergroup":
            raise ValueError("only supergroups (ids from -1000000000001 down) have topics")
        if topic in chat.deleted:
            raise ValueError("this topic is deleted")
        if topic in chat.messages or topic < 2:
            raise ValueError(f"{topic} cannot be a topic: it is a message's id or below 2")
        chat.forum = True
        chat.topics.add(topic)
        created = {"name": name, "icon_color": ICON_COLORS[0], **(icon or {})}
        content: Json = {"forum_topic_created": created}
        content |= {"message_thread_id": topic, "is_topic_message": True}
        sender = self._signed(chat, author)
        self._deliver(self._message(chat, sender, content, message_id=topic), chat)
        return topic


def can(chat: Chat, who: Member, right: str) -> bool:
    """True if a member may do what is an administrator's right, and else a group's permission."""
    return who.has(right) or (not who.rules and who.may(right, chat.permissions))


def is_shut(chat: Chat, topic: int | None, member: Member) -> bool:
    """True if a member may not write into that topic, None being General."""
    closed = (topic or GENERAL) in chat.closed
    return chat.forum and closed and not member.has("can_manage_topics")
