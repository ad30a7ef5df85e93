"""What Telegram means when it refuses a message; only its words tell. Pure.

The words are those of telegram-bot-api's and TDLib's sources, and of Telegram's own error names.
"""

from telegram.error import BadRequest, Forbidden, TelegramError

_FINAL = (
    "chat not found",
    "chat_write_forbidden",
    "chat_admin_required",
    "chat_restricted",
    "chat_send_plain_forbidden",
    "chat_guest_send_forbidden",
    "channel_private",
    "channel_invalid",
    "group chat was deactivated",
    "have no rights to send",
    "not enough rights",
    "need administrator rights",
    "input_user_deactivated",
    "peer_id_invalid",
    "topic_closed",
    "user is deactivated",
    "user_is_blocked",
    "user_is_bot",
    "user_banned_in_channel",
    "you_blocked_user",
)
_AWAY = {
    "blocked by the user": "blocked",
    "user_is_blocked": "blocked",
    "bot was kicked": "kicked",
    "bot is not a member": "left",
    "deactivated": "deleted",
    "chat not found": "deleted",
    "rights to send text": "muted",
    "rights to send a message": "muted",
    "chat_write_forbidden": "muted",
    "chat_send_plain_forbidden": "muted",
}
_THE_MESSAGE = (
    "message to edit not found",
    "message can't be edited",
    "message_id_invalid",
    "message_edit_time_expired",
    "message_author_required",
    "message identifier is not specified",
    "there is no text in the message to edit",
)
_THE_THREAD = ("message thread not found", "topic_deleted", "topic_id_invalid")


def is_final(refusal: TelegramError) -> bool:
    """Tell whether nobody is there to answer, or nothing may be written to them."""
    return isinstance(refusal, Forbidden) or _says(refusal, _FINAL)


def away(refusal: TelegramError) -> str:
    """Return why the bot has nobody to write to, as in `storage.chats.ChatRecord`; "" if it has."""
    told = refusal.message.lower()
    found = (why for words, why in _AWAY.items() if words in told)
    return next(found, "") if is_final(refusal) else ""


def is_about_the_message(refusal: TelegramError) -> bool:
    """Tell whether a message cannot be edited, whatever the new text."""
    return _says(refusal, _THE_MESSAGE)


def is_about_the_thread(refusal: BadRequest) -> bool:
    """Tell whether only the topic is gone, not the chat."""
    return _says(refusal, _THE_THREAD)


def is_no_change(refusal: BadRequest) -> bool:
    """Tell whether a message already has the new content."""
    return _says(refusal, ("message is not modified", "message_not_modified"))


def _says(refusal: TelegramError, words: tuple[str, ...]) -> bool:
    told = refusal.message.lower()
    return isinstance(refusal, BadRequest) and any(word in told for word in words)
