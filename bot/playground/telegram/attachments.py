"""Attachments: the files, places and contacts that people send."""

from typing import Any

from bot.playground.telegram.chat import Json
from bot.playground.telegram.content import captioned, shown
from bot.playground.telegram.dice import DIE, thrown
from bot.playground.telegram.entities import is_unicode
from bot.playground.telegram.files import KINDS, File, Upload
from bot.playground.telegram.samples import SAMPLES
from bot.playground.telegram.writing import LONGEST_CAPTION, Writing

LARGEST_SENT = 50 * 2**20
"""Most bytes in a file."""
LARGEST_NUMBER = 2**31 - 1
_FACTS = {
    "animation": {"duration", "height", "width"},
    "audio": {"duration", "performer", "title"},
    "sticker": {"emoji"},
    "video": {"duration", "height", "width"},
    "video_note": {"duration", "length"},
    "voice": {"duration"},
}
"""What can be said of a file of each kind."""


class Attachments(Writing):
    """See the module. ValueError says what Telegram would not allow."""

    def store(self, upload: Upload) -> Json:
        """Keep a file for the bot to fetch; returns its Document."""
        file = self.file_as("document", upload)
        self.files.keep(file)
        document: Json = file.shown
        return document

    def send_kind(
        self, chat: int, user: int, kind: str, *, facts: Json | None = None, **more: Any
    ) -> Json:
        """Let ``user`` send a sticker, a photo or a voice note: one that is made up.

        ``facts`` are as in `file_as`, ``more`` as in `send_file`.
        """
        if kind not in SAMPLES:
            raise ValueError(f"without a file, kind is one of {', '.join(SAMPLES)}")
        upload, usual = SAMPLES[kind]
        file = self.file_as(kind, upload, {**usual, **(facts or {})})
        return self.send_file(chat, user, file, **more)

    def send_document(
        self,
        chat: int,
        user: int,
        upload: Upload,
        *,
        caption: str = "",
        language: str | None = None,
        **more: Any,
    ) -> Json:
        """Let ``user`` send a file; ``more`` are further fields of the message."""
        file = self.file_as("document", upload)
        return self.send_file(chat, user, file, caption=caption, content=more, language=language)

    def file_as(self, kind: str, upload: Upload, facts: Json | None = None) -> File:
        """Return a file that somebody is about to send as one of `KINDS`.

        ``facts`` are what can be said of it: a duration, a width, a title.
        """
        if len(upload.content) > LARGEST_SENT:
            raise ValueError(f"a file is up to {LARGEST_SENT} bytes")
        return self.files.make(kind, upload, **_checked(kind, facts or {}))

    def send_file(
        self,
        chat: int,
        user: int,
        file: File,
        *,
        caption: str = "",
        content: Json | None = None,
        **where: Any,
    ) -> Json:
        """Let ``user`` send a file; returns the Message.

        ``content`` are further fields of the message, ``where`` what `say` takes besides the text.
        """
        made = {**shown(file), **self.caption(caption), **(content or {})}
        message = self._write(chat, user, made, **where)
        self.files.keep(file)
        return message

    @staticmethod
    def caption(text: str) -> Json:
        """Return a caption as a message has it, if there is one."""
        if len(text) > LONGEST_CAPTION or not is_unicode(text):
            raise ValueError(f"a caption is up to {LONGEST_CAPTION} characters")
        return captioned(text)

    def send_place(
        self, chat: int, user: int, latitude: float, longitude: float, **where: Any
    ) -> Json:
        """Let ``user`` send a location, in degrees; returns the Message."""
        if not (abs(latitude) <= 90 and abs(longitude) <= 180):
            raise ValueError("latitude is from -90 to 90, longitude from -180 to 180")
        content = {"location": {"latitude": latitude, "longitude": longitude}}
        return self._write(chat, user, content, **where)

    def send_contact(
        self, chat: int, user: int, phone_number: str, first_name: str, **where: Any
    ) -> Json:
        """Let ``user`` send a contact; returns the Message."""
        if not phone_number or not first_name:
            raise ValueError("a contact has a phone number and a name")
        content = {"contact": {"phone_number": phone_number, "first_name": first_name}}
        return self._write(chat, user, content, **where)

    def send_dice(self, chat: int, user: int, emoji: str = "", **where: Any) -> Json:
        """Let ``user`` throw a dice, or another emoji of `DICE`; returns the Message."""
        return self._write(chat, user, {"dice": thrown(emoji or DIE)}, **where)


def _checked(kind: str, facts: Json) -> Json:
    if kind not in KINDS:
        raise ValueError(f"kind is one of {', '.join(KINDS)}")
    if unknown := facts.keys() - _FACTS.get(kind, set()):
        raise ValueError(f"a {kind} has no {', '.join(sorted(unknown))}")
    for name, value in facts.items():
        if isinstance(value, int) and not 0 <= value <= LARGEST_NUMBER:
            raise ValueError(f"{name} is from 0 to {LARGEST_NUMBER}")
    return facts
