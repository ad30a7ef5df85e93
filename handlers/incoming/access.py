"""Who may speak with the bot, and who may do what with a conversation."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from telegram import Chat, Message, Update, User
from telegram.constants import ChatType
from telegram.error import BadRequest, ChatMigrated, Forbidden, InvalidToken, TelegramError
from telegram.ext import ExtBot

from handlers.incoming.addressing import said, writer
from handlers.incoming.membership import ADMINS, can_write
from handlers.incoming.words import Json
from handlers.outgoing.delivery import bot_of
from handlers.outgoing.pacing import Effect, Kind
from handlers.outgoing.post import post
from handlers.turn.press import Choice
from handlers.turn.where import chat_key, is_company, is_private
from storage.access import Listed
from storage.message import ChatKey
from storage.message import Message as Said
from storage.timing import Timing

_OPENS = re.compile(r"/start settings_(-\d{1,19})(?!\d)", re.ASCII)


class Right(Enum):
    """Who may do something in a conversation, among those whom the bot answers at all."""

    EVERYBODY = auto()
    ASKER = auto()
    """Who asked the last question, and everybody with `CHANGE`."""
    CHANGE = auto()
    """In a group its admins, since its history is everybody's, or, if they say so, everybody;
    elsewhere the person."""
    ADMIN = auto()
    """In a group its admins; elsewhere the person."""
    OWNER = auto()
    """The bot's owners, who may do everything."""


class Standing(Enum):
    """What somebody is to the bot, who writes or presses somewhere."""

    ALLOWED = auto()
    STRANGER = auto()
    """Nobody has let them in yet."""
    SHUT_OUT = auto()
    """An owner has shut out them, or the chat."""


async def _none(_chats: AbstractSet[int]) -> AbstractSet[int]:
    return frozenset()


