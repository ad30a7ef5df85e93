"""How the bot stands in a chat, as Telegram's ``my_chat_member`` says. Pure.

It is read as raw JSON: python-telegram-bot refuses an administrator with a right it does not know,
or without one that it does.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Self

from telegram import Chat, Message, User
from telegram.constants import ChatMemberStatus, ChatType

from handlers.incoming.words import Json
from storage.chats import ChatRecord
from storage.message import well_formed

ADMIN, SEES, TOPICS, WRITES = "admin", "sees", "topics", "writes"
"""It is an administrator, gets all messages, may manage topics, may write."""
ADMINS = (ChatMemberStatus.OWNER, ChatMemberStatus.ADMINISTRATOR)
LONGEST = 256


@dataclass(frozen=True, slots=True)
class Membership:
    """The bot's membership changed in ``chat``, by ``person``; ``date`` is in seconds since 1970.

    ``before`` and ``now`` say what it could and can do there, None if it was or is not there.
    """

    chat: Chat
    person: User
    date: int
    update: int
    before: frozenset[str] | None
    now: frozenset[str] | None
    away: str

    @classmethod
    def read(cls, update: Json, *, sees_all: bool) -> Self | None:
        """Read the ``my_chat_member`` of an update, None if it is not one.

        ``sees_all``: privacy mode is off, so the bot sees all of any group.
        """
        try:
            raw, number = update["my_chat_member"], int(update["update_id"])
            chat, person = chat_of(raw["chat"]), _person(raw["from"])
            old, new = raw["old_chat_member"], raw["new_chat_member"]
            before, now = (_abilities(one, chat, sees_all=sees_all) for one in (old, new))
            return cls(chat, person, int(raw["date"]), number, before, now, _away(new, chat))
        except (LookupError, TypeError, ValueError, AttributeError, OverflowError):
            return None

    def known(self, record: ChatRecord) -> ChatRecord:
        """Return what is known of the chat now."""
        can = " ".join(sorted(self.now or ()))
        of_now = replace(met(self.chat, record), away=self.away, can=can)
        return replace(of_now, since=self.date, update=self.update)

    def message(self, chat: Chat) -> Message:
        """Return a message of the person's, of no number, to which the bot answers in ``chat``."""
        at = datetime.fromtimestamp(0, UTC)
        return Message(0, at, chat, self.person)


def met(chat: Chat, record: ChatRecord) -> ChatRecord:
    """Return what is known of a chat as Telegram names it now."""
    title, username = _text(chat.title or chat.full_name), _text(chat.username)
    forum = chat.is_forum is True
    return replace(record, title=title, kind=_text(chat.type), username=username, forum=forum)


def chat_of(raw: Json) -> Chat:
    """Read a chat. Raises LookupError or TypeError."""
    title, username, first, last = (
        _text(raw.get(name)) or None for name in ("title", "username", "first_name", "last_name")
    )
    forum = raw.get("is_forum") is True
    return Chat(int(raw["id"]), str(raw["type"]), title, username, first, last, forum)


def can_write(member: Any) -> bool:
    """Tell whether a raw ChatMember, which may be anything, is there and may write."""
    try:
        return _is_there(member) and _may_write(member)
    except (LookupError, TypeError, AttributeError):
        return False


def _person(raw: Json) -> User:
    language = _text(raw.get("language_code")) or None
    name = _text(raw.get("first_name"))
    return User(int(raw["id"]), name, raw.get("is_bot") is True, language_code=language)


def _text(value: object) -> str:
    return well_formed(value)[:LONGEST] if isinstance(value, str) else ""


def _is_there(member: Json) -> bool:
    status = member["status"]
    if status == ChatMemberStatus.RESTRICTED:
        return member.get("is_member") is not False
    return status in (*ADMINS, ChatMemberStatus.MEMBER)


def _may_write(member: Json) -> bool:
    restricted = member["status"] == ChatMemberStatus.RESTRICTED
    return not restricted or member.get("can_send_messages") is not False


def _abilities(member: Json, chat: Chat, *, sees_all: bool) -> frozenset[str] | None:
    if not _is_there(member):
        return None
    admin = member["status"] in ADMINS
    has = {
        ADMIN: admin,
        SEES: admin or sees_all or chat.type == ChatType.PRIVATE,
        TOPICS: admin and member.get("can_manage_topics") is not False,
        WRITES: _may_write(member),
    }
    return frozenset(name for name, held in has.items() if held)


def _away(member: Json, chat: Chat) -> str:
    if _is_there(member):
        return "" if _may_write(member) else "muted"
    if chat.type == ChatType.PRIVATE:
        return "blocked"
    return "kicked" if member["status"] == ChatMemberStatus.BANNED else "left"
