"""Privacy mode: which messages of a group reach a bot that does not read all of them.

Source: core.telegram.org/bots/features#privacy-mode. That a plain mention reaches it, too, is not
in that list but in BotFather's own words for the setting.
"""

from bot.playground.telegram.chat import Chat, Json
from bot.playground.telegram.entities import marked

_SERVICE = frozenset(
    [
        "forum_topic_created",
        "forum_topic_closed",
        "forum_topic_edited",
        "forum_topic_reopened",
        "general_forum_topic_hidden",
        "general_forum_topic_unhidden",
        "left_chat_member",
        "migrate_to_chat_id",
        "migrate_from_chat_id",
        "new_chat_members",
        "new_chat_title",
        "pinned_message",
    ]
)


def is_service(message: Json) -> bool:
    """True if Telegram itself writes the message, which every bot in the chat gets."""
    return not _SERVICE.isdisjoint(message)


def is_meant(message: Json, chat: Chat, bot: Json) -> bool:
    """True if ``message`` is meant for ``bot``, a User; whose reply it is decides first."""
    if message.get("via_bot", {}).get("id") == bot["id"]:
        return True
    replied = message.get("reply_to_message", {})
    if not is_service(replied) and (author := replied.get("from")):
        if author["id"] == bot["id"] or replied["message_id"] in chat.meant:
            return True
        if author["is_bot"] and "sender_chat" not in replied:
            return False
    name = bot["username"].lower()
    return any(_means(chat, name, entity["type"], text.lower()) for entity, text in marked(message))


def _means(chat: Chat, name: str, kind: str, text: str) -> bool:
    if kind == "mention":
        return text == f"@{name}"
    _, at, addressee = text.partition("@")
    return kind == "bot_command" and (addressee == name if at else chat.bot_spoke_last)