@dataclass(frozen=True, slots=True)
class Access:
    """Rules of access by Telegram ids: those of the settings, to which commands add theirs.

    An empty set of users or chats allows all. ``closed``: nobody is answered whom neither the
    settings nor a command names; None: so it is if the settings name anybody.
    """

    owners: AbstractSet[int]
    users: AbstractSet[int]
    chats: AbstractSet[int]
    closed: bool | None = None
    successors: Callable[[AbstractSet[int]], Awaitable[AbstractSet[int]]] = _none
    """Returns the supergroups of these groups; those are allowed like the groups."""
    timing: Timing = Timing()
    _lately: dict[tuple[int, int], tuple[float, asyncio.Task[bool]]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    async def standing(self, update: Update, listed: Mapping[int, Listed]) -> Standing:
        """Tell what somebody is to the bot; ``listed`` are whom commands have let in or shut out.

        Being shut out wins, except over whom the settings name. Owners are allowed everywhere.
        """
        person, author, chat = _who(update)
        if person == author and person in self.owners:
            return Standing.ALLOWED
        found = {one: listed[one].allowed for one in (author, chat) if one in listed}
        for one, allowed in found.items():
            if not allowed and not await self.is_named(one):
                return Standing.SHUT_OUT
        if not self.is_closed or any(found.values()) or await self._are_named(person, chat):
            return Standing.ALLOWED
        # A group that is let in is set up from its admin's private chat.
        if group := _group_set_up(update):
            one_group = {group, *await self.successors({group})}
            let_in = any(listed[one].allowed for one in one_group & listed.keys())
            if let_in or await self._are_named(person, group):
                return Standing.ALLOWED
        return Standing.STRANGER

    async def allows(self, update: Update, listed: Mapping[int, Listed]) -> bool:
        """Tell whether the bot answers who wrote or pressed."""
        return await self.standing(update, listed) is Standing.ALLOWED

    @property
    def is_closed(self) -> bool:
        """Tell whether only those are answered whom the settings or a command name."""
        return bool(self.users or self.chats) if self.closed is None else self.closed

    async def is_named(self, one: int) -> bool:
        """Tell whether the settings name a person or a chat."""
        if one in self.users or one in self.chats:
            return True
        return bool(self.chats) and one in await self.successors(self.chats)

    async def _are_named(self, person: int, chat: int) -> bool:
        """Tell whether the settings allow a person in a chat; if both are listed, both must be."""
        if not (self.users or self.chats) or (self.users and person not in self.users):
            return False
        return not self.chats or chat in self.chats or chat in await self.successors(self.chats)

    async def permits(
        self,
        right: Right,
        message: Message,
        person: User | None = None,
        *,
        asker: int = 0,
        everybody: bool = False,
        lately: bool = False,
    ) -> bool:
        """Tell whether the author of ``message``, or ``person`` who pressed a button, has a right.

        ``asker`` is who asked the last question, 0 if unknown. ``everybody``: in this chat `CHANGE`
        is everybody's. ``lately`` accepts what Telegram
        said a moment ago about who is an admin.
        """
        who = person or message.from_user
        number = who.id if who else 0
        in_its_name = message.sender_chat if person is None else None
        if right is Right.EVERYBODY or (in_its_name is None and number in self.owners):
            return True
        if right is Right.OWNER:
            return False
        asked = right is Right.ASKER and asker in (0, in_its_name.id if in_its_name else number)
        shared = everybody and right is not Right.ADMIN
        if asked or shared or not is_company(message):
            return True
        if in_its_name is not None:
            # Anonymous admins write in the group's own name.
            return in_its_name.id == message.chat_id
        return who is not None and await (self._is_admin_lately if lately else _is_admin)(
            message.chat, who
        )

    async def governs(self, chat: ChatKey, message: Message, person: User | None = None) -> bool:
        """Tell whether the author of ``message``, or who pressed its button, may set up ``chat``.

        A group's admins may, there or from their private chat; elsewhere the person, there.
        """
        who = person or message.from_user
        if is_private(message.chat) and (who is None or who.id != message.chat_id):
            return False
        if chat == chat_key(message) or (is_company(message) and chat.chat_id == message.chat_id):
            return await self.permits(Right.ADMIN, message, person)
        if not is_private(message.chat) or chat.chat_id > 0 or who is None:
            return False
        group = Chat(chat.chat_id, ChatType.SUPERGROUP)
        group.set_bot(message.get_bot())
        return who.id in self.owners or await _is_admin(group, who)

    async def _is_admin_lately(self, chat: Chat, person: User) -> bool:
        """Tell the same as `_is_admin`, asked once for all calls within a while."""
        now, key = time.monotonic(), (chat.id, person.id)
        for old in [one for one, (until, _) in self._lately.items() if until < now]:
            del self._lately[old]
        if key not in self._lately:
            asking = asyncio.create_task(_is_admin(chat, person))
            self._lately[key] = now + self.timing.admin_lately, asking
        return await asyncio.shield(self._lately[key][1])


def _who(update: Update) -> tuple[int, int, int]:
    """Return the ids of a person, of who writes (a chat in whose name they do), and of the chat."""
    if query := update.callback_query:
        return query.from_user.id, query.from_user.id, query.message.chat.id if query.message else 0
    message = update.message or update.edited_message
    if message is None:
        return 0, 0, 0
    return message.from_user.id if message.from_user else 0, writer(message), message.chat_id


def _group_set_up(update: Update) -> int:
    """Return the group whose settings somebody opens or changes in private; 0 if none."""
    query, message = update.callback_query, update.message
    if query and query.message and query.message.chat.id > 0:
        choice = Choice.parse(query.data)
        return min(0, choice.chat.chat_id) if choice else 0
    found = _OPENS.match(message.text or "") if message and message.chat_id > 0 else None
    return int(found[1]) if found else 0


async def _is_admin(chat: Chat, person: User) -> bool:
    # Only bots that are admins themselves can be sure of an answer.
    return (await _membership(bot_of(chat), chat.id, person.id)).get("status") in ADMINS


async def asked_by(message: Message, text: str, person: User | None) -> Said:
    """Make the history's entry for what somebody asks by a button under a message."""
    hidden = False
    if person and is_company(message):
        hidden = await is_anonymous(bot_of(message), message.chat_id, person)
    return said(message, text, person, anonymous=hidden)


async def is_anonymous(bot: ExtBot[Any], chat_id: int, person: User) -> bool:
    """Tell whether a group's admin is known to its members by the group's name alone."""
    return (await _membership(bot, chat_id, person.id)).get("is_anonymous") is True


async def has_no_privacy(bot: ExtBot[Any]) -> bool:
    """Tell whether privacy mode is off now: its owner may have changed that since the start."""
    known = bot.bot.can_read_all_group_messages is True
    try:
        found = await post(bot, "getMe", {}, Effect(Kind.OTHER, hold=None))
    except TelegramError:
        return known
    now = found.get("can_read_all_group_messages") if isinstance(found, dict) else None
    return now if isinstance(now, bool) else known


async def sees_all(bot: ExtBot[Any], chat_id: int) -> bool:
    """Tell whether the bot gets all of a group's messages: by its privacy mode, or as its admin."""
    if await has_no_privacy(bot):
        return True
    return (await _membership(bot, chat_id, bot.id)).get("status") in ADMINS


async def may_write(bot: ExtBot[Any], chat_id: int) -> bool:
    """Tell whether the bot is in a group and may write there, as all members or as its admin."""
    member = await _membership(bot, chat_id, bot.id)
    if member.get("status") in ADMINS or not can_write(member):
        return can_write(member)
    permissions = (await _asked(bot, "getChat", chat_id)).get("permissions")
    return not isinstance(permissions, dict) or permissions.get("can_send_messages") is not False


async def _membership(bot: ExtBot[Any], chat_id: int, user_id: int) -> Json:
    return await _asked(bot, "getChatMember", chat_id, user_id=user_id)


async def _asked(bot: ExtBot[Any], method: str, chat_id: int, **more: int) -> Json:
    """Ask Telegram about a chat, for JSON: nothing, if it does not say.

    python-telegram-bot refuses members with rights that it does not know, or without one it does.
    """
    effect = Effect(Kind.OTHER, hold=None)  # it changes nothing
    try:
        found = await post(bot, method, {"chat_id": chat_id, **more}, effect)
    except ChatMigrated as error:
        return await _asked(bot, method, error.new_chat_id, **more)
    except (BadRequest, Forbidden, InvalidToken):  # the last for any 404
        return {}
    return found if isinstance(found, dict) else {}
