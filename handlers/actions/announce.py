"""Announcements: owners write, confirm and cancel them; each chat says whether it wants any."""

import secrets
from collections.abc import Iterator, Sequence
from typing import Any

import structlog
from telegram import Message, MessageEntity
from telegram.constants import ChatType, MessageLimit

from handlers.actions.tools import Tools
from handlers.context import Context
from handlers.outgoing.announcement import announced
from handlers.rendering.formatting import is_visible
from handlers.rendering.markup import Chunk
from handlers.texts import CATALOGUES, Texts
from handlers.turn.press import Press
from handlers.turn.reply import Button, Reply
from storage.announcement import Words
from storage.chats import Audience
from storage.message import well_formed

log = structlog.get_logger()

AUDIENCES: dict[str, Sequence[str]] = {
    "private": (ChatType.PRIVATE,),
    "groups": (ChatType.GROUP, ChatType.SUPERGROUP),
    "channels": (ChatType.CHANNEL,),
    "all": (ChatType.PRIVATE, ChatType.GROUP, ChatType.SUPERGROUP, ChatType.CHANNEL),
}
"""To whom an announcement can go: Telegram's kinds of chats; a button has its place here."""
FOUND = {
    MessageEntity.MENTION,
    MessageEntity.HASHTAG,
    MessageEntity.CASHTAG,
    MessageEntity.BOT_COMMAND,
    MessageEntity.URL,
    MessageEntity.EMAIL,
    MessageEntity.PHONE_NUMBER,
    "bank_card_number",
}
"""What Telegram finds in any text by itself."""
MOST_ENTITIES = MessageLimit.MESSAGE_ENTITIES
LONGEST_NAME = 32
"""Characters of a bot's name."""

# -- Owners


async def say(tools: Tools, context: Context) -> None:
    """Show what would be announced, and ask to whom."""
    texts, found = context.texts, words(context.message)
    if under_way := await tools.operation.announcements.under_way():
        await context.reply(_busy(texts, under_way.number))
    elif not is_visible(found.text):
        await context.say(texts.say_needs_text)
    elif len(found.text) > _longest():
        await context.say(texts.say_too_long.format(number=texts.number(_longest())))
    elif len(found.entities) > MOST_ENTITIES:
        await context.say(texts.say_too_formatted.format(number=MOST_ENTITIES))
    else:
        await _ask(tools, context, found)


async def _ask(tools: Tools, context: Context, found: Words) -> None:
    texts, number = context.texts, secrets.randbelow(10**18)
    kinds = await tools.operation.chats.audiences()
    audiences = {name: _together(kinds, among) for name, among in AUDIENCES.items()}
    asked = {name: audience for name, audience in audiences.items() if audience.told}
    if not asked:
        await context.say(texts.say_nobody)
        return
    await context.turn.all_chats.draft(number, found)
    text = announced(texts, found.text, ChatType.PRIVATE, str(context.bot.username))
    lines = "\n".join(
        texts.say_audience.format(
            audience=texts.audiences[name],
            told=texts.number(audience.told),
            skipped=texts.number(audience.skipped),
        )
        for name, audience in asked.items()
    )
    buttons = [
        Button(
            f"{texts.audiences[name]}: {texts.number(audience.told)}",
            str(Press("say", number, place)),
            place,
        )
        for place, name in enumerate(AUDIENCES)
        if (audience := asked.get(name))
    ]
    buttons.append(Button(texts.button_cancel, str(Press("unsay", number)), len(AUDIENCES)))
    pieces = [
        Chunk(text, tuple(found.entities)),
        Chunk(texts.say_to_whom.format(audiences=lines), ()),
    ]
    await context.reply(Reply(pieces, buttons))


