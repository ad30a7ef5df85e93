"""Puts raw updates into the inbox: nothing is confirmed to Telegram before it is stored."""

import json
import re
from collections import deque
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

import structlog
from prometheus_client import Counter

from bot.updates.groups import Groups, IsTalk, Talk
from handlers.actions import table
from handlers.incoming.migration import migration
from handlers.turn.press import Press
from storage.arrivals import Arrival
from storage.dead import DeadLetters
from storage.inbox import Inbox
from storage.message import ChatKey, well_formed
from storage.server.connect import StorageFull

log = structlog.get_logger()

KINDS = (
    *("message", "edited_message", "callback_query", "stopped_message_generation"),
    "my_chat_member",
)
"""What we ask Telegram for. Anything else, such as channel posts, would only be dropped."""
AHEAD = ("callback_query", "stopped_message_generation", "my_chat_member")
"""Kinds that go ahead while memory is full."""
TALK = ("message", "edited_message")
"""Kinds that may be a group's own talk."""
LARGEST = 1024 * 1024
"""Bytes in an update; Telegram's are a few thousand."""
UPDATES = Counter("intake_updates", "Updates taken in, by what became of them", ["outcome"])
for _outcome in ("stored", "known", "flood", "dropped", "dead"):
    UPDATES.labels(_outcome)  # from the start, or Prometheus misses the first
