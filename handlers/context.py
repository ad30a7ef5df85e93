"""What handlers get: an update, its turn, its profile, and the words it is answered in."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Self

from telegram import Message, Update
from telegram.ext import Application, CallbackContext, ContextTypes, ExtBot

from handlers.dialogue.profile import Profile
from handlers.outgoing import say
from handlers.texts import Texts
from handlers.turn.press import Press
from handlers.turn.reply import Reply
from handlers.turn.turn import Turn
from storage.change import Change

PtbApplication = Application[Any, Any, Any, Any, Any, Any]
Profiles = Callable[[], Profile]
"""Returns the owner's profile for a new turn."""

_in_work: ContextVar[tuple[Turn, Profile, Profile]] = ContextVar("in work")
"""python-telegram-bot gives a context its update, and nothing that came with it."""


class Context(CallbackContext[ExtBot[Any], Any, Any, Any]):
    """An update in work. Methods that answer raise TelegramError."""

    received: Update
    turn: Turn
    profile: Profile
    defaults: Profile
    """The owner's, before what the chat has chosen."""

    @classmethod
    def from_update(cls, update: object, application: Any) -> Self:
        """Make the context of an update, for python-telegram-bot."""
        context = super().from_update(update, application)
        assert isinstance(update, Update)  # noqa: S101 - dispatch hands over no other
        context.received = update
        context.turn, context.profile, context.defaults = _in_work.get()
        return context

    @property
    def message(self) -> Message:
        """The message to answer; for a press, the one with the button."""
        message = self.received.effective_message
        assert isinstance(message, Message)  # noqa: S101 - presses of inaccessible ones come first
        return message

    @property
    def texts(self) -> Texts:
        """The bot's words, in the language of the person it answers."""
        return self.turn.texts

    @property
    def press(self) -> Press:
        """Which button was pressed; only for presses that could be read."""
        query = self.received.callback_query
        press = Press.parse(query.data) if query else None
        assert press  # noqa: S101 - `actions.obey` reads it first
        return press

    async def say(self, text: str, change: Change | None = None) -> None:
        """Answer with the bot's own words; ``change`` is applied with them."""
        await say.say(self.message, self.turn, text, change)

    async def reply(self, reply: Reply, change: Change | None = None) -> None:
        """Keep a reply and its change to the conversation, then send it."""
        await say.reply_with(self.message, self.turn, reply, change)

    async def answer_press(self, text: str | None = None) -> None:
        """Answer a button's press, once; Telegram accepts that only for a short time."""
        if query := self.received.callback_query:
            await say.answer_press(query, self.turn, text)


async def process(
    application: PtbApplication, update: Update, turn: Turn, profile: Profile, defaults: Profile
) -> None:
    """Give an update to the handlers; their failure is in ``turn.failure``."""
    _in_work.set((turn, profile, defaults))
    await application.process_update(update)


CONTEXT = ContextTypes(context=Context)
"""For python-telegram-bot's builder."""
