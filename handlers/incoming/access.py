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
    """Who may do something in a conversation, among those whom the bot answers at all."""

    EVERYBODY = auto()
    ASKER = auto()
    """Who asked the last question, and everybody with `CHANGE`."""
    CHANGE = auto()
    """In a group its admins, since its history is everybody's; elsewhere the person."""
    OWNER = auto()
    """The bot's owners, who may do everything."""


async def _none(_chats: AbstractSet[int]) -> AbstractSet[int]:
    return frozenset()


@dataclass(frozen=True, slots=True)
class Access:
    """Rules of access by Telegram ids. An empty set of users or chats allows all."""

    owners: AbstractSet[int]
    users: AbstractSet[int]
    chats: AbstractSet[int]
    successors: Callable[[AbstractSet[int]], Awaitable[AbstractSet[int]]] = _none
    """Returns the supergroups of these groups; those are allowed like the groups."""
    timing: Timing = Timing()
    _lately: dict[tuple[int, int], tuple[float, asyncio.Task[bool]]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    async def allows(self, person: User | None, message: MaybeInaccessibleMessage | None) -> bool:
        """Tell whether the bot answers a person in a message's chat; owners, everywhere."""
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
        """Tell whether the author of ``message``, or ``person`` who pressed a button, has a right.

        ``asker`` is who asked the last question, 0 if unknown. ``lately`` accepts what Telegram
        said a moment ago about who is an admin.
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
            # Anonymous admins write in the group's own name.
            return in_its_name.id == message.chat_id
        return who is not None and await (self._is_admin_lately if lately else _is_admin)(
            message.chat, who
        )

    async def _is_admin_lately(self, chat: Chat, person: User) -> bool:
        """Tell the same as `_is_admin`, asked once for all calls within a while."""
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
        return False  # only bots that are admins themselves can be sure of an answer
    return member.status in (ChatMemberStatus.OWNER, ChatMemberStatus.ADMINISTRATOR)


async def _member(chat: Chat, person: User) -> ChatMember:
    try:
        return await chat.get_member(person.id)
    except ChatMigrated as error:
        return await chat.get_bot().get_chat_member(error.new_chat_id, person.id)
