"""What the page gets of a chat: only what is new since it last asked."""

from collections import deque
from dataclasses import dataclass
from typing import Any

from bot.completion.request_id import chat_of
from bot.playground.chat import Chat, Json
from bot.playground.completion import REQUESTS_KEPT, CompletionServer, Exchange
from bot.playground.room import Room

TYPING_SECONDS = 6.0
"""How long Telegram's own apps show sendChatAction."""
TOAST_SECONDS = 4.0


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request to the model. ``chat`` is None if the program that sent it did not say."""

    number: int
    chat: int | None
    exchange: Exchange

    @property
    def body(self) -> Json:
        """What was asked; empty if it is not a JSON object, which the model refuses."""
        return self.exchange.body if isinstance(self.exchange.body, dict) else {}

    @property
    def messages(self) -> list[Any]:
        found = self.body.get("messages")
        return found if isinstance(found, list) else []

    def json(self, count: int, known: list[Any]) -> Json:
        """Return it as the chat's request number ``count``, without the ``known`` messages.

        Every request has the whole history, so nearly all of its messages are known.
        """
        return {
            "number": self.number,
            "count": count,
            "time": self.exchange.time,
            "is_of_chat": self.chat is not None,
            "modelUri": self.body.get("modelUri"),
            "completionOptions": self.body.get("completionOptions"),
            "length": len(self.messages),
            "new": {
                index: message
                for index, message in enumerate(self.messages)
                if known[index : index + 1] != [message]
            },
        }


class View:
    """Looks at a room and at the requests to a model; ``run`` identifies this run of the demo."""

    def __init__(self, room: Room, completions: CompletionServer, run: str) -> None:
        self.run = run
        self._room = room
        self._asked: deque[_Asked] = deque(maxlen=REQUESTS_KEPT)
        self._number = 0
        completions.heard = self._heard

    async def news(self, chat: int, run: str, version: int, request: int, seconds: float) -> Json:
        """Wait up to ``seconds`` for something new, and return it.

        ``version`` is the version of this chat that the page knows, -1 at first; ``request`` the
        number of the newest request it knows, 0 if none. What it knows of another ``run`` does not
        count.
        """
        if run != self.run:
            version, request = -1, 0
        await self._room.changed(version, seconds)
        place = self._room.chats.get(chat)
        return {
            "run": self.run,
            "version": self._room.version,
            "chats": [each.json() for each in self._room.chats.values()],
            "drafts": self._room.drafts(chat),
            "request": self._request(chat, request),
            **(self._seen(place, version) if place else {}),
        }

    def _seen(self, chat: Chat, version: int) -> Json:
        new = [number for number, changed in chat.changes.items() if changed > version]
        now = self._room.clock()
        toast, since = chat.toast
        return {
            "messages": [chat.messages[number] for number in new if number in chat.messages],
            "deleted": [number for number in new if number not in chat.messages],
            "typing": max(0.0, chat.typing + TYPING_SECONDS - now),
            "toast": {"text": toast, "seconds": max(0.0, since + TOAST_SECONDS - now)},
        }

    def _heard(self, exchange: Exchange) -> None:
        if not exchange.path.endswith("/completion"):  # it only counts tokens
            return
        self._number += 1
        name = exchange.headers.get("x-client-request-id", "")
        chat = chat_of(name, self._room.token or "", self._room.chats)
        self._asked.append(_Asked(self._number, chat, exchange))
        self._room.touch()

    def _request(self, chat: int, known: int) -> Json | None:
        """Return the newest request of a chat, unless it is the known one."""
        asked = [each for each in self._asked if each.chat in (None, chat)]
        if not asked or asked[-1].number == known:
            return None
        messages = next((each.messages for each in asked if each.number == known), [])
        return asked[-1].json(len(asked), messages)
