"""A group becomes a supergroup: another chat, with a number of its own. Pure."""

from typing import Any, TypeGuard

from telegram.constants import ChatType

FIRST_SUPERGROUP = -1_000_000_000_000
"""The numbers of supergroups begin here, and go down; those of groups are between it and 0."""


def migration(message: Any) -> tuple[int, int] | None:
    """Read of a raw message, which may be anything, which group became which supergroup.

    Telegram says so in both chats: in the old one that it has moved, in the new one from where.
    """
    try:
        here = message["chat"]["id"]
        old, new = (message.get(f"migrate_{way}_chat_id", here) for way in ("from", "to"))
    except (LookupError, TypeError, AttributeError):
        return None
    if not type(old) is type(new) is int:
        return None
    return (old, new) if new <= FIRST_SUPERGROUP < old < 0 else None


def readdressed(update: dict[str, Any], chat_id: int) -> dict[str, Any]:
    """Give an update as it would come from ``chat_id``, if it is from the group that this was.

    There messages have other numbers: none may be quoted, edited or pressed by its old one.
    """
    query, message = update.get("callback_query"), update.get("message")
    if _is_elsewhere(message, chat_id):
        return update | {"message": _moved(message, chat_id)}
    if isinstance(query, dict) and _is_elsewhere(query.get("message"), chat_id):
        there = {"message": _moved(query["message"], chat_id), "data": ""}
        return update | {"callback_query": query | there}
    if _is_elsewhere(update.get("edited_message"), chat_id):
        return {"update_id": update.get("update_id")}
    return update


def _is_elsewhere(message: Any, chat_id: int) -> TypeGuard[dict[str, Any]]:
    chat = message.get("chat") if isinstance(message, dict) else None
    return isinstance(chat, dict) and chat.get("id", chat_id) != chat_id


def _moved(message: dict[str, Any], chat_id: int) -> dict[str, Any]:
    there, old = {"id": chat_id, "type": ChatType.SUPERGROUP}, message["chat"]
    moved = message | {"message_id": 0, "chat": old | there}
    sender = message.get("sender_chat")
    if isinstance(sender, dict) and sender.get("id") == old["id"]:  # an admin in the group's name
        moved["sender_chat"] = sender | there
    return moved
