"""Drafts: what a bot shows in a private chat of a message that it has not sent yet.

Source: core.telegram.org/bots/api#sendmessagedraft, as of Bot API 10.3.
"""

from bot.playground.telegram.chat import Json
from bot.playground.telegram.parameters import bad, number, open_chat, thread_of, words_of
from bot.playground.telegram.room import Room
from bot.playground.telegram.writing import LONGEST_TEXT


def send_message_draft(room: Room, given: Json) -> bool:
    """Show a draft, new or changed; it goes away after a while, or when a message comes."""
    chat = open_chat(room, given)
    if chat.kind != "private":
        raise bad("TEXTDRAFT_PEER_INVALID")
    draft_id = number(given, "draft_id")
    if not draft_id:
        raise bad("draft_id must be non-zero")
    content = words_of(given, "text", "entities", LONGEST_TEXT)
    thread = thread_of(chat, given)
    room.show_draft(
        chat,
        {
            "draft_id": draft_id,
            **content,
            **({"message_thread_id": thread} if thread else {}),
            "can_stop": bool(given.get("can_stop")),
        },
    )
    return True
