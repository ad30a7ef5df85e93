"""What a group's people say to each other: whether it is for the bot, and what is kept of it."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Self

from telegram import Message, User
from telegram.ext import ExtBot

from handlers.incoming.addressing import is_answered, read_talk, said
from handlers.incoming.parsing import Unreadable, reading
from handlers.incoming.words import told
from handlers.texts import texts_for
from storage.chat_settings import ChatSettings, When
from storage.hearing import Overheard
from storage.message import ChatKey

MOST = 2**53
"""Redis tells larger numbers no longer apart."""


@dataclass(frozen=True, slots=True)
class Talk:
    """A message that calls the bot by nothing that it is called everywhere."""

    raw: Any
    message: Message
    me: User
    locked: AbstractSet[str]
    language: str | None

    @classmethod
    def read(
        cls, raw: Any, bot: ExtBot[None], locked: AbstractSet[str], language: str | None
    ) -> Self | None:
        """Read a raw message, which may be anything; None if it is no talk.

        What is ``locked`` no chat may choose; media are named in the ``language`` of the bot.
        """
        message = read_talk(raw, bot)
        return cls(raw, message, bot.bot, locked, language) if message else None

    def is_for_us(self, chosen: ChatSettings) -> bool:
        """Tell whether the bot answers it, by what its conversation has chosen."""
        if chosen.when is not When.ALWAYS and not chosen.names:
            return False
        try:
            with reading():
                return is_answered(self.message, self.me, chosen.without(frozenset(self.locked)))
        except Unreadable:
            return True  # somebody has to look at it

    def overheard(self, lane: ChatKey, *, edited: bool) -> Overheard:
        """Return what may be kept of it."""
        number, always = self.message.message_id, self.is_for_us(ChatSettings(when=When.ALWAYS))
        if "hears" in self.locked or type(number) is not int or not 0 < number < MOST:
            return Overheard(lane, 0, None, edited, always)
        try:
            with reading():
                words = told(self.raw, texts_for(None, self.language)).strip()
                return Overheard(lane, number, said(self.message, words), edited, always)
        except Unreadable:
            return Overheard(lane, number, None, edited, always)
