"""A reply on Telegram: messages that may still change, whatever fails there."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, TypeVar

import httpx
import structlog
from telegram import InputFile, Message, TelegramObject
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Forbidden,
    InvalidToken,
    NetworkError,
    TelegramError,
)
from telegram.ext import ExtBot

from handlers.outgoing.pacing import Effect, Kind
from handlers.outgoing.post import post
from handlers.outgoing.refusals import (
    is_about_the_message,
    is_about_the_thread,
    is_final,
    is_no_change,
)
from handlers.rendering.markup import MAX_CHARACTERS, Chunk, File
from handlers.turn.reply import Button, Piece, Reply
from handlers.turn.turn import Turn
from handlers.turn.where import is_private, topic_of
from storage.lane import Shown
from storage.timing import Timing

log = structlog.get_logger()

T = TypeVar("T")

NO_PREVIEW = {"is_disabled": True}
MOST_UNSURE = 2
"""Messages that a growing answer may leave behind; after that it is shown only at its end."""
NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


@dataclass(frozen=True, slots=True)
class _Trial:
    """A piece to try; ``bare``: a new message, in reply to nothing."""

    piece: Piece
    buttons: Sequence[Button]
    bare: bool = False


class Delivery:
    """The reply to ``message``, as it stands in the chat. Methods raise TelegramError.

    Messages of an earlier worker, or of an earlier answer, are edited (`Turn.shown`). Each call
    raises `LaneLost` if the turn's lane is another's by then, and `Frozen` when Telegram lets
    nothing through for long. If the message's topic is gone, the reply goes to its chat, unless it
    is ``about_the_topic``: then that is Forbidden.
    """

    def __init__(self, message: Message, turn: Turn, *, about_the_topic: bool = False) -> None:
        self._message = message
        self._about_the_topic = about_the_topic
        self._turn = turn
        self._topic = topic_of(message)
        self._seen: dict[int, tuple[Piece, Sequence[Button]]] = {}
        self._unsure = 0
        self._first: Effect | None = None
        """First words that go without a place in the budget: it is taken when they are noted."""

    @property
    def _chat_id(self) -> int:
        return self._turn.successor or self._message.chat_id

    @property
    def _quotes(self) -> bool:
        """Tell whether the first piece is a Telegram reply: in groups, if the message has an id."""
        number = 0 if self._turn.successor else self._message.message_id
        return bool(number) and not is_private(self._message.chat)

    async def grow(self, pieces: Sequence[Chunk], buttons: Sequence[Button]) -> None:
        """Show pieces of a growing answer, ``buttons`` under the last.

        Raises `Shed` if there is no room for that now.
        """
        turn = self._turn
        for place, piece in enumerate(pieces):
            trial = _Trial(piece, buttons if place + 1 == len(pieces) else ())
            if place < len(turn.shown.ids):
                await self._edit(turn.shown.ids[place], trial, Kind.UPDATE)
            elif self._unsure < MOST_UNSURE:
                first = Kind.UPDATE if place else Kind.FIRST
                number = await self._unsurely(self._send(trial, first, quote=not place))
                shown = Shown(turn.shown.final, (*turn.shown.ids, number))
                effect, self._first = self._first, None
                await turn.note(shown, owing=bool(effect and effect.granted is not None))

    async def _unsurely(self, sending: Coroutine[Any, Any, int]) -> int:
        """Count messages that Telegram may have taken without telling us."""
        try:
            return await sending
        except NetworkError as error:
            self._unsure += is_unsure(error)
            raise

    async def finish(self, reply: Reply) -> None:
        """Send the whole reply; each piece is noted once Telegram has taken it."""
        turn, count = self._turn, len(reply.pieces)
        for place in range(turn.shown.final, count):
            last = place + 1 == count
            # The other pieces of a long answer wait for their turn among all chats.
            kind = Kind.FINAL if last else Kind.OTHER
            trial = _Trial(reply.pieces[place], reply.buttons if last else ())
            number = await self._place(place, trial, kind)
            ids = (*turn.shown.ids[:place], number, *turn.shown.ids[place + 1 :])
            turn.shown = Shown(place + 1, ids)
            if not last or ids[count:]:  # the last one is noted by `done`
                await turn.note(turn.shown)
        for number in turn.shown.ids[count:]:
            await self._delete(number)
        turn.shown = Shown(count, turn.shown.ids[:count])

    async def _place(self, place: int, trial: _Trial, kind: Kind) -> int:
        """Put a piece in its place for good; if Telegram refuses it, less and less of it."""
        refusal: BadRequest | None = None
        for less in _less_and_less(trial, self._turn.texts.piece_refused):
            try:
                number = await self._place_as_it_is(place, less, kind)
            except BadRequest as error:
                if is_final(error) and not isinstance(less.piece, File):
                    raise
                log.warning("piece_refused", chat=self._chat_id, reason=error.message)
                refusal = error
            else:
                if less.bare:
                    self._turn.figures["reason"] = f"a piece was refused: {refusal}"
                return number
        assert refusal  # noqa: S101 - there is always something to try
        raise refusal

    async def _place_as_it_is(self, place: int, trial: _Trial, kind: Kind) -> int:
        ids = self._turn.shown.ids
        old = ids[place] if place < len(ids) else 0
        if old and isinstance(trial.piece, Chunk):
            try:
                await persistently(lambda: self._edit(old, trial, kind), self._turn.timing)
            except ChatMigrated as error:
                self._turn.follow(error.new_chat_id)
            except InvalidToken as error:  # for any 404
                log.info("cannot_be_edited", reason=str(error))
                old = 0
            except BadRequest as error:
                if is_final(error) or not (trial.bare or is_about_the_message(error)):
                    raise
                log.info("cannot_be_edited", reason=error.message)
            else:
                return old
        number = await persistently(
            lambda: self._send(trial, kind, quote=not place), self._turn.timing
        )
        if old in self._turn.shown.ids:  # not if the chat has migrated meanwhile
            await self._delete(old)
        return number

    async def _send(self, trial: _Trial, kind: Kind, *, quote: bool) -> int:
        """Send a piece once; returns its message id."""
        # The message it replies to may be deleted by now.
        quoted = {"message_id": self._message.message_id, "allow_sending_without_reply": True}
        fields = {
            **self._topic,
            "reply_parameters": quoted if quote and self._quotes and not trial.bare else None,
            "reply_markup": keyboard(trial.buttons),
        }
        effect = self._effect(kind)
        try:
            sent = await send(self._message, self._chat_id, trial.piece, effect, fields)
        except ChatMigrated as error:
            self._turn.follow(error.new_chat_id)
            return await self._send(trial, kind, quote=quote)
        except BadRequest as error:
            if "message_thread_id" not in self._topic or not is_about_the_thread(error):
                raise
            if self._about_the_topic:
                raise Forbidden(error.message) from error
            log.info("topic_is_gone", chat=self._chat_id, reason=error.message)
            self._topic = {}
            return await self._send(trial, kind, quote=quote)
        self._seen[sent] = (trial.piece, trial.buttons)
        return sent

    async def _edit(self, number: int, trial: _Trial, kind: Kind) -> None:
        piece = trial.piece
        assert isinstance(piece, Chunk)  # noqa: S101 - files are never edited
        if self._seen.get(number) == (piece, trial.buttons):
            return
        try:
            await post(
                bot_of(self._message),
                "editMessageText",
                {
                    "chat_id": self._chat_id,
                    "message_id": number,
                    **_text(piece),
                    "reply_markup": keyboard(trial.buttons),
                },
                self._effect(kind),
            )
        except BadRequest as error:
            if not is_no_change(error):
                raise
        self._seen[number] = (piece, trial.buttons)

    def _effect(self, kind: Kind) -> Effect:
        """Make the effect of one call; what was granted serves once."""
        turn = self._turn
        effect = Effect(kind, turn.hold)
        if kind is Kind.FINAL:
            effect.granted, turn.granted = turn.granted, None
        elif kind is Kind.FIRST and turn.may_go_at_once:
            effect.granted, self._first = 0.0, effect
        return effect

    async def _delete(self, number: int) -> None:
        """Delete a message that is no longer part of the reply, if Telegram allows it."""
        effect = Effect(Kind.OTHER, self._turn.hold)
        try:
            await persistently(
                lambda: bot_of(self._message).delete_message(
                    self._chat_id, number, rate_limit_args=effect
                ),
                self._turn.timing,
            )
        except TelegramError as error:  # the reply is complete all the same
            log.info("not_deleted", reason=str(error))


async def send(
    message: Message, chat_id: int, piece: Piece, effect: Effect, fields: Mapping[str, Any]
) -> int:
    """Send a piece by the bot that got ``message``; returns the new message's id.

    ``fields`` are further ones of the method. Raises TelegramError.
    """
    bot = bot_of(message)
    if isinstance(piece, File):
        document = InputFile(piece.text.encode(), piece.name)
        sent = await bot.send_document(
            chat_id, document, rate_limit_args=effect, api_kwargs={**fields}
        )
        return sent.message_id
    sent = await post(bot, "sendMessage", {"chat_id": chat_id, **_text(piece), **fields}, effect)
    try:
        return int(sent["message_id"])
    except (TypeError, LookupError, ValueError) as error:
        raise NetworkError("Invalid server response") from error  # it may have been sent


def _text(piece: Chunk) -> dict[str, Any]:
    return {"text": piece.text, "entities": piece.entities, "link_preview_options": NO_PREVIEW}


def bot_of(received: TelegramObject) -> ExtBot[Any]:
    """Return the bot that got a message or a press; its calls are paced."""
    bot = received.get_bot()
    assert isinstance(bot, ExtBot)  # noqa: S101 - python-telegram-bot's application makes no other
    return bot


def _less_and_less(trial: _Trial, sentence: str) -> Iterator[_Trial]:
    """Yield what to try in turn: the piece, plain, bare, and a sentence instead."""
    yield trial
    plain = replace(trial, piece=_plain(trial.piece, sentence))
    if plain != trial:
        yield plain
    yield replace(plain, buttons=(), bare=True)
    yield _Trial(Chunk(sentence, ()), (), bare=True)


def _plain(piece: Piece, sentence: str) -> Chunk:
    """Drop formatting; of a file keep what fits a message."""
    text = piece.text.strip() or sentence
    if len(text) <= MAX_CHARACTERS:
        return Chunk(text, ())
    return Chunk(f"{text[: MAX_CHARACTERS - len(sentence) - 3]}…\n\n{sentence}", ())


def keyboard(buttons: Sequence[Button]) -> dict[str, Any] | None:
    """Make the JSON of the buttons under a message; None if there are none."""
    if not buttons:
        return None
    rows = groupby(buttons, lambda button: button.row)
    return {"inline_keyboard": [[_key(button) for button in row] for _, row in rows]}


def _key(button: Button) -> dict[str, str]:
    kind = "url" if button.data.startswith("https://") else "callback_data"
    return {"text": button.label, kind: button.data}


def is_unsure(error: NetworkError) -> bool:
    """Tell whether Telegram may have taken what was sent."""
    return error.__cause__ is not None and not isinstance(error.__cause__, NEVER_SENT)


async def persistently(call: Callable[[], Awaitable[T]], timing: Timing) -> T:
    """Call until Telegram takes it; raises a refusal, and the second unsure failure.

    Where Telegram may have taken a message without telling us, one more try risks a double; no
    more risks a person without an answer, which is worse.
    """
    unreachable, failing = iter(timing.unreachable_pauses), iter(timing.send_pauses)
    unsure = iter(timing.send_pauses[:1])
    while True:
        try:
            return await call()
        except (BadRequest, Forbidden):
            raise
        except NetworkError as error:
            # Without a cause, Telegram itself says so.
            never_sent = unreachable if error.__cause__ else failing
            pauses = unsure if is_unsure(error) else never_sent
            pause = next(pauses, -1)
            if pause < 0:
                raise
            log.info("send_retried", reason=str(error), seconds=pause)
        await asyncio.sleep(pause + random.uniform(0, 0.5))
