"""Writing: what people write gets into a chat, if they may write there, and to the bot."""

from bot.playground.telegram.chat import (
    CHANNEL_SENDER,
    LINKED_CHANNEL,
    STAND_INS,
    Chat,
    Json,
    Person,
    sender_json,
)
from bot.playground.telegram.content import permission_for, position
from bot.playground.telegram.entities import is_blank, is_unicode
from bot.playground.telegram.marks import Marks
from bot.playground.telegram.member import Status, member
from bot.playground.telegram.topics import is_shut

LONGEST_TEXT, LONGEST_CAPTION = 4096, 1024
"""Most code points in a message's text, and in the caption of its file."""


class Writing(Marks):
    """See the module. ValueError says what Telegram would not allow."""

    def _write(
        self,
        chat: int,
        user: int,
        content: Json,
        *,
        reply_to: int | None = None,
        topic: int | None = None,
        language: str | None = None,
    ) -> Json:
        if user == self.bot["id"]:
            raise ValueError("the bot speaks for itself")
        if chat > 0 and chat != user:
            raise ValueError("a private chat's id is its person's id")
        known = self.chats[chat].messages if chat in self.chats else {}
        if reply_to is not None and reply_to not in known:
            raise ValueError(f"no message {reply_to} in this chat to reply to")
        person, place = self._person(user), self._open_to(chat, user)
        self._person(user, language)
        if topic is not None and topic not in place.topics:
            self._open_topic(place, topic, f"Topic {topic}", person)
        self._check_rights(place, user, content, position(place, reply_to, topic))
        message = self._message(place, self._speaker(place, person), content, reply_to, topic)
        place.spoke[user] = self.clock()
        place.authors[message["message_id"]] = user
        self._deliver(message, place)
        if person.is_bot:
            place.bot_spoke_last = False
        if place.channel and place.linked is not None:
            self._forward_to_group(place, message, content)
        return message

    def _open_to(self, chat: int, user: int) -> Chat:
        """Return the chat in which somebody writes, and have them in it."""
        place = self.chat(chat)
        if place.successor is not None:
            raise ValueError(f"this group has become the supergroup {place.successor}")
        if place.person and place.person.deactivated:
            raise ValueError("this account is deleted")
        if place.person and not place.bot.present:
            self.unblock(user)
        if not place.person and user not in STAND_INS:
            newcomer = Status.ADMINISTRATOR if place.channel else Status.MEMBER
            place.members.setdefault(user, member(newcomer, place.kind))
        return place

    def _speaker(self, place: Chat, person: Person) -> Json:
        """Return as whom somebody writes: themselves, their group, or a channel."""
        if channel := place.send_as.get(person.id):
            stand_in = self._person(CHANNEL_SENDER)
            return sender_json(place, stand_in, self.chats[channel].json())
        who = place.member(person.id)
        signature = {"author_signature": who.title} if who.anonymous and who.title else {}
        return self._signed(place, self._author(place, person.id)) | signature

    def _check_rights(self, place: Chat, user: int, content: Json, at: Json) -> None:
        if place.person or user in STAND_INS:
            return
        who = place.member(user)
        if not who.present:
            raise ValueError("this person is not in the chat: add them first")
        if place.channel and not who.has("can_post_messages"):
            raise ValueError("only administrators with that right post in a channel")
        if not who.may(permission_for(content), place.permissions):
            raise ValueError(f"this person has no {permission_for(content)} here")
        if is_shut(place, at.get("message_thread_id"), who):
            raise ValueError("this topic is closed")
        if wait := place.wait(user, who, self.clock()):
            raise ValueError(f"slow mode: {wait:.1f} s to wait")

    def _forward_to_group(self, channel: Chat, post: Json, content: Json) -> None:
        """Show a channel's post in the group that is linked to it, as Telegram does by itself."""
        group = self.chat(channel.linked or 0)
        origin = {"type": "channel", "date": post["date"], "message_id": post["message_id"]}
        shown = {**content, "forward_origin": {**origin, "chat": channel.json()}}
        sender = sender_json(group, self._person(LINKED_CHANNEL), channel.json())
        self._deliver(self._message(group, sender, shown), group)


def checked(text: str) -> str:
    """Return a text that somebody writes; ValueError if Telegram would not take it."""
    if is_blank(text):
        raise ValueError("the text is empty")
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"the text is longer than {LONGEST_TEXT} characters")
    if not is_unicode(text):
        raise ValueError("the text has half a surrogate pair in it")
    return text
