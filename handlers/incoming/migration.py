"""A group becomes a supergroup: another chat with another id. Pure."""

from typing import Any

from telegram.constants import ChatType

FIRST_SUPERGROUP = -1_000_000_000_000
"""Supergroups' ids are below this; groups' are between it and 0."""


def migration(message: Any) -> tuple[int, int] | None:
    """Read which group became which supergroup from a raw message, which may be anything.

    Telegram says so in both chats: in the old one where it moved, in the new one from where.
    """
    try:
        here = message["chat"]["id"]
        old, new = (message.get(f"migrate_{way}_chat_id", here) for way in ("from", "to"))
    except (LookupError, TypeError, AttributeError):
        return None
    if not type(old) is type(new) is int:
        return None
    return (old, new) if new <= FIRST_SUPERGROUP < old < 0 else None


def moved(update: dict[str, Any], supergroup: int) -> dict[str, Any]:
    """Return a group's update as it would come from its supergroup.

    Messages have other ids there, so it has none that could be quoted; all else stays.
    """
    message = update.get("message")
    if not isinstance(message, dict):
        return update
    there, old = {"id": supergroup, "type": ChatType.SUPERGROUP}, message["chat"]
    as_there = message | {"message_id": 0, "chat": old | there}
    sender = message.get("sender_chat")
    if isinstance(sender, dict) and sender.get("id") == old["id"]:  # an anonymous admin
        as_there["sender_chat"] = sender | there
    return update | {"message": as_there}
