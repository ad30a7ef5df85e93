"""Who may speak with the bot, and who may do what with a conversation."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from enum import Enum, auto

from telegram import Chat, ChatMember, MaybeInaccessibleMessage, Message, User
from telegram.constants import ChatMemberStatus
from telegram.error import BadRequest, ChatMigrated, Forbidden

from handlers.turn.where import is_company
from storage.timing import Timing


class Right(Enum):
    """Who may do something in a conversation, among those who may speak with the bot at all."""

    EVERYBODY = auto()
    ASKER = auto()
    """Whoever asked the last question, and those who may change the conversation."""
    CHANGE = auto()
    """In a group its admins, since what is said there is everybody's; elsewhere the person."""
    OWNER = auto()
    """Owners of the bot, who may do everything."""


async def _none(_chats: AbstractSet[int]) -> AbstractSet[int]:
    return frozenset()


@dataclass(frozen=True, slots=True)
class Access:
    """Rules of access, by Telegram's ids. An empty set of users or chats allows them all."""

    owners: AbstractSet[int]
    users: AbstractSet[int]
    chats: AbstractSet[int]
    successors: Callable[[AbstractSet[int]], Awaitable[AbstractSet[int]]] = _none
    """Gives the supergroups that groups have become: where those are allowed, these are, too."""
    timing: Timing = Timing()
    _lately: dict[tuple[int, int], tuple[float, asyncio.Task[bool]]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    async def allows(self, person: User | None, message: MaybeInaccessibleMessage | None) -> bool:
        """Tell whether the bot answers a person in a message's chat; its owners, everywhere."""
        number = person.id if person else 0
        if number in self.owners:
            return True
        chat = message.chat.id if message else 0
        if self.users and number not in self.users:
            return False
        return not self.chats or chat in self.chats or chat in await self.successors(self.chats)

    async def permits(
        self,
        right: Right,
        message: Message,
        person: User | None = None,
        *,
        asker: int = 0,
        lately: bool = False,
    ) -> bool:
        """Tell whether who wrote ``message``, or ``person`` who pressed a button, has a right.

        ``asker`` is who asked the last question, 0 if nobody knows. ``lately``: what Telegram said
        a moment ago of who is an admin will do.
        """
        who = person or message.from_user
        number = who.id if who else 0
        if right is Right.EVERYBODY or number in self.owners:
            return True
        if right is Right.OWNER:
            return False
        in_its_name = message.sender_chat if person is None else None
        if right is Right.ASKER and asker in (0, in_its_name.id if in_its_name else number):
            return True
        if not is_company(message):
            return True
        if in_its_name is not None:
            # An admin who writes anonymously does so in the group's own name.
            return in_its_name.id == message.chat_id
        return who is not None and await (self._is_admin_lately if lately else _is_admin)(
            message.chat, who
        )

    async def _is_admin_lately(self, chat: Chat, person: User) -> bool:
        """Tell the same as `_is_admin`, which is asked once for all who ask within a while."""
        now, key = time.monotonic(), (chat.id, person.id)
        for old in [one for one, (until, _) in self._lately.items() if until < now]:
            del self._lately[old]
        if key not in self._lately:
            asking = asyncio.create_task(_is_admin(chat, person))
            self._lately[key] = now + self.timing.admin_lately, asking
        return await asyncio.shield(self._lately[key][1])


async def _is_admin(chat: Chat, person: User) -> bool:
    try:
        member = await _member(chat, person)
    except (BadRequest, Forbidden):
        return False  # Telegram tells for certain only bots that are admins themselves
    return member.status in (ChatMemberStatus.OWNER, ChatMemberStatus.ADMINISTRATOR)


async def _member(chat: Chat, person: User) -> ChatMember:
    try:
        return await chat.get_member(person.id)
    except ChatMigrated as error:
        return await chat.get_bot().get_chat_member(error.new_chat_id, person.id)
