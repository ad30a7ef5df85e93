"""The room: one bot, the chats it is in, the people who write there, and updates still waiting.

It holds Telegram's state and rules and knows nothing of HTTP. Ids say what a chat is: positive ones
are private chats and equal their person's id, negative ones are groups, from -1000000000000 down
supergroups. Chats, people and forum topics are created at first use.
"""

import re
from collections.abc import Collection, Mapping, Sequence

from bot.playground.telegram.asking import Asking
from bot.playground.telegram.chat import (
    ANONYMOUS_ADMIN,
    FIRST_SUPERGROUP,
    Json,
)
from bot.playground.telegram.chats import LARGEST_ID
from bot.playground.telegram.content import FILED, kind_of, quoted, written
from bot.playground.telegram.forwarding import forwarded
from bot.playground.telegram.writing import checked

_WORDS = frozenset(["text", "entities", "caption", "caption_entities"])
DRAFT_SECONDS = 30.0
"""How long a draft stays unless it is updated."""

_ORIGINS: dict[str, dict[str, type]] = {
    "user": {"sender_user": dict},
    "hidden_user": {"sender_user_name": str},
    "chat": {"sender_chat": dict},
    "channel": {"chat": dict, "message_id": int},
}
_ANY_ORIGIN: dict[str, type] = {"type": str, "date": int, "author_signature": str}
_ID_AND_NAME: dict[str, dict[str, type]] = {
    "sender_user": {"id": int, "first_name": str, "is_bot": bool},
    "sender_chat": {"id": int, "type": str},
    "chat": {"id": int, "type": str},
}
"""What a User and a Chat have at least."""
_ARTICLES = {dict: "an object", str: "a string", int: "a whole number", bool: "true or false"}


