"""Copies and forwards of messages that the bot can read.

Which errors come is from telegram-bot-api's Client.cpp and TDLib's MessagesManager.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from bot.playground.telegram.chat import Chat, Json
from bot.playground.telegram.content import FILED, kind_of
from bot.playground.telegram.dice import thrown
from bot.playground.telegram.forwarding import CAPTION, content_of, forwarded
from bot.playground.telegram.inputs import new_group_id
from bot.playground.telegram.media import caption_of
from bot.playground.telegram.parameters import (
    bad,
    flag,
    ids_of,
    markup_of,
    number,
    open_chat,
)
from bot.playground.telegram.polls import copied
from bot.playground.telegram.room import Room
from bot.playground.telegram.sending import send, send_all


def copy_message(room: Room, given: Json) -> Json:
    source = _source(room, given)
    chat = open_chat(room, given)
    message = source.messages.get(number(given, "message_id"))
    if message is None:
        raise bad("message to copy not found")
    content = _copied(room, message)
    if content is None:
        raise bad("the message can't be copied")
    if "caption" in given and kind_of(message) in FILED:
        content = {name: value for name, value in content.items() if name not in CAPTION}
        content |= caption_of(given, kind_of(message))
    return _id_of(send(room, given, chat, content | markup_of(given)))


def copy_messages(room: Room, given: Json) -> list[Json]:
    """Copy those that are there and can be copied; albums stay albums."""
    chat, messages = _several(room, given)[1:]
    made = [(message, _copied(room, message)) for message in messages]
    found = [(message, content) for message, content in made if content is not None]
    if not found:
        raise bad("messages can't be copied")
    if flag(given, "remove_caption"):
        found = [(old, _without(content, CAPTION)) for old, content in found]
    return _send_several(room, given, chat, found)


def forward_message(room: Room, given: Json) -> Json:
    source = _source(room, given)
    chat = open_chat(room, given)
    message = source.messages.get(number(given, "message_id"))
    if message is None:
        raise bad("message to forward not found")
    content = forwarded(source, message)
    if content is None:
        raise bad("the message can't be forwarded")
    return send(room, given, chat, content)


def forward_messages(room: Room, given: Json) -> list[Json]:
    """Forward those that are there and can be forwarded; albums stay albums."""
    source, chat, messages = _several(room, given)
    made = [(message, forwarded(source, message)) for message in messages]
    found = [(message, content) for message, content in made if content is not None]
    if not found:
        raise bad("messages can't be forwarded")
    return _send_several(room, given, chat, found)


def _source(room: Room, given: Json) -> Chat:
    if given.get("from_chat_id") in (None, ""):
        raise bad('parameter "from_chat_id" is required')
    return open_chat(room, {"chat_id": given["from_chat_id"]})


def _several(room: Room, given: Json) -> tuple[Chat, Chat, list[Json]]:
    source, chat, wanted = _source(room, given), open_chat(room, given), ids_of(given)
    if any(one >= next_one for one, next_one in pairwise(wanted)):
        raise bad("message identifiers must be in a strictly increasing order")
    found = [source.messages[each] for each in wanted if each in source.messages]
    if not found:
        raise bad("there are no messages to forward")
    return source, chat, found


def _send_several(
    room: Room, given: Json, chat: Chat, made: Sequence[tuple[Json, Json]]
) -> list[Json]:
    albums = Counter(old.get("media_group_id") for old, _ in made)
    new = {album: new_group_id() for album, count in albums.items() if album and count > 1}
    contents = [
        content | ({"media_group_id": new[group]} if group in new else {})
        for group, content in ((old.get("media_group_id"), content) for old, content in made)
    ]
    return [_id_of(message) for message in send_all(room, given, chat, contents)]


def _copied(room: Room, message: Json) -> Json | None:
    """Return the content of a message's copy, None if it cannot be copied."""
    content = content_of(message)
    if content is None:
        return None
    if "dice" in content:
        return {"dice": thrown(content["dice"]["emoji"])}
    if "poll" in content:
        poll = copied(room, content["poll"])
        return {"poll": poll} if poll else None
    return content


def _without(content: Json, names: Sequence[str]) -> Json:
    return {name: value for name, value in content.items() if name not in names}


def _id_of(message: Json) -> Json:
    return {"message_id": message["message_id"]}


METHODS: dict[str, Any] = {
    "copyMessage": copy_message,
    "copyMessages": copy_messages,
    "forwardMessage": forward_message,
    "forwardMessages": forward_messages,
}