async def confirm(tools: Tools, context: Context) -> None:
    """Begin to announce what was shown."""
    texts, press = context.texts, _pressed_by_its_owner(context)
    if press is None or press.revision >= len(AUDIENCES):
        await context.answer_press(texts.say_is_over)
        return
    name = [*AUDIENCES][press.revision]
    audience = _together(await tools.operation.chats.audiences(), AUDIENCES[name])
    total = audience.told + audience.skipped
    begun = await context.turn.all_chats.announce(
        press.exchange, AUDIENCES[name], total, texts.language
    )
    if begun == "over":
        await context.answer_press(texts.say_is_over)
        return
    await context.answer_press()
    await context.turn.replaces([context.message.message_id])
    if begun == "busy":
        under_way = await tools.operation.announcements.under_way()
        await context.reply(_busy(texts, under_way.number if under_way else press.exchange))
        return
    log.info("announcement_confirmed", audience=name, chats=total)
    await context.say(texts.say_begun.format(audience=texts.audiences[name]))


async def cancel(_tools: Tools, context: Context) -> None:
    """Cancel an announcement, or drop what was shown."""
    texts, press = context.texts, _pressed_by_its_owner(context)
    ended = await context.turn.all_chats.cancel(press.exchange) if press else "over"
    if ended == "over":
        await context.answer_press(texts.say_is_over)
    elif ended == "cancelled":  # whoever announces it says the rest
        await context.answer_press(texts.say_cancelled)
        log.info("announcement_cancelled")
    else:
        await context.answer_press()
        await context.turn.replaces([context.message.message_id])
        await context.say(texts.say_dropped)


def _pressed_by_its_owner(context: Context) -> Press | None:
    """Return a press in the chat of who pressed: another owner's offers are not one's own."""
    query = context.received.callback_query
    own = query is not None and query.from_user.id == context.message.chat_id
    return Press.parse(query.data) if query and own else None


def _busy(texts: Texts, number: int) -> Reply:
    stop = Button(texts.button_cancel_it, str(Press("unsay", number)))
    return Reply([Chunk(texts.say_is_busy, ())], [stop])


def _together(kinds: dict[str, Audience], among: Sequence[str]) -> Audience:
    found = [kinds[kind] for kind in among if kind in kinds]
    return Audience(sum(one.told for one in found), sum(one.skipped for one in found))


def _longest() -> int:
    """Return how long an announcement may be, so that it is one message in every language."""
    name = "n" * LONGEST_NAME
    added = (len(announced(texts, "", ChatType.GROUP, name)) for texts in CATALOGUES.values())
    return MessageLimit.MAX_TEXT_LENGTH - max(added)


def words(message: Message) -> Words:
    """Return what a command says, formatted; without words, that of the message it replies to."""
    replied = message.reply_to_message
    found = _from(message, message.entities[0].length if message.entities else 0)
    return _from(replied) if replied and not found.text else found


def _from(message: Message, start: int = 0) -> Words:
    """Return a message's text from a place on, in UTF-16 units as all of Telegram's."""
    units = well_formed(message.text or "").encode("utf-16-le")
    body = units[2 * start :].decode("utf-16-le", "replace")
    start += _length(body) - _length(body.lstrip())
    text = body.strip()
    return Words(text, [*_moved(message.entities, start, _length(text))])


def _moved(entities: Sequence[MessageEntity], start: int, length: int) -> Iterator[dict[str, Any]]:
    for entity in entities:
        begin = max(0, entity.offset - start)
        end = min(length, entity.offset + entity.length - start)
        if entity.type not in FOUND and begin < end:
            yield entity.to_dict() | {"offset": begin, "length": end - begin}


def _length(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


# -- Everybody


async def switch(_tools: Tools, context: Context) -> None:
    """Turn announcements on or off in this chat."""
    declined = (context.args or [""])[0].lower() in ("off", "выкл")
    await context.turn.all_chats.decline(declined=declined)
    texts = context.texts
    await context.say(texts.news_off if declined else texts.news_on)


async def explain_news(tools: Tools, context: Context) -> None:
    """Say whether announcements come to this chat, and how to change that."""
    declined = await tools.operation.chats.has_declined(context.message.chat_id)
    texts = context.texts
    await context.say(texts.news_are_off if declined else texts.news_are_on)
