"""What the page gets of the chat that is open: only what is new since it last asked."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from bot.playground.chat_list import ChatList, thread
from bot.playground.telegram.chat import STAND_INS, Chat, Json
from bot.playground.telegram.chats import LARGEST_ID
from bot.playground.telegram.keyboards import shown_to
from bot.playground.telegram.room import Room

MESSAGES_AT_ONCE = 60
"""Most messages of a chat that are told at first, and with each look further back."""


@dataclass(frozen=True, slots=True)
class Place:
    """What a page looks at: ``user`` sees a chat, of a forum the messages of one topic."""

    user: int
    chat: int
    topic: int = 0


class View:
    """Looks at a room; ``run`` identifies this run of the demo."""

    def __init__(self, room: Room, run: str) -> None:
        self.run = run
        self.chats = ChatList(room)
        self._room = room
        self.controls: Callable[[], Json] | None = None
        """Returns what there is to see of the demo's controls."""

    async def news(self, place: Place, run: str, version: int, seconds: float) -> Json:
        """Wait up to ``seconds`` for something new, and return it.

        ``version`` is the version of this chat that the page knows, -1 at first. What it knows of
        another ``run`` does not count.
        """
        if run != self.run:
            version = -1
        await self._room.changed(version, seconds)
        return {
            "run": self.run,
            "version": self._room.version,
            "bot": self._room.bot,
            "people": [
                each.json()
                for each in self._room.people.values()
                if each.id not in STAND_INS and not each.is_bot and not each.deactivated
            ],
            "chats": self.chats.of(place.user),
            "controls": self.controls() if self.controls else None,
            **self._seen(place, version),
        }

    def earlier(self, place: Place, before: int) -> Json:
        """Return the messages that come directly before one, and whether there are more."""
        chat = self._room.chats.get(place.chat)
        found = islice(_backwards(chat, place.topic, before), MESSAGES_AT_ONCE + 1) if chat else ()
        messages = [self._to(place.user, message) for message in found]
        return {
            "messages": messages[:MESSAGES_AT_ONCE][::-1],
            "earlier": len(messages) > MESSAGES_AT_ONCE,
        }

    def _seen(self, place: Place, version: int) -> Json:
        chat = self._room.chats.get(place.chat)
        if chat is None:
            return {"messages": [], "deleted": [], "drafts": [], "untaken": [], "keyboard": None}
        if version < 0:
            latest = self.earlier(place, LARGEST_ID) | {"deleted": []}
        else:
            new = [number for number, changed in chat.changes.items() if changed > version]
            known = [chat.messages[number] for number in new if number in chat.messages]
            here = [each for each in known if _is_of(chat, each, place.topic)]
            latest = {
                "messages": [self._to(place.user, message) for message in here],
                "deleted": [number for number in new if number not in chat.messages],
            }
        drafts = [
            draft
            for draft in self._room.drafts(place.chat)
            if not place.topic or draft.get("message_thread_id", 1) == place.topic
        ]
        return {
            **latest,
            "drafts": drafts,
            "untaken": self._room.updates.untaken(place.chat),
            "keyboard": shown_to(chat, place.user),
        }

    def _to(self, user: int, message: Json) -> Json:
        """Return a message as somebody sees it: with what they have chosen, if it has a poll."""
        if "poll" not in message:
            return message
        votes = self._room.votes.get(message["poll"]["id"], {})
        return message | {"chosen": sorted(votes.get(user, ()))}


def _backwards(chat: Chat, topic: int, before: int) -> Iterator[Json]:
    """Yield the messages of a topic, or of all, from before one, the newest first."""
    for message in reversed(chat.messages.values()):
        if message["message_id"] < before and _is_of(chat, message, topic):
            yield message


def _is_of(chat: Chat, message: Json, topic: int) -> bool:
    return not topic or thread(chat, message) == topic
