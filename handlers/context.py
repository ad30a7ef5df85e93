"""What handlers get: an update, its turn, its profile, and the words it is answered in."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Self

from telegram import Message, Update
from telegram.ext import Application, CallbackContext, ContextTypes, ExtBot

from handlers.dialogue.profile import Profile
from handlers.outgoing import say
from handlers.texts import Texts
from handlers.turn.turn import Reply, Turn
from storage.change import Change

PtbApplication = Application[Any, Any, Any, Any, Any, Any]
Profiles = Callable[[], Profile]
"""Says how the model is asked in the turn that begins."""

_in_work: ContextVar[tuple[Turn, Profile]] = ContextVar("in work")
"""Python-telegram-bot hands contexts an update, and nothing that came with it."""


class Context(CallbackContext[ExtBot[Any], Any, Any, Any]):
    """An update in work. Methods that answer it raise TelegramError."""

    received: Update
    turn: Turn
    profile: Profile

    @classmethod
    def from_update(cls, update: object, application: Any) -> Self:
        """Be made for an update, by python-telegram-bot."""
        context = super().from_update(update, application)
        assert isinstance(update, Update)  # noqa: S101 - dispatch hands over no other
        context.received, (context.turn, context.profile) = update, _in_work.get()
        return context

    @property
    def message(self) -> Message:
        """The message that is answered; of a press, the one with the button."""
        message = self.received.effective_message
        assert isinstance(message, Message)  # noqa: S101 - presses of inaccessible ones come first
        return message

    @property
    def texts(self) -> Texts:
        """The bot's words in the language of whoever is answered."""
        return self.turn.texts

    async def say(self, text: str, change: Change | None = None) -> None:
        """Answer with words of the bot's own, and change the conversation with them."""
        await say.say(self.message, self.turn, text, change)

    async def reply(self, reply: Reply, change: Change | None = None) -> None:
        """Keep a reply, and what it does to the conversation; then send it."""
        await say.reply_with(self.message, self.turn, reply, change)

    async def answer_press(self, text: str | None = None) -> None:
        """Answer the press of a button, once: Telegram takes that for a short time only."""
        if query := self.received.callback_query:
            await say.answer_press(query, self.turn, text)


async def process(
    application: PtbApplication, update: Update, turn: Turn, profile: Profile
) -> None:
    """Give an update to the handlers; what they meet is in ``turn.failure``."""
    _in_work.set((turn, profile))
    await application.process_update(update)


CONTEXT = ContextTypes(context=Context)
"""For python-telegram-bot's builder."""
