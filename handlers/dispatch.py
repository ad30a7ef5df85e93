"""An update, from its JSON on: parsed, and given to the handlers or to what was kept of them."""

import json
from typing import Any

from telegram import Message, Update
from telegram.error import BadRequest, Forbidden
from telegram.ext import Application

from handlers import reply
from handlers.access import Access
from handlers.addressing import is_addressed, is_from_a_person
from handlers.failures import not_delivered
from handlers.texts import texts_for
from handlers.turn import Turn, current

PtbApplication = Application[Any, Any, Any, Any, Any, Any]


class Unreadable(Exception):
    """An update that Telegram's own library cannot read."""


class Dispatch:
    """What happens to updates. Methods raise `Unreadable`, or whatever the handlers met."""

    def __init__(self, application: PtbApplication, access: Access) -> None:
        self._application = application
        self._access = access

    async def handle(self, update: str, turn: Turn) -> None:
        """Deal with an update; a reply that was kept before is sent, not made again."""
        parsed = self._parsed(update)
        current.set(turn)
        if turn.reply is not None or turn.flood:
            await self._without_handlers(parsed, turn)
        else:
            # It returns normally whatever its handlers met; `failures.on_error` notes it.
            await self._application.process_update(parsed)
        if turn.failure:
            raise turn.failure

    async def _without_handlers(self, update: Update, turn: Turn) -> None:
        message = update.message
        if message is None:
            raise Unreadable("no message")
        try:
            if turn.reply is not None:
                await reply.resume(message, turn)
            elif self._is_for_us(message):  # a group's own talk is not to be answered
                await reply.say(message, texts_for(message.from_user).too_many)
        except (Forbidden, BadRequest) as refusal:
            not_delivered(message, refusal)

    async def apologize(self, update: str, turn: Turn) -> None:
        """Tell a person that their message could not be dealt with."""
        message = self._parsed(update).message
        if message and self._is_for_us(message):
            current.set(turn)
            await reply.say(message, texts_for(message.from_user).unexpected)

    async def tell_late(self, update: str) -> None:
        """Tell who has waited long for an answer that it takes longer."""
        message = self._parsed(update).message
        if message and self._is_for_us(message):
            await reply.notify(message, texts_for(message.from_user).takes_longer)

    async def may_interrupt(self, update: str) -> bool:
        """Tell whether a command that waits may cut short what waits before it."""
        message = self._parsed(update).message
        return message is not None and await self._access.may_interrupt(message)

    def _is_for_us(self, message: Message) -> bool:
        return is_from_a_person(message) and is_addressed(message, self._application.bot.bot)

    def _parsed(self, update: str) -> Update:
        try:
            return Update.de_json(json.loads(update), self._application.bot)
        except Exception as error:  # it raises whatever odd JSON leads it to
            raise Unreadable(f"{type(error).__name__}: {error}") from error
