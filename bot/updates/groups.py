"""What people in groups say to each other, and what of it belongs to something for the bot."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from handlers.incoming.burst import LONG
from storage.chat_settings import ChatSettings
from storage.hearing import Overheard
from storage.message import ChatKey

IsTalk = Callable[[Any], bool]
"""Tells of a raw message whether no handler would answer it."""


class Talk(Protocol):
    """A message to other people."""

    def is_for_us(self, chosen: ChatSettings) -> bool:
        """Tell whether the bot answers it all the same, by what its conversation has chosen."""

    def overheard(self, lane: ChatKey, *, edited: bool) -> Overheard:
        """Return what may be kept of it."""


@dataclass(frozen=True, slots=True)
class Begun:
    """Something for the bot in a group, whose ``author`` may go on, if ``texts`` also in text."""

    author: object
    until: float
    texts: bool

    def goes_on(self, message: dict[str, Any], now: float) -> bool:
        """True if a message that names nobody may belong to it."""
        if now >= self.until or _author(message) != self.author:
            return False
        return self.texts or _can_be_commented(message)


class Groups:
    """Remembers for a moment what was said to the bot in each group."""

    def __init__(self) -> None:
        self.begun: Mapping[ChatKey, Begun] = {}

    def begin(self, message: dict[str, Any], lane: ChatKey, burst: float) -> None:
        """Remember for ``burst`` seconds that a message is for the bot."""
        if message["chat"].get("type") in ("group", "supergroup"):
            now = time.monotonic()
            begun = {where: one for where, one in self.begun.items() if one.until > now}
            begun[lane] = Begun(_author(message), now + burst, _may_be_cut(message))
            self.begun = begun

    def belongs(
        self, message: dict[str, Any], lane: ChatKey, behind: Iterable[Any], is_talk: IsTalk
    ) -> bool:
        """Tell whether a message to nobody belongs to one to the bot.

        Further parts of a long text do not mention the bot, and neither does a forward or file that
        is sent with a comment. ``behind`` is what follows in its conversation.
        """
        begun = self.begun.get(lane)
        if begun and begun.goes_on(message, time.monotonic()):
            return True
        return _can_be_commented(message) and _is_commented(message, behind, is_talk)

    def back(self, before: Mapping[ChatKey, Begun], lanes: Iterable[ChatKey]) -> None:
        """Remember of these conversations what was remembered before."""
        here = {*lanes}
        others = {lane: one for lane, one in self.begun.items() if lane not in here}
        self.begun = others | {lane: one for lane, one in before.items() if lane in here}


def _author(message: dict[str, Any]) -> tuple[object, object]:
    """Return who wrote a message: all who write in the name of a chat share one user."""
    return message.get("from"), message.get("sender_chat")


def _may_be_cut(message: dict[str, Any]) -> bool:
    said = message.get("text")
    return (isinstance(said, str) and len(said) >= LONG) or "media_group_id" in message


def _can_be_commented(message: dict[str, Any]) -> bool:
    return "forward_origin" in message or "document" in message


def _is_commented(message: dict[str, Any], behind: Iterable[Any], is_talk: IsTalk) -> bool:
    """True if the sender's next message comments on this one, and that comment is for us."""
    for update in behind:
        following = update.get("message")
        if following is None or _author(following) != _author(message):
            return False
        if not _can_be_commented(following):
            return not is_talk(following)
    return False
