"""Marks: what is put on a message that stands in a chat: reactions, and a pin.

Sources: core.telegram.org/bots/api#reactiontypeemoji and #update, which says when a bot hears of
reactions.
"""

from collections import Counter
from collections.abc import Sequence

from bot.playground.telegram.chat import Chat, Json
from bot.playground.telegram.member import Member
from bot.playground.telegram.privacy import is_service
from bot.playground.telegram.topics import Topics, can

_ALL = """
❤ 👍 👎 🔥 🥰 👏 😁 🤔 🤯 😱 🤬 😢 🎉 🤩 🤮 💩 🙏 👌
🕊 🤡 🥱 🥴 😍 🐳 ❤‍🔥 🌚 🌭 💯 🤣 ⚡ 🍌 🏆 💔 🤨 😐 🍓
🍾 💋 🖕 😈 😴 😭 🤓 👻 👨‍💻 👀 🎃 🙈 😇 😨 🤝 ✍ 🤗 🫡
🎅 🎄 ☃ 💅 🤪 🗿 🆒 💘 🙉 🦄 😘 💊 🙊 😎 👾 🤷‍♂ 🤷 🤷‍♀
😡
"""
EMOJI = frozenset(_ALL.split())
"""What can be reacted with."""
MOST_REACTIONS = 3
"""Of one person on one message, with Telegram Premium."""
_VARIATION = "\ufe0f"


def emoji(character: str) -> Json:
    """Return the ReactionType of an emoji; ValueError if it is none to react with."""
    plain = character.replace(_VARIATION, "")
    if plain not in EMOJI:
        raise ValueError(f"{character} is no emoji to react with")
    return {"type": "emoji", "emoji": plain}


def can_pin(chat: Chat, who: Member) -> bool:
    """True if that member may pin messages in the chat."""
    if chat.channel:
        return who.has("can_edit_messages")
    return chat.person is not None or can(chat, who, "can_pin_messages")


class Marks(Topics):
    """See the module. ValueError says what Telegram would not allow."""

    def react(self, chat: int, user: int, message_id: int, reaction: Sequence[str]) -> None:
        """Let ``user`` react to a message with these emoji instead of earlier ones, or not at all.

        The bot is told if the chat is private or it is an administrator, and wants it.
        """
        place = self._place_of(chat, message_id)
        who = place.member(self._person(user).id)
        if is_service(place.messages[message_id]):
            raise ValueError("nobody reacts to a service message")
        if len(reaction) > MOST_REACTIONS:
            raise ValueError(f"at most {MOST_REACTIONS} reactions")
        if not who.may("can_react_to_messages", place.permissions):
            raise ValueError("this person may not react here")
        new = [emoji(character) for character in dict.fromkeys(reaction)]
        old = self.set_reaction(place, message_id, user, new)
        if old != new and (place.person or place.bot.rules):
            self._tell_reaction(place, message_id, user, old)

    def set_reaction(
        self, place: Chat, message_id: int, user: int, reaction: list[Json]
    ) -> list[Json]:
        """Put a person's reaction, or the bot's, on a message; returns the earlier one."""
        by_user = place.reactions.setdefault(message_id, {})
        old = by_user.pop(user, [])
        if reaction:
            by_user[user] = reaction
        self._note(place, message_id)
        return old

    def reactions(self, chat: int) -> list[Json]:
        """Return who has reacted to which messages of a chat, and how."""
        if chat not in self.chats:
            return []
        return [
            {"message_id": message_id, "user_id": user, "reaction": reaction}
            for message_id, by_user in self.chats[chat].reactions.items()
            for user, reaction in by_user.items()
            if message_id in self.chats[chat].messages
        ]

    def pin(self, chat: int, user: int, message_id: int) -> None:
        """Let ``user`` pin a message."""
        place = self._may_pin(chat, user)
        self._place_of(chat, message_id)
        self.set_pin(place, message_id, user)

    def unpin(self, chat: int, user: int, message_id: int | None = None) -> None:
        """Let ``user`` take a message's pin away, or all pins."""
        place = self._may_pin(chat, user)
        self.take_pins(place, place.pins if message_id is None else [message_id])

    def set_pin(self, place: Chat, message_id: int, by: int) -> None:
        """Pin a message, which Telegram says in the chat."""
        if message_id in place.pins:
            return
        place.pins.append(message_id)
        self._note(place, message_id)
        message = place.messages[message_id]
        shown = {name: value for name, value in message.items() if name != "reply_to_message"}
        topic = message["message_thread_id"] if message.get("is_topic_message") else None
        self.tell(place, by, {"pinned_message": shown}, topic)

    def take_pins(self, place: Chat, message_ids: Sequence[int]) -> None:
        """Take pins away, of which nobody is told."""
        gone = set(message_ids)
        place.pins = [number for number in place.pins if number not in gone]
        for number in gone & place.messages.keys():
            self._note(place, number)

    def _may_pin(self, chat: int, user: int) -> Chat:
        if chat not in self.chats:
            raise ValueError(f"no chat {chat}")
        place = self.chats[chat]
        if not can_pin(place, place.member(self._person(user).id)):
            raise ValueError("this person may not pin here")
        return place

    def _tell_reaction(self, place: Chat, message_id: int, user: int, old: list[Json]) -> None:
        told: Json = {"chat": place.json(), "message_id": message_id, "date": self._now()}
        by_user = place.reactions[message_id]
        if place.channel:
            counted = Counter(each["emoji"] for one in by_user.values() for each in one)
            counts = [{"type": emoji(key), "total_count": count} for key, count in counted.items()]
            self.updates.add("message_reaction_count", told | {"reactions": counts})
            return
        channel = self.chats.get(place.send_as.get(user, 0))
        stand_in = channel or (place if place.member(user).anonymous else None)
        actor: Json = (
            {"actor_chat": stand_in.json()} if stand_in else {"user": self._person(user).json()}
        )
        change = {"old_reaction": old, "new_reaction": by_user.get(user, [])}
        self.updates.add("message_reaction", told | actor | change)
