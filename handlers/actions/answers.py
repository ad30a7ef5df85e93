"""What people do with answers: again, on, back, away; by commands, and by buttons under them."""

import re
from dataclasses import dataclass

from telegram import CallbackQuery, Message, Update
from telegram.ext import ContextTypes

from handlers.actions.ask import Chat, Question
from handlers.dialogue.speakers import labelled
from handlers.incoming.access import Access
from handlers.incoming.addressing import said
from handlers.outgoing.leftover import put_right
from handlers.outgoing.say import answer_press, reply_with, say
from handlers.texts import Texts, texts_for
from handlers.turn import Reply, current
from handlers.where import chat_key, is_company
from storage.change import Restored, Undone
from storage.history import Past

PRESSED = re.compile(r"(stop|again|continue|forget):(\d{1,19})(?::(\d{1,9}))?")


@dataclass(frozen=True, slots=True)
class Press:
    """A button that was pressed, under the answer to the exchange ``asked``."""

    query: CallbackQuery
    message: Message
    texts: Texts
    past: Past
    asked: int


class Control:
    """Carries that out."""

    def __init__(self, chat: Chat, access: Access) -> None:
        self._chat = chat
        self._access = access

    async def retry(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        """Ask the last question again; a new answer takes the place of the old one."""
        if message := update.message:
            texts = texts_for(message.from_user)
            past = await self._chat.conversation.recall(chat_key(message))
            if past.messages:
                asked = past.asked or message.message_id
                await self._chat.ask(_again(message, texts, past, asked))
            else:
                await say(message, texts.nothing_to_repeat)

    async def undo(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        """Take back the last exchange; where there is none, bring back what was forgotten."""
        message = update.message
        if message is None:
            return
        texts, here = texts_for(message.from_user), chat_key(message)
        if not await self._access.may_change(message):
            await say(message, texts.undo_is_for_admins)
        elif (await self._chat.conversation.recall(here)).length:
            await say(message, texts.undone, Undone(message.message_id))
        elif await self._chat.conversation.can_be_restored(here):
            await say(message, texts.restored, Restored(message.message_id))
        else:
            await say(message, texts.nothing_to_undo)

    async def context(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        """Tell what of the model's window the conversation uses, and what is left out of it."""
        if message := update.message:
            texts = texts_for(message.from_user)
            named = labelled if is_company(message) else tuple
            measure = await self._chat.conversation.measure(chat_key(message), named)
            text = texts.context.format(
                tokens=_spaced(measure.tokens), window=_spaced(measure.window), turns=measure.turns
            )
            if measure.left_out:
                text += "\n" + texts.context_left_out.format(turns=measure.left_out)
            await say(message, text)

    async def press(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        """Do what a button says, if it is one under the last answer."""
        query = update.callback_query
        if query is None:
            return
        texts, pressed = texts_for(query.from_user), PRESSED.fullmatch(query.data or "")
        if not pressed or not isinstance(query.message, Message):
            await answer_press(query, texts.old_button)
            return
        past = await self._chat.conversation.recall(chat_key(query.message))
        if pressed[1] == "stop":  # what it stops was cut short when it came in
            await answer_press(query, texts.stopped)
            await put_right(query.message, past, current.get())
            return
        if past.asked != int(pressed[2]) or not past.messages:
            await answer_press(query, texts.old_button)
            return
        if pressed[1] != "forget" and past.revision != int(pressed[3] or 0):
            await answer_press(query)  # it was pressed before the answer changed
            return
        press = Press(query, query.message, texts, past, past.asked)
        await {"again": self._again, "continue": self._continue, "forget": self._forget}[
            pressed[1]
        ](press)

    async def _again(self, press: Press) -> None:
        await answer_press(press.query)
        await current.get().replaces(press.past.answer or (press.message.message_id,))
        await self._chat.ask(_again(press.message, press.texts, press.past, press.asked))

    async def _continue(self, press: Press) -> None:
        await answer_press(press.query)
        question = press.texts.continue_question
        # No message of the person's asks it, so it is known by that of the answer it continues.
        asked = press.message.message_id
        more = said(press.message, question, press.query.from_user)
        await self._chat.ask(Question(press.message, press.texts, more, press.past, asked))

    async def _forget(self, press: Press) -> None:
        if not await self._access.may_change(press.message, press.query.from_user):
            await answer_press(press.query, press.texts.undo_is_for_admins)
            return
        await answer_press(press.query, press.texts.undone)
        await current.get().replaces(press.past.answer or (press.message.message_id,))
        await reply_with(press.message, Reply([]), Undone(press.message.message_id))


def _again(message: Message, texts: Texts, past: Past, asked: int) -> Question:
    return Question(message, texts, past.messages[-2], past, asked, replaces=True)


def _spaced(number: int) -> str:
    return f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
