"""Who may speak with the bot, and who may make it forget."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from telegram import Message, Update
from telegram.constants import ChatMemberStatus
from telegram.error import BadRequest, Forbidden
from telegram.ext import ApplicationHandlerStop, ContextTypes

from handlers import reply
from handlers.addressing import is_addressed, is_from_a_person, is_private
from handlers.texts import texts_for


@dataclass(frozen=True, slots=True)
class Access:
    """Rules of access, by Telegram's ids. An empty set of users or chats allows them all."""

    owners: AbstractSet[int]
    users: AbstractSet[int]
    chats: AbstractSet[int]

    def allows(self, message: Message) -> bool:
        """Tell whether the bot answers this person in this chat; its owners, everywhere."""
        if self.owns(message):
            return True
        person = message.from_user.id if message.from_user else 0
        return (not self.users or person in self.users) and (
            not self.chats or message.chat_id in self.chats
        )

    def owns(self, message: Message) -> bool:
        """Tell whether an owner of the bot wrote this."""
        return message.from_user is not None and message.from_user.id in self.owners

    async def may_interrupt(self, command: Message) -> bool:
        """Tell whether a command may cut short what its chat waits for.

        Everybody may stop an answer, which can be asked for again. What makes the bot forget
        interrupts only when it is going to be obeyed.
        """
        if not is_from_a_person(command) or not self.allows(command):
            return False
        return not _is_reset(command) or self.owns(command) or await is_chat_admin(command)

    async def guard(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Stop other bots in silence, and tell people who are not allowed if they spoke to us."""
        message = update.message
        if message is None:
            return
        person = is_from_a_person(message)
        if person and self.allows(message):
            return
        if person and is_addressed(message, context.bot.bot):
            await reply.say(message, texts_for(message.from_user).not_allowed)
        raise ApplicationHandlerStop


def _is_reset(message: Message) -> bool:
    return (message.text or "").lower().startswith("/reset")


async def is_chat_admin(message: Message) -> bool:
    """Tell whether who wrote this administers the chat; in a private chat the person does."""
    if is_private(message.chat):
        return True
    if message.sender_chat is not None:
        # An admin who writes anonymously does so in the group's own name.
        return message.sender_chat.id == message.chat_id
    if message.from_user is None:
        return False
    try:
        member = await message.chat.get_member(message.from_user.id)
    except (BadRequest, Forbidden):
        return False  # Telegram tells for certain only bots that are admins themselves
    return member.status in (ChatMemberStatus.OWNER, ChatMemberStatus.ADMINISTRATOR)