COMMAND = re.compile(r"/[a-z]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Unreadable:
    """An update that cannot be queued, or the beginning of one."""

    text: str
    reason: str


_Read = Arrival | _Unreadable | None
"""None is not for us."""


class NoRoom(StorageFull):
    """Memory is full; only the first ``taken`` of the updates are stored."""

    def __init__(self, reason: str, taken: int) -> None:
        super().__init__(reason)
        self.taken = taken


class Intake:
    """Takes in updates, whichever way they come."""

    def __init__(
        self, inbox: Inbox, dead: DeadLetters, read_talk: Callable[[Any], Talk | None]
    ) -> None:
        """``read_talk`` reads a raw message; None if a handler has to look at it in any case."""
        self._inbox = inbox
        self._dead = dead
        self._read_talk = read_talk
        self._groups = Groups()
        self._buried: deque[int] = deque(maxlen=1000)
        self.problem: str | None = None
        """Why nothing can be taken in at the moment."""

    async def take(self, *updates: Any) -> None:
        """Store updates, each in its lane or, if it has none, as a dead letter.

        Raises `StorageUnavailable`; then none of them may be confirmed to Telegram, except the
        first ones that a `NoRoom` counts. Others, such as urgent ones, may be stored anyway; they
        are recognised when they come again.
        """
        read = await self._told_apart(updates)
        arrivals = [one for one in read if isinstance(one, Arrival)]
        try:
            await self._put(arrivals)
        except NoRoom as error:
            taken = read.index(arrivals[error.taken])
            await self._bury(read[:taken])
            raise NoRoom(str(error), taken) from error
        await self._bury(read)

    async def _told_apart(self, updates: Sequence[Any]) -> list[_Read]:
        """Read updates; what people say to each other is heard, if their chat wants that.

        Some of it is for the bot, by what the chat has chosen.
        """
        messages = [one for one in map(_message, updates) if one is not None]
        talk = {id(one): talk for one in messages if (talk := self._read_talk(one))}
        before, read = self._groups.begun, self._read_all(updates, talk)
        said = {
            place: talk[key].overheard(lane, edited="message" not in update)
            for place, update in enumerate(updates)
            if read[place] is None and (key := id(_message(update))) in talk
            if (lane := lane_of(update))
        }
        if not said:
            return read
        chosen = await self._inbox.hear(*said.values())
        asked = {
            key
            for place, one in said.items()
            if talk[key := id(_message(updates[place]))].is_for_us(chosen[one.lane])
        }
        if asked:
            # With all that goes on or is commented on.
            self._groups.back(before, chosen)
            read = self._read_all(updates, talk.keys() - asked)
            kept = [one for place, one in said.items() if read[place]]
            await self._inbox.unhear(*(one for one in kept if chosen[one.lane].hears))
        return read

    def _read_all(self, updates: Sequence[Any], talk: Container[int]) -> list[_Read]:
        return [
            self._read(one, updates[place:], lambda message: id(message) in talk)
            for place, one in enumerate(updates, 1)
        ]

    async def _bury(self, read: Sequence[_Read]) -> None:
        for one in read:
            if isinstance(one, _Unreadable):
                await self.bury(one.text, one.reason)

    async def _put(self, arrivals: Sequence[Arrival]) -> None:
        """Store updates in order, as many at once as there is room for.

        Transferring them takes memory too, so half of them may fit where all do not.
        """
        stored, most = 0, len(arrivals)
        while stored < len(arrivals):
            part = arrivals[stored : stored + most]
            try:
                _count(part, await self._inbox.put(*part))
                stored += len(part)
            except StorageFull as full:
                if len(part) == 1:
                    await self._put_urgent(arrivals[stored:], full, stored)
                    return
                most = len(part) // 2

    async def _put_urgent(
        self, arrivals: Sequence[Arrival], full: StorageFull, before: int
    ) -> None:
        """Store what makes room, or there never would be any; raise `NoRoom` for the rest."""
        urgent = going_ahead(arrivals)
        became = await self._inbox.put_urgent(*urgent)
        _count(urgent, became)
        stored = [one for one, what in zip(urgent, became, strict=True) if what != "full"]
        for place, one in enumerate(arrivals):
            if one not in stored:
                raise NoRoom(str(full), before + place) from full

    async def check_room(self) -> None:
        """Raise `StorageUnavailable` if ordinary updates cannot be stored now."""
        await self._inbox.check_room()

    def _read(self, update: Any, behind: Sequence[Any], is_talk: IsTalk) -> _Read:
        """Read as much of an update as queueing needs; None if it is not for us.

        ``behind`` are the updates that came after it in the same batch.
        """
        try:
            text = well_formed(json.dumps(update, ensure_ascii=False))
        except RecursionError:
            return _Unreadable(repr(type(update)), "nested too deep")
        update_id = update.get("update_id") if isinstance(update, dict) else None
        if not is_number(update_id):
            return _Unreadable(text, "no update_id")
        if len(text) > LARGEST:
            return _Unreadable(text[:1000], f"{len(text)} characters long")
        kind, lane = _kind(update), lane_of(update)
        if not kind or self._is_talk(update, lane, behind, is_talk):
            log.debug("update_ignored", update=update_id)
            return None
        if lane is None:
            return _Unreadable(text, "no readable chat")
        if kind == "message":
            self._groups.begin(update[kind], lane, self._inbox.timing.burst)
            if _passes(update[kind], lane):
                lane = lane.aside
        interrupts, sender = _interrupts(kind, update[kind]), _sender(kind, update[kind])
        return Arrival(lane, update_id, text, interrupts, sender)

    def _is_talk(
        self, update: Any, lane: ChatKey | None, behind: Sequence[Any], is_talk: IsTalk
    ) -> bool:
        message = _message(update)
        if not is_talk(message):
            return False
        here = (one for one in behind if lane_of(one) == lane)
        return lane is None or not self._groups.belongs(message, lane, here, is_talk)

    async def bury(self, text: str, reason: str) -> None:
        """Make a dead letter of what cannot be queued; a repeated one makes no second letter."""
        if hash(text) in self._buried:
            return
        log.warning("update_unreadable", reason=reason)
        await self._dead.add(text, reason)
        UPDATES.labels("dead").inc()
        self._buried.append(hash(text))


def is_number(value: object) -> TypeGuard[int]:
    """Tell whether this can be an update's id: an int64, and not negative."""
    return type(value) is int and 0 <= value < 2**63


def _count(arrivals: Sequence[Arrival], stored: Sequence[str]) -> None:
    for one, became in zip(arrivals, stored, strict=True):
        if became != "full":
            UPDATES.labels(became).inc()
        if became in ("flood", "dropped"):
            log.warning("too_many_waiting", chat=one.lane.chat_id, update=became)


def going_ahead(arrivals: Sequence[Arrival]) -> list[Arrival]:
    """Choose the updates that go ahead while memory is full: commands and button presses.

    They overtake earlier messages of their chats, except commands that are about those.
    """
    ahead: list[Arrival] = []
    kept_out: set[ChatKey] = set()
    for one in arrivals:
        update = json.loads(one.update)
        kind = _kind(update)
        command = _command(update[kind]) if kind == "message" else ""
        row = table.read(command)
        waits = row is not None and row.about_the_last and one.lane in kept_out
        if (kind in AHEAD or COMMAND.match(command)) and not waits:
            ahead.append(one)
        else:
            kept_out.add(one.lane)
    return ahead


def _message(update: Any) -> Any:
    """Return the message of an update of any shape, if it may be talk."""
    kind = _kind(update) if isinstance(update, dict) else ""
    return update[kind] if kind in TALK else None


def _kind(update: dict[str, Any]) -> str:
    return next((kind for kind in KINDS if kind in update), "")


def _interrupts(kind: str, content: dict[str, Any]) -> bool:
    """True for a stop button, or a command that may cut short what waits, or a removed bot."""
    match kind:
        case "message":
            row = table.read(_command(content))
            return row is not None and row.interrupts
        case "callback_query":
            press = Press.parse(content.get("data"))
            button = table.BUTTONS.get(press.name) if press else None
            return button is not None and button.interrupts
    return kind in ("stopped_message_generation", "my_chat_member")


def _passes(message: dict[str, Any], lane: ChatKey) -> bool:
    """True for a command that need not wait for what goes on in a private chat."""
    row = table.read(_command(message)) if lane.chat_id > 0 and not lane.topic_id else None
    return row is not None and row.passes


def _sender(kind: str, content: dict[str, Any]) -> str:
    """Identify the sender, with a separate name for their presses; "" if there is none."""
    who = content.get("sender_chat") or content.get("from")
    number = who.get("id") if isinstance(who, dict) else None
    return f"{number} {kind}" if type(number) is int else ""


def _command(message: dict[str, Any]) -> str:
    """Return the text if it can be a command; one that somebody else wrote cannot."""
    text, is_own = message.get("text"), not message.keys() & {"forward_origin", "via_bot"}
    return text if isinstance(text, str) and is_own else ""


def lane_of(update: dict[str, Any]) -> ChatKey | None:
    """Find the conversation of a raw update of any shape; None if there is none."""
    try:
        kind = _kind(update)
        place = update[kind]["message"] if kind == "callback_query" else update[kind]
        chat_id = place["chat"]["id"]
        if kind == "message" and (migrated := migration(place)):
            chat_id = migrated[1]  # everything kept must move there before anybody asks
        direct = place.get("direct_messages_topic")
        if isinstance(direct, dict) and type(direct.get("topic_id")) is int:
            topic_id = direct["topic_id"]
        elif kind == "stopped_message_generation":
            topic_id = place.get("message_thread_id", 0)
        else:
            topic_id = place["message_thread_id"] if place.get("is_topic_message") else 0
    except (LookupError, TypeError, AttributeError):
        return None
    return ChatKey(chat_id, topic_id) if type(chat_id) is type(topic_id) is int else None
