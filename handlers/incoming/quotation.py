"""What a message refers to: what it replies to, and who wrote what it forwards. Pure."""

from collections.abc import Container

from telegram import (
    Chat,
    Message,
    MessageOrigin,
    MessageOriginChannel,
    MessageOriginChat,
    MessageOriginHiddenUser,
    MessageOriginUser,
    User,
)

from handlers.incoming.words import marked, told, written
from handlers.texts import Texts
from handlers.turn.where import is_private
from storage.message import well_formed

MOST_CHARACTERS = 4000
"""Longest quotation, about one message: the question matters more."""


def quotation(
    message: Message, known: Container[int], texts: Texts, *, without_file: bool = False
) -> str:
    """Return what a message replies to, as a quotation for the model; "" if there is nothing.

    A message without words is named by its kind, in the language of ``texts``; ``without_file``
    leaves that out for a file whose content the model gets elsewhere.

    A part that the person selected stands for the whole. The model already has the messages whose
    ids are ``known``, so only a selected part of those is quoted. Where more than two people speak,
    the quotation begins with a line that names its author.
    """
    text = _quoted(message, known, texts, without_file=without_file).strip()
    if not text:
        return ""
    if len(text) > MOST_CHARACTERS:
        text = text[: MOST_CHARACTERS - 1] + "…"
    author = _author(message)
    lines = [f"{author}:"] if author else []
    # `splitlines` would also cut at rarer line ends.
    return "\n".join(f"> {line}" for line in [*lines, *text.splitlines()])


def forwarded_from(message: Message) -> str:
    """Return who wrote what a message forwards; "" if it is no forward."""
    origin = message.forward_origin
    return _origin_name(origin) if origin else ""


def _quoted(message: Message, known: Container[int], texts: Texts, *, without_file: bool) -> str:
    quote, replied = message.quote, message.reply_to_message
    if quote and (quote.is_manual or replied is None):
        return marked(*written(quote.to_dict()))
    if replied is None:  # a reply across chats: Telegram gives everything but its text
        return told(message.external_reply.to_dict(), texts) if message.external_reply else ""
    # In a topic, a message that replies to nothing "replies" to the topic's first message.
    if replied.forum_topic_created or replied.message_id in known:
        return ""
    return marked(*written(replied.to_dict())) if without_file else told(replied.to_dict(), texts)


def _author(message: Message) -> str:
    replied = message.reply_to_message
    if message.external_reply:
        return _origin_name(message.external_reply.origin)
    if replied is None:
        return ""
    if replied.forward_origin:
        return _origin_name(replied.forward_origin)
    return "" if is_private(message.chat) else _name(replied.sender_chat or replied.from_user)


def _origin_name(origin: MessageOrigin) -> str:
    match origin:
        case MessageOriginUser():
            return _name(origin.sender_user)
        case MessageOriginHiddenUser():
            return _one_line(origin.sender_user_name)
        case MessageOriginChat():
            return _name(origin.sender_chat)
        case MessageOriginChannel():
            return _name(origin.chat)
        case _:
            return ""  # a kind newer than the library


def _name(author: User | Chat | None) -> str:
    if author is None:
        return ""
    # A chat with a person has a person's name, and no title.
    name = author.full_name if isinstance(author, User) else author.effective_name
    return _one_line(name or "")


def _one_line(name: str) -> str:
    return " ".join(well_formed(name).split())
