"""Every key in Redis, and only here: what matters about a key is that no other equals it.

All keys of one bot share the hash tag ``{bot id}``, so that scripts work on a cluster too, and
several bots can live on one server.
"""

from storage.message import ChatKey


def history(bot_id: int, chat: ChatKey) -> str:
    """List of the conversation's messages, oldest first: JSON objects ``{"role", "text"}``."""
    return f"{{{bot_id}}}:history:{_name(chat)}"


def turns(bot_id: int, chat: ChatKey) -> str:
    """Hash of the conversation's ``epoch`` (resets so far) and ``last`` turn appended."""
    return f"{{{bot_id}}}:turns:{_name(chat)}"


def _name(chat: ChatKey) -> str:
    return f"{chat.chat_id}:{chat.topic_id}" if chat.topic_id else str(chat.chat_id)
