"""InputMedia: files with captions inside a call's JSON, for albums and edits.

Errors are those of get_input_media in telegram-bot-api's Client.cpp.
"""

import secrets
from typing import Any

from bot.playground.telegram.chat import Json
from bot.playground.telegram.media import Media, caption_of, media_of
from bot.playground.telegram.parameters import bad, open_chat
from bot.playground.telegram.refusal import ApiError
from bot.playground.telegram.room import Room
from bot.playground.telegram.sending import send_all
from bot.playground.telegram.uploads import FileRefused

MOST_IN_ALBUM = 10
_KINDS = frozenset(["animation", "audio", "document", "photo", "video"])
_MIXED = frozenset(["photo", "video"])
"""Kinds that can be in one album."""


def input_media(room: Room, given: Json, said: Any, *, for_album: bool = False) -> Media:
    """Return the file that an InputMedia tells of."""
    if said is None or said == "":
        raise bad('parameter "media" is required')
    try:
        return _input_media(room, given, said, for_album=for_album)
    except _Unread as error:
        raise bad(f"can't parse InputMedia: {error}") from None


def send_media_group(room: Room, given: Json) -> list[Json]:
    """Send an album; one file alone is an ordinary message."""
    chat = open_chat(room, given)
    album = given.get("media")
    if album is None or album == "":
        raise bad('parameter "media" is required')
    if not isinstance(album, list):
        raise bad("expected an Array of InputMedia")
    made = [_in_album(room, given, said, number) for number, said in enumerate(album, 1)]
    if not made:
        raise bad("there are no messages to send")
    if len(made) > MOST_IN_ALBUM:
        raise bad("too many messages to send as an album")
    kinds = [said["type"] for said in album]
    alone = [kind for kind in kinds if kind not in _MIXED]
    if alone and len(set(kinds)) > 1:
        raise bad(f"{alone[0]} can't be mixed with other media types")
    above = {"show_caption_above_media" in media.content for media in made}
    if len(above) > 1:
        raise bad("parameter show_caption_above_media must be the same for all messages")
    group = {"media_group_id": new_group_id()} if len(made) > 1 else {}
    messages = send_all(room, given, chat, [media.content | group for media in made])
    for media in made:
        media.keep(room)
    return messages


def _in_album(room: Room, given: Json, said: Any, number: int) -> Media:
    try:
        return input_media(room, given, said, for_album=True)
    except FileRefused as error:
        raise bad(
            f'failed to send message #{number} with the error message "{error.why}"'
        ) from None


def new_group_id() -> str:
    return str(10**16 + secrets.randbelow(10**17))


class _Unread(ValueError):
    """What is wrong with an InputMedia."""


def _input_media(room: Room, given: Json, said: Any, *, for_album: bool) -> Media:
    if not isinstance(said, dict):
        raise _Unread("expected an Object")
    kind = said.get("type")
    if kind is None:
        raise _Unread('Can\'t find field "type"')
    if not isinstance(kind, str):
        raise _Unread('Field "type" must be of type String')
    if for_album and kind == "animation":
        raise _Unread('type "animation" can\'t be used in sendMediaGroup')
    if kind not in _KINDS:
        raise _Unread(f'type "{kind}" is unsupported')
    _check_caption(said, kind)
    media = media_of(room, given, said, kind, said.get("media"))
    if media is None:
        raise _Unread("media not found")
    return media


def _check_caption(said: Json, kind: str) -> None:
    """Refuse a caption that cannot be parsed as part of its InputMedia; its length comes later."""
    try:
        caption_of(said, kind)
    except ApiError as error:
        why = error.description.removeprefix("Bad Request: ")
        if "is too long" not in why:
            raise _Unread(why[:1].upper() + why[1:]) from None
