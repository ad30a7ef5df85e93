"""How a bot reacts to messages and pins them.

Errors are TDLib's (MessagesManager, MessageReaction) and, in capitals, the server's own.
"""

from collections.abc import Callable
from typing import Any

from bot.playground.telegram.chat import Chat, Json
from bot.playground.telegram.marks import can_pin, emoji
from bot.playground.telegram.parameters import bad, number, open_chat
from bot.playground.telegram.privacy import is_service
from bot.playground.telegram.room import Room
from bot.playground.telegram.topics import can


def set_message_reaction(room: Room, given: Json) -> bool:
    chat = open_chat(room, given)
    message_id = _message(chat, given, "message to react")
    reaction = [_reaction(each) for each in _list(given.get("reaction"))]
    if len(reaction) > 1:
        raise bad("REACTIONS_TOO_MANY")
    if is_service(chat.messages[message_id]):
        raise bad("REACTION_INVALID")
    if chat.id < 0 and not can(chat, chat.bot, "can_react_to_messages") and not chat.bot.rules:
        raise bad("not enough rights to react to the message")
    room.set_reaction(chat, message_id, room.bot["id"], reaction)
    return True


def pin_chat_message(room: Room, given: Json) -> bool:
    chat = open_chat(room, given)
    message_id = _message(chat, given, "message to pin")
    _check_pins(chat)
    if is_service(chat.messages[message_id]):
        raise bad("message can't be pinned")
    room.set_pin(chat, message_id, room.bot["id"])
    return True


def unpin_chat_message(room: Room, given: Json) -> bool:
    """Take the given message's pin away, or the newest."""
    chat = open_chat(room, given)
    if number(given, "message_id"):
        unpinned = [_message(chat, given, "message to unpin")]
    else:
        unpinned = sorted(each for each in chat.pins if each in chat.messages)[-1:]
    if not unpinned:
        raise bad("message to unpin not found")
    _check_pins(chat)
    room.take_pins(chat, unpinned)
    return True


def unpin_all_chat_messages(room: Room, given: Json) -> bool:
    chat = open_chat(room, given)
    _check_pins(chat)
    room.take_pins(chat, chat.pins)
    return True


def _list(reaction: Any) -> list[Any]:
    if reaction is None:
        return []
    if not isinstance(reaction, list):
        raise bad("expected an Array of ReactionType")
    return reaction


def _reaction(reaction: Any) -> Json:
    if not isinstance(reaction, dict):
        raise bad("can't parse reaction type: ReactionType must be an Object")
    if reaction.get("type") not in ("emoji", "custom_emoji", "paid"):
        raise bad("can't parse reaction type: invalid reaction type specified")
    try:
        return emoji(str(reaction.get("emoji", "")))
    except ValueError:
        raise bad("REACTION_INVALID") from None


def _message(chat: Chat, given: Json, what: str) -> int:
    message_id = number(given, "message_id")
    if message_id not in chat.messages:
        raise bad(f"{what} not found")
    return message_id


def _check_pins(chat: Chat) -> None:
    if not can_pin(chat, chat.bot):
        raise bad("not enough rights to manage pinned messages in the chat")


METHODS: dict[str, Callable[[Room, Json], Any]] = {
    "setMessageReaction": set_message_reaction,
    "pinChatMessage": pin_chat_message,
    "unpinChatMessage": unpin_chat_message,
    "unpinAllChatMessages": unpin_all_chat_messages,
}
