"""Privacy mode: which messages of a group reach a bot that does not read all of them.

Source: core.telegram.org/bots/features#privacy-mode. That a plain mention reaches it, too, is not
in that list but in BotFather's own words for the setting.
"""

from collections.abc import Iterator

from bot.playground.chat import Chat, Json

_SERVICE = ("forum_topic_created", "migrate_to_chat_id", "migrate_from_chat_id")


def heard_in_privacy(message: Json, chat: Chat, bot: Json) -> bool:
    """True if ``message`` reaches ``bot``, a User, in privacy mode."""
    if chat.kind == "private" or chat.bot.rules or any(name in message for name in _SERVICE):
        return True
    replied = message.get("reply_to_message", {})
    if replied.get("from", {}).get("id") == bot["id"] and "forum_topic_created" not in replied:
        return True
    name = bot["username"].lower()
    return any(_means(chat, name, kind, text.lower()) for kind, text in _marked(message))


def _means(chat: Chat, name: str, kind: str, text: str) -> bool:
    if kind == "mention":
        return text == f"@{name}"
    _, at, addressee = text.partition("@")
    return kind == "bot_command" and (addressee == name if at else chat.bot_spoke_last)


def _marked(message: Json) -> Iterator[tuple[str, str]]:
    """Yield kind and text of each entity."""
    for text, entities in (("text", "entities"), ("caption", "caption_entities")):
        encoded = message.get(text, "").encode("utf-16-le")
        for entity in message.get(entities, ()):
            start, length = 2 * entity["offset"], 2 * entity["length"]
            yield entity["type"], encoded[start : start + length].decode("utf-16-le")
