"""What owners see of the whole bot, in their private chat: its chats, how it is, dead letters."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo

from telegram.error import TelegramError
from telegram.ext import ExtBot

from handlers.actions.naming import shown
from handlers.actions.tools import Tools
from handlers.context import Context
from handlers.rendering.markup import Chunk
from handlers.texts import Texts
from handlers.turn.press import Press
from handlers.turn.reply import Button, Reply
from storage.chats import Listed
from storage.dead import DeadLetter
from storage.message import ChatKey

CHATS_A_PAGE = 8
LETTERS_A_PAGE = 4
FARTHEST = 10**9
"""A page beyond any; Redis refuses places that take more than 64 bits."""
LONGEST_REASON = 300
MEMBERS_SECONDS = 5.0
"""How long Telegram may take to say how many members a chat has."""

# -- Chats


async def chats(tools: Tools, context: Context) -> None:
    """List the chats that the bot is in, the last used first."""
    await _chats(tools, context, 0)


async def turn_chats(tools: Tools, context: Context) -> None:
    """Show another page of that list, in its place."""
    press = await _in_place(context)
    await _chats(tools, context, min(press.exchange, FARTHEST))


async def _chats(tools: Tools, context: Context, page: int) -> None:
    texts, listing = context.texts, tools.operation.chats
    total, found = await listing.page(page * CHATS_A_PAGE, CHATS_A_PAGE)
    last = _last(total, CHATS_A_PAGE)
    if page > last:
        page, (total, found) = last, await listing.page(last * CHATS_A_PAGE, CHATS_A_PAGE)
    members = await asyncio.gather(*(_members(context.bot, one) for one in found))
    lines = [
        _line(texts, one, number, context.profile.zone)
        for one, number in zip(found, members, strict=True)
    ]
    title = texts.chats.format(**_place(texts, total, page, last))
    words = "\n\n".join([title, *lines]) if lines else texts.no_chats
    await context.reply(Reply([Chunk(words, ())], _turning("chats", page, last, 0)))


async def _members(bot: ExtBot[None], chat: Listed) -> int | None:
    """Ask how many members a chat has, None if Telegram does not say."""
    if chat.chat_id > 0 or chat.record.away in ("kicked", "left", "deleted"):
        return None
    try:
        async with asyncio.timeout(MEMBERS_SECONDS):
            return await bot.get_chat_member_count(chat.chat_id)
    except (TelegramError, TimeoutError):
        return None


def _line(texts: Texts, chat: Listed, members: int | None, zone: tzinfo | None) -> str:
    record, used = chat.record, datetime.fromtimestamp(chat.used, UTC).astimezone(zone)
    name = f" (@{record.username})" if record.username else ""
    parts = [
        str(chat.chat_id),
        "" if members is None else texts.chat_members.format(number=texts.number(members)),
        texts.moment(used),
        texts.chat_messages.format(number=texts.number(chat.messages)),
        f"{texts.number(-(-chat.size // 1024))} {texts.kilobytes}" if chat.size else "",
        texts.away.get(record.away, ""),
    ]
    return f"{shown(record.title) or '—'}{name}\n{' · '.join(filter(None, parts))}"


# -- How it is


async def status(tools: Tools, context: Context) -> None:
    """Say whether all is well, who waits how long, how fast the model is, what is dead."""
    texts, operation = context.texts, tools.operation
    problems, count, speed = await operation.problems(), await operation.count(), operation.speed()
    lines = [
        texts.status_ready,
        texts.status_lanes.format(
            waiting=texts.number(count.waiting),
            oldest=texts.number(count.oldest),
            in_work=texts.number(count.in_work),
            frozen=texts.number(count.frozen),
        ),
        texts.status_no_speed,
        texts.status_dead.format(number=texts.number(count.dead)),
    ]
    if problems:
        lines[0] = "\n".join(
            [texts.status_problems, *(f"• {problem[:LONGEST_REASON]}" for problem in problems)]
        )
    if speed:
        lines[2] = texts.status_speed.format(
            first=texts.number(round(speed.first_words, 1)),
            whole=texts.number(round(speed.whole, 1)),
            number=texts.number(speed.answers),
        )
    await context.say("\n\n".join(lines))


# -- Dead letters


async def dead(tools: Tools, context: Context) -> None:
    """List dead letters, the oldest first; never what a person wrote."""
    await _dead(tools, context, 0)


async def turn_dead(tools: Tools, context: Context) -> None:
    """Show another page of that list, in its place."""
    press = await _in_place(context)
    await _dead(tools, context, min(press.exchange, FARTHEST))


async def replay(tools: Tools, context: Context) -> None:
    """Queue a dead letter again, if it has a conversation; then list the others."""
    press = await _in_place(context)
    if found := await tools.operation.letters.find(press.exchange):
        letter, lane = await tools.operation.addressed(found)
        if lane:
            await tools.operation.letters.replay(letter, lane)
    await _dead(tools, context, press.revision)


async def drop(tools: Tools, context: Context) -> None:
    """Delete a dead letter; then list the others."""
    press = await _in_place(context)
    if letter := await tools.operation.letters.find(press.exchange):
        await tools.operation.letters.drop(letter)
    await _dead(tools, context, press.revision)


async def _dead(tools: Tools, context: Context, page: int) -> None:
    texts, letters = context.texts, tools.operation.letters
    total, found = await letters.page(page * LETTERS_A_PAGE, LETTERS_A_PAGE)
    last = _last(total, LETTERS_A_PAGE)
    if page > last:
        page, (total, found) = last, await letters.page(last * LETTERS_A_PAGE, LETTERS_A_PAGE)
    lines, buttons = [texts.dead.format(**_place(texts, total, page, last))], []
    for place, letter in enumerate(found, 1):
        _, lane = await tools.operation.addressed(letter)
        number = page * LETTERS_A_PAGE + place
        lines.append(_letter(texts, number, letter, lane))
        if lane:
            label = texts.button_replay.format(number=number)
            buttons.append(Button(label, str(Press("replay", letter.number, page)), place))
        label = texts.button_drop.format(number=number)
        buttons.append(Button(label, str(Press("drop", letter.number, page)), place))
    words = "\n\n".join(lines) if found else texts.no_dead
    turning = _turning("dead", page, last, LETTERS_A_PAGE + 1)
    await context.reply(Reply([Chunk(words, ())], [*buttons, *turning]))


def _letter(texts: Texts, number: int, letter: DeadLetter, lane: ChatKey | None) -> str:
    where = texts.dead_chat.format(chat=lane) if lane else texts.dead_nowhere
    return f"{number}. {where}: {letter.reason[:LONGEST_REASON]}"


# -- Lists with pages


async def _in_place(context: Context) -> Press:
    """Answer a press, and let the reply take the place of the message it is under."""
    query = context.received.callback_query
    press = Press.parse(query.data) if query else None
    assert press  # noqa: S101 - the table leads here
    await context.answer_press()
    await context.turn.replaces([context.message.message_id])
    return press


def _place(texts: Texts, total: int, page: int, last: int) -> dict[str, str]:
    """Return what a list's heading is filled in with."""
    number = texts.number
    return {"total": number(total), "page": number(page + 1), "pages": number(last + 1)}


def _last(total: int, on_a_page: int) -> int:
    return max(0, total - 1) // on_a_page


def _turning(name: str, page: int, last: int, row: int) -> Sequence[Button]:
    """Return buttons that lead to the pages beside."""
    beside = (("‹", page - 1), ("›", page + 1))
    return [Button(label, str(Press(name, to)), row) for label, to in beside if 0 <= to <= last]
