"""An update from its JSON on: parsed, then handled, or its kept reply sent."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import structlog
from telegram import Message, Update, User
from telegram.error import BadRequest, Forbidden

from handlers.actions import table
from handlers.actions.failures import not_delivered
from handlers.actions.notice import give_up, on_notice
from handlers.actions.presence import note, on_membership
from handlers.actions.tools import Tools
from handlers.context import Profiles, PtbApplication, process
from handlers.incoming.access import has_no_privacy, may_write
from handlers.incoming.addressing import command, is_answered, is_from_a_person
from handlers.incoming.languages import Languages
from handlers.incoming.membership import SEES, Membership, met
from handlers.incoming.migration import migration
from handlers.incoming.parsing import Unreadable, load, read
from handlers.incoming.words import Json
from handlers.outgoing.delivery import Delivery
from handlers.outgoing.refusals import is_final
from handlers.outgoing.say import notify, reply_with, say
from handlers.rendering.markup import Chunk
from handlers.turn.press import Press
from handlers.turn.reply import Reply
from handlers.turn.turn import Turn
from storage.change import Notice
from storage.chat_settings import ChatSettings
from storage.message import UNREADABLE

log = structlog.get_logger()

SettingsOf = Callable[[int], Awaitable[ChatSettings]]
"""Returns what a person has chosen in their private chat."""


class Dispatch:
    """What happens to updates. Methods raise `Unreadable`, or the handlers' failure."""

    def __init__(self, application: PtbApplication, tools: Tools, profile: Profiles) -> None:
        """``profile()`` returns the owner's profile for a new turn."""
        self._application = application
        self._tools = tools
        self._profile = profile
        self._languages = Languages(tools.language, tools.locked)

    def most_bytes(self) -> int:
        """Return how much of a conversation's history a turn needs to know, in bytes."""
        return self._tools.conversation.most_bytes(self._profile())

    async def handle(self, update: str, turn: Turn) -> None:
        """Handle an update; a kept reply is sent, not made again."""
        if turn.head.is_notice:
            await self._notify(update, turn)
            return
        raw = load(update)
        if migrated := migration(raw.get("message")):
            await turn.inherit(migrated[0])
            return
        if "my_chat_member" in raw:
            await self._stand(raw, turn)
            return
        parsed = await self._begin(raw, turn)
        if await self._is_quiet(parsed, turn):
            turn.figures["outcome"] = "quiet"
            return
        if turn.reply is not None or turn.flood:
            await self._without_handlers(parsed, turn)
        else:
            # It returns normally whatever the handlers raise; `failures.on_error` notes that.
            owners, persona = self._profile(), self._tools.personas.get(turn.settings.persona or "")
            profile = owners.under(turn.settings, persona, turn.texts.language, self._tools.locked)
            await process(self._application, parsed, turn, profile, owners)
        if turn.failure:
            raise turn.failure

    async def _stand(self, raw: Json, turn: Turn) -> None:
        """Deal with a change of how the bot stands in a chat."""
        if membership := await self._standing(raw, turn):
            await self._speak(turn, membership.person)
            await on_membership(self._tools, turn, membership, self._application.bot)

    async def _notify(self, update: str, turn: Turn) -> None:
        """Say what is to be said in a chat because of something done elsewhere."""
        notice = _notice(update)
        if turn.chat.away not in ("", "muted"):  # only trying tells whether it still is muted
            await give_up(turn, notice, turn.chat.away)
        else:
            await self._speak(turn)
            await on_notice(turn, notice, self._application.bot)

    async def _standing(self, raw: Json, turn: Turn) -> Membership | None:
        """Read the same, with privacy mode as it is now, if that makes a difference there."""
        found = self._membership(raw, turn)
        if found is None or found.now is None or SEES in found.now:
            return found
        sees_all = await has_no_privacy(self._application.bot)
        return self._membership(raw, turn, sees_all=sees_all)

    def _membership(self, raw: Json, turn: Turn, *, sees_all: bool = False) -> Membership | None:
        """Read how the bot stands in the turn's chat now; None if that cannot be read."""
        membership = Membership.read(raw, sees_all=sees_all)
        here = (turn.lane.chat_id, turn.successor)
        return membership if membership and membership.chat.id in here else None

    async def _is_quiet(self, update: Update, turn: Turn) -> bool:
        """Tell whether the bot must say nothing in the update's chat.

        Telegram may not have told us that it is back, but a newer message does, or, if it was
        muted, Telegram itself when somebody waits for an answer.
        """
        known, message = turn.chat, update.message or update.edited_message
        if turn.departed or not known.away:
            return turn.departed
        later = 0 < known.update < update.update_id
        if known.away == "muted":
            back = self._is_for_us(update, turn.settings) and await may_write(
                self._application.bot, turn.lane.chat_id
            )
        elif message is None:
            back = later
        else:
            newer = (message.edit_date or message.date).timestamp() > known.since
            # Within a second only the numbers tell, but at times Telegram begins anew with them.
            back = newer or later
        if back:
            turn.chat = replace(known, away="")
        return not back

    async def _without_handlers(self, update: Update, turn: Turn) -> None:
        message = update.effective_message
        if not isinstance(message, Message):
            raise Unreadable("no message")
        try:
            if turn.reply is not None:
                if turn.chat.kind:
                    turn.use(met(message.chat, turn.chat))
                await Delivery(message, turn).finish(turn.reply)
            elif self._is_for_us(update, turn.settings):
                await say(message, turn, turn.texts.too_many)
        except (Forbidden, BadRequest) as refusal:
            if not is_final(refusal):
                raise
            not_delivered(message, turn, refusal)

    async def apologize(self, update: str, turn: Turn) -> None:
        """Tell a person that their message could not be handled."""
        if turn.head.is_notice:  # nobody waits for an answer
            await give_up(turn, _notice(update), "given up")
            return
        raw = load(update)
        if "my_chat_member" in raw:  # all that failed was to tell somebody
            if membership := await self._standing(raw, turn):
                await note(turn, membership)
            return
        parsed = await self._begin(raw, turn)
        message = parsed.effective_message
        if await self._is_quiet(parsed, turn):
            return
        if isinstance(message, Message) and self._is_for_us(parsed, turn.settings):
            there = turn.reply.pieces[: turn.shown.final] if turn.reply else []
            words = Reply([*there, Chunk(turn.texts.unexpected, ())])
            await reply_with(message, turn, words)

    async def tell_late(self, update: str, chosen: ChatSettings, settings_of: SettingsOf) -> None:
        """Tell who has waited long that it takes longer, unless nobody is answered there.

        By what their conversation has ``chosen``, and they themselves. Also raises `Shed` and
        TelegramError.
        """
        parsed, locked = self._parsed(load(update)), self._tools.locked
        chosen, person = chosen.without(locked), parsed.effective_user
        if parsed.message and self._is_for_us(parsed, chosen):
            own = (await settings_of(person.id)).without(locked) if person else chosen
            texts = self._languages.chosen(person, chosen.language, own.language)
            await notify(parsed.message, texts.takes_longer)

    async def is_allowed(self, update: str, turn: Turn) -> bool:
        """Tell whether ``turn``'s update comes from somebody who is answered by now."""
        if turn.head.is_notice:
            return True
        parsed = self._parsed(load(update))
        return await self._tools.access.allows(parsed, await turn.admission.listed())

    async def may_interrupt(self, update: str, turn: Turn) -> bool:
        """Tell whether an update may cut short ``turn``, which is before it in the lane."""
        raw = load(update)
        if "my_chat_member" in raw:
            membership = self._membership(raw, turn)
            if membership and membership.away and membership.date >= turn.chat.since:
                turn.depart()
            return turn.departed
        parsed = self._parsed(raw)
        allowed = await self._tools.access.allows(parsed, await turn.admission.listed())
        if message := parsed.message:
            return allowed and await self._may_interrupt(message, turn.settings)
        if query := parsed.callback_query:
            press = Press.parse(query.data)
            button = table.BUTTONS.get(press.name) if press else None
            if not (allowed and press and button and button.interrupts):
                return False
            return turn.stop(str(press.exchange))
        # Telegram's own button under a draft; python-telegram-bot does not know it yet.
        stopped = parsed.api_kwargs.get("stopped_message_generation", {})
        return turn.stop(str(stopped.get("draft_id")))

    async def _may_interrupt(self, message: Message, settings: ChatSettings) -> bool:
        """Tell whether a command interrupts and its author may use it."""
        if not is_from_a_person(message):
            return False
        words = command(message, self._application.bot.bot)
        row = table.find(words[0], words[1:]) if words else None
        chosen = settings.without(self._tools.locked)
        if row is None or not row.interrupts or not row.is_heard(message, chosen):
            return False
        everybody = chosen.reset == "everybody"
        return await self._tools.access.permits(
            row.right, message, everybody=everybody, lately=True
        )

    def _is_for_us(self, update: Update, chosen: ChatSettings) -> bool:
        """Tell whether somebody waits for an answer to this; nobody does in talk among people."""
        message = update.message or update.edited_message
        if message is None:
            return update.callback_query is not None
        me = self._application.bot.bot
        words = command(message, me)
        row = table.find(words[0], words[1:]) if words else None
        if row and is_from_a_person(message):
            return row.is_heard(message, chosen)
        return is_answered(message, me, chosen)

    async def _begin(self, raw: Json, turn: Turn) -> Update:
        parsed = self._parsed(raw)
        turn.update = parsed.update_id
        await self._speak(turn, parsed.effective_user)
        return parsed

    async def _speak(self, turn: Turn, person: User | None = None) -> None:
        """Let a turn have what is chosen, and the words for a person, or for a whole chat."""
        turn.settings = turn.settings.without(self._tools.locked)
        turn.texts = await self._languages.of(turn, person)

    def _parsed(self, raw: Json) -> Update:
        return read(raw, self._application.bot)


def _notice(update: str) -> Notice:
    try:
        return Notice.parse(update)
    except UNREADABLE as error:
        raise Unreadable(type(error).__name__) from error
