"""The room: one bot, the chats it is in, the people who write there, and updates still waiting.

It holds Telegram's state and rules and knows nothing of HTTP. Ids say what a chat is: positive ones
are private chats and equal their person's id, negative ones are groups, from -1000000000000 down
supergroups. Chats, people and forum topics are created at first use.
"""

from collections.abc import Sequence
from typing import Any

from bot.playground.chat import (
    ANONYMOUS_ADMIN,
    FIRST_SUPERGROUP,
    Chat,
    Json,
    Person,
    Status,
    member_json,
    sender_json,
)
from bot.playground.chats import Chats
from bot.playground.content import Upload, captioned, document, of_kind, written
from bot.playground.entities import is_blank, is_unicode

LONGEST_TEXT = 4096
"""Most code points in one message."""
DRAFT_SECONDS = 30.0
"""How long a draft stays unless it is updated."""


class Room(Chats):
    """See the module."""

    # What people do.

    def say(
        self,
        chat: int,
        user: int,
        text: str,
        *,
        reply_to: int | None = None,
        topic: int | None = None,
        language: str | None = None,
    ) -> Json:
        """Let ``user`` write ``text``; returns the new Message.

        ``topic`` is a forum topic's thread id, ``language`` the person's from now on. ValueError if
        Telegram would not allow it.
        """
        if is_blank(text):
            raise ValueError("the text is empty")
        if len(text) > LONGEST_TEXT:
            raise ValueError(f"the text is longer than {LONGEST_TEXT} characters")
        if not is_unicode(text):
            raise ValueError("the text has half a surrogate pair in it")
        return self._write(chat, user, written(text), reply_to, topic, language)

    def send_kind(
        self, chat: int, user: int, kind: str, *, caption: str = "", topic: int | None = None
    ) -> Json:
        """Let ``user`` send a sticker, a photo or a voice note."""
        return self._write(chat, user, of_kind(kind, caption), None, topic, None)

    def edit(self, chat: int, message_id: int, text: str, *, language: str | None = None) -> Json:
        """Let its author edit a message. ValueError if there is no such message."""
        place = self._place_of(chat, message_id)
        old = {k: v for k, v in place.messages[message_id].items() if k != "entities"}
        message = {**old, **written(text), "edit_date": self._now()}
        if language is not None:
            message["from"] = self._person(old["from"]["id"], language).json()
        self.keep(place, message)
        if self._bot_hears(place, message):
            self.updates.add("edited_message", message)
        return message

    def press(
        self, chat: int, user: int, message_id: int, data: str, *, language: str | None = None
    ) -> str:
        """Let ``user`` press an inline button of the bot's message; returns the query's id.

        ValueError if there is no such message.
        """
        place = self._place_of(chat, message_id)
        callback_id = str(next(self._callback_ids))
        self.callbacks[callback_id] = chat, self.clock()
        query = {
            "id": callback_id,
            "from": self._person(user, language).json(),
            "message": place.messages[message_id],
            "chat_instance": str(chat),
            "data": data,
        }
        self.updates.add("callback_query", query)
        return callback_id

    def send_document(
        self,
        chat: int,
        user: int,
        upload: Upload,
        *,
        caption: str = "",
        language: str | None = None,
        **more: Any,
    ) -> Json:
        """Let ``user`` send a file; ``more`` are further fields of the message."""
        content = {"document": self.store(upload), **captioned(caption), **more}
        return self._write(chat, user, content, None, None, language)

    def store(self, upload: Upload) -> Json:
        """Keep a file for the bot to fetch; returns its Document."""
        made = document(upload)
        self.files[made["file_id"]] = upload
        return made

    def forward(self, chat: int, user: int, text: str, origin: Json) -> Json:
        """Let ``user`` forward a text; ``origin`` is a MessageOrigin."""
        content = {**written(text), "forward_origin": {"date": self._now(), **origin}}
        return self._write(chat, user, content, None, None, None)

    def drafts(self, chat: int) -> list[Json]:
        """Return the drafts that a private chat shows at the moment."""
        found = self.chats[chat].drafts if chat in self.chats else {}
        return [draft for draft, shown in found.values() if self.clock() - shown < DRAFT_SECONDS]

    def stop(self, chat: int, draft_id: int) -> None:
        """Let the person press Stop under a draft. ValueError if there is no such button."""
        draft = next((one for one in self.drafts(chat) if one["draft_id"] == draft_id), None)
        if draft is None or not draft["can_stop"]:
            raise ValueError("no draft with that id can be stopped")
        place = self.chats[chat]
        told = {"chat": place.json(), "draft_id": draft_id}
        if "message_thread_id" in draft:
            told["message_thread_id"] = draft["message_thread_id"]
        del place.drafts[draft_id]
        self.touch()
        self.updates.add("stopped_message_generation", told)

    def open_topic(self, chat: int, name: str = "Topic", *, by_bot: bool = False) -> int:
        """Open a forum topic, which makes the supergroup a forum; returns its thread id."""
        place = self.chat(chat)
        author = None if by_bot else self._person(ANONYMOUS_ADMIN)
        return self._open_topic(place, self._next_id(place), name, author)

    def delete_topic(self, chat: int, topic: int) -> None:
        self.chats[chat].topics.remove(topic)

    def set_member(self, chat: int, user: int, status: Status | str) -> None:
        """Make ``user`` a creator, an administrator, a member, or gone."""
        place, person = self.chat(chat), self._person(user)
        old = place.members.get(user, Status.LEFT)
        place.members[user] = Status(status)
        if place.bot.rules:
            self._member_update("chat_member", place, person, person.json(), old, Status(status))

    def set_bot(self, chat: int, status: Status | str) -> None:
        """Make the bot an administrator, a member, or gone; it gets a ``my_chat_member``."""
        place = self.chat(chat)
        old, place.bot = place.bot, Status(status)
        by = place.person or self._person(ANONYMOUS_ADMIN)
        self._member_update("my_chat_member", place, by, self.bot, old, place.bot)

    def block(self, user: int) -> None:
        """Let ``user`` block the bot; writing to it again unblocks it, as in Telegram."""
        self.set_bot(user, Status.KICKED)

    def kick(self, chat: int) -> None:
        """Remove the bot from a group."""
        self.set_bot(chat, Status.KICKED)

    def migrate(self, chat: int, told: Sequence[str] = ("to", "from")) -> int:
        """Make a group a supergroup; returns the new chat's id.

        ``told`` are the service messages that the bot gets about it, in order: that it has moved
        ``to`` the new chat (in the old one), and ``from`` the old one (in the new one).
        """
        old = self.chat(chat)
        new = self.chat(FIRST_SUPERGROUP + chat)
        new.title, new.members, new.bot = old.title, dict(old.members), old.bot
        author = self._person(ANONYMOUS_ADMIN)
        for way in told:
            here, there = (old, new) if way == "to" else (new, old)
            content: Json = {f"migrate_{way}_chat_id": there.id}
            self._deliver(self._message(here, author, content), here)
        old.successor = new.id
        return new.id

    def inject(self, update: Json) -> Json:
        """Queue a raw update, for example one that nobody can parse."""
        return self.updates.inject(update)

    def _write(
        self,
        chat: int,
        user: int,
        content: Json,
        reply_to: int | None,
        topic: int | None,
        language: str | None,
    ) -> Json:
        if chat > 0 and chat != user:
            raise ValueError("a private chat's id is its person's id")
        person, place = self._person(user), self.chat(chat)
        if place.successor is not None:
            raise ValueError(f"this group has become the supergroup {place.successor}")
        if reply_to is not None and reply_to not in place.messages:
            raise ValueError(f"no message {reply_to} in this chat to reply to")
        self._person(user, language)
        if place.kind == "private" and not place.bot.present:
            self.set_bot(chat, Status.MEMBER)
        if topic is not None and topic not in place.topics:
            self._open_topic(place, topic, f"Topic {topic}", person)
        place.members.setdefault(user, Status.MEMBER)
        message = self._message(place, person, content, reply_to, topic)
        self._deliver(message, place)
        place.bot_spoke_last = False
        return message

    def _open_topic(self, chat: Chat, topic: int, name: str, author: Person | None) -> int:
        if chat.kind != "supergroup":
            raise ValueError("only supergroups (ids from -1000000000001 down) have topics")
        if topic in chat.messages or topic < 2:
            raise ValueError(f"{topic} cannot be a topic: it is a message's id or below 2")
        chat.forum = True
        chat.topics.add(topic)
        content: Json = {"forum_topic_created": {"name": name, "icon_color": 7322096}}
        content |= {"message_thread_id": topic, "is_topic_message": True}
        self._deliver(self._message(chat, author, content, message_id=topic), chat)
        return topic

    def _member_update(
        self, kind: str, chat: Chat, by: Person, user: Json, old: Status, new: Status
    ) -> None:
        change = {
            "chat": chat.json(),
            "from": sender_json(chat, by)["from"],
            "date": self._now(),
            "old_chat_member": member_json(user, old),
            "new_chat_member": member_json(user, new),
        }
        self.updates.add(kind, change)
        self.touch()