class Room(Asking):
    """See the module."""

    # What people do.

    def say(  # noqa: PLR0913 -- so much can be said with a message
        self,
        chat: int,
        user: int,
        text: str,
        *,
        reply_to: int | None = None,
        quote: str | None = None,
        topic: int | None = None,
        language: str | None = None,
    ) -> Json:
        """Let ``user`` write ``text``; returns the new Message.

        ``quote`` is a part of the message that it replies to, ``topic`` a forum topic's thread id,
        ``language`` the person's from now on. ValueError if Telegram would not allow it.
        """
        content = written(checked(text))
        if quote is not None:
            replied = self._place_of(chat, reply_to or 0).messages[reply_to or 0]
            content["quote"] = quoted(replied, quote)
        return self._write(
            chat,
            user,
            content,
            reply_to=reply_to,
            topic=topic,
            language=language,
        )

    def edit(
        self, chat: int, user: int, message_id: int, text: str, *, language: str | None = None
    ) -> Json:
        """Let ``user`` edit a message: their own, or in a channel any with the right to.

        Of a file it is the caption, which may be empty.

        ValueError if there is no such message, or it is not theirs to edit.
        """
        place = self._place_of(chat, message_id)
        old = place.messages[message_id]
        may = place.authors.get(message_id) == user or (
            place.channel and place.member(user).has("can_edit_messages")
        )
        if not may or kind_of(old) not in ("text", *FILED) or "forward_origin" in old:
            raise ValueError(f"message {message_id} is not theirs to edit")
        kept = {name: old[name] for name in old if name not in _WORDS}
        content = written(checked(text)) if "text" in old else self.caption(text)
        message = {**kept, **content, "edit_date": self._now()}
        if language is not None and "sender_chat" not in old:
            message["from"] = self._person(user, language).json()
        self.keep(place, message)
        self._deliver(message, place, "edited_message")
        return message

    def remove(self, chat: int, user: int, message_id: int) -> None:
        """Let ``user`` delete a message, of which the bot is not told.

        In a private chat that is any, elsewhere their own, or any with the right to. ValueError if
        there is no such message, or it is not theirs to delete.
        """
        place = self._place_of(chat, message_id)
        own = user in (place.authors.get(message_id), place.person and place.person.id)
        if not (own or place.member(user).has("can_delete_messages")):
            raise ValueError(f"message {message_id} is not theirs to delete")
        self.delete(place, message_id)

    def forward(self, chat: int, user: int, text: str, origin: Json) -> Json:
        """Let ``user`` forward a text; ``origin`` is a MessageOrigin, to which a date is added."""
        _check_origin(origin)
        content = {**written(checked(text)), "forward_origin": {"date": self._now(), **origin}}
        return self._write(chat, user, content)

    def forward_message(self, chat: int, user: int, from_chat: int, message_id: int) -> Json:
        """Let ``user`` forward a message from a chat that they are in."""
        source = self._place_of(from_chat, message_id)
        content = forwarded(source, source.messages[message_id])
        if not source.member(user).present:
            raise ValueError("this person is not in the chat that the message is from")
        if content is None:
            raise ValueError("this message cannot be forwarded")
        return self._write(chat, user, content)

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

    def start(self, user: int, payload: str = "", chat: int | None = None) -> Json:
        """Let ``user`` follow a deep link to the bot; returns the Message that it sends.

        In private it is ``start=payload``. With a group as ``chat`` it is ``startgroup=payload``,
        which adds the bot if it is not there.
        """
        if not re.fullmatch(r"[A-Za-z0-9_-]{0,64}", payload):
            raise ValueError("a payload is up to 64 of A-Z, a-z, 0-9, _ and -")
        command = "/start"
        if chat is not None and chat != user:
            command = f"/start@{self.username}"
            if not self._group(chat).bot.present:
                self.add(chat, by=user)
        return self.say(user if chat is None else chat, user, f"{command} {payload}".strip())

    def migrate(self, chat: int, told: Sequence[str] = ("to", "from")) -> int:
        """Make a group a supergroup; returns the new chat's id.

        ``told`` are the service messages that the bot gets about it, in order: that it has moved
        ``to`` the new chat (in the old one), and ``from`` the old one (in the new one).
        """
        old = self.chat(chat)
        if old.kind != "group" or old.successor is not None:
            raise ValueError("only groups migrate, and once")
        if not set(told) <= {"to", "from"}:
            raise ValueError('told is of "to" and "from"')
        new = self.chat(FIRST_SUPERGROUP + chat)
        for name in ("title", "description", "bot", "privacy", "permissions"):
            setattr(new, name, getattr(old, name))
        new.members = dict(old.members)
        author = self._person(ANONYMOUS_ADMIN)
        for way in told:
            here, there = (old, new) if way == "to" else (new, old)
            content: Json = {f"migrate_{way}_chat_id": there.id}
            self._deliver(self._message(here, self._signed(here, author), content), here)
        old.successor = new.id
        return new.id

    def inject(self, update: Json) -> Json:
        """Queue a raw update, for example one that nobody can parse.

        ValueError if it has an ``update_id`` that is none.
        """
        number = update.get("update_id", 1)
        if type(number) is not int or not 0 < number <= LARGEST_ID:
            raise ValueError("update_id must be a whole number above 0, below 2^52")
        return self.updates.inject(update)


def _check_origin(origin: Json) -> None:
    """Raise ValueError unless it is a MessageOrigin as bots get it, but for its date."""
    needed = _ORIGINS.get(str(origin.get("type")))
    if needed is None or not needed.keys() <= origin.keys():
        kinds = "; ".join(f"{kind}: {', '.join(sorted(more))}" for kind, more in _ORIGINS.items())
        raise ValueError(f"origin has a type and what belongs to it: {kinds}")
    _check_fields("origin", origin, needed | _ANY_ORIGIN, needed)
    for name in needed.keys() & _ID_AND_NAME.keys():
        _check_fields(f"origin's {name}", origin[name], _ID_AND_NAME[name], _ID_AND_NAME[name])


def _check_fields(
    what: str, given: Json, kinds: Mapping[str, type], needed: Collection[str]
) -> None:
    for name, kind in kinds.items():
        if (name in given or name in needed) and type(given.get(name)) is not kind:
            raise ValueError(f"{what} has {_ARTICLES[kind]} as {name}")
