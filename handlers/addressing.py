"""Is a message meant for the bot, what does it say, and which conversation is it part of? Pure."""

from typing import Any

from telegram import Chat, Message, MessageEntity, User
from telegram.constants import ChatType
from telegram.ext import ExtBot

from storage.message import ChatKey, well_formed

ANONYMOUS_ADMIN, SOME_CHANNEL = 1087968824, 136817688
"""Telegram's own stand-ins for somebody who writes in the name of a chat; they count as bots."""


def chat_key(message: Message) -> ChatKey:
    """Name the conversation: the chat, or the forum topic in it.

    A thread id alone is not a topic; plain chains of replies have one too.
    """
    topic = message.message_thread_id if message.is_topic_message else None
    return ChatKey(message.chat_id, topic or 0)


def is_private(chat: Chat) -> bool:
    """Tell a chat with one person from a group."""
    return chat.type == ChatType.PRIVATE


def is_from_a_person(message: Message) -> bool:
    """Leave out other bots, and posts that a group's linked channel forwards by itself."""
    sender = message.from_user
    if message.is_automatic_forward or sender is None:
        return False
    return not sender.is_bot or sender.id in (ANONYMOUS_ADMIN, SOME_CHANNEL)


def is_addressed(message: Message, me: User) -> bool:
    """Tell whether a message is for the bot: in a group, one that names it or replies to it."""
    return is_private(message.chat) or _mentions(message, me) or _replies_to(message, me)


def is_mere_talk(raw: Any, bot: ExtBot[None]) -> bool:
    """Tell of a raw message, which may be anything, that it is a group's own talk.

    What cannot be read is not: somebody has to look at it.
    """
    try:
        if raw["chat"]["type"] == ChatType.PRIVATE:
            return False
        message = Message.de_json(raw, bot)
        return not (is_addressed(message, bot.bot) or _is_command(message))
    except Exception:  # noqa: BLE001 - it raises whatever odd JSON leads it to
        return False


def command(message: Message, me: User) -> list[str]:
    """Give the words of a command to the bot, its name first, in lower case; else none.

    They are those that python-telegram-bot's own `CommandHandler` finds. What is forwarded is no
    command, but what somebody else wrote.
    """
    entity = message.entities[0] if message.entities and not message.forward_origin else None
    if not message.text or not entity or entity.offset or entity.type != MessageEntity.BOT_COMMAND:
        return []
    name, _, bot = message.text[1 : entity.length].lower().partition("@")
    if bot not in ("", str(me.username).lower()):
        return []
    return [name, *message.text.split()[1:]]


def question(message: Message, me: User) -> str:
    """Give what a message asks, without the bot's name at its beginning or end."""
    text = well_formed(message.text or message.caption or "").strip()
    name = f"@{me.username}".lower()
    if text.lower().startswith(name):
        text = text[len(name) :].lstrip(" ,:\n")
    if text.lower().endswith(name):
        text = text[: -len(name)].rstrip()
    return text


def _is_command(message: Message) -> bool:
    """Tell whether it begins with a command; one with a name is for the bot of that name."""
    commands = message.parse_entities([MessageEntity.BOT_COMMAND])
    return not message.forward_origin and any(
        entity.offset == 0 and "@" not in text for entity, text in commands.items()
    )


def _mentions(message: Message, me: User) -> bool:
    name = f"@{me.username}".lower()
    kinds: list[str | None] = [
        MessageEntity.MENTION,
        MessageEntity.TEXT_MENTION,
        MessageEntity.BOT_COMMAND,
    ]
    named = message.parse_entities(kinds) | message.parse_caption_entities(kinds)
    return any(
        (entity.user is not None and entity.user.id == me.id)
        or text.lower() == name
        or (entity.type == MessageEntity.BOT_COMMAND and text.lower().endswith(name))
        for entity, text in named.items()
    )


def _replies_to(message: Message, me: User) -> bool:
    replied = message.reply_to_message
    if replied is None or replied.from_user is None or replied.from_user.id != me.id:
        return False
    # In a topic that the bot opened, every plain message "replies" to the topic's own beginning.
    return replied.forum_topic_created is None
