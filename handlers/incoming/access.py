"""Who may speak with the bot, and who may make it forget."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from telegram import Chat, ChatMember, MaybeInaccessibleMessage, Message, Update, User
from telegram.constants import ChatMemberStatus
from telegram.error import BadRequest, ChatMigrated, Forbidden
from telegram.ext import ApplicationHandlerStop, ContextTypes

from handlers.incoming.addressing import command, is_addressed, is_from_a_person
from handlers.outgoing.say import answer_press, say
from handlers.texts import texts_for
from handlers.where import is_private

LATELY_SECONDS = 10.0
"""How long Telegram's word on who is an admin holds, where only an interruption depends on it."""


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
    _lately: dict[tuple[int, int], tuple[float, asyncio.Task[bool]]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    async def allows(self, message: Message) -> bool:
        """Tell whether the bot answers this person in this chat; its owners, everywhere."""
        return await self.allows_in(message.from_user, message)

    async def allows_in(
        self, person: User | None, message: MaybeInaccessibleMessage | None
    ) -> bool:
        """Tell the same of a person who only pressed a button under ``message``."""
        number = person.id if person else 0
        if number in self.owners:
            return True
        chat = message.chat.id if message else 0
        if self.users and number not in self.users:
            return False
        return not self.chats or chat in self.chats or chat in await self.successors(self.chats)

    def owns(self, message: Message) -> bool:
        """Tell whether an owner of the bot wrote this."""
        return message.from_user is not None and message.from_user.id in self.owners

    async def may_interrupt(self, message: Message, me: User) -> bool:
        """Tell whether a message may cut short what its chat waits for.

        Everybody may stop an answer, which can be asked for again. What makes the bot forget this
        conversation interrupts only when it is going to be obeyed.
        """
        if not is_from_a_person(message) or not await self.allows(message):
            return False
        match command(message, me):
            case ["stop", *_]:
                return True
            case ["reset"]:
                return await self.may_change(message, is_admin=self._is_admin_lately)
        return False

    async def may_change(
        self,
        message: Message,
        person: User | None = None,
        is_admin: Callable[[Chat, User], Awaitable[bool]] | None = None,
    ) -> bool:
        """Tell whether who wrote ``message``, or ``person``, may change what a chat remembers.

        In a group it belongs to everybody, so its admins may; in a private chat the person.
        ``is_admin`` asks Telegram, unless it is given.
        """
        person = person or message.from_user
        if is_private(message.chat) or (person and person.id in self.owners):
            return True
        if message.sender_chat is not None and person == message.from_user:
            # An admin who writes anonymously does so in the group's own name.
            return message.sender_chat.id == message.chat_id
        return person is not None and await (is_admin or _is_admin)(message.chat, person)

    async def _is_admin_lately(self, chat: Chat, person: User) -> bool:
        """Tell the same as `_is_admin`, which is asked once for all who ask within a while."""
        now, key = time.monotonic(), (chat.id, person.id)
        for old in [one for one, (until, _) in self._lately.items() if until < now]:
            del self._lately[old]
        if key not in self._lately:
            asking = asyncio.create_task(_is_admin(chat, person))
            self._lately[key] = now + LATELY_SECONDS, asking
        return await asyncio.shield(self._lately[key][1])

    async def guard(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Stop other bots in silence, and tell people who are not allowed if they spoke to us."""
        if (query := update.callback_query) is not None:
            if not await self.allows_in(query.from_user, query.message):
                await answer_press(query, texts_for(query.from_user).not_allowed)
                raise ApplicationHandlerStop
            return
        message = update.message or update.edited_message
        if message is None:
            return
        person = is_from_a_person(message)
        if person and await self.allows(message):
            return
        if person and update.message and is_addressed(message, context.bot.bot):
            await say(message, texts_for(message.from_user).not_allowed)
        raise ApplicationHandlerStop


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
