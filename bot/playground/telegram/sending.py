"""Sending: the bot's own message goes into a chat, if it may write there.

The checks and their words are from TDLib (can_send_message_content), the wait of slow mode from its
NetQueryDelayer; that TDLib itself waits up to eight seconds before it refuses is left out.
"""

import math
from collections.abc import Sequence

from bot.playground.telegram.chat import Chat, Json
from bot.playground.telegram.content import kind_of, permission_for, position
from bot.playground.telegram.keyboards import show
from bot.playground.telegram.parameters import bad, flag, keyboard_of, number, thread_of
from bot.playground.telegram.refusal import ApiError
from bot.playground.telegram.replies import reply_of
from bot.playground.telegram.room import Room
from bot.playground.telegram.topics import is_shut

_WHAT = {
    "animation": "animations",
    "audio": "music",
    "dice": "dice",
    "text": "text messages",
    "video_note": "video notes",
    "voice": "voice notes",
}
"""What is sent, where it is not the plural of the message's field."""


def send(room: Room, given: Json, chat: Chat, content: Json) -> Json:
    """Post ``content`` where the call's parameters say; returns the Message."""
    return send_all(room, given, chat, [content])[0]


def send_all(room: Room, given: Json, chat: Chat, contents: Sequence[Json]) -> list[Json]:
    """Post several messages, or none of them if one is refused."""
    if number(given, "receiver_user_id") or given.get("ephemeral_message_parameters"):
        raise bad("ephemeral messages are not served by the local Telegram")
    keyboard = keyboard_of(given, only_inline=chat.channel, private=chat.kind == "private")
    reply, topic = reply_of(room, chat, given), thread_of(chat, given)
    if chat.channel and not chat.bot.has("can_post_messages"):
        raise bad("need administrator rights in the channel chat")
    for content in contents:
        if chat.id < 0 and not chat.bot.may(permission_for(content), chat.permissions):
            kind = kind_of(content)
            raise bad(f"not enough rights to send {_WHAT.get(kind, f'{kind}s')} to the chat")
    if is_shut(chat, position(chat, reply.to, topic).get("message_thread_id"), chat.bot):
        raise bad("TOPIC_CLOSED")
    if wait := math.ceil(chat.wait(room.bot["id"], chat.bot, room.clock())):
        raise ApiError(429, f"Too Many Requests: retry after {wait}", retry_after=wait)
    more = reply.fields | _marks(chat, given)
    sent = [room.post(chat, each | more, reply_to=reply.to, topic=topic) for each in contents]
    show(chat, sent[-1], keyboard, room.people)
    return sent


def _marks(chat: Chat, given: Json) -> Json:
    """Return what is said of a message besides its content."""
    marks: Json = {"has_protected_content": True} if flag(given, "protect_content") else {}
    if effect := number(given, "message_effect_id"):
        if chat.kind != "private":
            raise bad("can't use message effects in the chat")
        marks["effect_id"] = str(effect)
    return marks
