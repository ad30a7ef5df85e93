"""Which conversation a message belongs to, and who is in it. Pure."""

from typing import Any

from telegram import Chat, Message
from telegram.constants import ChatType

from storage.message import ChatKey


def chat_key(message: Message) -> ChatKey:
    """Return the conversation's key: the chat, or a topic in it.

    In a channel's direct messages each person is a topic. A thread id alone makes no topic: chains
    of replies have one too.
    """
    if direct := message.direct_messages_topic:
        return ChatKey(message.chat_id, direct.topic_id)
    topic = message.message_thread_id if message.is_topic_message else None
    return ChatKey(message.chat_id, topic or 0)


def topic_of(message: Message) -> dict[str, Any]:
    """Return the arguments, besides the chat, to send to a message's conversation."""
    topic = chat_key(message).topic_id
    name = "direct_messages_topic_id" if message.direct_messages_topic else "message_thread_id"
    return {name: topic} if topic else {}


def is_private(chat: Chat) -> bool:
    """Tell whether a chat is with one person."""
    return chat.type == ChatType.PRIVATE


def is_company(message: Message) -> bool:
    """Tell whether many people speak in a message's conversation."""
    return not is_private(message.chat) and message.direct_messages_topic is None
