"""What stands in the chats of one bot, and the updates that it has missed so far."""

import asyncio
import itertools
import re
import time
from collections import deque
from collections.abc import Callable

from bot.playground.chat import Chat, Json, Person, sender_json
from bot.playground.content import Upload, position
from bot.playground.fault import Fault
from bot.playground.pace import Pace
from bot.playground.privacy import heard_in_privacy
from bot.playground.updates import Updates
from bot.playground.webhook import Webhook

CALLS_KEPT = 10_000

_LARGEST_ID = 2**52
_TOKEN = re.compile(r"(\d+):[A-Za-z0-9_-]+")


class Chats:
    """With no ``token`` the first well-formed one to call becomes the bot's."""

    def __init__(
        self,
        token: str | None = None,
        *,
        username: str = "demo_bot",
        privacy: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.token = token
        self.username = username
        self.privacy = privacy
        self.clock = clock
        self.people: dict[int, Person] = {}
        self.chats: dict[int, Chat] = {}
        self.updates = Updates(clock)
        self.webhook = Webhook(self.updates, clock)
        self.commands: dict[str, list[Json]] = {}
        self.callbacks: dict[str, tuple[int, float]] = {}
        self.files: dict[str, Upload] = {}
        self.pace: Pace | None = None
        self.calls: deque[Json] = deque(maxlen=CALLS_KEPT)
        self.version = 0
        self._changed = asyncio.Event()
        self._callback_ids = itertools.count(1)
        self._faults: dict[str, deque[Fault | None]] = {}
        self._message_ids: dict[int, int] = {}

    # What a bot's token and name are.

    @property
    def bot(self) -> Json:
        """The bot as a User."""
        bot_id = int((self.token or "0:").partition(":")[0])
        return {"id": bot_id, "is_bot": True, "first_name": "Demo", "username": self.username}

    def claim(self, token: str) -> bool:
        """True if ``token`` is the bot's; the first one becomes it. ValueError if it is none."""
        if not _TOKEN.fullmatch(token):
            raise ValueError("not a bot token")
        if self.token is None:
            self.token = token
        return token == self.token

    # What tests and the page see and arrange.

    def fail(self, method: str, *faults: Fault | None) -> None:
        """Let the next calls of ``method`` fail, one fault per call; None lets a call pass."""
        self._faults.setdefault(method.lower(), deque()).extend(faults)

    def pardon(self) -> None:
        """Drop all faults that have not happened yet."""
        self._faults.clear()

    def next_fault(self, method: str) -> Fault | None:
        planned = self._faults.get(method.lower())
        return planned.popleft() if planned else None

    def messages(self, chat: int) -> list[Json]:
        """Return all messages of a chat in order, including the bot's."""
        return list(self.chats[chat].messages.values()) if chat in self.chats else []

    async def changed(self, since: int, seconds: float) -> int:
        """Return the room's version as soon as it is above ``since``, or after ``seconds``."""
        if self.version <= since:
            try:
                async with asyncio.timeout(seconds):
                    await self._changed.wait()
            except TimeoutError:
                pass
        return self.version

    def touch(self) -> None:
        """Count a change and wake up whoever waits for one."""
        self.version += 1
        self._changed.set()
        self._changed = asyncio.Event()

    # What the Bot API does on the bot's behalf.

    def chat(self, chat: int) -> Chat:
        """Return the chat, creating it if new. ValueError if Telegram has no such id."""
        if not 0 < abs(chat) <= _LARGEST_ID:
            raise ValueError("a chat's id is a whole number other than 0, below 2^52")
        if chat not in self.chats:
            person = self._person(chat) if chat > 0 else None
            self.chats[chat] = Chat(chat, person, "" if person else f"Group {-chat}")
        return self.chats[chat]

    def post(self, chat: Chat, content: Json, *, reply_to: int | None, topic: int | None) -> Json:
        """Post the bot's own message in a chat."""
        message = self._message(chat, None, content, reply_to, topic)
        chat.bot_spoke_last = True
        chat.typing = float("-inf")
        chat.drafts = {
            number: (draft, shown)
            for number, (draft, shown) in chat.drafts.items()
            if draft.get("message_thread_id") != message.get("message_thread_id")
        }
        return message

    def show_draft(self, chat: Chat, draft: Json) -> None:
        """Show a draft, replacing one with the same id."""
        chat.drafts[draft["draft_id"]] = (draft, self.clock())
        self.touch()

    def keep(self, chat: Chat, message: Json) -> None:
        """Store a message, new or changed. Stored ones are never changed in place."""
        chat.messages[message["message_id"]] = message
        self._note(chat, message["message_id"])

    def delete(self, chat: Chat, message_id: int) -> None:
        del chat.messages[message_id]
        self._note(chat, message_id)

    # Inside.

    def _note(self, chat: Chat, message_id: int) -> None:
        self.touch()
        chat.changes[message_id] = self.version

    def _place_of(self, chat: int, message_id: int) -> Chat:
        if chat not in self.chats or message_id not in self.chats[chat].messages:
            raise ValueError(f"no message {message_id} in chat {chat}")
        return self.chats[chat]

    def _person(self, user: int, language: str | None = None) -> Person:
        if not 0 < user <= _LARGEST_ID:
            raise ValueError("a person's id is a whole number above 0, below 2^52")
        if user not in self.people:
            self.people[user] = Person(user, f"User {user}")
        if language is not None:
            self.people[user].language = language
        return self.people[user]

    def _message(
        self,
        chat: Chat,
        author: Person | None,
        content: Json,
        reply_to: int | None = None,
        topic: int | None = None,
        *,
        message_id: int | None = None,
    ) -> Json:
        sender = {"from": self.bot} if author is None else sender_json(chat, author)
        message = {
            "message_id": self._next_id(chat, message_id),
            **sender,
            "chat": chat.json(),
            "date": self._now(),
            **position(chat, reply_to, topic),
            **content,
        }
        self.keep(chat, message)
        return message

    def _next_id(self, chat: Chat, wish: int | None = None) -> int:
        """Supergroups count their own messages; all other chats share the bot's counter."""
        counter = chat.id if chat.kind == "supergroup" else 0
        last = self._message_ids.get(counter, 1 if counter else 0)
        self._message_ids[counter] = max(last, wish or last + 1)
        return wish or last + 1

    def _deliver(self, message: Json, chat: Chat) -> None:
        if self._bot_hears(chat, message):
            self.updates.add("message", message)

    def _bot_hears(self, chat: Chat, message: Json) -> bool:
        if not chat.bot.present:
            return False
        return not self.privacy or heard_in_privacy(message, chat, self.bot)

    def _now(self) -> int:
        return int(self.clock())
