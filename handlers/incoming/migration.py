"""A group becomes a supergroup: another chat, with a number of its own. Pure."""

from typing import Any

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


def moved(update: dict[str, Any], supergroup: int) -> dict[str, Any]:
    """Give an update with a message of a group as it would come from what this has become.

    There messages have other numbers: it has none that could be quoted. All else stays as it is.
    """
    message = update.get("message")
    if not isinstance(message, dict):
        return update
    there, old = {"id": supergroup, "type": ChatType.SUPERGROUP}, message["chat"]
    as_there = message | {"message_id": 0, "chat": old | there}
    sender = message.get("sender_chat")
    if isinstance(sender, dict) and sender.get("id") == old["id"]:  # an admin in the group's name
        as_there["sender_chat"] = sender | there
    return update | {"message": as_there}
