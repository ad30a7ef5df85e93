"""Invitations: deep links that let in whoever has them, for a number of people and a time."""

import re
import time
from datetime import UTC, datetime

from handlers.actions.lists import paged
from handlers.actions.tools import Tools
from handlers.context import Context
from handlers.rendering.markup import Chunk
from handlers.turn.press import Press
from handlers.turn.reply import Button, Reply
from storage.access import DAY, HOUR, TooManyInvitations

ON_A_PAGE = 5
MOST_USES, LONGEST = 1000, 365 * DAY
USES, SECONDS = 1, 7 * DAY
"""What an invitation is for unless the owner says otherwise."""
_UNITS = {"m": 60, "м": 60, "h": HOUR, "ч": HOUR, "d": DAY, "д": DAY, "w": 7 * DAY, "н": 7 * DAY}
_DURATION = re.compile(rf"([0-9]{{1,6}})([{''.join(_UNITS)}])")


async def invite(_tools: Tools, context: Context) -> None:
    """Make an invitation, for as many people and for as long as is said."""
    texts, owner = context.texts, context.message.from_user
    wanted = _wanted(context.args or [])
    if wanted is None or owner is None:
        await context.say(texts.invite_usage)
    else:
        try:
            code, ends = await context.turn.admission.invite(*wanted, owner.id)
        except TooManyInvitations:
            await context.say(texts.too_many_invitations)
            return
        link, end = _link(context, code), _end(context, ends)
        await context.say(texts.counted(texts.invitation, wanted[0], link=link, end=end))


def _wanted(arguments: list[str]) -> tuple[int, int] | None:
    """Read for how many people and how many seconds, in any order; None for anything else."""
    uses, seconds = [], []
    for word in arguments:
        if duration := _DURATION.fullmatch(word.lower()):
            seconds.append(int(duration[1]) * _UNITS[duration[2]])
        elif re.fullmatch(r"[0-9]{1,6}", word):
            uses.append(int(word))
        else:
            return None
    if len(uses) > 1 or len(seconds) > 1:
        return None
    [number], [length] = uses or [USES], seconds or [SECONDS]
    fits = 1 <= number <= MOST_USES and 60 <= length <= LONGEST
    return (number, length) if fits else None


def _link(context: Context, code: str) -> str:
    return f"https://t.me/{context.bot.username}?start={code}"


def _end(context: Context, ends: int) -> str:
    return context.texts.moment(datetime.fromtimestamp(ends, UTC).astimezone(context.profile.zone))


# -- The list


async def show(_tools: Tools, context: Context) -> None:
    """List the open invitations, with a button for each that takes it back."""
    await context.reply(await _page(context, 0))


async def turn_page(_tools: Tools, context: Context) -> None:
    """Show another page of the list, in place."""
    await context.answer_press()
    await _show_again(context, context.press.exchange)


async def revoke(_tools: Tools, context: Context) -> None:
    """Take back an invitation, and show the rest."""
    press = context.press
    await context.turn.admission.revoke(press.exchange)
    await context.answer_press(context.texts.revoked)
    await _show_again(context, press.revision)


async def _show_again(context: Context, page: int) -> None:
    await context.turn.replaces((context.message.message_id,))
    await context.reply(await _page(context, page))


async def _page(context: Context, page: int) -> Reply:
    texts, now = context.texts, int(time.time())
    found = await context.turn.admission.invitations()
    left = [(code, one) for code, one in found if one.ends > now]
    lines = [
        texts.counted(
            texts.invitation_line,
            one.uses,
            place=place,
            end=_end(context, one.ends),
            link=_link(context, code),
        )
        for place, (code, one) in enumerate(left, 1)
    ]
    shown, page, turns = paged(lines, page, ON_A_PAGE, "invites")
    first = page * ON_A_PAGE
    revoking = [
        Button(f"✕ {place}", str(Press("revoke", one.number, page)))
        for place, (_, one) in enumerate(left[first : first + ON_A_PAGE], first + 1)
    ]
    text = "\n\n".join([texts.invitations, *shown]) if shown else texts.no_invitations
    return Reply([Chunk(text, ())], [*revoking, *turns])
