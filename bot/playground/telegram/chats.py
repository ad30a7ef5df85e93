"""What stands in the chats of one bot, and the updates that it has missed so far."""

import asyncio
import contextlib
import itertools
import re
import time
from collections import deque
from collections.abc import Callable, Iterator

from bot.playground.telegram.chat import (
    FIRST_SUPERGROUP,
    STAND_INS,
    Chat,
    Json,
    Person,
    sender_json,
)
from bot.playground.telegram.content import position
from bot.playground.telegram.entities import is_blank
from bot.playground.telegram.entity import introduced
from bot.playground.telegram.fault import Fault
from bot.playground.telegram.files import Files
from bot.playground.telegram.keyboards import used
from bot.playground.telegram.member import MEMBER, OUTSIDE
from bot.playground.telegram.pace import Pace
from bot.playground.telegram.privacy import is_meant, is_service
from bot.playground.telegram.query import Query
from bot.playground.telegram.updates import Updates
from bot.playground.telegram.webhook import Webhook

CALLS_KEPT = 10_000
KINDS = ("group", "supergroup", "forum", "channel")

LARGEST_ID = 2**52
TOKEN = re.compile(r"(\d+):[A-Za-z0-9_-]+")


class Chats:
    """With no ``token`` the first well-formed one to call becomes the bot's.

    ``privacy`` is the bot's privacy mode; a change takes effect where it comes in afterwards.
    """

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
        self.commands: dict[object, list[Json]] = {}
        self.profile: dict[tuple[str, str], str] = {}
        self.menu_buttons: dict[int, Json] = {}
        self.default_rights: dict[bool, set[str]] = {}
        self.started = clock()
        self.later: Callable[[float, Callable[[], None]], object] = _later
        """Has something done in so many seconds; a test may have less time."""
        self.logged_out_until = float("-inf")
        self.queries: dict[str, Query] = {}
        self.inline_messages: dict[tuple[int, int], str] = {}
        self.files = Files()
        self.votes: dict[str, dict[int, frozenset[str]]] = {}
        self.pace: Pace | None = None
        self.calls: deque[Json] = deque(maxlen=CALLS_KEPT)
        self.listeners: list[Callable[[Json], object]] = []
        """Called with each call before it is answered, and again when it is: it ``took`` so long,
        and ended with this HTTP ``status``, or with None where there was no answer."""
        self.version = 0
        self._changed = asyncio.Event()
        self.updates.taken = self.touch
        self._query_ids = itertools.count(1)
        self.delay = 0.0
        """Seconds after which each call is looked at."""
        self.outage: Fault | None = None
        """How calls fail as long as this is set."""
        self._faults: dict[str, deque[Fault | None]] = {}
        self._message_ids: dict[int, int] = {}

    # What a bot's token and name are.

    @property
    def bot(self) -> Json:
        """The bot as a User."""
        bot_id = int((self.token or "0:").partition(":")[0])
        name = self.profile.get(("name", ""), "Demo")
        return {"id": bot_id, "is_bot": True, "first_name": name, "username": self.username}

    def claim(self, token: str) -> bool:
        """True if ``token`` is the bot's; the first one becomes it. ValueError if it is none."""
        if not TOKEN.fullmatch(token):
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

    def next_fault(self, method: str, *, of_chat: bool) -> Fault | None:
        """Return how a call is to fail, one that is about a chat or not; None if it is not."""
        if planned := self._faults.get(method.lower()):
            return planned.popleft()
        return self.outage if self.outage and (of_chat or not self.outage.is_of_chats) else None

    def messages(self, chat: int) -> list[Json]:
        """Return all messages of a chat in order, including the bot's."""
        return list(self.chats[chat].messages.values()) if chat in self.chats else []

    @contextlib.contextmanager
    def answering(self, call: Json, status: int | None) -> Iterator[None]:
        """Keep a call that is answered in this block; polls without updates are not kept."""
        if call["method"] == "getUpdates" and call["ok"] and not call["result"]:
            yield
            return
        self.calls.append(call)
        self._told(call)
        try:
            yield
        finally:
            call |= {"took": self.clock() - call["time"], "status": status}
            self._told(call)

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

    def set_privacy(self, *, on: bool) -> None:
        """Turn privacy mode on or off, for the chats that the bot comes into afterwards."""
        self.privacy = on
        self.touch()

    def make_person(
        self,
        user: int,
        name: str,
        *,
        username: str = "",
        language: str | None = None,
        is_bot: bool = False,
    ) -> Json:
        """Make or change a person, or another bot; returns the User.

        ValueError if the name is empty, the username another's, or the id the bot's.
        """
        if user == self.bot["id"]:
            raise ValueError(f"{user} is the bot")
        self._check_names(user, name, username)
        person = self._person(user, language)
        person.first_name, person.username, person.is_bot = name, username, is_bot
        self.touch()
        return person.json()

    def _check_names(self, owner: int, name: str, username: str) -> None:
        """Check the names that a person or a chat is to have."""
        if is_blank(name):
            raise ValueError("the name is empty")
        everybody: list[Person | Chat] = [*self.people.values(), *self.chats.values()]
        others = (each.username for each in everybody if each.id != owner)
        taken = {other.lower() for other in (self.username, *others)}
        if username and username.lower() in taken:
            raise ValueError(f"@{username} is taken")

    def make_chat(
        self, chat: int, kind: str, title: str, *, username: str = "", bot: bool = True
    ) -> Json:
        """Make or rename a group, supergroup, forum or channel; returns the Chat.

        The ``bot`` is in a new group; in a channel it is nothing until it is promoted. ValueError
        if the id is not one of that kind's, the title is empty, or the username another's.
        """
        if kind not in KINDS:
            raise ValueError(f"kind is one of {', '.join(KINDS)}")
        if chat >= 0 or (kind == "group") is not (chat > FIRST_SUPERGROUP):
            raise ValueError(f"{chat} is no id of a {kind}")
        self._check_names(chat, title, username)
        is_new, place = chat not in self.chats, self.chat(chat)
        if is_new:
            place.channel = kind == "channel"
            place.bot = MEMBER if bot and not place.channel else OUTSIDE
        elif place.channel is not (kind == "channel"):
            raise ValueError(f"{chat} is a {place.kind} already")
        place.title, place.username = title, username
        place.forum = place.forum or kind == "forum"
        self.touch()
        return place.json()

    def link(self, chat: int, channel: int) -> None:
        """Link a channel to a supergroup, which shows its posts from then on."""
        group, linked = self.chats.get(chat), self.chats.get(channel)
        if group is None or linked is None or group.kind != "supergroup" or not linked.channel:
            raise ValueError("a supergroup and a channel that there are can be linked")
        group.linked, linked.linked = channel, chat
        self.touch()

    # What the Bot API does on the bot's behalf.

    def chat(self, chat: int) -> Chat:
        """Return the chat, creating it if new. ValueError if Telegram has no such id."""
        if not 0 < abs(chat) <= LARGEST_ID:
            raise ValueError("a chat's id is a whole number other than 0, below 2^52")
        if chat not in self.chats:
            person = self._person(chat) if chat > 0 else None
            title = "" if person else f"Group {-chat}"
            self.chats[chat] = Chat(chat, person, title, privacy=self.privacy)
        return self.chats[chat]

    def post(self, chat: Chat, content: Json, *, reply_to: int | None, topic: int | None) -> Json:
        """Post the bot's own message in a chat."""
        message = self._message(chat, self._signed(chat, None), content, reply_to, topic)
        chat.own.add(message["message_id"])
        chat.spoke[self.bot["id"]] = self.clock()
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

    def _told(self, call: Json) -> None:
        for listener in self.listeners:
            listener(call)

    def _note(self, chat: Chat, message_id: int) -> None:
        self.touch()
        chat.changes[message_id] = self.version

    def _place_of(self, chat: int, message_id: int) -> Chat:
        if chat not in self.chats or message_id not in self.chats[chat].messages:
            raise ValueError(f"no message {message_id} in chat {chat}")
        return self.chats[chat]

    def _person(self, user: int, language: str | None = None) -> Person:
        if not 0 < user <= LARGEST_ID:
            raise ValueError("a person's id is a whole number above 0, below 2^52")
        if user not in self.people:
            self.people[user] = Person(user, f"User {user}")
        if language is not None:
            self.people[user].language = language
        return self.people[user]

    def _signed(self, chat: Chat, author: Person | None) -> Json:
        """Return who a message of ``author`` is from; None is the bot."""
        if author is None and not chat.channel:
            return {"from": self.bot}
        return sender_json(chat, author) if author else {"sender_chat": chat.json()}

    def _message(
        self,
        chat: Chat,
        sender: Json,
        content: Json,
        reply_to: int | None = None,
        topic: int | None = None,
        *,
        message_id: int | None = None,
    ) -> Json:
        message = {
            "message_id": self._next_id(chat, message_id),
            **sender,
            "chat": chat.json(),
            "date": self._now(),
            **position(chat, reply_to, topic),
            **introduced(content, self.people),
        }
        self.keep(chat, message)
        return message

    def _next_id(self, chat: Chat, wish: int | None = None) -> int:
        """Supergroups and channels count their own messages; others share the bot's counter."""
        counter = chat.id if chat.kind in ("supergroup", "channel") else 0
        last = self._message_ids.get(counter, 1 if counter else 0)
        self._message_ids[counter] = max(last, wish or last + 1)
        return wish or last + 1

    def _deliver(self, message: Json, chat: Chat, kind: str = "message") -> None:
        if kind == "message":
            used(chat, message)
        if not self._bot_hears(chat, message):
            return
        if kind == "message" and chat.privacy and is_meant(message, chat, self.bot):
            chat.meant.add(message["message_id"])
        kinds = {"message": "channel_post", "edited_message": "edited_channel_post"}
        self.updates.add(kinds[kind] if chat.channel else kind, message)

    def _bot_hears(self, chat: Chat, message: Json) -> bool:
        """True if a message reaches the bot, which never reads what other bots write."""
        if not chat.bot.present:
            return False
        if is_service(message):
            return True
        author = message.get("from", {})
        if author.get("is_bot") and author["id"] not in STAND_INS:
            return False
        reads_all = chat.kind == "private" or chat.bot.rules or not chat.privacy
        return reads_all or is_meant(message, chat, self.bot)

    def _now(self) -> int:
        return int(self.clock())


def _later(seconds: float, act: Callable[[], None]) -> object:
    return asyncio.get_running_loop().call_later(seconds, act)
