"""The Bot API's methods, as the room carries them out.

Names, results and error texts are those of telegram-bot-api (its Client.cpp) and of TDLib.
"""

from collections.abc import Callable
from typing import Any

from bot.playground.telegram import (
    administration,
    copies,
    edits,
    forum,
    invitations,
    marking,
    media,
    places,
    polls,
    profile,
    queries,
    subscription,
)
from bot.playground.telegram.chat import Json
from bot.playground.telegram.commands import delete_my_commands, get_my_commands, set_my_commands
from bot.playground.telegram.drafts import send_message_draft
from bot.playground.telegram.inputs import send_media_group
from bot.playground.telegram.inquiries import (
    get_chat,
    get_chat_administrators,
    get_chat_member,
    get_chat_member_count,
    leave_chat,
)
from bot.playground.telegram.parameters import (
    bad,
    markup_of,
    open_chat,
    string,
    text_of,
    thread_of,
)
from bot.playground.telegram.refusal import ApiError
from bot.playground.telegram.room import Room
from bot.playground.telegram.sending import send

_ACTIONS = frozenset(
    [
        "typing",
        "upload_photo",
        "record_video",
        "upload_video",
        "record_voice",
        "upload_voice",
        "upload_document",
        "choose_sticker",
        "find_location",
        "record_video_note",
        "upload_video_note",
        "cancel",
        # Their former names, which telegram-bot-api still takes.
        "record_audio",
        "upload_audio",
        "pick_up_location",
    ]
)


def send_message(room: Room, given: Json) -> Json:
    chat = open_chat(room, given)
    return send(room, given, chat, text_of(given) | markup_of(given))


def send_chat_action(room: Room, given: Json) -> bool:
    chat = open_chat(room, given)
    if (action := string(given, "action").lower()) not in _ACTIONS:
        raise bad("wrong parameter action in request")
    thread_of(chat, given)
    if chat.id < 0 and not chat.bot.may("can_send_messages", chat.permissions):
        raise ApiError(403, "Forbidden: CHAT_WRITE_FORBIDDEN")
    if action == "typing":
        chat.typing = room.clock()
        room.touch()
    return True


METHODS: dict[str, Callable[[Room, Json], Any]] = {
    **administration.METHODS,
    **forum.METHODS,
    **invitations.METHODS,
    **marking.METHODS,
    **profile.METHODS,
    **copies.METHODS,
    **edits.METHODS,
    **media.METHODS,
    **places.METHODS,
    **polls.METHODS,
    **queries.METHODS,
    **subscription.METHODS,
    "sendMessage": send_message,
    "sendMessageDraft": send_message_draft,
    "sendMediaGroup": send_media_group,
    "sendChatAction": send_chat_action,
    "setMyCommands": set_my_commands,
    "getMyCommands": get_my_commands,
    "deleteMyCommands": delete_my_commands,
    "getChat": get_chat,
    "getChatMember": get_chat_member,
    "getChatMemberCount": get_chat_member_count,
    "getChatAdministrators": get_chat_administrators,
    "leaveChat": leave_chat,
}
"""All but getUpdates, the only one that waits."""
