"""An update from its JSON on: parsed, then handled, or its kept reply sent."""

from typing import Any

from telegram import Message, Update
from telegram.error import BadRequest, Forbidden

from handlers.actions import table
from handlers.actions.failures import not_delivered
from handlers.actions.tools import Tools
from handlers.context import Profiles, PtbApplication, process
from handlers.incoming.addressing import command, is_addressed, is_from_a_person
from handlers.incoming.migration import migration
from handlers.incoming.parsing import Unreadable, load, read
from handlers.outgoing.delivery import Delivery
from handlers.outgoing.refusals import is_final
from handlers.outgoing.say import notify, reply_with, say
from handlers.rendering.markup import Chunk
from handlers.texts import texts_for
from handlers.turn.press import Press
from handlers.turn.turn import Reply, Turn


class Dispatch:
    """What happens to updates. Methods raise `Unreadable`, or the handlers' failure."""

    def __init__(self, application: PtbApplication, tools: Tools, profile: Profiles) -> None:
        """``profile()`` returns the profile for a new turn."""
        self._application = application
        self._tools = tools
        self._profile = profile

    def most_bytes(self) -> int:
        """Return how much of a conversation's history a turn needs to know, in bytes."""
        return self._tools.conversation.most_bytes(self._profile())

    async def handle(self, update: str, turn: Turn) -> None:
        """Handle an update; a kept reply is sent, not made again."""
        raw = load(update)
        if migrated := migration(raw.get("message")):
            await turn.inherit(migrated[0])
            return
        parsed = self._begin(raw, turn)
        if turn.reply is not None or turn.flood:
            await self._without_handlers(parsed, turn)
        else:
            # It returns normally whatever the handlers raise; `failures.on_error` notes that.
            await process(self._application, parsed, turn, self._profile())
        if turn.failure:
            raise turn.failure

    async def _without_handlers(self, update: Update, turn: Turn) -> None:
        message = update.effective_message
        if not isinstance(message, Message):
            raise Unreadable("no message")
        try:
            if turn.reply is not None:
                await Delivery(message, turn).finish(turn.reply)
            elif self._is_for_us(update):
                await say(message, turn, turn.texts.too_many)
        except (Forbidden, BadRequest) as refusal:
            if not is_final(refusal):
                raise
            not_delivered(message, refusal)

    async def apologize(self, update: str, turn: Turn) -> None:
        """Tell a person that their message could not be handled."""
        parsed = self._begin(load(update), turn)
        message = parsed.effective_message
        if isinstance(message, Message) and self._is_for_us(parsed):
            there = turn.reply.pieces[: turn.shown.final] if turn.reply else []
            words = Reply([*there, Chunk(turn.texts.unexpected, ())])
            await reply_with(message, turn, words)

    async def tell_late(self, update: str) -> None:
        """Tell who has waited long that it takes longer. Also raises `Shed` and TelegramError."""
        parsed = self._parsed(load(update))
        if parsed.message and self._is_for_us(parsed):
            await notify(parsed.message, texts_for(parsed.effective_user).takes_longer)

    async def may_interrupt(self, update: str, turn: Turn) -> bool:
        """Tell whether an update may cut short ``turn``, which is before it in the lane."""
        parsed = self._parsed(load(update))
        if message := parsed.message:
            return await self._may_interrupt(message)
        if query := parsed.callback_query:
            press = Press.parse(query.data)
            button = table.BUTTONS.get(press.name) if press else None
            allowed = await self._tools.access.allows(query.from_user, query.message)
            if not (allowed and press and button and button.interrupts):
                return False
            return turn.stop(str(press.exchange))
        # Telegram's own button under a draft; python-telegram-bot does not know it yet.
        stopped = parsed.api_kwargs.get("stopped_message_generation", {})
        return turn.stop(str(stopped.get("draft_id")))

    async def _may_interrupt(self, message: Message) -> bool:
        """Tell whether a command interrupts and its author may use it."""
        if not is_from_a_person(message):
            return False
        words = command(message, self._application.bot.bot)
        row = table.find(words[0], words[1:]) if words else None
        if row is None or not row.interrupts:
            return False
        allowed = await self._tools.access.allows(message.from_user, message)
        return allowed and await self._tools.access.permits(row.right, message, lately=True)

    def _is_for_us(self, update: Update) -> bool:
        """Tell whether somebody waits for an answer to this; nobody does in talk among people."""
        message = update.message or update.edited_message
        if message is None:
            return update.callback_query is not None
        me = self._application.bot.bot
        words = command(message, me)
        known = bool(words) and table.find(words[0], words[1:]) is not None
        return is_from_a_person(message) and (known or is_addressed(message, me))

    def _begin(self, raw: dict[str, Any], turn: Turn) -> Update:
        parsed = self._parsed(raw)
        turn.texts = texts_for(parsed.effective_user)
        return parsed

    def _parsed(self, raw: dict[str, Any]) -> Update:
        return read(raw, self._application.bot)
